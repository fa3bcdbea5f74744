import CKernels
import Records

/// What is known of events by the layouts of their lines: where their values stand, and, by provider and id, whether any
/// definition asks for such events.
struct EventKinds: Sendable {
  private static let kindCount = 512
  /// Events of one layout that are asked for its plan: a value that is missing in one may stand in another.
  private static let attemptLimit = 8

  struct Gate: Sendable {
    var serial = UInt64.max
    /// Provider and id stand at these values, and nowhere else.
    var provider = EventLayout.Value(first: 0, lead: 0, last: 0, trail: 0)
    var eventID = EventLayout.Value(first: 0, lead: 0, last: 0, trail: 0)
    var isOpen = false
    /// The same bytes may mean another name in the other format.
    var isXML = false
  }
  /// A reference: every event that is read takes one.
  final class Plan: Sendable {
    let json: EventJSONPlan?
    let xml: EventXMLPlan?
    let values: [EventLayout.Value]

    init(json: EventJSONPlan? = nil, xml: EventXMLPlan? = nil, _ values: [EventLayout.Value]) {
      self.json = json
      self.xml = xml
      self.values = values
    }
  }

  /// By number of the layout.
  var gates: [Gate] = []
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

  /// Marks records from `first` on that no definition asks for, up to the first of which nothing is known yet: the result.
  mutating func mark(_ text: Span<UInt8>, _ batch: inout RecordBatch, from first: Int) -> Int {
    if kinds.isEmpty { kinds = [hk_event_kind](repeating: hk_event_kind(), count: 2 * EventKinds.kindCount) }
    return unsafe text.withUnsafeBufferPointer { text in
      unsafe gates.withUnsafeBufferPointer { gates in
        unsafe kinds.withUnsafeMutableBufferPointer { kinds in
          unsafe batch.events.withUnsafeBufferPointer { events in
            unsafe batch.marks.withUnsafeBufferPointer { marks in
              unsafe batch.layouts.withUnsafeBufferPointer { layouts in
                unsafe batch.records.withUnsafeMutableBufferPointer { records in
                  var index = first
                  while index < records.count {
                    let number = unsafe Int(records[index].event)
                    guard number < events.count else {
                      index += 1
                      continue
                    }
                    let event = unsafe events[number]
                    let layout = Int(event.layout)
                    guard layout < gates.count, unsafe gates[layout].serial == layouts[layout].serial else {
                      return index
                    }
                    guard unsafe gates[layout].isOpen else {
                      index += 1
                      continue
                    }
                    let provider = unsafe gates[layout].provider.range(marks.span, of: event)
                    let id = unsafe gates[layout].eventID.range(marks.span, of: event)
                    let base = text.baseAddress!
                    let table = unsafe kinds.baseAddress! + (gates[layout].isXML ? EventKinds.kindCount : 0)
                    if let kind = unsafe hk_event_kind_place(
                      table, EventKinds.kindCount - 1, seed, base + provider.lowerBound, provider.count,
                      base + id.lowerBound, id.count)
                    {
                      guard
                        unsafe hk_event_kind_is(
                          kind, base + provider.lowerBound, provider.count, base + id.lowerBound, id.count) != 0
                      else { return index }
                      unsafe records[index].isUnasked = kind.pointee.verdict == 1
                    }
                    index += 1
                  }
                  return index
                }
              }
            }
          }
        }
      }
    }
  }

  /// Keeps what is true of all events with the provider and id of this one.
  mutating func keep(isUnasked: Bool, _ text: Span<UInt8>, _ provider: Range<Int>, _ eventID: Range<Int>, isXML: Bool) {
    unsafe text.withUnsafeBufferPointer { text in
      unsafe kinds.withUnsafeMutableBufferPointer { kinds in
        let base = text.baseAddress!
        let table = unsafe kinds.baseAddress! + (isXML ? EventKinds.kindCount : 0)
        if let kind = unsafe hk_event_kind_place(
          table, EventKinds.kindCount - 1, seed, base + provider.lowerBound, provider.count,
          base + eventID.lowerBound, eventID.count)
        {
          unsafe hk_event_kind_set(
            kind, base + provider.lowerBound, provider.count, base + eventID.lowerBound, eventID.count,
            isUnasked ? 1 : 2)
        }
      }
    }
  }

  /// Asks the event for the plan of its layout, where that is not known.
  mutating func learn(_ text: Span<UInt8>, _ event: EventLine, _ batch: borrowing RecordBatch) {
    let number = Int(event.layout)
    let layout = batch.layouts[number]
    while gates.count <= number {
      gates.append(Gate())
      plans.append(nil)
      attemptCounts.append(0)
    }
    if gates[number].serial != layout.serial {
      gates[number] = Gate()
      gates[number].serial = layout.serial
      plans[number] = nil
      attemptCounts[number] = 0
    }
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
      plans[number] = Plan(xml: plan, layout.values)
      kind = plan.kindValues
    }
    if let kind {
      gates[number].provider = layout.values[kind.provider]
      gates[number].eventID = layout.values[kind.eventID]
      gates[number].isOpen = true
      gates[number].isXML = layout.format == .eventXML
    }
  }
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
    guard !batch.events.isEmpty else { return }
    var index = 0
    while true {
      index = eventKinds.mark(text, &batch, from: index)
      guard index < batch.records.count else { return }
      let slot = batch.records[index]
      let event = batch.events[Int(slot.event)]
      let number = Int(event.layout)
      if number >= eventKinds.gates.count || eventKinds.gates[number].serial != batch.layouts[number].serial {
        eventKinds.learn(text, event, batch)
        continue
      }
      // The first of its kind, or of its place in the table: read whole.
      let isUnasked =
        readEvent(slot, text) && fields.eventID != nil && fields.provider != nil
        && !eventRules.indices.contains(where: { eventRules[$0].isBoundToKind && concerns($0) })
      let gate = eventKinds.gates[number]
      eventKinds.keep(
        isUnasked: isUnasked, text, gate.provider.range(batch.marks.span, of: event),
        gate.eventID.range(batch.marks.span, of: event), isXML: gate.isXML)
    }
  }

  /// The fields of an event, read by its layout where it has one, then with the data that somebody asks for; nil when it
  /// is damaged. For tests.
  package mutating func eventFields(
    _ slot: RecordSlot, _ text: Span<UInt8>, _ batch: borrowing RecordBatch
  ) -> EventFields? {
    readKnown(slot, text, batch) || readEvent(slot, text) ? fields : nil
  }

  /// Whether somebody asks for event data of this name.
  package func isAsked(_ name: [UInt8]) -> Bool { eventKinds.isAsked(name) }

  /// Reads an event of a known layout; false: as any other.
  mutating func readKnown(_ slot: RecordSlot, _ text: Span<UInt8>, _ batch: borrowing RecordBatch) -> Bool {
    guard slot.event != RecordSlot.noEvent else { return false }
    let event = batch.events[Int(slot.event)]
    let number = Int(event.layout)
    if number >= eventKinds.plans.count || eventKinds.plans[number] == nil
      || eventKinds.gates[number].serial != batch.layouts[number].serial
    {
      eventKinds.learn(text, event, batch)
    }
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
