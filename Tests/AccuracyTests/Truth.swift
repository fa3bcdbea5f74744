import Records

/// What one field of a finding must hold.
enum Wanted: Sendable {
  /// Exactly this; nil: the field must be absent.
  case one(String?)
  case any([String?])
  /// The record says nothing certain about it.
  case open

  /// Host names are compared without regard to case.
  func accepts(_ value: String?) -> Bool {
    switch self {
    case .one(let wanted): wanted?.lowercased() == value?.lowercased()
    case .any(let list): list.contains { $0?.lowercased() == value?.lowercased() }
    case .open: true
    }
  }

  var isOpen: Bool { if case .open = self { true } else { false } }

  var text: String {
    switch self {
    case .one(let value): value ?? "nothing"
    case .any(let list): list.map { $0 ?? "nothing" }.joined(separator: " or ")
    case .open: "anything"
    }
  }
}

/// What a record must lead to.
enum Expectation: Sendable {
  /// One finding of one of these classes; a hypothesis must say that it is one (`inferred`).
  case finding(Set<FindingClass>, isHypothesis: Bool = false)
  case sighting
  /// Neither a finding nor a sighting, but recognised.
  case context
  /// No finding.
  case quiet
  /// The knowledge base leaves both open.
  case findingOrQuiet(Set<FindingClass>)

  var isFinding: Bool { if case .finding = self { true } else { false } }
  var isSighting: Bool { if case .sighting = self { true } else { false } }
  var isContext: Bool { if case .context = self { true } else { false } }

  var classes: Set<FindingClass> {
    switch self {
    case .finding(let classes, _), .findingOrQuiet(let classes): classes
    case .sighting, .context, .quiet: []
    }
  }

  /// This finding, or one of another class that the record's place explains as well.
  func or(_ more: Set<FindingClass>) -> Expectation {
    switch self {
    case .finding(let classes, let isHypothesis): .finding(classes.union(more), isHypothesis: isHypothesis)
    case .findingOrQuiet(let classes): .findingOrQuiet(classes.union(more))
    case .sighting, .context, .quiet: self
    }
  }

  /// The class cell of the knowledge base in the words of the closed lists.
  ///
  /// Words joined with ` / ` are alternatives; `?` marks a hypothesis, for which the named class, a failed handshake or a
  /// symptom are right alike. Nil: the values of the record decide (`by code`, `by values`), see `Adjudication`.
  init?(classCell cell: String) {
    if cell.hasPrefix("http refusal") || cell == "context" || cell.contains("(context)") || cell.hasPrefix("context /")
    {
      self = .context
      return
    }
    if cell.contains("(predictive)") {
      // A row over an old protocol is no failure yet: it is who was seen, and how.
      self = .sighting
      return
    }
    let isByValue = ["by code", "by values", "if Code", "(403)", "(trend)"].contains { cell.contains($0) }
    if isByValue { return nil }
    var classes: Set<FindingClass> = []
    var isQuiet = false
    var isRecovery = false
    var isHypothesis = false
    for part in cell.components(separatedBy: " / ") {
      if part.hasPrefix("benign") {
        isQuiet = true
      } else if part.hasPrefix("recovery") {
        isRecovery = true
      } else {
        var word = part.components(separatedBy: " (")[0]
        if word.hasSuffix("?") {
          isHypothesis = true
          word.removeLast()
        }
        guard let named = FindingClass(rawValue: word), !named.isQuiet else { return nil }
        classes.insert(named)
      }
    }
    if isHypothesis { classes.formUnion([.handshakeFailure, .orphanSymptom]) }
    switch (classes.isEmpty, isQuiet, isRecovery) {
    case (false, false, false): self = .finding(classes, isHypothesis: isHypothesis)
    case (false, true, false): self = .findingOrQuiet(classes)
    case (true, true, _): self = .quiet
    case (true, false, true): self = .sighting
    default: return nil
    }
  }
}

extension SignalRow {
  /// What the row's class cell says; nil when values decide.
  var expectation: Expectation? { Expectation(classCell: classCell) }

  /// The classes of a row that is a finding beyond doubt.
  var findingClasses: Set<FindingClass>? {
    if case .finding(let classes, false)? = expectation { classes } else { nil }
  }

  /// The canonical code that the id names; nil for rows about texts.
  var code: String? {
    switch prefix {
    case "WINHTTP": UInt64(suffix).map { "0x8007" + hexText($0, 4) }
    case "SSPI", "CERT", "CCM": "0x" + suffix.lowercased()
    case "WUA" where suffix.count == 8 && UInt64(suffix, radix: 16) != nil: "0x" + suffix.lowercased()
    case "BITS": match.first
    default: nil
    }
  }
}
