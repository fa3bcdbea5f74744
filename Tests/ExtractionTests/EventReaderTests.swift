import Extraction
import Framing
import Records
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// The fields of an event, one a line, in a fixed order: what a golden value is compared with.
private func describe(_ fields: EventFields) -> String {
  var lines: [String] = []
  func add(_ name: String, _ value: String?) { if let value { lines.append("\(name)=\(value)") } }
  add("provider", fields.string(fields.provider))
  add("id", fields.eventID.map(String.init))
  add(
    "time",
    fields.time.map { "\($0.rfc3339.dropLast(4))\(String($0.microseconds % 1_000_000 + 1_000_000).dropFirst())" })
  add("local", fields.localTime?.rfc3339)
  add("computer", fields.string(fields.computer))
  add("channel", fields.string(fields.channel))
  add("record", fields.recordID.map(String.init))
  add("process", fields.processID.map(String.init))
  add("thread", fields.threadID.map(String.init))
  add("message", fields.string(fields.message))
  for item in fields.data {
    let name = Text.decode(Array(fields.text[Int(item.nameStart)..<Int(item.nameEnd)]))
    let value = Text.decode(Array(fields.text[Int(item.valueStart)..<Int(item.valueEnd)]))
    lines.append("- \(name)=\(value)")
  }
  return lines.joined(separator: "\n")
}

private func readXML(_ text: String) -> String? {
  let bytes = Array(text.utf8)
  var fields = EventFields()
  return EventXMLReader.read(bytes.span, start: 0, end: bytes.count, into: &fields) ? describe(fields) : nil
}

private func readJSON(_ text: String) -> String? {
  let bytes = Array(text.utf8)
  var fields = EventFields()
  return EventJSONReader.read(bytes.span, start: 0, end: bytes.count, into: &fields) ? describe(fields) : nil
}

/// An event of mp01 in Windows' own form.
private func event(_ id: Int, _ data: String, qualifiers: String = "", rendering: String = "") -> String {
  "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
    + "<Provider Name='Schannel' Guid='{1F678132-5938-4686-9FDC-C8FF68F15C85}'/><EventID\(qualifiers)>\(id)</EventID>"
    + "<Version>0</Version><Level>2</Level><Task>0</Task><Opcode>0</Opcode><Keywords>0x8000000000000000</Keywords>"
    + "<TimeCreated SystemTime='2026-03-02T06:00:00.1234567Z'/><EventRecordID>4262</EventRecordID><Correlation/>"
    + "<Execution ProcessID='700' ThreadID='9760'/><Channel>System</Channel><Computer>mp01.corp.example</Computer>"
    + "<Security UserID='S-1-5-18'/></System>\(data)\(rendering)</Event>"
}

private func system(_ id: Int) -> String {
  """
  provider=Schannel
  id=\(id)
  time=2026-03-02T06:00:00.123456
  computer=mp01.corp.example
  channel=System
  record=4262
  process=700
  thread=9760
  """
}

private let caller = "<Data Name='CallerProcessId'>5148</Data><Data Name='CallerProcessImageName'>ldp.exe</Data>"
private let callerItems = "\n- CallerProcessId=5148\n- CallerProcessImageName=ldp.exe"

@Suite struct EventXMLReaderTests {
  /// Generations A (Windows 7), B (Windows 10, Server 2016) and C (Server 2022, with the caller's process first).
  @Test(arguments: [
    (
      36870,
      "<Data Name='Type'>server</Data><Data Name='ErrorCode'>0x8009030d</Data><Data Name='ErrorStatus'>10001</Data>",
      "\n- Type=server\n- ErrorCode=0x8009030d\n- ErrorStatus=10001"
    ),
    (
      36871, "<Data Name='Type'>client</Data><Data Name='ErrorState'>10013</Data>",
      "\n- Type=client\n- ErrorState=10013"
    ),
    (
      36871, caller + "<Data Name='Type'>client</Data><Data Name='ErrorState'>10013</Data>",
      callerItems + "\n- Type=client\n- ErrorState=10013"
    ),
    (36874, "<Data Name='Protocol'>TLS 1.2</Data>", "\n- Protocol=TLS 1.2"),
    (36874, caller + "<Data Name='Protocol'>TLS 1.0</Data>", callerItems + "\n- Protocol=TLS 1.0"),
    (36887, "<Data Name='AlertDesc'>70</Data>", "\n- AlertDesc=70"),
    (36887, caller + "<Data Name='AlertDesc'>70</Data>", callerItems + "\n- AlertDesc=70"),
    (
      36888, "<Data Name='AlertDesc'>40</Data><Data Name='ErrorState'>1205</Data>",
      "\n- AlertDesc=40\n- ErrorState=1205"
    ),
    (
      36888, "<Data Name='AlertDesc'>40</Data><Data Name='ErrorState'>1205</Data><Data Name='TargetName'></Data>",
      "\n- AlertDesc=40\n- ErrorState=1205\n- TargetName="
    ),
    (
      36888,
      caller + "<Data Name='AlertDesc'>40</Data><Data Name='ErrorState'>1205</Data><Data Name='TargetName'>a</Data>",
      callerItems + "\n- AlertDesc=40\n- ErrorState=1205\n- TargetName=a"
    ),
  ]) func schannelInEventData(id: Int, data: String, items: String) {
    #expect(readXML(event(id, "<EventData>\(data)</EventData>")) == system(id) + items)
  }

  @Test func schannelInUserDataWithRendering() {
    let data =
      "<UserData><EventXML xmlns='LSA_NS'><Type>server</Type><Protocol>TLS 1.2</Protocol>"
      + "<CipherSuite>0xc030</CipherSuite><ExchangeStrength>384</ExchangeStrength><ContextHandle>0x0</ContextHandle>"
      + "<TargetName></TargetName><LocalCertSubjectName>CN=mp01</LocalCertSubjectName><RemoteCertSubjectName/>"
      + "</EventXML></UserData>"
    let rendering =
      "<RenderingInfo Culture='en-US'><Message>A TLS server handshake completed.\n\n   Protocol version: TLS 1.2"
      + "\n   Name: </Message><Level>Information</Level><Channel>Wrong</Channel><Provider>Wrong</Provider>"
      + "<Keywords><Keyword>K</Keyword></Keywords></RenderingInfo>"
    #expect(
      readXML(event(36880, data, rendering: rendering)) == system(36880)
        + "\nmessage=A TLS server handshake completed.\n\n   Protocol version: TLS 1.2\n   Name: "
        + "\n- Type=server\n- Protocol=TLS 1.2\n- CipherSuite=0xc030\n- ExchangeStrength=384\n- ContextHandle=0x0"
        + "\n- TargetName=\n- LocalCertSubjectName=CN=mp01\n- RemoteCertSubjectName=")
    // Generation A has the first four only, and any wrapper will do.
    let old =
      "<UserData>\n<x:Anything xmlns:x='LSA_NS'><x:Inner>"
      + "<x:Protocol>TLS 1.0</x:Protocol></x:Inner></x:Anything></UserData>"
    #expect(readXML(event(36880, old)) == system(36880) + "\n- Protocol=TLS 1.0")
  }

  @Test func eventViewerCopy() {
    let copy = """
      <Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event">
      - <System>
        <Provider Name="Schannel" Guid="{1F678132-5938-4686-9FDC-C8FF68F15C85}" />\u{20}
        <EventID>36887</EventID>\u{20}
        <TimeCreated SystemTime="2026-03-02T06:00:00.123456700Z" />\u{20}
        <EventRecordID>4262</EventRecordID>\u{20}
        <Correlation />\u{20}
        <Execution ProcessID="700" ThreadID="9760" />\u{20}
        <Channel>System</Channel>\u{20}
        <Computer>mp01.corp.example</Computer>\u{20}
        </System>
      - <EventData>
        <Data Name="AlertDesc">20</Data>\u{20}
        </EventData>
      - <UserData>
      - <EventXML>
        <Type>server</Type>\u{20}
        </EventXML>
        </UserData>
        </Event>
      """
    #expect(readXML(copy) == system(36887) + "\n- AlertDesc=20\n- Type=server")
  }

  @Test func classicEvents() {
    let data =
      "<EventData><Data>one</Data><Data>two</Data><Data Name=''/>"
      + "<Binary>00FF</Binary><ComplexData Name='c'>x</ComplexData></EventData>"
    #expect(
      readXML(event(15, data, qualifiers: " Qualifiers='32768'")) == system(15)
        + "\n- param1=one\n- param2=two\n- param3=")
    #expect(readXML(event(2_147_520_519, ""))?.contains("id=36871\n") == true)
    #expect(readXML(event(65535, ""))?.contains("id=65535\n") == true)
    let source = "<Event><System><Provider EventSourceName='SMS Server'/><EventID> 7000 </EventID></System></Event>"
    #expect(readXML(source) == "provider=SMS Server\nid=7000")
    let both = "<Event><System><Provider Name='A' EventSourceName='B'/></System></Event>"
    #expect(readXML(both) == "provider=A")
  }

  @Test func entitiesCDATAAndComments() {
    let data =
      "<EventData><Data Name='a&amp;b'>&lt;&gt;&amp;&quot;&apos;"
      + "&#65;&#x42;&#x20AC;&unknown;&;&#xD800;&#99999999999;</Data>"
      + "<Data Name=\"x>y\">a<!-- not this -->b<![CDATA[<c>&lt;]]>d</Data></EventData>"
    #expect(
      readXML(event(1, data)) == system(1)
        + "\n- a&b=<>&\"'AB€&unknown;&;\u{FFFD}&#99999999999;\n- x>y=ab<c>&lt;d")
  }

  @Test func prefixesAreIgnored() {
    let text =
      "<e:Event xmlns:e='a'><e:System><e:Provider e:Name='Schannel'/><e:EventID>36874</e:EventID></e:System>"
      + "<e:EventData><e:Data Name='Protocol'>TLS 1.1</e:Data></e:EventData></e:Event>"
    #expect(readXML(text) == "provider=Schannel\nid=36874\n- Protocol=TLS 1.1")
  }

  @Test func nestingIsBounded() {
    let deep = String(repeating: "<a>", count: 5000) + "x" + String(repeating: "</a>", count: 5000)
    #expect(readXML(event(1, "<UserData><w>\(deep)<Near>1</Near></w></UserData>")) == system(1) + "\n- Near=1")
    let many = (0..<1000).map { "<Data Name='n\($0)'>v</Data>" }.joined()
    let bytes = Array(event(1, "<EventData>\(many)</EventData>").utf8)
    var fields = EventFields()
    #expect(EventXMLReader.read(bytes.span, start: 0, end: bytes.count, into: &fields))
    #expect(fields.data.count == Limits.eventFieldLimit)
  }

  @Test func whatIsNoEvent() {
    for text in [
      "", "<Events/>", "<Event/>", "<Event><System><EventID>x</EventID></System></Event>", "text", "<", "<Event",
    ] {
      #expect(readXML(text) == nil, "\(text)")
    }
  }

  @Test func aTornEventTellsWhatItHas() {
    let whole = event(36887, "<EventData><Data Name='AlertDesc'>70</Data></EventData>")
    let bytes = Array(whole.utf8)
    var fields = EventFields()
    var known = 0
    for end in 0...bytes.count {
      guard EventXMLReader.read(bytes.span, start: 0, end: end, into: &fields) else { continue }
      known += 1
      #expect(fields.string(fields.provider) == "Schannel")
      #expect(fields.eventID == nil || fields.eventID == 36887)
      #expect(fields.recordID == nil || fields.recordID == 4262)
      #expect(fields.data.isEmpty || fields.string(fields.value(of: "alertdesc")) == "70")
    }
    // From the end of the provider's tag on.
    let head =
      "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
      + "<Provider Name='Schannel' Guid='{1F678132-5938-4686-9FDC-C8FF68F15C85}'/>"
    #expect(known == bytes.count - head.utf8.count + 1)
    // A tag that was cut off does not hide the next one.
    #expect(readXML("<Event><System><Provider Na<EventID>5</EventID></System></Event>") == "id=5")
  }

  @Test func fieldsOfTheLastEventAreForgotten() {
    var fields = EventFields()
    let first = Array(event(36887, "<EventData><Data Name='AlertDesc'>70</Data></EventData>").utf8)
    #expect(EventXMLReader.read(first.span, start: 0, end: first.count, into: &fields))
    let second = Array("<Event><System><EventID>1</EventID></System></Event>".utf8)
    #expect(EventXMLReader.read(second.span, start: 0, end: second.count, into: &fields))
    #expect(describe(fields) == "id=1")
    let third = Array(#"{"EventID":2}"#.utf8)
    #expect(EventJSONReader.read(third.span, start: 0, end: third.count, into: &fields))
    #expect(describe(fields) == "id=2")
  }
}

@Suite struct EventTimeTests {
  @Test(arguments: [
    ("2022-10-16T20:27:36.222854900Z", "2022-10-16T20:27:36.222Z", 222_854, true),
    ("2022-10-16T20:27:36Z", "2022-10-16T20:27:36.000Z", 0, true),
    ("2022-10-16T20:27:36.5Z", "2022-10-16T20:27:36.500Z", 500_000, true),
    ("2023-02-06 22:07:30.404066", "2023-02-06T22:07:30.404Z", 404_066, false),
    ("2022-10-16 20:27:36 +0000", "2022-10-16T20:27:36.000Z", 0, true),
    ("2022-10-16T21:27:36+01:00", "2022-10-16T20:27:36.000Z", 0, true),
    ("2022-10-16T14:57:36.1-05:30", "2022-10-16T20:27:36.100Z", 100_000, true),
    ("2022-12-31 23:00:00 -02", "2023-01-01T01:00:00.000Z", 0, true),
    ("2022-10-16 20:27:36 UTC", "2022-10-16T20:27:36.000Z", 0, true),
  ]) func forms(text: String, instant: String, microseconds: Int64, hasZone: Bool) {
    let bytes = Array(text.utf8)
    let reading = EventTime.parse(bytes.span, start: 0, end: bytes.count)
    #expect(reading?.time.rfc3339 == instant)
    #expect(reading.map { $0.time.microseconds % 1_000_000 } == microseconds)
    #expect(reading?.hasZone == hasZone)
  }

  @Test(arguments: [
    "", "2022", "2022-10-16", "2022-13-16T20:27:36Z", "2022-02-30T20:27:36Z", "2022-10-16T24:27:36Z",
    "2022-10-16T20:27Z", "2022-10-16T20:27:36+15:00", "2022-10-16T20:27:36+1:00", "2022-10-16T20:27:36 CEST",
    "16/10/2022 20:27:36", "2022-10-16T20:27:36Zx",
  ]) func noTime(text: String) {
    let bytes = Array(text.utf8)
    #expect(EventTime.parse(bytes.span, start: 0, end: bytes.count) == nil)
  }

  @Test func fractionsOfAnyLength() {
    for digits in 0...12 {
      let fraction = digits == 0 ? "" : "." + String("123456789123".prefix(digits))
      let bytes = Array("2026-03-02T06:00:00\(fraction)Z".utf8)
      let expected = Int64("123456".prefix(digits).padding(6)) ?? -1
      #expect(
        EventTime.parse(bytes.span, start: 0, end: bytes.count)?.time.microseconds == 1_772_431_200_000_000 + expected)
    }
  }
}

extension Substring {
  fileprivate func padding(_ count: Int) -> String { self + String(repeating: "0", count: count - self.count) }
}

@Suite struct EventJSONReaderTests {
  private static let winlogbeatFields = """
    provider=Schannel
    id=36887
    time=2026-03-02T06:00:00.123000
    computer=mp01.corp.example
    channel=System
    record=4262
    process=700
    thread=9760
    message=A fatal alert.
    - AlertDesc=70
    """

  @Test func winlogbeatNested() {
    let text =
      #"{"@timestamp":"2026-03-02T06:00:00.123Z","event":{"code":"36887","provider":"Schannel"},"winlog":{"#
      + #""provider_name":"Schannel","event_id":36887,"channel":"System","computer_name":"mp01.corp.example","#
      + #""record_id":4262,"event_data":{"AlertDesc":"70"},"process":{"pid":700,"thread":{"id":9760}}},"#
      + #""log":{"level":"error"},"host":{"name":"collector","ip":["10.0.0.1"]},"agent":{"type":"winlogbeat"},"#
      + #""process":{"pid":1},"message":"A fatal alert."}"#
    #expect(readJSON(text) == Self.winlogbeatFields)
    #expect(readJSON(#"{"_source":\#(text)}"#) == Self.winlogbeatFields)
  }

  @Test func winlogbeatDottedAndPretty() {
    let text = """
      {
        "host.name": "collector",
        "winlog.computer_name": "mp01.corp.example",
        "winlog.provider_name" : "Schannel",
        "winlog.event_id": "36887",
        "winlog.event_data.AlertDesc": "70",
        "winlog": { "channel": "System", "process.thread": { "id": "9760" }, "process.pid": "700" },
        "winlog.record_id": "4262",
        "@timestamp": "2026-03-02T06:00:00.123Z",
        "message": "A fatal alert."
      }
      """
    #expect(readJSON(text) == Self.winlogbeatFields)
  }

  @Test func winlogbeatUserData() {
    let text =
      #"{"@timestamp":"2026-03-02T06:00:00.123Z","host":{"name":"mp02"},"winlog":{"provider_name":"Schannel","#
      + #""event_id":36880,"user_data":{"xml_name":"EventXML","Protocol":"TLS 1.2","CipherSuite":"0xc030"}}}"#
    #expect(
      readJSON(text) == """
        provider=Schannel
        id=36880
        time=2026-03-02T06:00:00.123000
        computer=mp02
        - Protocol=TLS 1.2
        - CipherSuite=0xc030
        """)
  }

  @Test func nxlogFlat() {
    let text =
      #"{"EventReceivedTime":"2026-03-02 07:00:05","@timestamp":"2026-03-02T06:00:06.5Z","#
      + #""Hostname":"mp01.corp.example","#
      + #""host":"collector","Keywords":-9223372036854775808,"EventTime":"2026-03-02 07:00:00","EventID":36888,"#
      + #""SourceName":"Schannel","ProcessID":700,"ThreadID":9760,"RecordNumber":4262,"Channel":"System","#
      + #""Message":"A \"fatal\"\r\nalert \u00fc.","AlertDesc":"40","ErrorState":1205,"ProcessId":"0x10","#
      + #""tags":["a",{"b":1}],"#
      + #""none":null,"nested":{"AlertDesc":"1"},"SourceModuleName":"in"}"#
    #expect(
      readJSON(text) == """
        provider=Schannel
        id=36888
        local=2026-03-02T07:00:00.000Z
        computer=mp01.corp.example
        channel=System
        record=4262
        process=700
        thread=9760
        message=A "fatal"\r
        alert ü.
        - Keywords=-9223372036854775808
        - AlertDesc=40
        - ErrorState=1205
        - ProcessId=0x10
        - SourceModuleName=in
        """)
    let zoned = #"{"EventTime":"2026-03-02T07:00:00.5+01:00","EventID":"36874","SourceName":"Schannel"}"#
    #expect(readJSON(zoned) == "provider=Schannel\nid=36874\ntime=2026-03-02T06:00:00.500000")
    let packed = #"{"EventID":"2147520519","SourceName":"Schannel","EventReceivedTime":"2026-03-02T06:00:00Z"}"#
    #expect(readJSON(packed) == "provider=Schannel\nid=36871\ntime=2026-03-02T06:00:00.000000")
  }

  private static let windowsFields = """
    provider=Schannel
    id=36870
    time=2026-03-02T06:00:00.123456
    computer=mp01.corp.example
    channel=System
    record=4262
    process=700
    thread=9760
    """

  @Test func openWEC() {
    let head =
      #"{"System":{"Provider":{"Name":"Schannel","Guid":"{1F678132}"},"EventID":36870,"Version":0,"#
      + #""TimeCreated":"2026-03-02T06:00:00.1234567Z","EventRecordID":4262,"Correlation":{},"#
      + #""Execution":{"ProcessID":700,"ThreadID":9760},"Channel":"System","Computer":"mp01.corp.example"},"#
    let tail = #""OpenWEC":{"IpAddress":"10.0.0.1","TimeReceived":"2026-03-02T06:00:09Z"}}"#
    #expect(
      readJSON(
        head
          + #""EventData":{"Type":"server","ErrorCode":"0x8009030d"},"#
          + #""RenderingInfo":{"Message":"A fatal error.","Level":"Error"},"#
          + tail)
        == Self.windowsFields + "\nmessage=A fatal error.\n- Type=server\n- ErrorCode=0x8009030d")
    for wrapper in ["<EventXML xmlns='LSA_NS'>|</EventXML>", "<UserData><EventXML>|</EventXML></UserData>"] {
      let parts = wrapper.split(separator: "|")
      let user = #""UserData":"\n\#(parts[0])<Type>server</Type><Note>a &amp; \"b\"</Note>\#(parts[1])","#
      #expect(readJSON(head + user + tail) == Self.windowsFields + "\n- Type=server\n- Note=a & \"b\"")
    }
  }

  @Test func xmlInsideJSON() {
    let xml = event(36887, "<EventData><Data Name=\"AlertDesc\">70</Data></EventData>")
    let quoted = xml.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
    let expected = system(36887) + "\n- AlertDesc=70"
    let meta = #"{"meta":{"IpAddress":"10.0.0.1","Subscription":{"Name":"s"}},"data":"\#(quoted)"}"#
    #expect(readJSON(meta) == expected)
    let escaped = quoted.split(separator: "<", omittingEmptySubsequences: false).joined(separator: "\\u003c")
    #expect(readJSON(#"{"data":"\n\#(escaped)","meta":{}}"#) == expected)
    #expect(readJSON(#"{"timestamp":"1","body":"\#(quoted)"}"#) == expected)
    #expect(readJSON(#"{"data":"<Event>","meta":{}}"#) == nil)
  }

  @Test func dumpsOfEVTXFiles() {
    let text = """
      { "Event": { "#attributes": { "xmlns": "a" }, "System": {
          "Provider": { "#attributes": { "Name": "Schannel", "Guid": "1F678132" } },
          "EventID": { "#attributes": { "Qualifiers": 32768 }, "#text": 36870 },
          "TimeCreated": { "#attributes": { "SystemTime": "2026-03-02T06:00:00.123456Z" } },
          "EventRecordID": 4262, "Correlation": null,
          "Execution": { "#attributes": { "ProcessID": 700, "ThreadID": 9760 } },
          "Channel": "System", "Computer": "mp01.corp.example" },
        "EventData": { "#attributes": { "Name": "n" }, "Type": "server", "ErrorStatus": 10001, "Empty": null } } }
      """
    #expect(readJSON(text) == Self.windowsFields + "\n- Type=server\n- ErrorStatus=10001")
    let unnamed = ##"{"Event":{"System":{"EventID":15},"EventData":{"Data":{"#text":["a","b"]},"Binary":"00"}}}"##
    #expect(readJSON(unnamed) == "id=15\n- param1=a\n- param2=b\n- Binary=00")
    let user =
      ##"{"Event":{"System":{"EventID":36880},"UserData":{"EventXML":"##
      + ##"{"#attributes":{"xmlns":"LSA_NS"},"Protocol":"TLS 1.2"}}}}"##
    #expect(readJSON(user) == "id=36880\n- Protocol=TLS 1.2")
  }

  @Test func wazuh() {
    let win =
      #"{"system":{"providerName":"Schannel","eventID":"36870","systemTime":"2026-03-02T06:00:00.1234567Z","#
      + #""eventRecordID":"4262","processID":"700","threadID":"9760","channel":"System","#
      + #""computer":"mp01.corp.example","message":"\"A fatal alert.\""},"eventdata":{"alertDesc":"40"}}"#
    let expected = Self.windowsFields + "\nmessage=A fatal alert.\n- alertDesc=40"
    #expect(readJSON(#"{"win":\#(win)}"#) == expected)
    #expect(readJSON(#"{"timestamp":"2026-03-02T06:00:09Z","agent":{"name":"a"},"data":{"win":\#(win)}}"#) == expected)
    #expect(
      readJSON(#"{"win":{"system":{"eventID":"36880"},"eventXML":{"protocol":"TLS 1.2"}}}"#)
        == "id=36880\n- protocol=TLS 1.2")
  }

  @Test func fluentBit() {
    let head =
      #"{"ProviderName":"Schannel","Qualifiers":0,"EventID":36870,"TimeCreated":"2026-03-02 07:00:00 +0100","#
      + #""EventRecordID":4262,"ProcessID":700,"ThreadID":9760,"Channel":"System","Computer":"mp01","Message":"m","#
    let expected =
      "provider=Schannel\nid=36870\ntime=2026-03-02T06:00:00.000000\ncomputer=mp01\nchannel=System"
      + "\nrecord=4262\nprocess=700\nthread=9760\nmessage=m"
    #expect(
      readJSON(head + #""StringInserts":["server","0x8009030d"]}"#) == expected
        + "\n- Qualifiers=0\n- param1=server\n- param2=0x8009030d")
    // Numbers come without quotes, and what follows the list is read.
    #expect(
      readJSON(head + #""StringInserts":[4242,"CcmExec",40,1205,""],"Extra":"x"}"#) == expected
        + "\n- Qualifiers=0\n- param1=4242\n- param2=CcmExec\n- param3=40\n- param4=1205\n- param5=\n- Extra=x")
    #expect(
      readJSON(head + #""EventData":{"Type":"server"},"StringInserts":["server"]}"#) == expected
        + "\n- Type=server\n- Qualifiers=0")
  }

  @Test func openTelemetryAndVector() {
    let fields = "provider=Schannel\nid=36887\ntime=2026-03-02T06:00:00.500000\ncomputer=mp01\nchannel=System\nrecord=7"
    let otel =
      #"{"body":{"channel":"System","computer":"mp01","event_id":{"id":36887,"qualifiers":0},"#
      + #""provider":{"name":"Schannel","#
      + #""event_source":"x"},"system_time":"2026-03-02T06:00:00.5Z","record_id":7,"message":"m","#
    #expect(readJSON(otel + #""event_data":{"AlertDesc":"40"}}}"#) == fields + "\nmessage=m\n- AlertDesc=40")
    #expect(
      readJSON(otel + #""event_data":{"data":[{"AlertDesc":"40"},{"ErrorState":"1"}]}}}"#) == fields
        + "\nmessage=m\n- AlertDesc=40\n- ErrorState=1")
    let vector =
      #"{"event_id":36887,"record_id":7,"channel":"System","provider_name":"Schannel","computer":"mp01","host":"h","#
      + #""timestamp":"2026-03-02T06:00:00.5Z","event_data":{"AlertDesc":"40"},"user_data":{},"string_inserts":["40"]}"#
    #expect(readJSON(vector) == fields + "\n- AlertDesc=40")
  }

  @Test func whatIsNoEvent() {
    for text in [
      "", "{", "{}", "[1]", #"{"message":"text"}"#, #"{"EventID":36887"#, #"{"EventID":"x"}"#, #"{"EventID":36887]"#,
      #"{"EventID":-1}"#, #"{"EventID":99999999999999999999999}"#,
      #"{"EventID":1,"x":\#(String(repeating: "[", count: 100))\#(String(repeating: "]", count: 100))}"#,
    ] {
      #expect(readJSON(text) == nil, "\(text)")
    }
    let long = String(repeating: "k", count: 2000)
    #expect(readJSON(#"{"\#(long)":{"EventID":5,"a":[{"b":1}]},"EventID":36887}"#) == "id=36887")
  }

  @Test(arguments: UInt64(0)..<150) func damageNeverCrashes(seed: UInt64) {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    func below(_ limit: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(limit))
    }
    let samples = [
      event(
        36887,
        "<EventData><Data Name='AlertDesc'>7&#48;</Data><![CDATA[x]]></EventData><UserData><a><b>c</b></a></UserData>"),
      #"{"winlog":{"event_id":36887,"event_data":{"a":["\u00e9",{"b":1}]}},"EventID":"1","#
        + #""StringInserts":["a"],"UserData":"<a>b</a>"}"#,
      #"{"data":"<Event><System><EventID>5</EventID></System></Event>","x":[{"y":null}]}"#,
    ]
    var fields = EventFields()
    var readCount = 0
    for sample in samples {
      for _ in 0..<40 {
        var bytes = Array(sample.utf8)
        for _ in 0...below(6) {
          switch below(3) {
          case 0: bytes[below(bytes.count)] = UInt8(below(256))
          case 1: bytes[below(bytes.count)] = Array("<>&;\"'{}[]\\:,/#u".utf8)[below(16)]
          default: bytes.removeSubrange((bytes.count - 1 - below(bytes.count / 2))...)
          }
          if bytes.count < 8 { bytes = Array(sample.utf8) }
        }
        for isXML in [true, false] {
          let isEvent =
            isXML
            ? EventXMLReader.read(bytes.span, start: 0, end: bytes.count, into: &fields)
            : EventJSONReader.read(bytes.span, start: 0, end: bytes.count, into: &fields)
          if isEvent { readCount += 1 }
          let count = fields.text.count
          for range in [fields.provider, fields.computer, fields.channel, fields.message] {
            #expect((range?.upperBound ?? 0) <= count)
          }
          #expect(
            fields.data.allSatisfy { $0.nameStart <= $0.nameEnd && $0.nameEnd <= $0.valueStart && $0.valueEnd <= count }
          )
        }
      }
    }
    #expect(readCount > 0)
  }
}

// MARK: Logs from elsewhere

/// Files of real machines stand beside the checkout where they are at hand; without them these tests are skipped.
private enum RealLogs {
  static let folder = #filePath.split(separator: "/").dropLast(4).reduce("") { $0 + "/" + $1 } + "/shared/real-logs/"
  static let isPresent = access(folder, R_OK) == 0

  static func bytes(_ name: String) -> [UInt8] {
    guard let file = fopen(folder + name, "rb") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    return bytes
  }

  /// Every XML event of a file, in order; text around them is passed over.
  static func xmlEvents(_ name: String) -> [EventFields] {
    let bytes = bytes(name)
    var events: [EventFields] = []
    var index = 0
    while index < bytes.count {
      index = EventXMLBoundary.skipProlog(in: bytes.span, start: index, end: bytes.count)
      switch EventXMLBoundary.find(in: bytes.span, start: index, end: bytes.count) {
      case .complete(let end):
        var fields = EventFields()
        if EventXMLReader.read(bytes.span, start: index, end: end, into: &fields) { events.append(fields) }
        index = end
      case .torn(let end), .tooDeep(let end): index = end
      case .incomplete, .notAnEvent: index += 1
      }
    }
    return events
  }

  static func jsonEvents(_ name: String) -> [EventFields] {
    let bytes = bytes(name)
    var events: [EventFields] = []
    var index = 0
    while index < bytes.count {
      if case .complete(let end) = EventJSONBoundary.find(in: bytes.span, start: index, end: bytes.count) {
        var fields = EventFields()
        if EventJSONReader.read(bytes.span, start: index, end: end, into: &fields) { events.append(fields) }
        index = end
      } else {
        index += 1
      }
    }
    return events
  }
}

@Suite(.enabled(if: RealLogs.isPresent, "real logs are not beside the checkout (../shared/real-logs)"))
struct RealEventTests {
  @Test func anEventViewerExport() {
    let events = RealLogs.xmlEvents("NickSmet-ts-evtx/Application.xml")
    #expect(events.count == 366)
    #expect(events.compactMap(\.recordID) == (1...366).reversed())
    #expect(events.allSatisfy { $0.time != nil && $0.message != nil && $0.string($0.channel) == "Application" })
  }

  @Test(arguments: [
    ("axoflow-axosyslog/schannel-36880-userdata.xml", 36880, "CipherSuite", "0xc030"),
    ("dotnet-corefx/issue-1894-schannel-36887.xml", 36887, "AlertDesc", "20"),
    ("netchx-netch/issue-453-schannel-36871-zh.xml", 36871, "Type", "客户端"),
    ("Azure-Service-Fabric-Troubleshooting-Guides/schannel-36870-eventviewer.txt", 36870, "ErrorCode", "0x8009030d"),
    ("jborean93-requests-credssp/issue-18-schannel-36888-eventviewer.txt", 36888, "ErrorState", "1205"),
    ("microsoft-EventLogExpert/issue-397-schannel-36871.txt", 36871, "ErrorState", "10013"),
  ]) func schannel(file: String, id: UInt32, name: String, value: String) {
    let events = RealLogs.xmlEvents(file)
    #expect(events.map(\.eventID) == [id])
    #expect(events.allSatisfy { $0.string($0.provider) == "Schannel" && $0.string($0.value(of: name)) == value })
    #expect(events.allSatisfy { $0.time != nil && $0.processID != nil && $0.string($0.channel) == "System" })
  }

  @Test func otherXML() {
    let roots = RealLogs.xmlEvents("wagga40-Zircolite/xml_events_sample.xml")
    #expect(roots.map(\.eventID) == [4672, 4624])
    #expect(roots.map { $0.time?.rfc3339 } == ["2023-02-06T22:07:30.404Z", "2023-02-06T22:07:30.404Z"])
    let iis = RealLogs.xmlEvents("crowdsecurity-hub/iis-xml-logs.log")
    #expect(iis.map { $0.string($0.value(of: "csUser-Agent"))?.hasPrefix("Mozilla/5.0+(X11;") } == [true])
    #expect(
      iis.first.map { $0.string($0.value(of: "cs-uri-query")) }
        == "bla=powershell&CorrelationID=;&cafeReqId=f1351975-5024-4240-9508-3b4ea50eaf70;")
  }

  @Test func json() {
    let nxlog = RealLogs.jsonEvents("OTRF-Security-Datasets/covenant_copy_smb_CreateRequest_2020-09-22145302.json")
    #expect(nxlog.count == 506)
    #expect(nxlog.allSatisfy { $0.localTime != nil && $0.time == nil && $0.computer != nil && $0.recordID != nil })
    let flat = RealLogs.jsonEvents(
      "OTRF-Security-Datasets/cmd_discover_iexplorer_version_registry_2020-10-2123281491.json")
    #expect(flat.count == 68)
    #expect(
      flat.allSatisfy {
        $0.time != nil && $0.provider != nil && $0.string($0.computer)?.hasPrefix("WORKSTATION") == true
      })
    let beats = RealLogs.jsonEvents("wagga40-Zircolite/winlogbeat_sysmon_sample.json")
    #expect(beats.map(\.eventID) == [11, 13])
    #expect(beats.map(\.processID) == [3384, 3384])
    #expect(beats.map(\.data.count) == [2, 4])
    let dump = RealLogs.jsonEvents("SigmaHQ-sigma/81bcb81b-5b1f-474b-b373-52c871aaa7b1.json")
    #expect(dump.map { $0.string($0.value(of: "CommandLine")) } == ["sc  stop mpssvc"])
    #expect(dump.map(\.threadID) == [4580])
    #expect(RealLogs.jsonEvents("SigmaHQ-sigma/e3c6d245-7b8f-4e2a-c17f-a9d0e5b38f62.json").map(\.eventID) == [4648])
  }
}

/// Records of few shapes, one after the other, with values that change what a record means: what the memo of shapes reads
/// is what the reader reads.
@Suite struct EventJSONMemoTests {
  private static let shapes = [
    #"{"EventTime":"T","Hostname":"H","EventID":I,"SourceName":"S","RecordNumber":N,"Message":"M","AlertDesc":"V","Level":N,"xml":"V","EventReceivedTime":"T"}"#,
    #"{"EventTime":"T","Hostname":"H","EventID":I,"SourceName":"S","ProcessID":N,"Message":"M","Type":"V","Protocol":N,"N":"V"}"#,
    #"{"@timestamp":"T","winlog":{"provider_name":"S","event_id":I,"computer_name":"H","event_data":{"AlertDesc":"V","Name":N},"user_data":{"xml_name":"V","Type":"V"}},"message":"M","list":["V",N]}"#,
    #"{"@timestamp":"T","host":"H","winlog.event_id":I,"winlog.computer_name":"H","event_data":["V","V"]}"#,
    ##"{"Event":{"System":{"EventID":{"#text":I},"Provider":{"#attributes":{"Name":"S"}},"Computer":"H"},"EventData":{"Data":["V",N]}}}"##,
    #"{"EventID":I,"SourceName":"S","StringInserts":["V","V"],"Extra":"V"}"#,
    #"{"Event.EventID":I,"data.win.system.providerName":"S","body":"V","UserData":"V","EventTime":"T","Event.xml":"V"}"#,
  ]

  @Test(arguments: UInt64(0)..<300) func readsWhatTheReaderReads(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var memo = EventJSONMemo()
    for _ in 0..<60 {
      var text = Self.shapes.randomElement(using: &random)!
      // The words first: the other letters stand in values that are put in.
      for (mark, values) in [
        (":I", [":36887", ":null", ":\"0x9007\"", ":99999999999", ":4"]), (":N", [":7", ":null", ":1.5", ":true"]),
        (",N", [",7", ",null"]),
        ("\"V\"", ["\"40\"", "\"\"", "\" a \\\"b\\\" \"", "\"<Event>x</Event>\"", "null", "\"\\u00e9\""]),
        ("\"T\"", ["\"2026-03-02 06:00:00\"", "\"2026-03-02T06:00:00Z\"", "\"never\""]),
        ("\"H\"", ["\"mp01\"", "\" \"", "\"\""]), ("\"S\"", ["\"Schannel\"", "\"\"", "null"]),
        ("\"M\"", ["\"-\"", "\"a\\nb\"", "\"\""]),
      ] {
        while let place = text.firstRange(of: mark) {
          text.replaceSubrange(place, with: values.randomElement(using: &random)!)
        }
      }
      if Int.random(in: 0..<10, using: &random) == 0 {
        text.remove(at: text.index(text.startIndex, offsetBy: Int.random(in: 0..<text.count, using: &random)))
      }
      let bytes = Array(("  " + text + "\n").utf8)
      var fields = EventFields()
      var expected = EventFields()
      let isRead = memo.read(bytes.span, start: 2, end: bytes.count - 1, into: &fields)
      let isExpected = EventJSONReader.read(bytes.span, start: 2, end: bytes.count - 1, into: &expected)
      #expect(isRead == isExpected)
      if isExpected { #expect(describe(fields) == describe(expected)) }
    }
  }
}
