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
    let plan = ServicePlan(configuration: configuration, engine: TestEngine.engine, zone: .utc)
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
}
