import Clients
import Detection
import Foundation
import Records
import Replay
import TestSupport
import Testing
import Verification

/// What administrators complained of, as logs and as what must be said about them: `Cases/README.md` tells the layout.
/// The expectations were written from the knowledge base by hand and know nothing of `parsers/`.
@Suite struct UserPainTests {
  static let cases: [String] =
    ((try? PackageRoot.folders(in: "Tests/UserPainTests/Cases")) ?? []).map {
      URL(fileURLWithPath: $0).lastPathComponent
    }

  private struct Row {
    var what: String
    var path: String
    var line: UInt64
    var findingClass: String
    var cause: String
    var key: String
    var value: String
  }

  private func rows(_ name: String) throws -> [Row] {
    let text = String(decoding: try PackageRoot.bytes("Tests/UserPainTests/Cases/\(name)/expect.tsv"), as: UTF8.self)
    return text.split(separator: "\n").dropFirst().filter { !$0.hasPrefix("#") }.map { line in
      var cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      while cells.count < 7 { cells.append("") }
      return Row(
        what: cells[0], path: cells[1], line: UInt64(cells[2]) ?? 0, findingClass: cells[3], cause: cells[4],
        key: cells[5], value: cells[6])
    }
  }

  /// Definitions that no row of the knowledge base asks for: without them a case is told wrongly.
  @Test(arguments: [
    ("client.update-agent-failed", "05-windows-7-default-is-not-tls12"),
    ("dotnet.sync-status", "10-upstream-was-hardened"),
    ("dotnet.update-endpoint", "10-upstream-was-hardened"),
  ])
  func definitionsOfTheCasesMatter(id: String, name: String) async throws {
    var rules = TestEngine.engine.rules.rules
    let index = try #require(rules.signatures.firstIndex { $0.id == id })
    #expect(try await faults(name, TestEngine.engine).isEmpty)
    rules.signatures.remove(at: index)
    #expect(try await !faults(name, Engine(rules)).isEmpty)
  }

  @Test func thirtyAndMoreCasesAreThere() { #expect(Self.cases.count >= 30) }

  @Test(arguments: UserPainTests.cases)
  func isToldAsItWas(name: String) async throws {
    #expect(try await faults(name, TestEngine.engine) == [])
  }

  /// What a replay of the case says otherwise than its expectations.
  private func faults(_ name: String, _ engine: Engine) async throws -> [String] {
    let report = try await Replay.run(
      ReplayRequest(paths: [PackageRoot.path("Tests/UserPainTests/Cases/\(name)")]), engine: engine)
    let findings = report.findings.filter { $0.path.contains("/") }
    let sightings = SightingRow.all(report.census, names: report.names)
    var faults: [String] = []
    var expected: Set<String> = []
    for row in try rows(name) {
      let place = "\(row.path):\(row.line)"
      let here = findings.first { $0.path == row.path && $0.line == row.line }
      switch row.what {
      case "finding":
        expected.insert(place)
        guard let finding = here else {
          faults.append("\(place): no finding, expected \(row.findingClass)/\(row.cause)")
          continue
        }
        var wanted = [("class", row.findingClass), ("cause", row.cause)].filter { $0.1 != "-" && !$0.1.isEmpty }
        if !row.key.isEmpty, row.key != "-" { wanted.append((row.key, row.value)) }
        for (key, value) in wanted where finding.text(of: key)?.lowercased() != value.lowercased() {
          faults.append("\(place): \(key) is \(finding.text(of: key) ?? "nothing"), expected \(value)")
        }
      case "none":
        if let here { faults.append("\(place): \(here.signature) found \(here.findingClass.rawValue)") }
      case "sighting":
        let wanted = row.value.split(separator: ",").map { pair in
          pair.split(separator: "=", maxSplits: 1).map { String($0).trimmingCharacters(in: .whitespaces) }
        }
        let isSeen = sightings.contains { sighting in
          wanted.allSatisfy { $0.count == 2 && sighting.text(of: $0[0])?.lowercased() == $0[1].lowercased() }
        }
        if !isSeen { faults.append("no sighting \(row.value)") }
      case "nothing-else":
        for finding in findings where !expected.contains("\(finding.path):\(finding.line)") {
          faults.append("\(finding.path):\(finding.line): \(finding.signature) besides")
        }
      default: faults.append("unknown row \(row.what)")
      }
    }
    return faults
  }
}
