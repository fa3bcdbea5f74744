import Journal
import Records
import Testing

@Suite struct EntryTests {
  private static let id = MessageID(incident: "i", sequence: 1)

  @Test(arguments: [
    "", "_PID", "message", "HANDSHAKED_TLS12", "A B", "A=B", "Ä", "A\nB", String(repeating: "A", count: 65),
  ])
  func namesThatTheJournalDropsAreRefused(name: String) {
    #expect(throws: JournalEntryFault.fieldName(name)) {
      try JournalEntry(id: EntryTests.id, fields: [("MESSAGE", "m"), (name, "value")])
    }
  }

  @Test func sizesAreBounded() throws {
    let plain = try JournalEntry(
      id: EntryTests.id, fields: [("MESSAGE", "m"), ("HANDSHAKED_INCIDENT", "of somebody else")])
    #expect(plain.fieldCount == 4 && plain.cutCount == 0)
    let many = try JournalEntry(id: EntryTests.id, fields: (0..<500).map { ("HANDSHAKED_EVIDENCE", "\($0)") })
    #expect(many.fieldCount == JournalLimits.fieldCount && many.cutCount == 303)
    let long = try JournalEntry(id: EntryTests.id, fields: [("MESSAGE", String(repeating: "€", count: 10_000))])
    #expect(long.cutCount == 1 && long.byteCount < JournalLimits.valueByteCount + 200)
    let large = try JournalEntry(
      id: EntryTests.id, fields: (0..<100).map { ("MESSAGE", String(repeating: "x", count: 10_000) + "\($0)") })
    #expect(large.byteCount <= JournalLimits.entryByteCount && large.cutCount > 80)
  }
}
