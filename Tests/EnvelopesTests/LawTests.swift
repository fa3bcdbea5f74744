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
