import Daemon
import Definitions
import Foundation
import Records
import Replay
import Store
import TestSupport
import Testing

/// A service on a folder of its own, without a journal.
final class ServiceBench {
  let root: String
  var logs: String { root + "/logs" }
  var configuration = Configuration()

  init() throws {
    root = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/service-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: root + "/logs", withIntermediateDirectories: true)
    configuration.sources = [.init(files: root + "/logs/{host}/**", place: Place(file: "test"))]
    configuration.storePath = root + "/state.db"
    configuration.controlSocket = root + "/control.sock"
    configuration.toJournal = false
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  /// Starts a service and runs it until it has read everything.
  func run() throws {
    let plan = ServicePlan(configuration: configuration, engine: TestEngine.engine)
    let service = try Service(plan, load: { plan }, log: { _ in })
    service.run(until: { true })
    try service.shutDown()
  }

  func append(_ bytes: [UInt8], to name: String) throws {
    let path = logs + "/" + name
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(bytes))
    try handle.close()
  }

  /// Findings in the store, by file name, offset and what they say.
  func findings() throws -> [String] {
    let store = try StateStore.openReadOnly(path: configuration.storePath)
    let found = try store.findings().map { stored in
      let finding = stored.finding
      return "\(finding.path.split(separator: "/").last!) \(finding.offset) \(finding.length) \(finding.line) "
        + "\(finding.signature) \(finding.cause.rawValue) \(finding.time?.rfc3339 ?? "-") \(finding.client ?? "-") "
        + "\(finding.server ?? "-") \(finding.code ?? "-")"
    }
    try store.close()
    return found.sorted()
  }
}

@Suite struct ServiceTests {
  /// A first reading that a kill cut off is taken up again, and what it had left open is told then.
  @Test func aFirstReadingThatWasCutOffIsToldAtItsEnd() throws {
    guard !FileManager.default.fileExists(atPath: "/run/systemd/journal/socket") else {
      PackageRoot.skip("this machine has a journal, which the message would reach")
      return
    }
    let bench = try ServiceBench()
    try bench.append(
      try PackageRoot.bytes("sample-logs/tls10-off-too-early/W7-0117/CcmMessaging.log"), to: "W7-0117/CcmMessaging.log")
    // Reads and keeps all; nothing is told without a journal.
    try bench.run()
    var store = try StateStore.open(path: bench.configuration.storePath, at: Timestamp(microseconds: 1)).store
    #expect(try store.load().incidents.contains { $0.isOpen })
    #expect(try store.load().outbox.isEmpty)
    // As a kill in the middle of it leaves the store.
    var change = StoreChange(at: Timestamp(microseconds: 1))
    change.checkpoints = [Checkpoint(key: "first-reading", offset: 0, value: [])]
    try store.commit(change)
    try store.close()
    bench.configuration.toJournal = true
    try bench.run()
    store = try StateStore.open(path: bench.configuration.storePath, at: Timestamp(microseconds: 1)).store
    let state = try store.load()
    try store.close()
    #expect(state.outbox.count == 1)
    #expect(
      state.outbox.first?.fields.first { $0.name == "MESSAGE" }?.value.contains("open after the first reading") == true)
    #expect(!state.checkpoints.contains { $0.key == "first-reading" })
  }

  /// Whatever pieces a log comes in, and however often the service was restarted between them, the store holds what a
  /// replay of the whole file finds.
  @Test(arguments: UInt64(0)..<12)
  func liveFindsWhatReplayFinds(seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    let samples = PackageRoot.files(below: "sample-logs").filter { $0.path.contains("/") && !$0.path.hasSuffix(".md") }
    let bench = try ServiceBench()
    var pieces: [(name: String, rest: ArraySlice<UInt8>)] = []
    for (index, sample) in samples.shuffled(using: &random).prefix(8).enumerated() {
      pieces.append(("HOST\(index)/\(index)-" + sample.path.split(separator: "/").last!, sample.bytes[...]))
    }
    for round in 0..<4 {
      for index in pieces.indices {
        let rest = pieces[index].rest
        let count = round == 3 ? rest.count : Int.random(in: 0...rest.count, using: &random)
        try bench.append(Array(rest.prefix(count)), to: pieces[index].name)
        pieces[index].rest = rest.dropFirst(count)
      }
      if round == 3 {
        // A last line without its end waits for more; a replay has it at once.
        for piece in pieces {
          let bytes = try Data(contentsOf: URL(fileURLWithPath: bench.logs + "/" + piece.name))
          if let last = bytes.last, last != 0x0A { try bench.append([0x0A], to: piece.name) }
        }
      }
      try bench.run()
    }
    let report = try await Replay.run(ReplayRequest(paths: [bench.logs]), engine: TestEngine.engine)
    let wanted = report.findings.map { finding in
      "\(finding.path.split(separator: "/").last!) \(finding.offset) \(finding.length) \(finding.line) "
        + "\(finding.signature) \(finding.cause.rawValue) \(finding.time?.rfc3339 ?? "-") \(finding.client ?? "-") "
        + "\(finding.server ?? "-") \(finding.code ?? "-")"
    }.sorted()
    let found = try bench.findings()
    let more = Set(found).subtracting(wanted)
    let fewer = Set(wanted).subtracting(found)
    #expect(
      more.isEmpty && fewer.isEmpty, "live only \(more.sorted().prefix(3)), replay only \(fewer.sorted().prefix(3))")
    #expect(found.count == wanted.count)
  }

  /// `time-zone` and `start` belong to the source that has them.
  @Test func everySourceHasItsZoneAndItsStart() async throws {
    let bench = try ServiceBench()
    // Without an offset of its own, from a client's log of the older kind.
    func record(_ server: String, _ time: String) -> [UInt8] {
      Array(
        (#"<![LOG[[CCMHTTP] ERROR: URL=https://\#(server).corp.example/ccm_system/request, Port=443, Options=31, "#
          + #"Code=12175, Text=ERROR_WINHTTP_SECURE_FAILURE]LOG]!><time="\#(time)" date="07-02-2026" "#
          + #"component="CcmMessaging" context="" type="3" thread="4242" file="ccmhttp.cpp:1641">"# + "\r\n").utf8)
    }
    var zones: [String: ZoneRules] = [:]
    bench.configuration.sources = []
    for (name, minutes) in [("none", 0), ("east", 120), ("west", -300)] {
      var source = Configuration.Source(files: bench.logs + "/\(name)/{host}/**", place: Place(file: "test"))
      if minutes != 0 {
        source.timeZone = name
        zones[name] = ZoneRules(name: name, initialMinutesEast: minutes, transitions: [])
      }
      source.startsAtEnd = name == "west"
      bench.configuration.sources.append(source)
      try bench.append(record("old-\(name)", "12:00:00.000"), to: "\(name)/PC-1/CcmMessaging.log")
    }
    let plan = ServicePlan(configuration: bench.configuration, engine: TestEngine.engine, zones: zones)
    func run() throws {
      let service = try Service(plan, load: { plan }, log: { _ in })
      service.run(until: { true })
      try service.shutDown()
    }
    try run()
    for name in ["none", "east", "west"] {
      try bench.append(record("new-\(name)", "13:00:00.000"), to: "\(name)/PC-1/CcmMessaging.log")
    }
    // A file that comes while the service is stopped is new, also for a source that began at the end.
    try bench.append(record("late-west", "13:30:00.000"), to: "west/PC-2/CcmMessaging.log")
    try run()
    let found = try bench.storedFindings().map { "\($0.server ?? "-") \($0.time?.rfc3339 ?? "-")" }.sorted()
    #expect(
      found == [
        "late-west.corp.example 2026-07-02T18:30:00.000Z",
        "new-east.corp.example 2026-07-02T11:00:00.000Z",
        "new-none.corp.example 2026-07-02T13:00:00.000Z",
        "new-west.corp.example 2026-07-02T18:00:00.000Z",
        "old-east.corp.example 2026-07-02T10:00:00.000Z",
        "old-none.corp.example 2026-07-02T12:00:00.000Z",
      ])
    // As a replay of each source with its zone has it.
    for (name, zone) in [("none", ZoneRules.utc), ("east", zones["east"]!)] {
      var request = ReplayRequest(paths: [bench.logs + "/" + name])
      request.options.zone = zone
      let report = try await Replay.run(request, engine: TestEngine.engine)
      let replayed = report.findings.map { "\($0.server ?? "-") \($0.time?.rfc3339 ?? "-")" }.sorted()
      #expect(replayed == found.filter { $0.contains("-\(name).") })
    }
  }

  /// Parts that the follower read at once and parts that the reader reads are walked alike, with what streams remember.
  @Test(arguments: UInt64(0)..<6)
  func smallPiecesFindWhatReplayFinds(seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    let samples = PackageRoot.files(below: "sample-logs").filter { $0.path.contains("/") && !$0.path.hasSuffix(".md") }
    let bench = try ServiceBench()
    let plan = ServicePlan(configuration: bench.configuration, engine: TestEngine.engine)
    var pieces: [(name: String, rest: ArraySlice<UInt8>)] = []
    for (index, sample) in samples.shuffled(using: &random).prefix(6).enumerated() {
      pieces.append(("HOST\(index)/\(index)-" + sample.path.split(separator: "/").last!, sample.bytes.prefix(60_000)))
    }
    let service = try Service(plan, load: { plan }, log: { _ in })
    // Each time that nothing is left to be read, the next pieces are appended.
    var failure: (any Error)?
    service.run(until: {
      var isDone = true
      for index in pieces.indices where !pieces[index].rest.isEmpty {
        isDone = false
        let count = min(pieces[index].rest.count, Int.random(in: 1...9000, using: &random))
        do { try bench.append(Array(pieces[index].rest.prefix(count)), to: pieces[index].name) } catch {
          failure = error
        }
        pieces[index].rest = pieces[index].rest.dropFirst(count)
      }
      return isDone || failure != nil
    })
    try service.shutDown()
    #expect(failure == nil)
    for piece in pieces {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: bench.logs + "/" + piece.name))
      if let last = bytes.last, last != 0x0A { try bench.append([0x0A], to: piece.name) }
    }
    try bench.run()
    let report = try await Replay.run(ReplayRequest(paths: [bench.logs]), engine: TestEngine.engine)
    let wanted = report.findings.map {
      "\($0.path.split(separator: "/").last!) \($0.offset) \($0.line) \($0.signature) \($0.time?.rfc3339 ?? "-")"
    }
    let found = try bench.storedFindings().map {
      "\($0.path.split(separator: "/").last!) \($0.offset) \($0.line) \($0.signature) \($0.time?.rfc3339 ?? "-")"
    }
    #expect(found.sorted() == wanted.sorted())
  }
}
