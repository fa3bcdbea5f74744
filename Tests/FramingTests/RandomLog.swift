import TestSupport

/// Logs of every format and every kind of damage, in any order.
enum RandomLog {
  private static let trailer =
    "<time=\"06:15:01.125-60\" date=\"03-02-2026\" component=\"A\" context=\"\" type=\"1\" thread=\"1\" file=\"a.cpp:1\">"
  private static let event =
    "<Event xmlns='x'><System><Provider Name='Schannel'/><EventID>36887</EventID></System></Event>"
  private static let prettyEvent =
    "<Event xmlns='x'>\n  <System>\n    <EventID>36888</EventID>\n  </System>\n\n  <EventData />\n</Event>"
  private static let json = #"{"EventID":36888,"SourceName":"Schannel"}"#
  private static let prettyJSON = "{\n  \"EventID\": 36888,\n  \"a\": [\n    {\"b\": 1}\n  ]\n}"

  /// Whole records and lines, each without its line end.
  private static let lines = [
    "<![LOG[one line]LOG]!>" + trailer, "<![LOG[two\r\nlines]LOG]!>" + trailer,
    "<![LOG[many\n{\n#Date: 2026-03-02 00:00:00\n2026-03-02 06:00:00 10.1.2.3 GET\n}\n]LOG]!>" + trailer,
    "<![LOG[one]LOG]!>\(trailer)<![LOG[another]LOG]!>\(trailer)", "<![LOG[cut", "tail]LOG]!>" + trailer,
    "text  $$<SMS_EXECUTIVE><03-02-2026 06:15:01.125-60><thread=1 (0x1)>", "~a~~  $$<A B><03-02-2026 06:15:01.125+00>",
    "cut  $$<SMS_EX", "plain text", "", "   ", "<MAXIMUM LOG FILE SIZE REACHED - FILE RENAMED>",
    "#Fields: date time c-ip sc-status", "#Fields: time c-ip sc-status", "#Fields: c-ip sc-status",
    "#Fields: date time c-ip c-port s-ip s-port cs-version cs-method cs-uri sc-status s-siteid s-reason s-queuename",
    "#Date: 2026-03-02 06:00:00", "#Date: 2026-03-03 06:00:00", "#Software: x", "2026-03-02 06:00:00 10.1.2.3 200",
    "2026-03-02 06:00:01 10.1.2.3 200 too many", "06:00:00 10.1.2.3 200", "10.1.2.3 200", "\u{FEFF}10.1.2.4 200",
    "2026-03-02 06:00:00 10.1.2.3 50011 10.1.0.5 443 - - - - - Timer_ConnectionIdle -",
    "2026-03-02 06:00:00 10.1.0.5 GET /a - 443 - 10.1.2.3 agent 200 0 0 1", event, event + event, prettyEvent,
    "<Events>", "</Events>", "<Events\n  xmlns='x'>", "<?xml version='1.0'?>", "<!-- a -->", "<!-- a\nb\n\n-->",
    "<!-- open",
    "- " + prettyEvent, "<Event xmlns='x'><System>", "<Event xmlns='x", "<Events cut", json, json + "," + json,
    prettyJSON, "[",
    "]", ",", "[\(json),", "\(json)]", "{\"a\":[", "{\"a\":", "{", "}", "\"b\": 1", "{guid} text", "\0\0\0",
    "\0\0text\0",
    "\u{FEFF}text",
  ]
  private static let fragments = [
    "<![LOG[", "]LOG]!>", trailer, "$$<", "<Event ", "</Event>", "<!--", "-->", "{\"a\":[", "]}", "\"", "'", ">", "\0",
    " ",
    "\u{FEFF}", "#Fields: ", "- <", "<?xml ", "?>", "<![CDATA[", "]]>",
  ]

  static func bytes(_ random: inout SeededGenerator, hasEnvelopes: Bool = false) -> [UInt8] {
    var text = ""
    for _ in 0..<Int.random(in: 1...40, using: &random) {
      var line = lines.randomElement(using: &random)!
      if Int.random(in: 0..<6, using: &random) == 0 {
        // A fragment somewhere in it.
        let index = line.index(line.startIndex, offsetBy: Int.random(in: 0...line.count, using: &random))
        line.insert(contentsOf: fragments.randomElement(using: &random)!, at: index)
      }
      if hasEnvelopes {
        let host = "h\(Int.random(in: 0..<3, using: &random))"
        switch Int.random(in: 0..<12, using: &random) {
        case 0: line = "<13>1 2026-03-02T06:00:00Z \(host) CcmExec - - - \(octal(line))"
        case 1: line = "Mar  2 06:00:00 \(host) CcmExec: \(octal(line))"
        case 2:
          line = #"{"message":"\#(escaped(line))","log":{"file":{"path":"C:\\l\\a.log"}},"host":{"name":"\#(host)"}}"#
        case 3:
          let message = "<13>1 - \(host) smsexec - - - \(line)"
          line = "\(message.utf8.count) \(message)"
        case 4: line = "<13>1 - \(host) handshaked - - - ours"
        default: break
        }
      }
      text += line + ["\n", "\n", "\r\n", " \r\n", ""].randomElement(using: &random)!
    }
    return Array(text.utf8)
  }

  private static func octal(_ text: String) -> String {
    text.replacing("\r", with: "#015").replacing("\n", with: "#012").replacing("\r\n", with: "#015#012")
  }

  private static func escaped(_ text: String) -> String {
    String(
      text.unicodeScalars.flatMap { scalar -> [Character] in
        switch scalar {
        case "\"", "\\": ["\\", Character(scalar)]
        case "\n": ["\\", "n"]
        case "\r": ["\\", "r"]
        case "\0": Array("\\u0000")
        default: [Character(scalar)]
        }
      })
  }
}
