import CKernels
import Glibc
import Records

/// The sightings of a run, joined: one row for each (client, server, role, protocol, cipher, outcome) with the first and last time
/// and a count. Noting in any order gives the same rows; merging two censuses is a union.
///
/// The memory is C's (`census.h`): who came is told by 16 bytes, what else a key holds repeats and is one number (`facts`).
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
    for row in 0..<table.count {
      let entry = table.entry(row)
      body(entry.client_high, entry.client_low, Int(entry.facts))
    }
  }

  /// Every row, in no order that means anything.
  package var rows: [Row] { (0..<table.count).map { table.row($0) } }

  package mutating func note(_ columns: borrowing SightingColumns) {
    guard columns.count > 0 else { return }
    unshare()
    refusedCount += table.note(columns, limit: limit)
  }

  /// Adds the rows of another census of the same name table.
  package mutating func merge(_ other: Census) {
    unshare()
    let isFull = table.count >= limit
    let numbers = other.table.keys.map { table.factsNumber(of: $0, isFull: isFull) }
    refusedCount += table.merge(other.table, numbers: numbers, limit: limit) + other.refusedCount
  }

  /// A census that was copied is another one once it changes.
  private mutating func unshare() {
    if !isKnownUniquelyReferenced(&table) { table = CensusTable(copying: table) }
  }
}

/// What the numbers of facts stand for, and the memory of the rows.
@safe private final class CensusTable: @unchecked Sendable {
  // `@unchecked`: owned by one `Census`; one that is copied is not changed (`Census.unshare`).

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

  /// More rows have no number in the index.
  static let rowLimit = Int(HK_CENSUS_ROWS)

  private let memory: OpaquePointer
  /// By number: keys without their client.
  private(set) var keys: [SightingKey] = []
  private var numbers: [Facts: UInt32] = [:]
  /// The last that came by each of 256 hashes: most keys repeat.
  private var recent: [(facts: Facts, number: UInt32)]
  /// Of the columns at hand, the number of each of their facts.
  private var columnNumbers: [UInt32] = []

  init(seed: UInt64) {
    guard let memory = unsafe hk_census_new(seed) else { fatalError("no memory for the census") }
    unsafe self.memory = memory
    var none = Facts(SightingKey())
    none.rest = .max
    recent = Array(repeating: (none, 0), count: 256)
  }

  init(copying other: CensusTable) {
    guard let memory = unsafe hk_census_copy(other.memory) else { fatalError("no memory for the census") }
    unsafe self.memory = memory
    keys = other.keys
    numbers = other.numbers
    recent = other.recent
  }

  deinit { unsafe hk_census_free(memory) }

  var count: Int { unsafe hk_census_count(memory) }

  func entry(_ number: Int) -> hk_census_row { unsafe hk_census_row_at(memory, number) }

  func row(_ number: Int) -> Census.Row {
    let entry = entry(number)
    var key = keys[Int(entry.facts)]
    key.clientHigh = entry.client_high
    key.clientLow = entry.client_low
    return Census.Row(key: key, first: entry.first, last: entry.last, count: entry.count)
  }

  /// - Returns: how many found the census full.
  func note(_ columns: borrowing SightingColumns, limit: Int) -> UInt64 {
    let isFull = count >= limit
    columnNumbers.removeAll(keepingCapacity: true)
    for key in columns.facts { columnNumbers.append(factsNumber(of: key, isFull: isFull)) }
    return unsafe UInt64(
      hk_census_note(
        memory, columns.clientHighs, columns.clientLows, columns.times, columns.numbers, columnNumbers, columns.count,
        limit))
  }

  /// Adds the rows of another table, whose facts have these numbers here.
  /// - Returns: sightings that found `limit` rows.
  func merge(_ other: CensusTable, numbers: [UInt32], limit: Int) -> UInt64 {
    unsafe hk_census_merge(memory, other.memory, numbers, limit)
  }

  /// Stands for more facts than are kept; no row has it.
  static let noFacts = UInt32(HK_CENSUS_NO_FACTS)

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
}
