import Detection
import Ingest
import Records

/// A stream, or bytes [start, stop) of a large one.
struct StreamPart: Sendable {
  /// Place of the stream in the run.
  var stream: Int
  var start: UInt64 = 0
  /// Nil: to the end.
  var stop: UInt64?
  /// What the walk is assumed to remember at `start`.
  var memory: Pipeline.StreamMemory?

  var isWhole: Bool { start == 0 && stop == nil }
}

/// What one part gave.
struct PartResult: Sendable {
  /// Its lines counted from 1.
  var report: StreamReport
  /// What the walk remembers behind the part; nil when that cannot be said.
  var memory: Pipeline.StreamMemory?
  /// Where the part really ended: before `stop` when a record goes on behind it.
  var end: UInt64
}

/// Takes streams and parts of streams through a pipeline. Pure but for reading: any thread may do any part.
struct StreamWorker: Sendable {
  let sources: [SourceFile]
  let request: ReplayRequest
  let engine: Engine
  let names: NameTable
  let progress: ReplayProgress

  func pipeline() -> Pipeline { Pipeline(engine, names: names, options: request.options) }

  /// Every stream whole, or in parts when it is large and there is more than one thread.
  func parts() throws -> [StreamPart] {
    var parts: [StreamPart] = []
    for (index, source) in sources.enumerated() {
      let starts = request.threadCount > 1 ? try starts(source) : nil
      guard let starts else {
        parts.append(StreamPart(stream: index))
        continue
      }
      let bounds = [0] + starts.offsets
      for (number, start) in bounds.enumerated() {
        parts.append(
          StreamPart(
            stream: index, start: start, stop: number + 1 < bounds.count ? bounds[number + 1] : nil,
            memory: number == 0 ? nil : starts.memory))
      }
    }
    return parts
  }

  /// Where to cut, and what the walk remembers behind the first chunk: mostly the same as everywhere else in the file.
  private func starts(_ source: SourceFile) throws -> (offsets: [UInt64], memory: Pipeline.StreamMemory)? {
    // Eight times as many parts as threads: one that is held up does not hold up all.
    let wanted = max(request.segmentByteCount, (source.byteCount ?? 0) / UInt64(8 * request.threadCount))
    let offsets = Segments.starts(in: source, segmentByteCount: wanted)
    guard !offsets.isEmpty, var reader = try? ChunkReader(source, readByteCount: request.readByteCount),
      (try? reader.fill()) == true
    else { return nil }
    var probe = pipeline()
    probe.begin(stream: 0, path: source.path, origin: Origin(host: source.host, log: source.log, path: source.path))
    _ = probe.process(reader.chunk)
    return probe.memory.map { (offsets, $0) }
  }

  func read(_ part: StreamPart, _ pipeline: inout Pipeline) -> PartResult {
    let source = sources[part.stream]
    let origin = Origin(host: source.host, log: source.log, path: source.path)
    if let memory = part.memory {
      pipeline.begin(stream: part.stream, path: source.path, origin: origin, memory: memory)
    } else {
      pipeline.begin(stream: part.stream, path: source.path, origin: origin)
    }
    return walk(source, from: part.start, to: part.stop, &pipeline)
  }

  private func walk(_ source: SourceFile, from start: UInt64, to stop: UInt64?, _ pipeline: inout Pipeline)
    -> PartResult
  {
    var report = StreamReport(
      source: source, result: pipeline.result(), byteCount: 0, lineCount: 0, encoding: .utf8, error: nil)
    var end = start
    do throws(IngestError) {
      var reader = try ChunkReader(source, from: start, to: stop, readByteCount: request.readByteCount)
      do throws(IngestError) {
        try drain(&reader, &pipeline, from: start)
      } catch {
        report.error = error
      }
      end = stop == nil ? reader.readOffset : reader.chunk.rawOffset
      report.byteCount = end - start
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
    return PartResult(report: report, memory: pipeline.memory, end: end)
  }

  private func drain(
    _ reader: inout ChunkReader, _ pipeline: inout Pipeline, from start: UInt64
  ) throws(IngestError) {
    var before = start
    while try reader.fill() {
      let consumed = pipeline.process(reader.chunk)
      reader.consume(consumed, lineCount: pipeline.consumedLineCount)
      progress.doneByteCount.wrappingAdd(reader.readOffset - before, ordering: .relaxed)
      before = reader.readOffset
    }
  }
}
