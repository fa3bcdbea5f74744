import Foundation
import Records

/// Rows about management points, registration, sockets, SQL Server's own log, CAPI2 and the site's markers.
extension Adjudication {
  static let roleLogs: [String: Maker] = [
    "MP-CTRL-FAIL": { selfTest($0, "Call to HttpSendRequestSync failed for port 443 with status code #", &$1) },
    "MP-CTRL-TEST": { selfTest($0, "Http test request failed, status code is #.", &$1) },
    "MP-CTRL-STATUS": {
      selfTest(
        $0,
        "MP Control Manager detected management point is not responding to HTTP requests. The HTTP status code and text is #.",
        &$1)
    },
    "MP-DBBLOCK": { row, dice in
      let server = dice.server()
      // A method that ran is no connection that failed; the driver's text or its native error say what TLS did.
      let kind = dice.pick([0, 1, 1, 2, 3])
      let code = dice.pick(native.filter { $0.id != "SSPI-8009030C" }).code!
      let text = [
        "MPDB ERROR - CONNECTION PARAMETERS", "SQL Server Name     : \(server)\\CM_INST",
        "SQL Database Name   : CM_PS1",
        "Integrated Auth     : True", "", "MPDB ERROR - EXTENDED INFORMATION",
        "MPDB Method         : \(kind == 0 ? "ExecuteSP()" : "Init()")", "MPDB Method HRESULT : 0x80004005",
        kind == 1
          ? "Error Description   : [DBNETLIB][ConnectionOpen (SECDoClientHandshake()).]SSL Security error."
          : kind == 2 ? "Native Error no.    : \(signed(code))" : "Error Description   : Unspecified error",
        "OLEDB IID           : {0C733A8B-2A1C-11CE-ADE5-00AA0044773D}",
        "ProgID              : Microsoft OLE DB Provider for SQL Server",
      ].joined(separator: "\n")
      let expectation: Expectation =
        kind == 0 ? .quiet : kind == 3 ? .finding([.sqlTLS, .orphanSymptom]) : .finding([.sqlTLS])
      return Payload(
        row.id, text, log: dice.pick(mpLogs), expectation, code: kind == 2 ? .one(code) : .open, server: server)
    },
    "MP-DBCONN": { row, dice in
      if dice.chance(50) {
        // The code of the driver in place of the general failure.
        let code = dice.pick(native.filter { $0.id != "SSPI-8009030C" }).code!
        return Payload(
          row.id, row.example!.replacingOccurrences(of: "0x80004005", with: code), log: dice.pick(mpLogs),
          .finding([.sqlTLS]), code: .one(code))
      }
      return Payload(row.id, row.example!, log: dice.pick(mpLogs), .finding([.sqlTLS, .orphanSymptom]), code: .open)
    },
    "MP-REG-PROC": { row, dice in
      Payload(
        row.id, "MP Reg: Processing registration of client GUID:\(dice.guid())", log: "MP_RegistrationManager", .context
      )
    },
    "MP-REG-FAIL": { row, dice in
      let what = dice.pick(["certificate is not trusted", "message rejected", "certificate has expired"])
      var payload = Payload(
        row.id, "MP Reg: Failed to process registration, \(what)", log: "MP_RegistrationManager",
        .finding([.orphanSymptom, .certificate]), code: .open)
      payload.server = .open
      return payload
    },
    "MP-LOC-REQ": { row, dice in
      let address = "10.9.\(dice.roll(250)).\(1 + dice.roll(250))"
      let text =
        "MP LM: Message Body : <WSUSLocationRequest SchemaVersion=\"1.00\"><Content ID=\"{\(dice.guid())}\"/>"
        + "<ClientLocationInfo><IPAddresses><IPAddress SubnetAddress=\"10.9.0.0\" Address=\"\(address)\"/></IPAddresses>"
      var payload = Payload(row.id, text, log: "MP_Location", .sighting)
      payload.sightedClient = address
      payload.isSightedAtHost = true
      return payload
    },
    "MP-BGB-REPORT": { row, dice in
      let failed = dice.roll(3)
      return Payload(
        row.id,
        "Generated BGB task status report \(dice.hex(8)) (PushID: \(dice.roll(90)) ReportedClients: 4 FailedClients: \(failed))",
        log: "BgbServer", failed == 0 ? .quiet : .finding([.orphanSymptom]), code: .open
      ).serverOpen
    },
    "MP-BGB-FW": { row, _ in
      Payload(
        row.id, "WARNING: The firewall blocks port 10123, state message 9802 is raised", log: "BgbServer", .context)
    },
    "MP-STS-EXPIRED": { row, _ in
      Payload(
        row.id, row.example! + " IDX10223: Lifetime validation failed.", log: "CCM_STS",
        .finding([.orphanSymptom, .cmgTLS]),
        code: .open
      ).serverOpen
    },
    "MP-STS-OK": { row, dice in
      let client = "GUID:\(dice.guid())"
      var payload = Payload(
        row.id,
        "Return token to client, token type: UDA, hierarchyId: \(dice.guid()), userId: \(dice.guid()), deviceId: \(client)",
        log: "CCM_STS", .sighting)
      payload.sightedClient = client
      payload.isSightedAtHost = true
      return payload
    },
    "MP-STS-MISE": { row, _ in
      Payload(
        row.id, "MISE12034: AAD call failed, the metadata could not be retrieved", log: "CCM_STS_ManagedBase",
        .finding([.internetTLS, .cmgTLS]), code: .open
      ).serverOpen
    },
    "MP-CTRL-OK": { row, _ in Payload(row.id, row.example!, log: "mpcontrol", .sighting) },
    "MP-DBOK": { row, dice in
      var payload = Payload(row.id, row.example!, log: "MP_Framework", .sighting)
      payload.isSightedAtHost = true
      return payload
    },
    "MP-BGB-ONLINE": { row, dice in
      Payload(row.id, "Total online clients: \(100 + dice.roll(900)) (TCP: 99 HTTP: 1)", log: "BgbServer", .context)
    },
    "REST-CERT": { row, dice in
      let text = dice.pick([
        "The certificate for the AdminService was not found", "Failed: certificate of the site expired on 3/1/2026",
        "bind of the certificate to port 443 failed",
      ])
      return Payload(row.id, text, log: "SMS_REST_PROVIDER", .finding([.certificate]), code: .open).serverOpen
    },
    "HMAN-EHTTP": { row, _ in
      Payload(row.id, "SMS Role SSL Certificate is not created for the management point yet", log: "hman", .context)
    },
    "MPFDM-INBOX": { row, _ in Payload(row.id, row.example!, log: "mpfdm", .context) },
    "SITE-SMSEXEC-RESTART": { row, dice in
      Payload(
        row.id, dice.pick(["SMS_EXECUTIVE started.", "SMS_EXECUTIVE stopped.", "SMS_EXECUTIVE signalled to stop."]),
        log: dice.pick(["smsexec", "sitecomp"]), .context)
    },
    "FIPS": { row, dice in
      let text = dice.pick([
        "This implementation is not part of the Windows Platform FIPS validated cryptographic algorithms.",
        "FIPS policy enabled", "FipsAlgorithmPolicy\\Enabled = 1",
      ])
      return Payload(
        row.id, text, log: dice.pick(["SmsAdminUI", "smsexec", "hman"]), .finding([.protocolMismatch]), code: .open
      ).serverOpen
    },
    "CAPI2-REVOKE": { row, dice in
      // In the data, in the text that was rendered, or in the log of a program that quotes it.
      let kind = dice.roll(3)
      if kind == 2 {
        return Payload(
          row.id, row.match[0] + ".", log: dice.pick(["smsexec", "hman", "cloudmgr"]), .finding([.certificate]),
          code: .open
        ).serverOpen
      }
      let record = EventRecord(
        provider: "Microsoft-Windows-CAPI2", id: 41, channel: "Microsoft-Windows-CAPI2/Operational",
        data: kind == 0 ? [("Result", "80092013")] : [("ProcessName", "CcmExec.exe")], isUserData: true,
        message: kind == 0 ? "For more details for this event, see the Details section" : row.example!)
      return Payload(row.id, .event(record), .finding([.certificate]), code: .open, server: .open)
    },
    "MPREG-RECV": { row, dice in
      var payload = Payload(row.id, row.example!, log: "MP_RegistrationManager", .sighting)
      payload.sightedClient = "CL2.corp.viamonstra.com"
      payload.isSightedAtHost = true
      return payload
    },
    "MPREG-CERT-EXPIRED": { row, dice in
      var payload = Payload(
        row.id, row.example!, log: "MP_RegistrationManager", .finding([.certificate]), code: .open)
      payload.server = .open
      payload.client = "CL2"
      return payload
    },
    "MPREG-CERT-BEGIN": { row, _ in Payload(row.id, row.example!, log: "MP_RegistrationManager", .context) },
    "MPREG-FAILED": { row, _ in
      Payload(row.id, row.example!, log: "MP_RegistrationManager", .finding([.orphanSymptom]), code: .open).serverOpen
    },
    "MPREG-BODY": { row, _ in
      Payload(row.id, row.example!, log: "MP_RegistrationManager", .finding([.orphanSymptom]), code: .open).serverOpen
    },
    "MPREG-DONE": { row, _ in Payload(row.id, row.example!, log: "MP_RegistrationManager", .quiet) },
    // A reset while SQL is spoken is the driver's; the others are the network's.
    "WSA-10054": { row, dice in
      let text = dice.pick([
        "*** [08001][10054][Microsoft][\(dice.pick(driver))]Client unable to establish connection",
        "SqlClient: the connection to the server was dropped, error 0x80072746",
      ])
      return Payload(
        row.id, text, log: dice.pick(["smsexec", "SMSProv", "sitecomp", "hman"]), row.expectation!,
        code: .one("0x80072746"))
    },
    "WSA-10013": { socket($0, "10013", "0x8007271d", &$1) },
    "WSA-10060": { socket($0, "10060", "0x8007274c", &$1) },
    "WSA-10061": { socket($0, "10061", "0x8007274d", &$1) },
  ]

  private static let mpLogs = ["MP_Framework", "MP_GetPolicy", "MP_Status"]

  /// 403 is a refusal, the rest of 4xx and 5xx a management point that is down; the knowledge base leaves both classes.
  private static func selfTest(_ row: SignalRow, _ sentence: String, _ dice: inout Dice) -> Payload {
    let (status, text) = dice.pick([
      ("403", "Forbidden"), ("500", "Internal Server Error"), ("503", "Service Unavailable"),
    ])
    if dice.chance(30) {
      // No answer, but a code of WinHTTP: its own row says what it is.
      let code = dice.pick(winHTTP.filter { $0.findingClasses != nil })
      let value = row.id == "MP-CTRL-FAIL" ? "\(code.suffix), text: " : "\(code.suffix), ''"
      return Payload(
        row.id, TextSignals.put(value, sentence), log: "mpcontrol", byCode(code, or: []),
        code: .one(code.code)
      ).serverOpen
    }
    let value: String
    switch row.id {
    case "MP-CTRL-FAIL": value = "\(status), text: \(text)"
    case "MP-CTRL-TEST": value = "\(status), '\(text)'"
    default: value = "\(status), \(text)"
    }
    return Payload(
      row.id, TextSignals.put(value, sentence), log: "mpcontrol", .finding([.orphanSymptom, .certificate]), code: .open
    ).serverOpen
  }

  private static func socket(_ row: SignalRow, _ number: String, _ code: String, _ dice: inout Dice) -> Payload {
    let text = dice.pick([
      "Failed to connect, error \(code)",
      "*** [08001][\(number)][Microsoft][\(dice.pick(driver))]TCP Provider: no connection",
    ])
    return Payload(row.id, text, log: dice.pick(["smsexec", "SMSProv", "hman", "sitecomp"]), .quiet)
  }

  // MARK: SQL Server's own log

  /// The number and the text of a SQLLOG row; nil for other rows.
  static func sqlServerMessage(_ row: SignalRow) -> (number: String, text: String)? {
    guard row.prefix == "SQLLOG" else { return nil }
    let text = row.match[0].components(separatedBy: " (error ")[0]
    switch row.suffix {
    // What the engine writes around the literal of the row.
    case "17190": return ("17190", text + ": 1, state: 1, error number: -2146893802.")
    case "17182": return ("17182", text + " 0x80092004, status code 0x80. Reason: Unable to initialize SSL support.")
    case "17830": return ("17830", text + "; the connection has been closed. [CLIENT: 10.1.2.3]")
    case "17806":
      return ("17806", text + " 0x8009030c, state 14 while establishing a connection with integrated security.")
    case "17835": return ("17835", text + "; the connection has been closed. [CLIENT: 10.1.2.3]")
    case "26014": return ("26014", text + " [Cert Hash(sha1) \"A1B2\"]. The server will not accept a connection.")
    case "26013": return ("26013", "The certificate [Cert Hash(sha1) \"A1B2\"] " + text + ".")
    default: return (row.suffix, text + ".")
    }
  }
}

extension Payload {
  /// The same, and nothing certain about the server.
  var serverOpen: Payload {
    var payload = self
    payload.server = .open
    return payload
  }
}

/// Rows of SQL Server's ERRORLOG: the line of the number and the line of the text, or the text alone; or an event.
enum ErrorLogSignals {
  static func payload(_ row: SignalRow, _ dice: inout Dice) -> Payload {
    let (number, text) = Adjudication.sqlServerMessage(row)!
    var expectation = row.expectation!
    // Both tell that the server has a certificate and listens, its own or one that it made.
    let isStart = number == "26013" || number == "26018"
    if isStart { expectation = .sighting }
    if number == "17182", dice.chance(60) {
      // A listener that found its port taken has nothing to do with certificates.
      let text =
        "TDSSNIClient initialization failed with error 0x2740, status code 0xa. Reason: Unable to initialize the TCP/IP listener."
      let event = EventRecord(
        provider: "MSSQLSERVER", id: 17182, channel: "Application", data: [], isUserData: false, message: text)
      return dice.chance(50)
        ? Payload(row.id, .event(event), .quiet, code: .open, server: .open)
        : Payload(row.id, "Error: 17182, Severity: 16, State: 1.\n\(text)", log: "ERRORLOG", .quiet)
    }
    if number == "17835", dice.chance(30) {
      // In German the number alone is known.
      return Payload(
        row.id, "Fehler: 17835, Schweregrad: 20, Status: 1.", log: "ERRORLOG", expectation, code: .one(number))
    }
    if dice.chance(40) {
      let event = EventRecord(
        provider: "MSSQLSERVER", id: Int(number)!, channel: "Application", data: [], isUserData: false, message: text)
      return Payload(row.id, .event(event), expectation, code: .one(number), server: .open)
    }
    let hasNumber = dice.chance(70)
    let lines = hasNumber ? "Error: \(number), Severity: 20, State: 1.\n\(text)" : text
    // The number is the row's own; the text alone leaves open whether it is told.
    var payload = Payload(row.id, lines, log: "ERRORLOG", expectation, code: hasNumber ? .one(number) : .open)
    payload.isSightedAtHost = isStart
    if text.hasSuffix("[CLIENT: 10.1.2.3]") { payload.client = "10.1.2.3" }
    return payload
  }
}
