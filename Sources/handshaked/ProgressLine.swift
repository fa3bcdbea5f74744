import Foundation
import Replay

/// The line that shows how far a replay has come, four times a second on standard error.
final class ProgressLine: @unchecked Sendable {
  // `@unchecked`: `timer` is set before and read after the replay, both by the command.
  private let progress: ReplayProgress
  private let began = ContinuousClock.now
  private var timer: DispatchSourceTimer?

  init(_ progress: ReplayProgress) { self.progress = progress }

  func start() {
    let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "progress"))
    timer.schedule(deadline: .now() + .milliseconds(250), repeating: .milliseconds(250))
    timer.setEventHandler { [progress, began] in
      ProgressLine.show(progress, began)
    }
    timer.resume()
    self.timer = timer
  }

  func stop() {
    timer?.cancel()
    timer = nil
    ProgressLine.put("\r\u{1B}[K")
  }

  private static func show(_ progress: ReplayProgress, _ began: ContinuousClock.Instant) {
    let done = progress.doneByteCount.load(ordering: .relaxed)
    let total = progress.totalByteCount.load(ordering: .relaxed)
    let elapsed = began.duration(to: .now)
    let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
    let rate = seconds > 0 ? Double(done) / seconds : 0
    var text = "\r\u{1B}[K\(Figures.bytes(done))"
    if total > 0 {
      text += " of \(Figures.bytes(total)), \(min(100, done * 100 / total)) %"
      if rate > 0, total > done { text += ", \(Int((Double(total - done) / rate).rounded(.up))) s left" }
    }
    text += ", \(Figures.rate(rate)), \(progress.findingCount.load(ordering: .relaxed)) findings"
    put(text)
  }

  private static func put(_ text: String) {
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress!, bytes.count) }
  }
}

/// Numbers for people.
enum Figures {
  static func bytes(_ count: UInt64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(count)
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return unit == 0 ? "\(count) B" : String(format: "%.1f %@", value, units[unit])
  }

  static func rate(_ bytesPerSecond: Double) -> String { String(format: "%.1f MB/s", bytesPerSecond / 1e6) }

  /// 1234567 → `1,234,567`.
  static func count(_ value: UInt64) -> String {
    var out = ""
    for (index, digit) in String(value).reversed().enumerated() {
      if index > 0, index % 3 == 0 { out.append(",") }
      out.append(digit)
    }
    return String(out.reversed())
  }

  static func plural(_ count: UInt64, _ one: String, _ many: String? = nil) -> String {
    "\(Figures.count(count)) \(count == 1 ? one : many ?? one + "s")"
  }
}
