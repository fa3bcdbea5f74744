import Records

/// JSON lines that carry a raw line and the path of its file.
///
///     Filebeat    message · log.file.path, log.offset (nested or dotted) · host.name or host · @timestamp
///     Vector      message · file · offset, if configured · host · timestamp
///     Fluent Bit  log · path, file, filename … (Path_Key is free) · offset (Offset_Key) · hostname, if a filter adds it
///     OTel        body · attributes: log.file.path, log.file.name, log.file.record_offset · resource: host.name
///     NXLog       raw_event or Message · FileName · Hostname
///
/// An object with the marks of a Windows event is an event, whatever else it holds, and left alone.
struct JSONEnvelope {
  /// Which known object the keys belong to.
  fileprivate enum Level { case top, log, file, host, agent, attributes, syslog, event, data }
  private enum Stop { case malformed, tooDeep, event, own }

  private var scanner: JSONScanner
  private var raw = NameRange()
  private var host = NameRange()
  private var path = NameRange()
  private var time = NameRange()
  private var offset: Int64 = -1
  /// The better key wins: `log.file.path` over `path`; of equal ones the first.
  private var rawRank = 0
  private var hostRank = 0
  private var pathRank = 0
  /// Keys of the outermost object read so far, and whether the first was `"schema":1`.
  private var keyCount = 0
  private var hasSchema = false

  static func parse(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Outcome {
    var reader = JSONEnvelope(scanner: JSONScanner(start: start, end: end))
    guard case .objectStart = reader.scanner.next(in: bytes) else { return .none }
    if let stop = reader.readObject(.top, bytes) {
      switch stop {
      case .malformed, .event: return .none
      case .tooDeep: return .tooDeep
      case .own: return .own
      }
    }
    var rest = reader.scanner.position
    while rest < end {
      guard ASCII.isSpace(bytes[rest]) else { return .none }
      rest += 1
    }
    guard reader.rawRank > 0, reader.pathRank > 0 else { return .none }
    var envelope = Envelope()
    envelope.host = reader.host
    envelope.path = reader.path
    envelope.offset = reader.offset
    envelope.payloadStart = reader.raw.start
    envelope.payloadEnd = reader.raw.end
    envelope.escape = reader.raw.escape == .json ? .json : .none
    if !reader.time.isEmpty {
      var cursor = reader.time.start
      if let time = ForwarderTime.rfc3339(bytes, &cursor, reader.time.end), cursor == reader.time.end {
        envelope.received = time
      }
    }
    return .envelope(envelope)
  }

  /// The position behind what marks [start, end) as an event, or nil when nothing does.
  static func eventMark(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
    var reader = JSONEnvelope(scanner: JSONScanner(start: start, end: end))
    guard case .objectStart = reader.scanner.next(in: bytes), case .event = reader.readObject(.top, bytes) else {
      return nil
    }
    return reader.scanner.position
  }

  private init(scanner: JSONScanner) { self.scanner = scanner }

  /// Reads the rest of an object whose brace was taken.
  private mutating func readObject(_ level: Level, _ bytes: Span<UInt8>) -> Stop? {
    while true {
      switch scanner.next(in: bytes) {
      case .objectEnd: return nil
      case .key(let start, let end, _):
        if let stop = readMember(level, bytes, start, end) { return stop }
      case .tooDeep: return .tooDeep
      default: return .malformed
      }
    }
  }

  private mutating func readMember(_ level: Level, _ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Stop? {
    let key = Key(bytes, start, end, level)
    if level == .top { keyCount += 1 }
    if key == .eventMark { return .event }
    // An object is looked into where its key says that it may hold a name; everything else is passed over.
    let before = scanner
    switch scanner.next(in: bytes) {
    case .string(let from, let to, let isEscaped):
      let value = NameRange(start: from, end: to, escape: isEscaped ? .json : .none)
      return take(key, value, bytes)
    case .objectStart:
      switch key {
      case .log: return readObject(.log, bytes)
      case .file: return readObject(.file, bytes)
      case .host: return readObject(.host, bytes)
      case .agent: return readObject(.agent, bytes)
      case .attributes: return readObject(.attributes, bytes)
      case .syslog: return readObject(.syslog, bytes)
      case .event: return readObject(.event, bytes)
      case .data: return readObject(.data, bytes)
      case .provider: return .event
      default: return skip(from: before, bytes)
      }
    case .word(let from, let to):
      if key == .schema, keyCount == 1 { hasSchema = to - from == 1 && bytes[from] == 0x31 }
      if key == .offset {
        var cursor = NumberCursor(from)
        if let number = cursor.digits(in: bytes, to: to, most: 18), cursor.position == to {
          offset = Int64(number.value)
        }
      }
      return nil
    case .arrayStart: return skip(from: before, bytes)
    case .tooDeep: return .tooDeep
    default: return .malformed
    }
  }

  private mutating func skip(from before: JSONScanner, _ bytes: Span<UInt8>) -> Stop? {
    scanner = before
    switch scanner.skipValue(in: bytes) {
    case nil: return nil
    case .tooDeep: return .tooDeep
    default: return .malformed
    }
  }

  private mutating func take(_ key: Key, _ value: NameRange, _ bytes: Span<UInt8>) -> Stop? {
    switch key {
    case .rawEvent: takeRaw(value, 3)
    case .message: takeRaw(value, 2)
    case .log, .body: takeRaw(value, 1)
    case .logFilePath: takePath(value, 4)
    case .logFileName: takePath(value, 2)
    case .file:
      // A name with neither folder nor extension is as likely a word about something else.
      if isFileName(bytes, value) { takePath(value, 3) }
    case .path:
      if Envelope.looksLikePath(bytes, value.start, value.end) { takePath(value, 3) }
    case .source:
      if Envelope.looksLikePath(bytes, value.start, value.end) { takePath(value, 1) }
    case .hostName: takeHost(value, 3)
    case .host: takeHost(value, 2)
    case .agentName: takeHost(value, 1)
    case .time:
      if time.isEmpty { time = value }
    case .identifier:
      if Envelope.isOwnName(bytes, value.start, value.end) { return .own }
    case .type:
      if hasSchema, keyCount == 2, isOwnType(bytes, value.start, value.end) { return .own }
    default: break
    }
    return nil
  }

  private mutating func takeRaw(_ value: NameRange, _ rank: Int) {
    if rank > rawRank { (raw, rawRank) = (value, rank) }
  }
  private mutating func takePath(_ value: NameRange, _ rank: Int) {
    if !value.isEmpty, rank > pathRank { (path, pathRank) = (value, rank) }
  }
  private mutating func takeHost(_ value: NameRange, _ rank: Int) {
    if !value.isEmpty, rank > hostRank { (host, hostRank) = (value, rank) }
  }

  private func isFileName(_ bytes: Span<UInt8>, _ value: NameRange) -> Bool {
    Envelope.looksLikePath(bytes, value.start, value.end)
      || bytes.firstIndex(of: 0x2E, from: value.start, to: value.end) != nil
  }

  private func isOwnType(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    switch end - start {
    case 4: bytes.has("skip", at: start)
    case 6: bytes.has("client", at: start)
    case 7: bytes.has("finding", at: start) || bytes.has("summary", at: start)
    case 8: bytes.has("incident", at: start) || bytes.has("sighting", at: start)
    default: false
    }
  }
}

/// What a key means at its level. Keys are told apart by length first, for every one of them is looked at.
private enum Key {
  case other, eventMark
  case rawEvent, message, body
  case log, file, host, agent, attributes, syslog, event, data, provider
  case logFilePath, logFileName, path, source
  case hostName, agentName
  case time, schema, type, identifier, offset

  init(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ level: JSONEnvelope.Level) {
    self =
      switch level {
      case .top: Key.top(bytes, start, end)
      case .attributes: Key.attribute(bytes, start, end)
      case .log: Key.log(bytes, start, end)
      case .file:
        switch end - start {
        case 4 where bytes.has("path", at: start): .logFilePath
        case 4 where bytes.has("name", at: start): .logFileName
        case 13 where bytes.has("record_offset", at: start): .offset
        default: .other
        }
      case .host:
        switch end - start {
        case 4 where bytes.has("name", at: start): .hostName
        case 8 where bytes.has("hostname", at: start): .host
        default: .other
        }
      case .agent:
        switch end - start {
        case 4 where bytes.has("name", at: start): .agentName
        case 8 where bytes.has("hostname", at: start): .agentName
        default: .other
        }
      case .syslog:
        switch end - start {
        case 7 where bytes.has("appname", at: start): .identifier
        case 10 where bytes.has("identifier", at: start): .identifier
        default: .other
        }
      case .event: end - start == 8 && bytes.has("original", at: start) ? .body : .other
      case .data: end - start == 3 && bytes.has("win", at: start) ? .eventMark : .other
      }
  }

  private static func top(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Key {
    switch end - start {
    case 3:
      if bytes.has("log", at: start) { return .log }
      if bytes.has("win", at: start) { return .eventMark }
    case 4:
      if bytes.has("host", at: start) { return .host }
      if bytes.has("file", at: start) { return .file }
      if bytes.has("path", at: start) || bytes.has("Path", at: start) { return .path }
      if bytes.has("body", at: start) { return .body }
      if bytes.has("type", at: start) { return .type }
      if bytes.has("beat", at: start) { return .agent }
      if bytes.has("data", at: start) { return .data }
    case 5:
      if bytes.has("agent", at: start) { return .agent }
      if bytes.has("event", at: start) { return .event }
      if bytes.has("Event", at: start) { return .eventMark }
      if bytes.has("ident", at: start) { return .identifier }
    case 6:
      if bytes.has("source", at: start) { return .source }
      if bytes.has("winlog", at: start) || bytes.has("System", at: start) { return .eventMark }
      if bytes.has("offset", at: start) { return .offset }
      if bytes.has("schema", at: start) { return .schema }
      if bytes.has("syslog", at: start) { return .syslog }
    case 7:
      if bytes.has("message", at: start) || bytes.has("Message", at: start) { return .message }
      if bytes.has("EventID", at: start) { return .eventMark }
      if bytes.has("appname", at: start) { return .identifier }
    case 8:
      if bytes.hasCaseless("hostname", at: start) { return .host }
      if bytes.hasCaseless("filename", at: start) || bytes.hasCaseless("filepath", at: start) { return .file }
      if bytes.has("log_path", at: start) || bytes.has("log_file", at: start) { return .path }
      if bytes.has("event_id", at: start) { return .eventMark }
      if bytes.has("provider", at: start) { return .provider }
      if bytes.has("resource", at: start) { return .attributes }
    case 9:
      if bytes.has("raw_event", at: start) { return .rawEvent }
      if bytes.has("timestamp", at: start) { return .time }
      if bytes.hasCaseless("file_name", at: start) || bytes.hasCaseless("file_path", at: start) { return .file }
      if bytes.has("EventData", at: start) { return .eventMark }
    case 10:
      if bytes.has("@timestamp", at: start) { return .time }
      if bytes.has("attributes", at: start) { return .attributes }
      if bytes.has("win.system", at: start) || bytes.has("event_data", at: start) { return .eventMark }
    case 12:
      if bytes.has("ProviderName", at: start) || bytes.has("ProviderGuid", at: start) { return .eventMark }
    case 13:
      if bytes.has("EventRecordID", at: start) || bytes.has("provider_name", at: start) { return .eventMark }
    case 17:
      if bytes.hasCaseless("syslog_identifier", at: start) { return .identifier }
      if bytes.has("syslog.identifier", at: start) { return .identifier }
    case 18:
      if bytes.has("log.syslog.appname", at: start) { return .identifier }
    default: break
    }
    if bytes.has("winlog.", at: start), end - start > 7 { return .eventMark }
    if bytes.has("win.system.", at: start), end - start > 11 { return .eventMark }
    return dotted(bytes, start, end)
  }

  private static func attribute(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Key {
    switch end - start {
    case 3 where bytes.has("log", at: start): .log
    case 4 where bytes.has("host", at: start): .host
    case 10 where bytes.has("attributes", at: start): .attributes
    default: dotted(bytes, start, end)
    }
  }

  private static func log(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Key {
    switch end - start {
    case 4 where bytes.has("file", at: start): .file
    case 6 where bytes.has("syslog", at: start): .syslog
    case 6 where bytes.has("offset", at: start): .offset
    case 9 where bytes.has("file.path", at: start): .logFilePath
    case 9 where bytes.has("file.name", at: start): .logFileName
    default: .other
    }
  }

  /// Names whose dots were kept in one key.
  private static func dotted(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Key {
    switch end - start {
    case 9 where bytes.has("host.name", at: start): .hostName
    case 10 where bytes.has("agent.name", at: start): .agentName
    case 10 where bytes.has("log.offset", at: start): .offset
    case 13 where bytes.has("log.file.path", at: start): .logFilePath
    case 13 where bytes.has("log.file.name", at: start): .logFileName
    case 13 where bytes.has("host.hostname", at: start): .host
    case 14 where bytes.has("agent.hostname", at: start): .agentName
    case 14 where bytes.has("event.original", at: start): .body
    case 22 where bytes.has("log.file.record_offset", at: start): .offset
    default: .other
    }
  }
}
