import Extraction
import Framing
import Records
import TestSupport
import Testing

/// The logs of `Fixtures/` and what each becomes, a fact a line:
///
///     line 1 offset 0 length 193 cmtrace whole time=2026-03-02T05:00:01.125Z component=CcmExec thread=4242 message=|…|
///     line 3 offset 201 length 40 cmtrace torn …
///     rows 4-9 w3c day=2026-03-02 schema=date time c-ip …
///     skip w3c-columns line 7 offset 530 length 61
///     marker line 2 |#Version: 1.0|
///     counts cmtrace 1 w3c 6 markers 1
///
/// Control characters in texts stand as their pictures (␍ ␊ ␉ ␀).
@Suite struct GoldenTests {
  static let folder = "Tests/FramingTests/Fixtures"
  static let names = Golden.names(in: folder, suffix: ".log")

  @Test func everyExpectationHasItsLog() {
    #expect(!GoldenTests.names.isEmpty)
    #expect(Golden.names(in: GoldenTests.folder, suffix: ".expected") == GoldenTests.names)
  }

  @Test(arguments: names) func framesAsExpected(name: String) throws {
    let stream = try PackageRoot.bytes("\(GoldenTests.folder)/\(name).log")
    let difference = try Golden.difference(facts(stream), from: "\(GoldenTests.folder)/\(name).expected")
    if let difference { Issue.record(Comment(rawValue: difference)) }
  }
}

/// All that opener, framer and the readers of frames say about a stream.
func facts(_ stream: [UInt8]) throws -> String {
  var descriptions: [RecordDescription] = []
  var threads: [String?] = []
  var extractor = try Extractor(
    CompiledRules(RuleSet(signatures: [], tables: [], roles: [])), names: NameTable(), options: ExtractionOptions())
  var evidence = Evidence(signatureCount: 0)
  let result = framed(stream) { text, chunk, batch in
    for slot in batch.records {
      descriptions.append(extractor.describe(slot, text, batch.origins[Int(slot.origin)]))
      threads.append(thread(slot, text))
    }
    // Rows are laid on their columns here, and counted when they do not fit.
    var offsets = OffsetMap(encoding: .utf8, base: 0)
    extractor.extract(
      [], text: text, chunk: chunk.bytes, place: BatchPlace(stream: 0, path: "", firstLine: 1), offsets: &offsets,
      in: &batch, into: &evidence)
  }

  var facts: [(offset: Int, text: String)] = []
  for (index, record) in result.records.enumerated() {
    let about = descriptions[index]
    var text =
      "line \(record.line) offset \(record.offset) length \(record.end - record.offset) \(record.format.name) "
      + (record.isTorn ? "torn" : "whole")
    if record.origin != ownOrigin { text += " host=\(record.origin.host ?? "-") log=\(record.origin.log)" }
    if !record.furtherPieces.isEmpty { text += " parts=\(record.furtherPieces.count + 1)" }
    if let time = about.time { text += " time=\(rfc3339(time))" }
    if let component = about.component { text += " component=\(component)" }
    if let thread = threads[index] { text += " thread=\(thread)" }
    if let host = about.host { text += " computer=\(host)" }
    facts.append((record.offset, text + " message=|\(visible(about.message))|"))
  }
  for run in runs(result.rows) {
    var text = "rows \(run.first!.line)-\(run.last!.line) \(run[0].format.name)"
    if run[0].origin != ownOrigin { text += " host=\(run[0].origin.host ?? "-") log=\(run[0].origin.log)" }
    if run[0].day != RecordBatch.noTime { text += " day=\(rfc3339(Timestamp(microseconds: run[0].day)).prefix(10))" }
    facts.append((run[0].offset, text + " schema=\(run[0].names.joined(separator: " "))"))
  }
  for skip in result.skips where skip.reason != .tornRecord {
    facts.append(
      (
        skip.offset,
        "skip \(skip.reason.name) line \(skip.line) offset \(skip.offset) length \(skip.end - skip.offset)"
      ))
  }
  for piece in result.uncovered(in: stream) {
    facts.append((piece.offset, "marker line \(piece.line) |\(visible(Text.decode(piece.bytes)))|"))
  }
  let counts = zip(RecordFormat.allCases, result.counts).filter { $1 > 0 }.map { "\($0.name) \($1)" }
  let ordered = facts.enumerated().sorted { ($0.element.offset, $0.offset) < ($1.element.offset, $1.offset) }
  return
    (ordered.map(\.element.text) + [(["counts"] + counts + ["markers \(result.markerCount)"]).joined(separator: " ")])
    .joined(separator: "\n") + "\n"
}

private func thread(_ slot: RecordSlot, _ text: Span<UInt8>) -> String? {
  switch slot.format {
  case .cmtrace:
    var position = Int(slot.messageEnd) + 8
    while position < Int(slot.end), let attribute = CMTraceAttributes.next(text, position: &position, to: Int(slot.end))
    {
      if Text.decode(text.extracting(attribute.name)) == "thread" {
        return Text.decode(text.extracting(attribute.value))
      }
    }
    return nil
  case .simple:
    guard let mark = (Int(slot.messageEnd)..<Int(slot.end)).first(where: { text.has("$$<", at: $0) }),
      let trailer = SimpleTrailer(text, at: mark, to: Int(slot.end))
    else { return nil }
    return trailer.thread.map { Text.decode(text.extracting($0)) }
  default: return nil
  }
}

/// Rows that stand in one run: of one schema, day and origin, line after line.
private func runs(_ rows: [FramedRow]) -> [[FramedRow]] {
  var runs: [[FramedRow]] = []
  for row in rows {
    if let last = runs.last?.last, last.names == row.names, last.day == row.day, last.origin == row.origin,
      last.line + 1 == row.line
    {
      runs[runs.count - 1].append(row)
    } else {
      runs.append([row])
    }
  }
  return runs
}

private func rfc3339(_ time: Timestamp) -> String {
  var bytes: [UInt8] = []
  time.appendRFC3339(to: &bytes)
  return String(decoding: bytes, as: UTF8.self)
}

/// Control characters as their pictures, so that every fact is one line.
private func visible(_ text: String) -> String {
  var scalars = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    scalars.append(scalar.value < 0x20 ? Unicode.Scalar(0x2400 + scalar.value)! : scalar)
  }
  return String(scalars)
}
