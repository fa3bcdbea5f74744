import Envelopes
import Records
import Testing

let cmtrace =
  #"<![LOG[Failed to connect. Error 0x80072f8f]LOG]!><time="15:10:36.364+00" date="02-04-2026" component="ccmsetup" "#
  + #"context="" type="3" thread="3912" file="httphelper.cpp:1641">"#

/// One line, its envelope, and what must come of it.
struct Shape: Sendable, CustomTestStringConvertible {
  var name: String
  var line: String
  var payload: [String]
  var host: String?
  var log = fileOrigin.log
  var path = fileOrigin.path
  var received = RecordBatch.noTime

  var testDescription: String { name }
}

private let windowsPath = #"C:\Windows\CCM\Logs\CcmMessaging.log"#
private let jsonPath = #"C:\\Windows\\CCM\\Logs\\CcmMessaging.log"#
private let jsonCMTrace = cmtrace.replacing("\"", with: "\\\"")

private let shapes: [Shape] = [
  // RFC 5424
  Shape(
    name: "5424", line: "<134>1 2026-01-02T03:04:05.678+01:00 PC-0042 CcmMessaging 123 ID - \(cmtrace)",
    payload: [cmtrace], host: "PC-0042", log: "CcmMessaging", received: time(2026, 1, 2, 2, 4, 5, 678_000)),
  Shape(
    name: "5424 byte order mark", line: "<134>1 2026-01-02T03:04:05Z PC-1 App - - - \u{FEFF}text",
    payload: ["text"], host: "PC-1", log: "App", received: time(2026, 1, 2, 3, 4, 5)),
  Shape(name: "5424 all nil", line: "<0>1 - - - - - - text", payload: ["text"], host: nil),
  Shape(name: "5424 no message", line: "<0>1 - h - - - -", payload: [""], host: "h"),
  Shape(name: "5424 no message, CR", line: "<0>1 - h - - - -\r", payload: ["\r"], host: "h"),
  Shape(
    name: "5424 structured data with escapes and a path",
    line: #"<13>1 2026-01-02T03:04:05.123456789Z PC-2 nxlog - - [a@1 q="x\"]\] y" n="\z"][NXLOG@14506 "#
      + #"FileName="C:\\Windows\\CCM\\Logs\\CcmMessaging.log"] text"#,
    payload: ["text"], host: "PC-2", log: "CcmMessaging", path: windowsPath,
    received: time(2026, 1, 2, 3, 4, 5, 123_456)),
  Shape(
    name: "5424 path as APP-NAME", line: #"<13>1 - PC-3 C:\inetpub\logs\LogFiles\W3SVC1\u_ex260102.log - - - row"#,
    payload: ["row"], host: "PC-3", log: "u_ex260102", path: #"C:\inetpub\logs\LogFiles\W3SVC1\u_ex260102.log"#),
  Shape(
    name: "5424 escaped controls", line: "<13>1 - PC-4 App - - - a#011b#015#012c #1 #200 #177",
    payload: ["a\tb\r", "c #1 #200 \u{7F}"], host: "PC-4", log: "App"),
  Shape(
    name: "5424 octet-counted", line: "24 <13>1 - h - - - - a line", payload: ["a line"], host: "h"),
  Shape(name: "5424 after a byte order mark", line: "\u{FEFF}<13>1 - h - - - - text", payload: ["text"], host: "h"),

  // RFC 3164
  Shape(
    name: "3164", line: "<13>Jan  2 03:04:05 PC-0042 CcmMessaging: \(cmtrace)", payload: [cmtrace], host: "PC-0042",
    log: "CcmMessaging"),
  Shape(
    name: "3164 pid, CR, two blanks", line: "<13>Oct 16 20:27:36 10.0.0.7 smsexec[4840]:  text\r",
    payload: [" text\r"], host: "10.0.0.7", log: "smsexec"),
  Shape(
    name: "3164 no blank after the colon", line: "<13>Feb 03 20:27:36 h CcmExec.log:x", payload: ["x"], host: "h",
    log: "CcmExec"),
  Shape(
    name: "3164 no host", line: "<13>Jan  2 03:04:05 smsexec[7]: text", payload: ["text"], host: nil, log: "smsexec"),
  Shape(
    name: "3164 no host, no tag", line: "<13>Jan  2 03:04:05 \(cmtrace)", payload: [cmtrace], host: nil),
  Shape(
    name: "3164 no tag", line: "<13>Jan  2 03:04:05 PC-5 \(cmtrace)", payload: [cmtrace], host: "PC-5"),
  Shape(
    name: "3164 forwarder's own name", line: "<13>Jan  2 03:04:05 PC-5 nxlog: text", payload: ["text"], host: "PC-5"),
  Shape(
    name: "3164 path as tag", line: "<13>Jan  2 03:04:05 PC-5 \(windowsPath): text", payload: ["text"],
    host: "PC-5", log: "CcmMessaging", path: windowsPath),
  Shape(
    name: "Snare", line: "<13>Oct 16 20:27:36 nt0000000 MSWinEventLog\t3\tSystem\t2213\tSun Oct 16 20:27:36 2022",
    payload: ["MSWinEventLog\t3\tSystem\t2213\tSun Oct 16 20:27:36 2022"], host: "nt0000000"),
  Shape(
    name: "Snare in rsyslog's file", line: "Oct 16 20:27:36 nt0000000 MSWinEventLog#0113#011System#0112213",
    payload: ["MSWinEventLog\t3\tSystem\t2213"], host: "nt0000000"),

  // rsyslog's templates
  Shape(
    name: "forward template", line: "<13>2026-01-02T03:04:05.678901+01:00 PC-6 smsexec: text", payload: ["text"],
    host: "PC-6", log: "smsexec", received: time(2026, 1, 2, 2, 4, 5, 678_901)),
  Shape(
    name: "traditional file", line: "Jan  2 03:04:05 PC-7 CcmMessaging: \(cmtrace)#015#012\(cmtrace)",
    payload: [cmtrace + "\r", cmtrace], host: "PC-7", log: "CcmMessaging"),
  Shape(
    name: "ISO file", line: "2026-01-02T03:04:05.678901-05:30 PC-8 CcmMessaging: text", payload: ["text"],
    host: "PC-8", log: "CcmMessaging", received: time(2026, 1, 2, 8, 34, 5, 678_901)),
  Shape(
    name: "ISO file, tag without its colon", line: "2026-01-02T03:04:05Z PC-8 CcmMessaging \(cmtrace)",
    payload: [cmtrace], host: "PC-8", log: "CcmMessaging", received: time(2026, 1, 2, 3, 4, 5)),

  // JSON lines
  Shape(
    name: "Filebeat nested",
    line: #"{"@timestamp":"2026-03-02T06:00:00.123Z","@metadata":{"beat":"filebeat"},"agent":{"type":"filebeat","#
      + #""name":"agent-name"},"log":{"offset":18234,"file":{"path":""# + jsonPath + #""}},"message":""#
      + jsonCMTrace + #"","host":{"name":"PC-0042","os":{"name":"Windows"}},"input":{"type":"log"}}"#,
    payload: [cmtrace], host: "PC-0042", log: "CcmMessaging", path: windowsPath,
    received: time(2026, 3, 2, 6, 0, 0, 123_000)),
  Shape(
    name: "Filebeat dotted, multi-line",
    line: #"{"message":"a\nb\n","log.file.path":"/x/smsexec.lo_","log.offset":1,"host.name":"PC-9"}"#,
    payload: ["a", "b"], host: "PC-9", log: "smsexec", path: "/x/smsexec.lo_"),
  Shape(
    name: "Filebeat host as string, blanks",
    line: #"{ "host" : "PC-10", "log" : { "file" : { "path" : "/x/a.log" } }, "message" : "\u00e4\t" } "# + "\r",
    payload: ["ä\t"], host: "PC-10", log: "a", path: "/x/a.log"),
  Shape(
    name: "Filebeat, only the agent is named",
    line: #"{"message":"m","log":{"file":{"path":"/x/a.log"}},"agent":{"hostname":"PC-11"}}"#, payload: ["m"],
    host: "PC-11", log: "a", path: "/x/a.log"),
  Shape(
    name: "Vector",
    line: #"{"file":"/logs/PC/smsexec.log","host":"PC-12","message":"m","source_type":"file","#
      + #""timestamp":"2026-03-02T06:00:00.123456789Z"}"#,
    payload: ["m"], host: "PC-12", log: "smsexec", path: "/logs/PC/smsexec.log",
    received: time(2026, 3, 2, 6, 0, 0, 123_456)),
  Shape(
    name: "Fluent Bit", line: #"{"date":1772431200.1,"log":"m\r\n","path":"C:\\l\\a.log"}"#, payload: ["m\r"],
    host: nil, log: "a", path: #"C:\l\a.log"#),
  Shape(
    name: "OTel",
    line: #"{"body":"m","attributes":{"log.file.name":"a.log","log.file.path":"D:\\a.log"},"resource":{"host.name":"#
      + #""PC-13"},"severity":0}"#,
    payload: ["m"], host: "PC-13", log: "a", path: #"D:\a.log"#),
  Shape(
    name: "OTel, only the name", line: #"{"body":"m","attributes":{"log.file.name":"WCM.log"}}"#, payload: ["m"],
    host: nil, log: "WCM", path: "WCM.log"),
  Shape(
    name: "NXLog",
    line: #"{"EventReceivedTime":"2026-03-02 06:00:00","SourceModuleName":"in","SourceModuleType":"im_file","#
      + #""Hostname":"PC-14","FileName":"C:\\l\\b.log","Message":"half","raw_event":"whole"}"#,
    payload: ["whole"], host: "PC-14", log: "b", path: #"C:\l\b.log"#),

  // One inside another
  Shape(
    name: "Filebeat around rsyslog's file",
    line: #"{"@timestamp":"2026-03-02T06:00:00Z","host":{"name":"collector"},"log":{"file":{"path":"#
      + #""/var/log/remote/all.log"}},"message":"2026-03-02T05:59:59Z PC-15 CcmMessaging: "#
      + jsonCMTrace + #"#015#012x"}"#,
    payload: [cmtrace + "\r", "x"], host: "PC-15", log: "CcmMessaging", path: "/var/log/remote/all.log",
    received: time(2026, 3, 2, 5, 59, 59)),
  Shape(
    name: "syslog around NXLog",
    line: #"<13>1 2026-03-02T06:00:00Z relay nxlog - - - {"raw_event":"r","FileName":"C:\\l\\c.log"}"#,
    payload: ["r"], host: "relay", log: "c", path: #"C:\l\c.log"#, received: time(2026, 3, 2, 6, 0, 0)),
  Shape(
    name: "syslog in syslog in syslog in syslog",
    line: "<1>1 - a - - - - <2>1 - b - - - - <3>1 - c - - - - Jan  2 03:04:05 d log: deep", payload: ["deep"],
    host: "d", log: "log"),
]

@Test(arguments: shapes)
func opensShape(_ shape: Shape) {
  let result = opened(shape.line + "\n")
  #expect(result.texts == shape.payload)
  let origin = Origin(host: shape.host, log: shape.log, path: shape.path)
  for line in result.lines {
    #expect(line.origin == origin)
    #expect(line.received == shape.received)
    #expect(line.offset == 0)
    #expect(line.line == 1)
  }
  #expect(result.directCount == 0)
  #expect(result.skips.isEmpty)
}

/// Lines that are nobody's envelope, and how often something is counted for them.
private let untouched: [(line: String, skips: [SkipReason])] = [
  ("2026-03-02 06:00:00 10.0.0.1 GET /SMS_MP/.sms_aut MPLIST 443 - 10.0.0.9 ccmhttp - 200 0 0 15", []),
  ("#Fields: date time s-ip cs-method cs-uri-stem", []),
  (cmtrace, []),
  ("a continuation of something", []), ("", []), ("\r", []), ("{", []), ("<", []), ("1", []), ("\u{FEFF}", []),
  ("Successfully done.  $$<SMS_EXEC><12-06-2026 03:11:46.039+300><thread=4840 (0x12E8)>", []),
  ("<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System/></Event>", []),
  // Events as JSON, even with a raw text and a path.
  (#"{"winlog":{"provider_name":"Schannel","event_id":36870},"message":"m","log":{"file":{"path":"/x"}}}"#, []),
  (#"{"message":"m","log.file.path":"/x","winlog.event_id":36870}"#, []),
  (#"{"EventTime":"2026-03-02 06:00:00","Hostname":"h","EventID":36887,"Message":"m","FileName":"C:\\x"}"#, []),
  (#"{"message":"m","file":"/x","win":{"system":{"providerName":"Schannel"}}}"#, []),
  (#"{"message":"m","file":"/x","data":{"win":{"system":{}}}}"#, []),
  (#"{"System":{"Provider":{"Name":"Schannel"},"EventID":36870},"message":"m","file":"/x"}"#, []),
  (#"{"ProviderName":"Schannel","Message":"m","path":"/x"}"#, []),
  (#"{"meta":{"IpAddress":"10.0.0.1"},"data":"<Event/>"}"#, []),
  (#"{"channel":"System","message":"m","provider":{"name":"Schannel"},"file":"/x"}"#, []),
  // Half an envelope, and damaged ones: JSON is the framing's to count.
  (#"{"message":"a raw line without a path"}"#, []),
  (#"{"log":{"file":{"path":"/x/a.log"}},"host":"h"}"#, []),
  (#"{"message":"cut off","file":"/x/a.lo"#, []),
  (#"{"message":"m","file":"/x/a.log"} trailing"#, []),
  (#"{"message":"m" "file":"/x/a.log"}"#, []),
  (#"{"message":"m","file":"neither folder nor extension"}"#, []),
  // Times that are no template.
  ("2026-01-02T03:04:05Z INFO no tag with a colon here", []),
  ("2026-01-02T03:04:05 PC-1 log: no zone", []),
  ("2026-13-02T03:04:05Z PC-1 log: no month", []),
  ("Jan  2 03:04:05 2026 GMT: not a host", []),
  ("Jan 32 03:04:05 PC-1 log: no day", []),
  ("Jap  2 03:04:05 PC-1 log: no month", []),
  // A priority, and then no header.
  ("<192>1 - h - - - - no such priority", []),
  ("<1x>1 - h - - - - no priority at all", []),
  ("<13>just a text", [.badEnvelope]),
  ("<13>1 yesterday h a - - - text", [.badEnvelope]),
  ("<13>1 - h a - - text", [.badEnvelope]),
  (#"<13>1 - h a - - [id n="v] text"#, [.badEnvelope]),
  ("<13>1 2026-02-30T03:04:05Z h a - - - text", [.badEnvelope]),
  ("<13>Jan  2 25:04:05 h a: text", [.badEnvelope]),
  // Counts that count nothing.
  ("12 <an element>", []), ("012 <13>1 - h - - - - text", []), ("99999999 <13>1 - h - - - - text", []),
]

@Test(arguments: untouched.indices)
func leavesAlone(_ index: Int) {
  let (line, skips) = untouched[index]
  let result = opened(line + "\n")
  #expect(result.texts == [line])
  #expect(result.lines.map(\.origin) == [fileOrigin])
  #expect(result.directCount == 1)
  #expect(result.skips.map(\.reason) == skips)
  #expect(result.skips.allSatisfy { $0.start == $0.end })
}

@Test func plainLinesAroundAnEnvelopeKeepTheirPlaces() {
  let text = "a\r\n\n<13>1 - h - - - - b#012c\n{\"no\":1}\nd\n"
  var opener = EnvelopeOpener(origin: fileOrigin)
  var batch = RecordBatch()
  let chunk = Chunk(text: Array(text.utf8))
  #expect(opener.open(chunk, into: &batch) == chunk.byteCount)
  #expect(!batch.isDirect)
  #expect(batch.arena == Array("a\r\n\nb\nc\n{\"no\":1}\nd\n".utf8) + [UInt8](repeating: 0, count: 64))
  #expect(batch.lineEnds == [2, 3, 5, 7, 16, 18])
  #expect(batch.lines.map(\.isPlain) == [true, true, false, false, true, true])
  #expect(batch.lines.map(\.lineIndex) == [0, 1, 2, 2, 3, 4])
  #expect(batch.lines.map(\.origin) == [0, 0, 1, 1, 0, 0])
  #expect(batch.lines.map(\.chunkStart) == [0, 3, 4, 4, 29, 38])
  #expect(batch.lines.map(\.chunkEnd) == [2, 3, 28, 28, 37, 39])
  #expect(batch.origins == [fileOrigin, Origin(host: "h", log: fileOrigin.log, path: fileOrigin.path)])
}

@Test func theFilesOwnHostStandsWhereTheEnvelopeNamesNone() {
  let own = Origin(host: "from-the-folder", log: "x", path: "/l/x.log")
  let result = opened("<13>1 - - - - - - a\n<13>1 - other - - - - b\n", origin: own)
  #expect(result.lines.map(\.origin.host) == ["from-the-folder", "other"])
}

@Test func originsBeyondTheLimitAreCountedAndKnownOnesStay() {
  // Hosts h0 … beyond the limit, then one that was known.
  var text = ""
  for number in 0..<Limits.originLimit + 5 { text += "<13>1 - h\(number) - - - - x\n" }
  text += "<13>1 - h7 - - - - x\n"
  let result = opened(text)
  // Index 0 is the file's own, so that many fewer fit.
  #expect(result.count(.originLimit) == 6)
  #expect(result.lines[result.lines.count - 2].origin == fileOrigin)
  #expect(result.lines.last?.origin.host == "h7")
  #expect(Set(result.lines.map(\.origin)).count == Limits.originLimit)
}

@Test func aNewBatchBeginsWithTheFilesOwnOrigin() {
  var opener = EnvelopeOpener(origin: fileOrigin)
  for staleCount in [0, 3, 1, 0] {
    var batch = RecordBatch()
    batch.origins = Array(repeating: Origin(host: "stale", log: "", path: ""), count: staleCount)
    opener.open(Chunk(text: Array("<13>1 - h - - - - x\n".utf8)), into: &batch)
    #expect(batch.origins.map(\.host) == [nil, "h"])
    #expect(batch.lines.map(\.origin) == [1])
  }
}

@Test func envelopesBeyondTheDepthLimitAreCounted() {
  var line = "text"
  for number in 0..<Limits.envelopeDepthLimit + 1 { line = "<13>1 - h\(number) - - - - \(line)" }
  let result = opened(line)
  #expect(result.texts == ["<13>1 - h0 - - - - text"])
  #expect(result.lines.map(\.origin.host) == ["h1"])
  #expect(result.skips.map(\.reason) == [.envelopeTooDeep])
}

@Test func deeplyNestedJSONIsCounted() {
  let nested = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
  let result = opened(#"{"a":\#(nested),"message":"m","file":"/x/a.log"}"#)
  // The framing meets the line as it stands and counts it there.
  #expect(result.skips.isEmpty)
  #expect(result.directCount == 1)
}

@Test func namesThatCannotBeNamesAreNotTaken() {
  let long = String(repeating: "h", count: Limits.nameByteLimit + 1)
  let result = opened(
    "<13>1 - \(long) - - - - a\n" + #"{"message":"b","file":"/x/a.log","host":"esc\u001b[0m"}"# + "\n")
  #expect(result.texts == ["a", "b"])
  #expect(result.lines.map(\.origin.host) == [nil, nil])
}

@Test func oneSpellingInTwoFormsIsOneOrigin() {
  let result = opened(
    #"{"message":"a","file":"C:\\l\\a.log"}"# + "\n" + #"{"message":"b","file":"C:\u005cl\\a.log"}"# + "\n"
      + #"<13>1 - - C:\\l\\a.log - - - c"# + "\n")
  #expect(result.lines.map(\.origin.path) == [#"C:\l\a.log"#, #"C:\l\a.log"#, #"C:\\l\\a.log"#])
}

// MARK: Our own output

private let own = [
  "<134>1 2026-03-02T06:00:00Z siem handshaked 812 - - opened: handshake.protocol",
  "<134>Mar  2 06:00:00 siem handshaked[812]: opened: handshake.protocol",
  "<134>Mar  2 06:00:00 siem handshaked: opened",
  "<134>Mar  2 06:00:00 handshaked[812]: opened",
  "Mar  2 06:00:00 siem handshaked[812]: opened",
  "2026-03-02T06:00:00.123+01:00 siem handshaked: a#012b",
  "\u{FEFF}2026-03-02T06:00:00.123+01:00 siem handshaked: a",
  #"{"schema":1,"type":"finding","signature":"winhttp.request-failed"}"#,
  #"{"schema":1,"type":"incident","id":"x"}"#, #"{"schema":1,"type":"sighting","client":"x"}"#,
  #"{"schema":1,"type":"skip","reason":"torn-record"}"#, #"{"schema":1,"type":"summary"}"#,
  #"{ "schema" : 1, "type" : "client" }"#,
  #"{"MESSAGE":"opened","SYSLOG_IDENTIFIER":"handshaked","PRIORITY":"4"}"#,
  #"{"message":"opened","syslog":{"identifier":"handshaked"},"host":{"name":"siem"}}"#,
  // Inside other envelopes.
  #"<13>1 - siem journal - - - {"schema":1,"type":"finding"}"#,
  #"{"message":"{\"schema\":1,\"type\":\"finding\"}","log":{"file":{"path":"/var/log/handshaked.json"}}}"#,
  #"{"message":"Mar  2 06:00:00 siem handshaked[812]: opened","log":{"file":{"path":"/var/log/messages"}}}"#,
]

@Test(arguments: own.indices)
func dropsOwnOutput(_ index: Int) {
  let result = opened("before\n\(own[index])\nafter\n")
  #expect(result.texts == ["before", "after"])
  let end = UInt64(7 + own[index].utf8.count)
  #expect(result.skips == [Skip(reason: .ownOutput, start: 7, end: end, line: 2)])
  #expect(result.lines.map(\.line) == [1, 3])
  #expect(result.directCount == 0)
}

@Test func countsTheBytesOfAPhysicalLineOnceHoweverMuchOfItIsOurs() {
  let line = #"{"message":"{\"schema\":1,\"type\":\"skip\"}\nx\n{\"schema\":1,\"type\":\"skip\"}","file":"/l/a.log"}"#
  let result = opened(line)
  #expect(result.texts == ["x"])
  #expect(result.skips.map { $0.end - $0.start } == [UInt64(line.utf8.count), 0])
}

@Test func othersLinesThatOnlyMentionUsAreKept() {
  let lines = [
    #"{"type":"finding","schema":1}"#, #"{"schema":2,"type":"finding"}"#, #"{"schema":1,"type":"other"}"#,
    #"{"schema":1,"x":0,"type":"finding"}"#, "handshaked[812]: opened",
  ]
  #expect(opened(lines.joined(separator: "\n")).texts == lines)
  #expect(opened("<13>1 - h handshaked2 - - - kept\n").texts == ["kept"])
}

/// Escapes belong to the innermost envelope: undone by the outer one, a `#012` would cut the inner payload in two.
@Test func escapesOfAnInnerEnvelopeAreLeftToIt() {
  let inner = "Mar  2 10:48:40 PC-7 CcmMessaging: first#012second #011 third"
  let result = opened("<134>1 2026-03-02T12:00:00Z relay app - - - \(inner)\n")
  #expect(result.texts == ["first", "second \t third"])
  #expect(result.lines.allSatisfy { $0.origin.host == "PC-7" && $0.origin.log == "CcmMessaging" })
}
