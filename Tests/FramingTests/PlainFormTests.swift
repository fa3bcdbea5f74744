import CKernels
import Records
import TestSupport
import Testing

/// Records in their plain form go a fast way: it gives what the framing gives record by record.
@Suite struct PlainFormTests {
  private static let messages = [
    "one line", "", "two\r\nlines", "many\n\n$$<\n]LOG]\nlines", "a LOG[ of LOG] things $$", "cost $$<5 of it", "~~",
    String(repeating: "long ", count: 60), String(repeating: "x", count: 185), String(repeating: "y", count: 57),
    "<![LOG", "ends in ]LOG]!", "Log Name: x", "{\"a\":1}", "\t", "\u{E9}",
  ]
  private static let times = [
    "06:15:01.125-60", "06:15:01.125+000", "23:59:60.999-720", "24:00:00.000+0", "06:15:01.125", "6:15:01.125-60",
    "06:15:61.125-60", "06:60:01.125-60", "06:15:01.1-60", "06:15:01.125+9999", "06:15:01.125+", "06:15:01,125-60",
    "06:15:01.125-841", "29:15:01.125-60", "23:15:60.125-60", "06:15:01.125*60", "06:15:01.125-6x", "06:15:01.125-1",
    "06:15:01.125-0600", "0:15:01.1250-60", "06-15-01.125-60",
  ]
  private static let files = [
    "a.cpp:1", "Repair.ps1:12", "", "x.h:77", "x.cc:", "b.inl:12345", "dir\\c.CXX:3", ":4", "cpp:1",
  ]

  private static func record(_ random: inout SeededGenerator) -> String {
    let message = messages.randomElement(using: &random)!
    // Most are plain.
    let isOdd = Int.random(in: 0..<6, using: &random) == 0
    let time = isOdd ? times.randomElement(using: &random)! : times[Int.random(in: 0..<3, using: &random)]
    let components = [
      "CcmExec", "SMS_EXECUTIVE", "A B", "", "x<y", String(repeating: "c", count: 63),
      String(repeating: "c", count: 64),
    ]
    let component = components[isOdd ? Int.random(in: 0..<components.count, using: &random) : 0]
    let end = ["\r\n", "\n", " \r\n", ""][
      isOdd ? Int.random(in: 0..<4, using: &random) : Int.random(in: 0..<2, using: &random)]
    if Int.random(in: 0..<6, using: &random) == 0 {
      return ["x", "text of a line", "Log Name: x", "~", "ends in a tab\t", "LOG", "a\u{B}", "MSWinEventLog\t1"]
        .randomElement(
          using: &random)! + end
    }
    if Bool.random(using: &random) {
      let file = isOdd ? files.randomElement(using: &random)! : "ccmhttp.cpp:1641"
      let date = isOdd ? ["03-02-2026", "3-02-2026", "03-02-20x6"].randomElement(using: &random)! : "03-02-2026"
      let context = isOdd ? ["", "c", "<"].randomElement(using: &random)! : ""
      let type = isOdd ? ["1", "x", "", "12"].randomElement(using: &random)! : "1"
      let thread = isOdd ? ["4840", "", "a<", "48\"40"].randomElement(using: &random)! : "4840"
      return "<![LOG[\(message)]LOG]!><time=\"\(time)\" date=\"\(date)\" component=\"\(component)\" "
        + "context=\"\(context)\" type=\"\(type)\" thread=\"\(thread)\" file=\"\(file)\">\(end)"
    }
    let lead = ["Text ", "~", "*** ", "Msg ", "log "].randomElement(using: &random)!
    let tail = ["  ", "~~  ", "~ ", ""].randomElement(using: &random)!
    let thread =
      isOdd
      ? [
        "<thread=1>", "<thread=12ab (0x1)>", "", "<thread=1 (0x1)", "<thread=1<>", "<thread= >", "<thread=1>>",
        "<threads1 (0x1)>", "<thread=1\(String(repeating: " ", count: 52))>",
      ].randomElement(using: &random)!
      : "<thread=4840 (0x12E8)>"
    return "\(lead)\(message.replacing("\n", with: " "))\(tail)$$<\(component)><03-02-2026 \(time)>\(thread)\(end)"
  }

  private static func log(_ random: inout SeededGenerator) -> [UInt8] {
    var text: [UInt8] = []
    for _ in 0..<Int.random(in: 1...30, using: &random) {
      var bytes = Array(record(&random).utf8)
      if Int.random(in: 0..<8, using: &random) == 0, !bytes.isEmpty {
        // A byte is lost, changed or doubled.
        let place = bytes.indices.randomElement(using: &random)!
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes.remove(at: place)
        case 1: bytes[place] = Array("<>\"$[]LOG\n0a".utf8).randomElement(using: &random)!
        default: bytes.insert(bytes[place], at: place)
        }
      }
      text += bytes
    }
    return text
  }

  @Test(arguments: UInt64(0)..<300) func plainRecordsAreThoseOfTheSlowWay(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<6 {
      let text = PlainFormTests.log(&random)
      for limit in [Limits.recordByteLimit, 300] {
        let fast = framed(text, recordByteLimit: limit)
        let slow = framed(text, recordByteLimit: limit, usesPlainForms: false)
        if fast != slow {
          for (left, right) in zip(fast.records, slow.records) where left != right {
            Issue.record("limit \(limit): \(left) is \(right)")
            break
          }
          Issue.record("limit \(limit): \(Text.decode(text).debugDescription)")
          return
        }
      }
    }
  }

  private static let others = [
    "#Fields: date time c-ip", "#Fields: time c-ip", "#Fields: c-ip date", "#Date: 2026-03-03 00:00:00",
    "2026-03-02 06:00:00 10.0.0.1", "2026-03-02\t06:00:00 x", "2026-03-02 06:00:00.1 y", "06:00:00 10.0.0.1",
    "2026-03-02 ", "10.0.0.1 2026-03-02",
    #"{"EventTime":"2026-03-02 06:00:00","EventID":36874,"SourceName":"Schannel","Channel":"System"}"#,
    #"{"EventTime":"2026-03-02 06:00:07","EventID":1,"SourceName":"Other","Channel":"System"}"#,
  ]

  /// The same behind envelopes, where lines have origins of their own, between rows and events.
  @Test(arguments: UInt64(0)..<300) func alsoBehindEnvelopes(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var text: [UInt8] = []
    let hostCount = Int.random(in: 1...3, using: &random)
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      for line in PlainFormTests.log(&random).split(separator: 0x0A) {
        func envelope() -> [UInt8] {
          if Int.random(in: 0..<6, using: &random) == 0 { return [] }
          let host = "h\(Int.random(in: 0..<hostCount, using: &random))"
          return Array("<13>1 2026-03-02T06:00:00Z \(host) CcmExec - - - ".utf8)
        }
        text += envelope() + line + [0x0A]
        while Bool.random(using: &random) {
          text += envelope() + Array(PlainFormTests.others.randomElement(using: &random)!.utf8) + [0x0A]
        }
      }
    }
    // What stands at the very end is left to the slow way.
    if seed % 2 == 0 { text += Array(String(repeating: "a line at the end of it all\n", count: 50).utf8) }
    #expect(framed(text) == framed(text, usesPlainForms: false), "\(Text.decode(text).debugDescription)")
  }

  /// That the fast way is taken at all: of ordinary records it leaves only those at the very end of the text.
  @Test func ordinaryRecordsGoTheFastWay() {
    let record =
      "<![LOG[Message delivered]LOG]!><time=\"06:15:01.125-60\" date=\"03-02-2026\" component=\"CcmExec\" context=\"\" "
      + "type=\"1\" thread=\"4840\" file=\"ccmhttp.cpp:1641\">\r\n"
    let line = "Waiting for changes~  $$<SMS_EXECUTIVE><03-02-2026 06:15:01.125-60><thread=4840 (0x12E8)>\r\n"
    for level in 0..<hk_level_count() where hk_level(level) != nil {
      #expect(runs(Array(String(repeating: record, count: 50).utf8), level: level, isCMTrace: true).count >= 48)
      #expect(runs(Array(String(repeating: line, count: 50).utf8), level: level, isCMTrace: false).count >= 48)
    }
  }

  private struct Found: Equatable {
    var line, start, messageStart, messageEnd, end: UInt32
    var bias: Int16
    var format: UInt8
  }

  private func runs(_ text: [UInt8], level: Int, isCMTrace: Bool) -> [Found] {
    let ends = text.indices.filter { text[$0] == 0x0A }.map { UInt32($0) }
    // The text stands at the very end of its memory, so that AddressSanitizer sees a byte too many.
    let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, text.count))
    defer { bytes.deallocate() }
    bytes.initialize(from: text, count: text.count)
    var out = [hk_record](repeating: hk_record(), count: 64)
    var found: [Found] = []
    for line in ends.indices {
      var run = hk_plain_run(line: line, joins: 1, limit: 4096, origin: 0, bias: .min, unframed_count: 0)
      let count =
        isCMTrace
        ? hk_cmtrace_run_at(level, bytes, text.count, ends, ends.count, &run, &out, out.count)
        : hk_simple_run_at(level, bytes, text.count, ends, ends.count, &run, &out, out.count)
      for record in out[..<count] {
        found.append(
          Found(
            line: record.line, start: record.start, messageStart: record.message_start, messageEnd: record.message_end,
            end: record.end, bias: record.known_bias, format: record.format))
      }
      if line == 0, count == ends.count { break }
    }
    return found
  }

  @Test(arguments: UInt64(0)..<100) func everyLevelFindsTheSame(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let text = PlainFormTests.log(&random)
    for isCMTrace in [true, false] {
      let portable = runs(text, level: 0, isCMTrace: isCMTrace)
      for level in 1..<hk_level_count() where hk_level(level) != nil {
        #expect(runs(text, level: level, isCMTrace: isCMTrace) == portable, "\(String(cString: hk_level(level)))")
      }
    }
  }

  /// The marks at every level against looking for each.
  @Test(arguments: UInt64(0)..<100) func marksStandWhereTheyAre(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var text: [UInt8] = []
    for _ in 0..<Int.random(in: 0...60, using: &random) {
      text += Array(
        ["<![LOG[", "]LOG]!>", "$$<", "$", "LOG", "<![LOG", "LOG]!>", "]", "text ", "\n", "$$$<"].randomElement(
          using: &random)!.utf8)
    }
    let marks: [[UInt8]] = ["<![LOG[", "]LOG]!>", "$$<"].map { Array($0.utf8) }
    let wanted = marks.map { mark in
      text.indices.filter { text[$0...].starts(with: mark) }.map { UInt32($0) }
    }
    for level in 0..<hk_level_count() where hk_level(level) != nil {
      let lists = (0..<3).map { _ in UnsafeMutablePointer<UInt32>.allocate(capacity: 1024) }
      defer { lists.forEach { $0.deallocate() } }
      var found = [0, 0, 0]
      let out: [UnsafeMutablePointer<UInt32>?] = lists
      #expect(hk_marks_at(level, text, 0, text.count, out, &found, 1024) == text.count)
      for kind in 0..<3 {
        #expect(
          Array(UnsafeBufferPointer(start: lists[kind], count: found[kind])) == wanted[kind], "\(kind) at \(level)")
      }
    }
  }

  /// The trailers of candidates, read at once, against the readers byte by byte.
  @Test(arguments: UInt64(0)..<200) func trailersSayWhatTheReadersSay(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<20 {
      let text = Array(PlainFormTests.record(&random).utf8)
      var trailer = hk_trailer()
      if let close = text.indices.first(where: { text[$0...].starts(with: "]LOG]!>".utf8) }) {
        let from = close + 7
        guard hk_cmtrace_trailer(text, from, text.count, &trailer) != 0 else { continue }
        #expect(CMTraceAttributes.end(text.span, from: from, to: text.count) == Int(trailer.end))
        #expect(CMTraceAttributes.isNative(text.span, to: Int(trailer.end)) == (trailer.is_native != 0))
        var position = from + 1
        while let attribute = CMTraceAttributes.next(text.span, position: &position, to: text.count) {
          let value = Text.decode(Array(text[attribute.value]))
          switch Text.decode(Array(text[attribute.name])) {
          case "time":
            let clock = ClockReading(text.span, from: attribute.value.lowerBound, to: attribute.value.upperBound)
            #expect(clock?.hour == Int(trailer.hour) && clock?.minute == Int(trailer.minute), "\(value)")
            #expect(clock?.second == Int(trailer.second) && clock?.microsecond == Int(trailer.microsecond), "\(value)")
            #expect(clock?.bias == (trailer.has_bias != 0 ? Int(trailer.bias) : nil), "\(value)")
          case "date":
            let told = value.split(separator: "-").map { Int($0) }
            #expect(told == [Int(trailer.month), Int(trailer.day), Int(trailer.year)], "\(value)")
          case "component":
            #expect(attribute.value == Int(trailer.component_start)..<Int(trailer.component_end), "\(value)")
          case "thread": #expect(attribute.value == Int(trailer.thread_start)..<Int(trailer.thread_end), "\(value)")
          default: break
          }
        }
      } else if let mark = text.indices.first(where: { text[$0...].starts(with: "$$<".utf8) }) {
        guard hk_simple_trailer(text, mark, text.count, &trailer) != 0 else { continue }
        let slow = SimpleTrailer(text.span, at: mark, to: text.count)
        #expect(slow?.end == Int(trailer.end))
        #expect(slow?.component == Int(trailer.component_start)..<Int(trailer.component_end))
        #expect(slow?.thread == Int(trailer.thread_start)..<Int(trailer.thread_end))
        #expect(slow?.clock.microsecond == Int(trailer.microsecond) && slow?.clock.second == Int(trailer.second))
        #expect(slow?.clock.bias == (trailer.has_bias != 0 ? Int(trailer.bias) : nil))
        #expect(slow?.time.year == Int(trailer.year) && slow?.time.day == Int(trailer.day))
      }
    }
  }
}
