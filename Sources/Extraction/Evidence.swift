import Records

/// What the extraction of one stream adds to a run. Findings keep the order of the stream.
package struct Evidence: Sendable {
  package var findings: [Finding] = []
  package var sightings = SightingColumns()
  /// Times each signature held, by its index: findings, sightings, context and look-alikes alike.
  package var signatureCounts: [UInt64]
  /// Records that met a pattern or, as events, the `where:` of a signature about their provider and id; and those of them
  /// for which one held.
  package var suspectCount: UInt64 = 0
  package var confirmedCount: UInt64 = 0
  /// Records whose event time was outside `--since`/`--until`.
  package var outsideWindowCount: UInt64 = 0
  package var firstTime: Timestamp?
  package var lastTime: Timestamp?

  package init(signatureCount: Int) { signatureCounts = Array(repeating: 0, count: signatureCount) }

  package mutating func noteTime(_ time: Timestamp) {
    if firstTime.map({ time < $0 }) ?? true { firstTime = time }
    if lastTime.map({ $0 < time }) ?? true { lastTime = time }
  }
}

/// What the run asked for.
package struct ExtractionOptions: Sendable {
  /// For records that carry no bias and whose origin told none.
  package var zone: ZoneRules
  package var since: Timestamp?
  package var until: Timestamp?
  /// False: every row by itself, the slow twin for tests. The result is the same.
  package var usesRowClasses = true
  /// False: every text record by itself, the slow twin for tests. The result is the same.
  package var usesTextMemo = true

  package init(zone: ZoneRules = .utc, since: Timestamp? = nil, until: Timestamp? = nil) {
    self.zone = zone
    self.since = since
    self.until = until
  }

  /// Whether a record of this time belongs to the run; one without time does.
  package func includes(_ time: Timestamp?) -> Bool {
    guard let time else { return true }
    if let since, time < since { return false }
    if let until, time >= until { return false }
    return true
  }
}

/// Where the batch lies in its stream, for the evidence of findings.
package struct BatchPlace: Sendable {
  package var stream: Int
  package var path: String
  package var firstLine: UInt64

  package init(stream: Int, path: String, firstLine: UInt64) {
    self.stream = stream
    self.path = path
    self.firstLine = firstLine
  }
}
