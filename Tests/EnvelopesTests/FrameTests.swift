import Envelopes
import Records
import Testing

/// `count SP message`.
private func framed(_ message: String) -> String { "\(message.utf8.count) \(message)" }

@Test func octetCountsHoldWithTheLineEndInOrOutOfThem() {
  let result = opened(
    framed("<13>1 - a - - - - one\n") + framed("<13>1 - b - - - - two") + "\n" + framed("<13>1 - c - - - - three")
      + "\r\nplain\n")
  #expect(result.texts == ["one", "two", "three", "plain"])
  #expect(result.lines.map(\.origin.host) == ["a", "b", "c", nil])
  #expect(result.lines.map(\.line) == [1, 2, 3, 4])
  #expect(result.skips.isEmpty)
}

@Test func severalMessagesOnOneLine() {
  let first = framed("<13>1 - a - - - - one")
  let second = framed("<13>Jan  2 03:04:05 b log: two")
  let third = framed("<13>1 - handshaked handshaked - - - ours")
  let result = opened(first + second + third + first + "\nplain\n")
  #expect(result.texts == ["one", "two", "one", "plain"])
  #expect(result.lines.map(\.origin.host) == ["a", "b", "a", nil])
  let before = ["", first, first + second + third, first + second + third + first + "\n"]
  #expect(result.lines.map(\.offset) == before.map { UInt64($0.utf8.count) })
  #expect(result.lines.map(\.line) == [1, 1, 1, 2])
  #expect(result.skips.map(\.reason) == [.ownOutput])
  #expect(result.skips.map { Int($0.end - $0.start) } == [third.utf8.count])
}

@Test func oneMessageOverSeveralLines() {
  let message = framed("<13>1 - a - - - - one\r\n2026-03-02 06:00:00 x\n\nfour")
  let result = opened(message + message + "\nplain\n")
  let lines = ["one\r", "2026-03-02 06:00:00 x", "", "four"]
  #expect(result.texts == lines + lines + ["plain"])
  #expect(result.lines.map(\.line) == [1, 1, 1, 1, 4, 4, 4, 4, 8])
  #expect(result.skips.isEmpty)
}

@Test func aCountThatFitsNoBoundaryIsALineWithABadEnvelope() {
  let result = opened("30 <13>1 - a - - - - one\n10 <13>1 - b - - - - two\nplain\n999 <13>1 - c - - - - three\n")
  #expect(result.texts == ["one", "two", "plain", "three"])
  #expect(result.lines.map(\.origin.host) == ["a", "b", nil, "c"])
  #expect(result.skips.map(\.reason) == [.badEnvelope, .badEnvelope, .badEnvelope])
  #expect(result.skips.map(\.line) == [1, 2, 4])
}

@Test func anUnfinishedMessageIsLeftForTheNextChunk() {
  let message = framed("<13>1 - a - - - - one\ntwo\nthree")
  let text = "plain\n" + framed("<13>1 - a - - - - zero") + message + "\n"
  var opener = EnvelopeOpener(origin: fileOrigin)
  var batch = RecordBatch()
  let bytes = Array(text.utf8)
  let cut = bytes.count - "three\n".utf8.count
  let count = opener.open(Chunk(text: Array(bytes[..<cut]), isFinal: false), into: &batch)
  #expect(count == bytes.count - message.utf8.count - 1)
  #expect(batch.lineEnds.count == 2)
  batch.removeAll()
  #expect(opener.open(Chunk(text: Array(bytes[count...])), into: &batch) == bytes.count - count)
  #expect(batch.lineEnds.count == 3)
  #expect(opened(bytes, cuts: [cut]).lines == opened(bytes).lines)
}

@Test func aDirectChunkEndsBeforeAnUnfinishedMessage() {
  var opener = EnvelopeOpener(origin: fileOrigin)
  var batch = RecordBatch()
  let text = "one\ntwo\n90 <13>1 - a - - - - three\nfour\n"
  #expect(opener.open(Chunk(text: Array(text.utf8), isFinal: false), into: &batch) == 8)
  #expect(batch.isDirect)
  #expect(batch.lineEnds == [3, 7])
}

@Test func waitingEndsAtTheRecordLimit() {
  // The count asks for more than a reader holds: the chunk is read by lines instead of for ever asked again.
  let head = "1048576 <13>1 - a - - - - one\n"
  let line = String(repeating: "x", count: 1023) + "\n"
  let text = head + String(repeating: line, count: 1024)
  var opener = EnvelopeOpener(origin: fileOrigin)
  var batch = RecordBatch()
  let chunk = Chunk(text: Array(text.utf8.prefix(Limits.recordByteLimit)) + [0x0A], isFinal: false)
  #expect(opener.open(chunk, into: &batch) == chunk.byteCount)
  #expect(batch.skipEvents.map(\.reason) == [.badEnvelope])
  batch.removeAll()
  #expect(opener.open(Chunk(text: Array(head.utf8), isFinal: false), into: &batch) == 0)
}

@Test func whatOnlyBeginsLikeAMessageIsNotWaitedFor() {
  var opener = EnvelopeOpener(origin: fileOrigin)
  var batch = RecordBatch()
  let chunk = Chunk(text: Array("500 <13>no header\n".utf8), isFinal: false)
  #expect(opener.open(chunk, into: &batch) == chunk.byteCount)
  #expect(batch.isDirect)
}
