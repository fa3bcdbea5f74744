import Detection
import Foundation
import Glibc
import Records
import Replay
import TestSupport
import Testing

/// The README's recipes for sending logs, run with a real rsyslog: what arrives gives the findings of the files themselves.
@Suite(.serialized) struct RecipeTests {
  private static let rsyslogd = ["/usr/sbin/rsyslogd", "/sbin/rsyslogd"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  /// One configuration of the README: the block that begins with `# recipe: NAME`.
  private static func block(_ name: String) throws -> String {
    let readme = String(decoding: try PackageRoot.bytes("README.md"), as: UTF8.self)
    let start = try #require(readme.range(of: "```\n# recipe: \(name)\n"), "the README has no recipe \(name)")
    let rest = readme[start.upperBound...]
    let end = try #require(rest.range(of: "\n```"))
    return rest[..<end.lowerBound] + "\n"
  }

  /// Folders of one test. The root stands two levels deep, as `/srv/collected` does: a recipe counts them.
  private final class Place {
    let root = "/tmp/handshaked-recipe-\(UUID().uuidString)"
    var processes: [Process] = []

    init() throws {
      for folder in ["", "-spool-send", "-spool-receive", "-remote"] {
        try FileManager.default.createDirectory(atPath: root + folder, withIntermediateDirectories: true)
      }
    }

    /// The recipe with this test's folders, port and address in the place of the README's.
    func configuration(_ name: String, spool: String, port: Int) throws -> String {
      let text = try RecipeTests.block(name)
        .replacingOccurrences(of: "/srv/collected", with: root)
        .replacingOccurrences(of: "/var/log/remote", with: root + "-remote")
        .replacingOccurrences(of: "/var/spool/rsyslog", with: root + spool)
        .replacingOccurrences(of: "logs.corp.example", with: "127.0.0.1")
        .replacingOccurrences(of: "port=\"2514\"", with: "port=\"\(port)\"")
        .replacingOccurrences(of: "port=\"6514\"", with: "port=\"\(port)\"")
        .replacingOccurrences(of: "input(type=\"imrelp\"", with: "input(type=\"imrelp\" address=\"127.0.0.1\"")
        .replacingOccurrences(of: "input(type=\"imtcp\"", with: "input(type=\"imtcp\" address=\"127.0.0.1\"")
      let path = root + spool + "/" + name
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      return path
    }

    func start(_ configuration: String) throws {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: RecipeTests.rsyslogd!)
      process.arguments = ["-n", "-f", configuration, "-i", configuration + ".pid"]
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      processes.append(process)
    }

    deinit {
      // Not SIGTERM: a child of a worker thread inherits that thread's blocked signals.
      for process in processes where process.isRunning {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
      }
      for folder in ["", "-spool-send", "-spool-receive", "-remote"] {
        try? FileManager.default.removeItem(atPath: root + folder)
      }
    }
  }

  /// A port of the loopback interface that nobody listens on now.
  private static func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let port: UInt16? = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        guard bind(descriptor, generic, size) == 0, getsockname(descriptor, generic, &size) == 0 else { return nil }
        return pointer.pointee.sin_port.bigEndian
      }
    }
    return Int(try #require(port))
  }

  /// Returns when a connection to the port is taken; fails after a minute.
  private static func waitForListener(_ port: Int) throws {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(60)
    while clock.now < deadline {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      address.sin_port = UInt16(port).bigEndian
      let isTaken = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
      }
      if isTaken { return }
      // Nothing tells when a port is listened on: it is asked again.
      sched_yield()
    }
    Issue.record("nobody listens on port \(port)")
  }

  /// Waits for changes below `root` until `condition` holds; fails after a minute.
  private static func wait(for what: String, below root: String, until condition: () -> Bool) throws {
    let descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    try #require(descriptor >= 0, "inotify_init1: errno \(errno)")
    defer { close(descriptor) }
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(60)
    var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      // A folder that came since is watched before the condition is looked at, so that no write falls between; asking
      // again for one that is watched changes nothing.
      for folder in [root] + folders(root) {
        inotify_add_watch(descriptor, folder, UInt32(IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE))
      }
      if condition() { return }
      let left = deadline - clock.now
      var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let milliseconds = Int32(clamping: left.components.seconds * 1000)
      try #require(left > .zero && poll(&event, 1, max(1, milliseconds)) > 0, "waited a minute for \(what)")
      while read(descriptor, &buffer, buffer.count) > 0 {}
    }
  }

  private static func folders(_ root: String) -> [String] {
    var folders: [String] = []
    for case let name as String in FileManager.default.enumerator(atPath: root) ?? .init() {
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: root + "/" + name, isDirectory: &isFolder), isFolder.boolValue {
        folders.append(root + "/" + name)
      }
    }
    return folders
  }

  private static func files(_ root: String) -> [String: Data] {
    var files: [String: Data] = [:]
    for case let name as String in FileManager.default.enumerator(atPath: root) ?? .init() {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: root + "/" + name, isDirectory: &isFolder), !isFolder.boolValue
      else { continue }
      files[name] = FileManager.default.contents(atPath: root + "/" + name)
    }
    return files
  }

  /// What must be the same however the records came.
  private static func facts(_ path: String) async throws -> [String] {
    let report = try await Replay.run(ReplayRequest(paths: [path]), engine: TestEngine.engine)
    return report.findings.map { finding in
      [
        finding.signature, finding.time?.rfc3339, finding.host, finding.log, finding.client, finding.server,
        finding.code, finding.cause.rawValue,
      ].map { $0 ?? "-" }.joined(separator: " ")
    }.sorted()
  }

  private static let sample = "sample-logs/tls10-off-too-early"

  private static func copySamples(to root: String) throws {
    for (name, data) in files(PackageRoot.path(sample)) where !name.hasSuffix(".md") {
      let path = root + "/" + name
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try data.write(to: URL(fileURLWithPath: path))
    }
  }

  private static func lineCount(_ root: String) -> Int {
    files(root).values.reduce(0) { $0 + $1.count { $0 == 0x0A } }
  }

  private func run(_ recipe: String) async throws -> Place? {
    guard Self.rsyslogd != nil else {
      PackageRoot.skip("rsyslogd is not installed")
      return nil
    }
    let place = try Place()
    let port = try Self.freePort()
    try place.start(place.configuration("\(recipe)-receive.conf", spool: "-spool-receive", port: port))
    // RELP sends again what a refused connection left open: the sender begins when the receiver listens.
    try Self.waitForListener(port)
    try place.start(place.configuration("\(recipe)-send.conf", spool: "-spool-send", port: port))
    // Files come while the sender runs, as they do in life.
    try Self.copySamples(to: place.root)
    let wanted = Self.lineCount(place.root)
    #expect(wanted > 300)
    try Self.wait(for: "\(wanted) lines by \(recipe)", below: place.root + "-remote") {
      Self.lineCount(place.root + "-remote") >= wanted
    }
    #expect(Self.lineCount(place.root + "-remote") == wanted)
    return place
  }

  @Test func relpBringsTheFilesThemselves() async throws {
    guard let place = try await run("relp") else { return }
    let sent = Self.files(place.root)
    let received = Self.files(place.root + "-remote")
    func base(_ files: [String: Data]) -> [String: Data] {
      Dictionary(
        uniqueKeysWithValues: files.map { name, data in
          let parts = name.split(separator: "/")
          return ("\(parts.first!)/\(parts.last!)", data)
        })
    }
    #expect(base(sent) == base(received))
    #expect(try await Self.facts(place.root + "-remote") == Self.facts(PackageRoot.path(Self.sample)))
  }

  @Test func syslogOverTCPKeepsHostPathAndFindings() async throws {
    guard let place = try await run("tcp") else { return }
    let expected = try await Self.facts(PackageRoot.path(Self.sample))
    #expect(expected.count > 60)
    let found = try await Self.facts(place.root + "-remote/windows.log")
    let difference = Set(found).symmetricDifference(expected).sorted().prefix(6)
    #expect(difference.isEmpty && found.count == expected.count, "\(difference)")
  }

  /// A share that is mounted read-only: nothing is written, nothing is missed.
  @Test func aReadOnlyShareIsRead() async throws {
    let place = try Place()
    try Self.copySamples(to: place.root)
    let mounted = place.root + "-remote"
    let script =
      "mount --bind \(place.root) \(mounted) && mount -o remount,ro,bind \(mounted) && ! touch \(mounted)/x 2>/dev/null"
      + " && exec \(Executable.path) replay \(mounted) --findings --output json"
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
    process.arguments = ["-m", "sh", "-c", script]
    let output = place.root + "-spool-send/out"
    try Data().write(to: URL(fileURLWithPath: output))
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      PackageRoot.skip("a read-only mount needs the right to mount (status \(process.terminationStatus))")
      return
    }
    let printed = String(decoding: FileManager.default.contents(atPath: output) ?? Data(), as: UTF8.self)
    let direct = try Executable.run([
      "replay", PackageRoot.path(Self.sample), "--findings", "--output", "json",
    ])
    func findings(_ text: String) -> [Substring] { text.split(separator: "\n").filter { $0.contains("\"finding\"") } }
    #expect(findings(printed).count > 60 && findings(printed) == findings(direct.output))
  }
}
