import CKernels
import Records

/// What is known of events by the layouts of their lines: where their values stand, and, by provider and id, whether any
/// definition asks for such events.
struct EventKinds: Sendable {
  /// Events of one layout that are asked for its plan: a value that is missing in one may stand in another.
  private static let attemptLimit = 8

  /// A reference: every event that is read takes one.
  final class Plan: Sendable {
    let json: EventJSONPlan?
    let xml: EventXMLPlan?
    let values: [EventLayout.Value]
    /// What decides what such an event comes to, and what is read of one that is known (`EventMemo`).
    let deciding: [hk_event_value]
    /// Those of them that are names of data nobody asks for.
    let unasked: [EventLayout.Value]
    let briefJSON: EventJSONPlan?
    let briefXML: EventXMLPlan?

    init(json: EventJSONPlan, _ values: [EventLayout.Value]) {
      self.json = json
      xml = nil
      self.values = values
      deciding = json.deciding.map { values[$0].inC }
      unasked = []
      briefJSON = json.brief
      briefXML = nil
    }

    init(xml: EventXMLPlan, _ values: [EventLayout.Value], deciding: (values: [Int], unasked: [Int])) {
      json = nil
      self.xml = xml
      self.values = values
      self.deciding = deciding.values.map { values[$0].inC }
      unasked = deciding.unasked.map { values[$0] }
      briefJSON = nil
      briefXML = xml.brief
    }
  }

  /// By number of the layout.
  private var gates: [hk_event_gate] = []
  var plans: [Plan?] = []
  private var attemptCounts: [Int] = []
  /// Names of data, in lower case, that somebody asks for.
  let askedNames: Set<[UInt8]>
  private var kinds: [hk_event_kind] = []
  private let seed = UInt64.random(in: .min ... .max)

  init(_ signatures: [Signature]) {
    var names = Set(EventKinds.alwaysAskedNames)
    for signature in signatures where signature.formats.intersects(.event) {
      for predicate in signature.predicates {
        names.insert(predicate.field)
        for case .field(let name) in predicate.anyOf { names.insert(name) }
      }
      for code in signature.codes { names.formUnion(code.fields.map { $0.lowercased() }) }
    }
    askedNames = Set(names.map { Array($0.utf8) })
  }

  /// What `Extractor`, `SchannelText` and `SchannelInserts` ask for whatever the definitions are.
  private static let alwaysAskedNames = [
    "type", "protocol", "ciphersuite", "alertdesc", "errorstate", "errorcode", "errorstatus", "targetname", "name",
    "callerprocessid", "callerprocessimagename",
  ]

  /// Whether somebody asks for data of this name; positions may yet get one (`SchannelInserts`).
  func isAsked(_ name: some Collection<UInt8>) -> Bool {
    let name = name.map(ASCII.lower)
    return askedNames.contains(name) || name.starts(with: "param".utf8)
  }

  /// The same of a name as it is written in an attribute, where it may have none.
  func isAskedAttribute(_ name: [UInt8]) -> Bool {
    guard let first = name.first, let last = name.last else { return true }
    return name.contains(0x26) || ASCII.isSpace(first) || ASCII.isSpace(last) || isAsked(name)
  }

  /// Makes room for these layouts, and forgets what stood in the place of one.
  mutating func begin(_ layouts: [EventLayout]) {
    for (number, layout) in layouts.enumerated() {
      if number == gates.count {
        gates.append(hk_event_gate())
        plans.append(nil)
        attemptCounts.append(0)
      } else if gates[number].serial == layout.serial {
        continue
      }
      gates[number] = hk_event_gate()
      gates[number].serial = layout.serial
      plans[number] = nil
      attemptCounts[number] = 0
    }
  }

  /// Marks events from `first` on that no definition asks for, up to the first of which nothing is known yet: the result.
  mutating func mark(_ text: Span<UInt8>, _ batch: inout RecordBatch, from first: Int) -> Int {
    if kinds.isEmpty { kinds = [hk_event_kind](repeating: hk_event_kind(), count: 2 * Int(HK_EVENT_KINDS)) }
    return unsafe text.withUnsafeBufferPointer { text in
      unsafe gates.withUnsafeMutableBufferPointer { gates in
        unsafe batch.events.withUnsafeMutableBufferPointer { events in
          unsafe events.withMemoryRebound(to: hk_event_line.self) { events in
            unsafe hk_event_kinds_mark(
              gates.baseAddress!, kinds, seed, text.baseAddress!, batch.marks, events.baseAddress!, events.count, first)
          }
        }
      }
    }
  }

  /// What is known of the kinds of events of a layout.
  enum Knowledge { case none, kindless, byKind }
  func knowledge(ofLayout number: Int) -> Knowledge {
    switch gates[number].state {
    case 0: .none
    case 1: .kindless
    default: .byKind
    }
  }

  /// Keeps what is true of all events with the provider and id of this one.
  mutating func keep(isUnasked: Bool, _ text: Span<UInt8>, _ event: EventLine, _ marks: Span<UInt16>) {
    let gate = gates[Int(event.layout)]
    let provider = EventLayout.Value(gate.provider).range(marks, of: event)
    let eventID = EventLayout.Value(gate.id).range(marks, of: event)
    unsafe text.withUnsafeBufferPointer { text in
      unsafe kinds.withUnsafeMutableBufferPointer { kinds in
        let base = text.baseAddress!
        let first = gate.is_xml != 0 ? Int(HK_EVENT_KINDS) : 0
        if let place = unsafe hk_event_kind_place(
          kinds.baseAddress! + first, Int(HK_EVENT_KINDS) - 1, seed, base + provider.lowerBound, provider.count,
          base + eventID.lowerBound, eventID.count)
        {
          unsafe hk_event_kind_set(
            UnsafeMutablePointer(mutating: place), base + provider.lowerBound, provider.count,
            base + eventID.lowerBound, eventID.count, isUnasked ? 1 : 2)
        }
      }
    }
  }

  /// Asks the event for the plan of its layout, where that is not known.
  mutating func learn(_ text: Span<UInt8>, _ event: EventLine, _ batch: borrowing RecordBatch) {
    let number = Int(event.layout)
    let layout = batch.layouts[number]
    if gates[number].state == 0 { gates[number].state = 1 }
    guard plans[number] == nil, attemptCounts[number] < EventKinds.attemptLimit else { return }
    attemptCounts[number] += 1
    let start = Int(event.start)
    let end = Int(event.end)
    var kind: (provider: Int, eventID: Int)?
    if layout.format == .eventJSON {
      guard var plan = EventJSONReader.plan(text, start: start, end: end), plan.uses.count == layout.values.count else {
        return
      }
      plan.select { isAsked($0) }
      plans[number] = Plan(json: plan, layout.values)
      kind = EventJSONReader.kindValues(of: plan)
    } else {
      let values = layout.values.map { $0.range(batch.marks.span, of: event) }
      guard let plan = EventXMLReader.plan(text, start: start, end: end, values: values) else { return }
      let deciding = plan.deciding(
        { isAskedAttribute($0) },
        value: { index in values[index].map { text[$0] } })
      plans[number] = Plan(xml: plan, layout.values, deciding: deciding)
      kind = plan.kindValues
    }
    if let kind {
      gates[number].provider = layout.values[kind.provider].inC
      gates[number].id = layout.values[kind.eventID].inC
      gates[number].state = 2
      gates[number].is_xml = layout.format == .eventXML ? 1 : 0
      gates[number].latest = layout.format == .eventXML ? UInt16(HK_EVENT_KINDS) : 0
    }
  }
}

extension EventLayout.Value {
  fileprivate init(_ value: hk_event_value) {
    self.init(first: Int(value.first), lead: Int(value.lead), last: Int(value.last), trail: Int(value.trail))
  }

  fileprivate var inC: hk_event_value { hk_event_value(first: first, lead: lead, last: last, trail: trail) }
}

extension EventXMLPlan {
  /// The values that say provider and event id, where each is said once; nil otherwise.
  var kindValues: (provider: Int, eventID: Int)? {
    var provider: Int?
    var eventID: Int?
    for step in steps {
      switch step.meaning {
      case .provider:
        guard provider == nil, step.first >= 0 else { return nil }
        provider = step.first
      case .leaf(.eventID, _):
        guard eventID == nil, step.second >= 0 else { return nil }
        eventID = step.second
      default: break
      }
    }
    guard let provider, let eventID else { return nil }
    return (provider, eventID)
  }
}

extension Extractor {
  /// Marks the events that no definition asks for by provider or id, so that nobody looks for its anchors in them.
  package mutating func sortOut(_ text: Span<UInt8>, _ batch: inout RecordBatch) {
    eventKinds.begin(batch.layouts)
    guard !batch.events.isEmpty else { return }
    var index = 0
    while true {
      index = eventKinds.mark(text, &batch, from: index)
      guard index < batch.events.count else { return }
      let event = batch.events[index]
      let number = Int(event.layout)
      if eventKinds.knowledge(ofLayout: number) == .none {
        eventKinds.learn(text, event, batch)
        continue
      }
      // The first of its kind, or of its place in the table: read whole.
      let slot = RecordSlot(event, number: index, format: batch.layouts[number].format, origin: 0, knownBias: .min)
      let isUnasked =
        readEvent(slot, text) && fields.eventID != nil && fields.provider != nil
        && !eventRules.indices.contains(where: { eventRules[$0].isBoundToKind && concerns($0) })
      eventKinds.keep(isUnasked: isUnasked, text, event, batch.marks.span)
    }
  }

  /// The fields of an event, read by its layout where it has one, then with the data that somebody asks for; nil when it
  /// is damaged. For tests.
  package mutating func eventFields(
    _ slot: RecordSlot, _ text: Span<UInt8>, _ batch: borrowing RecordBatch
  ) -> EventFields? {
    eventKinds.begin(batch.layouts)
    return readKnown(slot, text, batch) || readEvent(slot, text) ? fields : nil
  }

  /// Whether somebody asks for event data of this name.
  package func isAsked(_ name: [UInt8]) -> Bool { eventKinds.isAsked(name) }

  /// Takes an event that is like one before it, if there was one; `isKeyed` when this one may be remembered.
  mutating func repeatedEvent(
    _ slot: RecordSlot, _ candidates: ArraySlice<Candidate>, _ text: Span<UInt8>, _ batch: borrowing RecordBatch,
    _ evidence: inout Evidence
  ) -> (isTaken: Bool, isKeyed: Bool) {
    guard slot.event != RecordSlot.noEvent else { return (false, false) }
    let event = batch.events[Int(slot.event)]
    guard let plan = eventKinds.plans[Int(event.layout)], !plan.deciding.isEmpty,
      eventMemo.setKey(
        candidates, layout: batch.layouts[Int(event.layout)], plan.deciding, event, batch.marks, text)
    else { return (false, false) }
    guard let outcome = unsafe eventMemo.find() else { return (false, true) }
    if unsafe outcome.pointee.isSuspect { evidence.suspectCount += 1 }
    guard unsafe outcome.pointee.isConfirmed else { return (true, true) }
    evidence.confirmedCount += 1
    let marks = batch.marks
    func value(_ index: Int) -> Range<Int> { plan.values[index].range(marks.span, of: event) }
    if let xml = plan.briefXML {
      _ = EventXMLReader.read(text, xml, into: &fields, value: value)
    } else if let json = plan.briefJSON {
      _ = EventJSONReader.read(text, json, into: &fields, value: value)
    }
    let time = fields.time ?? fields.localTime.map { options.zone.instant(ofLocal: $0) }
    if hasWindow, !options.includes(time) {
      evidence.outsideWindowCount += 1
      return (true, true)
    }
    for index in 0..<(unsafe outcome.pointee.signatureCount) {
      evidence.signatureCounts[Int(unsafe outcome.pointee.signatures[index])] += 1
    }
    let sightingCount = unsafe outcome.pointee.sightingCount
    guard sightingCount > 0 else { return (true, true) }
    let host = eventHostID(batch.origins[Int(slot.origin)])
    for index in 0..<sightingCount {
      let sighting = unsafe outcome.pointee.sightings[index]
      var key = sighting.key
      if sighting.isClient { key.clientLow = UInt64(host) } else { key.server = host }
      evidence.sightings.append(key, at: time?.microseconds ?? .min)
    }
    if let time { evidence.noteTime(time) }
    return (true, true)
  }

  /// Whether what was left out of the key of this event decides nothing.
  func isDecided(_ slot: RecordSlot, _ text: Span<UInt8>, _ batch: borrowing RecordBatch) -> Bool {
    let event = batch.events[Int(slot.event)]
    let marks = batch.marks
    guard let plan = eventKinds.plans[Int(event.layout)] else { return false }
    return plan.unasked.allSatisfy { value in
      !eventKinds.isAskedAttribute(value.range(marks.span, of: event).map { text[$0] })
    }
  }

  /// Reads an event of a known layout; false: as any other.
  mutating func readKnown(_ slot: RecordSlot, _ text: Span<UInt8>, _ batch: borrowing RecordBatch) -> Bool {
    guard slot.event != RecordSlot.noEvent else { return false }
    let event = batch.events[Int(slot.event)]
    let number = Int(event.layout)
    if eventKinds.plans[number] == nil { eventKinds.learn(text, event, batch) }
    guard let plan = eventKinds.plans[number] else { return false }
    // The marks alone: with the batch in it the closure would copy that.
    let marks = batch.marks
    func value(_ index: Int) -> Range<Int> { plan.values[index].range(marks.span, of: event) }
    if let xml = plan.xml {
      guard EventXMLReader.read(text, xml, into: &fields, value: value) else { return false }
    } else if let json = plan.json {
      // Without an id the reader decides anew what the other members are.
      guard EventJSONReader.read(text, json, into: &fields, value: value), fields.eventID != nil else { return false }
    }
    SchannelInserts.fill(&fields)
    SchannelText.fill(&fields)
    return true
  }
}
