import CKernels
import Records

/// The sightings of a run, joined: one row for each (client, server, role, protocol, cipher, outcome) with the first and last time
/// and a count. Noting in any order gives the same rows; merging two censuses is a union.
///
/// Layout: rows in a flat array, found through an open-addressing index of row numbers + 1 (0 is free, linear
/// probe, at most half full). The hash is seeded per run: log text chooses the keys.
package struct Census: Sendable {
  package struct Row: Sendable {
    package var key: SightingKey
    package var first: Int64
    package var last: Int64
    package var count: UInt64
  }

  package private(set) var rows: [Row] = []
  private var index: [UInt32]
  private let seed: UInt64
  private let limit: Int
  /// Sightings that found the census full.
  package private(set) var refusedCount: UInt64 = 0

  package init(seed: UInt64 = UInt64.random(in: .min ... .max), limit: Int = Limits.sightingLimit) {
    self.seed = seed
    self.limit = limit
    index = Array(repeating: 0, count: 1024)
  }

  package mutating func note(_ columns: borrowing SightingColumns) {
    // A table of 50,000 clients is larger than the caches: each row would wait for its slot and then for its row. So the
    // slots of a block are asked for first, then their rows, and the misses overlap.
    let keys = columns.keys
    let times = columns.times
    var hashes = InlineArray<64, Int>(repeating: 0)
    var position = 0
    while position < keys.count {
      let count = min(64, keys.count - position)
      let mask = index.count - 1
      for offset in 0..<count {
        hashes[offset] = Int(truncatingIfNeeded: hash(keys[position + offset]))
      }
      unsafe index.withUnsafeBufferPointer { slots in
        let base = slots.baseAddress!
        for offset in 0..<count { unsafe hk_prefetch(base + (hashes[offset] & mask)) }
        unsafe rows.withUnsafeBufferPointer { rows in
          guard let first = rows.baseAddress else { return }
          for offset in 0..<count {
            let entry = unsafe Int(slots[hashes[offset] & mask])
            if entry != 0 { unsafe hk_prefetch(first + (entry - 1)) }
          }
        }
      }
      for offset in 0..<count {
        let time = times[position + offset]
        add(keys[position + offset], hash: hashes[offset], first: time, last: time, count: 1)
      }
      position += count
    }
  }

  /// Adds the rows of another census of the same name table.
  package mutating func merge(_ other: Census) {
    for row in other.rows {
      add(row.key, hash: Int(truncatingIfNeeded: hash(row.key)), first: row.first, last: row.last, count: row.count)
    }
    refusedCount += other.refusedCount
  }

  private mutating func add(_ key: SightingKey, hash: Int, first: Int64, last: Int64, count: UInt64) {
    let mask = index.count - 1
    var slot = hash & mask
    while true {
      let entry = index[slot]
      if entry == 0 { break }
      let row = Int(entry) - 1
      if rows[row].key == key {
        // `Int64.min` stands for no time and never moves a bound.
        if first != .min {
          if rows[row].first == .min || first < rows[row].first { rows[row].first = first }
          if last > rows[row].last { rows[row].last = last }
        }
        rows[row].count += count
        return
      }
      slot = (slot + 1) & mask
    }
    guard rows.count < limit else {
      refusedCount += count
      return
    }
    rows.append(Row(key: key, first: first, last: last, count: count))
    index[slot] = UInt32(rows.count)
    if rows.count * 2 > index.count { grow() }
  }

  private mutating func grow() {
    index = Array(repeating: 0, count: index.count * 2)
    let mask = index.count - 1
    for (number, row) in rows.enumerated() {
      var slot = Int(truncatingIfNeeded: hash(row.key)) & mask
      while index[slot] != 0 { slot = (slot + 1) & mask }
      index[slot] = UInt32(number + 1)
    }
  }

  /// Multiply and fold over the key's words (the mixing step of wyhash), seeded.
  private func hash(_ key: SightingKey) -> UInt64 {
    var value = SeededHash.mix(key.clientLow ^ seed, key.clientHigh ^ 0x9E37_79B9_7F4A_7C15)
    value = SeededHash.mix(
      value ^ (UInt64(key.server) << 32 | UInt64(key.role)),
      0xD6E8_FEB8_6659_FD93 ^ (UInt64(key.protocolName) << 32 | UInt64(key.cipher)))
    return SeededHash.mix(
      value ^ (UInt64(key.system) << 16 | UInt64(key.outcome) << 8 | (key.isAddress ? 1 : 0)), 0xA076_1D64_78BD_642F)
  }
}
