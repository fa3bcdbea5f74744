/// Seeded multiply and fold (the mixing step of wyhash): names come from outside and must not choose their places.
package struct SeededHash: Sendable {
  @usableFromInline package let seed: UInt64

  package init(seed: UInt64 = UInt64.random(in: .min ... .max)) { self.seed = seed }

  @inlinable package func hash(_ first: UInt64, _ second: UInt64) -> UInt64 {
    SeededHash.mix(SeededHash.mix(first ^ seed, 0x9E37_79B9_7F4A_7C15) ^ second, seed | 1)
  }

  /// Eight bytes at a time; the last eight may overlap those before.
  @inlinable package func hash(_ source: Span<UInt8>, _ start: Int, _ end: Int) -> UInt64 {
    var value = seed ^ UInt64(end - start)
    var position = start
    while position + 8 <= end {
      value = SeededHash.mix(value ^ SeededHash.word(source, position), 0x9E37_79B9_7F4A_7C15)
      position += 8
    }
    var rest: UInt64 = 0
    if end - start >= 8 {
      rest = SeededHash.word(source, end - 8)
    } else {
      while position < end {
        rest = rest << 8 | UInt64(source[position])
        position += 1
      }
    }
    return SeededHash.mix(value ^ rest, seed | 1)
  }

  @inlinable static func word(_ source: Span<UInt8>, _ position: Int) -> UInt64 {
    unsafe source.bytes.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self)
  }

  @inlinable package static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let wide = left.multipliedFullWidth(by: right)
    return wide.high ^ wide.low
  }
}
