import Foundation
import Glibc

/// How long `handshaked replay -` takes from its start to its first byte.
enum Start {
  /// Most of a start, in milliseconds.
  static let limitMilliseconds = 80.0

  /// Its standard input is a pipe that is full before it starts, so that the first room in it is the first read. Wall
  /// time: waiting for the loader is part of a start.
  /// - Returns: milliseconds of one start.
  static func milliseconds(_ product: Product) throws -> Double {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw BenchError(what: "pipe: \(String(cString: strerror(errno)))") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    // Only this end: the reader's blocks, as a shell's pipe does.
    _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    let line = [UInt8](repeating: 0x78, count: 4095) + [0x0A]
    while write(ends[1], line, line.count) > 0 {}
    let clock = ContinuousClock()
    let began = clock.now
    let child: Child
    do {
      defer { close(ends[0]) }
      child = try Child(product.path, ["replay", "--no-progress", "-"], input: ends[0])
    }
    var room = pollfd(fd: ends[1], events: Int16(POLLOUT), revents: 0)
    let count = poll(&room, 1, 60_000)
    let duration = clock.now - began
    close(ends[1])
    let (status, _) = try child.wait()
    guard count == 1, room.revents & Int16(POLLOUT) != 0, status == 0 else {
      throw BenchError(what: "\(product.path) replay - did not read its input (status \(status ?? 255))")
    }
    return duration / .milliseconds(1)
  }
}
