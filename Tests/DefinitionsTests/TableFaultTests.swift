import Definitions
import Testing

@Suite struct TableFaultTests {
  private func expectFault(
    _ changes: (String, String)..., is expected: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var text = goodTable
    for (from, to) in changes {
      if !text.contains(from) {
        Issue.record("the text '\(from)' is not in the sample", sourceLocation: sourceLocation)
      }
      text = text.replacing(from, with: to)
    }
    #expect(faults(codes: ["test": text]).joined(separator: "\n") == expected, sourceLocation: sourceLocation)
  }

  @Test func kind() {
    expectFault(
      ("#kind code", "#kind  cods"),
      is: """
        parsers/codes/test.tsv:1:8: error: kind 'cods' is not known
          #kind  cods
                 ^
          fix: use one of code, number, hex, bits, text
        """)
    expectFault(
      ("# A comment.", "#kind code"),
      is: """
        parsers/codes/test.tsv:2:1: error: '#kind' must be the first line
          #kind code
          ^
          fix: move it to line 1
        """)
  }

  @Test func columns() {
    expectFault(
      ("\tarea\n", "\tarae\n"),
      is: """
        parsers/codes/test.tsv:3:57: error: column 'arae' is not known
          value\tsymbol\tclass\tcause\tseverity\tcovers\texplain\tsource\tarae
               \t      \t     \t     \t        \t      \t       \t      \t^
          fix: did you mean 'area'?
        """)
    expectFault(
      ("\tarea\n", "\tcause\n"), ("winhttp.h\t2", "winhttp.h\t-"),
      is: """
        parsers/codes/test.tsv:3:57: error: column 'cause' stands twice
          value\tsymbol\tclass\tcause\tseverity\tcovers\texplain\tsource\tcause
               \t      \t     \t     \t        \t      \t       \t      \t^
          fix: delete one of them
        """)
    expectFault(
      ("\tcovers\t", "\tremedy\t"),
      is: """
        parsers/codes/test.tsv:3:1: error: the table has no column 'covers'
          value\tsymbol\tclass\tcause\tseverity\tremedy\texplain\tsource\tarea
          ^
          fix: add it to the header and to each row; '-' is an empty cell
        """)
    #expect(
      faults(codes: ["test": "# nothing\n"]) == [
        """
        parsers/codes/test.tsv:1:1: error: the table has no header row
          # nothing
          ^
          fix: begin with the names of columns, separated by tabs: value, symbol, class, cause, severity, covers, …
        """
      ])
  }

  @Test func cells() {
    expectFault(
      ("winhttp.h\t2", "winhttp.h"),
      is: """
        parsers/codes/test.tsv:4:65: error: the row has 8 cells, the header has 9
          0x80072f8f\tSECURE_FAILURE\t-\t-\terror\tT-3 T-4\tIt failed.\twinhttp.h
                    \t              \t \t \t     \t       \t          \t         ^
          fix: separate cells by one tab each; '-' is an empty cell
        """)
    expectFault(
      ("winhttp.h\t2", "winhttp.h\t2\tmore"),
      is: """
        parsers/codes/test.tsv:4:68: error: the row has 10 cells, the header has 9
          0x80072f8f\tSECURE_FAILURE\t-\t-\terror\tT-3 T-4\tIt failed.\twinhttp.h\t2\tmore
                    \t              \t \t \t     \t       \t          \t         \t \t^
          fix: separate cells by one tab each; '-' is an empty cell
        """)
  }

  @Test func values() {
    expectFault(
      ("0x80072ee7", "0x80072eeg"),
      is: """
        parsers/codes/test.tsv:5:1: error: value '0x80072eeg' is no code value
          0x80072eeg\tNAME_NOT_RESOLVED\tbenign\t\tinfo\t-\tA name.\twinhttp.h\t-
          ^
          fix: write it as 0x80072f8f, or in decimal up to 32 bits
        """)
    expectFault(
      ("0x80072ee7", "-2147012721"),
      is: """
        parsers/codes/test.tsv:5:1: error: value '-2147012721' stands twice, first in line 4
          -2147012721\tNAME_NOT_RESOLVED\tbenign\t\tinfo\t-\tA name.\twinhttp.h\t-
          ^
          fix: keep one of the rows
        """)
    expectFault(
      ("0x80072ee7\t", "-\t"),
      is: """
        parsers/codes/test.tsv:5:1: error: the row has no value
          -\tNAME_NOT_RESOLVED\tbenign\t\tinfo\t-\tA name.\twinhttp.h\t-
          ^
          fix: write the value, or delete the row
        """)
    expectFault(
      ("#kind code", "#kind bits"), ("0x80072ee7", "0x0"),
      is: """
        parsers/codes/test.tsv:5:1: error: value '0x0' is no bits value
          0x0\tNAME_NOT_RESOLVED\tbenign\t\tinfo\t-\tA name.\twinhttp.h\t-
          ^
          fix: write one bit or more as 0x00000001
        """)
  }

  @Test func words() {
    expectFault(
      ("\tbenign\t", "\tbenig\t"),
      is: """
        parsers/codes/test.tsv:5:30: error: class 'benig' is not known
          0x80072ee7\tNAME_NOT_RESOLVED\tbenig\t\tinfo\t-\tA name.\twinhttp.h\t-
                    \t                 \t^
          fix: did you mean 'benign'?
        """)
    expectFault(
      ("\tbenign\t\t", "\tbenign\tlocal\t"),
      is: """
        parsers/codes/test.tsv:5:37: error: class 'benign' carries no cause
          0x80072ee7\tNAME_NOT_RESOLVED\tbenign\tlocal\tinfo\t-\tA name.\twinhttp.h\t-
                    \t                 \t      \t^
          fix: delete the cause 'local'
        """)
    expectFault(
      ("\tbenign\t\t", "\tprotocol-mismatch\tcipher\t"),
      is: """
        parsers/codes/test.tsv:5:48: error: cause 'cipher' does not belong to class 'protocol-mismatch'
          0x80072ee7\tNAME_NOT_RESOLVED\tprotocol-mismatch\tcipher\tinfo\t-\tA name.\twinhttp.h\t-
                    \t                 \t                 \t^
          fix: use protocol
        """)
    expectFault(
      ("winhttp.h\t2", "winhttp.h\t7"),
      is: """
        parsers/codes/test.tsv:4:66: error: area '7' is not known
          0x80072f8f\tSECURE_FAILURE\t-\t-\terror\tT-3 T-4\tIt failed.\twinhttp.h\t7
                    \t              \t \t \t     \t       \t          \t         \t^
          fix: use one of 1, 2, 3, 4, 5
        """)
  }
}

@Suite struct FormatFaultTests {
  private let good = """
    format: httperr
    framing: httperr
    title: HTTPERR
    time: utc
    source: IIS
    examples:
      - { text: a, expect: { records: 1 } }

    """

  @Test func faultsOfEveryKind() {
    #expect(faults(formats: good) == [])
    #expect(
      faults(formats: good.replacing("framing: httperr", with: "framing: httper")) == [
        """
        parsers/formats/test.yaml:2:10: error: framing 'httper' is not known
          framing: httper
                   ^
          fix: did you mean 'httperr'?
        """
      ])
    #expect(
      faults(formats: good.replacing("time: utc", with: "time: gmt")) == [
        """
        parsers/formats/test.yaml:4:7: error: time 'gmt' is not known
          time: gmt
                ^
          fix: use one of utc, bias, local
        """
      ])
    #expect(
      faults(formats: good.replacing("records: 1", with: "records: one, time: today")) == [
        """
        parsers/formats/test.yaml:7:35: error: records 'one' is no count
            - { text: a, expect: { records: one, time: today } }
                                            ^
          fix: write a number from 0 up
        """,
        """
        parsers/formats/test.yaml:7:46: error: time 'today' is not RFC 3339 in UTC
            - { text: a, expect: { records: one, time: today } }
                                                       ^
          fix: write 2026-03-02T06:00:00.000Z
        """,
      ])
    #expect(
      faults(formats: good + "roles: [{ stem: ccm, role: management-point }]\n") == [
        """
        parsers/formats/test.yaml:8:17: error: stem 'ccm' can never match
          roles: [{ stem: ccm, role: management-point }]
                          ^
          fix: begin it with '/' or '*'
        """
      ])
    #expect(
      faults(formats: good + "---\n" + good.replacing("source: IIS\n", with: "")) == [
        """
        parsers/formats/test.yaml:9:1: error: format 'httperr' has no 'source'
          format: httperr
          ^
          fix: add 'source:': where the format is described
        """
      ])
    #expect(
      faults(formats: good + "---\n" + good) == [
        """
        parsers/formats/test.yaml:9:1: error: format 'httperr' is defined already, in parsers/formats/test.yaml:1:1
          format: httperr
          ^
          fix: keep one of them
        """
      ])
    #expect(
      faults(formats: good.replacing("httperr", with: "cmtrace") + "roles: [{ stem: /ccm, role: management-point }]\n")
        == [
          """
          parsers/formats/test.yaml:8:1: error: 'roles' has no effect on format 'cmtrace'
            roles: [{ stem: /ccm, role: management-point }]
            ^
            fix: delete it: only rows have a URI
          """
        ])
    #expect(
      faults(formats: "- a list\n") == [
        """
        parsers/formats/test.yaml:1:1: error: a format must be keys with values
          - a list
          ^
          fix: write lines of the form 'key: value'
        """
      ])
  }
}
