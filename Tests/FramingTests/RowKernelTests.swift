import CKernels
import TestSupport
import Testing

/// The run over rows at every vector level, against rows cut at their blanks.
@Suite struct RowKernelTests {
  private struct Seen: Equatable {
    var client: String
    var values: [String]
    var time: String
  }

  private static let fields = 7  // date time group client group group own
  private static let groups = [2...2, 4...5]

  private static func text(_ generator: inout SeededGenerator) -> String {
    func values(_ all: [String]) -> String { all.randomElement(using: &generator)! }
    var text = ""
    for _ in 0..<Int.random(in: 1...120, using: &generator) {
      let long = String(repeating: "v", count: Int.random(in: 1...260, using: &generator))
      var row = [
        values(["2026-03-02", "2026-03-02", "2026-03-02", "2026-03-03", "x"]),
        values(["06:00:00", "06:00:01", "16:00:01", "24:00:00", "6:00:00", "06:00:0x"]),
        values(["GET", "CCM_POST", "", "/SMS_MP/.sms_aut", "/SMS_MP/.sms_aus", long]),
        values([
          "10.0.0.1", "255.255.255.255", "1.2.3", "256.1.1.1", "01.002.3.4", "1.2.3.4.5", "1..2.3", "::1", "-",
          "a.b.c.d",
        ]),
        values(["200", "404"]), values(["0", "7", "ü"]), values(["-", long]),
      ]
      switch Int.random(in: 0..<30, using: &generator) {
      case 0: row.append("more")
      case 1: row.removeLast()
      case 2: row[0] = "\u{0}" + row[0]
      case 3: row = ["\u{FEFF}" + row.joined(separator: " ")]
      case 4: row = [row.joined(separator: "\t")]
      case 5: row = []
      default: break
      }
      text += row.joined(separator: " ") + values(["\r\n", "\n"])
    }
    return text
  }

  /// Rows that are regular, and how many are not.
  private static func twin(_ text: String) -> (seen: [Seen], others: Int) {
    var seen: [Seen] = []
    var others = 0
    for bytes in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast() {
      let line = bytes.last == 0x0D ? bytes.dropLast() : bytes
      let columns = line.split(separator: 0x20, omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
      let values = columns.count == fields ? groups.map { columns[$0].joined(separator: " ") } : []
      if columns.count != fields || line.first == 0 || line.first == 0xEF
        || values.contains(where: { $0.isEmpty || $0.utf8.count > HK_ROW_VALUE_LIMIT })
      {
        others += 1
      } else {
        seen.append(Seen(client: columns[3], values: values, time: columns[0] + " " + columns[1]))
      }
    }
    return (seen, others)
  }

  private static func address(_ text: String) -> UInt64? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { $0.count <= 3 ? UInt8($0) : nil }
    guard parts.count == 4, numbers.count == 4, text.utf8.count >= 7 else { return nil }
    return numbers.reduce(0xFFFF) { $0 << 8 | UInt64($1) }
  }

  @Test(arguments: UInt64(0)..<60)
  func everyLevelSeesWhatStandsBetweenTheBlanks(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let text = Self.text(&generator)
    let twin = Self.twin(text)
    var bytes = Array(text.utf8)
    let ends = bytes.indices.filter { bytes[$0] == 0x0A }.map { UInt32($0) }
    bytes += [UInt8](repeating: 0x20, count: 64)
    for level in 0..<hk_level_count() where hk_level(level) != nil {
      let rows = try #require(hk_rows_new(level, hk_row_columns(count: 7, date: 0, time: 1, client: 3)))
      defer { hk_rows_free(rows) }
      for group in Self.groups { #expect(hk_rows_add_group(rows, group.lowerBound, group.upperBound) != 0) }
      hk_rows_begin(rows, 1, .min, .max, 0)
      var highs = [UInt64](repeating: 0, count: ends.count)
      var lows = highs
      var times = [Int64](repeating: 0, count: ends.count)
      var facts = [UInt32](repeating: 0, count: ends.count)
      var classes = [[String]](repeating: [], count: 2)
      var words: [UInt64] = []
      var clocks: [String] = []
      var seen: [Seen] = []
      var others = 0
      var place = hk_rows_place()
      highs.withUnsafeMutableBufferPointer { high in
        lows.withUnsafeMutableBufferPointer { low in
          times.withUnsafeMutableBufferPointer { time in
            facts.withUnsafeMutableBufferPointer { fact in
              var out = hk_row_sightings(
                client_high: high.baseAddress, client_low: low.baseAddress, times: time.baseAddress,
                facts: fact.baseAddress, count: 0)
              func note(_ client: String, _ ruling: Int, _ time: Int64) {
                let word = words[ruling]
                seen.append(
                  Seen(
                    client: client, values: [classes[0][Int(word >> 9 & 511)], classes[1][Int(word & 511)]],
                    time: clocks[Int(time)]))
              }
              func text(_ from: Int, _ to: Int) -> String { String(decoding: bytes[from..<to], as: UTF8.self) }
              var taken = 0
              loop: while true {
                let stop = hk_rows_run(rows, bytes, ends, ends.count, &place, &out)
                while taken < out.count {
                  note("\(low[taken])", hk_rows_met(rows, Int(fact[taken])), time[taken])
                  taken += 1
                }
                switch stop {
                case HK_ROWS_END: break loop
                case HK_ROWS_CLOCK:
                  let columns = text(place.start, place.end).split(separator: " ", omittingEmptySubsequences: false)
                  clocks.append("\(columns[0]) \(columns[1])")
                  hk_rows_set_time(rows, bytes, &place, Int64(clocks.count - 1), .min)
                case HK_ROWS_CLASS:
                  let value = text(place.value, place.value_end)
                  let known = classes[place.group].firstIndex(of: value)
                  let number = known ?? classes[place.group].count
                  if hk_rows_learn(rows, bytes, &place, number) == 0 {
                    others += 1
                    place.line += 1
                  } else if known == nil {
                    classes[place.group].append(value)
                  }
                case HK_ROWS_RULING:
                  #expect(hk_rows_add_ruling(rows, place.word, HK_RULING_SIGHTING) == words.count)
                  words.append(place.word)
                case HK_ROWS_CLIENT:
                  note(text(place.value, place.value_end), place.ruling, place.time)
                  place.line += 1
                default:
                  others += 1
                  place.line += 1
                }
              }
            }
          }
        }
      }
      #expect(others == twin.others)
      let wanted = twin.seen.map {
        Seen(client: Self.address($0.client).map { "\($0)" } ?? $0.client, values: $0.values, time: $0.time)
      }
      #expect(seen == wanted, "\(String(cString: hk_level(level)))")
    }
  }

  /// A time of the same day is added to its midnight; one outside of the window stops the run.
  @Test func timesOfADayAreRead() throws {
    let lines = [
      "06:00:00", "06:00:01", "23:59:59", "24:00:00", "06:60:00", "06:00:60", "0a:00:00", "05:00:00",
      // Of the first row's clock all but the first digit.
      "10:00:07",
    ]
    for level in 0..<hk_level_count() where hk_level(level) != nil {
      for line in lines {
        var bytes = Array("2026-03-02 00:00:07 x\n2026-03-02 \(line) x\n".utf8)
        let ends = [UInt32(21), UInt32(43)]
        bytes += [UInt8](repeating: 0, count: 64)
        let rows = try #require(hk_rows_new(level, hk_row_columns(count: 3, date: 0, time: 1, client: -1)))
        defer { hk_rows_free(rows) }
        hk_rows_begin(rows, 1, 6_000_000, 6 * 3_600_000_000 + 1_000_000, 0)
        var columns = ([UInt64](repeating: 0, count: 2), [UInt64](repeating: 0, count: 2))
        var times = [Int64](repeating: 0, count: 2)
        var facts = [UInt32](repeating: 0, count: 2)
        var stops: [hk_rows_stop] = []
        var place = hk_rows_place()
        columns.0.withUnsafeMutableBufferPointer { high in
          columns.1.withUnsafeMutableBufferPointer { low in
            times.withUnsafeMutableBufferPointer { time in
              facts.withUnsafeMutableBufferPointer { fact in
                var out = hk_row_sightings(
                  client_high: high.baseAddress, client_low: low.baseAddress, times: time.baseAddress,
                  facts: fact.baseAddress, count: 0)
                while stops.count < 5 {
                  let stop = hk_rows_run(rows, bytes, ends, 2, &place, &out)
                  stops.append(stop)
                  if stop == HK_ROWS_CLOCK, place.line == 0 {
                    hk_rows_set_time(rows, bytes, &place, 7_000_000, 0)
                  } else if stop == HK_ROWS_RULING {
                    _ = hk_rows_add_ruling(rows, place.word, HK_RULING_SIGHTING)
                  } else {
                    break
                  }
                }
              }
            }
          }
        }
        let isTaken = ["06:00:00", "05:00:00"].contains(line)
        #expect(stops == [HK_ROWS_CLOCK, HK_ROWS_RULING, isTaken ? HK_ROWS_END : HK_ROWS_CLOCK], "\(line)")
        #expect(times[0] == 7_000_000)
        if isTaken { #expect(times[1] == (line == "06:00:00" ? 6 : 5) * 3_600_000_000) }
      }
    }
  }
}
