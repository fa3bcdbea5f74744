import Records

/// When the logs of a corpus were written, and on which clock: what `--time-zone` is told of records that name no zone.
struct Season: Sendable {
  /// Microseconds since 1970 UTC; every log begins within an hour of it.
  var start: Int64
  var zone: ZoneRules

  /// A zone that changes nothing, from 2026-03-02T00:00:00Z on.
  static let utc = Season(start: 1_772_409_600_000_000, zone: .utc)

  /// The night of 29 March 2026 in Central Europe: at 01:00 UTC, half an hour behind the start and so within what each
  /// format tells, clocks go from 02:00 to 03:00. No local time is there twice, so each names one instant.
  /// Source: Directive 2000/84/EC, the last Sunday of March at one o'clock.
  static let springNight = Season(
    start: 1_774_744_200_000_000,
    zone: ZoneRules(
      name: "Europe/Berlin", initialMinutesEast: 60,
      transitions: [(at: Timestamp(microseconds: 1_774_746_000_000_000), minutesEast: 120)]))

  /// Minutes east of UTC at an instant.
  func minutesEast(at time: Timestamp) -> Int {
    zone.transitions.last { $0.at <= time }?.minutesEast ?? zone.initialMinutesEast
  }

  /// What a clock on the wall shows, as if it were UTC.
  func local(_ time: Timestamp) -> Timestamp { time.adding(minutes: minutesEast(at: time)) }
}
