import Foundation
import Records

/// Rows about site server, console, cloud gateway and Software Center, most of them .NET or a driver of SQL Server.
extension Adjudication {
  static let serverLogs: [String: Maker] = [
    // The native error is an SSPI code or 10054 (WSA-10054: sql-tls); the network's own errors are look-alikes (WSA-*).
    "SQL-08001": { row, dice in
      let log = dice.pick(row.textLogs)
      let tail = "Client unable to establish connection"
      switch dice.roll(5) {
      case 0:
        let network = dice.pick(["10060", "10061"])
        return Payload(row.id, "*** [08001][\(network)][Microsoft][\(dice.pick(driver))]\(tail)", log: log, .quiet)
      case 1:
        return Payload(
          row.id, "*** [08001][10054][Microsoft][\(dice.pick(driver))]\(tail)", log: log, row.expectation!,
          code: .one("0x80072746"))
      default:
        // SEC_E_LOGON_DENIED (0x8009030c) is a failed logon there, not a certificate: SQL Server maps no certificates.
        let code = dice.pick(native.filter { $0.id != "SSPI-8009030C" })
        return Payload(
          row.id, "*** [08001][\(signed(code.code!))][Microsoft][\(dice.pick(driver))]\(tail)", log: log,
          row.expectation!, code: .one(code.code))
      }
    },
    "SQL-CONNTYPE": { row, dice in
      Payload(
        row.id, "\(row.match[0]) \(dice.pick(["SMS ACCESS", "SITE SERVER", "CCM_CLR"])).", log: dice.pick(row.textLogs),
        row.expectation!)
    },
    "SQL-INFO": { row, dice in
      if dice.chance(20) {
        return Payload(
          row.id, "INFO: SQL Connection failed. Connection: SMS ACCESS, Type: Unsecure", log: dice.pick(row.textLogs),
          .quiet)
      }
      return Payload(row.id, row.example!, log: dice.pick(row.textLogs), row.expectation!)
    },
    "SQL-COMMON": { sqlText($0, "-2146893007", &$1) },
    "SQL-UNTRUST": { sqlText($0, "-2146893019", &$1) },
    "SQL-NAME": { sqlText($0, "-2146893022", &$1) },
    "SQL-EXPIRED": { sqlText($0, "-2146893016", &$1) },
    "SQL-INTERNAL": { sqlText($0, "-2146893052", &$1) },
    "SQL-TOKEN": { sqlText($0, "-2146893048", &$1) },
    "SQL-RESET": { sqlText($0, "10054", &$1) },
    "SQL-SSLSECERR": { row, dice in
      Payload(
        row.id, "Exception: SslSecurityError while opening the connection", log: dice.pick(row.textLogs),
        row.expectation!)
    },
    "SQL-PRELOGIN": { row, dice in
      let texts = ["SQL-COMMON", "SQL-UNTRUST", "SQL-NAME", "SQL-EXPIRED", "SQL-TOKEN", "SQL-RESET"]
      let inner = SignalTable.byID[dice.pick(texts)]!.match[0].replacingOccurrences(
        of: " Provider: ", with: " Provider, error: 0 - ")
      let step = dice.pick(["pre-login handshake", "login process"])
      let text =
        "System.Data.SqlClient.SqlException (0x80131904): A connection was successfully established with the server, "
        + "but then an error occurred during the \(step). (provider: \(inner).)"
      return Payload(row.id, text, log: dice.pick(row.textLogs), row.expectation!)
    },
    // The number is SQL Server's; its own row (SQLLOG-*) says what it means.
    "SQL-STATUS620": { row, dice in
      let number = dice.pick(["17835", "17830", "17832", "17806", "17828", "1205"])
      let isTLS = SignalTable.byID["SQLLOG-" + number]?.findingClasses != nil
      let text = "Microsoft SQL Server reported SQL message \(number), severity 20: see the error log"
      let expectation: Expectation = isTLS ? row.expectation! : .quiet
      if dice.chance(40) {
        let event = EventRecord(
          provider: "SMS Server", id: 620, channel: "Application", data: [], isUserData: false, message: text)
        return Payload(row.id, .event(event), expectation, code: .one(number), server: .open)
      }
      return Payload(row.id, text, log: "statmgr", expectation, code: .one(number))
    },

    // The example is a line of wsyncmgr.log (WSUS-SYNC-USS); elsewhere the text stands without its beginning.
    "NET-CONNCLOSED-TRUST": { row, dice in
      let log = dice.pick(row.textLogs)
      return Payload(
        row.id, log == "wsyncmgr" ? row.example! : row.match[0], log: log, row.expectation!.or(LogKind.area(ofLog: log))
      )
    },
    "NET-WIN32-331": { row, dice in
      let log = dice.pick(row.textLogs)
      return Payload(
        row.id, "System.ComponentModel.Win32Exception (0x80090331): handshake", log: log,
        row.expectation!.or(LogKind.area(ofLog: log)), code: .any(["0x80090331", nil]))
    },
    "SRS-HTTPSTATUS": { row, dice in
      Payload(
        row.id,
        "System.Net.WebException: The request failed with HTTP status \(dice.pick(["502", "503", "401", "404"]))",
        log: dice.pick(row.textLogs), .quiet)
    },
    "WSUS-SYNC-USS": { row, dice in
      let ends = dice.pick(["", "~~at System.Net.HttpWebRequest.GetRequestStream(TransportContext& context)"])
      let text = "Sync failed: UssCommunicationError: WebException: \(dice.pick(netTexts))\(ends)"
      return Payload(row.id, dice.chance(50) ? row.example! : text, log: dice.pick(row.textLogs), row.expectation!)
    },
    "WSUS-SYNC-OK": { row, dice in
      if dice.chance(50) {
        return Payload(
          row.id, "Sync succeeded. Setting sync alert to canceled state on site PS1", log: "wsyncmgr", .sighting)
      }
      let server = dice.server()
      return Payload(
        row.id, statusRecord(6702, "SMS_WSUS_SYNC_MANAGER", server), log: "wsyncmgr", .sighting, server: server)
    },
    // 403 asks for SSL or a certificate; every other status is an answer.
    "WSUS-WCM-HTTP": { row, dice in
      let status = dice.pick(["403", "403", "502", "503", "401", "407"])
      return Payload(
        row.id, "System.Net.WebException: The request failed with HTTP status \(status): x",
        log: dice.pick(row.textLogs),
        status == "403" ? .finding([.wsusTLS]) : .quiet, code: .any([status, nil]))
    },
    "WSUS-CTRL-7000": { row, dice in
      if dice.chance(30) {
        return status(row, 7000, "SMS_WSUS_CONTROL_MANAGER", log: "WSUSCtrl", row.expectation!, &dice)
      }
      let server = dice.server()
      let text = "WSUS Control Manager failed to configure proxy settings on WSUS Server \"\(server)\"."
      return Payload(row.id, text, log: "WSUSCtrl", row.expectation!, server: server)
    },
    "WSUS-CTRL-OK": { row, dice in
      let server = dice.server()
      return Payload(row.id, "\(row.match[0]) \(server)", log: dice.pick(row.textLogs), .sighting, server: server)
    },
    "WSUS-12072": { row, dice in
      let id = dice.pick([12072, 12002, 12012, 12032, 12022, 12042, 12052])
      let event = EventRecord(
        provider: "Windows Server Update Services", id: id, channel: "Application", data: [], isUserData: false,
        message: row.example!.replacingOccurrences(of: "\n", with: " "))
      return Payload(row.id, .event(event), row.expectation!, code: .one(String(id)), server: .open)
    },
    // Context by its cell; the name that does not resolve is WSUS-SYNC-DNS, a look-alike.
    "WSUS-SYNC-TLS12": { row, dice in
      let text = dice.pick([row.example!, "Synchronizing WSUS server from https://fe2.update.microsoft.com/v6"])
      return Payload(row.id, text, log: "wsyncmgr", .context)
    },
    "WSUS-SYNC-6703": { row, dice in
      status(row, 6703, "SMS_WSUS_SYNC_MANAGER", log: "wsyncmgr", row.expectation!, &dice)
    },

    "CMG-CP-CHAIN": { row, dice in
      let text = dice.pick([
        "Chain build failed cert: \(dice.hex(40))", "Chain \(dice.roll(3)) status: OfflineRevocation",
        "Chain 0 status: RevocationStatusUnknown",
      ])
      return Payload(row.id, text, log: dice.pick(row.textLogs), row.expectation!)
    },
    "CMG-CP-CERTCOUNT": { row, dice in
      let count = dice.pick([0, 0, 1, 3])
      return Payload(
        row.id, "Filtered cert count with client auth: \(count)", log: dice.pick(row.textLogs),
        count == 0 ? row.expectation! : .quiet)
    },
    "CMG-CP-OK": { row, dice in
      if dice.chance(50) { return Payload(row.id, row.match[0], log: dice.pick(row.textLogs), .sighting) }
      var server: String?
      let text = TextSignals.fill(row.example!, server: &server, &dice)
      return Payload(row.id, text, log: dice.pick(row.textLogs), .sighting, server: server)
    },
    // A report every five minutes: it shows a trend, no failure of its own.
    "CMG-TRAFFIC": { row, dice in
      let text =
        "<EndPoint Name=\"\(dice.pick(["BGB", "CCM_System"]))\" ProxyServer=\"DOMAINCMG.CLOUDAPP.NET\" "
        + "TargetHost=\"ps.contoso.com\" TotalRequests=\"\(2 + dice.roll(90))\" TotalTime=\"4\" "
        + "FailedRequests=\"\(dice.roll(3))\"/>"
      return Payload(row.id, text, log: dice.pick(row.textLogs), .context)
    },
    "SCP-STATUS-11488": { row, dice in
      status(row, 11488, "SMS_SERVICE_CONNECTOR", log: "SMS_SERVICE_CONNECTOR", row.expectation!, &dice)
    },
    // 11410: all checks good. 11411: warning. 11412: failure.
    "SCP-STATUS-11410": { row, dice in
      let id = dice.pick([11410, 11411, 11412])
      let server = dice.server()
      return Payload(
        row.id, statusRecord(id, "SMS_SERVICE_CONNECTOR", server), log: "SMS_SERVICE_CONNECTOR",
        id == 11410 ? .sighting : .finding([.internetTLS]), code: .one(String(id)), server: server)
    },
    "SCP-426": { row, dice in
      let text = dice.pick([
        "Endpoint check returned status code 426", "The remote server returned an error: 426 Upgrade Required",
        "Connectivity check failed, Status: 426",
      ])
      return Payload(row.id, text, log: dice.pick(row.textLogs), row.expectation!)
    },
    "SCP-UPLOAD": { row, dice in
      Payload(row.id, "System.Net.WebException: \(dice.pick(netTexts))", log: dice.pick(row.textLogs), row.expectation!)
    },
    "ADMINUI-CONN": { row, dice in
      let text = dice.pick([
        "Microsoft.ConfigurationManagement.ManagementProvider.SmsConnectionException\nUnable to contact provider",
        "Unable to connect to the site, insufficient privilege to connect",
        "The transport connection failed: Transport error",
      ])
      return Payload(row.id, text, log: dice.pick(row.textLogs), .quiet)
    },
    "ADMINUI-REPORTS": { row, dice in
      let server = dice.chance(50) ? dice.server() : nil
      let place = server.map { " from https://\($0)/ReportServer" } ?? ""
      let end = dice.pick([
        "The request was aborted: Could not create SSL/TLS secure channel.",
        "The underlying connection was closed: An unexpected error occurred on a receive.",
      ])
      return Payload(
        row.id, "Could not read reports\(place): System.Net.WebException: \(end)", log: dice.pick(row.textLogs),
        row.expectation!, server: server)
    },
    "SC-CLIENT": { row, dice in
      // The NET-* rows say more exactly what each of the texts means.
      Payload(
        row.id, "System.Net.WebException: \(dice.pick(netTexts.filter { !$0.hasPrefix("Auth") }))",
        log: dice.pick(row.textLogs), row.expectation!.or([.protocolMismatch, .cipherMismatch, .certificate]))
    },
  ]
}
