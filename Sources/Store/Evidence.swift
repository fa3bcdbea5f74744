import Records

/// Who stood at the client's end, as far as the record told: never re-keyed when more becomes known.
package enum Party: Hashable, Sendable {
  case address(IPAddress)
  case host(String)
  case guid(String)
}

/// The quarter hours of one UTC day, as bits: joined by union.
///
/// Layout: quarter 0 is 00:00–00:15; 48 quarters before noon in `early`, 48 after it in `late`. Two words and not a
/// blob, so that SQLite joins them by `|`.
package struct QuarterHours: Hashable, Sendable {
  package static let length: Int64 = 15 * 60 * 1_000_000
  package var early: UInt64
  package var late: UInt64

  package init(early: UInt64 = 0, late: UInt64 = 0) {
    self.early = early
    self.late = late
  }

  /// - Precondition: 0 ≤ `quarter` < 96.
  package mutating func insert(_ quarter: Int) {
    precondition(quarter >= 0 && quarter < 96)
    if quarter < 48 { early |= 1 << UInt64(quarter) } else { late |= 1 << UInt64(quarter - 48) }
  }

  package func contains(_ quarter: Int) -> Bool {
    quarter < 48 ? early >> UInt64(quarter) & 1 == 1 : late >> UInt64(quarter - 48) & 1 == 1
  }

  package mutating func formUnion(_ other: QuarterHours) {
    early |= other.early
    late |= other.late
  }

  package var count: Int { early.nonzeroBitCount + late.nonzeroBitCount }
}

/// What one party did with one server on one UTC day: the cold form of sightings.
///
/// Everything but `count` is a join (bits by or, `first` by min, `last` by max): told twice it changes nothing. `count`
/// is a sum; the store adds it only with the bytes that it was counted from (`Extent`).
package struct Activity: Hashable, Sendable {
  package var server: String
  package var party: Party
  package var role: String
  package var protocolName: String
  package var cipher: String
  package var outcome: Outcome
  /// Days since 1970-01-01 UTC.
  package var day: Int
  package var quarters: QuarterHours
  package var first: Timestamp
  package var last: Timestamp
  package var count: UInt64
  /// Some records were not counted, since their bytes lay partly in a part that was counted before: "at least".
  package var isLowerBound = false

  /// One exchange at one time; unknown names are empty.
  package init(
    server: String, party: Party, at time: Timestamp, role: String = "", protocolName: String = "",
    cipher: String = "", outcome: Outcome, count: UInt64 = 1
  ) {
    self.server = server
    self.party = party
    self.role = role
    self.protocolName = protocolName
    self.cipher = cipher
    self.outcome = outcome
    day = Activity.day(of: time)
    quarters = QuarterHours()
    let ofDay = time.microseconds - Int64(day) * Activity.dayLength
    quarters.insert(Int(ofDay / QuarterHours.length))
    first = time
    last = time
    self.count = count
  }

  init(
    server: String, party: Party, role: String, protocolName: String, cipher: String, outcome: Outcome, day: Int,
    quarters: QuarterHours, first: Timestamp, last: Timestamp, count: UInt64, isLowerBound: Bool
  ) {
    self.server = server
    self.party = party
    self.role = role
    self.protocolName = protocolName
    self.cipher = cipher
    self.outcome = outcome
    self.day = day
    self.quarters = quarters
    self.first = first
    self.last = last
    self.count = count
    self.isLowerBound = isLowerBound
  }

  /// Adds another of the same key: what a caller does to send one row for a whole batch.
  package mutating func merge(_ other: Activity) {
    quarters.formUnion(other.quarters)
    first = min(first, other.first)
    last = max(last, other.last)
    count += other.count
    isLowerBound = isLowerBound || other.isLowerBound
  }

  static let dayLength: Int64 = 86_400_000_000

  static func day(of time: Timestamp) -> Int {
    let days = time.microseconds / dayLength
    return Int(time.microseconds % dayLength < 0 ? days - 1 : days)
  }
}

/// That an address, a host name and a GUID (two of them, or all) were the same machine for a while.
///
/// The key is everything but `until`, which grows by max. Whoever writes aliases chooses the granularity of `from`, a
/// lease's beginning or a day: two tellings with different `from` stay apart, so that another holder of the address
/// between them is not covered up.
package struct Alias: Hashable, Sendable {
  package var address: IPAddress?
  package var host: String?
  package var guid: String?
  package var from: Timestamp
  package var until: Timestamp
  /// What told it: `dhcp`, `mp`, `client-log` …
  package var source: String

  package init(
    address: IPAddress? = nil, host: String? = nil, guid: String? = nil, from: Timestamp, until: Timestamp,
    source: String
  ) {
    self.address = address
    self.host = host
    self.guid = guid
    self.from = from
    self.until = until
    self.source = source
  }
}

/// A finding with the identity of the file it was read from; `Finding.stream` means nothing beyond one process.
package struct StoredFinding: Sendable, Equatable {
  package var file: String
  package var finding: Finding
  /// False keeps the finding out of every join by time.
  package var isTimePlausible: Bool

  package init(file: String, finding: Finding, isTimePlausible: Bool = true) {
    self.file = file
    self.finding = finding
    self.isTimePlausible = isTimePlausible
  }
}

/// The evidence of one run of bytes of one file.
///
/// Shape: `from` ≤ `to`, and every finding's offset lies between. The extents of a file are counted in order: bytes
/// before the end of the last counted extent count no more, whoever brings them.
package struct Extent: Sendable, Equatable {
  package struct Item: Sendable, Equatable {
    package var finding: Finding
    package var isTimePlausible: Bool

    package init(_ finding: Finding, isTimePlausible: Bool = true) {
      self.finding = finding
      self.isTimePlausible = isTimePlausible
    }
  }

  /// Identity of the file, the same for every path and transport that it is seen through.
  package var file: String
  package var from: UInt64
  package var to: UInt64
  package var findings: [Item] = []
  package var activities: [Activity] = []

  package init(file: String, from: UInt64, to: UInt64) {
    precondition(from <= to)
    self.file = file
    self.from = from
    self.to = to
  }
}
