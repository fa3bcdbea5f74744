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

  /// - Parameter chunk: a whole stream.
  package init(_ chunk: borrowing Chunk, origin: Origin, engine: Engine, zone: ZoneRules = .utc) throws {
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
    var scanner = try Scanner(engine.plan)
    let candidates = scanner.scan(text, batch)
    var extractor = Extractor(engine.rules, names: NameTable(), options: ExtractionOptions(zone: zone))
    for (index, slot) in batch.records.enumerated() {
      let origin = batch.origins[Int(slot.origin)]
      let facts = extractor.describe(slot, text, origin)
      records.append(
        InspectedRecord(
          format: slot.format, isTorn: slot.isTorn,
          line: chunk.firstLine + UInt64(batch.physicalLine(Int(slot.line))), byteCount: Int(slot.end - slot.start),
          origin: origin, time: facts.time, component: facts.component, host: facts.host ?? origin.host,
          message: facts.message,
          candidates: candidates.filter { Int($0.record) == index }.map {
            engine.rules.rules.signatures[Int($0.signature)].id
          }))
      if slot.isTorn { tornCount += 1 }
    }
    rowCount = batch.rowRuns.reduce(0) { $0 + $1.lastLine - $1.firstLine }
    schemas = batch.schemas
    markerCount = batch.markerCount
    recordCounts = batch.recordCounts
  }
}
