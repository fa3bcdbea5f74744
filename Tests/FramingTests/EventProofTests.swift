import CKernels
import Framing
import Records
import Testing
import TestSupport

// What the bit masks prove, the byte-by-byte reader must confirm, at every level of the processor.

private let xmlLines = [
  "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Schannel' Guid=\"{1}\"/>"
    + "<EventID>36880</EventID><Version>0</Version><Correlation/><Computer>mp01</Computer><Security UserID='S-1-5-18'/>"
    + "</System><UserData><EventXML xmlns='LSA_NS'><Type>server isn't \"it\"</Type></EventXML></UserData></Event>",
  "<Event><System><EventID>1</EventID></System><EventData><Data Name=\"a\">C:\\Events\\Eventlog</Data></EventData></Event>",
]
private let jsonLines = [
  #"{"EventTime":"2026-03-02 06:00:00","Keywords":-9223372036854775808,"EventID":7036,"Message":"a \"b\" c:\\d {,}[]","#
    + #""param1":"","list":["x",1,[],{"a":true}],"winlog":{"event_data":{"AlertDesc":"40"},"o":{}},"n":null,"e":1.5E+3}"#,
  #"{"a":"\\\\","b":"\\\"","c":[{"d":[1,2,{"e":[]}]},"f"],"g":"äöü: , }"}"#,
  "{}",
]

/// The proof at `level` over `line`, with nothing else to read behind it than `slack`.
private func proof(
  _ kernel: (Int, UnsafePointer<UInt8>, Int, Int) -> Int, _ level: Int, _ line: [UInt8], slack: [UInt8] = []
) -> Int {
  let bytes = line + slack
  return bytes.withUnsafeBufferPointer { kernel(level, $0.baseAddress!, line.count, bytes.count) }
}

private func json(_ level: Int, _ line: [UInt8], slack: [UInt8] = []) -> Int {
  proof(hk_json_object_at, level, line, slack: slack)
}

private func xml(_ level: Int, _ line: [UInt8], slack: [UInt8] = []) -> Int {
  proof(hk_xml_event_at, level, line, slack: slack)
}

private let levels = (0..<hk_level_count()).filter { hk_level($0) != nil }

/// A line with some bytes replaced, doubled or taken out, mostly by ones that mean something.
private func damaged(_ line: String, _ random: inout SeededGenerator) -> [UInt8] {
  var bytes = Array(line.utf8)
  let meaningful = Array("\"\\{}[]:,<>/'! EventEvents\tx1".utf8)
  for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
    let at = Int.random(in: 0..<bytes.count, using: &random)
    switch Int.random(in: 0..<5, using: &random) {
    case 0: bytes.remove(at: at)
    case 1: bytes.insert(meaningful.randomElement(using: &random)!, at: at)
    case 2: bytes[at] = UInt8.random(in: 0...255, using: &random)
    case 3:
      bytes.insert(
        contentsOf: Array(["</Event>", "<Event>", "</Data>", "{}", "\"\""].randomElement(using: &random)!.utf8), at: at)
    default: bytes[at] = meaningful.randomElement(using: &random)!
    }
  }
  return bytes.map { $0 == 0x0A ? 0x20 : $0 }
}

@Suite struct EventProofTests {
  @Test func plainLinesAreProved() {
    for level in levels {
      for line in xmlLines {
        #expect(xml(level, Array(line.utf8)) == line.utf8.count)
        #expect(xml(level, Array((line + "\r").utf8), slack: Array((line + "\n").utf8)) == line.utf8.count)
        #expect(xml(level, Array((line + line).utf8)) == line.utf8.count)
      }
      for line in jsonLines {
        #expect(json(level, Array(line.utf8)) == line.utf8.count)
        #expect(json(level, Array((line + "\r").utf8), slack: Array((line + "\n").utf8)) == line.utf8.count)
        #expect(json(level, Array((line + line).utf8)) == line.utf8.count)
      }
    }
  }

  @Test(arguments: [
    "<Event><!-- </Event> --></Event>", "<Event><![CDATA[</Event>]]></Event>", "<Event/></Event>",
    "<Event a=\"</Event>\"></Event>", "<Event a='x\"y' b=\"z\"></Event>", "<Event><Event></Event>",
    "<Event></Events></Event>", "<Event><a b='></Event>", "<Events></Event>", "<EventID></Event>", "<Event", "<Event>",
    "<Event></Event", "<Event><a><b</a></Event>", "<Event a='/></Event>'/>",
    "<Event>" + String(repeating: "<a>", count: 64) + "</Event>",
  ])
  func whatIsNotPlainIsLeftToTheReader(line: String) {
    for level in levels { #expect(xml(level, Array(line.utf8)) == 0) }
  }

  @Test(arguments: [
    #"{"a": 1}"#, #"{"a":1,}"#, #"{"a" "b"}"#, #"{"a":"b}"#, #"{"a":"b"x}"#, #"{"a"}"#, #"{"a":}"#, #"{"a":1:2}"#,
    #"{a:1}"#, #"{"a":["b":1]}"#, #"{"a":{"b"}}"#, #"{"a":[1}"#, #"{"a":1]"#, #"{"a":\"b"}"#, #"{"a":1"b":2}"#, "{",
    "[]",
    #"{"a":"b":"c"}"#, #"{"a","b":1}"#, #"{"a":[1,,2]}"#, #"{"a":{1}}"#, #"{"a":€}"#,
    "{\"a\":" + String(repeating: "[", count: 63) + String(repeating: "]", count: 63) + "}",
  ])
  func whatIsNotPlainIsLeftToTheReader(json line: String) {
    for level in levels { #expect(json(level, Array(line.utf8)) == 0) }
  }

  @Test(arguments: UInt64(0)..<2000) func theReaderConfirmsEveryProof(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    // Padding moves what matters over the edges of the blocks.
    let padding = String(repeating: "p", count: Int.random(in: 0..<130, using: &random))
    let slack =
      Array("\n<Event>{\"a\":1}</Event>\n".utf8) + [UInt8](repeating: 0, count: Int.random(in: 0..<80, using: &random))
    let event = xmlLines.randomElement(using: &random)!.replacing("</EventID>", with: padding + "</EventID>")
    let line = damaged(event, &random)
    let end = xml(levels[0], line)
    for level in levels {
      #expect(xml(level, line) == end)
      #expect(xml(level, line, slack: slack) == end)
    }
    if end != 0 {
      #expect(EventXMLBoundary.find(in: line.span, start: 0, end: line.count) == .complete(end: end))
      #expect(
        EventXMLBoundary.find(in: (line + slack).span, start: 0, end: line.count + slack.count) == .complete(end: end))
    }

    let object = jsonLines.randomElement(using: &random)!.replacing("\"a", with: "\"" + padding + "a")
    let text = damaged(object, &random)
    let objectEnd = json(levels[0], text)
    for level in levels {
      #expect(json(level, text) == objectEnd)
      #expect(json(level, text, slack: slack) == objectEnd)
    }
    if objectEnd != 0 {
      #expect(EventJSONBoundary.find(in: text.span, start: 0, end: text.count) == .complete(end: objectEnd))
    }
  }

  @Test func stopsAreTheFirstOfTheirBytes() {
    var random = SeededGenerator(seed: 1)
    for _ in 0..<2000 {
      let count = Int.random(in: 0..<200, using: &random)
      var bytes = (0..<count).map { _ in UInt8.random(in: 0x30...0x3B, using: &random) }
      if count > 0, Bool.random(using: &random) {
        bytes[Int.random(in: 0..<count, using: &random)] = [0x22, 0x5C, 0x0A, 0x27, 0x3C, 0x3E].randomElement(
          using: &random)!
      }
      let string = bytes.firstIndex { $0 == 0x22 || $0 == 0x5C || $0 == 0x0A } ?? count
      let tag = bytes.firstIndex { $0 == 0x22 || $0 == 0x27 || $0 == 0x3C || $0 == 0x3E } ?? count
      bytes.withUnsafeBufferPointer { raw in
        for level in levels {
          #expect(hk_json_string_stop_at(level, raw.baseAddress, count) == string)
          #expect(hk_xml_tag_stop_at(level, raw.baseAddress, count) == tag)
        }
      }
    }
  }
}
