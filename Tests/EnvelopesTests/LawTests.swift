import Envelopes
import Records
import Testing

/// A file as a careless estate would write it: every shape, plain lines, damage, octet counts.
private func mixedFile(_ random: inout Seeded) -> [UInt8] {
  var text = ""
  for _ in 0..<Int.random(in: 1...60, using: &random) {
    let number = Int.random(in: 0..<5, using: &random)
    let payload = [
      "text", "a#012b", cmtrace, "", "#Fields: date time", "{}", "<13>1 - in\(number) log - - - deep",
      "<![LOG[cut", "on]LOG]!>", "<Event a='b'>", "</Event>", "{", "}", "Log Name: x",
      "2026-01-02 03:04:05.67 Logon Error: 1, Severity: 2, State: 3.",
    ]
    .randomElement(using: &random)!
    let syslog = "<13>1 2026-01-02T03:04:05Z h\(number) log\(number) - - - \(payload)"
    let escaped = payload.replacing("\"", with: "\\\"")
    switch Int.random(in: 0..<14, using: &random) {
    case 0: text += syslog + "\n"
    case 1: text += "<13>Jan  2 03:04:05 h\(number) log: \(payload)\r\n"
    case 2: text += "Jan  2 03:04:05 h\(number) log: \(payload)\n"
    case 3: text += "\(syslog.utf8.count) \(syslog)\n"
    case 4: text += "\(syslog.utf8.count) \(syslog)"
    case 5:
      let message = syslog + "\n" + payload + "\n"
      text += "\(message.utf8.count) \(message)"
    case 6: text += "\(Int.random(in: 1..<400, using: &random)) \(syslog)\n"
    case 7: text += #"{"message":"\#(escaped)\nx","file":"/l/a\#(number).log","host":"h"}"# + "\n"
    case 8: text += #"{"message":"cut"# + "\n"
    case 9: text += "<13>1 - handshaked handshaked - - - ours\n"
    case 10: text += "\u{FEFF}" + syslog + "\n"
    case 11: text += "<13>damaged\n"
    default: text += payload + "\n"
    }
  }
  var bytes = Array(text.utf8)
  if Bool.random(using: &random), !bytes.isEmpty {
    for _ in 0..<3 {
      let position = Int.random(in: 0..<bytes.count, using: &random)
      bytes[position] = UInt8.random(in: 0...255, using: &random)
    }
  }
  return bytes
}

@Test(arguments: UInt64(0)..<400)
func anyChunkingOpensTheSameLines(seed: UInt64) {
  var random = Seeded(seed)
  let bytes = mixedFile(&random)
  let whole = opened(bytes)
  let cuts = bytes.indices.filter { bytes[$0] == 0x0A && Bool.random(using: &random) }.map { $0 + 1 }
  let parts = opened(bytes, cuts: cuts)
  let difference = Set(parts.lines).symmetricDifference(whole.lines)
  #expect(difference.isEmpty)
  #expect(parts.lines.count == whole.lines.count)
  #expect(parts.skips == whole.skips)
  #expect(parts.leftByteCount == 0 && whole.leftByteCount == 0)
}

@Test(arguments: UInt64(0)..<300)
func everyByteIsInALineOrCounted(seed: UInt64) {
  var random = Seeded(seed)
  let bytes = mixedFile(&random)
  let result = opened(bytes)
  // Between the places lie line ends only.
  var covered = [Bool](repeating: false, count: bytes.count + 1)
  for line in result.lines { for index in Int(line.offset)..<Int(line.endOffset) { covered[index] = true } }
  for skip in result.skips { for index in Int(skip.start)..<Int(skip.end) { covered[index] = true } }
  #expect(bytes.indices.allSatisfy { covered[$0] || bytes[$0] == 0x0A || bytes[$0] == 0x0D })
  #expect(result.lines.allSatisfy { $0.offset <= $0.endOffset })
}

@Test(arguments: UInt64(0)..<400)
func randomBytesNeverCrash(seed: UInt64) {
  var random = Seeded(seed)
  // Bytes that headers are made of are common, so that the parsers are entered and left everywhere.
  let alphabet = Array("<13>1 - [a=\"\\]T:Z.+2026{}\",#012\n\n\r JanMSO".utf8) + [0xEF, 0xBB, 0xBF, 0, 255]
  let pieces = [
    "<13>1 ", "2026-01-02T03:04:05", "Jan  2 03:04:05 ", "- ", "[a b=\"", "{\"message\":\"", "\"file\":\"/", "\n",
    "#012", "handshaked", "\u{FEFF}", "30 <13>",
  ]
  var bytes: [UInt8] = []
  for _ in 0..<Int.random(in: 0..<300, using: &random) {
    if Int.random(in: 0..<4, using: &random) == 0 {
      bytes += Array(pieces.randomElement(using: &random)!.utf8)
    } else {
      bytes.append(alphabet.randomElement(using: &random)!)
    }
  }
  let whole = opened(bytes)
  let cuts = bytes.indices.filter { bytes[$0] == 0x0A }.map { $0 + 1 }
  #expect(opened(bytes, cuts: cuts).lines == whole.lines)
  #expect(whole.leftByteCount == 0)
}

/// A header made of good parts, and then of bad ones.
private func syslogLine(_ random: inout Seeded) -> String {
  func pick(_ choices: [String]) -> String { choices.randomElement(using: &random)! }
  let times = [
    "-", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.678+01:00", "2026-12-31T23:59:60.1-23:59", "2026-02-29T00:00:00Z",
    "2028-02-29t00:00:00z", "2026-01-02T03:04:05", "2026-01-02T24:00:00Z", "2026-01-02T03:04:05.Z", "yesterday",
    "2026-01-02T03:04:05+24:00", "Jan  2 03:04:05", "Jan 2 03:04:05", "Jan 02 03:04:05", "Feb 31 03:04:05.123",
    "Jan 32 03:04:05", "Foo  1 03:04:05", "Jan 2 3:04:05", "Jan  0 03:04:05",
  ]
  let names = [
    "-", "PC-1", "10.0.0.1", "fe80::1%3", "nxlog", "CcmMessaging", "C:\\l\\a.log", "/l/b.log", "handshaked", "",
    "a b", "x\"y", "{}", "h\u{E4}st", "app[7]", "rsyslogd",
  ]
  var line = pick(["<13>", "<191>", "<192>", "<0>", "<007>", "<>", "<1", "<1234>"])
  if Bool.random(using: &random) {
    line += pick(["1 ", "1 ", "1 ", "1", "2 ", "1  "])
    line += pick(times) + " " + pick(names) + " " + pick(names) + " " + pick(names) + " " + pick(names) + " "
    line += pick([
      "-", "-", #"[a]"#, #"[a b="c"]"#, #"[a b="c" d="e"][f]"#, #"[a file="C:\\x\\y.log"]"#,
      #"[a Path="C:\x\y.log" q="\"]"]"#,
      #"[a b="c]"#, #"[a b=c]"#, "[]", #"[a  b="c"]"#, #"[a b="c"]x"#, "", "[a", #"[a profile="/p" path="/q"]"#,
    ])
  } else {
    line += pick(times) + pick([" ", " ", " ", "  ", ""]) + pick(names) + pick([" ", " ", ": ", ""]) + pick(names)
    line += pick([":", ":", "[12]:", "[12]", "[1 2]:", "", "[:"])
  }
  line += pick([" ", " ", "", "  "])
  line += pick(["text", "", "\u{FEFF}text", "a: b", "#011x#012y", "<![LOG[x", "{\"a\":1}", " ", "text\r", "\r"])
  return line
}

@Test(arguments: UInt64(0)..<200)
func syslogAgreesWithItsSlowTwin(seed: UInt64) {
  var random = Seeded(seed)
  for _ in 0..<40 {
    let line = syslogLine(&random)
    let result = opened(line + "\n")
    switch SyslogTwin.read(Array(line.utf8)) {
    case .none:
      #expect(result.texts == [line])
      #expect(result.skips.isEmpty, "\(line)")
    case .bad:
      #expect(result.texts == [line])
      #expect(result.skips.map(\.reason) == [.badEnvelope], "\(line)")
    case .own:
      #expect(result.lines.isEmpty && result.count(.ownOutput) == 1, "\(line)")
    case .message(let message):
      #expect(result.texts == message.lines, "\(line)")
      let path = message.path ?? fileOrigin.path
      let log = message.path == nil ? message.log ?? fileOrigin.log : path
      let origin = Origin(host: message.host, log: Origin.logName(ofPath: log), path: path)
      #expect(result.lines.allSatisfy { $0.origin == origin }, "\(line)")
      #expect(result.lines.allSatisfy { $0.received == message.received ?? RecordBatch.noTime }, "\(line)")
    }
  }
}

/// Lines as relays write them: heads that repeat, with every payload that matters, and some that differ by a byte.
private func relayedFile(_ random: inout Seeded) -> [UInt8] {
  let heads = [
    "PC-1 - - - [file@32473 path=\"/srv/collected/PC-1/CcmMessaging.log\"] ", "PC-1 - - - [file path=\"/l/a.log\"] ",
    "PC-2 - - - [file path=\"C:\\\\l\\\\b.log\"] ", "PC-2 - - - [file path=\"/l/]b.log\"] ", "PC-3 log 684 - - ",
    "PC-3 handshaked 684 - - ", "PC-4 handshakee 684 - - ", "- - - - - ", "h log - - [a b=\"x\"][c file=\"/d.log\"] ",
    "h log - - [a b=\"] ] \"] ", "h log - - -  ", "PC-5 CcmExec: ", "PC-5 CcmExec[12]: ", "PC-5 /l/c.log: ",
    "PC-5 C:\\l\\d.log: ", "su[12]: PC-6: ", "12345 log: ", "PC-7 log ", "PC-8 a: b: ", "h\u{E4}st log: ",
    "a very much longer name of a host than a first look would ever read through log - - - ",
  ]
  let payloads = [
    cmtrace, "<![LOG[cut", "on]LOG]!>", "<![LOG[a]LOG]!><![LOG[b", "<![LOG[a]LOG]!><time=\"1\"><![LOG[b]LOG]!>", "<![",
    "<![LOG[]LOG]!>", "<![LOG[x]LOG]!", "<Event a='b'>", "</Event>", "{\"a\":1}", "{", "}", "a#012b", "#Fields: date",
    "2026-03-02 00:55:51 10.0.0.1 GET /x - 443 - 10.0.0.2 a - 200 0 0", "2026-03-02 00:55:51.12 x y z", "12",
    "2026-03-02T00:55:51Z in log: deep", "2026-01-02 03:04:05.67 Logon Error: 1, Severity: 2, State: 3.",
    "<13>1 - in log - - - deep", "41 <13>1 - in log - - - deep", "Jan  2 03:04:05 in log: deep", "Log Name: x", "text",
    "Text  $$<A><03-02-2026 06:00:01.123-60><thread=4840 (0x12E8)>", "\u{FEFF}text", " text", "\t<![LOG[x", "- <Event>",
    #"{"EventTime":"2026-03-02 00:55:51","Hostname":"s","EventID":36874,"SourceName":"Schannel","Channel":"System"}"#,
    #"{"EventTime":"2026-03-02 00:55:52","Hostname":"t","EventID":37,"SourceName":"Schannel"} x"#,
    #"{"message":"in {}","file":"/l/e.log"}"#, #"{"message":"a\nb","log":{"file":{"path":"/l/f.log"}}}"#,
    "[1] x", "", "\r", "~x", "*** x", "handshaked: y", "\u{0}x",
    "<![LOG[a]LOG]!><![LOG[\(String(repeating: "b", count: 70))#011c",
    "<Event a='\(String(repeating: "b", count: 70))#011'>",
    "\(String(repeating: "d", count: 63))#", "\(String(repeating: "e", count: 64))",
  ]
  let zones = ["Z", "+00:00", "-01:30", "+24:00", "z", ""]
  let fractions = ["", ".1", ".123456", ".123456789", ".1234567890", "."]
  let starts = ["<134>1 ", "<14>1 ", "<13>", "", "<191>", "<192>", "<7>1 ", "\u{FEFF}<134>1 "]
  let second = Int.random(in: 0..<120, using: &random)
  var text = ""
  var recent = heads[0]
  for _ in 0..<Int.random(in: 1...80, using: &random) {
    if Int.random(in: 0..<3, using: &random) == 0 { recent = heads.randomElement(using: &random)! }
    let moment = second + Int.random(in: 0..<3, using: &random)
    let clock = "2026-0\(1 + moment % 9)-0\(1 + moment % 7)T0\(moment % 9):\(10 + moment % 50):\(10 + moment % 51)"
    text += starts[Int.random(in: 0..<8, using: &random) % Int.random(in: 1...8, using: &random)] + clock
    text += fractions[Int.random(in: 0..<6, using: &random) % Int.random(in: 1...6, using: &random)]
    text += zones[Int.random(in: 0..<6, using: &random) % Int.random(in: 1...6, using: &random)]
    text += " " + recent + payloads.randomElement(using: &random)! + (Bool.random(using: &random) ? "\r\n" : "\n")
  }
  var bytes = Array(text.utf8)
  if Int.random(in: 0..<4, using: &random) == 0 {
    for _ in 0..<5 {
      bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
    }
  }
  // What is read ahead of may be anything.
  return bytes + [UInt8](repeating: 0x0A, count: 1) + Array((String(repeating: "plain text\n", count: 80)).utf8)
}

@Test(arguments: UInt64(0)..<600)
func knownHeadsOpenAsUnknownOnes(seed: UInt64) {
  var random = Seeded(seed)
  let bytes = relayedFile(&random)
  let slow = opened(bytes, usesHeads: false)
  let fast = opened(bytes)
  #expect(fast.lines == slow.lines)
  #expect(fast.skips == slow.skips)
  #expect(fast.origins == slow.origins)
  let cuts = bytes.indices.filter { bytes[$0] == 0x0A && Int.random(in: 0..<8, using: &random) == 0 }.map { $0 + 1 }
  let parts = opened(bytes, cuts: cuts)
  #expect(Set(parts.lines) == Set(slow.lines) && parts.lines.count == slow.lines.count)
}

@Test func aCopyOfAnOpenerKeepsItsOwnNames() {
  let filler = String(repeating: "plain text\n", count: 80)
  func line(_ host: String) -> String { "<134>1 2026-03-02T00:55:51Z \(host) log 684 - - text of \(host)\n" }
  var opener = EnvelopeOpener(origin: fileOrigin)
  var batch = RecordBatch()
  func open(_ text: String, _ opener: inout EnvelopeOpener, _ batch: inout RecordBatch) -> [String?] {
    batch.removeAll()
    let bytes = Array((text + filler).utf8)
    opener.open(Chunk(text: bytes, rawOffset: 0, firstLine: 1, isFinal: true), into: &batch)
    return batch.lines.prefix { !$0.isPlain }.map { batch.origins[Int($0.origin)].host }
  }
  #expect(open(line("a") + line("a"), &opener, &batch) == ["a", "a"])
  // From here on the two number their names differently.
  var copy = opener
  var batchOfCopy = batch
  #expect(open(line("b") + line("c"), &opener, &batch) == ["b", "c"])
  #expect(open(line("c") + line("b") + line("b"), &copy, &batchOfCopy) == ["c", "b", "b"])
  #expect(open(line("c") + line("b") + line("a"), &opener, &batch) == ["c", "b", "a"])
  // Another batch, of which no origin is known.
  var other = RecordBatch()
  #expect(open(line("b") + line("b"), &opener, &other) == ["b", "b"])
}

@Test func manyHeadsAreKeptWithinBounds() {
  // More than the memo holds, twice over: each is opened all the same.
  var text = ""
  for round in 0..<2 {
    for host in 0..<20_000 { text += "<134>1 2026-03-02T00:55:51Z h\(host) log 684 - - \(round)\n" }
  }
  let result = opened(text)
  #expect(result.lines.count == 40_000)
  #expect(result.lines.indices.allSatisfy { result.lines[$0].origin.host == "h\($0 % 20_000)" })
}
