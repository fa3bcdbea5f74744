import Extraction
import Records
import Testing

@Suite struct CodeTableTests {
  private func table(_ kind: CodeKind, _ values: [(String, String?)]) -> CodeTable {
    CodeTable(
      name: "test", kind: kind,
      rows: values.map { value, symbol in
        var row = CodeRow(value: value)
        row.symbol = symbol
        return row
      })
  }

  /// Every spelling of formats.md and of logs.
  @Test(arguments: [
    "0x80072f8f", "0x80072F8F", "80072F8F", "2147954575", "-2147012721", "12175", "0x2f8f", "0X2F8F",
    "ERROR_WINHTTP_SECURE_FAILURE", "error_winhttp_secure_failure", "0xFFFFFFFF80072F8F",
  ])
  func win32Spellings(text: String) {
    let codes = table(
      .code, [("0x80072f8f", "ERROR_WINHTTP_SECURE_FAILURE"), ("0x80090331", "SEC_E_ALGORITHM_MISMATCH")])
    #expect(codes.row(for: text)?.value == "0x80072f8f")
  }

  @Test(arguments: [
    "0x80072f8e", "12174", "817", "0x331", "80072f8", "0x180072f8f", "-1", "", "x", "2f8f8007", "99999999999999999999",
  ])
  func nearMisses(text: String) {
    let codes = table(.code, [("0x80072f8f", nil), ("0x80090331", nil)])
    #expect(codes.row(for: text) == nil)
  }

  @Test func otherKinds() {
    let alerts = table(.number, [("70", nil), ("0", nil)])
    #expect(alerts.row(for: "70")?.value == "70")
    #expect(alerts.row(for: "0x46")?.value == "70")
    #expect(alerts.row(for: "0")?.value == "0")
    #expect(alerts.row(for: "07")?.value == nil || alerts.row(for: "07")?.value == "7")
    let crypt = table(.hex, [("400", "TLS 1.2"), ("40", "TLS 1.0")])
    #expect(crypt.row(for: "400")?.symbol == "TLS 1.2")
    #expect(crypt.row(for: "1024") == nil)
    let flags = table(.bits, [("0x8", "CA"), ("0x1", "REV")])
    #expect(flags.row(for: "0x9")?.symbol == "CA")
    #expect(flags.row(for: "0x1")?.symbol == "REV")
    #expect(flags.row(for: "0x0") == nil)
    let texts = table(.text, [("Timer_SslRenegotiation", nil), ("SMS_WSUS_*", nil)])
    #expect(texts.row(for: "timer_sslrenegotiation")?.value == "Timer_SslRenegotiation")
    #expect(texts.row(for: "SMS_WSUS_SYNC_MANAGER")?.value == "SMS_WSUS_*")
    #expect(texts.row(for: "SMS_WSU") == nil)
  }

  @Test(arguments: [
    ("/ccm_system*", "/CCM_System/request", true), ("/ccm_system*", "/ccm_syste", false),
    ("*nt+6.1*", "a Windows NT+6.1;", true),
    ("a*b*c", "aXbYc", true), ("a*b*c", "abc", true), ("a*b*c", "acb", false), ("exact", "Exact", true),
    ("exact", "exactly", false),
    ("*", "", true), ("a*a", "a", false),
  ])
  func wildcards(pattern: String, text: String, isMatch: Bool) {
    #expect(Wildcard.matches(Wildcard.pieces(pattern), text) == isMatch)
  }
}
