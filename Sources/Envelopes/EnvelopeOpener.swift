import CKernels
import Glibc
import Records

/// Takes transport off: syslog headers, JSON lines around a raw line, one inside another.
///
///     chunk   <13>1 … PC-1 CcmMessaging - - - a#012b\n   plain\n   {"message":"c","log":{"file":…\n
///     arena   a\n b\n                                   plain\n   c\n
///     lines   slot of line 0, twice                     line 1    line 2
///
/// Until a line opens nothing is copied and the batch's text is the chunk. From then on runs of plain lines are
/// copied whole, payloads one by one; escapes are undone only where a `#` or `\` stands in a payload. Names become
/// numbers in `OriginTable`; of envelopes inside one another the innermost that names a thing is believed.
///
/// One opener reads one stream, chunk after chunk, into one batch.
package struct EnvelopeOpener: Sendable {
  /// The bytes of the chunk that a payload came from: `LineSlot` without its names.
  private struct Place {
    var start: Int
    var end: Int
    var line: Int
  }

  /// What the envelopes opened so far told.
  private struct Told {
    var names = OriginNames()
    var received = RecordBatch.noTime
    var offset: Int64 = -1
  }

  /// What the arena must hold beside the bytes of a chunk: the kernel writes past a payload, and slack follows.
  private static let roomByteCount = 128 + Limits.slackByteCount

  private var origins: OriginTable
  private var joiner = PieceJoiner()
  private var eventShapes = EventShapes()
  /// Nil until a syslog line was opened.
  private var heads: HeadMemo?
  /// False: every envelope is read anew, the slow twin for tests. The result is the same.
  package var usesHeads = true
  /// Kept from stream to stream by whoever reads many.
  package var layouts = EventLayouts()
  /// Line ends in what was opened of the last chunk.
  package private(set) var openedLineCount = 0
  private var lineEnds: [UInt32] = []
  /// Decoded payloads, one buffer per depth.
  private var decoded = [[UInt8]](repeating: [], count: Limits.envelopeDepthLimit)
  /// Where the plain lines begin that are not in the arena yet.
  private var plainStart = 0
  private var plainLine = 0

  /// - Parameter origin: the file's own, `origins[0]`.
  package init(origin: Origin) { origins = OriginTable(own: origin) }

  /// Begins another stream: what this one told is forgotten, room that was made stays.
  package mutating func begin(origin: Origin) {
    origins.begin(own: origin)
    joiner = PieceJoiner()
    eventShapes = EventShapes()
    plainStart = 0
    plainLine = 0
  }

  /// Opens every line of the chunk into `batch`, which is empty but for its tables.
  ///
  /// - Returns: how much of the chunk was opened. Less than `byteCount` only when an octet-counted message goes on
  ///   after the chunk: the rest belongs in front of the next one. A chunk of `Limits.recordByteLimit` bytes, or a
  ///   final one, never returns 0 unless it is empty.
  @discardableResult
  package mutating func open(_ chunk: borrowing Chunk, into batch: inout RecordBatch) -> Int {
    // The names and origins of a copy are others.
    if heads != nil, !isKnownUniquelyReferenced(&heads) { heads = nil }
    if !origins.attach(to: &batch.origins) { heads?.removeAll() }
    plainStart = 0
    plainLine = 0
    let bytes = chunk.bytes
    // Taken out, so that the loop may call mutating functions while it reads them.
    var ends: [UInt32] = []
    swap(&ends, &lineEnds)
    ends.removeAll(keepingCapacity: true)
    joiner.reset()
    layouts.begin(&batch)
    // Events of known layouts tell where they end.
    if EventLayouts.mayBegin(bytes, 0, bytes.count) {
      layouts.takeFirst(bytes, endsTo: &ends, into: &batch)
    }
    let knownLineCount = ends.count
    findLineEnds(bytes, &ends)
    var openedByteCount: Int
    (openedByteCount, openedLineCount) = openLines(bytes, ends.span, knownLineCount, chunk.isFinal, &batch)
    if joiner.isHolding {
      let isEnd = chunk.isFinal && openedByteCount == bytes.count
      if isEnd || openedByteCount - joiner.episode.byteOffset > Limits.pieceWindowByteCount {
        joiner.releaseAll(into: &batch)
      } else {
        joiner.rewind(&batch)
        openedByteCount = joiner.episode.byteOffset
        openedLineCount = joiner.episode.line
        plainStart = openedByteCount
        plainLine = openedLineCount
      }
    }
    if batch.isDirect {
      if openedLineCount < ends.count { ends.removeLast(ends.count - openedLineCount) }
      swap(&ends, &batch.lineEnds)
    } else {
      copyPlain(bytes, ends.span, Place(start: openedByteCount, end: openedByteCount, line: openedLineCount), &batch)
      batch.arena.append(contentsOf: repeatElement(0, count: Limits.slackByteCount))
      var arena: [UInt8] = []
      swap(&arena, &batch.arena)
      var ends: [UInt32] = []
      swap(&ends, &batch.lineEnds)
      layouts.takeRest(arena.span, ends.span, into: &batch)
      swap(&ends, &batch.lineEnds)
      swap(&arena, &batch.arena)
    }
    batch.layouts = layouts.layouts
    swap(&ends, &lineEnds)
    return openedByteCount
  }

  /// `Envelope.parse`, with JSON that begins as an event before it passed over at once.
  private mutating func look(_ gate: Gate, _ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Outcome {
    guard gate == .json else { return Envelope.parse(gate, bytes, start, end) }
    if eventShapes.match(bytes, start, end) { return .none }
    let outcome = JSONEnvelope.parse(bytes, start, end)
    if case .none = outcome { eventShapes.learn(bytes, start, end) }
    return outcome
  }

  // MARK: Physical lines

  /// Adds the line ends behind the last that is known.
  private func findLineEnds(_ bytes: Span<UInt8>, _ ends: inout [UInt32]) {
    let known = ends.count
    let start = ends.last.map { Int($0) + 1 } ?? 0
    let byteCount = bytes.count - start
    // A first guess of 64 bytes a line; the kernel says how far it came when that was too low.
    var room = max(ends.capacity - known, byteCount / 64 + 128)
    while true {
      ends.removeLast(ends.count - known)
      var done = 0
      ends.append(addingCapacity: room) { out in
        unsafe out.withUnsafeMutableBufferPointer { out, found in
          unsafe bytes.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            found = unsafe Int(hk_positions(base + start, byteCount, 0x0A, out.baseAddress, room, &done))
          }
        }
      }
      if done == byteCount {
        if start > 0 { for index in known..<ends.count { ends[index] += UInt32(start) } }
        return
      }
      // In step with the lines seen so far, and 64 more, which always do at the end.
      room = max(2 * room, (ends.count - known) * byteCount / max(1, done) + 128)
    }
  }

  /// - Returns: bytes and lines opened or left plain; plain ones since the last opened line are not copied yet.
  private mutating func openLines(
    _ bytes: Span<UInt8>, _ ends: Span<UInt32>, _ knownLineCount: Int, _ isFinal: Bool, _ batch: inout RecordBatch
  ) -> (byteCount: Int, lineCount: Int) {
    var line = knownLineCount
    var start = line == 0 ? 0 : Int(ends[line - 1]) + 1
    while line < ends.count {
      if Int(ends[line]) - start < Envelope.leastByteCount {
        start = Int(ends[line]) + 1
        line += 1
        continue
      }
      if let heads, start < bytes.count, bytes[start] == 0x3C || ASCII.isDigit(bytes[start]) {
        if openHeaded(heads, bytes, ends, &start, &line, &batch) { continue }
      }
      let end = Int(ends[line])
      if batch.isDirect, EventLayouts.mayBegin(bytes, start, end) {
        let count = layouts.take(bytes, line: line, start: start, into: &batch)
        if count > 0 {
          line += count
          start = Int(ends[line - 1]) + 1
          continue
        }
        layouts.learn(bytes, start, end)
      }
      var text = start
      var gate = Envelope.gate(bytes, start, end)
      if gate == .closed, start < end, bytes[start] == 0xEF {
        text = Envelope.textStart(bytes, start, end)
        gate = Envelope.gate(bytes, text, end)
      }
      if gate == .closed {
        start = end + 1
        line += 1
        // Rows with a date in front come by the thousand, and are never an envelope; nor are records of most kinds.
        let isDated = text < end && ASCII.isDigit(bytes[text])
        line += unsafe bytes.withUnsafeBufferPointer { all in
          unsafe ends.withUnsafeBufferPointer {
            unsafe isDated
              ? hk_dated_lines(all.baseAddress, $0.baseAddress, line, ends.count)
              : hk_closed_lines(all.baseAddress, $0.baseAddress, line, ends.count, start, Envelope.leastByteCount)
          }
        }
        start = Int(ends[line - 1]) + 1
        continue
      }
      let place = Place(start: start, end: end, line: line)
      if gate == .octetCount {
        switch openFrame(bytes, ends, text, place, isFinal, &batch) {
        case .incomplete: return (start, line)
        case .opened(let next):
          start = next
          while line < ends.count, Int(ends[line]) < next { line += 1 }
          plainStart = start
          plainLine = line
          continue
        case .unframed: break
        }
      }
      let outcome = look(gate, bytes, text, end)
      start = end + 1
      line += 1
      switch outcome {
      // Too deep to be looked into: the framing meets the same line and counts it.
      case .none, .tooDeep: break
      case .bad: note(.badEnvelope, place, &batch)
      case .own, .envelope:
        copyPlain(bytes, ends, place, &batch)
        joiner.beginLine(byteOffset: place.start, line: place.line, into: &batch)
        // Its count was not believed.
        if gate == .octetCount { note(.badEnvelope, place, &batch) }
        take(outcome, bytes, 0, Told(), place, &batch)
        plainStart = start
        plainLine = line
        if gate == .priority || gate == .isoTemplate, case .envelope(let envelope) = outcome {
          learn(envelope, bytes, text, end)
        }
      }
    }
    return (ends.isEmpty ? 0 : start, line)
  }

  /// Opens lines from `line` on, which begins at `start`, whose heads are known, and moves both behind them; false when the first
  /// is none.
  private mutating func openHeaded(
    _ heads: HeadMemo, _ bytes: Span<UInt8>, _ ends: Span<UInt32>, _ start: inout Int, _ line: inout Int,
    _ batch: inout RecordBatch
  ) -> Bool {
    // Behind plain lines the first of them is opened like any other, and these are copied before it.
    guard !batch.isDirect, plainStart == start else {
      return openFirstHeaded(heads, bytes, ends, &start, &line, &batch)
    }
    var run = unsafe hk_headed_run_out()
    // While a record is held, what follows may be a piece of it.
    unsafe run.capacity = joiner.isHolding ? 1 : HeadMemo.runLimit
    unsafe run.first_line = batch.lineEnds.count
    unsafe run.first_byte = batch.arena.count
    let count = unsafe openRun(heads, bytes, ends, line, start, &run, isKept: !joiner.isHolding, &batch)
    if count == 0 { return false }
    let last = unsafe heads.found[count - 1]
    var taken = count
    if joiner.isHolding || last.kind != HK_PAYLOAD_IS_LINE { taken -= 1 }
    if taken > 0 { takeHeaded(heads, taken, ends, start, line, &batch) }
    line += taken
    if taken > 0 { start = Int(ends[line - 1]) + 1 }
    if taken < count {
      let place = Place(start: start, end: Int(ends[line]), line: line)
      start = place.end + 1
      line += 1
      var isTaken = false
      if last.kind == HK_PAYLOAD_IS_OBJECT, !joiner.isHolding {
        if eventShapes.match(bytes, Int(last.payload), place.end) {
          takeHeaded(heads, 1, ends, place.start, place.line, at: taken, &batch)
          isTaken = true
        } else {
          batch.arena.removeLast(place.end - Int(last.payload) + 1)
        }
      }
      if !isTaken { openOne(heads, last, bytes, place, &batch) }
    }
    plainStart = start
    plainLine = line
    return true
  }

  /// Opens one line with a known head, behind lines that stand as they are.
  private mutating func openFirstHeaded(
    _ heads: HeadMemo, _ bytes: Span<UInt8>, _ ends: Span<UInt32>, _ start: inout Int, _ line: inout Int,
    _ batch: inout RecordBatch
  ) -> Bool {
    var run = unsafe hk_headed_run_out()
    unsafe run.capacity = 1
    let place = Place(start: start, end: Int(ends[line]), line: line)
    guard unsafe openRun(heads, bytes, ends, line, start, &run, isKept: false, &batch) == 1 else { return false }
    copyPlain(bytes, ends, Place(start: start, end: start, line: line), &batch)
    openOne(heads, unsafe heads.found[0], bytes, place, &batch)
    start = place.end + 1
    line += 1
    plainStart = start
    plainLine = line
    return true
  }

  /// Lets the kernel find lines, and with `isKept` their payloads stay in the arena and events among them in the batch.
  private mutating func openRun(
    _ heads: HeadMemo, _ bytes: Span<UInt8>, _ ends: Span<UInt32>, _ line: Int, _ start: Int,
    _ run: inout hk_headed_run_out, isKept: Bool, _ batch: inout RecordBatch
  ) -> Int {
    var found = 0
    let room = bytes.count - start + EnvelopeOpener.roomByteCount
    unsafe layouts.lend(to: &run, isUsed: isKept, &batch) { run, batch in
      batch.arena.append(addingCapacity: room) { text in
        unsafe text.withUnsafeMutableBufferPointer { buffer, count in
          unsafe run.text = buffer.baseAddress
          found = unsafe heads.find(bytes, ends, line: line, start: start, &run)
          count = isKept ? unsafe run.text_count : 0
        }
      }
    }
    return found
  }

  /// Adds `count` lines, whose payloads are in the arena, from `line` on, which begins at `start`.
  private mutating func takeHeaded(
    _ heads: HeadMemo, _ count: Int, _ ends: Span<UInt32>, _ start: Int, _ line: Int, at first: Int = 0,
    _ batch: inout RecordBatch
  ) {
    let found = unsafe UnsafeMutableBufferPointer(start: heads.found + first, count: count)
    for index in 0..<count where unsafe found[index].origin == HK_NO_ORIGIN {
      let slot = unsafe found[index].slot
      let origin = origins.index(of: heads.names(slot), in: &batch.origins)
      if let origin {
        heads.setOrigin(origin, of: slot)
      } else {
        let start = index == 0 ? start : Int(ends[line + index - 1]) + 1
        note(.originLimit, Place(start: start, end: start, line: line + index), &batch)
      }
      unsafe found[index].origin = origin ?? 0
    }
    var chunkStart = UInt32(start)
    batch.lines.append(addingCapacity: count) { lines in
      for index in 0..<count {
        let end = ends[line + index]
        lines.append(
          LineSlot(
            chunkStart: chunkStart, chunkEnd: end, origin: unsafe found[index].origin, lineIndex: UInt32(line + index),
            isPlain: false, received: unsafe found[index].received))
        chunkStart = end + 1
      }
    }
    var textEnd = batch.lineEnds.last.map { $0 + 1 } ?? 0
    batch.lineEnds.append(addingCapacity: count) { lineEnds in
      for index in 0..<count {
        textEnd += unsafe ends[line + index] - found[index].payload
        lineEnds.append(textEnd)
        textEnd += 1
      }
    }
  }

  /// Opens a line with a known head that is more than its payload as it stands.
  private mutating func openOne(
    _ heads: HeadMemo, _ found: hk_headed_line, _ bytes: Span<UInt8>, _ place: Place, _ batch: inout RecordBatch
  ) {
    joiner.beginLine(byteOffset: place.start, line: place.line, into: &batch)
    let told = Told(names: heads.names(found.slot), received: found.received)
    var envelope = Envelope()
    envelope.payloadStart = Int(found.payload)
    envelope.payloadEnd = place.end
    envelope.escape = found.kind == HK_PAYLOAD_HAS_ESCAPES ? .octal : .none
    takePayload(envelope, bytes, 0, told, place, &batch)
  }

  /// Remembers the head of a line that was opened.
  private mutating func learn(_ envelope: Envelope, _ bytes: Span<UInt8>, _ start: Int, _ end: Int) {
    guard usesHeads else { return }
    let heads = self.heads ?? HeadMemo()
    self.heads = heads
    guard heads.isWorthLearning() else { return }
    heads.learn(
      bytes, start, end, payload: envelope.payloadStart,
      names: origins.names(OriginNames(), toldBy: envelope, in: bytes))
  }

  /// Copies the plain lines before `place` to the arena, which begins with the first line that opens.
  private mutating func copyPlain(
    _ bytes: Span<UInt8>, _ ends: Span<UInt32>, _ place: Place, _ batch: inout RecordBatch
  ) {
    if batch.isDirect {
      batch.isDirect = false
      // What was known of plain lines counts in the chunk; they are looked at again where they lie now.
      layouts.begin(&batch)
      // No payload with its `\n` is longer than the line it came from.
      batch.arena.reserveCapacity(bytes.count + EnvelopeOpener.roomByteCount)
      batch.lineEnds.reserveCapacity(ends.count)
      batch.lines.reserveCapacity(ends.count)
    }
    guard plainStart < place.start else { return }
    let shift = batch.arena.count - plainStart
    append(bytes, plainStart, place.start, to: &batch.arena)
    var start = plainStart
    var line = plainLine
    while line < place.line {
      let end = Int(ends[line])
      batch.lineEnds.append(UInt32(end + shift))
      batch.lines.append(
        LineSlot(
          chunkStart: UInt32(start), chunkEnd: UInt32(end), origin: 0, lineIndex: UInt32(line), isPlain: true,
          received: RecordBatch.noTime))
      start = end + 1
      line += 1
    }
    plainStart = place.start
    plainLine = place.line
  }

  // MARK: Octet-counted messages

  private enum Frame {
    /// The message goes on after the chunk.
    case incomplete
    /// The message is in the arena; what follows begins at `next`.
    case opened(next: Int)
    /// The count fits no boundary: read as a line.
    case unframed
  }

  /// Opens the message whose count stands at `text`. Its count is believed when the message ends at a line end (with
  /// or without that line end in it) or where the next count stands, and when its header can be read; otherwise the
  /// line is taken as framed by its line end.
  private mutating func openFrame(
    _ bytes: Span<UInt8>, _ ends: Span<UInt32>, _ text: Int, _ place: Place, _ isFinal: Bool,
    _ batch: inout RecordBatch
  ) -> Frame {
    guard let head = Envelope.frameHead(bytes, text, place.end) else { return .unframed }
    // The header is read in the first line alone, so that it is the same whether the rest is there or not; only a
    // message is worth waiting for.
    let stop = head.body + head.count
    let outcome = SyslogHeader.parse(bytes, head.body, min(stop, place.end), hasPriority: true)
    switch outcome {
    case .none, .bad, .tooDeep: return .unframed
    case .own, .envelope: break
    }
    if stop > bytes.count, !isFinal, place.start > 0 || bytes.count < Limits.recordByteLimit { return .incomplete }
    guard stop <= bytes.count, let next = boundary(bytes, stop) else { return .unframed }
    let end = bytes[stop - 1] == 0x0A ? stop - 1 : stop
    let message = Place(start: place.start, end: end, line: place.line)
    copyPlain(bytes, ends, place, &batch)
    joiner.beginLine(byteOffset: place.start, line: place.line, into: &batch)
    if case .envelope(var envelope) = outcome {
      envelope.payloadEnd = end
      take(.envelope(envelope), bytes, 0, Told(), message, &batch)
    } else {
      drop(message, &batch)
    }
    return .opened(next: next)
  }

  /// Where the line or message after one that ends at `stop` begins; nil when no message ends there.
  private func boundary(_ bytes: Span<UInt8>, _ stop: Int) -> Int? {
    if bytes[stop - 1] == 0x0A { return stop }
    guard stop < bytes.count else { return nil }
    if bytes[stop] == 0x0A { return stop + 1 }
    if stop + 1 < bytes.count, bytes[stop] == 0x0D, bytes[stop + 1] == 0x0A { return stop + 2 }
    return Envelope.frameHead(bytes, stop, bytes.count) == nil ? nil : stop
  }

  // MARK: Payloads

  /// Delivers the payload of `outcome`, or drops it when it is our own; `depth` envelopes were opened before.
  private mutating func take(
    _ outcome: Outcome, _ bytes: Span<UInt8>, _ depth: Int, _ told: Told, _ place: Place, _ batch: inout RecordBatch
  ) {
    guard case .envelope(let envelope) = outcome else {
      drop(place, &batch)
      return
    }
    var inner = told
    inner.names = origins.names(told.names, toldBy: envelope, in: bytes)
    if envelope.received != RecordBatch.noTime { inner.received = envelope.received }
    // An offset counts in the file that the same envelope names.
    if envelope.offset >= 0 || !envelope.path.isEmpty { inner.offset = envelope.offset }
    takePayload(envelope, bytes, depth, inner, place, &batch)
  }

  /// Delivers what `envelope` holds, of which `inner` was told.
  private mutating func takePayload(
    _ envelope: Envelope, _ bytes: Span<UInt8>, _ depth: Int, _ inner: Told, _ place: Place,
    _ batch: inout RecordBatch
  ) {
    guard needsDecoding(bytes, envelope) else {
      deliver(bytes, envelope.payloadStart, envelope.payloadEnd, depth + 1, inner, place, &batch)
      return
    }
    // The buffer of this depth is taken out while lines inside it are opened.
    var text: [UInt8] = []
    swap(&text, &decoded[depth])
    text.removeAll(keepingCapacity: true)
    if envelope.escape == .json {
      appendUnescaped(bytes, envelope.payloadStart, envelope.payloadEnd, to: &text)
    } else {
      appendOctal(bytes, envelope.payloadStart, envelope.payloadEnd, to: &text)
    }
    deliver(text.span, 0, text.count, depth + 1, inner, place, &batch)
    swap(&text, &decoded[depth])
  }

  /// Splits a payload at its line ends; one at its very end (Fluent Bit keeps it) begins no further line.
  private mutating func deliver(
    _ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ depth: Int, _ told: Told, _ place: Place,
    _ batch: inout RecordBatch
  ) {
    let stop = end > start && bytes[end - 1] == 0x0A ? end - 1 : end
    var lineStart = start
    while true {
      let lineEnd = find(0x0A, bytes, lineStart, stop) ?? stop
      deliverLine(bytes, lineStart, lineEnd, depth, told, place, &batch)
      if lineEnd == stop { return }
      lineStart = lineEnd + 1
    }
  }

  /// Opens one line of a payload further, or puts it in the arena.
  private mutating func deliverLine(
    _ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ depth: Int, _ told: Told, _ place: Place,
    _ batch: inout RecordBatch
  ) {
    let text = Envelope.textStart(bytes, start, end)
    let gate = Envelope.gate(bytes, text, end)
    if gate != .closed {
      let outcome = look(gate, bytes, text, end)
      switch outcome {
      // Too deep to be looked into: the framing meets the same line and counts it.
      case .none, .tooDeep: break
      case .bad: note(.badEnvelope, place, &batch)
      case .envelope where depth >= Limits.envelopeDepthLimit: note(.envelopeTooDeep, place, &batch)
      case .own, .envelope:
        take(outcome, bytes, depth, told, place, &batch)
        return
      }
    }
    var origin: UInt32 = 0
    if let index = origins.index(of: told.names, in: &batch.origins) {
      origin = index
    } else {
      note(.originLimit, place, &batch)
    }
    let slot = LineSlot(
      chunkStart: UInt32(place.start), chunkEnd: UInt32(place.end), origin: origin, lineIndex: UInt32(place.line),
      isPlain: false, received: told.received)
    if joiner.concerns(bytes, start, end) {
      joiner.take(bytes, start, end, slot: slot, offset: told.offset, into: &batch)
      return
    }
    batch.append(bytes, start, end, slot)
  }

  private func needsDecoding(_ bytes: Span<UInt8>, _ envelope: Envelope) -> Bool {
    switch envelope.escape {
    case .none: false
    case .json: true
    case .octal:
      find(0x23, bytes, envelope.payloadStart, envelope.payloadEnd) != nil
        && !holdsEnvelope(bytes, envelope.payloadStart, envelope.payloadEnd)
    }
  }

  /// Whether a payload is an envelope as it stands: then the escapes in it are that one's. Undone here, a `#012` would
  /// cut its payload in two.
  private func holdsEnvelope(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    let text = Envelope.textStart(bytes, start, end)
    let gate = Envelope.gate(bytes, text, end)
    guard gate != .closed, case .envelope = Envelope.parse(gate, bytes, text, end) else { return false }
    return true
  }

  /// `JSONScanner.appendUnescaped` with the runs between escapes copied whole: a CMTrace record has some twenty
  /// quotes in 250 bytes, and byte by byte this was half of the time spent on a Filebeat line.
  private func appendUnescaped(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, to out: inout [UInt8]) {
    var position = start
    while position < end {
      let mark = find(0x5C, bytes, position, end) ?? end
      append(bytes, position, mark, to: &out)
      guard mark < end else { return }
      var next = mark + 2
      if mark + 1 < end {
        switch bytes[mark + 1] {
        case 0x22, 0x2F, 0x5C:
          out.append(bytes[mark + 1])
          position = next
          continue
        case 0x75:
          // Two of them may be one character.
          next = mark + 6
          if next + 1 < end, bytes[next] == 0x5C, bytes[next + 1] == 0x75 { next += 6 }
        default: break
        }
      }
      position = min(next, end)
      JSONScanner.appendUnescaped(bytes, start: mark, end: position, to: &out)
    }
  }

  /// Undoes `#ooo`, as rsyslog writes control characters: octal, below 040 or 177; any other `#` is one.
  /// Source: rsyslog, global option parser.escapeControlCharactersOnReceive.
  private func appendOctal(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, to out: inout [UInt8]) {
    var position = start
    while position < end {
      let mark = find(0x23, bytes, position, end) ?? end
      append(bytes, position, mark, to: &out)
      guard mark < end else { return }
      if let control = octal(bytes, mark + 1, end) {
        out.append(control)
        position = mark + 4
      } else {
        out.append(0x23)
        position = mark + 1
      }
    }
  }

  private func octal(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> UInt8? {
    guard start + 3 <= end else { return nil }
    let high = bytes[start] &- 0x30
    let middle = bytes[start + 1] &- 0x30
    let low = bytes[start + 2] &- 0x30
    guard high < 2, middle < 8, low < 8 else { return nil }
    let value = high << 6 | middle << 3 | low
    return value < 0x20 || value == 0x7F ? value : nil
  }

  // MARK: Bytes

  private func append(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, to out: inout [UInt8]) {
    unsafe bytes.extracting(start..<end).withUnsafeBufferPointer { unsafe out.append(contentsOf: $0) }
  }

  private func find(_ byte: UInt8, _ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
    guard start < end else { return nil }
    return unsafe bytes.extracting(start..<end).withUnsafeBytes { raw in
      guard let base = raw.baseAddress, let hit = unsafe memchr(base, Int32(byte), raw.count) else { return nil }
      return unsafe start + (UnsafeRawPointer(hit) - base)
    }
  }

  // MARK: Counting

  /// Notes our own output, which is dropped; once per physical line with its bytes, for a payload may hold more of it.
  private func drop(_ place: Place, _ batch: inout RecordBatch) {
    let isKnown = batch.skipEvents.last.map { $0.reason == .ownOutput && Int($0.start) == place.start } ?? false
    batch.skip(.ownOutput, start: place.start, end: isKnown ? place.start : place.end, lineIndex: place.line)
  }

  /// Notes what went wrong with a line that is read all the same: no bytes are passed over.
  private func note(_ reason: SkipReason, _ place: Place, _ batch: inout RecordBatch) {
    batch.skip(reason, start: place.start, end: place.start, lineIndex: place.line)
  }
}
