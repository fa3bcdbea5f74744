/// An instant: microseconds since 1970-01-01T00:00:00 UTC, as in journald. Negative before 1970.
@usableFromInline package struct Timestamp: Comparable, Hashable, Sendable {
  @usableFromInline package var microseconds: Int64

  @inlinable package init(microseconds: Int64) { self.microseconds = microseconds }

  /// From a proleptic Gregorian date and time of day in UTC.
  ///
  /// Fields are not range-checked beyond what `isValidDate` does; an overflow of one field carries into the next.
  /// Source: the days-from-civil algorithm, public domain arithmetic on 400-year eras.
  @inlinable
  package init(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, microsecond: Int = 0) {
    let days = Timestamp.daysFromCivil(year: year, month: month, day: day)
    let seconds = Int64(days) * 86400 + Int64(hour) * 3600 + Int64(minute) * 60 + Int64(second)
    microseconds = seconds * 1_000_000 + Int64(microsecond)
  }

  @inlinable package static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.microseconds < right.microseconds
  }

  @inlinable package func adding(minutes: Int) -> Timestamp {
    Timestamp(microseconds: microseconds + Int64(minutes) * 60_000_000)
  }

  /// Days since 1970-01-01 of a civil date.
  @inlinable package static func daysFromCivil(year: Int, month: Int, day: Int) -> Int {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146097 + dayOfEra - 719468
  }

  /// Whether the fields name a day that exists and a time of day; a leap second (60) is allowed.
  @inlinable
  package static func isValid(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) -> Bool {
    guard year >= 1601, year <= 9998, month >= 1, month <= 12, day >= 1 else { return false }
    let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
    // Bits 4, 6, 9 and 11: the months of thirty days.
    let length = month == 2 ? (isLeap ? 29 : 28) : 0xA50 >> month & 1 == 1 ? 30 : 31
    guard day <= length else { return false }
    return hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second <= 60
  }

  /// The civil date and time of day in UTC.
  package var civil: (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, microsecond: Int) {
    var seconds = microseconds / 1_000_000
    var rest = microseconds % 1_000_000
    if rest < 0 {
      rest += 1_000_000
      seconds -= 1
    }
    var days = seconds / 86400
    var ofDay = seconds % 86400
    if ofDay < 0 {
      ofDay += 86400
      days -= 1
    }
    let z = days + 719468
    let era = (z >= 0 ? z : z - 146096) / 146097
    let dayOfEra = z - era * 146097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shifted + 2) / 5 + 1
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (
      Int(year), Int(month), Int(day), Int(ofDay / 3600), Int(ofDay / 60 % 60), Int(ofDay % 60), Int(rest)
    )
  }

  /// RFC 3339 in UTC with milliseconds, as in every output: `2026-03-02T06:00:00.123Z`.
  package func appendRFC3339(to out: inout [UInt8]) {
    let c = civil
    func digits(_ value: Int, _ width: Int) {
      var divisor = 1
      for _ in 1..<width { divisor *= 10 }
      var rest = value
      for _ in 0..<width {
        out.append(UInt8(48 + (rest / divisor) % 10))
        rest %= divisor
        divisor = max(1, divisor / 10)
      }
    }
    digits(c.year, 4)
    out.append(0x2D)
    digits(c.month, 2)
    out.append(0x2D)
    digits(c.day, 2)
    out.append(0x54)
    digits(c.hour, 2)
    out.append(0x3A)
    digits(c.minute, 2)
    out.append(0x3A)
    digits(c.second, 2)
    out.append(0x2E)
    digits(c.microsecond / 1000, 3)
    out.append(0x5A)
  }

  package var rfc3339: String {
    var out: [UInt8] = []
    appendRFC3339(to: &out)
    return String(decoding: out, as: UTF8.self)
  }
}

/// The offsets of a time zone, for records that carry none: what `--time-zone` and `time-zone:` become.
package struct ZoneRules: Sendable {
  /// Instants at which the offset changes, ascending, in UTC, and the offset from then on in minutes east of UTC.
  package var transitions: [(at: Timestamp, minutesEast: Int)]
  /// The offset before the first transition.
  package var initialMinutesEast: Int
  package var name: String

  package init(name: String, initialMinutesEast: Int, transitions: [(at: Timestamp, minutesEast: Int)]) {
    self.name = name
    self.initialMinutesEast = initialMinutesEast
    self.transitions = transitions
  }

  package static let utc = ZoneRules(name: "UTC", initialMinutesEast: 0, transitions: [])

  /// The instant that a local wall-clock reading names; `local` is that reading taken as if it were UTC.
  ///
  /// In the repeated hour of an autumn change the earlier instant is taken; in the skipped hour of spring the
  /// offset before the change.
  package func instant(ofLocal local: Timestamp) -> Timestamp {
    var low = 0
    var high = transitions.count
    while low < high {
      let middle = (low + high) / 2
      // In local time the change happens at the old offset's reading.
      let before = middle == 0 ? initialMinutesEast : transitions[middle - 1].minutesEast
      let changeLocal = transitions[middle].at.adding(minutes: max(before, transitions[middle].minutesEast))
      if changeLocal <= local { low = middle + 1 } else { high = middle }
    }
    let offset = low == 0 ? initialMinutesEast : transitions[low - 1].minutesEast
    return local.adding(minutes: -offset)
  }
}
