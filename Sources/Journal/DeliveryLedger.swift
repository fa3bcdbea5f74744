import Records

/// What is known of each message between the outbox and the journal; says what to do next and does nothing itself.
///
/// A message that cannot be read back may be lost, or it may still lie in the journal's socket: a stalled journald
/// holds the last ones. To send it again then would make two of it. But the socket is a queue, across our processes
/// too: once an entry that was handed over *later* can be read back, the earlier one is either stored or gone. So
///
///     handed over ── read back ──────────────────────────────────────────► confirmed
///          │ deadline                                                          ▲
///          ▼                                                                   │ found
///     in doubt ── a later entry is stored (a barrier, if nothing else) ── look up
///          ▲                                                                   │ not found
///     perhaps sent by an earlier process                                       ▼
///                                                                          send (again)
///
/// Times are durations since any fixed moment.
package struct DeliveryLedger {
  package struct Actions: Equatable {
    package var lookUps: [MessageID] = []
    package var sends: [MessageID] = []
    package var needsBarrier = false

    package init() {}
  }

  private enum Place: Equatable {
    /// In the writer's queue.
    case queued
    case handedOver(order: UInt64, at: Duration)
    /// By a process before this one, perhaps.
    case inherited
  }

  private struct Item {
    var place: Place
    /// How often it was given to the writer.
    var attempts = 0
    /// Looked up no sooner than this.
    var dueAt: Duration
    /// Looked up once, and not found.
    var isDoubted = false
    /// It is known that the journal dealt with everything up to it: the next look-up decides.
    var isSettled = false
  }

  private enum Barrier: Equatable {
    case none
    case queued(token: String)
    case handedOver(token: String, order: UInt64, at: Duration)
    /// Read back before the writer said that it was handed over.
    case early(token: String)
  }

  private let confirmation: Duration
  private var items: [MessageID: Item] = [:]
  private var barrier = Barrier.none
  private var barrierAttempts = 0
  private var isInDoubt = false
  /// The last order up to which the journal has dealt with everything; 0 before anything of ours was read back.
  private var dealtWith: UInt64 = 0

  /// - Parameter confirmation: how long a message may take from being handed over to being read back.
  package init(confirmation: Duration = JournalLimits.confirmation) { self.confirmation = confirmation }

  package var count: Int { items.count }

  /// A message that was never sent.
  package mutating func add(_ id: MessageID, at now: Duration) -> Actions {
    var actions = Actions()
    guard items[id] == nil else { return actions }
    items[id] = Item(place: .queued, attempts: 1, dueAt: now)
    actions.sends = [id]
    return actions
  }

  /// A message that an earlier process may have sent.
  package mutating func inherit(_ id: MessageID, at now: Duration) {
    if items[id] == nil { items[id] = Item(place: .inherited, dueAt: now) }
  }

  package mutating func handedOver(_ id: MessageID, order: UInt64, at now: Duration) {
    guard var item = items[id] else { return }
    item.place = .handedOver(order: order, at: now)
    item.dueAt = now + patience(item.attempts)
    items[id] = item
  }

  package mutating func barrierQueued(_ token: String) { barrier = .queued(token: token) }

  package mutating func barrierHandedOver(_ token: String, order: UInt64, at now: Duration) {
    if barrier == .queued(token: token) { barrier = .handedOver(token: token, order: order, at: now) }
    if barrier == .early(token: token) { pass(order, at: now) }
  }

  /// Gives a message up, one that the journal will never take.
  package mutating func remove(_ id: MessageID) { items[id] = nil }

  /// A message was read back. True when it was waited for.
  package mutating func stored(_ id: MessageID, at now: Duration) -> Bool {
    guard let item = items.removeValue(forKey: id) else { return false }
    // Sent more than once, it may be an earlier copy that was found.
    if case .handedOver(let order, _) = item.place, item.attempts == 1 { settle(upTo: order, at: now) }
    return true
  }

  package mutating func barrierStored(_ token: String, at now: Duration) {
    switch barrier {
    case .queued(token): barrier = .early(token: token)
    case .handedOver(token, let order, _): pass(order, at: now)
    default: break
    }
  }

  private mutating func pass(_ order: UInt64, at now: Duration) {
    barrier = .none
    barrierAttempts = 0
    settle(upTo: order, at: now)
  }

  private mutating func settle(upTo order: UInt64, at now: Duration) {
    dealtWith = max(dealtWith, order)
    for (id, item) in items where !item.isSettled {
      switch item.place {
      case .inherited: break
      case .handedOver(let order, _) where item.isDoubted && order < dealtWith: break
      default: continue
      }
      items[id]!.isSettled = true
      items[id]!.dueAt = now
    }
  }

  /// What a look-up found. A settled message that is not there is lost, and sent.
  package mutating func lookedUp(_ id: MessageID, isStored: Bool, at now: Duration) -> Actions {
    var actions = Actions()
    guard var item = items[id] else { return actions }
    if isStored {
      items[id] = nil
    } else if item.isSettled {
      item = Item(place: .queued, attempts: item.attempts + 1, dueAt: now)
      items[id] = item
      actions.sends = [id]
    } else {
      item.isDoubted = true
      item.dueAt = now + patience(item.attempts)
      items[id] = item
    }
    return actions
  }

  /// The journal could not be read: looked up again later.
  package mutating func lookUpFailed(_ id: MessageID, at now: Duration) {
    items[id]?.dueAt = now + confirmation
  }

  package func isHandedOver(_ id: MessageID) -> Bool {
    if case .handedOver = items[id]?.place { true } else { false }
  }

  /// What time alone calls for.
  package mutating func tick(at now: Duration) -> Actions {
    var actions = Actions()
    isInDoubt = false
    for id in items.keys {
      guard var item = items[id] else { continue }
      switch item.place {
      case .queued: continue
      case .inherited: isInDoubt = isInDoubt || !item.isSettled
      case .handedOver(let order, _):
        guard now >= item.dueAt else { continue }
        item.isSettled = order < dealtWith
        isInDoubt = isInDoubt || !item.isSettled
        items[id] = item
      }
      if now >= item.dueAt { actions.lookUps.append(id) }
    }
    actions.lookUps.sort()
    switch barrier {
    case .none: actions.needsBarrier = isInDoubt
    case .queued, .early: break
    // It may be lost like anything else; unlike a message, it may come twice.
    case .handedOver(_, _, let at):
      actions.needsBarrier = isInDoubt && now >= at + patience(barrierAttempts)
    }
    if actions.needsBarrier { barrierAttempts += 1 }
    return actions
  }

  /// When `tick` is to be called again; nil when nothing but an event can change anything.
  package var nextDue: Duration? {
    var due: Duration?
    for item in items.values where item.place != .queued { due = min(due ?? item.dueAt, item.dueAt) }
    if case .handedOver(_, _, let at) = barrier, isInDoubt, !items.isEmpty {
      let end = at + patience(barrierAttempts)
      due = min(due ?? end, end)
    }
    return due
  }

  /// How many were handed over and are late in being read back, and since when the oldest was.
  package func late(at now: Duration) -> (count: Int, oldest: Duration)? {
    var count = 0
    var oldest = now
    for item in items.values {
      guard case .handedOver(_, let at) = item.place, now - at > confirmation else { continue }
      count += 1
      oldest = min(oldest, at)
    }
    return count == 0 ? nil : (count, oldest)
  }

  private func patience(_ attempts: Int) -> Duration {
    min(confirmation * (1 << min(max(attempts - 1, 0), 10)), JournalLimits.longestConfirmation)
  }
}
