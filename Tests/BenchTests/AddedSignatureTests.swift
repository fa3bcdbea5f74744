import Foundation
import Replay
import TestSupport
import Testing

import handshaked_bench

/// The thousand signatures are read like any others, and work.
@Suite struct AddedSignatureTests {
  @Test func thousandMoreAreLoadedAndFound() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("handshaked-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let engine = try AddedSignatures.engine(seed: 4, folder: folder.path)
    let shipped = TestEngine.engine.rules.rules.signatures
    let added = engine.rules.rules.signatures.filter { $0.id.hasPrefix("added.") }
    #expect(added.count == AddedSignatures.count)
    #expect(engine.rules.rules.signatures.count == shipped.count + AddedSignatures.count)
    let anchors = Set(added.flatMap(\.anchors))
    #expect(anchors.count == AddedSignatures.count && anchors.allSatisfy { $0.count == 12 })

    let line = String(decoding: added[617].anchors[0], as: UTF8.self) + " failed with mp01.corp.example\r\n"
    let path = folder.appendingPathComponent("home-made.log").path
    try Data(line.utf8).write(to: URL(fileURLWithPath: path))
    let report = try await Replay.run(ReplayRequest(paths: [path]), engine: engine)
    #expect(report.findings.map(\.signature) == [added[617].id])
    #expect(try await Replay.run(ReplayRequest(paths: [path]), engine: TestEngine.engine).findings.isEmpty)

    let again = try AddedSignatures.engine(seed: 4, folder: folder.path + "/again")
    #expect(again.rules.rules.signatures.map(\.anchors) == engine.rules.rules.signatures.map(\.anchors))
  }
}
