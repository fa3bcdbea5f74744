import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct NotifyTests {
  private static let probe = Executable.path(of: "journal-probe")

  @Test func systemdIsToldInItsOwnWords() throws {
    let path = NSTemporaryDirectory() + "handshaked-notify-\(getpid())"
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    try #require(descriptor >= 0)
    defer {
      close(descriptor)
      unlink(path)
    }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let bound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0)
    // Ten datagrams wait in a socket; the probe sends eight.
    let run = try Executable.run(["notify"], program: NotifyTests.probe, environment: ["NOTIFY_SOCKET": path])
    #expect(run.output == "sent\nwatchdog none\n")
    var messages: [String] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      guard count > 0 else { break }
      messages.append(String(decoding: buffer[..<count], as: UTF8.self))
    }
    let reload = messages.count > 3 ? messages.remove(at: 3) : ""
    #expect(reload.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") && reload.count > 30)
    #expect(
      messages == [
        "READY=1\nSTATUS=up READY=0", "STATUS=half way", "WATCHDOG=1", "STOPPING=1\nSTATUS=bye",
        "EXTEND_TIMEOUT_USEC=1500000", "FDSTORE=1\nFDNAME=syslog-tcp", "FDSTOREREMOVE=1\nFDNAME=syslog-tcp",
      ])
  }

  @Test func withoutSystemdNothingIsSaid() throws {
    let run = try Executable.run(
      [
        "-u", "NOTIFY_SOCKET", "WATCHDOG_USEC=3000000", "/bin/sh", "-c", "WATCHDOG_PID=$$ exec \"$0\" notify",
        NotifyTests.probe,
      ],
      program: "/usr/bin/env")
    #expect(run.output == "notAsked\nwatchdog 3.0 seconds\n")
  }

  @Test func descriptorsComeWithTheirNames() throws {
    let run = try Executable.run(
      [
        "-c", "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=syslog-tcp:stored exec \"$0\" listen 3</dev/null 4</dev/null",
        NotifyTests.probe,
      ], program: "/bin/sh")
    #expect(run.output == "syslog-tcp 3\nstored 4\nleft nothing\n")
  }
}
