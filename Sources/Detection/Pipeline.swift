import Clients
import Envelopes
import Extraction
import Framing
import Records
import Scanning

/// One stream's whole walk, bytes to evidence. No clock, no files, no tasks.
///
/// A worker owns one and takes stream after stream through it; sightings of all of them gather in its census.
package struct Pipeline: Sendable {
  private let engine: Engine
  private var envelopes: EnvelopeOpener
  private var framer: Framer
  private var scanner: Scanner
  private var extractor: Extractor
  private var batch = RecordBatch()
  private var place = BatchPlace(stream: 0, path: "", firstLine: 1)
  private var evidence: Evidence
  private let recordByteLimit: Int

  /// The sightings of every stream this worker has seen.
  package private(set) var census: Census
  /// Times each signature held, over every stream.
  package var signatureCounts: [UInt64] { evidence.signatureCounts }
  /// Records that met a pattern or a `where:`, over every stream, and those for which one held.
  package var suspectCount: UInt64 { evidence.suspectCount }
  package var confirmedCount: UInt64 { evidence.confirmedCount }

  package init(
    _ engine: Engine, names: NameTable, options: ExtractionOptions = ExtractionOptions(),
    recordByteLimit: Int = Limits.recordByteLimit
  ) {
    self.engine = engine
    self.recordByteLimit = recordByteLimit
    envelopes = EnvelopeOpener(origin: Origin(host: nil, log: "", path: ""))
    framer = Framer(recordByteLimit: recordByteLimit, delimited: engine.rules.rules.delimited)
    scanner = Scanner(engine.plan)
    extractor = Extractor(engine.rules, names: names, options: options)
    evidence = Evidence(signatureCount: engine.rules.rules.signatures.count)
    census = Census()
  }

  /// Begins a stream: what the last one told about formats and clocks is forgotten.
  /// - Parameter index: the stream's place in the run; findings are ordered by it.
  package mutating func begin(stream index: Int, path: String, origin: Origin) {
    envelopes.begin(origin: origin)
    framer.begin()
    extractor.begin()
    batch.begin(origin: origin)
    place = BatchPlace(stream: index, path: path, firstLine: 1)
    evidence.findings.removeAll()
    evidence.outsideWindowCount = 0
    evidence.firstTime = nil
    evidence.lastTime = nil
    skips = SkipCounts()
    hasEnvelopes = false
    lineBase = 0
  }
  private var hasEnvelopes = false

  /// What a stream of lines without envelopes is remembered by, between one chunk and the next.
  package struct StreamMemory: Sendable {
    fileprivate var framer: Framer
    fileprivate var schemas: [RowSchema]

    /// Whether going on from here gives the same as going on from `other`, at this offset of the stream.
    package func continues(_ other: StreamMemory, at offset: UInt64) -> Bool {
      framer.continues(other.framer, schemas: schemas, otherSchemas: other.schemas)
        && framer.singleLineUntil <= offset && other.framer.singleLineUntil <= offset
    }
  }

  /// Nil once a line was enveloped: what the envelopes told is not part of it.
  package var memory: StreamMemory? {
    hasEnvelopes ? nil : StreamMemory(framer: framer, schemas: batch.schemas)
  }

  /// Begins in the middle of a stream, as if what came before had left `memory`.
  package mutating func begin(stream index: Int, path: String, origin: Origin, memory: StreamMemory) {
    begin(stream: index, path: path, origin: origin)
    framer = memory.framer
    batch.schemas = memory.schemas
  }

  /// Begins where an earlier reading of a stream stopped.
  /// - Parameters:
  ///   - memories: what `memories` was then.
  ///   - lineCount: lines before that place.
  package mutating func begin(
    stream index: Int, path: String, origin: Origin, memories: [Origin: OriginMemory], lineCount: UInt64
  ) {
    begin(stream: index, path: path, origin: origin)
    framer.remember(memories)
    lineBase = lineCount
  }

  /// What the stream's origins told about lines to come.
  package var memories: [Origin: OriginMemory] {
    framer.memories(origins: batch.origins, schemas: batch.schemas)
  }
  private var lineBase: UInt64 = 0

  /// What a part of a stream gave, without the tables of a whole result. Mutating, since a getter of a value so large
  /// copies it where it lies in an object.
  package mutating func takePart() -> (findings: [Finding], skips: SkipCounts, recordCount: UInt64) {
    (evidence.findings, skips, batch.recordCounts.reduce(0, +))
  }

  /// `memories`; nil while they are those that the stream began with.
  package mutating func learned() -> [Origin: OriginMemory]? {
    if framer.remembersAll(origins: batch.origins, schemas: batch.schemas) { return nil }
    return framer.memories(origins: batch.origins, schemas: batch.schemas)
  }

  /// Hands out the sightings of the last chunk, if there are any.
  package mutating func withSightings(_ body: (SightingColumns) -> Void) {
    if evidence.sightings.count > 0 { body(evidence.sightings) }
  }

  /// The sightings of the last chunk.
  package var sightings: SightingColumns { evidence.sightings }
  /// False: every event by itself, the slow twin for tests. The result is the same.
  package var usesEventLayouts: Bool {
    get { envelopes.layouts.isUsed }
    set { envelopes.layouts.isUsed = newValue }
  }
  /// False: the census stays empty; whoever drives the walk takes `sightings` chunk by chunk.
  package var countsSightings = true

  /// Gives the sightings and counts gathered so far away, and begins anew.
  package mutating func takeTotals() -> PipelineTotals {
    let totals = PipelineTotals(
      census: census, signatureCounts: evidence.signatureCounts, suspectCount: evidence.suspectCount,
      confirmedCount: evidence.confirmedCount)
    census = Census()
    evidence.signatureCounts = Array(repeating: 0, count: evidence.signatureCounts.count)
    evidence.suspectCount = 0
    evidence.confirmedCount = 0
    return totals
  }

  /// Line ends in what the last chunk was consumed of; nil when that is not known without counting.
  package private(set) var consumedLineCount: Int?

  /// What was passed over in the current stream.
  package private(set) var skips = SkipCounts()

  /// Takes one chunk through the walk.
  /// - Returns: bytes that are done with; the rest, an unfinished record, must stand at the front of the next chunk.
  package mutating func process(_ chunk: borrowing Chunk) -> Int {
    batch.removeAll()
    evidence.sightings.removeAll()
    place.firstLine = chunk.firstLine + lineBase
    let opened = envelopes.open(chunk, into: &batch)
    if !batch.isDirect { hasEnvelopes = true }
    let consumed: Int
    if batch.isDirect {
      consumed = walk(chunk.bytes, chunk, opened)
    } else {
      // The arena leaves the batch while its text is read and the batch is written.
      var arena: [UInt8] = []
      swap(&arena, &batch.arena)
      consumed = walk(arena.span, chunk, opened)
      swap(&arena, &batch.arena)
    }
    countSkips(chunk, consumed: consumed)
    // In a chunk without envelopes the batch's lines are those of the chunk.
    consumedLineCount =
      batch.isDirect
      ? batch.lineEndCount(below: consumed) : consumed == opened ? envelopes.openedLineCount : nil
    return consumed
  }

  private mutating func walk(_ text: Span<UInt8>, _ chunk: borrowing Chunk, _ opened: Int) -> Int {
    extractor.sortOut(text, &batch)
    let consumed = framer.frame(
      text, isFinal: chunk.isFinal && opened == chunk.byteCount, openedByteCount: opened, base: chunk.rawOffset,
      into: &batch)
    let candidates = scanner.scan(text, batch)
    var offsets = OffsetMap(encoding: chunk.encoding, base: chunk.rawOffset)
    extractor.extract(
      candidates, text: text, chunk: chunk.bytes, place: place, offsets: &offsets, in: &batch, into: &evidence)
    if countsSightings { census.note(evidence.sightings) }
    return consumed
  }

  /// Skips of the consumed part; what lies behind it is met again with the next chunk.
  private mutating func countSkips(_ chunk: borrowing Chunk, consumed: Int) {
    guard !batch.skipEvents.isEmpty else { return }
    let events = batch.skipEvents.sorted { ($0.start, $0.reason.rawValue) < ($1.start, $1.reason.rawValue) }
    var offsets = OffsetMap(encoding: chunk.encoding, base: chunk.rawOffset)
    for event in events where Int(event.start) < consumed {
      skips.note(
        event.reason, byteCount: Int(event.end - event.start),
        offset: offsets.rawOffset(at: Int(event.start), in: chunk.bytes),
        line: chunk.firstLine + UInt64(event.lineIndex))
    }
  }

  /// What the current stream gave, in stream order.
  package func result() -> StreamResult {
    StreamResult(
      findings: evidence.findings, skips: skips, recordCounts: batch.recordCounts, markerCount: batch.markerCount,
      outsideWindowCount: evidence.outsideWindowCount, firstTime: evidence.firstTime, lastTime: evidence.lastTime,
      hasCryptFields: batch.schemas.contains { $0.names.contains("crypt-protocol") },
      logs: Set(batch.origins.map(\.log)))
  }
}

extension Pipeline {
  /// What the current stream gave since the last call; the stream goes on, with what it is remembered by.
  package mutating func takeResult() -> StreamResult {
    let result = result()
    evidence.findings.removeAll()
    evidence.outsideWindowCount = 0
    evidence.firstTime = nil
    evidence.lastTime = nil
    skips = SkipCounts()
    batch.recordCounts = Array(repeating: 0, count: batch.recordCounts.count)
    batch.markerCount = 0
    return result
  }

  /// Hosts and logs that the current stream told apart so far.
  package var originCount: Int { batch.origins.count }
}

/// What the streams of one worker, or a part of one stream, gave together.
package struct PipelineTotals: Sendable {
  package var census: Census
  /// By signature.
  package var signatureCounts: [UInt64]
  /// Records that met a pattern or a `where:`, and those for which one held.
  package var suspectCount: UInt64
  package var confirmedCount: UInt64

  fileprivate init(census: Census, signatureCounts: [UInt64], suspectCount: UInt64, confirmedCount: UInt64) {
    self.census = census
    self.signatureCounts = signatureCounts
    self.suspectCount = suspectCount
    self.confirmedCount = confirmedCount
  }

  /// Nothing yet.
  package init(signatureCount: Int) {
    self.init(
      census: Census(), signatureCounts: Array(repeating: 0, count: signatureCount), suspectCount: 0,
      confirmedCount: 0)
  }

  package mutating func add(_ other: PipelineTotals) {
    if census.rowCount == 0, census.refusedCount == 0 { census = other.census } else { census.merge(other.census) }
    suspectCount += other.suspectCount
    confirmedCount += other.confirmedCount
    for index in signatureCounts.indices { signatureCounts[index] += other.signatureCounts[index] }
  }
}

/// What one stream gave.
package struct StreamResult: Sendable {
  package var findings: [Finding]
  package var skips: SkipCounts
  /// Whole records by format (`RecordFormat.rawValue`).
  package var recordCounts: [UInt64]
  package var markerCount: UInt64
  package var outsideWindowCount: UInt64
  package var firstTime: Timestamp?
  package var lastTime: Timestamp?
  /// Whether an IIS schema carried the TLS columns.
  package var hasCryptFields: Bool
  /// Names of the logs in it: its own, and those that envelopes named.
  package var logs: Set<String>

  package var recordCount: UInt64 { recordCounts.reduce(0, +) }

  /// Adds what a later part of the same stream gave, whose lines were counted from 1 behind `lineCount` lines.
  package mutating func append(_ later: StreamResult, lineCount: UInt64) {
    findings.reserveCapacity(findings.count + later.findings.count)
    for var finding in later.findings {
      finding.line += lineCount
      findings.append(finding)
    }
    skips.add(later.skips, lineCount: lineCount)
    for index in recordCounts.indices { recordCounts[index] += later.recordCounts[index] }
    markerCount += later.markerCount
    outsideWindowCount += later.outsideWindowCount
    if let time = later.firstTime { firstTime = min(firstTime ?? time, time) }
    if let time = later.lastTime { lastTime = max(lastTime ?? time, time) }
    if later.hasCryptFields { hasCryptFields = true }
    logs.formUnion(later.logs)
  }
}
