import CKernels
import Glibc
import Records

/// What events came to, by the values that decide it: all that is read of an event but its time, its computer and the
/// numbers of record, process and thread. Those stand in findings alone, which are not remembered; time and computer are
/// read from each event.
///
/// Direct-mapped and bounded: an event in a taken place replaces the one before it. Keys are compared whole.
@safe final class EventMemo: @unchecked Sendable {
  // `@unchecked`: owned by one extractor, which is used by one thread at a time.
  private static let slotCount = 1024
  /// Candidates, layout and values; longer ones are not remembered.
  private static let byteLimit = 480
  static let signatureLimit = 4
  static let sightingLimit = 2

  /// A sighting but for the event's own computer.
  struct Sighting {
    var key = SightingKey()
    /// The computer is the client; else it is the server.
    var isClient = false
  }

  /// What an event came to.
  struct Outcome {
    var isSuspect = false
    var isConfirmed = false
    var signatureCount = 0
    /// Indexes of the signatures that held.
    var signatures = InlineArray<4, UInt32>(repeating: 0)
    var sightingCount = 0
    var sightings = InlineArray<2, Sighting>(repeating: Sighting())
  }

  private struct Slot {
    /// 0: free.
    var byteCount = 0
    var hash: UInt64 = 0
    var outcome = Outcome()
  }

  private let seeded = SeededHash()
  private let slots: UnsafeMutablePointer<Slot>
  private let bytes: UnsafeMutablePointer<UInt8>
  /// The key that `setKey` made.
  private let key: UnsafeMutablePointer<UInt8>
  private var byteCount = 0
  private var hash: UInt64 = 0

  init() {
    unsafe slots = .allocate(capacity: EventMemo.slotCount)
    unsafe slots.initialize(repeating: Slot(), count: EventMemo.slotCount)
    // Not initialized: only what a slot says is there is read, and only pages that are used take memory.
    unsafe bytes = .allocate(capacity: EventMemo.slotCount * EventMemo.byteLimit)
    unsafe key = .allocate(capacity: EventMemo.byteLimit)
  }

  deinit {
    unsafe slots.deallocate()
    unsafe bytes.deallocate()
    unsafe key.deallocate()
  }

  /// Makes the key of an event; false for one that is too long.
  func setKey(
    _ candidates: ArraySlice<Candidate>, layout: EventLayout, _ values: [hk_event_value], _ event: EventLine,
    _ marks: [UInt16], _ text: Span<UInt8>
  ) -> Bool {
    let headCount = 12 + 4 * candidates.count
    guard headCount < EventMemo.byteLimit / 4 else { return false }
    let raw = unsafe UnsafeMutableRawPointer(key)
    unsafe raw.storeBytes(of: layout.serial, as: UInt64.self)
    unsafe raw.storeBytes(of: UInt32(candidates.count), toByteOffset: 8, as: UInt32.self)
    var place = 12
    for candidate in candidates {
      unsafe raw.storeBytes(of: candidate.signature, toByteOffset: place, as: UInt32.self)
      place += 4
    }
    let valueByteCount = unsafe text.withUnsafeBufferPointer { text in
      unsafe marks.withUnsafeBufferPointer { marks in
        unsafe hk_event_values(
          values, values.count, marks.baseAddress! + Int(event.marks), text.baseAddress! + Int(event.base),
          key + headCount, EventMemo.byteLimit - headCount)
      }
    }
    guard valueByteCount > 0 else { return false }
    byteCount = headCount + valueByteCount
    hash = unsafe seeded.hash(Span(_unsafeStart: UnsafePointer(key), count: byteCount), 0, byteCount)
    return true
  }

  /// The outcome of an event with this key, nil when none is remembered; valid until the next `note`.
  func find() -> UnsafePointer<Outcome>? {
    let place = Int(hash >> 54)
    let slot = unsafe slots + place
    guard unsafe slot.pointee.hash == hash && slot.pointee.byteCount == byteCount,
      unsafe memcmp(bytes + place * EventMemo.byteLimit, key, byteCount) == 0
    else { return nil }
    return unsafe UnsafePointer(slot.pointer(to: \.outcome)!)
  }

  /// Keeps what the event with this key came to.
  func note(_ outcome: Outcome) {
    let place = Int(hash >> 54)
    unsafe memcpy(bytes + place * EventMemo.byteLimit, key, byteCount)
    unsafe slots[place] = Slot(byteCount: byteCount, hash: hash, outcome: outcome)
  }
}
