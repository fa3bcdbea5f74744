import Receiving
import Records
import TestSupport
import Testing

@Suite struct MessageSplitterTests {
  /// What comes of bytes that arrive in these pieces.
  private func split(
    _ pieces: [[UInt8]], sender: String = "", limits: ReceivingLimits = ReceivingLimits(), isTakenUp: Bool = false,
    ends: Bool = true
  ) -> (text: String, skips: SkipCounts, fault: MessageSplitter.Fault?, rest: Int) {
    var splitter = MessageSplitter(limits, isTakenUp: isTakenUp)
    var text = MessageText()
    var skips = SkipCounts()
    var fault: MessageSplitter.Fault?
    for piece in pieces where fault == nil {
      fault = splitter.take(piece[...], sender: Array(sender.utf8), into: &text)
      skips.add(splitter.takeSkips())
    }
    let rest = splitter.rest.count
    if ends, fault == nil { splitter.end(sender: Array(sender.utf8), into: &text) }
    skips.add(splitter.takeSkips())
    return (String(decoding: text.bytes, as: UTF8.self), skips, fault, rest)
  }

  private func split(_ text: String, sender: String = "") -> (text: String, skips: SkipCounts) {
    let result = split([Array(text.utf8)], sender: sender)
    return (result.text, result.skips)
  }

  @Test func countsAndLineEndsMayFollowOneAnother() {
    let (text, skips) = split("15 <13>1 - a b - -<14>second\r\n9 <13>third<15>fourth\n\n\0<16>no end")
    #expect(text == "15 <13>1 - a b - -\n<14>second\r\n9 <13>third\n<15>fourth\n<16>no end\n")
    #expect(skips.entries.allSatisfy { $0.count == 0 })
  }

  /// A row of a log begins with digits too.
  @Test func aNumberIsNoCountUnlessAPriorityFollows() {
    #expect(split("2026-03-02 06:00:00 GET\n12 monkeys\n7\n").text == "2026-03-02 06:00:00 GET\n12 monkeys\n7\n")
  }

  @Test func aCountedMessageKeepsItsLines() {
    #expect(split("14 <13>one\ntwo\n3\n5 <13>x").text == "14 <13>one\ntwo\n3\n5 <13>x\n")
  }

  @Test func whatHasNoHeaderGetsItsSender() {
    let (text, _) = split("<13>has one\nplain text\n", sender: "10.1.2.3")
    #expect(text == "<13>has one\n<13>1 - 10.1.2.3 - - - - plain text\n")
  }

  /// Whatever the pieces, the text is the same.
  @Test(arguments: UInt64(0)..<60) func anyCutGivesTheSame(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var bytes: [UInt8] = []
    for _ in 0..<40 {
      let message =
        "<\(Int.random(in: 0...191, using: &random))>"
        + String(repeating: "x", count: Int.random(in: 0...40, using: &random))
      switch Int.random(in: 0..<6, using: &random) {
      case 0, 1: bytes += Array("\(message.utf8.count) \(message)".utf8)
      case 2: bytes += Array("\(message.utf8.count + 6) \(message)\nmore\n".utf8)
      case 3: bytes += Array("\(Int.random(in: 1...90, using: &random)) \(message)".utf8)
      case 4: bytes += Array("\(message)\n".utf8)
      default: bytes += Array("2026-03-02 plain\r\n".utf8)
      }
    }
    var limits = ReceivingLimits()
    limits.messageByteCount = 60
    let whole = split([bytes], sender: "10.0.0.9", limits: limits)
    var pieces: [[UInt8]] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Int.random(in: 1...12, using: &random)
      pieces.append(Array(rest.prefix(count)))
      rest = rest.dropFirst(count)
    }
    let cut = split(pieces, sender: "10.0.0.9", limits: limits)
    #expect(cut.text == whole.text)
    #expect(SkipReason.allCases.allSatisfy { cut.skips[$0].count == whole.skips[$0].count })
    #expect(cut.skips[.badEnvelope].byteCount == whole.skips[.badEnvelope].byteCount)
  }

  /// A few messages are lost, for text before a count may look like more digits of it; then all is read again.
  @Test(arguments: [-3, -1, 1, 4]) func aWrongCountCostsAMessage(error: Int) {
    let good = "<13>1 - host tag - - - a message of some length"
    let bytes = (0..<20).map { "\(good.utf8.count + 3 + ($0 == 2 ? error : 0)) \(good) \($0 + 10)" }.joined()
    let (text, skips) = split(bytes)
    for kept in [10, 11] + (20..<30) { #expect(text.contains("length \(kept)\n"), "\(error): \(text)") }
    #expect(skips[.badEnvelope].count + skips[.tornRecord].count >= 1 || error < 0)
    #expect(skips[.badEnvelope].byteCount < 400)
  }

  @Test func anEndlessLineIsCutAndThenTheConnectionIsGivenUp() {
    var limits = ReceivingLimits()
    limits.messageByteCount = 1000
    limits.passedOverByteCount = 5000
    let chunk = [UInt8](repeating: 0x78, count: 500)
    let result = split(Array(repeating: chunk, count: 40), limits: limits)
    #expect(result.fault == .noBoundary)
    #expect(result.text.utf8.count == 1001)
    #expect(result.skips[.lineTooLong].count == 1)
    #expect(result.skips[.lineTooLong].byteCount >= 5000 && result.skips[.lineTooLong].byteCount < 7000)
  }

  @Test func aLineThatIsTooLongIsCutAndTheNextIsRead() {
    var limits = ReceivingLimits()
    limits.messageByteCount = 100
    let long = [UInt8](repeating: 0x78, count: 350) + Array("\n<13>next\n".utf8)
    let result = split([long], limits: limits)
    #expect(result.text == String(repeating: "x", count: 100) + "\n<13>next\n")
    #expect(result.skips[.lineTooLong].count == 1)
    #expect(result.skips[.lineTooLong].byteCount == 250)
    let counted = split(
      [Array("300 <13>".utf8) + [UInt8](repeating: 0x78, count: 296) + Array("8 <13>next".utf8)], limits: limits)
    #expect(counted.text == "8 <13>next\n")
    #expect(counted.skips[.lineTooLong].byteCount == 304)
  }

  @Test func aCountedMessageThatNeverEndedIsCounted() {
    let (text, skips) = split("50 <13>1 half of it")
    #expect(text.isEmpty)
    #expect(skips[.tornRecord].count == 1)
  }

  /// A connection that another process read before begins anywhere.
  @Test func aStreamTakenUpInTheMiddleStartsAtTheNextMessage() {
    #expect(split([Array("of a message9 <13>whole<14>line\n".utf8)], isTakenUp: true).text == "9 <13>whole\n<14>line\n")
    #expect(split([Array("rest of a line\n<14>line\n".utf8)], isTakenUp: true).text == "<14>line\n")
    #expect(split([Array("<14>first\n".utf8)], isTakenUp: true).text == "<14>first\n")
  }

  /// Nothing that is sent makes it keep more than a message, or read what is not there.
  @Test(arguments: UInt64(0)..<200) func anyBytesAreBorne(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let alphabet = Array("0123456789 <>13\n\r\0x".utf8) + [0xEF, 0xFF]
    var limits = ReceivingLimits()
    limits.messageByteCount = 80
    limits.passedOverByteCount = 400
    var splitter = MessageSplitter(limits)
    var text = MessageText()
    for _ in 0..<200 {
      let piece = (0..<Int.random(in: 1...30, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
      if splitter.take(piece[...], sender: [], into: &text) != nil { splitter = MessageSplitter(limits) }
      #expect(splitter.rest.count <= limits.messageByteCount + 40)
      if Int.random(in: 0..<20, using: &random) == 0 { splitter.giveUp() }
    }
    splitter.end(sender: [], into: &text)
    #expect(text.bytes.isEmpty || text.bytes.last == 0x0A)
  }
}
