import CKernels
import Records

/// Payload lines to records, whatever their format, decided per record and never by file name.
///
///     first bytes of a line          becomes
///     <![LOG[                        CMTrace, over as many lines as it needs
///     <Event, <Events, <?xml, - <    event XML
///     {                              event JSON, on one line or pretty-printed
///     #Fields: #Date: #Software: …   W3C or HTTPERR directives
///     2026-03-02 06:00:00 …          a row, once #Fields was seen
///     … $$<COMPONENT><date><thread>  the simple site-server format; more than one may share a line
///     anything else                  a plain line
///
/// What an origin told about later lines (`#Fields`, `#Date`, the bias of its clock) is remembered per origin. An
/// unfinished record at the end of the chunk is left for the next one: the return value says how much was consumed.
package struct Framer: Sendable {
  struct OriginState {
    var schema: Int?
    var day = RecordBatch.noTime
    var bias = Int16.min
    /// Offset up to which events are looked for within single lines only: one began before it and never ended.
    /// Without it, line after line of `{"a":[` would each be searched to the end of the text.
    var singleLineUntil: UInt64 = 0
  }

  private var states: [OriginState] = []
  private var base: UInt64 = 0
  /// The next `<![LOG[` of a line, found once: `at` is nil when there is none from `from` on.
  private var nextOpen: (line: Int, from: Int, at: Int?) = (-1, 0, nil)
  private let recordByteLimit: Int

  package init(recordByteLimit: Int = Limits.recordByteLimit) { self.recordByteLimit = recordByteLimit }

  /// Frames every line of the batch.
  /// - Parameters:
  ///   - text: the chunk itself when `batch.isDirect`, else the batch's arena.
  ///   - isFinal: nothing follows: an unfinished record is torn.
  ///   - openedByteCount: bytes of the chunk that the batch's lines stand for.
  ///   - base: offset of the chunk in its stream.
  /// - Returns: bytes of the chunk that are done with; less than `openedByteCount` only when a record is unfinished.
  package mutating func frame(
    _ text: Span<UInt8>, isFinal: Bool, openedByteCount: Int, base: UInt64 = 0, into batch: inout RecordBatch
  ) -> Int {
    self.base = base
    nextOpen.line = -1
    while states.count < batch.origins.count { states.append(OriginState()) }
    let lineCount = batch.lineEnds.count
    var line = 0
    var position = 0
    while line < lineCount {
      let bounds = batch.lineBounds(line)
      if position < bounds.start { position = bounds.start }
      let origin = batch.origin(ofLine: line)
      let end = trimmedEnd(text, from: position, to: bounds.end)
      position = leading(text, from: position, to: end, line: line, into: &batch)
      if position >= end {
        line += 1
        continue
      }

      let first = text[position]
      if ASCII.isDigit(first), let next = rows(text, at: position, line: line, origin: origin, into: &batch) {
        line = next
        continue
      }
      var step = Step.notThis
      switch first {
      case 0x3C:  // <
        step = cmtrace(text, at: position, line: line, origin: origin, isFinal: isFinal, into: &batch)
        if case .notThis = step {
          step = eventXML(text, at: position, line: line, origin: origin, isFinal: isFinal, into: &batch)
        }
        if case .notThis = step, text.has("<MAXIMUM LOG FILE SIZE REACHED", at: position) {
          batch.markerCount += 1
          step = .nextLine(line + 1)
        }
      case 0x2D where text.has("- <", at: position):
        step = eventXML(text, at: position + 2, line: line, origin: origin, isFinal: isFinal, into: &batch)
      case 0x23:  // #
        step = directive(text, from: position, to: end, line: line, origin: origin, into: &batch)
      case 0x7B, 0x5B, 0x5D, 0x2C:  // { [ ] ,
        step = eventJSON(text, at: position, line: line, origin: origin, isFinal: isFinal, into: &batch)
      default: break
      }
      if case .notThis = step, states[Int(origin)].schema != nil,
        let next = rows(text, at: position, line: line, origin: origin, isLoose: true, into: &batch)
      {
        line = next
        continue
      }
      if case .notThis = step {
        step = plain(text, from: position, to: end, line: line, origin: origin, into: &batch)
      }
      switch step {
      case .nextLine(let next):
        line = next
        position = 0
      case .sameLine(let at, let atLine):
        position = at
        line = atLine
      case .unfinished:
        return batch.chunkRange(start: position, end: position, line: line).start
      case .notThis: line += 1
      }
    }
    return openedByteCount
  }

  /// What became of the bytes at a position.
  enum Step {
    case notThis
    case nextLine(Int)
    /// Go on at this position of this line.
    case sameLine(at: Int, line: Int)
    case unfinished
  }

  // MARK: Edges of a line

  private func trimmedEnd(_ text: Span<UInt8>, from: Int, to: Int) -> Int {
    var end = to
    while end > from, text[end - 1] == 0x0D || text[end - 1] == 0x20 || text[end - 1] == 0x09 { end -= 1 }
    return end
  }

  /// Passes blanks, a byte order mark and NUL bytes before the first character; NULs are counted.
  private func leading(_ text: Span<UInt8>, from: Int, to end: Int, line: Int, into batch: inout RecordBatch) -> Int {
    var position = from
    while position < end {
      switch text[position] {
      case 0x20, 0x09: position += 1
      case 0xEF where text.has("\u{FEFF}", at: position): position += 3
      case 0:
        let start = position
        while position < end, text[position] == 0 { position += 1 }
        let range = batch.chunkRange(start: start, end: position, line: line)
        batch.skip(.nulRun, start: range.start, end: range.end, lineIndex: batch.physicalLine(line))
      default: return position
      }
    }
    return position
  }

  /// Whether a record of line `line` may go on in line `line + 1`: lines that stand in the file as they are follow
  /// one another, and so do the lines of one payload. Payloads of different envelopes are not joined here.
  private func continues(_ line: Int, _ batch: borrowing RecordBatch) -> Bool {
    guard line + 1 < batch.lineEnds.count else { return false }
    if batch.isDirect { return true }
    let this = batch.lines[line]
    let next = batch.lines[line + 1]
    guard this.isPlain == next.isPlain, this.origin == next.origin else { return false }
    return this.isPlain || this.chunkStart == next.chunkStart
  }

  /// Whether an unfinished record of this line may wait for the next chunk: a payload is all there is.
  private func mayWait(_ line: Int, _ batch: borrowing RecordBatch) -> Bool {
    batch.isDirect || batch.lines[line].isPlain
  }

  /// The end of the text that may continue a record of line `line`, and whether more may come with the next chunk.
  private func regionEnd(_ line: Int, batch: borrowing RecordBatch) -> (end: Int, isOpen: Bool) {
    let lineCount = batch.lineEnds.count
    if batch.isDirect { return (Int(batch.lineEnds[lineCount - 1]) + 1, true) }
    var last = line
    while continues(last, batch) { last += 1 }
    return (Int(batch.lineEnds[last]) + 1, last + 1 == lineCount && mayWait(line, batch))
  }

  /// The line that holds `position`, searched upwards from `line`.
  private func lineIndex(of position: Int, from line: Int, batch: borrowing RecordBatch) -> Int {
    var index = line
    while index + 1 < batch.lineEnds.count, Int(batch.lineEnds[index]) < position { index += 1 }
    return index
  }

  private mutating func append(
    _ slot: RecordSlot, into batch: inout RecordBatch
  ) {
    batch.records.append(slot)
    if slot.isTorn {
      let range = batch.chunkRange(start: Int(slot.start), end: Int(slot.end), line: Int(slot.line))
      batch.skip(
        .tornRecord, start: range.start, end: range.end, lineIndex: batch.physicalLine(Int(slot.line)))
    } else {
      batch.recordCounts[Int(slot.format.rawValue)] += 1
    }
  }

  /// Where to go on after a record that ended at `end`: the rest of its line, or the next line when nothing is left.
  private func after(_ end: Int, line: Int, batch: borrowing RecordBatch) -> Step {
    let last = lineIndex(of: end, from: line, batch: batch)
    return end >= Int(batch.lineEnds[last]) ? .nextLine(last + 1) : .sameLine(at: end, line: last)
  }

  // MARK: CMTrace

  /// `<![LOG[message]LOG]!><time="…" date="…" component="…" context="" type="1" thread="1" file="x.cpp:1">`
  private mutating func cmtrace(
    _ text: Span<UInt8>, at start: Int, line: Int, origin: UInt32, isFinal: Bool, into batch: inout RecordBatch
  ) -> Step {
    guard text.has("<![LOG[", at: start) else { return .notThis }
    let messageStart = start + 7
    var current = line
    var from = messageStart
    while true {
      let lineEnd = Int(batch.lineEnds[current])
      // Two writers on one file: a second record may begin before the first is closed.
      let second = nextOpen(text, from: from, line: current, to: lineEnd)
      if let close = find("]LOG]!>", in: text, from: from, to: second ?? lineEnd) {
        return closed(
          text, start: start, messageStart: messageStart, close: close, closeLine: current, line: line,
          origin: origin, into: &batch)
      }
      if let second {
        return tornHead(from: start, to: second, messageStart: messageStart, line: line, origin: origin, into: &batch)
      }
      if lineEnd - start >= recordByteLimit { break }
      guard continues(current, batch) else {
        if !isFinal, current + 1 == batch.lineEnds.count, mayWait(current, batch) { return .unfinished }
        break
      }
      current += 1
      from = batch.lineBounds(current).start
    }
    let end = trimmedEnd(text, from: start, to: Int(batch.lineEnds[current]))
    append(
      RecordSlot(
        format: .cmtrace, isTorn: true, origin: origin, start: start, end: end,
        messageStart: min(messageStart, end), messageEnd: end, knownBias: states[Int(origin)].bias, line: line),
      into: &batch)
    return .nextLine(current + 1)
  }

  /// The next `<![LOG[` of a line from `from` on. The answer is kept: a line full of records asks once for each.
  private mutating func nextOpen(_ text: Span<UInt8>, from: Int, line: Int, to end: Int) -> Int? {
    if nextOpen.line == line, from >= nextOpen.from {
      guard let at = nextOpen.at else { return nil }
      if at >= from { return at }
    }
    nextOpen = (line, from, find("<![LOG[", in: text, from: from, to: end))
    return nextOpen.at
  }

  private mutating func tornHead(
    from start: Int, to second: Int, messageStart: Int, line: Int, origin: UInt32, into batch: inout RecordBatch
  ) -> Step {
    append(
      RecordSlot(
        format: .cmtrace, isTorn: true, origin: origin, start: start, end: second, messageStart: messageStart,
        messageEnd: second, knownBias: states[Int(origin)].bias, line: line), into: &batch)
    return .sameLine(at: second, line: lineIndex(of: second, from: line, batch: batch))
  }

  /// The record is closed at `close`; its attributes stand on the same line.
  private mutating func closed(
    _ text: Span<UInt8>, start: Int, messageStart: Int, close: Int, closeLine: Int, line: Int, origin: UInt32,
    isHeadless: Bool = false, into batch: inout RecordBatch
  ) -> Step {
    let lineEnd = trimmedEnd(text, from: close, to: Int(batch.lineEnds[closeLine]))
    let attributes = CMTraceAttributes.end(text, from: close + 7, to: lineEnd)
    let end = attributes ?? nextOpen(text, from: close + 7, line: closeLine, to: lineEnd) ?? lineEnd
    if attributes != nil { learnBias(text, from: close + 7, to: end, origin: origin) }
    append(
      RecordSlot(
        format: .cmtrace, isTorn: attributes == nil || isHeadless, origin: origin, start: start, end: end,
        messageStart: messageStart, messageEnd: close, knownBias: states[Int(origin)].bias, line: line),
      into: &batch)
    return end >= lineEnd ? .nextLine(closeLine + 1) : .sameLine(at: end, line: closeLine)
  }

  /// Remembers the bias of records that native code wrote; scripts that imitate the format write any.
  private mutating func learnBias(_ text: Span<UInt8>, from: Int, to end: Int, origin: UInt32) {
    guard CMTraceAttributes.isNative(text, to: end), let bias = CMTraceAttributes.bias(text, from: from, to: end) else { return }
    states[Int(origin)].bias = bias
  }

  // MARK: Rows

  /// Rows of the schema in force, beginning with line `line`; returns the first line that is none, or nil when
  /// this line is no row. A row-shaped line without a schema is counted and passed over.
  private mutating func rows(
    _ text: Span<UInt8>, at position: Int, line: Int, origin: UInt32, isLoose: Bool = false,
    into batch: inout RecordBatch
  ) -> Int? {
    let lineCount = batch.lineEnds.count
    guard let schema = states[Int(origin)].schema else {
      return isLoose ? nil : orphanRow(text, at: position, line: line, origin: origin, into: &batch)
    }
    let shape = RowShape(batch.schemas[schema])
    if isLoose, shape != .loose { return nil }
    guard shape.fits(text, at: position, to: Int(batch.lineEnds[line])) else { return nil }
    var last = line + 1
    while last < lineCount, batch.isDirect || batch.lines[last].origin == origin {
      let bounds = batch.lineBounds(last)
      guard shape.fits(text, at: bounds.start, to: bounds.end) else { break }
      last += 1
    }
    batch.recordCounts[Int(batch.schemas[schema].format.rawValue)] += UInt64(last - line)
    if let previous = batch.rowRuns.last, previous.lastLine == line, previous.schema == schema,
      previous.origin == origin, previous.dayMicroseconds == states[Int(origin)].day
    {
      batch.rowRuns[batch.rowRuns.count - 1].lastLine = last
    } else {
      batch.rowRuns.append(
        RowRun(
          schema: schema, origin: origin, firstLine: line, lastLine: last,
          dayMicroseconds: states[Int(origin)].day))
    }
    return last
  }

  /// A row although no `#Fields` came before: HTTPERR's classic columns are known, IIS's are not guessed.
  private mutating func orphanRow(
    _ text: Span<UInt8>, at position: Int, line: Int, origin: UInt32, into batch: inout RecordBatch
  ) -> Int? {
    let end = trimmedEnd(text, from: position, to: Int(batch.lineEnds[line]))
    guard RowShape.dated.fits(text, at: position, to: end) else { return nil }
    switch HTTPERRColumns.judge(text, from: position, to: end) {
    case .classic:
      states[Int(origin)].schema = schemaIndex(HTTPERRColumns.classic, in: &batch)
      return rows(text, at: position, line: line, origin: origin, into: &batch)
    case .otherRow:
      let range = batch.chunkRange(start: position, end: end, line: line)
      batch.skip(.w3cNoFields, start: range.start, end: range.end, lineIndex: batch.physicalLine(line))
      return line + 1
    case .noRow: return nil
    }
  }

  private func schemaIndex(_ schema: RowSchema, in batch: inout RecordBatch) -> Int {
    if let index = batch.schemas.firstIndex(of: schema) { return index }
    batch.schemas.append(schema)
    return batch.schemas.count - 1
  }

  private mutating func directive(
    _ text: Span<UInt8>, from: Int, to end: Int, line: Int, origin: UInt32, into batch: inout RecordBatch
  ) -> Step {
    if text.has("#Fields:", at: from) {
      let schema = RowSchema.parse(text, from: from + 8, to: end)
      guard !schema.names.isEmpty else { return .notThis }
      states[Int(origin)].schema = schemaIndex(schema, in: &batch)
    } else if text.has("#Date:", at: from) {
      var cursor = NumberCursor(from + 6)
      cursor.skipBlanks(in: text, to: end)
      if let day = RowSchema.day(text, from: cursor.position, to: end) { states[Int(origin)].day = day.microseconds }
    } else if !text.has("#Software:", at: from), !text.has("#Version:", at: from), !text.has("#Remark:", at: from),
      !text.has("#Start-Date:", at: from), !text.has("#End-Date:", at: from)
    {
      return .notThis
    }
    batch.markerCount += 1
    return .nextLine(line + 1)
  }

  // MARK: Events

  private mutating func eventXML(
    _ text: Span<UInt8>, at position: Int, line: Int, origin: UInt32, isFinal: Bool, into batch: inout RecordBatch
  ) -> Step {
    guard EventXMLBoundary.mayBegin(text, at: position) else { return .notThis }
    let region = eventRegion(text, position, line, origin, batch)
    let start = EventXMLBoundary.skipProlog(in: text, start: position, end: region.end)
    if start > position {
      batch.markerCount += 1
      if start >= region.end { return .nextLine(lineIndex(of: region.end - 1, from: line, batch: batch) + 1) }
      return after(start, line: line, batch: batch)
    }
    return event(
      EventXMLBoundary.find(in: text, start: start, end: region.end), .eventXML, text, start: start, line: line,
      origin: origin, mayGrow: region.isOpen && !isFinal, regionEnd: region.end, into: &batch)
  }

  private mutating func eventJSON(
    _ text: Span<UInt8>, at position: Int, line: Int, origin: UInt32, isFinal: Bool, into batch: inout RecordBatch
  ) -> Step {
    let lineEnd = trimmedEnd(text, from: position, to: Int(batch.lineEnds[line]))
    guard text[position] == 0x7B else {
      // The brackets and commas of an array of events: only when an object or nothing follows on the line.
      var next = position + 1
      while next < lineEnd, ASCII.isBlank(text[next]) || text[next] == 0x2C { next += 1 }
      if next < lineEnd, text[next] != 0x7B { return .notThis }
      return next < lineEnd ? .sameLine(at: next, line: line) : .nextLine(line + 1)
    }
    let region = eventRegion(text, position, line, origin, batch)
    return event(
      EventJSONBoundary.find(in: text, start: position, end: region.end), .eventJSON, text, start: position,
      line: line, origin: origin, mayGrow: region.isOpen && !isFinal, regionEnd: region.end, into: &batch)
  }

  /// Where an event that begins at `position` may end.
  private func eventRegion(
    _ text: Span<UInt8>, _ position: Int, _ line: Int, _ origin: UInt32, _ batch: borrowing RecordBatch
  ) -> (end: Int, isOpen: Bool) {
    if base + UInt64(position) < states[Int(origin)].singleLineUntil { return (Int(batch.lineEnds[line]) + 1, false) }
    return regionEnd(line, batch: batch)
  }

  private mutating func event(
    _ boundary: EventBoundary, _ format: RecordFormat, _ text: Span<UInt8>, start: Int, line: Int, origin: UInt32,
    mayGrow: Bool, regionEnd: Int, into batch: inout RecordBatch
  ) -> Step {
    func slot(end: Int, isTorn: Bool) -> RecordSlot {
      RecordSlot(
        format: format, isTorn: isTorn, origin: origin, start: start, end: end, messageStart: start, messageEnd: end,
        knownBias: states[Int(origin)].bias, line: line)
    }
    switch boundary {
    case .complete(let end):
      append(slot(end: end, isTorn: false), into: &batch)
      return after(end, line: line, batch: batch)
    case .torn(let end):
      append(slot(end: end, isTorn: true), into: &batch)
      return after(end, line: line, batch: batch)
    case .incomplete:
      if mayGrow, regionEnd - start < recordByteLimit { return .unfinished }
      let end = trimmedEnd(text, from: start, to: Int(batch.lineEnds[line]))
      if batch.isDirect, regionEnd > Int(batch.lineEnds[line]) + 1 {
        states[Int(origin)].singleLineUntil = base + UInt64(start + recordByteLimit)
      }
      append(slot(end: end, isTorn: true), into: &batch)
      return .nextLine(line + 1)
    case .tooDeep(let end):
      let range = batch.chunkRange(start: start, end: end, line: line)
      batch.skip(.nestedTooDeep, start: range.start, end: range.end, lineIndex: batch.physicalLine(line))
      return after(max(end, start + 1), line: line, batch: batch)
    case .notAnEvent:
      return .notThis
    }
  }

  // MARK: Simple records and plain lines

  private mutating func plain(
    _ text: Span<UInt8>, from: Int, to end: Int, line: Int, origin: UInt32, into batch: inout RecordBatch
  ) -> Step {
    let next = nextOpen(text, from: from + 1, line: line, to: end)
    let stop = next ?? end
    var search = from
    while let mark = find("$$<", in: text, from: search, to: stop) {
      if let trailer = SimpleTrailer(text, at: mark, to: stop) {
        if let bias = trailer.bias { states[Int(origin)].bias = bias }
        var messageEnd = mark
        while messageEnd > from, ASCII.isBlank(text[messageEnd - 1]) || text[messageEnd - 1] == 0x7E { messageEnd -= 1 }
        append(
          RecordSlot(
            format: .simple, origin: origin, start: from, end: trailer.end, messageStart: from,
            messageEnd: messageEnd, knownBias: states[Int(origin)].bias, line: line), into: &batch)
        return trailer.end >= end ? .nextLine(line + 1) : .sameLine(at: trailer.end, line: line)
      }
      search = mark + 3
    }
    let isCut = search > from
    if let close = find("]LOG]!>", in: text, from: from, to: stop) {
      return closed(
        text, start: from, messageStart: from, close: close, closeLine: line, line: line, origin: origin,
        isHeadless: true, into: &batch)
    }
    append(
      RecordSlot(
        format: isCut ? .simple : .line, isTorn: isCut || next != nil, origin: origin, start: from, end: stop,
        messageStart: from, messageEnd: stop, knownBias: states[Int(origin)].bias, line: line), into: &batch)
    return next.map { .sameLine(at: $0, line: line) } ?? .nextLine(line + 1)
  }

  private func find(_ needle: StaticString, in text: Span<UInt8>, from: Int, to end: Int) -> Int? {
    guard from < end else { return nil }
    return unsafe text.withUnsafeBufferPointer { raw in
      let hit = unsafe hk_find(raw.baseAddress! + from, end - from, needle.utf8Start, needle.utf8CodeUnitCount)
      return hit < 0 ? nil : from + hit
    }
  }
}
