import Records
import TestSupport
import Testing

@Suite struct HostileTests {
  /// A text that begins like a record over and over, and what comes of each of its units.
  struct Flood: CustomStringConvertible, Sendable {
    var unit: String
    var description: String { unit.debugDescription }
  }

  /// Bytes of a flood; an unoptimised build reads some 100 times slower.
  #if DEBUG
    static let byteCount = 32 * 1024
  #else
    static let byteCount = 1024 * 1024
  #endif

  static let floods = [
    "<![LOG[", "]LOG]!>", "$$<", "$$<A", "$$<A><", "{\"a\":[\n", "{\"a\":\n", "{\n", "{", "[\n", "{\"a\":[\n\"x",
    "{\"a\":\"\n",
    "<Event \n", "<Event >\n", "<Event a='\n", "<Events \n", "<Events a='\n", "<!--\n", "<?xml \n", "<!DOCTYPE\n",
    "- <", "- <Event \n",
    "<Event><![CDATA[\n", "<Event><!--\n", "<a:Event>\n", "<![LOG[m]LOG]!><time=\"1\">x", "<![LOG[m]LOG]!><time=\"1\"",
    "<![LOG[m]LOG]!><a=' b='", "<![LOG[m]LOG]!><a=' b=' c=\"", "<![LOG[m\n", "x<![LOG[", "x]LOG]!><time='1'>",
    "x]LOG]!><time='1'>$$<", "a $$<A>]LOG]!>", "\0", "\0\n", "\0x\n",
    "\u{FEFF}", "\u{FEFF}\n", " ", "\n", "#Fields: a\n", "#Date: 2026-03-02\n",
    "2026-03-02 06:00:00 10.1.2.3 1 2 3 4\n",
    "a $$<A><03-02-2026 06:15:01.125><thread=1>", "a $$<A><03-02-2026 06:15:01.125><thread=1>      ", "],", "}\n",
    "</Events>\n", "x]LOG]!>$$<A><03-02-2026 06:15:01.125>", "$$<A><03-02-2026 06:15:01.125>]LOG]!>",
    "<![LOG[$$<]LOG]!>", "a $$<A><03-02-2026 06:15:01.125><thread=1>]LOG]!><a=\" b='",
  ].map { Flood(unit: $0) }

  private func stream(_ flood: Flood, byteCount: Int) -> [UInt8] {
    let unit = Array(flood.unit.utf8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(byteCount)
    while bytes.count + unit.count <= byteCount { bytes += unit }
    return bytes
  }

  /// Twice as much makes about twice as many records, rows and skips. At the release size a framing in quadratic time
  /// takes minutes here instead of a second.
  @Test(arguments: floods) func floodsAreReadInTimeAndOnePieceAfterTheOther(flood: Flood) {
    let half = framed(stream(flood, byteCount: HostileTests.byteCount / 2))
    let whole = framed(stream(flood, byteCount: HostileTests.byteCount))
    func size(_ result: Framed) -> Int {
      result.records.count + result.rows.count + result.skips.count + Int(result.markerCount)
    }
    #expect(size(whole) <= 2 * size(half) + 8)
    #expect(size(whole) >= size(half))
  }

  /// The same in front of blanks, behind an envelope, and inside one.
  @Test(arguments: floods) func floodsInOtherPlaces(flood: Flood) {
    let inner = stream(flood, byteCount: HostileTests.byteCount / 4)
    let blanks = [UInt8](repeating: 0x20, count: HostileTests.byteCount / 2)
    let envelope = Array("<13>1 - h app - - - text\n".utf8)
    let plain = framed(inner).records.count
    #expect(framed(inner + blanks).records.count >= plain / 2)
    #expect(framed(envelope + inner).records.count >= plain / 2)
    let payload = inner.flatMap { byte -> [UInt8] in
      switch byte {
      case 0x0A: Array("\\n".utf8)
      case 0x22: Array("\\\"".utf8)
      case 0: Array("\\u0000".utf8)
      default: [byte]
      }
    }
    let forwarded = Array(#"{"log":{"file":{"path":"/a.log"}},"message":""#.utf8) + payload + Array("\"}\n".utf8)
    #expect(framed(forwarded).records.allSatisfy { $0.line == 1 && $0.origin.path == "/a.log" })
  }

  @Test func manySchemasAreBounded() {
    let count = Limits.schemaLimit + 500
    let text = (0..<count).map { "#Fields: date time c\($0)\n2026-03-02 06:00:00 1\n" }.joined()
    let result = framed(Array(text.utf8))
    #expect(result.rows.count == Limits.schemaLimit)
    #expect(result.skips.count { $0.reason == .nameLimit } == 500)
    #expect(result.records.count == 500, "a row whose columns are not known is a line")
  }

  @Test(arguments: UInt64(0)..<500) func everyByteHasItsPlace(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var bytes = RandomLog.bytes(&random)
    if seed % 2 == 0 {
      let alphabet = Array("<![LOG[]LOG]!>{}\"':,$$<>#Fields: -\n\n\n\r 0123Event/".utf8) + [0, 0xEF, 0xBB, 0xBF, 0xFF]
      for _ in 0..<Int.random(in: 1...200, using: &random) {
        let index = Int.random(in: 0...bytes.count, using: &random)
        bytes.insert(alphabet.randomElement(using: &random)!, at: index)
      }
    }
    if seed % 5 == 0 { bytes = (0..<2000).map { _ in UInt8.random(in: 0...255, using: &random) } }
    let result = framed(bytes)
    let rest = result.uncovered(in: bytes + [0x0A])
    #expect(marks(rest.map(\.bytes)), "\(rest.map { String(decoding: $0.bytes, as: UTF8.self) })")
    // Records and rows ascend and do not overlap.
    let places = (result.records.map { ($0.offset, $0.end) } + result.rows.map { ($0.offset, $0.end) }).sorted {
      $0 < $1
    }
    #expect(zip(places, places.dropFirst()).allSatisfy { $0.1 <= $1.0 })
    #expect(result.records.filter(\.isTorn).count == result.skips.filter { $0.reason == .tornRecord }.count)
    let lines = [0] + bytes.indices.filter { bytes[$0] == 0x0A }
    #expect(result.records.allSatisfy { record in record.offset >= lines[record.line - 1] })
  }

  /// Whether the text consists of directives, rotation marks and what stands around events.
  private func marks(_ lines: [[UInt8]]) -> Bool {
    var rest = Array(lines.joined(separator: [0x0A]))[...]
    func drop(through close: String) -> Bool {
      let wanted = Array(close.utf8)
      var quote: UInt8?
      while let next = rest.first {
        // A `>` in a quoted value does not end a tag.
        if close == ">", next == 0x22 || next == 0x27, quote == nil || quote == next {
          quote = quote == nil ? next : nil
        } else if quote == nil, rest.starts(with: wanted) {
          rest.removeFirst(wanted.count)
          return true
        }
        rest.removeFirst()
      }
      return close == "\n"
    }
    let marks: [(open: String, close: String)] = [
      ("#", "\n"), ("<MAXIMUM LOG FILE SIZE REACHED", "\n"), ("<!--", "-->"), ("<?xml", "?>"), ("<!DOCTYPE", ">"),
      ("<Events", ">"), ("</Events", ">"), ("-", ""), ("[", ""), ("]", ""), (",", ""), (" ", ""), ("\t", ""),
      ("\r", ""),
      ("\n", ""), ("\u{FEFF}", ""),
    ]
    while !rest.isEmpty {
      guard let mark = marks.first(where: { rest.starts(with: Array($0.open.utf8)) }) else { return false }
      rest.removeFirst(mark.open.utf8.count)
      guard mark.close.isEmpty || drop(through: mark.close) else { return false }
    }
    return true
  }
}
