import ArgumentParser
import Foundation
import Records

extension Timestamp {
  /// Reads `2026-03-02`, `2026-03-02T06:00`, `2026-03-02T06:00:00Z`, `…+01:00`; without zone it is UTC.
  init?(argument text: String) {
    let bytes = Array(text.utf8)
    let span = bytes.span
    var cursor = NumberCursor(0)
    guard let year = cursor.digits(in: span, to: bytes.count, most: 4), year.count == 4,
      cursor.take(0x2D, in: span, to: bytes.count), let month = cursor.digits(in: span, to: bytes.count, most: 2),
      cursor.take(0x2D, in: span, to: bytes.count), let day = cursor.digits(in: span, to: bytes.count, most: 2)
    else { return nil }
    var hour = 0
    var minute = 0
    var second = 0
    var microsecond = 0
    var east = 0
    if cursor.take(0x54, in: span, to: bytes.count) || cursor.take(0x20, in: span, to: bytes.count) {
      guard let h = cursor.digits(in: span, to: bytes.count, most: 2), cursor.take(0x3A, in: span, to: bytes.count),
        let m = cursor.digits(in: span, to: bytes.count, most: 2)
      else { return nil }
      hour = h.value
      minute = m.value
      if cursor.take(0x3A, in: span, to: bytes.count) {
        guard let s = cursor.digits(in: span, to: bytes.count, most: 2) else { return nil }
        second = s.value
        if cursor.take(0x2E, in: span, to: bytes.count) {
          guard let fraction = cursor.digits(in: span, to: bytes.count, most: 9) else { return nil }
          microsecond = fraction.value
          for _ in fraction.count..<9 { microsecond *= 10 }
          microsecond /= 1000
        }
      }
      if !cursor.take(0x5A, in: span, to: bytes.count), cursor.position < bytes.count {
        let isWest = bytes[cursor.position] == 0x2D
        guard isWest || bytes[cursor.position] == 0x2B else { return nil }
        cursor.position += 1
        guard let h = cursor.digits(in: span, to: bytes.count, most: 2) else { return nil }
        _ = cursor.take(0x3A, in: span, to: bytes.count)
        let m = cursor.digits(in: span, to: bytes.count, most: 2)?.value ?? 0
        east = (h.value * 60 + m) * (isWest ? -1 : 1)
      }
    }
    guard cursor.position == bytes.count,
      Timestamp.isValid(
        year: year.value, month: month.value, day: day.value, hour: hour, minute: minute, second: second)
    else { return nil }
    self = Timestamp(
      year: year.value, month: month.value, day: day.value, hour: hour, minute: minute, second: second,
      microsecond: microsecond
    ).adding(minutes: -east)
  }
}

/// `--since` and `--until`.
struct TimeArgument: ExpressibleByArgument {
  let time: Timestamp
  init?(argument: String) {
    guard let time = Timestamp(argument: argument) else { return nil }
    self.time = time
  }
}

/// `--time-zone`: a name of the time zone database.
struct ZoneArgument: ExpressibleByArgument {
  let rules: ZoneRules

  init?(argument: String) {
    guard let zone = TimeZone(identifier: argument) else { return nil }
    // Logs reach back some years and clocks may run ahead: transitions of 1990 to 2050.
    var transitions: [(at: Timestamp, minutesEast: Int)] = []
    var date = Date(timeIntervalSince1970: 631_152_000)
    let end = Date(timeIntervalSince1970: 2_524_608_000)
    let initial = zone.secondsFromGMT(for: date) / 60
    while let next = zone.nextDaylightSavingTimeTransition(after: date), next < end, next > date {
      transitions.append(
        (Timestamp(microseconds: Int64(next.timeIntervalSince1970) * 1_000_000), zone.secondsFromGMT(for: next) / 60))
      date = next
    }
    rules = ZoneRules(name: argument, initialMinutesEast: initial, transitions: transitions)
  }
}
