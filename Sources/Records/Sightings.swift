/// Who reached whom, how and with what outcome: the key of the census. Names are ids of a `NameTable`, 0 is unknown.
package struct SightingKey: Hashable, Sendable {
  /// The client's address when `isAddress`; else `clientLow` is the id of its name.
  package var clientHigh: UInt64
  package var clientLow: UInt64
  package var server: UInt32
  package var role: UInt32
  package var protocolName: UInt32
  package var cipher: UInt32
  package var system: UInt32
  package var isAddress: Bool
  /// 0 succeeded, 1 refused, 2 failed.
  package var outcome: UInt8

  package init(
    clientHigh: UInt64 = 0, clientLow: UInt64 = 0, isAddress: Bool = false, server: UInt32 = 0, role: UInt32 = 0,
    protocolName: UInt32 = 0, cipher: UInt32 = 0, system: UInt32 = 0, outcome: UInt8 = 0
  ) {
    self.clientHigh = clientHigh
    self.clientLow = clientLow
    self.isAddress = isAddress
    self.server = server
    self.role = role
    self.protocolName = protocolName
    self.cipher = cipher
    self.system = system
    self.outcome = outcome
  }
}

/// The sightings of one batch, in columns: who came, when, and the number of what else was seen, which repeats and stands
/// once in `facts`. A time is `Int64.min` when the record has none.
package struct SightingColumns: Sendable {
  /// Keys without their clients, in no order; the same may stand more than once.
  package private(set) var facts: [SightingKey] = []
  package private(set) var numbers: [UInt32] = []
  package private(set) var clientHighs: [UInt64] = []
  package private(set) var clientLows: [UInt64] = []
  package private(set) var times: [Int64] = []

  package init() {}

  package var count: Int { times.count }

  package func key(at index: Int) -> SightingKey {
    var key = facts[Int(numbers[index])]
    key.clientHigh = clientHighs[index]
    key.clientLow = clientLows[index]
    return key
  }

  package mutating func append(_ key: SightingKey, at time: Int64) {
    var bare = key
    bare.clientHigh = 0
    bare.clientLow = 0
    if facts.last != bare { facts.append(bare) }
    numbers.append(UInt32(facts.count - 1))
    clientHighs.append(key.clientHigh)
    clientLows.append(key.clientLow)
    times.append(time)
  }

  /// Appends sightings that say what else was seen by its place in `others`.
  package mutating func append(
    facts others: [SightingKey], numbers otherNumbers: UnsafeBufferPointer<UInt32>,
    clientHighs highs: UnsafeBufferPointer<UInt64>, clientLows lows: UnsafeBufferPointer<UInt64>,
    times otherTimes: UnsafeBufferPointer<Int64>
  ) {
    let base = UInt32(facts.count)
    facts.append(contentsOf: others)
    let first = numbers.count
    unsafe numbers.append(contentsOf: otherNumbers)
    if base > 0 { for index in first..<numbers.count { numbers[index] += base } }
    unsafe clientHighs.append(contentsOf: highs)
    unsafe clientLows.append(contentsOf: lows)
    unsafe times.append(contentsOf: otherTimes)
  }

  package mutating func removeAll() {
    facts.removeAll(keepingCapacity: true)
    numbers.removeAll(keepingCapacity: true)
    clientHighs.removeAll(keepingCapacity: true)
    clientLows.removeAll(keepingCapacity: true)
    times.removeAll(keepingCapacity: true)
  }
}
