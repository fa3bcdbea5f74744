import CKernels
import Records

/// What the scanner must know of one signature.
package struct AnchorRule: Sendable {
  /// Index of the signature in its rule set.
  package var signature: Int
  package var formats: FormatSet
  /// Lower-case ASCII literals: a record that holds none of them is not this signature's.
  package var anchors: [[UInt8]]
  /// The provider or id of an event may say that it is not this signature's (`RecordSlot.isUnasked`).
  package var isBoundToKind: Bool

  package init(signature: Int, formats: FormatSet, anchors: [[UInt8]], isBoundToKind: Bool = false) {
    self.signature = signature
    self.formats = formats
    self.anchors = anchors
    self.isBoundToKind = isBoundToKind
  }
}

/// The literals of one format family, made once at load and shared by all workers.
package struct ScanPlan: Sendable {
  struct Family: Sendable {
    var factors: [[UInt8]]
    /// Signatures of each anchor, ascending: those of anchor i are [starts[i], starts[i + 1]).
    var signatures: [UInt32]
    var starts: [Int]
    var literals: LiteralSet
  }
  var families: [FormatFamily: Family] = [:]
  /// What is looked for in events of providers and ids that nobody asks for.
  var unbound: Family?
  /// Three bytes of each of its anchors, one behind the other (hk_triples_filter); empty where that would be too many.
  private(set) var unboundTriples: [UInt8] = []
  /// The formats of each signature, by index.
  var formats: [FormatSet]

  /// - Throws: when an anchor is too long, or when the chosen factors do not cover every anchor.
  package init(_ rules: [AnchorRule], signatureCount: Int) throws(ScanningError) {
    formats = Array(repeating: [], count: signatureCount)
    for rule in rules { formats[rule.signature].formUnion(rule.formats) }
    for family in [FormatFamily.text, .event] {
      families[family] = try ScanPlan.family(rules.filter { $0.formats.intersects(family) })
    }
    let free = rules.filter { $0.formats.intersects(.event) && !$0.isBoundToKind }
    unbound = try ScanPlan.family(free)
    unboundTriples = ScanPlan.triples(of: free.flatMap(\.anchors))
  }

  private static let tripleLimit = 4

  /// The rarest three bytes of an anchor that holds none of those chosen before, until all have some.
  private static func triples(of anchors: [[UInt8]]) -> [UInt8] {
    var chosen: [[UInt8]] = []
    func holds(_ anchor: [UInt8], _ triple: [UInt8]) -> Bool {
      anchor.indices.dropLast(2).contains { Array(anchor[$0..<$0 + 3]) == triple }
    }
    for anchor in anchors {
      guard anchor.count >= 3 else { return [] }
      if chosen.contains(where: { holds(anchor, $0) }) { continue }
      let triples = anchor.indices.dropLast(2).map { Array(anchor[$0..<$0 + 3]) }
      // One that others share is worth a little frequency.
      func cost(_ triple: [UInt8]) -> Double {
        FactorChooser.frequencies(of: triple) / Double(anchors.count { holds($0, triple) })
      }
      guard chosen.count < tripleLimit, let best = triples.min(by: { cost($0) < cost($1) }) else { return [] }
      chosen.append(best)
    }
    return chosen.flatMap { $0.map { $0 | 0x20 } }
  }

  private static func family(_ rules: [AnchorRule]) throws(ScanningError) -> Family? {
    var owners: [[UInt8]: Set<UInt32>] = [:]
    for rule in rules {
      for anchor in rule.anchors { owners[anchor, default: []].insert(UInt32(rule.signature)) }
    }
    guard !owners.isEmpty else { return nil }
    let anchors = owners.keys.sorted { $0.lexicographicallyPrecedes($1) }
    let choice = FactorChooser.choose(for: anchors)
    guard choice.isComplete(for: anchors) else {
      throw ScanningError(description: "the scan is incomplete: an anchor holds none of the chosen factors")
    }
    var signatures: [UInt32] = []
    var starts = [0]
    for anchor in anchors {
      signatures += owners[anchor]!.sorted()
      starts.append(signatures.count)
    }
    return Family(
      factors: choice.factors, signatures: signatures, starts: starts, literals: try LiteralSet(anchors, choice))
  }

  /// The chosen factors of a family, for `check -v`.
  package func factors(of family: FormatFamily) -> [String] {
    families[family]?.factors.map { Text.decode($0) } ?? []
  }

  /// How many anchors the factors of a family stand for.
  package func anchorCount(of family: FormatFamily) -> Int { (families[family]?.starts.count ?? 1) - 1 }
}

/// Finds candidates in a batch: the anchors of a family in one pass over each run of its records. False candidates are
/// allowed, missed ones never.
package struct Scanner: Sendable {
  private let plan: ScanPlan
  private var hits: [UInt64]
  /// The messages of the records at hand, [start, end) one behind the other.
  private var ranges: [UInt32] = []
  /// By message: its record.
  private var numbers: [UInt32] = []
  private var rangeCount = 0
  private var found: [Candidate] = []

  package init(_ plan: ScanPlan) {
    RecordLayout.check()
    self.plan = plan
    // More than one place can hit: every anchor may stand there.
    let most = plan.families.values.map(\.literals.count).max() ?? 0
    hits = Array(repeating: 0, count: 4096 + most)
  }

  /// The batch's candidates, sorted by record and signature. Positions are those of `text`, the batch's own text.
  package mutating func scan(_ text: Span<UInt8>, _ batch: borrowing RecordBatch) -> [Candidate] {
    found.removeAll(keepingCapacity: true)
    let records = batch.records.span
    // All records of a family together, however they alternate.
    var textCount = 0
    var hasEvents = false
    for index in records.indices {
      switch records[index].format.family {
      case .text: textCount += 1
      case .event: hasEvents = true
      default: break
      }
    }
    if textCount > 0, let family = plan.families[.text] {
      if textCount == records.count {
        scanText(text, records, family)
      } else {
        _ = chooseRanges(.text, text, records, isUnasked: false)
        scanRanges(text, records, family)
      }
    }
    let textFound = found.count
    if hasEvents, let family = plan.families[.event] {
      let hasOthers = chooseRanges(.event, text, records, isUnasked: false)
      scanRanges(text, records, family)
      let asked = found.count
      if hasOthers, let unbound = plan.unbound {
        _ = chooseRanges(.event, text, records, isUnasked: true)
        scanRanges(text, records, unbound)
      }
      if found.count > asked || (textFound > 0 && found.count > textFound) { found.sort() }
    }
    return found
  }

  /// Looks in the messages of a batch of text alone where they stand.
  private mutating func scanText(_ text: Span<UInt8>, _ records: Span<RecordSlot>, _ family: ScanPlan.Family) {
    let formats = plan.formats
    var cursor = hk_literals_cursor()
    var last = -1
    var firstOfRecord = found.count
    while cursor.range < records.count {
      let hitCount = unsafe text.withUnsafeBufferPointer { raw in
        unsafe records.withUnsafeBufferPointer { slots in
          let first = unsafe UnsafeRawPointer(slots.baseAddress!)
            .advanced(by: MemoryLayout<hk_record>.offset(of: \.message_start)!).assumingMemoryBound(to: UInt32.self)
          return unsafe hk_literals_find(
            family.literals.set, raw.baseAddress!, raw.count, first, MemoryLayout<hk_record>.stride / 4, records.count,
            &cursor, &hits, hits.count)
        }
      }
      for index in 0..<hitCount {
        let record = Int(UInt32(truncatingIfNeeded: hits[index]))
        if record != last {
          last = record
          firstOfRecord = found.count
        }
        note(hits[index], record, records[record].format, formats, family, from: firstOfRecord)
      }
    }
  }

  /// Looks in the messages of `ranges`.
  private mutating func scanRanges(_ text: Span<UInt8>, _ records: Span<RecordSlot>, _ family: ScanPlan.Family) {
    let formats = plan.formats
    var cursor = hk_literals_cursor()
    var last = -1
    var firstOfRecord = found.count
    while cursor.range < rangeCount {
      let hitCount = unsafe text.withUnsafeBufferPointer { raw in
        unsafe hk_literals_find(
          family.literals.set, raw.baseAddress!, raw.count, ranges, 2, rangeCount, &cursor, &hits, hits.count)
      }
      for index in 0..<hitCount {
        let record = Int(numbers[Int(UInt32(truncatingIfNeeded: hits[index]))])
        if record != last {
          last = record
          firstOfRecord = found.count
        }
        note(hits[index], record, records[record].format, formats, family, from: firstOfRecord)
      }
    }
  }

  /// Adds the candidates of an anchor that stands in a record.
  @inline(__always)
  private mutating func note(
    _ hit: UInt64, _ record: Int, _ format: RecordFormat, _ formats: [FormatSet], _ family: ScanPlan.Family,
    from first: Int
  ) {
    let anchor = Int(hit >> 32)
    for place in family.starts[anchor]..<family.starts[anchor + 1] {
      let signature = family.signatures[place]
      if formats[Int(signature)].contains(format) {
        insert(Candidate(record: UInt32(record), signature: signature), from: first)
      }
    }
  }

  /// Fills `ranges` and `numbers` with the messages of a family that are, or are not, unasked; the result is whether there are
  /// others.
  private mutating func chooseRanges(
    _ wanted: FormatFamily, _ text: Span<UInt8>, _ records: Span<RecordSlot>, isUnasked: Bool
  ) -> Bool {
    if ranges.count < 2 * records.count { ranges = Array(repeating: 0, count: 4 * records.count) }
    if numbers.count < records.count { numbers = Array(repeating: 0, count: 2 * records.count) }
    // Taken out, so that both can be written at once.
    var numbers: [UInt32] = []
    swap(&numbers, &self.numbers)
    defer { swap(&numbers, &self.numbers) }
    var hasOthers = false
    var count = 0
    var out = ranges.mutableSpan
    var members = numbers.mutableSpan
    for index in records.indices {
      let record = records[index]
      guard record.format.family == wanted else { continue }
      if record.isUnasked != isUnasked {
        hasOthers = true
        continue
      }
      out[2 * count] = record.messageStart
      out[2 * count + 1] = record.messageEnd
      members[count] = UInt32(index)
      count += 1
    }
    rangeCount = count
    if isUnasked, !plan.unboundTriples.isEmpty {
      let triples = plan.unboundTriples
      unsafe text.withUnsafeBufferPointer { raw in
        unsafe hk_triples_filter(
          raw.baseAddress!, raw.count, &ranges, count, triples, triples.count / 3)
      }
    }
    return hasOthers
  }

  /// Keeps a record's candidates ascending, each once.
  private mutating func insert(_ candidate: Candidate, from first: Int) {
    var place = found.count
    while place > first, candidate < found[place - 1] { place -= 1 }
    if place > first, found[place - 1] == candidate { return }
    if place == found.count { found.append(candidate) } else { found.insert(candidate, at: place) }
  }
}
