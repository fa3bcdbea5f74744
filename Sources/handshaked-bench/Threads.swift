import Detection
import Dispatch
import Foundation
import Replay
import Synchronization

/// Two threads against one on one large file, beside two spinning threads against one.
///
/// On a shared machine two processors are not always two. So a round counts only when arithmetic alone, before and after
/// it, came to 1.6 times: what the walk loses then is its own loss.
enum Threads {
  static let controlLimit = 1.6
  static let speedUpLimit = 1.5

  struct Result: Encodable, Sendable {
    var byteCount: Int
    var triedRounds: Int
    /// Of the rounds that count.
    var speedUps: [Double] = []
    var controls: [Double] = []
    var speedUp: Double { speedUps.median }

    var bar: Bar? {
      speedUps.isEmpty
        ? nil : Bar("two threads ÷ one (\(speedUps.count) rounds count)", speedUp, .atLeast, speedUpLimit, digits: 2)
    }
  }

  /// Tries up to four times as many rounds as are to count. Wall time.
  static func measure(_ corpus: Corpus, _ engine: Engine, rounds: Int) async throws -> Result {
    var result = Result(byteCount: corpus.byteCount, triedRounds: 0)
    _ = try await seconds(corpus, engine, threadCount: 2)
    let iterationCount = calibrated()
    while result.speedUps.count < rounds, result.triedRounds < 4 * rounds {
      result.triedRounds += 1
      let before = control(iterationCount)
      let one = try await seconds(corpus, engine, threadCount: 1)
      let two = try await seconds(corpus, engine, threadCount: 2)
      let least = min(before, control(iterationCount))
      guard least >= controlLimit else { continue }
      result.controls.append(least)
      result.speedUps.append(one / two)
    }
    return result
  }

  private static func seconds(_ corpus: Corpus, _ engine: Engine, threadCount: Int) async throws -> Double {
    // Small files are cut as well.
    let segment = min(ReplayRequest(paths: []).segmentByteCount, UInt64(corpus.byteCount / 8))
    let clock = ContinuousClock()
    let began = clock.now
    _ = try await Replay.run(
      ReplayRequest(paths: [corpus.path], threadCount: threadCount, segmentByteCount: segment), engine: engine)
    return (clock.now - began) / .seconds(1)
  }

  // MARK: Control

  private static let sink = Atomic<UInt64>(0)

  /// Work of registers alone.
  @inline(never)
  private static func spin(_ count: Int) {
    var value: UInt64 = 88_172_645_463_325_252
    for _ in 0..<count {
      value ^= value << 13
      value ^= value >> 7
      value ^= value << 17
    }
    sink.wrappingAdd(value, ordering: .relaxed)
  }

  private static func seconds(threadCount: Int, _ count: Int) -> Double {
    let clock = ContinuousClock()
    let began = clock.now
    DispatchQueue.concurrentPerform(iterations: threadCount) { _ in spin(count) }
    return (clock.now - began) / .seconds(1)
  }

  /// Iterations of about a tenth of a second.
  private static func calibrated() -> Int {
    let count = 20_000_000
    return max(count, Int(Double(count) * 0.1 / max(seconds(threadCount: 1, count), 1e-6)))
  }

  /// How many times as much two threads do in the same time.
  private static func control(_ count: Int) -> Double {
    2 * seconds(threadCount: 1, count) / seconds(threadCount: 2, count)
  }
}
