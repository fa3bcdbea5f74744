import Records

extension RowSchema {
  /// The names of a `#Fields:` line, [from, to) after the colon. HTTPERR is known by its `s-reason`. No names: there
  /// are none, or more than `Limits.columnLimit`.
  package static func parse(_ text: Span<UInt8>, from: Int, to end: Int) -> RowSchema {
    var names: [String] = []
    var position = from
    while position < end, names.count < Limits.columnLimit {
      while position < end, ASCII.isBlank(text[position]) { position += 1 }
      let start = position
      while position < end, !ASCII.isBlank(text[position]) { position += 1 }
      if position > start { names.append(Text.decode(text.extracting(start..<position)).lowercased()) }
    }
    while position < end, ASCII.isBlank(text[position]) { position += 1 }
    // More columns than are held: half a schema would lay every row on the wrong columns.
    if position < end { return RowSchema(format: .w3c, names: []) }
    return RowSchema(format: names.contains("s-reason") ? .httperr : .w3c, names: names)
  }

  /// A day written `YYYY-MM-DD`, at its midnight.
  package static func day(_ text: Span<UInt8>, from: Int, to end: Int) -> Timestamp? {
    var cursor = NumberCursor(from)
    guard let year = cursor.digits(in: text, to: end, most: 4), cursor.take(0x2D, in: text, to: end),
      let month = cursor.digits(in: text, to: end, most: 2), cursor.take(0x2D, in: text, to: end),
      let day = cursor.digits(in: text, to: end, most: 2),
      Timestamp.isValid(year: year.value, month: month.value, day: day.value, hour: 0, minute: 0, second: 0)
    else { return nil }
    return Timestamp(year: year.value, month: month.value, day: day.value, hour: 0, minute: 0, second: 0)
  }
}

/// How the first characters of a schema's rows look: enough to tell a row from a foreign line in the same file.
enum RowShape: Equatable {
  case dated  // 2026-03-02 …
  case timed  // 06:00:00 …
  case loose  // anything that no other framing claims

  init(_ schema: RowSchema) {
    switch schema.names.first {
    case "date", "date-local": self = .dated
    case "time", "time-local": self = .timed
    default: self = .loose
    }
  }

  func fits(_ text: Span<UInt8>, at start: Int, to end: Int) -> Bool {
    switch self {
    case .dated:
      return start + 10 < end && ASCII.isDigit(text[start]) && text[start + 4] == 0x2D && text[start + 7] == 0x2D
        && (text[start + 10] == 0x20 || text[start + 10] == 0x09)
    case .timed:
      return start + 8 < end && ASCII.isDigit(text[start]) && text[start + 2] == 0x3A && text[start + 5] == 0x3A
    case .loose:
      guard start < end else { return false }
      switch text[start] {
      case 0x23, 0x3C, 0x7B, 0x20, 0x09, 0x0D, 0, 0xEF: return false
      default: return true
      }
    }
  }

  /// Whether the whole line [start, end) is a row without a look at what else it may be: other framings come first
  /// where their first characters stand.
  func fitsAtOnce(_ text: Span<UInt8>, at start: Int, to end: Int) -> Bool {
    guard fits(text, at: start, to: end) else { return false }
    guard self == .loose else { return true }
    switch text[start] {
    case 0x5B, 0x5D, 0x2C: return false  // [ ] ,
    case 0x2D: return !text.has("- <", at: start)
    default: return true
    }
  }
}

/// HTTP.sys error log: what is known about rows that no `#Fields` line announces.
enum HTTPERRColumns {
  /// Windows Server 2003 to 2012 R2. Source: KB 820729.
  static let classic = RowSchema(
    format: .httperr,
    names: [
      "date", "time", "c-ip", "c-port", "s-ip", "s-port", "cs-version", "cs-method", "cs-uri", "sc-status",
      "s-siteid", "s-reason", "s-queuename",
    ])

  enum Judgement { case classic, otherRow, noRow }

  /// A dated line without schema: the 13 classic columns (ports where ports stand, a reason that begins with a
  /// letter where the reason stands), another server's row (an address in the third place), or no row.
  static func judge(_ text: Span<UInt8>, from: Int, to end: Int) -> Judgement {
    var starts = InlineArray<16, Int>(repeating: 0)
    var ends = InlineArray<16, Int>(repeating: 0)
    var count = 0
    var position = from
    while position < end, count < 16 {
      let start = position
      while position < end, text[position] != 0x20 { position += 1 }
      starts[count] = start
      ends[count] = position
      count += 1
      position += 1
    }
    func isPort(_ column: Int) -> Bool {
      let range = starts[column]..<ends[column]
      if range.count == 1, text[range.lowerBound] == 0x2D { return true }
      return !range.isEmpty && range.count <= 5 && range.allSatisfy { ASCII.isDigit(text[$0]) }
    }
    guard count > 6, ends[1] - starts[1] >= 7, text[starts[1] + 2] == 0x3A else { return .noRow }
    let isAddress = IPAddress(text, start: starts[2], end: ends[2]) != nil
    if count == 13, position >= end, isAddress, isPort(3), isPort(5),
      IPAddress(text, start: starts[4], end: ends[4]) != nil || ends[4] - starts[4] == 1,
      ends[11] > starts[11], ASCII.isLetter(text[starts[11]])
    {
      return .classic
    }
    return isAddress || text.hasCaseless("w3svc", at: starts[2]) ? .otherRow : .noRow
  }
}
