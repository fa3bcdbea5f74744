/// Seeded random numbers (SplitMix64): a seed names a corpus.
struct Dice: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// Neighbouring seeds must not give one sequence shifted by a step: the seed is mixed first.
  init(_ seed: UInt64) {
    state = seed
    state = next() ^ 0x1234_5678
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func roll(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
  mutating func pick<T>(_ list: [T]) -> T { list[roll(list.count)] }
  mutating func chance(_ percent: Int) -> Bool { roll(100) < percent }

  mutating func hex(_ count: Int, isUpper: Bool = true) -> String {
    let digits = Array(isUpper ? "0123456789ABCDEF" : "0123456789abcdef")
    return String((0..<count).map { _ in digits[roll(16)] })
  }

  mutating func guid(isUpper: Bool = true) -> String {
    [8, 4, 4, 4, 12].map { hex($0, isUpper: isUpper) }.joined(separator: "-")
  }

  /// The name of a site system, as logs spell it: full, in either case, or the machine name alone.
  mutating func server() -> String {
    pick([
      "mp01.corp.example", "MP02.corp.example", "sup01.corp.example", "CM01.CORP.EXAMPLE", "dp-7.emea.corp.example",
      "MP03", "cmg01.cloudapp.net",
    ])
  }
}

/// Numbers as text.
func hexText(_ value: UInt64, _ width: Int) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

func padded(_ value: Int, _ width: Int = 2) -> String {
  let digits = String(value)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
