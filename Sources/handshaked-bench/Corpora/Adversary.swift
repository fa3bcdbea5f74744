import Detection
import Extraction
import Records

/// Input that somebody writes who wants the reader to be slow or to fall: web servers log what strangers send.
package enum Adversary: String, CaseIterable, Sendable {
  /// `x` and a line end.
  case oneByteLines = "one-byte lines"
  /// CMTrace records full of what the prefilter looks for: each is stopped at, most are let go.
  case factors = "full of factors"
  /// CMTrace records full of anchors, so that patterns are tried on each.
  case anchors = "full of anchors"
  /// CMTrace records and plain lines of one million bytes, in turn.
  case longLines = "1 MB lines"
  /// IIS rows, no two from the same address.
  case addresses = "distinct addresses"

  /// As many as the bar is about; fewer where the corpora are small.
  static let addressCount = 10_000_000
  private static let longLineByteCount = 1_000_000

  /// Writes about `byteCount` bytes.
  /// - Returns: what the file holds; `recordCount` are its lines.
  package func write(_ engine: Engine, byteCount: Int, path: String) throws -> Corpus {
    var corpus = Corpus(path: path, byteCount: 0, recordCount: 0, failureOffsets: [])
    var file = try CorpusFile(path)
    var lines = try AdversaryLines(self, engine)
    lines.begin(&file.text)
    while file.byteCount < byteCount, corpus.recordCount < (self == .addresses ? Adversary.addressCount : .max) {
      lines.line(corpus.recordCount, to: &file.text)
      corpus.recordCount += 1
      try file.flush()
    }
    corpus.byteCount = try file.finish()
    return corpus
  }

  private struct AdversaryLines {
    private let adversary: Adversary
    private var generator = SeededGenerator(seed: 2026)
    private var literals: [String] = []
    private var filler = ""

    init(_ adversary: Adversary, _ engine: Engine) throws {
      self.adversary = adversary
      switch adversary {
      case .factors: literals = engine.plan.factors(of: .text)
      case .anchors:
        literals = engine.rules.rules.signatures.filter { $0.formats.intersects(.text) }.flatMap(\.anchors)
          .map(Text.decode)
      case .longLines:
        let words = ["policy", "content", "location", "request", "of", "the", "assignment", "was", "completed"]
        while filler.utf8.count < Adversary.longLineByteCount { filler += generator.pick(words) + " " }
      case .oneByteLines, .addresses: break
      }
      if literals.isEmpty, adversary == .factors || adversary == .anchors {
        throw BenchError(what: "the definitions have no literals for text")
      }
    }

    func begin(_ text: inout TextBuffer) {
      guard adversary == .addresses else { return }
      text.text("#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n")
      text.text("#Fields: date time s-ip cs-method cs-uri-stem s-port c-ip sc-status sc-substatus sc-win32-status ")
      text.text("time-taken crypt-protocol crypt-cipher crypt-hash crypt-keyexchange\r\n")
    }

    mutating func line(_ number: Int, to text: inout TextBuffer) {
      switch adversary {
      case .oneByteLines: text.text("x\n")
      case .factors, .anchors:
        text.text("<![LOG[")
        let start = text.byteCount
        while text.byteCount - start < 200 {
          text.text(generator.pick(literals))
          text.text(" ")
        }
        frame(&text)
      case .longLines:
        // Both are a little shorter than the limit of a record.
        if number % 2 == 0 {
          text.text(filler)
          text.text("\n")
        } else {
          text.text("<![LOG[")
          text.text(filler)
          frame(&text)
        }
      case .addresses:
        text.text("2026-03-02 06:00:00 10.20.1.21 CCM_POST /ccm_system/request 443 ")
        address(number, to: &text)
        text.text(" 200 0 0 31 400 6610 800d ae06\r\n")
      }
    }

    private func frame(_ text: inout TextBuffer) {
      text.text(
        "]LOG]!><time=\"06:00:00.123-60\" date=\"03-02-2026\" component=\"CcmMessaging\" context=\"\" type=\"1\" ")
      text.text("thread=\"4242\" file=\"messaging.cpp:532\">\r\n")
    }

    /// A bijection of 32 bits, so that no two are the same and none follows its neighbour.
    private func address(_ number: Int, to text: inout TextBuffer) {
      let mixed = UInt32(truncatingIfNeeded: number) &* 2_654_435_761
      for (index, shift) in [UInt32(24), 16, 8, 0].enumerated() {
        if index > 0 { text.text(".") }
        text.number(Int(mixed >> shift & 0xFF))
      }
    }
  }
}
