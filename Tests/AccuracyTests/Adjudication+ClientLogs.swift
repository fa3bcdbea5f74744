import Records

/// Rows about the logs of the client: CcmMessaging, LocationServices, ccmsetup, WUAHandler and their kin.
extension Adjudication {
  static let clientLogs: [String: Maker] = [
    // The code in the line decides; the URL names the server. `CCM_Proxy_*` is the way through a gateway.
    "CLI-CCMHTTP-ERROR": { row, dice in
      let log = dice.pick(row.textLogs)
      let server = dice.server()
      let path = dice.pick([
        "ccm_system/request", "SMS_MP/.sms_aut?MPLIST2", "CCM_Proxy_ServerAuth/72057594037928017/CCM_STS",
      ])
      let url = "https://\(server)\(dice.pick(["", ":443", ":8443"]))/\(path)"
      if dice.chance(15) {
        // Code 0 means that an answer came: a refusal, not a failed handshake.
        return Payload(
          row.id, "[CCMHTTP] ERROR: URL=\(url), Port=443, Options=224, Code=0, Text=CCM_E_BAD_HTTP_STATUS_CODE",
          log: log,
          .quiet)
      }
      let code = dice.pick(winHTTP)
      let symbol = code.match.last!.components(separatedBy: "/")[0]
      let options = dice.pick(["31", "63", "224"])
      let comma = dice.pick([",", " ,"])
      let text = "[CCMHTTP] ERROR: URL=\(url)\(comma) Port=443, Options=\(options), Code=\(code.suffix), Text=\(symbol)"
      return Payload(row.id, text, log: log, byCode(code, or: [.cmgTLS]), code: .one(code.code), server: server)
    },
    "CLI-CCMHTTP-INFO": { row, dice in
      let answer = dice.pick([
        "500 StatusText=Internal Server Error", " 403 StatusText= Forbidden", "401 StatusText=Unauthorized",
      ])
      return Payload(row.id, "[CCMHTTP] ERROR INFO: StatusCode=\(answer)", log: dice.pick(row.textLogs), .context)
    },
    // The mask's bits are the flags of the CLI-FLAG-* rows: the class of a set flag is as right as the cell's own.
    "CLI-SECFAIL-INFO": { row, dice in
      let flags = ["9", "1", "8", "10", "20", "40", "2", "4", "80000000", "80000008"]
      return Payload(
        row.id, "[CCMHTTP] : lpvStatusInformation is 0x\(dice.pick(flags))", log: dice.pick(row.textLogs),
        row.expectation!.or([.certificate, .protocolMismatch, .cipherMismatch]), code: .open)
    },
    "CLI-WINHTTPSEND": { row, dice in
      let code = dice.pick(winHTTP)
      let spelling = dice.chance(50) ? lowWord(code.code!) : code.code!
      return Payload(
        row.id, "Failed in WinHttpSendRequest API, ErrorCode = \(spelling)", log: dice.pick(row.textLogs),
        byCode(code, or: []), code: .one(code.code))
    },
    // Zero with status 0 or 200 is a success, a TLS code a failure, a refusal (0x87d0027e) neither.
    "CLI-STATUS-EVENT": { row, dice in
      let server = dice.server()
      let kind = dice.roll(3)
      let code = kind == 0 ? nil : dice.pick(kind == 1 ? exchange : refusals)
      let status = kind == 0 ? dice.pick(["0", "200"]) : kind == 1 ? "0" : "500"
      let fields = [
        "ClientID = \"GUID:\(dice.guid())\";", "DateTime = \"20260302060000.131000+000\";", "HostName = \"\(server)\";",
        "HRESULT = \"\(code?.code ?? "0x00000000")\";", "ProcessID = 4496;", "StatusCode = \(status);",
        "ThreadID = 1340;",
      ]
      let text =
        dice.chance(50)
        ? "Raising event: instance of CCM_CcmHttp_Status {" + fields.joined() + " };"
        : "Raising event:\n\ninstance of CCM_CcmHttp_Status\n{\n\t" + fields.joined(separator: "\n\t") + "\n};\n"
      let expectation: Expectation = code.map { byCode($0, or: []) } ?? .sighting
      return Payload(
        row.id, text, log: dice.pick(row.textLogs), expectation, code: .one(code?.code), server: server)
    },
    // The line itself tells of an undelivered message; a TLS code in it says why.
    "CLI-POST-FAILED": { row, dice in
      let server = dice.server()
      let code = dice.pick(exchange)
      let path = dice.pick(["ccm_system/request", "ccm_system_windowsauth/request"])
      return Payload(
        row.id, "Post to \(dice.pick(["http", "https"]))://\(server)/\(path) failed with \(code.code!).",
        log: dice.pick(row.textLogs), byCode(code, or: [.orphanSymptom]), code: .one(code.code), server: server)
    },
    "CLI-REG-FAILED": { row, dice in
      let code = dice.pick(exchange)
      return Payload(
        row.id, "RegTask: Failed to send registration request\(dice.pick(["", " message"])). Error: \(code.code!)",
        log: dice.pick(row.textLogs), row.expectation!.or(code.findingClasses ?? []), code: .one(code.code))
    },
    // Doubling from 60 up to 15360 seconds: "large value = long failing". The first steps are every client's.
    "CLI-REG-SLEEP": { row, dice in
      if dice.chance(30) {
        return Payload(
          row.id, "[RegTask] - Sleeping for \(dice.pick(["60", "120", "240"])) seconds ...",
          log: dice.pick(row.textLogs),
          .quiet)
      }
      return Payload(
        row.id, "[RegTask] - Sleeping for \(dice.pick(["3840", "7680", "15360"])) seconds ...",
        log: dice.pick(row.textLogs), row.expectation!)
    },
    // Codes of certificates do not change it: the row is a look-alike by its text.
    "CLI-REG-SETSTATE": { row, dice in
      Payload(
        row.id, "SetRegistrationState failed (\(dice.pick(["0x80071770", "0x80090016", "0x80092004"])))",
        log: dice.pick(row.textLogs), .quiet)
    },
    "CLI-LS-FAILREFRESH": { row, dice in
      if dice.chance(50) {
        return Payload(row.id, "Failed to refresh site code", log: dice.pick(row.textLogs), row.expectation!)
      }
      let server = dice.server()
      return Payload(
        row.id, "Failed to send site information Location Request Message to \(server)", log: dice.pick(row.textLogs),
        row.expectation!, server: server)
    },
    "CLI-LS-ASSIGN": { row, dice in
      let step = dice.pick(row.match[0].components(separatedBy: " / "))
      let code = dice.pick(["0x80004005", "0x8000000a", "0x87d00215", "0x80072efe"])
      return Payload(
        row.id, "\(step) : Failed to get the answer, \(code)", log: dice.pick(row.textLogs),
        row.expectation!.or(code == "0x80072efe" ? [.protocolMismatch] : []), code: .any([code, nil]))
    },
    "CLI-LS-SITEVERAD": { row, dice in
      let code = dice.pick(["0x80004005", "0x87d00213", "0x80072ee2"])
      return Payload(
        row.id, "Failed to get site version from AD with error \(code)", log: dice.pick(row.textLogs), .quiet)
    },
    "CLI-TOKEN-FAIL": { row, dice in
      let code = dice.pick(["0x87d0027e", "0x87d00215", "0x80072f8f"])
      return Payload(
        row.id, "RetrieveTokenFromStsServerImpl failed with error \(code)", log: dice.pick(row.textLogs),
        row.expectation!.or(code == "0x80072f8f" ? [.handshakeFailure] : []), code: .one(code))
    },
    "CLI-TOKEN-SSL": { row, dice in
      Payload(row.id, row.example!, log: dice.pick(row.textLogs), row.expectation!, code: .any(["0x80070002", nil]))
    },
    "CLI-CCMSETUP-FAIL": { row, dice in
      let code = dice.pick(["0x80190194", "0x80004005", "0x80072f8f", "0x87d00454"])
      let more = rows.first { $0.code == code }?.findingClasses ?? []
      return Payload(
        row.id, "CcmSetup failed with error code \(code)", log: dice.pick(row.textLogs), row.expectation!.or(more),
        code: .any(code == "0x80004005" ? [code, nil] : [code]))
    },
    // A download that is tried elsewhere is a look-alike with any code.
    "CLI-CHECKURL": { row, dice in
      let code = dice.pick(["0x80004005", "0x80072ee2", "0x80072efd", "0x80072f8f"])
      return Payload(
        row.id, "Failed to check url http://\(dice.server())/SMS_DP_SMSPKG$/abc00002. Error \(code)",
        log: dice.pick(row.textLogs), .quiet)
    },
    // "Failed to connect" alone is not in the row's regex: far too common a text.
    "CLI-BGB-FAIL": { row, dice in
      Payload(
        row.id, dice.pick(["Failed to signin bgb client with error = 80004005.", "Fallback to HTTP connection"]),
        log: dice.pick(row.textLogs), row.expectation!)
    },
    "CLI-PROVMODE": { row, dice in
      let text = dice.pick(["Client is in provisioning mode", "System is in provisioning mode, 0x87d00215"])
      return Payload(row.id, text, log: dice.pick(row.textLogs), .quiet)
    },
    "WUA-ONSEARCH": { row, dice in
      let code = dice.pick(update)
      return Payload(
        row.id, "OnSearchComplete - Failed to end search job. Error = \(code.code!).", log: dice.pick(row.textLogs),
        scan(code), code: .one(code.code))
    },
    "WUA-SCANFAIL": { row, dice in
      let code = dice.pick(update)
      return Payload(
        row.id, "Scan failed with error = \(code.code!).", log: dice.pick(row.textLogs), scan(code),
        code: .one(code.code))
    },
    "WUA-OK": { row, dice in
      Payload(
        row.id, dice.pick(["Successfully completed scan.", "Async searching completed."]), log: dice.pick(row.textLogs),
        .sighting)
    },
    "WUA-HTTPS-SET": { row, dice in
      let text =
        "Existing WUA Managed server was already set (https://\(dice.server()):8531), skipping Group Policy registration."
      return Payload(row.id, text, log: dice.pick(row.textLogs), .context)
    },
    "WUA-GPO": { row, dice in
      let tail = dice.pick(["", ", error 0x87d00691"])
      return Payload(row.id, row.example! + tail, log: dice.pick(row.textLogs), .quiet)
    },
    // Codes that no row knows (80240007) and look-alikes stay quiet.
    "WU-FAILED": { row, dice in
      let code = dice.pick(update)
      let isKnown = dice.chance(70)
      let value = isKnown ? code.code!.dropFirst(2).uppercased() : "80240007"
      let text =
        "2026/03/02 10:52:27.1522840 4388  10044 Metadata        *FAILED* [\(value)] Failed to find timestampToken"
      return Payload(
        row.id, text, log: "WindowsUpdate", isKnown ? scan(code) : .quiet, code: .one(code.code))
    },
  ]
}
