/// How the bytes of a stream are written. Windows-1252 needs no transcoding: its bytes pass as they are and only
/// text for people is decoded (`Text.decode`).
package enum TextEncoding: UInt8, Sendable {
  case utf8, utf16LittleEndian, utf16BigEndian
}

/// A run of whole lines read from one stream, as UTF-8 (or single-byte text); Envelopes finds the origins.
///
/// Shape: 0 ≤ `byteCount` ≤ `storage.count - Limits.slackByteCount` and, unless empty, the last valid byte is `\n`;
/// a partial last line stays with the reader. Filled by one stage, borrowed by the next, never copied.
///
/// Position: `rawOffset` is where the first byte lies in the stream's own bytes (after decompression). For UTF-8
/// text positions and raw bytes run in step; for UTF-16 every character before a position counts two bytes, or four
/// when it lies beyond the basic plane (`OffsetMap`).
package struct Chunk: ~Copyable {
  package var storage: [UInt8]
  package var byteCount: Int
  package var encoding: TextEncoding
  package var rawOffset: UInt64
  /// 1-based number of the first line.
  package var firstLine: UInt64
  /// The stream ends with this chunk: nothing may be left unread.
  package var isFinal: Bool

  package init(capacity: Int) {
    storage = [UInt8](repeating: 0, count: capacity + Limits.slackByteCount)
    byteCount = 0
    encoding = .utf8
    rawOffset = 0
    firstLine = 1
    isFinal = false
  }

  /// A whole stream in memory, for tests and `explain`: a missing line end at the end is added.
  package init(text: [UInt8], rawOffset: UInt64 = 0, firstLine: UInt64 = 1, isFinal: Bool = true) {
    storage = text
    if let last = text.last, last != 0x0A { storage.append(0x0A) }
    byteCount = storage.count
    storage.append(contentsOf: repeatElement(0, count: Limits.slackByteCount))
    encoding = .utf8
    self.rawOffset = rawOffset
    self.firstLine = firstLine
    self.isFinal = isFinal
  }

  package var bytes: Span<UInt8> {
    @_lifetime(borrow self)
    get { storage.span.extracting(0..<byteCount) }
  }
}

/// Text positions of a chunk to raw byte offsets; asked in ascending order it walks the text once.
package struct OffsetMap: Sendable {
  package let encoding: TextEncoding
  package let base: UInt64
  private var position = 0
  private var raw: UInt64

  package init(encoding: TextEncoding, base: UInt64) {
    self.encoding = encoding
    self.base = base
    raw = base
  }

  package mutating func rawOffset(at target: Int, in text: Span<UInt8>) -> UInt64 {
    if encoding == .utf8 { return base + UInt64(target) }
    if target < position {
      position = 0
      raw = base
    }
    while position < target {
      let byte = text[position]
      if byte & 0xC0 != 0x80 { raw += byte >= 0xF0 ? 4 : 2 }
      position += 1
    }
    return raw
  }
}
