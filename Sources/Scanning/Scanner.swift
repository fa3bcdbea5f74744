import CVectorscan
import Records

/// What the scanner must know of one signature.
package struct AnchorRule: Sendable {
  /// Index of the signature in its rule set.
  package var signature: Int
  package var formats: FormatSet
  /// Lower-case ASCII literals: a record that holds none of them is not this signature's.
  package var anchors: [[UInt8]]

  package init(signature: Int, formats: FormatSet, anchors: [[UInt8]]) {
    self.signature = signature
    self.formats = formats
    self.anchors = anchors
  }
}

/// The databases of one format family, made once at load and shared by all workers.
package struct ScanPlan: Sendable {
  struct Family: Sendable {
    var factors: [[UInt8]]
    var anchors: [[UInt8]]
    /// Signatures of each anchor, ascending.
    var signatures: [[UInt32]]
    var factorDatabase: LiteralDatabase
    var anchorDatabase: LiteralDatabase
  }
  var families: [FormatFamily: Family] = [:]
  /// The formats of each signature, by index.
  var formats: [FormatSet]

  /// - Throws: when Vectorscan refuses a literal, or when the chosen factors do not cover every anchor.
  package init(_ rules: [AnchorRule], signatureCount: Int) throws(ScanningError) {
    formats = Array(repeating: [], count: signatureCount)
    for rule in rules { formats[rule.signature].formUnion(rule.formats) }
    for family in [FormatFamily.text, .event] {
      var owners: [[UInt8]: Set<UInt32>] = [:]
      for rule in rules where rule.formats.intersects(family) {
        for anchor in rule.anchors { owners[anchor, default: []].insert(UInt32(rule.signature)) }
      }
      guard !owners.isEmpty else { continue }
      let anchors = owners.keys.sorted { $0.lexicographicallyPrecedes($1) }
      let factors = FactorChooser.choose(for: anchors)
      guard FactorChooser.isComplete(factors: factors, anchors: anchors) else {
        throw ScanningError(description: "the prefilter is incomplete: an anchor holds none of the chosen factors")
      }
      families[family] = Family(
        factors: factors, anchors: anchors, signatures: anchors.map { owners[$0]!.sorted() },
        factorDatabase: try LiteralDatabase(factors), anchorDatabase: try LiteralDatabase(anchors))
    }
  }

  /// The chosen factors of a family, for `check -v`.
  package func factors(of family: FormatFamily) -> [String] {
    families[family]?.factors.map { Text.decode($0) } ?? []
  }

  /// How many anchors the factors of a family stand for.
  package func anchorCount(of family: FormatFamily) -> Int { families[family]?.anchors.count ?? 0 }
}

/// Finds candidates in a batch: the factors of a family in one scan over each run of its records, then the anchors of
/// the few records that hold a factor. False candidates are allowed, missed ones never.
package struct Scanner: Sendable {
  private let plan: ScanPlan
  private let scratch: ScanScratch
  private var hits = HitList()
  private var found: [Candidate] = []
  /// Records that held a factor, for the candidate rate.
  package var suspectCount: UInt64 = 0

  package init(_ plan: ScanPlan) throws(ScanningError) {
    self.plan = plan
    scratch = try ScanScratch(plan.families.values.flatMap { [$0.factorDatabase, $0.anchorDatabase] })
  }

  /// The batch's candidates, sorted by record and signature. Positions are those of `text`, the batch's own text.
  package mutating func scan(_ text: Span<UInt8>, _ batch: borrowing RecordBatch) -> [Candidate] {
    found.removeAll(keepingCapacity: true)
    let records = batch.records
    var first = 0
    while first < records.count {
      let family = records[first].format.family
      var last = first + 1
      while last < records.count, records[last].format.family == family { last += 1 }
      if let tables = plan.families[family] {
        scanRun(text, records, first..<last, tables)
      }
      first = last
    }
    found.sort()
    return found
  }

  private mutating func scanRun(
    _ text: Span<UInt8>, _ records: [RecordSlot], _ run: Range<Int>, _ family: ScanPlan.Family
  ) {
    let start = Int(records[run.lowerBound].start)
    let end = Int(records[run.upperBound - 1].end)
    collect(text, start, end, family.factorDatabase)
    let ends = hits.entries.map(\.end).sorted()
    // Hits and records ascend together; several hits in one record make it a suspect once.
    var record = run.lowerBound
    var lastSuspect = -1
    for hit in ends {
      let last = start + Int(hit) - 1
      while record < run.upperBound, Int(records[record].end) <= last { record += 1 }
      guard record < run.upperBound else { break }
      guard record != lastSuspect, Int(records[record].start) <= last else { continue }
      lastSuspect = record
      suspectCount += 1
      confirmAnchors(text, records[record], UInt32(record), family)
    }
  }

  private mutating func confirmAnchors(
    _ text: Span<UInt8>, _ slot: RecordSlot, _ record: UInt32, _ family: ScanPlan.Family
  ) {
    collect(text, Int(slot.messageStart), Int(slot.messageEnd), family.anchorDatabase)
    let from = found.count
    for entry in hits.entries {
      for signature in family.signatures[Int(entry.id)] where plan.formats[Int(signature)].contains(slot.format) {
        let candidate = Candidate(record: record, signature: signature)
        if !found[from...].contains(candidate) { found.append(candidate) }
      }
    }
  }

  /// Runs one database over [start, end) and leaves the hits in `hits`.
  private mutating func collect(_ text: Span<UInt8>, _ start: Int, _ end: Int, _ database: LiteralDatabase) {
    hits.entries.removeAll(keepingCapacity: true)
    guard end > start else { return }
    let list = hits
    unsafe text.withUnsafeBufferPointer { raw in
      let base = unsafe UnsafeRawPointer(raw.baseAddress! + start).assumingMemoryBound(to: CChar.self)
      let context = unsafe Unmanaged.passUnretained(list).toOpaque()
      _ = unsafe hs_scan(
        database.database, base, UInt32(end - start), 0, scratch.scratch,
        { id, _, to, _, context in
          let list = unsafe Unmanaged<HitList>.fromOpaque(context!).takeUnretainedValue()
          list.entries.append((id, UInt32(to)))
          return 0
        }, context)
    }
  }
}

/// Where the callback of `hs_scan` leaves what it met.
private final class HitList: @unchecked Sendable {
  // `@unchecked`: owned by one scanner.
  var entries: [(id: UInt32, end: UInt32)] = []
}
