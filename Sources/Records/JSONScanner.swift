/// A pull tokenizer of JSON over bytes: no allocation, bounded nesting, tolerant of nothing but white space.
///
/// It reports ranges of the source; strings are ranges between their quotes, still escaped (`appendUnescaped`).
/// Source: RFC 8259. Numbers and words are only delimited, their readers check them.
package struct JSONScanner {
  package enum Token: Equatable, Sendable {
    case objectStart, objectEnd, arrayStart, arrayEnd
    case key(start: Int, end: Int, isEscaped: Bool)
    case string(start: Int, end: Int, isEscaped: Bool)
    /// A number, `true`, `false` or `null`.
    case word(start: Int, end: Int)
    /// The outermost value is closed.
    case end
    case malformed(at: Int)
    case tooDeep(at: Int)
  }

  package private(set) var position: Int
  private let limit: Int
  /// One bit per open level: set for an object. Level 0 is the outermost.
  private var isObject: UInt64 = 0
  package private(set) var depth = 0
  private var expectsKey = false
  private var isDone = false

  /// Reads one value from `start`; bytes from `end` on are never looked at.
  package init(start: Int, end: Int) {
    position = start
    limit = end
  }

  package mutating func next(in bytes: Span<UInt8>) -> Token {
    if isDone { return .end }
    while position < limit {
      let byte = bytes[position]
      switch byte {
      case 0x20, 0x09, 0x0A, 0x0D, 0x2C:
        if byte == 0x2C, depth > 0, isObject & (1 << UInt64(depth - 1)) != 0 { expectsKey = true }
        position += 1
      case 0x7B, 0x5B:
        guard depth < Limits.nestingLimit else { return .tooDeep(at: position) }
        position += 1
        let mask: UInt64 = 1 << UInt64(depth)
        if byte == 0x7B { isObject |= mask } else { isObject &= ~mask }
        depth += 1
        expectsKey = byte == 0x7B
        return byte == 0x7B ? .objectStart : .arrayStart
      case 0x7D, 0x5D:
        guard depth > 0, (isObject & (1 << UInt64(depth - 1)) != 0) == (byte == 0x7D) else {
          return .malformed(at: position)
        }
        position += 1
        depth -= 1
        expectsKey = false
        if depth == 0 { isDone = true }
        return byte == 0x7D ? .objectEnd : .arrayEnd
      case 0x22:
        return string(in: bytes)
      default:
        if expectsKey || depth == 0 { return .malformed(at: position) }
        let start = position
        while position < limit {
          let next = bytes[position]
          if next == 0x2C || next == 0x7D || next == 0x5D || ASCII.isSpace(next) { break }
          guard next > 0x20, next != 0x22, next != 0x7B, next != 0x5B else { return .malformed(at: position) }
          position += 1
        }
        return .word(start: start, end: position)
      }
    }
    return .malformed(at: limit)
  }

  /// The first `"` or `\` in [from, end), else `end` or beyond.
  ///
  /// Eight bytes at a time: a byte of `word ^ pattern` is zero where the pattern's byte stands, and subtracting one from
  /// each borrows into its top bit; what is wrong above the first such byte is not looked at.
  private static func stringStop(in bytes: Span<UInt8>, from: Int, to end: Int) -> Int {
    let each: UInt64 = 0x0101_0101_0101_0101
    var index = from
    while index + 8 <= end {
      let word = unsafe UInt64(littleEndian: bytes.bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
      let quote = word ^ (each &* 0x22)
      let backslash = word ^ (each &* 0x5C)
      let hits = (((quote &- each) & ~quote) | ((backslash &- each) & ~backslash)) & 0x8080_8080_8080_8080
      if hits != 0 { return index + (hits.trailingZeroBitCount >> 3) }
      index += 8
    }
    while index < end, bytes[index] != 0x22, bytes[index] != 0x5C { index += 1 }
    return index
  }

  private mutating func string(in bytes: Span<UInt8>) -> Token {
    let start = position + 1
    var index = start
    var isEscaped = false
    while true {
      index = JSONScanner.stringStop(in: bytes, from: index, to: limit)
      guard index < limit, bytes[index] == 0x5C else { break }
      isEscaped = true
      index += 2
    }
    guard index < limit else { return .malformed(at: limit) }
    position = index + 1
    if expectsKey {
      expectsKey = false
      while position < limit, ASCII.isSpace(bytes[position]) { position += 1 }
      guard position < limit, bytes[position] == 0x3A else { return .malformed(at: position) }
      position += 1
      return .key(start: start, end: index, isEscaped: isEscaped)
    }
    if depth == 0 { isDone = true }
    return .string(start: start, end: index, isEscaped: isEscaped)
  }

  /// Passes over the value that follows a key (or the next array element), whatever it is.
  /// - Returns: the token that ended it badly, else nil.
  package mutating func skipValue(in bytes: Span<UInt8>) -> Token? {
    let level = depth
    while true {
      let token = next(in: bytes)
      switch token {
      case .malformed, .tooDeep: return token
      case .end: return nil
      case .key: continue
      case .string, .word, .objectEnd, .arrayEnd:
        if depth == level { return nil }
        if depth < level { return nil }
      case .objectStart, .arrayStart: continue
      }
    }
  }

  /// Appends a string's bytes with its escapes undone; lone surrogates become U+FFFD, unknown escapes stay as they are.
  package static func appendUnescaped(_ bytes: Span<UInt8>, start: Int, end: Int, to out: inout [UInt8]) {
    var index = start
    while index < end {
      // Whole runs between escapes go over in one piece.
      let run = index
      index = bytes.firstIndex(of: 0x5C, from: index, to: end) ?? end
      if index > run {
        unsafe bytes.extracting(run..<index).withUnsafeBufferPointer { unsafe out.append(contentsOf: $0) }
      }
      guard index + 1 < end else {
        if index < end { out.append(bytes[index]) }
        return
      }
      let escape = bytes[index + 1]
      index += 2
      switch escape {
      case 0x6E: out.append(0x0A)
      case 0x74: out.append(0x09)
      case 0x72: out.append(0x0D)
      case 0x62: out.append(0x08)
      case 0x66: out.append(0x0C)
      case 0x22, 0x5C, 0x2F: out.append(escape)
      case 0x75:
        guard var unit = hex4(bytes, at: index, end: end) else {
          out.append(0x5C)
          out.append(escape)
          continue
        }
        index += 4
        if unit & 0xFC00 == 0xD800, index + 1 < end, bytes[index] == 0x5C, bytes[index + 1] == 0x75,
          let low = hex4(bytes, at: index + 2, end: end), low & 0xFC00 == 0xDC00
        {
          unit = 0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF)
          index += 6
        }
        appendScalar(unit, to: &out)
      default:
        out.append(0x5C)
        out.append(escape)
      }
    }
  }

  private static func hex4(_ bytes: Span<UInt8>, at start: Int, end: Int) -> UInt32? {
    guard start + 4 <= end else { return nil }
    var value: UInt32 = 0
    for index in start..<start + 4 {
      guard let digit = ASCII.hexValue(bytes[index]) else { return nil }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  /// Appends a scalar as UTF-8; what is no scalar becomes U+FFFD.
  package static func appendScalar(_ value: UInt32, to out: inout [UInt8]) {
    let scalar = Unicode.Scalar(value) ?? Unicode.Scalar(0xFFFD)!
    for unit in UTF8.encode(scalar)! { out.append(unit) }
  }
}
