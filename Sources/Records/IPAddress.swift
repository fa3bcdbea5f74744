/// An IPv4 or IPv6 address as 16 bytes in network order (IPv4 as ::ffff:a.b.c.d), zone dropped.
package struct IPAddress: Hashable, Comparable, Sendable {
  package var high: UInt64
  package var low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Parses the text form; nil when it is no address. A zone (`%12`, `%eth0`) is allowed and dropped.
  /// Source: RFC 4291 §2.2, RFC 4007 §11.
  package init?(_ bytes: Span<UInt8>, start: Int, end: Int) {
    var stop = end
    var index = start
    var hasColon = false
    while index < stop {
      let byte = bytes[index]
      if byte == 0x25 {
        stop = index
        break
      }
      if byte == 0x3A { hasColon = true }
      index += 1
    }
    guard stop > start, stop - start <= 45 else { return nil }
    if !hasColon {
      guard let v4 = IPAddress.ipv4(bytes, start: start, end: stop) else { return nil }
      self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(v4))
      return
    }
    var groups = InlineArray<8, UInt16>(repeating: 0)
    var count = 0
    var gap = -1
    index = start
    if index + 1 < stop, bytes[index] == 0x3A {
      guard bytes[index + 1] == 0x3A else { return nil }
      gap = 0
      index += 2
    }
    while index < stop {
      if count == 8 { return nil }
      var value: UInt32 = 0
      var digits = 0
      let groupStart = index
      while index < stop, let digit = ASCII.hexValue(bytes[index]) {
        value = value << 4 | UInt32(digit)
        digits += 1
        index += 1
        if digits > 4 { break }
      }
      if index < stop, bytes[index] == 0x2E {
        guard count <= 6, let v4 = IPAddress.ipv4(bytes, start: groupStart, end: stop) else { return nil }
        groups[count] = UInt16(v4 >> 16)
        groups[count + 1] = UInt16(v4 & 0xFFFF)
        count += 2
        index = stop
        break
      }
      guard digits >= 1, digits <= 4 else { return nil }
      groups[count] = UInt16(value)
      count += 1
      if index == stop { break }
      guard bytes[index] == 0x3A else { return nil }
      index += 1
      if index == stop { return nil }
      if bytes[index] == 0x3A {
        guard gap < 0 else { return nil }
        gap = count
        index += 1
      }
    }
    guard gap >= 0 ? count < 8 : count == 8 else { return nil }
    var wide = InlineArray<8, UInt16>(repeating: 0)
    let tail = gap < 0 ? 0 : count - gap
    for position in 0..<(gap < 0 ? count : gap) { wide[position] = groups[position] }
    for position in 0..<tail { wide[8 - tail + position] = groups[gap + position] }
    var h: UInt64 = 0
    var l: UInt64 = 0
    for position in 0..<4 {
      h = h << 16 | UInt64(wide[position])
      l = l << 16 | UInt64(wide[position + 4])
    }
    self.init(high: h, low: l)
  }

  private static func ipv4(_ bytes: Span<UInt8>, start: Int, end: Int) -> UInt32? {
    var value: UInt32 = 0
    var part: UInt32 = 0
    var digits = 0
    var dots = 0
    var index = start
    while index < end {
      let byte = bytes[index]
      if ASCII.isDigit(byte) {
        part = part * 10 + UInt32(byte - 0x30)
        digits += 1
        guard digits <= 3, part <= 255 else { return nil }
      } else if byte == 0x2E {
        guard digits > 0, dots < 3 else { return nil }
        value = value << 8 | part
        part = 0
        digits = 0
        dots += 1
      } else {
        return nil
      }
      index += 1
    }
    guard dots == 3, digits > 0 else { return nil }
    return value << 8 | part
  }

  package var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

  package static func < (left: IPAddress, right: IPAddress) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }

  /// The canonical text of RFC 5952.
  package var text: String {
    if isIPv4 {
      return "\(low >> 24 & 255).\(low >> 16 & 255).\(low >> 8 & 255).\(low & 255)"
    }
    var groups: [UInt16] = []
    for shift in stride(from: 48, through: 0, by: -16) {
      groups.append(UInt16(truncatingIfNeeded: high >> UInt64(shift)))
    }
    for shift in stride(from: 48, through: 0, by: -16) {
      groups.append(UInt16(truncatingIfNeeded: low >> UInt64(shift)))
    }
    var best = (start: -1, count: 1)
    var index = 0
    while index < 8 {
      var run = 0
      while index + run < 8, groups[index + run] == 0 { run += 1 }
      if run > best.count { best = (index, run) }
      index += max(1, run)
    }
    func hex(_ slice: ArraySlice<UInt16>) -> String {
      slice.map { String($0, radix: 16) }.joined(separator: ":")
    }
    guard best.start >= 0 else { return hex(groups[0...]) }
    return hex(groups[..<best.start]) + "::" + hex(groups[(best.start + best.count)...])
  }
}
