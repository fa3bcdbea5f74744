import Clients
import Detection
import Extraction
import Records
import Replay
import TestSupport

/// A replay of a corpus against its truth.
struct Score: Sendable {
  struct Ratio: Sendable {
    var right = 0
    var all = 0
    var value: Double { all == 0 ? 1 : Double(right) / Double(all) }

    mutating func count(_ isRight: Bool) {
      all += 1
      if isRight { right += 1 }
    }

    static func += (left: inout Ratio, right: Ratio) {
      left.right += right.right
      left.all += right.all
    }
  }

  enum Field: String, CaseIterable, Sendable { case time, host, client, server, code }

  /// Findings that were demanded and came, with a class that the knowledge base accepts.
  var recall = Ratio()
  /// Findings that came and were demanded or allowed.
  var precision = Ratio()
  var fields: [Field: Ratio] = [:]
  /// Rows of the census: pairs that were demanded, and pairs that came.
  var sightingRecall = Ratio()
  var sightingPrecision = Ratio()
  /// Records of context that a signature recognised.
  var contextRecall = Ratio()
  /// Findings right in class and in every field.
  var wholeRecall = Ratio()
  var recordCount = 0
  /// Findings whose length or number of pieces is wrong.
  var placeFaults = 0
  /// How often a kind of fault occurred, and the first of it: by row and what was wrong.
  var faults: [String: (count: Int, first: String)] = [:]

  mutating func note(_ kind: String, _ fault: @autoclosure () -> String) {
    if let known = faults[kind] {
      faults[kind] = (known.count + 1, known.first)
    } else {
      faults[kind] = (1, fault())
    }
  }

  /// The most frequent faults, at most 30.
  var worst: [String] {
    faults.sorted { ($0.value.count, $1.key) > ($1.value.count, $0.key) }.prefix(30).map { kind, fault in
      "\(fault.count) × \(kind): \(fault.first.split(whereSeparator: \.isNewline).joined(separator: "⏎"))"
    }
  }

  init() { for field in Field.allCases { fields[field] = Ratio() } }

  init(_ corpus: Corpus, _ report: ReplayReport, _ engine: Engine) throws {
    self.init()
    recordCount = corpus.records.count
    var found: [String: Finding] = [:]
    for finding in report.findings {
      let place = "\(finding.path):\(finding.offset)"
      if found.updateValue(finding, forKey: place) != nil {
        precision.count(false)
        note("two findings on a record", place)
      }
    }
    for record in corpus.records { judge(record, found.removeValue(forKey: "\(record.path):\(record.offset)")) }
    for (place, finding) in found {
      precision.count(false)
      note("\(finding.signature) between the records", "\(finding.findingClass.rawValue) at \(place)")
    }
    judgeSightings(corpus.records, SightingRow.all(report.census, names: report.names), corpus.otherClients)
    for record in corpus.records where record.expectation.isContext {
      try judgeContext(record, bytes: Array(record.line.utf8), origin: (record.host, record.path), engine)
    }
  }

  /// Judges the records of one stream, whose path plays no part.
  mutating func judge(_ records: [PlacedRecord], _ findings: [Finding]) {
    recordCount += records.count
    var found: [UInt64: Finding] = [:]
    for finding in findings where found.updateValue(finding, forKey: finding.offset) != nil {
      precision.count(false)
      note("two findings on a record", "\(finding.signature) at \(finding.offset)")
    }
    for record in records { judge(record, found.removeValue(forKey: record.offset)) }
    for (offset, finding) in found {
      precision.count(false)
      note("\(finding.signature) between the records", "\(finding.findingClass.rawValue) at \(offset)")
    }
  }

  // MARK: Findings

  private mutating func judge(_ record: PlacedRecord, _ finding: Finding?) {
    guard let finding else {
      if record.expectation.isFinding {
        recall.count(false)
        wholeRecall.count(false)
        note("\(record.id) missed", "\(record.path): \(record.line)")
      }
      return
    }
    var isRight = record.expectation.classes.contains(finding.findingClass)
    if case .finding(_, isHypothesis: true) = record.expectation, finding.confidence != .inferred { isRight = false }
    precision.count(isRight)
    if record.expectation.isFinding { recall.count(isRight) }
    if !isRight {
      note(
        "\(record.id) by \(finding.signature)",
        "\(finding.findingClass.rawValue) (\(finding.confidence.rawValue)), right is \(record.expectation), in "
          + "\(record.path): \(record.line)")
    }
    if let relayed = record.relayed, (finding.length, finding.parts) != relayed {
      placeFaults += 1
      note(
        "\(record.id) place by \(finding.signature)",
        "\(finding.length) bytes in \(finding.parts) parts, right is \(relayed), in \(record.path): \(record.line)")
    }
    let isWhole = judgeFields(record, finding)
    if record.expectation.isFinding { wholeRecall.count(isRight && isWhole) }
  }

  private mutating func judgeFields(_ record: PlacedRecord, _ finding: Finding) -> Bool {
    var isWhole = true
    func check(_ field: Field, _ isRight: Bool, _ came: String?, _ wanted: String) {
      fields[field]!.count(isRight)
      guard !isRight else { return }
      isWhole = false
      note(
        "\(record.id) \(field.rawValue) by \(finding.signature)",
        "\(came ?? "nothing"), right is \(wanted), in \(record.path): \(record.line)")
    }
    if record.isTimeJudged {
      check(.time, finding.time == record.time, finding.time?.rfc3339, record.time?.rfc3339 ?? "nothing")
    }
    check(.host, finding.host?.lowercased() == record.host.lowercased(), finding.host, record.host)
    // A row's client is an address.
    let client = finding.client ?? finding.clientIP
    for (field, wanted, came) in [
      (Field.client, record.client, client), (.server, record.server, finding.server),
      (.code, record.code, finding.code),
    ] where !wanted.isOpen {
      check(field, wanted.accepts(came), came, wanted.text)
    }
    return isWhole
  }

  /// A replay counts contexts by signature alone, so each record goes through the walk once more by itself.
  /// - Parameter bytes: the record as it came, envelopes and all.
  mutating func judgeContext(
    _ record: PlacedRecord, bytes: [UInt8], origin: (host: String, path: String), _ engine: Engine
  ) throws {
    let outcome = try TestEngine.run(bytes, host: origin.host, log: Origin.logName(ofPath: origin.path), engine: engine)
    let isSeen = zip(engine.rules.rules.signatures, outcome.signatureCounts).contains {
      // A look-alike that is known by name counts as well.
      ($0.0.yields == .context || $0.0.yields == .none) && $0.1 > 0
    }
    contextRecall.count(isSeen)
    if !isSeen { note("\(record.id) missed as context", "\(record.path): \(record.line)") }
  }

  // MARK: Sightings

  /// - Parameter otherClients: whose rows are neither demanded nor wrong.
  mutating func judgeSightings(_ records: [PlacedRecord], _ rows: [SightingRow], _ otherClients: Set<String>) {
    var wanted: [String: Int] = [:]
    for record in records {
      if let pair = record.sighting { wanted[pair, default: 0] += 1 }
    }
    var came: [String: Int] = [:]
    for row in rows {
      let client = row.client ?? row.clientIP ?? ""
      if otherClients.contains(client) { continue }
      came["\(client)|\(row.server ?? "")|\(row.protocolName ?? "")".lowercased(), default: 0] += Int(row.count)
    }
    for (pair, count) in wanted {
      let right = min(count, came[pair] ?? 0)
      sightingRecall += Ratio(right: right, all: count)
      if right < count { note("census lacks", "\(pair): \(right) of \(count)") }
    }
    for (pair, count) in came {
      let right = min(count, wanted[pair] ?? 0)
      sightingPrecision += Ratio(right: right, all: count)
      if right < count { note("census has too many", "\(pair): \(count), right is \(right)") }
    }
  }

  static func += (left: inout Score, right: Score) {
    left.recall += right.recall
    left.precision += right.precision
    left.sightingRecall += right.sightingRecall
    left.sightingPrecision += right.sightingPrecision
    left.contextRecall += right.contextRecall
    left.wholeRecall += right.wholeRecall
    left.recordCount += right.recordCount
    for (field, ratio) in right.fields { left.fields[field]! += ratio }
    left.faults.merge(right.faults) { ($0.count + $1.count, $0.first) }
  }
}

extension Double {
  /// Four digits, cut and not rounded: 0.99996 is not 1.0000.
  var figure: String {
    let cut = (self * 10_000).rounded(.down) / 10_000
    let text = String(cut)
    let digits = text.split(separator: ".").last ?? ""
    return text + String(repeating: "0", count: max(0, 4 - digits.count))
  }
}
