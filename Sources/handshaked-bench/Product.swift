import Foundation
import Glibc

/// The executable `handshaked` beside this one, run as an administrator would.
struct Product {
  let path: String

  /// Where this executable and the others of the build are.
  static let folder: String = {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: own).deletingLastPathComponent().path
  }()

  /// - Throws: `BenchError` when it was not built.
  init() throws {
    path = Product.folder + "/handshaked"
    guard FileManager.default.isExecutableFile(atPath: path) else {
      throw BenchError(what: "\(path) is not there\n  fix: swift build -c release --product handshaked")
    }
  }

  /// Replays a file.
  /// - Returns: the most memory that was resident: the high-water mark of proc(5), read every millisecond until the end,
  ///   as `wait4` reports what the parent held when it began.
  func peakByteCount(_ file: String, threadCount: Int) throws -> Int {
    let child = try Child(path, ["replay", "--no-progress", "--threads", "\(threadCount)", file], input: nil)
    var peak = 0
    while true {
      peak = max(peak, PeakMemory.byteCount(of: child.pid) ?? 0)
      if let status = try child.poll() {
        guard status == 0 else { throw BenchError(what: "\(path) replay \(file) failed with status \(status)") }
        return peak
      }
      usleep(1000)
    }
  }
}

/// A process that this one started, its output thrown away.
struct Child {
  let pid: pid_t

  /// - Parameter input: a descriptor that becomes its standard input; nil is `/dev/null`.
  /// - Throws: `BenchError` when it cannot be started.
  init(_ executable: String, _ arguments: [String], input: Int32?, environment: [String] = ["LC_ALL=C"]) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let input {
      posix_spawn_file_actions_adddup2(&actions, input, 0)
    } else {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    // What this process and its threads block or ignore is no matter of the child's.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var words: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
    defer { for word in words + variables { free(word) } }
    var child: pid_t = 0
    let refusal = posix_spawn(&child, executable, &actions, &attributes, &words, &variables)
    guard refusal == 0 else {
      throw BenchError(what: "cannot start \(executable): \(String(cString: strerror(refusal)))")
    }
    pid = child
  }

  /// Waits for its end.
  /// - Returns: its exit code, nil when a signal ended it; and what it used.
  func wait() throws -> (status: Int32?, usage: rusage) {
    var status: Int32 = 0
    var usage = rusage()
    while wait4(pid, &status, 0, &usage) < 0 {
      guard errno == EINTR else { throw BenchError(what: "wait4: \(String(cString: strerror(errno)))") }
    }
    return (Child.exitCode(status), usage)
  }

  /// Its exit code once it has ended, 255 when a signal ended it; nil while it runs.
  func poll() throws -> Int32? {
    var status: Int32 = 0
    let ended = waitpid(pid, &status, WNOHANG)
    if ended < 0, errno != EINTR { throw BenchError(what: "waitpid: \(String(cString: strerror(errno)))") }
    return ended == pid ? Child.exitCode(status) ?? 255 : nil
  }

  /// WIFEXITED and WEXITSTATUS of wait(2).
  private static func exitCode(_ status: Int32) -> Int32? { status & 0x7F == 0 ? status >> 8 & 0xFF : nil }
}
