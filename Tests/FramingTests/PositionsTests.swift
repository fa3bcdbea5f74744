import CKernels
import TestSupport
import Testing

/// `hk_positions` and `hk_count` at every level of this processor against a plain loop.
@Suite struct PositionsTests {
  @Test(arguments: UInt64(0)..<300)
  func everyLevelFindsWhatALoopFinds(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let density = [0.0, 0.02, 0.1, 0.5, 1.0].randomElement(using: &random)!
    let count = Int.random(in: 0...400, using: &random)
    let bytes = (0..<count).map { _ in
      Double.random(in: 0..<1, using: &random) < density ? 0x20 : UInt8.random(in: 0...255, using: &random)
    }
    let wanted = bytes.indices.filter { bytes[$0] == 0x20 }.map { UInt32($0) }
    let room = Int.random(in: 0...count + 80, using: &random)
    for level in 0..<hk_level_count() where hk_level(level) != nil {
      #expect(hk_count_at(level, bytes, count, 0x20) == wanted.count)
      var out = [UInt32](repeating: 0xFFFF_FFFF, count: room + 1)
      var done = -1
      let found = hk_positions_at(level, bytes, count, 0x20, &out, room, &done)
      // What was found is the beginning of what there is, up to where it says it came, and all of it given room.
      #expect(Array(out[..<found]) == Array(wanted[..<found]))
      #expect(wanted[..<found].allSatisfy { $0 < done } && wanted[found...].allSatisfy { $0 >= done })
      if room >= wanted.count + 64 { #expect(done == count) }
      #expect(out[room] == 0xFFFF_FFFF, "written beyond the room at \(String(cString: hk_level(level)))")
    }
  }

  /// Every text of up to four parts that may or may not be an address, between other bytes.
  @Test(arguments: UInt64(0)..<300)
  func addressesAreThoseOfTheParser(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<50 {
      var parts = (0..<[4, 4, 4, 4, 3, 5].randomElement(using: &random)!).map { _ in
        String(Int.random(in: 0...[9, 99, 255, 255, 299, 1000].randomElement(using: &random)!, using: &random))
      }
      if Int.random(in: 0..<6, using: &random) == 0 {
        parts[0] = ["", "00", "01", "x", "-1", "1 ", "1:", "/", "\u{e9}"].randomElement(using: &random)!
      }
      let text = Array(parts.joined(separator: ".").utf8)
      let bytes = Array("9.8 ".utf8) + text + Array(" 7.6.5.4 3.2.1.0 x".utf8)
      let ours = bytes.withUnsafeBufferPointer { hk_ipv4($0.baseAddress! + 4, text.count) }
      let wanted = IPv4Twin.read(text)
      #expect(ours == (wanted.map(Int64.init) ?? -1), "\(parts)")
    }
  }
}

/// Four decimal numbers of one to three digits up to 255.
private enum IPv4Twin {
  static func read(_ text: [UInt8]) -> UInt32? {
    let parts = text.split(separator: 0x2E, omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.count), part.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
      guard let number = UInt32(String(decoding: part, as: UTF8.self)), number < 256 else { return nil }
      value = value << 8 | number
    }
    return value
  }
}
