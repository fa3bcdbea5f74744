import Foundation
import TestSupport
import Testing

/// The command line as a user and a program meet it: output, messages, exit codes.
@Suite struct CommandTests {
  private static let samples = PackageRoot.path("sample-logs")

  private func folder() throws -> URL {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("command-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url
  }

  private func objects(_ output: String) throws -> [[String: Any]] {
    try output.split(separator: "\n").map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
    }
  }

  // MARK: replay

  @Test func theSummaryTellsWhatWhoWhenAndWhatToDo() throws {
    let run = try Executable.run(["replay", Self.samples + "/tls10-off-too-early"])
    #expect(run.status == 0)
    for word in [
      "protocol-mismatch/protocol", "W7-0118", "mp01.corp.example", "KB 3140245", "TLS 1.0", "10.31.4.117",
      "What was sent",
    ] { #expect(run.output.contains(word), "\(word)") }
    #expect(!run.output.contains("\u{1B}"))
    #expect(run.error.isEmpty)
  }

  @Test func jsonIsOneObjectALine() throws {
    let run = try Executable.run(["replay", Self.samples, "--findings", "--sightings", "--output", "json"])
    #expect(run.status == 0)
    let all = try objects(run.output)
    #expect(all.allSatisfy { $0["schema"] as? Int == 1 })
    let types = Set(all.compactMap { $0["type"] as? String })
    #expect(types.isSuperset(of: ["finding", "sighting", "summary"]))
    let findings = all.filter { $0["type"] as? String == "finding" }
    #expect(findings.count > 100)
    #expect(all.last?["findings"] as? Int == findings.count)
    // The fixed order of keys of the interface.
    let order = [
      "schema", "type", "signature", "class", "cause", "severity", "time", "path", "offset", "length", "line", "host",
      "log",
      "component", "client", "clientID", "clientIP", "server", "role", "protocol", "cipher", "code", "symbol", "alert",
      "area",
      "feature", "stack", "confidence", "sameAs",
    ]
    for line in run.output.split(separator: "\n") where line.contains("\"type\":\"finding\"") {
      let places = order.compactMap { key in line.firstRange(of: "\"\(key)\":").map { ($0.lowerBound, key) } }
      let sorted = places.sorted { $0.0 < $1.0 }.map(\.1)
      let wanted = order.filter { key in places.contains { $0.1 == key } }
      #expect(Set(sorted) == Set(wanted))
    }
  }

  /// The bytes that a finding names are the record.
  @Test func offsetAndLengthNameTheRecord() throws {
    let run = try Executable.run(["replay", Self.samples, "--findings", "--output", "json"])
    var checked = 0
    for finding in try objects(run.output) where finding["type"] as? String == "finding" {
      let path = try #require(finding["path"] as? String)
      let offset = try #require(finding["offset"] as? Int)
      let length = try #require(finding["length"] as? Int)
      let bytes = try PackageRoot.bytes("sample-logs/" + path)
      let record = bytes[offset..<(offset + length)]
      if bytes.starts(with: [0xFF, 0xFE]) { continue }
      let text = String(decoding: record, as: UTF8.self)
      #expect(record.first != 0x0A && record.last != 0x0A && record.last != 0x0D)
      // The line number counts from 1.
      let line = bytes[..<offset].count { $0 == 0x0A } + 1
      #expect(finding["line"] as? Int == line, "\(path) \(text.prefix(60))")
      checked += 1
    }
    #expect(checked > 100)
  }

  @Test func sinceAndUntilCut() throws {
    let path = Self.samples + "/tls10-off-too-early"
    func count(_ arguments: [String]) throws -> Int {
      let run = try Executable.run(["replay", path, "--findings", "--output", "json"] + arguments)
      #expect(run.status == 0, "\(run.error)")
      return try objects(run.output).filter { $0["type"] as? String == "finding" }.count
    }
    let all = try count([])
    let before = try count(["--until", "2026-03-02T10:00:00Z"])
    let after = try count(["--since", "2026-03-02T11:00:00+01:00"])
    #expect(before > 0 && after > 0)
    #expect(before + after == all)
    #expect(try count(["--since", "2027-01-01"]) == 0)
  }

  @Test func failOnDecidesTheExitCode() throws {
    #expect(try Executable.run(["replay", Self.samples + "/tls10-off-too-early", "--fail-on", "error"]).status == 1)
    #expect(try Executable.run(["replay", Self.samples + "/tls10-off-too-early", "--fail-on", "critical"]).status == 0)
    #expect(try Executable.run(["replay", Self.samples + "/healthy-day", "--fail-on", "info"]).status == 0)
  }

  @Test func timeZoneIsUsedForRecordsWithoutBias() throws {
    let url = try folder()
    defer { try? FileManager.default.removeItem(at: url) }
    let record =
      "<![LOG[Could not create SSL/TLS secure channel]LOG]!><time=\"10:22:50.8422964\" date=\"7-2-2026\" component=\"SCClient\" context=\"\" type=\"3\" thread=\"1\" file=\"\">\n"
    try FileManager.default.createDirectory(at: url.appendingPathComponent("W10-1"), withIntermediateDirectories: true)
    try Data(record.utf8).write(to: url.appendingPathComponent("W10-1/SCClient_x_1.log"))
    let run = try Executable.run(
      ["replay", url.path, "--findings", "--output", "json", "--time-zone", "Europe/Berlin"])
    let finding = try #require(try objects(run.output).first)
    #expect(finding["time"] as? String == "2026-07-02T08:22:50.842Z")
    #expect(finding["client"] as? String == "W10-1")
    #expect(try Executable.run(["replay", url.path, "--time-zone", "Mars/Base"]).status == 64)
  }

  @Test func standardInputIsRead() throws {
    let bytes = try PackageRoot.bytes("sample-logs/tls10-off-too-early/W7-0117/CcmMessaging.log")
    let run = try Executable.run(["replay", "-", "--findings", "--output", "json"], input: bytes)
    #expect(run.status == 0)
    #expect(try objects(run.output).first?["path"] as? String == "-")
  }

  // MARK: Errors tell what, where and how to fix

  @Test func usageFaults() throws {
    for arguments in [
      ["replay"], ["replay", "x", "--threads", "0"], ["replay", "x", "--since", "yesterday"], ["nonsense"],
      ["replay", "x", "--output", "xml"], ["replay", "x", "--fail-on", "fatal"],
      ["replay", "x", "--since", "2026-03-02", "--until", "2026-03-01"], ["explain"],
      ["explain", "x", "--code", "--line"],
    ] {
      let run = try Executable.run(arguments)
      #expect(run.status == 64, "\(arguments): \(run.status) \(run.error)")
      #expect(!run.error.isEmpty)
    }
  }

  @Test func missingInput() throws {
    let run = try Executable.run(["replay", "/nonexistent/folder"])
    #expect(run.status == 66)
    #expect(
      run.error.contains("/nonexistent/folder") && run.error.contains("No such file") && run.error.contains("fix:"))
    let mixed = try Executable.run(["replay", Self.samples + "/healthy-day", "/nonexistent"])
    #expect(mixed.status == 66)
    #expect(mixed.output.contains("112 cmtrace") || mixed.output.contains("cmtrace"))
  }

  @Test func anEmptyFolderAndContainersAreNoInput() throws {
    let url = try folder()
    defer { try? FileManager.default.removeItem(at: url) }
    #expect(try Executable.run(["replay", url.path]).status == 66)
    try Data("ElfFile\0 and more bytes".utf8).write(to: url.appendingPathComponent("System.evtx"))
    try Data([0x50, 0x4B, 3, 4, 0, 0, 0, 0, 0, 0]).write(to: url.appendingPathComponent("logs.zip"))
    let run = try Executable.run(["replay", url.path])
    #expect(run.status == 66)
    #expect(run.output.contains("unsupported-format"))
    #expect(run.error.contains("EVTX") && run.error.contains("zip archive") && run.error.contains("fix:"))
    // With something to read beside them the run is a run.
    try Data("a line\n".utf8).write(to: url.appendingPathComponent("x.log"))
    #expect(try Executable.run(["replay", url.path]).status == 0)
  }

  @Test func brokenDefinitionsAreListedAndRefused() throws {
    let url = try folder()
    defer { try? FileManager.default.removeItem(at: url) }
    let signatures = url.appendingPathComponent("signatures")
    try FileManager.default.createDirectory(at: signatures, withIntermediateDirectories: true)
    try Data("signature: corp.x\ntitle: t\nyields: finding\nformats: [cmtrace]\nseverity: eror\n".utf8)
      .write(to: signatures.appendingPathComponent("corp.yaml"))
    for command in [["check"], ["replay", Self.samples + "/healthy-day"], ["explain", "12175"]] {
      let run = try Executable.run(command + ["--parsers", url.path])
      #expect(run.status == 78, "\(command)")
      #expect(run.error.contains("corp.yaml:5:11: error: severity 'eror' is not known"))
      #expect(run.error.contains("fix:"))
    }
    #expect(try Executable.run(["check", "--parsers", url.path + "/none"]).status == 78)
  }

  @Test func aNewSignatureNeedsNoSwift() throws {
    let url = try folder()
    defer { try? FileManager.default.removeItem(at: url) }
    let signatures = url.appendingPathComponent("signatures")
    try FileManager.default.createDirectory(at: signatures, withIntermediateDirectories: true)
    let yaml = """
      signature: corp.proxy-refused
      title: The proxy refuses the handshake
      yields: finding
      formats: [cmtrace]
      anchors: ['CORPPROXY refused']
      pattern: 'CORPPROXY refused (?<server>\\S+)'
      class: handshake-failure
      cause: closed-by-peer
      severity: warning
      confidence: seen
      explain: The proxy of the house closed the connection.
      remedy: Exempt the management point from inspection.
      source: house rule 12
      examples:
        - line: 'CORPPROXY refused mp01.corp.example'
          expect: { class: handshake-failure, server: mp01.corp.example }
        - line: 'again: corpproxy refused mp02.corp.example now'
          expect: none
        - line: 'CORPPROXY refused mp02.corp.example, second try'
          expect: { cause: closed-by-peer }
      """
    try Data(yaml.utf8).write(to: signatures.appendingPathComponent("corp.yaml"))
    let check = try Executable.run(["check", "--parsers", url.path])
    #expect(check.status == 0, "\(check.error)")
    let explained = try Executable.run(
      ["explain", "--parsers", url.path, "--line", "CORPPROXY refused mp03.corp.example"])
    #expect(explained.status == 0)
    #expect(explained.output.contains("1 line"))
  }

  @Test func aClosedPipeEndsQuietly() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = [
      "-c", "\"$1\" replay \"$2\" --findings --output json | head -n 1; exit ${PIPESTATUS[0]}", "bash", Executable.path,
      Self.samples,
    ]
    let output = Pipe()
    let error = Pipe()
    process.standardOutput = output
    process.standardError = error
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let message = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(text.hasPrefix("{\"schema\":1"))
    #expect(message.isEmpty, "\(message)")
    #expect(process.terminationStatus == 0 || process.terminationStatus == 128 + 13)
  }

  // MARK: check and explain

  @Test func theShippedDefinitionsAreWithoutFault() throws {
    let run = try Executable.run(["check", "-v"])
    #expect(run.status == 0, "\(run.error)")
    #expect(run.output.contains(": 0 faults"))
    #expect(run.output.contains("prefilter of text records"))
  }

  @Test func checkListsTheCodeTables() throws {
    let run = try Executable.run(["check", "-v"])
    #expect(run.output.contains("code tables\n") && run.output.contains("  tls-alert  number, "))
  }

  /// What the page on definitions shows can be copied and checked.
  @Test func theExamplesOfTheReadmePass() throws {
    let page = try String(contentsOfFile: PackageRoot.path("parsers/README.md"), encoding: .utf8)
    let blocks = page.components(separatedBy: "```yaml\n").dropFirst().compactMap {
      $0.components(separatedBy: "```").first
    }
    var files: [String: String] = [:]
    // The format of IIS is shown shortened: it would take the shipped one's place.
    for (index, block) in blocks.enumerated() where !block.hasPrefix("format: w3c") {
      files[(block.hasPrefix("signature:") ? "signatures/" : "formats/") + "corp\(index).yaml"] = block
    }
    let url = try own(files)
    defer { try? FileManager.default.removeItem(at: url) }
    let run = try Executable.run(["check", "--parsers", url.path])
    #expect(run.status == 0 && files.count == 2, "\(run.error)")
  }

  private func own(_ files: [String: String]) throws -> URL {
    let url = try folder()
    for (name, text) in files {
      let file = url.appendingPathComponent(name)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    return url
  }

  /// A candidate that fell away says at which stage.
  @Test func explainTellsWhyASignatureDidNotHold() throws {
    let line =
      "[CCMHTTP] ERROR: URL=https://mp01/x, Port=443, Options=31, Code=12007, Text=ERROR_WINHTTP_NAME_NOT_RESOLVED"
    let run = try Executable.run(["explain", "--log", "CcmMessaging.log", "--line", line])
    #expect(run.output.contains("log CcmMessaging\n"), "\(run.output)")
    let without = try Executable.run(["explain", "--line", line])
    #expect(without.output.contains("log not known: --log NAME tells it"))
    let other = try Executable.run(["explain", "--line", "handshake with code 0x80072f8f failed"])
    #expect(other.output.contains("fell away  code.client-tls: the log's name is not known, 'logs' wants "))
  }

  /// A line of a delimited format is known by its file's name, which `--log` tells.
  @Test func explainTakesTheNameOfTheLog() throws {
    let format = """
      format: corp-proxy
      framing: delimited
      title: Access log
      files: ['proxy*.log']
      delimiter: '|'
      columns: [time, host, message]
      time: utc
      source: s
      examples:
        - text: '2026-03-02 06:00:00|lb01|handshake failed'
          expect: { records: 1 }
      """
    let url = try own(["formats/corp-proxy.yaml": format])
    defer { try? FileManager.default.removeItem(at: url) }
    let line = "2026-03-02 06:00:00|lb01|handshake failed"
    let without = try Executable.run(["explain", "--parsers", url.path, "--line", line])
    #expect(without.output.contains("1 line") && without.output.contains("(corp-proxy): --log NAME"))
    let named = try Executable.run(["explain", "--parsers", url.path, "--log", "C:\\logs\\proxy7.log", "--line", line])
    #expect(named.output.contains("1 delimited") && named.output.contains("message    handshake failed"))
  }

  // MARK: Hosts and what was sent

  private let clientRecord =
    "<![LOG[[CCMHTTP] ERROR: URL=https://mp01.corp.example/x, Port=443, Options=31, Code=12175, "
    + "Text=ERROR_WINHTTP_SECURE_FAILURE]LOG]!><time=\"06:00:00.123+000\" date=\"03-02-2026\" "
    + "component=\"CcmMessaging\" context=\"\" type=\"3\" thread=\"1\" file=\"ccmhttp.cpp:1\">\n"

  @Test func theHostIsTheSameHoweverThePathIsGiven() throws {
    let url = try own(["logs/W7-0117/CCM/Logs/CcmMessaging.log": clientRecord])
    defer { try? FileManager.default.removeItem(at: url) }
    func host(_ path: String, in folder: String) throws -> String? {
      let run = try Executable.run(
        ["replay", path, "--findings", "--output", "json"], directory: url.path + "/" + folder)
      return try objects(run.output).first?["host"] as? String
    }
    for (path, folder) in [
      ("logs", ""), ("logs/W7-0117", ""), ("logs/W7-0117/", ""), (".", "logs/W7-0117"), ("..", "logs/W7-0117/CCM"),
      ("logs/W7-0117/CCM/Logs/CcmMessaging.log", ""),
    ] { #expect(try host(path, in: folder) == "W7-0117", "\(path) in \(folder)") }
    // A folder where logs are kept is no host, and neither is one that holds hosts.
    #expect(try host("logs/W7-0117/CCM/Logs", in: "") == nil)
    try Data(clientRecord.utf8).write(to: url.appendingPathComponent("logs/other.log"))
    let all = try objects(
      Executable.run(["replay", url.path, "--findings", "--output", "json"]).output)
    #expect(Set(all.compactMap { $0["host"] as? String }) == ["W7-0117"])
  }

  /// Every log of a client counts as one, by its own name, by the name that an envelope tells, or by what it proves.
  @Test func clientLogsAreSeen() throws {
    let quiet =
      "<![LOG[nothing of note]LOG]!><time=\"06:00:00.123+000\" date=\"03-02-2026\" component=\"X\" context=\"\" "
      + "type=\"1\" thread=\"1\" file=\"x.cpp:1\">\n"
    for (name, text) in [
      ("PC-1/SensorEndpoint.log", quiet), ("PC-1/copy-of-a-log.log", clientRecord), ("PC-1/ExecMgr.lo_", quiet),
      (
        "relay.log",
        "{\"message\":\"\(quiet.dropLast().replacing("\"", with: "\\\""))\",\"host\":{\"name\":\"PC-1\"},"
          + "\"log\":{\"file\":{\"path\":\"C:\\\\Windows\\\\CCM\\\\Logs\\\\PolicyAgent.log\"},\"offset\":0}}\n"
      ),
    ] {
      let url = try own([name: text])
      defer { try? FileManager.default.removeItem(at: url) }
      let run = try Executable.run(["replay", url.path])
      #expect(run.output.contains("4  yes  client logs"), "\(name): \(run.output)")
    }
    let url = try own(["MP01/hman.log": quiet])
    defer { try? FileManager.default.removeItem(at: url) }
    let server = try Executable.run(["replay", url.path]).output
    #expect(server.contains("4  no   client logs") && server.contains("3  yes  site server"))
  }

  @Test func coverageNamesWhatIsMissing() throws {
    let url = try folder()
    defer { try? FileManager.default.removeItem(at: url) }
    let list = url.appendingPathComponent("list.tsv")
    try Data("id\tsource\nWINHTTP-12175\tclient\nMY-OWN\thouse\n".utf8).write(to: list)
    let run = try Executable.run(["check", "--coverage", list.path])
    #expect(run.output.contains("covered: 1 of 2 signals"))
    #expect(run.output.contains("missing MY-OWN"))
    #expect(try Executable.run(["check", "--coverage", url.path + "/none"]).status == 66)
  }

  @Test(arguments: [
    ("12175", "ERROR_WINHTTP_SECURE_FAILURE"), ("0x2f8f", "ERROR_WINHTTP_SECURE_FAILURE"),
    ("0x80072f8f", "KB 3140245"), ("-2147012721", "0x80072f8f"), ("SEC_E_ALGORITHM_MISMATCH", "0x80090331"),
    ("70", "protocol_version"), ("403.7", "certificate"), ("36874", "cipher"),
  ])
  func codesAreExplained(spelling: String, word: String) throws {
    let run = try Executable.run(["explain", "--code", spelling])
    #expect(run.status == 0, "\(run.error)")
    #expect(run.output.contains(word), "\(run.output)")
  }

  @Test func unknownCodesFilesAndLines() throws {
    #expect(try Executable.run(["explain", "--code", "0x12345678"]).status == 66)
    let file = try Executable.run(["explain", Self.samples + "/tls10-off-too-early/W7-0117/CcmMessaging.log"])
    #expect(file.status == 0)
    #expect(file.output.contains("client.request-failed") || file.output.contains("0x80072f8f"))
    let line = try Executable.run(["explain", "--line", "nothing of note"])
    #expect(line.status == 0 && line.output.contains("no signature"))
  }

  /// Names and texts of logs cannot steer the terminal.
  @Test func controlCharactersAreNotPassedOn() throws {
    let url = try folder()
    defer { try? FileManager.default.removeItem(at: url) }
    let record =
      "<![LOG[[CCMHTTP] ERROR: URL=https://mp01\u{1B}[31m.corp.example/x, Port=443, Options=31, Code=12175, Text=ERROR_WINHTTP_SECURE_FAILURE]LOG]!><time=\"06:00:00.123+000\" date=\"03-02-2026\" component=\"Ccm\u{07}Messaging\" context=\"\" type=\"3\" thread=\"1\" file=\"ccmhttp.cpp:1\">\n"
    try Data(record.utf8).write(to: url.appendingPathComponent("Ccm\u{1B}]0;x.log"))
    for arguments in [["--findings"], ["--findings", "--output", "json"]] {
      let run = try Executable.run(["replay", url.path] + arguments)
      #expect(run.status == 0)
      #expect(!run.output.utf8.contains(0x1B) && !run.output.utf8.contains(0x07), "\(arguments)")
      #expect(!run.error.utf8.contains(0x1B))
    }
  }
}
