/// What a figure must reach, and whether it did.
package struct Bar: Encodable, Sendable {
  package enum Direction: String, Encodable, Sendable { case atLeast = "at least", atMost = "at most" }

  /// What was measured, such as `iis × wc -l`.
  package var what: String
  package var figure: Double
  package var direction: Direction
  package var limit: Double
  package var unit: String
  package var isHeld: Bool
  /// Digits after the point, where the figure is shown.
  var digits: Int

  package init(
    _ what: String, _ figure: Double, _ direction: Direction, _ limit: Double, unit: String = "", digits: Int = 3
  ) {
    self.what = what
    self.figure = figure
    self.direction = direction
    self.limit = limit
    self.unit = unit
    self.digits = digits
    isHeld = direction == .atLeast ? figure >= limit : figure <= limit
  }
}

extension CorpusKind {
  /// Least speed in terms of other contestants, by their names.
  var bars: [(peer: String, ratio: Double)] {
    switch self {
    case .iis: [("wc -l", 0.40), ("rg -f", 4), ("mawk", 20)]
    case .iisPlain: []
    case .cmtrace: [("wc -l", 0.50)]
    case .simple: [("wc -l", 0.45)]
    case .eventXML: [("wc -l", 0.30)]
    case .eventJSON: [("wc -l", 0.35)]
    case .syslog: [("wc -l", 0.30)]
    }
  }

  /// Most records, in percent, that the prefilter stops at for nothing.
  static let unconfirmedPercentLimit = 1.0
}
