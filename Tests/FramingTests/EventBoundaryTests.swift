import Framing
import Records
import Testing

// Schannel 36887 as Windows exports it; attribute quotes, white space and extras vary per test.
private let single =
  "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Schannel'/>"
  + "<EventID>36887</EventID><TimeCreated SystemTime='2026-03-02T06:00:00.1234567Z'/><EventRecordID>1</EventRecordID>"
  + "<Computer>mp01</Computer></System><EventData><Data Name='AlertDesc'>70</Data></EventData></Event>"

private func xml(_ text: String, from start: Int = 0) -> EventBoundary {
  let bytes = Array(text.utf8)
  return EventXMLBoundary.find(in: bytes.span, start: start, end: bytes.count)
}

private func json(_ text: String, from start: Int = 0) -> EventBoundary {
  let bytes = Array(text.utf8)
  return EventJSONBoundary.find(in: bytes.span, start: start, end: bytes.count)
}

private func prolog(_ text: String) -> String {
  let bytes = Array(text.utf8)
  let at = EventXMLBoundary.skipProlog(in: bytes.span, start: 0, end: bytes.count)
  return String(decoding: bytes[at...], as: UTF8.self)
}

/// All events of a text, as a framing without lines would take them, and what else was met.
private func allXML(_ text: String) -> (events: [String], torn: Int, rest: EventBoundary?) {
  let bytes = Array(text.utf8)
  var events: [String] = []
  var torn = 0
  var index = 0
  while true {
    index = EventXMLBoundary.skipProlog(in: bytes.span, start: index, end: bytes.count)
    if index == bytes.count { return (events, torn, nil) }
    switch EventXMLBoundary.find(in: bytes.span, start: index, end: bytes.count) {
    case .complete(let end):
      events.append(String(decoding: bytes[index..<end], as: UTF8.self))
      index = end
    case .torn(let end), .tooDeep(let end):
      torn += 1
      index = end
    case let other: return (events, torn, other)
    }
  }
}

@Suite struct EventXMLBoundaryTests {
  @Test func oneEventALine() {
    let (events, torn, rest) = allXML(single + "\n" + single + "\r\n" + single)
    #expect(events == [single, single, single])
    #expect(torn == 0 && rest == nil)
  }

  @Test func severalEventsOnOneLine() {
    #expect(allXML(single + single + " " + single).events == [single, single, single])
  }

  @Test func declarationWrapperAndComments() {
    let text =
      "\u{FEFF}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- saved > by hand -->\n<!DOCTYPE Events>"
      + "<Events xmlns:x='a>b'>\(single)\n\(single)</Events>\n"
    #expect(allXML(text).events == [single, single])
    #expect(allXML(text).rest == nil)
    #expect(prolog("<Events/>x") == "x")
    #expect(prolog("<Events") == "<Events", "cut off: left standing")
    #expect(prolog("- prose") == "- prose")
    #expect(prolog("<!-- never closed") == "<!-- never closed")
  }

  @Test func prettyPrintedAndSeveralRoots() {
    let pretty =
      "<Event xmlns=\"a\">\n  <System>\n    <EventID>36874</EventID>\n  </System>\n  <EventData />\n</Event >"
    #expect(allXML(pretty + "\n" + pretty).events == [pretty, pretty])
  }

  @Test func eventViewerCopy() {
    let copy =
      "<Event xmlns=\"a\">\n- <System>\n  <EventID>36888</EventID> \n  </System>\n- <EventData>\n"
      + "  <Data Name=\"AlertDesc\">40</Data> \n  </EventData>\n  </Event>"
    #expect(allXML("- " + copy + "\n- " + copy).events == [copy, copy])
  }

  @Test func onlyTheEventElementCounts() {
    for other in ["<EventID>1</EventID>", "<EventData/>", "<Events>", "<System/>", "Event", "<", "<1/>", "x<Event/>"] {
      let isCut = other == "<"
      #expect(xml(other) == (isCut ? .incomplete : .notAnEvent), "\(other)")
    }
    #expect(xml("<Event/>") == .complete(end: 8))
    #expect(xml("<Event></Event>x") == .complete(end: 15))
  }

  @Test func prefixesCloseTheirOwnElement() {
    let event = "<e:Event xmlns:e='a'><e:System><e:EventID>1</e:EventID></e:System></e:Event>"
    #expect(xml(event + "\n") == .complete(end: event.utf8.count))
    #expect(xml("<e:Event></Event>") == .incomplete)
  }

  @Test func quotesCommentsAndCDATAHideMarkup() {
    for inner in [
      "<Data Name=\"a>b\">c</Data>", "<Data Name='</Event>'/>", "<Data Name='it is \"so\"'>x</Data>",
      "<!-- </Event> <Event> -->", "<![CDATA[</Event><Event a='b'>]]>", "<?pi </Event> ?>", "a < b", "a <- b",
      "&lt;Event&gt;",
    ] {
      let event = "<Event xmlns='a'><EventData>\(inner)</EventData></Event>"
      #expect(xml(event + single) == .complete(end: event.utf8.count), "\(inner)")
    }
  }

  @Test func aTornEventEndsWhereTheNextBegins() {
    for cut in [
      "<Event xmlns='a'><System><EventID>36887</EventID>", "<Event xmlns='a'><System><EventID>368",
      "<Event xmlns='a'><System><Provider Name='Scha", "<Event xmlns='a'><System><Prov", "<Event xml", "<Event ",
    ] {
      for separator in ["\n", "", "\n- "] {
        let text = cut + separator + single
        let at = (cut + separator).utf8.count
        #expect(xml(text) == .torn(end: at), "\(cut)")
        #expect(xml(text, from: at) == .complete(end: text.utf8.count))
        #expect(allXML(text).events == [single])
      }
    }
  }

  @Test func otherRecordsEndATornEvent() {
    let cut = "<Event xmlns='a'><System><EventID>1</EventID>\n"
    for other in ["<![LOG[text]LOG]!><time=\"1\">", "<?xml version='1.0'?>", "</Events>", "<Events>"] {
      #expect(xml(cut + other + single) == .torn(end: cut.utf8.count), "\(other)")
    }
  }

  @Test func deepNestingIsPassedOverWhole() {
    let deep = String(repeating: "<a>", count: 100) + String(repeating: "</a>", count: 100)
    let event = "<Event><UserData>\(deep)</UserData></Event>"
    #expect(xml(event + "\n" + single) == .tooDeep(end: event.utf8.count))
    let flat = "<Event><UserData>\(String(repeating: "<a></a><b/>", count: 100))</UserData></Event>"
    #expect(xml(flat) == .complete(end: flat.utf8.count))
    let edge = String(repeating: "<a>", count: 63) + String(repeating: "</a>", count: 63)
    #expect(xml("<Event>\(edge)</Event>") == .complete(end: 15 + edge.utf8.count))
  }

  @Test func everyTruncationIsIncomplete() {
    let rich =
      "<Event xmlns=\"a\"><System><Provider Name='x>y'/></System><!-- </Event> --><EventData>"
      + "<Data Name=\"M\"><![CDATA[</Event>]]></Data></EventData><?p ?></Event>"
    for sample in [single, rich] {
      let bytes = Array(sample.utf8)
      for end in 0..<bytes.count {
        let boundary = EventXMLBoundary.find(in: bytes.span, start: 0, end: end)
        #expect(boundary == .incomplete || (end == 0 && boundary == .notAnEvent), "\(end)")
      }
      #expect(EventXMLBoundary.find(in: bytes.span, start: 0, end: bytes.count) == .complete(end: bytes.count))
    }
  }

  /// Pieces of events in any order, whole and broken, against a scanner that reads one byte at a time.
  @Test(arguments: UInt64(0)..<400) func agreesWithTheSlowTwin(seed: UInt64) {
    var random = Random(seed: seed)
    let pieces = [
      "<Event>", "<Event xmlns='a'>", "</Event>", "</Event >", "<Event/>", "<Events>", "</Events>", "<EventID>",
      "</EventID>", "<Data Name='a'>", "<Data Name=\"b>\">", "</Data>", "<Data Name='", "<a", "'", "\"", ">", "<", "/>",
      "<!-- ", "-->", "<![CDATA[", "]]>", "<?p ", "?>", "text", " ", "\n", "<!x", "<e:Event>", "</e:Event>", "<?xml ",
    ]
    for _ in 0..<50 {
      var text = random.below(4) == 0 ? "<e:Event>" : "<Event>"
      for _ in 0..<random.below(24) { text += pieces[random.below(pieces.count)] }
      #expect(xml(text) == SlowXML.find(Array(text.utf8)), "\(text)")
    }
  }

  @Test(arguments: UInt64(0)..<100) func randomBytesNeverCrash(seed: UInt64) {
    var random = Random(seed: seed)
    let alphabet = Array("<>/!?-[]'\"&; \n=:{},\\Event.CDATA".utf8) + [0, 0x80, 0xEF, 0xFF]
    var bytes = Array("<Event ".utf8)
    for _ in 0..<400 {
      bytes.append(random.below(3) == 0 ? UInt8(random.below(256)) : alphabet[random.below(alphabet.count)])
    }
    for start in stride(from: 0, to: bytes.count, by: 7) {
      for boundary in [
        EventXMLBoundary.find(in: bytes.span, start: start, end: bytes.count),
        EventJSONBoundary.find(in: bytes.span, start: start, end: bytes.count),
      ] {
        switch boundary {
        case .complete(let end), .torn(let end), .tooDeep(let end): #expect(end > start && end <= bytes.count)
        case .incomplete, .notAnEvent: break
        }
      }
      let at = EventXMLBoundary.skipProlog(in: bytes.span, start: start, end: bytes.count)
      #expect(at >= start && at <= bytes.count)
    }
    #expect(EventXMLBoundary.find(in: bytes.span, start: bytes.count, end: bytes.count) == .notAnEvent)
    #expect(EventJSONBoundary.find(in: bytes.span, start: bytes.count, end: bytes.count) == .notAnEvent)
  }
}

@Suite struct EventJSONBoundaryTests {
  @Test func wholeObjects() {
    for object in [
      "{}", "{ }", #"{"EventID":36887}"#, #"{"a":"}{","b":"\"}","c":["]",{}],"d":null,"e":-1.5e+3,"f":true}"#,
      "{\n  \"winlog\": {\n    \"event_id\": \"36888\"\n  },\r\n  \"tags\": [\n    1,\n    2\n  ]\n}",
      #"{"a":1,}"#, #"{"a":[1,]}"#, #"{"a":"\\"}"#, "{\"a\":\"tab\there\"}", #"{"a":[[],{}]}"#,
    ] {
      let count = object.utf8.count
      #expect(json(object) == .complete(end: count), "\(object)")
      #expect(json(object + "\n" + object, from: count + 1) == .complete(end: 2 * count + 1), "\(object)")
    }
  }

  @Test func proseInBracesIsNoEvent() {
    for text in [
      "{1F678132-5938-4686-9FDC-C8FF68F15C85}", "{0}: failed", "{{\"a\":1}}", "{]", "{\"a\" 1}", "{,}", "x", "[1]",
      "{\"a\nb\":1}",
    ] {
      #expect(json(text) == .notAnEvent, "\(text)")
    }
  }

  @Test func aTornObjectEndsWhereTheNextBegins() {
    let whole = #"{"EventID":36887,"Message":"a"}"#
    // The rest of the first never came, whatever it was in the middle of.
    for cut in [
      #"{"EventID":36888,"Message":"A fatal al"#, #"{"EventID":36888,"Mess"#, #"{"EventID":36888,"#,
      #"{"EventID":36888"#, #"{"a":{"b":1}"#, #"{"a":[1,2"#, #"{"a":"b\"#,
    ] {
      #expect(json(cut + "\n" + whole + "\n" + whole) == .torn(end: cut.utf8.count + 1), "\(cut)")
    }
    // After a colon an object may follow, but not at the beginning of a line.
    let cut = #"{"EventID":36888,"Message":"#
    #expect(json(cut + "\n" + whole + "\n" + whole) == .torn(end: cut.utf8.count + 1))
    #expect(json(cut + "\n  " + whole + "}") == .complete(end: cut.utf8.count + whole.utf8.count + 4))
    let junk = #"{"a":1 junk}"#
    #expect(json(junk + "\n" + whole) == .torn(end: junk.utf8.count + 1))
    #expect(json(junk) == .torn(end: junk.utf8.count))
  }

  @Test(arguments: [64, 65, 100, 2000]) func deepNestingIsPassedOverWhole(levels: Int) {
    let mixed = (0..<levels - 1).map { $0 % 2 == 0 ? "[" : "{\"a\":" }.joined()
    let closing = (0..<levels - 1).reversed().map { $0 % 2 == 0 ? "]" : "}" }.joined()
    let object = "{\"x\":" + mixed + "1" + closing + "}"
    let end = object.utf8.count
    #expect(json(object + "\n{}") == (levels <= Limits.nestingLimit ? .complete(end: end) : .tooDeep(end: end)))
    #expect(json("{\"x\":" + mixed) == .incomplete)
  }

  @Test func everyTruncationIsIncomplete() {
    let sample = #"{"winlog":{"event_id":36887,"event_data":{"AlertDesc":"70"}},"m":"a\"}\\","l":[1,{"x":null}]}"#
    let bytes = Array(sample.utf8)
    for end in 0..<bytes.count {
      let boundary = EventJSONBoundary.find(in: bytes.span, start: 0, end: end)
      #expect(boundary == .incomplete || (end == 0 && boundary == .notAnEvent), "\(end)")
    }
    #expect(EventJSONBoundary.find(in: bytes.span, start: 0, end: bytes.count) == .complete(end: bytes.count))
  }

  /// Objects made at random are whole; the same with bytes changed are what a recursive parser says.
  @Test(arguments: UInt64(0)..<300) func agreesWithTheSlowTwin(seed: UInt64) {
    var random = Random(seed: seed)
    let object = Array(random.object(depth: 4).utf8)
    let tail = Array("\n{\"next\":1}\n".utf8)
    #expect(
      EventJSONBoundary.find(in: (object + tail).span, start: 0, end: object.count + tail.count)
        == .complete(end: object.count))
    for _ in 0..<20 {
      var changed = object + tail
      for _ in 0...random.below(3) {
        changed[1 + random.below(changed.count - 1)] = Array("{}[]\",:1 \n\\x".utf8)[random.below(12)]
      }
      let expected = SlowJSON.end(of: changed)
      switch EventJSONBoundary.find(in: changed.span, start: 0, end: changed.count) {
      case .complete(let end): #expect(expected == .whole(end), "\(String(decoding: changed, as: UTF8.self))")
      case .incomplete: #expect(expected == .cut, "\(String(decoding: changed, as: UTF8.self))")
      case .torn(let end):
        #expect(expected == .malformed && end > 0, "\(String(decoding: changed, as: UTF8.self))")
        #expect(end == changed.count || changed[end - 1] == 0x0A)
      case .notAnEvent: #expect(expected == .malformed, "\(String(decoding: changed, as: UTF8.self))")
      case .tooDeep: Issue.record("not that deep")
      }
    }
  }
}

// MARK: Slow twins

/// The XML boundary as a list of rules tried at every byte.
private enum SlowXML {
  static func find(_ text: [UInt8]) -> EventBoundary {
    func has(_ literal: String, _ at: Int) -> Bool { text.dropFirst(at).starts(with: literal.utf8) }
    func isNameByte(_ byte: UInt8) -> Bool {
      let scalar = Unicode.Scalar(byte)
      return scalar.properties.isAlphabetic || "0123456789_-.:".unicodeScalars.contains(scalar)
    }
    func name(_ at: Int) -> String {
      guard at < text.count, Unicode.Scalar(text[at]).properties.isAlphabetic else { return "" }
      return String(decoding: text[at...].prefix(while: isNameByte), as: UTF8.self)
    }
    func local(_ name: String) -> String { String(name.split(separator: ":").last ?? "") }
    func isEventStart(_ at: Int) -> Bool {
      guard has("<", at) else { return false }
      let word = name(at + 1)
      let after = at + 1 + word.utf8.count
      return local(word) == "Event" && after < text.count && " \n>/".utf8.contains(text[after])
    }
    enum Mode: Equatable { case text, tag, quote(UInt8), until(String) }
    var mode = Mode.text
    let own = name(1)
    var isOwnTag = true
    var index = 1 + own.utf8.count
    mode = .tag
    while index < text.count {
      switch mode {
      case .until(let close):
        if has(close, index) {
          index += close.utf8.count
          mode = .text
        } else {
          index += 1
        }
      case .quote(let byte):
        if isEventStart(index) { return .torn(end: index) }
        if text[index] == byte { mode = .tag }
        index += 1
      case .tag:
        if has("<", index) {
          if isOwnTag { return .torn(end: index) }
          mode = .text
          continue
        }
        if has(">", index) {
          if isOwnTag, text[index - 1] == UInt8(ascii: "/") { return .complete(end: index + 1) }
          isOwnTag = false
          mode = .text
        } else if has("'", index) || has("\"", index) {
          mode = .quote(text[index])
        }
        index += 1
      case .text:
        guard has("<", index), index + 1 < text.count else {
          index += 1
          continue
        }
        if has("</", index) {
          let word = name(index + 2)
          var after = index + 2 + word.utf8.count
          while after < text.count, " \n".utf8.contains(text[after]) { after += 1 }
          guard after < text.count else { return .incomplete }
          if text[after] == UInt8(ascii: ">") {
            if word == own { return .complete(end: after + 1) }
            if local(word) == "Events" { return .torn(end: index) }
            after += 1
          }
          index = after
        } else if has("<!--", index) {
          mode = .until("-->")
          index += 4
        } else if has("<![CDATA[", index) {
          mode = .until("]]>")
          index += 9
        } else if has("<!", index) {
          let rest = text[index...]
          let isCut = rest.count < 4 || Array("<![CDATA[".utf8).starts(with: rest)
          return isCut ? .incomplete : .torn(end: index)
        } else if has("<?", index) {
          if text.count - index < 6 { return .incomplete }
          if has("<?xml ", index) { return .torn(end: index) }
          mode = .until("?>")
          index += 2
        } else {
          let word = name(index + 1)
          if word.isEmpty {
            index += 1
            continue
          }
          index += 1 + word.utf8.count
          if index >= text.count { return .incomplete }
          if ["Event", "Events"].contains(local(word)) { return .torn(end: index - 1 - word.utf8.count) }
          mode = .tag
        }
      }
    }
    return .incomplete
  }
}

/// JSON by recursive descent: RFC 8259 with a comma allowed before a closing bracket and tabs within strings, and no
/// member's object at the beginning of a line.
private struct SlowJSON {
  enum Result: Equatable { case whole(Int), cut, malformed }
  private struct Cut: Error {}
  private struct Malformed: Error {}
  private let text: [UInt8]
  private var index = 0

  static func end(of text: [UInt8]) -> Result {
    var parser = SlowJSON(text: text)
    do {
      try parser.value()
      return .whole(parser.index)
    } catch is Cut {
      return .cut
    } catch {
      return .malformed
    }
  }

  private init(text: [UInt8]) { self.text = text }

  private mutating func peek() throws -> UInt8 {
    while index < text.count, " \n\r\t".utf8.contains(text[index]) { index += 1 }
    guard index < text.count else { throw Cut() }
    return text[index]
  }

  private mutating func value(isMember: Bool = false) throws {
    switch try peek() {
    case UInt8(ascii: "{"):
      if isMember, text[index - 1] == UInt8(ascii: "\n") { throw Malformed() }
      index += 1
      while try peek() != UInt8(ascii: "}") {
        try string()
        guard try peek() == UInt8(ascii: ":") else { throw Malformed() }
        index += 1
        try value(isMember: true)
        try separator(before: UInt8(ascii: "}"))
      }
      index += 1
    case UInt8(ascii: "["):
      index += 1
      while try peek() != UInt8(ascii: "]") {
        try value()
        try separator(before: UInt8(ascii: "]"))
      }
      index += 1
    case UInt8(ascii: "\""): try string()
    default:
      let start = index
      while index < text.count, Self.isWord(text[index]) { index += 1 }
      if index == start { throw Malformed() }
    }
  }

  private mutating func separator(before close: UInt8) throws {
    let byte = try peek()
    if byte == UInt8(ascii: ",") { index += 1 } else if byte != close { throw Malformed() }
  }

  private mutating func string() throws {
    guard try peek() == UInt8(ascii: "\"") else { throw Malformed() }
    index += 1
    while index < text.count {
      let byte = text[index]
      index += 1
      if byte == UInt8(ascii: "\"") { return }
      if byte == UInt8(ascii: "\n") { throw Malformed() }
      if byte == UInt8(ascii: "\\") {
        if index < text.count, text[index] == UInt8(ascii: "\n") { throw Malformed() }
        index += 1
      }
    }
    throw Cut()
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    let scalar = Unicode.Scalar(byte)
    return byte < 0x80 && (scalar.properties.isAlphabetic || "0123456789+-.".unicodeScalars.contains(scalar))
  }
}

/// SplitMix64, for seeds that make the same test on every machine.
private struct Random {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func below(_ limit: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((z ^ (z >> 31)) % UInt64(limit))
  }

  mutating func object(depth: Int) -> String {
    let members = (0..<below(5)).map { _ in "\(string()):\(space())\(value(depth: depth - 1))" }
    return "{" + space() + members.joined(separator: space() + ",") + space() + "}"
  }

  private mutating func value(depth: Int) -> String {
    switch below(depth > 0 ? 5 : 3) {
    case 0: return string()
    case 1: return ["1", "-2.5e3", "true", "null"][below(4)]
    case 2: return string()
    case 3: return object(depth: depth)
    default: return "[" + (0..<below(4)).map { _ in value(depth: depth - 1) }.joined(separator: ",") + space() + "]"
    }
  }

  private mutating func string() -> String {
    ["\"\"", "\"a\"", "\"{\"", "\"\\\"}\"", "\"\\\\\"", "\"é\\n[\""][below(6)]
  }
  private mutating func space() -> String { ["", " ", "\n  ", "\r\n\t"][below(4)] }
}
