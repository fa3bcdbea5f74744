import Foundation
import Glibc

/// What runs over a corpus once and is timed: handshaked itself or a program of this machine.
///
/// Time is processor time, user and system together: what other processes take from the same core does not count, and
/// work on a second core would.
struct Contestant {
  /// Column title, such as `wc -l`.
  var name: String
  /// What the program says of its version; empty for handshaked.
  var version = ""
  /// Runs over the file and returns seconds.
  var run: (_ path: String) async throws -> Double
}

/// A program to compare with.
struct Program {
  var name: String
  var executable: String
  var version: String

  /// Nil when the program is not on the PATH.
  init?(_ name: String, versionArguments: [String]) {
    // Daemons are tools as well, and an ordinary user's PATH leaves them out.
    let path = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin") + ":/usr/sbin:/sbin"
    let folders = path.split(separator: ":").map(String.init)
    guard let path = folders.map({ "\($0)/\(name)" }).first(where: { FileManager.default.isExecutableFile(atPath: $0) })
    else { return nil }
    self.name = name
    executable = path
    version = Program.firstLine(of: path, versionArguments)
  }

  private static func firstLine(of executable: String, _ arguments: [String]) -> String {
    let output = (try? output(of: executable, arguments)) ?? ""
    return output.split(whereSeparator: \.isNewline).first.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
  }

  /// What it writes to its standard output.
  func output(_ arguments: [String]) throws -> String { try Program.output(of: executable, arguments) }

  private static func output(of executable: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return output
  }

  /// Runs the program once, its output thrown away.
  /// - Parameter accepted: exit codes that are no failure.
  /// - Returns: its processor time in seconds.
  func seconds(_ arguments: [String], accepted: Set<Int32> = [0]) throws -> Double {
    let (status, usage) = try run(arguments)
    guard let status, accepted.contains(status) else {
      throw BenchError(
        what:
          "\(executable) \(arguments.joined(separator: " ")) failed with \(status.map { "status \($0)" } ?? "a signal")"
      )
    }
    return ProcessorTime.seconds(usage)
  }

  /// Runs the program once, its output thrown away.
  /// - Returns: its exit code; nil when a signal ended it.
  func status(_ arguments: [String]) throws -> Int32? { try run(arguments).status }

  private func run(_ arguments: [String]) throws -> (status: Int32?, usage: rusage) {
    try Child(executable, arguments, input: nil).wait()
  }
}

struct BenchError: Error, CustomStringConvertible {
  var what: String
  /// Of the bench: 74 when something could not be done, 1 when what was found is wrong.
  var exitCode: Int32 = 74
  var description: String { what }
}

/// Processor time and memory of this process.
enum ProcessorTime {
  /// User and system time of all threads, in seconds.
  static func ofThisProcess() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  static func seconds(_ usage: rusage) -> Double {
    Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
      / 1e6
  }
}

/// The most memory that this process had resident.
enum PeakMemory {
  /// Begins anew, so that one corpus does not carry the peak of the one before. Where the system refuses, the peak is the
  /// run's so far. Source: proc(5), /proc/pid/clear_refs, 5.
  static func reset() {
    let file = open("/proc/self/clear_refs", O_WRONLY)
    guard file >= 0 else { return }
    _ = write(file, "5", 1)
    close(file)
  }

  /// The high-water mark of another process; nil when it has ended. Source: proc(5), /proc/pid/status, VmHWM.
  static func byteCount(of process: pid_t) -> Int? {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kibibytes = line.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Int($0) })
    else { return nil }
    return kibibytes * 1024
  }

  static var byteCount: Int {
    var usage = rusage()
    getrusage(RUSAGE_SELF.rawValue, &usage)
    return usage.ru_maxrss * 1024
  }
}
