import Clients
import Definitions
import Detection
import Extraction
import Ingest
import Records
import Verification

/// The shipped definitions, read once for all tests.
package enum TestEngine {
  package static let set = DefinitionSet(systemDirectories: [])
  package static let engine: Engine = {
    guard let engine = set.engine else {
      preconditionFailure(set.diagnostics.map(\.description).joined(separator: "\n"))
    }
    return engine
  }()

  /// What the walk made of one stream.
  package struct Outcome {
    package var result: StreamResult
    package var findings: [Finding]
    package var sightings: [SightingRow]
    package var signatureCounts: [UInt64]
    package var suspectCount: UInt64
    package var confirmedCount: UInt64
  }

  /// Runs the bytes of one file through the walk as a replay would, in reads of `readByteCount` bytes.
  package static func run(
    _ bytes: [UInt8], host: String? = "PC-0042", log: String = "CcmMessaging", readByteCount: Int = 256 * 1024,
    recordByteLimit: Int = Limits.recordByteLimit, engine: Engine = TestEngine.engine,
    options: ExtractionOptions = ExtractionOptions(), usesEventLayouts: Bool = true
  ) throws -> Outcome {
    let names = NameTable()
    var pipeline = Pipeline(engine, names: names, options: options, recordByteLimit: recordByteLimit)
    pipeline.usesEventLayouts = usesEventLayouts
    pipeline.begin(stream: 0, path: "file.log", origin: Origin(host: host, log: log, path: "file.log"))
    var reader = ChunkReader(
      bytes: bytes, path: "file.log", readByteCount: readByteCount, recordByteLimit: recordByteLimit)
    while try reader.fill() {
      let consumed = pipeline.process(reader.chunk)
      if let count = pipeline.consumedLineCount {
        precondition(count == (0..<consumed).count { reader.chunk.bytes[$0] == 0x0A }, "line ends of the chunk")
      }
      reader.consume(consumed, lineCount: pipeline.consumedLineCount)
    }
    var result = pipeline.result()
    result.skips.add(reader.skips)
    var findings = result.findings
    SameFailure.link(&findings)
    return Outcome(
      result: result, findings: findings, sightings: SightingRow.all(pipeline.census, names: names),
      signatureCounts: pipeline.signatureCounts, suspectCount: pipeline.suspectCount,
      confirmedCount: pipeline.confirmedCount)
  }

  package static func run(_ text: String, host: String? = "PC-0042", log: String = "CcmMessaging") throws -> Outcome {
    try run(Array(text.utf8), host: host, log: log)
  }
}
