import Clients
import Detection
import Foundation
import Records
import Replay
import Sinks
import TestSupport
import Testing

/// The scenarios of `sample-logs/`: what each must say is in `Fixtures/NAME.expected`, a finding or sighting a line.
/// `UPDATE_GOLDEN=1` rewrites the files; read the difference before it is committed.
@Suite struct SampleTests {
  static let scenarios: [String] =
    ((try? PackageRoot.folders(in: "sample-logs")) ?? []).map { URL(fileURLWithPath: $0).lastPathComponent }

  @Test func everyScenarioIsThere() {
    #expect(
      Self.scenarios == [
        "cloud-gateway-and-service-connection", "console-and-software-center", "healthy-day", "secondary-site",
        "server-certificate-expired", "sql-native-client-too-old", "tls10-off-too-early", "wsus-ssrs-strong-crypto",
      ])
  }

  @Test(arguments: SampleTests.scenarios)
  func comesOutAsExpected(scenario: String) async throws {
    let report = try await Replay.run(
      ReplayRequest(paths: [PackageRoot.path("sample-logs/\(scenario)")]), engine: TestEngine.engine)
    var lines = JSONLines()
    for finding in report.findings { lines.finding(finding) }
    for row in SightingRow.all(report.census, names: report.names) { lines.sighting(row) }
    for reason in SkipReason.allCases where report.skips[reason].count > 0 {
      lines.skip(path: scenario, reason: reason, entry: report.skips[reason], detail: reason.name)
    }
    let text = String(decoding: lines.bytes, as: UTF8.self)
    let url = URL(fileURLWithPath: PackageRoot.path("Tests/DetectionTests/Fixtures/\(scenario).expected"))
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try text.write(to: url, atomically: true, encoding: .utf8)
      return
    }
    let expected = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
    let got = text.split(separator: "\n")
    for (index, line) in got.enumerated() where index >= expected.count || line != expected[index] {
      Issue.record(
        "\(scenario) line \(index + 1):\n  got      \(line)\n  expected \(index < expected.count ? expected[index] : "(nothing)")"
      )
      return
    }
    #expect(got.count == expected.count)
  }

  @Test func theHealthyDayHasNoFinding() async throws {
    let report = try await Replay.run(
      ReplayRequest(paths: [PackageRoot.path("sample-logs/healthy-day")]), engine: TestEngine.engine)
    #expect(report.findings.isEmpty)
    #expect(report.census.rows.count > 10)
  }

  /// An expired certificate looks like a protocol problem and is none.
  @Test func theExpiredCertificateIsNoProtocolProblem() async throws {
    let report = try await Replay.run(
      ReplayRequest(paths: [PackageRoot.path("sample-logs/server-certificate-expired")]), engine: TestEngine.engine)
    let failures = report.findings.filter { $0.sameAs == nil }
    #expect(failures.contains { $0.findingClass == .certificate && $0.cause == .expired })
    #expect(!failures.contains { $0.findingClass == .protocolMismatch || $0.findingClass == .cipherMismatch })
  }
}
