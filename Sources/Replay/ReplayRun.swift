import Clients
import Detection
import Extraction
import Ingest
import Records
import Synchronization

/// What a replay reads and how.
package struct ReplayRequest: Sendable {
  package var paths: [String]
  package var options: ExtractionOptions
  /// Files read at the same time. The result is the same with any number.
  package var threadCount: Int
  /// Bytes of one read, for tests.
  package var readByteCount: Int

  package init(
    paths: [String], options: ExtractionOptions = ExtractionOptions(), threadCount: Int = 1,
    readByteCount: Int = Limits.readByteCount
  ) {
    self.paths = paths
    self.options = options
    self.threadCount = max(1, threadCount)
    self.readByteCount = readByteCount
  }
}

/// One stream of a replay, read to its end or to the point where it could not be read any further.
package struct StreamReport: Sendable {
  package var source: SourceFile
  package var result: StreamResult
  package var byteCount: UInt64
  package var lineCount: UInt64
  package var encoding: TextEncoding
  package var error: IngestError?
}

/// Everything a replay found, in an order that no thread decides: streams as they were named, findings by stream and
/// offset.
package struct ReplayReport: Sendable {
  package var streams: [StreamReport] = []
  package var findings: [Finding] = []
  package var census = Census()
  package var names: NameTable
  /// By signature, in the order of the rule set.
  package var signatureCounts: [UInt64]
  package var skips = SkipCounts()
  package var refused: [IngestError] = []
  package var notes: [FileSet.Note] = []
  package var suspectCount: UInt64 = 0
  package var duration: Duration = .zero

  package var byteCount: UInt64 { streams.reduce(0) { $0 + $1.byteCount } }
  package var lineCount: UInt64 { streams.reduce(0) { $0 + $1.lineCount } }
  /// Whole records by format.
  package var recordCounts: [UInt64] {
    streams.reduce(into: [UInt64](repeating: 0, count: RecordFormat.allCases.count)) { sum, stream in
      for (index, count) in stream.result.recordCounts.enumerated() { sum[index] += count }
    }
  }
}

/// How far a replay has come; read by whoever shows it.
package final class ReplayProgress: Sendable {
  package let totalByteCount: Atomic<UInt64> = Atomic(0)
  package let doneByteCount: Atomic<UInt64> = Atomic(0)
  package let findingCount: Atomic<Int> = Atomic(0)
  package init() {}
}

/// Hands out stream numbers to the workers.
private final class StreamCounter: Sendable {
  private let next = Atomic<Int>(0)
  func take() -> Int { next.wrappingAdd(1, ordering: .relaxed).oldValue }
}

/// Archives, folders and files through the walk, once.
package enum Replay {
  /// Reads everything that the request names.
  /// - Throws: what `Pipeline.init` throws; faults of single files are in the report.
  package static func run(
    _ request: ReplayRequest, engine: Engine, progress: ReplayProgress = ReplayProgress()
  ) async throws -> ReplayReport {
    let clock = ContinuousClock()
    let began = clock.now
    let files = FileSet(paths: request.paths)
    progress.totalByteCount.store(files.byteCount, ordering: .relaxed)
    let names = NameTable()
    let next = StreamCounter()
    let sources = files.sources
    let workerCount = max(1, min(request.threadCount, sources.count))
    let parts = try await withThrowingTaskGroup(of: WorkerPart.self) { group in
      for _ in 0..<workerCount {
        group.addTask {
          try work(sources, next: next, request: request, engine: engine, names: names, progress: progress)
        }
      }
      var parts: [WorkerPart] = []
      for try await part in group { parts.append(part) }
      return parts
    }
    var report = join(parts, names: names, signatureCount: engine.rules.rules.signatures.count)
    for error in files.refused { report.skips.note(error.skipReason, byteCount: Int(clamping: error.byteCount)) }
    report.refused = files.refused + report.streams.compactMap(\.error)
    report.notes = files.notes
    report.duration = clock.now - began
    return report
  }

  private struct WorkerPart: Sendable {
    var streams: [(index: Int, report: StreamReport)] = []
    var census: Census
    var signatureCounts: [UInt64]
    var suspectCount: UInt64
  }

  /// Takes stream after stream until none is left.
  private static func work(
    _ sources: [SourceFile], next: StreamCounter, request: ReplayRequest, engine: Engine, names: NameTable,
    progress: ReplayProgress
  ) throws -> WorkerPart {
    var pipeline = try Pipeline(engine, names: names, options: request.options)
    var streams: [(index: Int, report: StreamReport)] = []
    while true {
      let index = next.take()
      guard index < sources.count else { break }
      let report = read(sources[index], index: index, request: request, pipeline: &pipeline, progress: progress)
      progress.findingCount.wrappingAdd(report.result.findings.count, ordering: .relaxed)
      streams.append((index, report))
    }
    return WorkerPart(
      streams: streams, census: pipeline.census, signatureCounts: pipeline.signatureCounts,
      suspectCount: pipeline.suspectCount)
  }

  private static func read(
    _ source: SourceFile, index: Int, request: ReplayRequest, pipeline: inout Pipeline, progress: ReplayProgress
  ) -> StreamReport {
    pipeline.begin(
      stream: index, path: source.path, origin: Origin(host: source.host, log: source.log, path: source.path))
    var report = StreamReport(
      source: source, result: pipeline.result(), byteCount: 0, lineCount: 0, encoding: .utf8, error: nil)
    do throws(IngestError) {
      var reader = try ChunkReader(source, readByteCount: request.readByteCount)
      do throws(IngestError) {
        try drain(&reader, &pipeline, progress)
      } catch {
        report.error = error
      }
      report.byteCount = reader.readOffset
      report.lineCount = reader.chunk.firstLine - 1
      report.encoding = reader.chunk.encoding
      report.result = pipeline.result()
      report.result.skips.add(reader.skips)
    } catch {
      report.error = error
      report.result = pipeline.result()
    }
    // A container that the reader itself met has been counted by it.
    if let error = report.error, report.result.skips[error.skipReason].count == 0 {
      report.result.skips.note(error.skipReason, byteCount: Int(clamping: error.byteCount))
    }
    return report
  }

  private static func drain(
    _ reader: inout ChunkReader, _ pipeline: inout Pipeline, _ progress: ReplayProgress
  ) throws(IngestError) {
    var before: UInt64 = 0
    while try reader.fill() {
      reader.consume(pipeline.process(reader.chunk))
      progress.doneByteCount.wrappingAdd(reader.readOffset - before, ordering: .relaxed)
      before = reader.readOffset
    }
  }

  private static func join(_ parts: [WorkerPart], names: NameTable, signatureCount: Int) -> ReplayReport {
    var report = ReplayReport(names: names, signatureCounts: Array(repeating: 0, count: signatureCount))
    for part in parts {
      report.census.merge(part.census)
      report.suspectCount += part.suspectCount
      for (index, count) in part.signatureCounts.enumerated() { report.signatureCounts[index] += count }
    }
    report.streams = parts.flatMap(\.streams).sorted { $0.index < $1.index }.map(\.report)
    for index in report.streams.indices {
      report.skips.add(report.streams[index].result.skips)
      for finding in report.streams[index].result.findings {
        if report.findings.count < Limits.findingLimit {
          report.findings.append(finding)
        } else {
          report.skips.note(.findingLimit, byteCount: 0, offset: finding.offset, line: finding.line)
        }
      }
      report.streams[index].result.findings = []
    }
    if report.census.refusedCount > 0 { report.skips.note(.sightingLimit) }
    if names.refusedCount > 0 { report.skips.note(.nameLimit) }
    SameFailure.link(&report.findings)
    return report
  }
}
