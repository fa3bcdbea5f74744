import Foundation
import Records

extension EventRecord {
  func value(_ name: String) -> String? {
    guard let value = data.first(where: { $0.0 == name })?.1, !value.isEmpty else { return nil }
    return value
  }
}

/// Events as Windows and forwarders write them (formats.md §4.2, §5).
enum Rendering {
  static func xml(_ event: EventRecord, _ host: String, _ time: Timestamp, isPretty: Bool, _ dice: inout Dice) -> String
  {
    let quote = isPretty ? "\"" : dice.pick(["\"", "'"])
    let data: String
    let gap = isPretty ? "\r\n    " : ""
    if event.isUserData {
      data =
        "<UserData>\(gap)<EventXML xmlns=\(quote)LSA_NS\(quote)>"
        + event.data.map { gap + "<\($0.0)>\(escaped($0.1))</\($0.0)>" }.joined() + "\(gap)</EventXML>\(gap)</UserData>"
    } else {
      data =
        "<EventData>"
        + event.data.map { gap + "<Data Name=\(quote)\($0.0)\(quote)>\(escaped($0.1))</Data>" }.joined()
        + "\(gap)</EventData>"
    }
    let guid = event.provider == "Schannel" ? " Guid=\(quote){1F678132-5938-4686-9FDC-C8FF68F15C85}\(quote)" : ""
    var system = [
      "<Provider Name=\(quote)\(event.provider)\(quote)\(guid)/>", "<EventID>\(event.id)</EventID>",
      "<Version>0</Version>",
      "<Level>2</Level>", "<Task>0</Task>", "<Opcode>0</Opcode>", "<Keywords>0x8000000000000000</Keywords>",
      "<TimeCreated SystemTime=\(quote)\(stamp(time))900Z\(quote)/>",
      "<EventRecordID>\(1 + dice.roll(90000))</EventRecordID>",
      "<Correlation/>",
      "<Execution ProcessID=\(quote)\(600 + dice.roll(400))\(quote) ThreadID=\(quote)\(dice.roll(9000))\(quote)/>",
      "<Channel>\(event.channel)</Channel>", "<Computer>\(host)</Computer>",
      "<Security UserID=\(quote)S-1-5-18\(quote)/>",
    ]
    if isPretty { system = system.map { "\r\n    " + $0 } }
    let rendering =
      event.provider == "Schannel" && dice.chance(70)
      ? "" : "<RenderingInfo Culture=\(quote)en-US\(quote)><Message>\(escaped(event.message))</Message></RenderingInfo>"
    let line = isPretty ? "\r\n  " : ""
    return
      "<Event xmlns=\(quote)http://schemas.microsoft.com/win/2004/08/events/event\(quote)>\(line)<System>\(system.joined())"
      + "\(line)</System>\(line)\(data)\(line)\(rendering)\(isPretty ? "\r\n" : "")</Event>\r\n"
  }

  /// - Parameter version: 7 writes ids as numbers, 8 as either (elastic/beats pull request 25176; formats.md §5).
  static func winlogbeat(
    _ event: EventRecord, _ host: String, _ time: Timestamp, version: Int, _ json: (String) -> String,
    _ dice: inout Dice
  ) -> String {
    var items = event.data
    if event.isUserData { items.append(("xml_name", "EventXML")) }
    let data = items.map { "\(json($0.0)):\(json($0.1))" }.joined(separator: ",")
    let kind = event.isUserData ? "user_data" : "event_data"
    let id = version == 7 || dice.chance(50) ? "\(event.id)" : "\"\(event.id)\""
    let winlog =
      "\"winlog\":{\"provider_name\":\(json(event.provider)),\"event_id\":\(id),\"channel\":\"\(event.channel)\","
      + "\"computer_name\":\"\(host)\",\"record_id\":\(dice.roll(90000)),\"\(kind)\":{\(data)},\"opcode\":\"Info\","
      + "\"api\":\"wineventlog\",\"process\":{\"pid\":616,\"thread\":{\"id\":3936}}}"
    let code =
      "\"event\":{\"kind\":\"event\",\"code\":\(id),\"provider\":\(json(event.provider)),\"created\":\"\(stamp(time))Z\"}"
    let head =
      "{\"@timestamp\":\"\(stamp(time))Z\",\"@metadata\":{\"beat\":\"winlogbeat\",\"type\":\"_doc\",\"version\":"
    let message = "\"message\":\(json(event.message))"
    // `host.name` is the machine that sends: the collector.
    if version == 7 {
      return head + "\"7.10.2\"},\(code),\"log\":{\"level\":\"error\"},\(message),\(winlog),"
        + "\"host\":{\"name\":\"wec01\"},\"agent\":{\"hostname\":\"wec01\",\"type\":\"winlogbeat\",\"version\":\"7.10.2\"},"
        + "\"ecs\":{\"version\":\"1.5.0\"}}\n"
    }
    return head + "\"8.17.0\"},\(winlog),\"host\":{\"name\":\"wec01\"},\"ecs\":{\"version\":\"8.0.0\"},"
      + "\"agent\":{\"type\":\"winlogbeat\",\"version\":\"8.17.0\",\"name\":\"wec01\"},\(code),"
      + "\"log\":{\"level\":\"error\"},\(message)}\n"
  }

  static func nxlog(_ event: EventRecord, _ host: String, _ time: Timestamp, _ json: (String) -> String) -> String {
    let c = time.civil
    let clock =
      "\(c.year)-\(padded(c.month))-\(padded(c.day)) \(padded(c.hour)):\(padded(c.minute)):\(padded(c.second))"
    let data = event.data.map { "\(json($0.0)):\(json($0.1))," }.joined()
    return
      "{\"EventTime\":\"\(clock)\",\"Hostname\":\"\(host)\",\"Keywords\":-9223372036854775808,\"EventType\":\"ERROR\","
      + "\"SeverityValue\":4,\"Severity\":\"ERROR\",\"EventID\":\(event.id),\"SourceName\":\(json(event.provider)),"
      + "\"Version\":0,\"Task\":0,\"OpcodeValue\":0,\"RecordNumber\":2213,\"ProcessID\":616,\"ThreadID\":3936,"
      + "\"Channel\":\"\(event.channel)\",\"Message\":\(json(event.message)),\(data)\"EventReceivedTime\":\"\(clock)\","
      + "\"SourceModuleName\":\"eventlog\",\"SourceModuleType\":\"im_msvistalog\"}\n"
  }

  static func openWEC(
    _ event: EventRecord, _ host: String, _ time: Timestamp, _ json: (String) -> String, _ dice: inout Dice
  ) -> String {
    let data: String
    if event.isUserData {
      let inner = event.data.map { "<\($0.0)>\(escaped($0.1))</\($0.0)>" }.joined()
      data = "\"UserData\":" + json("<EventXML xmlns='LSA_NS'>\(inner)</EventXML>")
    } else {
      data = "\"EventData\":{" + event.data.map { "\(json($0.0)):\(json($0.1))" }.joined(separator: ",") + "}"
    }
    return
      "{\"System\":{\"Provider\":{\"Name\":\(json(event.provider)),\"Guid\":\"{1F678132-5938-4686-9FDC-C8FF68F15C85}\"},"
      + "\"EventID\":\(event.id),\"Version\":0,\"Level\":2,\"Task\":0,\"Opcode\":0,\"Keywords\":\"0x8000000000000000\","
      + "\"TimeCreated\":\"\(stamp(time))900Z\",\"EventRecordID\":\(dice.roll(90000)),\"Execution\":{\"ProcessID\":616,"
      + "\"ThreadID\":3936},\"Channel\":\"\(event.channel)\",\"Computer\":\"\(host)\"},\(data),\"RenderingInfo\":{\"Message\":"
      + "\(json(event.message)),\"Level\":\"Error\"},\"OpenWEC\":{\"IpAddress\":\"192.0.2.7\",\"TimeReceived\":\"\(stamp(time))Z\","
      + "\"Principal\":\"SRV$@CORP\",\"Subscription\":{\"Name\":\"s\"},\"Node\":\"wec01\"}}\n"
  }

  /// `{"meta":…,"data":"<Event …>"}`. Source: cea-sec/openwec doc/formats.md.
  static func openWECRaw(
    _ event: EventRecord, _ host: String, _ time: Timestamp, _ json: (String) -> String, _ dice: inout Dice
  ) -> String {
    var event = xml(event, host, time, isPretty: false, &dice)
    while event.last?.isNewline == true { event.removeLast() }
    // Serde leaves `<` and `>` as they are.
    let data = json(event).replacingOccurrences(of: "\\u003c", with: "<").replacingOccurrences(of: "\\u003e", with: ">")
    return
      "{\"meta\":{\"IpAddress\":\"192.0.2.7\",\"TimeReceived\":\"\(stamp(time.adding(minutes: 1)))Z\","
      + "\"Principal\":\"SRV$@CORP\",\"Node\":\"wec01\",\"Subscription\":{\"Uuid\":\"8B18D83D-2964-4F35-AC3B-6F4E6FFA727B\","
      + "\"Version\":\"AD0D118F-31EF-4111-A0CA-D87249747278\",\"Name\":\"Schannel\",\"Uri\":null}},\"data\":\(data)}\n"
  }

  /// What the newest Windows writes for the alerts and states whose text says everything; nil for other events.
  static func message(_ event: EventRecord) -> String? {
    guard event.provider == "Schannel" else { return nil }
    switch event.id {
    case 36887:
      return event.value("AlertDesc").map {
        "A fatal alert was received from the remote endpoint. The TLS protocol defined fatal alert code is \($0)."
      }
    case 36888:
      return event.value("AlertDesc").map {
        "A fatal alert was generated and sent to the remote endpoint. This may result in termination of the connection. "
          + "The TLS protocol defined fatal alert code is \($0)."
      }
    case 36871:
      guard let side = event.value("Type"), let state = event.value("ErrorState") else { return nil }
      return "A fatal error occurred while creating a TLS \(side) credential. The internal error state is \(state)."
    default: return nil
    }
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// `Nov  6 10:00:00`: the time in rsyslog's RSYSLOG_TraditionalFileFormat, of a clock on the wall.
  static func traditional(_ local: Timestamp) -> String {
    let c = local.civil
    let day = c.day < 10 ? " \(c.day)" : "\(c.day)"
    return "\(months[c.month - 1]) \(day) \(padded(c.hour)):\(padded(c.minute)):\(padded(c.second))"
  }

  /// Tabs between the columns, in a file as the agent leaves it; blanks once a relay has been at it.
  static func snare(
    _ event: EventRecord, _ host: String, _ time: Timestamp, _ message: String, separator: String
  ) -> String {
    let c = time.civil
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let weekday = days[Int(time.microseconds / 86_400_000_000 % 7)]
    let date =
      "\(weekday) \(months[c.month - 1]) \(padded(c.day)) \(padded(c.hour)):\(padded(c.minute)):\(padded(c.second)) \(c.year)"
    return [
      "MSWinEventLog", "3", event.channel, "2213", date, "\(event.id)", event.provider, "SYSTEM", "User", "Error", host,
      "None", "", message, "2213",
    ].joined(separator: separator) + "\r\n"
  }

  /// The Event Viewer's "Copy details as text", in US English.
  static func viewer(_ event: EventRecord, _ host: String, _ time: Timestamp, _ message: String) -> String {
    let c = time.civil
    let hour = c.hour % 12 == 0 ? 12 : c.hour % 12
    return [
      "Log Name:      \(event.channel)", "Source:        \(event.provider)",
      "Date:          \(c.month)/\(c.day)/\(c.year) \(hour):\(padded(c.minute)):\(padded(c.second)) \(c.hour < 12 ? "AM" : "PM")",
      "Event ID:      \(event.id)", "Task Category: None", "Level:         Error", "Keywords:      ",
      "User:          SYSTEM", "Computer:      \(host)", "Description:", message,
    ].joined(separator: "\r\n") + "\r\n"
  }

  /// `winevtlog`: data with names (`event_data_as_map`) or by place; LSA_NS events have theirs in no map.
  ///
  /// By place each value keeps its type: unsigned numbers stand without quotes, hexadecimal ones and bytes are text.
  /// - Parameter local: the clock of the machine, which writes its own offset.
  /// Source: fluent/fluent-bit plugins/in_winevtlog/pack.c, `pack_string_inserts`, `pack_filetime`.
  static func fluentBit(
    _ event: EventRecord, _ host: String, _ local: Timestamp, minutesEast: Int, hasNames: Bool,
    _ json: (String) -> String
  ) -> String {
    let c = local.civil
    let time =
      "\(c.year)-\(padded(c.month))-\(padded(c.day)) \(padded(c.hour)):\(padded(c.minute)):\(padded(c.second)) "
      + "+\(padded(minutesEast / 60))\(padded(minutesEast % 60))"
    let data: String
    if hasNames {
      data =
        "\"Message\":\(json(event.message)),\"EventData\":{"
        + event.data.map { "\(json($0.0)):\(json($0.1))" }.joined(separator: ",") + "}"
    } else {
      let values = event.data.map { Int($0.1) != nil ? $0.1 : json($0.1) }
      data = "\"Message\":\(json(fullMessage(event))),\"StringInserts\":[\(values.joined(separator: ","))]"
    }
    return
      "{\"date\":1.0,\"ProviderName\":\(json(event.provider)),\"EventID\":\(event.id),\"Qualifiers\":0,\"Version\":0,"
      + "\"Level\":2,\"Task\":0,\"Opcode\":0,\"Keywords\":\"0x8000000000000000\",\"TimeCreated\":\"\(time)\","
      + "\"EventRecordID\":7,\"ActivityID\":\"\",\"ProcessID\":616,\"ThreadID\":3936,\"Channel\":\"\(event.channel)\","
      + "\"Computer\":\"\(host)\",\"UserID\":\"S-1-5-18\",\(data)}\n"
  }

  /// Every value a string, the first letter of each name in lower case.
  static func wazuh(_ event: EventRecord, _ host: String, _ time: Timestamp, _ json: (String) -> String) -> String {
    let data = event.data.map { "\(json($0.0.prefix(1).lowercased() + $0.0.dropFirst())):\(json($0.1))" }
      .joined(separator: ",")
    return
      "{\"win\":{\"system\":{\"providerName\":\(json(event.provider)),\"eventID\":\"\(event.id)\",\"level\":\"2\","
      + "\"systemTime\":\"\(stamp(time))900Z\",\"eventRecordID\":\"7\",\"processID\":\"616\",\"threadID\":\"3936\","
      + "\"channel\":\"\(event.channel)\",\"computer\":\"\(host)\",\"message\":\(json("\"\(event.message)\""))},"
      + "\"\(event.isUserData ? "eventXML" : "eventdata")\":{\(data)}}}\n"
  }

  static func vector(_ event: EventRecord, _ host: String, _ time: Timestamp, _ json: (String) -> String) -> String {
    let data = event.data.map { "\(json($0.0)):\(json($0.1))" }.joined(separator: ",")
    return
      "{\"channel\":\"\(event.channel)\",\"computer\":\"\(host)\",\"event_id\":\(event.id),\"provider_name\":\(json(event.provider)),"
      + "\"\(event.isUserData ? "user_data" : "event_data")\":{\(data)},\"message\":\(json(event.message)),\"record_id\":7,"
      + "\"process_id\":616,\"thread_id\":3936,\"source_type\":\"windows_event_log\",\"timestamp\":\"\(stamp(time))Z\"}\n"
  }

  static func openTelemetry(_ event: EventRecord, _ host: String, _ time: Timestamp, _ json: (String) -> String)
    -> String
  {
    let data = event.data.map { "\(json($0.0)):\(json($0.1))" }.joined(separator: ",")
    return
      "{\"body\":{\"channel\":\"\(event.channel)\",\"computer\":\"\(host)\",\"event_id\":{\"id\":\(event.id),\"qualifiers\":0},"
      + "\"provider\":{\"name\":\(json(event.provider)),\"guid\":\"\",\"event_source\":\"\"},\"system_time\":\"\(stamp(time))900Z\","
      + "\"record_id\":7,\"level\":\"Error\",\"message\":\(json(event.message)),\"execution\":{\"process_id\":616,\"thread_id\":3936},"
      + "\"\(event.isUserData ? "user_data" : "event_data")\":{\(data)}}}\n"
  }

  /// An object of one line over many, as `jq` prints it.
  static func pretty(_ object: String) -> String {
    var out = ""
    var depth = 0
    var isInString = false
    var isEscaped = false
    var last: Character = " "
    func line() -> String { "\n" + String(repeating: "  ", count: depth) }
    for character in object where character != "\n" {
      if isInString {
        out.append(character)
        isInString = isEscaped || character != "\""
        isEscaped = !isEscaped && character == "\\"
        continue
      }
      switch character {
      case "{", "[":
        if last == "{" || last == "[" || last == "," { out += line() }
        out.append(character)
        depth += 1
      case "}", "]":
        depth -= 1
        // Nothing between the braces of an empty object.
        if last != "{", last != "[" { out += line() }
        out.append(character)
      case ",": out.append(character)
      case ":": out += ": "
      default:
        if last == "{" || last == "[" || last == "," { out += line() }
        out.append(character)
        isInString = character == "\""
      }
      last = character
    }
    return out + "\n"
  }

  /// The text of an event in US English, as a machine of its build writes it: builds that name the calling process end
  /// with it. Source: formats.md §4.1, where long texts are cut.
  static func fullMessage(_ event: EventRecord) -> String {
    guard event.provider == "Schannel" else { return event.message }
    var text = texts[event.id] ?? "Schannel event."
    for item in event.data { text = text.replacingOccurrences(of: "{\(item.0)}", with: item.1) }
    guard let process = event.value("CallerProcessImageName"), let id = event.value("CallerProcessId") else {
      return text
    }
    return text + "\r\n\r\n The SSPI client process is \(process) (PID: \(id))."
  }

  private static let texts: [Int: String] = [
    36864: "The schannel security package has loaded successfully.",
    36865: "A fatal error occurred while opening the system {ModuleName} cryptographic module.",
    36867: "Creating a TLS {Type} credential.",
    36868: "The TLS {Type} credential's private key has the following properties:",
    36869:
      "The TLS {Type} credential's certificate does not have a private key information property attached to it.",
    36870:
      "A fatal error occurred when attempting to access the TLS {Type} credential private key. The error code returned "
      + "from the cryptographic module is {ErrorCode}. The internal error state is {ErrorStatus}.",
    36871:
      "A fatal error occurred while creating a TLS {Type} credential. The internal error state is {ErrorState}.",
    36872:
      "The TLS {Type} specified certificate's chain could not be retrieved: Failure Status: {ErrorCode} Flags: {CertFlags}",
    36873: "No supported cipher suites were found when initiating a TLS connection.",
    36874:
      "An {Protocol} connection request was received from a remote client application, but none of the cipher suites "
      + "supported by the client application are supported by the server. The TLS connection request has failed.",
    36875:
      "The remote server has requested TLS client authentication, but no suitable client certificate could be found. An "
      + "anonymous connection will be attempted.",
    36876:
      "The certificate received from the remote server has not validated correctly. The error code is {ErrorCode}.",
    36877:
      "The certificate received from the remote client application has not validated correctly. The error code is "
      + "{ErrorCode}.",
    36881: "The certificate received from the remote server has either expired or is not yet valid.",
    36882: "The certificate received from the remote server was issued by an untrusted certificate authority.",
    36883: "The certificate received from the remote server has been revoked.",
    36884:
      "The certificate received from the remote server does not contain the expected name. The server name we were "
      + "expecting is {Name}.",
    36886: "No suitable default server credential exists on this system.",
    36887:
      "A fatal alert was received from the remote endpoint. The TLS protocol defined fatal alert code is {AlertDesc}.",
    // The state is in the data alone.
    36888:
      "A fatal alert was generated and sent to the remote endpoint. This may result in termination of the connection. "
      + "The TLS protocol defined fatal alert code is {AlertDesc}.",
    36889: "The TLS {Type} specified certificate's chain is incomplete:",
    36912: "The key material used to protect TLS Session Tickets was not found at {Path}.",
  ]

  /// `2026-03-02T06:00:00.123456`, without zone.
  private static func stamp(_ time: Timestamp) -> String {
    let c = time.civil
    return "\(c.year)-\(padded(c.month))-\(padded(c.day))T\(padded(c.hour)):\(padded(c.minute)):\(padded(c.second))"
      + ".\(padded(c.microsecond, 6))"
  }

  private static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
  }
}
