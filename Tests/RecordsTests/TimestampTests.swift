import Records
import Testing

@Suite struct TimestampTests {
  @Test func knownInstants() {
    #expect(Timestamp(year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0).microseconds == 0)
    #expect(
      Timestamp(year: 2026, month: 3, day: 2, hour: 6, minute: 0, second: 0, microsecond: 123_000).rfc3339
        == "2026-03-02T06:00:00.123Z")
    #expect(Timestamp(microseconds: -1).rfc3339 == "1969-12-31T23:59:59.999Z")
    #expect(
      Timestamp(year: 2000, month: 2, day: 29, hour: 23, minute: 59, second: 59).rfc3339 == "2000-02-29T23:59:59.000Z")
  }

  /// Every day from 1900 to 2100 goes to a number and back.
  @Test func everyDayRoundTrips() {
    let first = Timestamp.daysFromCivil(year: 1900, month: 1, day: 1)
    let last = Timestamp.daysFromCivil(year: 2100, month: 12, day: 31)
    for day in first...last {
      let civil = Timestamp(microseconds: Int64(day) * 86_400_000_000).civil
      #expect(Timestamp.daysFromCivil(year: civil.year, month: civil.month, day: civil.day) == day)
    }
  }

  @Test(arguments: [
    (2026, 2, 29, false), (2024, 2, 29, true), (1900, 2, 29, false), (2000, 2, 29, true), (2026, 4, 31, false),
    (2026, 13, 1, false), (2026, 0, 1, false), (2026, 1, 0, false), (1600, 1, 1, false),
  ])
  func dates(year: Int, month: Int, day: Int, isValid: Bool) {
    #expect(Timestamp.isValid(year: year, month: month, day: day, hour: 0, minute: 0, second: 0) == isValid)
  }

  @Test func timesOfDay() {
    #expect(Timestamp.isValid(year: 2026, month: 1, day: 1, hour: 23, minute: 59, second: 60))
    #expect(!Timestamp.isValid(year: 2026, month: 1, day: 1, hour: 24, minute: 0, second: 0))
    #expect(!Timestamp.isValid(year: 2026, month: 1, day: 1, hour: 0, minute: 60, second: 0))
  }

  /// Central Europe 2026: summer time from 29 March 01:00 UTC to 25 October 01:00 UTC.
  @Test func zoneRules() {
    let zone = ZoneRules(
      name: "Europe/Berlin", initialMinutesEast: 60,
      transitions: [
        (Timestamp(year: 2026, month: 3, day: 29, hour: 1, minute: 0, second: 0), 120),
        (Timestamp(year: 2026, month: 10, day: 25, hour: 1, minute: 0, second: 0), 60),
      ])
    func utc(_ month: Int, _ day: Int, _ hour: Int, _ minute: Int = 0) -> String {
      zone.instant(
        ofLocal: Timestamp(year: 2026, month: month, day: day, hour: hour, minute: minute, second: 0)
      ).rfc3339
    }
    #expect(utc(1, 15, 12) == "2026-01-15T11:00:00.000Z")
    #expect(utc(7, 15, 12) == "2026-07-15T10:00:00.000Z")
    #expect(utc(3, 29, 1, 59) == "2026-03-29T00:59:00.000Z")
    #expect(utc(3, 29, 3) == "2026-03-29T01:00:00.000Z")
    // 02:30 happens twice in October: the earlier instant is taken.
    #expect(utc(10, 25, 2, 30) == "2026-10-25T00:30:00.000Z")
    #expect(utc(10, 25, 3) == "2026-10-25T02:00:00.000Z")
    #expect(utc(12, 1, 12) == "2026-12-01T11:00:00.000Z")
  }
}
