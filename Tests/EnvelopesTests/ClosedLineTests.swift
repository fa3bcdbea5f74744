import TestSupport
import Testing

/// Lines that cannot be an envelope by their first bytes are passed in one call: together they are what each is alone, where the
/// first line of a chunk is looked at by itself.
@Suite struct ClosedLineTests {
  private static let starts = [
    "<13>1 2026-03-02T06:00:00Z h CcmExec - - - ", "Mar  2 06:00:00 h app: ", "2026-03-02T06:00:00Z h app: ",
    #"{"message":"text of a line","host":"h"} "#, "<![LOG[", "<E", "<1", "<", "Mar", "Sat  3 x",
    "Sep 12 06:00:00 h a: ",
    "SMS_EXECUTIVE ", "~Moved ", "*** [08001] ", "Nov", "A  b  c:d ", "Oct  2 06", "", " ", "\t",
    "\u{FEFF}<13>1 - h a - - - ",
    "z", "[CCMHTTP] ", "\u{E9}t\u{E9} ", "Dec  2 06:00:0", "Feb.12 06:00:00 h a: ", "Jan 12.06:00:00 h a: ",
  ]

  private static func line(_ random: inout SeededGenerator) -> String {
    var bytes = Array(starts.randomElement(using: &random)!.utf8)
    for _ in 0..<[0, 1, 8, 30].randomElement(using: &random)! {
      bytes.append(Array("abc <E:-01".utf8).randomElement(using: &random)!)
    }
    if !bytes.isEmpty, Int.random(in: 0..<4, using: &random) == 0 {
      bytes[Int.random(in: 0..<min(12, bytes.count), using: &random)] =
        Array("< :E1{MA\u{7F}".utf8).randomElement(using: &random)!
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test(arguments: UInt64(0)..<200) func togetherTheyAreWhatEachIs(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let lines = (0..<40).map { _ in ClosedLineTests.line(&random) }
    let alone = lines.map { opened(Array(($0 + "\n").utf8)).lines.map { "\($0.origin) \($0.string)" } }
    let result = opened(Array(lines.map { $0 + "\n" }.joined().utf8))
    var together = [[String]](repeating: [], count: lines.count)
    for line in result.lines { together[Int(line.line) - 1].append("\(line.origin) \(line.string)") }
    for index in lines.indices {
      #expect(together[index] == alone[index], "\(lines[index].debugDescription)")
    }
  }
}
