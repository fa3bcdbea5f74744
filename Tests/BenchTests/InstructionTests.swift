import Foundation
import TestSupport
import Testing

import handshaked_bench

/// The walk may not take more instructions than it did: the figure of callgrind, which no busy neighbour changes.
@Suite(.serialized) struct InstructionTests {
  private static let limits = PackageRoot.path("Tests/Thresholds/instructions.tsv")

  /// Why nothing can be counted here; nil when it can.
  private static let obstacle: String? = {
    let cpu = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    guard cpu.contains(" avx2 ") else { return "the limits are for AVX2, which this processor lacks" }
    let isInstalled = ["/usr/bin/valgrind", "/usr/local/bin/valgrind"].contains {
      FileManager.default.isExecutableFile(atPath: $0)
    }
    return isInstalled ? nil : "there is no valgrind"
  }()

  private static func count(_ limits: String, _ arguments: [String] = []) throws -> Executable.Run {
    try Executable.run(["--count", limits] + arguments, program: Executable.path(of: "handshaked-bench"))
  }

  private static func canCount(test: String = #function) -> Bool {
    guard let obstacle else { return true }
    if ProcessInfo.processInfo.environment["HANDSHAKED_REQUIRE"]?.contains("valgrind") == true {
      Issue.record("HANDSHAKED_REQUIRE asks for valgrind: \(obstacle)")
    } else {
      PackageRoot.skip(obstacle, test: test)
    }
    return false
  }

  @Test func noCorpusTakesMoreThanItsLimit() throws {
    guard InstructionTests.canCount() else { return }
    let run = try InstructionTests.count(InstructionTests.limits)
    #expect(run.status == 0, "\(run.output)\(run.error)")
    for kind in CorpusKind.allCases { #expect(run.output.contains("\n\(kind.rawValue) "), "\(run.output)") }
  }

  @Test func aLowerLimitFails() throws {
    guard InstructionTests.canCount() else { return }
    let limit = try #require(try InstructionLimits(file: InstructionTests.limits).byCorpus["iis-plain"])
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).tsv").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    try "iis-plain\t\(limit / 10)\n".write(toFile: file, atomically: true, encoding: .utf8)
    let over = try InstructionTests.count(file, ["--corpus", "iis-plain"])
    #expect(over.status == 1 && over.output.contains("OVER"), "\(over.output)\(over.error)")
  }

  /// A limit that is missing or misspelled is a fault, not a pass.
  @Test func limitsAreReadStrictly() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).tsv").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    for text in ["iis 2000\n", "ils\t2000\n", "iis\tmany\n", "iis\t0\n"] {
      try ("# head\n" + text).write(toFile: file, atomically: true, encoding: .utf8)
      #expect("\(#expect(throws: (any Error).self) { try InstructionLimits(file: file) }!)".contains(":2: "))
    }
    #expect(throws: (any Error).self) { try InstructionLimits(file: file + ".missing") }
    #expect(
      try Set(InstructionLimits(file: InstructionTests.limits).byCorpus.keys)
        == Set(CorpusKind.allCases.map(\.rawValue)))
  }
}
