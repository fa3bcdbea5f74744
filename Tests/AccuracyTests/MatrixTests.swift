import Detection
import Extraction
import Foundation
import Records
import Replay
import TestSupport
import Testing

/// Every format in every envelope: the corpus as Windows wrote it, each line of each file in an envelope of its own, and what
/// comes out judged by the same truth.
@Suite(.serialized) struct MatrixTests {
  /// How a line came. `none` is the file itself.
  enum Envelope: String, CaseIterable {
    case none, rfc5424, octets, rfc3164
    case rsyslogFile = "rsyslog"
    case rsyslogTraditional = "rsyslog traditional"
    case filebeat, vector, fluentBit = "fluentbit"
    case openTelemetry = "otel", nxlog, nested
    /// The forwarder joined the lines of a record: escaped in a syslog line, or in one JSON string.
    case joined = "rfc5424 joined", joinedFilebeat = "filebeat joined"

    var joins: Bool { self == .joined || self == .joinedFilebeat }
  }

  private static let root = NSTemporaryDirectory() + "handshaked-matrix-\(UUID().uuidString)"
  private static let bar = 0.999

  struct Cell {
    var recall = Score.Ratio()
    var precision = Score.Ratio()
    var fields: [Score.Field: Score.Ratio] = [:]
    var placeFaults = 0
    var sightingRecall = Score.Ratio()
    var sightingPrecision = Score.Ratio()
    var contextRecall = Score.Ratio()

    mutating func add(_ score: Score) {
      recall += score.recall
      precision += score.precision
      placeFaults += score.placeFaults
      sightingRecall += score.sightingRecall
      sightingPrecision += score.sightingPrecision
      contextRecall += score.contextRecall
      for (field, ratio) in score.fields { fields[field, default: .init()] += ratio }
    }
  }

  @Test func everyFormatInEveryEnvelope() async throws {
    guard let rows = SignalTable.rows else { return }
    // Few rows about events are sightings: enough of them for each of the many renderings.
    let eventSightings = rows.filter { $0.prefix == "SCH" && $0.expectation?.isSighting ?? false }
    let starts = rows.filter { ["SQLLOG-26013", "SQLLOG-26018"].contains($0.id) }
    let weighted =
      rows + Array(repeating: eventSightings, count: 7).flatMap(\.self)
      + Array(repeating: starts, count: 15).flatMap(\.self)
    let corpus = try Corpus(
      seed: 5, variantCount: 50, rows: weighted, at: Self.root, season: .springNight, isPlain: true)
    defer { corpus.remove() }
    let options = ExtractionOptions(zone: corpus.season.zone)
    let byPath = Dictionary(grouping: corpus.records, by: \.path)
    var cells: [String: [Envelope: Cell]] = [:]
    for (path, records) in byPath.sorted(by: { $0.key < $1.key }) {
      let format = records[0].shape
      let file = Relayed(
        bytes: try [UInt8](Data(contentsOf: URL(fileURLWithPath: corpus.folder + "/" + path))), records: records)
      // What a forwarder sends on it has decoded.
      let text = file.isWide ? file.decoded : file
      for envelope in Envelope.allCases {
        let relayed = envelope == .none ? file : Self.relayed(text, envelope, path)
        let origin = envelope == .none ? (host: records[0].host, path: path) : (host: "relay", path: "relay.log")
        let outcome = try TestEngine.run(
          relayed.bytes, host: origin.host, log: Origin.logName(ofPath: origin.path), options: options)
        var score = Score()
        score.judge(relayed.records, outcome.result.findings)
        score.judgeSightings(relayed.records, outcome.sightings, corpus.otherClients)
        for (record, range) in zip(relayed.records, relayed.ranges) where record.expectation.isContext {
          try score.judgeContext(record, bytes: Array(relayed.bytes[range]), origin: origin, TestEngine.engine)
        }
        cells[format.rawValue, default: [:]][envelope, default: Cell()].add(score)
        for fault in score.worst.prefix(2) { print("  \(format.rawValue) in \(envelope.rawValue): \(fault)") }
      }
    }
    Self.show(cells)
    #expect(cells.count >= Self.formatNames.count)
    for name in Self.formatNames {
      for envelope in Envelope.allCases {
        let cell = try #require(cells[name]?[envelope], "\(name) in \(envelope.rawValue) was not written")
        #expect(cell.recall.all >= 20, "\(name) in \(envelope.rawValue): too few records")
        #expect(cell.recall.value >= Self.bar, "\(name) in \(envelope.rawValue): recall")
        #expect(cell.precision.value >= Self.bar, "\(name) in \(envelope.rawValue): precision")
        #expect(cell.placeFaults == 0, "\(name) in \(envelope.rawValue): length or parts")
        for field in Score.Field.allCases {
          let ratio = try #require(cell.fields[field])
          // A bar that nothing was held against is none.
          #expect(
            ratio.all >= Self.leastJudged(name, field), "\(name) in \(envelope.rawValue): \(field.rawValue) unjudged")
          #expect(ratio.value >= Self.bar, "\(name) in \(envelope.rawValue): \(field.rawValue)")
        }
        for (kind, ratio, least) in [
          ("sightings", cell.sightingRecall, Self.leastSightings[name]),
          ("contexts", cell.contextRecall, Self.leastContexts[name]),
        ] {
          // The tables name every format that carries the kind: none falls out unseen, and none goes unjudged.
          #expect(ratio.all >= (least ?? 0), "\(name) in \(envelope.rawValue): too few \(kind)")
          #expect(least != nil || ratio.all == 0, "\(name) in \(envelope.rawValue): \(kind) in no table")
          #expect(ratio.value >= Self.bar, "\(name) in \(envelope.rawValue): \(kind)")
        }
        // A format without sightings must show none.
        #expect(cell.sightingPrecision.value >= Self.bar, "\(name) in \(envelope.rawValue): wrong sightings")
      }
    }
  }

  /// Findings of which a field must have been judged, in every cell.
  private static func leastJudged(_ name: String, _ field: Score.Field) -> Int {
    // Of rendered text only event 36871 says which side the machine was on.
    RecordShape(rawValue: name)!.isEventText && field == .server ? 10 : 20
  }

  /// Formats that carry rows of the census, and how many at least in every cell.
  private static let leastSightings: [String: Int] = {
    var least = [
      RecordShape.cmtrace: 800, .simple: 150, .w3c: 400, .errorLog: 200, .wideErrorLog: 200,
    ]
    for shape in [
      RecordShape.xml, .prettyXML, .wrappedXML, .winlogbeat7, .winlogbeat8, .nxlog, .openWEC, .openWECRaw, .wazuh,
      .openTelemetry, .prettyJSON, .fluentBit, .fluentBitInserts, .vector,
    ] { least[shape] = 20 }
    return Dictionary(uniqueKeysWithValues: least.map { ($0.key.rawValue, $0.value) })
  }()

  /// Formats of logs that know records of context, and how many at least in every cell.
  private static let leastContexts: [String: Int] = [
    RecordShape.cmtrace.rawValue: 300, RecordShape.simple.rawValue: 200,
  ]

  private static let formatNames = RecordShape.allCases.map(\.rawValue)

  private static func show(_ cells: [String: [Envelope: Cell]]) {
    print("MATRIX format | " + Envelope.allCases.map(\.rawValue).joined(separator: " | "))
    for (name, row) in cells.sorted(by: { $0.key < $1.key }) {
      let texts = Envelope.allCases.map { envelope in
        row[envelope].map { "\($0.recall.value.figure)/\($0.precision.value.figure) (\($0.recall.all))" } ?? "-"
      }
      print("MATRIX \(name) | " + texts.joined(separator: " | "))
      let others = Envelope.allCases.map { envelope in
        let cell = row[envelope] ?? Cell()
        let (recall, contexts) = (cell.sightingRecall, cell.contextRecall)
        return "\(recall.value.figure)/\(cell.sightingPrecision.value.figure) (\(recall.all)) "
          + "\(contexts.value.figure) (\(contexts.all))"
      }
      print("MATRIX \(name) sightings, contexts | " + others.joined(separator: " | "))
    }
  }

  // MARK: Relaying

  /// A stream and the records in it.
  private struct Relayed {
    var bytes: [UInt8] = []
    var records: [PlacedRecord] = []
    /// Where each record lies, with its line end.
    var ranges: [Range<Int>] = []

    init() {}

    /// A file as Windows wrote it.
    init(bytes: [UInt8], records: [PlacedRecord]) {
      self.bytes = bytes
      self.records = records.sorted { $0.offset < $1.offset }
      ranges = self.records.map { record in
        let byteCount = isWide ? 2 * record.line.utf16.count : record.line.utf8.count
        return Int(record.offset)..<Int(record.offset) + byteCount
      }
    }

    var isWide: Bool { bytes.starts(with: [0xFF, 0xFE]) }

    /// The file in UTF-8, without its byte order mark.
    var decoded: Relayed {
      let units = stride(from: 2, to: bytes.count - 1, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
      var text: [UInt8] = []
      var done = 0
      func place(_ offset: UInt64) -> UInt64 {
        let unit = (Int(offset) - 2) / 2
        text += String(decoding: units[done..<unit], as: UTF16.self).utf8
        done = unit
        return UInt64(text.count)
      }
      var moved = records
      for index in moved.indices { moved[index].offset = place(moved[index].offset) }
      _ = place(UInt64(bytes.count))
      return Relayed(bytes: text, records: moved)
    }
  }

  /// The file, line by line in envelopes; records at the places of their first lines.
  private static func relayed(_ file: Relayed, _ envelope: Envelope, _ path: String) -> Relayed {
    let bytes = file.bytes
    let inOrder = file.records
    var out = Relayed()
    var start = 0
    var next = 0
    let host = inOrder[0].host
    func take(_ end: Int) -> (offset: Int, byteCount: Int)? {
      var stop = end
      while stop > start, bytes[stop - 1] == 0x0D || bytes[stop - 1] == 0x0A { stop -= 1 }
      defer { start = end }
      // Relays drop empty lines.
      guard stop > start else { return nil }
      let offset = out.bytes.count
      out.bytes += wrapped(Array(bytes[start..<stop]), host, path, start, envelope)
      return (offset, out.bytes.count - offset - (envelope == .octets ? 0 : 1))
    }
    func lineEnd() -> Int { (bytes[start...].firstIndex(of: 0x0A) ?? bytes.count - 1) + 1 }
    while start < bytes.count {
      guard next < inOrder.count, Int(inOrder[next].offset) == start else {
        _ = take(lineEnd())
        continue
      }
      var record = inOrder[next]
      next += 1
      let end = start + record.line.utf8.count
      var pieces: [(offset: Int, byteCount: Int)] = []
      while start < end {
        if let piece = take(envelope.joins ? end : lineEnd()) { pieces.append(piece) }
      }
      record.offset = UInt64(pieces[0].offset)
      record.relayed = (UInt64(pieces[0].byteCount), pieces.count)
      out.records.append(record)
      out.ranges.append(pieces[0].offset..<out.bytes.count)
    }
    return out
  }

  private static func wrapped(
    _ line: [UInt8], _ host: String, _ path: String, _ offset: Int, _ envelope: Envelope
  ) -> [UInt8] {
    let log = Origin.logName(ofPath: path)
    let file = "/logs/\(host)/\(log).log"
    let escaped = Array(
      line.flatMap { byte -> [UInt8] in
        byte < 0x20 ? Array("#0\(byte >> 3)\(byte & 7)".utf8) : [byte]
      })
    let header5424 = "<134>1 2026-03-04T00:00:00Z \(host) - - - [f path=\"\(file)\"] "
    func json(_ text: [UInt8]) -> String {
      let data = try! JSONSerialization.data(
        withJSONObject: String(decoding: text, as: UTF8.self), options: [.fragmentsAllowed, .withoutEscapingSlashes])
      return String(decoding: data, as: UTF8.self)
    }
    switch envelope {
    case .none: return line
    case .rfc5424, .joined: return Array(header5424.utf8) + escaped + [0x0A]
    case .octets:
      let message = Array(header5424.utf8) + line
      return Array("\(message.count) ".utf8) + message
    case .rfc3164: return Array("<134>Mar  4 00:00:00 \(host) \(log): ".utf8) + escaped + [0x0A]
    case .rsyslogFile: return Array("2026-03-04T00:00:00.000000+00:00 \(host) \(log): ".utf8) + escaped + [0x0A]
    case .rsyslogTraditional: return Array("Mar 30 00:00:00 \(host) \(log): ".utf8) + escaped + [0x0A]
    case .filebeat, .joinedFilebeat:
      return Array(
        (#"{"@timestamp":"2026-03-04T00:00:00.000Z","log":{"offset":\#(offset),"file":{"path":"\#(file)"}},"message":\#(json(line)),"#
          + #""host":{"name":"\#(host)"},"agent":{"type":"filebeat"}}"# + "\n").utf8)
    case .vector:
      return Array(
        (#"{"file":"\#(file)","host":"\#(host)","message":\#(json(line)),"offset":\#(offset),"timestamp":"2026-03-04T00:00:00Z"}"#
          + "\n").utf8)
    case .fluentBit:
      return Array(
        (#"{"date":1772582400.0,"path":"\#(file)","offset":\#(offset),"log":\#(json(line)),"hostname":"\#(host)"}"#
          + "\n").utf8)
    case .openTelemetry:
      return Array(
        (#"{"body":\#(json(line)),"attributes":{"log.file.path":"\#(file)","log.file.record_offset":\#(offset)},"#
          + #""resource":{"host.name":"\#(host)"}}"# + "\n").utf8)
    case .nxlog:
      return Array(
        (#"{"EventReceivedTime":"2026-03-04 00:00:00","SourceModuleType":"im_file","FileName":"\#(file)","Hostname":"\#(host)","#
          + #""raw_event":\#(json(line))}"# + "\n").utf8)
    case .nested:
      let inner = "<134>1 2026-03-04T00:00:00Z \(host) - - - [f path=\"\(file)\"] "
      return Array("2026-03-04T00:00:01.000000+00:00 relay rsyslogd: ".utf8) + Array(inner.utf8) + escaped + [0x0A]
    }
  }
}
