import Detection
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
    case none, rfc5424, octets, rfc3164, rsyslogFile = "rsyslog", filebeat, vector, fluentBit = "fluentbit"
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

    mutating func add(_ score: Score) {
      recall += score.recall
      precision += score.precision
      placeFaults += score.placeFaults
      for (field, ratio) in score.fields { fields[field, default: .init()] += ratio }
    }
  }

  @Test func everyFormatInEveryEnvelope() async throws {
    guard let rows = SignalTable.rows else { return }
    let corpus = try Corpus(seed: 5, variantCount: 40, rows: rows, at: Self.root, isPlain: true)
    defer { corpus.remove() }
    let byPath = Dictionary(grouping: corpus.records, by: \.path)
    var cells: [String: [Envelope: Cell]] = [:]
    for (path, records) in byPath.sorted(by: { $0.key < $1.key }) {
      let format = records[0].shape
      let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: corpus.folder + "/" + path)))
      for envelope in Envelope.allCases {
        guard let relayed = Self.relayed(bytes, records, envelope, path) else { continue }
        let outcome = try TestEngine.run(
          relayed.bytes, host: envelope == .none ? Self.host(records) : "relay",
          log: envelope == .none ? Origin.logName(ofPath: path) : "relay")
        var score = Score()
        score.judge(relayed.records, outcome.result.findings)
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
      }
    }
  }

  /// Findings of which a field must have been judged, in every cell.
  private static func leastJudged(_ name: String, _ field: Score.Field) -> Int {
    // Of rendered text only event 36871 says which side the machine was on.
    let isText = name == RecordShape.snare.rawValue || name == RecordShape.viewer.rawValue
    return isText && field == .server ? 10 : 20
  }

  private static let formatNames = RecordShape.allCases.map(\.rawValue)

  private static func show(_ cells: [String: [Envelope: Cell]]) {
    print("MATRIX format | " + Envelope.allCases.map(\.rawValue).joined(separator: " | "))
    for (name, row) in cells.sorted(by: { $0.key < $1.key }) {
      let texts = Envelope.allCases.map { envelope in
        row[envelope].map { "\($0.recall.value.figure)/\($0.precision.value.figure) (\($0.recall.all))" } ?? "-"
      }
      print("MATRIX \(name) | " + texts.joined(separator: " | "))
    }
  }

  private static func host(_ records: [PlacedRecord]) -> String { records[0].host }

  // MARK: Relaying

  /// The file, line by line in envelopes; records at the places of their first lines.
  private static func relayed(
    _ bytes: [UInt8], _ records: [PlacedRecord], _ envelope: Envelope, _ path: String
  ) -> (bytes: [UInt8], records: [PlacedRecord])? {
    if envelope == .none { return (bytes, records) }
    var out: [UInt8] = []
    var moved: [PlacedRecord] = []
    var start = 0
    var next = 0
    let host = host(records)
    let inOrder = records.sorted { $0.offset < $1.offset }
    func take(_ end: Int) -> (offset: Int, byteCount: Int)? {
      var stop = end
      while stop > start, bytes[stop - 1] == 0x0D || bytes[stop - 1] == 0x0A { stop -= 1 }
      defer { start = end }
      // Relays drop empty lines.
      guard stop > start else { return nil }
      let offset = out.count
      out += wrapped(Array(bytes[start..<stop]), host, path, start, envelope)
      return (offset, out.count - offset - (envelope == .octets ? 0 : 1))
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
      moved.append(record)
    }
    return (out, moved)
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
