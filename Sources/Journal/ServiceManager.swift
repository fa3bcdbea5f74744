import CSystemd
import Glibc

/// What the service manager is told and what it hands over; nothing happens outside of systemd. Source: sd_notify(3),
/// sd_listen_fds(3), sd_watchdog_enabled(3).
package enum ServiceManager {
  package static func ready(_ status: String) { notify("READY=1\nSTATUS=\(line(status))") }
  package static func status(_ status: String) { notify("STATUS=\(line(status))") }
  package static func watchdog() { notify("WATCHDOG=1") }
  package static func stopping() { notify("STOPPING=1") }

  /// Reloading begins; `ready` ends it.
  package static func reloading() {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    notify("RELOADING=1\nMONOTONIC_USEC=\(UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000)")
  }

  /// Starting takes longer: so many more seconds.
  package static func extendStart(seconds: Int) { notify("EXTEND_TIMEOUT_USEC=\(seconds * 1_000_000)") }

  /// Half the interval within which the manager wants to hear of us, in microseconds; nil without a watchdog.
  package static var watchdogMicroseconds: UInt64? {
    var interval: UInt64 = 0
    return unsafe sd_watchdog_enabled(0, &interval) > 0 && interval > 0 ? interval / 2 : nil
  }

  /// Descriptors of socket units by their name (`FileDescriptorName=`).
  package static func listeningDescriptors() -> [(name: String, descriptor: Int32)] {
    var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    let count = unsafe sd_listen_fds_with_names(1, &names)
    guard count > 0 else { return [] }
    return (0..<Int(count)).map { index in
      let name = unsafe names?[index].map { unsafe String(cString: $0) } ?? "unknown"
      return (name, Int32(SD_LISTEN_FDS_START) + Int32(index))
    }
  }

  private static func line(_ text: String) -> String {
    String(text.map { $0.isNewline ? " " : $0 })
  }

  private static func notify(_ state: String) { _ = unsafe sd_notify(0, state) }
}
