import Foundation
import Records

/// Rows whose literal has to be completed, or whose class depends on the values in the line. Each entry says what decides.
enum Adjudication {
  typealias Maker = @Sendable (SignalRow, inout Dice) -> Payload

  static func payload(_ row: SignalRow, _ dice: inout Dice) -> Payload? {
    (clientLogs[row.id] ?? serverLogs[row.id] ?? roleLogs[row.id])?(row, &dice)
  }

  /// Rows whose text here is right although the row's regex says otherwise, and why.
  static let regexExceptions: [String: String] = [
    "SCP-UPLOAD": "the regex names the log, not the text",
    "SCP-STATUS-11488": "the id stands in a STATMSG record or an event",
    "SCP-STATUS-11410": "the id stands in a STATMSG record or an event",
    "WSUS-SYNC-OK": "6702 stands in a STATMSG record or an event, before the component",
    "WSUS-12072": "an event",
    "MP-LOC-REQ": "the regex wants the address within one line, which the body is",
    "REST-CERT": "either order of the words is meant",
    "MP-BGB-FW": "the literal stands for any text with firewall",
    "WSA-10013": "the spelling is one of the row's list",
    "WSA-10060": "the spelling is one of the row's list",
    "WSA-10061": "the spelling is one of the row's list",
    "MP-DBBLOCK": "the whole block is written",
  ]

  // MARK: Codes inside texts

  static let rows = SignalTable.rows ?? []
  static let winHTTP = rows.filter { $0.prefix == "WINHTTP" }
  /// Codes that a failed exchange of the client carries: findings, and look-alikes.
  static let exchange = rows.filter { ["WINHTTP", "SSPI", "CCM"].contains($0.prefix) && $0.findingClasses != nil }
  static let refusals = rows.filter { $0.id == "CCM-87D0027E" || $0.id == "CCM-87D00215" }
  static let update = rows.filter {
    ["WINHTTP", "WUA", "CERT"].contains($0.prefix) && $0.code != nil
  }
  /// SSPI codes that belong to TLS: what a SQL driver gives as native error.
  static let native = rows.filter { $0.prefix == "SSPI" && $0.findingClasses != nil }

  static func signed(_ code: String) -> String {
    String(Int32(bitPattern: UInt32(code.dropFirst(2), radix: 16)!))
  }

  /// The finding of the code's own row, or of the class that the text names whatever the code is.
  static func byCode(_ code: SignalRow, or more: Set<FindingClass>) -> Expectation {
    code.expectation?.or(more) ?? .quiet
  }

  /// `wsus-tls (by code)`: a code of TLS says wsus-tls, one of Windows Update its own class, a hypothesis either.
  static func scan(_ code: SignalRow) -> Expectation {
    if code.prefix == "WUA" { return code.expectation! }
    return code.findingClasses == nil ? byCode(code, or: [.wsusTLS]) : .finding([.wsusTLS])
  }

  /// The short spelling of Win32 codes.
  static func lowWord(_ code: String) -> String { "0x" + code.suffix(4) }

  static let driver = [
    "SQL Server Native Client 10.0", "SQL Server Native Client 11.0", "ODBC Driver 17 for SQL Server",
    "ODBC Driver 18 for SQL Server", "ODBC SQL Server Driver",
  ]

  /// A driver's text: bare, behind its name, or with SQLSTATE and native error in front.
  static func sqlText(_ row: SignalRow, _ native: String, _ dice: inout Dice) -> Payload {
    let log = dice.pick(row.textLogs)
    let literal = row.match[0] + "."
    let code = "0x" + hexText(UInt64(UInt32(bitPattern: Int32(native)!)), 8)
    switch dice.roll(3) {
    case 0: return Payload(row.id, literal, log: log, row.expectation!)
    case 1: return Payload(row.id, "[\(dice.pick(driver))]\(literal)~~", log: log, row.expectation!)
    default:
      // 10054 is the Win32 error WSAECONNRESET.
      let full = native == "10054" ? "0x80072746" : code
      return Payload(
        row.id, "*** [08001][\(native)][Microsoft][\(dice.pick(driver))]\(literal)", log: log, row.expectation!,
        code: .one(full))
    }
  }

  static func statusRecord(_ id: Int, _ component: String, _ server: String) -> String {
    "STATMSG: ID=\(id) SEV=E LEV=M SOURCE=\"SMS Server\" COMP=\"\(component)\" SYS=\(server) SITE=PS1 PID=2084 "
      + "TID=4840 GMTDATE=Mon Mar 02 06:00:01.123 2026 ISTR0=\"\" ISTR1=\"\" ISTR2=\"\" NUMATTRS=0"
  }

  /// A status message, in the log of its component or in the Application log of the server.
  static func status(
    _ row: SignalRow, _ id: Int, _ component: String, log: String, _ expectation: Expectation, _ dice: inout Dice
  ) -> Payload {
    if dice.chance(50) {
      let server = dice.server()
      return Payload(
        row.id, statusRecord(id, component, server), log: log, expectation, code: .one(String(id)), server: server)
    }
    let event = EventRecord(
      provider: "SMS Server", id: id, channel: "Application", data: [], isUserData: false,
      message: "On 3/2/2026 6:00:00 AM, component \(component) on computer CM01 reported: status")
    return Payload(row.id, .event(event), expectation, code: .one(String(id)), server: .open)
  }

  static let netTexts = [
    "The request was aborted: Could not create SSL/TLS secure channel.",
    "The underlying connection was closed: An unexpected error occurred on a send.",
    "The underlying connection was closed: An unexpected error occurred on a receive.",
    "The client and server cannot communicate, because they do not possess a common algorithm",
    "Authentication failed because the remote party has closed the transport stream.",
    "The underlying connection was closed: Could not establish trust relationship for the SSL/TLS secure channel.",
  ]
}
