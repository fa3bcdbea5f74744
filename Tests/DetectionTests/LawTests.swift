import Clients
import Detection
import Foundation
import Records
import Replay
import Sinks
import TestSupport
import Testing

/// What a run says, to the byte: findings, sightings and skips as JSON lines.
private func transcript(_ report: ReplayReport) -> [UInt8] {
  var lines = JSONLines()
  for finding in report.findings { lines.finding(finding) }
  for row in SightingRow.all(report.census, names: report.names) { lines.sighting(row) }
  for stream in report.streams {
    for reason in SkipReason.allCases where stream.result.skips[reason].count > 0 {
      lines.skip(path: stream.source.path, reason: reason, entry: stream.result.skips[reason], detail: nil)
    }
    lines.object(type: "counts") { lines in
      lines.string("path", stream.source.path)
      lines.number("lines", stream.lineCount)
      lines.numbers("records", RecordFormat.allCases.map { ($0.name, stream.result.recordCounts[Int($0.rawValue)]) })
      lines.number("markers", stream.result.markerCount)
    }
  }
  return lines.bytes
}

@Suite struct ChunkingAndThreadLaws {
  private func run(
    _ paths: [String], threads: Int = 1, read: Int = Limits.readByteCount, segment: UInt64 = Limits.segmentByteCount
  ) async throws -> ReplayReport {
    try await Replay.run(
      ReplayRequest(paths: paths, threadCount: threads, readByteCount: read, segmentByteCount: segment),
      engine: TestEngine.engine)
  }

  private static let samples = PackageRoot.path("sample-logs")

  /// Any size of a read gives the same findings, sightings, counts and skips.
  @Test(arguments: [1, 2, 3, 7, 64, 977, 4096, 65_537])
  func anyChunkingGivesTheSame(readByteCount: Int) async throws {
    let whole = transcript(try await run([Self.samples]))
    #expect(transcript(try await run([Self.samples], read: readByteCount)) == whole)
  }

  @Test(arguments: [2, 3, 8])
  func anyNumberOfThreadsGivesTheSame(threads: Int) async throws {
    let one = transcript(try await run([Self.samples]))
    #expect(one.count > 10_000)
    #expect(transcript(try await run([Self.samples], threads: threads)) == one)
  }

  /// A file that is read in parts by several threads gives what it gives as a whole: records that go on over the end of
  /// a part, columns and clocks that change within the file, envelopes that begin late.
  @Test(arguments: [UInt64(300), 1000, 2777, 9000])
  func anyPartsOfFilesGiveTheSame(segmentByteCount: UInt64) async throws {
    for folder in [Self.samples, PackageRoot.path("Tests/UserPainTests/Cases")] {
      let whole = transcript(try await run([folder]))
      #expect(transcript(try await run([folder], threads: 3, segment: segmentByteCount)) == whole)
    }
  }

  @Test(arguments: UInt64(0)..<24)
  func partsOfMixedFilesGiveTheSame(seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    let path = NSTemporaryDirectory() + "handshaked-parts-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let files = PackageRoot.files(below: "sample-logs").filter { !$0.path.hasSuffix(".md") && !$0.bytes.contains(0) }
    for index in 0..<3 {
      // Whole files one behind another: formats, columns and clocks change in the middle.
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 2...6, using: &random) {
        bytes += files.randomElement(using: &random)!.bytes
        if bytes.last != 0x0A { bytes.append(0x0A) }
      }
      if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 1...200, using: &random)) }
      try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/mixed\(index).log"))
    }
    let whole = transcript(try await run([path]))
    #expect(whole.count > 500)
    for segment in [UInt64(512), 3000, 20_000] {
      #expect(transcript(try await run([path], threads: 4, read: 1500, segment: segment)) == whole)
    }
  }

  @Test func realLogsKeepTheLaws() async throws {
    guard PackageRoot.realLogs() != nil else { return }
    let path = PackageRoot.path("../shared/real-logs")
    let whole = transcript(try await run([path]))
    #expect(transcript(try await run([path], read: 101)) == whole)
    #expect(transcript(try await run([path], threads: 4, read: 8191)) == whole)
    #expect(transcript(try await run([path], threads: 4, segment: 5000)) == whole)
  }

  /// Any order of the PATH arguments gives the same set of evidence.
  @Test func anyOrderOfFilesGivesTheSameEvidence() async throws {
    let folders = try PackageRoot.folders(in: "sample-logs")
    func facts(_ report: ReplayReport) -> (Set<String>, [SightingRow]) {
      let findings = report.findings.map { finding -> String in
        "\(finding.signature) \(finding.path) \(finding.offset) \(finding.length) \(finding.line) \(finding.time?.rfc3339 ?? "-") \(finding.sameAs ?? "-")"
      }
      return (Set(findings), SightingRow.all(report.census, names: report.names))
    }
    let forward = facts(try await run(folders))
    let backward = facts(try await run(folders.reversed()))
    #expect(forward.0 == backward.0)
    #expect(forward.1 == backward.1)
  }

  /// A census is a set union: noting in any order, in any parts, gives the same rows.
  @Test(arguments: UInt64(0)..<100)
  func mergingCensusesIsOrderFree(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let all = (0..<300).map { _ in
      (
        SightingKey(
          clientHigh: [0, 0, 0x2001_0DB8_0000_0000].randomElement(using: &generator)!,
          clientLow: [0, 0xFFFF_0000_0000, 0xFFFE_0000_0000, 1 << 63].randomElement(using: &generator)!
            | UInt64.random(in: 0..<3, using: &generator), isAddress: Bool.random(using: &generator),
          server: UInt32.random(in: 0..<3, using: &generator),
          protocolName: UInt32.random(in: 0..<3, using: &generator),
          outcome: UInt8.random(in: 0..<3, using: &generator)),
        Bool.random(using: &generator) ? Int64.min : Int64.random(in: -5...5, using: &generator)
      )
    }
    func census(_ part: some Sequence<(SightingKey, Int64)>) -> Census {
      var columns = SightingColumns()
      for (key, time) in part { columns.append(key, at: time) }
      var census = Census(seed: seed)
      census.note(columns)
      return census
    }
    func rows(_ census: Census) -> [SightingKey: [Int64]] {
      Dictionary(uniqueKeysWithValues: census.rows.map { ($0.key, [$0.first, $0.last, Int64($0.count)]) })
    }
    let whole = rows(census(all))
    let cut = Int.random(in: 0...300, using: &generator)
    var merged = census(all[cut...].reversed())
    merged.merge(census(all[..<cut].shuffled(using: &generator)))
    #expect(rows(merged) == whole)
    // The slow twin: a dictionary.
    var twin: [SightingKey: [Int64]] = [:]
    for (key, time) in all {
      var entry = twin[key] ?? [.min, .min, 0]
      if time != .min {
        entry[0] = entry[0] == .min ? time : min(entry[0], time)
        entry[1] = max(entry[1], time)
      }
      entry[2] += 1
      twin[key] = entry
    }
    #expect(whole == twin)
  }

  /// Past every size at which its memory grows, and copied on the way, a census holds what was noted; full, it counts off.
  @Test func aLargeCensusHoldsEveryRow() {
    var census = Census(seed: 7, limit: 250_000)
    var copy = census
    for part in 0..<30 {
      var columns = SightingColumns()
      for index in 0..<10_000 {
        let client = UInt64(part * 10_000 + index)
        columns.append(
          SightingKey(
            clientHigh: client % 5 == 0 ? client << 32 : 0, clientLow: 0xFFFF_0000_0000 | client, isAddress: true,
            role: UInt32(client % 3)), at: Int64(client))
        columns.append(
          SightingKey(clientLow: 0xFFFF_0000_0000 | client / 2 * 2 + 1, isAddress: true, protocolName: 9), at: .min)
      }
      census.note(columns)
      if part == 10 { copy = census }
    }
    #expect(census.rowCount == 250_000)
    #expect(census.rows.reduce(census.refusedCount) { $0 + $1.count } == 600_000)
    #expect(copy.rowCount == 165_000 && copy.refusedCount == 0)
    for row in copy.rows {
      let client = row.key.clientLow & 0xFFFF_FFFF
      if row.key.protocolName == 9 {
        #expect(client % 2 == 1 && row.count == 2 && row.first == .min && row.last == .min)
      } else {
        #expect(row.first == Int64(client) && row.last == row.first && row.count == 1)
        #expect(row.key.role == UInt32(client % 3) && row.key.clientHigh == (client % 5 == 0 ? client << 32 : 0))
      }
    }
  }
}

@Suite struct SameFailureTests {
  private func finding(
    _ signature: String, _ milliseconds: Int64, cause: Cause = .protocol, host: String = "MP01", writer: String = "616",
    isThread: Bool = false, offset: UInt64
  ) -> Finding {
    var finding = Finding(
      signature: signature, findingClass: .protocolMismatch, cause: cause, severity: .error, stream: 0,
      path: "System.xml",
      offset: offset, length: 10, line: offset, confidence: .documented)
    finding.time = Timestamp(microseconds: 1_000_000_000 + milliseconds * 1000)
    finding.host = host
    finding.eventGroup = "g"
    finding.writer = writer
    finding.writerIsThread = isThread
    return finding
  }

  @Test func twoRecordsOfOneHandshakeAreOneFailure() {
    var findings = [finding("a", 0, offset: 1), finding("b", 3, offset: 2)]
    SameFailure.link(&findings)
    #expect(findings.map(\.sameAs) == [nil, "System.xml:1+10"])
  }

  @Test func aServerUnderLoadFailsManyTimes() {
    var findings = (0..<6).map { finding($0 % 2 == 0 ? "a" : "b", Int64($0), offset: UInt64($0)) }
    SameFailure.link(&findings)
    #expect(findings.filter { $0.sameAs == nil }.count == 3)
  }

  @Test func aThreadTellsOneFailureInManyLines() {
    var findings = [
      finding("start", 0, cause: .unknownTLS, isThread: true, offset: 1),
      finding("flag", 1, cause: .expired, isThread: true, offset: 2),
      finding("start", 2, cause: .unknownTLS, isThread: true, offset: 3),
    ]
    SameFailure.link(&findings)
    #expect(findings.map(\.sameAs) == ["System.xml:2+10", nil, "System.xml:2+10"])
  }

  @Test func otherHostsWritersAndMomentsAreOtherFailures() {
    var findings = [
      finding("a", 0, offset: 1), finding("b", 0, host: "MP02", offset: 2), finding("b", 0, writer: "700", offset: 3),
      finding("b", 1001, offset: 4),
    ]
    SameFailure.link(&findings)
    #expect(findings.allSatisfy { $0.sameAs == nil })
  }

  @Test(arguments: UInt64(0)..<100)
  func orderOfInputDoesNotMatter(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let all = (0..<30).map { index in
      finding(
        ["a", "b", "c"].randomElement(using: &generator)!, Int64.random(in: 0...3000, using: &generator),
        cause: [.unknownTLS, .protocol].randomElement(using: &generator)!, isThread: Bool.random(using: &generator),
        offset: UInt64(index))
    }
    var sorted = all
    SameFailure.link(&sorted)
    var shuffled = all.shuffled(using: &generator)
    SameFailure.link(&shuffled)
    #expect(shuffled.sorted { $0.offset < $1.offset }.map(\.sameAs) == sorted.map(\.sameAs))
  }
}
