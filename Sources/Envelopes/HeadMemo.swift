import CKernels
import Records

/// The heads of syslog lines that were met before, to the byte, and what they say (envelopes.h): most lines of a stream
/// are opened by a look-up.
///
/// Nothing is allocated until the first head is learnt. Filled, the memo is emptied and filled anew.
@safe final class HeadMemo: @unchecked Sendable {
  // `@unchecked`: owned by one `EnvelopeOpener`; a copy of that begins an empty one of its own (`EnvelopeOpener.open`).

  private static let leastSlotCount = 64
  /// Lines that one call of the kernel finds.
  static let runLimit = 128
  /// Bytes that the kernel may read behind a text.
  private static let slackByteCount = 64
  /// Of heads that are all different, one in so many is learnt once none was met again for as long.
  private static let missInterval = 16
  private static let missPatience = 256

  private let heads: UnsafeMutablePointer<hk_heads>
  private var slots: UnsafeMutablePointer<hk_head>?
  /// By slot: what the head says.
  private var told: UnsafeMutablePointer<OriginNames>?
  private var texts: UnsafeMutablePointer<UInt8>?
  let found: UnsafeMutablePointer<hk_headed_line>
  private var slotCount = 0
  private var count = 0
  private var textCount = 0
  private var textCapacity = 0
  private var missCount = 0

  init() {
    unsafe heads = .allocate(capacity: 1)
    unsafe heads.initialize(to: hk_heads())
    unsafe heads.pointee.seed = hashOfThisProcess.seed
    unsafe found = .allocate(capacity: HeadMemo.runLimit)
    unsafe found.initialize(repeating: hk_headed_line(), count: HeadMemo.runLimit)
  }

  deinit {
    free()
    unsafe heads.deallocate()
    unsafe found.deallocate()
  }

  private func free() {
    unsafe slots?.deallocate()
    unsafe told?.deallocate()
    unsafe texts?.deallocate()
  }

  /// Forgets all heads: their names or origins are no longer true.
  func removeAll() {
    guard slotCount > 0 else { return }
    free()
    unsafe (slots, told, texts) = (nil, nil, nil)
    (slotCount, count, textCount, textCapacity) = (0, 0, 0, 0)
  }

  /// Fills `found` with the lines from `line` on, which begins at `start`, whose heads are known, `run.capacity` at most; how many
  /// they are.
  func find(
    _ bytes: Span<UInt8>, _ ends: Span<UInt32>, line: Int, start: Int, _ run: inout hk_headed_run_out
  ) -> Int {
    guard count > 0 else { return 0 }
    unsafe run.lines = found
    let foundCount = unsafe bytes.withUnsafeBufferPointer { raw in
      unsafe ends.withUnsafeBufferPointer { ends in
        unsafe hk_headed_run(
          heads, raw.baseAddress!, raw.count, ends.baseAddress!, ends.count, line, start, &run)
      }
    }
    if foundCount > 0 { missCount = 0 }
    return foundCount
  }

  /// What the head in a slot says.
  func names(_ slot: UInt32) -> OriginNames { unsafe told![Int(slot)] }

  /// The origin of a head, once a line of it was met.
  func setOrigin(_ origin: UInt32, of slot: UInt32) { unsafe slots![Int(slot)].origin = origin }

  /// Asked once for each line whose head was not known.
  func isWorthLearning() -> Bool {
    missCount += 1
    return missCount < HeadMemo.missPatience || missCount % HeadMemo.missInterval == 0
  }

  /// Learns the head of the line [start, end), whose payload was found to begin at `payload`.
  func learn(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, payload: Int, names: OriginNames) {
    unsafe bytes.withUnsafeBufferPointer { raw in
      let line = unsafe raw.baseAddress! + start
      var from = 0
      var form: UInt32 = 0
      let length = unsafe hk_head_length(heads, line, end - start, raw.count - start, &from, &form)
      guard length > 0, start + from + length == payload else { return }
      unsafe insert(line + from, length, form, names)
    }
  }

  private func insert(_ head: UnsafePointer<UInt8>, _ length: Int, _ form: UInt32, _ names: OriginNames) {
    if textCount + length > Limits.headByteLimit { removeAll() }
    if count * 2 >= slotCount { grow() }
    let hash = unsafe hk_head_hash(heads.pointee.seed, head, length, form)
    // Where all places are taken the first head gives way; its text stays until all are forgotten.
    var slot = Int(truncatingIfNeeded: hash) & (slotCount - 1)
    for step in 0..<Int(HK_HEAD_PROBES) {
      let next = (Int(truncatingIfNeeded: hash) &+ step) & (slotCount - 1)
      let known = unsafe slots![next]
      if known.count == 0 {
        slot = next
        break
      }
      if known.hash == hash, known.count == length, known.form == form,
        (0..<length).allSatisfy({ unsafe texts![Int(known.offset) + $0] == head[$0] })
      {
        return
      }
    }
    if textCount + length + HeadMemo.slackByteCount > textCapacity {
      textCapacity = max(4096, 2 * textCapacity)
      let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: textCapacity)
      if let texts = unsafe texts {
        unsafe grown.update(from: texts, count: textCount)
        unsafe texts.deallocate()
      }
      unsafe texts = grown
      unsafe heads.pointee.texts = UnsafePointer(grown)
    }
    unsafe (texts! + textCount).update(from: head, count: length)
    if unsafe slots![slot].count == 0 { count += 1 }
    unsafe slots![slot] = hk_head(
      hash: hash, offset: UInt32(textCount), count: UInt16(length), form: UInt16(form), origin: HK_NO_ORIGIN)
    unsafe told![slot] = names
    textCount += length
  }

  /// Doubles the slots; at the limit, begins anew.
  private func grow() {
    if slotCount == Limits.headSlotLimit { removeAll() }
    let newCount = max(HeadMemo.leastSlotCount, 2 * slotCount)
    let newSlots = UnsafeMutablePointer<hk_head>.allocate(capacity: newCount)
    let newTold = UnsafeMutablePointer<OriginNames>.allocate(capacity: newCount)
    unsafe newSlots.initialize(repeating: hk_head(), count: newCount)
    unsafe newTold.initialize(repeating: OriginNames(), count: newCount)
    var kept = 0
    for old in 0..<slotCount {
      let head = unsafe slots![old]
      guard head.count > 0 else { continue }
      for step in 0..<Int(HK_HEAD_PROBES) {
        let next = (Int(truncatingIfNeeded: head.hash) &+ step) & (newCount - 1)
        guard unsafe newSlots[next].count == 0 else { continue }
        unsafe newSlots[next] = head
        unsafe newTold[next] = told![old]
        kept += 1
        break
      }
    }
    unsafe slots?.deallocate()
    unsafe told?.deallocate()
    unsafe slots = newSlots
    unsafe told = newTold
    slotCount = newCount
    count = kept
    unsafe heads.pointee.slots = UnsafePointer(newSlots)
    unsafe heads.pointee.mask = newCount - 1
  }
}
