import Detection
import Foundation
import Records
import Replay
import TestSupport
import Testing

/// Bad input is normal: counted and passed over, in bounded memory.
@Suite(.serialized) struct HostileTests {
  private static let good =
    "<![LOG[[CCMHTTP] ERROR: URL=https://mp01.corp.example/ccm_system/request, Port=443, Options=31, Code=12175, Text=ERROR_WINHTTP_SECURE_FAILURE]LOG]!><time=\"06:00:00.123+000\" date=\"03-02-2026\" component=\"CcmMessaging\" context=\"\" type=\"3\" thread=\"1\" file=\"ccmhttp.cpp:1\">\n"

  /// The good record behind the damage is still found.
  private func findsTheGoodRecord(after damage: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) throws
    -> TestEngine.Outcome
  {
    let outcome = try TestEngine.run(damage + Array("\n".utf8) + Array(Self.good.utf8))
    let finding = outcome.findings.last
    #expect(finding?.code == "0x80072f8f", sourceLocation: sourceLocation)
    #expect(finding?.offset == UInt64(damage.count + 1), sourceLocation: sourceLocation)
    return outcome
  }

  @Test func nulRunsAreCounted() throws {
    let outcome = try findsTheGoodRecord(after: [UInt8](repeating: 0, count: 100_000))
    #expect(outcome.result.skips[.nulRun].count == 1)
    #expect(outcome.result.skips[.nulRun].byteCount == 100_000)
  }

  @Test func deepJSONIsCounted() throws {
    let outcome = try findsTheGoodRecord(
      after: Array((String(repeating: "{\"a\":", count: 100) + "1" + String(repeating: "}", count: 100)).utf8))
    #expect(outcome.result.skips[.nestedTooDeep].count == 1)
  }

  @Test func unclosedEventsDoNotSwallowWhatFollows() throws {
    _ = try findsTheGoodRecord(after: Array("<Event xmlns='x'><System><Provider Name='Schannel'/>".utf8))
    _ = try findsTheGoodRecord(after: Array("{\"winlog\":{\"event_id\":36887".utf8))
    _ = try findsTheGoodRecord(after: Array("<![LOG[begun and never ended".utf8))
    _ = try findsTheGoodRecord(after: Array("a half simple record $$<SMS_X><03-02-20".utf8))
  }

  @Test func hugeLinesAreCutAndCounted() throws {
    let outcome = try findsTheGoodRecord(after: [UInt8](repeating: 0x61, count: 8 << 20))
    #expect(outcome.result.skips[.lineTooLong].count == 1)
    #expect(outcome.result.skips[.lineTooLong].byteCount == UInt64(7 << 20))
  }

  /// A line of 1 GiB (a hole in a file: NULs) and one of letters through the whole walk, in bounded memory.
  @Test func aLineOfOneGibibyteNeedsNoMemory() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hostile-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("CcmMessaging.log")
    try Data(Self.good.utf8).write(to: file)
    let handle = try FileHandle(forWritingTo: file)
    try handle.truncate(atOffset: 1 << 30)
    try handle.seek(toOffset: 1 << 30)
    handle.write(Data(("\n" + Self.good).utf8))
    try handle.close()
    let before = Self.peakKilobytes()
    let report = try await Replay.run(ReplayRequest(paths: [folder.path]), engine: TestEngine.engine)
    let grown = Self.peakKilobytes() - before
    #expect(report.findings.count == 2)
    #expect(report.findings.last?.offset == 1 << 30 + 1)
    #expect(grown < 64 * 1024, "the peak grew by \(grown) KiB")
  }

  private static func peakKilobytes() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss
  }

  @Test func cutUTF16IsCounted() throws {
    var bytes: [UInt8] = [0xFF, 0xFE]
    for unit in Self.good.utf16 { bytes += [UInt8(unit & 255), UInt8(unit >> 8)] }
    let whole = try TestEngine.run(bytes)
    #expect(whole.findings.count == 1)
    #expect(whole.findings.first?.offset == 2)
    #expect(whole.findings.first?.length == UInt64(2 * (Self.good.utf16.count - 1)))
    for cut in stride(from: 3, to: bytes.count - 10, by: 37) {
      let outcome = try TestEngine.run(Array(bytes[..<cut]))
      #expect(outcome.findings.allSatisfy { $0.length <= UInt64(cut) })
      if cut % 2 == 1 { #expect(outcome.result.skips[.badUTF16].count == 1) }
    }
  }

  @Test(arguments: UInt64(0)..<300)
  func randomBytesNeverCrash(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let pieces = [
      "<![LOG[", "]LOG]!>", "<time=\"", "$$<", "><thread=", "#Fields: date time c-ip\n", "2026-03-02 06:00:00 ",
      "<Event ",
      "</Event>", "<Events>", "{\"", "\":", "}", "[", "]", "\n", "\r\n", "<13>1 2026-03-02T06:00:00Z h a - - - ",
      "123 <13>1 ",
      "Schannel", "80072f8f", "#015#012", "\u{FEFF}", "12175", "Mar  2 06:00:00 h t: ",
    ]
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 1...400, using: &generator) {
      if Bool.random(using: &generator) {
        bytes += pieces.randomElement(using: &generator)!.utf8
      } else {
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
          bytes.append(UInt8.random(in: 0...255, using: &generator))
        }
      }
    }
    let whole = try TestEngine.run(bytes)
    let pieceByPiece = try TestEngine.run(bytes, readByteCount: Int.random(in: 1...50, using: &generator))
    #expect(whole.findings == pieceByPiece.findings)
    #expect(whole.sightings == pieceByPiece.sightings)
    #expect(whole.result.recordCounts == pieceByPiece.result.recordCounts)
    for reason in SkipReason.allCases {
      #expect(whole.result.skips[reason] == pieceByPiece.result.skips[reason], "\(reason.name)")
    }
  }

  /// Log text that tries to take over a pattern: the match gives up within its limits and says so.
  @Test func patternsGiveUpWithinTheirLimits() throws {
    let text =
      "<![LOG[instance of CCM_CcmHttp_Status { ClientID = \"GUID:"
      + String(repeating: "ClientID = \"GUID:x\" HostName = \"", count: 20_000)
      + "]LOG]!><time=\"06:00:00.123+000\" date=\"03-02-2026\" component=\"CcmMessaging\" context=\"\" type=\"3\" thread=\"1\" file=\"x.cpp:1\">\n"
    let outcome = try TestEngine.run(Array((text + Self.good).utf8))
    #expect(outcome.findings.last?.code == "0x80072f8f")
  }
}
