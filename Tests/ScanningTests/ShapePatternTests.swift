import Extraction
import Records
import TestSupport
import Testing

/// What a pattern says of a shape, PCRE2 says of every message of that shape.
@Suite struct ShapePatternTests {
  private static let messages: [[UInt8]] = PackageRoot.files(below: "sample-logs").flatMap { file in
    file.bytes.split(separator: 0x0A).map { Array($0.prefix(300)) }.filter { !$0.contains(ShapePattern.hexDigit) }
  }

  private static let hexDigits = Array("0123456789abcdefABCDEF".utf8)

  private static func isHex(_ byte: UInt8) -> Bool { hexDigits.contains(byte) }

  /// Every digit and every hexadecimal digit of a GUID made a symbol.
  private static func shape(_ message: [UInt8]) -> [UInt8] {
    var shape = message.map { ASCII.isDigit($0) ? ShapePattern.digit : $0 }
    let dashes = [8, 13, 18, 23]
    var at = 0
    while at + 36 <= message.count {
      let isGUID = (0..<36).allSatisfy {
        dashes.contains($0) ? message[at + $0] == 0x2D : isHex(message[at + $0])
      }
      if isGUID {
        for index in 0..<36 where !dashes.contains(index) { shape[at + index] = ShapePattern.hexDigit }
      }
      at += isGUID ? 36 : 1
    }
    return shape
  }

  private static func message(of shape: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    shape.map {
      switch $0 {
      case ShapePattern.digit: UInt8(ascii: "0") + UInt8.random(in: 0...9, using: &generator)
      case ShapePattern.hexDigit: hexDigits.randomElement(using: &generator)!
      default: $0
      }
    }
  }

  /// How PCRE2 sees a message: where each of the named groups lies, nil without a match.
  private static func groups(_ pattern: Pattern, _ matcher: PatternMatcher, _ message: [UInt8]) -> [String: Range<
    Int
  >]?? {
    switch matcher.match(pattern, message.span, start: 0, end: message.count, from: 0) {
    case .limit: return nil
    case .none: return .some(nil)
    case .match:
      return pattern.groups.compactMapValues { matcher.group($0) }.merging(["": matcher.group(0)!]) { $1 }
    }
  }

  private static let sources = TestEngine.engine.rules.rules.signatures.compactMap(\.pattern)
  private static let patterns = sources.map { ($0, try! Pattern($0), ShapePattern($0)) }

  @Test func mostShippedPatternsAreKnown() {
    #expect(ShapePatternTests.sources.count > 60)
    let unknown = ShapePatternTests.sources.filter { ShapePattern($0) == nil }
    #expect(unknown.count * 10 <= ShapePatternTests.sources.count, "\(unknown)")
  }

  private struct Tally {
    var matches = 0
    var none = 0
  }

  /// Whether every message of a shape is what the pattern says of the shape.
  private static func check(
    _ pattern: Pattern, _ symbolic: ShapePattern?, _ shape: [UInt8], _ generator: inout SeededGenerator,
    _ matcher: PatternMatcher, _ tally: inout Tally
  ) {
    guard let symbolic, !shape.isEmpty else { return }
    let source = pattern.source
    var steps = 20_000
    let said = shape.withUnsafeBufferPointer { symbolic.match($0, steps: &steps) }
    for _ in 0..<6 {
      let message = message(of: shape, &generator)
      guard let found = groups(pattern, matcher, message) else { continue }
      switch said {
      case .unknown: continue
      case .none:
        tally.none += 1
        #expect(found == nil, "\(source) in \(Text.decode(message))")
      case .match(let ranges):
        tally.matches += 1
        let named = pattern.groups.compactMapValues { ranges[$0] }.merging(["": ranges[0]!]) { $1 }
        #expect(found == named, "\(source) in \(Text.decode(message))")
      }
    }
  }

  @Test(arguments: UInt64(0)..<40) func shapesSayWhatEachMessageSays(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let matcher = PatternMatcher()
    var tally = Tally()
    try #require(ShapePatternTests.messages.count > 100)
    for _ in 0..<60 {
      var message = ShapePatternTests.messages.randomElement(using: &generator)!
      if Bool.random(using: &generator), !message.isEmpty {
        // A GUID or a number in place of some bytes.
        let place = message.indices.randomElement(using: &generator)!
        let inserted = Bool.random(using: &generator) ? "0F4A9C11-2B3D-4e5f-8A9B-C0D1E2F3A4B5" : "12175"
        message.replaceSubrange(place..<min(message.count, place + inserted.utf8.count), with: Array(inserted.utf8))
      }
      let shape = ShapePatternTests.shape(message)
      for _ in 0..<12 {
        let (_, pattern, symbolic) = ShapePatternTests.patterns.randomElement(using: &generator)!
        ShapePatternTests.check(pattern, symbolic, shape, &generator, matcher, &tally)
      }
    }
    #expect(tally.none > 0)
  }

  /// Each pattern on the examples of its definition, where it holds.
  @Test func examplesHoldByTheirShapes() throws {
    var generator = SeededGenerator(seed: 7)
    let matcher = PatternMatcher()
    var tally = Tally()
    for message in ShapePatternTests.messages {
      let shape = ShapePatternTests.shape(message)
      for (_, pattern, symbolic) in ShapePatternTests.patterns {
        guard matcher.match(pattern, message.span, start: 0, end: message.count, from: 0) == .match else { continue }
        ShapePatternTests.check(pattern, symbolic, shape, &generator, matcher, &tally)
      }
      if tally.matches > 2000 { break }
    }
    #expect(tally.matches > 100)
  }

  /// Small patterns over small texts, where every way through is taken sooner or later.
  @Test(arguments: UInt64(0)..<50) func smallPatternsAgree(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let matcher = PatternMatcher()
    var tally = Tally()
    let atoms = [
      "a", "b", "1", "\\d", "\\w", "\\s", ".", "[ab]", "[^a1]", "[0-9]", "(a)", "(?<x>b|1)", "(?:ab|a)", "(?=a)",
      "(?!1)",
      "(?<=a)", "(?<![b1])", "\\b", "(?i:A)", "\\{", "[a-f\\d]", "$", "\\A", "(?:a|)", "\\D", "-",
    ]
    let counts = ["", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,3}?", "{2,}"]
    for _ in 0..<40 {
      var source = Int.random(in: 0..<6, using: &generator) == 0 ? "(?i)" : ""
      for _ in 0..<Int.random(in: 1...5, using: &generator) {
        if Int.random(in: 0..<9, using: &generator) == 0 { source += "|" }
        let atom = atoms.randomElement(using: &generator)!
        let isPlace =
          atom.hasPrefix("(?=") || atom.hasPrefix("(?!") || atom.hasPrefix("(?<=") || atom.hasPrefix("(?<!")
          // PCRE2 10.42 takes `(?i:A)*a` for two letters that differ.
          || ["\\b", "$", "\\A", "(?i:A)"].contains(atom)
        if atom.hasPrefix("(?<x>"), source.contains("(?<x>") { continue }
        source += atom + (isPlace ? "" : counts.randomElement(using: &generator)!)
      }
      let pattern = try Pattern(source)
      let symbolic = ShapePattern(source)
      for _ in 0..<10 {
        let shape = (0..<Int.random(in: 1...8, using: &generator)).map { _ in
          [
            UInt8(ascii: "a"), 0x62, 0x2D, 0x20, 0x0A, 0x7B, ShapePattern.digit, ShapePattern.digit,
            ShapePattern.hexDigit,
          ]
          .randomElement(using: &generator)!
        }
        ShapePatternTests.check(pattern, symbolic, shape, &generator, matcher, &tally)
      }
    }
    #expect(tally.matches + tally.none > 0)
  }
}
