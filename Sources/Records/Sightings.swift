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

/// The sightings of one batch, in columns: `times[i]` belongs to `keys[i]`; `Int64.min` when the record has no time.
package struct SightingColumns: Sendable {
  package var keys: [SightingKey] = []
  package var times: [Int64] = []

  package init() {}

  @inlinable
  package mutating func append(_ key: SightingKey, at time: Int64) {
    keys.append(key)
    times.append(time)
  }

  package mutating func removeAll() {
    keys.removeAll(keepingCapacity: true)
    times.removeAll(keepingCapacity: true)
  }
}
