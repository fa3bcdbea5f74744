import CKernels
import Detection
import Envelopes
import Extraction
import Framing
import Records
import TestSupport
import Testing

// Events known by the layouts of lines before them: the stages that read byte by byte must come to the same.

/// `V` is a value that changes from line to line.
private let jsonForms = [
  ##"{"EventTime":"2026-03-02 06:00:0D","Hostname":"V","Keywords":-9223372036854775808,"EventType":"INFO","EventID":ID,"SourceName":"P","ProcessID":684,"ThreadID":N,"Channel":"System","Message":"V","AlertDesc":"N","ErrorState":"V","EventReceivedTime":"2026-03-02 06:00:0D"}"##,
  ##"{"EventTime":"2026-03-02 06:00:0D","Hostname":"V","EventID":"ID","SourceName":"P","RecordNumber":N,"Message":"V","Type":"server","Protocol":"TLS 1.D","CipherSuite":"0xc030","TargetName":"V","EventReceivedTime":"V"}"##,
  ##"{"@timestamp":"2026-03-02T06:00:0D.222Z","event":{"code":"ID","provider":"P","kind":"event"},"winlog":{"provider_name":"P","event_id":ID,"channel":"System","computer_name":"V","record_id":N,"event_data":{"AlertDesc":"N","ErrorState":"V","Protocol":"V"},"process":{"pid":616,"thread":{"id":N}}},"log":{"level":"error"},"host":{"name":"V"}}"##,
  ##"{"Event":{"#attributes":{"xmlns":"V"},"System":{"Provider":{"#attributes":{"Name":"P","Guid":"V"}},"EventID":{"#attributes":{"Qualifiers":0},"#text":ID},"TimeCreated":{"#attributes":{"SystemTime":"2026-03-02T06:00:0D.1Z"}},"Computer":"V"},"EventData":{"AlertDesc":N,"ErrorState":null}}}"##,
  ##"{"win":{"system":{"providerName":"P","eventID":"ID","systemTime":"2026-03-02T06:00:0D.1Z","computer":"V","message":"\"V\""},"eventdata":{"alertDesc":"N","type":"client","errorState":"V"}}}"##,
  ##"{"EventTime":"2026-03-02 06:00:0D","Hostname":"V","EventID":ID,"SourceName":"P","Message":"V","StringInserts":["V",N,"V"]}"##,
  ##"{"SourceName":"P","source_name":"V","EventID":ID,"event_id":N,"Hostname":"V","EventTime":"2026-03-02 06:00:0D"}"##,
  ##"{"EventTime":"2026-03-02 06:00:0D","Hostname":"V","EventID":ID,"SourceName":"P","n":[N,N],"b":true,"x":null,"Channel":"V"}"##,
  ##"{"message":"<![LOG[V]LOG]!>","log":{"file":{"path":"C:\\l\\CcmMessaging.log"}},"host":{"name":"V"}}"##,
  ##"{"schema":1,"type":"finding","EventID":ID,"SourceName":"P"}"##,
]

private let xmlForms = [
  #"<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="P" Guid="V" /><EventID>ID</EventID><Level>2</Level><TimeCreated SystemTime="2026-03-02T06:00:0D.222854900Z" /><EventRecordID>N</EventRecordID><Correlation /><Execution ProcessID="684" ThreadID="N" /><Channel>System</Channel><Computer>V</Computer><Security UserID="S-1-5-18" /></System><EventData><Data Name="AlertDesc">N</Data><Data Name="ErrorState">V</Data></EventData></Event>"#,
  #"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='P' Guid='V'/><EventID Qualifiers='0'>ID</EventID><TimeCreated SystemTime='2026-03-02T06:00:0D.2Z'/><EventRecordID>N</EventRecordID><Execution ProcessID='616' ThreadID='N'/><Channel>System</Channel><Computer>V</Computer></System><UserData><EventXML xmlns='LSA_NS'><Type>server</Type><Protocol>TLS 1.D</Protocol><CipherSuite>0xc030</CipherSuite><TargetName>V</TargetName></EventXML></UserData></Event>"#,
  #"<Event><System><Computer>V</Computer><EventID>ID</EventID><Provider Guid='V' EventSourceName='V' Name='P'/><TimeCreated SystemTime='2026-03-02T06:00:0D'/></System><EventData><Data>N</Data><Data Name=''>V</Data><Data Name='V'></Data></EventData><RenderingInfo Culture='en-US'><Message>V</Message></RenderingInfo></Event>"#,
  #"<Event><System><Provider Name="P"/><Provider Name="V"/><EventID>ID</EventID><EventID>N</EventID><Computer><b>V</b></Computer></System><EventData><Data Name="AlertDesc">N<b/>V</Data></EventData></Event>"#,
  #"<Event><System><Provider Name="" EventSourceName="P"/><EventID>ID</EventID><Computer>V</Computer></System><UserData><A> <B>V</B><Data Name="V">N</Data></A></UserData></Event>"#,
  #"<e:Event><e:System><e:Provider Name="P"/><e:EventID>ID</e:EventID></e:System></e:Event>"#,
  #"<Event><System><Provider Name="P"/><EventID>ID</EventID></System><EventData><Data><![CDATA[V]]></Data></EventData></Event>"#,
]

/// Between `§` stand the values of which one is taken.
private let repeatedForms = [
  ##"{"EventTime":"2026-03-02 06:00:0§1|2|7§","Hostname":"§a.corp|b.corp|§","EventID":§36880|36880|36887|36888|36874|36871|7036§,"SourceName":"§Schannel|Schannel|SChannel|x§","ProcessID":§4|70§,"Channel":"§System|Security§","Message":"§A TLS server handshake completed.|A fatal alert was received. 40.|§","Type":"§server|client|cliente§","Protocol":"§TLS 1.0|TLS 1.2|SSL 3.0§","CipherSuite":"0xc0§14|30§","AlertDesc":"§40|70|48§","ErrorState":"§1203|10§","ContextHandle":"§0x1|0x2§","TargetName":"§|mp01.corp.example§"}"##,
  ##"<Event><System><Provider Name='§Schannel|Schannel|x§'/><EventID>§36880|36887|36888|36874|36871§</EventID><TimeCreated SystemTime='2026-03-02T06:00:0§1|2|7§Z'/><EventRecordID>§1|2§</EventRecordID><Computer>§a.corp|b.corp| a.corp§</Computer></System><EventData><Data Name='§Type|ContextHandle|Protocol§'>§server|client§</Data><Data Name='§Protocol|x|AlertDesc|§'>§TLS 1.0|TLS 1.2|40|70§</Data><Data Name='§CipherSuite|ErrorState|Thing§'>§0xc014|1203§</Data><Data Name='TargetName'>§|mp01.corp.example§</Data></EventData></Event>"##,
  ##"<Event><System><Provider Name='Schannel'/><EventID>§36880|36887§</EventID><TimeCreated SystemTime='2026-03-02T06:00:0§1|2§Z'/><Computer>§a.corp|b.corp§</Computer></System><UserData><EventXML><Type>§server|client§</Type><Protocol>TLS 1.§0|2§</Protocol><CipherSuite>0xc0§14|30§</CipherSuite><ContextHandle>§0x1|"it's" x§</ContextHandle><TargetName>§|mp01§</TargetName></EventXML></UserData></Event>"##,
]

private let values = [
  "mp01.corp.example", "", "SRV-0001", "a b", "36887", "Schannel", "0", "10", "70", "1203", "x,y:z", "C:\\\\l\\\\x",
  "null",
  "\\\"q\\\"", "&lt;a&gt; &amp;", "it's", "\\u0053channel", "äöü", String(repeating: "long ", count: 30), " trimmed ",
  "{}",
]
/// Values that break the line's layout.
private let breakers = ["a > b", "\"", "<b>", "</Event>", "\\", "<!-- -->", "}", "{\"a\":1}", "\u{0}"]
private let providers = [
  "Schannel", "Schannel", "schannel", "Service Control Manager", "Microsoft-Windows-GroupPolicy", "Application Popup",
  "",
  "&#83;channel", "\\u0053channel", "MSSQLSERVER", "SMS Server",
]
private let ids = [
  "36880", "36887", "36888", "36874", "36871", "7036", "7040", "1502", "26", "0", "null", "2147520519", "x",
]

private func line(_ form: String, _ random: inout SeededGenerator) -> String {
  var out = ""
  var rest = Substring(form)
  let provider = providers.randomElement(using: &random)!
  let id = ids.randomElement(using: &random)!
  while let first = rest.first {
    let before = out.last
    let isPlain = before.map { $0.isLetter || $0.isNumber } ?? true
    if rest.hasPrefix("ID"), !isPlain, !rest.hasPrefix("ID\"") || before == "\"" {
      out += id
      rest = rest.dropFirst(2)
    } else if first == "P", !isPlain, "\"'".contains(rest.dropFirst().first ?? " ") {
      out += provider
      rest = rest.dropFirst()
    } else if first == "V", !isPlain, !(rest.dropFirst().first?.isLetter ?? false) {
      out += (Int.random(in: 0..<60, using: &random) == 0 ? breakers : values).randomElement(using: &random)!
      rest = rest.dropFirst()
    } else if first == "N", !isPlain, !(rest.dropFirst().first?.isLetter ?? false) {
      out += ["4", "70", "48", "36887", "1203", "10", "0"].randomElement(using: &random)!
      rest = rest.dropFirst()
    } else if first == "D", before.map({ $0.isNumber || $0 == "." }) ?? false,
      !(rest.dropFirst().first?.isLetter ?? false)
    {
      out += String(Int.random(in: 0...9, using: &random))
      rest = rest.dropFirst()
    } else {
      out.append(first)
      rest = rest.dropFirst()
    }
  }
  return out
}

/// Some bytes replaced, doubled or taken out.
private func damaged(_ line: String, _ random: inout SeededGenerator) -> [UInt8] {
  var bytes = Array(line.utf8)
  let meaningful = Array("\"\\{}[]:,<>/'! Ex1\n".utf8)
  for _ in 0..<Int.random(in: 1...2, using: &random) where !bytes.isEmpty {
    let at = Int.random(in: 0..<bytes.count, using: &random)
    switch Int.random(in: 0..<4, using: &random) {
    case 0: bytes.remove(at: at)
    case 1: bytes.insert(meaningful.randomElement(using: &random)!, at: at)
    case 2: bytes.removeLast(bytes.count - at)
    default: bytes[at] = meaningful.randomElement(using: &random)!
    }
  }
  return bytes
}

/// Lines of few forms, so that layouts are met again.
private func log(_ random: inout SeededGenerator) -> [UInt8] {
  var bytes: [UInt8] = []
  let forms = (0..<3).map { _ in (Bool.random(using: &random) ? jsonForms : xmlForms).randomElement(using: &random)! }
  for _ in 0..<80 {
    let text = line(forms.randomElement(using: &random)!, &random)
    switch Int.random(in: 0..<24, using: &random) {
    case 0: bytes += damaged(text, &random)
    case 1: bytes += Array((text + text).utf8)
    case 2: bytes += Array(("  " + text + " \t").utf8)
    case 3: bytes += Array(text.replacing("><", with: ">\r\n  <").replacing(",\"", with: ",\r\n \"").utf8)
    case 4: bytes += Array("<13>1 2026-03-02T06:00:00Z h winlog - - - \(text)".utf8)
    case 5: bytes += Array("[\(text),".utf8)
    case 6: bytes += Array("plain text".utf8)
    default: bytes += Array(text.utf8)
    }
    bytes += Array((Bool.random(using: &random) ? "\r\n" : "\n").utf8)
  }
  return bytes
}

private func batch(_ bytes: [UInt8], usesLayouts: Bool, level: Int? = nil) -> RecordBatch {
  var opener = EnvelopeOpener(origin: ownOrigin)
  opener.layouts.isUsed = usesLayouts
  opener.layouts.level = level
  var batch = RecordBatch()
  batch.origins = [ownOrigin]
  let chunk = Chunk(text: bytes)
  let opened = opener.open(chunk, into: &batch)
  var framer = Framer()
  if batch.isDirect {
    _ = framer.frame(chunk.bytes, isFinal: true, openedByteCount: opened, into: &batch)
  } else {
    let arena = batch.arena
    _ = framer.frame(arena.span, isFinal: true, openedByteCount: opened, into: &batch)
  }
  return batch
}

/// The fields of an event as text, to be compared: data that somebody asks for.
private func described(_ fields: EventFields?, _ extractor: Extractor) -> String {
  guard let fields else { return "none" }
  let asked = fields.data.filter { extractor.isAsked(Array(fields.text[Int($0.nameStart)..<Int($0.nameEnd)])) }
  let data = asked.map { item in
    let name = fields.string(Int(item.nameStart)..<Int(item.nameEnd)) ?? ""
    return "\(name)=\(fields.string(Int(item.valueStart)..<Int(item.valueEnd)) ?? "")"
  }
  let texts = [fields.provider, fields.computer, fields.channel, fields.message].map { fields.string($0) ?? "-" }
  let numbers = [fields.recordID, fields.processID, fields.threadID]
  return "\(texts) \(fields.eventID ?? .max) \(numbers) \(String(describing: fields.time)) "
    + "\(String(describing: fields.localTime)) \(data)"
}

@Suite struct EventLayoutTests {
  @Test(arguments: UInt64(0)..<400) func theWalkWithoutLayoutsFindsTheSame(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let bytes = log(&random)
    let readByteCount = [256 * 1024, 3000, 700].randomElement(using: &random)!
    let known = try TestEngine.run(bytes, log: "System", readByteCount: readByteCount)
    let slow = try TestEngine.run(bytes, log: "System", readByteCount: readByteCount, usesEventLayouts: false)
    #expect(known.findings == slow.findings)
    #expect(known.sightings == slow.sightings)
    #expect(known.signatureCounts == slow.signatureCounts)
    #expect(known.suspectCount == slow.suspectCount && known.confirmedCount == slow.confirmedCount)
    #expect(known.result.recordCounts == slow.result.recordCounts)
    #expect(known.result.markerCount == slow.result.markerCount)
    #expect(known.result.firstTime == slow.result.firstTime && known.result.lastTime == slow.result.lastTime)
    for reason in SkipReason.allCases {
      #expect(known.result.skips[reason].count == slow.result.skips[reason].count)
      #expect(known.result.skips[reason].byteCount == slow.result.skips[reason].byteCount)
    }
  }

  @Test(arguments: UInt64(0)..<300) func theFramingFindsTheSameRecordsAtEveryLevel(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let bytes = log(&random)
    let slow = batch(bytes, usesLayouts: false)
    let known = batch(bytes, usesLayouts: true)
    #expect(slow.events.isEmpty)
    #expect(known.records.map(\.start) == slow.records.map(\.start))
    #expect(known.records.map(\.end) == slow.records.map(\.end))
    #expect(known.records.map(\.line) == slow.records.map(\.line))
    #expect(known.records.map(\.format) == slow.records.map(\.format))
    #expect(known.records.map(\.isTorn) == slow.records.map(\.isTorn))
    #expect(known.records.map(\.origin) == slow.records.map(\.origin))
    #expect(known.skipEvents == slow.skipEvents)
    for level in 0..<hk_level_count() where hk_level(level) != nil {
      let same = batch(bytes, usesLayouts: true, level: level)
      #expect(same.events == known.events)
      for event in same.events {
        let values = same.layouts[Int(event.layout)].values
        for value in values {
          #expect(value.range(same.marks.span, of: event) == value.range(known.marks.span, of: event))
        }
      }
    }
  }

  /// What a layout says of an event is what the readers say.
  @Test(arguments: UInt64(0)..<300) func theReadersFindTheSameFields(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let bytes = log(&random)
    let known = batch(bytes, usesLayouts: true)
    let text = known.isDirect ? Chunk(text: bytes).storage : known.arena
    var extractor = Extractor(TestEngine.engine.rules, names: NameTable(), options: ExtractionOptions())
    for slot in known.records where slot.event != RecordSlot.noEvent {
      let fast = extractor.eventFields(slot, text.span, known)
      var plain = slot
      plain.event = RecordSlot.noEvent
      let slow = extractor.eventFields(plain, text.span, known)
      #expect(described(fast, extractor) == described(slow, extractor))
    }
  }

  /// What events of the same values came to is remembered; by themselves they come to the same.
  @Test(arguments: UInt64(0)..<150) func repeatedEventsComeToTheSame(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    // Few values of many, so that events repeat.
    let forms = (0..<2).map { _ in
      repeatedForms.randomElement(using: &random)!.split(separator: "§", omittingEmptySubsequences: false).map { part in
        let values = part.split(separator: "|", omittingEmptySubsequences: false)
        return Int.random(in: 0..<3, using: &random) == 0 ? values : [values.randomElement(using: &random)!]
      }
    }
    var text = ""
    for _ in 0..<300 {
      for values in forms.randomElement(using: &random)! { text += values.randomElement(using: &random)! }
      text += "\n"
    }
    let options = ExtractionOptions(
      since: Bool.random(using: &random) ? Timestamp(microseconds: 1_772_431_204_000_000) : nil)
    let known = try TestEngine.run(Array(text.utf8), log: "System", options: options)
    let slow = try TestEngine.run(Array(text.utf8), log: "System", options: options, usesEventLayouts: false)
    #expect(known.findings == slow.findings)
    #expect(known.sightings == slow.sightings)
    #expect(known.signatureCounts == slow.signatureCounts)
    #expect(known.suspectCount == slow.suspectCount && known.confirmedCount == slow.confirmedCount)
    #expect(known.result.outsideWindowCount == slow.result.outsideWindowCount)
    #expect(known.result.firstTime == slow.result.firstTime && known.result.lastTime == slow.result.lastTime)
  }

  /// Lines of one form are known from the second on, whatever their values are.
  @Test func linesOfOneFormAreKnown() {
    for form in jsonForms.prefix(5) + jsonForms[6...6] + xmlForms.prefix(3) + xmlForms[4...4] {
      var random = SeededGenerator(seed: 7)
      let lines = (0..<50).map { _ in
        line(form.replacing("V", with: "v"), &random).replacing("x\"", with: "1\"")
      }
      let lineText = lines.filter { !$0.contains(":x,") && !$0.contains(":,") }
      let known = batch(Array(lineText.map { $0 + "\r\n" }.joined().utf8), usesLayouts: true)
      #expect(known.events.count >= 30, "\(known.events.count) of \(lineText.count) lines: \(form)")
    }
  }

  /// More layouts than are kept, and lines of which nothing can be learnt, change nothing but the time.
  @Test func thousandsOfLayoutsAreRead() throws {
    var text = ""
    for index in 0..<3000 {
      text += #"{"EventTime":"2026-03-02 06:00:00","EventID":36887,"SourceName":"Schannel","#
      text += #""k\#(index / 4)":"v","AlertDesc":"70"}"# + "\n"
      if index % 7 == 0 { text += #"{"message":"x","path":"/a/b.txt","EventID":1}"# + "\n" }
    }
    let known = try TestEngine.run(Array(text.utf8), log: "System")
    let slow = try TestEngine.run(Array(text.utf8), log: "System", usesEventLayouts: false)
    #expect(known.findings.count == 3000)
    #expect(known.findings == slow.findings && known.result.recordCounts == slow.result.recordCounts)
  }
}
