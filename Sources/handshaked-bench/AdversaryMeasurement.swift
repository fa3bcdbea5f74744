import Detection
import Foundation

extension Adversary {
  struct Row: Encodable, Sendable {
    var adversary: String
    var byteCount: Int
    var lineCount: Int
    var nanosecondsPerLine: Double
    var megabytesPerSecond: Double
    var ratioToLineCount: Double
    /// Time for the whole in terms of the time for its half: 2 is linear.
    var wholeToHalf: Double?
    var peakByteCount: Int?
  }

  struct Room {
    var byteCount: Int
    var folder: String
    var rounds: Int
  }

  /// Slow cases get fewer bytes; the addresses get a row of about 110 bytes each, ten million of them from 256 MiB on.
  func byteCount(_ room: Room) -> Int {
    switch self {
    case .oneByteLines: min(room.byteCount, 64 << 20)
    case .factors, .anchors: min(room.byteCount, 32 << 20)
    case .longLines: room.byteCount
    case .addresses: room.byteCount >= 256 << 20 ? 1200 << 20 : room.byteCount
    }
  }

  /// Writes the file, runs over it in interleaved rounds, and takes it away.
  /// - Throws: `BenchError`, what the file system says, what `Replay.run` throws.
  func measure(_ engine: Engine, _ lineCounter: Contestant, _ room: Room) async throws -> (Row, [Bar]) {
    let path = "\(room.folder)/\(self == .addresses ? "u_ex260302.log" : "CcmMessaging.log")"
    let corpus = try write(engine, byteCount: byteCount(room), path: path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let own = Rounds.own(engine)
    var runs = [own.on(path), lineCounter.on(path)]
    let half = "\(room.folder)/half.log"
    let isHalved = self == .factors || self == .anchors
    if isHalved {
      _ = try write(engine, byteCount: corpus.byteCount / 2, path: half)
      runs.append(own.on(half))
    }
    defer { if isHalved { try? FileManager.default.removeItem(atPath: half) } }
    for run in runs { _ = try await run() }
    // A gigabyte is long enough to need few rounds.
    let seconds = try await Rounds.interleave(runs, count: self == .addresses ? min(room.rounds, 3) : room.rounds)
    var row = Row(
      adversary: rawValue, byteCount: corpus.byteCount, lineCount: corpus.recordCount,
      nanosecondsPerLine: seconds[0].median * 1e9 / Double(corpus.recordCount),
      megabytesPerSecond: Double(corpus.byteCount) / 1e6 / seconds[0].median,
      ratioToLineCount: Rounds.ratios(seconds[0], to: seconds[1]).median)
    if isHalved { row.wholeToHalf = Rounds.ratios(seconds[2], to: seconds[0]).median }
    if self == .addresses { row.peakByteCount = try Product().peakByteCount(path, threadCount: 1) }
    return (row, bars(row))
  }

  private func bars(_ row: Row) -> [Bar] {
    switch self {
    case .oneByteLines: [Bar("\(rawValue), time a line", row.nanosecondsPerLine, .atMost, 25, unit: "ns", digits: 1)]
    case .factors, .anchors:
      [
        Bar("\(rawValue), speed", row.megabytesPerSecond, .atLeast, 30, unit: "MB/s", digits: 1),
        // Twice the bytes in twice the time; 15 % are the noise of a shared machine.
        Bar("\(rawValue), whole ÷ half", row.wholeToHalf ?? .infinity, .atMost, 2.3, digits: 2),
      ]
    case .longLines: [Bar("\(rawValue) × wc -l", row.ratioToLineCount, .atLeast, 0.12)]
    case .addresses:
      // The bars are about ten million; fewer say nothing of them.
      row.lineCount < Adversary.addressCount
        ? []
        : [
          Bar("10 M distinct addresses × wc -l", row.ratioToLineCount, .atLeast, 0.05),
          Bar(
            "10 M distinct addresses, peak", Double(row.peakByteCount ?? .max) / 1_048_576, .atMost, 400, unit: "MiB",
            digits: 0),
        ]
    }
  }
}
