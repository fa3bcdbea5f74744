/// Windows events of the channel System: services, group policy, time service, updates and Schannel; as event XML, one a
/// line, or as NXLog writes them in JSON.
struct EventSource: RecordSource {
  enum Rendering { case xml, json }

  let rendering: Rendering
  let meanGapMicroseconds = 50_000
  private var recordNumber = 18_000
  /// The number of the machine that wrote the last event.
  private(set) var host = 0

  init(rendering: Rendering) { self.rendering = rendering }

  private struct Event {
    var provider: String
    var guid: String
    var id: Int
    var level = 4
    var data: [(name: String, value: String)] = []
    /// The data stand in `UserData/EventXML` of `LSA_NS`.
    var isUserData = false
    var message = "-"
  }

  private static func schannel(
    _ id: Int, level: Int, _ data: [(name: String, value: String)], isUserData: Bool = false, _ message: String
  ) -> Event {
    Event(
      provider: "Schannel", guid: "{1F678132-5938-4686-9FDC-C8FF68F15C85}", id: id, level: level, data: data,
      isUserData: isUserData, message: message)
  }

  private let ordinary: [Event] = [
    Event(
      provider: "Service Control Manager", guid: "{555908d1-a6d7-4695-8e1e-26931d2012f4}", id: 7036,
      data: [("param1", "SMS Agent Host"), ("param2", "running")],
      message: "The SMS Agent Host service entered the running state."),
    Event(
      provider: "Service Control Manager", guid: "{555908d1-a6d7-4695-8e1e-26931d2012f4}", id: 7040,
      data: [
        ("param1", "Background Intelligent Transfer Service"), ("param2", "auto start"), ("param3", "demand start"),
        ("param4", "BITS"),
      ],
      message: "The start type of the Background Intelligent Transfer Service service was changed."),
    Event(
      provider: "Microsoft-Windows-GroupPolicy", guid: "{aea1b4fa-97d1-45f2-a64c-4d69fffd92c9}", id: 1502,
      data: [
        ("SupportInfo1", "1"), ("SupportInfo2", "4219"), ("ProcessingMode", "0"),
        ("ProcessingTimeInMilliseconds", "2156"),
        ("DCName", "\\\\DC01.corp.example"), ("NumberOfGroupPolicyObjects", "9"),
      ],
      message: "The Group Policy settings for the computer were processed successfully."),
    Event(
      provider: "Microsoft-Windows-Time-Service", guid: "{06edcfeb-0fd0-4e53-acca-a6f8bbf81bcb}", id: 37,
      data: [("TimeSource", "DC01.corp.example (ntp.d|0.0.0.0:123-&gt;10.20.1.5:123)")],
      message: "The time provider NtpClient is currently receiving valid time data."),
    Event(
      provider: "Microsoft-Windows-WindowsUpdateClient", guid: "{945a8954-c147-4acd-923f-40c45405a658}", id: 19,
      data: [
        ("updateTitle", "Security Intelligence Update for Microsoft Defender Antivirus"),
        ("updateGuid", "{6C1B2B3E-7F0A-4E62-9B1A-5D8C3F60A2D7}"), ("updateRevisionNumber", "200"),
      ],
      message: "Installation Successful: Windows successfully installed an update."),
  ]
  private let recoveries: [Event] = ["TLS 1.2", "TLS 1.2", "TLS 1.2", "TLS 1.0"].map { version in
    schannel(
      36880, level: 4,
      [
        ("Type", "server"), ("Protocol", version), ("CipherSuite", version == "TLS 1.0" ? "0xc014" : "0xc030"),
        ("ExchangeStrength", "384"), ("ContextHandle", "0x2f0fdcc40"), ("TargetName", ""),
        ("LocalCertSubjectName", "CN=MP01.corp.example"), ("RemoteCertSubjectName", ""),
      ], isUserData: true, "A TLS server handshake completed successfully.")
  }
  private let decoys: [Event] = [
    schannel(
      36867, level: 4, [("Type", "server"), ("__binLength", "0"), ("binaryData", "")],
      "Creating a TLS server credential."),
    schannel(36886, level: 3, [], "No suitable default server credential exists on this system."),
    schannel(
      36888, level: 4, [("AlertDesc", "10"), ("ErrorState", "1203"), ("TargetName", "")],
      "A fatal alert was generated and sent to the remote endpoint."),
    schannel(36887, level: 4, [("AlertDesc", "0")], "A fatal alert was received from the remote endpoint."),
    Event(
      provider: "Application Popup", guid: "{47bfa2b7-bd54-4fac-b70b-29021084ca8f}", id: 26,
      data: [("Caption", "Schannel 36887"), ("Content", "TLS alert 70")], message: "Application popup: Schannel 36887"),
  ]
  private let failures: [Event] = [
    schannel(36887, level: 2, [("AlertDesc", "70")], "A fatal alert was received from the remote endpoint."),
    schannel(36887, level: 2, [("AlertDesc", "48")], "A fatal alert was received from the remote endpoint."),
    schannel(
      36888, level: 2, [("AlertDesc", "40"), ("ErrorState", "1205"), ("TargetName", "")],
      "A fatal alert was generated and sent to the remote endpoint."),
    schannel(
      36874, level: 2, [("Protocol", "TLS 1.2")],
      "An TLS 1.2 connection request was received from a remote client application."),
    schannel(
      36871, level: 2, [("Type", "client"), ("ErrorState", "10013")],
      "A fatal error occurred while creating a TLS client credential."),
  ]

  mutating func begin(at clock: CorpusClock, to text: inout TextBuffer) {}

  mutating func record(
    _ role: RecordRole, at clock: CorpusClock, _ generator: inout SeededGenerator, to text: inout TextBuffer
  ) {
    let event =
      switch role {
      case .ordinary: generator.pick(ordinary)
      case .recovery: generator.pick(recoveries)
      case .decoy: generator.pick(decoys)
      case .failure: generator.pick(failures)
      }
    recordNumber += 1
    host = generator.below(500)
    let thread = 1000 + 4 * generator.below(1000)
    switch rendering {
    case .xml: xml(event, host, thread, clock, to: &text)
    case .json: json(event, host, thread, clock, to: &text)
    }
  }

  private func xml(_ event: Event, _ host: Int, _ thread: Int, _ clock: CorpusClock, to text: inout TextBuffer) {
    text.text("<Event xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\"><System><Provider Name=\"")
    text.text(event.provider)
    text.text("\" Guid=\"")
    text.text(event.guid)
    text.text("\" /><EventID>")
    text.number(event.id)
    text.text("</EventID><Version>0</Version><Level>")
    text.number(event.level)
    text.text(
      "</Level><Task>0</Task><Opcode>0</Opcode><Keywords>0x8000000000000000</Keywords><TimeCreated SystemTime=\"")
    text.stamp(clock, separator: "T")
    text.text(".")
    text.number(clock.microsecond, width: 6)
    text.text("400Z\" /><EventRecordID>")
    text.number(recordNumber)
    text.text("</EventRecordID><Correlation /><Execution ProcessID=\"684\" ThreadID=\"")
    text.number(thread)
    text.text("\" /><Channel>System</Channel><Computer>SRV-")
    text.number(host, width: 4)
    text.text(".corp.example</Computer><Security UserID=\"S-1-5-18\" /></System>")
    text.text(event.isUserData ? "<UserData><EventXML xmlns='LSA_NS'>" : "<EventData>")
    for item in event.data {
      if event.isUserData {
        text.text("<\(item.name)>\(item.value)</\(item.name)>")
      } else {
        text.text("<Data Name=\"")
        text.text(item.name)
        text.text("\">")
        text.text(item.value)
        text.text("</Data>")
      }
    }
    text.text(event.isUserData ? "</EventXML></UserData></Event>\r\n" : "</EventData></Event>\r\n")
  }

  private func json(_ event: Event, _ host: Int, _ thread: Int, _ clock: CorpusClock, to text: inout TextBuffer) {
    text.text("{\"EventTime\":\"")
    text.stamp(clock, separator: " ")
    text.text("\",\"Hostname\":\"SRV-")
    text.number(host, width: 4)
    text.text(".corp.example\",\"Keywords\":-9223372036854775808,")
    text.text(
      event.level == 2
        ? "\"EventType\":\"ERROR\",\"SeverityValue\":4,\"Severity\":\"ERROR\",\"EventID\":"
        : "\"EventType\":\"INFO\",\"SeverityValue\":2,\"Severity\":\"INFO\",\"EventID\":")
    text.number(event.id)
    text.text(",\"SourceName\":\"")
    text.text(event.provider)
    text.text("\",\"ProviderGuid\":\"")
    text.text(event.guid)
    text.text("\",\"Version\":0,\"Task\":0,\"OpcodeValue\":0,\"RecordNumber\":")
    text.number(recordNumber)
    text.text(",\"ProcessID\":684,\"ThreadID\":")
    text.number(thread)
    text.text(",\"Channel\":\"System\",\"Domain\":\"NT AUTHORITY\",\"AccountName\":\"SYSTEM\",\"UserID\":\"S-1-5-18\",")
    text.text("\"AccountType\":\"User\",\"Message\":\"")
    text.text(event.message)
    text.text("\"")
    for item in event.data {
      text.text(",\"")
      text.text(item.name)
      text.text("\":\"")
      if item.value.utf8.contains(0x5C) {
        text.text(item.value.replacing("\\", with: "\\\\"))
      } else {
        text.text(item.value)
      }
      text.text("\"")
    }
    text.text(",\"EventReceivedTime\":\"")
    text.stamp(clock, separator: " ")
    text.text("\",\"SourceModuleName\":\"eventlog\",\"SourceModuleType\":\"im_msvistalog\"}\r\n")
  }
}
