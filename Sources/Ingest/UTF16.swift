/// UTF-16 bytes to UTF-8, piece by piece.
///
/// A unit below 0x80 becomes one byte, below 0x800 two, any other three; a surrogate pair becomes four. So the text
/// is at most 3/2 of the raw bytes, and `OffsetMap` finds back: each character is two raw bytes, or four when its
/// first byte is 0xF0 or more. A lone surrogate becomes U+FFFD, three bytes of text for its two.
/// Source: Unicode 16.0, sections 3.9 and 3.10.
package struct UTF16Step: Equatable, Sendable {
  /// Raw bytes used; the rest (an odd byte, the first half of a pair) waits for the next piece.
  package var readByteCount = 0
  package var writtenByteCount = 0
  /// Lone surrogates, and the odd byte at the end of the stream.
  package var badCount = 0
  package var badByteCount = 0
  /// The first bad place, in the raw piece and in the text.
  package var firstBadRaw = 0
  package var firstBadText = 0

  private let start: Int

  private mutating func noteBad(_ byteCount: Int) {
    if badCount == 0 {
      firstBadRaw = readByteCount
      firstBadText = start + writtenByteCount
    }
    badCount += 1
    badByteCount += byteCount
  }

  /// The most text that `rawByteCount` bytes can become.
  package static func textLimit(rawByteCount: Int) -> Int { rawByteCount / 2 * 3 }

  /// Decodes the whole units of `raw` into `text` from `start` on, where `textLimit` bytes or more have room. At the
  /// end of the stream nothing waits: what is incomplete is bad.
  package init(
    decoding raw: Span<UInt8>, isBigEndian: Bool, isEnd: Bool, into text: inout MutableSpan<UInt8>, at start: Int
  ) {
    precondition(text.count - start >= UTF16Step.textLimit(rawByteCount: raw.count))
    self.start = start
    let high = isBigEndian ? 0 : 1
    let low = 1 - high
    // Four ASCII units have nothing outside these bits.
    let notASCII: UInt64 = isBigEndian ? 0x80FF_80FF_80FF_80FF : 0xFF80_FF80_FF80_FF80
    while readByteCount + 1 < raw.count {
      while readByteCount + 8 <= raw.count {
        let word = unsafe raw.bytes.unsafeLoadUnaligned(fromByteOffset: readByteCount, as: UInt64.self)
        guard UInt64(littleEndian: word) & notASCII == 0 else { break }
        for unit in 0..<4 { text[start + writtenByteCount + unit] = raw[readByteCount + 2 * unit + low] }
        readByteCount += 8
        writtenByteCount += 4
      }
      guard readByteCount + 1 < raw.count else { break }
      let unit = UInt32(raw[readByteCount + high]) << 8 | UInt32(raw[readByteCount + low])
      if unit & 0xF800 != 0xD800 {
        append(unit, to: &text)
        readByteCount += 2
        continue
      }
      if unit < 0xDC00 {
        if readByteCount + 3 < raw.count {
          let next = UInt32(raw[readByteCount + 2 + high]) << 8 | UInt32(raw[readByteCount + 2 + low])
          if next & 0xFC00 == 0xDC00 {
            append(0x10000 + (unit & 0x3FF) << 10 + (next & 0x3FF), to: &text)
            readByteCount += 4
            continue
          }
        } else if !isEnd {
          return
        }
      }
      noteBad(2)
      append(0xFFFD, to: &text)
      readByteCount += 2
    }
    if isEnd, readByteCount < raw.count {
      noteBad(1)
      readByteCount = raw.count
    }
  }

  /// The same over arrays: the first `count` bytes of `raw`.
  init(
    decoding raw: [UInt8], count: Int, isBigEndian: Bool, isEnd: Bool, into text: inout [UInt8], at start: Int
  ) {
    var span = text.mutableSpan
    self.init(
      decoding: raw.span.extracting(0..<count), isBigEndian: isBigEndian, isEnd: isEnd, into: &span, at: start)
  }

  private mutating func append(_ scalar: UInt32, to text: inout MutableSpan<UInt8>) {
    func put(_ value: UInt32, at offset: Int) {
      text[start + writtenByteCount + offset] = UInt8(truncatingIfNeeded: value)
    }
    switch scalar {
    case ..<0x80:
      put(scalar, at: 0)
      writtenByteCount += 1
    case ..<0x800:
      put(0xC0 | scalar >> 6, at: 0)
      put(0x80 | scalar & 0x3F, at: 1)
      writtenByteCount += 2
    case ..<0x10000:
      put(0xE0 | scalar >> 12, at: 0)
      put(0x80 | scalar >> 6 & 0x3F, at: 1)
      put(0x80 | scalar & 0x3F, at: 2)
      writtenByteCount += 3
    default:
      put(0xF0 | scalar >> 18, at: 0)
      put(0x80 | scalar >> 12 & 0x3F, at: 1)
      put(0x80 | scalar >> 6 & 0x3F, at: 2)
      put(0x80 | scalar & 0x3F, at: 3)
      writtenByteCount += 4
    }
  }
}
