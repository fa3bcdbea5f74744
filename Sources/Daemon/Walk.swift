import Clients
import Detection
import Extraction
import Following
import Foundation
import Framing
import Ingest
import Records
import Store

/// What one part of a file gave.
struct PartEvidence {
  var extent: Extent
  var findings: [Finding]
  var successes: [(client: String, server: String, time: Timestamp)]
  var lineCount: UInt64
  var recordCount: UInt64
  var skips: SkipCounts
  var error: IngestError?
  /// It cannot be read again: nobody keeps it but we.
  var isVolatile = false

  /// Nothing but what was passed over.
  static func nothing(of stream: String, _ skips: SkipCounts) -> PartEvidence {
    PartEvidence(
      extent: Extent(file: stream, from: 0, to: 0), findings: [], successes: [], lineCount: 0, recordCount: 0,
      skips: skips, error: nil)
  }
}

/// Takes parts of followed files through the walk of a replay, one after the other, each where it was left.
struct Walk {
  let engine: Engine
  private var pipeline: Pipeline
  private let names = NameTable()
  /// By stream: what its origins told, in memory and as it is stored.
  private var memories: [String: (known: [Origin: OriginMemory], stored: [UInt8])] = [:]

  init(_ engine: Engine, zone: ZoneRules) throws {
    self.engine = engine
    pipeline = Pipeline(engine, names: names, options: ExtractionOptions(zone: zone))
    pipeline.countsSightings = false
  }

  /// - Returns: the evidence, the offset up to which bytes are done with, and what the stream is to be remembered by.
  mutating func read(_ part: Follower.Part) -> (evidence: PartEvidence, end: UInt64, memory: [UInt8]) {
    let host = part.host ?? HostFolder.host(ofPath: part.path)
    let source = SourceFile(input: .file(Array(part.path.utf8)), path: part.path, host: host)
    let known = memories[part.stream]?.known ?? Walk.decode(part.memory)
    pipeline.begin(
      stream: part.id, path: part.path, origin: Origin(host: host, log: source.log, path: part.path), memories: known,
      lineCount: part.lineCount)
    var reader = ChunkReader(
      source, descriptor: part.descriptor, encoding: part.encoding, from: part.offset, to: part.end)
    var spans = SightingSpans()
    var failure: IngestError?
    do throws(IngestError) {
      while try reader.fill() {
        let consumed = pipeline.process(reader.chunk)
        reader.consume(consumed)
        spans.gather(pipeline.sightings)
      }
    } catch {
      failure = error
    }
    // What the walk left of the last chunk begins a record that is not whole yet.
    let end = part.end == nil ? reader.readOffset : reader.chunk.rawOffset
    let result = pipeline.result()
    var findings = result.findings
    SameFailure.link(&findings)
    var extent = Extent(file: part.stream, from: part.offset, to: max(part.offset, end))
    extent.findings = findings.map { Extent.Item($0) }
    let (activities, successes) = spans.activities(names)
    extent.activities = activities
    var skips = result.skips
    skips.add(reader.skips)
    let now = pipeline.memories
    let stored: [UInt8]
    if let before = memories[part.stream], before.known == now {
      stored = before.stored
    } else {
      stored = Walk.encode(now)
      memories[part.stream] = (now, stored)
    }
    let evidence = PartEvidence(
      extent: extent, findings: findings, successes: successes,
      lineCount: part.lineCount + reader.chunk.firstLine - 1, recordCount: result.recordCount, skips: skips,
      error: failure)
    return (evidence, max(part.offset, end), stored)
  }

  mutating func forget(_ streams: [String]) {
    for stream in streams { memories[stream] = nil }
  }

  // MARK: - Memory

  private struct Entry: Codable {
    var host: String?
    var log: String
    var path: String
    var memory: OriginMemory
  }

  static func encode(_ memories: [Origin: OriginMemory]) -> [UInt8] {
    if memories.isEmpty { return [] }
    let entries = memories.map { Entry(host: $0.key.host, log: $0.key.log, path: $0.key.path, memory: $0.value) }
      .sorted { ($0.host ?? "", $0.path, $0.log) < ($1.host ?? "", $1.path, $1.log) }
    return (try? JSONEncoder().encode(entries)).map { Array($0) } ?? []
  }

  static func decode(_ bytes: [UInt8]) -> [Origin: OriginMemory] {
    guard !bytes.isEmpty, let entries = try? JSONDecoder().decode([Entry].self, from: Data(bytes)) else { return [:] }
    return Dictionary(
      entries.map { (Origin(host: $0.host, log: $0.log, path: $0.path), $0.memory) }, uniquingKeysWith: { $1 })
  }
}
