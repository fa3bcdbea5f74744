import Records

/// The timestamps of envelopes.
enum ForwarderTime {
  /// Reads `2026-01-02T03:04:05[.678901](Z|+01:00)` at `cursor` and leaves the cursor after it; nil, and the cursor
  /// anywhere, when none stands there. More than six digits of a second are cut.
  /// Source: RFC 3339 §5.6, RFC 5424 §6.2.3.
  static func rfc3339(_ bytes: Span<UInt8>, _ cursor: inout Int, _ end: Int) -> Int64? {
    let start = cursor
    guard end - start >= 20, let year = fixed(bytes, start, 4), bytes[start + 4] == 0x2D,
      let month = fixed(bytes, start + 5, 2), bytes[start + 7] == 0x2D, let day = fixed(bytes, start + 8, 2),
      bytes[start + 10] | 0x20 == 0x74, let clock = clock(bytes, start + 11, end),
      isValid(year, month, day, clock)
    else { return nil }
    var position = start + 19
    let microsecond = fraction(bytes, &position, end)
    guard let microsecond, position < end else { return nil }
    var minutesEast = 0
    switch bytes[position] {
    case 0x5A, 0x7A: position += 1
    case 0x2B, 0x2D:
      guard position + 6 <= end, let hours = fixed(bytes, position + 1, 2), bytes[position + 3] == 0x3A,
        let minutes = fixed(bytes, position + 4, 2), hours < 24, minutes < 60
      else { return nil }
      minutesEast = bytes[position] == 0x2B ? hours * 60 + minutes : -(hours * 60 + minutes)
      position += 6
    default: return nil
    }
    cursor = position
    let local = Timestamp(
      year: year, month: month, day: day, hour: clock.hour, minute: clock.minute, second: clock.second,
      microsecond: microsecond)
    return local.adding(minutes: -minutesEast).microseconds
  }

  /// Passes over `Mmm dd hh:mm:ss[.fraction]` (a day below ten padded with a blank, a zero or nothing); false when
  /// none stands there. It names no year, so it is no instant. Source: RFC 3164 §4.1.2.
  static func skipTraditional(_ bytes: Span<UInt8>, _ cursor: inout Int, _ end: Int) -> Bool {
    let start = cursor
    guard end - start >= 14, isMonth(bytes, start), bytes[start + 3] == 0x20 else { return false }
    var digits = NumberCursor(bytes[start + 4] == 0x20 ? start + 5 : start + 4)
    guard let day = digits.digits(in: bytes, to: end, most: 2)?.value, day >= 1, day <= 31,
      digits.take(0x20, in: bytes, to: end), clock(bytes, digits.position, end) != nil
    else { return false }
    var position = digits.position + 8
    guard fraction(bytes, &position, end) != nil else { return false }
    cursor = position
    return true
  }

  /// `count` digits at `start`, which the caller knows to be inside.
  @inline(__always)
  private static func fixed(_ bytes: Span<UInt8>, _ start: Int, _ count: Int) -> Int? {
    var value = 0
    var index = start
    while index < start + count {
      guard ASCII.isDigit(bytes[index]) else { return nil }
      value = value * 10 + Int(bytes[index] - 0x30)
      index += 1
    }
    return value
  }

  /// `hh:mm:ss` at `start`; a leap second is allowed.
  @inline(__always)
  private static func clock(
    _ bytes: Span<UInt8>, _ start: Int, _ end: Int
  ) -> (hour: Int, minute: Int, second: Int)? {
    guard start + 8 <= end, let hour = fixed(bytes, start, 2), bytes[start + 2] == 0x3A,
      let minute = fixed(bytes, start + 3, 2), bytes[start + 5] == 0x3A, let second = fixed(bytes, start + 6, 2),
      hour < 24, minute < 60, second <= 60
    else { return nil }
    return (hour, minute, second)
  }

  /// Microseconds of an optional `.ddd…` at `position`, which moves past it; nil for a point without digits.
  @inline(__always)
  private static func fraction(_ bytes: Span<UInt8>, _ position: inout Int, _ end: Int) -> Int? {
    guard position < end, bytes[position] == 0x2E else { return 0 }
    position += 1
    var value = 0
    var count = 0
    while position < end, count < 9, ASCII.isDigit(bytes[position]) {
      if count < 6 { value = value * 10 + Int(bytes[position] - 0x30) }
      count += 1
      position += 1
    }
    guard count > 0 else { return nil }
    while count < 6 {
      value *= 10
      count += 1
    }
    return value
  }

  @inline(__always)
  private static func isValid(_ year: Int, _ month: Int, _ day: Int, _ clock: (hour: Int, minute: Int, second: Int))
    -> Bool
  {
    Timestamp.isValid(
      year: year, month: month, day: day, hour: clock.hour, minute: clock.minute, second: clock.second)
  }

  private static func isMonth(_ bytes: Span<UInt8>, _ start: Int) -> Bool {
    switch bytes[start] {
    case 0x4A: bytes.has("Jan", at: start) || bytes.has("Jun", at: start) || bytes.has("Jul", at: start)
    case 0x46: bytes.has("Feb", at: start)
    case 0x4D: bytes.has("Mar", at: start) || bytes.has("May", at: start)
    case 0x41: bytes.has("Apr", at: start) || bytes.has("Aug", at: start)
    case 0x53: bytes.has("Sep", at: start)
    case 0x4F: bytes.has("Oct", at: start)
    case 0x4E: bytes.has("Nov", at: start)
    case 0x44: bytes.has("Dec", at: start)
    default: false
    }
  }
}
