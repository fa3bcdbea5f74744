import Foundation
import Records

/// Rows of the knowledge base to lines of text logs.
enum TextSignals {
  /// One payload for a row about text or about a code.
  static func payload(_ row: SignalRow, _ dice: inout Dice) -> Payload {
    if let code = row.code { return codeLine(row, code, &dice) }
    if let adjudicated = Adjudication.payload(row, &dice) { return adjudicated }
    let log = dice.pick(row.textLogs)
    var server: String?
    let text: String
    if let example = row.example {
      text = fill(example, server: &server, &dice)
    } else {
      text = dice.pick(row.match.flatMap { $0.components(separatedBy: " / ") })
    }
    guard let expectation = row.expectation else { preconditionFailure("\(row.id) needs an adjudication") }
    return Payload(row.id, text, log: log, expectation.or(LogKind.area(ofLog: log)), server: server)
  }

  // MARK: Examples

  /// Host names of the examples; the line gets one of the generated site instead.
  private static let exampleServers = [
    "CMG.CONTOSO.COM", "SCCM.acc.local", "PS1SYS.CONTOSO.COM", "SCCM01D.firm.saulewing.net", "MP.MYCORP.COM",
    "<CMGname>.cloudapp.net",
  ]
  /// What the authors of the examples left out or put around them, and what stands there.
  private static let placeholders: [(String, @Sendable (inout Dice) -> String)] = [
    ("<message ID>", { $0.guid(isUpper: false) }),
    ("**", { _ in "" }),
    ("XX/XX/XX XX:XX:XX", { _ in "03/02/2026 14:00:00" }),
    ("GUID:1XXXXXEF-5XX8-4XX3-XEDX-XXXFBFF78XXX", { "GUID:" + $0.guid() }),
    ("pushid=…, taskid=…, taskguid=…", { "pushid=\($0.roll(900)), taskid=\($0.roll(90)), taskguid={\($0.guid())}" }),
    // The viewer's column of the component, and the frame of a record.
    ("             BgbAgent", { _ in "" }),
  ]

  static func fill(_ example: String, server: inout String?, _ dice: inout Dice) -> String {
    var text = example
    if let frame = text.range(of: "  $$<") { text = String(text[..<frame.lowerBound]) }
    for (mark, value) in placeholders where text.contains(mark) {
      text = text.replacingOccurrences(of: mark, with: value(&dice))
    }
    for name in exampleServers where text.contains(name) {
      server = dice.server()
      text = text.replacingOccurrences(of: name, with: server!)
    }
    return text
  }

  // MARK: Codes

  private static let sentences = [
    "Failed to send request, error #", "Call to WinHttpSendRequest failed with #", "Error = #",
    "GetDirectoryList failed with a non-recoverable failure, #", "Request failed, hr=#",
    "Raising error # for the endpoint.", "Request to the service failed. Error code: #.", "result #, retrying later",
    "Sending with winhttp failed; #",
  ]
  private static let decimalSentences = [
    "Code=#", "ErrorCode = #", "[CCMHTTP] request failed, error code #", "WinHttpReceiveResponse: error = #.",
    "Request ended with status: #", "Last error is #",
  ]
  private static let bareSentences = ["The request failed (#)", "Sending with winhttp failed; #", "WinHttp: [#] send"]
  private static let scanSentences = [
    "OnSearchComplete - Failed to end search job. Error = #.", "Scan failed with error = #.",
  ]

  /// The code in one of the spellings that the row lists, in a sentence as its regex demands.
  static func codeLine(_ row: SignalRow, _ code: String, _ dice: inout Dice) -> Payload {
    let log = dice.pick(row.textLogs)
    let spelling = dice.pick(row.match.flatMap { $0.components(separatedBy: "/") })
    let text: String
    if log == "WindowsUpdate" {
      // Windows 10: the code in brackets, without 0x, in capitals.
      text = "*FAILED* [\(code.dropFirst(2).uppercased())] Send request"
    } else {
      text = sentence(spelling, code, log, &dice)
    }
    guard let expectation = row.expectation else { preconditionFailure("\(row.id) is no plain code row") }
    return Payload(row.id, text, log: log, expectation.or(LogKind.area(ofLog: log)), code: .one(code))
  }

  private static func sentence(_ spelling: String, _ code: String, _ log: String, _ dice: inout Dice) -> String {
    if spelling.hasPrefix("0x") {
      if spelling == code, ["WUAHandler", "ScanAgent"].contains(log), dice.chance(50) {
        return put(spelling, dice.pick(scanSentences))
      }
      // The regexes take eight digits without 0x as well, as [80244010] or (800B0109).
      if spelling == code, dice.chance(25) {
        return put(
          dice.chance(50) ? String(code.dropFirst(2)) : code.dropFirst(2).uppercased(), dice.pick(bareSentences))
      }
      return put(dice.chance(25) ? "0x" + spelling.dropFirst(2).uppercased() : spelling, dice.pick(sentences))
    }
    if spelling.hasPrefix("[") { return put(String(spelling.dropFirst().dropLast()), bareSentences[2]) }
    if spelling.utf8.count == 5 { return put(spelling, dice.pick(decimalSentences)) }
    return put(spelling, dice.pick(sentences))
  }

  static func put(_ value: String, _ sentence: String) -> String {
    sentence.replacingOccurrences(of: "#", with: value)
  }

  // MARK: Proof

  /// Whether a line is what its own row describes.
  static func matches(_ row: SignalRow, _ text: String) -> Bool {
    // ICU knows (?i:…) and named groups; the column's patterns run as they are.
    text.range(of: row.regex, options: .regularExpression) != nil
  }
}
