import Records

/// The stage at which a signature fell away on a record, and what it met there. Made for people, never during a replay.
package enum Refusal: Sendable, Hashable {
  /// The record is of another format; its name.
  case format(String)
  /// Neither anchor nor provider stands in the record.
  case anchor
  /// The names that the record goes by: its log's and its component's, as far as known.
  case log([String])
  /// The event or row could not be read.
  case unread
  /// `text:` does not stand in the message.
  case text
  /// A key of `where:` and the value met; nil: the record has no such field.
  case field(String, value: String?)
  case pattern
  /// Spellings that the first code table does not know; none: the field is not there.
  case code(String, values: [String], table: String)
  /// An earlier signature took the record.
  case taken(by: String)

  /// How far the record came; later stages are higher.
  package var stage: Int {
    switch self {
    case .format: 0
    case .anchor: 1
    case .unread: 2
    case .log: 3
    case .field, .text: 4
    case .pattern: 5
    case .code: 6
    case .taken: 7
    }
  }

  /// What is said of it: `the log is 'CcmExec', 'logs' wants ccmmessaging`.
  package func text(_ signature: Signature) -> String {
    switch self {
    case .format(let name):
      let wanted = RecordFormat.allCases.filter { signature.formats.contains($0) && $0 != .delimited }.map(\.name)
      return "the record is \(name), 'formats' wants \(Refusal.list(wanted + signature.delimited))"
    case .anchor:
      if signature.anchors.isEmpty { return "its provider or text does not occur" }
      return signature.anchors.count == 1
        ? "its anchor '\(Text.decode(signature.anchors[0]))' does not occur"
        : "none of its \(signature.anchors.count) anchors occurs"
    case .log(let names):
      let wanted = Refusal.list(signature.logs.map { Refusal.spelled($0) })
      if names.isEmpty { return "the log's name is not known, 'logs' wants \(wanted)" }
      return "the log is \(names.map { "'\($0)'" }.joined(separator: " with component ")), 'logs' wants \(wanted)"
    case .unread: return "the record cannot be read"
    case .text: return "its 'text' does not stand in the message"
    case .field(let name, let value):
      let wanted = signature.predicates.filter { $0.field == name }.flatMap(\.anyOf).map(Refusal.spelled)
      let met = value.map { "\(name) is '\($0)'" } ?? "there is no \(name)"
      return "\(met), 'where' wants \(Refusal.list(wanted))"
    case .pattern: return "its pattern does not match"
    case .code(let field, let values, let table):
      if values.isEmpty { return "there is no \(field) to look up in table '\(table)'" }
      let shown = values.prefix(3).map { "'\($0)'" }.joined(separator: ", ")
      return "\(field) \(shown) \(values.count == 1 ? "is" : "are") not in table '\(table)'"
    case .taken(let other): return "'\(other)' took the record"
    }
  }

  /// Up to five, and how many more.
  private static func list(_ words: [String]) -> String {
    let shown = words.prefix(5).joined(separator: ", ")
    return words.count > 5 ? "\(shown) or \(words.count - 5) more" : shown
  }

  private static func spelled(_ pieces: [[UInt8]]) -> String {
    pieces.map { Text.decode($0) }.joined(separator: "*")
  }

  private static func spelled(_ matcher: FieldMatcher) -> String {
    switch matcher {
    case .number(let number): String(number)
    case .text(let text): text.isEmpty ? "nothing" : Text.decode(text)
    case .wildcard(let pieces): spelled(pieces)
    case .field(let name): "what \(name) is"
    }
  }
}

/// How one signature fared on one record.
package enum Trial: Sendable, Hashable {
  /// It held, and the record is this with its code rows.
  case held(Yield)
  case fell(Refusal)
}
