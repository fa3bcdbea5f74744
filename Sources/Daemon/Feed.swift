import CLinux
import Clients
import Detection
import Extraction
import Foundation
import Framing
import Ingest
import Records
import Store

/// Where to go on with a source of messages, across restarts.
struct FeedCheckpoint: Codable, Hashable {
  /// Bytes and lines of its text so far: they number its evidence for ever.
  var offset: UInt64 = 0
  var lineCount: UInt64 = 0
  /// What its origins told about later lines.
  var memory: [UInt8] = []
  /// In the journal: the last entry that was read.
  var cursor: String?

  /// `feed:` tells its checkpoints from those of files.
  static func key(_ stream: String) -> String { "feed:" + stream }
}

/// A source of messages, a syslog socket or the journal, as one endless stream of lines in a pipeline of its own.
///
///     | text that was walked: `checkpoint.offset` | held: a record in pieces, not whole yet | next message …
///
/// A message is whole when it comes. Only a record that its forwarder sends in pieces is held, and only shortly:
/// nobody acknowledges what came by syslog, so what is held can be lost.
final class Feed {
  /// `syslog:NAME` or `journal`: evidence is kept by it.
  let stream: String
  /// As findings name it.
  let path: String
  private(set) var checkpoint: FeedCheckpoint
  private var pipeline: Pipeline
  private let names = NameTable()
  private var chunk = Chunk(capacity: 0)
  /// When its oldest text that was not walked to the end came, in microseconds of the monotonic clock.
  private(set) var heldSince: UInt64?
  /// Bytes that were walked without being consumed.
  private var triedCount = 0
  private var triedAt: UInt64 = 0
  private var savedMemory: [Origin: OriginMemory] = [:]
  private var mayHaveLearned = false
  private var learnedAt: UInt64 = 0

  /// How long a record may wait for its next piece, in microseconds.
  static let patience: UInt64 = 2_000_000
  /// Held text is walked again when it has grown by so much, or after `pause`.
  private static let growth = 16 * 1024
  private static let pause: UInt64 = 100_000
  /// Origins whose memory is kept over a restart.
  private static let memoryLimit = 4096

  init(stream: String, path: String, checkpoint: FeedCheckpoint, engine: Engine, zone: ZoneRules) throws {
    self.stream = stream
    self.path = path
    self.checkpoint = checkpoint
    stored = checkpoint
    pipeline = Pipeline(engine, names: names, options: ExtractionOptions(zone: zone))
    savedMemory = Walk.decode(checkpoint.memory)
    begin()
  }

  /// Goes on with other definitions.
  func renew(_ engine: Engine, zone: ZoneRules) throws {
    learn()
    pipeline = Pipeline(engine, names: names, options: ExtractionOptions(zone: zone))
    begin()
  }

  private func begin() {
    pipeline.countsSightings = false
    pipeline.begin(
      stream: 0, path: path, origin: Origin(host: nil, log: "", path: path), memories: savedMemory, lineCount: 0)
  }

  var heldByteCount: Int { chunk.byteCount }

  /// When what is held is to be walked without waiting any longer.
  var due: UInt64? { heldSince.map { $0 + Feed.patience } }

  private func isDue(_ now: UInt64) -> Bool { due.map { now >= $0 } ?? false }

  /// Walks what came, after what was held.
  /// - Parameters:
  ///   - text: whole lines.
  ///   - cursors: how many bytes of `text` were there after an entry of the journal, and its cursor.
  ///   - now: of the monotonic clock.
  /// - Returns: nil when all of it is held.
  func read(_ text: [UInt8], cursors newCursors: [(end: Int, cursor: String)] = [], now: UInt64) -> PartEvidence? {
    let start = checkpoint.offset + UInt64(chunk.byteCount)
    cursors += newCursors.map { (start + UInt64($0.end), $0.cursor) }
    append(text)
    defer { passCursors() }
    guard chunk.byteCount > 0 else { return nil }
    if heldSince == nil { heldSince = now }
    // Pieces come by the thousand, and each would be looked at together with all before it.
    let isPatient = !isDue(now) && chunk.byteCount < Limits.recordByteLimit
    if isPatient, triedCount > 0, chunk.byteCount - triedCount < Feed.growth, now - triedAt < Feed.pause { return nil }
    chunk.isFinal = !isPatient
    chunk.rawOffset = checkpoint.offset
    chunk.firstLine = checkpoint.lineCount + 1
    var spans = SightingSpans()
    let consumed = pipeline.process(chunk)
    spans.gather(pipeline.sightings)
    triedCount = chunk.byteCount - consumed
    triedAt = now
    guard consumed > 0 else { return nil }
    let from = checkpoint.offset
    let lineCount = chunk.storage.span.count(0x0A, below: consumed)
    checkpoint.offset += UInt64(consumed)
    checkpoint.lineCount += UInt64(lineCount)
    let held = chunk.byteCount - consumed
    chunk.storage.withUnsafeMutableBytes {
      $0.baseAddress!.copyMemory(from: $0.baseAddress! + consumed, byteCount: held)
    }
    chunk.byteCount = held
    heldSince = chunk.byteCount > 0 ? now : nil
    let result = pipeline.takeResult()
    if pipeline.originCount > Limits.originLimit * 3 / 4 { forgetOrigins() }
    var findings = result.findings
    SameFailure.link(&findings)
    var extent = Extent(file: stream, from: from, to: checkpoint.offset)
    let (activities, successes) = spans.activities(names)
    extent.activities = activities
    return PartEvidence(
      extent: extent, findings: findings, successes: successes, lineCount: UInt64(lineCount),
      recordCount: result.recordCount, skips: result.skips, error: nil)
  }

  private func append(_ text: [UInt8]) {
    guard !text.isEmpty else { return }
    let needed = chunk.byteCount + text.count + Limits.slackByteCount
    if chunk.storage.count < needed {
      chunk.storage.append(contentsOf: repeatElement(0, count: needed - chunk.storage.count))
    }
    let held = chunk.byteCount
    chunk.storage.withUnsafeMutableBytes { raw in
      text.withUnsafeBytes { (raw.baseAddress! + held).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    }
    chunk.byteCount += text.count
    if !mayHaveLearned {
      mayHaveLearned = text.withUnsafeBytes { hl_holds($0.baseAddress!, $0.count, "#Fields") != 0 }
    }
  }

  /// An entry of the journal is done with when its text is.
  private func passCursors() {
    guard let index = cursors.lastIndex(where: { $0.end <= checkpoint.offset }) else { return }
    checkpoint.cursor = cursors[index].cursor
    cursors.removeFirst(index + 1)
  }
  private var cursors: [(end: UInt64, cursor: String)] = []

  /// Whether its checkpoint is not stored as it is now.
  var isChanged: Bool { checkpoint != stored }
  private var stored: FeedCheckpoint

  /// The checkpoint as it is to be stored together with the evidence read so far.
  func checkpointToStore(_ now: UInt64) -> Checkpoint? {
    // Told at once where rows would be unreadable without it, else now and then where origins are many.
    if mayHaveLearned || pipeline.originCount <= 512 || now - learnedAt > 5_000_000 {
      learnedAt = now
      learn()
    }
    guard let value = try? JSONEncoder().encode(checkpoint) else { return nil }
    stored = checkpoint
    return Checkpoint(key: FeedCheckpoint.key(stream), offset: checkpoint.offset, value: Array(value))
  }

  private func learn() {
    mayHaveLearned = false
    var memories = pipeline.memories
    if memories.count > Feed.memoryLimit {
      let few = memories.filter { $0.value.fields != nil }.prefix(Feed.memoryLimit)
      memories = Dictionary(uniqueKeysWithValues: few.map { ($0.key, $0.value) })
    }
    guard memories != savedMemory else { return }
    savedMemory = memories
    checkpoint.memory = Walk.encode(memories)
  }

  /// A stream tells only so many origins apart; one that never ends begins anew before that.
  private func forgetOrigins() {
    learn()
    begin()
  }
}

extension Span<UInt8> {
  fileprivate func count(_ byte: UInt8, below end: Int) -> Int {
    var count = 0
    for index in 0..<end where self[index] == byte { count += 1 }
    return count
  }
}
