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

  /// What the object [start, end) means, for objects of the same shape; nil when that depends on its values.
  static func plan(_ text: Span<UInt8>, start: Int, end: Int) -> EventJSONPlan? {
    var walk = EventJSONWalk()
    walk.plan = EventJSONPlan()
    var fields = EventFields()
    guard walk.run(text, start: start, end: end, into: &fields), !walk.hasStringInserts else { return nil }
    walk.plan?.isFlat = walk.isFlat
    walk.plan?.select { _ in true }
    return walk.plan
  }

  /// The values of an object that say provider and event id, where each is said once; nil otherwise.
  static func kindValues(of plan: EventJSONPlan) -> (provider: Int, eventID: Int)? {
    var provider: Int?
    var eventID: Int?
    for (index, use) in plan.uses.enumerated() {
      guard case .known(let known) = use.meaning else { continue }
      if knownPaths[known].slot == .provider {
        guard provider == nil, use.isString else { return nil }
        provider = index
      }
      if knownPaths[known].slot == .eventID {
        guard eventID == nil else { return nil }
        eventID = index
      }
    }
    guard let provider, let eventID else { return nil }
    return (provider, eventID)
  }

  /// Reads an object as `plan` says; `value` gives the places of its values.
  static func read(
    _ text: Span<UInt8>, _ plan: EventJSONPlan, into fields: inout EventFields, value: (Int) -> Range<Int>
  ) -> Bool {
    fields.removeAll()
    var ranks = SlotRanks()
    func isNull(_ range: Range<Int>, _ use: EventJSONPlan.Use) -> Bool {
      !use.isString && range.count == 4 && text.has("null", at: range.lowerBound)
    }
    func append(_ name: Range<Int>, _ value: Range<Int>, isString: Bool) {
      let itemStart = fields.text.count
      fields.text.append(contentsOf: plan.names[name])
      let itemEnd = fields.text.count
      let item = EventJSONWalk.append(text, value, isString: isString, to: &fields)
      fields.appendItem(name: itemStart..<itemEnd, value: fields.trimmed(item))
    }
    for step in plan.steps {
      let range = value(step.index)
      if isNull(range, step.use) { continue }
      switch step.use.meaning {
      case .known(let known):
        ranks.fill(knownPaths[known], text, range, isString: step.use.isString, into: &fields)
      case .data(let name): append(name, range, isString: step.use.isString)
      case .none, .member: break
      }
    }
    guard plan.isBrief || fields.eventID != nil || fields.provider != nil else { return false }
    guard plan.isFlat else { return true }
    for step in plan.members {
      guard case .member(let name) = step.use.meaning else { continue }
      let range = value(step.index)
      if !isNull(range, step.use) { append(name, range, isString: step.use.isString) }
    }
    return true
  }
}

private enum Slot: Int, CaseIterable {
  case provider, eventID, time, computer, channel, recordID, processID, threadID, message

  /// Whether more than findings depends on it, beside the time and the computer of a sighting.
  var decides: Bool {
    switch self {
    case .provider, .eventID, .channel, .message: true
    case .time, .computer, .recordID, .processID, .threadID: false
    }
  }
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
  guard start < path.count else { return nil }
  switch path[start] {
  case 0x77, 0x45, 0x55, 0x65, 0x75: break  // w E U e u begin all of them
  default: return nil
  }
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

/// Indexes into `knownPaths` by the paths' lengths.
private let knownByCount: [[Int]] = {
  var indexes = [[Int]](repeating: [], count: 1 + knownPaths.reduce(0) { max($0, $1.path.utf8CodeUnitCount) })
  for (index, known) in knownPaths.enumerated() { indexes[known.path.utf8CodeUnitCount].append(index) }
  return indexes
}()

/// The keys around the present value, unescaped and joined with dots. Attribute and text keys of XML dumps
/// (`#attributes`, `#text`) leave no trace, elements of an array have the path of the array.
private struct JSONPath {
  static let capacity = 512

  // On the heap, so that moving the walk moves pointers.
  private var storage = [UInt8](repeating: 0, count: JSONPath.capacity)
  private(set) var count = 0
  /// By depth of the open container: its own path's length, and where its last key begins.
  private var containerCount = [Int](repeating: 0, count: Limits.nestingLimit + 2)
  private var containerKey = [Int](repeating: 0, count: Limits.nestingLimit + 2)
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

  mutating func enter(_ key: Span<UInt8>, depth: Int) {
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

/// Which path filled each slot so far; the lower rank wins.
private struct SlotRanks {
  private var ranks = InlineArray<9, UInt8>(repeating: .max)

  mutating func fill(
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
      var range = EventJSONWalk.append(text, value, isString: true, to: &fields)
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
}

/// What the values of one shape mean, in their order.
struct EventJSONPlan: Sendable {
  enum Meaning: Sendable {
    case none
    /// Index into `knownPaths`.
    case known(Int)
    /// A data item of this name, a range of `names`.
    case data(Range<Int>)
    /// Data of this name where the object is flat.
    case member(Range<Int>)
  }
  struct Use: Sendable {
    var meaning: Meaning
    var isString: Bool
  }

  struct Step: Sendable {
    /// Which value.
    var index: Int
    var use: Use
  }

  var uses: [Use] = []
  var names: [UInt8] = []
  var isFlat = false
  /// Of an event of which the rest is known.
  var isBrief = false
  /// What is read, in its order, and what of a flat object is read after that.
  private(set) var steps: [Step] = []
  private(set) var members: [Step] = []

  /// The values that decide what an event comes to (`EventMemo`).
  var deciding: [Int] {
    let known = steps.filter {
      if case .known(let known) = $0.use.meaning { return knownPaths[known].slot.decides }
      return true
    }
    return (known + members).map(\.index)
  }

  /// The plan for the rest: time and computer.
  var brief: EventJSONPlan {
    var brief = EventJSONPlan()
    brief.isBrief = true
    brief.steps = steps.filter {
      guard case .known(let known) = $0.use.meaning else { return false }
      return knownPaths[known].slot == .time || knownPaths[known].slot == .computer
    }
    return brief
  }

  /// Chooses what is read: all, or data of these names alone. All, where there may be more than an event can hold.
  mutating func select(_ isAsked: (ArraySlice<UInt8>) -> Bool) {
    func isRead(_ name: Range<Int>) -> Bool {
      uses.count > Limits.eventFieldLimit || isAsked(names[name])
    }
    steps = []
    members = []
    for (index, use) in uses.enumerated() {
      switch use.meaning {
      case .none: break
      case .known: steps.append(Step(index: index, use: use))
      case .data(let name): if isRead(name) { steps.append(Step(index: index, use: use)) }
      case .member(let name): if isRead(name) { members.append(Step(index: index, use: use)) }
      }
    }
  }
}

/// A member of the object itself: ranges of the source, the key still escaped.
private struct Member {
  var key: Range<Int>
  var isEscaped: Bool
  var value: Range<Int>
  var isString: Bool
}

/// One object's walk: fields by path, data items of the known containers, and what needs a second look.
private struct EventJSONWalk {
  private var path = JSONPath()
  private var ranks = SlotRanks()
  /// Filled where it is asked for; nil also once a value was met whose meaning depends on it.
  var plan: EventJSONPlan?
  private var unnamedCount = 0
  /// The scalar members of the object itself that no path names, in their order: its data if it turns out to be flat.
  private var members: [Member] = []
  private(set) var hasStringInserts = false
  /// A member's key, unescaped.
  private var key: [UInt8] = []
  /// The event's fields are the members of the object itself.
  private(set) var isFlat = false
  /// Strings of the source, still escaped, that hold XML.
  private(set) var eventXML: Range<Int>?
  private(set) var userDataXML: Range<Int>?

  /// False when the JSON is damaged or too deep.
  mutating func run(_ text: Span<UInt8>, start: Int, end: Int, into fields: inout EventFields) -> Bool {
    var scanner = JSONScanner(start: start, end: end)
    var member = Member(key: 0..<0, isEscaped: false, value: 0..<0, isString: false)
    while true {
      switch scanner.next(in: text) {
      case .key(let keyStart, let keyEnd, let isEscaped):
        if scanner.depth == 1 {
          member.key = keyStart..<keyEnd
          member.isEscaped = isEscaped
          if keyEnd - keyStart == 13 || isEscaped {
            hasStringInserts = hasStringInserts || isStringInserts(text, member)
          }
        }
        if isEscaped {
          var unescaped: [UInt8] = []
          JSONScanner.appendUnescaped(text, start: keyStart, end: keyEnd, to: &unescaped)
          path.enter(unescaped.span, depth: scanner.depth)
        } else {
          path.enter(text.extracting(keyStart..<keyEnd), depth: scanner.depth)
        }
        if isEscaped || keyStart < keyEnd && text[keyStart] == 0x23 { plan = nil }
        // Attributes of the data's own element (`EventData Name=…`) are no data.
        if text.has("#attributes", at: keyStart), keyEnd - keyStart == 11,
          container(of: path.bytes, from: unwrapped) != nil, scanner.skipValue(in: text) != nil
        {
          return false
        }
      case .objectStart, .arrayStart: path.open(depth: scanner.depth)
      case .objectEnd, .arrayEnd: path.leave(to: scanner.depth + 1)
      case .string(let valueStart, let valueEnd, _):
        let (dataCount, memberCount) = (fields.data.count, members.count)
        let use = take(text, valueStart..<valueEnd, isString: true, depth: scanner.depth, into: &fields)
        if scanner.depth == 1 {
          member.value = valueStart..<valueEnd
          member.isString = true
          note(member, use, text)
        }
        trace(use, isString: true, dataCount: dataCount, memberCount: memberCount, text, fields)
      case .word(let valueStart, let valueEnd):
        if valueEnd - valueStart == 4, text.has("null", at: valueStart) {
          plan = nil
          break
        }
        let (dataCount, memberCount) = (fields.data.count, members.count)
        let use = take(text, valueStart..<valueEnd, isString: false, depth: scanner.depth, into: &fields)
        if scanner.depth == 1 {
          member.value = valueStart..<valueEnd
          member.isString = false
          note(member, use, text)
        }
        trace(use, isString: false, dataCount: dataCount, memberCount: memberCount, text, fields)
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
      guard start < bytes.count else { break }
      switch bytes[start] {
      case 0x45, 0x64, 0x5F, 0x62: break  // E d _ b begin all of them
      default: return start
      }
      for wrapper in wrappers where bytes.has(wrapper, at: start) {
        start += wrapper.utf8CodeUnitCount
        isMore = true
      }
    }
    return start
  }

  /// Index into `knownPaths`.
  private static func known(_ bytes: Span<UInt8>, from start: Int) -> Int? {
    let count = bytes.count - start
    guard count < knownByCount.count else { return nil }
    for index in knownByCount[count] where bytes.has(knownPaths[index].path, at: start) { return index }
    return nil
  }

  /// What a path means.
  private enum Use: Equatable {
    /// Index into `knownPaths`.
    case known(Int)
    case data
    case other
  }

  private mutating func take(
    _ text: Span<UInt8>, _ value: Range<Int>, isString: Bool, depth: Int, into fields: inout EventFields
  ) -> Use {
    guard !path.isOverlong else { return .other }
    let start = unwrapped
    if let index = EventJSONWalk.known(path.bytes, from: start) {
      let known = knownPaths[index]
      ranks.fill(known, text, value, isString: isString, into: &fields)
      if known.slot == .eventID, start == 0, depth == 1, path.bytes.has("EventID", at: 0) { isFlat = true }
      return .known(index)
    }
    if let count = container(of: path.bytes, from: start), start + count < path.count {
      let nameStart = max(start + count + 1, path.keyStart)
      let nameCount = path.count - nameStart
      // Winlogbeat's note of the element around the data.
      if nameCount == 8, path.bytes.has("xml_name", at: nameStart) { return .data }
      guard fields.data.count < Limits.eventFieldLimit else { return .data }
      let itemStart = fields.text.count
      let isUnnamed =
        nameCount == 0 || (nameCount == 4 && path.bytes.has("Data", at: nameStart))
        || (nameCount == 4 && path.bytes.has("data", at: nameStart))
      if isUnnamed {
        // Its number may depend on the values before it.
        plan = nil
        unnamedCount += 1
        fields.appendPositionalName(unnamedCount)
      } else {
        unsafe path.bytes.extracting(nameStart..<path.count).withUnsafeBufferPointer {
          unsafe fields.text.append(contentsOf: $0)
        }
      }
      let itemEnd = fields.text.count
      let item = EventJSONWalk.append(text, value, isString: isString, to: &fields)
      fields.appendItem(name: itemStart..<itemEnd, value: fields.trimmed(item))
      return .data
    }
    let isXML = EventJSONWalk.looksLikeXML(text, value)
    guard isString, isXML || plan != nil else { return .other }
    let rest = path.count - start
    if plan != nil {
      if EventJSONWalk.xmlPaths.contains(where: { $0.utf8CodeUnitCount == rest && path.bytes.has($0, at: start) }) {
        plan = nil
      }
      guard isXML else { return .other }
    }
    if rest == 8, path.bytes.has("UserData", at: start) {
      userDataXML = value
    } else if eventXML == nil {
      if EventJSONWalk.xmlPaths.contains(where: { $0.utf8CodeUnitCount == rest && path.bytes.has($0, at: start) }) {
        eventXML = value
      }
    }
    return .other
  }

  /// Paths of strings that may hold XML.
  private static let xmlPaths: [StaticString] = ["data", "body", "xml", "Event", "event.original", "UserData"]

  /// Writes down what the value just taken means.
  private mutating func trace(
    _ use: Use, isString: Bool, dataCount: Int, memberCount: Int, _ text: Span<UInt8>, _ fields: EventFields
  ) {
    guard plan != nil else { return }
    if path.isOverlong {
      plan = nil
      return
    }
    let nameStart = plan!.names.count
    var meaning = EventJSONPlan.Meaning.none
    switch use {
    case .known(let index): meaning = .known(index)
    case .data:
      if fields.data.count > dataCount, let item = fields.data.last {
        plan!.names += fields.text[Int(item.nameStart)..<Int(item.nameEnd)]
        meaning = .data(nameStart..<plan!.names.count)
      }
    case .other:
      if members.count > memberCount, let member = members.last {
        JSONScanner.appendUnescaped(text, start: member.key.lowerBound, end: member.key.upperBound, to: &plan!.names)
        meaning = .member(nameStart..<plan!.names.count)
      }
    }
    plan!.uses.append(EventJSONPlan.Use(meaning: meaning, isString: isString))
  }

  private func isStringInserts(_ text: Span<UInt8>, _ member: Member) -> Bool {
    guard member.isEscaped else { return text.has("StringInserts", at: member.key.lowerBound) }
    var name: [UInt8] = []
    JSONScanner.appendUnescaped(text, start: member.key.lowerBound, end: member.key.upperBound, to: &name)
    return name.count == 13 && name.span.has("StringInserts", at: 0)
  }

  /// Keeps a member that is data if the object is flat. `use` is what its path means; the path is the key itself unless
  /// the key is escaped, a wrapper's or one that leaves no trace.
  private mutating func note(_ member: Member, _ use: Use, _ text: Span<UInt8>) {
    guard members.count < Limits.eventFieldLimit else { return }
    let key = text.extracting(member.key)
    if !member.isEscaped, path.count == key.count, unwrapped == 0, key.count > 0, key[0] != 0x23 {
      guard use == .other else { return }
      if container(of: key, from: 0) != nil { return }
      if member.isString, EventJSONWalk.isXMLKey(key), EventJSONWalk.looksLikeXML(text, member.value) { return }
    } else {
      var name: [UInt8] = []
      JSONScanner.appendUnescaped(text, start: member.key.lowerBound, end: member.key.upperBound, to: &name)
      if EventJSONWalk.known(name.span, from: 0) != nil || container(of: name.span, from: 0) != nil { return }
      if member.isString, EventJSONWalk.isXMLKey(name.span), EventJSONWalk.looksLikeXML(text, member.value) { return }
    }
    members.append(member)
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

  static func append(
    _ text: Span<UInt8>, _ value: Range<Int>, isString: Bool, to fields: inout EventFields
  ) -> Range<Int> {
    let start = fields.text.count
    if isString {
      JSONScanner.appendUnescaped(text, start: value.lowerBound, end: value.upperBound, to: &fields.text)
    } else {
      unsafe text.extracting(value).withUnsafeBufferPointer { unsafe fields.text.append(contentsOf: $0) }
    }
    return start..<fields.text.count
  }

  /// The members of a flat object that no path names are data (NXLog). Positional strings (Fluent Bit's
  /// `StringInserts`) count only where the event has no data by name.
  mutating func addFlatData(_ text: Span<UInt8>, start: Int, end: Int, to fields: inout EventFields) {
    guard !hasStringInserts else {
      addFlatDataAndStrings(text, start: start, end: end, to: &fields)
      return
    }
    for member in members where fields.data.count < Limits.eventFieldLimit {
      let itemStart = fields.text.count
      if member.isEscaped {
        JSONScanner.appendUnescaped(text, start: member.key.lowerBound, end: member.key.upperBound, to: &fields.text)
      } else {
        unsafe text.extracting(member.key).withUnsafeBufferPointer { unsafe fields.text.append(contentsOf: $0) }
      }
      addItem(text, member.value, isString: member.isString, nameStart: itemStart, to: &fields)
    }
  }

  /// The same where `StringInserts` stand among the members: their place in the order counts.
  private mutating func addFlatDataAndStrings(
    _ text: Span<UInt8>, start: Int, end: Int, to fields: inout EventFields
  ) {
    let hasData = !fields.data.isEmpty
    var scanner = JSONScanner(start: start, end: end)
    guard case .objectStart = scanner.next(in: text) else { return }
    while case .key(let keyStart, let keyEnd, let isEscaped) = scanner.next(in: text) {
      key.removeAll(keepingCapacity: true)
      if isEscaped {
        JSONScanner.appendUnescaped(text, start: keyStart, end: keyEnd, to: &key)
      } else {
        unsafe text.extracting(keyStart..<keyEnd).withUnsafeBufferPointer { unsafe key.append(contentsOf: $0) }
      }
      let isPositional = key.count == 13 && key.span.has("StringInserts", at: 0)
      var token = scanner.next(in: text)
      if case .arrayStart = token, isPositional, !hasData {
        token = scanner.next(in: text)
        // Numbers come without quotes.
        while let (value, isString) = scalar(token, text) {
          unnamedCount += 1
          let itemStart = fields.text.count
          fields.appendPositionalName(unnamedCount)
          addItem(text, value, isString: isString, nameStart: itemStart, to: &fields)
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

  private func scalar(_ token: JSONScanner.Token, _ text: Span<UInt8>) -> (value: Range<Int>, isString: Bool)? {
    switch token {
    case .string(let start, let end, _): (start..<end, true)
    // A null keeps its place.
    case .word(let start, let end): (start..<(text.has("null", at: start) ? start : end), false)
    default: nil
    }
  }

  private static func isXMLKey(_ key: Span<UInt8>) -> Bool {
    (key.count == 8 && key.has("UserData", at: 0)) || (key.count == 3 && key.has("xml", at: 0))
  }

  private mutating func addItem(
    _ text: Span<UInt8>, _ value: Range<Int>, isString: Bool, nameStart: Int, to fields: inout EventFields
  ) {
    let nameEnd = fields.text.count
    let item = EventJSONWalk.append(text, value, isString: isString, to: &fields)
    fields.appendItem(name: nameStart..<nameEnd, value: fields.trimmed(item))
  }
}
