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

  static func winlogbeat(
    _ event: EventRecord, _ host: String, _ time: Timestamp, _ json: (String) -> String, _ dice: inout Dice
  ) -> String {
    let data = event.data.map { "\(json($0.0)):\(json($0.1))" }.joined(separator: ",")
    let kind = event.isUserData ? "user_data" : "event_data"
    // A number in version 8, text in some outputs.
    let id = dice.chance(50) ? "\(event.id)" : "\"\(event.id)\""
    return
      "{\"@timestamp\":\"\(stamp(time))Z\",\"event\":{\"code\":\"\(event.id)\",\"provider\":\(json(event.provider)),"
      + "\"kind\":\"event\"},\"winlog\":{\"provider_name\":\(json(event.provider)),\"event_id\":\(id),"
      + "\"channel\":\"\(event.channel)\",\"computer_name\":\"\(host)\",\"record_id\":\(dice.roll(90000)),"
      + "\"\(kind)\":{\(data)},\"process\":{\"pid\":616,\"thread\":{\"id\":3936}}},\"log\":{\"level\":\"error\"},"
      + "\"host\":{\"name\":\"wec01\"},\"message\":\(json(event.message))}\n"
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

  /// Tabs between the columns, in a file as the agent leaves it.
  static func snare(_ event: EventRecord, _ host: String, _ time: Timestamp, _ message: String) -> String {
    let c = time.civil
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let weekday = days[Int(time.microseconds / 86_400_000_000 % 7)]
    let date =
      "\(weekday) \(months[c.month - 1]) \(padded(c.day)) \(padded(c.hour)):\(padded(c.minute)):\(padded(c.second)) \(c.year)"
    return [
      "MSWinEventLog", "3", event.channel, "2213", date, "\(event.id)", event.provider, "SYSTEM", "User", "Error", host,
      "None", "", message, "2213",
    ].joined(separator: "\t") + "\r\n"
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

  /// `winevtlog` with names; LSA_NS events have their data in no map.
  static func fluentBit(_ event: EventRecord, _ host: String, _ time: Timestamp, _ json: (String) -> String) -> String {
    let data = event.data.map { "\(json($0.0)):\(json($0.1))" }.joined(separator: ",")
    return
      "{\"date\":1.0,\"ProviderName\":\(json(event.provider)),\"EventID\":\(event.id),\"Qualifiers\":0,\"Version\":0,"
      + "\"Level\":2,\"TimeCreated\":\"\(stamp(time).replacingOccurrences(of: "T", with: " ")) +0000\",\"EventRecordID\":7,"
      + "\"ProcessID\":616,\"ThreadID\":3936,\"Channel\":\"\(event.channel)\",\"Computer\":\"\(host)\","
      + "\"Message\":\(json(event.message)),\"EventData\":{\(data)}}\n"
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
