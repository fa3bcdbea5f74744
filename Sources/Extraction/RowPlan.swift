import Records

/// A rule set laid on the columns of one schema: names become column numbers, signatures are sorted by the status they
/// can hold on, so that an ordinary row meets only the ones that any row meets.
struct RowPlan: Sendable {
  struct Predicate: Sendable {
    var column: Int
    var anyOf: [FieldMatcher]
    /// The other column of a `.field` matcher.
    var otherColumn: Int?
  }
  struct Rule: Sendable {
    var signature: Int
    var predicates: [Predicate]
    var codes: [(columns: [Int], table: Int)]
  }

  var schema: RowSchema
  var date: Int?
  var time: Int?
  /// The columns are `date-local`/`time-local`: the zone must come from the configuration.
  var isLocal = false
  var clientAddress: Int?
  var serverAddress: Int?
  var computer: Int?
  var stem: Int?
  var status: Int?
  var substatus: Int?
  var agent: Int?
  var user: Int?
  var cryptProtocol: Int?
  var cryptCipher: Int?
  var cryptKeyExchange: Int?
  var cryptHash: Int?
  /// Rules that may hold on a row of status `index` (0…999), in rule order; `unknownStatus` for the rest.
  var byStatus: [[Rule]]
  var unknownStatus: [Rule]

  var columnCount: Int { schema.names.count }

  init(_ schema: RowSchema, _ compiled: CompiledRules) {
    self.schema = schema
    date = schema.column("date") ?? schema.column("date-local")
    time = schema.column("time") ?? schema.column("time-local")
    isLocal = schema.column("time") == nil && schema.column("time-local") != nil
    clientAddress = schema.column("c-ip")
    serverAddress = schema.column("s-ip")
    computer = schema.column("s-computername")
    stem = schema.column("cs-uri-stem") ?? schema.column("cs-uri")
    status = schema.column("sc-status")
    substatus = schema.column("sc-substatus")
    agent = schema.column("cs(user-agent)")
    user = schema.column("cs-username")
    cryptProtocol = schema.column("crypt-protocol")
    cryptCipher = schema.column("crypt-cipher")
    cryptKeyExchange = schema.column("crypt-keyexchange")
    cryptHash = schema.column("crypt-hash")

    var rules: [(rule: Rule, statuses: Set<Int>?)] = []
    for (index, entry) in compiled.compiled.enumerated() where entry.signature.formats.contains(schema.format) {
      guard let rule = RowPlan.rule(entry.signature, index, schema) else { continue }
      rules.append((rule, RowPlan.statuses(entry.signature, compiled.rules.tables)))
    }
    unknownStatus = rules.map(\.rule)
    // Most statuses are named by no rule and share one list.
    byStatus = Array(repeating: rules.filter { $0.statuses == nil }.map(\.rule), count: 1000)
    for status in rules.reduce(into: Set<Int>(), { $0.formUnion($1.statuses ?? []) }) {
      byStatus[status] = rules.filter { $0.statuses?.contains(status) ?? true }.map(\.rule)
    }
  }

  /// Nil when the schema lacks a column that the signature needs.
  private static func rule(_ signature: Signature, _ index: Int, _ schema: RowSchema) -> Rule? {
    var predicates: [Predicate] = []
    for predicate in signature.predicates {
      guard let column = schema.column(predicate.field) else { return nil }
      var other: Int?
      for matcher in predicate.anyOf {
        if case .field(let name) = matcher { other = schema.column(name) }
      }
      predicates.append(Predicate(column: column, anyOf: predicate.anyOf, otherColumn: other))
    }
    var codes: [(columns: [Int], table: Int)] = []
    for (position, source) in signature.codes.enumerated() {
      let columns = source.fields.compactMap { schema.column($0) }
      if columns.count == source.fields.count {
        codes.append((columns, source.table))
      } else if position == 0 {
        return nil
      }
    }
    return Rule(signature: index, predicates: predicates, codes: codes)
  }

  /// The statuses that `where:` or the first code table allow; nil when any is possible.
  private static func statuses(_ signature: Signature, _ tables: [CodeTable]) -> Set<Int>? {
    for predicate in signature.predicates where predicate.field == "sc-status" {
      var numbers: Set<Int> = []
      for matcher in predicate.anyOf {
        guard case .number(let number) = matcher, number < 1000 else { return nil }
        numbers.insert(Int(number))
      }
      return numbers
    }
    guard let source = signature.codes.first, source.fields[0] == "sc-status" else { return nil }
    var numbers: Set<Int> = []
    for row in tables[source.table].rows {
      guard let number = Int(row.value.prefix { $0 != "." }), number >= 0, number < 1000 else { return nil }
      numbers.insert(number)
    }
    return numbers
  }
}
