/// Where a line of the batch's text came from. Only filled when the chunk held envelopes.
package struct LineSlot: Sendable {
  /// The physical line in the chunk: [chunkStart, chunkEnd), line end excluded.
  package var chunkStart: UInt32
  package var chunkEnd: UInt32
  /// Index into `RecordBatch.origins`.
  package var origin: UInt32
  /// Physical lines before this one in the chunk.
  package var lineIndex: UInt32
  /// Taken over as it stands: text and chunk run in step inside the line.
  package var isPlain: Bool
  /// When the forwarder received it; `RecordBatch.noTime` when it does not say.
  package var received: Int64
  /// The line came in an envelope of its own and goes on with the record of the line before.
  package var joinsPrevious = false

  package init(
    chunkStart: UInt32, chunkEnd: UInt32, origin: UInt32, lineIndex: UInt32, isPlain: Bool, received: Int64
  ) {
    self.chunkStart = chunkStart
    self.chunkEnd = chunkEnd
    self.origin = origin
    self.lineIndex = lineIndex
    self.isPlain = isPlain
    self.received = received
  }
}

/// A record's place in the batch's text, and what the framing learned on the way.
@usableFromInline package struct RecordSlot: Sendable {
  @usableFromInline package var format: RecordFormat
  /// Head or tail is missing; what is there was kept.
  @usableFromInline package var isTorn: Bool
  @usableFromInline package var origin: UInt32
  /// The whole record in the text, [start, end).
  @usableFromInline package var start: UInt32
  @usableFromInline package var end: UInt32
  /// What the program wrote, [messageStart, messageEnd): anchors and patterns see this part.
  @usableFromInline package var messageStart: UInt32
  @usableFromInline package var messageEnd: UInt32
  /// Minutes to add to a local time that carries no bias of its own, learned from earlier records of the origin;
  /// `Int16.min` when none was seen.
  @usableFromInline package var knownBias: Int16
  /// Index of the first line in `RecordBatch.lineEnds`.
  @usableFromInline package var line: UInt32
  /// Index into `RecordBatch.events`, `RecordSlot.noEvent` when the record is not one of them.
  @usableFromInline package var event = RecordSlot.noEvent
  /// An event of a provider and id that no definition asks for: left are those that ask for neither.
  @usableFromInline package var isUnasked = false

  @inlinable package static var noEvent: UInt32 { .max }

  @inlinable package init(
    format: RecordFormat, isTorn: Bool = false, origin: UInt32, start: Int, end: Int, messageStart: Int,
    messageEnd: Int, knownBias: Int16 = .min, line: Int
  ) {
    self.format = format
    self.isTorn = isTorn
    self.origin = origin
    self.start = UInt32(start)
    self.end = UInt32(end)
    self.messageStart = UInt32(messageStart)
    self.messageEnd = UInt32(messageEnd)
    self.knownBias = knownBias
    self.line = UInt32(line)
  }

  /// The record of an event that was known by its layout, number `number` of its batch.
  @inlinable package init(
    _ event: EventLine, number: Int, format: RecordFormat, origin: UInt32, knownBias: Int16
  ) {
    self.format = format
    isTorn = false
    self.origin = origin
    start = event.start
    end = event.end
    messageStart = event.start
    messageEnd = event.end
    self.knownBias = knownBias
    line = event.line
    self.event = UInt32(truncatingIfNeeded: number)
    isUnasked = event.isUnasked != 0
  }
}

/// Consecutive W3C or HTTPERR rows of one schema: lines [firstLine, lastLine) of the batch. Rows get no slots.
package struct RowRun: Sendable {
  package var schema: Int
  package var origin: UInt32
  package var firstLine: Int
  package var lastLine: Int
  /// The day of `#Date` that holds when the run begins; `Int64.min` when none was given.
  package var dayMicroseconds: Int64

  package init(schema: Int, origin: UInt32, firstLine: Int, lastLine: Int, dayMicroseconds: Int64) {
    self.schema = schema
    self.origin = origin
    self.firstLine = firstLine
    self.lastLine = lastLine
    self.dayMicroseconds = dayMicroseconds
  }
}

/// The columns that a `#Fields` line names.
package struct RowSchema: Sendable, Equatable {
  package var format: RecordFormat  // w3c or httperr
  /// Field names in lower case, in file order.
  package var names: [String]

  package init(format: RecordFormat, names: [String]) {
    self.format = format
    self.names = names
  }

  package func column(_ name: String) -> Int? { names.firstIndex(of: name) }
}

/// Bytes passed over, in text positions of the chunk; counted once the walk knows how far the chunk was consumed.
package struct SkipEvent: Sendable, Equatable {
  package var reason: SkipReason
  /// [start, end) in the chunk.
  package var start: UInt32
  package var end: UInt32
  /// Physical lines before it in the chunk.
  package var lineIndex: UInt32
}

/// What one chunk became. Emptied and used again; tables (`origins`, `schemas`) only grow, within limits.
///
/// Text: when no line had an envelope (`isDirect`), positions are positions in the chunk. Otherwise every line was
/// copied, opened, to `arena`, each followed by `\n`, and `lines[i]` says where line i came from.
package struct RecordBatch: Sendable {
  package static let noTime = Int64.min

  /// Opened lines; the valid part is `arena[0..<arenaByteCount]`, slack follows.
  package var arena: [UInt8] = []
  package var isDirect = true
  /// Position of each line's `\n` in the text, ascending.
  package var lineEnds: [UInt32] = []
  package var lines: [LineSlot] = []
  package var origins: [Origin] = []
  package var records: [RecordSlot] = []
  package var rowRuns: [RowRun] = []
  package var schemas: [RowSchema] = []
  package var skipEvents: [SkipEvent] = []
  /// Events known by their layouts, by line; the framing makes records of those that stand where a record may begin.
  package var events: [EventLine] = []
  package var layouts: [EventLayout] = []
  /// The marks of all of `events`; slack follows.
  package var marks: [UInt16] = []
  /// Counts for reports: whole records by format, and physical lines.
  package var recordCounts = [UInt64](repeating: 0, count: RecordFormat.allCases.count)
  /// Directive and marker lines (`#Fields`, the rotation marker): read, and no records.
  package var markerCount: UInt64 = 0

  package init() {}

  /// Forgets lines and records of the last chunk; counters and tables stay.
  package mutating func removeAll() {
    events.removeAll(keepingCapacity: true)
    arena.removeAll(keepingCapacity: true)
    lineEnds.removeAll(keepingCapacity: true)
    lines.removeAll(keepingCapacity: true)
    records.removeAll(keepingCapacity: true)
    rowRuns.removeAll(keepingCapacity: true)
    skipEvents.removeAll(keepingCapacity: true)
    isDirect = true
  }

  /// Begins another stream of this origin: counters and tables too.
  package mutating func begin(origin: Origin) {
    removeAll()
    origins.removeAll(keepingCapacity: true)
    origins.append(origin)
    schemas.removeAll(keepingCapacity: true)
    for index in recordCounts.indices { recordCounts[index] = 0 }
    markerCount = 0
  }

  /// [start, end) of line `index` in the text, `\n` excluded (a `\r` before it is not).
  package func lineBounds(_ index: Int) -> (start: Int, end: Int) {
    (index == 0 ? 0 : Int(lineEnds[index - 1]) + 1, Int(lineEnds[index]))
  }

  /// How many lines end before `position` of the text.
  package func lineEndCount(below position: Int) -> Int {
    if let last = lineEnds.last, Int(last) < position { return lineEnds.count }
    var low = 0
    var high = lineEnds.count
    while low < high {
      let middle = (low + high) / 2
      if Int(lineEnds[middle]) < position { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Notes bytes [start, end) of the chunk, beginning `lineIndex` physical lines into it, as passed over.
  package mutating func skip(_ reason: SkipReason, start: Int, end: Int, lineIndex: Int) {
    skipEvents.append(
      SkipEvent(reason: reason, start: UInt32(start), end: UInt32(max(start, end)), lineIndex: UInt32(lineIndex)))
  }

  /// The origin of line `index`.
  package func origin(ofLine index: Int) -> UInt32 { isDirect ? 0 : lines[index].origin }

  /// The physical bytes [start, end) of the chunk that text [start, end), beginning in line `line`, came from; of a
  /// record that came in pieces those of the first.
  package func chunkRange(start: Int, end: Int, line: Int) -> (start: Int, end: Int) {
    if isDirect { return (start, end) }
    var last = line
    while last + 1 < lineEnds.count, Int(lineEnds[last]) < end, !lines[last + 1].joinsPrevious { last += 1 }
    let first = lines[line]
    let from = first.isPlain ? Int(first.chunkStart) + (start - lineBounds(line).start) : Int(first.chunkStart)
    let closing = lines[last]
    let to = closing.isPlain ? Int(closing.chunkStart) + (end - lineBounds(last).start) : Int(closing.chunkEnd)
    return (from, to)
  }

  /// How many envelopes the text up to `end`, beginning in line `line`, came in.
  package func pieceCount(end: Int, line: Int) -> Int {
    if isDirect { return 1 }
    var count = 1
    var last = line
    while last + 1 < lineEnds.count, Int(lineEnds[last]) < end {
      last += 1
      if lines[last].joinsPrevious { count += 1 }
    }
    return count
  }

  /// Physical lines before line `index` in the chunk.
  package func physicalLine(_ index: Int) -> Int { isDirect ? index : Int(lines[index].lineIndex) }
}
