import CKernels
import Records

/// Lines of many origins, as envelopes bring them: what `knownEvents`, `plainRecords` and `rows` find line by line, in one walk of a
/// kernel.
extension Framer {
  /// Frames lines from the start of `line` on; the first that is of no plain form is the result.
  mutating func mixedRecords(_ text: Span<UInt8>, line first: Int, into batch: inout RecordBatch) -> Int {
    var line = first
    while line < batch.lineEnds.count {
      let count = findMixed(text, &line, batch)
      if count == 0 { break }
      append(count, to: &batch)
    }
    return line
  }

  /// Fills `mixedFound` from `line` on and moves it behind; the result is how many records it holds.
  private mutating func findMixed(_ text: Span<UInt8>, _ line: inout Int, _ batch: borrowing RecordBatch) -> Int {
    // Taken out, so that the kernel may write to it while it reads the rest.
    var found: [hk_mixed_record] = []
    swap(&found, &mixedFound)
    defer { swap(&found, &mixedFound) }
    let capacity = found.count
    typealias Slot = LineSlot
    return unsafe text.withUnsafeBufferPointer { text in
      unsafe batch.lineEnds.withUnsafeBufferPointer { ends in
        unsafe batch.lines.withUnsafeBytes { slots in
          unsafe batch.events.withUnsafeBytes { events in
            unsafe kinds.withUnsafeBufferPointer { kinds in
              var lines = unsafe hk_mixed_lines(
                slots: slots.baseAddress!.assumingMemoryBound(to: UInt8.self), stride: MemoryLayout<Slot>.stride,
                origin: MemoryLayout<Slot>.offset(of: \.origin)!,
                chunk_start: MemoryLayout<Slot>.offset(of: \.chunkStart)!,
                chunk_end: MemoryLayout<Slot>.offset(of: \.chunkEnd)!,
                is_plain: MemoryLayout<Slot>.offset(of: \.isPlain)!,
                joins: MemoryLayout<Slot>.offset(of: \.joinsPrevious)!, kinds: kinds.baseAddress!,
                // Of the same five numbers.
                events: events.baseAddress?.assumingMemoryBound(to: hk_event_line.self),
                event_count: batch.events.count, next_event: nextEvent)
              return unsafe hk_mixed_run(
                text.baseAddress!, text.count, ends.baseAddress!, ends.count, &line, &lines, recordByteLimit, &found,
                capacity)
            }
          }
        }
      }
    }
  }

  /// Appends what was found.
  private mutating func append(_ count: Int, to batch: inout RecordBatch) {
    let all = mixedFound
    let found = all.span
    let layouts = batch.layouts
    var counts = InlineArray<5, Int>(repeating: 0)
    var hasRows = false
    // Taken out, so that they can be read and written while the batch is.
    var states: [OriginState] = []
    swap(&states, &self.states)
    var nextEvent = nextEvent
    batch.records.append(addingCapacity: count) { slots in
      for index in 0..<count {
        let record = found[index]
        if record.kind == HK_MIXED_ROWS {
          hasRows = true
          continue
        }
        let plain = record.plain
        let origin = Int(record.origin)
        if plain.bias != HK_NO_BIAS, abs(Int(plain.bias)) <= ClockReading.biasLimit {
          states[origin].bias = Int16(plain.bias)
        }
        var slot = RecordSlot(
          format: .cmtrace, origin: record.origin, start: Int(plain.start), end: Int(plain.end),
          messageStart: Int(plain.start), messageEnd: Int(plain.message_end), knownBias: states[origin].bias,
          line: Int(plain.line))
        switch record.kind {
        case HK_MIXED_CMTRACE:
          slot.messageStart += 7
          counts[0] += 1
        case HK_MIXED_SIMPLE:
          slot.format = .simple
          counts[1] += 1
        case HK_MIXED_LINE:
          slot.format = .line
          counts[2] += 1
        default:
          slot.format = layouts[Int(plain.message_end)].format
          slot.messageEnd = plain.end
          slot.event = record.event
          nextEvent = Int(record.event) + 1
          counts[slot.format == .eventXML ? 3 : 4] += 1
        }
        slots.append(slot)
      }
    }
    swap(&states, &self.states)
    batch.recordCounts[Int(RecordFormat.cmtrace.rawValue)] += UInt64(counts[0])
    batch.recordCounts[Int(RecordFormat.simple.rawValue)] += UInt64(counts[1])
    batch.recordCounts[Int(RecordFormat.line.rawValue)] += UInt64(counts[2])
    batch.recordCounts[Int(RecordFormat.eventXML.rawValue)] += UInt64(counts[3])
    batch.recordCounts[Int(RecordFormat.eventJSON.rawValue)] += UInt64(counts[4])
    self.nextEvent = nextEvent
    guard hasRows else { return }
    for index in 0..<count where found[index].kind == HK_MIXED_ROWS {
      let rows = found[index]
      appendRows(
        Int(rows.plain.line)..<Int(rows.plain.end), self.states[Int(rows.origin)].schema!, rows.origin, to: &batch)
    }
  }
}
