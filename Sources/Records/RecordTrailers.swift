/// The attributes behind `]LOG]!>`: `<time="08:53:25.468+240" date="07-14-2021" component="…" … file="x.cpp:1108">`.
///
/// Order and number vary with the writer: native code, managed code, task sequences and scripts that imitate them.
package enum CMTraceAttributes {
  /// One attribute: the ranges of name and value.
  package struct Attribute {
    package var name: Range<Int>
    package var value: Range<Int>
  }

  /// Reads the attribute at `position` and moves behind it; nil and unmoved at `>` or at anything that is no attribute.
  package static func next(_ text: Span<UInt8>, position: inout Int, to end: Int) -> Attribute? {
    var index = position
    while index < end, ASCII.isBlank(text[index]) { index += 1 }
    let nameStart = index
    while index < end, ASCII.isLetter(text[index]) || text[index] == 0x2D || text[index] == 0x5F { index += 1 }
    let nameEnd = index
    guard nameEnd > nameStart, index + 1 < end, text[index] == 0x3D else { return nil }
    let quote = text[index + 1]
    guard quote == 0x22 || quote == 0x27 else { return nil }
    let valueStart = index + 2
    guard let valueEnd = text.firstIndex(of: quote, from: valueStart, to: end) else { return nil }
    position = valueEnd + 1
    return Attribute(name: nameStart..<nameEnd, value: valueStart..<valueEnd)
  }

  /// The position behind the closing `>`; nil when the attributes are damaged or cut.
  package static func end(_ text: Span<UInt8>, from: Int, to end: Int) -> Int? {
    guard from < end, text[from] == 0x3C else { return nil }
    var position = from + 1
    var count = 0
    while count <= Limits.attributeLimit, next(text, position: &position, to: end) != nil { count += 1 }
    while position < end, ASCII.isBlank(text[position]) { position += 1 }
    guard count > 0, position < end, text[position] == 0x3E else { return nil }
    return position + 1
  }

  /// Whether the record that ends at `end` (behind `>`) names a line of C++ source, `file="ccmhttp.cpp:1641"`; scripts
  /// that imitate the format name their own, `file="Repair.ps1:12"`.
  package static func isNative(_ text: Span<UInt8>, to end: Int) -> Bool {
    var index = end - 1
    guard index > 0, text[index] == 0x3E else { return false }
    index -= 1
    while index > 0, ASCII.isBlank(text[index]) { index -= 1 }
    guard index > 0, text[index] == 0x22 else { return false }
    index -= 1
    var digits = 0
    while index > 0, ASCII.isDigit(text[index]) {
      digits += 1
      index -= 1
    }
    guard digits > 0, index > 0, text[index] == 0x3A else { return false }
    let suffixEnd = index
    while index > 0, suffixEnd - index < 5, ASCII.isLetter(text[index - 1]) { index -= 1 }
    guard index > 0, text[index - 1] == 0x2E else { return false }
    switch suffixEnd - index {
    case 1: return ASCII.lower(text[index]) == 0x63 || ASCII.lower(text[index]) == 0x68  // .c .h
    case 2: return text.hasCaseless("cc", at: index)
    case 3:
      return text.hasCaseless("cpp", at: index) || text.hasCaseless("cxx", at: index)
        || text.hasCaseless("hpp", at: index) || text.hasCaseless("inl", at: index)
    default: return false
    }
  }

  /// The bias of the `time` attribute, in minutes, when there is a plausible one.
  package static func bias(_ text: Span<UInt8>, from: Int, to end: Int) -> Int16? {
    var position = from + 1
    while let attribute = next(text, position: &position, to: end) {
      guard attribute.name.count == 4, text.has("time", at: attribute.name.lowerBound) else { continue }
      guard let clock = ClockReading(text, from: attribute.value.lowerBound, to: attribute.value.upperBound),
        let bias = clock.bias, abs(bias) <= ClockReading.biasLimit
      else { return nil }
      return Int16(bias)
    }
    return nil
  }
}

/// `8:53:25.468+240`: a time of day, a fraction of any length and perhaps a bias in minutes (UTC = local + bias).
package struct ClockReading {
  /// No zone is further than 14 h from UTC.
  package static let biasLimit = 14 * 60

  package var hour: Int
  package var minute: Int
  package var second: Int
  package var microsecond: Int
  /// As written: unchecked, in minutes.
  package var bias: Int?

  package init?(_ text: Span<UInt8>, from: Int, to end: Int) {
    var cursor = NumberCursor(from)
    guard let h = cursor.digits(in: text, to: end, most: 2), cursor.take(0x3A, in: text, to: end),
      let m = cursor.digits(in: text, to: end, most: 2), cursor.take(0x3A, in: text, to: end),
      let s = cursor.digits(in: text, to: end, most: 2)
    else { return nil }
    hour = h.value
    minute = m.value
    second = s.value
    microsecond = 0
    if cursor.take(0x2E, in: text, to: end) || cursor.take(0x2C, in: text, to: end) {
      guard let fraction = cursor.digits(in: text, to: end, most: 9) else { return nil }
      var value = fraction.value
      for _ in fraction.count..<9 { value *= 10 }
      microsecond = value / 1000
    }
    if cursor.position < end, text[cursor.position] == 0x2B || text[cursor.position] == 0x2D {
      let isNegative = text[cursor.position] == 0x2D
      cursor.position += 1
      guard let minutes = cursor.digits(in: text, to: end, most: 5) else { return nil }
      bias = isNegative ? -minutes.value : minutes.value
    }
    guard hour < 24, minute < 60, second <= 60 else { return nil }
  }
}

/// `$$<COMPONENT><MM-DD-YYYY HH:MM:SS.mmm+BIAS><thread=N (0xHEX)>`: the end of a simple record. The thread may be
/// missing; the component may hold blanks.
package struct SimpleTrailer {
  package var component: Range<Int>
  package var time: (month: Int, day: Int, year: Int)
  package var clock: ClockReading
  package var thread: Range<Int>?
  package var end: Int

  package var bias: Int16? {
    guard let bias = clock.bias, abs(bias) <= ClockReading.biasLimit else { return nil }
    return Int16(bias)
  }

  /// - Parameter mark: where `$$<` stands. Nil when what follows is no trailer.
  package init?(_ text: Span<UInt8>, at mark: Int, to end: Int) {
    let start = mark + 3
    let limit = min(end, start + 200)
    var componentEnd = start
    // A `<` before the `>`: this `$$<` belongs to the message, `cost $$<5 $$<SMS_EXECUTIVE><…`.
    while componentEnd < limit, text[componentEnd] != 0x3E {
      if text[componentEnd] == 0x3C { return nil }
      componentEnd += 1
    }
    guard componentEnd < limit, componentEnd + 1 < end, text[componentEnd + 1] == 0x3C else { return nil }
    component = start..<componentEnd
    var cursor = NumberCursor(componentEnd + 2)
    guard let month = cursor.digits(in: text, to: end, most: 2), cursor.take(0x2D, in: text, to: end),
      let day = cursor.digits(in: text, to: end, most: 2), cursor.take(0x2D, in: text, to: end),
      let year = cursor.digits(in: text, to: end, most: 4)
    else { return nil }
    cursor.skipBlanks(in: text, to: end)
    guard let stop = text.firstIndex(of: 0x3E, from: cursor.position, to: min(end, cursor.position + 40)),
      let clock = ClockReading(text, from: cursor.position, to: stop)
    else { return nil }
    time = (month.value, day.value, year.value)
    self.clock = clock
    self.end = stop + 1
    guard text.has("<thread=", at: stop + 1) else { return }
    let threadStart = stop + 9
    guard let threadEnd = text.firstIndex(of: 0x3E, from: threadStart, to: min(end, threadStart + 60)) else { return }
    var digits = threadStart
    while digits < threadEnd, ASCII.isDigit(text[digits]) || ASCII.isLetter(text[digits]) { digits += 1 }
    thread = threadStart..<digits
    self.end = threadEnd + 1
  }
}
