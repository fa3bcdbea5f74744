import Records
import Testing

@Suite struct TextTests {
  @Test func windows1252IsTheLastResort() {
    #expect(Text.decode(Array("Zertifikat für MP".utf8)) == "Zertifikat für MP")
    #expect(Text.decode([0x5A, 0xFC, 0x72, 0x69, 0x63, 0x68]) == "Zürich")
    #expect(Text.decode([0x80, 0x93, 0x94]) == "€“”")
  }

  @Test(arguments: [
    (#"C:\Windows\CCM\Logs\CcmMessaging.log"#, "CcmMessaging"), ("smsexec.lo_", "smsexec"),
    ("logs/smsexec-20260302-061500.log", "smsexec"), ("W3SVC1/u_ex260302_x.log", "u_ex260302_x"),
    ("smsts.log.1", "smsts"), ("SCClient_CORP@jane_1.log", "SCClient_CORP@jane_1"), ("ERRORLOG", "ERRORLOG"),
    ("ERRORLOG.2", "ERRORLOG"), ("-", "-"), (".hidden", ".hidden"), ("a.b.log", "a.b"),
  ])
  func logNames(path: String, name: String) { #expect(Origin.logName(ofPath: path) == name) }

  @Test func jsonEscapesAreUndone() {
    func unescape(_ text: String) -> String {
      let bytes = Array(text.utf8)
      var out: [UInt8] = []
      JSONScanner.appendUnescaped(bytes.span, start: 0, end: bytes.count, to: &out)
      return String(decoding: out, as: UTF8.self)
    }
    #expect(unescape(#"C:\\Windows\\x \"a\" \u00e9\n\ud83d\ude00"#) == "C:\\Windows\\x \"a\" é\n😀")
    #expect(unescape(#"\ud83d alone"#) == "\u{FFFD} alone")
    #expect(unescape(#"\x \u12 end\"#) == #"\x \u12 end\"#)
  }

  /// Strings are leapt over eight bytes at a time: every length and place of an escape, at every alignment.
  @Test func jsonStringsEndAtTheirQuote() {
    for count in 0..<40 {
      for escape in -1..<count - 1 {
        var body = [UInt8](repeating: 0x78, count: count)
        if escape >= 0 { body.replaceSubrange(escape..<escape + 2, with: [0x5C, escape % 2 == 0 ? 0x22 : 0x5C]) }
        for lead in 0..<8 {
          let text = [UInt8](repeating: 0x20, count: lead) + [0x22] + body + [0x22, 0x22, 0x22]
          var scanner = JSONScanner(start: lead, end: text.count)
          let expected = JSONScanner.Token.string(start: lead + 1, end: lead + 1 + count, isEscaped: escape >= 0)
          #expect(scanner.next(in: text.span) == expected)
          var short = JSONScanner(start: lead, end: lead + 1 + count)
          #expect(short.next(in: text.span) == .malformed(at: lead + 1 + count))
        }
      }
    }
  }

  @Test func jsonNestingIsBounded() {
    let deep = Array((String(repeating: "[", count: 100) + String(repeating: "]", count: 100)).utf8)
    var scanner = JSONScanner(start: 0, end: deep.count)
    var last = JSONScanner.Token.end
    for _ in 0..<200 {
      last = scanner.next(in: deep.span)
      if case .tooDeep = last { break }
    }
    #expect(last == .tooDeep(at: Limits.nestingLimit))
  }

  @Test(arguments: [#"{"a":1,"b":[true,null,"x"],"c":{"d":"e"}}"#, "[]", "{}", #""word""#])
  func wellFormedJSONEnds(text: String) {
    let bytes = Array(text.utf8)
    var scanner = JSONScanner(start: 0, end: bytes.count)
    var count = 0
    while count < 100 {
      let token = scanner.next(in: bytes.span)
      if token == .end { return }
      if case .malformed = token {
        Issue.record("malformed \(text)")
        return
      }
      count += 1
    }
    Issue.record("no end of \(text)")
  }
}
