import Foundation

/// The figures of a run, for people and for programs.
struct BenchReport: Encodable {
  struct PeerRatio: Encodable {
    var name: String
    var gigabytesPerSecond: Double
    /// handshaked's speed in terms of this peer's: median, least and greatest of the rounds.
    var ratio: Double
    var leastRatio: Double
    var greatestRatio: Double
  }
  struct CorpusRow: Encodable {
    var corpus: String
    var byteCount: Int
    var recordCount: Int
    var accuracy: Accuracy
    var candidates: CandidateRate
    var gigabytesPerSecond: Double
    var recordsPerSecond: Double
    var nanosecondsPerRecord: Double
    var peakByteCount: Int
    var peers: [PeerRatio]
  }
  struct PathCandidates: Encodable {
    var path: String
    var rate: CandidateRate
  }

  var schema = 2
  var type = "bench"
  var rounds: Int
  var clock = "processor time, user and system"
  /// A line each.
  var programs: [String] = []
  var corpora: [CorpusRow] = []
  var candidates: [PathCandidates] = []
  var adversarial: [Adversary.Row] = []
  var addedSignatures: [AddedSignatures.Row] = []
  var threads: Threads.Result?
  var tools: [ForeignTool.Row] = []
  var bars: [Bar] = []

  init(rounds: Int) { self.rounds = rounds }

  mutating func add(_ measurement: Measurement, _ kind: CorpusKind, _ rate: CandidateRate) {
    let peers = measurement.durations.indices.dropFirst().map { index in
      let ratios = measurement.ratios(to: index)
      return PeerRatio(
        name: measurement.durations[index].contestant.name,
        gigabytesPerSecond: measurement.bytesPerSecond(index) / 1e9, ratio: ratios.median,
        leastRatio: ratios.min() ?? 0, greatestRatio: ratios.max() ?? 0)
    }
    corpora.append(
      CorpusRow(
        corpus: measurement.name, byteCount: measurement.corpus.byteCount,
        recordCount: measurement.corpus.recordCount, accuracy: measurement.accuracy, candidates: rate,
        gigabytesPerSecond: measurement.bytesPerSecond(0) / 1e9, recordsPerSecond: measurement.recordsPerSecond,
        nanosecondsPerRecord: 1e9 / measurement.recordsPerSecond, peakByteCount: measurement.peakByteCount,
        peers: peers))
    for (name, ratio) in kind.bars {
      guard let peer = peers.first(where: { $0.name == name }) else { continue }
      bars.append(Bar("\(measurement.name) × \(name)", peer.ratio, .atLeast, ratio))
    }
    bars.append(
      Bar(
        "\(measurement.name), unconfirmed candidates", rate.unconfirmedPercent, .atMost,
        CorpusKind.unconfirmedPercentLimit, unit: "% of the records", digits: 2))
  }

  func plot(_ counted: InstructionCount) -> SpeedPlot {
    SpeedPlot(
      corpora: corpora.map { row in
        SpeedPlot.CorpusFigures(
          name: row.corpus,
          speeds: [("handshaked", row.gigabytesPerSecond)] + row.peers.map { ($0.name, $0.gigabytesPerSecond) },
          ratio: row.peers.first?.ratio ?? 0,
          goal: CorpusKind(rawValue: row.corpus)?.bars.first { $0.peer == "wc -l" }?.ratio,
          instructionsPerRecord: counted.rows.first { $0.corpus == row.corpus }?.instructionsPerRecord)
      },
      tools: tools.compactMap { tool in tool.megabytesPerSecond.map { (tool.tool, $0) } },
      note:
        "\((corpora.first?.byteCount ?? 0) >> 20) MiB of each corpus, page cache warm, processor time of one thread, "
        + "median of \(rounds) interleaved rounds; a shared machine")
  }

  func json() throws -> String { try BenchReport.encoded(self) }

  static func encoded(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }
}
