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
      let next = plainRun(text, line..<lastLine, origin, isCMTrace: isCMTrace, &batch)
      if next == line { break }
      line = next
    }
    return line
  }

  /// Records that one call of a kernel may write.
  static let runLimit = 256

  /// Appends the plain records from the first of `lines` on; the line behind the last is the result.
  private mutating func plainRun(
    _ text: Span<UInt8>, _ lines: Range<Int>, _ origin: Int, isCMTrace: Bool, _ batch: inout RecordBatch
  ) -> Int {
    // Room for all of them at once: an array that is appended to checks each time whether it is shared.
    let room = min(lines.count, Framer.runLimit)
    let first = batch.records.count
    batch.records.append(contentsOf: emptySlots.prefix(room))
    var run = hk_plain_run(
      line: lines.lowerBound, joins: batch.isDirect ? 1 : 0, limit: recordByteLimit, origin: UInt32(origin),
      bias: biases[origin], unframed_count: 0)
    let count = unsafe text.withUnsafeBufferPointer { raw in
      unsafe batch.lineEnds.withUnsafeBufferPointer { ends in
        unsafe batch.records.withUnsafeMutableBufferPointer { slots in
          let out = unsafe UnsafeMutableRawPointer(slots.baseAddress! + first).assumingMemoryBound(to: hk_record.self)
          return unsafe isCMTrace
            ? hk_cmtrace_run(raw.baseAddress!, raw.count, ends.baseAddress!, lines.upperBound, &run, out, room)
            : hk_simple_run(raw.baseAddress!, raw.count, ends.baseAddress!, lines.upperBound, &run, out, room)
        }
      }
    }
    batch.records.removeLast(room - count)
    biases[origin] = run.bias
    batch.recordCounts[Int((isCMTrace ? RecordFormat.cmtrace : .simple).rawValue)] += UInt64(count - run.unframed_count)
    batch.recordCounts[Int(RecordFormat.line.rawValue)] += UInt64(run.unframed_count)
    return run.line
  }
}
