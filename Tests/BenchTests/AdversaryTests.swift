import Foundation
import Replay
import TestSupport
import Testing

import handshaked_bench

/// The input made to hurt is what it says, and the walk comes through it with all of its records.
@Suite struct AdversaryTests {
  @Test(arguments: Adversary.allCases) func isWhatItSays(adversary: Adversary) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("handshaked-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("CcmMessaging.log").path
    let corpus = try adversary.write(TestEngine.engine, byteCount: 3 << 20, path: path)
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let lines = data.split(separator: 0x0A)
    let headerCount = lines.count { $0.first == 0x23 }
    #expect(data.count == corpus.byteCount && lines.count - headerCount == corpus.recordCount)

    let report = try await Replay.run(ReplayRequest(paths: [path]), engine: TestEngine.engine)
    #expect(report.byteCount == UInt64(corpus.byteCount) && report.refused.isEmpty)
    switch adversary {
    case .oneByteLines: #expect(lines.allSatisfy { $0.count == 1 })
    case .factors:
      // Short anchors are their own factors: hardly a record is without one.
      #expect(report.recordCounts.reduce(0, +) == UInt64(corpus.recordCount))
      #expect(report.suspectCount * 100 > UInt64(corpus.recordCount) * 95, "nearly every record meets a pattern")
    case .anchors:
      #expect(report.recordCounts.reduce(0, +) == UInt64(corpus.recordCount))
      #expect(report.suspectCount == UInt64(corpus.recordCount), "every record meets a pattern")
    case .longLines:
      #expect(lines.allSatisfy { $0.count >= 1_000_000 && $0.count < 1 << 20 })
      #expect(report.recordCounts.reduce(0, +) >= UInt64(corpus.recordCount / 2))
    case .addresses:
      let addresses = Set(lines.dropFirst(headerCount).map { $0.split(separator: 0x20)[6] })
      #expect(addresses.count == corpus.recordCount)
      #expect(report.census.rowCount == corpus.recordCount)
    }
  }
}
