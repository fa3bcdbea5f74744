import Foundation
import Replay
import TestSupport
import Testing

import handshaked_bench

/// Candidates of the prefilter, by what they proved.
@Suite struct CandidateTests {
  private static let frame =
    #"time="06:00:00.123+00" date="03-02-2026" component="CcmMessaging" context="" type="1" thread="1" file="a.cpp:1">"#

  /// A failure, a look-alike, a record that only holds an anchor, one that holds nothing; the same in rows.
  @Test func confirmedAndUnconfirmedAreToldApart() async throws {
    let messages = [
      "[CCMHTTP] ERROR: URL=https://mp01.corp.example/x, Port=443, Options=31, Code=12175, Text=ERROR_WINHTTP_SECURE_FAILURE",
      "[CCMHTTP] ERROR: URL= is what a broken line looks like",
      "Nothing to see",
    ]
    let lines = messages.map { "<![LOG[\($0)]LOG]!><\(CandidateTests.frame)\r\n" }.joined()
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("handshaked-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("CcmMessaging.log").path
    try Data(lines.utf8).write(to: URL(fileURLWithPath: path))

    let rate = try await CandidateRate.measure(path, engine: TestEngine.engine)
    #expect(rate.recordCount == 3 && rate.confirmedCount == 1 && rate.unconfirmedCount == 1)
    #expect(abs(rate.confirmedPercent - 100.0 / 3) < 0.001 && abs(rate.unconfirmedPercent - 100.0 / 3) < 0.001)
  }

  /// Every failure of a corpus is a confirmed candidate; rows are none.
  @Test(arguments: CorpusKind.allCases) func failuresAreConfirmed(kind: CorpusKind) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("handshaked-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let corpus = try CorpusWriter.write(kind, byteCount: 1 << 20, seed: 5, folder: folder.path)
    let report = try await Replay.run(ReplayRequest(paths: [corpus.path]), engine: TestEngine.engine)
    #expect(report.confirmedCount <= report.suspectCount)
    let isRows = kind == .iis || kind == .iisPlain
    #expect(isRows ? report.suspectCount == 0 : report.confirmedCount >= UInt64(corpus.failureOffsets.count))
  }
}
