import Testing

import handshaked_bench

@Suite struct RoundsTests {
  @Test func medianOfOddAndEvenNumbers() {
    #expect([Double]().median == 0)
    #expect([3.0].median == 3)
    #expect([9.0, 1, 4].median == 4)
    #expect([9.0, 1, 4, 2].median == 3)
  }

  /// A round that was slow for both leaves the ratio as it is.
  @Test func ratiosAreOfTheSameRound() {
    #expect(Rounds.ratios([2, 4, 8], to: [1, 2, 4]) == [0.5, 0.5, 0.5])
    #expect(Rounds.ratios([1], to: [4]) == [4])
  }
}

@Suite struct BarTests {
  @Test func aBarIsHeldFromItsLimitOn() {
    #expect(Bar("speed", 0.40, .atLeast, 0.40).isHeld)
    #expect(!Bar("speed", 0.399, .atLeast, 0.40).isHeld)
    #expect(Bar("time", 80, .atMost, 80).isHeld)
    #expect(!Bar("time", 80.1, .atMost, 80).isHeld)
    #expect(!Bar("nothing measured", .nan, .atMost, 80).isHeld)
  }
}
