import Glibc
import Records
import Synchronization

/// Brings messages into the journal, each exactly once over any crash of ours, and tells when it can be read back.
///
/// Two threads: one sends and may wait for journald (`JournalWriter`), one follows the journal, keeps the ledger and
/// sends again what was lost. Callers wait for neither. What is lost with the journal's own files is sent again: then
/// a message comes at least once, under the same id.
package final class JournalDelivery: Sendable {
  private enum Input: Sendable {
    case entry(JournalEntry, id: MessageID, perhapsSent: Bool)
    case written(JournalWriter.Event)
  }

  private struct State {
    var inputs: [Input] = []
    /// Every message that was taken and not yet confirmed.
    var waiting: Set<MessageID> = []
    var late: (count: Int, oldest: ContinuousClock.Instant)?
    var readError: JournalError?
    var rejectedCount = 0
    var isStopped = false
  }

  private final class Shared: Sendable {
    let state = Mutex(State())
    let wake = Wake()
    let finished = Wake()
  }

  private let shared = Shared()
  private let writer: JournalWriter
  private let capacity: Int

  /// - Parameter confirmation: how long a message may take before it is looked up.
  /// - Parameter confirmed: messages that were read back, or that the journal will never take (`rejectedCount` tells):
  ///   they may leave the outbox. Called on the delivery's thread, in no particular order.
  package init(
    capacity: Int = JournalLimits.waitingEntryCount, confirmation: Duration = JournalLimits.confirmation,
    confirmed: @escaping @Sendable ([MessageID]) -> Void
  ) {
    self.capacity = capacity
    let shared = shared
    // Room for a barrier besides all messages.
    let writer = JournalWriter(capacity: capacity + 2) { event in
      shared.state.withLock { $0.inputs.append(.written(event)) }
      shared.wake.signal()
    }
    self.writer = writer
    startThread {
      var follower = Follower(
        writer: writer, shared: shared, ledger: DeliveryLedger(confirmation: confirmation), confirmed: confirmed)
      follower.run()
      shared.finished.signal()
    }
  }

  deinit { askToStop() }

  /// Takes a message; never waits for the journal.
  ///
  /// - Parameter perhapsSent: it comes from an outbox of before the start: it is looked up first, and sent only when
  ///   it is certain that the journal does not have it.
  /// - Returns: false when as many messages as allowed are under way; the outbox offers it again after a confirmation.
  package func deliver(_ entry: JournalEntry, perhapsSent: Bool = false) -> Bool {
    guard let id = entry.id else { return false }
    let isTaken = shared.state.withLock { state in
      if state.waiting.contains(id) { return true }
      guard state.waiting.count < capacity, !state.isStopped else { return false }
      state.waiting.insert(id)
      state.inputs.append(.entry(entry, id: id, perhapsSent: perhapsSent))
      return true
    }
    if isTaken { shared.wake.signal() }
    return isTaken
  }

  package var waitingCount: Int { shared.state.withLock { $0.waiting.count } }
  /// Messages that the journal refused for good.
  package var rejectedCount: Int { shared.state.withLock { $0.rejectedCount } }

  package var health: JournalHealth {
    let health = writer.health
    if health != .ready { return health }
    return shared.state.withLock { state in
      if let error = state.readError { return .unreadable(errno: error.errno) }
      if let late = state.late { return .unconfirmed(count: late.count, ContinuousClock.now - late.oldest) }
      return .ready
    }
  }

  /// Ends both threads. Messages that are not confirmed stay in the outbox and are looked up at the next start.
  ///
  /// - Returns: false when a send to a stalled journal had to be left behind.
  @discardableResult package func stop(within time: Duration) -> Bool {
    askToStop()
    let end = ContinuousClock.now + time
    let isFinished = shared.finished.wait(time)
    return writer.stop(within: end - ContinuousClock.now) && isFinished
  }

  private func askToStop() {
    shared.state.withLock { $0.isStopped = true }
    shared.wake.signal()
  }

  /// The thread that follows the journal.
  private struct Follower {
    let writer: JournalWriter
    let shared: Shared
    let confirmed: ([MessageID]) -> Void
    let start = ContinuousClock.now
    var ledger: DeliveryLedger
    var entries: [MessageID: JournalEntry] = [:]
    var reader: JournalReader?
    /// What the writer's tickets stand for; the entry's id, or a barrier's token.
    var tickets: [UInt64: JournalReader.Stored] = [:]
    var lastTicket: UInt64 = 0
    var arrived: [MessageID] = []
    /// Tokens are never used again, not by a later process either.
    let tokens = String(UInt64.random(in: .min ... .max), radix: 36)

    init(
      writer: JournalWriter, shared: Shared, ledger: DeliveryLedger, confirmed: @escaping ([MessageID]) -> Void
    ) {
      self.writer = writer
      self.shared = shared
      self.ledger = ledger
      self.confirmed = confirmed
    }

    var now: Duration { ContinuousClock.now - start }

    mutating func run() {
      while true {
        // Before anything is sent, so that nothing is stored behind our back.
        if reader == nil { openReader() }
        shared.wake.clear()
        let (inputs, isStopped) = shared.state.withLock { state in
          defer { state.inputs.removeAll() }
          return (state.inputs, state.isStopped)
        }
        if isStopped { return }
        for input in inputs { take(input) }
        read()
        act(ledger.tick(at: now))
        tell()
        wait()
      }
    }

    private mutating func openReader() {
      do {
        reader = try JournalReader.following()
        shared.state.withLock { $0.readError = nil }
      } catch {
        shared.state.withLock { $0.readError = error }
      }
    }

    private mutating func take(_ input: Input) {
      switch input {
      case .entry(let entry, let id, let perhapsSent):
        entries[id] = entry
        if perhapsSent { ledger.inherit(id, at: now) } else { act(ledger.add(id, at: now)) }
      case .written(.handedOver(let ticket, let order)):
        switch tickets.removeValue(forKey: ticket) {
        case .message(let id): ledger.handedOver(id, order: order, at: now)
        case .barrier(let token): ledger.barrierHandedOver(token, order: order, at: now)
        case nil: break
        }
      case .written(.rejected(let ticket, _)):
        guard case .message(let id) = tickets.removeValue(forKey: ticket) else { return }
        ledger.remove(id)
        arrived.append(id)
        shared.state.withLock { $0.rejectedCount += 1 }
      }
    }

    private mutating func read() {
      guard let reader else { return }
      do {
        try reader.process()
        while let stored = try reader.next() {
          switch stored {
          case .message(let id): if ledger.stored(id, at: now) { arrived.append(id) }
          case .barrier(let token): ledger.barrierStored(token, at: now)
          }
        }
      } catch {
        // Opened again; what falls between is found by looking it up.
        shared.state.withLock { $0.readError = error }
        self.reader = nil
      }
    }

    private mutating func act(_ actions: DeliveryLedger.Actions) {
      for id in actions.sends { send(id) }
      for id in actions.lookUps {
        do {
          let isStored = try JournalReader.contains(id)
          if isStored {
            arrived.append(id)
            // It should have been seen when it came: the files of today may lie where there were none at the start.
            if ledger.isHandedOver(id) { reader = nil }
          }
          for id in ledger.lookedUp(id, isStored: isStored, at: now).sends { send(id) }
        } catch {
          ledger.lookUpFailed(id, at: now)
          shared.state.withLock { $0.readError = error }
        }
      }
      if actions.needsBarrier {
        lastTicket += 1
        let token = "\(tokens)-\(lastTicket)"
        tickets[lastTicket] = .barrier(token)
        ledger.barrierQueued(token)
        // There is room, as at most one barrier waits.
        _ = writer.enqueue(JournalEntry(barrier: token), ticket: lastTicket)
      }
    }

    private mutating func send(_ id: MessageID) {
      guard let entry = entries[id] else { return }
      lastTicket += 1
      tickets[lastTicket] = .message(id)
      _ = writer.enqueue(entry, ticket: lastTicket)
    }

    private mutating func tell() {
      let late = ledger.late(at: now).map { (count: $0.count, oldest: start + $0.oldest) }
      for id in arrived { entries[id] = nil }
      shared.state.withLock { state in
        state.late = late
        for id in arrived { state.waiting.remove(id) }
      }
      if !arrived.isEmpty {
        confirmed(arrived)
        arrived.removeAll()
      }
    }

    private func wait() {
      var descriptors = [pollfd(fd: shared.wake.descriptor, events: Int16(POLLIN), revents: 0)]
      if let reader { descriptors.append(pollfd(fd: reader.descriptor, events: Int16(POLLIN), revents: 0)) }
      // Without a reader, opening is tried again; with one, the journal's files may lie where no event comes from.
      var time: Duration = ledger.count > 0 || reader == nil ? .seconds(1) : .seconds(60)
      if let due = ledger.nextDue { time = min(time, max(due - now, .zero)) }
      poll(&descriptors, nfds_t(descriptors.count), time.pollMilliseconds)
    }
  }
}
