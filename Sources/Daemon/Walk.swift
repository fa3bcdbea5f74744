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
}

/// Takes parts of followed files through the walk of a replay, one after the other, each where it was left.
struct Walk {
  let engine: Engine
  private var pipeline: Pipeline
  private let names = NameTable()
  /// By stream: what its origins told, in memory and as it is stored.
  private var memories: [String: (known: [Origin: OriginMemory], stored: [UInt8])] = [:]

  /// Sightings of a part by who, whom, how and when, to a quarter hour.
  private struct Slot: Hashable {
    var key: SightingKey
    var quarter: Int64
  }
  private struct Span {
    var first: Int64
    var last: Int64
    var count: UInt64
  }

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
    var spans: [Slot: Span] = [:]
    var failure: IngestError?
    do throws(IngestError) {
      while try reader.fill() {
        let consumed = pipeline.process(reader.chunk)
        reader.consume(consumed)
        gather(pipeline.sightings, into: &spans)
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
    var successes: [(client: String, server: String, time: Timestamp)] = []
    extent.activities = activities(spans, &successes)
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

  // MARK: - Sightings

  private func gather(_ columns: SightingColumns, into spans: inout [Slot: Span]) {
    for index in columns.keys.indices {
      let time = columns.times[index]
      guard time != .min else { continue }
      let quarter = time >= 0 ? time / QuarterHours.length : (time - QuarterHours.length + 1) / QuarterHours.length
      let slot = Slot(key: columns.keys[index], quarter: quarter)
      if let index = spans.index(forKey: slot) {
        spans.values[index].first = min(spans.values[index].first, time)
        spans.values[index].last = max(spans.values[index].last, time)
        spans.values[index].count += 1
      } else {
        spans[slot] = Span(first: time, last: time, count: 1)
      }
    }
  }

  private func activities(
    _ spans: [Slot: Span], _ successes: inout [(client: String, server: String, time: Timestamp)]
  ) -> [Activity] {
    spans.compactMap { slot, span in
      let key = slot.key
      let party: Party
      let client: String
      if key.isAddress {
        let address = IPAddress(high: key.clientHigh, low: key.clientLow)
        party = .address(address)
        client = address.text
      } else {
        client = names.name(of: UInt32(truncatingIfNeeded: key.clientLow)) ?? ""
        party = client.uppercased().hasPrefix("GUID:") ? .guid(client) : .host(client)
      }
      let server = names.name(of: key.server) ?? ""
      let outcome = Outcome(number: key.outcome)
      if outcome == .succeeded, !client.isEmpty {
        successes.append((client, server, Timestamp(microseconds: span.last)))
      }
      var activity = Activity(
        server: server, party: party, at: Timestamp(microseconds: span.first), role: names.name(of: key.role) ?? "",
        protocolName: names.name(of: key.protocolName) ?? "", cipher: names.name(of: key.cipher) ?? "",
        outcome: outcome, count: span.count)
      activity.last = Timestamp(microseconds: span.last)
      return activity
    }
  }

  // MARK: - Memory

  private struct Entry: Codable {
    var host: String?
    var log: String
    var path: String
    var memory: OriginMemory
  }

  private static func encode(_ memories: [Origin: OriginMemory]) -> [UInt8] {
    if memories.isEmpty { return [] }
    let entries = memories.map { Entry(host: $0.key.host, log: $0.key.log, path: $0.key.path, memory: $0.value) }
      .sorted { ($0.host ?? "", $0.path, $0.log) < ($1.host ?? "", $1.path, $1.log) }
    return (try? JSONEncoder().encode(entries)).map { Array($0) } ?? []
  }

  private static func decode(_ bytes: [UInt8]) -> [Origin: OriginMemory] {
    guard !bytes.isEmpty, let entries = try? JSONDecoder().decode([Entry].self, from: Data(bytes)) else { return [:] }
    return Dictionary(
      entries.map { (Origin(host: $0.host, log: $0.log, path: $0.path), $0.memory) }, uniquingKeysWith: { $1 })
  }
}
