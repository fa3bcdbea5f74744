/// How a piece of JSON looks without its values: the literals between them, so that text of the same shape is known by
/// compares (`hk_json_match`). Forwarders write the same keys in the same order line after line.
///
///     {"EventTime":"2026-03-02 06:00:00","Keywords":-92…,"EventID":36887}
///     {"EventTime":"                   ","Keywords":    ,"EventID":     }
///
/// Where all literals stand again and values of the same kinds between them, `JSONScanner` gives the same tokens with
/// other values.
package struct JSONShape: Sendable {
  /// What follows a literal; numbers are those of events.h.
  package enum Value: UInt32, Sendable { case nothing, string, word }

  package static let pieceLimit = 96
  private static let literalByteLimit = 4096

  /// The literals one behind the other.
  package private(set) var literals: [UInt8] = []
  /// A literal's byte count times 4, plus what follows it; nothing follows the last.
  package private(set) var pieces: [UInt32] = []

  /// The shape of [start, stop), which lies in JSON that ends before `end`; nil when it is damaged or too long, or
  /// `admits` refuses a token.
  package init?(
    _ bytes: Span<UInt8>, start: Int, stop: Int, end: Int, admits: (JSONScanner.Token) -> Bool
  ) {
    var scanner = JSONScanner(start: start, end: end)
    var literalStart = start
    while scanner.position < stop {
      let token = scanner.next(in: bytes)
      guard admits(token) else { return nil }
      switch token {
      case .string(let from, let to, _):
        guard take(bytes, literalStart, from, .string) else { return nil }
        literalStart = to
      case .word(let from, let to):
        guard take(bytes, literalStart, from, .word) else { return nil }
        literalStart = to
      case .key, .objectStart, .objectEnd, .arrayStart, .arrayEnd: break
      case .end, .malformed, .tooDeep: return nil
      }
    }
    guard literalStart <= stop, take(bytes, literalStart, stop, .nothing) else { return nil }
  }

  private mutating func take(_ bytes: Span<UInt8>, _ from: Int, _ to: Int, _ value: Value) -> Bool {
    guard pieces.count < JSONShape.pieceLimit, literals.count + to - from <= JSONShape.literalByteLimit else {
      return false
    }
    for index in from..<to { literals.append(bytes[index]) }
    pieces.append(UInt32(to - from) << 2 | value.rawValue)
    return true
  }
}
