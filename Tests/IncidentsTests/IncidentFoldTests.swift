import Incidents
import Records
import Sinks
import TestSupport
import Testing

@Suite struct IncidentFoldTests {
  private static let start = Timestamp(year: 2026, month: 3, day: 2, hour: 6, minute: 0, second: 0)

  private static func finding(
    _ findingClass: FindingClass = .handshakeFailure, _ cause: Cause = .unknownTLS, client: String? = "PC-1",
    server: String? = "mp01.corp.example", seconds: Int64, severity: Severity = .error
  ) -> Finding {
    var finding = Finding(
      signature: "test.signature", findingClass: findingClass, cause: cause, severity: severity, stream: 0,
      path: "/logs/x.log", offset: UInt64(clamping: seconds), length: 10, line: 1, confidence: .documented)
    finding.time = Timestamp(microseconds: start.microseconds + seconds * 1_000_000)
    finding.client = client
    finding.server = server
    return finding
  }

  private static let later = Timestamp(microseconds: start.microseconds + 30 * 86_400_000_000)

  @Test func oneCauseAtOneServerIsOneIncident() {
    var fold = IncidentFold()
    let events = (0..<5).flatMap { fold.note(Self.finding(client: "PC-\($0)", seconds: $0 * 10), received: Self.later) }
    #expect(events.map(\.change) == [.opened])
    #expect(fold.open.count == 1)
    #expect(fold.open.values.first?.members.count == 5 && fold.open.values.first?.count == 5)
  }

  /// 60,000 failures of 50,000 clients in 60 seconds: one alert, at most ten updates.
  @Test func aStormIsOneAlertAndFewUpdates() {
    var fold = IncidentFold()
    var events: [IncidentEvent] = []
    for index in 0..<60_000 {
      events += fold.note(
        Self.finding(client: "PC-\(index % 50_000)", seconds: Int64(index / 1000)), received: Self.later)
    }
    #expect(events.filter { $0.change == .opened }.count == 1)
    #expect((1...10).contains(events.count - 1))
    #expect(fold.open.values.first?.count == 60_000)
  }

  @Test func anOrphanNeedsThreeFailuresOverTenMinutesAndNoSuccess() {
    var fold = IncidentFold()
    func orphans(_ events: [IncidentEvent]) -> [IncidentChange] {
      events.filter { $0.incident.kind == .orphanSuspected }.map(\.change)
    }
    #expect(orphans(fold.note(Self.finding(seconds: 0), received: Self.later)) == [])
    #expect(orphans(fold.note(Self.finding(seconds: 60), received: Self.later)) == [])
    #expect(orphans(fold.note(Self.finding(seconds: 120), received: Self.later)) == [])
    #expect(orphans(fold.note(Self.finding(seconds: 600), received: Self.later)) == [.opened])
    // Only a later success ends it.
    let before = fold.noteSuccess(
      client: "PC-1", server: "mp02.corp.example", time: Self.start, received: Self.later)
    #expect(before.isEmpty)
    let after = fold.noteSuccess(
      client: "pc-1", server: "mp02.corp.example", time: Self.start.adding(minutes: 11), received: Self.later)
    #expect(orphans(after) == [.resolved])
  }

  @Test func aSuccessBetweenFailuresBeginsTheCountAnew() {
    var fold = IncidentFold()
    _ = fold.note(Self.finding(seconds: 0), received: Self.later)
    _ = fold.note(Self.finding(seconds: 300), received: Self.later)
    _ = fold.noteSuccess(
      client: "PC-1", server: "mp01.corp.example", time: Self.start.adding(minutes: 6), received: Self.later)
    let events =
      fold.note(Self.finding(seconds: 601), received: Self.later)
      + fold.note(Self.finding(seconds: 700), received: Self.later)
    #expect(!events.contains { $0.incident.kind == .orphanSuspected })
  }

  /// Codes of the network alone make no orphan: they are send failures, whatever their number.
  @Test func networkTroubleMakesNoOrphan() {
    var fold = IncidentFold()
    for minute in Int64(0)..<60 {
      let events = fold.note(
        Self.finding(.orphanSymptom, .sendFailure, seconds: minute * 60), received: Self.later)
      #expect(events.isEmpty)
    }
    #expect(fold.open.isEmpty)
  }

  @Test func aServersIncidentSpeaksForItsClients() {
    var fold = IncidentFold()
    var events: [IncidentEvent] = []
    for minute in Int64(0)..<30 {
      for client in 0..<20 {
        events += fold.note(Self.finding(client: "PC-\(client)", seconds: minute * 60), received: Self.later)
      }
    }
    #expect(!events.contains { $0.incident.kind == .orphanSuspected })
    #expect(events.filter { $0.change == .opened }.count == 1)
  }

  @Test func theLastRecoveryEndsAnIncident() {
    var fold = IncidentFold()
    for client in 0..<3 {
      _ = fold.note(Self.finding(client: "PC-\(client)", seconds: Int64(client)), received: Self.later)
    }
    for client in 0..<3 {
      let events = fold.noteSuccess(
        client: "PC-\(client)", server: "mp01.corp.example", time: Self.start.adding(minutes: 5), received: Self.later)
      #expect(events.map(\.change) == (client == 2 ? [.resolved] : []))
    }
    #expect(fold.open.isEmpty)
  }

  @Test func quietEndsWhatNamesNoClient() {
    var fold = IncidentFold()
    _ = fold.note(Self.finding(client: nil, seconds: 0), received: Self.later)
    #expect(fold.settle().isEmpty)
    _ = fold.note(Self.finding(client: nil, server: "other.corp.example", seconds: 90_000), received: Self.later)
    #expect(fold.settle().map(\.change) == [.resolved])
    #expect(fold.open.count == 1)
  }

  /// A record dated far ahead is kept as evidence by others and moves nothing here.
  @Test func implausibleTimesAreJoinedWithNothing() {
    var fold = IncidentFold()
    let received = Self.start
    #expect(fold.note(Self.finding(seconds: 10 * 365 * 86_400), received: received).isEmpty)
    #expect(fold.implausibleCount == 1)
    #expect(fold.watermark == .min)
  }

  @Test func worseIsToldAtOnce() {
    var fold = IncidentFold()
    _ = fold.note(Self.finding(seconds: 0, severity: .warning), received: Self.later)
    let events = fold.note(Self.finding(seconds: 1, severity: .critical), received: Self.later)
    #expect(events.map(\.change) == [.escalated])
    #expect(events.first?.incident.sequence == 2)
  }

  @Test func whatWasStoredGoesOn() {
    var fold = IncidentFold()
    _ = fold.note(Self.finding(seconds: 0), received: Self.later)
    var again = IncidentFold(open: fold.takeChanged())
    let events = again.note(Self.finding(seconds: 5), received: Self.later)
    #expect(events.isEmpty)
    #expect(again.open.values.first?.count == 2)
    let ended = again.noteSuccess(
      client: "PC-1", server: "mp01.corp.example", time: Self.start.adding(minutes: 1), received: Self.later)
    #expect(ended.map(\.change) == [.resolved] && ended.first?.incident.sequence == 2)
  }

  /// Field names that a catalog can substitute: capital letters and underscores.
  @Test func alertsHaveFieldsThatTheJournalTakes() {
    var fold = IncidentFold()
    let event = fold.note(Self.finding(seconds: 0), received: Self.later)[0]
    let fields = Alert(event).fields
    for (name, value) in fields {
      #expect(name.utf8.allSatisfy { (0x41...0x5A).contains($0) || $0 == 0x5F } && !value.isEmpty, "\(name)")
    }
    let byName = Dictionary(fields, uniquingKeysWith: { first, _ in first })
    #expect(byName["PRIORITY"] == "3" && byName["HANDSHAKED_EVENT"] == "opened")
    #expect(byName["MESSAGE"]?.contains("mp01.corp.example") == true)
    #expect(byName["HANDSHAKED_EVIDENCE"] == "/logs/x.log:0+10")
  }

  @Test func theCatalogIsTheCommittedOneAndExplainsEveryKind() throws {
    let committed = String(decoding: try PackageRoot.bytes("systemd/handshaked.catalog"), as: UTF8.self)
    #expect(committed == Catalog.text, "handshaked catalog >systemd/handshaked.catalog")
    for kind in IncidentKind.allCases { #expect(committed.contains("-- \(Alert.messageID(kind))\n")) }
    let fields = committed.split(separator: "@").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
    #expect(!fields.isEmpty && fields.allSatisfy { $0.utf8.allSatisfy { (0x41...0x5A).contains($0) || $0 == 0x5F } })
  }
}
