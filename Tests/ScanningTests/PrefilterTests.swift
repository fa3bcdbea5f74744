import Definitions
import Detection
import Envelopes
import Extraction
import Framing
import Records
import Scanning
import TestSupport
import Testing

/// The slow, obvious twin of the prefilter: every record against every anchor of every signature, byte by byte.
enum NaiveScan {
  static func candidates(_ text: Span<UInt8>, _ batch: RecordBatch, _ signatures: [Signature]) -> [Candidate] {
    var found: [Candidate] = []
    for (record, slot) in batch.records.enumerated() {
      var lower: [UInt8] = []
      for index in Int(slot.messageStart)..<Int(slot.messageEnd) { lower.append(ASCII.lower(text[index])) }
      for (index, signature) in signatures.enumerated() where signature.formats.contains(slot.format) {
        var anchors = signature.anchors
        if slot.format.family == .event {
          for predicate in signature.predicates where predicate.field == "provider" {
            for case .text(let provider) in predicate.anyOf { anchors.append(provider) }
          }
        }
        if anchors.contains(where: { contains(lower, $0) }) {
          found.append(Candidate(record: UInt32(record), signature: UInt32(index)))
        }
      }
    }
    return found
  }

  static func contains(_ text: [UInt8], _ needle: [UInt8]) -> Bool {
    guard needle.count <= text.count else { return false }
    for start in 0...(text.count - needle.count) where text[start] == needle[0] {
      var index = 1
      while index < needle.count, text[start + index] == needle[index] { index += 1 }
      if index == needle.count { return true }
    }
    return false
  }
}

@Suite struct PrefilterTests {
  private func compare(_ bytes: [UInt8], _ what: String) throws {
    let chunk = Chunk(text: bytes)
    let engine = TestEngine.engine
    var batch = RecordBatch()
    batch.origins = [Origin(host: nil, log: "x", path: "x")]
    var opener = EnvelopeOpener(origin: batch.origins[0])
    let opened = opener.open(chunk, into: &batch)
    var framer = Framer()
    var scanner = Scanner(engine.plan)
    if batch.isDirect {
      _ = framer.frame(chunk.bytes, isFinal: true, openedByteCount: opened, into: &batch)
      #expect(
        scanner.scan(chunk.bytes, batch) == NaiveScan.candidates(chunk.bytes, batch, engine.rules.rules.signatures),
        "\(what)")
    } else {
      let arena = batch.arena
      _ = framer.frame(arena.span, isFinal: true, openedByteCount: opened, into: &batch)
      #expect(
        scanner.scan(arena.span, batch) == NaiveScan.candidates(arena.span, batch, engine.rules.rules.signatures),
        "\(what)")
    }
  }

  /// Anchors cut, joined, in any case and between random text, in every framing.
  @Test(arguments: UInt64(0)..<60)
  func agreesWithTheFullScanOnRandomText(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let anchors = TestEngine.engine.rules.rules.signatures.flatMap(\.anchors)
    var text = ""
    for line in 0..<40 {
      var message = ""
      for _ in 0..<Int.random(in: 0...6, using: &generator) {
        var piece = Array(anchors.randomElement(using: &generator)!)
        if Bool.random(using: &generator) { piece.removeLast(Int.random(in: 0..<piece.count, using: &generator)) }
        if Bool.random(using: &generator) { piece = piece.map { ASCII.isLetter($0) ? $0 ^ 0x20 : $0 } }
        message += String(decoding: piece, as: UTF8.self)
        message += [" ", "", "x", "=", "0x", "\t"].randomElement(using: &generator)!
      }
      switch line % 4 {
      case 0:
        text +=
          "<![LOG[\(message)]LOG]!><time=\"06:00:00.000+000\" date=\"03-02-2026\" component=\"x\" context=\"\" type=\"1\" thread=\"1\" file=\"x.cpp:1\">\n"
      case 1: text += "\(message)  $$<SMS_X><03-02-2026 06:00:00.000+000><thread=1 (0x1)>\n"
      case 2: text += message + "\n"
      default:
        text += "{\"SourceName\":\"\(Bool.random(using: &generator) ? "Schannel" : "sChAnnel ")\",\"EventID\":36887}\n"
      }
    }
    try compare(Array(text.utf8), "seed \(seed)")
  }

  @Test func agreesWithTheFullScanOnTheSamples() throws {
    for file in PackageRoot.files(below: "sample-logs") { try compare(file.bytes, file.path) }
  }

  @Test func agreesWithTheFullScanOnRealLogs() throws {
    guard let files = PackageRoot.realLogs() else { return }
    for file in files where file.bytes.count < 2_000_000 { try compare(file.bytes, file.path) }
  }
}

@Suite struct FactorChooserTests {
  @Test func theShippedChoiceIsCompleteAndSmall() {
    let engine = TestEngine.engine
    for family in [FormatFamily.text, .event] {
      let factors = engine.plan.factors(of: family).map { Array($0.utf8) }
      let anchors = Set(engine.rules.rules.signatures.filter { $0.formats.intersects(family) }.flatMap(\.anchors))
      for anchor in anchors {
        #expect(factors.contains { NaiveScan.contains(anchor, $0) }, "\(String(decoding: anchor, as: UTF8.self))")
      }
      #expect(factors.count <= engine.plan.anchorCount(of: family))
    }
  }

  /// Whatever the anchors, each holds its factor.
  @Test(arguments: UInt64(0)..<100)
  func randomAnchorsAreCovered(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let anchors = (0..<Int.random(in: 1...60, using: &generator)).map { _ in
      (0..<Int.random(in: 1...14, using: &generator)).map { _ in "abcde 0x8=_".utf8.randomElement(using: &generator)! }
    }
    let choice = FactorChooser.choose(for: anchors)
    #expect(choice.isComplete(for: anchors))
    #expect(choice.buckets.allSatisfy { (0..<16).contains($0) })
    // The check itself is believed only because it fails when a factor is taken away, or stands elsewhere.
    for index in choice.factors.indices {
      var fewer = choice
      let taken = fewer.factors.remove(at: index)
      let isUsed = zip(anchors, choice.offsets).contains { FactorChooser.factor($0, $1) == taken }
      #expect(isUsed)
      #expect(!fewer.isComplete(for: anchors))
    }
    if let index = anchors.firstIndex(where: { $0.count > 6 }) {
      var moved = choice
      moved.offsets[index] = anchors[index].count - 5
      #expect(!moved.isComplete(for: anchors))
    }
  }
}
