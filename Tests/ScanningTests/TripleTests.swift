import CKernels
import TestSupport
import Testing

/// Ranges are emptied where none of the triples stands, at every level; what holds one is kept.
@Suite struct TripleTests {
  @Test(arguments: UInt64(0)..<200) func rangesThatHoldATripleAreKept(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let letters = Array((seed % 4 == 0 ? "fipsxFIPS " : "abcdefghijklmnopqrsfip FIP.").utf8)
    let text = (0..<Int.random(in: 100...9000, using: &random)).map { _ in letters.randomElement(using: &random)! }
    let triples = Array((seed % 3 == 0 ? "fipsix" : "fip").utf8)
    var ranges: [UInt32] = []
    var place = 0
    while place < text.count {
      let end = min(text.count, place + Int.random(in: 0...(seed % 2 == 0 ? 300 : 3000), using: &random))
      ranges += [UInt32(place), UInt32(Int.random(in: 0..<8, using: &random) == 0 ? place : end)]
      place = end + Int.random(in: 0...70, using: &random)
    }
    func holds(_ from: Int, _ end: Int) -> Bool {
      (from..<max(from, end)).contains { at in
        stride(from: 0, to: triples.count, by: 3).contains { triple in
          (0..<3).allSatisfy { at + $0 < text.count && text[at + $0] | 0x20 == triples[triple + $0] }
        }
      }
    }
    for level in 0..<hk_level_count() where hk_level(level) != nil {
      var left = ranges
      hk_triples_filter_at(level, text, text.count, &left, left.count / 2, triples, triples.count / 3)
      for index in stride(from: 0, to: ranges.count, by: 2) {
        let (from, end) = (Int(ranges[index]), Int(ranges[index + 1]))
        #expect(left[index] == ranges[index])
        #expect(left[index + 1] == ranges[index + 1] || left[index + 1] == ranges[index])
        if holds(from, end) { #expect(left[index + 1] == ranges[index + 1]) }
        // Blocks of 64 bytes are looked at whole.
        if end + 66 <= text.count, !holds(from, end + 64) { #expect(left[index + 1] == ranges[index]) }
      }
    }
  }
}
