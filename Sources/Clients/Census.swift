import CKernels
import Glibc
import Records

/// The sightings of a run, joined: one row for each (client, server, role, protocol, cipher, outcome) with the first and last time
/// and a count. Noting in any order gives the same rows; merging two censuses is a union.
///
/// Layout: who came is told by 16 bytes, what else a key holds repeats and is one number (`facts`), so that a row of the
/// table takes 40 bytes. Rows lie side by side and are found through an index at most two thirds full:
///
///     index   | tag of the hash, 10 bits | row + 1, 22 bits, 0 is free |   linear probe
///     rows    | client, 16 bytes | first | last | count, 40 bits, and facts, 24 bits |
///
/// The hash is seeded per run: log text chooses the keys.
package struct Census: Sendable {
  package struct Row: Sendable {
    package var key: SightingKey
    package var first: Int64
    package var last: Int64
    package var count: UInt64
  }

  private var table: CensusTable
  private let limit: Int
  /// Sightings that found the census full.
  package private(set) var refusedCount: UInt64 = 0

  package init(seed: UInt64 = UInt64.random(in: .min ... .max), limit: Int = Limits.sightingLimit) {
    table = CensusTable(seed: seed)
    self.limit = min(limit, CensusTable.rowLimit)
  }

  package var rowCount: Int { table.count }

  /// The different keys without their clients; `forEachClient` gives their numbers.
  package var keysWithoutClients: [SightingKey] { table.keys }

  /// Calls `body` for every row, in no order that means anything, with the client and the number of what else its key
  /// holds: nothing is copied, however many rows there are.
  package func forEachClient(_ body: (_ high: UInt64, _ low: UInt64, _ number: Int) -> Void) {
    for row in 0..<table.count { table.visit(row, body) }
  }

  /// Every row, in no order that means anything.
  package var rows: [Row] { (0..<table.count).map { table.row($0) } }

  package mutating func note(_ columns: borrowing SightingColumns) {
    unshare()
    // A table of 50,000 clients is larger than the caches: each row would wait for its place in the index and then for
    // its row. So the places of a block are asked for first, then their rows, and the misses overlap.
    let keys = columns.keys
    let times = columns.times
    var hashes = InlineArray<64, UInt64>(repeating: 0)
    var facts = InlineArray<64, UInt32>(repeating: 0)
    var position = 0
    unsafe keys.withUnsafeBufferPointer { keys in
      while position < keys.count {
        let count = min(64, keys.count - position)
        for offset in 0..<count {
          facts[offset] = unsafe table.factsNumber(of: keys[position + offset], isFull: table.count >= limit)
          hashes[offset] = unsafe table.hash(
            keys[position + offset].clientHigh, keys[position + offset].clientLow, facts[offset])
          table.prefetchIndex(hashes[offset])
        }
        for offset in 0..<count { table.prefetchRow(hashes[offset]) }
        for offset in 0..<count {
          let time = times[position + offset]
          unsafe add(
            keys[position + offset].clientHigh, keys[position + offset].clientLow, facts[offset], hashes[offset],
            first: time, last: time, count: 1)
        }
        position += count
      }
    }
  }

  /// Adds the rows of another census of the same name table.
  package mutating func merge(_ other: Census) {
    unshare()
    for number in 0..<other.table.count {
      let row = other.table.row(number)
      let facts = table.factsNumber(of: row.key, isFull: table.count >= limit)
      add(
        row.key.clientHigh, row.key.clientLow, facts, table.hash(row.key.clientHigh, row.key.clientLow, facts),
        first: row.first, last: row.last, count: row.count)
    }
    refusedCount += other.refusedCount
  }

  /// A census that was copied is another one once it changes.
  private mutating func unshare() {
    if !isKnownUniquelyReferenced(&table) { table = CensusTable(copying: table) }
  }

  private mutating func add(
    _ high: UInt64, _ low: UInt64, _ facts: UInt32, _ hash: UInt64, first: Int64, last: Int64, count: UInt64
  ) {
    if !table.add(high, low, facts, hash, first: first, last: last, count: count, limit: limit) {
      refusedCount += count
    }
  }
}

/// The memory of a census: plain, so that no use of it is checked for another one at the same time.
@safe private final class CensusTable: @unchecked Sendable {
  // `@unchecked`: owned by one `Census`; one that is copied is not changed (`Census.unshare`).

  private struct Entry {
    var high: UInt64
    var low: UInt64
    var first: Int64
    var last: Int64
    /// The count times 2^24, and the number of the facts.
    var countAndFacts: UInt64

    init(high: UInt64, low: UInt64, first: Int64, last: Int64, count: UInt64, facts: UInt32) {
      self.high = high
      self.low = low
      self.first = first
      self.last = last
      countAndFacts = count << 24 | UInt64(facts)
    }

    var facts: UInt32 { UInt32(truncatingIfNeeded: countAndFacts & 0xFF_FFFF) }
    var count: UInt64 { countAndFacts >> 24 }
  }

  /// A key's words beside its client.
  private struct Facts: Hashable {
    var serverAndRole: UInt64
    var protocolAndCipher: UInt64
    var rest: UInt64

    init(_ key: SightingKey) {
      serverAndRole = UInt64(key.server) << 32 | UInt64(key.role)
      protocolAndCipher = UInt64(key.protocolName) << 32 | UInt64(key.cipher)
      rest = UInt64(key.system) << 16 | UInt64(key.outcome) << 8 | (key.isAddress ? 1 : 0)
    }
  }

  private let seed: UInt64
  private var entries: UnsafeMutablePointer<Entry>
  private(set) var count = 0
  private var capacity: Int
  private var index: UnsafeMutablePointer<UInt32>
  /// Bits of a word of the index that tell the row.
  private static let rowBits: UInt32 = 0x3F_FFFF
  /// More rows have no number there.
  static let rowLimit = Int(rowBits)

  private static func tag(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash >> 54) << 22 }

  private var mask: Int
  /// By number: keys without their client.
  private(set) var keys: [SightingKey] = []
  private var numbers: [Facts: UInt32] = [:]
  /// The last that came by each of 256 hashes: most keys repeat.
  private var recent: [(facts: Facts, number: UInt32)]

  init(seed: UInt64) {
    self.seed = seed
    capacity = 1024
    unsafe entries = CensusTable.memory(capacity)
    mask = 2047
    unsafe index = .allocate(capacity: mask + 1)
    unsafe index.initialize(repeating: 0, count: mask + 1)
    var none = Facts(SightingKey())
    none.rest = .max
    recent = Array(repeating: (none, 0), count: 256)
  }

  init(copying other: CensusTable) {
    seed = other.seed
    capacity = other.capacity
    count = other.count
    mask = other.mask
    keys = other.keys
    numbers = other.numbers
    recent = other.recent
    unsafe entries = CensusTable.memory(capacity)
    unsafe entries.initialize(from: other.entries, count: count)
    unsafe index = .allocate(capacity: mask + 1)
    unsafe index.initialize(from: other.index, count: mask + 1)
  }

  /// Of `malloc`, because it is to grow by `realloc`.
  private static func memory(_ capacity: Int) -> UnsafeMutablePointer<Entry> {
    unsafe malloc(capacity * MemoryLayout<Entry>.stride)!.assumingMemoryBound(to: Entry.self)
  }

  deinit {
    unsafe free(entries)
    unsafe index.deallocate()
  }

  func row(_ number: Int) -> Census.Row {
    let entry = unsafe entries[number]
    var key = keys[Int(entry.facts)]
    key.clientHigh = entry.high
    key.clientLow = entry.low
    return Census.Row(key: key, first: entry.first, last: entry.last, count: entry.count)
  }

  func visit(_ number: Int, _ body: (UInt64, UInt64, Int) -> Void) {
    let entry = unsafe entries[number]
    body(entry.high, entry.low, Int(entry.facts))
  }

  /// Stands for more facts than are kept; no row has it.
  static let noFacts: UInt32 = 0xFF_FFFF

  /// The number of a key's words beside its client.
  func factsNumber(of key: SightingKey, isFull: Bool) -> UInt32 {
    let facts = Facts(key)
    let mixed =
      (facts.serverAndRole &* 0x9E37_79B9_7F4A_7C15) ^ (facts.protocolAndCipher &* 0xD6E8_FEB8_6659_FD93)
      ^ (facts.rest &* 0xA076_1D64_78BD_642F)
    let slot = Int(mixed >> 56)
    if recent[slot].facts == facts { return recent[slot].number }
    let number: UInt32
    if let known = numbers[facts] {
      number = known
    } else if isFull || keys.count == Limits.sightingFactsLimit {
      return CensusTable.noFacts
    } else {
      number = UInt32(keys.count)
      var bare = key
      bare.clientHigh = 0
      bare.clientLow = 0
      keys.append(bare)
      numbers[facts] = number
    }
    recent[slot] = (facts, number)
    return number
  }

  /// Multiply and fold over the words (the mixing step of wyhash), seeded.
  @inline(__always)
  func hash(_ high: UInt64, _ low: UInt64, _ facts: UInt32) -> UInt64 {
    SeededHash.mix(SeededHash.mix(low ^ seed, high ^ 0x9E37_79B9_7F4A_7C15) ^ UInt64(facts), 0xA076_1D64_78BD_642F)
  }

  @inline(__always)
  func prefetchIndex(_ hash: UInt64) { unsafe hk_prefetch(index + (Int(truncatingIfNeeded: hash) & mask)) }

  @inline(__always)
  func prefetchRow(_ hash: UInt64) {
    let entry = unsafe Int(index[Int(truncatingIfNeeded: hash) & mask] & CensusTable.rowBits)
    guard entry != 0 else { return }
    // A row may lie across two cache lines.
    unsafe hk_prefetch(entries + (entry - 1))
    unsafe hk_prefetch(UnsafeRawPointer(entries + entry) - 1)
  }

  /// False when the row is new and there are `limit` already.
  func add(
    _ high: UInt64, _ low: UInt64, _ facts: UInt32, _ hash: UInt64, first: Int64, last: Int64, count added: UInt64,
    limit: Int
  ) -> Bool {
    let tag = CensusTable.tag(hash)
    var slot = Int(truncatingIfNeeded: hash) & mask
    while true {
      let word = unsafe index[slot]
      if word == 0 { break }
      if word & ~CensusTable.rowBits == tag {
        let entry = unsafe entries + (Int(word & CensusTable.rowBits) - 1)
        if unsafe entry.pointee.low == low && entry.pointee.high == high && entry.pointee.facts == facts {
          // `Int64.min` stands for no time and never moves a bound.
          if first != .min {
            if unsafe entry.pointee.first == .min || first < entry.pointee.first { unsafe entry.pointee.first = first }
            if unsafe last > entry.pointee.last { unsafe entry.pointee.last = last }
          }
          // 2^40 sightings of one row are more than a run can hold.
          unsafe entry.pointee.countAndFacts &+= added << 24
          return true
        }
      }
      slot = (slot + 1) & mask
    }
    guard count < limit, facts != CensusTable.noFacts else { return false }
    if count == capacity {
      capacity *= 2
      // `realloc` moves pages, not bytes, once there are many.
      let grown = unsafe realloc(entries, capacity * MemoryLayout<Entry>.stride)
      unsafe entries = grown!.assumingMemoryBound(to: Entry.self)
    }
    unsafe (entries + count).initialize(
      to: Entry(high: high, low: low, first: first, last: last, count: added, facts: facts))
    count += 1
    unsafe index[slot] = tag | UInt32(count)
    if count * 3 > mask * 2 { grow() }
    return true
  }

  private func grow() {
    unsafe index.deallocate()
    mask = mask * 2 + 1
    unsafe index = .allocate(capacity: mask + 1)
    unsafe index.initialize(repeating: 0, count: mask + 1)
    for number in 0..<count {
      let entry = unsafe entries[number]
      let hash = hash(entry.high, entry.low, entry.facts)
      var slot = Int(truncatingIfNeeded: hash) & mask
      while unsafe index[slot] != 0 { slot = (slot + 1) & mask }
      unsafe index[slot] = CensusTable.tag(hash) | UInt32(number + 1)
    }
  }
}
