import Extraction
import Records
import TestSupport
import Testing

/// Text records that repeat are taken for what they came to before: the same evidence as when each is read by itself.
@Suite struct TextMemoTests {
  /// Records of the samples on a line each, in both formats.
  private static let lines: [[UInt8]] = PackageRoot.files(below: "sample-logs").flatMap { file in
    file.bytes.split(separator: 0x0A).map(Array.init).filter { line in
      (line.starts(with: "<![LOG[".utf8) && line.contains(0x5D)) || Text.decode(line).contains("$$<")
    }
  }

  private static func changed(_ line: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    var text = Text.decode(line)
    switch Int.random(in: 0..<8, using: &generator) {
    case 0: text = text.replacing("component=\"", with: "component=\"X")
    case 1: text = text.replacing("$$<", with: "$$<X")
    case 2: text = text.replacing("]LOG]!>", with: "!]LOG]!>")
    case 3: text = text.replacing("https", with: "http")
    case 4: text = text.replacing("file=\"", with: "file=\"x.ps1:1\" file=\"")
    case 5: text = text.replacing(/[0-9]/) { _ in String(Int.random(in: 0...9, using: &generator)) }
    case 6:
      // Other digits of every GUID, and a GUID where a name stood.
      if Bool.random(using: &generator) {
        text = text.replacing(/\bMP01\b/, with: "0F4A9C11-2B3D-4e5f-8A9B-C0D1E2F3A4B5")
      }
      text = text.replacing(/[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}/) { found in
        String(found.output.map { $0 == "-" ? "-" : "0123456789abcdefABCDEF".randomElement(using: &generator)! })
      }
    default: break
    }
    // Any minute of the hour: some records lie within the window that is asked for.
    return Array(text.replacing(/:[0-5]\d:/) { _ in ":\(Int.random(in: 10...59, using: &generator)):" }.utf8)
  }

  @Test(arguments: UInt64(0)..<60) func repeatedRecordsSayWhatEachSays(seed: UInt64) throws {
    try #require(TextMemoTests.lines.count > 50)
    var generator = SeededGenerator(seed: seed)
    let pool = (0..<30).map { _ in TextMemoTests.lines.randomElement(using: &generator)! }
    var text: [UInt8] = []
    for _ in 0..<400 {
      let line = pool.randomElement(using: &generator)!
      text += TextMemoTests.changed(line, &generator) + [0x0A]
    }
    var options = ExtractionOptions()
    let plain = try TestEngine.run(text, options: options)
    if seed % 3 == 1, let first = plain.result.firstTime, let last = plain.result.lastTime {
      options.since = Timestamp(microseconds: first.microseconds + (last.microseconds - first.microseconds) / 3)
      options.until = Timestamp(microseconds: last.microseconds - (last.microseconds - first.microseconds) / 3)
    }
    var oneByOne = options
    oneByOne.usesTextMemo = false
    let log = ["CcmMessaging", "wsyncmgr", "smsexec"].randomElement(using: &generator)!
    let host: String? = Bool.random(using: &generator) ? "PC-0042" : nil
    let fast = try TestEngine.run(text, host: host, log: log, readByteCount: 4096, options: options)
    let slow = try TestEngine.run(text, host: host, log: log, options: oneByOne)
    #expect(fast.findings == slow.findings)
    #expect(fast.sightings == slow.sightings)
    #expect(fast.signatureCounts == slow.signatureCounts)
    #expect(fast.suspectCount == slow.suspectCount && fast.confirmedCount == slow.confirmedCount)
    #expect(fast.result.outsideWindowCount == slow.result.outsideWindowCount)
    for reason in SkipReason.allCases { #expect(fast.result.skips[reason] == slow.result.skips[reason]) }
    #expect(fast.result.firstTime == slow.result.firstTime && fast.result.lastTime == slow.result.lastTime)
    #expect(slow.confirmedCount > 0)
  }
}
