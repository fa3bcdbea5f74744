import Records

/// Events that were known by the layout of their lines before the framing: what it would find byte by byte.
extension Framer {
  /// Makes records of known events from the start of `line` on; the first line that is none is the result.
  mutating func knownEvents(line first: Int, into batch: inout RecordBatch) -> Int {
    while nextEvent < batch.events.count, Int(batch.events[nextEvent].line) < first { nextEvent += 1 }
    var line = first
    var counts = (xml: 0, json: 0)
    while nextEvent < batch.events.count, Int(batch.events[nextEvent].line) == line {
      let event = batch.events[nextEvent]
      let origin = batch.origin(ofLine: line)
      // A definition may say what the columns of the log are.
      guard states[Int(origin)].delimited == nil else { break }
      let format = batch.layouts[Int(event.layout)].format
      var slot = RecordSlot(
        format: format, origin: origin, start: Int(event.start), end: Int(event.end), messageStart: Int(event.start),
        messageEnd: Int(event.end), knownBias: biases[Int(origin)], line: line)
      slot.event = UInt32(nextEvent)
      batch.records.append(slot)
      if format == .eventXML { counts.xml += 1 } else { counts.json += 1 }
      nextEvent += 1
      line += 1
    }
    batch.recordCounts[Int(RecordFormat.eventXML.rawValue)] += UInt64(counts.xml)
    batch.recordCounts[Int(RecordFormat.eventJSON.rawValue)] += UInt64(counts.json)
    return line
  }
}
