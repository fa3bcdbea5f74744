import Definitions
import Testing

/// One fault alone in an otherwise good signature: the whole text that is printed.
@Suite struct SignatureFaultTests {
  private func expectFault(
    _ changes: (String, String)..., is expected: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var text = signature()
    for (from, to) in changes {
      if !text.contains(from) {
        Issue.record("the text '\(from)' is not in the sample", sourceLocation: sourceLocation)
      }
      text = text.replacing(from, with: to)
    }
    #expect(
      faults(text, codes: ["test": goodTable]).joined(separator: "\n") == expected, sourceLocation: sourceLocation)
  }

  @Test func wordOfAShortList() {
    expectFault(
      ("severity: error", "severity: eror"),
      is: """
        parsers/signatures/test.yaml:11:11: error: severity 'eror' is not known
          severity: eror
                    ^
          fix: use one of info, warning, error, critical
        """)
  }

  @Test func wordOfALongListSuggestsTheNearest() {
    expectFault(
      ("class: handshake-failure\ncause", "class: handshake-failur\ncause"),
      is: """
        parsers/signatures/test.yaml:9:8: error: class 'handshake-failur' is not known
          class: handshake-failur
                 ^
          fix: did you mean 'handshake-failure'?
        """)
    expectFault(
      ("formats: [cmtrace, simple]", "formats: [cmtrace, semple]"),
      is: """
        parsers/signatures/test.yaml:5:20: error: format 'semple' is not known
          formats: [cmtrace, semple]
                             ^
          fix: did you mean 'simple'?
        """)
  }

  @Test func keyUnknown() {
    expectFault(
      ("title:", "tilte: x\ntitle:"),
      is: """
        parsers/signatures/test.yaml:3:1: error: key 'tilte' is not known in a signature
          tilte: x
          ^
          fix: did you mean 'title'?
        """)
    expectFault(
      ("    host: PC1", "    machine: PC1"),
      is: """
        parsers/signatures/test.yaml:26:5: error: key 'machine' is not known in an example
              machine: PC1
              ^
          fix: use one of line, log, host, fields, expect
        """)
    expectFault(
      ("{ server: mp01 }", "{ sever: mp01 }"),
      is: """
        parsers/signatures/test.yaml:29:15: error: key 'sever' is not known in 'expect'
              expect: { sever: mp01 }
                        ^
          fix: did you mean 'server'?
        """)
  }

  @Test func keyTwice() {
    expectFault(
      ("stack: winhttp", "severity: info\nstack: winhttp"),
      is: """
        parsers/signatures/test.yaml:12:1: error: key 'severity' stands twice, first in line 11
          severity: info
          ^
          fix: keep one of them; several values are a list
        """)
  }

  @Test func syntaxOfYAML() {
    expectFault(
      ("title: A test failed", "title: A test: failed"),
      is: """
        parsers/signatures/test.yaml:3:14: error: not valid YAML: mapping values are not allowed in this context
          title: A test: failed
                       ^
          fix: check indentation, colons and quotes here; a text with ': ' or ' #' needs single quotes
        """)
    expectFault(
      ("A test failed", "A \u{7} test failed"),
      is: """
        parsers/signatures/test.yaml:3:10: error: character U+0007 is not allowed in YAML
          title: A \u{FFFD} test failed
                   ^
          fix: delete it; in double quotes it can be written as an escape
        """)
  }

  @Test func requiredKeys() {
    expectFault(
      ("title: A test failed\n", ""),
      is: """
        parsers/signatures/test.yaml:1:1: error: signature 'test.failed' has no 'title'
          signature: test.failed
          ^
          fix: add 'title:', one line for people
        """)
    expectFault(
      ("anchors: ['Failed: CODE=']\n", ""),
      is: """
        parsers/signatures/test.yaml:1:1: error: signature 'test.failed' has no 'anchors'
          signature: test.failed
          ^
          fix: add 'anchors:' with a text that the program writes each time, 4 characters or more
        """)
    expectFault(
      ("remedy: Repair it.\n", ""),
      is: """
        parsers/signatures/test.yaml:1:1: error: signature 'test.failed' has no 'remedy'
          signature: test.failed
          ^
          fix: add 'remedy:': what Microsoft says to do
        """)
    expectFault(
      ("title: A test failed", "title:"),
      is: """
        parsers/signatures/test.yaml:3:7: error: 'title' is empty
          title:
                ^
          fix: write a value or delete the key
        """)
  }

  @Test func classAndCause() {
    expectFault(
      ("cause: unknown-tls", "cause: driver"),
      is: """
        parsers/signatures/test.yaml:10:8: error: cause 'driver' does not belong to class 'handshake-failure'
          cause: driver
                 ^
          fix: use one of unknown-tls, closed-by-peer, strong-crypto-missing
        """)
    expectFault(
      ("class: handshake-failure\ncause", "class: benign\ncause"),
      is: """
        parsers/signatures/test.yaml:9:8: error: class 'benign' is no finding
          class: benign
                 ^
          fix: write another 'yields', or leave the class to the code table
        """)
    expectFault(
      ("confidence: documented\n", ""), ("codes: { code: test }\n", ""), ("(?<code>\\d+)", "\\d+"),
      is: """
        parsers/signatures/test.yaml:1:12: error: signature 'test.failed' has no 'confidence'
          signature: test.failed
                     ^
          fix: add 'confidence:' with one of documented, seen, inferred, or a code table that gives it
        """)
  }

  @Test func anchors() {
    expectFault(
      ("anchors: ['Failed: CODE=']", "anchors: ['Failed: CODE=', 'abc']"),
      is: """
        parsers/signatures/test.yaml:7:28: error: anchor 'abc' is too short
          anchors: ['Failed: CODE=', 'abc']
                                     ^
          fix: write at least 4 characters
        """)
    expectFault(
      ("anchors: ['Failed: CODE=']", "anchors: ['Schlüssel', 'Failed: CODE=']"),
      is: """
        parsers/signatures/test.yaml:7:11: error: anchor 'Schlüssel' is not ASCII
          anchors: ['Schlüssel', 'Failed: CODE=']
                    ^
          fix: take a part of the text that is, on one line; leave the rest to 'pattern'
        """)
  }

  @Test func patternThatDoesNotCompile() {
    expectFault(
      (#"'Failed: CODE=(?<code>\d+) at (?<server>\S+)'"#, #"'it''s ü CODE=(?<code>\d+)) at'"#),
      is: #"""
        parsers/signatures/test.yaml:8:36: error: the pattern does not compile: unmatched closing parenthesis
          pattern: 'it''s ü CODE=(?<code>\d+)) at'
                                             ^
          fix: correct it there; patterns are PCRE2, in single quotes, unescaped
        """#)
    expectFault(
      (#"pattern: 'Failed: CODE=(?<code>\d+) at (?<server>\S+)'"#, "pattern: |\n  Failed: (?<code>"),
      is: #"""
        parsers/signatures/test.yaml:8:10: error: the pattern does not compile: missing closing parenthesis (at byte 16)
          pattern: |
                   ^
          fix: correct it there; patterns are PCRE2, in single quotes, unescaped
        """#)
  }

  @Test func groupsThatGoNowhere() {
    expectFault(
      (#"at (?<server>\S+)"#, #"at (?<sever>\S+)"#),
      is: #"""
        parsers/signatures/test.yaml:8:40: error: group 'sever' is no field and not used in 'codes'
          pattern: 'Failed: CODE=(?<code>\d+) at (?<sever>\S+)'
                                                 ^
          fix: use one of client, clientID, clientIP, server, url, protocol, cipher, component, alert, or name it in 'codes'
        """#)
  }

  /// Names that are near, that share a word, or none: each tells how to go on.
  @Test func tablesThatDoNotExist() {
    let tables = ["hresult", "tls-alert", "winhttp-flags", "winhttp-flag-names"]
    let codes = Dictionary(uniqueKeysWithValues: tables.map { ($0, goodTable) })
    func fix(_ table: String) -> String {
      let printed = faults(signature(("code: test", "code: \(table)")), codes: codes).first { $0.contains("exist") }
      return printed?.split(separator: "\n").last.map { String($0.dropFirst("  fix: ".count)) } ?? ""
    }
    #expect(fix("hresults") == "did you mean 'hresult'?")
    #expect(
      fix("winhttp")
        == "use winhttp-flag-names or winhttp-flags, or write codes/winhttp.tsv; handshaked check -v lists the tables "
        + "there are")
    #expect(fix("corp") == "write codes/corp.tsv; handshaked check -v lists the tables there are")
  }

  /// What is wrong once is told once.
  @Test func noFaultFollowsFromAnother() {
    func count(_ text: String) -> Int { faults(text, codes: ["test": goodTable]).count }
    #expect(count(signature() + "---\n" + signature()) == 1)
    for (from, to) in [
      ("anchors:", "anchor:"), ("pattern:", "patern:"), ("codes:", "code:"), ("remedy:", "remedies:"),
      ("examples:", "example:"), ("title:", "tittle:"),
    ] {
      #expect(count(signature((from, to))) == 1, "\(faults(signature((from, to)), codes: ["test": goodTable]))")
    }
  }

  @Test func aPluralIsNear() {
    expectFault(
      ("remedy: Repair", "remedies: Repair"),
      is: """
        parsers/signatures/test.yaml:21:1: error: key 'remedies' is not known in a signature
          remedies: Repair it.
          ^
          fix: did you mean 'remedy'?
        """)
  }

  @Test func quotesAndTabs() {
    let pattern = #"pattern: 'Failed: CODE=(?<code>\d+) at (?<server>\S+)'"#
    expectFault(
      (pattern, #"pattern: "Failed: CODE=(?<code>[0-9]+)\\b at (?<server>.+)""#),
      is: #"""
        parsers/signatures/test.yaml:8:10: error: the pattern stands in double quotes, in which YAML reads each '\' itself
          pattern: "Failed: CODE=(?<code>[0-9]+)\\b at (?<server>.+)"
                   ^
          fix: put it into single quotes, where '\' stays as it is and a quote is written twice: ''
        """#)
    let unknown = faults(signature((pattern, #"pattern: "Failed: CODE=(?<code>\d+)""#)), codes: ["test": goodTable])
    #expect(unknown.count == 1 && unknown[0].contains("fix: put it into single quotes"), "\(unknown)")
    let tab = faults(signature(("  - line: 'Failed: CODE=12157", "\t- line: 'Failed: CODE=12157")))
    #expect(tab.count == 1 && tab[0].contains("fix: indent with blanks"), "\(tab)")
  }

  /// The roles are those that the shipped definitions name.
  @Test func rolesAreAClosedList() {
    let shipped = DefinitionLoader.load(overrides: [], systemDirectories: [], patternCompiler: groupNames)
    let used = shipped.ruleSet.signatures.compactMap(\.role) + shipped.ruleSet.roles.map(\.role)
    #expect(Set(used) == Set(RoleNames.all))
    #expect(faults(signature(("role: management-point", "role: banana")), codes: ["test": goodTable]).count == 1)
  }

  @Test func codes() {
    expectFault(
      ("codes: { code: test }", "codes: { code: test, Code: test }"),
      is: """
        parsers/signatures/test.yaml:18:22: error: code field 'Code' is no group of the pattern
          codes: { code: test, Code: test }
                               ^
          fix: write (?<Code>…) in 'pattern'
        """)
    expectFault(
      ("codes: { code: test }", "codes: { code: tset }"),
      is: """
        parsers/signatures/test.yaml:18:16: error: code table 'tset' does not exist
          codes: { code: tset }
                         ^
          fix: did you mean 'test'?
        """)
    expectFault(
      ("confidence: documented\n", ""),
      is: """
        parsers/signatures/test.yaml:17:16: error: neither signature 'test.failed' nor row '0x80072f8f' of table 'test' \
        gives a confidence
          codes: { code: test }
                         ^
          fix: add 'confidence:' to the signature, or fill the column 'confidence'
        """)
  }

  @Test func causeOfARowThatDoesNotFitTheSignature() {
    let table = goodTable.replacing("SECURE_FAILURE\t-\t-\t", with: "SECURE_FAILURE\t-\tdriver\t")
    #expect(
      faults(signature(), codes: ["test": table]) == [
        """
        parsers/signatures/test.yaml:18:16: error: with row '0x80072f8f' of table 'test' cause 'driver' does not belong \
        to class 'handshake-failure'
          codes: { code: test }
                         ^
          fix: use one of unknown-tls, closed-by-peer, strong-crypto-missing, in parsers/codes/test.tsv:4:1
        """
      ])
  }

  @Test func classOfALaterTableThatDoesNotFitTheCause() {
    let paths = """
      #kind text
      value\tclass\tcovers\texplain\tsource
      mp01\twsus-tls\t-\tE\tS
      mp02\torphan-symptom\t-\tE\tS
      mp03\tcipher-mismatch\t-\tE\tS
      """
    let text = signature(("{ code: test }", "{ code: test, server: paths }"))
    #expect(
      faults(text, codes: ["test": goodTable, "paths": paths]) == [
        """
        parsers/signatures/test.yaml:18:30: error: with row 'mp02' and 1 more of table 'paths' cause 'unknown-tls' does \
        not belong to class 'orphan-symptom'
          codes: { code: test, server: paths }
                                       ^
          fix: use one of registration, location, policy, notification, send-failure, local, server-unavailable, in \
        parsers/codes/paths.tsv:4:1
        """
      ])
  }

  @Test func otherValues() {
    expectFault(
      ("area: 1", "area: 6"),
      is: """
        parsers/signatures/test.yaml:13:7: error: area '6' is not known
          area: 6
                ^
          fix: use one of 1, 2, 3, 4, 5
        """)
    expectFault(
      ("signature: test.failed", "signature: Test Failed"),
      is: """
        parsers/signatures/test.yaml:1:12: error: signature 'Test Failed' is no name
          signature: Test Failed
                     ^
          fix: use lower case, digits, '-' and '.', as family.name
        """)
    expectFault(
      ("role: management-point", "role: Management Point"),
      is: """
        parsers/signatures/test.yaml:15:7: error: role 'Management Point' is not known
          role: Management Point
                ^
          fix: did you mean 'management-point'?
        """)
    expectFault(
      ("title: A test failed", "title: [a, b]"),
      is: """
        parsers/signatures/test.yaml:3:8: error: 'title' must be one value
          title: [a, b]
                 ^
          fix: write one text or number; quote it if need be
        """)
    expectFault(
      ("group: tls", "text: something"),
      is: """
        parsers/signatures/test.yaml:19:1: error: 'text' has no effect on these formats
          text: something
          ^
          fix: delete it, or name a format that it is for
        """)
  }

  @Test func examples() {
    expectFault(
      ("'Failed: CODE=12157 at mp01'", "'Failed: CODE=12175 at mp01'"),
      is: """
        parsers/signatures/test.yaml:24:3: error: signature 'test.failed' has 1 of 2 examples that it recognises
            - line: 'Failed: CODE=12175 at mp01'
            ^
          fix: add lines with the fields that must come out, in different renderings
        """)
    expectFault(
      ("expect: none", "expect: context"),
      is: """
        parsers/signatures/test.yaml:24:3: error: signature 'test.failed' has no near miss
            - line: 'Failed: CODE=12175 at mp01'
            ^
          fix: add a similar line that is not it, with 'expect: none'
        """)
    expectFault(
      ("    expect: none\n", "    expect: none\n  - { line: a, expect: nothing }\n"),
      is: """
        parsers/signatures/test.yaml:32:24: error: expect 'nothing' is not known
            - { line: a, expect: nothing }
                                 ^
          fix: use one of none, context
        """)
    expectFault(
      ("    expect: none\n", "    expect: none\n  - { line: a, expect: { signature: test.filed } }\n"),
      is: """
        parsers/signatures/test.yaml:32:5: error: the example expects signature 'test.filed', which does not exist
            - { line: a, expect: { signature: test.filed } }
              ^
          fix: did you mean 'test.failed'?
        """)
  }

  @Test func eventsNeedAProviderOrAText() {
    let event = """
      signature: test.event
      title: An event
      yields: context
      formats: [event-xml]
      where: { provider: 'Sch*', event-id: 36887 }
      examples:
        - { line: a, expect: context }
        - { line: b, expect: context }
        - { line: c, expect: none }
      """
    #expect(
      faults(event) == [
        """
        parsers/signatures/test.yaml:1:12: error: signature 'test.event' has no provider
          signature: test.event
                     ^
          fix: add 'provider:' to 'where' as a plain text without *, or give 'text' or 'anchors'
        """
      ])
    #expect(faults(event.replacing("'Sch*'", with: "Schannel")) == [])
    #expect(faults(event + "\ntext: alert") == [])
    #expect(
      faults(event.replacing("where: { provider: 'Sch*', event-id: 36887 }\n", with: "")) == [
        """
        parsers/signatures/test.yaml:1:12: error: signature 'test.event' has no 'where' or 'text'
          signature: test.event
                     ^
          fix: add 'where: { provider: …, event-id: … }'
        """
      ])
    #expect(
      faults(event.replacing("'Sch*', event-id: 36887", with: "Schannel, event-id: abc")) == [
        """
        parsers/signatures/test.yaml:5:40: error: event-id 'abc' is no number
          where: { provider: Schannel, event-id: abc }
                                                 ^
          fix: write the number of the event, as 36887
        """
      ])
  }

  @Test func rowsNeedColumns() {
    let row = """
      signature: test.row
      title: A row
      yields: context
      formats: [w3c]
      examples:
        - { line: a, expect: context }
        - { line: b, expect: context, fields: x }
        - { line: "#Fields: x\\nc", expect: none }
      """
    #expect(
      faults(row) == [
        """
        parsers/signatures/test.yaml:1:12: error: signature 'test.row' has no 'where'
          signature: test.row
                     ^
          fix: add 'where:' with columns and values
        """,
        """
        parsers/signatures/test.yaml:6:5: error: a row needs its columns
            - { line: a, expect: context }
              ^
          fix: add 'fields:' with the text after '#Fields:'
        """,
      ])
  }

  @Test func namesAreUnique() {
    let other = signature(("Failed: CODE=']", "beta']"))
    #expect(
      faults(signature() + "---\n" + other, codes: ["test": goodTable]) == [
        """
        parsers/signatures/test.yaml:33:12: error: signature 'test.failed' exists already, in \
        parsers/signatures/test.yaml:1:12
          signature: test.failed
                     ^
          fix: give one of them another name
        """
      ])
  }

  @Test func signaturesThatDifferInACodeAlone() {
    func one(_ name: String, _ code: String) -> String {
      signature(("test.failed", name), ("Failed: CODE=(", "\(code) ("), ("Failed: CODE=']", "code \(code)']"))
    }
    #expect(
      faults(one("test.failed", "80072F8F") + "---\n" + one("test.other", "4711"), codes: ["test": goodTable]) == [
        """
        parsers/signatures/test.yaml:33:12: error: signature 'test.other' differs from 'test.failed' \
        (parsers/signatures/test.yaml:1:12) in codes alone
          signature: test.other
                     ^
          fix: make one signature of them, with a code table in 'codes'
        """
      ])
    #expect(
      faults(one("test.failed", "sent") + "---\n" + one("test.other", "received"), codes: ["test": goodTable]) == [])
  }

  @Test func allFaultsOfAllDocumentsAreListed() {
    let text =
      signature(("severity: error", "severity: eror"), ("area: 1", "area: 9"))
      + "---\nsignature: [\n---\n"
      + signature(("test.failed", "test.other"), ("Failed: CODE=']", "beta']"), ("stack: winhttp", "stak: winhttp"))
    let listed = load(text, codes: ["test": goodTable]).diagnostics.map {
      "\($0.place.position?.line ?? 0): \($0.what)"
    }
    #expect(
      listed == [
        "11: severity 'eror' is not known", "13: area '9' is not known",
        "34: not valid YAML: did not find expected node content while parsing a flow node that begins in line 34",
        "46: key 'stak' is not known in a signature",
      ])
  }
}
