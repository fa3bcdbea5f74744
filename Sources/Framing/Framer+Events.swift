import Records

/// Events that were known by the layout of their lines before the framing: what it would find byte by byte.
extension Framer {
  /// Makes records of known events from the start of `line` on; the first line that is none is the result.
  mutating func knownEvents(line first: Int, into batch: inout RecordBatch) -> Int {
    while nextEvent < batch.events.count, Int(batch.events[nextEvent].line) < first { nextEvent += 1 }
    var line = first
    guard nextEvent < batch.events.count, Int(batch.events[nextEvent].line) == line else { return first }
    var counts = (xml: 0, json: 0)
    let isDirect = batch.isDirect
    let (events, layouts) = (batch.events, batch.layouts)
    // A definition may say what the columns of the log are.
    while nextEvent < events.count, Int(events[nextEvent].line) == line {
      let origin = batch.origin(ofLine: line)
      let state = states[Int(origin)]
      let bias = biases[Int(origin)]
      guard state.delimited == nil else { break }
      var last = nextEvent + 1
      if isDirect {
        let lead = line - nextEvent
        while last < events.count, Int(events[last].line) == last + lead { last += 1 }
      }
      let range = nextEvent..<last
      batch.records.append(addingCapacity: range.count) { records in
        let (events, layouts) = (events.span, layouts.span)
        for index in range {
          let event = events[index]
          let format = layouts[Int(event.layout)].format
          let slot = RecordSlot(event, number: index, format: format, origin: origin, knownBias: bias)
          records.append(slot)
          if format == .eventXML { counts.xml += 1 } else { counts.json += 1 }
        }
      }
      line += range.count
      nextEvent = last
    }
    batch.recordCounts[Int(RecordFormat.eventXML.rawValue)] += UInt64(counts.xml)
    batch.recordCounts[Int(RecordFormat.eventJSON.rawValue)] += UInt64(counts.json)
    return line
  }
}
