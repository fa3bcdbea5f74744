import Foundation
import TestSupport
import Testing

import handshaked_bench

/// The executable as `make bench` calls it.
@Suite struct CommandLineTests {
  private static func run(_ arguments: [String]) throws -> Executable.Run {
    try Executable.run(arguments, program: Executable.path(of: "handshaked-bench"))
  }

  private static func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func measuresWhatIsAskedAndSaysItInJSON() throws {
    let run = try CommandLineTests.run(
      ["--parts", "corpora,start", "--corpus", "iis,syslog", "--size", "1M", "--rounds", "1", "--output", "json"])
    #expect(run.status == 0, "\(run.error)")
    let report = try CommandLineTests.object(run.output)
    let corpora = try #require(report["corpora"] as? [[String: Any]])
    #expect(corpora.compactMap { $0["corpus"] as? String } == ["iis", "syslog"])
    for corpus in corpora {
      let accuracy = try #require(corpus["accuracy"] as? [String: Int])
      #expect(accuracy["missedCount"] == 0 && accuracy["falseCount"] == 0)
      #expect(accuracy["recordCount"] == corpus["recordCount"] as? Int)
      let peers = try #require(corpus["peers"] as? [[String: Any]])
      #expect(peers.first?["name"] as? String == "wc -l")
      for peer in peers { #expect(try #require(peer["ratio"] as? Double) > 0) }
    }
    #expect((report["adversarial"] as? [Any])?.isEmpty == true)
    let bars = try #require(report["bars"] as? [[String: Any]])
    let start = try #require(bars.first { $0["what"] as? String == "start to first byte read" })
    #expect(try #require(start["figure"] as? Double) > 1)
  }

  /// Text for people has what JSON has; and a bar that is asked for and missed is an exit code.
  @Test func barsDecideTheExitCodeWhenTheyAreAskedFor() throws {
    let run = try CommandLineTests.run(["--parts", "start", "--rounds", "1", "--require-bars"])
    let isMissed = run.output.contains("NOT HELD")
    #expect(run.status == (isMissed ? 1 : 0) && run.output.contains("start to first byte read"), "\(run.output)")
  }

  @Test func wrongUseIsSaid() throws {
    for arguments in [
      ["--parts", "nothing"], ["--corpus", ""], ["--size", "12Q"], ["--rounds", "0"], ["--write-limits"],
      ["--parts", "start", "--plot", "x.svg"],
    ] {
      #expect(try CommandLineTests.run(arguments).status == 64, "\(arguments)")
    }
    let missing = try CommandLineTests.run(["--parts", "corpora", "--directory", "/nowhere/at/all"])
    #expect(missing.status == 74 && missing.error.contains("--directory"), "\(missing.error)")
    let empty = try CommandLineTests.run(["--candidates", "/nowhere/at/all"])
    #expect(empty.status == 74 && empty.error.contains("nothing was read"), "\(empty.error)")
    // More than any disk.
    let large = try CommandLineTests.run(["--parts", "memory", "--size", "4000000G"])
    #expect(large.status == 74 && large.error.contains("MiB free"), "\(large.error)")
  }

  /// Every tool that is installed does its job on a small slice, rsyslog at least, which the tests bring; one that is
  /// missing is said to be.
  @Test func otherToolsDoTheirJobs() throws {
    let run = try CommandLineTests.run(
      ["--parts", "start", "--peers", "--size", "2M", "--rounds", "1", "--output", "json"])
    #expect(run.status == 0, "\(run.error)")
    let tools = try #require(try CommandLineTests.object(run.output)["tools"] as? [[String: Any]])
    #expect(
      tools.compactMap { $0["tool"] as? String } == ["GoAccess", "lnav", "mtail", "SEC", "syslog-ng", "rsyslog"])
    for tool in tools where tool["version"] != nil {
      let result = try #require(tool["result"] as? String)
      #expect(!result.contains("failed"), "\(tool)")
      #expect(try #require(tool["ratio"] as? Double) > 0)
    }
    let rsyslog = try #require(tools.last)
    guard rsyslog["version"] != nil else { return PackageRoot.skip("there is no rsyslogd") }
    #expect((rsyslog["result"] as? String)?.hasSuffix("refusals") == true)
  }
}
