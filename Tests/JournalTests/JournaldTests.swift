import Foundation
import Journal
import TestSupport
import Testing

/// With a real journald, in namespaces of its own.
@Suite(.serialized) struct JournaldTests {
  private static let probe = Executable.path(of: "journal-probe")

  /// Runs the script with the probe as `$1`, and the entries that are in the journal then.
  private func run(_ script: String, test: String = #function) throws -> (facts: [String], entries: [[String: Any]])? {
    let all =
      script + "; echo ENTRIES; journalctl --sync; journalctl --quiet --output=json --all --identifier=handshaked"
    guard let run = try Journald.run(all, arguments: [JournaldTests.probe], test: test) else { return nil }
    #expect(run.status == 0, "\(run.output.prefix(2000))\(run.error)")
    let parts = run.output.components(separatedBy: "ENTRIES\n")
    let entries = try (parts.count > 1 ? parts[1] : "").split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
    return (parts[0].split(separator: "\n").map(String.init), entries)
  }

  /// The sequences of the messages, without barriers.
  private func sequences(_ entries: [[String: Any]]) -> [Int] {
    entries.compactMap { ($0["HANDSHAKED_SEQUENCE"] as? String).flatMap { Int($0) } }
  }

  private func expectOnce(_ entries: [[String: Any]], _ count: Int) {
    let found = sequences(entries)
    #expect(found.count == count)
    #expect(Set(found).count == count, "a message is there twice")
  }

  @Test func entriesArriveWithAllFields() throws {
    guard let (facts, entries) = try run("\"$1\" entries") else { return }
    #expect(facts.last == "confirmed 4 each once true, waiting 0")
    #expect(sequences(entries) == [1, 2, 3, 4])
    guard entries.count == 4 else { return }
    let first = entries[0]
    #expect(first["MESSAGE"] as? String == "message 1")
    #expect(first["PRIORITY"] as? String == "4")
    #expect(first["MESSAGE_ID"] as? String == "6d3b0f1d9e8f4f0cb6b0a3b1c2d3e4f5")
    #expect(first["HANDSHAKED_INCIDENT"] as? String == "incident-1")
    #expect(first["HANDSHAKED_REMEDY"] as? String == "first line\nsecond = line\n")
    #expect((first["HANDSHAKED_CLIENT"] as? [String])?.sorted() == ["PC-1", "PC-2"])
    #expect(first["CODE_FILE"] == nil && first["CODE_LINE"] == nil)
    let long = entries[1]["HANDSHAKED_REMEDY"] as? String ?? ""
    #expect(long.hasSuffix("ä…") && long.utf8.count <= JournalLimits.valueByteCount)
    #expect((entries[2]["HANDSHAKED_EVIDENCE"] as? [String])?.count == JournalLimits.fieldCount - 6)
    #expect((entries[3]["HANDSHAKED_EVIDENCE"] as? [String])?.count == 9)
  }

  @Test func aStalledJournalBlocksNobodyAndLosesNothing() throws {
    guard let (facts, entries) = try run("\"$1\" stall 300") else { return }
    #expect(!facts.contains("blocked true"))
    #expect(facts.contains("health stalled") && facts.contains("full at \(JournalLimits.waitingEntryCount)"))
    #expect(facts.contains("confirmed \(JournalLimits.waitingEntryCount + 1) each once true, waiting 0"))
    #expect(facts.last == "health ready")
    expectOnce(entries, JournalLimits.waitingEntryCount + 1)
  }

  @Test func aKilledJournalIsWaitedForAndWhatItLostIsSentAgain() throws {
    guard let (facts, entries) = try run("\"$1\" restart") else { return }
    #expect(facts.last == "health ready" && facts.contains("confirmed 60 each once true, waiting 0"), "\(facts)")
    expectOnce(entries, 60)
  }

  @Test func aMissingSocketIsSeen() throws {
    guard let (facts, entries) = try run("\"$1\" missing") else { return }
    #expect(facts.contains("health missing") && facts.last == "health ready", "\(facts)")
    expectOnce(entries, 20)
  }

  @Test func aCrashDoublesNothing() throws {
    guard let (facts, entries) = try run("\"$1\" crash 200 70 || true; \"$1\" resume 200") else { return }
    #expect(facts.last == "confirmed 200 each once true, waiting 0", "\(facts)")
    expectOnce(entries, 200)
  }

  /// The messages of the process that crashed lie in the socket and are in no file: looking them up finds nothing.
  @Test func aCrashBeforeAStalledJournalDoublesNothing() throws {
    let script = "kill -STOP $JOURNALD_PID; \"$1\" crash 30 0 || true; \"$1\" resume 30 continue"
    guard let (facts, entries) = try run(script) else { return }
    #expect(facts.last == "confirmed 30 each once true, waiting 0", "\(facts)")
    expectOnce(entries, 30)
  }

  @Test func rate() throws {
    guard let (facts, entries) = try run("\"$1\" rate 10000") else { return }
    print("journal: written and read back: \(facts.last?.dropFirst(5) ?? "no") entries/s")
    expectOnce(entries, 10_000)
  }
}
