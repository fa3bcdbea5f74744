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
  /// Its findings are filled in when they are kept (`Service.take`).
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
final class Walk {
  let engine: Engine
  /// One for each time zone that a source has.
  private var pipelines: [Pipeline]
  /// By source.
  private let pipelineOfSource: [Int]
  private let names = NameTable()
  /// Where a part lies that the follower has read already.
  private var chunk = Chunk(capacity: 8192)

  /// A stream of a file, and what it is remembered by.
  private final class Stream {
    let name: String
    let path: String
    let origin: Origin
    /// What its origins told, in memory and as it is stored.
    var known: [Origin: OriginMemory]
    var stored: [UInt8]

    init(name: String, path: String, origin: Origin, known: [Origin: OriginMemory], stored: [UInt8]) {
      self.name = name
      self.path = path
      self.origin = origin
      self.known = known
      self.stored = stored
    }
  }
  /// By the number of the file; a file that began anew has another stream.
  private var streams: [Int: Stream] = [:]

  /// - Parameter zones: of the sources that are files, in their order.
  init(_ engine: Engine, zones: [ZoneRules]) throws {
    self.engine = engine
    var pipelines: [Pipeline] = []
    var numbers: [String: Int] = [:]
    var pipelineOfSource: [Int] = []
    for zone in zones.isEmpty ? [.utc] : zones {
      let number = numbers[zone.name] ?? pipelines.count
      if number == pipelines.count {
        var pipeline = Pipeline(engine, names: names, options: ExtractionOptions(zone: zone))
        pipeline.countsSightings = false
        pipelines.append(pipeline)
        numbers[zone.name] = number
      }
      pipelineOfSource.append(number)
    }
    self.pipelines = pipelines
    self.pipelineOfSource = pipelineOfSource
  }

  /// - Parameter window: the bytes that `part.window` points into.
  /// - Returns: the evidence, the offset up to which bytes are done with, and what the stream is to be remembered by.
  func read(_ part: Follower.Part, window: borrowing [UInt8]) -> (evidence: PartEvidence, end: UInt64, memory: [UInt8])
  {
    let stream = stream(part)
    let number = part.source < pipelineOfSource.count ? pipelineOfSource[part.source] : 0
    pipelines[number].begin(
      stream: part.id, path: part.path, origin: stream.origin, memories: stream.known, lineCount: part.lineCount)
    var spans = SightingSpans()
    var skips = SkipCounts()
    var failure: IngestError?
    let end: UInt64
    let lineCount: UInt64
    if let range = part.window {
      (end, lineCount) = walk(window, range, part, number, &spans)
    } else {
      let source = SourceFile(input: .file(Array(part.path.utf8)), path: part.path, host: stream.origin.host)
      var reader = ChunkReader(
        source, descriptor: part.descriptor, encoding: part.encoding, from: part.offset, to: part.end)
      do throws(IngestError) {
        while try reader.fill() {
          let consumed = pipelines[number].process(reader.chunk)
          reader.consume(consumed)
          pipelines[number].withSightings { spans.gather($0) }
        }
      } catch {
        failure = error
      }
      // What the walk left of the last chunk begins a record that is not whole yet.
      end = part.end == nil ? reader.readOffset : reader.chunk.rawOffset
      lineCount = reader.chunk.firstLine - 1
      skips = reader.skips
    }
    let given = pipelines[number].takePart()
    skips.add(given.skips)
    var findings = given.findings
    SameFailure.link(&findings)
    var extent = Extent(file: part.stream, from: part.offset, to: max(part.offset, end))
    let (activities, successes) = spans.activities(names)
    extent.activities = activities
    if let learned = pipelines[number].learned() {
      stream.known = learned
      stream.stored = Walk.encode(learned)
    }
    let evidence = PartEvidence(
      extent: extent, findings: findings, successes: successes, lineCount: part.lineCount + lineCount,
      recordCount: given.recordCount, skips: skips, error: failure)
    return (evidence, max(part.offset, end), stream.stored)
  }

  private func stream(_ part: Follower.Part) -> Stream {
    var known = streams[part.id]
    if let known, known.path == part.path, known.name == part.stream { return known }
    if known?.name != part.stream { known = nil }
    let host = part.host ?? HostFolder.host(ofPath: part.path)
    let origin = Origin(host: host, log: Origin.logName(ofPath: part.path), path: part.path)
    // Under another name it is another origin; what the old one told is for the old one.
    let stream = Stream(
      name: part.stream, path: part.path, origin: origin, known: known?.known ?? Walk.decode(part.memory),
      stored: known?.stored ?? part.memory)
    streams[part.id] = stream
    return stream
  }

  /// Whole lines that were read already, as the reader hands them out: chunk after chunk, each from where the last one
  /// was left.
  private func walk(
    _ window: borrowing [UInt8], _ range: Range<Int>, _ part: Follower.Part, _ number: Int, _ spans: inout SightingSpans
  ) -> (end: UInt64, lineCount: UInt64) {
    let needed = range.count + Limits.slackByteCount
    if chunk.storage.count < needed {
      chunk.storage.append(contentsOf: repeatElement(0, count: needed - chunk.storage.count))
    }
    chunk.storage.withUnsafeMutableBytes { target in
      window.withUnsafeBytes { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
    chunk.byteCount = range.count
    chunk.encoding = part.encoding
    chunk.rawOffset = part.offset
    chunk.firstLine = 1
    chunk.isFinal = false
    let consumed = pipelines[number].process(chunk)
    pipelines[number].withSightings { spans.gather($0) }
    let lineCount = chunk.storage.withUnsafeBufferPointer { bytes in
      bytes.prefix(consumed).reduce(into: UInt64(0)) { count, byte in if byte == 0x0A { count += 1 } }
    }
    return (part.offset + UInt64(consumed), lineCount)
  }

  func forget(_ gone: [String]) {
    let gone = Set(gone)
    streams = streams.filter { !gone.contains($0.value.name) }
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
