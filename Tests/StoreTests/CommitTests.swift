import Records
import Store
import TestSupport
import Testing

@Suite struct CommitTests {
  @Test func whatIsCommittedIsLoadedAfterReopening() throws {
    let place = try Place()
    let change = Sample.change()
    do {
      let (store, note) = try StateStore.open(path: place.path, at: Sample.time)
      #expect(note == OpenNote(outcome: .created))
      try store.commit(change)
      try store.close()
    }
    let (store, note) = try StateStore.open(path: place.path, at: Sample.time)
    #expect(note == OpenNote(outcome: .opened))
    let state = try store.load()
    #expect(state.checkpoints == change.checkpoints)
    #expect(state.incidents == change.incidents)
    #expect(state.outbox == change.outbox)
    #expect(state.acknowledgements == change.acknowledgements)
    #expect(state.maintenance == change.maintenance)

    let findings = try store.findings()
    #expect(findings.map(\.finding.offset) == [400, 10, 500])
    #expect(findings.map(\.isTimePlausible) == [true, true, false])
    #expect(findings[1] == StoredFinding(file: "file-1", finding: Sample.fullFinding(offset: 10)))
    #expect(try store.findings(FindingQuery(times: Sample.always)).map(\.finding.offset) == [10])
    for party in [Party.address(Sample.address(7)), .host("PC-0042"), .guid("GUID:0A1B")] {
      #expect(try store.findings(FindingQuery(server: "mp01.corp.example", party: party)).map(\.finding.offset) == [10])
    }
    #expect(try store.findings(FindingQuery(server: "mp02")).isEmpty)

    #expect(try store.allActivities() == change.extents[0].activities)
    for activity in change.extents[0].activities {
      let query = ActivityQuery(
        times: activity.first..<activity.first.adding(minutes: 1), server: "mp01", party: activity.party)
      #expect(try store.activities(query) == [activity])
    }
    #expect(try store.aliases(of: .host("pc-1"), in: Sample.always) == [change.aliases[1], change.aliases[0]])
    #expect(try store.aliases(of: .address(Sample.address(1)), in: Sample.always) == [change.aliases[0]])
    #expect(try store.aliases(of: .guid("GUID:1"), in: Sample.time(minutes: 2)..<Sample.time(minutes: 3)).isEmpty)
  }

  @Test func theSameChangeAgainChangesNothing() throws {
    let place = try Place()
    let store = try StateStore.opened(place)
    try store.commit(Sample.change())
    let state = try store.load()
    let findings = try store.findings()
    let activities = try store.allActivities()
    for _ in 0..<3 { try store.commit(Sample.change()) }
    #expect(try store.load() == state)
    #expect(try store.findings() == findings)
    #expect(try store.allActivities() == activities)
  }

  @Test func aLaterWordReplacesAnEarlierOneAndRemovalsRemove() throws {
    let place = try Place()
    let store = try StateStore.opened(place)
    try store.commit(Sample.change())
    var change = StoreChange(at: Sample.time)
    #expect(change.isEmpty)
    change.checkpoints = [Checkpoint(key: "a/b.log", offset: 7, value: [7])]
    change.removedCheckpoints = ["c", "never there"]
    change.incidents = [StoredIncident(id: "i1", key: "k3", isOpen: false, time: Sample.time(minutes: 1), value: [3])]
    change.confirmed = [MessageID(incident: "i2", sequence: 1), MessageID(incident: "i9", sequence: 9)]
    change.removedAcknowledgements = ["i1"]
    change.removedMaintenance = Sample.change().maintenance
    #expect(!change.isEmpty)
    try store.commit(change)
    let state = try store.load()
    #expect(state.checkpoints == change.checkpoints)
    #expect(state.incidents == [change.incidents[0], Sample.change().incidents[1]])
    #expect(state.outbox == [Sample.change().outbox[1]])
    #expect(state.acknowledgements.isEmpty && state.maintenance.isEmpty)
  }

  /// Bytes count once, whoever brings them: the same part again, and a part that lies half in what was counted.
  @Test func countsAdvanceWithTheBytesAlone() throws {
    func extent(_ from: UInt64, _ to: UInt64, minutes: Int) -> StoreChange {
      var change = StoreChange(at: Sample.time)
      var extent = Extent(file: "f", from: from, to: to)
      extent.activities = [
        Activity(
          server: "s", party: .host("c"), at: Sample.time(minutes: minutes), outcome: .succeeded, count: to - from)
      ]
      change.extents = [extent]
      return change
    }
    let place = try Place()
    let store = try StateStore.opened(place)
    try store.commit(extent(100, 200, minutes: 0))
    try store.commit(extent(200, 250, minutes: 15))
    try store.commit(extent(100, 150, minutes: 30))  // again, in other pieces
    var activity = try #require(try store.allActivities().first)
    #expect(activity.count == 150 && !activity.isLowerBound && activity.quarters.count == 3)
    try store.commit(extent(240, 300, minutes: 45))
    activity = try #require(try store.allActivities().first)
    #expect(activity.count == 150 && activity.isLowerBound && activity.quarters.count == 4)
    #expect(activity.first == Sample.time && activity.last == Sample.time(minutes: 45))
    try store.commit(extent(300, 310, minutes: 45))
    #expect(try store.allActivities().map(\.count) == [160])
  }

  /// Evidence is a set: shuffled, cut into commits and told twice it is the same, against a plain model.
  @Test(arguments: UInt64(0)..<20) func evidenceIsTheSameInAnyOrder(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    struct Key: Hashable {
      var server: String
      var party: Party
      var day: Int
      var outcome: Outcome
    }
    var model: [Key: Activity] = [:]
    var extents: [Extent] = []
    for number in 0..<40 {
      var extent = Extent(file: "file-\(number)", from: 0, to: 100)
      for _ in 0..<Int.random(in: 0...10, using: &generator) {
        let id = UInt64.random(in: 0..<4, using: &generator)
        let party: Party = [.address(Sample.address(id)), .host("n\(id)"), .guid("n\(id)")].randomElement(
          using: &generator)!
        let activity = Activity(
          server: "s\(Int.random(in: 0..<2, using: &generator))", party: party,
          at: Sample.time(minutes: Int.random(in: -5000...5000, using: &generator)),
          outcome: Outcome.allCases.randomElement(using: &generator)!, count: .random(in: 1...9, using: &generator))
        extent.activities.append(activity)
        let key = Key(server: activity.server, party: party, day: activity.day, outcome: activity.outcome)
        if model[key]?.merge(activity) == nil { model[key] = activity }
      }
      for offset in UInt64(0)..<UInt64.random(in: 0...3, using: &generator) {
        extent.findings.append(
          Extent.Item(Sample.finding(offset: offset, minutes: .random(in: 0...3, using: &generator))))
      }
      extents.append(extent)
    }
    let place = try Place()
    let store = try StateStore.opened(place)
    var order = (extents + extents.prefix(20)).shuffled(using: &generator)
    while !order.isEmpty {
      var change = StoreChange(at: Sample.time)
      change.extents = Array(order.prefix(Int.random(in: 1...8, using: &generator)))
      order.removeFirst(change.extents.count)
      try store.commit(change)
    }
    let activities = try store.allActivities()
    #expect(Set(activities) == Set(model.values) && activities.count == model.count)
    let expected = extents.flatMap { extent in
      extent.findings.map { StoredFinding(file: extent.file, finding: $0.finding) }
    }.sorted {
      ($0.finding.time!, $0.file, $0.finding.offset) < ($1.finding.time!, $1.file, $1.finding.offset)
    }
    #expect(try store.findings() == expected)
  }

  @Test func namesFromHostileLogsAreKept() throws {
    let place = try Place()
    let store = try StateStore.opened(place)
    var change = StoreChange(at: Sample.time)
    var extent = Extent(file: "f\0g", from: 0, to: 1)
    let names = ["a\0b", "a", "", "'; DROP TABLE name; --", String(repeating: "ü", count: 300)]
    extent.activities = names.map { Activity(server: $0, party: .host($0), at: Sample.time, outcome: .failed) }
    change.extents = [extent]
    try store.commit(change)
    #expect(Set(try store.allActivities().map(\.server)) == Set(names.map { $0.replacing("\0", with: "\u{FFFD}") }))
  }

  @Test func retentionRemovesWhatIsOldAndNothingElse() throws {
    let place = try Place()
    let store = try StateStore.opened(place)
    try store.commit(Sample.change())
    var later = StoreChange(at: Sample.time(minutes: 10 * 1440))
    var extent = Extent(file: "file-2", from: 0, to: 10)
    extent.findings = [Extent.Item(Sample.finding(offset: 1, minutes: 10 * 1440))]
    extent.activities = [
      Activity(server: "mp01", party: .host("pc-2"), at: Sample.time(minutes: 10 * 1440), outcome: .succeeded),
      Activity(server: "mp01", party: .host("pc-2"), at: Sample.time(minutes: 6 * 1440), outcome: .succeeded),
    ]
    later.extents = [extent]
    try store.commit(later)
    #expect(try store.prune(olderThan: Sample.time(minutes: -1440)).total == 0)
    let count = try store.prune(olderThan: Sample.time(minutes: 5 * 1440))
    // i2 is closed, yet its message has not arrived; pc-1, mp, TLS 1.2, AES, dhcp and GUID:1 are in use no more.
    #expect(count.findings == 3 && count.activities == 3 && count.aliases == 2 && count.incidents == 0)
    #expect(count.files == 1 && count.names == 6 && count.others == 2)
    #expect(try store.findings().map(\.file) == ["file-2"])
    #expect(try store.allActivities() == extent.activities.reversed())
    let state = try store.load()
    #expect(state.checkpoints.count == 2 && state.incidents.count == 2 && state.outbox.count == 2)
    // Numbers of removed names are not used any more.
    try store.commit(Sample.change())
    #expect(
      try store.allActivities().filter { $0.day == extent.activities[1].day - 6 }
        == Sample.change().extents[0].activities)
    var told = StoreChange(at: Sample.time)
    told.confirmed = [MessageID(incident: "i2", sequence: 1)]
    try store.commit(told)
    #expect(try store.prune(olderThan: Sample.time(minutes: 5 * 1440)).incidents == 1)
  }

  @Test func manyCheckpointsLoadFast() throws {
    let place = try Place()
    let count = 100_000
    let clock = ContinuousClock()
    do {
      let store = try StateStore.opened(place)
      var change = StoreChange(at: Sample.time)
      change.checkpoints = (0..<count).map {
        Checkpoint(key: "mp01/C:/Logs/u_ex\($0).log", offset: UInt64($0), value: [UInt8](repeating: 7, count: 80))
      }
      let took = try clock.measure { try store.commit(change) }
      print("store: \(count) checkpoints in one commit \(took)")
      try store.close()
    }
    var state = StoredState()
    let took = try clock.measure {
      let store = try StateStore.opened(place)
      state = try store.load()
    }
    print("store: open and load \(count) checkpoints \(took)")
    #expect(state.checkpoints.count == count)
  }

  @Test func commitsOfOneBatch() throws {
    let place = try Place()
    let store = try StateStore.opened(place)
    let clock = ContinuousClock()
    let batches = 200
    let rows = 500
    let took = try clock.measure {
      for batch in 0..<batches {
        var change = StoreChange(at: Sample.time)
        var extent = Extent(file: "f", from: UInt64(batch * 262_144), to: UInt64((batch + 1) * 262_144))
        extent.activities = (0..<rows).map {
          Activity(
            server: "mp01", party: .address(Sample.address(UInt64($0 * 7 % 50_000))),
            at: Sample.time(minutes: batch), role: "mp", protocolName: "TLS 1.2", outcome: .succeeded)
        }
        change.extents = [extent]
        change.checkpoints = [Checkpoint(key: "f", offset: extent.to, value: [1])]
        try store.commit(change)
      }
    }
    let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
    print("store: \(batches) commits of \(rows) activities, \(Int(Double(batches * rows) / seconds)) rows/s")
    #expect(try store.allActivities().reduce(0) { $0 + Int($1.count) } == batches * rows)
  }
}
