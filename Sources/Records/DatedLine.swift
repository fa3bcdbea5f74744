/// A line of one of the text logs that begin with their date: source grammar in formats.md §1.4.
///
///     2014-01-20<TAB>12:18:11:520<TAB> 968<TAB>9d0<TAB>Agent<TAB>  * WSUS server: …     WindowsUpdate.log, Windows 7 and 8.1
///     2021/07/13 10:52:27.1522840 4388  10044 Metadata        *FAILED* [80240007] …     WindowsUpdate.log, Windows 10
///     2022-02-01 23:51:42.48 Logon       Error: 17836, Severity: 20, State: 17.          SQL Server ERRORLOG
///     2026-03-02 06:00:00.123 UTC<TAB>Warning<TAB>w3wp.12<TAB>Class.Method<TAB>message   SoftwareDistribution.log
///     [4, PID:1234][03/02/2026 06:00:00] :message                                        SmsAdminUI.log
///     <03-02-2026 06:00:00> message                                                      ConfigMgrPrereq.log
package struct DatedLine {
  package var format: RecordFormat
  package var reading: Timestamp
  /// Whether the reading is UTC; local otherwise.
  package var isUTC: Bool
  package var component: Range<Int>?
  package var thread: Range<Int>?
  /// Where the message begins; it ends with the line.
  package var messageStart: Int

  private init(format: RecordFormat, reading: Timestamp, messageStart: Int) {
    self.format = format
    self.reading = reading
    self.messageStart = messageStart
    isUTC = false
  }

  /// Nil when [start, end) begins with none of these shapes.
  package static func read(_ text: Span<UInt8>, start: Int, end: Int) -> DatedLine? {
    guard start < end else { return nil }
    if text[start] == 0x5B { return console(text, start: start, end: end) }
    if text[start] == 0x3C { return prerequisite(text, start: start, end: end) }
    var cursor = NumberCursor(start)
    guard let year = cursor.digits(in: text, to: end, most: 4), year.count == 4, cursor.position < end else {
      return nil
    }
    let separator = text[cursor.position]
    guard separator == 0x2D || separator == 0x2F, cursor.take(separator, in: text, to: end),
      let month = cursor.digits(in: text, to: end, most: 2), cursor.take(separator, in: text, to: end),
      let day = cursor.digits(in: text, to: end, most: 2), cursor.position < end, ASCII.isBlank(text[cursor.position])
    else { return nil }
    cursor.skipBlanks(in: text, to: end)
    guard let hour = cursor.digits(in: text, to: end, most: 2), cursor.take(0x3A, in: text, to: end),
      let minute = cursor.digits(in: text, to: end, most: 2), cursor.take(0x3A, in: text, to: end),
      let second = cursor.digits(in: text, to: end, most: 2),
      Timestamp.isValid(
        year: year.value, month: month.value, day: day.value, hour: hour.value, minute: minute.value,
        second: second.value)
    else { return nil }
    let isColonFraction = cursor.position < end && text[cursor.position] == 0x3A
    guard isColonFraction || (cursor.position < end && text[cursor.position] == 0x2E) else { return nil }
    cursor.position += 1
    guard let fraction = cursor.digits(in: text, to: end, most: 9) else { return nil }
    var nanoseconds = fraction.value
    for _ in fraction.count..<9 { nanoseconds *= 10 }
    let reading = Timestamp(
      year: year.value, month: month.value, day: day.value, hour: hour.value, minute: minute.value,
      second: second.value, microsecond: nanoseconds / 1000)
    var line = DatedLine(format: .line, reading: reading, messageStart: cursor.position)
    guard cursor.position < end, ASCII.isBlank(text[cursor.position]) else { return nil }
    cursor.skipBlanks(in: text, to: end)

    if separator == 0x2D, text.has("UTC", at: cursor.position) {
      cursor.position += 3
      // Level, process.thread and Class.Method, separated by tabs.
      var fields = InlineArray<3, Range<Int>>(repeating: 0..<0)
      for index in 0..<3 {
        while cursor.position < end, ASCII.isBlank(text[cursor.position]) { cursor.position += 1 }
        let from = cursor.position
        while cursor.position < end, !ASCII.isBlank(text[cursor.position]) { cursor.position += 1 }
        fields[index] = from..<cursor.position
      }
      guard !fields[2].isEmpty else { return nil }
      line.format = .softwareDistribution
      line.isUTC = true
      line.thread = fields[1]
      line.component = fields[2]
    } else if separator == 0x2F || isColonFraction {
      // Process, thread (hexadecimal before Windows 10), component.
      let process = DatedLine.word(text, &cursor, end)
      let threadWord = DatedLine.word(text, &cursor, end)
      guard DatedLine.isHex(text, process), DatedLine.isHex(text, threadWord) else { return nil }
      let name = DatedLine.word(text, &cursor, end)
      guard !name.isEmpty, ASCII.isLetter(text[name.lowerBound]) else { return nil }
      line.format = .windowsUpdate
      line.thread = threadWord
      line.component = name
    } else {
      // ERRORLOG: two digits of a fraction, then the source: Logon, Server, spid23s, Backup.
      guard fraction.count == 2 else { return nil }
      let source = DatedLine.word(text, &cursor, end)
      guard !source.isEmpty, ASCII.isLetter(text[source.lowerBound]), cursor.position < end else { return nil }
      line.format = .sqlErrorLog
      line.component = source
    }
    cursor.skipBlanks(in: text, to: end)
    line.messageStart = cursor.position
    return line
  }

  /// `[thread, PID:n][MM/DD/YYYY HH:MM:SS] :message`, local time.
  private static func console(_ text: Span<UInt8>, start: Int, end: Int) -> DatedLine? {
    var cursor = NumberCursor(start + 1)
    let threadStart = cursor.position
    guard cursor.digits(in: text, to: end, most: 10) != nil else { return nil }
    let threadEnd = cursor.position
    guard cursor.take(0x2C, in: text, to: end) else { return nil }
    cursor.skipBlanks(in: text, to: end)
    guard text.has("PID:", at: cursor.position) else { return nil }
    cursor.position += 4
    guard cursor.digits(in: text, to: end, most: 10) != nil, cursor.take(0x5D, in: text, to: end),
      cursor.take(0x5B, in: text, to: end), let month = cursor.digits(in: text, to: end, most: 2),
      cursor.take(0x2F, in: text, to: end), let day = cursor.digits(in: text, to: end, most: 2),
      cursor.take(0x2F, in: text, to: end), let year = cursor.digits(in: text, to: end, most: 4)
    else { return nil }
    cursor.skipBlanks(in: text, to: end)
    guard let hour = cursor.digits(in: text, to: end, most: 2), cursor.take(0x3A, in: text, to: end),
      let minute = cursor.digits(in: text, to: end, most: 2), cursor.take(0x3A, in: text, to: end),
      let second = cursor.digits(in: text, to: end, most: 2), cursor.take(0x5D, in: text, to: end),
      Timestamp.isValid(
        year: year.value, month: month.value, day: day.value, hour: hour.value, minute: minute.value,
        second: second.value)
    else { return nil }
    cursor.skipBlanks(in: text, to: end)
    _ = cursor.take(0x3A, in: text, to: end)
    let reading = Timestamp(
      year: year.value, month: month.value, day: day.value, hour: hour.value, minute: minute.value,
      second: second.value)
    var line = DatedLine(format: .smsAdminUI, reading: reading, messageStart: min(cursor.position, end))
    line.thread = threadStart..<threadEnd
    return line
  }

  /// `<MM-DD-YYYY HH:MM:SS> message`, local time.
  private static func prerequisite(_ text: Span<UInt8>, start: Int, end: Int) -> DatedLine? {
    var cursor = NumberCursor(start + 1)
    guard let month = cursor.digits(in: text, to: end, most: 2), cursor.take(0x2D, in: text, to: end),
      let day = cursor.digits(in: text, to: end, most: 2), cursor.take(0x2D, in: text, to: end),
      let year = cursor.digits(in: text, to: end, most: 4), cursor.take(0x20, in: text, to: end),
      let hour = cursor.digits(in: text, to: end, most: 2), cursor.take(0x3A, in: text, to: end),
      let minute = cursor.digits(in: text, to: end, most: 2), cursor.take(0x3A, in: text, to: end),
      let second = cursor.digits(in: text, to: end, most: 2), cursor.take(0x3E, in: text, to: end),
      Timestamp.isValid(
        year: year.value, month: month.value, day: day.value, hour: hour.value, minute: minute.value,
        second: second.value)
    else { return nil }
    cursor.skipBlanks(in: text, to: end)
    let reading = Timestamp(
      year: year.value, month: month.value, day: day.value, hour: hour.value, minute: minute.value,
      second: second.value)
    return DatedLine(format: .setup, reading: reading, messageStart: min(cursor.position, end))
  }

  private static func word(_ text: Span<UInt8>, _ cursor: inout NumberCursor, _ end: Int) -> Range<Int> {
    cursor.skipBlanks(in: text, to: end)
    let from = cursor.position
    while cursor.position < end, !ASCII.isBlank(text[cursor.position]) { cursor.position += 1 }
    return from..<cursor.position
  }

  private static func isHex(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
    !range.isEmpty && range.count <= 8 && range.allSatisfy { ASCII.hexValue(text[$0]) != nil }
  }
}
