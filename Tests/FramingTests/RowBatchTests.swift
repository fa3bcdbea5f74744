import CKernels
import TestSupport
import Testing

/// Rows that are taken together are what they would be one by one: values of one length and one end are told apart by
/// their bytes, at every vector level.
@Suite struct RowBatchTests {
  struct Schema: Sendable, CustomTestStringConvertible {
    var columnCount: Int
    var groups: [ClosedRange<Int>]
    var client: Int
    /// A column that may hold the client's text again.
    var other: Int
    var testDescription: String { "\(columnCount) columns, \(groups.count) groups" }
  }
  private static let schemas = [
    Schema(columnCount: 3, groups: [0...0, 2...2], client: 1, other: 1),
    Schema(columnCount: 8, groups: [1...2, 4...4, 7...7], client: 3, other: 5),
    Schema(columnCount: 22, groups: [2...4, 9...9, 11...13, 18...21], client: 8, other: 7),
    Schema(columnCount: 40, groups: [0...1, 3...3, 5...7, 9...9, 20...20, 38...39], client: 12, other: 30),
  ]

  /// What rows of a first group's value are: the fifth is judged by itself, the sixth is nothing.
  private static func kind(_ value: Int) -> hk_ruling_kind {
    value == 4 ? HK_RULING_ROW : value == 5 ? HK_RULING_NOTHING : HK_RULING_SIGHTING
  }

  private struct Row: Equatable {
    var address: UInt64
    var values: [Int]
    var isSame: Bool
  }

  /// Values of each group, among them such as only the middle tells apart.
  private static func pools(_ schema: Schema, _ generator: inout SeededGenerator) -> [[String]] {
    schema.groups.map { group in
      var pool: [String] = []
      while pool.count < 7 {
        let end = String(repeating: "e", count: Int.random(in: 0...12, using: &generator))
        let start = String(repeating: "s", count: Int.random(in: 1...60, using: &generator))
        for middle in ["a", "b"] {
          let columns = [start + middle + end] + group.dropFirst().map { _ in "0" }
          pool.append(columns.joined(separator: " "))
        }
        pool = Array(Set(pool)).sorted()
      }
      return pool.shuffled(using: &generator)
    }
  }

  @Test(arguments: schemas, UInt64(0)..<12)
  func rowsAreToldApartByTheirBytes(schema: Schema, seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let pools = Self.pools(schema, &generator)
    var text = ""
    var wanted: [Row] = []
    var alone = 0
    var long: Set<UInt64> = []
    for _ in 0..<Int.random(in: 1...300, using: &generator) {
      // Most rows are of a few kinds.
      let values = pools.indices.map { _ in [0, 1, 2, 2, 2, 3, 3, 3, 4, 5, 6].randomElement(using: &generator)! }
      let parts = (0..<4).map { _ in UInt64.random(in: 0...255, using: &generator) }
      let client = parts.map(String.init).joined(separator: ".")
      // Longer than what is indexed at a time: taken or judged by itself, as it comes.
      let isLong = Int.random(in: 0..<60, using: &generator) == 0 && schema.columnCount > 3
      let isSame = schema.other != schema.client && Int.random(in: 0..<5, using: &generator) == 0
      var columns = (0..<schema.columnCount).map { _ in "\(Int.random(in: 0...99999, using: &generator))" }
      columns[schema.client] = client
      if isSame { columns[schema.other] = client }
      if isLong { columns[schema.columnCount == 8 ? 0 : 15] = String(repeating: "l", count: 20_000) }
      for (group, value) in zip(schema.groups, values) {
        columns.replaceSubrange(
          group, with: pools[schema.groups.firstIndex(of: group)!][value].split(separator: " ").map(String.init))
      }
      text += columns.joined(separator: " ") + ["\n", "\r\n"].randomElement(using: &generator)!
      let address = parts.reduce(0xFFFF) { $0 << 8 | $1 }
      if isLong {
        long.insert(address)
      } else if Self.kind(values[0]) == HK_RULING_ROW {
        alone += 1
      } else if Self.kind(values[0]) == HK_RULING_SIGHTING {
        wanted.append(Row(address: address, values: values, isSame: isSame))
      }
    }
    var bytes = Array(text.utf8)
    let ends = bytes.indices.filter { bytes[$0] == 0x0A }.map { UInt32($0) }
    bytes += [UInt8](repeating: 0x20, count: 64)
    for level in 0..<hk_level_count() where hk_level(level) != nil {
      let (seen, others) = try Self.run(schema, pools, bytes, ends, level)
      #expect((alone...alone + long.count).contains(others), "\(String(cString: hk_level(level)))")
      #expect(seen.filter { !long.contains($0.address) } == wanted, "\(String(cString: hk_level(level)))")
    }
  }

  private static func run(
    _ schema: Schema, _ pools: [[String]], _ bytes: [UInt8], _ ends: [UInt32], _ level: Int
  ) throws -> (seen: [Row], others: Int) {
    let rows = try #require(
      hk_rows_new(
        level, hk_row_columns(count: Int32(schema.columnCount), date: -1, time: -1, client: Int32(schema.client))))
    defer { hk_rows_free(rows) }
    for group in schema.groups { #expect(hk_rows_add_group(rows, group.lowerBound, group.upperBound) != 0) }
    if schema.other != schema.client { #expect(hk_rows_add_pair(rows, schema.other, schema.client) != 0) }
    hk_rows_begin(rows, 1, .min, .max, 1)
    let capacity = ends.count
    let highs = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity)
    let lows = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity)
    let times = UnsafeMutablePointer<Int64>.allocate(capacity: capacity)
    let facts = UnsafeMutablePointer<UInt32>.allocate(capacity: capacity)
    defer {
      highs.deallocate()
      lows.deallocate()
      times.deallocate()
      facts.deallocate()
    }
    var out = hk_row_sightings(client_high: highs, client_low: lows, times: times, facts: facts, count: 0)
    var place = hk_rows_place()
    var words: [UInt64] = []
    var others = 0
    loop: while true {
      switch hk_rows_run(rows, bytes, ends, ends.count, &place, &out) {
      case HK_ROWS_END: break loop
      case HK_ROWS_CLASS:
        let value = String(decoding: bytes[place.value..<place.value_end], as: UTF8.self)
        let number = try #require(pools[place.group].firstIndex(of: value))
        #expect(hk_rows_learn(rows, bytes, &place, number) != 0)
      case HK_ROWS_RULING:
        let first = Int(place.word >> (9 * UInt64(schema.groups.count - 1)) & 511)
        #expect(hk_rows_add_ruling(rows, place.word, kind(first)) == words.count)
        words.append(place.word)
        #expect(words.count < HK_ROW_RULINGS)
      default:
        others += 1
        place.line += 1
      }
    }
    let groupCount = UInt64(schema.groups.count)
    let seen = (0..<out.count).map { index in
      let word = words[hk_rows_met(rows, Int(facts[index]))]
      return Row(
        address: lows[index],
        values: (0..<groupCount).map { Int(word >> (9 * (groupCount - 1 - $0)) & 511) },
        isSame: schema.other != schema.client && word >> (9 * groupCount) & 1 == 1)
    }
    return (seen, others)
  }
}
