import CKernels
import Records

/// Records in the plain form that Microsoft's code writes, one behind the other: nearly all of a client's or a site
/// server's logs. Whatever differs in any way is left to the framing line by line, which gives the same for these.
extension Framer {
  /// Frames plain records from the start of `line` on; the first line that is none is the result.
  mutating func plainRecords(_ text: Span<UInt8>, line first: Int, into batch: inout RecordBatch) -> Int {
    var line = first
    while usesPlainForms, line < batch.lineEnds.count {
      let bounds = batch.lineBounds(line)
      guard bounds.start < bounds.end else { break }
      // What begins otherwise may be a row, an event, a date or a mark.
      let byte = text[bounds.start]
      let isCMTrace = byte == 0x3C
      guard isCMTrace || ASCII.isLetter(byte) || byte == 0x7E || byte == 0x2A else { break }
      let origin = Int(batch.origin(ofLine: line))
      guard states[origin].delimited == nil, isCMTrace || states[origin].schema == nil else { break }
      var lastLine = batch.lineEnds.count
      if !batch.isDirect {
        // One origin at a time; where its lines end is found once for all of them.
        if line >= originLines.upperBound || line < originLines.lowerBound {
          var end = line + 1
          while end < batch.lineEnds.count, batch.lines[end].origin == origin { end += 1 }
          originLines = line..<end
        }
        lastLine = originLines.upperBound
      }
      let count =
        isCMTrace
        ? cmtraceRun(text, bounds.start, line..<lastLine, batch) : simpleRun(text, bounds.start, line..<lastLine, batch)
      if count == 0 { break }
      line = append(count, isCMTrace ? .cmtrace : .simple, origin, to: &batch)
    }
    return line
  }

  /// Fills `plainFound`; the result is how many records it holds.
  private mutating func cmtraceRun(
    _ text: Span<UInt8>, _ start: Int, _ lines: Range<Int>, _ batch: borrowing RecordBatch
  ) -> Int {
    unsafe text.withUnsafeBufferPointer { raw in
      unsafe batch.lineEnds.withUnsafeBufferPointer { ends in
        unsafe hk_cmtrace_run(
          raw.baseAddress!, raw.count, ends.baseAddress!, lines.upperBound, lines.lowerBound, start, recordByteLimit,
          batch.isDirect ? 1 : 0, &plainFound, plainFound.count)
      }
    }
  }

  private mutating func simpleRun(
    _ text: Span<UInt8>, _ start: Int, _ lines: Range<Int>, _ batch: borrowing RecordBatch
  ) -> Int {
    unsafe text.withUnsafeBufferPointer { raw in
      unsafe batch.lineEnds.withUnsafeBufferPointer { ends in
        unsafe hk_simple_run(
          raw.baseAddress!, raw.count, ends.baseAddress!, lines.upperBound, lines.lowerBound, start, &plainFound,
          plainFound.count)
      }
    }
  }

  /// Appends the records found; the line behind the last is the result.
  private mutating func append(_ count: Int, _ format: RecordFormat, _ origin: Int, to batch: inout RecordBatch) -> Int
  {
    var bias = biases[origin]
    let head = format == .cmtrace ? 7 : 0
    var lineCount = 0
    let first = batch.records.count
    // Room for all of them at once: an array that is appended to checks each time whether it is shared.
    batch.records.append(
      contentsOf: repeatElement(
        RecordSlot(format: format, origin: UInt32(origin), start: 0, end: 0, messageStart: 0, messageEnd: 0, line: 0),
        count: count))
    var slots = batch.records.mutableSpan
    let list = plainFound
    let all = list.span
    for index in 0..<count {
      let found = all[index]
      if found.bias != HK_NO_BIAS, abs(Int(found.bias)) <= ClockReading.biasLimit { bias = Int16(found.bias) }
      if found.is_line != 0 {
        lineCount += 1
        slots[first + index].format = .line
      }
      slots[first + index].start = found.start
      slots[first + index].end = found.end
      slots[first + index].messageStart = found.start + UInt32(head)
      slots[first + index].messageEnd = found.message_end
      slots[first + index].knownBias = bias
      slots[first + index].line = found.line
    }
    biases[origin] = bias
    batch.recordCounts[Int(format.rawValue)] += UInt64(count - lineCount)
    batch.recordCounts[Int(RecordFormat.line.rawValue)] += UInt64(lineCount)
    let last = plainFound[count - 1]
    var line = Int(last.line)
    while Int(batch.lineEnds[line]) < Int(last.end) { line += 1 }
    return line + 1
  }
}
