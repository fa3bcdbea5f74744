import Daemon
import Definitions
import Foundation
import Records
import Replay
import Store
import Synchronization
import TestSupport
import Testing

/// Sends to sockets of this machine, from a thread of its own while the service runs.
enum Sender {
  static func tcp(_ port: UInt16, _ pieces: [[UInt8]]) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    guard reach(descriptor, port) else { return false }
    for piece in pieces {
      var offset = 0
      while offset < piece.count {
        let count = piece[offset...].withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        if count <= 0 { return false }
        offset += count
      }
    }
    return true
  }

  static func udp(_ port: UInt16, _ datagrams: [[UInt8]]) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(descriptor) }
    guard reach(descriptor, port) else { return false }
    return datagrams.allSatisfy { send(descriptor, $0, $0.count, 0) == $0.count }
  }

  static func unix(_ path: String, _ datagrams: [[UInt8]]) -> Bool {
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let isReached = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
    return isReached && datagrams.allSatisfy { send(descriptor, $0, $0.count, 0) == $0.count }
  }

  static func reach(_ descriptor: Int32, _ port: UInt16) -> Bool {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  /// A port of this machine that nobody uses now, for TCP and UDP.
  static func freePort() -> UInt16 {
    while true {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          _ = bind(descriptor, $0, size)
          _ = getsockname(descriptor, $0, &size)
        }
      }
      if address.sin_port != 0 { return UInt16(bigEndian: address.sin_port) }
    }
  }
}

/// What the sample logs say, as a relay sends it: one message a line, with host and log in its header.
enum Relayed {
  static let messages: [[UInt8]] = {
    var messages: [[UInt8]] = []
    for sample in PackageRoot.files(below: "sample-logs") where sample.path.hasSuffix(".log") {
      let parts = sample.path.split(separator: "/")
      guard parts.count == 3 else { continue }
      let name = parts[2].dropLast(4)
      // Before 2026-03-02 there is nothing, and the year of a time must not be guessed.
      let head = "<134>1 2026-03-03T00:00:00.000Z \(parts[1]) \(name) - - - "
      for line in sample.bytes.split(separator: 0x0A) {
        let text = line.last == 0x0D ? line.dropLast() : line
        if !text.isEmpty, text.count < 8000 { messages.append(Array(head.utf8) + text) }
      }
    }
    return messages
  }()

  static func counted(_ message: [UInt8]) -> [UInt8] { Array("\(message.count) ".utf8) + message }

  /// What a replay finds in a file of these bytes.
  static func replayed(_ bytes: [UInt8]) async throws -> [String] {
    let folder = FileManager.default.temporaryDirectory.path + "/relayed-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Data(bytes).write(to: URL(fileURLWithPath: folder + "/relayed.log"))
    let report = try await Replay.run(ReplayRequest(paths: [folder + "/relayed.log"]), engine: TestEngine.engine)
    return report.findings.map(line).sorted()
  }

  static func line(_ finding: Finding) -> String {
    "\(finding.host ?? "-") \(finding.log ?? "-") \(finding.signature) \(finding.cause.rawValue) "
      + "\(finding.time?.rfc3339 ?? "-") \(finding.client ?? "-") \(finding.server ?? "-") \(finding.code ?? "-")"
  }
}

extension ServiceBench {
  /// Runs the service while `send` runs beside it, until so many messages were received and nothing is held.
  func run(receiving count: UInt64, _ send: @escaping @Sendable () -> Bool) throws -> ServiceStatus {
    let plan = ServicePlan(configuration: configuration, engine: TestEngine.engine)
    let service = try Service(plan, load: { plan }, log: { _ in })
    let isSent = Mutex<Bool?>(nil)
    Thread.detachNewThread {
      let result = send()
      isSent.withLock { $0 = result }
    }
    let end = ContinuousClock.now + .seconds(60)
    service.run(until: {
      let feeds = service.status().feeds
      let isDone =
        feeds.reduce(0) { $0 + $1.messageCount } >= count && feeds.allSatisfy { $0.heldByteCount == 0 }
        && feeds.allSatisfy { ($0.connectionCount ?? 0) == 0 } && isSent.withLock { $0 != nil }
      return isDone || ContinuousClock.now > end
    })
    #expect(isSent.withLock { $0 } == true, "not everything could be sent")
    let status = service.status()
    try service.shutDown()
    return status
  }

  func storedFindings() throws -> [Finding] {
    let store = try StateStore.openReadOnly(path: configuration.storePath)
    defer { try? store.close() }
    return try store.findings().map(\.finding)
  }
}

@Suite(.serialized) struct SyslogTests {
  enum Way: CaseIterable { case lines, counted, mixed, udp, unix }

  /// What comes over a socket gives the findings of a file with the same bytes.
  @Test(arguments: Way.allCases) func liveFindsWhatReplayFinds(way: Way) async throws {
    let bench = try ServiceBench()
    let port = Sender.freePort()
    let socketPath = bench.root + "/log"
    let name = way == .unix ? socketPath : "127.0.0.1:\(port)"
    bench.configuration.sources = [
      .init(.syslogListen(name, transports: way == .udp ? ["udp"] : ["tcp"]), place: Place(file: "test"))
    ]
    let messages = Relayed.messages
    try #require(messages.count > 100)
    var random = SeededGenerator(seed: 5)
    let sent: [[UInt8]] =
      switch way {
      case .lines: messages.map { $0 + [0x0A] }
      case .counted: messages.map(Relayed.counted)
      // The line end after a counted message belongs to neither.
      case .mixed: messages.map { (Bool.random(using: &random) ? Relayed.counted($0) : $0) + [0x0A] }
      case .udp, .unix: messages
      }
    let status = try bench.run(receiving: UInt64(messages.count)) {
      switch way {
      case .udp: Sender.udp(port, sent)
      case .unix: Sender.unix(socketPath, sent)
      default: Sender.tcp(port, sent)
      }
    }
    #expect(status.feeds.first?.messageCount == UInt64(messages.count))
    #expect(status.feeds.first?.droppedCount == 0)
    let isDatagrams = way == .udp || way == .unix
    let wanted = try await Relayed.replayed(Array((isDatagrams ? sent.map { $0 + [0x0A] } : sent).joined()))
    let found = try bench.storedFindings()
    #expect(wanted.count > 20)
    #expect(found.map(Relayed.line).sorted() == wanted)
    #expect(found.allSatisfy { $0.path == name })
  }

  /// The numbers of evidence go on where they were, and rows are understood by the columns that were told before.
  @Test func aRestartGoesOn() async throws {
    let bench = try ServiceBench()
    let port = Sender.freePort()
    bench.configuration.sources = [
      .init(.syslogListen("127.0.0.1:\(port)", transports: ["tcp"]), place: Place(file: "test"))
    ]
    let messages = Relayed.messages
    for part in 0..<3 {
      let range = messages.count * part / 3..<messages.count * (part + 1) / 3
      _ = try bench.run(receiving: UInt64(range.count)) {
        Sender.tcp(port, messages[range].map { $0 + [0x0A] })
      }
    }
    let wanted = try await Relayed.replayed(Array(messages.map { $0 + [0x0A] }.joined()))
    let found = try bench.storedFindings()
    #expect(found.map(Relayed.line).sorted() == wanted)
    // In the order of the stream: the lines of a later part are numbered after those of an earlier one.
    #expect(found.map(\.line).max() ?? 0 > UInt64(messages.count * 2 / 3))
  }

  /// Many connections at once, idle ones and hostile ones among them.
  @Test func tenThousandConnections() throws {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(7), &limit)
    let count = min(10_000, (Int(clamping: limit.rlim_max) - 4200) / 2)
    guard count >= 1000 else {
      PackageRoot.skip("only \(limit.rlim_max) files may be open")
      return
    }
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(7), &limit)
    let bench = try ServiceBench()
    let port = Sender.freePort()
    bench.configuration.sources = [
      .init(.syslogListen("127.0.0.1:\(port)", transports: ["tcp"]), place: Place(file: "test"))
    ]
    let message = Relayed.messages.first { String(decoding: $0, as: UTF8.self).contains("Code=12175") }
    let failure = try #require(message)
    let status = try bench.run(receiving: UInt64(count)) {
      var descriptors: [Int32] = []
      defer { for descriptor in descriptors { close(descriptor) } }
      for _ in 0..<count {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0, Sender.reach(descriptor, port) else { return false }
        descriptors.append(descriptor)
      }
      // Every one says half a message, then the other half.
      let bytes = Relayed.counted(failure)
      for part in [bytes.prefix(40), bytes.dropFirst(40)] {
        for descriptor in descriptors {
          guard part.withUnsafeBytes({ send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }) == part.count
          else { return false }
        }
      }
      return true
    }
    print("MEASURED: \(count) connections at once")
    #expect(status.feeds[0].messageCount == UInt64(count))
    #expect(status.feeds[0].refusedCount == 0)
    #expect(status.findingCount == UInt64(count))
  }

  @Test func aDatagramThatTheKernelDroppedIsCounted() throws {
    let bench = try ServiceBench()
    let port = Sender.freePort()
    bench.configuration.sources = [
      .init(.syslogListen("127.0.0.1:\(port)", transports: ["udp"]), place: Place(file: "test"))
    ]
    let plan = ServicePlan(configuration: bench.configuration, engine: TestEngine.engine)
    let said = Mutex<[String]>([])
    let service = try Service(plan, load: { plan }, log: { text in said.withLock { $0.append(text) } })
    // More than the kernel keeps while nobody reads, then one that makes it tell.
    let datagram = Array("<13>1 - host tag - - - ".utf8) + [UInt8](repeating: 0x78, count: 30_000)
    #expect(Sender.udp(port, Array(repeating: datagram, count: 1500)))
    let end = ContinuousClock.now + .seconds(30)
    var isTold = false
    service.run(until: {
      if !isTold {
        isTold = true
        _ = Sender.udp(port, [Array("<13>1 - host tag - - - last".utf8)])
        return false
      }
      return service.status().feeds[0].droppedCount ?? 0 > 0 || ContinuousClock.now > end
    })
    let feed = service.status().feeds[0]
    try service.shutDown()
    #expect(feed.droppedCount ?? 0 > 0)
    #expect(feed.messageCount + (feed.droppedCount ?? 0) == 1501)
    #expect(said.withLock { $0 }.contains { $0.contains("the kernel dropped") })
  }

  /// A reload opens and closes what the new configuration says; connections of a source that stays go on within a message.
  @Test func aReloadKeepsConnections() throws {
    let bench = try ServiceBench()
    let (kept, gone, new) = (Sender.freePort(), Sender.freePort(), Sender.freePort())
    func source(_ port: UInt16) -> Configuration.Source {
      .init(.syslogListen("127.0.0.1:\(port)", transports: ["tcp"]), place: Place(file: "test"))
    }
    bench.configuration.sources = [source(kept), source(gone)]
    let plan = ServicePlan(configuration: bench.configuration, engine: TestEngine.engine)
    var changed = plan
    changed.configuration.sources = [source(new), source(kept)]
    let next = changed
    let service = try Service(plan, load: { next }, log: { _ in })
    let failures = Relayed.messages.filter { String(decoding: $0, as: UTF8.self).contains("Code=12175") }
    let failure = Relayed.counted(try #require(failures.first))
    let control = bench.configuration.controlSocket
    let isDone = Mutex(false)
    let answer = Mutex("")
    Thread.detachNewThread {
      defer { isDone.withLock { $0 = true } }
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      guard Sender.reach(descriptor, kept), send(descriptor, failure, 40, 0) == 40 else { return }
      let run = try? Executable.run(["reload", "--socket", control])
      answer.withLock { $0 = "\(run?.status ?? -1) \(run?.error ?? "")" }
      let rest = Array(failure.dropFirst(40))
      guard send(descriptor, rest, rest.count, 0) == rest.count else { return }
      _ = Sender.tcp(new, [failure])
    }
    let end = ContinuousClock.now + .seconds(30)
    service.run(until: {
      let feeds = service.status().feeds
      return (isDone.withLock { $0 } && feeds.allSatisfy { $0.messageCount == 1 && $0.connectionCount == 0 })
        || ContinuousClock.now > end
    })
    let feeds = service.status().feeds
    try service.shutDown()
    #expect(answer.withLock { $0 } == "0 ")
    #expect(Set(feeds.map(\.name)) == ["127.0.0.1:\(kept)", "127.0.0.1:\(new)"])
    #expect(feeds.allSatisfy { $0.messageCount == 1 }, "\(feeds)")
    #expect(!Sender.tcp(gone, [failure]), "a source that the configuration no longer names is still served")
    #expect(Set(try bench.storedFindings().map(\.path)).count == 2)
  }

  @Test func hostilePeersAreClosedWithTheirReason() throws {
    let bench = try ServiceBench()
    let port = Sender.freePort()
    bench.configuration.sources = [
      .init(.syslogListen("127.0.0.1:\(port)", transports: ["tcp"]), place: Place(file: "test"))
    ]
    let good = Relayed.messages[0]
    let said = Mutex<[String]>([])
    let plan = ServicePlan(configuration: bench.configuration, engine: TestEngine.engine)
    let service = try Service(plan, load: { plan }, log: { text in said.withLock { $0.append(text) } })
    let isSent = Mutex(false)
    Thread.detachNewThread {
      // It never ends a line: it is cut off while it sends.
      _ = Sender.tcp(port, Array(repeating: [UInt8](repeating: 0x78, count: 1 << 20), count: 40))
      _ = Sender.tcp(
        port, [Relayed.counted(good), Array("99 ".utf8) + good + Relayed.counted(good) + Relayed.counted(good)])
      isSent.withLock { $0 = true }
    }
    let end = ContinuousClock.now + .seconds(60)
    service.run(until: {
      let feed = service.status().feeds[0]
      return (isSent.withLock { $0 } && feed.connectionCount == 0 && feed.messageCount >= 3)
        || ContinuousClock.now > end
    })
    let status = service.status()
    try service.shutDown()
    #expect(status.feeds[0].closedCount == 1)
    #expect(said.withLock { $0 }.contains { $0.contains("a connection was closed: no line end or count") })
    #expect(status.skips["lineTooLong"] == 1)
    #expect(status.skips["badEnvelope"] ?? 0 >= 1)
  }

  /// While the store has no room, reading goes on within bounds and then stops: the sender waits. When there is room again,
  /// everything that it sent is there, once.
  @Test func aSenderWaitsWhileTheStoreIsFull() throws {
    let bench = try ServiceBench()
    let unshare = getuid() == 0 ? ["--mount"] : ["--user", "--map-root-user", "--mount"]
    let probe = try Executable.run(
      unshare + ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", bench.logs], program: "/usr/bin/unshare")
    guard probe.status == 0 else {
      PackageRoot.skip("a file system may not be mounted here")
      return
    }
    let port = Sender.freePort()
    // So many clients, each with a failure every two seconds: what one writer tells within a second is one failure.
    let count = 95_000
    // What is left is more than the kernel keeps between two sockets.
    let padding = String(repeating: "x", count: 700)
    var all: [UInt8] = []
    for index in 0..<count {
      let seconds = index / 500 * 2
      let time = String(format: "06:%02d:%02d", seconds / 60, seconds % 60)
      let message =
        "<134>1 2026-03-03T00:00:00.000Z PC-\(index % 500) CcmMessaging - - - <![LOG[[CCMHTTP] ERROR: "
        + "URL=https://mp-1.corp.example/ccm_system/request, Port=443, Options=31, Code=12175, "
        + "Text=ERROR_WINHTTP_SECURE_FAILURE]LOG]!><time=\"\(time).125-60\" date=\"03-02-2026\" "
        + "component=\"CcmMessaging\" context=\"\(padding)\" type=\"3\" thread=\"4242\" file=\"ccmhttp.cpp:1641\">"
      all += Relayed.counted(Array(message.utf8))
    }
    try Data(all).write(to: URL(fileURLWithPath: bench.root + "/messages"))
    let script = #"""
      set -eu
      cd "$1"
      program=$2 port=$3 count=$4
      mkdir store
      mount -t tmpfs -o size=1m tmpfs store
      printf 'sources: [{ syslog: { listen: "127.0.0.1:%s", transport: tcp } }]\nstore: { path: %s/store/state.db, retain: 36500d }\nalerts: { journal: false }\ncontrol: { socket: %s/c }\n' "$port" "$1" "$1" >c.yaml
      status() { "$program" status --config c.yaml --output json 2>/dev/null || true; }
      received() { status | sed -n 's/.*"messageCount":\([0-9]*\).*/\1/p'; }
      works() { status | grep -q '"store":"working"'; }
      pause() { read -r -t "$1" <> <(:) || true; }
      start() { "$program" run --config c.yaml 2>>err & service=$!; for _ in $(seq 300); do works && return; pause 0.1; done; }
      start
      (exec 7<>"/dev/tcp/127.0.0.1/$port"; cat messages >&7; echo sent >sent) &
      # Two looks at the same place, half a second apart, while the store is in trouble.
      for _ in $(seq 300); do
        before=$(received); pause 0.5; after=$(received)
        if [ -n "$after" ] && [ "$after" = "$before" ] && [ "$after" -gt 0 ] && ! works; then break; fi
      done
      echo "STALLED $after"
      [ -e sent ] || echo WAITING
      sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/RESIDENT \1/p' /proc/$service/status
      mount -o remount,size=1g store
      for _ in $(seq 900); do
        if [ -e sent ] && [ "$(received)" = "$count" ] && works; then break; fi
        pause 0.1
      done
      echo "RECEIVED $(received)"
      kill -TERM $service; wait $service
      # The next process finds the same.
      start
      "$program" incidents --config c.yaml --output json
      kill -TERM $service; wait $service
      cp store/state.db* .
      cat err
      """#
    let run = try Executable.run(
      unshare + ["/bin/bash", "-c", script, "bash", bench.root, Executable.path, String(port), String(count)],
      program: "/usr/bin/unshare")
    let lines = run.output.split(separator: "\n")
    func value(_ word: String) -> Int? {
      lines.first { $0.hasPrefix(word + " ") }.flatMap { Int($0.dropFirst(word.count + 1)) }
    }
    #expect(run.status == 0, "\(run.output.suffix(2000))\(run.error.suffix(2000))")
    #expect(lines.contains("WAITING"), "the sender did not wait: \(run.output.suffix(1000))")
    let stalled = try #require(value("STALLED"))
    #expect(stalled > 1000 && stalled < count, "\(stalled)")
    let resident = try #require(value("RESIDENT"))
    print("MEASURED: the sender waits after \(stalled) messages, resident \(resident / 1024) MiB at most")
    #expect(resident < 400 * 1024)
    #expect(value("RECEIVED") == count)
    let incidents = try lines.filter { $0.hasPrefix("{") }.map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }.filter { $0["kind"] as? String == "handshake.failed" }
    #expect(incidents.compactMap { $0["count"] as? Int }.reduce(0, +) == count)
    let findings = try bench.storedFindings()
    #expect(findings.count == count)
    #expect(Set(findings.map(\.offset)).count == count, "a message was kept twice")
    #expect(lines.contains { $0.contains("store: writing again") })
  }
}
