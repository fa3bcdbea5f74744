import Foundation

/// The figures of a run, for people and for programs.
struct BenchReport: Encodable {
  struct Peer: Encodable {
    var name: String
    var gigabytesPerSecond: Double
    /// handshaked's speed in terms of this peer's: median, least and greatest of the rounds.
    var ratio: Double
    var leastRatio: Double
    var greatestRatio: Double
  }
  struct Row: Encodable {
    var corpus: String
    var bytes: Int
    var records: Int
    var recordsRead: Int
    var failures: Int
    var findings: Int
    var missed: Int
    var unfounded: Int
    var candidateRate: Double
    var gigabytesPerSecond: Double
    var recordsPerSecond: Double
    var nanosecondsPerRecord: Double
    var peakBytes: Int
    var peers: [Peer]
  }
  var schema = 1
  var type = "bench"
  var rounds: Int
  var clock = "processor time, user and system"
  var programs: [String: String]
  var corpora: [Row]

  init(_ measurements: [Measurement], programs: [Contestant], rounds: Int) {
    self.rounds = rounds
    self.programs = Dictionary(programs.map { ($0.name, $0.version) }) { first, _ in first }
    corpora = measurements.map(BenchReport.row)
  }

  private static func row(_ measurement: Measurement) -> Row {
    let peers = measurement.durations.indices.dropFirst().map { index in
      let ratios = measurement.ratios(to: index)
      return Peer(
        name: measurement.durations[index].contestant.name,
        gigabytesPerSecond: measurement.bytesPerSecond(index) / 1e9, ratio: ratios.median,
        leastRatio: ratios.min() ?? 0, greatestRatio: ratios.max() ?? 0)
    }
    let accuracy = measurement.accuracy
    return Row(
      corpus: measurement.corpus.kind.rawValue, bytes: measurement.corpus.byteCount,
      records: measurement.corpus.recordCount, recordsRead: accuracy.recordCount, failures: accuracy.expectedCount,
      findings: accuracy.findingCount, missed: accuracy.missedCount, unfounded: accuracy.falseCount,
      candidateRate: measurement.candidateRate, gigabytesPerSecond: measurement.bytesPerSecond(0) / 1e9,
      recordsPerSecond: measurement.recordsPerSecond, nanosecondsPerRecord: 1e9 / measurement.recordsPerSecond,
      peakBytes: measurement.peakByteCount, peers: peers)
  }

  // MARK: Forms

  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
  }

  func text() -> String {
    var table = [
      ["corpus", "MB", "records", "candidates", "found", "false", "GB/s", "M records/s", "ns/record", "peak MB"]
    ]
    for row in corpora {
      table.append([
        row.corpus, BenchReport.fixed(Double(row.bytes) / 1e6, 0), "\(row.recordsRead)/\(row.records)",
        BenchReport.fixed(row.candidateRate * 100, 2) + " %", "\(row.failures - row.missed)/\(row.failures)",
        "\(row.unfounded)", BenchReport.fixed(row.gigabytesPerSecond, 3),
        BenchReport.fixed(row.recordsPerSecond / 1e6, 2),
        BenchReport.fixed(row.nanosecondsPerRecord, 0), BenchReport.fixed(Double(row.peakBytes) / 1e6, 0),
      ])
    }
    var ratios = [["corpus"] + (corpora.first?.peers.flatMap { ["× \($0.name)", "least…greatest", "GB/s"] } ?? [])]
    for row in corpora {
      ratios.append(
        [row.corpus]
          + row.peers.flatMap { peer in
            [
              BenchReport.fixed(peer.ratio, 3),
              "\(BenchReport.fixed(peer.leastRatio, 3))…\(BenchReport.fixed(peer.greatestRatio, 3))",
              BenchReport.fixed(peer.gigabytesPerSecond, 3),
            ]
          })
    }
    let versions = programs.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)\n" }.joined()
    return """
      handshaked, the whole walk on one thread, page cache warm

      \(BenchReport.aligned(table))
      Its speed in terms of others (1.000 is as fast; median of \(rounds) interleaved rounds)

      \(BenchReport.aligned(ratios))
      \(versions)
      Times are processor time, user and system; those of programs include their start. Machines and their neighbours
      are noisy: compare ratios of one run, not GB/s of two.

      """
  }

  private static func fixed(_ number: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", number) }

  /// First column to the left, the others to the right.
  private static func aligned(_ rows: [[String]]) -> String {
    guard let first = rows.first else { return "" }
    let widths = first.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + padding : padding + cell
      }.joined(separator: "  ") + "\n"
    }.joined()
  }
}
