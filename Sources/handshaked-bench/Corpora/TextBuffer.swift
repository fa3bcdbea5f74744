/// Bytes of a corpus under construction.
struct TextBuffer {
  private(set) var bytes: [UInt8] = []

  var byteCount: Int { bytes.count }

  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  mutating func append(_ piece: ArraySlice<UInt8>) { bytes.append(contentsOf: piece) }

  mutating func text(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// Decimal digits, filled up with zeros to `width`.
  mutating func number(_ number: Int, width: Int = 1) { digits(UInt64(number), base: 10, width: width, letters: 0x61) }

  mutating func hexadecimal(_ number: UInt64, width: Int = 1) { digits(number, base: 16, width: width, letters: 0x61) }

  /// `0F0A4C21-1111-4222-8333-944455556666`, without braces.
  mutating func guid(_ generator: inout SeededGenerator, isUpper: Bool = true) {
    let high = generator.next()
    let low = generator.next()
    let letters: UInt8 = isUpper ? 0x41 : 0x61
    let groups: [(value: UInt64, width: Int)] = [
      (high >> 32, 8), (high >> 16 & 0xFFFF, 4), (high & 0xFFFF, 4), (low >> 48, 4), (low & 0xFFFF_FFFF_FFFF, 12),
    ]
    for (index, group) in groups.enumerated() {
      if index > 0 { bytes.append(0x2D) }
      digits(group.value, base: 16, width: group.width, letters: letters)
    }
  }

  private mutating func digits(_ number: UInt64, base: UInt64, width: Int, letters: UInt8) {
    let start = bytes.count
    var rest = number
    repeat {
      let digit = UInt8(rest % base)
      bytes.append(digit < 10 ? 0x30 + digit : letters + digit - 10)
      rest /= base
    } while rest > 0 || bytes.count - start < width
    bytes[start...].reverse()
  }

  // MARK: Times

  /// `2026-03-02 06:00:00`, with the separator in the middle.
  mutating func stamp(_ clock: CorpusClock, separator: String) {
    number(clock.year, width: 4)
    text("-")
    number(clock.month, width: 2)
    text("-")
    number(clock.day, width: 2)
    text(separator)
    timeOfDay(clock)
  }

  mutating func timeOfDay(_ clock: CorpusClock) {
    number(clock.hour, width: 2)
    text(":")
    number(clock.minute, width: 2)
    text(":")
    number(clock.second, width: 2)
  }

  /// `03-02-2026`, month first.
  mutating func americanDate(_ clock: CorpusClock) {
    number(clock.month, width: 2)
    text("-")
    number(clock.day, width: 2)
    text("-")
    number(clock.year)
  }
}
