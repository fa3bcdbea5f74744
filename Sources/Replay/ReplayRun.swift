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
  /// Files, or parts of a large one, read at the same time. The result is the same with any number.
  package var threadCount: Int
  /// Bytes of one read, for tests.
  package var readByteCount: Int
  /// The least part of a large file that a thread of its own reads, in bytes.
  package var segmentByteCount: UInt64

  package init(
    paths: [String], options: ExtractionOptions = ExtractionOptions(), threadCount: Int = 1,
    readByteCount: Int = Limits.readByteCount, segmentByteCount: UInt64 = Limits.segmentByteCount
  ) {
    self.paths = paths
    self.options = options
    self.threadCount = max(1, threadCount)
    self.readByteCount = readByteCount
    self.segmentByteCount = segmentByteCount
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
  /// Records that met a pattern or a `where:`, and those for which one held.
  package var suspectCount: UInt64 = 0
  package var confirmedCount: UInt64 = 0
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

/// Hands out numbers of parts to the workers.
private final class PartCounter: Sendable {
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
    let worker = StreamWorker(
      sources: files.sources, request: request, engine: engine, names: NameTable(), progress: progress)
    let parts = try worker.parts()
    let next = PartCounter()
    let workerCount = max(1, min(request.threadCount, parts.count))
    let results = try await withThrowingTaskGroup(of: WorkerResult.self) { group in
      for _ in 0..<workerCount {
        group.addTask {
          var pipeline = worker.pipeline()
          var result = WorkerResult(totals: PipelineTotals(signatureCount: pipeline.signatureCounts.count))
          // The stream whose parts the pipeline counts; nil: streams that are read whole.
          var counted: Int?
          while true {
            let index = next.take()
            guard index < parts.count else { break }
            let stream = parts[index].isWhole ? nil : parts[index].stream
            if stream != counted {
              result.keep(pipeline.takeTotals(), of: counted)
              counted = stream
            }
            let part = worker.read(parts[index], &pipeline)
            progress.findingCount.wrappingAdd(part.report.result.findings.count, ordering: .relaxed)
            result.parts.append((index, part))
          }
          result.keep(pipeline.takeTotals(), of: counted)
          return result
        }
      }
      var results: [WorkerResult] = []
      for try await result in group { results.append(result) }
      return results
    }
    var report = join(results, parts, worker)
    for error in files.refused { report.skips.note(error.skipReason, byteCount: Int(clamping: error.byteCount)) }
    report.refused = files.refused + report.streams.compactMap(\.error)
    report.notes = files.notes
    report.duration = clock.now - began
    return report
  }

  private struct WorkerResult: Sendable {
    var parts: [(index: Int, part: PartResult)] = []
    /// Of the streams that this worker read whole.
    var totals: PipelineTotals
    /// Of the parts that it read of other streams, by stream: kept apart until their places in it were checked.
    var totalsOfParts: [Int: PipelineTotals] = [:]

    mutating func keep(_ more: PipelineTotals, of stream: Int?) {
      guard let stream else { return totals.add(more) }
      if totalsOfParts[stream]?.add(more) == nil { totalsOfParts[stream] = more }
    }
  }

  /// The parts of one stream as one. When a part began with another memory, or at another place, than the one before it
  /// left, which is rare, the stream is read again whole: the second result is what it counts then.
  private static func chain(
    _ parts: [(place: StreamPart, result: PartResult)], _ worker: StreamWorker
  ) -> (StreamReport, PipelineTotals?) {
    var report = parts[0].result.report
    var last = parts[0].result
    for (place, result) in parts.dropFirst() {
      // Nothing comes after a read that failed.
      guard last.report.error == nil, let memory = last.memory, last.end == place.start, let assumed = place.memory,
        memory.continues(assumed, at: last.end)
      else {
        worker.progress.totalByteCount.wrappingAdd(worker.sources[place.stream].byteCount ?? 0, ordering: .relaxed)
        var pipeline = worker.pipeline()
        let whole = worker.read(StreamPart(stream: place.stream), &pipeline)
        return (whole.report, pipeline.takeTotals())
      }
      report.append(result.report)
      last = result
    }
    return (report, nil)
  }

  /// Puts parts and streams in their order.
  private static func join(_ results: [WorkerResult], _ parts: [StreamPart], _ worker: StreamWorker)
    -> ReplayReport
  {
    var report = ReplayReport(
      names: worker.names, signatureCounts: Array(repeating: 0, count: worker.engine.rules.rules.signatures.count))
    var sum = PipelineTotals(signatureCount: report.signatureCounts.count)
    for result in results { sum.add(result.totals) }
    let read = results.flatMap(\.parts).sorted { $0.index < $1.index }
    var place = 0
    while place < read.count {
      let stream = parts[read[place].index].stream
      var next = place + 1
      while next < read.count, parts[read[next].index].stream == stream { next += 1 }
      if parts[read[place].index].isWhole {
        report.streams.append(read[place].part.report)
      } else {
        let (joined, again) = chain(read[place..<next].map { (parts[$0.index], $0.part) }, worker)
        report.streams.append(joined)
        for totals in again.map({ [$0] }) ?? results.compactMap({ $0.totalsOfParts[stream] }) { sum.add(totals) }
      }
      place = next
    }
    report.census = sum.census
    report.suspectCount = sum.suspectCount
    report.confirmedCount = sum.confirmedCount
    report.signatureCounts = sum.signatureCounts
    for index in report.streams.indices {
      report.skips.add(report.streams[index].result.skips)
      if report.findings.isEmpty, report.streams[index].result.findings.count <= Limits.findingLimit {
        // Most runs have one large stream: its findings are not copied.
        swap(&report.findings, &report.streams[index].result.findings)
        continue
      }
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
    if report.names.refusedCount > 0 { report.skips.note(.nameLimit) }
    SameFailure.link(&report.findings)
    return report
  }
}

extension StreamReport {
  /// Adds a later part of the same stream.
  fileprivate mutating func append(_ later: StreamReport) {
    result.append(later.result, lineCount: lineCount)
    byteCount += later.byteCount
    lineCount += later.lineCount
    error = later.error
  }
}
