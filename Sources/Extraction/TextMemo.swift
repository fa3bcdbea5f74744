import CKernels
import Records

/// What text records came to, by the shape of their messages: programs say the same things again and again, and what a record
/// proves depends on nothing but its message, its component, its format and its origin (the log and the host), as long as it is
/// no finding: those tell more of their record, and are rare. Its time is read from each record.
///
/// The memory is C's (`text_memo.h`); what a record came to is kept here, by its place there. Bounded: a record in a taken
/// place replaces the one before it.
@safe final class TextMemo: @unchecked Sendable {
  // `@unchecked`: owned by one extractor, which is used by one thread at a time.
  /// Signatures and sightings of one record; of more than that nothing is remembered.
  static let signatureLimit = 4
  static let sightingLimit = 2
  static let hitCapacity = 256

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

  private let memo: OpaquePointer
  private let outcomes: UnsafeMutablePointer<Outcome>
  private let hits: UnsafeMutablePointer<hk_text_hit>
  /// Of the record at which the last run stopped.
  private let place: UnsafeMutablePointer<hk_text_place>

  init() {
    RecordLayout.check()
    guard let memo = unsafe hk_text_memo_new(hk_level_count(), UInt64.random(in: .min ... .max)) else {
      fatalError("no memory for the memo of text records")
    }
    unsafe self.memo = memo
    unsafe outcomes = .allocate(capacity: Int(HK_TEXT_PLACES))
    unsafe outcomes.initialize(repeating: Outcome(), count: Int(HK_TEXT_PLACES))
    unsafe hits = .allocate(capacity: TextMemo.hitCapacity)
    unsafe hits.initialize(repeating: hk_text_hit(), count: TextMemo.hitCapacity)
    unsafe place = .allocate(capacity: 1)
    unsafe place.initialize(to: hk_text_place())
  }

  deinit {
    unsafe hk_text_memo_free(memo)
    unsafe outcomes.deallocate()
    unsafe hits.deallocate()
    unsafe place.deallocate()
  }

  /// Begins a stream: origins are numbered anew.
  func begin() { unsafe hk_text_memo_begin(memo) }

  /// Takes known records from candidate `index` on and moves it behind them; the result is how many there were.
  func run(
    _ text: Span<UInt8>, _ records: Span<RecordSlot>, _ candidates: Span<Candidate>, from index: inout Int
  ) -> Int {
    unsafe text.withUnsafeBufferPointer { bytes in
      unsafe records.withUnsafeBufferPointer { slots in
        unsafe candidates.withUnsafeBufferPointer { list in
          unsafe hk_text_memo_run(
            memo, bytes.baseAddress, TextMemo.records(slots),
            TextMemo.candidates(list), candidates.count, &index, hits,
            TextMemo.hitCapacity, place)
        }
      }
    }
  }

  private static func records(_ slots: UnsafeBufferPointer<RecordSlot>) -> UnsafePointer<hk_record>? {
    unsafe UnsafeRawPointer(slots.baseAddress)?.assumingMemoryBound(to: hk_record.self)
  }

  private static func candidates(_ list: UnsafeBufferPointer<Candidate>) -> UnsafePointer<hk_candidate>? {
    unsafe UnsafeRawPointer(list.baseAddress)?.assumingMemoryBound(to: hk_candidate.self)
  }

  /// A record of the last run: its time, of a local clock or not, and what it came to.
  func hit(_ number: Int) -> (time: Int64, isLocal: Bool, outcome: UnsafePointer<Outcome>) {
    let hit = unsafe hits[number]
    return unsafe (hit.time, hit.is_local != 0, UnsafePointer(outcomes + Int(hit.place)))
  }

  /// The plain frame of the record at which the last run stopped; nil when it is of another form.
  var frame: PlainFrame? {
    guard unsafe place.pointee.is_plain != 0 else { return nil }
    return unsafe PlainFrame(
      trailer: place.pointee.trailer, time: place.pointee.time, isLocal: place.pointee.is_local != 0)
  }

  /// Whether the record at which the last run stopped may be noted.
  var hasKey: Bool { unsafe place.pointee.has_key != 0 }
  /// Whether its shape is not the message itself and may be tried as what it is to be known by.
  var mayBeShape: Bool { unsafe place.pointee.has_symbols != 0 && place.pointee.is_known_to_vary == 0 }
  /// Its shape.
  var shape: UnsafeBufferPointer<UInt8> {
    let count = unsafe place.pointee.count
    return unsafe UnsafeBufferPointer(
      start: UnsafeRawPointer(place).advanced(by: MemoryLayout<hk_text_place>.offset(of: \.shape)!)
        .assumingMemoryBound(to: UInt8.self), count: count)
  }

  /// Remembers the record at which the last run stopped.
  /// - Parameter literals: where the bytes of its message count, of which all others may be any of the same shape; nil: all.
  func note(
    _ outcome: Outcome, _ text: Span<UInt8>, _ records: Span<RecordSlot>, _ candidates: Span<Candidate>,
    literals: [UInt16]?
  ) {
    let number = unsafe text.withUnsafeBufferPointer { bytes in
      unsafe records.withUnsafeBufferPointer { slots in
        unsafe candidates.withUnsafeBufferPointer { list in
          let all = unsafe TextMemo.candidates(list)!
          let record =
            unsafe TextMemo.records(slots)!
            + Int(all[place.pointee.first].record)
          guard let literals else {
            return unsafe hk_text_memo_note(memo, bytes.baseAddress, record, all, place, nil, 0)
          }
          // An empty array has an address too.
          return unsafe hk_text_memo_note(
            memo, bytes.baseAddress, record, all, place, literals + [0], literals.count / 2)
        }
      }
    }
    unsafe outcomes[number] = outcome
  }

  /// For tests: how many records were known by shapes that are not their messages.
  var shapeHitCount: UInt64 { unsafe hk_text_memo_shape_hits(memo) }
}
