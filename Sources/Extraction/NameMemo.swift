import Records

/// Numbers of names by the bytes in which they stand in logs, so that a name met before costs neither a `String` nor the
/// lock of the name table. Direct-mapped and bounded: a name in a taken place replaces the one before it.
struct NameMemo: Sendable {
  private static let slotCount = 4096
  /// Longer names are not remembered.
  private static let byteLimit = 56

  private struct Slot: Sendable {
    /// 0: free; the empty name is not kept.
    var byteCount: UInt32 = 0
    var id: UInt32 = 0
  }

  private let seed = UInt64.random(in: .min ... .max)
  private var slots: [Slot] = []
  private var bytes: [UInt8] = []

  /// The number of [start, end), asked of `make` when it is not remembered; 0 is not remembered either.
  mutating func id(of text: Span<UInt8>, _ start: Int, _ end: Int, make: () -> UInt32) -> UInt32 {
    let count = end - start
    guard count > 0, count <= NameMemo.byteLimit else { return make() }
    if slots.isEmpty {
      // Most workers meet no events.
      slots = [Slot](repeating: Slot(), count: NameMemo.slotCount)
      bytes = [UInt8](repeating: 0, count: NameMemo.slotCount * NameMemo.byteLimit)
    }
    let place = place(of: text, start, end)
    let from = place * NameMemo.byteLimit
    if Int(slots[place].byteCount) == count {
      var index = 0
      while index < count, bytes[from + index] == text[start + index] { index += 1 }
      if index == count { return slots[place].id }
    }
    let id = make()
    guard id != 0 else { return 0 }
    slots[place] = Slot(byteCount: UInt32(count), id: id)
    for index in 0..<count { bytes[from + index] = text[start + index] }
    return id
  }

  /// Seeded multiply and fold, eight bytes at a time: logs must not choose their places.
  private func place(of text: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
    var value = seed ^ UInt64(end - start)
    var position = start
    while position < end {
      var word: UInt64 = 0
      if position + 8 <= end {
        word = unsafe text.bytes.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self)
      } else {
        for index in position..<end { word = word << 8 | UInt64(text[index]) }
      }
      let wide = (value ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
      value = wide.high ^ wide.low
      position += 8
    }
    return Int(value >> 52)
  }
}
