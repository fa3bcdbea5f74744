import Glibc
import Records

/// What text records came to, by their bytes: programs say the same things again and again, and what a record proves
/// depends on nothing but its message, its component, its format and its origin (the log and the host), as long as it is no
/// finding: those tell more of their record, and are rare. Its time is read from each record.
///
/// Direct-mapped and bounded: a record in a taken place replaces the one before it. Keys are compared whole.
@safe final class TextMemo: @unchecked Sendable {
  // `@unchecked`: owned by one extractor, which is used by one thread at a time.
  private static let slotCount = 1024
  /// Component and message; longer ones are not remembered.
  private static let byteLimit = 480
  /// Signatures and sightings of one record; of more than that nothing is remembered.
  static let signatureLimit = 4
  static let sightingLimit = 2

  /// What a record came to.
  struct Outcome {
    var isSuspect = false
    var isConfirmed = false
    var signatureCount = 0
    /// Indexes of the signatures that held.
    var signatures = InlineArray<4, UInt32>(repeating: 0)
    var sightingCount = 0
    var sightings = InlineArray<2, SightingKey>(repeating: SightingKey())
  }

  /// A record, by what its outcome depends on.
  struct Key {
    fileprivate var hash: UInt64
    fileprivate var origin: UInt32
    fileprivate var format: RecordFormat
    fileprivate var componentStart: Int
    fileprivate var componentCount: Int
    fileprivate var messageStart: Int
    fileprivate var messageCount: Int
  }

  private struct Slot {
    /// The stream that it belongs to; 0: free.
    var stream: UInt32 = 0
    var origin: UInt32 = 0
    var format = RecordFormat.line
    var componentCount: Int16 = 0
    var messageCount: Int16 = 0
    var hash: UInt64 = 0
    var outcome = Outcome()
  }

  private let seeded = SeededHash()
  private let slots: UnsafeMutablePointer<Slot>
  private let bytes: UnsafeMutablePointer<UInt8>
  private var stream: UInt32 = 1

  init() {
    unsafe slots = .allocate(capacity: TextMemo.slotCount)
    unsafe slots.initialize(repeating: Slot(), count: TextMemo.slotCount)
    // Not initialized: only what a slot says is there is read, and only pages that are used take memory.
    unsafe bytes = .allocate(capacity: TextMemo.slotCount * TextMemo.byteLimit)
  }

  deinit {
    unsafe slots.deallocate()
    unsafe bytes.deallocate()
  }

  /// Begins a stream: origins are numbered anew.
  func begin() {
    stream &+= 1
    if stream == 0 {
      unsafe slots.update(repeating: Slot(), count: TextMemo.slotCount)
      stream = 1
    }
  }

  /// The key of a record; nil for one that is too long.
  func key(_ slot: RecordSlot, component: Range<Int>, _ text: Span<UInt8>) -> Key? {
    let start = Int(slot.messageStart)
    let count = Int(slot.messageEnd) - start
    guard count >= 8, count + component.count <= TextMemo.byteLimit else { return nil }
    let hash = hash(text, start, count)
    return Key(
      hash: hash, origin: slot.origin, format: slot.format, componentStart: component.lowerBound,
      componentCount: component.count, messageStart: start, messageCount: count)
  }

  /// Sixteen bytes at a time, in two sums that do not wait for each other; the last sixteen may overlap those before.
  private func hash(_ text: Span<UInt8>, _ start: Int, _ count: Int) -> UInt64 {
    unsafe text.withUnsafeBytes { raw in
      let bytes = unsafe raw.baseAddress! + start
      func word(_ position: Int) -> UInt64 { unsafe bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self) }
      if count < 16 { return seeded.hash(word(0) ^ UInt64(count), word(count - 8)) }
      var first = UInt64(count)
      var second: UInt64 = 0
      var position = 0
      while position + 16 < count {
        let sum = seeded.hash(word(position), word(position + 8))
        (first, second) = (second &* 3 &+ sum, first)
        position += 16
      }
      return seeded.hash(first ^ word(count - 16), second ^ word(count - 8))
    }
  }

  private func place(_ key: Key) -> Int { Int(key.hash >> 54) }

  /// The outcome of a record like this one, nil when none is remembered; valid until the next `note`.
  func find(_ key: Key, _ text: Span<UInt8>) -> UnsafePointer<Outcome>? {
    let place = place(key)
    let slot = unsafe slots + place
    guard
      unsafe slot.pointee.hash == key.hash && slot.pointee.stream == stream && slot.pointee.origin == key.origin
        && slot.pointee.format == key.format && Int(slot.pointee.componentCount) == key.componentCount
        && Int(slot.pointee.messageCount) == key.messageCount
    else { return nil }
    let known = unsafe bytes + place * TextMemo.byteLimit
    let isSame = unsafe text.withUnsafeBufferPointer { raw in
      unsafe memcmp(known, raw.baseAddress! + key.componentStart, key.componentCount) == 0
        && memcmp(known + key.componentCount, raw.baseAddress! + key.messageStart, key.messageCount) == 0
    }
    return isSame ? unsafe UnsafePointer(slot.pointer(to: \.outcome)!) : nil
  }

  func note(_ outcome: Outcome, _ key: Key, _ text: Span<UInt8>) {
    let place = place(key)
    let known = unsafe bytes + place * TextMemo.byteLimit
    unsafe text.withUnsafeBufferPointer { raw in
      unsafe memcpy(known, raw.baseAddress! + key.componentStart, key.componentCount)
      unsafe memcpy(known + key.componentCount, raw.baseAddress! + key.messageStart, key.messageCount)
    }
    unsafe slots[place] = Slot(
      stream: stream, origin: key.origin, format: key.format, componentCount: Int16(key.componentCount),
      messageCount: Int16(key.messageCount), hash: key.hash, outcome: outcome)
  }
}
