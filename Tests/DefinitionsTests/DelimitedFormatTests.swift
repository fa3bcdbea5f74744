import Definitions
import Detection
import Extraction
import Foundation
import Records
import TestSupport
import Testing
import Verification

private let format = """
  format: proxy-access
  framing: delimited
  title: Access log of a load balancer
  files: ['proxy*.log']
  delimiter: '|'
  columns: [time, host, client-ip, server, protocol, message]
  time: utc
  source: its manual
  examples:
    - text: |
        when|where|who|whom|version|what
        2026-03-02 06:00:00.250|lb01|10.1.2.3|mp01.corp.example|TLSv1|handshake failed
      expect: { format: delimited, records: 1, time: '2026-03-02T06:00:00.250Z', message: handshake failed }

  """

private let signature = """
  signature: proxy.failed
  title: The balancer could not shake hands
  yields: finding
  formats: [proxy-access]
  anchors: ['handshake failed']
  pattern: 'handshake failed: unsupported protocol'
  class: protocol-mismatch
  cause: protocol
  severity: error
  confidence: seen
  explain: e
  remedy: r
  source: s
  examples:
    - line: '2026-03-02 06:00:00|lb01|10.1.2.3|mp01.corp.example.|TLSv1|handshake failed: unsupported protocol'
      expect: { clientIP: 10.1.2.3, server: mp01.corp.example, host: lb01, protocol: TLSv1 }
    - line: '2026-03-02 06:00:00|lb01|10.1.2.3|-|-|handshake failed: unsupported protocol | again'
      expect: { clientIP: 10.1.2.3 }
    - line: '2026-03-02 06:00:00|lb01|10.1.2.3|-|-|handshake failed: client hung up'
      expect: none

  """

@Suite struct DelimitedFormatTests {
  /// A format and a signature of one's own, from files alone, go through the whole walk.
  @Test func aNewFormatNeedsNoSwift() throws {
    let folder = NSTemporaryDirectory() + "handshaked-delimited-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for (name, text) in [("formats", format), ("signatures", signature)] {
      try FileManager.default.createDirectory(atPath: folder + "/" + name, withIntermediateDirectories: true)
      try text.write(toFile: "\(folder)/\(name)/proxy.yaml", atomically: true, encoding: .utf8)
    }
    let set = DefinitionSet(overrides: [folder], systemDirectories: [])
    #expect(set.diagnostics.isEmpty)
    var examples = try #require(ExampleRun(set))
    examples.runAll()
    #expect(examples.diagnostics.isEmpty)

    let line = "2026-03-02 06:00:00|lb01|10.1.2.3|mp01|TLSv1|handshake failed: unsupported protocol\n"
    let engine = try #require(set.engine)
    let found = try TestEngine.run(Array(line.utf8), log: "proxy-7", engine: engine)
    #expect(found.findings.map(\.signature) == ["proxy.failed"] && found.findings[0].clientIP == "10.1.2.3")
    #expect(found.result.recordCounts[Int(RecordFormat.delimited.rawValue)] == 1)
    // The same line in another log is a line of text, in which only its own format counts.
    let other = try TestEngine.run(Array(line.utf8), log: "smsexec", engine: engine)
    #expect(other.findings.isEmpty && other.result.recordCounts[Int(RecordFormat.line.rawValue)] == 1)
  }

  /// Every name is told at once, and where a text of one's own goes.
  @Test func unknownColumnsAreNamedTogether() {
    let columns = "columns: [time, host, client-ip, server, protocol, message]"
    let printed = faults(formats: format.replacing(columns, with: "columns: [time, user, hosst, note]"))
    #expect(printed.count == 1)
    #expect(printed[0].contains("columns 'user', 'hosst', 'note' are not known"))
    #expect(printed[0].contains("for 'hosst' did you mean 'host'?") && printed[0].contains("belongs in 'message'"))
  }

  /// That a signature names a format whose file is there and wrong is no fault of the signature.
  @Test(arguments: [
    ("delimiter: '|'", "delimiter: '||'"), ("columns: [time", "columns: [when"), ("title: ", "title: '"),
  ])
  func aRejectedFormatIsKnown(text: String, damaged: String) throws {
    let folder = try TemporaryFolder()
    try folder.write(format.replacing(text, with: damaged), to: "formats/proxy-access.yaml")
    try folder.write(signature, to: "signatures/proxy.yaml")
    let printed = faults(overrides: [folder.path])
    #expect(printed.count == 1 && printed[0].contains("proxy-access.yaml"), "\(printed)")
  }

  /// Times are instants, however many digits of a second are written; all that differs is told.
  @Test func expectationsOfFormats() throws {
    func run(_ expect: String) throws -> [String] {
      let folder = try TemporaryFolder()
      let old = "time: '2026-03-02T06:00:00.250Z', message: handshake failed"
      try folder.write(format.replacing(old, with: expect), to: "formats/proxy.yaml")
      var examples = try #require(ExampleRun(DefinitionSet(overrides: [folder.path], systemDirectories: [])))
      examples.runAll()
      return examples.diagnostics.map(\.what)
    }
    #expect(try run("time: '2026-03-02T06:00:00.25Z'") == [])
    #expect(try run("time: '2026-03-02T06:00:00.2500000Z'") == [])
    #expect(
      try run("time: '2026-03-02T06:00:00Z', message: other") == [
        "example of format 'proxy-access': the time is '2026-03-02T06:00:00.250Z', expected '2026-03-02T06:00:00.000Z'; "
          + "the message is 'handshake failed', expected 'other'"
      ])
  }

  private func time(_ calendar: DelimitedRule.Calendar, _ columns: [DelimitedRule.Column], _ line: String) -> String? {
    let rule = DelimitedRule(
      name: "t", logs: [], delimiter: 0x3B, isQuoted: false, columns: columns, calendar: calendar, isUTC: false)
    let bytes = Array(line.utf8)
    guard let read = DelimitedLine(rule, bytes.span, start: 0, end: bytes.count) else { return nil }
    return read.reading.map { $0.rfc3339 + (read.isUTC ? "" : " local") }
  }

  @Test func timesOfEveryCalendar() {
    let split: [DelimitedRule.Column] = [.date, .time, .message]
    let joined: [DelimitedRule.Column] = [.time, .message]
    #expect(time(.iso, joined, "2026-03-02 06:00:00;x") == "2026-03-02T06:00:00.000Z local")
    #expect(time(.iso, joined, "2026-03-02T06:00:00.5Z;x") == "2026-03-02T06:00:00.500Z")
    #expect(time(.iso, joined, "2026-03-02T06:00:00,123456+01:30;x") == "2026-03-02T04:30:00.123Z")
    #expect(time(.iso, joined, "2026/03/02 06:00:00 -0500;x") == nil)
    #expect(time(.iso, joined, "2026/03/02 06:00:00-0500;x") == "2026-03-02T11:00:00.000Z")
    #expect(time(.us, split, "03/02/2026;6:00:00;x") == "2026-03-02T06:00:00.000Z local")
    #expect(time(.european, split, "02.03.2026;06:00:00;x") == "2026-03-02T06:00:00.000Z local")
    #expect(time(.epoch, joined, "1772431200;x") == "2026-03-02T06:00:00.000Z")
    #expect(time(.epoch, joined, "1772431200.25;x") == "2026-03-02T06:00:00.250Z")
    #expect(time(.epoch, joined, "1772431200250;x") == "2026-03-02T06:00:00.250Z")
    for wrong in [
      "2026-02-30 06:00:00;x", "2026-03-02 24:00:00;x", "2026-03-02;x", "06:00:00;x", ";x", "2026-03-02 06:00:00x;x",
    ] {
      #expect(time(.iso, joined, wrong) == nil, "\(wrong)")
    }
    #expect(time(.us, joined, "13/02/2026 06:00:00;x") == nil)
    #expect(time(.epoch, joined, "177243120025;x") == nil)
  }

  @Test func columnsMayBeQuoted() throws {
    let rule = DelimitedRule(
      name: "t", logs: [], delimiter: 0x2C, isQuoted: true, columns: [.host, .component, .message], calendar: .iso,
      isUTC: true)
    func columns(_ line: String) -> [String]? {
      let bytes = Array(line.utf8)
      guard let read = DelimitedLine(rule, bytes.span, start: 0, end: bytes.count) else { return nil }
      return rule.columns.map { column in read[column].map { Text.decode(bytes.span.extracting($0)) } ?? "-" }
    }
    #expect(columns("a,b,c") == ["a", "b", "c"])
    #expect(columns(#""a,1",b,"c ""d"", e""#) == ["a,1", "b", #"c ""d"", e"#])
    #expect(columns("a,b,c,d") == ["a", "b", "c,d"])
    #expect(columns(",,") == ["", "", ""])
    #expect(columns("a,b") == nil)
    #expect(columns(#""a,b,c"#) == nil)
    #expect(columns(#"a,b,"c"d"#) == nil)
  }

  @Test(arguments: [
    ("columns: [time, host, client-ip, server, protocol, message]", "columns: [time, hoost]", "did you mean 'host'?"),
    ("columns: [time, host, client-ip, server, protocol, message]", "columns: [time]", "name at least two"),
    (
      "columns: [time, host, client-ip, server, protocol, message]", "columns: [date, host]",
      "name the column of the clock"
    ),
    ("columns: [time, host, client-ip, server, protocol, message]", "columns: [host, host]", "write '-' for a column"),
    ("delimiter: '|'", "delimiter: '||'", "write '|', ';', ',' or tab"),
    ("delimiter: '|'", "delimiter: 'ß'", "write '|', ';', ',' or tab"),
    ("delimiter: '|'\n", "", "add 'delimiter:'"),
    ("files: ['proxy*.log']\n", "", "add 'files:'"),
    ("format: proxy-access", "format: cmtrace", "a name of its own"),
    ("format: proxy-access", "format: 'Proxy Access'", "use lower case"),
    ("framing: delimited", "framing: line", "write 'framing: delimited'"),
  ])
  func faultsSayHowToMend(text: String, damaged: String, fix: String) {
    #expect(format.contains(text))
    let printed = faults(formats: format.replacing(text, with: damaged))
    #expect(printed.contains { $0.contains("fix: ") && $0.contains(fix) }, "\(printed)")
  }
}
