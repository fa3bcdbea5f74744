import Records

/// The times that event renderings write: a date, `T` or a blank, a time of day with any fraction, and a zone or none.
///
/// `2022-10-16T20:27:36.222854900Z`, `2023-02-06 22:07:30.404066`, `2022-10-16 20:27:36 +0000`, `…+01:00`.
/// Unlike a ConfigMgr bias the offset is what ISO 8601 means by it: UTC = reading − offset.
package enum EventTime {
  package struct Reading: Equatable, Sendable {
    /// The instant; without a zone, the reading as if it were UTC.
    package var time: Timestamp
    package var hasZone: Bool
  }

  /// Nil when [start, end) is no such time, or names a day or an offset that does not exist.
  package static func parse(_ text: Span<UInt8>, start: Int, end: Int) -> Reading? {
    let end = min(end, text.count)
    guard start >= 0, start < end else { return nil }
    var cursor = NumberCursor(start)
    guard let year = cursor.digits(in: text, to: end, most: 4), year.count == 4, cursor.take(0x2D, in: text, to: end),
      let month = cursor.digits(in: text, to: end, most: 2), cursor.take(0x2D, in: text, to: end),
      let day = cursor.digits(in: text, to: end, most: 2),
      cursor.take(0x54, in: text, to: end) || cursor.take(0x20, in: text, to: end),
      let hour = cursor.digits(in: text, to: end, most: 2), cursor.take(0x3A, in: text, to: end),
      let minute = cursor.digits(in: text, to: end, most: 2), cursor.take(0x3A, in: text, to: end),
      let second = cursor.digits(in: text, to: end, most: 2),
      Timestamp.isValid(
        year: year.value, month: month.value, day: day.value, hour: hour.value, minute: minute.value,
        second: second.value)
    else { return nil }
    var microsecond = 0
    if cursor.take(0x2E, in: text, to: end) || cursor.take(0x2C, in: text, to: end) {
      var unit = 100_000
      while cursor.position < end, ASCII.isDigit(text[cursor.position]) {
        microsecond += Int(text[cursor.position] - 0x30) * unit
        unit /= 10
        cursor.position += 1
      }
    }
    let reading = Timestamp(
      year: year.value, month: month.value, day: day.value, hour: hour.value, minute: minute.value,
      second: second.value, microsecond: microsecond)
    cursor.skipBlanks(in: text, to: end)
    if cursor.position == end { return Reading(time: reading, hasZone: false) }
    if cursor.position + 1 == end, text[cursor.position] | 0x20 == 0x7A { return Reading(time: reading, hasZone: true) }
    if cursor.position + 3 == end, text.has("UTC", at: cursor.position) { return Reading(time: reading, hasZone: true) }
    let isWest = text[cursor.position] == 0x2D
    guard isWest || text[cursor.position] == 0x2B else { return nil }
    cursor.position += 1
    guard let hours = cursor.digits(in: text, to: end, most: 2), hours.count == 2 else { return nil }
    _ = cursor.take(0x3A, in: text, to: end)
    let minutes = cursor.digits(in: text, to: end, most: 2)?.value ?? 0
    let offset = hours.value * 60 + minutes
    guard cursor.position == end, minutes < 60, offset <= 14 * 60 else { return nil }
    return Reading(time: reading.adding(minutes: isWest ? offset : -offset), hasZone: true)
  }
}

extension EventFields {
  /// Digits, or `0x` and hexadecimal digits, with blanks around them; nil for anything else or beyond 64 bits.
  static func number(_ text: Span<UInt8>, start: Int, end: Int) -> UInt64? {
    var index = start
    var end = end
    while index < end, ASCII.isSpace(text[index]) { index += 1 }
    while end > index, ASCII.isSpace(text[end - 1]) { end -= 1 }
    var radix: UInt64 = 10
    if end - index > 2, text[index] == 0x30, text[index + 1] | 0x20 == 0x78 {
      radix = 16
      index += 2
    }
    guard index < end else { return nil }
    var value: UInt64 = 0
    while index < end {
      guard let digit = ASCII.hexValue(text[index]), UInt64(digit) < radix else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: radix)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      guard !overflow, !carry else { return nil }
      value = sum
      index += 1
    }
    return value
  }

  /// An event id. Classic events may come with their qualifiers packed above it (2147520519 is 36871 below 0x8000).
  static func eventID(_ text: Span<UInt8>, start: Int, end: Int) -> UInt32? {
    guard let value = number(text, start: start, end: end), value <= UInt64(UInt32.max) else { return nil }
    return value > 65535 ? UInt32(value & 0xFFFF) : UInt32(value)
  }

  /// Takes over a data item whose name and value stand in `text`; beyond the limit it is dropped.
  mutating func appendItem(name: Range<Int>, value: Range<Int>) {
    guard data.count < Limits.eventFieldLimit, text.count <= Int(UInt32.max) else { return }
    data.append(
      Item(
        nameStart: name.lowerBound, nameEnd: name.upperBound, valueStart: value.lowerBound,
        valueEnd: value.upperBound))
  }

  /// Appends the name of the `number`th data item that has none of its own, as Windows' own tools count: `param1`.
  mutating func appendPositionalName(_ number: Int) {
    for byte in "param".utf8 { text.append(byte) }
    var divisor = 1
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      text.append(0x30 + UInt8(number / divisor % 10))
      divisor /= 10
    }
  }

  /// `range` without white space at its ends.
  func trimmed(_ range: Range<Int>) -> Range<Int> {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high, ASCII.isSpace(text[low]) { low += 1 }
    while high > low, ASCII.isSpace(text[high - 1]) { high -= 1 }
    return low..<high
  }
}
