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

  func remove() {
    for signal in signals { signal.cancel() }
    try? FileManager.default.removeItem(atPath: path)
  }
}
