import Definitions
import Extraction
import Records
import TestSupport
import Testing
import Verification

/// What `check` says of an example that does not come out as stated, by a signature of one's own beside the shipped ones.
@Suite struct ExampleTests {
  private func check(
    _ examples: String, changing changes: [(String, String)] = [], codes: [String: String] = [:]
  ) throws -> [String] {
    let folder = try TemporaryFolder()
    var text = own + examples
    for (from, to) in changes {
      #expect(text.contains(from))
      text = text.replacing(from, with: to)
    }
    try folder.write(text, to: "signatures/corp.yaml")
    for (name, table) in codes { try folder.write(table, to: "codes/\(name).tsv") }
    let set = DefinitionSet(overrides: [folder.path], systemDirectories: [])
    #expect(set.diagnostics.isEmpty, "\(set.diagnostics)")
    var run = try #require(ExampleRun(set))
    run.runAll()
    return run.diagnostics.map { "\($0.what)\(isDefault($0.fix) ? "" : " / \($0.fix)")" }
  }

  private func isDefault(_ fix: String) -> Bool { fix == "correct the example or the signature" }

  private func raw(_ message: String, component: String = "SensorEndpoint") -> String {
    "'<![LOG[\(message)]LOG]!><time=\"06:00:00.123+000\" date=\"03-02-2026\" component=\"\(component)\" context=\"\" "
      + "type=\"3\" thread=\"4242\" file=\"sensor.cpp:1\">'"
  }

  private let good = """
      - line: 'CORPSENSOR refused mp01 with alert 70, code 0x80072f8f'
        expect: { server: mp01, alert: 70 }
      - line: 'CORPSENSOR refused mp02 with alert 40, code 0x80072f8f'
        expect: { server: mp02, alert: 40 }
      - line: 'CORPSENSOR accepted mp02'
        expect: none

    """

  @Test func goodExamplesPass() throws {
    #expect(try check(good) == [])
  }

  /// A raw line is judged in the log that it names itself: with a log of our own it would pass and a replay find nothing.
  @Test func aRawLineNamesItsOwnLog() throws {
    let line = raw("CORPSENSOR refused mp01 with alert 70, code 0x80072f8f")
    let example = "  - line: \(line)\n    expect: { server: mp01 }\n"
    #expect(try check(good + example) == [])
    let misspelled = try check(good + example, changing: [("logs: [SensorEndpoint]", "logs: [SensorEndPt]")])
    #expect(
      misspelled == [
        "example of 'corp.sensor': 'corp.sensor' did not hold: the log is 'SensorEndpoint', 'logs' wants sensorendpt; "
          + "'code.tls' held"
      ])
    let named = example.replacing("    expect", with: "    log: SensorEndPt.log\n    expect")
    #expect(try check(good + named, changing: [("logs: [SensorEndpoint]", "logs: [SensorEndPt]")]) == [])
    // A replay goes by the same names.
    let bytes = Array(line.dropFirst().dropLast().utf8) + [0x0A]
    let component = try TestEngine.run(bytes, log: "SensorEndpoint")
    #expect(component.findings.map(\.component) == ["SensorEndpoint"])
  }

  @Test func aLineThatNamesNoLogMustBeToldOne() throws {
    let line = raw("CORPSENSOR refused mp01 with alert 70, code 0x80072f8f", component: "")
    #expect(
      try check(good + "  - line: \(line)\n    expect: { server: mp01 }\n") == [
        "example of 'corp.sensor': the line does not name its log, and the signature has 'logs' / "
          + "add 'log:' with the name of the file that holds such lines"
      ])
  }

  /// One round tells all that is wrong with an example.
  @Test func allDifferencesAreTold() throws {
    let example = """
        - line: 'CORPSENSOR refused mp01 with alert 70, code 0x80072f8f'
          expect: { server: mp02, alert: 40, class: certificate, cause: protocol, client: X }

      """
    #expect(
      try check(good + example) == [
        "example of 'corp.sensor': alert is '70', expected '40'; class is 'protocol-mismatch', expected 'certificate'; "
          + "client is empty, expected 'X'; server is 'mp01', expected 'mp02'"
      ])
  }

  @Test(arguments: [
    ("CORPSENSOR refuses mp01", "its anchor 'corpsensor refused' does not occur"),
    ("CORPSENSOR refused mp01", "its pattern does not match"),
    ("CORPSENSOR refused mp01 with alert 70, code 0x00ff0001", "code '0x00ff0001' is not in table 'hresult'"),
    (
      "CORPSENSOR refused mp01 with alert 70, code 0x80072ee7",
      "its code row makes the record a look-alike"
    ),
  ])
  func theStageThatFailedIsTold(line: String, reason: String) throws {
    let told = try check(good + "  - line: '\(line)'\n    expect: { server: mp01 }\n")
    #expect(told.count == 1 && told[0].contains("'corp.sensor' ") && told[0].contains(": \(reason)"), "\(told)")
    for other in told[0].split(separator: ";").dropFirst() {
      let names = other.split(separator: "'").map(String.init)
      #expect(Set(names.filter { $0.contains(".") }).count == names.filter { $0.contains(".") }.count)
    }
  }

  @Test func aNearMissThatMatches() throws {
    let example = """
        - line: 'CORPSENSOR refused mp01 with alert 70, code 0x80072f8f'
          expect: none

      """
    #expect(
      try check(good + example) == [
        "example of 'corp.sensor': the near miss matched: nothing was expected, and it is found as "
          + "protocol-mismatch/protocol"
      ])
  }

  @Test func eventsAndRowsTellTheirField() throws {
    let event = """
      signature: corp.event
      title: t
      yields: finding
      formats: [event-xml]
      where: { provider: CorpProxy, event-id: 7, Reason: [a, b] }
      class: handshake-failure
      cause: unknown-tls
      severity: error
      confidence: seen
      explain: e
      remedy: r
      source: s
      examples:

      """
    func xml(_ provider: String, _ id: Int, _ reason: String) -> String {
      "  - line: '<Event><System><Provider Name=\"\(provider)\"/><EventID>\(id)</EventID></System><EventData>"
        + "<Data Name=\"Reason\">\(reason)</Data></EventData></Event>'\n    expect: "
    }
    let wanted = "{ class: handshake-failure }\n"
    let told = try check(
      event + xml("CorpProxy", 7, "a") + wanted + xml("CorpProxy", 7, "b") + wanted + xml("CorpProxy", 8, "b") + wanted
        + xml("CorpProxy", 7, "c") + wanted + xml("Other", 7, "b") + wanted + xml("CorpProxy", 9, "b") + "none\n",
      changing: [(own, "")])
    #expect(
      told == [
        "example of 'corp.event': 'corp.event' did not hold: event-id is '8', 'where' wants 7",
        "example of 'corp.event': 'corp.event' did not hold: reason is 'c', 'where' wants a, b",
        "example of 'corp.event': 'corp.event' did not hold: provider is 'Other', 'where' wants corpproxy",
      ])
    let rows = event.replacing("corp.event", with: "corp.row").replacing("[event-xml]", with: "[w3c]")
      .replacing("where: { provider: CorpProxy, event-id: 7, Reason: [a, b] }", with: "where: { sc-status: 499 }")
    func row(_ status: Int) -> String {
      "  - fields: 'date time cs-uri-stem sc-status'\n    line: '2026-03-02 06:00:00 /corp \(status)'\n    expect: "
    }
    #expect(
      try check(
        rows + row(499) + wanted + row(499).replacing("/corp", with: "/b") + wanted + row(498) + wanted + row(200)
          + "none\n", changing: [(own, "")]) == [
          "example of 'corp.row': 'corp.row' did not hold: sc-status is '498', 'where' wants 499; 'iis.request' held"
        ])
  }

  // MARK: What code rows replace

  private func explanation(of line: String, _ codes: [String: String], fields: String) throws -> Finding {
    let folder = try TemporaryFolder()
    try folder.write(
      (own + good).replacing("codes: { code: hresult, alert: tls-alert }", with: "codes: \(fields)"),
      to: "signatures/corp.yaml")
    for (name, table) in codes { try folder.write(table, to: "codes/\(name).tsv") }
    let set = DefinitionSet(overrides: [folder.path], systemDirectories: [])
    let engine = try #require(set.engine, "\(set.diagnostics)")
    return try #require(
      try TestEngine.run(Array((line + "\n").utf8), log: "SensorEndpoint", engine: engine).findings.first)
  }

  private func table(_ kind: String, _ value: String, cause: String, explain: String, remedy: String) -> String {
    "#kind \(kind)\nvalue\tclass\tcause\tseverity\tcovers\texplain\tremedy\tsource\n"
      + "\(value)\t-\t\(cause)\t-\t-\t\(explain)\t\(remedy)\ts\n"
  }

  /// Texts go with the cause, so that none explains what the finding is not; an empty cell keeps the signature's.
  @Test func textsGoWithTheCause() throws {
    let line = raw("CORPSENSOR refused mp01 with alert 70, code 0x80072f8f").dropFirst().dropLast()
    func texts(_ first: (String, String, String), _ second: (String, String, String)) throws -> [String?] {
      let codes = [
        "one": table("code", "0x80072f8f", cause: first.0, explain: first.1, remedy: first.2),
        "two": table("number", "70", cause: second.0, explain: second.1, remedy: second.2),
      ]
      let finding = try explanation(of: String(line), codes, fields: "{ code: one, alert: two }")
      return [finding.cause.rawValue, finding.explain, finding.remedy]
    }
    let known = "unknown-tls"
    #expect(try texts((known, "-", "-"), ("-", "E2", "-")) == [known, nil, nil])
    #expect(try texts((known, "E1", "R1"), ("-", "E2", "-")) == [known, "E1", "R1"])
    #expect(try texts((known, "E1", "R1"), ("-", "E2", "R2")) == [known, "E1", "R2"])
    #expect(try texts((known, "E1", "R1"), (known, "E2", "-")) == [known, "E2", "R1"])
    #expect(
      try texts((known, "E1", "R1"), ("closed-by-peer", "E2", "-")) == ["closed-by-peer", "E2", nil])
    #expect(
      try texts((known, "E1", "R1"), ("closed-by-peer", "-", "R2")) == ["closed-by-peer", nil, "R2"])
  }
}

private let own = """
  signature: corp.sensor
  title: The sensor cannot shake hands
  yields: finding
  formats: [cmtrace]
  logs: [SensorEndpoint]
  anchors: ['CORPSENSOR refused']
  pattern: 'CORPSENSOR refused (?<server>\\S+) with alert (?<alert>\\d+), code (?<code>0x[0-9a-f]+)'
  codes: { code: hresult, alert: tls-alert }
  class: handshake-failure
  cause: unknown-tls
  severity: error
  confidence: seen
  explain: e
  remedy: r
  source: s
  examples:

  """
