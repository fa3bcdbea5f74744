import Detection
import Foundation
import Records
import TestSupport
import Testing

/// Records of several lines that a forwarder sends line by line, each in an envelope of its own, are the records that
/// the file itself gives: the same findings, however the lines of many files mix on the way and however the stream is cut.
@Suite struct PieceTests {
  /// A file of the samples, by the machine and the log it lies on.
  struct Sample: Sendable {
    var host: String
    var log: String
    var lines: [[UInt8]]
    /// Offset of each line in the file, and of its end.
    var offsets: [Int]
  }

  /// Every text file of the samples and of the user pains in UTF-8, whose lines are not enveloped already.
  static let samples: [Sample] = {
    var samples: [Sample] = []
    for root in ["sample-logs", "Tests/UserPainTests/Cases"] {
      let folder = PackageRoot.path(root)
      let names = (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []).sorted()
      for name in names where !name.hasSuffix(".md") && !name.hasSuffix(".tsv") {
        guard let data = FileManager.default.contents(atPath: folder + "/" + name), !data.isEmpty, !data.contains(0),
          String(data: data, encoding: .utf8) != nil, !data.starts(with: [0xEF, 0xBB, 0xBF])
        else { continue }
        var lines: [[UInt8]] = []
        var offsets: [Int] = []
        var start = 0
        for line in data.split(separator: 0x0A, omittingEmptySubsequences: false) {
          offsets.append(start)
          start += line.count + 1
          lines.append(Array(line.last == 0x0D ? line.dropLast() : line))
        }
        if lines.last?.isEmpty == true {
          lines.removeLast()
          offsets.removeLast()
        }
        // Syslog headers and JSON lines name machines of their own.
        if lines.contains(where: { isEnveloped($0) }) { continue }
        samples.append(
          Sample(
            host: "H\(samples.count)", log: Origin.logName(ofPath: name), lines: lines, offsets: offsets))
      }
    }
    return samples
  }()

  private static func isEnveloped(_ line: [UInt8]) -> Bool {
    let head = String(decoding: line.prefix(16), as: UTF8.self)
    return head.hasPrefix("{")
      || head.wholeMatch(of: /(<\d+>|[A-Z][a-z]{2} [ \d]\d \d\d:|\d{4}-\d\d-\d\dT|\d+ <\d).*/) != nil
  }

  enum Forwarder: CaseIterable, Sendable {
    case filebeat, vector, fluentBit, openTelemetry, nxlog, rfc5424, rfc3164
    var tellsOffset: Bool { [.filebeat, .vector, .fluentBit, .openTelemetry].contains(self) }
  }

  private static func json(_ bytes: [UInt8]) -> String {
    let data = try! JSONSerialization.data(
      withJSONObject: String(decoding: bytes, as: UTF8.self), options: [.fragmentsAllowed, .withoutEscapingSlashes])
    return String(decoding: data, as: UTF8.self)
  }

  private static func wrapped(_ line: [UInt8], _ sample: Sample, _ offset: Int, _ forwarder: Forwarder) -> [UInt8] {
    let path = "/logs/\(sample.host)/\(sample.log).log"
    let text: String
    switch forwarder {
    case .filebeat:
      text =
        #"{"@timestamp":"2026-03-02T12:00:00.000Z","log":{"offset":\#(offset),"file":{"path":"\#(path)"}},"#
        + #""message":\#(json(line)),"host":{"name":"\#(sample.host)"}}"#
    case .vector:
      text =
        #"{"file":"\#(path)","host":"\#(sample.host)","message":\#(json(line)),"offset":\#(offset),"#
        + #""source_type":"file","timestamp":"2026-03-02T12:00:00Z"}"#
    case .fluentBit:
      text =
        #"{"date":1772452800.0,"path":"\#(path)","offset":\#(offset),"log":\#(json(line)),"hostname":"\#(sample.host)"}"#
    case .openTelemetry:
      text =
        #"{"body":\#(json(line)),"attributes":{"log.file.path":"\#(path)","log.file.record_offset":\#(offset)},"#
        + #""resource":{"host.name":"\#(sample.host)"}}"#
    case .nxlog:
      text =
        #"{"EventReceivedTime":"2026-03-02 12:00:00","SourceModuleName":"in","SourceModuleType":"im_file","FileName":"\#(path)","#
        + #""Hostname":"\#(sample.host)","raw_event":\#(json(line))}"#
    case .rfc5424:
      return Array(#"<134>1 2026-03-02T12:00:00Z \#(sample.host) \#(sample.log) - - [f path="\#(path)"] "#.utf8) + line
    case .rfc3164:
      return Array("<134>Mar  2 12:00:00 \(sample.host) \(sample.log): ".utf8) + line
    }
    return Array(text.utf8)
  }

  /// What must be the same; the place in the relayed file is not.
  private static func facts(_ finding: Finding) -> String {
    [
      finding.signature, finding.findingClass.rawValue, finding.cause.rawValue, finding.time?.rfc3339, finding.host,
      finding.log, finding.component, finding.client, finding.clientIP, finding.server, finding.code, finding.symbol,
      finding.protocolName,
    ].map { $0 ?? "-" }.joined(separator: " ")
  }

  private static func direct(_ sample: Sample) throws -> [Finding] {
    try TestEngine.run(Array(sample.lines.joined(separator: [0x0A])) + [0x0A], host: sample.host, log: sample.log)
      .result.findings
  }

  @Test func theSamplesHoldRecordsOfSeveralLines() throws {
    #expect(Self.samples.count > 60)
    // A tail without the head would be found without a time.
    let several = try Self.samples.filter { sample in
      try Self.direct(sample).contains {
        $0.time != nil && $0.length > UInt64(sample.lines[Int($0.line) - 1].count + 2)
      }
    }
    #expect(several.count >= 3)
  }

  @Test(arguments: Forwarder.allCases)
  func lineByLineIsTheFile(forwarder: Forwarder) throws {
    var partCount = 0
    for sample in Self.samples {
      var stream: [UInt8] = []
      for (line, offset) in zip(sample.lines, sample.offsets) {
        // A relay drops empty lines.
        if line.isEmpty, forwarder == .rfc3164 || forwarder == .rfc5424 { continue }
        stream += Self.wrapped(line, sample, offset, forwarder) + [0x0A]
      }
      let expected = try Self.direct(sample)
      let found = try TestEngine.run(stream, host: "relay", log: "relay").result.findings
      #expect(found.map(Self.facts).sorted() == expected.map(Self.facts).sorted(), "\(sample.host) \(sample.log)")
      for finding in found where finding.parts > 1 {
        partCount += 1
        // The place is the first piece: one physical line.
        let piece = stream[Int(finding.offset)..<Int(finding.offset + finding.length)]
        #expect(!piece.contains(0x0A) && stream[Int(finding.offset + finding.length)] == 0x0A)
        #expect(finding.offset == 0 || stream[Int(finding.offset) - 1] == 0x0A)
      }
    }
    #expect(partCount >= 3)
  }

  /// Lines of many files, mixed as a relay mixes them, and the stream cut anywhere.
  @Test(arguments: UInt64(0)..<40)
  func mixedOriginsKeepTheirRecords(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let forwarder = Forwarder.allCases.randomElement(using: &random)!
    let samples = Self.samples.shuffled(using: &random).prefix(8)
    var next = samples.map { _ in 0 }
    var stream: [UInt8] = []
    while let _ = samples.indices.first(where: { next[$0] < samples[$0].lines.count }) {
      let index = Int.random(in: 0..<samples.count, using: &random)
      let sample = samples[samples.startIndex + index]
      for _ in 0..<Int.random(in: 1...4, using: &random) where next[index] < sample.lines.count {
        let line = sample.lines[next[index]]
        let offset = sample.offsets[next[index]]
        next[index] += 1
        if line.isEmpty, forwarder == .rfc3164 || forwarder == .rfc5424 { continue }
        let wrapped = Self.wrapped(line, sample, offset, forwarder) + [0x0A]
        stream += wrapped
        // A forwarder that was not sure sends a line again.
        if forwarder == .filebeat, line.starts(with: Array("   at ".utf8)) { stream += wrapped }
      }
    }
    let expected = try samples.flatMap { try Self.direct($0) }.map(Self.facts).sorted()
    let whole = try TestEngine.run(stream, host: "relay", log: "relay")
    #expect(whole.result.findings.map(Self.facts).sorted() == expected)
    for readByteCount in [1000, 4099, Int.random(in: 200...70_000, using: &random)] {
      let cut = try TestEngine.run(stream, host: "relay", log: "relay", readByteCount: readByteCount)
      #expect(cut.result.findings == whole.result.findings)
      #expect(cut.sightings == whole.sightings)
      #expect(cut.result.recordCounts == whole.result.recordCounts)
      for reason in SkipReason.allCases { #expect(cut.result.skips[reason] == whole.result.skips[reason]) }
    }
  }

  private static let attributes =
    #"<time="09:47:02.123+000" date="03-02-2026" component="SMS_REST_PROVIDER" context="" type="3" thread="7" file="">"#

  private func filebeat(_ text: String, _ offset: Int) -> [UInt8] {
    let sample = Sample(host: "CM01", log: "SMS_REST_PROVIDER", lines: [], offsets: [])
    return Self.wrapped(Array(text.utf8), sample, offset, .filebeat) + [0x0A]
  }

  /// A record of three lines: its failure in the last but one, its time in the last.
  private static let pieces = [
    "<![LOG[ERROR: The request failed",
    "System.Net.WebException: The request was aborted: Could not create SSL/TLS secure channel.",
    "   at System.Net.HttpWebRequest.GetResponse()]LOG]!>" + attributes,
  ]

  @Test func offsetsPutPiecesInOrderAndDropRepetitions() throws {
    let offsets = [
      100, 100 + Self.pieces[0].utf8.count + 2, 100 + Self.pieces[0].utf8.count + Self.pieces[1].utf8.count + 4,
    ]
    let lines = zip(Self.pieces, offsets).map { filebeat($0, $1) }
    let inOrder = try TestEngine.run(Array(lines.joined()))
    let finding = try #require(inOrder.findings.first)
    #expect(inOrder.findings.count == 1 && finding.parts == 3 && finding.time != nil && finding.offset == 0)
    #expect(finding.length == UInt64(lines[0].count - 1) && finding.line == 1)
    // The last piece overtakes the second.
    let shuffled = try TestEngine.run(lines[0] + lines[2] + lines[1])
    #expect(shuffled.findings.map(Self.facts) == inOrder.findings.map(Self.facts))
    let repeated = try TestEngine.run(lines[0] + lines[1] + lines[1] + lines[2])
    #expect(repeated.findings.map(Self.facts) == inOrder.findings.map(Self.facts))
    #expect(repeated.result.skips[.repeatedPiece].count == 1)
  }

  @Test func aRecordThatNeverEndsIsTornAndHoldsNobodyUp() throws {
    let lines = Self.pieces.map { filebeat($0, 0) }
    let other = Array("<134>1 2026-03-02T12:00:00Z PC-7 CcmMessaging - - - ordinary text of another machine\n".utf8)
    let many = Array(repeatElement(other, count: 3000).joined())
    let outcome = try TestEngine.run(lines[0] + many)
    #expect(outcome.result.skips[.tornRecord].count == 1)
    #expect(outcome.result.recordCounts[Int(RecordFormat.line.rawValue)] == 3000)
    for readByteCount in [1777, 50_000] {
      let cut = try TestEngine.run(lines[0] + many, readByteCount: readByteCount)
      #expect(cut.result.recordCounts == outcome.result.recordCounts)
      #expect(cut.result.skips[.tornRecord] == outcome.result.skips[.tornRecord])
    }
  }

  /// Files that share one syslog tag: a whole record of another file passes by one that is not finished.
  @Test func wholeRecordsPassByAnUnfinishedOne() throws {
    func syslog(_ text: String) -> [UInt8] { Array("<134>1 2026-03-02T12:00:00Z CM01 ccm - - - \(text)\n".utf8) }
    let whole = "<![LOG[Nothing to see]LOG]!>" + Self.attributes
    let outcome = try TestEngine.run(
      syslog(Self.pieces[0]) + syslog(whole) + syslog(Self.pieces[1]) + syslog(Self.pieces[2]))
    #expect(outcome.findings.count == 1 && outcome.findings[0].parts == 3 && outcome.findings[0].time != nil)
    #expect(outcome.result.recordCounts[Int(RecordFormat.cmtrace.rawValue)] == 2)
  }
}
