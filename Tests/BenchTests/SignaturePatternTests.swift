import Detection
import Foundation
import TestSupport
import Testing

import handshaked_bench

/// What ripgrep is given must stand for the signatures, or the comparison is worth nothing.
@Suite struct SignaturePatternTests {
  @Test func everyFailureSignatureCanBeWritten() {
    let rules = TestEngine.engine.rules.rules
    let patterns = SignaturePatterns(rules)
    #expect(patterns.bySignature.count == rules.signatures.count { $0.yields == .finding })
    #expect(patterns.bySignature.filter(\.choices.isEmpty).map(\.id) == [])
  }

  @Test func namesOfGroupsAreTakenAway() {
    #expect(SignaturePatterns.withoutNames(#"a(?<code>\d+)(?P<b>x)(?<=y)(?<!z)"#) == #"a(?:\d+)(?:x)(?<=y)(?<!z)"#)
  }

  /// The patterns find the failures of the corpora: each line that the walk tells of, and others that it does not.
  @Test(arguments: [CorpusKind.iis, .eventXML, .eventJSON]) func patternsFindTheFailures(kind: CorpusKind) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("handshaked-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let corpus = try CorpusWriter.write(kind, byteCount: 4 << 20, seed: 3, folder: folder.path)
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: corpus.path)))
    let patterns = try SignaturePatterns(TestEngine.engine.rules.rules).bySignature
      .compactMap { $0.choices.last }.joined().map { try NSRegularExpression(pattern: $0) }
    for offset in corpus.failureOffsets {
      let line = String(decoding: bytes[Int(offset)...].prefix { $0 != 0x0A }, as: UTF8.self)
      let range = NSRange(location: 0, length: line.utf16.count)
      #expect(patterns.contains { $0.firstMatch(in: line, range: range) != nil }, "\(line)")
    }
  }
}
