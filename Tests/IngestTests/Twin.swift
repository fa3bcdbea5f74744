import Ingest
import Records

/// A line as the walk sees it: its bytes with the line end, where it begins in the stream, its number.
struct Line: Equatable {
  var text: [UInt8]
  var offset: UInt64
  var number: UInt64
}

/// SplitMix64: small, seeded, the same everywhere.
struct Seeded: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// The slow, obvious reader: the whole stream as characters, then as lines.
enum Twin {
  struct Stream {
    var lines: [Line] = []
    var lostByteCount = 0
    var longCount = 0
    var badCount = 0
  }

  static func read(_ bytes: [UInt8], encoding: TextEncoding, markByteCount: Int, limit: Int) -> Stream {
    var stream = Stream()
    var current: [(text: [UInt8], raw: Int)] = []
    var offset = markByteCount
    func endLine(lineEndByteCount: Int) {
      var text = current.flatMap(\.text)
      let rawByteCount = current.reduce(0) { $0 + $1.raw }
      if text.count > limit {
        var cut = limit
        while cut < min(text.count, limit + 3), text[cut] & 0xC0 == 0x80 { cut += 1 }
        if cut < text.count {
          stream.longCount += 1
          if encoding == .utf8 {
            stream.lostByteCount += text.count - cut
          } else {
            var kept = 0
            var index = 0
            while kept < cut {
              kept += current[index].text.count
              index += 1
            }
            stream.lostByteCount += current[index...].reduce(0) { $0 + $1.raw }
          }
          text = Array(text[..<cut])
        }
      }
      let number = UInt64(stream.lines.count + 1)
      stream.lines.append(Line(text: text + [0x0A], offset: UInt64(offset), number: number))
      offset += rawByteCount + lineEndByteCount
      current = []
    }
    for character in characters(of: Array(bytes[markByteCount...]), encoding: encoding, badCount: &stream.badCount) {
      if character.text == [0x0A] { endLine(lineEndByteCount: character.raw) } else { current.append(character) }
    }
    if !current.isEmpty { endLine(lineEndByteCount: 0) }
    return stream
  }

  private static func characters(
    of bytes: [UInt8], encoding: TextEncoding, badCount: inout Int
  ) -> [(text: [UInt8], raw: Int)] {
    if encoding == .utf8 { return bytes.map { ([$0], 1) } }
    var units: [UInt16] = []
    for index in 0..<bytes.count / 2 {
      let (first, second) = (UInt16(bytes[2 * index]), UInt16(bytes[2 * index + 1]))
      units.append(encoding == .utf16BigEndian ? first << 8 | second : second << 8 | first)
    }
    if bytes.count % 2 == 1 { badCount += 1 }
    var out: [(text: [UInt8], raw: Int)] = []
    var index = 0
    while index < units.count {
      let unit = units[index]
      if UTF16.isLeadSurrogate(unit), index + 1 < units.count, UTF16.isTrailSurrogate(units[index + 1]) {
        let scalar = UTF16.decode(UTF16.EncodedScalar([unit, units[index + 1]]))
        out.append((Array(String(scalar).utf8), 4))
        index += 2
        continue
      }
      if UTF16.isSurrogate(unit) { badCount += 1 }
      out.append((Array(String(Unicode.Scalar(unit) ?? "\u{FFFD}").utf8), 2))
      index += 1
    }
    return out
  }
}

extension ChunkReader {
  /// The numbers of the chunk, which itself cannot be copied into an expectation.
  var chunkFacts: (byteCount: Int, encoding: TextEncoding, rawOffset: UInt64, firstLine: UInt64, isFinal: Bool) {
    (chunk.byteCount, chunk.encoding, chunk.rawOffset, chunk.firstLine, chunk.isFinal)
  }

  /// Reads to the end as a walk would. `keep` says how many lines of a chunk that has so many stay unread; one is
  /// read at least where the reader asks for progress. Checks the shape of every chunk on the way.
  mutating func lines(
    limit: Int = Limits.recordByteLimit, keep: (Int) -> Int = { _ in 0 }
  ) throws -> (lines: [Line], faults: [String]) {
    var lines: [Line] = []
    var faults: [String] = []
    var finalCount = 0
    while try fill() {
      let count = chunk.byteCount
      let text = Array(chunk.storage[..<count])
      if count > 0, text[count - 1] != 0x0A { faults.append("no line end at the end of a chunk") }
      if count > chunk.storage.count - Limits.slackByteCount { faults.append("no slack") }
      if count == 0, !chunk.isFinal { faults.append("an empty chunk that is not final") }
      if finalCount > 0, !chunk.isFinal { faults.append("a chunk after the final one") }
      if chunk.isFinal { finalCount += 1 }
      var map = OffsetMap(encoding: chunk.encoding, base: chunk.rawOffset)
      var ends = text.indices.filter { text[$0] == 0x0A }
      var kept = min(ends.count, keep(ends.count))
      if kept == ends.count, chunk.isFinal || count >= limit { kept = max(0, kept - 1) }
      ends.removeLast(kept)
      var start = 0
      var number = chunk.firstLine
      for end in ends {
        let offset = map.rawOffset(at: start, in: text.span)
        lines.append(Line(text: Array(text[start...end]), offset: offset, number: number))
        start = end + 1
        number += 1
      }
      consume(start)
    }
    if finalCount == 0 { faults.append("no final chunk") }
    return (lines, faults)
  }
}
