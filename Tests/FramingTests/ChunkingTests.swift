import Records
import TestSupport
import Testing

/// However a stream is cut at its line ends, the same records come at the same places.
@Suite struct ChunkingTests {
  private func cuts(_ bytes: [UInt8], _ random: inout SeededGenerator, oneIn: Int) -> [Int] {
    bytes.indices.filter { bytes[$0] == 0x0A && Int.random(in: 0..<oneIn, using: &random) == 0 }.map { $0 + 1 }
  }

  private func check(_ bytes: [UInt8], _ random: inout SeededGenerator) {
    let text = String(decoding: bytes, as: UTF8.self).debugDescription
    for limit in [Limits.recordByteLimit, 400, 60, 1] {
      let whole = framed(bytes, recordByteLimit: limit)
      let oneIn = [1, 1, 2, 5].randomElement(using: &random)!
      let parts = framed(bytes, cuts: cuts(bytes, &random, oneIn: oneIn), recordByteLimit: limit)
      guard parts != whole else { continue }
      for (left, right) in zip(whole.records, parts.records) where left != right {
        Issue.record("limit \(limit), 1 in \(oneIn): \(left) is \(right) in \(text)")
        return
      }
      #expect(parts.records == whole.records, "limit \(limit), 1 in \(oneIn): \(text)")
      #expect(parts.rows == whole.rows, "limit \(limit), 1 in \(oneIn): \(text)")
      #expect(parts.skips == whole.skips, "limit \(limit), 1 in \(oneIn): \(text)")
      #expect(parts.markerCount == whole.markerCount, "limit \(limit), 1 in \(oneIn): \(text)")
      #expect(parts.counts == whole.counts, "limit \(limit), 1 in \(oneIn): \(text)")
      return
    }
  }

  @Test(arguments: GoldenTests.names) func fixtures(name: String) throws {
    var random = SeededGenerator(seed: UInt64(name.utf8.count))
    let bytes = try PackageRoot.bytes("\(GoldenTests.folder)/\(name).log")
    for _ in 0..<4 { check(bytes, &random) }
  }

  @Test(arguments: UInt64(0)..<200) func randomLogs(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<3 { check(RandomLog.bytes(&random), &random) }
  }

  @Test(arguments: UInt64(0)..<200) func randomForwardedLogs(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<3 { check(RandomLog.bytes(&random, hasEnvelopes: true), &random) }
  }
}
