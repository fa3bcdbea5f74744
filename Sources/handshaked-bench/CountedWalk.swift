import Detection
import Foundation
import Ingest
import Records
import Verification

/// The walk over some files, nothing else: what callgrind counts.
enum CountedWalk {
  /// First argument of the process that is counted.
  static let command = "walk-for-callgrind"
  /// Part of a symbol: counting is on inside this function, and every return from it ends one count.
  static let function = "countedStream"

  /// - Returns: the exit code.
  static func run(_ paths: [String]) -> Int32 {
    do {
      guard let engine = DefinitionSet(systemDirectories: []).engine else { return 78 }
      var pipeline = Pipeline(engine, names: NameTable())
      for (index, path) in paths.enumerated() {
        guard let source = FileSet(paths: [path]).sources.first else { return 66 }
        try countedStream(index, source, &pipeline)
        _ = pipeline.takeTotals()
      }
      return 0
    } catch {
      FileHandle.standardError.write(Data("\(error)\n".utf8))
      return 74
    }
  }

  @inline(never)
  private static func countedStream(_ index: Int, _ source: SourceFile, _ pipeline: inout Pipeline) throws {
    pipeline.begin(
      stream: index, path: source.path, origin: Origin(host: source.host, log: source.log, path: source.path))
    var reader = try ChunkReader(source)
    while try reader.fill() {
      let consumed = pipeline.process(reader.chunk)
      reader.consume(consumed, lineCount: pipeline.consumedLineCount)
    }
  }
}
