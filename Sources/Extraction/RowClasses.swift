import Records

/// What a row says apart from when and who: the columns that decide are few, their values repeat, and what they mean is
/// learned once.
///
/// Columns that are judged together (the four TLS columns, status and sub-status) form a group. The bytes of a group are
/// looked up in its memo and give a class: two values are of one class when no signature, role, name or code tells them
/// apart. The classes of all groups, in one word, give the row's `Ruling`:
///
///     … GET /SMS_MP/.sms_aut MPLIST 443 - 10.0.0.7 ccmhttp - 200 0 64 31 400 6610 800c ae06
///           └── class 2 ──┘            client  └ 0 ┘   └ 1 ─┘ any └─── class 3 ────┘
///
/// What is not known, or not of an ordinary kind, goes the slow way, which judges one row by itself; `RowExtractor` holds
/// both, and they give the same.
@safe final class RowClasses: @unchecked Sendable {
  // `@unchecked`: owned by one `RowExtractor`, which is used by one thread at a time.

  /// Columns [first, last] of the schema.
  struct Group {
    var first: Int
    var last: Int
    let memo = RowMemo()
    /// By what a value means: its class.
    var classes: [[UInt64]: Int] = [:]
  }

  /// What rows of the same classes yield.
  struct Ruling {
    enum Kind: UInt8 { case oneByOne, sighting, nothing }
    var kind = Kind.oneByOne
    /// The server is the host of the stream.
    var isOfHost = false
    /// Of the sighting, without its client.
    var key = SightingKey()
    /// Rows since `flush`.
    var pendingCount: UInt64 = 0
  }

  /// Bits of a class in the word of a row's classes.
  private static let classBits = 9
  private static let classLimit = 1 << classBits
  /// More do not fit a word, beside the flags.
  private static let groupLimit = 6
  private static let pairLimit = 4
  private static let wordCount = 1024
  private static let rulingLimit = wordCount / 2

  let plan: RowPlan
  let groups: UnsafeMutablePointer<Group>
  let groupCount: Int
  /// Columns that a rule compares with each other.
  let pairs: [(Int, Int)]
  // Plain memory: of a class, every use of an array is checked for another one at the same time.
  let rulings: UnsafeMutablePointer<Ruling>
  private var rulingCount = 0
  /// By ruling: the signatures that hold.
  private var counted: [[Int]] = []
  private let words: UnsafeMutablePointer<UInt64>
  private let rulingOfWord: UnsafeMutablePointer<Int32>

  /// Nil for a schema that has too many groups.
  init?(_ plan: RowPlan) {
    var sets = [
      [plan.status, plan.substatus], [plan.stem], [plan.agent], [plan.computer ?? plan.serverAddress],
      [plan.cryptProtocol, plan.cryptCipher, plan.cryptKeyExchange, plan.cryptHash],
    ].map { $0.compactMap { $0 } }
    var pairs: [(Int, Int)] = []
    for rule in plan.unknownStatus {
      for predicate in rule.predicates {
        if let other = predicate.otherColumn, !pairs.contains(where: { $0 == (predicate.column, other) }) {
          pairs.append((predicate.column, other))
        }
        if predicate.anyOf.contains(where: { !$0.isField }) { sets.append([predicate.column]) }
      }
      for code in rule.codes { sets.append(code.columns) }
    }
    var groups: [Group] = []
    // Stretches that overlap, or stand side by side, are one: each look-up has its price. So are those with nothing but the
    // method between them, of which there are few.
    let method = plan.schema.column("cs-method")
    for set in sets.filter({ !$0.isEmpty }).sorted(by: { $0.min()! < $1.min()! }) {
      let isNear = { (last: Int) in set.min()! <= last + 1 || (set.min()! == last + 2 && method == last + 1) }
      if let last = groups.last, isNear(last.last) {
        groups[groups.count - 1].last = max(last.last, set.max()!)
      } else {
        groups.append(Group(first: set.min()!, last: set.max()!))
      }
    }
    guard groups.count <= RowClasses.groupLimit, pairs.count <= RowClasses.pairLimit else { return nil }
    self.plan = plan
    groupCount = groups.count
    unsafe self.groups = .allocate(capacity: max(1, groups.count))
    unsafe self.groups.initialize(from: groups, count: groups.count)
    self.pairs = pairs
    unsafe rulings = .allocate(capacity: RowClasses.rulingLimit)
    unsafe words = .allocate(capacity: RowClasses.wordCount)
    unsafe rulingOfWord = .allocate(capacity: RowClasses.wordCount)
    unsafe words.initialize(repeating: .max, count: RowClasses.wordCount)
    unsafe rulingOfWord.initialize(repeating: 0, count: RowClasses.wordCount)
  }

  deinit {
    unsafe groups.deinitialize(count: groupCount)
    unsafe groups.deallocate()
    unsafe rulings.deallocate()
    unsafe words.deallocate()
    unsafe rulingOfWord.deallocate()
  }

  /// The class of a value that means `meaning`; nil when the group has too many.
  func classNumber(of meaning: [UInt64], group: Int) -> Int? {
    if let known = unsafe groups[group].classes[meaning] { return known }
    let number = unsafe groups[group].classes.count
    guard number < RowClasses.classLimit else { return nil }
    unsafe groups[group].classes[meaning] = number
    return number
  }

  /// One more class behind those in `word`.
  static func adding(_ classNumber: Int, to word: UInt64) -> UInt64 {
    word << UInt64(classBits) | UInt64(truncatingIfNeeded: classNumber)
  }

  /// The ruling of a word; -1 when it is new.
  func ruling(of word: UInt64) -> Int {
    var slot = RowClasses.slot(of: word)
    while unsafe words[slot] != .max {
      if unsafe words[slot] == word { return unsafe Int(rulingOfWord[slot]) }
      slot = (slot + 1) & (RowClasses.wordCount - 1)
    }
    return -1
  }

  /// Remembers a ruling; when there are too many, those that were are forgotten first, and counted in `counts`.
  /// - Parameter signatures: those that hold on such rows.
  func add(_ ruling: Ruling, _ signatures: [Int], for word: UInt64, counts: inout [UInt64]) -> Int {
    if rulingCount == RowClasses.rulingLimit {
      flush(into: &counts)
      for slot in 0..<RowClasses.wordCount { unsafe words[slot] = .max }
      rulingCount = 0
      counted.removeAll(keepingCapacity: true)
    }
    var slot = RowClasses.slot(of: word)
    while unsafe words[slot] != .max { slot = (slot + 1) & (RowClasses.wordCount - 1) }
    unsafe words[slot] = word
    unsafe rulingOfWord[slot] = Int32(rulingCount)
    unsafe (rulings + rulingCount).initialize(to: ruling)
    counted.append(signatures)
    rulingCount += 1
    return rulingCount - 1
  }

  /// Adds the rows that were ruled on since the last time to the counts of signatures.
  func flush(into counts: inout [UInt64]) {
    for index in 0..<rulingCount where unsafe rulings[index].pendingCount > 0 {
      for signature in counted[index] { counts[signature] += unsafe rulings[index].pendingCount }
      unsafe rulings[index].pendingCount = 0
    }
  }

  private static func slot(of word: UInt64) -> Int { Int((word &* 0x9E37_79B9_7F4A_7C15) >> 54) }
}

/// Classes of values by their bytes: direct-mapped, a newcomer takes over the slot that it falls in. A value beyond
/// `byteLimit` is not remembered.
///
/// Layout: slot s holds its value at `bytes[s * byteLimit]`. Up to 7 bytes behind a value are read and not looked at: text
/// has that slack.
@safe final class RowMemo: @unchecked Sendable {
  // `@unchecked`: owned by one `RowClasses`.
  private static let slotCount = 512
  static let byteLimit = 192

  private struct Slot {
    var tag: UInt32
    /// -1: free.
    var byteCount: Int16
    var classNumber: Int16
  }
  private let slots: UnsafeMutablePointer<Slot>
  private let bytes: UnsafeMutablePointer<UInt8>

  init() {
    unsafe slots = .allocate(capacity: RowMemo.slotCount)
    unsafe slots.initialize(repeating: Slot(tag: 0, byteCount: -1, classNumber: 0), count: RowMemo.slotCount)
    unsafe bytes = .allocate(capacity: RowMemo.slotCount * RowMemo.byteLimit)
  }

  deinit {
    unsafe slots.deallocate()
    unsafe bytes.deallocate()
  }

  /// The class of the `byteCount` bytes at `value`; -1 when it is not known.
  @inline(__always)
  func classNumber(of value: UnsafePointer<UInt8>, _ byteCount: Int) -> Int {
    let hash = unsafe RowMemo.hash(value, byteCount)
    let index = RowMemo.slot(of: hash)
    let slot = unsafe slots[index]
    guard Int(slot.byteCount) == byteCount, slot.tag == UInt32(truncatingIfNeeded: hash >> 16) else { return -1 }
    let kept = unsafe UnsafeRawPointer(bytes + index * RowMemo.byteLimit)
    guard unsafe RowMemo.isSame(kept, UnsafeRawPointer(value), byteCount) else { return -1 }
    return Int(slot.classNumber)
  }

  func remember(_ classNumber: Int, of value: UnsafePointer<UInt8>, _ byteCount: Int) {
    guard byteCount <= RowMemo.byteLimit else { return }
    let hash = unsafe RowMemo.hash(value, byteCount)
    let index = RowMemo.slot(of: hash)
    unsafe slots[index] = Slot(
      tag: UInt32(truncatingIfNeeded: hash >> 16), byteCount: Int16(byteCount), classNumber: Int16(classNumber))
    unsafe (bytes + index * RowMemo.byteLimit).update(from: value, count: byteCount)
  }

  /// The top bits, which every bit of a value reaches.
  @inline(__always)
  private static func slot(of hash: UInt64) -> Int { Int(hash >> 55) }

  /// Words of eight bytes, the last one overlapping those before it: few branches, and hardly one that is guessed wrong.
  @inline(__always)
  private static func isSame(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ byteCount: Int) -> Bool {
    if byteCount < 8 {
      let mask = RowMemo.mask(byteCount)
      return unsafe (word(left, 0) ^ word(right, 0)) & mask == 0
    }
    var difference = unsafe word(left, byteCount - 8) ^ word(right, byteCount - 8)
    var offset = 0
    while offset + 8 < byteCount {
      difference |= unsafe word(left, offset) ^ word(right, offset)
      offset += 8
    }
    return difference == 0
  }

  @inline(__always)
  private static func hash(_ value: UnsafePointer<UInt8>, _ byteCount: Int) -> UInt64 {
    let raw = unsafe UnsafeRawPointer(value)
    var hash = UInt64(truncatingIfNeeded: byteCount) &* 0x9E37_79B9_7F4A_7C15
    if byteCount < 8 {
      hash ^= unsafe word(raw, 0) & mask(byteCount)
    } else {
      hash ^= unsafe word(raw, byteCount - 8)
      var offset = 0
      while offset + 8 < byteCount {
        hash = (hash ^ (unsafe word(raw, offset))) &* 0xD6E8_FEB8_6659_FD93
        hash ^= hash >> 32
        offset += 8
      }
    }
    hash = hash &* 0x9E37_79B9_7F4A_7C15
    return hash ^ hash >> 29
  }

  @inline(__always)
  private static func word(_ bytes: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian
  }

  /// The first `byteCount` bytes of a word, fewer than eight.
  @inline(__always)
  private static func mask(_ byteCount: Int) -> UInt64 { 1 << UInt64(8 * byteCount) - 1 }
}
