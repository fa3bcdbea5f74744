/// How one log that separates its columns by a character is to be read: a format of its own without any Swift.
///
///     2026-03-02 06:00:00.123|MP01|warning|tls|handshake with 10.1.2.3 failed: unsupported protocol
///     time                    host -        component message
///
/// The last column takes what is left of the line, delimiters and all. A line with fewer columns, or whose time cannot be
/// read, is no record of the format (a heading is one such line).
package struct DelimitedRule: Sendable, Equatable {
  /// What a column is; `other` is passed over.
  package enum Column: String, CaseIterable, Sendable {
    case date, time, host, component, thread, message, client, clientIP, server, protocolName, cipher, other
  }
  /// How days are written.
  package enum Calendar: String, CaseIterable, Sendable {
    /// `2026-03-02` or `2026/03/02`.
    case iso
    /// `03/02/2026`: month, day, year.
    case us
    /// `02.03.2026`: day, month, year.
    case european
    /// Seconds since 1970, or milliseconds when there are 13 digits.
    case epoch
  }

  package var name: String
  /// Names of logs, wildcards in lower-case pieces: only these are read so.
  package var logs: [[[UInt8]]]
  package var delimiter: UInt8
  /// A column may stand in double quotes, with a quote in it doubled.
  package var isQuoted: Bool
  package var columns: [Column]
  package var calendar: Calendar
  package var isUTC: Bool

  package init(
    name: String, logs: [[[UInt8]]], delimiter: UInt8, isQuoted: Bool, columns: [Column], calendar: Calendar,
    isUTC: Bool
  ) {
    self.name = name
    self.logs = logs
    self.delimiter = delimiter
    self.isQuoted = isQuoted
    self.columns = columns
    self.calendar = calendar
    self.isUTC = isUTC
  }
}

extension [DelimitedRule] {
  /// The rule for a log of this name.
  package func index(ofLog log: String) -> Int? {
    firstIndex { $0.logs.contains { Wildcard.matches($0, log) } }
  }
}

/// One line laid on the columns of its rule. Positions are those of the text; quotes around a column are left out.
package struct DelimitedLine: Sendable {
  package private(set) var reading: Timestamp?
  /// Whether the reading is UTC: by the rule, or because the line says so.
  package private(set) var isUTC: Bool
  private var ranges: [Range<Int>] = []
  private let columns: [DelimitedRule.Column]

  package subscript(column: DelimitedRule.Column) -> Range<Int>? {
    columns.firstIndex(of: column).map { ranges[$0] }
  }

  /// Nil when [start, end) is no line of the rule.
  package init?(_ rule: DelimitedRule, _ text: Span<UInt8>, start: Int, end: Int) {
    columns = rule.columns
    isUTC = rule.isUTC
    var position = start
    for index in columns.indices {
      if index > 0 {
        guard position < end, text[position] == rule.delimiter else { return nil }
        position += 1
      }
      let isLast = index == columns.count - 1
      if rule.isQuoted, position < end, text[position] == 0x22 {
        let from = position + 1
        position = from
        while position < end {
          if text[position] != 0x22 {
            position += 1
          } else if position + 1 < end, text[position + 1] == 0x22 {
            position += 2
          } else {
            break
          }
        }
        guard position < end else { return nil }
        ranges.append(from..<position)
        position += 1
        if isLast, position < end { return nil }
      } else {
        let from = position
        if isLast { position = end } else { while position < end, text[position] != rule.delimiter { position += 1 } }
        ranges.append(from..<position)
      }
    }
    if let time = self[.time] {
      guard readTime(rule, text, date: self[.date], time: time) else { return nil }
    }
  }

  private mutating func readTime(
    _ rule: DelimitedRule, _ text: Span<UInt8>, date: Range<Int>?, time: Range<Int>
  ) -> Bool {
    var cursor = NumberCursor((date ?? time).lowerBound)
    let dateEnd = (date ?? time).upperBound
    cursor.skipBlanks(in: text, to: dateEnd)
    if rule.calendar == .epoch {
      guard let whole = cursor.digits(in: text, to: dateEnd, most: 13), whole.count == 13 || whole.count <= 11 else {
        return false
      }
      var microseconds = Int64(whole.value) * (whole.count == 13 ? 1000 : 1_000_000)
      if whole.count <= 11, cursor.take(0x2E, in: text, to: dateEnd) {
        guard let fraction = DelimitedLine.microseconds(text, &cursor, dateEnd) else { return false }
        microseconds += Int64(fraction)
      }
      guard cursor.position == dateEnd else { return false }
      reading = Timestamp(microseconds: microseconds)
      isUTC = true
      return true
    }
    guard let day = DelimitedLine.day(rule.calendar, text, &cursor, dateEnd) else { return false }
    let end: Int
    if date == nil {
      guard cursor.position < dateEnd, text[cursor.position] == 0x54 || ASCII.isBlank(text[cursor.position]) else {
        return false
      }
      cursor.position += 1
      end = dateEnd
    } else {
      guard cursor.position == dateEnd else { return false }
      cursor = NumberCursor(time.lowerBound)
      end = time.upperBound
    }
    cursor.skipBlanks(in: text, to: end)
    guard let hour = cursor.digits(in: text, to: end, most: 2), cursor.take(0x3A, in: text, to: end),
      let minute = cursor.digits(in: text, to: end, most: 2), cursor.take(0x3A, in: text, to: end),
      let second = cursor.digits(in: text, to: end, most: 2),
      Timestamp.isValid(
        year: day.year, month: day.month, day: day.day, hour: hour.value, minute: minute.value, second: second.value)
    else { return false }
    var microsecond = 0
    if cursor.position < end, text[cursor.position] == 0x2E || text[cursor.position] == 0x2C {
      cursor.position += 1
      guard let fraction = DelimitedLine.microseconds(text, &cursor, end) else { return false }
      microsecond = fraction
    }
    var time = Timestamp(
      year: day.year, month: day.month, day: day.day, hour: hour.value, minute: minute.value, second: second.value,
      microsecond: microsecond)
    if cursor.take(0x5A, in: text, to: end) {
      isUTC = true
    } else if cursor.position < end, text[cursor.position] == 0x2B || text[cursor.position] == 0x2D {
      // ISO 8601: local time is ahead of UTC by a positive offset.
      let isAhead = text[cursor.position] == 0x2B
      cursor.position += 1
      guard let hours = cursor.digits(in: text, to: end, most: 2), hours.count == 2 else { return false }
      _ = cursor.take(0x3A, in: text, to: end)
      let minutes = cursor.digits(in: text, to: end, most: 2)?.value ?? 0
      let offset = hours.value * 60 + minutes
      guard offset <= ClockReading.biasLimit else { return false }
      time = time.adding(minutes: isAhead ? -offset : offset)
      isUTC = true
    }
    cursor.skipBlanks(in: text, to: end)
    guard cursor.position == end else { return false }
    reading = time
    return true
  }

  /// 1 to 9 digits of a fraction, in microseconds.
  private static func microseconds(_ text: Span<UInt8>, _ cursor: inout NumberCursor, _ end: Int) -> Int? {
    guard let fraction = cursor.digits(in: text, to: end, most: 9) else { return nil }
    var nanoseconds = fraction.value
    for _ in fraction.count..<9 { nanoseconds *= 10 }
    return nanoseconds / 1000
  }

  private static func day(
    _ calendar: DelimitedRule.Calendar, _ text: Span<UInt8>, _ cursor: inout NumberCursor, _ end: Int
  ) -> (year: Int, month: Int, day: Int)? {
    guard let first = cursor.digits(in: text, to: end, most: 4), cursor.position < end else { return nil }
    let separator = text[cursor.position]
    guard separator == 0x2D || separator == 0x2F || separator == 0x2E, cursor.take(separator, in: text, to: end),
      let second = cursor.digits(in: text, to: end, most: 2), cursor.take(separator, in: text, to: end),
      let third = cursor.digits(in: text, to: end, most: 4)
    else { return nil }
    switch calendar {
    case .iso: return first.count == 4 ? (first.value, second.value, third.value) : nil
    case .us: return third.count == 4 ? (third.value, first.value, second.value) : nil
    case .european: return third.count == 4 ? (third.value, second.value, first.value) : nil
    case .epoch: return nil
    }
  }
}
