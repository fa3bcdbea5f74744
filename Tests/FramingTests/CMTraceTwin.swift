import Framing
import Records
import TestSupport
import Testing

/// CMTrace framing as the grammar says it, over the whole text and without haste.
///
/// Every `<![LOG[` opens a record, which has all text up to the next one. If `]LOG]!>` stands in there, the first is its
/// close, and attributes must follow on the same line. What is left of each line is a record without a head when it
/// holds a `]LOG]!>`.
/// Source: CMTrace's scanf form and the reference regex of the format notes, read anew.
private enum CMTraceTwin {
  struct Record: Hashable, CustomStringConvertible {
    var start: Int
    var end: Int
    var messageStart: Int
    var messageEnd: Int
    var isTorn: Bool
    var description: String { "\(start)…\(end) message \(messageStart)…\(messageEnd) \(isTorn ? "torn" : "whole")" }
  }

  static func records(_ text: [UInt8]) -> [Record] {
    let open = Array("<![LOG[".utf8)
    let close = Array("]LOG]!>".utf8)
    var records: [Record] = []
    let opens = text.indices.filter { text[$0...].starts(with: open) }
    /// Bytes that records with a head have taken.
    var taken = [Bool](repeating: false, count: text.count)
    for (number, start) in opens.enumerated() {
      let limit = number + 1 < opens.count ? opens[number + 1] : text.count
      let messageStart = start + 7
      var record = Record(start: start, end: limit, messageStart: messageStart, messageEnd: limit, isTorn: true)
      if let found = first(close, text, messageStart, limit) {
        let lineEnd = min(limit, contentEnd(text, found))
        record.messageEnd = found
        let attributes = attributesEnd(text, found + 7, lineEnd)
        record.end = attributes ?? lineEnd
        record.isTorn = attributes == nil
      } else {
        while record.end > messageStart, [0x20, 0x09, 0x0D, 0x0A].contains(text[record.end - 1]) { record.end -= 1 }
        record.messageEnd = record.end
        // It was looked for everywhere up to here.
        for index in start..<limit { taken[index] = true }
      }
      for index in start..<record.end { taken[index] = true }
      records.append(record)
    }
    var index = 0
    while index < text.count {
      if taken[index] || [0x20, 0x09, 0x0D, 0x0A, 0].contains(text[index]) {
        index += 1
        continue
      }
      // A piece without a head: up to the end of the line or the next record.
      var stop = index
      while stop < text.count, !taken[stop], text[stop] != 0x0A { stop += 1 }
      stop = min(stop, max(index, contentEnd(text, index)))
      if let found = first(close, text, index, stop) {
        let attributes = attributesEnd(text, found + 7, stop)
        records.append(
          Record(start: index, end: attributes ?? stop, messageStart: index, messageEnd: found, isTorn: true))
        index = attributes ?? stop
      } else {
        index = max(stop, index + 1)
      }
    }
    return records.sorted { $0.start < $1.start }
  }

  private static func first(_ literal: [UInt8], _ text: [UInt8], _ from: Int, _ to: Int) -> Int? {
    guard from + literal.count <= to else { return nil }
    return (from...to - literal.count).first { text[$0...].starts(with: literal) }
  }

  /// The end of the line at `position`, without the blanks before it.
  private static func contentEnd(_ text: [UInt8], _ position: Int) -> Int {
    var end = text[position...].firstIndex(of: 0x0A) ?? text.count
    while end > position, [0x20, 0x09, 0x0D].contains(text[end - 1]) { end -= 1 }
    return end
  }

  /// `<( *name=("[^"]*"|'[^']*'))+ *>`
  private static func attributesEnd(_ text: [UInt8], _ from: Int, _ to: Int) -> Int? {
    guard from < to, text[from] == UInt8(ascii: "<") else { return nil }
    var index = from + 1
    var count = 0
    func skipBlanks() { while index < to, text[index] == 0x20 || text[index] == 0x09 { index += 1 } }
    while true {
      skipBlanks()
      let name = text[index..<to].prefix { "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_".utf8.contains($0) }
      guard !name.isEmpty else { break }
      let sign = name.endIndex
      guard sign + 1 < to, text[sign] == UInt8(ascii: "="), [0x22, 0x27].contains(text[sign + 1]),
        let quote = text[(sign + 2)..<to].firstIndex(of: text[sign + 1])
      else { return nil }
      index = quote + 1
      count += 1
    }
    return count > 0 && index < to && text[index] == UInt8(ascii: ">") ? index + 1 : nil
  }
}

@Suite struct CMTraceTwinTests {
  /// Text of parts of records, in any order.
  private static func text(_ random: inout SeededGenerator) -> [UInt8] {
    let fragments = [
      "<![LOG[", "<![LOG[", "<![LOG[", "]LOG]!>", "]LOG]!>", "]LOG]!>", "\n", "\n", "\r\n", " \r\n", "message", "a b",
      "]", "<", ">", "\"", "'", "LOG", " ", "\t", "]LOG]", "]LOG]!", "<![LOG", "\u{E9}",
      "<time=\"06:15:01.125-60\" date=\"03-02-2026\" component=\"A\" context=\"\" type=\"1\" thread=\"1\" file=\"a.cpp:1\">",
      "<time=\"06:15:01.125\" date=\"03-02-2026\">", "<time='06:15:01.125'  type='1' >", "<time=\"06:15:01.1",
      "date=\"x>\"",
      "<>", "<a=\"]LOG]!>\">", "<a=\"<![LOG[\">",
    ]
    var text = ""
    for _ in 0..<Int.random(in: 1...80, using: &random) { text += fragments.randomElement(using: &random)! }
    return Array(text.utf8)
  }

  @Test(arguments: UInt64(0)..<300) func framesAsTheGrammarSays(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<10 {
      let text = CMTraceTwinTests.text(&random)
      let expected = CMTraceTwin.records(text)
      var found: [CMTraceTwin.Record] = []
      _ = framed(text) { _, _, batch in
        found = batch.records.filter { $0.format == .cmtrace }.map {
          CMTraceTwin.Record(
            start: Int($0.start), end: Int($0.end), messageStart: Int($0.messageStart), messageEnd: Int($0.messageEnd),
            isTorn: $0.isTorn)
        }
      }
      #expect(found == expected, "\(String(decoding: text, as: UTF8.self).debugDescription)")
    }
  }
}
