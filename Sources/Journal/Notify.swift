import CSystemd
import Glibc

/// What the service tells systemd, sd_notify(3), and what it is given, sd_listen_fds(3).
package enum Notify {
  package enum Result: Sendable, Equatable {
    case sent
    /// Nobody asked to be told: started by hand.
    case notAsked
    case failed(errno: Int32)
  }

  /// The service is up, or a reload is done.
  @discardableResult package static func ready(status: String? = nil) -> Result {
    send(["READY=1"] + line(status))
  }

  @discardableResult package static func status(_ text: String) -> Result { send(line(text)) }

  /// A reload begins; it ends with `ready`.
  @discardableResult package static func reloading(status: String? = nil) -> Result {
    // systemd tells this reload from an earlier one by the time (Type=notify-reload).
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let microseconds = UInt64(now.tv_sec) * 1_000_000 + UInt64(now.tv_nsec) / 1000
    return send(["RELOADING=1", "MONOTONIC_USEC=\(microseconds)"] + line(status))
  }

  @discardableResult package static func stopping(status: String? = nil) -> Result {
    send(["STOPPING=1"] + line(status))
  }

  /// The service is alive; to be said well within `watchdogInterval`.
  @discardableResult package static func watchdog() -> Result { send(["WATCHDOG=1"]) }

  /// Starting or stopping takes longer: at least so much from now on.
  @discardableResult package static func extendTimeout(by time: Duration) -> Result {
    let (seconds, attoseconds) = time.components
    return send(["EXTEND_TIMEOUT_USEC=\(max(0, seconds) * 1_000_000 + max(0, attoseconds) / 1_000_000_000_000)"])
  }

  /// Asks systemd to keep descriptors over a restart, under a name; they come back in `listenDescriptors`.
  ///
  /// - Precondition: the name is of 1 to 255 ASCII characters, without `:` and control characters.
  @discardableResult package static func store(_ descriptors: [Int32], name: String) -> Result {
    precondition(isDescriptorName(name) && !descriptors.isEmpty)
    let state = "FDSTORE=1\nFDNAME=\(name)"
    return result(sd_pid_notify_with_fds(0, 0, state, descriptors, UInt32(descriptors.count)))
  }

  /// Gives the descriptors up that were stored under a name.
  @discardableResult package static func removeStored(name: String) -> Result {
    precondition(isDescriptorName(name))
    return send(["FDSTOREREMOVE=1", "FDNAME=\(name)"])
  }

  /// Waits until systemd has read everything that was said so far.
  @discardableResult package static func waitUntilRead(within time: Duration) -> Result {
    let (seconds, attoseconds) = time.components
    return result(sd_notify_barrier(0, UInt64(seconds) * 1_000_000 + UInt64(attoseconds / 1_000_000_000_000)))
  }

  /// How often `watchdog` must be said; nil when systemd does not watch this process.
  package static var watchdogInterval: Duration? {
    var microseconds: UInt64 = 0
    return sd_watchdog_enabled(0, &microseconds) > 0 ? .microseconds(Int64(clamping: microseconds)) : nil
  }

  /// Sockets of the unit and descriptors that were stored, by name, close-on-exec.
  ///
  /// To be called once and before there are threads: it removes the variables from the environment, so that no child
  /// takes them for its own.
  package static func listenDescriptors() -> [(name: String, descriptor: Int32)] {
    var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    let count = sd_listen_fds_with_names(1, &names)
    guard count > 0, let names else { return [] }
    defer { free(names) }
    return (0..<Int(count)).map { index in
      let name = names[index].map { String(cString: $0) } ?? ""
      free(names[index])
      return (name, SD_LISTEN_FDS_START + Int32(index))
    }
  }

  private static func line(_ status: String?) -> [String] {
    // A line end would begin another assignment.
    guard let status else { return [] }
    return ["STATUS=" + String(status.map { $0.isNewline || $0 == "\0" ? " " : $0 })]
  }

  private static func send(_ lines: [String]) -> Result { result(sd_notify(0, lines.joined(separator: "\n"))) }

  private static func result(_ code: Int32) -> Result {
    code > 0 ? .sent : code == 0 ? .notAsked : .failed(errno: -code)
  }

  private static func isDescriptorName(_ name: String) -> Bool {
    (1...255).contains(name.utf8.count) && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
  }
}
