import Glibc
import Records

/// A seed nobody outside knows, asked for once: a table is made for every turn of every followed file.
let hashOfThisProcess = SeededHash()

/// What the envelopes around a line said about its origin, as ids of `OriginTable`'s names; 0 is not told.
struct OriginNames: Equatable, Sendable {
  var host: UInt32 = 0
  var log: UInt32 = 0
  var path: UInt32 = 0
}

/// Names to indices into `RecordBatch.origins`, without a `String` for lines whose names were met before.
///
/// Three tables of names (host, log, path) and one of their triples; each holds at most `Limits.originLimit`.
struct OriginTable: Sendable {
  private var own: Origin
  private var hosts = ByteNames()
  private var logs = ByteNames()
  private var paths = ByteNames()
  private var indices = OriginIndices()
  private var lastNames = OriginNames()
  private var lastIndex: UInt32 = 0
  /// Origins in the batch as this table left it; another count means another batch.
  private var knownCount = 0

  init(own: Origin) { self.own = own }

  /// Begins another stream; tables that were not used stay as they are.
  mutating func begin(own: Origin) {
    self.own = own
    if !hosts.isEmpty { hosts = ByteNames() }
    if !logs.isEmpty { logs = ByteNames() }
    if !paths.isEmpty { paths = ByteNames() }
    indices.removeAll()
    lastNames = OriginNames()
    lastIndex = 0
    knownCount = 0
  }

  /// Makes sure that `origins` is the list this table's indices point into; false when it was another one before.
  mutating func attach(to origins: inout [Origin]) -> Bool {
    if origins.count == knownCount, knownCount > 0 { return true }
    origins.removeAll(keepingCapacity: true)
    origins.append(own)
    indices.removeAll()
    lastNames = OriginNames()
    lastIndex = 0
    knownCount = 1
    return false
  }

  /// `names` with those that `envelope` tells in their place: it is closer to the machine that wrote the line.
  mutating func names(_ names: OriginNames, toldBy envelope: Envelope, in bytes: Span<UInt8>) -> OriginNames {
    var told = names
    if let host = hosts.id(of: envelope.host, in: bytes) { told.host = host }
    if let path = paths.id(of: envelope.path, in: bytes) {
      told.path = path
      told.log = 0
    } else if let log = logs.id(of: envelope.log, in: bytes) {
      told.log = log
    }
    return told
  }

  /// The index of the origin that `names` name; nil beyond the limit.
  mutating func index(of names: OriginNames, in origins: inout [Origin]) -> UInt32? {
    if names == lastNames { return lastIndex }
    let index: UInt32
    if let known = indices.index(of: names) {
      index = known
    } else {
      guard names.host != ByteNames.turnedAway, names.log != ByteNames.turnedAway,
        names.path != ByteNames.turnedAway, origins.count < Limits.originLimit
      else { return nil }
      index = UInt32(origins.count)
      origins.append(origin(names))
      knownCount = origins.count
      indices.append(names, index)
    }
    lastNames = names
    lastIndex = index
    return index
  }

  private func origin(_ names: OriginNames) -> Origin {
    let path = names.path == 0 ? own.path : paths.text(names.path)
    let log =
      names.log != 0
      ? Origin.logName(ofPath: logs.text(names.log)) : names.path != 0 ? Origin.logName(ofPath: path) : own.log
    return Origin(host: names.host == 0 ? own.host : hosts.text(names.host), log: log, path: path)
  }
}

/// Triples of names to origins: an open-addressed table whose entries stand in the slots themselves, so that an origin
/// out of many costs one miss of the cache.
private struct OriginIndices: Sendable {
  private struct Slot: Sendable {
    var names = OriginNames()
    /// 0: free; the file's own origin is never looked up.
    var index: UInt32 = 0
  }

  private static let leastSlotCount = 64
  private let seeded = hashOfThisProcess
  /// A power of two and never more than half full.
  private var slots = [Slot](repeating: Slot(), count: OriginIndices.leastSlotCount)
  private var count = 0

  mutating func removeAll() {
    if count == 0 { return }
    slots = [Slot](repeating: Slot(), count: OriginIndices.leastSlotCount)
    count = 0
  }

  func index(of names: OriginNames) -> UInt32? {
    let slot = slots[place(of: names)]
    return slot.index == 0 ? nil : slot.index
  }

  mutating func append(_ names: OriginNames, _ index: UInt32) {
    if (count + 1) * 2 > slots.count {
      let old = slots
      slots = [Slot](repeating: Slot(), count: old.count * 2)
      for slot in old where slot.index != 0 { slots[place(of: slot.names)] = slot }
    }
    slots[place(of: names)] = Slot(names: names, index: index)
    count += 1
  }

  /// Where `names` stand or belong.
  private func place(of names: OriginNames) -> Int {
    let hash = seeded.hash(UInt64(names.host) << 32 | UInt64(names.log), UInt64(names.path))
    var place = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[place].index != 0, slots[place].names != names { place = (place + 1) & (slots.count - 1) }
    return place
  }
}

/// Byte strings to small numbers from 1 on: an open-addressed table over one buffer.
///
/// The last name is compared first, as it stood in the line: forwarders send runs of one file, and then no escape is
/// undone and nothing hashed. A slot holds half of the hash beside the number, so that the name itself is hardly ever
/// compared in vain. What is wrong with a name is looked for only before it gets a number.
private struct ByteNames: Sendable {
  /// The id of a name for which there was no room.
  static let turnedAway = UInt32.max

  private struct Slot: Sendable {
    var tag: UInt32 = 0
    /// 0: free.
    var id: UInt32 = 0
  }

  private let seeded = hashOfThisProcess
  private var bytes: [UInt8] = []
  /// Where name i + 1 ends in `bytes`.
  private var ends: [UInt32] = []
  /// A power of two and never more than half full.
  private var slots = [Slot](repeating: Slot(), count: 64)
  private var lastRaw: [UInt8] = []
  private var lastEscape = NameRange.Escape.none
  private var lastID: UInt32 = 0
  private var decoded: [UInt8] = []

  /// No name was asked for yet.
  var isEmpty: Bool { ends.isEmpty && lastRaw.isEmpty && bytes.isEmpty }

  /// The number of a name; nil when it is empty, longer than `Limits.nameByteLimit` or holds control characters.
  mutating func id(of name: NameRange, in source: Span<UInt8>) -> UInt32? {
    let count = name.end - name.start
    guard count > 0 else { return nil }
    if lastID != 0, lastRaw.count == count, lastEscape == name.escape,
      ByteNames.isEqual(source, name.start, lastRaw.span, 0, count)
    {
      return lastID
    }
    // An escaped byte takes six at most.
    guard count <= 6 * Limits.nameByteLimit else { return nil }
    var found: UInt32?
    if name.escape == .none {
      found = lookUp(source, name.start, name.end)
    } else {
      var text: [UInt8] = []
      swap(&text, &decoded)
      text.removeAll(keepingCapacity: true)
      if name.escape == .json {
        JSONScanner.appendUnescaped(source, start: name.start, end: name.end, to: &text)
      } else {
        var index = name.start
        while index < name.end {
          if source[index] == 0x5C, index + 1 < name.end, SyslogHeader.isEscapable(source[index + 1]) { index += 1 }
          text.append(source[index])
          index += 1
        }
      }
      found = lookUp(text.span, 0, text.count)
      swap(&text, &decoded)
    }
    guard let id = found else { return nil }
    if id != ByteNames.turnedAway {
      lastRaw.removeAll(keepingCapacity: true)
      unsafe source.extracting(name.start..<name.end).withUnsafeBufferPointer {
        unsafe lastRaw.append(contentsOf: $0)
      }
      lastEscape = name.escape
      lastID = id
    }
    return id
  }

  func text(_ id: UInt32) -> String {
    let (start, end) = bounds(id)
    return Text.decode(bytes.span.extracting(start..<end))
  }

  private func bounds(_ id: UInt32) -> (start: Int, end: Int) {
    (id == 1 ? 0 : Int(ends[Int(id) - 2]), Int(ends[Int(id) - 1]))
  }

  /// The id of [start, end), given now if it has none.
  private mutating func lookUp(_ name: Span<UInt8>, _ start: Int, _ end: Int) -> UInt32? {
    let count = end - start
    guard count <= Limits.nameByteLimit else { return nil }
    let hash = seeded.hash(name, start, end)
    let tag = UInt32(truncatingIfNeeded: hash >> 32)
    var place = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[place].id != 0 {
      if slots[place].tag == tag {
        let known = bounds(slots[place].id)
        if known.end - known.start == count, ByteNames.isEqual(bytes.span, known.start, name, start, count) {
          return slots[place].id
        }
      }
      place = (place + 1) & (slots.count - 1)
    }
    for index in start..<end where name[index] < 0x20 || name[index] == 0x7F { return nil }
    guard ends.count < Limits.originLimit else { return ByteNames.turnedAway }
    unsafe name.extracting(start..<end).withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    ends.append(UInt32(bytes.count))
    slots[place] = Slot(tag: tag, id: UInt32(ends.count))
    if (ends.count + 1) * 2 > slots.count { grow() }
    return UInt32(ends.count)
  }

  private mutating func grow() {
    slots = [Slot](repeating: Slot(), count: slots.count * 2)
    for number in 1...ends.count {
      let known = bounds(UInt32(number))
      let hash = seeded.hash(bytes.span, known.start, known.end)
      var place = Int(truncatingIfNeeded: hash) & (slots.count - 1)
      while slots[place].id != 0 { place = (place + 1) & (slots.count - 1) }
      slots[place] = Slot(tag: UInt32(truncatingIfNeeded: hash >> 32), id: UInt32(number))
    }
  }

  private static func isEqual(
    _ left: Span<UInt8>, _ leftStart: Int, _ right: Span<UInt8>, _ rightStart: Int, _ count: Int
  ) -> Bool {
    unsafe left.extracting(leftStart..<leftStart + count).withUnsafeBytes { a in
      unsafe right.extracting(rightStart..<rightStart + count).withUnsafeBytes { b in
        guard let a = a.baseAddress, let b = b.baseAddress else { return true }
        return unsafe memcmp(a, b, count) == 0
      }
    }
  }
}
