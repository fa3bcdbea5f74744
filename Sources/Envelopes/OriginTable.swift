import Glibc
import Records

/// What the envelopes around a line said about its origin, as ids of `OriginTable`'s names; 0 is not told.
struct OriginNames: Hashable, Sendable {
  var host: UInt32 = 0
  var log: UInt32 = 0
  var path: UInt32 = 0
}

/// Names to indices into `RecordBatch.origins`, without a `String` for lines whose names were met before.
///
/// Three tables of names (host, log, path) and one of their triples; each holds at most `Limits.originLimit`.
struct OriginTable: Sendable {
  private let own: Origin
  private var hosts = ByteNames()
  private var logs = ByteNames()
  private var paths = ByteNames()
  private var indices: [OriginNames: UInt32] = [:]
  private var lastNames = OriginNames()
  private var lastIndex: UInt32 = 0
  /// Origins in the batch as this table left it; another count means another batch.
  private var knownCount = 0

  init(own: Origin) { self.own = own }

  /// Makes sure that `origins` is the list this table's indices point into.
  mutating func attach(to origins: inout [Origin]) {
    if origins.count == knownCount, knownCount > 0 { return }
    origins.removeAll(keepingCapacity: true)
    origins.append(own)
    indices.removeAll(keepingCapacity: true)
    lastNames = OriginNames()
    lastIndex = 0
    knownCount = 1
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
    if let known = indices[names] {
      index = known
    } else {
      guard names.host != ByteNames.turnedAway, names.log != ByteNames.turnedAway,
        names.path != ByteNames.turnedAway, origins.count < Limits.originLimit
      else { return nil }
      index = UInt32(origins.count)
      origins.append(origin(names))
      knownCount = origins.count
      indices[names] = index
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

/// Byte strings to small numbers from 1 on: an open-addressed table over one buffer.
///
/// The last name is compared first, as it stood in the line: forwarders send runs of one file, and then no escape is
/// undone and nothing hashed. The hash is the standard library's seeded one, since the names come from outside.
private struct ByteNames: Sendable {
  /// The id of a name for which there was no room.
  static let turnedAway = UInt32.max

  private var bytes: [UInt8] = []
  /// Where name i + 1 ends in `bytes`.
  private var ends: [UInt32] = []
  /// Ids by hash, 0 for free; a power of two and never more than half full.
  private var slots = [UInt32](repeating: 0, count: 64)
  private var lastRaw: [UInt8] = []
  private var lastEscape = NameRange.Escape.none
  private var lastID: UInt32 = 0
  private var decoded: [UInt8] = []

  /// The number of a name; nil when it is empty, longer than `Limits.nameByteLimit` or holds control characters.
  mutating func id(of name: NameRange, in source: Span<UInt8>) -> UInt32? {
    let count = name.end - name.start
    guard count > 0 else { return nil }
    if lastID != 0, lastRaw.count == count, lastEscape == name.escape,
      isEqual(source, name.start, lastRaw.span, 0, count)
    {
      return lastID
    }
    // An escaped byte takes six at most.
    guard count <= 6 * Limits.nameByteLimit else { return nil }
    decoded.removeAll(keepingCapacity: true)
    switch name.escape {
    case .none:
      for index in name.start..<name.end { decoded.append(source[index]) }
    case .json:
      JSONScanner.appendUnescaped(source, start: name.start, end: name.end, to: &decoded)
    case .structuredData:
      var index = name.start
      while index < name.end {
        if source[index] == 0x5C, index + 1 < name.end, SyslogHeader.isEscapable(source[index + 1]) { index += 1 }
        decoded.append(source[index])
        index += 1
      }
    }
    guard decoded.count <= Limits.nameByteLimit, !decoded.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
      return nil
    }
    let id = lookUp()
    if id != ByteNames.turnedAway {
      lastRaw.removeAll(keepingCapacity: true)
      for index in name.start..<name.end { lastRaw.append(source[index]) }
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

  /// The id of `decoded`, given now if it has none.
  private mutating func lookUp() -> UInt32 {
    if (ends.count + 1) * 2 > slots.count { grow() }
    var slot = hash(decoded.span, 0, decoded.count) & (slots.count - 1)
    while slots[slot] != 0 {
      let (start, end) = bounds(slots[slot])
      if end - start == decoded.count, isEqual(bytes.span, start, decoded.span, 0, decoded.count) {
        return slots[slot]
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    guard ends.count < Limits.originLimit else { return ByteNames.turnedAway }
    bytes.append(contentsOf: decoded)
    ends.append(UInt32(bytes.count))
    slots[slot] = UInt32(ends.count)
    return UInt32(ends.count)
  }

  private mutating func grow() {
    slots = [UInt32](repeating: 0, count: slots.count * 2)
    for number in 0..<ends.count {
      let (start, end) = bounds(UInt32(number + 1))
      var slot = hash(bytes.span, start, end) & (slots.count - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = UInt32(number + 1)
    }
  }

  private func hash(_ source: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
    var hasher = Hasher()
    unsafe source.extracting(start..<end).withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    return hasher.finalize()
  }

  private func isEqual(_ left: Span<UInt8>, _ leftStart: Int, _ right: Span<UInt8>, _ rightStart: Int, _ count: Int)
    -> Bool
  {
    unsafe left.extracting(leftStart..<leftStart + count).withUnsafeBytes { a in
      unsafe right.extracting(rightStart..<rightStart + count).withUnsafeBytes { b in
        guard let a = a.baseAddress, let b = b.baseAddress else { return true }
        return unsafe memcmp(a, b, count) == 0
      }
    }
  }
}
