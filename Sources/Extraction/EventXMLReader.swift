import Records

/// Reads one `<Event>` into its fields: Windows' own XML, its Event Viewer copies and forwarders' pretty prints.
///
/// Two shapes carry the data: `EventData/Data[@Name]`, and `UserData/<any>/…`, whose leaf elements are taken by
/// their names (Schannel 36880 writes `UserData/EventXML`). Damage inside is passed over as far as the tags go.
/// Source: the event schema, https://learn.microsoft.com/windows/win32/wes/eventschema-schema.
package enum EventXMLReader {
  /// [start, end) begins with `<Event`. False when it is no event, or one that tells neither provider nor id.
  package static func read(_ text: Span<UInt8>, start: Int, end: Int, into fields: inout EventFields) -> Bool {
    fields.removeAll()
    guard start >= 0, start <= end, end <= text.count else { return false }
    var walk = EventXMLWalk(start: start, end: end)
    walk.run(text, into: &fields)
    return walk.isEvent && (fields.eventID != nil || fields.provider != nil)
  }

  /// What the event [start, end) means, for events of the same layout, whose values stand at `values`; nil when that
  /// takes more than these.
  static func plan(
    _ text: Span<UInt8>, start: Int, end: Int, values: [Range<Int>]
  ) -> EventXMLPlan? {
    var fields = EventFields()
    var walk = EventXMLWalk(start: start, end: end)
    walk.steps = []
    walk.run(text, into: &fields)
    guard walk.isEvent, let steps = walk.steps else { return nil }
    return EventXMLPlan(steps, values)
  }

  /// Reads an event as `plan` says; `value` gives the places of its values.
  static func read(
    _ text: Span<UInt8>, _ plan: EventXMLPlan, into fields: inout EventFields, value: (Int) -> Range<Int>
  ) -> Bool {
    fields.removeAll()
    var unnamedCount = 0
    func append(_ range: Range<Int>) {
      XMLScanner.appendDecoded(text, start: range.lowerBound, end: range.upperBound, to: &fields.text)
    }
    for step in plan.steps {
      let start = fields.text.count
      switch step.meaning {
      case .provider:
        for index in [step.first, step.second] where fields.provider == nil && index >= 0 {
          let range = value(index)
          if range.isEmpty { continue }
          append(range)
          fields.provider = start..<fields.text.count
        }
      case .time:
        let range = value(step.first)
        fields.time = EventTime.parse(text, start: range.lowerBound, end: range.upperBound)?.time
      case .processID:
        let range = value(step.first)
        fields.processID = EventFields.number(text, start: range.lowerBound, end: range.upperBound)
      case .threadID:
        let range = value(step.first)
        fields.threadID = EventFields.number(text, start: range.lowerBound, end: range.upperBound)
      case .leaf(let leaf, let name):
        if leaf == .data {
          let attribute = step.first >= 0 ? value(step.first) : nil
          if let name {
            fields.text.append(contentsOf: name)
          } else if let attribute, !attribute.isEmpty || step.isUserData {
            append(attribute)
          } else {
            unnamedCount += 1
            fields.appendPositionalName(unnamedCount)
          }
        }
        let nameRange = start..<fields.text.count
        if step.second >= 0 { append(value(step.second)) }
        fields.finish(leaf, name: nameRange)
      }
    }
    return plan.isBrief || fields.eventID != nil || fields.provider != nil
  }

  /// Adds the leaf elements of a `UserData` that came as a string of its own (OpenWEC's JSON).
  static func addUserData(_ text: Span<UInt8>, start: Int, end: Int, to fields: inout EventFields) {
    guard start >= 0, start <= end, end <= text.count else { return }
    var walk = EventXMLWalk(start: start, end: end)
    walk.enterUserData()
    walk.run(text, into: &fields)
  }
}

/// The elements of an event whose text is a field.
enum EventXMLLeaf: Sendable { case none, eventID, recordID, computer, channel, message, data }

/// One thing that the walk over an event's tags did, with ranges of the source.
struct EventXMLStep: Sendable {
  enum Meaning: Sendable {
    /// Attributes `Name` and `EventSourceName`.
    case provider
    case time, processID, threadID
    /// Name, where the tag is one, or the attribute `Name`; text.
    case leaf(EventXMLLeaf, name: [UInt8]?)
  }
  var meaning: Meaning
  var first: Range<Int>?
  var second: Range<Int>?
  var isUserData = false
}

/// The same with the numbers of values.
struct EventXMLPlan: Sendable {
  struct Step: Sendable {
    var meaning: EventXMLStep.Meaning
    /// -1: there is none.
    var first: Int
    var second: Int
    var isUserData: Bool
  }
  var steps: [Step] = []
  /// Of an event of which the rest is known.
  var isBrief = false

  /// The values that decide what an event comes to (`EventMemo`), and those of them that are names of data which is not
  /// asked for: what that is does not count, as long as these are its names.
  func deciding(_ isAsked: (_ name: [UInt8]) -> Bool, value: (Int) -> [UInt8]) -> (values: [Int], unasked: [Int]) {
    var deciding: [Int] = []
    var unasked: [Int] = []
    for step in steps {
      switch step.meaning {
      case .time, .processID, .threadID, .leaf(.recordID, _), .leaf(.computer, _): break
      case .leaf(.data, let name):
        if let name {
          if step.second >= 0, isAsked(name) { deciding.append(step.second) }
          break
        }
        if step.first >= 0 {
          deciding.append(step.first)
          if !isAsked(value(step.first)) {
            unasked.append(step.first)
            break
          }
        }
        if step.second >= 0 { deciding.append(step.second) }
      case .provider, .leaf: deciding += [step.first, step.second].filter { $0 >= 0 }
      }
    }
    return (deciding, unasked)
  }

  /// The plan for the rest: time and computer.
  var brief: EventXMLPlan {
    var brief = self
    brief.isBrief = true
    brief.steps = steps.filter {
      switch $0.meaning {
      case .time, .leaf(.computer, _): true
      default: false
      }
    }
    return brief
  }

  /// Nil when a range is no value.
  init?(_ steps: [EventXMLStep], _ values: [Range<Int>]) {
    func number(_ range: Range<Int>?) -> Int? {
      guard let range else { return -1 }
      return values.firstIndex(of: range)
    }
    for step in steps {
      guard let first = number(step.first), let second = number(step.second) else { return nil }
      self.steps.append(Step(meaning: step.meaning, first: first, second: second, isUserData: step.isUserData))
    }
  }
}

extension EventFields {
  /// Takes what stands behind `name` in `text` as the text of an element.
  fileprivate mutating func finish(_ leaf: EventXMLLeaf, name: Range<Int>) {
    let whole = name.upperBound..<text.count
    let value = trimmed(whole)
    switch leaf {
    case .none: break
    case .eventID: eventID = EventFields.eventID(text.span, start: value.lowerBound, end: value.upperBound)
    case .recordID: recordID = EventFields.number(text.span, start: value.lowerBound, end: value.upperBound)
    case .computer: computer = value.isEmpty ? nil : value
    case .channel: channel = value.isEmpty ? nil : value
    case .message: message = whole.isEmpty ? nil : whole
    case .data: appendItem(name: name, value: value)
    }
  }
}

/// The walk over one event's tags. `depth` counts open elements; nothing recurses.
private struct EventXMLWalk {
  private enum Section { case none, system, eventData, userData, rendering }
  private typealias Leaf = EventXMLLeaf

  private var scanner: XMLScanner
  private(set) var isEvent = false
  private var depth = 0
  private var section = Section.none
  /// The element whose text is being collected, its depth, and where its name and value lie in `fields.text`.
  private var leaf = Leaf.none
  private var leafDepth = 0
  private var leafName = 0..<0
  private var unnamedCount = 0
  /// Written where they are asked for; nil also once something was met that they cannot tell.
  var steps: [EventXMLStep]?

  init(start: Int, end: Int) { scanner = XMLScanner(start: start, end: end) }

  mutating func enterUserData() {
    isEvent = true
    depth = 2
    section = .userData
  }

  mutating func run(_ text: Span<UInt8>, into fields: inout EventFields) {
    while true {
      switch scanner.next(in: text) {
      case .startTag(let name, let attributes, let isEmpty):
        open(name, attributes, in: text, into: &fields)
        if !isEvent { return }
        if steps != nil, leaf != .none, !isEmpty, let last = steps!.indices.last {
          // Where its text will stand, if there is any.
          steps![last].second = scanner.position..<scanner.position
        }
        depth += 1
        if isEmpty { close(name, in: text, into: &fields) }
      case .endTag(let name):
        close(name, in: text, into: &fields)
        if depth == 0 { return }
      case .text(let range):
        if leaf != .none {
          XMLScanner.appendDecoded(text, start: range.lowerBound, end: range.upperBound, to: &fields.text)
          if steps != nil { noteText(range) }
        }
      case .verbatim(let range):
        if leaf != .none {
          steps = nil
          unsafe text.extracting(range).withUnsafeBufferPointer { unsafe fields.text.append(contentsOf: $0) }
        }
      case .end: return
      }
    }
  }

  private mutating func open(
    _ name: Range<Int>, _ attributes: Range<Int>, in text: Span<UInt8>, into fields: inout EventFields
  ) {
    func isNamed(_ literal: StaticString) -> Bool {
      name.count == literal.utf8CodeUnitCount && text.has(literal, at: name.lowerBound)
    }
    if leaf != .none {
      // A child: the element around it was no leaf. Elsewhere than in UserData markup inside a value is just passed.
      guard section == .userData, leaf == .data else {
        steps = nil
        return
      }
      if steps != nil { steps!.removeLast() }
      fields.text.removeSubrange(leafName.lowerBound...)
      leaf = .none
    }
    if depth == 0 {
      isEvent = isNamed("Event")
      return
    }
    if depth == 1 {
      if isNamed("System") {
        section = .system
      } else if isNamed("EventData") {
        section = .eventData
      } else if isNamed("UserData") {
        section = .userData
      } else if isNamed("RenderingInfo") {
        section = .rendering
      } else {
        section = .none
      }
      return
    }
    guard depth < Limits.nestingLimit else { return }
    switch section {
    case .none: return
    case .userData:
      guard fields.data.count < Limits.eventFieldLimit else { return }
      let attribute = isNamed("Data") ? XMLScanner.attribute("Name", of: attributes, in: text) : nil
      let start = fields.text.count
      append(attribute ?? name, of: text, to: &fields)
      begin(.data, name: start..<fields.text.count)
      if steps != nil {
        let literal = attribute == nil ? Array(fields.text[start...]) : nil
        steps!.append(EventXMLStep(meaning: .leaf(.data, name: literal), first: attribute, isUserData: true))
      }
    case .eventData:
      guard depth == 2, isNamed("Data"), fields.data.count < Limits.eventFieldLimit else { return }
      let start = fields.text.count
      let attribute = XMLScanner.attribute("Name", of: attributes, in: text)
      if let attribute, !attribute.isEmpty {
        append(attribute, of: text, to: &fields)
      } else {
        unnamedCount += 1
        fields.appendPositionalName(unnamedCount)
      }
      begin(.data, name: start..<fields.text.count)
      if steps != nil { steps!.append(EventXMLStep(meaning: .leaf(.data, name: nil), first: attribute)) }
    case .rendering:
      if depth == 2, isNamed("Message") { beginUnnamed(.message, at: fields.text.count) }
    case .system:
      guard depth == 2 else { return }
      let here = fields.text.count..<fields.text.count
      if isNamed("EventID") {
        beginUnnamed(.eventID, at: here.lowerBound)
      } else if isNamed("EventRecordID") {
        beginUnnamed(.recordID, at: here.lowerBound)
      } else if isNamed("Computer") {
        beginUnnamed(.computer, at: here.lowerBound)
      } else if isNamed("Channel") {
        beginUnnamed(.channel, at: here.lowerBound)
      } else if isNamed("Provider") {
        if steps != nil {
          steps!.append(
            EventXMLStep(
              meaning: .provider, first: XMLScanner.attribute("Name", of: attributes, in: text),
              second: XMLScanner.attribute("EventSourceName", of: attributes, in: text)))
        }
        for key: StaticString in ["Name", "EventSourceName"] where fields.provider == nil {
          guard let value = XMLScanner.attribute(key, of: attributes, in: text), !value.isEmpty else { continue }
          append(value, of: text, to: &fields)
          fields.provider = here.lowerBound..<fields.text.count
        }
      } else if isNamed("TimeCreated") {
        // Without a zone it is UTC all the same, as the schema has it.
        if let value = XMLScanner.attribute("SystemTime", of: attributes, in: text) {
          fields.time = EventTime.parse(text, start: value.lowerBound, end: value.upperBound)?.time
          if steps != nil { steps!.append(EventXMLStep(meaning: .time, first: value)) }
        }
      } else if isNamed("Execution") {
        if let value = XMLScanner.attribute("ProcessID", of: attributes, in: text) {
          fields.processID = EventFields.number(text, start: value.lowerBound, end: value.upperBound)
          if steps != nil { steps!.append(EventXMLStep(meaning: .processID, first: value)) }
        }
        if let value = XMLScanner.attribute("ThreadID", of: attributes, in: text) {
          fields.threadID = EventFields.number(text, start: value.lowerBound, end: value.upperBound)
          if steps != nil { steps!.append(EventXMLStep(meaning: .threadID, first: value)) }
        }
      }
    }
  }

  /// The text at hand is that of the leaf begun last; a leaf of two texts is no plain one.
  private mutating func noteText(_ range: Range<Int>) {
    guard let last = steps!.indices.last, case .leaf = steps![last].meaning, let here = steps![last].second,
      here.isEmpty, here.lowerBound == range.lowerBound
    else {
      steps = nil
      return
    }
    steps![last].second = range
  }

  private mutating func beginUnnamed(_ leaf: Leaf, at position: Int) {
    begin(leaf, name: position..<position)
    if steps != nil { steps!.append(EventXMLStep(meaning: .leaf(leaf, name: nil))) }
  }

  private mutating func begin(_ leaf: Leaf, name: Range<Int>) {
    self.leaf = leaf
    leafDepth = depth + 1
    leafName = name
  }

  private func append(_ range: Range<Int>, of text: Span<UInt8>, to fields: inout EventFields) {
    XMLScanner.appendDecoded(text, start: range.lowerBound, end: range.upperBound, to: &fields.text)
  }

  private mutating func close(_ name: Range<Int>, in text: Span<UInt8>, into fields: inout EventFields) {
    if leaf != .none, depth <= leafDepth { finish(into: &fields) }
    depth = max(0, depth - 1)
    if name.count == 5, text.has("Event", at: name.lowerBound), section != .userData { depth = 0 }
    // A section's own end tag ends it, even where a tag inside was lost.
    let isSectionEnd: Bool
    switch section {
    case .none: isSectionEnd = false
    case .system: isSectionEnd = name.count == 6 && text.has("System", at: name.lowerBound)
    case .eventData: isSectionEnd = name.count == 9 && text.has("EventData", at: name.lowerBound)
    case .userData: isSectionEnd = name.count == 8 && text.has("UserData", at: name.lowerBound)
    case .rendering: isSectionEnd = name.count == 13 && text.has("RenderingInfo", at: name.lowerBound)
    }
    if isSectionEnd || depth <= 1 {
      depth = min(depth, 1)
      section = .none
      leaf = .none
    }
  }

  private mutating func finish(into fields: inout EventFields) {
    fields.finish(leaf, name: leafName)
    leaf = .none
  }
}

/// A pull tokenizer of XML, tolerant: what is no tag is text, what is cut off ends the walk.
///
/// Names are without their prefix. Comments, processing instructions and declarations are passed over.
/// Source: XML 1.0; entities beyond the five predefined ones and character references stay as they are.
private struct XMLScanner {
  enum Token {
    case startTag(name: Range<Int>, attributes: Range<Int>, isEmpty: Bool)
    case endTag(name: Range<Int>)
    /// Text with entities.
    case text(Range<Int>)
    /// Text of a CDATA section.
    case verbatim(Range<Int>)
    case end
  }

  private(set) var position: Int
  private let limit: Int

  init(start: Int, end: Int) {
    position = start
    limit = end
  }

  mutating func next(in bytes: Span<UInt8>) -> Token {
    while position < limit {
      if bytes[position] != 0x3C {
        let start = position
        position = bytes.firstIndex(of: 0x3C, from: start, to: limit) ?? limit
        return .text(start..<position)
      }
      let open = position
      if bytes.has("<![CDATA[", at: open) {
        let close = find("]]>", in: bytes, from: open + 9)
        guard let close else { break }
        position = close + 3
        return .verbatim(open + 9..<close)
      }
      if bytes.has("<!--", at: open) {
        guard let close = find("-->", in: bytes, from: open + 4) else { break }
        position = close + 3
        continue
      }
      let lead = open + 1 < limit ? bytes[open + 1] : 0
      if lead == 0x21 || lead == 0x3F {
        guard let close = bytes.firstIndex(of: 0x3E, from: open, to: limit) else { break }
        position = close + 1
        continue
      }
      if lead == 0x2F {
        let name = localName(in: bytes, from: open + 2)
        guard let close = bytes.firstIndex(of: 0x3E, from: name.upperBound, to: limit) else { break }
        position = close + 1
        return .endTag(name: name)
      }
      let name = localName(in: bytes, from: open + 1)
      if name.isEmpty {
        position += 1
        return .text(open..<position)
      }
      guard let close = tagEnd(in: bytes, from: name.upperBound) else { break }
      if bytes[close] == 0x3C {
        position = close
        return .text(open..<close)
      }
      let isEmpty = bytes[close - 1] == 0x2F
      position = close + 1
      return .startTag(name: name, attributes: name.upperBound..<(isEmpty ? close - 1 : close), isEmpty: isEmpty)
    }
    position = limit
    return .end
  }

  private func find(_ literal: StaticString, in bytes: Span<UInt8>, from start: Int) -> Int? {
    var index = start
    while index + literal.utf8CodeUnitCount <= limit {
      if bytes.has(literal, at: index) { return index }
      index += 1
    }
    return nil
  }

  /// The `>` that ends a tag, or the `<` that shows that it was cut off.
  private func tagEnd(in bytes: Span<UInt8>, from start: Int) -> Int? {
    var quote: UInt8 = 0
    var index = start
    while index < limit {
      let byte = bytes[index]
      if quote != 0 {
        if byte == quote { quote = 0 }
      } else if byte == 0x3E || byte == 0x3C {
        return index
      } else if byte == 0x22 || byte == 0x27 {
        quote = byte
      }
      index += 1
    }
    return nil
  }

  private func localName(in bytes: Span<UInt8>, from start: Int) -> Range<Int> {
    var local = start
    var index = start
    while index < limit, XMLScanner.isNameByte(bytes[index]) {
      if bytes[index] == 0x3A { local = index + 1 }
      index += 1
    }
    return local..<index
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == 0x5F || byte == 0x3A || byte == 0x2D || byte == 0x2E
      || byte >= 0x80
  }

  /// The raw value of an attribute, quotes excluded.
  static func attribute(_ wanted: StaticString, of attributes: Range<Int>, in bytes: Span<UInt8>) -> Range<Int>? {
    var index = attributes.lowerBound
    let end = attributes.upperBound
    while index < end {
      while index < end, !isNameByte(bytes[index]) { index += 1 }
      var local = index
      while index < end, isNameByte(bytes[index]) {
        if bytes[index] == 0x3A { local = index + 1 }
        index += 1
      }
      let isWanted = index - local == wanted.utf8CodeUnitCount && bytes.has(wanted, at: local)
      while index < end, ASCII.isSpace(bytes[index]) { index += 1 }
      guard index < end, bytes[index] == 0x3D else { continue }
      index += 1
      while index < end, ASCII.isSpace(bytes[index]) { index += 1 }
      guard index < end, bytes[index] == 0x22 || bytes[index] == 0x27 else { continue }
      let start = index + 1
      guard let close = bytes.firstIndex(of: bytes[index], from: start, to: end) else { return nil }
      if isWanted { return start..<close }
      index = close + 1
    }
    return nil
  }

  /// Appends text with its entities undone.
  static func appendDecoded(_ bytes: Span<UInt8>, start: Int, end: Int, to out: inout [UInt8]) {
    var index = start
    while index < end {
      // Whole runs between references go over in one piece.
      let mark = bytes.firstIndex(of: 0x26, from: index, to: end) ?? end
      if mark > index {
        unsafe bytes.extracting(index..<mark).withUnsafeBufferPointer { unsafe out.append(contentsOf: $0) }
      }
      guard mark < end else { return }
      // The longest reference that means a character is `&#x10FFFF;`.
      if let close = bytes.firstIndex(of: 0x3B, from: mark + 1, to: min(end, mark + 12)),
        let scalar = reference(bytes, start: mark + 1, end: close)
      {
        JSONScanner.appendScalar(scalar, to: &out)
        index = close + 1
      } else {
        out.append(0x26)
        index = mark + 1
      }
    }
  }

  private static func reference(_ bytes: Span<UInt8>, start: Int, end: Int) -> UInt32? {
    guard start < end else { return nil }
    if bytes[start] != 0x23 {
      switch end - start {
      case 2: return bytes.has("lt", at: start) ? 0x3C : bytes.has("gt", at: start) ? 0x3E : nil
      case 3: return bytes.has("amp", at: start) ? 0x26 : nil
      case 4: return bytes.has("quot", at: start) ? 0x22 : bytes.has("apos", at: start) ? 0x27 : nil
      default: return nil
      }
    }
    var index = start + 1
    var radix: UInt32 = 10
    if index < end, bytes[index] | 0x20 == 0x78 {
      radix = 16
      index += 1
    }
    guard index < end else { return nil }
    var value: UInt32 = 0
    while index < end {
      guard let digit = ASCII.hexValue(bytes[index]), UInt32(digit) < radix else { return nil }
      value = min(0x11_0000, value * radix + UInt32(digit))
      index += 1
    }
    return value
  }
}
