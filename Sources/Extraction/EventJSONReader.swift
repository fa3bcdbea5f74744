import Records

/// Reads one JSON object that carries a Windows event: the shapes of Winlogbeat, NXLog, OpenWEC, Wazuh, Fluent Bit,
/// OpenTelemetry, Vector and EVTX dumps.
///
/// One table knows them all: it names fields by their path, keys joined with dots, so that nested and dotted keys
/// read alike. Where several paths carry one field the lower rank wins: NXLog's `EventTime` over the collector's
/// `@timestamp`, the event's computer over the machine that sent it.
///
///     {"winlog":{"event_data":{"AlertDesc":"40"}}}     winlog.event_data.AlertDesc → data item AlertDesc
///     {"Event":{"System":{"EventID":{"#text":36887}}}}  System.EventID              → the event id
///     {"EventID":36887,…,"AlertDesc":40}                flat: what no path names is data
///
/// Source: the forwarders' field references; NXLog im_msvistalog, Elastic winlogbeat, cea-sec/openwec doc/formats.md.
package enum EventJSONReader {
  /// [start, end) begins with `{`. False when the object is damaged or tells neither a provider nor an event id.
  package static func read(_ text: Span<UInt8>, start: Int, end: Int, into fields: inout EventFields) -> Bool {
    fields.removeAll()
    guard start >= 0, start <= end, end <= text.count else { return false }
    var walk = EventJSONWalk()
    guard walk.run(text, start: start, end: end, into: &fields) else {
      fields.removeAll()
      return false
    }
    if fields.eventID == nil, fields.provider == nil {
      // OpenWEC RawJson, OpenTelemetry raw: the event is XML inside a string. The one place that needs a copy.
      guard let raw = walk.eventXML else { return false }
      var xml: [UInt8] = []
      JSONScanner.appendUnescaped(text, start: raw.lowerBound, end: raw.upperBound, to: &xml)
      let first = xml.firstIndex { !ASCII.isSpace($0) } ?? 0
      return EventXMLReader.read(xml.span, start: first, end: xml.count, into: &fields)
    }
    if let raw = walk.userDataXML {
      var xml: [UInt8] = []
      JSONScanner.appendUnescaped(text, start: raw.lowerBound, end: raw.upperBound, to: &xml)
      EventXMLReader.addUserData(xml.span, start: 0, end: xml.count, to: &fields)
    }
    if walk.isFlat { walk.addFlatData(text, start: start, end: end, to: &fields) }
    return true
  }
}

private enum Slot: Int, CaseIterable {
  case provider, eventID, time, computer, channel, recordID, processID, threadID, message
}

private struct KnownPath: Sendable {
  let path: StaticString
  let slot: Slot
  let rank: UInt8
  /// A time without a zone is UTC here; elsewhere it is the writer's local time.
  var isUTC = false
}

/// What stands around an event and means nothing by itself.
private let wrappers: [StaticString] = ["Event.", "data.", "_source.", "body."]

/// Objects whose members are data items.
private let containers: [StaticString] = [
  "winlog.event_data", "winlog.user_data", "EventData", "UserData", "event_data", "user_data", "win.eventdata",
  "win.eventXML",
]

/// The length of the container that `path` names from `start` on, or lies in; nil when it names none.
private func container(of path: Span<UInt8>, from start: Int) -> Int? {
  for container in containers where path.has(container, at: start) {
    let count = container.utf8CodeUnitCount
    if start + count == path.count || path[start + count] == 0x2E { return count }
  }
  return nil
}

private let knownPaths: [KnownPath] = [
  KnownPath(path: "winlog.provider_name", slot: .provider, rank: 1),
  KnownPath(path: "System.Provider.Name", slot: .provider, rank: 1),
  KnownPath(path: "win.system.providerName", slot: .provider, rank: 1),
  KnownPath(path: "SourceName", slot: .provider, rank: 1),
  KnownPath(path: "ProviderName", slot: .provider, rank: 1),
  KnownPath(path: "provider_name", slot: .provider, rank: 1),
  KnownPath(path: "provider.name", slot: .provider, rank: 1),
  KnownPath(path: "source_name", slot: .provider, rank: 2),
  KnownPath(path: "System.Provider.EventSourceName", slot: .provider, rank: 3),
  KnownPath(path: "provider.event_source", slot: .provider, rank: 3),

  KnownPath(path: "winlog.event_id", slot: .eventID, rank: 1),
  KnownPath(path: "System.EventID", slot: .eventID, rank: 1),
  KnownPath(path: "win.system.eventID", slot: .eventID, rank: 1),
  KnownPath(path: "EventID", slot: .eventID, rank: 1),
  KnownPath(path: "event_id.id", slot: .eventID, rank: 1),
  KnownPath(path: "event_id", slot: .eventID, rank: 1),

  KnownPath(path: "System.TimeCreated.SystemTime", slot: .time, rank: 1, isUTC: true),
  KnownPath(path: "System.TimeCreated", slot: .time, rank: 1, isUTC: true),
  KnownPath(path: "win.system.systemTime", slot: .time, rank: 1, isUTC: true),
  KnownPath(path: "EventTime", slot: .time, rank: 1),
  KnownPath(path: "TimeCreated", slot: .time, rank: 2),
  KnownPath(path: "system_time", slot: .time, rank: 1, isUTC: true),
  KnownPath(path: "timestamp", slot: .time, rank: 3, isUTC: true),
  KnownPath(path: "@timestamp", slot: .time, rank: 4, isUTC: true),
  KnownPath(path: "EventReceivedTime", slot: .time, rank: 5),

  KnownPath(path: "winlog.computer_name", slot: .computer, rank: 1),
  KnownPath(path: "System.Computer", slot: .computer, rank: 1),
  KnownPath(path: "win.system.computer", slot: .computer, rank: 1),
  KnownPath(path: "Computer", slot: .computer, rank: 1),
  KnownPath(path: "computer", slot: .computer, rank: 1),
  KnownPath(path: "computer_name", slot: .computer, rank: 1),
  KnownPath(path: "Hostname", slot: .computer, rank: 2),
  KnownPath(path: "host.name", slot: .computer, rank: 3),
  KnownPath(path: "host", slot: .computer, rank: 4),

  KnownPath(path: "winlog.channel", slot: .channel, rank: 1),
  KnownPath(path: "System.Channel", slot: .channel, rank: 1),
  KnownPath(path: "win.system.channel", slot: .channel, rank: 1),
  KnownPath(path: "Channel", slot: .channel, rank: 1),
  KnownPath(path: "channel", slot: .channel, rank: 1),
  KnownPath(path: "log_name", slot: .channel, rank: 2),

  KnownPath(path: "winlog.record_id", slot: .recordID, rank: 1),
  KnownPath(path: "System.EventRecordID", slot: .recordID, rank: 1),
  KnownPath(path: "win.system.eventRecordID", slot: .recordID, rank: 1),
  KnownPath(path: "RecordNumber", slot: .recordID, rank: 1),
  KnownPath(path: "EventRecordID", slot: .recordID, rank: 1),
  KnownPath(path: "record_id", slot: .recordID, rank: 1),
  KnownPath(path: "record_number", slot: .recordID, rank: 1),

  // The spelling counts: `ProcessId` of many events is data, `ProcessID` is who wrote the event.
  KnownPath(path: "winlog.process.pid", slot: .processID, rank: 1),
  KnownPath(path: "System.Execution.ProcessID", slot: .processID, rank: 1),
  KnownPath(path: "win.system.processID", slot: .processID, rank: 1),
  KnownPath(path: "ExecutionProcessID", slot: .processID, rank: 1),
  KnownPath(path: "execution.process_id", slot: .processID, rank: 1),
  KnownPath(path: "process_id", slot: .processID, rank: 1),
  KnownPath(path: "ProcessID", slot: .processID, rank: 2),

  KnownPath(path: "winlog.process.thread.id", slot: .threadID, rank: 1),
  KnownPath(path: "System.Execution.ThreadID", slot: .threadID, rank: 1),
  KnownPath(path: "win.system.threadID", slot: .threadID, rank: 1),
  KnownPath(path: "execution.thread_id", slot: .threadID, rank: 1),
  KnownPath(path: "thread_id", slot: .threadID, rank: 1),
  KnownPath(path: "ThreadID", slot: .threadID, rank: 1),

  KnownPath(path: "RenderingInfo.Message", slot: .message, rank: 1),
  KnownPath(path: "rendering_info.message", slot: .message, rank: 1),
  KnownPath(path: "win.system.message", slot: .message, rank: 1),
  KnownPath(path: "Message", slot: .message, rank: 1),
  KnownPath(path: "message", slot: .message, rank: 2),
]

/// The keys around the present value, unescaped and joined with dots. Attribute and text keys of XML dumps
/// (`#attributes`, `#text`) leave no trace, elements of an array have the path of the array.
private struct JSONPath {
  static let capacity = 512

  private var storage = InlineArray<512, UInt8>(repeating: 0)
  private(set) var count = 0
  /// By depth of the open container: its own path's length, and where its last key begins.
  private var containerCount = InlineArray<66, Int>(repeating: 0)
  private var containerKey = InlineArray<66, Int>(repeating: 0)
  private(set) var keyStart = 0
  /// A key did not fit: what is below it has no name.
  private(set) var isOverlong = false

  var bytes: Span<UInt8> {
    @_lifetime(borrow self)
    get { storage.span.extracting(0..<count) }
  }

  mutating func open(depth: Int) {
    containerCount[depth] = isOverlong ? JSONPath.capacity : count
    containerKey[depth] = keyStart
  }

  /// Back to the container at `depth`.
  mutating func leave(to depth: Int) {
    count = containerCount[depth]
    keyStart = containerKey[depth]
    isOverlong = count >= JSONPath.capacity
  }

  mutating func enter(_ key: [UInt8], depth: Int) {
    leave(to: depth)
    if key.count > 1, key[0] == 0x23 { return }
    guard count + key.count + 1 < JSONPath.capacity else {
      isOverlong = true
      count = 0
      return
    }
    if count > 0 {
      storage[count] = 0x2E
      count += 1
    }
    keyStart = count
    for index in 0..<key.count { storage[count + index] = key[index] }
    count += key.count
  }
}

/// One object's walk: fields by path, data items of the known containers, and what needs a second look.
private struct EventJSONWalk {
  private var path = JSONPath()
  private var ranks = InlineArray<9, UInt8>(repeating: .max)
  private var unnamedCount = 0
  /// A key of the object, unescaped.
  private var key: [UInt8] = []
  /// The event's fields are the members of the object itself.
  private(set) var isFlat = false
  /// Strings of the source, still escaped, that hold XML.
  private(set) var eventXML: Range<Int>?
  private(set) var userDataXML: Range<Int>?

  /// False when the JSON is damaged or too deep.
  mutating func run(_ text: Span<UInt8>, start: Int, end: Int, into fields: inout EventFields) -> Bool {
    var scanner = JSONScanner(start: start, end: end)
    while true {
      switch scanner.next(in: text) {
      case .key(let keyStart, let keyEnd, _):
        key.removeAll(keepingCapacity: true)
        JSONScanner.appendUnescaped(text, start: keyStart, end: keyEnd, to: &key)
        path.enter(key, depth: scanner.depth)
        // Attributes of the data's own element (`EventData Name=…`) are no data.
        if text.has("#attributes", at: keyStart), keyEnd - keyStart == 11,
          container(of: path.bytes, from: unwrapped) != nil, scanner.skipValue(in: text) != nil
        {
          return false
        }
      case .objectStart, .arrayStart: path.open(depth: scanner.depth)
      case .objectEnd, .arrayEnd: path.leave(to: scanner.depth + 1)
      case .string(let valueStart, let valueEnd, _):
        take(text, valueStart..<valueEnd, isString: true, depth: scanner.depth, into: &fields)
      case .word(let valueStart, let valueEnd):
        if valueEnd - valueStart == 4, text.has("null", at: valueStart) { break }
        take(text, valueStart..<valueEnd, isString: false, depth: scanner.depth, into: &fields)
      case .end: return true
      case .malformed, .tooDeep: return false
      }
    }
  }

  /// Where the path begins once the wrappers around the event are taken off.
  private var unwrapped: Int {
    let bytes = path.bytes
    var start = 0
    var isMore = true
    while isMore {
      isMore = false
      for wrapper in wrappers where bytes.has(wrapper, at: start) {
        start += wrapper.utf8CodeUnitCount
        isMore = true
      }
    }
    return start
  }

  private static func known(_ bytes: Span<UInt8>, from start: Int) -> KnownPath? {
    for known in knownPaths
    where known.path.utf8CodeUnitCount == bytes.count - start && bytes.has(known.path, at: start) {
      return known
    }
    return nil
  }

  private mutating func take(
    _ text: Span<UInt8>, _ value: Range<Int>, isString: Bool, depth: Int, into fields: inout EventFields
  ) {
    guard !path.isOverlong else { return }
    let start = unwrapped
    if let known = EventJSONWalk.known(path.bytes, from: start) {
      fill(known, text, value, isString: isString, into: &fields)
      if known.slot == .eventID, start == 0, depth == 1, path.bytes.has("EventID", at: 0) { isFlat = true }
      return
    }
    if let count = container(of: path.bytes, from: start), start + count < path.count {
      let nameStart = max(start + count + 1, path.keyStart)
      let nameCount = path.count - nameStart
      // Winlogbeat's note of the element around the data.
      if nameCount == 8, path.bytes.has("xml_name", at: nameStart) { return }
      guard fields.data.count < Limits.eventFieldLimit else { return }
      let itemStart = fields.text.count
      let isUnnamed =
        nameCount == 0 || (nameCount == 4 && path.bytes.has("Data", at: nameStart))
        || (nameCount == 4 && path.bytes.has("data", at: nameStart))
      if isUnnamed {
        unnamedCount += 1
        fields.appendPositionalName(unnamedCount)
      } else {
        for index in nameStart..<path.count { fields.text.append(path.bytes[index]) }
      }
      let itemEnd = fields.text.count
      let item = append(text, value, isString: isString, to: &fields)
      fields.appendItem(name: itemStart..<itemEnd, value: fields.trimmed(item))
      return
    }
    guard isString, EventJSONWalk.looksLikeXML(text, value) else { return }
    let rest = path.count - start
    if rest == 8, path.bytes.has("UserData", at: start) {
      userDataXML = value
    } else if eventXML == nil {
      let names: [StaticString] = ["data", "body", "xml", "Event", "event.original"]
      if names.contains(where: { $0.utf8CodeUnitCount == rest && path.bytes.has($0, at: start) }) { eventXML = value }
    }
  }

  /// `<`, possibly written `\u003c`, after white space or its escapes.
  private static func looksLikeXML(_ text: Span<UInt8>, _ value: Range<Int>) -> Bool {
    var index = value.lowerBound
    while index < value.upperBound {
      if ASCII.isSpace(text[index]) {
        index += 1
      } else if text.has("\\n", at: index) || text.has("\\r", at: index) || text.has("\\t", at: index) {
        index += 2
      } else {
        return text[index] == 0x3C || text.hasCaseless("\\u003c", at: index)
      }
    }
    return false
  }

  private func append(
    _ text: Span<UInt8>, _ value: Range<Int>, isString: Bool, to fields: inout EventFields
  ) -> Range<Int> {
    let start = fields.text.count
    if isString {
      JSONScanner.appendUnescaped(text, start: value.lowerBound, end: value.upperBound, to: &fields.text)
    } else {
      for index in value { fields.text.append(text[index]) }
    }
    return start..<fields.text.count
  }

  private mutating func fill(
    _ known: KnownPath, _ text: Span<UInt8>, _ value: Range<Int>, isString: Bool, into fields: inout EventFields
  ) {
    guard known.rank < ranks[known.slot.rawValue] else { return }
    switch known.slot {
    case .eventID:
      guard let id = EventFields.eventID(text, start: value.lowerBound, end: value.upperBound) else { return }
      fields.eventID = id
    case .recordID, .processID, .threadID:
      guard let number = EventFields.number(text, start: value.lowerBound, end: value.upperBound) else { return }
      if known.slot == .recordID { fields.recordID = number }
      if known.slot == .processID { fields.processID = number }
      if known.slot == .threadID { fields.threadID = number }
    case .time:
      guard let reading = EventTime.parse(text, start: value.lowerBound, end: value.upperBound) else { return }
      let isInstant = reading.hasZone || known.isUTC
      fields.time = isInstant ? reading.time : nil
      fields.localTime = isInstant ? nil : reading.time
    case .provider, .computer, .channel, .message:
      guard isString else { return }
      var range = append(text, value, isString: true, to: &fields)
      if known.slot != .message { range = fields.trimmed(range) }
      // Wazuh keeps the quotes that its agent set around the message.
      if known.slot == .message, range.count >= 2, known.path.utf8CodeUnitCount == 18,
        fields.text[range.lowerBound] == 0x22, fields.text[range.upperBound - 1] == 0x22
      {
        range = range.lowerBound + 1..<range.upperBound - 1
      }
      guard !range.isEmpty else { return }
      switch known.slot {
      case .provider: fields.provider = range
      case .computer: fields.computer = range
      case .channel: fields.channel = range
      default: fields.message = range
      }
    }
    ranks[known.slot.rawValue] = known.rank
  }

  /// The members of a flat object that no path names are data (NXLog). Positional strings (Fluent Bit's
  /// `StringInserts`) count only where the event has no data by name.
  mutating func addFlatData(_ text: Span<UInt8>, start: Int, end: Int, to fields: inout EventFields) {
    let hasData = !fields.data.isEmpty
    var scanner = JSONScanner(start: start, end: end)
    guard case .objectStart = scanner.next(in: text) else { return }
    while case .key(let keyStart, let keyEnd, _) = scanner.next(in: text) {
      key.removeAll(keepingCapacity: true)
      JSONScanner.appendUnescaped(text, start: keyStart, end: keyEnd, to: &key)
      let isPositional = key.count == 13 && key.span.has("StringInserts", at: 0)
      var token = scanner.next(in: text)
      if case .arrayStart = token, isPositional, !hasData {
        token = scanner.next(in: text)
        while case .string(let valueStart, let valueEnd, _) = token {
          unnamedCount += 1
          let itemStart = fields.text.count
          fields.appendPositionalName(unnamedCount)
          addItem(text, valueStart..<valueEnd, isString: true, nameStart: itemStart, to: &fields)
          token = scanner.next(in: text)
        }
        guard case .arrayEnd = token else { return }
        continue
      }
      let isTaken =
        EventJSONWalk.known(key.span, from: 0) != nil || container(of: key.span, from: 0) != nil
        || fields.data.count >= Limits.eventFieldLimit
      switch token {
      case .string(let valueStart, let valueEnd, _) where !isTaken:
        if EventJSONWalk.isXMLKey(key.span), EventJSONWalk.looksLikeXML(text, valueStart..<valueEnd) { break }
        let itemStart = fields.text.count
        fields.text.append(contentsOf: key)
        addItem(text, valueStart..<valueEnd, isString: true, nameStart: itemStart, to: &fields)
      case .word(let valueStart, let valueEnd) where !isTaken:
        if valueEnd - valueStart == 4, text.has("null", at: valueStart) { break }
        let itemStart = fields.text.count
        fields.text.append(contentsOf: key)
        addItem(text, valueStart..<valueEnd, isString: false, nameStart: itemStart, to: &fields)
      case .objectStart, .arrayStart:
        let level = scanner.depth
        while scanner.depth >= level {
          switch scanner.next(in: text) {
          case .malformed, .tooDeep, .end: return
          default: break
          }
        }
      default: break
      }
    }
  }

  private static func isXMLKey(_ key: Span<UInt8>) -> Bool {
    (key.count == 8 && key.has("UserData", at: 0)) || (key.count == 3 && key.has("xml", at: 0))
  }

  private mutating func addItem(
    _ text: Span<UInt8>, _ value: Range<Int>, isString: Bool, nameStart: Int, to fields: inout EventFields
  ) {
    let nameEnd = fields.text.count
    let item = append(text, value, isString: isString, to: &fields)
    fields.appendItem(name: nameStart..<nameEnd, value: fields.trimmed(item))
  }
}
