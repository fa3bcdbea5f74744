import Records

/// A rule set with its patterns compiled: made once at load, shared by every worker.
package struct CompiledRules: Sendable {
  /// Fields of a finding that named groups fill.
  enum GroupField: String, CaseIterable {
    case client, clientID, clientIP, server, url
    case protocolName = "protocol"
    case cipher, component, alert
  }

  /// Where the value of a code field is found in text records.
  enum CodeOrigin: Sendable {
    case group(Int)
    case log
    /// Not in text records.
    case none
  }

  /// A reference: every candidate takes one, and a signature has some twenty fields that would be counted one by one.
  final class Compiled: Sendable {
    let signature: Signature
    let pattern: Pattern?
    let groups: [(field: GroupField, number: Int)]
    let codes: [(origin: CodeOrigin, source: CodeSource)]

    init(_ signature: Signature) throws(PatternError) {
      self.signature = signature
      let pattern = try signature.pattern.map { (source) throws(PatternError) in try Pattern(source) }
      self.pattern = pattern
      groups = GroupField.allCases.compactMap { field in pattern?.groups[field.rawValue].map { (field, $0) } }
      codes = signature.codes.map { source in
        let name = source.fields[0]
        if let number = pattern?.groups[name] { return (.group(number), source) }
        return (name == "log" ? .log : .none, source)
      }
    }
  }

  package let rules: RuleSet
  let compiled: [Compiled]

  /// - Throws: `PatternError` of the first pattern that does not compile (`check` reports them all beforehand).
  package init(_ rules: RuleSet) throws(PatternError) {
    self.rules = rules
    var compiled: [Compiled] = []
    for signature in rules.signatures { compiled.append(try Compiled(signature)) }
    self.compiled = compiled
  }

  package func table(named name: String) -> CodeTable? { rules.tables.first { $0.name == name } }
}

/// What the signature and its code rows say about one record, joined.
struct Verdict {
  var findingClass: FindingClass?
  var cause: Cause?
  var severity: Severity?
  var code: String?
  var symbol: String?
  var area: Int?
  var feature: Feature?
  var stack: Stack?
  var confidence: Confidence?
  var protocolName: String?
  var outcome: Outcome
  var explain: String?
  var remedy: String?
  var isBenign = false

  init(_ signature: Signature) {
    findingClass = signature.findingClass
    cause = signature.cause
    severity = signature.severity
    area = signature.area
    feature = signature.feature
    stack = signature.stack
    confidence = signature.confidence
    protocolName = signature.protocolName
    outcome = signature.outcome
  }

  /// Lets a row replace what was said so far, cell by cell. The first table's row names the code.
  ///
  /// Texts go with the cause: `explain` is that of the first row until a later one states a cause, and what was said of
  /// another cause is dropped, so that no text explains what the finding is not. A text that no row gives is nil: the
  /// signature's counts.
  mutating func refine(_ row: CodeRow, _ kind: CodeKind, isFirst: Bool, spelled: String) {
    if isFirst {
      // A text value is a code only when it is written like one: `403.7`.
      if kind != .text || row.value.utf8.first.map(ASCII.isDigit) ?? false {
        code = row.value == "*" ? spelled : row.value
      }
      // Names that share a value stand side by side in the table; the first is the one that is printed.
      symbol = row.symbol?.split(separator: "/").first.map(String.init)
      explain = row.explain
    } else if let value = row.cause {
      if value != cause {
        explain = nil
        remedy = nil
      }
      explain = row.explain ?? explain
    }
    if row.findingClass == .benign { isBenign = true }
    if let value = row.findingClass { findingClass = value }
    if let value = row.cause { cause = value }
    if let value = row.severity { severity = value }
    if let value = row.area { area = value }
    if let value = row.feature { feature = value }
    if let value = row.stack { stack = value }
    if let value = row.confidence { confidence = value }
    if let value = row.protocolName { protocolName = value }
    if let value = row.outcome { outcome = value }
    if let value = row.remedy { remedy = value }
  }

  /// What the record yields, given what the definition says.
  func yield(_ declared: Yield) -> Yield {
    if isBenign { return .none }
    switch findingClass {
    case .recovery?: return .sighting
    case .context?: return .context
    case .benign?: return .none
    default: return declared
    }
  }
}
