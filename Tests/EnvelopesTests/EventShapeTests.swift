import Envelopes
import Records
import Testing

// Lines that begin as an event before them are passed over by compares; whoever opens each line with a memory of its
// own must come to the same.

/// What becomes of each line when nothing is remembered.
private func openedAlone(_ lines: [String]) -> [[String]] {
  lines.map { opened(Array(($0 + "\n").utf8)).lines.map { "\($0.origin) \($0.string)" } }
}

private func openedTogether(_ lines: [String]) -> [[String]] {
  let result = opened(Array(lines.map { $0 + "\n" }.joined().utf8))
  var byLine = [[String]](repeating: [], count: lines.count)
  for line in result.lines { byLine[Int(line.line) - 1].append("\(line.origin) \(line.string)") }
  return byLine
}

private let heads = [
  #"{"EventTime":"T","Hostname":"H","Keywords":-1,"EventID":7036,"#,
  #"{"@timestamp":"T","@metadata":{"beat":"winlogbeat","version":"8"},"tags":["a","b"],"winlog":{"event_id":1},"#,
  #"{"message":"T","file":"/l/H.log","winlog.event_id":1,"#,
  #"{"message":"T","file":"/l/H.log","host":"H","#,
  #"{"message":"<13>1 - H a - - - T","log":{"file":{"path":"C:\\l\\x.log"}},"#,
  #"{"ident":"H","message":"T","file":"/l/a.log","EventID":1,"#,
  #"{"schema":1,"type":"finding","EventID":1,"#,
  #"{"syslog":{"identifier":"H"},"provider":{"name":"S"},"#,
]

@Test(arguments: UInt64(0)..<400) func rememberedBeginningsChangeNothing(seed: UInt64) {
  var random = Seeded(seed)
  let lines = (0..<40).map { _ -> String in
    let value = ["x", "a \\\" b", "", "c:\\\\d\\\\", "handshaked", "null", "\\u0041"].randomElement(using: &random)!
    let host = ["h1", "handshaked", "h\\\\2"].randomElement(using: &random)!
    var line =
      heads.randomElement(using: &random)!.replacing("T", with: value).replacing("H", with: host)
      + #""message":"<13>1 - deep a - - - t","file":"/l/b.log"}"#
    for _ in 0..<max(0, Int.random(in: -2...2, using: &random)) where !line.isEmpty {
      let at = line.index(line.startIndex, offsetBy: Int.random(in: 0..<line.count, using: &random))
      line.remove(at: at)
      if Bool.random(using: &random) { line.insert(#"",:{}[]\x1"#.randomElement(using: &random)!, at: at) }
    }
    return line
  }
  #expect(openedTogether(lines) == openedAlone(lines))
}

@Test func ownOutputIsDroppedBehindAnyNumberOfEvents() {
  let event = #"{"syslog":{"identifier":"other"},"EventID":1,"a":"b"}"#
  let own = #"{"syslog":{"identifier":"handshaked"},"EventID":1,"a":"b"}"#
  let result = opened(Array((String(repeating: event + "\n", count: 20) + own + "\n").utf8))
  #expect(result.count(.ownOutput) == 1)
}
