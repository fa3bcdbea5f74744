import Records

/// Reads events that were rendered as text: Snare and the Event Viewer's clipboard.
package enum EventTextReader {
  /// `MSWinEventLog ⇥ criticality ⇥ log ⇥ counter ⇥ date ⇥ EventID ⇥ source ⇥ user ⇥ SID type ⇥ type ⇥ computer ⇥ category ⇥ data
  /// ⇥ message ⇥ checksum`; where a relay turned the tabs into blanks the date is found by its shape.
  /// Source: Snare for Windows guide, appendix "event output format".
  package static func readSnare(_ text: Span<UInt8>, start: Int, end: Int, into fields: inout EventFields) -> Bool {
    fields.removeAll()
    for index in start..<end { fields.text.append(text[index]) }
    // A copy to read from: the fields are written meanwhile.
    let bytes = fields.text
    let count = bytes.count
    let span = bytes.span
    var columns: [Range<Int>] = []
    var from = 0
    for index in 0...count where index == count || span[index] == 0x09 {
      columns.append(from..<index)
      from = index + 1
    }
    if columns.count < 12 { return readBlankSnare(&fields) }
    guard let id = EventFields.number(span, start: columns[5].lowerBound, end: columns[5].upperBound), id <= 0xFFFF_FFFF
    else { return false }
    fields.channel = columns[2]
    fields.localTime = longDate(span, columns[4])
    fields.eventID = UInt32(id & 0xFFFF)
    fields.provider = columns[6]
    fields.computer = columns[10]
    // The message is the longest of what follows; the checksum or record number behind it is a number.
    fields.message = columns[12...].max { $0.count < $1.count }
    SchannelText.fill(&fields)
    return true
  }

  /// Tabs became blanks: `MSWinEventLog 3 System 2213 Sun Oct 16 20:27:36 2022 36870 Schannel SYSTEM User Error HOST None …`.
  private static func readBlankSnare(_ fields: inout EventFields) -> Bool {
    let bytes = fields.text
    let span = bytes.span
    var words: [Range<Int>] = []
    var position = 0
    while position < span.count, words.count < 16 {
      while position < span.count, ASCII.isBlank(span[position]) { position += 1 }
      let from = position
      while position < span.count, !ASCII.isBlank(span[position]) { position += 1 }
      if position > from { words.append(from..<position) }
    }
    // 0 MSWinEventLog 1 criticality 2 log 3 counter 4…8 date 9 id 10 source 11 user 12 SID type 13 type 14 computer
    guard words.count == 16,
      let date = longDate(span, words[4].lowerBound..<words[8].upperBound),
      let id = EventFields.number(span, start: words[9].lowerBound, end: words[9].upperBound), id <= 0xFFFF_FFFF
    else { return false }
    fields.channel = words[2]
    fields.localTime = date
    fields.eventID = UInt32(id & 0xFFFF)
    fields.provider = words[10]
    fields.computer = words[14]
    fields.message = words[15].lowerBound..<span.count
    SchannelText.fill(&fields)
    return true
  }

  /// The lines of "Copy details as text": labels in English, the date in the viewer's own order, the description last.
  package static func readViewer(_ text: Span<UInt8>, start: Int, end: Int, into fields: inout EventFields) -> Bool {
    fields.removeAll()
    for index in start..<end { fields.text.append(text[index]) }
    let bytes = fields.text
    let span = bytes.span
    var position = 0
    while position < span.count {
      var lineEnd = position
      while lineEnd < span.count, span[lineEnd] != 0x0A { lineEnd += 1 }
      func value(_ label: StaticString) -> Range<Int>? {
        guard span.has(label, at: position) else { return nil }
        var from = position + label.utf8CodeUnitCount
        var to = lineEnd
        while from < to, ASCII.isSpace(span[from]) { from += 1 }
        while to > from, ASCII.isSpace(span[to - 1]) { to -= 1 }
        return from..<to
      }
      if let log = value("Log Name:") {
        fields.channel = log
      } else if let source = value("Source:") {
        fields.provider = source
      } else if let date = value("Date:") {
        fields.localTime = viewerDate(span, date)
      } else if let id = value("Event ID:") {
        fields.eventID = EventFields.number(span, start: id.lowerBound, end: id.upperBound).flatMap {
          UInt32(exactly: $0)
        }
      } else if let computer = value("Computer:") {
        fields.computer = computer.isEmpty ? nil : computer
      } else if span.has("Description:", at: position) {
        var to = span.count
        while to > lineEnd, ASCII.isSpace(span[to - 1]) { to -= 1 }
        let from = min(lineEnd + 1, to)
        fields.message = from..<to
        break
      }
      position = lineEnd + 1
    }
    guard fields.provider != nil, fields.eventID != nil else { return false }
    SchannelText.fill(&fields)
    return true
  }

  /// `Sun Oct 16 20:27:36 2022`, without zone.
  private static func longDate(_ text: Span<UInt8>, _ range: Range<Int>) -> Timestamp? {
    var cursor = NumberCursor(range.lowerBound)
    while cursor.position < range.upperBound, !ASCII.isBlank(text[cursor.position]) { cursor.position += 1 }
    cursor.skipBlanks(in: text, to: range.upperBound)
    guard let month = month(text, cursor.position) else { return nil }
    cursor.position += 3
    cursor.skipBlanks(in: text, to: range.upperBound)
    guard let day = cursor.digits(in: text, to: range.upperBound, most: 2) else { return nil }
    cursor.skipBlanks(in: text, to: range.upperBound)
    guard let hour = cursor.digits(in: text, to: range.upperBound, most: 2),
      cursor.take(0x3A, in: text, to: range.upperBound),
      let minute = cursor.digits(in: text, to: range.upperBound, most: 2),
      cursor.take(0x3A, in: text, to: range.upperBound),
      let second = cursor.digits(in: text, to: range.upperBound, most: 2)
    else { return nil }
    cursor.skipBlanks(in: text, to: range.upperBound)
    guard let year = cursor.digits(in: text, to: range.upperBound, most: 4), year.count == 4,
      Timestamp.isValid(
        year: year.value, month: month, day: day.value, hour: hour.value, minute: minute.value, second: second.value)
    else { return nil }
    return Timestamp(
      year: year.value, month: month, day: day.value, hour: hour.value, minute: minute.value, second: second.value)
  }

  private static func month(_ text: Span<UInt8>, _ position: Int) -> Int? {
    let names: [StaticString] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    return names.firstIndex { text.hasCaseless($0, at: position) }.map { $0 + 1 }
  }

  /// `10/16/2022 8:27:36 PM` (US order, the only one that AM or PM gives away), `16.10.2022 20:27:36`,
  /// `2022-10-16 20:27:36`. A date whose order cannot be told is no time: `03/04/2026 10:00:00`.
  private static func viewerDate(_ text: Span<UInt8>, _ range: Range<Int>) -> Timestamp? {
    var cursor = NumberCursor(range.lowerBound)
    let end = range.upperBound
    guard let a = cursor.digits(in: text, to: end, most: 4), cursor.position < end else { return nil }
    let separator = text[cursor.position]
    guard separator == 0x2F || separator == 0x2E || separator == 0x2D, cursor.take(separator, in: text, to: end),
      let b = cursor.digits(in: text, to: end, most: 2), cursor.take(separator, in: text, to: end),
      let c = cursor.digits(in: text, to: end, most: 4)
    else { return nil }
    cursor.skipBlanks(in: text, to: end)
    guard let h = cursor.digits(in: text, to: end, most: 2), cursor.take(0x3A, in: text, to: end),
      let minute = cursor.digits(in: text, to: end, most: 2), cursor.take(0x3A, in: text, to: end),
      let second = cursor.digits(in: text, to: end, most: 2)
    else { return nil }
    // Newer systems put a narrow no-break space (E2 80 AF) before AM and PM.
    while cursor.position < end, text[cursor.position] | 0x20 != 0x61, text[cursor.position] | 0x20 != 0x70 {
      cursor.position += 1
    }
    let isTwelve = cursor.position + 1 < end && text[cursor.position + 1] | 0x20 == 0x6D
    var hour = h.value
    if isTwelve {
      guard hour >= 1, hour <= 12 else { return nil }
      hour = hour % 12 + (text[cursor.position] | 0x20 == 0x70 ? 12 : 0)
    }
    let date: (year: Int, month: Int, day: Int)
    if a.count == 4 {
      date = (a.value, b.value, c.value)
    } else if separator == 0x2E {
      date = (c.value, b.value, a.value)
    } else if isTwelve || b.value > 12 {
      date = (c.value, a.value, b.value)
    } else if a.value > 12 {
      date = (c.value, b.value, a.value)
    } else {
      return nil
    }
    guard
      Timestamp.isValid(
        year: date.year, month: date.month, day: date.day, hour: hour, minute: minute.value, second: second.value)
    else { return nil }
    return Timestamp(
      year: date.year, month: date.month, day: date.day, hour: hour, minute: minute.value, second: second.value)
  }
}

/// Schannel's event data out of its rendered message, for renderings that carry nothing else.
///
/// The text is in the language of the system; what does not change with it are the numbers, their order and the names of
/// protocols. So they are taken by place: an alert is the first number of 36887 and 36888, the internal state the second.
/// Source: formats.md §4.1, message texts of the three generations.
package enum SchannelText {
  package static func fill(_ fields: inout EventFields) {
    guard let id = fields.eventID, let message = fields.message, let provider = fields.provider,
      provider.count == 8, fields.text.span.hasCaseless("schannel", at: provider.lowerBound)
    else { return }
    // Of nearly every handshake the data say all that its text could.
    if id == 36880, fields.value(of: "Protocol") != nil, fields.value(of: "CipherSuite") != nil,
      fields.value(of: "Type") != nil
    {
      return
    }
    // Generations C and later end with the caller: its process id is no event data.
    var end = message.upperBound
    if let caller = find("SSPI", in: fields.text, message) { end = caller }
    switch id {
    case 36887, 36888:
      let numbers = numbers(fields.text, message.lowerBound..<end)
      if let alert = numbers.first { append("AlertDesc", alert, to: &fields) }
      if id == 36888, numbers.count > 1 { append("ErrorState", numbers[1], to: &fields) }
    case 36871:
      if let state = numbers(fields.text, message.lowerBound..<end).last { append("ErrorState", state, to: &fields) }
    case 36870, 36876, 36877:
      if let code = hexadecimal(fields.text, message.lowerBound..<end) { append("ErrorCode", code, to: &fields) }
      if id == 36870, let state = numbers(fields.text, message.lowerBound..<end).last {
        append("ErrorStatus", state, to: &fields)
      }
    case 36874, 36880:
      // What the event's own data say is not looked for.
      if fields.value(of: "Protocol") == nil, let name = protocolName(fields.text, message.lowerBound..<end) {
        append("Protocol", name, to: &fields)
      }
      if id == 36880, fields.value(of: "CipherSuite") == nil,
        let suite = hexadecimal(fields.text, message.lowerBound..<end)
      {
        append("CipherSuite", suite, to: &fields)
      }
    default: break
    }
    if [36869, 36870, 36871, 36880].contains(id), fields.value(of: "Type") == nil {
      for word in ["client", "server"]
      where find(word, in: fields.text, message.lowerBound..<min(end, message.lowerBound + 160)) != nil {
        appendText("Type", Array(word.utf8), to: &fields)
        break
      }
    }
  }

  private static func append(_ name: String, _ range: Range<Int>, to fields: inout EventFields) {
    appendText(name, Array(fields.text[range]), to: &fields)
  }

  /// What the event's own data say is left as it is.
  private static func appendText(_ name: String, _ value: [UInt8], to fields: inout EventFields) {
    guard fields.value(of: name) == nil else { return }
    let start = fields.text.count
    fields.text += name.utf8
    let middle = fields.text.count
    fields.text += value
    fields.data.append(
      EventFields.Item(nameStart: start, nameEnd: middle, valueStart: middle, valueEnd: fields.text.count))
  }

  /// Decimal numbers that stand alone: neither part of a word, a version (`TLS 1.2`) nor a hexadecimal code.
  private static func numbers(_ text: [UInt8], _ range: Range<Int>) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var index = range.lowerBound
    while index < range.upperBound {
      guard ASCII.isDigit(text[index]) else {
        index += 1
        continue
      }
      let start = index
      while index < range.upperBound, ASCII.isDigit(text[index]) { index += 1 }
      let before = start > range.lowerBound ? text[start - 1] : 0x20
      let after = index < range.upperBound ? text[index] : 0x20
      let isDotted = (after == 0x2E && index + 1 < range.upperBound && ASCII.isDigit(text[index + 1])) || before == 0x2E
      if !ASCII.isLetter(before), !ASCII.isLetter(after), !isDotted, index - start <= 6 { found.append(start..<index) }
    }
    return found
  }

  private static func hexadecimal(_ text: [UInt8], _ range: Range<Int>) -> Range<Int>? {
    var index = range.lowerBound
    while index + 2 < range.upperBound {
      if text[index] == 0x30, text[index + 1] | 0x20 == 0x78 {
        var end = index + 2
        while end < range.upperBound, ASCII.hexValue(text[end]) != nil { end += 1 }
        if end > index + 2 { return index..<end }
      }
      index += 1
    }
    return nil
  }

  /// `TLS 1.2`, `SSL 3.0`: the same in every language.
  private static func protocolName(_ text: [UInt8], _ range: Range<Int>) -> Range<Int>? {
    var index = range.lowerBound
    while index + 7 <= range.upperBound {
      let isName =
        (text[index] == 0x54 && text[index + 1] == 0x4C && text[index + 2] == 0x53)
        || (text[index] == 0x53 && text[index + 1] == 0x53 && text[index + 2] == 0x4C)
      if isName, text[index + 3] == 0x20, ASCII.isDigit(text[index + 4]), text[index + 5] == 0x2E,
        ASCII.isDigit(text[index + 6])
      {
        return index..<(index + 7)
      }
      index += 1
    }
    return nil
  }

  private static func find(_ word: String, in text: [UInt8], _ range: Range<Int>) -> Int? {
    let wanted = Array(word.utf8)
    var index = range.lowerBound
    while index + wanted.count <= range.upperBound {
      var offset = 0
      while offset < wanted.count, text[index + offset] == wanted[offset] { offset += 1 }
      if offset == wanted.count { return index }
      index += 1
    }
    return nil
  }
}
