import CKernels
import Records

/// What stands around the message of a record in its plain form.
struct PlainFrame {
  var trailer: hk_trailer
  /// In microseconds, of a local clock or not.
  var time: Int64
  var isLocal: Bool

  func time(_ zone: ZoneRules) -> Timestamp {
    let time = Timestamp(microseconds: time)
    return isLocal ? zone.instant(ofLocal: time) : time
  }
}

/// What the frame around a text record says: time, component, thread. Read for candidates only.
struct TextFacts: ~Copyable {
  var time: Timestamp?
  var component: Range<Int>?
  var thread: Range<Int>?
  /// Columns of a delimited format that say more than the frame of other records.
  var columns: DelimitedLine?
  /// The name of the delimited format.
  var formatName: String?
  /// The time could not be used as written.
  var timeFault: SkipReason?

  /// - Parameter log: the log's name; a component that bears it writes its own log.
  /// - Parameter delimited: the formats that definitions describe by their columns.
  /// - Parameter frame: what was read already.
  init(
    _ slot: RecordSlot, _ text: Span<UInt8>, frame: PlainFrame? = nil, log: String, zone: ZoneRules,
    delimited: [DelimitedRule]
  ) {
    if let frame {
      time = frame.time(zone)
      component = Int(frame.trailer.component_start)..<Int(frame.trailer.component_end)
      thread = Int(frame.trailer.thread_start)..<Int(frame.trailer.thread_end)
      return
    }
    switch slot.format {
    case .cmtrace: cmtrace(slot, text, log, zone)
    case .simple: simple(slot, text, zone)
    case .windowsUpdate, .sqlErrorLog, .softwareDistribution, .smsAdminUI, .setup: dated(slot, text, zone)
    case .delimited:
      guard let rule = delimited.index(ofLog: log) else { break }
      formatName = delimited[rule].name
      columns = DelimitedLine(delimited[rule], text, start: Int(slot.start), end: Int(slot.end))
      component = columns?[.component]
      thread = columns?[.thread]
      if let reading = columns?.reading { time = columns?.isUTC == true ? reading : zone.instant(ofLocal: reading) }
    default: break
    }
  }

  private mutating func cmtrace(_ slot: RecordSlot, _ text: Span<UInt8>, _ log: String, _ zone: ZoneRules) {
    let from = Int(slot.messageEnd) + 7
    let end = Int(slot.end)
    guard from < end, text[from] == 0x3C else { return }
    var plain = hk_trailer()
    let isPlain = unsafe text.withUnsafeBufferPointer { raw in
      unsafe hk_cmtrace_trailer(raw.baseAddress!, from, end, &plain) != 0
    }
    if isPlain {
      component = Int(plain.component_start)..<Int(plain.component_end)
      thread = Int(plain.thread_start)..<Int(plain.thread_end)
      let isTrusted =
        plain.is_native != 0
        || Wildcard.isSame(log, text, start: Int(plain.component_start), end: Int(plain.component_end))
      resolve(plain, hasBias: isTrusted && plain.has_bias != 0, slot, zone)
      return
    }
    var position = from + 1
    var clock: ClockReading?
    var hasClock = false
    var date: (month: Int, day: Int, year: Int)?
    while let attribute = CMTraceAttributes.next(text, position: &position, to: end) {
      let name = attribute.name.lowerBound
      let value = attribute.value
      switch attribute.name.count {
      case 4 where text.has("time", at: name):
        hasClock = true
        clock = ClockReading(text, from: value.lowerBound, to: value.upperBound)
      case 4 where text.has("date", at: name):
        var cursor = NumberCursor(value.lowerBound)
        if let month = cursor.digits(in: text, to: value.upperBound, most: 2),
          cursor.take(0x2D, in: text, to: value.upperBound),
          let day = cursor.digits(in: text, to: value.upperBound, most: 2),
          cursor.take(0x2D, in: text, to: value.upperBound),
          let year = cursor.digits(in: text, to: value.upperBound, most: 4)
        {
          date = (month.value, day.value, year.value)
        }
      case 9 where text.has("component", at: name): component = value
      case 6 where text.has("thread", at: name): thread = value
      default: break
      }
    }
    guard let clock, let date else {
      if hasClock { timeFault = .badTime }
      return
    }
    // A bias is trusted when native code wrote the record, or the component whose log this is: scripts that imitate
    // the format write zero or an ISO 8601 sign.
    let isOwnLog = component.map { Wildcard.isSame(log, text, start: $0.lowerBound, end: $0.upperBound) }
    let isTrusted = CMTraceAttributes.isNative(text, to: end) || isOwnLog ?? false
    resolve(date, clock, isTrusted ? clock.bias : nil, slot, zone)
  }

  private mutating func simple(_ slot: RecordSlot, _ text: Span<UInt8>, _ zone: ZoneRules) {
    var mark = Int(slot.messageEnd)
    while mark < Int(slot.end), text[mark] != 0x24 { mark += 1 }
    var plain = hk_trailer()
    let isPlain = unsafe text.withUnsafeBufferPointer { raw in
      unsafe hk_simple_trailer(raw.baseAddress!, mark, Int(slot.end), &plain) != 0
    }
    if isPlain {
      component = Int(plain.component_start)..<Int(plain.component_end)
      thread = Int(plain.thread_start)..<Int(plain.thread_end)
      resolve(plain, hasBias: plain.has_bias != 0, slot, zone)
      return
    }
    guard let trailer = SimpleTrailer(text, at: mark, to: Int(slot.end)) else { return }
    component = trailer.component
    thread = trailer.thread
    resolve(trailer.time, trailer.clock, trailer.clock.bias, slot, zone)
  }

  private mutating func dated(_ slot: RecordSlot, _ text: Span<UInt8>, _ zone: ZoneRules) {
    guard let line = DatedLine.read(text, start: Int(slot.start), end: Int(slot.end)) else { return }
    component = line.component
    thread = line.thread
    if line.isUTC {
      time = line.reading
    } else {
      time =
        slot.knownBias == .min ? zone.instant(ofLocal: line.reading) : line.reading.adding(minutes: Int(slot.knownBias))
    }
  }

  private mutating func resolve(_ plain: hk_trailer, hasBias: Bool, _ slot: RecordSlot, _ zone: ZoneRules) {
    guard
      Timestamp.isValid(
        year: Int(plain.year), month: Int(plain.month), day: Int(plain.day), hour: Int(plain.hour),
        minute: Int(plain.minute), second: Int(plain.second))
    else {
      timeFault = .badTime
      return
    }
    let local = Timestamp(
      year: Int(plain.year), month: Int(plain.month), day: Int(plain.day), hour: Int(plain.hour),
      minute: Int(plain.minute), second: Int(plain.second), microsecond: Int(plain.microsecond))
    resolve(local, hasBias ? Int(plain.bias) : nil, slot, zone)
  }

  private mutating func resolve(
    _ date: (month: Int, day: Int, year: Int), _ clock: ClockReading, _ bias: Int?, _ slot: RecordSlot,
    _ zone: ZoneRules
  ) {
    guard
      Timestamp.isValid(
        year: date.year, month: date.month, day: date.day, hour: clock.hour, minute: clock.minute,
        second: clock.second)
    else {
      timeFault = .badTime
      return
    }
    let local = Timestamp(
      year: date.year, month: date.month, day: date.day, hour: clock.hour, minute: clock.minute,
      second: clock.second, microsecond: clock.microsecond)
    resolve(local, bias, slot, zone)
  }

  private mutating func resolve(_ local: Timestamp, _ bias: Int?, _ slot: RecordSlot, _ zone: ZoneRules) {
    if let bias, abs(bias) <= ClockReading.biasLimit {
      time = local.adding(minutes: bias)
      return
    }
    if bias != nil { timeFault = .badBias }
    time = slot.knownBias == .min ? zone.instant(ofLocal: local) : local.adding(minutes: Int(slot.knownBias))
  }
}
