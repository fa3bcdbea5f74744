import Envelopes
import Extraction
import Framing
import Records
import Scanning

/// What each stage made of one record, for `explain` and for the examples of formats.
package struct InspectedRecord: Sendable {
  package var format: RecordFormat
  package var isTorn: Bool
  package var line: UInt64
  package var byteCount: Int
  package var origin: Origin
  package var time: Timestamp?
  package var component: String?
  package var host: String?
  package var message: String
  /// Signatures whose anchor stands in the record.
  package var candidates: [String]
  /// How these fared, in the order in which they are tried; and how the signature fared that was asked for.
  package var trials: [TriedSignature]
}

/// How one signature fared on one record, or row.
package struct TriedSignature: Sendable {
  package var id: String
  package var trial: Trial
  /// Why it fell away, in words; nil when it held.
  package var reason: String?
}

/// The walk, stopped after each stage. Slow; for people.
package struct Inspection: Sendable {
  package var records: [InspectedRecord] = []
  /// Rows of W3C and HTTPERR, which get no slots: by schema.
  package var rowCount = 0
  package var schemas: [RowSchema] = []
  package var markerCount: UInt64 = 0
  package var hasEnvelopes = false
  package var tornCount = 0
  package var recordCounts: [UInt64] = []
  /// How the signature that was asked for fared on each row.
  package var rowTrials: [TriedSignature] = []
  private let asked: Int?

  /// - Parameters:
  ///   - chunk: a whole stream.
  ///   - signature: its fate is told on every record and row, whether its anchor stands there or not.
  package init(
    _ chunk: borrowing Chunk, origin: Origin, engine: Engine, zone: ZoneRules = .utc, asking signature: String? = nil
  ) throws {
    asked = signature.flatMap { id in engine.rules.rules.signatures.firstIndex { $0.id == id } }
    var batch = RecordBatch()
    batch.origins = [origin]
    var opener = EnvelopeOpener(origin: origin)
    let opened = opener.open(chunk, into: &batch)
    hasEnvelopes = !batch.isDirect
    if batch.isDirect {
      try inspect(chunk.bytes, chunk, opened, &batch, engine, zone)
    } else {
      var arena: [UInt8] = []
      swap(&arena, &batch.arena)
      try inspect(arena.span, chunk, opened, &batch, engine, zone)
    }
  }

  private mutating func inspect(
    _ text: Span<UInt8>, _ chunk: borrowing Chunk, _ opened: Int, _ batch: inout RecordBatch, _ engine: Engine,
    _ zone: ZoneRules
  ) throws {
    var framer = Framer(delimited: engine.rules.rules.delimited)
    _ = framer.frame(text, isFinal: true, openedByteCount: opened, into: &batch)
    var scanner = Scanner(engine.plan)
    let candidates = scanner.scan(text, batch)
    var extractor = Extractor(engine.rules, names: NameTable(), options: ExtractionOptions(zone: zone))
    for (index, slot) in batch.records.enumerated() {
      let origin = batch.origins[Int(slot.origin)]
      let facts = extractor.describe(slot, text, origin)
      let named = candidates.filter { Int($0.record) == index }.map { Int($0.signature) }
      records.append(
        InspectedRecord(
          format: slot.format, isTorn: slot.isTorn,
          line: chunk.firstLine + UInt64(batch.physicalLine(Int(slot.line))), byteCount: Int(slot.end - slot.start),
          origin: origin, time: facts.time, component: facts.component, host: facts.host ?? origin.host,
          message: facts.message,
          candidates: named.map { engine.rules.rules.signatures[$0].id },
          trials: trials(named, slot, text, origin, &extractor, engine)))
      if slot.isTorn { tornCount += 1 }
    }
    if let asked {
      for run in batch.rowRuns {
        for line in run.firstLine..<run.lastLine {
          let bounds = batch.lineBounds(line)
          var row = Text.decode(text.extracting(bounds.start..<bounds.end))
          if row.hasSuffix("\r") { row.removeLast() }
          let refusal = extractor.rowRefusal(asked, batch.schemas[run.schema], line: row)
          rowTrials.append(tried(asked, refusal.map { .fell($0) } ?? .held(.finding), engine))
        }
      }
    }
    rowCount = batch.rowRuns.reduce(0) { $0 + $1.lastLine - $1.firstLine }
    schemas = batch.schemas
    markerCount = batch.markerCount
    recordCounts = batch.recordCounts
  }

  /// Tries the candidates as the extraction does: the first finding or look-alike takes the record.
  private func trials(
    _ candidates: [Int], _ slot: RecordSlot, _ text: Span<UInt8>, _ origin: Origin, _ extractor: inout Extractor,
    _ engine: Engine
  ) -> [TriedSignature] {
    var trials: [TriedSignature] = []
    var taker: String?
    for index in candidates {
      let signature = engine.rules.rules.signatures[index]
      var trial = extractor.trial(index, slot, text, origin, isCandidate: true)
      if case .held(let yields) = trial {
        if let taker, signature.isFallback || signature.yields == .finding || signature.yields == .none {
          trial = .fell(.taken(by: taker))
        } else if yields == .finding || yields == .none {
          taker = taker ?? signature.id
        }
      }
      trials.append(tried(index, trial, engine))
    }
    if let asked, !candidates.contains(asked) {
      trials.append(tried(asked, extractor.trial(asked, slot, text, origin, isCandidate: false), engine))
    }
    return trials
  }

  private func tried(_ index: Int, _ trial: Trial, _ engine: Engine) -> TriedSignature {
    let signature = engine.rules.rules.signatures[index]
    guard case .fell(let refusal) = trial else { return TriedSignature(id: signature.id, trial: trial, reason: nil) }
    return TriedSignature(id: signature.id, trial: trial, reason: refusal.text(signature))
  }
}

extension Inspection {
  /// How far the signature that was asked for came at best.
  package func bestTrial(of id: String) -> TriedSignature? {
    (records.flatMap(\.trials) + rowTrials).filter { $0.id == id }.max { left, right in
      stage(left.trial) < stage(right.trial)
    }
  }

  private func stage(_ trial: Trial) -> Int {
    if case .fell(let refusal) = trial { return refusal.stage }
    return .max
  }
}
