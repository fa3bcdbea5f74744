import Detection
import Records
import TestSupport
import Testing

/// The real logs beside the checkout, when they are there. Expected counts are those of their SOURCES.md.
@Suite struct RealLogTests {
  /// `| \`path\` | … | CMTrace | … | 881 lines, 881 whole records |`: whole CMTrace and simple records by file.
  private func wholeRecords() throws -> [(path: String, count: UInt64)] {
    let text = String(decoding: try PackageRoot.bytes("../shared/real-logs/SOURCES.md"), as: UTF8.self)
    var found: [(path: String, count: UInt64)] = []
    for line in text.split(separator: "\n") where line.hasPrefix("| `") {
      let cells = line.split(separator: "|").map { $0.split(separator: " ").joined(separator: " ") }
      guard cells.count > 7, cells[4] == "CMTrace", let range = cells[7].firstRange(of: " whole records") else {
        continue
      }
      let digits = cells[7][..<range.lowerBound].split(separator: " ").last.map(String.init) ?? ""
      if let count = UInt64(digits) { found.append((cells[0].split(separator: "`").joined(), count)) }
    }
    return found
  }

  @Test func wholeRecordsAreThoseOfTheSources() throws {
    guard let files = PackageRoot.realLogs() else { return }
    let expected = try wholeRecords()
    #expect(expected.count >= 14)
    for entry in expected {
      let file = try #require(files.first { $0.path == entry.path }, "\(entry.path)")
      let outcome = try TestEngine.run(file.bytes, host: nil, log: Origin.logName(ofPath: file.path))
      #expect(outcome.result.recordCounts[Int(RecordFormat.cmtrace.rawValue)] == entry.count, "\(entry.path)")
    }
  }

  /// Every failure in the Schannel XML, also where text stands around it.
  @Test func everySchannelFailureIsFound() throws {
    guard let files = PackageRoot.realLogs() else { return }
    func findings(_ path: String) throws -> [Finding] {
      let file = try #require(files.first { $0.path == path })
      return try TestEngine.run(file.bytes, host: nil, log: "System").findings.filter {
        $0.signature.hasPrefix("schannel")
      }
    }
    let received = try findings("dotnet-corefx/issue-1894-schannel-36887.xml")
    #expect(received.map(\.alert) == [20])
    #expect(received.first?.time?.rfc3339 == "2015-06-01T10:00:09.390Z")
    let sent = try findings("jborean93-requests-credssp/issue-18-schannel-36888-eventviewer.txt")
    #expect(sent.map(\.alert) == [40])
    #expect(sent.first?.host == "WIN-U5410N2J187")
    #expect(try findings("netchx-netch/issue-453-schannel-36871-zh.xml").map(\.code) == ["36871"])
    #expect(try findings("microsoft-EventLogExpert/issue-397-schannel-36871.txt").map(\.code) == ["36871"])
    #expect(
      try findings("Azure-Service-Fabric-Troubleshooting-Guides/schannel-36870-eventviewer.txt").map(\.code) == [
        "36870"
      ])
    #expect(try findings("axoflow-axosyslog/schannel-36880-userdata.xml").isEmpty)
  }

  /// Files without any TLS failure, judged by reading them.
  @Test(arguments: [
    "ErnestoLeon87-log_reader/smsts.log", "brackdk04-hello-world/smsts.log", "findingsanity-Logs/UpdatesDeployment.log",
    "findingsanity-Logs/UpdatesHandler.log", "findingsanity-Logs/UpdatesStore.log", "findingsanity-Logs/WUAHandler.log",
    "maxmoonACR-MDTLOGFiles/ZTIGather.log", "log2timeline-plaso/sccm_various.log",
    "adamgell-cmtraceopen/psadt_install.log",
    "NickSmet-ts-evtx/Application.xml", "wagga40-Zircolite/winlogbeat_sysmon_sample.json",
    "tstack-lnav/logfile_w3c_big.0",
    "OTRF-Security-Datasets/covenant_copy_smb_CreateRequest_2020-09-22145302.json", "microsoft-Tx/u_ex130609.log",
    "log2timeline-plaso/iis/iis10_edge_cases.log", "matomo-org-matomo-log-analytics/iis.log",
  ])
  func filesWithoutFailuresHaveNoFinding(path: String) throws {
    guard let files = PackageRoot.realLogs() else { return }
    let file = try #require(files.first { $0.path == path })
    let outcome = try TestEngine.run(file.bytes, host: nil, log: Origin.logName(ofPath: path))
    #expect(outcome.findings.map(\.signature) == [])
  }

  /// Every line of every file is part of something that was counted.
  @Test func noFileIsLost() throws {
    guard let files = PackageRoot.realLogs() else { return }
    for file in files {
      let outcome = try TestEngine.run(file.bytes, host: nil, log: Origin.logName(ofPath: file.path))
      let counted =
        outcome.result.recordCount + outcome.result.markerCount
        + SkipReason.allCases.reduce(0) { $0 + outcome.result.skips[$1].count }
      #expect(counted > 0 || file.bytes.isEmpty, "\(file.path)")
    }
  }
}
