import Foundation
import Replay
import TestSupport
import Testing

import handshaked_bench

/// The corpora that speed is measured on: the same bytes from the same seed, and every failure in them found.
@Suite struct CorpusTests {
  private static func inFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("handshaked-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder.path)
  }

  @Test(arguments: CorpusKind.allCases) func followsFromItsSeed(kind: CorpusKind) async throws {
    try await CorpusTests.inFolder { folder in
      func bytes(seed: UInt64) throws -> Data {
        let corpus = try CorpusWriter.write(kind, byteCount: 300_000, seed: seed, folder: folder)
        let data = try Data(contentsOf: URL(fileURLWithPath: corpus.path))
        #expect(data.count == corpus.byteCount && data.count >= 300_000 && data.count < 310_000)
        return data
      }
      let first = try bytes(seed: 1)
      #expect(try bytes(seed: 1) == first)
      #expect(try bytes(seed: 2) != first)
    }
  }

  /// 4 MiB hold at least 4,000 records, and so at least two failures; on them the walk is held to the truth.
  @Test(arguments: CorpusKind.allCases, [UInt64(7), 8]) func everyFailureIsFoundAndNoOther(
    kind: CorpusKind, seed: UInt64
  ) async throws {
    try await CorpusTests.inFolder { folder in
      let corpus = try CorpusWriter.write(kind, byteCount: 4 << 20, seed: seed, folder: folder)
      #expect(corpus.failureOffsets.count >= 2)
      #expect((1000...3000).contains(corpus.recordCount / corpus.failureOffsets.count))
      let report = try await Replay.run(ReplayRequest(paths: [corpus.path]), engine: TestEngine.engine)
      let accuracy = Accuracy(report, corpus)
      #expect(accuracy.isPerfect, "\(accuracy)")
      #expect(accuracy.findingCount == corpus.failureOffsets.count)

      // The measure itself must tell a miss and a false alarm.
      var other = corpus
      other.failureOffsets.append(UInt64(corpus.byteCount))
      #expect(Accuracy(report, other).missedCount == 1)
      other.failureOffsets = Array(corpus.failureOffsets.dropFirst())
      #expect(Accuracy(report, other).falseCount == 1)
      other.recordCount += 1
      #expect(!Accuracy(report, other).isPerfect)
    }
  }
}
