import CKernels
import Records

/// Candidates to findings, rows and recovery lines to sightings: the last stage of the walk.
///
/// Per record the signatures are tried in rule order; the first finding or look-alike takes the record. Text is made only
/// here, for records that are evidence.
package struct Extractor: Sendable {
  let rules: CompiledRules
  let names: NameTable
  let options: ExtractionOptions
  /// The run asked for a time window.
  let hasWindow: Bool
  let matcher = PatternMatcher()
  var fields = EventFields()
  var rowExtractor: RowExtractor
  /// By signature: what it asks of events.
  var eventRules: [EventRule]
  var eventJSON = EventJSONMemo()
  var eventKinds: EventKinds
  /// Ids of the name table by the bytes of host names, and of protocols and ciphers as they are written.
  var hostMemo = NameMemo()
  var wordMemo = NameMemo()
  /// By signature: what it asks of text records.
  private var textRules: [TextRule]
  private var scopes: LogScopes
  /// By origin of the stream: the id of its host, `UInt32.max` when it has none.
  private var hostIDs: [UInt32] = []
  /// The sightings of the record at hand, and the signatures that held on it.
  var pending: [SightingKey] = []
  var held: [UInt32] = []
  let textMemo = TextMemo()
  /// By signature, once it was asked for: its pattern over shapes, nil within where there is none or where it is of no use.
  private var shapePatterns: [ShapePattern??] = []
  /// By signature: how much more often its pattern said less of a shape than of the message than it said the same.
  private var shapeFailures: [Int] = []
  private static let shapeFailureLimit = 2
  /// Steps of them that may still be taken: a stream of ever new shapes is not worth its learning.
  private var shapeSteps = Extractor.shapeStepLimit
  private static let shapeStepLimit = 1 << 13
  /// What a record that is judged by itself adds.
  private static let shapeStepsOfRecord = 16
  private static let shapeStepsOfPattern = 1 << 11
  let eventMemo = EventMemo()
  /// Which of `pending` have the event's computer as their client.
  var pendingClients: [Bool] = []

  package init(_ rules: CompiledRules, names: NameTable, options: ExtractionOptions) {
    self.rules = rules
    self.names = names
    self.options = options
    hasWindow = options.since != nil || options.until != nil
    rowExtractor = RowExtractor(rules, names: names, options: options)
    eventRules = rules.compiled.map { EventRule($0.signature) }
    eventKinds = EventKinds(rules.compiled.map(\.signature))
    textRules = rules.compiled.map { TextRule($0) }
    scopes = LogScopes(signatureCount: rules.compiled.count)
  }

  /// Begins a stream: schemas are numbered anew.
  package mutating func begin() {
    rowExtractor.begin()
    scopes.begin()
    textMemo.begin()
    hostIDs.removeAll(keepingCapacity: true)
  }

  /// Extracts one batch.
  /// - Parameters:
  ///   - candidates: sorted by record and signature.
  ///   - offsets: maps positions of the chunk to raw bytes; asked in ascending order.
  ///   - chunk: the chunk's own bytes, which `offsets` walks.
  package mutating func extract(
    _ candidates: [Candidate], text: Span<UInt8>, chunk: Span<UInt8>, place: BatchPlace, offsets: inout OffsetMap,
    in batch: inout RecordBatch, into evidence: inout Evidence
  ) {
    var index = 0
    // Rows and records are told apart by the framing; findings are put in stream order afterwards.
    let firstFinding = evidence.findings.count
    while index < candidates.count {
      if options.usesTextMemo {
        takeKnown(candidates.span, text, batch.records.span, &index, &evidence)
        if index == candidates.count { break }
      }
      let record = Int(candidates[index].record)
      var end = index + 1
      while end < candidates.count, Int(candidates[end].record) == record { end += 1 }
      let slot = batch.records[record]
      if slot.format.family == .event {
        eventRecord(slot, candidates[index..<end], text, location(slot, place, batch), &batch, &evidence)
      } else {
        textRecord(slot, candidates.span, index..<end, text, place, &batch, &evidence)
      }
      index = end
    }
    rowExtractor.extract(text: text, place: place, in: &batch, into: &evidence)
    finishLocations(from: firstFinding, chunk: chunk, offsets: &offsets, &evidence)
  }

  /// Chunk positions to raw offsets, in ascending order, once per finding.
  private func finishLocations(
    from first: Int, chunk: Span<UInt8>, offsets: inout OffsetMap, _ evidence: inout Evidence
  ) {
    guard evidence.findings.count > first else { return }
    evidence.findings[first...].sort { $0.offset < $1.offset }
    for index in first..<evidence.findings.count {
      let start = Int(evidence.findings[index].offset)
      let end = start + Int(evidence.findings[index].length)
      let rawStart = offsets.rawOffset(at: start, in: chunk)
      evidence.findings[index].offset = rawStart
      var ahead = offsets
      evidence.findings[index].length = ahead.rawOffset(at: end, in: chunk) - rawStart
    }
  }

  /// A record's place while its batch is worked on: positions of the chunk.
  struct Location {
    var place: BatchPlace
    var chunkStart: Int
    var chunkEnd: Int
    var physicalLine: Int
    var pieceCount: Int
  }

  private func location(_ slot: RecordSlot, _ place: BatchPlace, _ batch: borrowing RecordBatch) -> Location {
    let range = batch.chunkRange(start: Int(slot.start), end: Int(slot.end), line: Int(slot.line))
    return Location(
      place: place, chunkStart: range.start, chunkEnd: range.end, physicalLine: batch.physicalLine(Int(slot.line)),
      pieceCount: batch.pieceCount(end: Int(slot.end), line: Int(slot.line)))
  }

  func newFinding(_ signature: Signature, _ verdict: Verdict, _ location: Location) -> Finding {
    var finding = Finding(
      signature: signature.id, findingClass: verdict.findingClass ?? .handshakeFailure,
      cause: verdict.cause ?? .unknownTLS, severity: verdict.severity ?? .warning, stream: location.place.stream,
      path: location.place.path, offset: UInt64(location.chunkStart),
      length: UInt64(location.chunkEnd - location.chunkStart),
      line: location.place.firstLine + UInt64(location.physicalLine),
      confidence: verdict.confidence ?? .inferred)
    finding.parts = location.pieceCount
    finding.code = verdict.code
    finding.symbol = verdict.symbol
    finding.area = verdict.area
    finding.feature = verdict.feature
    finding.stack = verdict.stack
    finding.protocolName = verdict.protocolName
    finding.role = signature.role
    finding.eventGroup = signature.group
    finding.explain = verdict.explain
    finding.remedy = verdict.remedy
    return finding
  }

  // MARK: Text records

  private mutating func textRecord(
    _ slot: RecordSlot, _ candidates: Span<Candidate>, _ own: Range<Int>, _ text: Span<UInt8>, _ place: BatchPlace,
    _ batch: inout RecordBatch, _ evidence: inout Evidence
  ) {
    let frame = options.usesTextMemo ? textMemo.frame : nil
    let mayNote = options.usesTextMemo && textMemo.hasKey
    let mayBeShape = mayNote && textMemo.mayBeShape
    var proof = ShapeProof(isWanted: mayBeShape && shapeSteps >= Extractor.shapeStepsOfPattern)
    // One that cannot be tried yet is noted another time.
    let isPutOff = mayBeShape && !proof.isWanted
    let facts = TextFacts(
      slot, text, frame: frame, log: batch.origins[Int(slot.origin)].log, zone: options.zone,
      delimited: rules.rules.delimited)
    let scope =
      scopes.known(origin: slot.origin, component: facts.component, text)
      ?? scopes.scope(origin: slot.origin, in: batch.origins, component: facts.component, text) { [rules] index in
        index < rules.compiled.count
          && Extractor.matchesLog(rules.compiled[index].signature, batch.origins[Int(slot.origin)], facts, text)
      }
    let findingCount = evidence.findings.count
    let skipCount = batch.skipEvents.count
    var isSuspect = false
    var isConfirmed = false
    var isTaken = false
    var isLookAlike = false
    pending.removeAll(keepingCapacity: true)
    held.removeAll(keepingCapacity: true)
    for number in own {
      let index = Int(candidates[number].signature)
      let rule = textRules[index]
      if isTaken, rule.givesWay { continue }
      let entry = rules.compiled[index]
      guard
        scope.map({ scopes.contains(index, in: $0) })
          ?? Extractor.matchesLog(entry.signature, batch.origins[Int(slot.origin)], facts, text)
      else { continue }
      if rule.namesDelimited, let name = facts.formatName, !entry.signature.delimited.contains(name) { continue }
      isSuspect = true
      var yields: Yield
      var match: TextMatch?
      if let settled = rule.settled, let held = holdsAtOnce(entry, slot, text) {
        if proof.isWanted { prove(held, isSettled: true, index, slot, &proof) }
        guard held else { continue }
        yields = settled
      } else {
        guard
          let found = confirm(
            entry, slot, batch.origins[Int(slot.origin)], facts, text, location(slot, place, batch), &batch)
        else {
          if proof.isWanted { prove(false, isSettled: false, index, slot, &proof) }
          continue
        }
        proof.isWanted = false
        yields = found.verdict.yield(rule.yields)
        match = found
      }
      if !isConfirmed {
        isConfirmed = true
        if let wrong = facts.timeFault {
          let location = location(slot, place, batch)
          batch.skip(wrong, start: location.chunkStart, end: location.chunkEnd, lineIndex: location.physicalLine)
        }
        if hasWindow, !options.includes(facts.time) {
          evidence.outsideWindowCount += 1
          evidence.suspectCount += 1
          evidence.confirmedCount += 1
          return
        }
      }
      evidence.signatureCounts[index] += 1
      held.append(UInt32(index))
      switch yields {
      case .none:
        isTaken = true
        if rule.yields == .none { isLookAlike = true }
      case .context: break
      case .sighting:
        // Two definitions that see the same exchange in one record have seen it once.
        let key =
          match.map { sightingKey(entry, $0, batch.origins[Int(slot.origin)]) }
          ?? settledSighting(index, entry, slot, text, batch.origins)
        if !pending.contains(key) { pending.append(key) }
      case .finding:
        guard let match else { break }
        isTaken = true
        var finding = newFinding(entry.signature, match.verdict, location(slot, place, batch))
        fill(&finding, entry, match, batch.origins[Int(slot.origin)], facts, text)
        evidence.findings.append(finding)
        if let time = finding.time { evidence.noteTime(time) }
      }
    }
    if isSuspect { evidence.suspectCount += 1 }
    if isConfirmed { evidence.confirmedCount += 1 }
    if isLookAlike { pending.removeAll(keepingCapacity: true) }
    if !pending.isEmpty {
      for key in pending { evidence.sightings.append(key, at: facts.time?.microseconds ?? .min) }
      if let time = facts.time { evidence.noteTime(time) }
    }
    // A name that the table refused is counted each time.
    if mayNote, !isPutOff, evidence.findings.count == findingCount, batch.skipEvents.count == skipCount,
      held.count <= TextMemo.signatureLimit, pending.count <= TextMemo.sightingLimit, names.refusedCount == 0
    {
      var outcome = TextMemo.Outcome(isSuspect: isSuspect, isConfirmed: isConfirmed)
      for signature in held {
        outcome.signatures[outcome.signatureCount] = signature
        outcome.signatureCount += 1
      }
      for sighting in pending {
        outcome.sightings[outcome.sightingCount] = sighting
        outcome.sightingCount += 1
      }
      textMemo.note(outcome, text, batch.records.span, candidates, literals: proof.literals)
    }
    shapeSteps = min(shapeSteps + Extractor.shapeStepsOfRecord, Extractor.shapeStepLimit)
  }

  /// What is known of a record's shape while its candidates are judged.
  private struct ShapeProof {
    /// All that was asked of the message so far was answered by its shape.
    var isWanted: Bool
    /// Where groups lie whose bytes count.
    private var ranges: [Range<Int>] = []

    init(isWanted: Bool) { self.isWanted = isWanted }

    mutating func add(_ range: Range<Int>) { ranges.append(range) }

    /// Ascending and apart, as pairs; nil when the shape does not decide.
    var literals: [UInt16]? {
      guard isWanted else { return nil }
      var joined: [Range<Int>] = []
      for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
        if let last = joined.last, range.lowerBound <= last.upperBound {
          joined[joined.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
        } else {
          joined.append(range)
        }
      }
      guard joined.count <= Int(HK_TEXT_LITERALS) else { return nil }
      return joined.flatMap { [UInt16($0.lowerBound), UInt16($0.upperBound)] }
    }
  }

  /// Whether the shape of the message at hand decides what its pattern has just said: that it holds, with the groups where they
  /// are, or that it does not.
  private mutating func prove(
    _ held: Bool, isSettled: Bool, _ index: Int, _ slot: RecordSlot, _ proof: inout ShapeProof
  ) {
    let entry = rules.compiled[index]
    guard let pattern = entry.pattern else {
      // Its codes may know the log.
      proof.isWanted = isSettled
      return
    }
    if shapePatterns.isEmpty {
      shapePatterns = Array(repeating: nil, count: rules.compiled.count)
      shapeFailures = Array(repeating: 0, count: rules.compiled.count)
    }
    let known = shapePatterns[index] ?? ShapePattern(pattern.source)
    shapePatterns[index] = .some(known)
    var steps = Extractor.shapeStepsOfPattern
    let result = unsafe known?.match(textMemo.shape, steps: &steps)
    shapeSteps -= Extractor.shapeStepsOfPattern - max(0, steps)
    switch result {
    case .match(let groups)? where held:
      let start = Int(slot.messageStart)
      for (_, number) in entry.groups {
        let range = matcher.group(number).map { ($0.lowerBound - start)..<($0.upperBound - start) }
        guard range == groups[number] else {
          proof.isWanted = false
          return
        }
        if let range, !range.isEmpty { proof.add(range) }
      }
      shapeFailures[index] = max(-Extractor.shapeFailureLimit, shapeFailures[index] - 1)
    // A match that the codes do not know is not followed by others here.
    case ShapePattern.Result.none? where !held: break
    default:
      proof.isWanted = false
      // A pattern that asks for what symbols stand for, or takes too long, is not tried for ever.
      shapeFailures[index] += 1
      if shapeFailures[index] >= Extractor.shapeFailureLimit { shapePatterns[index] = .some(nil) }
    }
  }

  /// Takes the records from candidate `index` on of which all but the time was met before for what they came to.
  private func takeKnown(
    _ candidates: Span<Candidate>, _ text: Span<UInt8>, _ records: Span<RecordSlot>, _ index: inout Int,
    _ evidence: inout Evidence
  ) {
    var count = 0
    repeat {
      count = textMemo.run(text, records, candidates, from: &index)
      for number in 0..<count {
        let hit = unsafe textMemo.hit(number)
        let outcome = unsafe hit.outcome
        if unsafe outcome.pointee.isSuspect { evidence.suspectCount += 1 }
        guard unsafe outcome.pointee.isConfirmed else { continue }
        evidence.confirmedCount += 1
        var time = unsafe Timestamp(microseconds: hit.time)
        if unsafe hit.isLocal { time = options.zone.instant(ofLocal: time) }
        if hasWindow, !options.includes(time) {
          evidence.outsideWindowCount += 1
          continue
        }
        for index in 0..<(unsafe outcome.pointee.signatureCount) {
          evidence.signatureCounts[Int(unsafe outcome.pointee.signatures[index])] += 1
        }
        let sightingCount = unsafe outcome.pointee.sightingCount
        for index in 0..<sightingCount {
          evidence.sightings.append(unsafe outcome.pointee.sightings[index], at: time.microseconds)
        }
        if sightingCount > 0 { evidence.noteTime(time) }
      }
    } while count == TextMemo.hitCapacity
  }

  /// Whether the pattern holds, of a message that is one window and by one match; nil when that takes more.
  private func holdsAtOnce(_ entry: CompiledRules.Compiled, _ slot: RecordSlot, _ text: Span<UInt8>) -> Bool? {
    guard let pattern = entry.pattern else { return true }
    let start = Int(slot.messageStart)
    let end = Int(slot.messageEnd)
    guard end - start <= Limits.patternWindowByteCount else { return nil }
    switch matcher.match(pattern, text, start: start, end: end, from: start) {
    case .match: return true
    case .none: return false
    case .limit: return nil
    }
  }

  /// The sighting of a signature whose pattern has just held and that no code table refines.
  private mutating func settledSighting(
    _ index: Int, _ entry: CompiledRules.Compiled, _ slot: RecordSlot, _ text: Span<UInt8>, _ origins: [Origin]
  ) -> SightingKey {
    let rule = textRules[index]
    let ids =
      rule.ids
      ?? (names.id(of: entry.signature.role ?? ""), names.id(of: entry.signature.protocolName ?? ""))
    textRules[index].ids = ids
    var client: UInt32?
    var server: UInt32?
    var protocolName = ids.protocolName
    var cipher: UInt32 = 0
    for (field, number) in entry.groups {
      guard let range = matcher.group(number).map(Extractor.clamped), !range.isEmpty else { continue }
      switch field {
      case .client: client = hostID(text, range)
      case .clientID, .clientIP: client = client ?? wordID(text, range)
      case .server: server = hostID(text, range)
      case .url:
        if server != nil { break }
        if let host = HostName.rangeOfURL(text, range) {
          server = hostID(text, host)
        } else {
          server = HostName.ofURL(Text.decode(text.extracting(range))).map { names.id(of: $0) }
        }
      case .protocolName: protocolName = wordID(text, range)
      case .cipher: cipher = wordID(text, range)
      case .component, .alert: break
      }
    }
    switch rule.hostIs {
    case .client?: client = originHostID(slot.origin, origins) ?? client
    case .server?: server = server ?? originHostID(slot.origin, origins)
    case nil: break
    }
    return SightingKey(
      clientLow: UInt64(client ?? 0), server: server ?? 0, role: ids.role, protocolName: protocolName, cipher: cipher,
      outcome: rule.outcome)
  }

  private mutating func hostID(_ text: Span<UInt8>, _ range: Range<Int>) -> UInt32 {
    hostMemo.id(of: text, range.lowerBound, range.upperBound) { [names] in
      names.id(of: HostName.normal(Text.decode(text.extracting(range))))
    }
  }

  private mutating func wordID(_ text: Span<UInt8>, _ range: Range<Int>) -> UInt32 {
    wordMemo.id(of: text, range.lowerBound, range.upperBound) { [names] in
      names.id(of: Text.decode(text.extracting(range)))
    }
  }

  /// The id of an origin's host, nil when it has none.
  private mutating func originHostID(_ origin: UInt32, _ origins: [Origin]) -> UInt32? {
    while hostIDs.count < origins.count {
      hostIDs.append(origins[hostIDs.count].host.map { names.id(of: $0) } ?? .max)
    }
    let id = hostIDs[Int(origin)]
    return id == .max ? nil : id
  }

  /// Group texts of the deciding match.
  struct TextMatch {
    var verdict: Verdict
    var groups: [(CompiledRules.GroupField, String)]
  }

  static func matchesLog(
    _ signature: Signature, _ origin: Origin, _ facts: borrowing TextFacts, _ text: Span<UInt8>
  ) -> Bool {
    if signature.logs.isEmpty { return true }
    for pieces in signature.logs {
      if Wildcard.matches(pieces, origin.log) { return true }
      if let component = facts.component,
        Wildcard.matches(pieces, text, start: component.lowerBound, end: component.upperBound)
      {
        return true
      }
    }
    return false
  }

  /// The first match that the code tables know. Long messages are searched in overlapping windows.
  func confirm(
    _ entry: CompiledRules.Compiled, _ slot: RecordSlot, _ origin: Origin, _ facts: borrowing TextFacts,
    _ text: Span<UInt8>, _ location: Location, _ batch: inout RecordBatch
  ) -> TextMatch? {
    let messageEnd = Int(slot.messageEnd)
    // Closures take the matcher alone: with `self` they would copy the whole extractor.
    let matcher = matcher
    guard let pattern = entry.pattern else {
      let verdict = refine(Verdict(entry.signature), entry, origin, facts, text) { _ in nil }
      return verdict.map { TextMatch(verdict: $0, groups: []) }
    }
    var windowStart = Int(slot.messageStart)
    var tries = 0
    repeat {
      let windowEnd = min(messageEnd, windowStart + Limits.patternWindowByteCount)
      var from = windowStart
      search: while tries < Limits.matchesPerRecordLimit {
        tries += 1
        switch matcher.match(pattern, text, start: windowStart, end: windowEnd, from: from) {
        case .none: break search
        case .limit:
          batch.skip(
            .patternLimit, start: location.chunkStart, end: location.chunkEnd, lineIndex: location.physicalLine)
          return nil
        case .match:
          let whole = matcher.group(0)!
          let verdict = refine(Verdict(entry.signature), entry, origin, facts, text) { matcher.group($0) }
          if let verdict {
            let groups = entry.groups.compactMap { field, number in
              matcher.group(number).map { (field, Text.decode(text.extracting(Extractor.clamped($0)))) }
            }
            return TextMatch(verdict: verdict, groups: groups)
          }
          from = max(whole.upperBound, from + 1)
          if from > windowEnd { break search }
        }
      }
      if windowEnd == messageEnd { break }
      windowStart += Limits.patternWindowByteCount * 3 / 4
    } while true
    return nil
  }

  /// Asks the code tables; nil when the first of them does not know the value.
  private func refine(
    _ start: Verdict, _ entry: CompiledRules.Compiled, _ origin: Origin, _ facts: borrowing TextFacts,
    _ text: Span<UInt8>, group: (Int) -> Range<Int>?
  ) -> Verdict? {
    var verdict = start
    for (position, code) in entry.codes.enumerated() {
      let table = rules.rules.tables[code.source.table]
      var row: CodeRow?
      var spelled = ""
      switch code.origin {
      case .group(let number):
        if let range = group(number) {
          spelled = Text.decode(text.extracting(Extractor.clamped(range)))
          row = table.row(for: spelled)
        }
      case .log:
        row = table.row(for: origin.log)
        if row == nil, let component = facts.component {
          row = table.row(for: Text.decode(text.extracting(Extractor.clamped(component))))
        }
      case .none: break
      }
      guard let row else {
        if position == 0 { return nil }
        continue
      }
      verdict.refine(row, table.kind, isFirst: position == 0, spelled: spelled)
    }
    return verdict
  }

  static func clamped(_ range: Range<Int>) -> Range<Int> {
    range.lowerBound..<min(range.upperBound, range.lowerBound + Limits.nameByteLimit)
  }

  private func fill(
    _ finding: inout Finding, _ entry: CompiledRules.Compiled, _ match: TextMatch, _ origin: Origin,
    _ facts: borrowing TextFacts, _ text: Span<UInt8>
  ) {
    finding.time = facts.time
    finding.host = origin.host
    finding.log = origin.log
    if let component = facts.component, !component.isEmpty {
      finding.component = Text.decode(text.extracting(Extractor.clamped(component)))
    }
    if let thread = facts.thread, !thread.isEmpty {
      finding.writer = Text.decode(text.extracting(Extractor.clamped(thread)))
      finding.writerIsThread = true
    }
    for (field, value) in match.groups where !value.isEmpty {
      switch field {
      case .client: finding.client = HostName.normal(value)
      case .clientID: finding.clientID = value
      case .clientIP: finding.clientIP = value
      case .server: finding.server = HostName.normal(value)
      case .url: if let host = HostName.ofURL(value) { finding.server = finding.server ?? host }
      case .protocolName: finding.protocolName = value
      case .cipher: finding.cipher = value
      case .component: finding.component = value
      case .alert: finding.alert = UInt8(value).map { Int($0) }
      }
    }
    if let columns = facts.columns {
      func value(_ column: DelimitedRule.Column) -> String? {
        guard let range = columns[column], range.count > 1 || (range.count == 1 && text[range.lowerBound] != 0x2D)
        else {
          return nil
        }
        return Text.decode(text.extracting(Extractor.clamped(range)))
      }
      finding.host = value(.host).map(HostName.normal) ?? finding.host
      finding.client = finding.client ?? value(.client).map(HostName.normal)
      finding.clientIP = finding.clientIP ?? value(.clientIP)
      finding.server = finding.server ?? value(.server).map(HostName.normal)
      finding.protocolName = finding.protocolName ?? value(.protocolName)
      finding.cipher = finding.cipher ?? value(.cipher)
    }
    switch entry.signature.hostIs {
    case .client?: if finding.client == nil { finding.client = finding.host }
    case .server?: if finding.server == nil { finding.server = finding.host }
    case nil: break
    }
  }

  private func sightingKey(_ entry: CompiledRules.Compiled, _ match: TextMatch, _ origin: Origin) -> SightingKey {
    var client: String?
    var server: String?
    var protocolName = match.verdict.protocolName
    var cipher: String?
    for (field, value) in match.groups where !value.isEmpty {
      switch field {
      case .client: client = HostName.normal(value)
      case .clientID: client = client ?? value
      case .clientIP: client = client ?? value
      case .server: server = HostName.normal(value)
      case .url: server = server ?? HostName.ofURL(value)
      case .protocolName: protocolName = value
      case .cipher: cipher = value
      case .component, .alert: break
      }
    }
    if entry.signature.hostIs == .client { client = origin.host ?? client }
    if entry.signature.hostIs == .server { server = server ?? origin.host }
    return SightingKey(
      clientLow: UInt64(names.id(of: client ?? "")), server: names.id(of: server ?? ""),
      role: names.id(of: entry.signature.role ?? ""), protocolName: names.id(of: protocolName ?? ""),
      cipher: names.id(of: cipher ?? ""), outcome: match.verdict.outcome.number)
  }
}

/// Names of machines as they stand in logs.
enum HostName {
  /// Where the host stands in `https://host:port/path` and the like; nil when only `ofURL` can say.
  static func rangeOfURL(_ text: Span<UInt8>, _ range: Range<Int>) -> Range<Int>? {
    var start = range.lowerBound
    var index = start
    while index + 2 < range.upperBound {
      if text[index] == 0x3A, text[index + 1] == 0x2F, text[index + 2] == 0x2F {
        start = index + 3
        break
      }
      index += 1
    }
    guard start < range.upperBound, text[start] != 0x5B else { return nil }
    var end = start
    while end < range.upperBound {
      switch text[end] {
      case 0x2F, 0x3A, 0x3F, 0x23, 0x5C: return end > start ? start..<end : nil
      case 0x80...: return nil
      default: end += 1
      }
    }
    return end > start ? start..<end : nil
  }

  /// Without a trailing dot; domain names in lower case, plain machine names as written.
  static func normal(_ name: String) -> String {
    var body = Substring(name)
    while body.hasSuffix(".") { body = body.dropLast() }
    return body.contains(".") ? body.lowercased() : String(body)
  }

  /// The host of `https://host:port/path`, `host/path` or `//host`; nil when there is none.
  static func ofURL(_ url: String) -> String? {
    var rest = Substring(url)
    if let scheme = rest.range(of: "://") { rest = rest[scheme.upperBound...] }
    if rest.hasPrefix("[") {
      guard let close = rest.firstIndex(of: "]") else { return nil }
      return String(rest[rest.index(after: rest.startIndex)..<close])
    }
    let host = rest.prefix { $0 != "/" && $0 != ":" && $0 != "?" && $0 != "#" && $0 != "\\" }
    return host.isEmpty ? nil : normal(String(host))
  }
}

extension Substring {
  /// The first occurrence of `literal`, without Foundation.
  fileprivate func range(of literal: String) -> Range<Substring.Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(literal) { return start..<index(start, offsetBy: literal.count) }
      start = index(after: start)
    }
    return nil
  }
}

/// What the frame of a record says, for people.
package struct RecordDescription {
  package var time: Timestamp?
  package var component: String?
  package var host: String?
  package var message: String
}

extension Extractor {
  /// Reads the frame of any record, candidate or not.
  package mutating func describe(_ slot: RecordSlot, _ text: Span<UInt8>, _ origin: Origin) -> RecordDescription {
    let message = Text.decode(text.extracting(Int(slot.messageStart)..<Int(slot.messageEnd)))
    guard slot.format.family == .event else {
      let facts = TextFacts(
        slot, text, log: origin.log, zone: options.zone, delimited: rules.rules.delimited)
      return RecordDescription(
        time: facts.time, component: facts.component.map { Text.decode(text.extracting($0)) },
        host: facts.columns?[.host].map { Text.decode(text.extracting($0)) }, message: message)
    }
    guard readEvent(slot, text) else { return RecordDescription(message: message) }
    let id = fields.eventID.map { " \($0)" } ?? ""
    return RecordDescription(
      time: fields.time ?? fields.localTime.map { options.zone.instant(ofLocal: $0) },
      component: fields.string(fields.provider), host: fields.string(fields.computer),
      message: fields.string(fields.message) ?? (fields.string(fields.provider) ?? "event") + id)
  }
}
