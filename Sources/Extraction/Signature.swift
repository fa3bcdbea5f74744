import Records

/// A value that a field may have in `where:`.
package enum FieldMatcher: Sendable, Hashable {
  /// An unsigned number; the field's text is read as decimal (`0x…` as hexadecimal).
  case number(UInt64)
  /// Lower-case text, compared without regard to ASCII case.
  case text([UInt8])
  /// Lower-case pieces between the `*` of a pattern: `["/ccm_system", ""]` for `/ccm_system*`.
  case wildcard([[UInt8]])
  /// Equal to the other field of this (lower-case) name.
  case field(String)
}

/// One key of `where:`: any of the matchers must hold.
package struct FieldPredicate: Sendable, Hashable {
  /// Lower-case column or data-item name; `provider`, `event-id`, `channel`, `computer` for events.
  package var field: String
  package var anyOf: [FieldMatcher]
  package init(field: String, anyOf: [FieldMatcher]) {
    self.field = field
    self.anyOf = anyOf
  }
}

/// One entry of `codes:`. `fields` has more than one name when columns are joined with a dot.
package struct CodeSource: Sendable, Hashable {
  package var fields: [String]
  /// Index into `RuleSet.tables`.
  package var table: Int
  package init(fields: [String], table: Int) {
    self.fields = fields
    self.table = table
  }
}

package enum HostRole: String, Sendable { case client, server }

/// A definition as the extraction needs it; `Definitions` makes it from YAML.
package struct Signature: Sendable {
  package var id: String
  package var covers: [String] = []
  package var title = ""
  package var yields: Yield
  package var formats: FormatSet
  /// Wildcard pieces in lower case; empty: any log.
  package var logs: [[[UInt8]]] = []
  /// Lower-case ASCII literals.
  package var anchors: [[UInt8]] = []
  package var pattern: String?
  package var predicates: [FieldPredicate] = []
  /// Lower-case literal in the message of events that carry no id.
  package var text: [UInt8]?
  package var codes: [CodeSource] = []
  package var findingClass: FindingClass?
  package var cause: Cause?
  package var severity: Severity?
  package var stack: Stack?
  package var area: Int?
  package var feature: Feature?
  package var role: String?
  package var protocolName: String?
  package var outcome: Outcome = .succeeded
  package var confidence: Confidence?
  package var hostIs: HostRole?
  package var isFallback = false
  package var group: String?
  package var explain = ""
  package var remedy = ""
  package var source = ""

  package init(id: String, yields: Yield, formats: FormatSet) {
    self.id = id
    self.yields = yields
    self.formats = formats
  }
}

/// A URI stem pattern and the role that answers it.
package struct RoleRule: Sendable {
  package var pieces: [[UInt8]]
  package var role: String
  package init(pieces: [[UInt8]], role: String) {
    self.pieces = pieces
    self.role = role
  }
}

/// Everything the walk needs to know, made once at load. Signatures stand in the order in which they are tried:
/// file name, place in the file, those with `fallback` last.
package struct RuleSet: Sendable {
  package var signatures: [Signature]
  package var tables: [CodeTable]
  package var roles: [RoleRule]
  package init(signatures: [Signature], tables: [CodeTable], roles: [RoleRule]) {
    self.signatures = signatures
    self.tables = tables
    self.roles = roles
  }
}

/// Wildcard texts of `logs:`, `where:` and text tables: pieces between `*`, in lower case.
package enum Wildcard {
  /// `"a*b"` → `["a", "b"]`; a text without `*` is one piece.
  package static func pieces(_ text: String) -> [[UInt8]] {
    text.utf8.split(separator: 0x2A, omittingEmptySubsequences: false).map { $0.map(ASCII.lower) }
  }

  /// Whether bytes [start, end) match the pieces, ASCII case aside.
  package static func matches(_ pieces: [[UInt8]], _ bytes: Span<UInt8>, start: Int, end: Int) -> Bool {
    func equal(_ piece: [UInt8], at position: Int) -> Bool {
      for index in 0..<piece.count where ASCII.lower(bytes[position + index]) != piece[index] { return false }
      return true
    }
    let first = pieces[0]
    guard end - start >= first.count, equal(first, at: start) else { return false }
    if pieces.count == 1 { return end - start == first.count }
    let last = pieces[pieces.count - 1]
    var position = start + first.count
    for piece in pieces[1..<(pieces.count - 1)] where !piece.isEmpty {
      var found = false
      while position + piece.count <= end {
        if equal(piece, at: position) {
          found = true
          break
        }
        position += 1
      }
      guard found else { return false }
      position += piece.count
    }
    return end - position >= last.count && equal(last, at: end - last.count)
  }

  package static func matches(_ pieces: [[UInt8]], _ text: String) -> Bool {
    let bytes = Array(text.utf8)
    return matches(pieces, bytes.span, start: 0, end: bytes.count)
  }
}
