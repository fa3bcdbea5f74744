import Dispatch
import Foundation
import Glibc

/// A fresh folder for the corpora, removed at the end and when the run is interrupted.
final class WorkFolder {
  let path: String
  private let signals: [any DispatchSourceSignal]

  /// - Parameter parent: where it is made; nil is `$TMPDIR`, else `/tmp`.
  /// - Throws: `BenchError` when it cannot be made.
  init(in parent: String?, keep: Bool) throws {
    let place = parent ?? ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
    var template = Array("\(place)/handshaked-bench.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw BenchError(
        what:
          "cannot make a folder in \(place): \(String(cString: strerror(errno)))\n  fix: name another with --directory")
    }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    self.path = path
    signals =
      keep
      ? []
      : [SIGINT, SIGTERM].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler {
          try? FileManager.default.removeItem(atPath: path)
          exit(128 + number)
        }
        source.resume()
        return source
      }
  }

  /// - Throws: `BenchError` when the file system has no room for a corpus of this size.
  func require(byteCount: Int) throws {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return }
    let free = Int(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    guard free < byteCount + byteCount / 16 else { return }
    throw BenchError(
      what: "\(path) has \(free >> 20) MiB free, the corpus needs \(byteCount >> 20)\n"
        + "  fix: name a larger file system with --directory, or a smaller --size")
  }

  func remove() {
    for signal in signals { signal.cancel() }
    try? FileManager.default.removeItem(atPath: path)
  }
}
