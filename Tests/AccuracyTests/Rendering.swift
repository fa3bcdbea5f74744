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
