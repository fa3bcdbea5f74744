import Detection
import Extraction
import Foundation
import Records
import Replay
import TestSupport
import Testing

/// Recall, precision and the fields of findings on generated logs whose truth is the knowledge base, never `parsers/`.
@Suite(.serialized) struct AccuracyTests {
  private static let root = NSTemporaryDirectory() + "handshaked-accuracy-\(UUID().uuidString)"
  private static let bar = 0.999

  @Test func everyRowIsInScopeOrLeftByName() {
    guard let rows = SignalTable.rows else { return }
    for row in rows {
      #expect(Scope.contains(row) != Scope.left.contains(row.prefix), "\(row.id) is in neither list, or in both")
      if Scope.isWholeSource(row.source) {
        #expect(Scope.contains(row), "\(row.id) of source \(row.source) is left out")
      }
    }
  }

  /// What the generator writes for a text row is what the row's own regex describes.
  @Test func everyGeneratedLineFitsItsRow() {
    guard let rows = SignalTable.rows else { return }
    var dice = Dice(7)
    for row in rows where Scope.contains(row) && !["IIS", "WIN7", "HTTPERR", "SCH"].contains(row.prefix) {
      if Adjudication.regexExceptions[row.id] != nil { continue }
      for _ in 0..<12 {
        let payload = TextSignals.payload(row, &dice)
        guard case .text(let text, let log) = payload.body else { continue }
        // A status record stands for the text of its message; BITS rows list the symbol beside the regex.
        if text.hasPrefix("STATMSG") || text.contains("BG_E_") || payload.expectation.isQuiet { continue }
        let fits = TextSignals.matches(row, text)
        #expect(fits, "\(row.id) in \(log): \(text)")
      }
    }
  }

  @Test func findingsAndSightingsAreRight() async throws {
    guard let rows = SignalTable.rows else { return }
    var score = Score()
    var written: [RecordShape: Int] = [:]
    var winter: [RecordShape: Int] = [:]
    var summer: [RecordShape: Int] = [:]
    for seed in UInt64(1)...3 {
      // One run in three is told a zone, in a night in which its clocks change.
      let season = seed == 2 ? Season.springNight : .utc
      let corpus = try Corpus(seed: seed, variantCount: 20, rows: rows, at: Self.root, season: season)
      let request = ReplayRequest(
        paths: [corpus.folder], options: ExtractionOptions(zone: season.zone), threadCount: 2)
      let report = try await Replay.run(request, engine: TestEngine.engine)
      for record in corpus.records where record.expectation.isFinding {
        written[record.shape, default: 0] += 1
        guard let change = season.zone.transitions.first, let time = record.time else { continue }
        if time < change.at { winter[record.shape, default: 0] += 1 } else { summer[record.shape, default: 0] += 1 }
      }
      score += try Score(corpus, report, TestEngine.engine)
      corpus.remove()
    }
    for fault in score.worst { print("  \(fault)") }
    print(
      "ACCURACY recall \(score.recall.value.figure) (\(score.recall.right) of \(score.recall.all)), precision "
        + "\(score.precision.value.figure) (\(score.precision.right) of \(score.precision.all)), \(score.recordCount) records"
    )
    print(
      "ACCURACY sightings: recall \(score.sightingRecall.value.figure) (\(score.sightingRecall.right) of "
        + "\(score.sightingRecall.all)), precision \(score.sightingPrecision.value.figure) "
        + "(\(score.sightingPrecision.right) of \(score.sightingPrecision.all)); context "
        + "\(score.contextRecall.value.figure) (\(score.contextRecall.right) of \(score.contextRecall.all))")
    for field in Score.Field.allCases {
      let ratio = score.fields[field]!
      print("ACCURACY \(field.rawValue) \(ratio.value.figure) (\(ratio.right) of \(ratio.all))")
      #expect(ratio.value >= Self.bar)
    }
    for shape in RecordShape.allCases {
      #expect(written[shape, default: 0] >= 20, "\(shape.rawValue): too few findings were written")
    }
    for shape in RecordShape.onLocalClock {
      // The zone's change lies among them: one offset for all would be wrong.
      #expect(min(winter[shape, default: 0], summer[shape, default: 0]) >= 5, "\(shape.rawValue): one offset only")
    }
    #expect(score.recordCount >= 20_000)
    #expect(score.recall.value >= Self.bar)
    #expect(score.precision.value >= Self.bar)
    #expect(score.sightingRecall.value >= Self.bar)
    #expect(score.sightingPrecision.value >= Self.bar)
    #expect(score.contextRecall.value >= Self.bar)
  }

  /// Every definition is there for something: without it fewer right findings, sightings or contexts come, or wrong ones.
  @Test func everyDefinitionMatters() async throws {
    guard let rows = SignalTable.rows else { return }
    let rules = TestEngine.engine.rules.rules
    let corpus = try Corpus(seed: 99, variantCount: 10, rows: rows, at: Self.root)
    defer { corpus.remove() }
    let request = ReplayRequest(paths: [corpus.folder], threadCount: 2)
    let whole = try Score(corpus, await Replay.run(request, engine: TestEngine.engine), TestEngine.engine)
    var useless: [String] = []
    var factsOnly: [String: Set<Score.Field>] = [:]
    for index in rules.signatures.indices {
      var fewer = rules
      let removed = fewer.signatures.remove(at: index)
      if Scope.provenByCases.contains(removed.id) { continue }
      let engine = try Engine(fewer)
      let score = try Score(corpus, await Replay.run(request, engine: engine), engine)
      if score.recall.right < whole.recall.right || score.precision.value < whole.precision.value
        || score.sightingRecall.right < whole.sightingRecall.right
        || score.sightingPrecision.value < whole.sightingPrecision.value
        || score.contextRecall.right < whole.contextRecall.right
      {
        continue
      }
      if score.wholeRecall.right < whole.wholeRecall.right {
        factsOnly[removed.id] = Set(
          Score.Field.allCases.filter { score.fields[$0]!.right < whole.fields[$0]!.right })
      } else {
        useless.append(removed.id)
      }
    }
    let count = rules.signatures.count - Scope.provenByCases.count
    print(
      "ABLATION \(count - useless.count) of \(count) matter (\(factsOnly.count) by the fields of their findings alone)")
    for (id, fields) in factsOnly.sorted(by: { $0.key < $1.key }) {
      print("  by fields: \(id) (\(fields.map(\.rawValue).sorted().joined(separator: ", ")))")
    }
    if !useless.isEmpty { print("  for nothing: \(useless.joined(separator: " "))") }
    #expect(useless.isEmpty)
    // One more needs its reason there; one that matters otherwise by now must leave.
    #expect(factsOnly == Scope.byFieldsOnly.mapValues(\.fields))
    #expect(Scope.provenByCases.isSubset(of: rules.signatures.map(\.id)))
  }
}

extension Expectation {
  fileprivate var isQuiet: Bool { if case .quiet = self { true } else { false } }
}
