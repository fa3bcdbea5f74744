import CKernels
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
///     a date, [thread, PID, <date>   WindowsUpdate.log, ERRORLOG, SoftwareDistribution.log, SmsAdminUI.log, prerequisites
///     MSWinEventLog, Log Name:       events as text: Snare, the Event Viewer's clipboard
///     any, in a log that a definition names   the columns of `DelimitedRule`
///     anything else                  a plain line
///
/// What an origin told about later lines (`#Fields`, `#Date`, the bias of its clock) is remembered per origin. An
/// unfinished record at the end of the chunk is left for the next one: the return value says how much was consumed.
package struct Framer: Sendable {
  struct OriginState {
    var schema: Int?
    var day = RecordBatch.noTime
    /// Stream offset up to which events are looked for within single lines only: one began before it and never
    /// ended. Without it, line after line of `{"a":[` would each be searched to the end of the text.
    var singleLineUntil: UInt64 = 0
    /// Which delimited format the origin's log is in, if any.
    var delimited: Int?
  }

  var states: [OriginState] = []
  /// By origin: minutes to add to its local times, `Int16.min` when it told none.
  var biases: [Int16] = []
  /// By origin: what the kernel over mixed lines must know of it (mixed.h).
  var kinds: [UInt8] = []
  /// By schema of the stream.
  private var shapes: [RowShape] = []
  /// What origins told before this stream was taken up again.
  private var remembered: [Origin: OriginMemory] = [:]
  private var base: UInt64 = 0
  /// The chunk begins within a line, behind records of the last chunk.
  private var beginsInLine = false
  /// Where records open, close and end in the text of this call.
  private var marks = TextMarks()
  /// Lines of the batch that have one origin, the ones asked about last.
  var originLines = 0..<0
  /// What is copied to make room for plain records.
  let emptySlots = [RecordSlot](
    repeating: RecordSlot(format: .line, origin: 0, start: 0, end: 0, messageStart: 0, messageEnd: 0, line: 0),
    count: Framer.runLimit)
  /// Behind the lines that join, those found last (`hk_mixed_lines.joined`).
  var joinedUntil = 0
  /// Where the kernel of lines of many origins writes.
  var mixedFound = [hk_mixed_record](repeating: hk_mixed_record(), count: 256)
  /// Where the text of a line ends, found once: a line may hold many records before many blanks.
  private var contentEnd: (line: Int, end: Int) = (-1, 0)
  /// Lines [first, last] that follow one another in a batch with envelopes.
  private var stretch: (first: Int, last: Int) = (0, -1)
  /// The first of the batch's known events that does not lie behind.
  var nextEvent = 0
  private var schemaIndexes: [[String]: Int] = [:]
  let recordByteLimit: Int
  private let delimited: [DelimitedRule]
  /// False: every record by itself, the slow twin for tests. The result is the same.
  package var usesPlainForms = true

  /// - Parameter delimited: formats that definitions describe by their columns.
  package init(recordByteLimit: Int = Limits.recordByteLimit, delimited: [DelimitedRule] = []) {
    RecordLayout.check()
    self.recordByteLimit = recordByteLimit
    self.delimited = delimited
  }

  /// Whether framing a stream of one origin on from here gives what it gives from `other`. A day that `#Date` told
  /// matters only where rows have none of their own.
  package func continues(_ other: Framer, schemas: [RowSchema], otherSchemas: [RowSchema]) -> Bool {
    guard !beginsInLine, !other.beginsInLine, states.count <= 1, other.states.count <= 1 else { return false }
    let state = states.first ?? OriginState()
    let otherState = other.states.first ?? OriginState()
    let schema = state.schema.map { schemas[$0] }
    guard schema == otherState.schema.map({ otherSchemas[$0] }), biases.first ?? .min == other.biases.first ?? .min
    else {
      return false
    }
    return state.day == otherState.day || schema?.column("date") != nil || schema?.column("date-local") != nil
  }

  /// What each origin told about later lines: what a stream is taken up with again, in another process if need be.
  package func memories(origins: [Origin], schemas: [RowSchema]) -> [Origin: OriginMemory] {
    var memories = remembered
    for (index, state) in states.enumerated() where index < origins.count {
      let schema = state.schema.map { schemas[$0] }
      let memory = OriginMemory(
        fields: schema?.names, format: schema?.format.rawValue, day: state.day == RecordBatch.noTime ? nil : state.day,
        bias: biases[index] == .min ? nil : biases[index], singleLineUntil: state.singleLineUntil)
      memories[origins[index]] = memory.isEmpty ? nil : memory
    }
    return memories
  }

  /// Whether `memories` are what `remember` was given: nothing was learned.
  package func remembersAll(origins: [Origin], schemas: [RowSchema]) -> Bool {
    for (index, state) in states.enumerated() where index < origins.count {
      let known = remembered[origins[index]]
      let schema = state.schema.map { schemas[$0] }
      guard known?.day ?? RecordBatch.noTime == state.day, known?.bias ?? .min == biases[index],
        known?.singleLineUntil ?? 0 == state.singleLineUntil, known?.fields == schema?.names,
        schema == nil || known?.format == schema?.format.rawValue
      else { return false }
    }
    return true
  }

  /// Begins another stream: what this one told is forgotten, room that was made stays.
  package mutating func begin() {
    states.removeAll(keepingCapacity: true)
    biases.removeAll(keepingCapacity: true)
    kinds.removeAll(keepingCapacity: true)
    shapes.removeAll(keepingCapacity: true)
    remembered = [:]
    base = 0
    beginsInLine = false
    marks.forget()
    originLines = 0..<0
    contentEnd = (-1, 0)
    stretch = (0, -1)
    if !schemaIndexes.isEmpty { schemaIndexes = [:] }
  }

  /// Goes on with a stream of which these origins were known.
  package mutating func remember(_ memories: [Origin: OriginMemory]) { remembered = memories }

  private mutating func recall(
    _ memory: OriginMemory, _ state: inout OriginState, _ bias: inout Int16, _ batch: inout RecordBatch
  ) {
    if let names = memory.fields, let format = memory.format.flatMap(RecordFormat.init(rawValue:)) {
      state.schema = schemaIndex(RowSchema(format: format, names: names), in: &batch)
    }
    state.day = memory.day ?? RecordBatch.noTime
    bias = memory.bias ?? .min
    state.singleLineUntil = memory.singleLineUntil
  }

  /// The stream offset from which on events may span lines.
  package var singleLineUntil: UInt64 { states.map(\.singleLineUntil).max() ?? 0 }

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
    marks.forget()
    originLines = 0..<0
    contentEnd.line = -1
    joinedUntil = 0
    stretch = (0, -1)
    nextEvent = 0
    while states.count < batch.origins.count {
      var state = OriginState()
      var bias = Int16.min
      let origin = batch.origins[states.count]
      if !delimited.isEmpty { state.delimited = delimited.index(ofLog: origin.log) }
      if !remembered.isEmpty, let memory = remembered[origin] { recall(memory, &state, &bias, &batch) }
      states.append(state)
      biases.append(bias)
      kinds.append(0)
      noteKind(ofOrigin: states.count - 1, batch)
    }
    let lineCount = batch.lineEnds.count
    var line = 0
    var position = 0
    while line < lineCount {
      let bounds = batch.lineBounds(line)
      if position < bounds.start { position = bounds.start }
      // Rows and the marks of a line stand alone on it: what follows a record is neither.
      let isLineStart = position == bounds.start && !(line == 0 && beginsInLine)
      if isLineStart {
        var next = line
        if batch.isDirect || !usesPlainForms {
          next = knownEvents(line: line, into: &batch)
          if next == line { next = plainRecords(text, line: line, into: &batch) }
        } else {
          next = mixedRecords(text, line: line, into: &batch)
        }
        if next > line {
          line = next
          continue
        }
      }
      let origin = batch.origin(ofLine: line)
      let end = contentEnd(text, from: position, line: line, batch: batch)
      position = leading(text, from: position, to: end, line: line, into: &batch)
      if position >= end {
        line += 1
        continue
      }

      let first = text[position]
      if !delimited.isEmpty, isLineStart, let rule = states[Int(origin)].delimited,
        delimitedLine(delimited[rule], text, from: position, to: end, line: line, origin: origin, into: &batch)
      {
        line += 1
        continue
      }
      if isLineStart, ASCII.isDigit(first),
        let next = rows(text, at: position, line: line, origin: origin, into: &batch)
      {
        line = next
        continue
      }
      var step = Step.notThis
      switch first {
      case 0x3C:  // <
        step = cmtrace(text, at: position, line: line, origin: origin, isFinal: isFinal, into: &batch)
        if case .notThis = step {
          step = eventXML(
            text, at: position, start: position, line: line, origin: origin, isFinal: isFinal,
            isLineStart: isLineStart, into: &batch)
        }
        if case .notThis = step, text.has("<MAXIMUM LOG FILE SIZE REACHED", at: position) {
          batch.markerCount += 1
          step = .nextLine(line + 1)
        }
      case 0x2D where text.has("- <", at: position):
        step = eventXML(
          text, at: position, start: position + 2, line: line, origin: origin, isFinal: isFinal,
          isLineStart: isLineStart, into: &batch)
      case 0x23:  // #
        step = directive(text, from: position, to: end, line: line, origin: origin, into: &batch)
      case 0x7B, 0x5B, 0x5D, 0x2C:  // { [ ] ,
        step = eventJSON(
          text, at: position, line: line, origin: origin, isFinal: isFinal, isLineStart: isLineStart, into: &batch)
      default: break
      }
      if case .notThis = step, isLineStart, states[Int(origin)].schema != nil,
        let next = rows(text, at: position, line: line, origin: origin, isLoose: true, into: &batch)
      {
        line = next
        continue
      }
      if case .notThis = step, isLineStart {
        step = datedText(text, from: position, to: end, line: line, origin: origin, isFinal: isFinal, into: &batch)
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
        beginsInLine = !isLineStart
        return batch.chunkRange(start: position, end: position, line: line).start
      case .notThis: line += 1
      }
    }
    if lineCount > 0 { beginsInLine = false }
    return openedByteCount
  }

  /// After a change of what an origin told about its rows.
  private mutating func noteKind(ofOrigin origin: Int, _ batch: borrowing RecordBatch) {
    var kind: Int32 = states[origin].delimited == nil ? 0 : HK_ORIGIN_IS_OTHER
    if let schema = states[origin].schema {
      kind |= HK_ORIGIN_HAS_ROWS
      if shape(of: schema, batch) == .dated { kind |= HK_ORIGIN_HAS_DATED_ROWS }
    }
    kinds[origin] = UInt8(kind)
  }

  private mutating func shape(of schema: Int, _ batch: borrowing RecordBatch) -> RowShape {
    while shapes.count < batch.schemas.count { shapes.append(RowShape(batch.schemas[shapes.count])) }
    return shapes[schema]
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

  /// The end of a line without the blanks and the `\r` before it, or `from` when nothing else stands behind that.
  private mutating func contentEnd(
    _ text: Span<UInt8>, from: Int, line: Int, batch: borrowing RecordBatch
  ) -> Int {
    if contentEnd.line != line {
      let bounds = batch.lineBounds(line)
      var end = bounds.end
      while end > bounds.start, text[end - 1] == 0x0D || ASCII.isBlank(text[end - 1]) { end -= 1 }
      contentEnd = (line, end)
    }
    return max(from, contentEnd.end)
  }

  /// Up to what begins at `to`, less the line ends and blanks before that.
  private func tornEnd(_ text: Span<UInt8>, from: Int, to: Int) -> Int {
    var end = to
    while end > from, ASCII.isSpace(text[end - 1]) { end -= 1 }
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
  /// one another, and so do the lines of one payload and the pieces that `PieceJoiner` put side by side.
  private func continues(_ line: Int, _ batch: borrowing RecordBatch) -> Bool {
    guard line + 1 < batch.lineEnds.count else { return false }
    if batch.isDirect { return true }
    let this = batch.lines[line]
    let next = batch.lines[line + 1]
    if next.joinsPrevious { return true }
    guard this.isPlain == next.isPlain, this.origin == next.origin else { return false }
    return this.isPlain ? this.chunkEnd + 1 == next.chunkStart : this.chunkStart == next.chunkStart
  }

  /// Whether an unfinished record of this line may wait for the next chunk: a payload is all there is.
  private func mayWait(_ line: Int, _ batch: borrowing RecordBatch) -> Bool {
    batch.isDirect || batch.lines[line].isPlain
  }

  /// Where an event that begins at `start` must have ended, always behind a line end, and whether it is worth
  /// waiting for more of it. The same however the stream was cut: a record gets the line that holds its last
  /// permitted byte, whole.
  private mutating func region(
    _ start: Int, _ line: Int, _ origin: UInt32, isFinal: Bool, batch: borrowing RecordBatch
  ) -> (end: Int, mayGrow: Bool) {
    let lineRegion = (Int(batch.lineEnds[line]) + 1, false)
    if streamOffset(start, line, batch) < states[Int(origin)].singleLineUntil { return lineRegion }
    var last = batch.lineEnds.count - 1
    if !batch.isDirect {
      if line < stretch.first || line > stretch.last {
        stretch = (line, line)
        while continues(stretch.last, batch) { stretch.last += 1 }
      }
      last = stretch.last
    }
    let end = Int(batch.lineEnds[last]) + 1
    if end - start < recordByteLimit {
      return (end, !isFinal && last + 1 == batch.lineEnds.count && mayWait(last, batch))
    }
    var low = line
    var high = last
    while low < high {
      let middle = (low + high) / 2
      if Int(batch.lineEnds[middle]) + 1 - start < recordByteLimit { low = middle + 1 } else { high = middle }
    }
    return (Int(batch.lineEnds[low]) + 1, false)
  }

  private func streamOffset(_ position: Int, _ line: Int, _ batch: borrowing RecordBatch) -> UInt64 {
    base + UInt64(batch.chunkRange(start: position, end: position, line: line).start)
  }

  /// Something that began at `start` never ended: what it might have spanned is read line by line.
  private mutating func stayWithinLines(
    from start: Int, line: Int, origin: UInt32, regionEnd: Int, batch: borrowing RecordBatch
  ) {
    guard regionEnd > Int(batch.lineEnds[line]) + 1 else { return }
    states[Int(origin)].singleLineUntil =
      mayWait(line, batch)
      ? streamOffset(start, line, batch) + UInt64(recordByteLimit) : base + UInt64(batch.lines[line].chunkEnd)
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
      let second = marks.next(.open, text, batch, from: from, to: lineEnd)
      if let close = marks.next(.close, text, batch, from: from, to: second ?? lineEnd) {
        return closed(
          text, start: start, messageStart: messageStart, close: close, closeLine: current, line: line,
          origin: origin, into: &batch)
      }
      if let second {
        appendTorn(text, start: start, to: second, line: line, origin: origin, into: &batch)
        return .sameLine(at: second, line: current)
      }
      if lineEnd + 1 - start >= recordByteLimit { break }
      guard continues(current, batch) else {
        if !isFinal, current + 1 == batch.lineEnds.count, mayWait(current, batch) { return .unfinished }
        break
      }
      current += 1
      from = batch.lineBounds(current).start
    }
    appendTorn(text, start: start, to: Int(batch.lineEnds[current]), line: line, origin: origin, into: &batch)
    return .nextLine(current + 1)
  }

  /// A record that was opened at `start` and not closed before `limit`.
  private mutating func appendTorn(
    _ text: Span<UInt8>, start: Int, to limit: Int, line: Int, origin: UInt32, into batch: inout RecordBatch
  ) {
    let end = tornEnd(text, from: start + 7, to: limit)
    append(
      RecordSlot(
        format: .cmtrace, isTorn: true, origin: origin, start: start, end: end, messageStart: start + 7,
        messageEnd: end, knownBias: biases[Int(origin)], line: line), into: &batch)
  }

  /// The record is closed at `close`; its attributes stand on the same line.
  private mutating func closed(
    _ text: Span<UInt8>, start: Int, messageStart: Int, close: Int, closeLine: Int, line: Int, origin: UInt32,
    isHeadless: Bool = false, into batch: inout RecordBatch
  ) -> Step {
    let lineEnd = contentEnd(text, from: close, line: closeLine, batch: batch)
    let stop = marks.next(.open, text, batch, from: close + 7, to: lineEnd) ?? lineEnd
    let attributes = CMTraceAttributes.end(text, from: close + 7, to: stop)
    let end = attributes ?? stop
    if attributes != nil { learnBias(text, from: close + 7, to: end, origin: origin) }
    append(
      RecordSlot(
        format: .cmtrace, isTorn: attributes == nil || isHeadless, origin: origin, start: start, end: end,
        messageStart: messageStart, messageEnd: close, knownBias: biases[Int(origin)], line: line),
      into: &batch)
    return end >= lineEnd ? .nextLine(closeLine + 1) : .sameLine(at: end, line: closeLine)
  }

  /// Remembers the bias of records that native code wrote; scripts that imitate the format write any.
  private mutating func learnBias(_ text: Span<UInt8>, from: Int, to end: Int, origin: UInt32) {
    guard CMTraceAttributes.isNative(text, to: end), let bias = CMTraceAttributes.bias(text, from: from, to: end) else {
      return
    }
    biases[Int(origin)] = bias
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
    let shape = shape(of: schema, batch)
    if isLoose, shape != .loose { return nil }
    guard shape.fits(text, at: position, to: Int(batch.lineEnds[line])) else { return nil }
    var last = line + 1
    while last < lineCount, batch.isDirect || batch.lines[last].origin == origin {
      if batch.isDirect, shape == .dated {
        last += unsafe text.withUnsafeBufferPointer { bytes in
          unsafe hk_dated_lines(bytes.baseAddress, batch.lineEnds, last, lineCount)
        }
        if last == lineCount { break }
      }
      let bounds = batch.lineBounds(last)
      guard shape.fitsAtOnce(text, at: bounds.start, to: bounds.end) else { break }
      last += 1
    }
    appendRows(line..<last, schema, origin, to: &batch)
    return last
  }

  // `mutating`: else the compiler copies the whole framer for the call.
  mutating func appendRows(_ lines: Range<Int>, _ schema: Int, _ origin: UInt32, to batch: inout RecordBatch) {
    batch.recordCounts[Int(batch.schemas[schema].format.rawValue)] += UInt64(lines.count)
    let day = states[Int(origin)].day
    if let previous = batch.rowRuns.last, previous.lastLine == lines.lowerBound, previous.schema == schema,
      previous.origin == origin, previous.dayMicroseconds == day
    {
      batch.rowRuns[batch.rowRuns.count - 1].lastLine = lines.upperBound
    } else {
      batch.rowRuns.append(
        RowRun(
          schema: schema, origin: origin, firstLine: lines.lowerBound, lastLine: lines.upperBound, dayMicroseconds: day)
      )
    }
  }

  /// A row although no `#Fields` came before: HTTPERR's classic columns are known, IIS's are not guessed.
  private mutating func orphanRow(
    _ text: Span<UInt8>, at position: Int, line: Int, origin: UInt32, into batch: inout RecordBatch
  ) -> Int? {
    let end = contentEnd(text, from: position, line: line, batch: batch)
    guard RowShape.dated.fits(text, at: position, to: end) else { return nil }
    switch HTTPERRColumns.judge(text, from: position, to: end) {
    case .classic:
      guard let schema = schemaIndex(HTTPERRColumns.classic, in: &batch) else { return nil }
      states[Int(origin)].schema = schema
      noteKind(ofOrigin: Int(origin), batch)
      return rows(text, at: position, line: line, origin: origin, into: &batch)
    case .otherRow:
      let range = batch.chunkRange(start: position, end: end, line: line)
      batch.skip(.w3cNoFields, start: range.start, end: range.end, lineIndex: batch.physicalLine(line))
      return line + 1
    case .noRow: return nil
    }
  }

  /// Nil when there are too many schemas already.
  private mutating func schemaIndex(_ schema: RowSchema, in batch: inout RecordBatch) -> Int? {
    if let index = schemaIndexes[schema.names] { return index }
    guard batch.schemas.count < Limits.schemaLimit else { return nil }
    batch.schemas.append(schema)
    schemaIndexes[schema.names] = batch.schemas.count - 1
    return batch.schemas.count - 1
  }

  private mutating func directive(
    _ text: Span<UInt8>, from: Int, to end: Int, line: Int, origin: UInt32, into batch: inout RecordBatch
  ) -> Step {
    if text.has("#Fields:", at: from) {
      let schema = RowSchema.parse(text, from: from + 8, to: end)
      if schema.names.isEmpty, end - from <= Limits.columnLimit { return .notThis }
      states[Int(origin)].schema = schema.names.isEmpty ? nil : schemaIndex(schema, in: &batch)
      noteKind(ofOrigin: Int(origin), batch)
      if states[Int(origin)].schema == nil {
        let range = batch.chunkRange(start: from, end: end, line: line)
        batch.skip(.nameLimit, start: range.start, end: range.end, lineIndex: batch.physicalLine(line))
        return .nextLine(line + 1)
      }
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

  /// - Parameter position: where reading stands; `start` is at the `<` there or behind the `- ` of Event Viewer.
  private mutating func eventXML(
    _ text: Span<UInt8>, at position: Int, start: Int, line: Int, origin: UInt32, isFinal: Bool, isLineStart: Bool,
    into batch: inout RecordBatch
  ) -> Step {
    if let end = EventXMLBoundary.wholeOnLine(in: text, start: start, lineEnd: Int(batch.lineEnds[line])) {
      return wholeEvent(.eventXML, text, start: start, end: end, line: line, origin: origin, into: &batch)
    }
    guard EventXMLBoundary.mayBegin(text, at: start) else { return .notThis }
    let region = region(position, line, origin, isFinal: isFinal, batch: batch)
    switch EventXMLBoundary.prologPiece(in: text, at: start, end: region.end) {
    case .whole(let end):
      let step = after(end, line: line, batch: batch)
      batch.markerCount += UInt64(lineIndex(of: end, from: line, batch: batch) - line + (isLineStart ? 1 : 0))
      return step
    case .cut:
      if region.mayGrow { return .unfinished }
      stayWithinLines(from: start, line: line, origin: origin, regionEnd: region.end, batch: batch)
      return .notThis
    case .none:
      return event(
        EventXMLBoundary.find(in: text, start: start, end: region.end), .eventXML, text, start: start, line: line,
        origin: origin, mayGrow: region.mayGrow, regionEnd: region.end, into: &batch)
    }
  }

  private mutating func eventJSON(
    _ text: Span<UInt8>, at start: Int, line: Int, origin: UInt32, isFinal: Bool, isLineStart: Bool,
    into batch: inout RecordBatch
  ) -> Step {
    guard text[start] == 0x7B else {
      // The brackets and commas of an array of events: only when an object or nothing follows on the line.
      let lineEnd = contentEnd(text, from: start, line: line, batch: batch)
      var next = start + 1
      while next < lineEnd, ASCII.isBlank(text[next]) || text[next] == 0x2C { next += 1 }
      if next < lineEnd { return text[next] == 0x7B ? .sameLine(at: next, line: line) : .notThis }
      if isLineStart { batch.markerCount += 1 }
      return .nextLine(line + 1)
    }
    if let end = EventJSONBoundary.wholeOnLine(in: text, start: start, lineEnd: Int(batch.lineEnds[line])) {
      return wholeEvent(.eventJSON, text, start: start, end: end, line: line, origin: origin, into: &batch)
    }
    let region = region(start, line, origin, isFinal: isFinal, batch: batch)
    return event(
      EventJSONBoundary.find(in: text, start: start, end: region.end), .eventJSON, text, start: start,
      line: line, origin: origin, mayGrow: region.mayGrow, regionEnd: region.end, into: &batch)
  }

  /// An event that was proved to end on its line, as nearly all do.
  private mutating func wholeEvent(
    _ format: RecordFormat, _ text: Span<UInt8>, start: Int, end: Int, line: Int, origin: UInt32,
    into batch: inout RecordBatch
  ) -> Step {
    batch.records.append(
      RecordSlot(
        format: format, origin: origin, start: start, end: end, messageStart: start, messageEnd: end,
        knownBias: biases[Int(origin)], line: line))
    batch.recordCounts[Int(format.rawValue)] += 1
    return end >= contentEnd(text, from: start, line: line, batch: batch)
      ? .nextLine(line + 1) : .sameLine(at: end, line: line)
  }

  private mutating func event(
    _ boundary: EventBoundary, _ format: RecordFormat, _ text: Span<UInt8>, start: Int, line: Int, origin: UInt32,
    mayGrow: Bool, regionEnd: Int, into batch: inout RecordBatch
  ) -> Step {
    func slot(end: Int, isTorn: Bool) -> RecordSlot {
      RecordSlot(
        format: format, isTorn: isTorn, origin: origin, start: start, end: end, messageStart: start, messageEnd: end,
        knownBias: biases[Int(origin)], line: line)
    }
    switch boundary {
    case .complete(let end):
      append(slot(end: end, isTorn: false), into: &batch)
      return after(end, line: line, batch: batch)
    case .torn(let end):
      append(slot(end: tornEnd(text, from: start, to: end), isTorn: true), into: &batch)
      return after(end, line: line, batch: batch)
    case .incomplete:
      if mayGrow { return .unfinished }
      let end = contentEnd(text, from: start, line: line, batch: batch)
      stayWithinLines(from: start, line: line, origin: origin, regionEnd: regionEnd, batch: batch)
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

  // MARK: Delimited columns

  /// False when the line has not the columns of the rule, or no time where one should be.
  private mutating func delimitedLine(
    _ rule: DelimitedRule, _ text: Span<UInt8>, from: Int, to end: Int, line: Int, origin: UInt32,
    into batch: inout RecordBatch
  ) -> Bool {
    guard let columns = DelimitedLine(rule, text, start: from, end: end) else { return false }
    let message = columns[.message] ?? from..<end
    append(
      RecordSlot(
        format: .delimited, origin: origin, start: from, end: end, messageStart: message.lowerBound,
        messageEnd: message.upperBound, knownBias: biases[Int(origin)], line: line), into: &batch)
    return true
  }

  // MARK: Dated text and events as text

  /// Logs whose lines begin with their date, Snare, and the Event Viewer's clipboard.
  private mutating func datedText(
    _ text: Span<UInt8>, from: Int, to end: Int, line: Int, origin: UInt32, isFinal: Bool,
    into batch: inout RecordBatch
  ) -> Step {
    let first = text[from]
    if ASCII.isDigit(first) || first == 0x5B || first == 0x3C, let dated = DatedLine.read(text, start: from, end: end) {
      var last = line
      var recordEnd = end
      switch dated.format {
      case .sqlErrorLog where text.has("Error: ", at: dated.messageStart):
        // `Error: 17836, Severity: 20, State: 17.` says the number, the next line of the same source and time the text.
        if Int(batch.lineEnds[line]) - from >= recordByteLimit {
          break
        } else if !continues(line, batch) {
          if mayContinue(line, from: from, isFinal: isFinal, batch) { return .unfinished }
        } else {
          let bounds = batch.lineBounds(line + 1)
          let nextEnd = contentEnd(text, from: bounds.start, line: line + 1, batch: batch)
          if let next = DatedLine.read(text, start: bounds.start, end: nextEnd), next.format == .sqlErrorLog,
            next.reading == dated.reading, !text.has("Error: ", at: next.messageStart)
          {
            last = line + 1
            recordEnd = nextEnd
          }
        }
      case .smsAdminUI, .softwareDistribution:
        // Stacks of .NET exceptions follow on lines of their own.
        guard
          let found = blockEnd(
            text, from: from, line: line, isFinal: isFinal, batch,
            isEnd: { text, start, end in
              start < end && (ASCII.isDigit(text[start]) || text[start] == 0x5B || text[start] == 0x3C)
                && DatedLine.read(text, start: start, end: end) != nil || text.has("<![LOG[", at: start)
            })
        else { return .unfinished }
        last = found.line
        recordEnd = found.end
      default: break
      }
      append(
        RecordSlot(
          format: dated.format, origin: origin, start: from, end: recordEnd,
          messageStart: min(dated.messageStart, recordEnd), messageEnd: recordEnd,
          knownBias: biases[Int(origin)], line: line), into: &batch)
      return .nextLine(last + 1)
    }
    if EventTextBoundary.beginsSnare(text, at: from) {
      append(
        RecordSlot(
          format: .snare, origin: origin, start: from, end: end, messageStart: from, messageEnd: end,
          knownBias: biases[Int(origin)], line: line), into: &batch)
      return .nextLine(line + 1)
    }
    guard EventTextBoundary.begins(text, at: from) else { return .notThis }
    var hasXML = false
    guard
      let found = blockEnd(
        text, from: from, line: line, isFinal: isFinal, batch,
        isEnd: { text, start, _ in
          if EventTextBoundary.isXMLHeading(text, at: start) { hasXML = true }
          return hasXML || EventTextBoundary.begins(text, at: start) || text.has("<![LOG[", at: start)
            || text.has("<Event", at: start)
        })
    else { return .unfinished }
    if hasXML {
      // The XML below says the same and more: the lines of the text and the heading are counted as read.
      batch.markerCount += UInt64(found.line + 2 - line)
      return .nextLine(found.line + 2)
    }
    append(
      RecordSlot(
        format: .eventText, origin: origin, start: from, end: found.end, messageStart: from, messageEnd: found.end,
        knownBias: biases[Int(origin)], line: line), into: &batch)
    return .nextLine(found.line + 1)
  }

  /// Whether a record of the last line may grow with the next chunk.
  private func mayContinue(_ line: Int, from: Int, isFinal: Bool, _ batch: borrowing RecordBatch) -> Bool {
    !isFinal && line + 1 == batch.lineEnds.count && mayWait(line, batch)
      && Int(batch.lineEnds[line]) - from < recordByteLimit
  }

  /// The last line of a block that begins in `line` and reaches up to a line for which `isEnd` holds, and the end of its
  /// content; nil when it must wait for the next chunk.
  private mutating func blockEnd(
    _ text: Span<UInt8>, from: Int, line: Int, isFinal: Bool, _ batch: borrowing RecordBatch,
    isEnd: (Span<UInt8>, Int, Int) -> Bool
  ) -> (line: Int, end: Int)? {
    var last = line
    while true {
      guard Int(batch.lineEnds[last]) - from < recordByteLimit else { break }
      guard continues(last, batch) else {
        if mayContinue(last, from: from, isFinal: isFinal, batch) { return nil }
        break
      }
      let bounds = batch.lineBounds(last + 1)
      if isEnd(text, bounds.start, bounds.end) { break }
      last += 1
    }
    return (last, tornEnd(text, from: from, to: Int(batch.lineEnds[last])))
  }

  // MARK: Simple records and plain lines

  private mutating func plain(
    _ text: Span<UInt8>, from: Int, to end: Int, line: Int, origin: UInt32, into batch: inout RecordBatch
  ) -> Step {
    let next = marks.next(.open, text, batch, from: from + 1, to: end)
    let stop = next ?? end
    var search = from
    var cut: Int?
    var close: Int?
    while let mark = marks.next(.trailer, text, batch, from: search, to: end), mark < stop {
      // The rest of a CMTrace record may end before the mark.
      if close == nil {
        close = marks.next(.close, text, batch, from: search, to: mark)
        if let close, CMTraceAttributes.end(text, from: close + 7, to: stop) != nil { break }
      }
      if let trailer = SimpleTrailer(text, at: mark, to: stop) {
        if let bias = trailer.bias { biases[Int(origin)] = bias }
        append(
          RecordSlot(
            format: .simple, origin: origin, start: from, end: trailer.end, messageStart: from,
            messageEnd: simpleMessageEnd(text, from: from, mark: mark), knownBias: biases[Int(origin)], line: line),
          into: &batch)
        return trailer.end >= end ? .nextLine(line + 1) : .sameLine(at: trailer.end, line: line)
      }
      search = mark + 3
      cut = search == stop || ASCII.isLetter(text[search]) ? mark : nil
    }
    if let close = close ?? marks.next(.close, text, batch, from: search, to: stop) {
      return closed(
        text, start: from, messageStart: from, close: close, closeLine: line, line: line, origin: origin,
        isHeadless: true, into: &batch)
    }
    let recordEnd = tornEnd(text, from: from, to: stop)
    append(
      RecordSlot(
        format: cut == nil ? .line : .simple, isTorn: cut != nil || next != nil, origin: origin, start: from,
        end: recordEnd, messageStart: from,
        messageEnd: cut.map { simpleMessageEnd(text, from: from, mark: $0) } ?? recordEnd,
        knownBias: biases[Int(origin)], line: line), into: &batch)
    return next.map { .sameLine(at: $0, line: line) } ?? .nextLine(line + 1)
  }

  /// The end of the message before `$$<`: `text~~  $$<`, `text~ $$<`, `text  $$<`.
  private func simpleMessageEnd(_ text: Span<UInt8>, from: Int, mark: Int) -> Int {
    var end = mark
    while end > from, ASCII.isBlank(text[end - 1]) || text[end - 1] == 0x7E { end -= 1 }
    return end
  }
}
