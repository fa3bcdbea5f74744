import CLinux
import Daemon
import Definitions
import Foundation
import Glibc
import Journal
import Records
import Verification

struct BenchError: Error, CustomStringConvertible {
  let description: String
}

func monotonic() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// A file that somebody writes, and the wait for it: inotify(7).
final class Watch {
  let descriptor: Int32

  init(_ folder: String) {
    descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    inotify_add_watch(descriptor, folder, UInt32(IN_MODIFY | IN_CREATE))
  }

  deinit { close(descriptor) }

  func drain() {
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while read(descriptor, &buffer, buffer.count) > 0 {}
  }

  /// Seconds since `start`, nil after five.
  func wait(since start: Double) -> Double? {
    var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&event, 1, 5000) > 0 else { return nil }
    let time = monotonic() - start
    drain()
    return time
  }
}

/// The service with a configuration of its own.
final class ServiceProcess {
  let process = Process()
  let root: String
  let program: String
  private var notify: Int32
  private(set) var readySeconds = 0.0

  /// Starts it and waits for READY=1.
  init(_ program: String, root: String, patience: Int32 = 300_000) throws {
    self.root = root
    self.program = program
    let socketPath = root + "/notify"
    notify = hl_unix_datagrams(socketPath, 0o600)
    guard notify >= 0 else { throw BenchError(description: "no socket at \(socketPath)") }
    try Data(
      """
      sources: [{ files: '\(root)/logs/{host}/**' }]
      store: { path: \(root)/store/state.db }
      control: { socket: \(root)/control }
      """.utf8
    ).write(to: URL(fileURLWithPath: root + "/c.yaml"))
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = ["run", "--config", root + "/c.yaml"]
    process.environment = ProcessInfo.processInfo.environment.merging(["NOTIFY_SOCKET": socketPath]) { $1 }
    process.standardError = FileHandle.nullDevice
    let start = monotonic()
    try process.run()
    while true {
      var event = pollfd(fd: notify, events: Int16(POLLIN), revents: 0)
      guard poll(&event, 1, patience) > 0 else { throw BenchError(description: "the service did not become ready") }
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = recv(notify, &buffer, buffer.count, 0)
      if count > 0, String(decoding: buffer[..<count], as: UTF8.self).contains("READY=1") { break }
    }
    readySeconds = monotonic() - start
  }

  deinit { stop() }

  func stop() {
    if notify >= 0 {
      close(notify)
      notify = -1
    }
    guard process.isRunning else { return }
    process.terminate()
    process.waitUntilExit()
  }

  func status() throws -> [String: Any] { try ServiceProcess.asking(program, root: root)() }

  /// Asks a service by its control socket.
  static func asking(_ program: String, root: String) -> () throws -> [String: Any] {
    { try status(program, root) }
  }

  private static func status(_ program: String, _ root: String) throws -> [String: Any] {
    let asked = Process()
    let pipe = Pipe()
    asked.executableURL = URL(fileURLWithPath: program)
    asked.arguments = ["status", "--config", root + "/c.yaml", "--output", "json"]
    asked.standardOutput = pipe
    try asked.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    asked.waitUntilExit()
    return (try JSONSerialization.jsonObject(with: data) as? [String: Any]) ?? [:]
  }

  /// Waits until a service has read what was there at its start; nothing tells but its own status.
  /// - Throws: `BenchError` after ten minutes.
  static func waitUntilCaughtUp(_ ask: () throws -> [String: Any]) throws {
    let end = monotonic() + 600
    while monotonic() < end {
      if try ask()["isBacklog"] as? Bool == false { return }
      usleep(100_000)
    }
    throw BenchError(description: "what was there at the start was not read within 600 s")
  }

  /// Waits until everything is read; looks ten times a second, since looking costs the service time.
  func waitUntilRead(_ byteCount: UInt64) throws -> Double {
    let end = monotonic() + 600
    while monotonic() < end {
      let status = try status()
      if (status["byteCount"] as? UInt64 ?? 0) >= byteCount { return monotonic() }
      usleep(100_000)
    }
    throw BenchError(description: "not everything was read within 600 s")
  }

  /// Seconds of processor time so far.
  var processorSeconds: Double {
    let text = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)) ?? ""
    let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 13 else { return 0 }
    return (Double(fields[11])! + Double(fields[12])!) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  var residentMebibytes: Double {
    let text = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
    return (Double(line.split(separator: " ").dropFirst().first ?? "0") ?? 0) / 1024
  }
}

struct DaemonBench {
  let program: String

  /// A benign record of a client, 200 bytes.
  static let benign =
    Array(
      #"<![LOG[The inventory of this machine was looked at and has not changed since the last time it ran; nothing is to be sent now.]LOG]!><time="06:00:00.125-60" date="03-02-2026" component="CcmMessaging" context="" type="1" thread="4242" file="x.cpp:1">"#
        .utf8) + [0x0D, 0x0A]

  static func failure(_ number: Int) -> [UInt8] {
    let time = String(format: "%02d:%02d:%02d", number / 360 % 24, number / 6 % 60, number % 6 * 10)
    return Array(
      #"<![LOG[[CCMHTTP] ERROR: URL=https://mp-\#(number).corp.example/ccm_system/request, Port=443, Options=31, Code=12175, Text=ERROR_WINHTTP_SECURE_FAILURE]LOG]!><time="\#(time).125-60" date="03-02-2026" component="CcmMessaging" context="" type="3" thread="4242" file="ccmhttp.cpp:1641">"#
        .utf8) + [0x0D, 0x0A]
  }

  static func folder(_ name: String) throws -> String {
    let root = NSTemporaryDirectory() + "daemon-bench-\(getpid())-\(name)"
    for part in ["/logs", "/store"] {
      try FileManager.default.createDirectory(atPath: root + part, withIntermediateDirectories: true)
    }
    return root
  }

  /// So many files, a hundred in a folder, each (or each tenth …) open to be appended to.
  static func files(_ folder: String, count: Int, lineCount: Int = 1, keepingOpenEach step: Int = 1) throws -> [Int32] {
    var descriptors: [Int32] = []
    let text = Array(repeatElement(benign, count: lineCount).joined())
    for index in 0..<count {
      let host = "\(folder)/PC-\(index / 100)"
      if index % 100 == 0 { try FileManager.default.createDirectory(atPath: host, withIntermediateDirectories: true) }
      let descriptor = open("\(host)/client\(index % 100).log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw BenchError(description: "open: \(String(cString: strerror(errno)))") }
      // Beginnings differ, as those of real logs do.
      let first = Array(
        "<![LOG[client \(index)]LOG]!><time=\"06:00:00.125-60\" date=\"03-02-2026\" component=\"a\" context=\"\" type=\"1\" thread=\"1\" file=\"x.cpp:1\">\r\n"
          .utf8)
      write(descriptor, first + text)
      if step > 0, index % step == 0 { descriptors.append(descriptor) } else { close(descriptor) }
    }
    return descriptors
  }

  static func write(_ descriptor: Int32, _ bytes: [UInt8]) {
    var offset = 0
    while offset < bytes.count {
      let count = bytes[offset...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count <= 0 { return }
      offset += count
    }
  }

  static func percentile(_ values: [Double], _ part: Double) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? .nan : sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
  }

  static func milliseconds(_ values: [Double]) -> String {
    String(format: "p50 %.3f ms, p99 %.3f ms", percentile(values, 0.5) * 1000, percentile(values, 0.99) * 1000)
  }

  // MARK: - Parts

  /// Append to decided (an incident opened), to stored and to readable in the journal, beside append to echoed by a
  /// process that does nothing but inotify, pread and write. Both watch 10,000 files of their own, in turn. The service
  /// runs in this process, so that its decision is told the way the echo is: by a write that ends a wait.
  func latency(fileCount: Int = 10_000, rounds: Int = 400) throws {
    let root = try DaemonBench.folder("latency")
    defer { try? FileManager.default.removeItem(atPath: root) }
    let logs = try DaemonBench.files(root + "/logs", count: fileCount, keepingOpenEach: 10)
    let echoed = try DaemonBench.files(root + "/echo", count: fileCount, keepingOpenEach: 10)
    defer { for descriptor in logs + echoed { close(descriptor) } }
    for name in ["out", "decided"] {
      try FileManager.default.createDirectory(atPath: root + "/" + name, withIntermediateDirectories: true)
    }
    let (running, ended) = try DaemonBench.runHere(root)
    defer {
      kill(getpid(), SIGTERM)
      ended.wait()
    }
    let echo = Process()
    echo.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    echo.arguments = ["--echo", root + "/echo", root + "/out/echo"]
    let echoWatch = Watch(root + "/out")
    try echo.run()
    defer {
      echo.terminate()
      echo.waitUntilExit()
    }
    guard echoWatch.wait(since: monotonic()) != nil else { throw BenchError(description: "the echo did not start") }
    let asked = ServiceProcess.asking(program, root: root)
    try ServiceProcess.waitUntilCaughtUp(asked)
    // The load begins once the commit of the first reading, at most five seconds late, lies behind.
    usleep(6_000_000)
    _ = running
    let decidedWatch = Watch(root + "/decided")
    let storeWatch = Watch(root + "/store")
    let journal =
      FileManager.default.fileExists(atPath: "/run/systemd/journal/socket") ? try JournalReader.following() : nil
    var decided: [Double] = []
    var stored: [Double] = []
    var told: [Double] = []
    var bare: [Double] = []
    var random = SystemRandomNumberGenerator()
    for round in 0..<rounds {
      usleep(UInt32.random(in: 5_000...25_000, using: &random))
      for watch in [storeWatch, echoWatch, decidedWatch] { watch.drain() }
      let line = DaemonBench.failure(round)
      var start = monotonic()
      DaemonBench.write(logs.randomElement(using: &random)!, line)
      if let time = decidedWatch.wait(since: start) { decided.append(time) }
      if let time = storeWatch.wait(since: start) { stored.append(time) }
      if let journal, let time = try DaemonBench.waitForMessage(journal, since: start) { told.append(time) }
      usleep(UInt32.random(in: 5_000...25_000, using: &random))
      echoWatch.drain()
      start = monotonic()
      DaemonBench.write(echoed.randomElement(using: &random)!, line)
      if let time = echoWatch.wait(since: start) { bare.append(time) }
    }
    print("latency, \(fileCount) files, \(decided.count) of \(rounds) appends")
    print("  append → decided              \(DaemonBench.milliseconds(decided))")
    print("  append → echo                 \(DaemonBench.milliseconds(bare))")
    print(
      String(
        format: "  ratio                         p50 %.2f, p99 %.2f",
        DaemonBench.percentile(decided, 0.5) / DaemonBench.percentile(bare, 0.5),
        DaemonBench.percentile(decided, 0.99) / DaemonBench.percentile(bare, 0.99)))
    print("  append → stored               \(DaemonBench.milliseconds(stored))")
    if journal != nil {
      print("  append → readable in journal  \(DaemonBench.milliseconds(told)), \(told.count) messages")
    }
  }

  /// The service in a thread of this process; each decision is a byte written to `decided/told`.
  private static func runHere(_ root: String) throws -> (Thread, DispatchSemaphore) {
    var configuration = Configuration()
    configuration.sources = [.init(files: root + "/logs/{host}/**", place: Place(file: "bench"))]
    configuration.storePath = root + "/store/state.db"
    configuration.controlSocket = root + "/control"
    try Data("control: { socket: \(root)/control }\n".utf8).write(to: URL(fileURLWithPath: root + "/c.yaml"))
    guard let engine = DefinitionSet().engine else { throw BenchError(description: "the definitions have faults") }
    let plan = ServicePlan(configuration: configuration, engine: engine)
    let told = open(root + "/decided/told", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    let ended = DispatchSemaphore(value: 0)
    let thread = Thread {
      defer { ended.signal() }
      guard let service = try? Service(plan, load: { plan }, log: { _ in }) else { return }
      service.onEvents = { write(told, [0x31]) }
      service.run()
      try? service.shutDown()
    }
    thread.stackSize = 16 * 1024 * 1024
    thread.start()
    return (thread, ended)
  }

  private static func waitForMessage(_ journal: JournalReader, since start: Double) throws -> Double? {
    let end = start + 5
    while monotonic() < end {
      try journal.process()
      while let stored = try journal.next() {
        if case .message = stored { return monotonic() - start }
      }
      var event = pollfd(fd: journal.descriptor, events: Int16(POLLIN), revents: 0)
      // journald tells of an entry at most four times a second; it can be read at once.
      poll(&event, 1, 1)
    }
    return nil
  }

  func idle(fileCount: Int = 10_000, seconds: Int = 120) throws {
    let root = try DaemonBench.folder("idle")
    defer { try? FileManager.default.removeItem(atPath: root) }
    for descriptor in try DaemonBench.files(root + "/logs", count: fileCount) { close(descriptor) }
    let service = try ServiceProcess(program, root: root)
    defer { service.stop() }
    try ServiceProcess.waitUntilCaughtUp(service.status)
    usleep(10_000_000)
    let before = service.processorSeconds
    let start = monotonic()
    usleep(UInt32(seconds) * 1_000_000)
    let share = (service.processorSeconds - before) / (monotonic() - start) * 100
    print(
      String(
        format: "idle, %d files: %.3f %% of a core over %d s, resident %.1f MiB", fileCount, share, seconds,
        service.residentMebibytes))
  }

  func lines(fileCount: Int = 10_000, seconds: Int = 60) throws {
    let root = try DaemonBench.folder("lines")
    defer { try? FileManager.default.removeItem(atPath: root) }
    let logs = try DaemonBench.files(root + "/logs", count: fileCount)
    defer { for descriptor in logs { close(descriptor) } }
    let service = try ServiceProcess(program, root: root)
    defer { service.stop() }
    try ServiceProcess.waitUntilCaughtUp(service.status)
    usleep(6_000_000)
    let before = service.processorSeconds
    let start = monotonic()
    var written = 0
    for second in 0..<seconds {
      for (index, descriptor) in logs.enumerated() {
        DaemonBench.write(descriptor, DaemonBench.benign)
        written += 1
        // Evenly over the second.
        if index % 100 == 99 {
          let due = start + Double(second) + Double(index + 1) / Double(fileCount)
          let left = due - monotonic()
          if left > 0 { usleep(UInt32(left * 1e6)) }
        }
      }
    }
    let took = monotonic() - start
    let share = (service.processorSeconds - before) / took * 100
    let resident = service.residentMebibytes
    let status = try service.status()
    print(
      String(
        format: "lines, %d files, %.0f lines/s for %.0f s: %.1f %% of a core, resident %.1f MiB, lag %@ bytes",
        fileCount,
        Double(written) / took, took, share, resident, "\(status["lagByteCount"] ?? "?")"))
  }

  /// Four writers, each rotating its file every 100 MB; then a replay of what they wrote, beside four writers again.
  func throughput(mebibytes: Int = 1200) throws {
    let root = try DaemonBench.folder("throughput")
    defer { try? FileManager.default.removeItem(atPath: root) }
    let service = try ServiceProcess(program, root: root)
    let bytes = UInt64(mebibytes) * 1024 * 1024
    var start = monotonic()
    let written = DaemonBench.write(root + "/logs", byteCount: bytes)
    let end = try service.waitUntilRead(written)
    let live = Double(written) / (end - start) / 1e6
    print(
      String(
        format: "throughput, 4 writers, %.0f MB: live %.0f MB/s, resident %.1f MiB", Double(written) / 1e6, live,
        service.residentMebibytes))
    service.stop()
    let replay = Process()
    replay.executableURL = URL(fileURLWithPath: program)
    replay.arguments = ["replay", root + "/logs", "--threads", "1", "--no-progress"]
    replay.standardOutput = FileHandle.nullDevice
    let isOver = Flag()
    let writers = Thread { DaemonBench.writeUntil(root + "/beside", isOver, perWriter: bytes / 4) }
    start = monotonic()
    writers.start()
    try replay.run()
    replay.waitUntilExit()
    let seconds = monotonic() - start
    isOver.set()
    let once = Double(written) / seconds / 1e6
    print(String(format: "  replay --threads 1 of the same %.0f MB/s; ratio %.2f", once, live / once))
  }

  final class Flag: @unchecked Sendable {
    private let lock = NSLock()
    private var value = false
    var isSet: Bool { lock.withLock { value } }
    func set() { lock.withLock { value = true } }
  }

  private static func writeUntil(_ folder: String, _ isOver: Flag, perWriter: UInt64) {
    _ = write(folder, byteCount: perWriter * 4)
  }

  /// - Returns: how much was written.
  private static func write(_ folder: String, byteCount: UInt64) -> UInt64 {
    // One failure among 2000 records.
    var block: [UInt8] = []
    for index in 0..<2000 { block += index == 999 ? failure(7) : benign }
    let text = block
    let perWriter = byteCount / 4
    DispatchQueue.concurrentPerform(iterations: 4) { writer in
      let host = "\(folder)/SRV-\(writer)"
      try? FileManager.default.createDirectory(atPath: host, withIntermediateDirectories: true)
      var number = 0
      var size = 0
      var descriptor = open(host + "/mp.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
      var left = Int(perWriter) / text.count
      while left > 0 {
        write(
          descriptor,
          Array(
            "<![LOG[block \(writer) \(left)]LOG]!><time=\"06:00:00.125-60\" date=\"03-02-2026\" component=\"a\" context=\"\" type=\"1\" thread=\"1\" file=\"x.cpp:1\">\r\n"
              .utf8))
        write(descriptor, text)
        size += text.count
        left -= 1
        if size >= 100_000_000 {
          close(descriptor)
          number += 1
          rename(host + "/mp.log", host + "/mp-\(number).log")
          descriptor = open(host + "/mp.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
          size = 0
        }
      }
      close(descriptor)
    }
    var sum: UInt64 = 0
    for case let name as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
      var info = stat()
      if stat(folder + "/" + name, &info) == 0, info.st_mode & S_IFMT == S_IFREG { sum += UInt64(info.st_size) }
    }
    return sum
  }

  /// A start with so many files that were read before.
  func start(fileCount: Int = 100_000) throws {
    let root = try DaemonBench.folder("start")
    defer { try? FileManager.default.removeItem(atPath: root) }
    _ = try DaemonBench.files(root + "/logs", count: fileCount, keepingOpenEach: 0)
    var service = try ServiceProcess(program, root: root)
    try ServiceProcess.waitUntilCaughtUp(service.status)
    service.stop()
    var times: [Double] = []
    for _ in 0..<3 {
      service = try ServiceProcess(program, root: root)
      times.append(service.readySeconds)
      service.stop()
    }
    print(
      String(
        format: "start, %d known files: READY after %.2f s (%@)", fileCount, times.sorted()[1],
        times.map { String(format: "%.2f", $0) }.joined(separator: ", ")))
  }
}

/// What the service is held against: inotify, pread, one byte written; no more.
enum Echo {
  static func run(folder: String, output: String) -> Never {
    hl_raise_open_files()
    let out = open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    let watches = hl_inotify_open()
    var folders: [Int32: String] = [:]
    var files: [String: (descriptor: Int32, offset: Int)] = [:]
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
      let path = folder + "/" + name
      folders[hl_inotify_watch(watches, path)] = path
      for file in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
        let descriptor = open(path + "/" + file, O_RDONLY | O_CLOEXEC)
        var info = stat()
        fstat(descriptor, &info)
        files[path + "/" + file] = (descriptor, Int(info.st_size))
      }
    }
    DaemonBench.write(out, [0x31])
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var text = [UInt8](repeating: 0, count: 65_536)
    while true {
      var event = pollfd(fd: watches, events: Int16(POLLIN), revents: 0)
      poll(&event, 1, -1)
      let count = read(watches, &buffer, buffer.count)
      var offset = 0
      while offset < count {
        var event = hl_event()
        var path = ""
        let taken = buffer.withUnsafeBytes { raw in
          let taken = hl_inotify_event(raw.baseAddress! + offset, count - offset, &event)
          if taken > 0, event.name_count > 0 {
            let name = UnsafeRawBufferPointer(start: event.name, count: event.name_count)
            path = (folders[event.watch] ?? "") + "/" + String(decoding: name, as: UTF8.self)
          }
          return taken
        }
        if taken == 0 { break }
        offset += taken
        guard let file = files[path] else { continue }
        let got = pread(file.descriptor, &text, text.count, off_t(file.offset))
        guard got > 0 else { continue }
        files[path]!.offset += got
        DaemonBench.write(out, [0x31])
      }
    }
  }
}
