import Glibc

/// Bytes to text and back, at the edges of the walk only.
package enum Text {
  /// UTF-8 as it is; anything else as Windows-1252, the last resort for logs of old Windows programs.
  package static func decode(_ bytes: Span<UInt8>) -> String {
    unsafe bytes.withUnsafeBufferPointer { raw in
      if let whole = unsafe String(validating: raw, as: UTF8.self) { return whole }
      var scalars = String.UnicodeScalarView()
      for index in 0..<bytes.count { scalars.append(windows1252(bytes[index])) }
      return String(scalars)
    }
  }

  package static func decode(_ bytes: [UInt8]) -> String { decode(bytes.span) }

  /// Source: the WHATWG encoding index of windows-1252; the five unassigned bytes map to C1 controls.
  package static func windows1252(_ byte: UInt8) -> Unicode.Scalar {
    guard byte >= 0x80, byte < 0xA0 else { return Unicode.Scalar(byte) }
    let high: [UInt32] = [
      0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,
      0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
      0x0153, 0x9D, 0x017E, 0x0178,
    ]
    return Unicode.Scalar(high[Int(byte) - 0x80])!
  }
}

extension Span where Element == UInt8 {
  /// Whether `literal` stands at `position`.
  @inlinable package func has(_ literal: StaticString, at position: Int) -> Bool {
    let count = literal.utf8CodeUnitCount
    guard position >= 0, position + count <= self.count else { return false }
    return unsafe withUnsafeBufferPointer { raw in
      let base = unsafe literal.utf8Start
      for index in 0..<count where unsafe raw[position + index] != base[index] { return false }
      return true
    }
  }

  /// As `has`, with ASCII letters of either case taken as equal; `literal` is in lower case.
  @inlinable package func hasCaseless(_ literal: StaticString, at position: Int) -> Bool {
    let count = literal.utf8CodeUnitCount
    guard position >= 0, position + count <= self.count else { return false }
    return unsafe withUnsafeBufferPointer { raw in
      let base = unsafe literal.utf8Start
      for index in 0..<count where unsafe ASCII.lower(raw[position + index]) != base[index] { return false }
      return true
    }
  }

  /// The first `byte` in [from, to), or nil.
  package func firstIndex(of byte: UInt8, from: Int, to: Int) -> Int? {
    guard from < to else { return nil }
    return unsafe extracting(from..<to).withUnsafeBytes { raw in
      guard let base = raw.baseAddress, let hit = unsafe memchr(base, Int32(byte), raw.count) else { return nil }
      return unsafe from + (UnsafeRawPointer(hit) - base)
    }
  }
}

/// Classes of ASCII bytes.
@usableFromInline package enum ASCII {
  @inlinable package static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
  @inlinable package static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
  @inlinable package static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
  @inlinable package static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A
  }
  @inlinable package static func lower(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
  /// The value of a hexadecimal digit, or nil.
  @inlinable package static func hexValue(_ byte: UInt8) -> UInt8? {
    if byte &- 0x30 < 10 { return byte &- 0x30 }
    let low = byte | 0x20
    return low &- 0x61 < 6 ? low &- 0x61 &+ 10 : nil
  }
}

/// A pull parser of decimal numbers over a span; the caller owns the position.
@usableFromInline package struct NumberCursor {
  @usableFromInline package var position: Int
  @usableFromInline package init(_ position: Int) { self.position = position }

  /// Reads 1 to `most` digits; nil and unmoved when there is none.
  @inlinable package mutating func digits(in bytes: Span<UInt8>, to end: Int, most: Int) -> (value: Int, count: Int)? {
    var value = 0
    var count = 0
    while count < most, position < end, ASCII.isDigit(bytes[position]) {
      value = value * 10 + Int(bytes[position] - 0x30)
      position += 1
      count += 1
    }
    return count == 0 ? nil : (value, count)
  }

  /// Takes one given byte; false and unmoved when another stands there.
  @inlinable package mutating func take(_ byte: UInt8, in bytes: Span<UInt8>, to end: Int) -> Bool {
    guard position < end, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  @inlinable package mutating func skipBlanks(in bytes: Span<UInt8>, to end: Int) {
    while position < end, ASCII.isBlank(bytes[position]) { position += 1 }
  }
}
