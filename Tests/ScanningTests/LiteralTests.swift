import CKernels
import Scanning
import TestSupport
import Testing

/// The literals kernel at every level against looking for each literal at each place.
@Suite struct LiteralTests {
  private struct Hit: Hashable, Comparable {
    var range: Int
    var literal: Int
    static func < (left: Hit, right: Hit) -> Bool { (left.range, left.literal) < (right.range, right.literal) }
  }

  private func folded(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

  private func naive(_ literals: [[UInt8]], _ text: [UInt8], _ ranges: [UInt32]) -> [Hit] {
    var hits: [Hit] = []
    for range in 0..<(ranges.count / 2) {
      let piece = text[Int(ranges[2 * range])..<Int(ranges[2 * range + 1])].map { folded($0) }
      for (index, literal) in literals.enumerated() where literal.count <= piece.count {
        for start in 0...(piece.count - literal.count)
        where piece[start..<(start + literal.count)].elementsEqual(literal) {
          hits.append(Hit(range: range, literal: index))
        }
      }
    }
    return hits.sorted()
  }

  /// - Parameter capacity: of the list of hits; the search goes on where it was full.
  private func found(
    _ literals: [[UInt8]], _ text: [UInt8], _ ranges: [UInt32], level: Int, capacity: Int
  ) -> [Hit] {
    let choice = FactorChooser.choose(for: literals)
    var ends: [UInt32] = []
    for literal in literals { ends.append((ends.last ?? 0) + UInt32(literal.count)) }
    let set = hk_literals_make(
      literals.flatMap { $0 }, ends, choice.offsets.map { UInt8($0) }, choice.buckets.map { UInt8($0) }, literals.count)
    defer { hk_literals_free(set) }
    // The text stands at the very end of its memory, so that AddressSanitizer sees a byte too many.
    let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, text.count))
    defer { bytes.deallocate() }
    bytes.initialize(from: text, count: text.count)
    var cursor = hk_literals_cursor()
    var hits: [Hit] = []
    var list = [UInt64](repeating: 0, count: capacity)
    while cursor.range < ranges.count / 2 {
      let count = hk_literals_find_at(
        level, set, bytes, text.count, ranges, 2, ranges.count / 2, &cursor, &list, capacity)
      hits += list[..<count].map { Hit(range: Int($0 & 0xFFFF_FFFF), literal: Int($0 >> 32)) }
    }
    return hits.sorted()
  }

  @Test(arguments: UInt64(0)..<120)
  func everyLevelFindsWhatLookingFinds(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let alphabet = Array(["ab", "abcdeABCDE 01:", "abcdefghijklmnop-0x8=_\u{0}\u{FF}"][Int(seed % 3)].utf8)
    func random(_ count: ClosedRange<Int>, _ letters: [UInt8]) -> [UInt8] {
      (0..<Int.random(in: count, using: &generator)).map { _ in letters.randomElement(using: &generator)! }
    }
    let lower = alphabet.filter { $0 < 0x80 && $0 > 0 && folded($0) == $0 }
    var literals = Set((0..<Int.random(in: 1...80, using: &generator)).map { _ in random(1...20, lower) })
    literals.insert(random(200...255, lower))
    let sorted = literals.sorted { $0.lexicographicallyPrecedes($1) }
    var text: [UInt8] = []
    for _ in 0..<Int.random(in: 0...40, using: &generator) {
      text += random(0...90, alphabet)
      var piece = sorted.randomElement(using: &generator)!
      if Bool.random(using: &generator) { piece = piece.map { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 } }
      if Int.random(in: 0..<4, using: &generator) == 0 { piece.removeLast() }
      text += piece
    }
    var ranges: [UInt32] = []
    var at = 0
    while at <= text.count, ranges.count < 60 {
      let start = Int.random(in: at...text.count, using: &generator)
      let end = Int.random(in: start...text.count, using: &generator)
      ranges += [UInt32(start), UInt32(end)]
      at = end + 1
    }
    ranges += [0, UInt32(text.count)]
    let wanted = naive(sorted, text, ranges)
    for level in 0..<hk_level_count() where hk_level(level) != nil {
      let name = String(cString: hk_level(level))
      #expect(found(sorted, text, ranges, level: level, capacity: 4096) == wanted, "\(name)")
      #expect(found(sorted, text, ranges, level: level, capacity: sorted.count + 1) == wanted, "\(name), little room")
    }
  }
}
