import CKernels
import Records

/// Puts the pieces of a record together again that a forwarder sent line by line, each in an envelope of its own.
///
///     host  path           payload                            arena
///     PC-1  CcmExec.log    <![LOG[first line          ──┐     <![LOG[in one piece]LOG]!><time=…
///     PC-2  CcmExec.log    <![LOG[in one piece]LOG]!>…  │     <![LOG[first line
///     PC-1  CcmExec.log    second line]LOG]!><time=…  ──┘     second line]LOG]!><time=…
///
/// A line that begins a record and does not end it is held, with the lines of its origin that follow, until the record
/// ends; then all of them go to the arena side by side, marked as pieces of one record. Where the envelopes give byte
/// offsets in the file (Filebeat's `log.offset`), pieces are put in their order, one that came twice is taken once, and
/// the record waits for a piece that is still on its way.
///
/// Nothing is held for long: an episode begins when the first record is held while none was, and once a line begins
/// more than `Limits.pieceWindowByteCount` behind that, everything held is let go as it is. So the same stream gives
/// the same records however it is cut into chunks: `EnvelopeOpener.open` leaves an episode that a chunk cuts to the next.
struct PieceJoiner: Sendable {
  /// One line held back: its text is `bytes[start..<end]`.
  private struct Line: Sendable {
    var start: Int
    var end: Int
    var slot: LineSlot
    /// Offset of the line's beginning in the forwarded file; -1 when the envelope does not tell.
    var offset: Int64
  }

  private struct Group: Sendable {
    var kind: PieceKind
    var origin: UInt32
    var bytes: [UInt8] = []
    var lines: [Line] = []
    /// Braces open behind the last line, for JSON.
    var depth = 0
    /// The end was seen, and a piece before it is missing.
    var isEndSeen = false
  }

  private var groups: [Group] = []

  /// Where the chunk and the batch stood before the first line of the episode.
  struct Mark: Sendable {
    var byteOffset = 0
    var line = 0
    var arenaByteCount = 0
    var lineCount = 0
  }
  /// Set by the opener before each physical line; kept as the beginning of the episode while something is held.
  private var here = Mark()
  /// Lines of earlier physical lines were let go behind `here`: an episode that begins now cannot be taken back to it.
  private var isHerePassed = false
  private(set) var episode = Mark()

  var isHolding: Bool { !groups.isEmpty }

  /// Notes where the next physical line begins, and ends an episode that has become too long.
  mutating func beginLine(byteOffset: Int, line: Int, into batch: inout RecordBatch) {
    if isHolding, byteOffset - episode.byteOffset > Limits.pieceWindowByteCount { releaseAll(into: &batch) }
    here = Mark(
      byteOffset: byteOffset, line: line, arenaByteCount: batch.arena.count, lineCount: batch.lineEnds.count)
    isHerePassed = false
  }

  /// Whether the line could matter here at all: everything else goes straight to the arena.
  @inline(__always)
  func concerns(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    isHolding || PieceKind.mayOpen(bytes, start, end)
  }

  /// Takes a payload line, to the arena or into a group.
  /// - Parameter slot: the line's own; `slot.joinsPrevious` is set here.
  mutating func take(
    _ bytes: Span<UInt8>, _ start: Int, _ end: Int, slot: LineSlot, offset: Int64, into batch: inout RecordBatch
  ) {
    let text = PieceKind.textStart(bytes, start, end)
    if let index = groups.firstIndex(where: { $0.origin == slot.origin }) {
      var depth = groups[index].depth
      let step = groups[index].kind.step(bytes, text, end, depth: &depth)
      switch step {
      case .passesBy:
        batch.append(bytes, start, end, slot)
        return
      case .joins, .closes:
        groups[index].depth = depth
        if step == .closes { groups[index].isEndSeen = true }
        switch PieceJoiner.add(bytes, start, end, slot, offset, to: &groups[index]) {
        case .added: break
        case .repeated:
          batch.skip(
            .repeatedPiece, start: Int(slot.chunkStart), end: Int(slot.chunkEnd), lineIndex: Int(slot.lineIndex))
        }
        if groups[index].isEndSeen, PieceJoiner.isWhole(groups[index]) { release(index, into: &batch) }
        return
      case .beginsAnew:
        // When nothing of this physical line was taken before, the episode may begin with it.
        let isFirst =
          batch.lineEnds.count == here.lineCount && groups[index].lines.last?.slot.chunkStart != slot.chunkStart
        release(index, into: &batch)
        if isFirst {
          here.arenaByteCount = batch.arena.count
          here.lineCount = batch.lineEnds.count
          isHerePassed = false
        }
      }
    }
    var depth = 0
    guard let kind = PieceKind(opening: bytes, text, end, depth: &depth) else {
      batch.append(bytes, start, end, slot)
      return
    }
    // Otherwise the last episode goes on.
    if groups.isEmpty, !isHerePassed { episode = here }
    var group = Group(kind: kind, origin: slot.origin, depth: depth)
    _ = PieceJoiner.add(bytes, start, end, slot, offset, to: &group)
    groups.append(group)
  }

  /// Lets everything go as far as it came, in the order in which it was opened.
  mutating func releaseAll(into batch: inout RecordBatch) {
    while !groups.isEmpty { release(0, into: &batch) }
  }

  /// Takes the batch back to where the episode began: the chunk ends within it and will be read again from there.
  mutating func rewind(_ batch: inout RecordBatch) {
    groups.removeAll()
    batch.arena.removeLast(batch.arena.count - episode.arenaByteCount)
    batch.lineEnds.removeLast(batch.lineEnds.count - episode.lineCount)
    batch.lines.removeLast(batch.lines.count - episode.lineCount)
    while let last = batch.events.last, last.line >= episode.lineCount { batch.events.removeLast() }
  }

  /// Forgets an episode of another stream or chunk.
  mutating func reset() { groups.removeAll() }

  // MARK: Groups

  private enum Added { case added, repeated }

  private static func add(
    _ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ slot: LineSlot, _ offset: Int64, to group: inout Group
  ) -> Added {
    // Lines of one payload share its offset and stay as they stand.
    var place = group.lines.count
    if offset >= 0 {
      while place > 0, group.lines[place - 1].offset > offset { place -= 1 }
      if place > 0, group.lines[place - 1].offset == offset, group.lines[place - 1].slot.chunkStart != slot.chunkStart {
        return .repeated
      }
    }
    let from = group.bytes.count
    unsafe bytes.extracting(start..<end).withUnsafeBufferPointer { unsafe group.bytes.append(contentsOf: $0) }
    group.lines.insert(Line(start: from, end: group.bytes.count, slot: slot, offset: offset), at: place)
    return .added
  }

  /// No piece is missing, as far as offsets tell: the next line begins at most where the text of this one ends in the
  /// widest encoding, UTF-16, with its line end.
  private static func isWhole(_ group: borrowing Group) -> Bool {
    var index = 1
    while index < group.lines.count {
      let line = group.lines[index - 1]
      let next = group.lines[index]
      if line.offset >= 0, next.offset > line.offset + 2 * Int64(line.end - line.start) + 4 { return false }
      index += 1
    }
    return true
  }

  private mutating func release(_ index: Int, into batch: inout RecordBatch) {
    isHerePassed = true
    let group = groups.remove(at: index)
    var previous: UInt32?
    for line in group.lines {
      var slot = line.slot
      slot.joinsPrevious = previous != nil && previous != slot.chunkStart
      previous = slot.chunkStart
      batch.append(group.bytes.span, line.start, line.end, slot)
    }
  }
}

/// Records that may span lines, by how they begin and end; what `Framer` makes of them is its own affair.
enum PieceKind: Sendable {
  case cmtrace
  case eventXML
  case eventJSON
  /// The Event Viewer's text, up to the next block.
  case eventText
  /// `Error: 17836, …`, of which the next line is the text.
  case errorLog
  /// A dated line that stacks of exceptions may follow, up to the next dated line.
  case block

  enum Step: Sendable {
    /// The line is a record of its own; the one that is held goes on.
    case passesBy
    case joins
    case closes
    /// The line begins another record: the one that is held ended, or will never end.
    case beginsAnew
  }

  /// The cheap look: a record that could span lines begins with `<`, `-`, `{`, `[`, `L` or a date with a fraction.
  @inline(__always)
  static func mayOpen(_ bytes: Span<UInt8>, _ lineStart: Int, _ end: Int) -> Bool {
    let start = textStart(bytes, lineStart, end)
    guard start < end else { return false }
    switch bytes[start] {
    case 0x3C, 0x7B, 0x5B, 0x4C, 0x2D: return true
    // `2026-03-02 06:00:00.`: IIS has a blank there.
    case 0x30...0x39: return end - start > 20 && (bytes[start + 19] == 0x2E || bytes[start + 19] == 0x3A)
    default: return false
    }
  }

  /// Behind the blanks that a line begins with.
  @inline(__always)
  static func textStart(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
    var position = start
    while position < end, ASCII.isBlank(bytes[position]) { position += 1 }
    return position
  }

  /// The kind of record that [start, end) begins and does not end; nil for all other lines.
  /// - Parameter depth: braces left open, for JSON.
  init?(opening bytes: Span<UInt8>, _ start: Int, _ end: Int, depth: inout Int) {
    guard start < end else { return nil }
    switch bytes[start] {
    case 0x3C:
      if bytes.has("<![LOG[", at: start) {
        guard PieceKind.endsOpen(bytes, start, end) else { return nil }
        self = .cmtrace
      } else if PieceKind.beginsEvent(bytes, start), PieceKind.find("</Event>", bytes, start, end) == nil {
        self = .eventXML
      } else {
        return nil
      }
    case 0x2D:
      guard bytes.has("- <", at: start), PieceKind.beginsEvent(bytes, start + 2),
        PieceKind.find("</Event>", bytes, start, end) == nil
      else { return nil }
      self = .eventXML
    case 0x7B:
      // Nearly every object is whole.
      let whole = unsafe bytes.withUnsafeBufferPointer { raw in
        unsafe Int(hk_json_object(raw.baseAddress! + start, end - start, raw.count - start))
      }
      if whole == end - start { return nil }
      depth = 0
      PieceKind.count(bytes, start, end, depth: &depth)
      guard depth > 0 else { return nil }
      self = .eventJSON
    case 0x4C:
      guard bytes.has("Log Name:", at: start) else { return nil }
      self = .eventText
    case 0x30...0x39, 0x5B:
      guard let dated = DatedLine.read(bytes, start: start, end: end) else { return nil }
      switch dated.format {
      case .sqlErrorLog where bytes.has("Error: ", at: dated.messageStart): self = .errorLog
      case .smsAdminUI, .softwareDistribution: self = .block
      default: return nil
      }
    default: return nil
    }
  }

  /// What a further line of the origin is to a record of this kind.
  /// - Parameter depth: braces open before the line, and behind it.
  func step(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, depth: inout Int) -> Step {
    switch self {
    case .cmtrace:
      if bytes.has("<![LOG[", at: start), start < end {
        return PieceKind.endsOpen(bytes, start, end) ? .beginsAnew : .passesBy
      }
      return PieceKind.find("]LOG]!>", bytes, start, end) == nil ? .joins : .closes
    case .eventXML:
      let isClosed = PieceKind.find("</Event>", bytes, start, end) != nil
      if start < end, PieceKind.beginsEvent(bytes, start) { return isClosed ? .passesBy : .beginsAnew }
      return isClosed ? .closes : .joins
    case .eventJSON:
      PieceKind.count(bytes, start, end, depth: &depth)
      return depth <= 0 ? .closes : .joins
    case .eventText:
      return start < end && bytes.has("Log Name:", at: start) ? .beginsAnew : .joins
    case .errorLog:
      guard let dated = DatedLine.read(bytes, start: start, end: end) else { return .closes }
      return bytes.has("Error: ", at: dated.messageStart) ? .beginsAnew : .closes
    case .block:
      guard start < end else { return .joins }
      if bytes.has("<![LOG[", at: start) { return .beginsAnew }
      let first = bytes[start]
      let mayBeDated = ASCII.isDigit(first) || first == 0x5B || first == 0x3C
      return mayBeDated && DatedLine.read(bytes, start: start, end: end) != nil ? .beginsAnew : .joins
    }
  }

  /// Whether the last `<![LOG[` of the line is not closed in it.
  private static func endsOpen(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    var position = start
    while true {
      guard let close = find("]LOG]!>", bytes, position + 7, end) else { return true }
      guard let next = find("<![LOG[", bytes, close + 7, end) else { return false }
      position = next
    }
  }

  /// `<Event` itself, without the container `<Events`.
  private static func beginsEvent(_ bytes: Span<UInt8>, _ start: Int) -> Bool {
    guard bytes.has("<Event", at: start) else { return false }
    let next = start + 6
    return next >= bytes.count || bytes[next] == 0x3E || ASCII.isSpace(bytes[next])
  }

  /// Counts braces and brackets outside of strings; JSON has no string over a line end.
  private static func count(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, depth: inout Int) {
    var position = start
    var isInString = false
    while position < end {
      switch bytes[position] {
      case 0x5C where isInString: position += 1
      case 0x22: isInString.toggle()
      case 0x7B, 0x5B: if !isInString { depth += 1 }
      case 0x7D, 0x5D: if !isInString { depth -= 1 }
      default: break
      }
      position += 1
    }
  }

  private static func find(_ needle: StaticString, _ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
    guard start < end else { return nil }
    return unsafe bytes.withUnsafeBufferPointer { raw in
      let hit = unsafe hk_find(raw.baseAddress! + start, end - start, needle.utf8Start, needle.utf8CodeUnitCount)
      return hit < 0 ? nil : start + hit
    }
  }
}

extension RecordBatch {
  /// Puts an opened line at the end of the arena.
  mutating func append(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ slot: LineSlot) {
    unsafe bytes.extracting(start..<end).withUnsafeBufferPointer { unsafe arena.append(contentsOf: $0) }
    lineEnds.append(UInt32(arena.count))
    arena.append(0x0A)
    lines.append(slot)
  }
}
