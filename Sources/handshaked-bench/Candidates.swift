import Detection
import Replay

/// How many records meet a pattern, as they hold an anchor in a log that its signature names, and on how many of these a
/// signature holds.
///
/// Rows of W3C and HTTPERR are read by columns and meet no prefilter: none of them is a candidate.
package struct CandidateRate: Encodable, Sendable {
  package var recordCount: Int
  package var confirmedCount: Int
  package var unconfirmedCount: Int
  package var confirmedPercent: Double
  package var unconfirmedPercent: Double

  init(recordCount: Int, suspectCount: Int, confirmedCount: Int) {
    self.recordCount = recordCount
    self.confirmedCount = confirmedCount
    unconfirmedCount = suspectCount - confirmedCount
    let share = recordCount == 0 ? 0 : 100 / Double(recordCount)
    confirmedPercent = share * Double(confirmedCount)
    unconfirmedPercent = share * Double(suspectCount - confirmedCount)
  }

  /// Counts in files or folders, by a run of its own.
  /// - Throws: `BenchError` when nothing there can be read, what `Replay.run` throws.
  package static func measure(_ path: String, engine: Engine) async throws -> CandidateRate {
    let report = try await Replay.run(ReplayRequest(paths: [path]), engine: engine)
    if report.byteCount == 0 {
      throw BenchError(what: "\(path): nothing was read\n  fix: name a folder or file of logs")
    }
    return CandidateRate(
      recordCount: Int(report.recordCounts.reduce(0, +)), suspectCount: Int(report.suspectCount),
      confirmedCount: Int(report.confirmedCount))
  }
}
