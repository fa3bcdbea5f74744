import Definitions
import Extraction
import Records
import Testing

private func pieces(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }

@Suite struct SignatureDecodingTests {
  @Test func everyKeyBecomesItsField() throws {
    let result = load(signature(), codes: ["test": goodTable])
    #expect(result.diagnostics.isEmpty)
    let signature = try #require(result.ruleSet.signatures.first)
    #expect(signature.id == "test.failed")
    #expect(signature.covers == ["T-1", "T-2"])
    #expect(signature.title == "A test failed")
    #expect(signature.yields == .finding)
    #expect(signature.formats == FormatSet(.cmtrace).union(FormatSet(.simple)))
    #expect(signature.logs == [pieces("ccmmessaging"), pieces("smsts", "")])
    #expect(signature.anchors == pieces("failed: code="))
    #expect(signature.pattern == #"Failed: CODE=(?<code>\d+) at (?<server>\S+)"#)
    #expect(signature.predicates.isEmpty && signature.text == nil)
    #expect(signature.codes == [CodeSource(fields: ["code"], table: 0)])
    #expect(signature.findingClass == .handshakeFailure && signature.cause == .unknownTLS)
    #expect(signature.severity == .error && signature.stack == .winhttp && signature.area == 1)
    #expect(signature.feature == .httpsClient && signature.role == "management-point")
    #expect(signature.confidence == .documented && signature.hostIs == .client)
    #expect(signature.outcome == .succeeded && signature.protocolName == nil && !signature.isFallback)
    #expect(signature.group == "tls" && signature.explain == "It failed." && signature.remedy == "Repair it.")
    #expect(signature.source == "A test.")
  }

  @Test func examplesKeepWhatTheyState() throws {
    let result = load(signature(), codes: ["test": goodTable])
    let list = try #require(result.examples.first)
    #expect(list.signature == "test.failed")
    try #require(list.examples.count == 3)
    #expect(list.examples[0].line == "Failed: CODE=12175 at mp01")
    #expect(list.examples[0].log == "CcmMessaging" && list.examples[0].host == "PC1" && list.examples[0].fields == nil)
    #expect(list.examples[0].expect == .fields(["class": "handshake-failure", "server": "mp01"]))
    #expect(list.examples[0].place.name == "parsers/signatures/test.yaml:24:5")
    #expect(list.examples[2].expect == .none)
  }

  @Test func predicatesTakeNumbersTextsWildcardsAndColumns() throws {
    let result = load(
      """
      signature: test.event
      title: An event
      yields: sighting
      formats: event-xml
      where:
        Provider: Schannel
        event-id: ['36880', 36881]
        Type: Client
        Mask: 0x1F
        URI: '/ccm_system*'
        s-ip: '@C-IP'
        Empty: ''
      text: 'A TLS Client handshake'
      codes: { AlertDesc: alerts, sc-status.Sc-SubStatus: alerts }
      protocol: 'TLS 1.2'
      outcome: refused
      fallback: true
      examples:
        - { line: a, expect: { os: '10.0' } }
        - { line: b, expect: { os: '10.0' } }
        - { line: c, expect: none }
      """, codes: ["alerts": goodTable, "another": goodTable])
    #expect(result.diagnostics.map(\.description) == [])
    let signature = try #require(result.ruleSet.signatures.first)
    #expect(
      signature.predicates == [
        FieldPredicate(field: "provider", anyOf: [.text(Array("schannel".utf8))]),
        FieldPredicate(field: "event-id", anyOf: [.number(36880), .number(36881)]),
        FieldPredicate(field: "type", anyOf: [.text(Array("client".utf8))]),
        FieldPredicate(field: "mask", anyOf: [.number(31)]),
        FieldPredicate(field: "uri", anyOf: [.wildcard(pieces("/ccm_system", ""))]),
        FieldPredicate(field: "s-ip", anyOf: [.field("c-ip")]),
        FieldPredicate(field: "empty", anyOf: [.text([])]),
      ])
    #expect(signature.text == Array("a tls client handshake".utf8))
    #expect(
      signature.codes == [
        CodeSource(fields: ["alertdesc"], table: 0), CodeSource(fields: ["sc-status", "sc-substatus"], table: 0),
      ])
    #expect(signature.protocolName == "TLS 1.2" && signature.outcome == .refused && signature.isFallback)
  }

  @Test func fallbackComesLastAndFilesInOrder() {
    func one(_ name: String, _ anchor: String, fallback: Bool = false) -> String {
      signature(
        ("test.failed", name), ("Failed: CODE=']", "\(anchor)']"), ("group: tls", "fallback: \(fallback)"))
    }
    let result = DefinitionLoader.load(
      overrides: [], systemDirectories: [],
      embedded: [
        ("codes/test.tsv", goodTable), ("signatures/b.yaml", one("b.one", "beta")),
        ("signatures/a.yaml", one("a.rest", "alpha", fallback: true) + "---\n" + one("a.two", "gamma")),
      ], patternCompiler: groupNames)
    #expect(result.diagnostics.map(\.description) == [])
    #expect(result.ruleSet.signatures.map(\.id) == ["a.two", "b.one", "a.rest"])
    #expect(result.examples.map(\.signature) == ["a.two", "b.one", "a.rest"])
  }

  @Test func lineEndsAndByteOrderMarkDoNotMatter() {
    let text = "\u{FEFF}" + signature().replacing("\n", with: "\r\n")
    let table = "\u{FEFF}" + goodTable.replacing("\n", with: "\r\n")
    let result = load(text, codes: ["test": table])
    #expect(result.diagnostics.map(\.description) == [])
    #expect(result.ruleSet.tables.first?.rows.map(\.value) == ["0x80072f8f", "0x80072ee7"])
    #expect(result.ruleSet.tables.first?.rows.first?.area == 2)
  }

  @Test func lookAlikesNeedNoNearMiss() {
    let result = load(
      """
      signature: test.look-alike
      title: A look-alike
      yields: none
      formats: [line]
      anchors: [harmless]
      examples:
        - { line: harmless one, expect: none }
        - line: |
            harmless
            two
          expect: none
      """)
    #expect(result.diagnostics.map(\.description) == [])
    #expect(result.examples.first?.examples.last?.line == "harmless\ntwo")
  }
}

@Suite struct TableDecodingTests {
  @Test func everyColumnBecomesItsField() throws {
    let table = """
      #kind text
      value\tsymbol\tclass\tcause\tseverity\tcovers\texplain\tsource\tarea\tfeature\tstack\tconfidence\tremedy\tprotocol\toutcome
      Timer_*\tT\tcertificate\texpired\twarning\tA-1 A-2\tE\tS\t3\tconsole\thttp\tseen\tR\tTLS 1.0\tfailed
      """
    let result = load(codes: ["timers": table])
    #expect(result.diagnostics.map(\.description) == [])
    let read = try #require(result.ruleSet.tables.first)
    #expect(read.name == "timers" && read.kind == .text)
    let row = try #require(read.row(for: "timer_sslrenegotiation"))
    #expect(row.value == "Timer_*" && row.symbol == "T" && row.findingClass == .certificate && row.cause == .expired)
    #expect(row.severity == .warning && row.covers == ["A-1", "A-2"] && row.explain == "E" && row.source == "S")
    #expect(row.area == 3 && row.feature == .console && row.stack == .http && row.confidence == .seen)
    #expect(row.remedy == "R" && row.protocolName == "TLS 1.0" && row.outcome == .failed)
  }

  @Test func emptyCellsLeaveTheFieldOpen() throws {
    let row = try #require(load(codes: ["test": goodTable]).ruleSet.tables.first?.row(for: "12175"))
    #expect(row.symbol == "SECURE_FAILURE" && row.findingClass == nil && row.cause == nil && row.severity == .error)
    #expect(row.covers == ["T-3", "T-4"])
  }
}

@Suite struct FormatDecodingTests {
  @Test func everyKeyBecomesItsField() throws {
    let result = load(
      formats: """
        format: w3c
        framing: w3c
        title: IIS
        files: ['u_ex*.log']
        time: utc
        roles:
          - { stem: '/ccm_system*', role: management-point }
        source: IIS
        examples:
          - text: |
              #Fields: date time
              2026-03-02 06:00:00
            expect: { format: w3c, records: 1, torn: 0, time: '2026-03-02T06:00:00Z', component: c, message: m }
        """)
    #expect(result.diagnostics.map(\.description) == [])
    let format = try #require(result.formats.first)
    #expect(format.format == .w3c && format.framing == .w3c && format.title == "IIS" && format.time == .utc)
    #expect(format.files == ["u_ex*.log"] && format.source == "IIS")
    let example = try #require(format.examples.first)
    #expect(example.text == "#Fields: date time\n2026-03-02 06:00:00")
    var expected = FormatExpectation()
    expected.format = .w3c
    expected.records = 1
    expected.torn = 0
    expected.time = Timestamp(year: 2026, month: 3, day: 2, hour: 6, minute: 0, second: 0)
    expected.component = "c"
    expected.message = "m"
    #expect(example.expect == expected)
    let role = try #require(result.ruleSet.roles.first)
    #expect(role.role == "management-point" && role.pieces == pieces("/ccm_system", ""))
  }
}
