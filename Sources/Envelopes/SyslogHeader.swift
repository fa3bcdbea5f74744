import Records

/// Syslog headers, with and without priority.
///
///     <PRI>1 TS HOST APP PROCID MSGID SD [BOM]MSG       RFC 5424
///     <PRI>Mmm dd hh:mm:ss HOST TAG: MSG                RFC 3164
///     <PRI>2026-01-02T03:04:05.678+01:00 HOST TAG: MSG  rsyslog's forward template
///     Mmm dd hh:mm:ss HOST TAG: MSG                     rsyslog's traditional file template
///     2026-01-02T03:04:05.678+01:00 HOST TAG: MSG       rsyslog's file template
///
/// The payload keeps its own escapes, and a `\r` at the end of the line.
enum SyslogHeader {
  static func parse(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, hasPriority: Bool) -> Outcome {
    // A `\r` before the line end belongs to no header field.
    let limit = end > start && bytes[end - 1] == 0x0D ? end - 1 : end
    guard hasPriority else { return template(bytes, start, limit, end, hasPriority: false) }
    var cursor = NumberCursor(start + 1)
    guard let priority = cursor.digits(in: bytes, to: limit, most: 3)?.value, priority <= 191,
      cursor.take(0x3E, in: bytes, to: limit)
    else { return .none }
    let position = cursor.position
    if position + 1 < limit, bytes[position] == 0x31, bytes[position + 1] == 0x20 {
      return rfc5424(bytes, position + 2, limit, end)
    }
    return template(bytes, position, limit, end, hasPriority: true)
  }

  // MARK: RFC 5424

  private static func rfc5424(_ bytes: Span<UInt8>, _ start: Int, _ limit: Int, _ end: Int) -> Outcome {
    var envelope = Envelope()
    var position = start
    if position + 1 < limit, bytes[position] == 0x2D, bytes[position + 1] == 0x20 {
      position += 1
    } else {
      guard let time = ForwarderTime.rfc3339(bytes, &position, limit) else { return .bad }
      envelope.received = time
    }
    guard let host = field(bytes, &position, limit), let application = field(bytes, &position, limit),
      field(bytes, &position, limit) != nil, field(bytes, &position, limit) != nil,
      position + 1 < limit, bytes[position] == 0x20
    else { return .bad }
    position += 1
    if bytes[position] == 0x2D {
      position += 1
    } else {
      guard structuredData(bytes, &position, limit, &envelope) else { return .bad }
    }
    if position < limit {
      guard bytes[position] == 0x20 else { return .bad }
      position += 1
    }
    if Envelope.isOwnName(bytes, application.start, application.end) { return .own }
    if !isNil(bytes, host) { envelope.host = host }
    if !isNil(bytes, application) { name(bytes, application, &envelope) }
    finish(&envelope, bytes, Envelope.textStart(bytes, position, limit), end)
    return .envelope(envelope)
  }

  /// A blank and the run of other bytes after it.
  private static func field(_ bytes: Span<UInt8>, _ position: inout Int, _ limit: Int) -> NameRange? {
    guard position < limit, bytes[position] == 0x20 else { return nil }
    let start = position + 1
    var index = start
    while index < limit, bytes[index] != 0x20 { index += 1 }
    guard index > start else { return nil }
    position = index
    return NameRange(start: start, end: index)
  }

  private static func isNil(_ bytes: Span<UInt8>, _ name: NameRange) -> Bool {
    name.end - name.start == 1 && bytes[name.start] == 0x2D
  }

  /// `[ID NAME="VALUE" …]…`; in a value `\` escapes `"`, `\` and `]` and is literal before anything else.
  /// The first value that is a path and is called one (`file`, `path` in its name) is kept. Source: RFC 5424 §6.3.
  private static func structuredData(
    _ bytes: Span<UInt8>, _ position: inout Int, _ limit: Int, _ envelope: inout Envelope
  ) -> Bool {
    guard position < limit, bytes[position] == 0x5B else { return false }
    while position < limit, bytes[position] == 0x5B {
      position += 1
      let identifier = position
      while position < limit, bytes[position] != 0x20, bytes[position] != 0x5D, bytes[position] != 0x3D,
        bytes[position] != 0x22
      { position += 1 }
      guard position > identifier else { return false }
      while position < limit, bytes[position] == 0x20 {
        position += 1
        let name = position
        while position < limit, bytes[position] != 0x20, bytes[position] != 0x5D, bytes[position] != 0x3D,
          bytes[position] != 0x22
        { position += 1 }
        let nameEnd = position
        guard nameEnd > name, position + 1 < limit, bytes[position] == 0x3D, bytes[position + 1] == 0x22 else {
          return false
        }
        position += 2
        let value = position
        while position < limit, bytes[position] != 0x22 {
          if bytes[position] == 0x5C, position + 1 < limit, isEscapable(bytes[position + 1]) { position += 1 }
          position += 1
        }
        guard position < limit else { return false }
        if envelope.path.isEmpty, isPathName(bytes, name, nameEnd), Envelope.looksLikePath(bytes, value, position) {
          envelope.path = NameRange(start: value, end: position, escape: .structuredData)
        }
        position += 1
      }
      guard position < limit, bytes[position] == 0x5D else { return false }
      position += 1
    }
    return true
  }

  static func isEscapable(_ byte: UInt8) -> Bool { byte == 0x22 || byte == 0x5C || byte == 0x5D }

  private static func isPathName(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    var index = start
    while index + 4 <= end {
      if bytes.hasCaseless("file", at: index) || bytes.hasCaseless("path", at: index) { return true }
      index += 1
    }
    return false
  }

  // MARK: HOST TAG: MSG

  /// What stands after the time. With a priority a missing host or tag is tolerated where nothing else can be meant;
  /// without one the line must be as rsyslog writes it, for other logs begin with a time, too.
  private static func template(
    _ bytes: Span<UInt8>, _ start: Int, _ limit: Int, _ end: Int, hasPriority: Bool
  ) -> Outcome {
    let damaged: Outcome = hasPriority ? .bad : .none
    var envelope = Envelope()
    var position = start
    guard position < limit else { return damaged }
    if ASCII.isDigit(bytes[position]) {
      guard let time = ForwarderTime.rfc3339(bytes, &position, limit) else { return damaged }
      envelope.received = time
    } else if !ForwarderTime.skipTraditional(bytes, &position, limit) {
      return damaged
    }
    guard position < limit, bytes[position] == 0x20 else { return damaged }
    position += 1
    let first = position
    while position < limit, bytes[position] != 0x20 { position += 1 }
    let second = position + 1

    if hasPriority {
      // `su[123]: text`: the first word is a whole tag, so there is no host.
      if let tag = tag(bytes, first, position), tag.end == position { return tagged(tag, &envelope, bytes, end) }
      guard second < limit, isHost(bytes, first, position) else {
        finish(&envelope, bytes, first, end)
        return .envelope(envelope)
      }
    } else {
      guard second < limit, isHost(bytes, first, position), !isNumber(bytes, first, position) else { return .none }
    }
    if !(position - first == 1 && bytes[first] == 0x2D) { envelope.host = NameRange(start: first, end: position) }
    if let tag = tag(bytes, second, limit) { return tagged(tag, &envelope, bytes, end) }

    // A tag that was configured without its colon, before what can only be a record.
    var word = second
    while word < limit, isTagByte(bytes[word]) { word += 1 }
    if word > second, word + 1 < limit, bytes[word] == 0x20,
      bytes.has("<![LOG[", at: word + 1) || bytes.has("<Event", at: word + 1) || bytes[word + 1] == 0x7B
    {
      let tag = (name: NameRange(start: second, end: word), end: word)
      return tagged(tag, &envelope, bytes, end)
    }
    // Snare has no tag: `MSWinEventLog` is the first column of the event.
    guard hasPriority || bytes.has("MSWinEventLog", at: second) else { return .none }
    finish(&envelope, bytes, second, end)
    return .envelope(envelope)
  }

  private static func tagged(
    _ tag: (name: NameRange, end: Int), _ envelope: inout Envelope, _ bytes: Span<UInt8>, _ end: Int
  ) -> Outcome {
    if Envelope.isOwnName(bytes, tag.name.start, tag.name.end) { return .own }
    name(bytes, tag.name, &envelope)
    // The blank after the colon belongs to the template.
    let payload = tag.end < end && bytes[tag.end] == 0x20 ? tag.end + 1 : tag.end
    finish(&envelope, bytes, payload, end)
    return .envelope(envelope)
  }

  /// `NAME:` or `NAME[PID]:` at `start`, and where its colon ends; a drive letter's colon is part of the name.
  private static func tag(_ bytes: Span<UInt8>, _ start: Int, _ limit: Int) -> (name: NameRange, end: Int)? {
    var index = start
    if start + 2 < limit, ASCII.isLetter(bytes[start]), bytes[start + 1] == 0x3A,
      bytes[start + 2] == 0x5C || bytes[start + 2] == 0x2F
    {
      index += 2
    }
    let nameLimit = min(limit, start + Limits.nameByteLimit)
    while index < nameLimit, isTagByte(bytes[index]) { index += 1 }
    let name = NameRange(start: start, end: index)
    guard !name.isEmpty, index < limit else { return nil }
    if bytes[index] == 0x5B {
      index += 1
      while index < limit, bytes[index] > 0x20, bytes[index] != 0x5D { index += 1 }
      guard index < limit, bytes[index] == 0x5D else { return nil }
      index += 1
    }
    guard index < limit, bytes[index] == 0x3A else { return nil }
    return (name, index + 1)
  }

  private static func isTagByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0...0x20, 0x7F, 0x22, 0x23, 0x3A, 0x3C, 0x5B, 0x5D, 0x7B: false  // controls, space, " # : < [ ] {
    default: true
    }
  }

  /// Letters, digits, `-._:%` and what lies beyond ASCII; `-` alone says that there is none.
  private static func isHost(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    var index = start
    while index < end {
      let byte = bytes[index]
      guard
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == 0x2D || byte == 0x2E || byte == 0x5F || byte == 0x3A
          || byte == 0x25 || byte >= 0x80
      else { return false }
      index += 1
    }
    return end > start
  }

  private static func isNumber(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    var index = start
    while index < end {
      guard ASCII.isDigit(bytes[index]) else { return false }
      index += 1
    }
    return true
  }

  // MARK: Both

  /// Takes a program's name as the log's, unless it is a forwarder's; with slashes in it it is a path.
  private static func name(_ bytes: Span<UInt8>, _ name: NameRange, _ envelope: inout Envelope) {
    if Envelope.looksLikePath(bytes, name.start, name.end) {
      if envelope.path.isEmpty { envelope.path = name }
    } else if !isForwarder(bytes, name.start, name.end) {
      envelope.log = name
    }
  }

  private static func isForwarder(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    switch end - start {
    case 1: bytes[start] == 0x2D
    case 5: bytes.hasCaseless("nxlog", at: start) || bytes.hasCaseless("snare", at: start)
    case 6:
      bytes.hasCaseless("vector", at: start) || bytes.hasCaseless("syslog", at: start)
        || bytes.hasCaseless("logger", at: start)
    case 7:
      bytes.hasCaseless("rsyslog", at: start) || bytes.hasCaseless("fluentd", at: start)
        || bytes.hasCaseless("otelcol", at: start)
    case 8:
      bytes.hasCaseless("rsyslogd", at: start) || bytes.hasCaseless("filebeat", at: start)
        || bytes.hasCaseless("logstash", at: start) || bytes.hasCaseless("td-agent", at: start)
    case 9: bytes.hasCaseless("syslog-ng", at: start)
    case 10: bytes.hasCaseless("fluent-bit", at: start) || bytes.hasCaseless("winlogbeat", at: start)
    case 12: bytes.hasCaseless("td-agent-bit", at: start)
    case 15: bytes.hasCaseless("otelcol-contrib", at: start)
    default: false
    }
  }

  private static func finish(_ envelope: inout Envelope, _ bytes: Span<UInt8>, _ payload: Int, _ end: Int) {
    envelope.payloadStart = min(payload, end)
    envelope.payloadEnd = end
    envelope.escape = .octal
  }
}
