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
    // Taken out, so that the kernel may write to them while it reads the rest.
    var found: [hk_mixed_record] = []
    swap(&found, &mixedFound)
    var biases: [Int16] = []
    swap(&biases, &self.biases)
    defer {
      swap(&found, &mixedFound)
      swap(&biases, &self.biases)
    }
    let capacity = found.count
    typealias Slot = LineSlot
    return unsafe text.withUnsafeBufferPointer { text in
      unsafe batch.lineEnds.withUnsafeBufferPointer { ends in
        unsafe batch.lines.withUnsafeBytes { slots in
          unsafe batch.events.withUnsafeBytes { events in
            unsafe kinds.withUnsafeBufferPointer { kinds in
              unsafe biases.withUnsafeMutableBufferPointer { biases in
                var lines = unsafe hk_mixed_lines(
                  slots: slots.baseAddress!.assumingMemoryBound(to: UInt8.self), stride: MemoryLayout<Slot>.stride,
                  origin: MemoryLayout<Slot>.offset(of: \.origin)!,
                  chunk_start: MemoryLayout<Slot>.offset(of: \.chunkStart)!,
                  chunk_end: MemoryLayout<Slot>.offset(of: \.chunkEnd)!,
                  is_plain: MemoryLayout<Slot>.offset(of: \.isPlain)!,
                  joins: MemoryLayout<Slot>.offset(of: \.joinsPrevious)!, kinds: kinds.baseAddress!,
                  biases: biases.baseAddress!,
                  // The same, as `EventLayouts` makes sure.
                  events: events.baseAddress?.assumingMemoryBound(to: hk_event_line.self),
                  event_count: batch.events.count, next_event: nextEvent, joined: joinedUntil)
                defer { unsafe joinedUntil = lines.joined }
                return unsafe hk_mixed_run(
                  text.baseAddress!, text.count, ends.baseAddress!, ends.count, &line, &lines, recordByteLimit, &found,
                  capacity)
              }
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
    var cmtraceCount = 0
    var simpleCount = 0
    var lineCount = 0
    var xmlCount = 0
    var jsonCount = 0
    var rowCount = 0
    var nextEvent = nextEvent
    batch.records.append(addingCapacity: count) { slots in
      var slot = RecordSlot(format: .cmtrace, origin: 0, start: 0, end: 0, messageStart: 0, messageEnd: 0, line: 0)
      for index in 0..<count {
        let kind = found[index].kind
        let record = found[index].record
        slot.messageEnd = record.message_end
        if kind == HK_MIXED_CMTRACE {
          slot.format = .cmtrace
          cmtraceCount += 1
        } else if kind == HK_MIXED_ROWS {
          rowCount += 1
          continue
        } else if kind == HK_MIXED_SIMPLE {
          slot.format = .simple
          simpleCount += 1
        } else if kind == HK_MIXED_EVENT {
          let isXML = layouts[Int(record.message_end)].format == .eventXML
          slot.format = isXML ? .eventXML : .eventJSON
          if isXML { xmlCount += 1 } else { jsonCount += 1 }
          slot.messageEnd = record.end
          nextEvent = Int(record.event) + 1
        } else {
          slot.format = .line
          lineCount += 1
        }
        slot.event = record.event
        slot.origin = record.origin
        slot.start = record.start
        slot.end = record.end
        slot.messageStart = record.message_start
        slot.knownBias = record.known_bias
        slot.line = record.line
        slot.isUnasked = record.is_unasked != 0
        slots.append(slot)
      }
    }
    batch.recordCounts[Int(RecordFormat.cmtrace.rawValue)] += UInt64(cmtraceCount)
    batch.recordCounts[Int(RecordFormat.simple.rawValue)] += UInt64(simpleCount)
    batch.recordCounts[Int(RecordFormat.line.rawValue)] += UInt64(lineCount)
    batch.recordCounts[Int(RecordFormat.eventXML.rawValue)] += UInt64(xmlCount)
    batch.recordCounts[Int(RecordFormat.eventJSON.rawValue)] += UInt64(jsonCount)
    self.nextEvent = nextEvent
    guard rowCount > 0 else { return }
    for index in 0..<count where found[index].kind == HK_MIXED_ROWS {
      let rows = found[index].record
      appendRows(Int(rows.line)..<Int(rows.end), states[Int(rows.origin)].schema!, rows.origin, to: &batch)
    }
  }
}
