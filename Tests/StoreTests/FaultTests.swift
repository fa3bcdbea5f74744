import Foundation
import Glibc
import TestSupport
import Testing

/// A killed process, a full disk and a failing one: evidence and offset agree whatever happens.
@Suite(.serialized) struct FaultTests {
  private static let victim = Executable.path(of: "store-victim")

  @Test func killedAnywhere() throws {
    let place = try Place()
    var generator = SeededGenerator(seed: 9)
    var offset: UInt64 = 0
    for round in UInt64(0)..<25 {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: FaultTests.victim)
      process.arguments = ["grow", place.path, "\(round)"]
      let pipe = Pipe()
      process.standardOutput = pipe
      process.standardInput = FileHandle.nullDevice
      try process.run()
      // After some commits, and then at once: the process is anywhere in the next one.
      let lines = Int.random(in: 0...40, using: &generator)
      var told = ""
      while told.utf8.count(where: { $0 == 10 }) < lines {
        let data = pipe.fileHandleForReading.availableData
        if data.isEmpty { break }
        told += String(decoding: data, as: UTF8.self)
      }
      for _ in 0..<Int.random(in: 0...20_000, using: &generator) { sched_yield() }
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      told += String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      let committed = UInt64(told.split(separator: "\n").last ?? "0") ?? 0

      let check = try Executable.run(["check", place.path], program: FaultTests.victim)
      let words = check.output.split(separator: " ")
      #expect(words.first == "agrees", "\(check.output)")
      let found = UInt64(words.dropFirst(2).first ?? "") ?? 0
      #expect(found >= committed && found >= offset, "round \(round): told \(committed), found \(found)")
      offset = found
    }
    #expect(offset > 0)
    print("store: 25 kills, \(offset) records, none lost or counted twice")
  }

  /// A file system of 1 MiB in a mount namespace of its own.
  @Test func fullDisk() throws {
    let place = try Place()
    let unshare = getuid() == 0 ? ["--mount"] : ["--user", "--map-root-user", "--mount"]
    let probe = try Executable.run(
      unshare + ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place.folder], program: "/usr/bin/unshare")
    guard probe.status == 0 else {
      PackageRoot.skip("a file system may not be mounted here")
      return
    }
    let script = "mount -t tmpfs -o size=1m tmpfs \"$1\" && exec \"$2\" full \"$1\""
    let run = try Executable.run(
      unshare + ["/bin/sh", "-c", script, "sh", place.folder, FaultTests.victim], program: "/usr/bin/unshare")
    let lines = run.output.split(separator: "\n")
    #expect(run.status == 0, "\(run.output)\(run.error)")
    #expect(lines.first == "full")
    #expect(lines.last?.hasPrefix("agrees") == true, "\(run.output)")
  }

  /// Calls that fail for a while, and then succeed again.
  @Test(arguments: ["pwrite64:error=EIO", "fdatasync:error=EIO", "pwrite64:error=ENOSPC", "ftruncate:error=EIO"])
  func failingDisk(fault: String) throws {
    let strace = "/usr/bin/strace"
    guard FileManager.default.isExecutableFile(atPath: strace),
      try Executable.run(["-o", "/dev/null", "/bin/true"], program: strace).status == 0
    else {
      PackageRoot.skip("strace is not there or may not trace")
      return
    }
    let place = try Place()
    // The file is made before the faults begin: they are about a running service.
    #expect(try Executable.run(["check", place.path], program: FaultTests.victim).status == 0)
    let call = String(fault.prefix { $0 != ":" })
    // Opening writes too, and is not what is tested here.
    let range = call == "pwrite64" ? "60..90" : "8..13"
    let run = try Executable.run(
      [
        "-f", "-o", "/dev/null", "-e", "trace=\(call)", "-e", "inject=\(fault):when=\(range)", FaultTests.victim,
        "faults",
        place.path, "40",
      ], program: strace)
    let lines = run.output.split(separator: "\n")
    #expect(run.status == 0, "\(run.output)\(run.error)")
    #expect(lines.last?.hasPrefix("agrees") == true, "\(run.output)")
    // Each is told: by the commit, or by the moving of the log where that alone syncs.
    if call != "ftruncate" {
      #expect(lines.contains { $0.hasSuffix(fault.hasSuffix("EIO") ? "input-output" : "full") }, "\(run.output)")
    }
    let check = try Executable.run(["check", place.path], program: FaultTests.victim)
    #expect(check.output.hasPrefix("agrees"), "\(check.output)")
  }
}
