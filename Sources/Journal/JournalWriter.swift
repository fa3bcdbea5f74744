import Glibc
import Records
import Synchronization

/// How the journal takes what it is given; for the service's status and metrics.
package enum JournalHealth: Sendable, Equatable, CustomStringConvertible {
  case ready
  /// There is no socket. libsystemd calls that a success, and the entry is gone.
  case missing
  /// The journal cannot be reached: its socket is there and nobody behind it, or access is denied.
  case refused(errno: Int32)
  /// The journal does not read its socket, for so long by now.
  case stalled(Duration)
  /// Entries were handed over and cannot be read back, the oldest for so long.
  case unconfirmed(count: Int, Duration)
  /// The journal cannot be opened for reading.
  case unreadable(errno: Int32)

  package var description: String {
    switch self {
    case .ready: "ready"
    case .missing: "there is no journal: \(JournalWriter.socketPath) does not exist"
    case .refused(let number): "the journal refuses: \(String(cString: strerror(number)))"
    case .stalled(let time): "the journal has taken nothing for \(time.components.seconds) s"
    case .unconfirmed(let count, let time):
      "\(count) entries cannot be read back from the journal, the oldest for \(time.components.seconds) s"
    case .unreadable(let number): "the journal cannot be read: \(String(cString: strerror(number)))"
    }
  }
}

/// Hands entries to journald, in order, on a thread of its own.
///
/// `sd_journal_sendv` waits while journald does not read; here only this thread waits, and what comes meanwhile stays
/// in a bounded queue. An entry leaves the queue when the call says that it was handed over: that it was stored is
/// another matter (`JournalDelivery`).
package final class JournalWriter: Sendable {
  package enum Event: Sendable {
    /// The entry with this ticket is in the journal's socket; order 1, 2, 3 … as they were handed over.
    case handedOver(ticket: UInt64, order: UInt64)
    /// The entry will never be taken.
    case rejected(ticket: UInt64, errno: Int32)
  }

  package static let socketPath = "/run/systemd/journal/socket"

  private struct State {
    var queue: [(ticket: UInt64, entry: JournalEntry)] = []
    /// Entries at the front of `queue` that are done with; removed together now and then.
    var doneCount = 0
    var trouble: JournalHealth?
    var sendingSince: ContinuousClock.Instant?
    var isStopped = false

    var count: Int { queue.count - doneCount }
  }

  /// What the thread keeps alive; it may outlive the writer when a send never returns.
  private final class Shared: Sendable {
    let state = Mutex(State())
    let wake = Wake()
    let finished = Wake()
  }

  private let shared = Shared()
  private let capacity: Int

  /// - Parameter report: called on the writer's thread; must not wait.
  package init(
    capacity: Int = JournalLimits.waitingEntryCount, report: @escaping @Sendable (Event) -> Void = { _ in }
  ) {
    self.capacity = capacity
    let shared = shared
    startThread {
      JournalWriter.run(shared, report)
      shared.finished.signal()
    }
  }

  deinit { askToStop() }

  /// Puts an entry at the end of the queue; never waits for the journal.
  ///
  /// - Returns: false when the queue is full; the entry is not taken then.
  package func enqueue(_ entry: JournalEntry, ticket: UInt64) -> Bool {
    let isTaken = shared.state.withLock { state in
      guard state.count < capacity, !state.isStopped else { return false }
      state.queue.append((ticket, entry))
      return true
    }
    if isTaken { shared.wake.signal() }
    return isTaken
  }

  package var waitingCount: Int { shared.state.withLock { $0.count } }

  package var health: JournalHealth {
    shared.state.withLock { state in
      if let trouble = state.trouble { return trouble }
      if let since = state.sendingSince {
        let time = ContinuousClock.now - since
        if time >= JournalLimits.stall { return .stalled(time) }
      }
      return .ready
    }
  }

  /// Ends the thread after the entry it is at. What is still in the queue is not sent.
  ///
  /// - Returns: false when a send did not return in time; its thread is left behind.
  @discardableResult package func stop(within time: Duration) -> Bool {
    askToStop()
    return shared.finished.wait(time)
  }

  private func askToStop() {
    shared.state.withLock { $0.isStopped = true }
    shared.wake.signal()
  }

  private static func run(_ shared: Shared, _ report: (Event) -> Void) {
    var order: UInt64 = 0
    var pause = JournalLimits.shortestPause
    while true {
      shared.wake.clear()
      let (next, isStopped) = shared.state.withLock { state in
        (state.count > 0 ? state.queue[state.doneCount] : nil, state.isStopped)
      }
      if isStopped { return }
      guard let next else {
        _ = shared.wake.wait()
        continue
      }
      // Looked at before each send: without a socket the call succeeds. One that goes away just now is found out by
      // reading back.
      var trouble: JournalHealth?
      if access(socketPath, F_OK) != 0 && errno == ENOENT {
        trouble = .missing
      } else {
        shared.state.withLock { $0.sendingSince = .now }
        let result = next.entry.send()
        shared.state.withLock { $0.sendingSince = nil }
        switch -result {
        case EINTR: continue
        case EINVAL, E2BIG, EMSGSIZE, EPROTO:
          done(shared)
          report(.rejected(ticket: next.ticket, errno: -result))
          continue
        case let number where number > 0: trouble = .refused(errno: number)
        default: break
        }
      }
      shared.state.withLock { $0.trouble = trouble }
      if trouble == nil {
        order += 1
        pause = JournalLimits.shortestPause
        done(shared)
        report(.handedOver(ticket: next.ticket, order: order))
      } else {
        waitUnlessStopped(shared, pause)
        pause = min(pause * 2, JournalLimits.longestPause)
      }
    }
  }

  private static func done(_ shared: Shared) {
    shared.state.withLock { state in
      state.doneCount += 1
      if state.doneCount >= 64 || state.doneCount == state.queue.count {
        state.queue.removeFirst(state.doneCount)
        state.doneCount = 0
      }
    }
  }

  /// New entries wake the thread too, and are no reason to try again sooner.
  private static func waitUnlessStopped(_ shared: Shared, _ time: Duration) {
    let end = ContinuousClock.now + time
    while !shared.state.withLock({ $0.isStopped }) {
      let left = end - ContinuousClock.now
      guard left > .zero, shared.wake.wait(left) else { return }
      shared.wake.clear()
    }
  }
}
