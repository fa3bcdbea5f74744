import CKernels
import Records

/// Finds the end of one JSON object, on one line or pretty-printed over many.
///
/// It is stricter than the reader where that tells a torn object from a long one: a line that ends inside a string,
/// a value where a comma belongs, or a `{` that follows a colon at the very beginning of a line, means that the rest
/// never came. A comma before a closing bracket is let pass.
/// Source: RFC 8259.
package enum EventJSONBoundary {
  /// The end of the object at `start` where bit masks prove that it ends before `lineEnd`, as nearly every object on
  /// one line does; nil says nothing, and `find` decides. What is proved here `find` calls complete with the same end.
  package static func wholeOnLine(in text: Span<UInt8>, start: Int, lineEnd: Int) -> Int? {
    guard start >= 0, start < lineEnd, lineEnd <= text.count else { return nil }
    return unsafe text.withUnsafeBufferPointer { raw in
      let byteCount = unsafe hk_json_object(raw.baseAddress! + start, lineEnd - start, raw.count - start)
      return byteCount == 0 ? nil : start + byteCount
    }
  }

  private enum Expected { case firstKey, key, colon, value, firstValue, comma }

  /// `start` is at the `{`.
  package static func find(in text: Span<UInt8>, start: Int, end: Int) -> EventBoundary {
    let end = min(end, text.count)
    guard start >= 0, start < end, text[start] == 0x7B else { return .notAnEvent }
    /// One bit per open level, set for an object; deeper levels are only counted.
    var objects: UInt64 = 1
    var depth = 1
    var isTooDeep = false
    var expected = Expected.firstKey
    /// A key and its colon were seen: this is JSON, not prose in braces.
    var hasKey = false
    var index = start + 1

    while index < end {
      let byte = text[index]
      if ASCII.isSpace(byte) {
        index += 1
        continue
      }
      if byte == 0x22 {
        guard let after = stringEnd(in: text, from: index + 1, to: end) else { return .incomplete }
        guard after > 0 else {
          guard hasKey else { return .notAnEvent }
          // Every line of what is nested too deeply would come to this same fault.
          return .torn(end: resume(in: text, start: isTooDeep ? -after : start, at: -after, end: end))
        }
        index = after
        if depth > Limits.nestingLimit { continue }
        switch expected {
        case .firstKey, .key: expected = .colon
        case .value, .firstValue: expected = .comma
        case .colon, .comma:
          guard hasKey else { return .notAnEvent }
          return .torn(end: resume(in: text, start: isTooDeep ? index - 1 : start, at: index - 1, end: end))
        }
        continue
      }
      if depth > Limits.nestingLimit {
        if byte == 0x7B || byte == 0x5B { depth += 1 }
        if byte == 0x7D || byte == 0x5D { depth -= 1 }
        if depth == Limits.nestingLimit { expected = .comma }
        index += 1
        continue
      }
      var isWrong = false
      switch byte {
      case 0x3A:
        isWrong = expected != .colon
        expected = .value
        hasKey = hasKey || !isWrong
      case 0x2C:
        isWrong = expected != .comma
        expected = objects & 1 << UInt64(depth - 1) != 0 ? .key : .firstValue
      case 0x7B, 0x5B:
        isWrong = expected != .value && expected != .firstValue
        if byte == 0x7B, expected == .value, text[index - 1] == 0x0A { isWrong = true }
        if !isWrong {
          depth += 1
          if depth > Limits.nestingLimit {
            isTooDeep = true
          } else {
            let mask: UInt64 = 1 << UInt64(depth - 1)
            objects = byte == 0x7B ? objects | mask : objects & ~mask
            expected = byte == 0x7B ? .firstKey : .firstValue
          }
        }
      case 0x7D, 0x5D:
        let isObject = objects & 1 << UInt64(depth - 1) != 0
        isWrong = isObject != (byte == 0x7D) || expected == .colon || expected == .value
        if !isWrong {
          depth -= 1
          if depth == 0 { return isTooDeep ? .tooDeep(end: index + 1) : .complete(end: index + 1) }
          expected = .comma
        }
      default:
        isWrong = (expected != .value && expected != .firstValue) || !isWord(byte)
        if !isWrong {
          while index + 1 < end, isWord(text[index + 1]) { index += 1 }
          expected = .comma
        }
      }
      if isWrong {
        guard hasKey else { return .notAnEvent }
        return .torn(end: resume(in: text, start: isTooDeep ? index : start, at: index, end: end))
      }
      index += 1
    }
    return .incomplete
  }

  /// Bytes of numbers and of `true`, `false`, `null`.
  private static func isWord(_ byte: UInt8) -> Bool {
    ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == 0x2D || byte == 0x2B || byte == 0x2E
  }

  /// The position after the closing quote; nil when the text ends first; the negated position of a line end that
  /// stands in the string, where none may.
  private static func stringEnd(in text: Span<UInt8>, from start: Int, to end: Int) -> Int? {
    var index = start
    while index < end {
      let from = index
      index += unsafe text.withUnsafeBufferPointer { unsafe hk_json_string_stop($0.baseAddress! + from, end - from) }
      guard index < end else { return nil }
      switch text[index] {
      case 0x22: return index + 1
      case 0x0A: return -index
      default:
        if index + 1 < end, text[index + 1] == 0x0A { return -(index + 1) }
        index += 2
      }
    }
    return nil
  }

  private static func isJSONLine(_ first: UInt8) -> Bool {
    ASCII.isSpace(first) || first == 0x22 || first == 0x7D || first == 0x5D || first == 0x2C || first == 0x3A
  }

  /// Where to go on after a fault at `fault`: the first later line up to there that begins with `{`, else the line of
  /// the fault when it is a later one and begins as no line of JSON does (a record of another shape), else the line
  /// after it.
  private static func resume(in text: Span<UInt8>, start: Int, at fault: Int, end: Int) -> Int {
    var index = start
    while let lineEnd = text.firstIndex(of: 0x0A, from: index, to: fault) {
      if text[lineEnd + 1] == 0x7B { return lineEnd + 1 }
      index = lineEnd + 1
    }
    if index > start, index <= fault, !isJSONLine(text[index]) { return index }
    guard let lineEnd = text.firstIndex(of: 0x0A, from: fault, to: end) else { return end }
    return lineEnd + 1
  }
}
