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

  private let seeded = SeededHash()
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

  private func place(of text: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
    Int(seeded.hash(text, start, end) >> 52)
  }
}
