import Records

/// RFC 5424 and RFC 3164 headers read the plain way, with strings, splits and regular expressions: slow, and short
/// enough to be believed. It reads one line with a priority and no further envelope inside.
enum SyslogTwin {
  struct Message {
    var host: String?
    var log: String?
    var path: String?
    var received: Int64?
    var lines: [String]
  }
  enum Outcome {
    case none, bad, own
    case message(Message)
  }

  static func read(_ bytes: [UInt8]) -> Outcome {
    var line = String(decoding: bytes, as: UTF8.self)
    guard bytes.count >= 12, let head = line.prefixMatch(of: #/<([0-9]{1,3})>/#), Int(head.1)! <= 191 else {
      return .none
    }
    line.removeSubrange(head.range)
    let hasReturn = line.unicodeScalars.last == "\r"
    if hasReturn { line.unicodeScalars.removeLast() }
    let tail = hasReturn ? "\r" : ""
    return line.hasPrefix("1 ") ? modern(String(line.dropFirst(2)), tail) : classic(line, tail)
  }

  private static func modern(_ text: String, _ tail: String) -> Outcome {
    guard
      let match = text.wholeMatch(
        of:
          #/
          (?s)([^\ ]+)\ ([^\ ]+)\ ([^\ ]+)\ ([^\ ]+)\ ([^\ ]+)\x20
          (-|(?:\[[^\ \]="]+(?:\ [^\ \]="]+="(?:\\["\\\]]|[^"\\]|\\(?!["\\\]]))*")*\])+)
          (?:\ (.*))?
          /#)
    else { return .bad }
    var message = Message(lines: [])
    if match.1 != "-" {
      guard let time = instant(String(match.1)) else { return .bad }
      message.received = time
    }
    if match.3 == "handshaked" { return .own }
    if match.2 != "-" { message.host = String(match.2) }
    for pair in match.6.matches(of: #/ ([^ \]="]+)="((?:\\["\\\]]|[^"\\]|\\(?!["\\\]]))*)"/#) {
      let name = pair.1.lowercased()
      guard message.path == nil, name.contains("file") || name.contains("path") else { continue }
      if pair.2.contains("/") || pair.2.contains("\\") {
        message.path = String(pair.2.replacing(#/\\(["\\\]])/#) { $0.1 })
      }
    }
    note(String(match.3), &message)
    var payload = String(match.7 ?? "")
    if payload.unicodeScalars.first == "\u{FEFF}" { payload.unicodeScalars.removeFirst() }
    message.lines = lines(payload + tail)
    return .message(message)
  }

  private static func classic(_ text: String, _ tail: String) -> Outcome {
    var message = Message(lines: [])
    let rest: String
    if let match = text.wholeMatch(of: #/(?s)([0-9][^ ]*) (.*)/#), let time = instant(String(match.1)) {
      message.received = time
      rest = String(match.2)
    } else if let match = text.wholeMatch(
      of:
        #/
        (?s)(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\ \ ?([0-9]{1,2})\x20
        ([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]{1,9})?\ (.*)
        /#),
      (1...31).contains(Int(match.1)!), Int(match.2)! < 24, Int(match.3)! < 60, Int(match.4)! <= 60
    {
      rest = String(match.5)
    } else {
      return .bad
    }
    let words = rest.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    if let tag = tag(words[0]), tag.length == words[0].utf8.count {
      return tagged(tag.name, rest, tag.length, &message, tail)
    }
    let isHost = words[0].wholeMatch(of: #/[-A-Za-z0-9._:%\u{80}-\u{10FFFF}]+/#) != nil
    guard words.count == 2, !words[1].isEmpty, isHost else {
      message.lines = lines(rest + tail)
      return .message(message)
    }
    if words[0] != "-" { message.host = words[0] }
    if let tag = tag(words[1]) { return tagged(tag.name, words[1], tag.length, &message, tail) }
    if let match = words[1].prefixMatch(of: #/([^\u{0}-\u{20}\u{7F}"#:<\[\]{]+) (?=<!\[LOG\[|<Event|\{)/#) {
      return tagged(String(match.1), words[1], match.1.utf8.count, &message, tail)
    }
    message.lines = lines(words[1] + tail)
    return .message(message)
  }

  private static func tagged(
    _ name: String, _ text: String, _ length: Int, _ message: inout Message, _ tail: String
  ) -> Outcome {
    if name == "handshaked" { return .own }
    note(name, &message)
    var payload = Array(text.utf8.dropFirst(length))
    if payload.first == 0x20 { payload.removeFirst() }
    message.lines = lines(String(decoding: payload, as: UTF8.self) + tail)
    return .message(message)
  }

  private static func tag(_ text: String) -> (name: String, length: Int)? {
    guard
      let match = text.prefixMatch(
        of: #/((?:[A-Za-z]:(?=[\\/]))?[^\u{0}-\u{20}\u{7F}"#:<\[\]{]+)(?:\[[^\u{0}-\u{20}\]]*\])?:/#)
    else { return nil }
    return (String(match.1), match.0.utf8.count)
  }

  private static func note(_ name: String, _ message: inout Message) {
    if name.contains("/") || name.contains("\\") {
      if message.path == nil { message.path = name }
    } else if !["-", "nxlog", "rsyslogd"].contains(name) {
      message.log = name
    }
  }

  private static func instant(_ text: String) -> Int64? {
    guard
      let match = text.wholeMatch(
        of:
          #/
          ([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})
          (?:\.([0-9]{1,9}))?(?:[Zz]|([-+])([0-9]{2}):([0-9]{2}))
          /#)
    else { return nil }
    let (year, month, day) = (Int(match.1)!, Int(match.2)!, Int(match.3)!)
    let (hour, minute, second) = (Int(match.4)!, Int(match.5)!, Int(match.6)!)
    let isLeap = year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
    let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard (1...12).contains(month), (1...lengths[month - 1]).contains(day), hour < 24, minute < 60, second <= 60 else {
      return nil
    }
    let digits = String(match.7 ?? "").padding(6)
    var offset = 0
    if let sign = match.8 {
      guard Int(match.9!)! < 24, Int(match.10!)! < 60 else { return nil }
      offset = (Int(match.9!)! * 60 + Int(match.10!)!) * (sign == "-" ? -1 : 1)
    }
    return time(year, month, day, hour, minute, second, Int(digits)!) - Int64(offset) * 60_000_000
  }

  /// Escapes undone, then split at line ends; one at the very end begins no line.
  private static func lines(_ payload: String) -> [String] {
    let text = payload.replacing(#/#([01][0-7]{2})/#) { match in
      let value = UInt32(match.1, radix: 8)!
      return value < 0x20 || value == 0x7F ? String(Unicode.Scalar(value)!) : String(match.0)
    }
    var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    if lines.count > 1, lines.last == "" { lines.removeLast() }
    return lines
  }
}

extension String {
  fileprivate func padding(_ count: Int) -> String {
    String(prefix(count)) + String(repeating: "0", count: Swift.max(0, count - self.count))
  }
}
