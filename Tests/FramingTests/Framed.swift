import Envelopes
import Extraction
import Framing
import Records

/// A record with its place in the stream, free of chunks and batches.
struct FramedRecord: Hashable, CustomStringConvertible {
  var format: RecordFormat
  var isTorn: Bool
  /// The physical bytes it came from, [offset, end).
  var offset: Int
  var end: Int
  var line: Int
  var origin: Origin
  var text: [UInt8]
  var message: [UInt8]
  var knownBias: Int16
  /// Places of the pieces after the first, of a record that came in several envelopes.
  var furtherPieces: [Range<Int>]

  var description: String {
    "\(offset)…\(end) line \(line) \(format.name) \(isTorn ? "torn" : "whole") \(Text.decode(text).debugDescription)"
  }
}

struct FramedRow: Hashable {
  var format: RecordFormat
  var names: [String]
  var offset: Int
  var end: Int
  var line: Int
  var day: Int64
  var origin: Origin
}

struct FramedSkip: Hashable {
  var reason: SkipReason
  var offset: Int
  var end: Int
  var line: Int
}

/// What opener and framer made of a whole stream.
struct Framed: Equatable {
  var records: [FramedRecord] = []
  var rows: [FramedRow] = []
  var skips: [FramedSkip] = []
  var markerCount: UInt64 = 0
  /// Whole records by format.
  var counts: [UInt64] = []
}

let ownOrigin = Origin(host: "PC-1", log: "CcmMessaging", path: "CcmMessaging.log")

/// Runs a stream through opener and framer. `cuts` are offsets behind line ends at which a read ended, ascending; what
/// a chunk leaves is put in front of the next one, as the reader does.
/// - Parameters:
///   - usesPlainForms: false: every record by itself.
///   - visit: sees each batch before the next one is read, with its text and the bytes that were consumed.
func framed(
  _ stream: [UInt8], cuts: [Int] = [], recordByteLimit: Int = Limits.recordByteLimit,
  usesPlainForms: Bool = true,
  visit: (Span<UInt8>, borrowing Chunk, inout RecordBatch) -> Void = { _, _, _ in }
) -> Framed {
  var result = Framed()
  var bytes = stream
  if let last = bytes.last, last != 0x0A { bytes.append(0x0A) }
  var opener = EnvelopeOpener(origin: ownOrigin)
  var framer = Framer(recordByteLimit: recordByteLimit)
  framer.usesPlainForms = usesPlainForms
  var batch = RecordBatch()
  batch.origins = [ownOrigin]
  var start = 0
  var firstLine = 1
  for stop in cuts.filter({ $0 > 0 && $0 < bytes.count }) + [bytes.count] {
    let isFinal = stop == bytes.count
    let chunk = Chunk(
      text: Array(bytes[start..<stop]), rawOffset: UInt64(start), firstLine: UInt64(firstLine), isFinal: isFinal)
    batch.removeAll()
    let opened = opener.open(chunk, into: &batch)
    func walk(_ text: Span<UInt8>) -> Int {
      let consumed = framer.frame(
        text, isFinal: isFinal && opened == chunk.byteCount, openedByteCount: opened, base: chunk.rawOffset,
        into: &batch)
      visit(text, chunk, &batch)
      result.add(batch, text, consumed: consumed, offset: start, firstLine: firstLine)
      return consumed
    }
    var consumed = 0
    if batch.isDirect {
      consumed = walk(chunk.bytes)
      precondition(opened < chunk.byteCount || chunk.byteCount - consumed < recordByteLimit, "the reader would drop it")
    } else {
      let arena = batch.arena
      consumed = walk(arena.span)
    }
    precondition(!isFinal || consumed == chunk.byteCount, "bytes were left at the end")
    firstLine += bytes[start..<start + consumed].count { $0 == 0x0A }
    start += consumed
  }
  // Skips of the opener come before those of the framer in each chunk.
  result.skips.sort { ($0.offset, $0.reason.rawValue, $0.end) < ($1.offset, $1.reason.rawValue, $1.end) }
  result.markerCount = batch.markerCount
  result.counts = batch.recordCounts
  return result
}

extension Framed {
  fileprivate mutating func add(
    _ batch: borrowing RecordBatch, _ text: Span<UInt8>, consumed: Int, offset: Int, firstLine: Int
  ) {
    func bytes(_ start: UInt32, _ end: UInt32) -> [UInt8] { (start..<end).map { text[Int($0)] } }
    func pieces(after slot: RecordSlot, _ batch: borrowing RecordBatch) -> [(Int, Int)] {
      guard !batch.isDirect else { return [] }
      var places: [(Int, Int)] = []
      var line = Int(slot.line)
      while line + 1 < batch.lineEnds.count, batch.lineEnds[line] < slot.end {
        line += 1
        if batch.lines[line].joinsPrevious {
          places.append((Int(batch.lines[line].chunkStart), Int(batch.lines[line].chunkEnd)))
        }
      }
      precondition(places.count + 1 == batch.pieceCount(end: Int(slot.end), line: Int(slot.line)))
      return places
    }
    for slot in batch.records {
      precondition(
        slot.start <= slot.messageStart && slot.messageStart <= slot.messageEnd && slot.messageEnd <= slot.end)
      let place = batch.chunkRange(start: Int(slot.start), end: Int(slot.end), line: Int(slot.line))
      records.append(
        FramedRecord(
          format: slot.format, isTorn: slot.isTorn, offset: offset + place.start, end: offset + place.end,
          line: firstLine + batch.physicalLine(Int(slot.line)), origin: batch.origins[Int(slot.origin)],
          text: bytes(slot.start, slot.end), message: bytes(slot.messageStart, slot.messageEnd),
          knownBias: slot.knownBias, furtherPieces: pieces(after: slot, batch).map { offset + $0..<offset + $1 }))
    }
    for run in batch.rowRuns {
      for line in run.firstLine..<run.lastLine {
        let bounds = batch.lineBounds(line)
        let place = batch.chunkRange(start: bounds.start, end: bounds.end, line: line)
        rows.append(
          FramedRow(
            format: batch.schemas[run.schema].format, names: batch.schemas[run.schema].names,
            offset: offset + place.start, end: offset + place.end, line: firstLine + batch.physicalLine(line),
            day: run.dayMicroseconds, origin: batch.origins[Int(run.origin)]))
      }
    }
    for event in batch.skipEvents where Int(event.start) < consumed {
      skips.append(
        FramedSkip(
          reason: event.reason, offset: offset + Int(event.start), end: offset + Int(event.end),
          line: firstLine + Int(event.lineIndex)))
    }
  }

  /// Text that no record, row or skip covers, line by line, without the blanks and byte order marks around it.
  func uncovered(in stream: [UInt8]) -> [(offset: Int, line: Int, bytes: [UInt8])] {
    var covered = [Bool](repeating: false, count: stream.count + 1)
    for record in records {
      for place in [record.offset..<record.end] + record.furtherPieces { for index in place { covered[index] = true } }
    }
    for row in rows { for index in row.offset..<row.end { covered[index] = true } }
    for skip in skips { for index in skip.offset..<skip.end { covered[index] = true } }
    var pieces: [(offset: Int, line: Int, bytes: [UInt8])] = []
    var line = 1
    var start = 0
    for index in 0...stream.count {
      let isEnd = index == stream.count
      guard isEnd || covered[index] || stream[index] == 0x0A else { continue }
      let text = trimmed(stream[start..<index])
      if !text.isEmpty { pieces.append((text.startIndex, line, Array(text))) }
      start = index + 1
      if !isEnd, stream[index] == 0x0A { line += 1 }
    }
    return pieces
  }

  private func trimmed(_ piece: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var rest = piece
    while true {
      if let first = rest.first, [0x20, 0x09, 0x0D].contains(first) {
        rest.removeFirst()
      } else if let last = rest.last, [0x20, 0x09, 0x0D].contains(last) {
        rest.removeLast()
      } else if rest.starts(with: [0xEF, 0xBB, 0xBF]) {
        rest.removeFirst(3)
      } else {
        return rest
      }
    }
  }
}
