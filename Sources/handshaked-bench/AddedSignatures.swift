import Detection
import Foundation
import Replay
import Verification

/// The shipped definitions with a thousand more, each with an anchor of its own, as a site with many home-made rules
/// would have them; read by the ordinary loader.
package enum AddedSignatures {
  package static let count = 1000

  struct Row: Encodable, Sendable {
    var corpus: String
    /// What the added signatures cost, in percent of the time without; median of the rounds.
    var slowdownPercent: Double
    var leastPercent: Double
    var greatestPercent: Double
  }

  /// Text corpora and rows: what the prefilter reads, and what it does not.
  static let corpora: [(kind: CorpusKind, limitPercent: Double)] = [(.cmtrace, 40), (.simple, 40), (.iis, 5)]

  /// - Parameter folder: where `signatures/added.yaml` is written.
  /// - Throws: `BenchError` when the loader finds a fault, what the file system says.
  package static func engine(seed: UInt64, folder: String) throws -> Engine {
    let signatures = folder + "/signatures"
    try FileManager.default.createDirectory(atPath: signatures, withIntermediateDirectories: true)
    try Data(definitions(seed: seed).utf8).write(to: URL(fileURLWithPath: signatures + "/added.yaml"))
    let set = DefinitionSet(overrides: [folder], systemDirectories: [])
    guard let engine = set.engine else {
      throw BenchError(what: set.diagnostics.prefix(3).map(\.description).joined(separator: "\n"))
    }
    return engine
  }

  static func definitions(seed: UInt64) -> String {
    var generator = SeededGenerator(seed: seed)
    return (1...count).map { number in
      let anchor = String(decoding: (0..<12).map { _ in UInt8(0x61 + generator.below(26)) }, as: UTF8.self)
      return """
        signature: added.number-\(number)
        title: Home-made signature \(number)
        yields: finding
        formats: [cmtrace, simple, line]
        anchors: ['\(anchor)']
        pattern: '\(anchor) failed with (?<server>[a-z0-9.]+)'
        class: handshake-failure
        cause: unknown-tls
        severity: warning
        stack: http
        area: 1
        feature: https-client
        host-is: client
        confidence: inferred
        explain: A line that a home-made program writes.
        remedy: Ask the one who wrote the program.
        source: 'made for the benchmark'
        examples:
          - line: '\(anchor) failed with mp01.corp.example'
            expect: { class: handshake-failure, server: mp01.corp.example }
          - line: 'INFO: \(anchor) failed with mp02.corp.example'
            expect: { class: handshake-failure, server: mp02.corp.example }
          - line: '\(anchor) went well'
            expect: none

        """
    }.joined(separator: "---\n")
  }

  /// Runs with and without in the same rounds.
  /// - Throws: `BenchError` when the added definitions change what is found, what `Replay.run` throws.
  static func measure(
    _ kind: CorpusKind, _ corpus: Corpus, _ engine: Engine, _ larger: Engine, limitPercent: Double, rounds: Int
  ) async throws -> (Row, Bar) {
    let accuracy = Accuracy(try await Replay.run(ReplayRequest(paths: [corpus.path]), engine: larger), corpus)
    guard accuracy.isPerfect else {
      throw BenchError(
        what: "\(kind.rawValue): with added signatures something else is found: \(accuracy)", exitCode: 1)
    }
    let runs = [Rounds.own(engine).on(corpus.path), Rounds.own(larger).on(corpus.path)]
    _ = try await runs[0]()
    let seconds = try await Rounds.interleave(runs, count: rounds)
    let percents = Rounds.ratios(seconds[0], to: seconds[1]).map { ($0 - 1) * 100 }
    let row = Row(
      corpus: kind.rawValue, slowdownPercent: percents.median, leastPercent: percents.min() ?? 0,
      greatestPercent: percents.max() ?? 0)
    return (
      row,
      Bar(
        "\(kind.rawValue), slower with \(count) more signatures", row.slowdownPercent, .atMost, limitPercent, unit: "%",
        digits: 1)
    )
  }
}
