import Detection
import Extraction
import Glibc
import Records
import Replay

/// One corpus, run through by every contestant in turn, round after round.
struct Measurement {
  /// What the report calls it.
  var name: String
  var corpus: Corpus
  /// What the walk made of the corpus, by its last round.
  var accuracy: Accuracy
  var peakByteCount: Int
  /// handshaked first. One duration a round, in seconds.
  var durations: [(contestant: Contestant, seconds: [Double])]

  /// Bytes a second of one core, by the median round.
  func bytesPerSecond(_ index: Int) -> Double { Double(corpus.byteCount) / durations[index].seconds.median }

  var recordsPerSecond: Double { Double(corpus.recordCount) / durations[0].seconds.median }

  /// Speed of handshaked in terms of another contestant's, round by round: both see the same phase of the machine.
  func ratios(to index: Int) -> [Double] { Rounds.ratios(durations[0].seconds, to: durations[index].seconds) }
}

/// Findings held against the truth, by the offset of their record.
package struct Accuracy: Equatable, Encodable, Sendable {
  package var expectedCount: Int
  package var findingCount: Int
  /// Failures without a finding, findings without a failure.
  package var missedCount: Int
  package var falseCount: Int
  package var recordCount: Int
  package var expectedRecordCount: Int

  package init(_ report: ReplayReport, _ corpus: Corpus) {
    let expected = Set(corpus.failureOffsets)
    let found = Set(report.findings.map(\.offset))
    expectedCount = expected.count
    findingCount = report.findings.count
    missedCount = expected.subtracting(found).count
    // A second finding on one record is one too many.
    falseCount = findingCount - expected.intersection(found).count
    recordCount = Int(report.recordCounts.reduce(0, +))
    expectedRecordCount = corpus.recordCount
  }

  package var isPerfect: Bool { missedCount == 0 && falseCount == 0 && recordCount == expectedRecordCount }
}

package enum Rounds {
  /// How often the first contestant would have run through while the second ran once, round by round: both see the same
  /// phase of the machine.
  package static func ratios(_ own: [Double], to other: [Double]) -> [Double] { zip(other, own).map { $0 / $1 } }

  /// Runs the contestants over the corpus, `count` rounds after one that warms the page cache.
  /// - Throws: `BenchError` when a program fails, what `Replay.run` throws.
  static func measure(
    _ name: String, _ corpus: Corpus, engine: Engine, peers: [Contestant], count: Int
  ) async throws -> Measurement {
    PeakMemory.reset()
    let request = ReplayRequest(paths: [corpus.path], threadCount: 1)
    let warm = try await Replay.run(request, engine: engine)
    if let error = warm.refused.first { throw BenchError(what: "\(corpus.path): \(error)") }
    for peer in peers { _ = try await peer.run(corpus.path) }

    let contestants = [own(engine)] + peers
    let seconds = try await interleave(contestants.map { $0.on(corpus.path) }, count: count)
    return Measurement(
      name: name, corpus: corpus, accuracy: Accuracy(warm, corpus),
      peakByteCount: PeakMemory.byteCount, durations: Array(zip(contestants, seconds)))
  }
}

extension Rounds {
  /// handshaked itself on one thread.
  static func own(_ engine: Engine, name: String = "handshaked") -> Contestant {
    Contestant(name: name) { path in
      let before = ProcessorTime.ofThisProcess()
      _ = try await Replay.run(ReplayRequest(paths: [path], threadCount: 1), engine: engine)
      return ProcessorTime.ofThisProcess() - before
    }
  }

  /// Runs all in turn, `count` times; who begins changes from round to round.
  /// - Returns: for each, the durations of its rounds, as it says them.
  static func interleave(_ runs: [() async throws -> Double], count: Int) async throws -> [[Double]] {
    var durations = [[Double]](repeating: [], count: runs.count)
    for round in 0..<count {
      for turn in runs.indices {
        let index = (round + turn) % runs.count
        durations[index].append(try await runs[index]())
      }
    }
    return durations
  }
}

extension Contestant {
  /// A run over this file.
  func on(_ path: String) -> () async throws -> Double {
    { try await run(path) }
  }
}

extension Array where Element == Double {
  /// 0 when empty; of an even number the mean of the middle two.
  package var median: Double {
    guard !isEmpty else { return 0 }
    let ordered = sorted()
    let middle = count / 2
    return count % 2 == 1 ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2
  }
}
