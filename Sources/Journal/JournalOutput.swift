import CSystemd
import Dispatch
import Glibc
import Synchronization

/// One journal entry: its fields in order; a name may occur again.
package struct JournalEntry: Sendable, Hashable {
  package struct Identity: Sendable, Hashable {
    package var incident: String
    package var sequence: UInt64

    package init(incident: String, sequence: UInt64) {
      self.incident = incident
      self.sequence = sequence
    }
  }
  package var identity: Identity
  package var fields: [(name: String, value: String)]
  /// It may have been sent before: looked up first.
  package var maybeSent: Bool

  package init(identity: Identity, fields: [(name: String, value: String)], maybeSent: Bool) {
    self.identity = identity
    self.fields = fields
    self.maybeSent = maybeSent
  }

  package static func == (left: JournalEntry, right: JournalEntry) -> Bool { left.identity == right.identity }
  package func hash(into hasher: inout Hasher) { hasher.combine(identity) }
}

/// Sends entries to journald and reads them back, on a thread of its own: a stalled journald stops nobody else.
///
/// `sd_journal_sendv` answers 0 for entries that were dropped, blocks for ever when journald does not read, and answers 0
/// when there is no socket at all. So an entry counts as told once it was read back by its incident and sequence; what was
/// not found is looked up again and then sent again.
package final class JournalOutput: Sendable {
  package enum Health: String, Sendable {
    case working
    /// There is no journald here.
    case noSocket = "no journald socket"
    /// Sent, and not found: dropped by a rate limit, or this user may not read the journal.
    case unconfirmed = "entries are not found again"
    /// Entries cannot be looked up by this user: what was handed over counts as told.
    case noReadBack = "the journal cannot be read: add the user to the group systemd-journal"
    case failed = "the journal refused an entry"
  }

  private struct State {
    var pending = 0
    var confirmed: [JournalEntry.Identity] = []
    var health = Health.working
    var sentCount: UInt64 = 0
    var againCount: UInt64 = 0
  }

  private let queue = DispatchQueue(label: "journal")
  private let state = Mutex(State())
  /// Becomes readable when an entry was confirmed.
  package let wake: Int32
  private let wakeWriter: Int32
  private let limit: Int
  private let reader: JournalReader?
  /// How long an entry is waited for before it is looked up for the last time and sent again, in microseconds.
  private let patience: UInt64
  private let sendLimit = 8

  package init(limit: Int = 1024, patience: UInt64 = 3_000_000) {
    self.limit = limit
    self.patience = patience
    var ends: [Int32] = [-1, -1]
    _ = unsafe ends.withUnsafeMutableBufferPointer { unsafe pipe($0.baseAddress!) }
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    wake = ends[0]
    wakeWriter = ends[1]
    reader = JournalReader()
  }

  deinit {
    close(wake)
    close(wakeWriter)
  }

  /// Hands an entry over without waiting; false when too many wait already.
  package func enqueue(_ entry: JournalEntry) -> Bool {
    let isRoom = state.withLock { state in
      guard state.pending < limit else { return false }
      state.pending += 1
      return true
    }
    guard isRoom else { return false }
    queue.async { self.deliver(entry) }
    return true
  }

  /// Entries that were read back since the last call.
  package func takeConfirmed() -> [JournalEntry.Identity] {
    var byte: UInt8 = 0
    while unsafe read(wake, &byte, 1) == 1 {}
    return state.withLock { state in
      defer { state.confirmed = [] }
      return state.confirmed
    }
  }

  package var pendingCount: Int { state.withLock { $0.pending } }
  package var health: Health { state.withLock { $0.health } }
  /// Entries handed to journald, and those among them that were sent again.
  package var counts: (sent: UInt64, again: UInt64) { state.withLock { ($0.sentCount, $0.againCount) } }

  private func deliver(_ entry: JournalEntry) {
    var attempt = 0
    if entry.maybeSent, let reader, reader.finds(entry.identity, within: 0) { return confirm(entry) }
    while attempt < sendLimit {
      attempt += 1
      guard unsafe access("/run/systemd/journal/socket", F_OK) == 0 else {
        note(.noSocket)
        sleepBriefly(attempt)
        continue
      }
      let status = JournalOutput.send(entry.fields)
      state.withLock { state in
        state.sentCount += 1
        if attempt > 1 { state.againCount += 1 }
      }
      guard status == 0 else {
        note(.failed)
        sleepBriefly(attempt)
        continue
      }
      guard let reader, reader.canRead else {
        note(.noReadBack)
        return confirm(entry)
      }
      if reader.finds(entry.identity, within: patience) { return confirm(entry) }
      note(.unconfirmed)
    }
    // Stays in the outbox of whoever keeps it; it comes again.
    state.withLock { $0.pending -= 1 }
    poke()
  }

  private func confirm(_ entry: JournalEntry) {
    state.withLock { state in
      state.pending -= 1
      state.confirmed.append(entry.identity)
      if state.health != .noReadBack { state.health = .working }
    }
    poke()
  }

  private func poke() {
    var byte: UInt8 = 1
    _ = unsafe write(wakeWriter, &byte, 1)
  }

  private func note(_ health: Health) { state.withLock { $0.health = health } }

  /// A second, two, four …: journald may be starting again.
  private func sleepBriefly(_ attempt: Int) { usleep(UInt32(min(8, 1 << (attempt - 1))) * 250_000) }

  /// Names of capital letters and `_`; longer values are cut.
  private static func send(_ fields: [(name: String, value: String)]) -> Int32 {
    var storage: [[UInt8]] = []
    storage.reserveCapacity(fields.count)
    for (name, value) in fields.prefix(200) {
      storage.append(Array("\(name)=".utf8) + Array(value.utf8.prefix(65_536)))
    }
    var vectors: [iovec] = unsafe []
    var pointers: [UnsafeMutablePointer<UInt8>] = unsafe []
    defer { unsafe pointers.forEach { unsafe $0.deallocate() } }
    for bytes in storage {
      let pointer = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
      unsafe pointer.initialize(from: bytes, count: bytes.count)
      unsafe pointers.append(pointer)
      unsafe vectors.append(iovec(iov_base: pointer, iov_len: bytes.count))
    }
    return unsafe sd_journal_sendv(vectors, Int32(vectors.count))
  }
}

/// Looks entries up in the journal; used by one queue.
@safe final class JournalReader: @unchecked Sendable {
  // `@unchecked`: used by the queue of one `JournalOutput` only.
  private let journal: OpaquePointer
  private var hasSeenAny = false

  init?() {
    var opened: OpaquePointer?
    guard unsafe sd_journal_open(&opened, Int32(SD_JOURNAL_LOCAL_ONLY)) >= 0, let opened = unsafe opened else {
      return nil
    }
    unsafe journal = opened
  }

  deinit { unsafe sd_journal_close(journal) }

  /// Whether this user sees entries of the system's journal at all.
  var canRead: Bool {
    if hasSeenAny { return true }
    unsafe sd_journal_flush_matches(journal)
    hasSeenAny = unsafe sd_journal_seek_tail(journal) >= 0 && sd_journal_previous(journal) > 0
    return hasSeenAny
  }

  /// Waits up to `microseconds` for an entry.
  func finds(_ identity: JournalEntry.Identity, within microseconds: UInt64) -> Bool {
    let began = JournalReader.now()
    while true {
      _ = unsafe sd_journal_process(journal)
      unsafe sd_journal_flush_matches(journal)
      let matches = ["HANDSHAKED_INCIDENT=\(identity.incident)", "HANDSHAKED_SEQUENCE=\(identity.sequence)"]
      for match in matches { _ = unsafe sd_journal_add_match(journal, match, 0) }
      if unsafe sd_journal_seek_head(journal) >= 0 && sd_journal_next(journal) > 0 {
        hasSeenAny = true
        return true
      }
      let spent = JournalReader.now() - began
      guard spent < microseconds else { return false }
      _ = unsafe sd_journal_wait(journal, min(microseconds - spent, 200_000))
    }
  }

  private static func now() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
  }
}
