/// Client logs in one file: messaging, policy, location, content, inventory and updates; one record in 25 has many lines.
struct CMTraceSource: RecordSource {
  let meanGapMicroseconds = 20_000

  /// A message between its frames. `{G}` stands for a GUID, `{N}` for a number.
  private struct Message {
    var pieces: [String]
    var component: String
    var file: String
    var type = 1

    init(_ text: String, _ component: String, _ file: String, type: Int = 1) {
      pieces = Message.split(text)
      self.component = component
      self.file = file
      self.type = type
    }

    private static func split(_ text: String) -> [String] {
      var pieces: [String] = [""]
      var rest = Substring(text)
      while let first = rest.first {
        if rest.hasPrefix("{G}") || rest.hasPrefix("{N}") {
          pieces.append(String(rest.prefix(3)))
          pieces.append("")
          rest = rest.dropFirst(3)
        } else {
          pieces[pieces.count - 1].append(first)
          rest = rest.dropFirst()
        }
      }
      return pieces.filter { !$0.isEmpty }
    }
  }

  private let ordinary: [Message] = [
    Message(
      "Sending async message '{{G}}' to outgoing queue 'mp:[http]mp_policymanager'", "CcmMessaging", "messaging.cpp:532"
    ),
    Message(
      "Sending outgoing message '{{G}}'. Flags 0x200, sender account empty", "CcmMessaging",
      "messagequeueproc_outgoing.cpp:203"),
    Message("Message '{{G}}' delivered to endpoint 'StatusAgent'", "CcmMessaging", "endpoint.cpp:312"),
    Message("Requesting Machine policy assignments", "PolicyAgent", "policyagentendpoint.cpp:801"),
    Message(
      "Policy [CCM_Policy_Policy5.PolicyID=\"{{G}}\",PolicySource=\"SMS:P01\",PolicyVersion=\"{N}.00\"] is not changed",
      "PolicyAgent", "policyagentprovider.cpp:2120"),
    Message(
      "Calling back with locations for location request {{G}}", "LocationServices", "replylocationsendpoint.cpp:220"),
    Message(
      "The number of discovered DPs(including Branch DP and Multicast) is 2", "LocationServices",
      "replylocationsendpoint.cpp:241"),
    Message(
      "Current Management Point is MP01.corp.example with Version 9128 and Capabilities: <Capabilities "
        + "SchemaVersion=\"1.0\"><Property Name=\"SSL\" Version=\"1\"/><Property Name=\"SSLState\" Value=\"31\"/></Capabilities>.",
      "LocationServices", "lsmp.cpp:1240"),
    Message(
      "DTSJob {{G}} created to download from 'https://DP01.corp.example:443/SMS_DP_SMSPKG$/P01{N}' to 'C:\\Windows\\ccmcache\\{N}'.",
      "DataTransferService", "dtsjob.cpp:1412"),
    Message("DTSJob {{G}} in state 'DownloadingData'.", "DataTransferService", "dtsjob.cpp:1510"),
    Message("Inventory: Collection Task completed in {N}.{N} seconds", "InventoryAgent", "collectiontask.cpp:155"),
    Message("SMSTrigger '{{G}}' will fire in {N} minutes", "Scheduler", "smstrigger.cpp:612"),
    Message("Its a WSUS Update Source type ({{G}}), adding it.", "WUAHandler", "sourcemanager.cpp:1461"),
    Message(
      "Existing WUA Managed server was already set (https://WSUS01.corp.example:8531), skipping Group Policy registration.",
      "WUAHandler", "sourcemanager.cpp:1108"),
    Message("Assignment {{G}} has total CI = {N}", "UpdatesDeploymentAgent", "updatesassignment.cpp:220"),
    Message(
      "Update (Site_{G}/SUM_{G}) Name (KB{N}{N}) ArticleID ({N}) added to the targeted list of deployment ({{G}})",
      "UpdatesDeploymentAgent", "cmanager.cpp:913"),
    Message(
      "CExecutionRequest::MethodComplete: Execution is complete for program Install.", "execmgr", "execreq.cpp:2890"),
  ]
  private let multiline: [Message] = [
    Message(
      """
      Raising event:\r
      \r
      instance of SoftDistProgramStartedEvent\r
      {\r
      \tAdvertisementId = "P0120{N}";\r
      \tClientID = "GUID:{G}";\r
      \tCommandLine = "\\"C:\\\\Windows\\\\ccmcache\\\\{N}\\\\setup.exe\\" /quiet";\r
      \tDateTime = "20260302080000.123000+000";\r
      \tMachineName = "PC-{N}";\r
      \tPackageName = "P0100{N}";\r
      \tProcessID = {N};\r
      \tSiteCode = "P01";\r
      \tThreadID = {N};\r
      };\r

      """, "execmgr", "event.cpp:706"),
    Message(
      """
      Raising event:\r
      [SMS_CodePage(437), SMS_LocaleID(1033)]\r
      instance of CCM_CIDownloader_DownloadComplete\r
      {\r
      \tClientID = "GUID:{G}";\r
      \tModelName = "ScopeId_{G}/Application_{G}";\r
      \tVersion = "{N}";\r
      };\r

      """, "CIDownloader", "event.cpp:706"),
  ]
  private let recoveries: [Message] = [
    Message(
      "OutgoingMessage(Queue='mp_[http]mp_policymanager', ID={{G}}): Delivered successfully to host 'MP01.corp.example'.",
      "CcmMessaging", "messagequeueproc_outgoing.cpp:446"),
    Message(
      "Message '{{G}}' got reply '{{G}}' to local endpoint queue 'PolicyAgent_ReplyAssignments'", "CcmMessaging",
      "messagequeueproc_outgoing.cpp:508"),
    Message(
      "Policy 'CCM_Policy_Policy5.PolicyID=\"{{G}}\",PolicyVersion=\"{N}.00\",PolicySource=\"SMS:P01\"' successfully compiled",
      "PolicyAgent", "policyagentprovider.cpp:6233"),
  ]
  private let decoys: [Message] = [
    Message(
      "[CCMHTTP] ERROR: URL=https://wpad.corp.example/SMS_MP/.sms_aut?MPLIST2, Port=443, Options=31, Code=12007, "
        + "Text=ERROR_WINHTTP_NAME_NOT_RESOLVED", "LocationServices", "ccmhttperror.cpp:297", type: 3),
    Message(
      "[CCMHTTP] ERROR: URL=https://MP01.corp.example/ccm_system/request, Port=443, Options=31, Code=0, "
        + "Text=CCM_E_BAD_HTTP_STATUS_CODE", "CcmMessaging", "ccmhttperror.cpp:297", type: 3),
    Message(
      "Failed to read the instance of CCM_ClientSiteMode, error 0x87d00215", "ClientIDManagerStartup",
      "smsclientidentity.cpp:372", type: 3),
    Message(
      "Trusted root key and TLS certificate of MP01.corp.example are unchanged", "LocationServices",
      "lssecurity.cpp:1702"),
    Message(
      "Certificate for TLS client authentication is renewed in {N} days", "ClientIDManagerStartup", "ccmcert.cpp:2210"),
    Message(
      "Failed to get site version from AD with error 0x80004005", "LocationServices", "siteinfo.cpp:642", type: 2),
  ]
  private let failures: [Message] = [
    Message(
      "[CCMHTTP] ERROR: URL=https://MP01.corp.example/ccm_system/request, Port=443, Options=31, Code=12175, "
        + "Text=ERROR_WINHTTP_SECURE_FAILURE", "CcmMessaging", "ccmhttperror.cpp:297", type: 3),
    Message(
      "[CCMHTTP] ERROR: URL=https://MP01.corp.example/SMS_MP/.sms_aut?MPLIST2&P01, Port=443, Options=31, Code=12030, "
        + "Text=ERROR_WINHTTP_CONNECTION_ERROR", "LocationServices", "ccmhttperror.cpp:297", type: 3),
    Message(
      "Successfully queued event on HTTP/HTTPS failure for server 'MP01.corp.example'.", "CcmMessaging",
      "ccmhttperror.cpp:386"),
    Message(
      "Post to https://MP01.corp.example/ccm_system/request failed with 0x80072f8f.", "CcmMessaging",
      "messagequeueproc_outgoing.cpp:428", type: 2),
    Message(
      """
      Raising event:\r
      \r
      instance of CCM_CcmHttp_Status\r
      {\r
      \tClientID = "GUID:{G}";\r
      \tDateTime = "20260302080000.318000+000";\r
      \tHostName = "MP01.corp.example";\r
      \tHRESULT = "0x80072f8f";\r
      \tProcessID = {N};\r
      \tStatusCode = 0;\r
      \tThreadID = {N};\r
      };\r

      """, "CcmMessaging", "event.cpp:706"),
  ]

  mutating func begin(at clock: CorpusClock, to text: inout TextBuffer) { text.text("\u{FEFF}") }

  mutating func record(
    _ role: RecordRole, at clock: CorpusClock, _ generator: inout SeededGenerator, to text: inout TextBuffer
  ) {
    let message =
      switch role {
      case .ordinary where generator.chance(1, of: 25): generator.pick(multiline)
      case .ordinary: generator.pick(ordinary)
      case .recovery: generator.pick(recoveries)
      case .decoy: generator.pick(decoys)
      case .failure: generator.pick(failures)
      }
    text.text("<![LOG[")
    for piece in message.pieces {
      switch piece {
      case "{G}": text.guid(&generator)
      case "{N}": text.number(1 + generator.below(60))
      default: text.text(piece)
      }
    }
    text.text("]LOG]!><time=\"")
    text.timeOfDay(clock)
    text.text(".")
    text.number(clock.microsecond / 1000, width: 3)
    text.text("-60\" date=\"")
    text.americanDate(clock)
    text.text("\" component=\"")
    text.text(message.component)
    text.text("\" context=\"\" type=\"")
    text.number(message.type)
    text.text("\" thread=\"")
    // Among the thread numbers are some that look like codes of WinHTTP.
    text.number(generator.chance(1, of: 500) ? 12_175 : 1000 + 4 * generator.below(2500))
    text.text("\" file=\"")
    text.text(message.file)
    text.text("\">\r\n")
  }
}
