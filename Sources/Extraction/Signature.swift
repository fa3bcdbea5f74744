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

  var isField: Bool { if case .field = self { true } else { false } }
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
  /// Names of delimited formats; empty: any of them.
  package var delimited: [String] = []
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

  /// Whether an event's provider or id can say that it is not this signature's.
  package var isBoundToKind: Bool { predicates.contains { $0.field == "provider" || $0.field == "event-id" } }
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
  package var delimited: [DelimitedRule]
  package init(signatures: [Signature], tables: [CodeTable], roles: [RoleRule], delimited: [DelimitedRule] = []) {
    self.signatures = signatures
    self.tables = tables
    self.roles = roles
    self.delimited = delimited
  }
}
