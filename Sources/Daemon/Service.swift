import CLinux
import Definitions
import Detection
import Following
import Foundation
import Glibc
import Incidents
import Ingest
import Journal
import Receiving
import Records
import Sinks
import Store
import Synchronization

/// Why the service does not start.
package struct StartError: Error, Sendable {
  package var text: String
  /// Exit code of sysexits(3): 78 configuration, 74 input or output.
  package var status: Int32

  package init(text: String, status: Int32) {
    self.text = text
    self.status = status
  }
}

/// What a start or a reload needs, read whole before anything changes.
package struct ServicePlan: Sendable {
  package var configuration: Configuration
  package var engine: Engine
  /// By the names that sources have for them.
  package var zones: [String: ZoneRules]

  package init(configuration: Configuration, engine: Engine, zones: [String: ZoneRules] = [:]) {
    self.configuration = configuration
    self.engine = engine
    self.zones = zones
  }

  /// For records of a source that carry no offset of their own.
  func zone(of source: Configuration.Source) -> ZoneRules { source.timeZone.flatMap { zones[$0] } ?? .utc }

  /// The sources that are files, with their patterns: a follower and a walk number them by this order.
  var fileSources: [(source: Configuration.Source, pattern: String)] {
    configuration.sources.compactMap { source in
      guard case .files(let pattern) = source.kind else { return nil }
      return (source, pattern)
    }
  }
}

/// `handshaked run`: one thread that waits for what changed, reads it, commits what it proved together with the place it
/// was read to, and tells what is to be told.
///
///     inotify, signals, control ─► poll ─► Follower.next ─► Walk.read ─┬─► IncidentFold ─► StoreChange ─► commit
///     sockets, journal ──────────► poll ─► Feeds.read ─────────────────┘                       outbox ─► JournalDelivery
///
/// A message is in the outbox by the same transaction as its evidence and leaves it once it was read back: a kill at any
/// moment loses none and doubles none.
package final class Service {
  private var plan: ServicePlan
  private let load: () throws -> ServicePlan
  private var walk: Walk
  private var follower: Follower
  private let feeds: Feeds
  private let store: StateStore
  private let journal: JournalDelivery
  private let confirmations: Confirmations
  private var fold: IncidentFold
  private let log: (String) -> Void

  private var change = StoreChange(at: Timestamp(microseconds: 0))
  private var dirtySince: UInt64?
  private var isUrgent = false
  private var storeTrouble: StoreError?
  private var retryAt: UInt64 = 0
  private var pendingBytes: UInt64 = 0

  /// Messages that are stored and not confirmed yet; those in flight are with the journal.
  private var outbox: [MessageID: OutboxMessage] = [:]
  private var outboxOrder: [MessageID] = []
  private var handedOver: Set<MessageID> = []
  private var sentBefore: Set<MessageID> = []

  private var acknowledgements: [String: Timestamp] = [:]
  private var maintenance: [MaintenanceWindow] = []
  private var isBacklog: Bool
  private var startedAt: UInt64 = 0
  private var isStopping = false
  /// Why it stopped by itself.
  package private(set) var failure: StartError?
  /// Called when incidents opened, changed or ended, before that is stored: for measurements.
  package var onEvents: (() -> Void)?
  private let control: Int32
  private let metrics: Int32
  private let signals: Int32

  private var counters = Counters()
  private struct Counters {
    var byteCount: UInt64 = 0
    var recordCount: UInt64 = 0
    var findingCount: UInt64 = 0
    var findingsByCause: [String: UInt64] = [:]
    var skips = SkipCounts()
    var commitCount: UInt64 = 0
    var rateBytes: UInt64 = 0
    var rateSince: UInt64 = 0
    var rate: Double = 0
  }

  /// Key of a checkpoint that is there from the first commit to the end of the first reading.
  private static let firstReading = "first-reading"
  /// How long evidence may wait for its commit when nothing is to be told, in microseconds.
  private static let commitInterval: UInt64 = 5_000_000
  private static let sweepInterval: UInt64 = 30_000_000
  private static let pollingInterval: UInt64 = 2_000_000
  /// Evidence that waits for a store which cannot write; beyond it reading stops.
  private static let pendingLimit: UInt64 = 64 * 1024 * 1024
  private static let pendingExtentLimit = 4096

  /// - Parameters:
  ///   - load: reads configuration and definitions anew, or throws a text for the person who asked.
  ///   - log: a line for the service's own log.
  package init(_ plan: ServicePlan, load: @escaping () throws -> ServicePlan, log: @escaping (String) -> Void) throws {
    signals = hl_signal_open()
    Notify.extendTimeout(by: .seconds(60))
    let store = try Service.open(plan, log)
    let state = try Service.state(of: store)
    let known = state.checkpoints.compactMap { FileCheckpoint(stored: $0.value) }
    // Files, and as many connections as the limit of open files leaves room for.
    var limits = ReceivingLimits()
    let others: UInt64 = 2048
    let room = hl_raise_open_files()
    limits.connectionCount = min(limits.connectionCount, room > 2 * others ? Int(room - others) : 256)
    openFileLimit = Service.openFileLimit(plan.configuration, room: Int(clamping: room), limits)
    scanned = Set(
      state.checkpoints.filter { $0.key.hasPrefix(Service.scannedPrefix) }
        .map { String($0.key.dropFirst(Service.scannedPrefix.count)) })
    let follower = try Service.follower(plan, known: known, scanned: scanned, openFileLimit: openFileLimit)
    follower.keeper = FileKeeper(
      keep: { Notify.store($0, name: $1) == .sent }, release: { Notify.removeStored(name: $0) })
    follower.takeOver(Service.given.filter { FileKeeper.isName($0.name) }, now: Service.now())
    let feeds = try Service.feeds(state, limits)
    try feeds.take(plan, now: Service.monotonic())
    let walk = try Walk(plan.engine, zones: plan.fileSources.map { plan.zone(of: $0.source) })
    self.plan = plan
    self.load = load
    self.log = log
    self.store = store
    self.follower = follower
    self.feeds = feeds
    self.walk = walk
    // A first reading that was cut off goes on: what it left open was not told yet.
    isBacklog = state.checkpoints.isEmpty || state.checkpoints.contains { $0.key == Service.firstReading }
    fold = IncidentFold(
      open: state.incidents.filter(\.isOpen).compactMap {
        try? JSONDecoder().decode(Incident.self, from: Data($0.value))
      })
    let confirmations = Confirmations()
    self.confirmations = confirmations
    journal = JournalDelivery { confirmations.add($0) }
    maintenance = state.maintenance
    control = Service.listen("control", plan.configuration.controlSocket, log)
    metrics = Service.listen("metrics", plan.configuration.metricsSocket, log)
    for message in state.outbox {
      outbox[message.id] = message
      outboxOrder.append(message.id)
      sentBefore.insert(message.id)
    }
    for known in state.acknowledgements { acknowledgements[known.incident] = known.until }
    if !feeds.restsToRemove.isEmpty {
      change.removedCheckpoints += feeds.restsToRemove
      markDirty()
    }
  }

  private static func open(_ plan: ServicePlan, _ log: (String) -> Void) throws -> StateStore {
    do throws(StoreError) {
      let (store, note) = try StateStore.open(path: plan.configuration.storePath, at: now())
      if let text = text(of: note) { log(text) }
      return store
    } catch {
      throw StartError(text: "\(error)", status: 74)
    }
  }

  private static func state(of store: StateStore) throws -> StoredState {
    do throws(StoreError) { return try store.load() } catch { throw StartError(text: "\(error)", status: 74) }
  }

  /// The socket that the service manager holds, else one of our own; -1 when there is none.
  private static func listen(_ name: String, _ path: String, _ log: (String) -> Void) -> Int32 {
    if let given = given.first(where: { $0.name == name }) { return given.descriptor }
    if path.isEmpty { return -1 }
    let descriptor = hl_unix_listen(path, 0o660)
    if descriptor < 0 { log("\(name) socket \(path): \(String(cString: strerror(errno))); it is not served") }
    return descriptor
  }
  private static let given = Notify.listenDescriptors()

  private static func feeds(_ state: StoredState, _ limits: ReceivingLimits) throws -> Feeds {
    do {
      return try Feeds(known: state.checkpoints, given: given, limits: limits)
    } catch {
      throw StartError(text: "\(error)", status: 74)
    }
  }

  /// - Parameter scanned: sources that were looked at before. What a source with `start: end` holds is passed over when it
  ///   is looked at for the first time, and never again.
  private static func follower(
    _ plan: ServicePlan, known: [FileCheckpoint], scanned: Set<String>, openFileLimit: Int
  ) throws -> Follower {
    var patterns: [SourcePattern] = []
    var options = Follower.Options()
    options.openFileLimit = openFileLimit
    for (index, (source, files)) in plan.fileSources.enumerated() {
      let pattern: SourcePattern
      do throws(SourcePattern.Fault) {
        pattern = try SourcePattern(files)
      } catch {
        throw StartError(
          text: Diagnostic(what: error.what, at: source.place, fix: error.fix).description, status: 78)
      }
      // Stores of earlier versions do not tell: a source that has files was looked at.
      if source.startsAtEnd, !scanned.contains(files), !known.contains(where: { pattern.match($0.path) != .no }) {
        options.startsAtEnd.insert(index)
      }
      patterns.append(pattern)
    }
    return try Follower(patterns: patterns, known: known, options: options)
  }

  /// Followed files stay open as long as there is room: a file that grows is not opened for each line.
  private static func openFileLimit(_ configuration: Configuration, room: Int, _ limits: ReceivingLimits) -> Int {
    let receives = configuration.sources.contains {
      switch $0.kind {
      case .syslogSocket, .syslogListen: true
      case .files, .journal: false
      }
    }
    return max(1024, min(16_384, room - 1024 - (receives ? limits.connectionCount : 0)))
  }

  /// Notes that every source has been looked at.
  private func keepScanned() {
    if !follower.skipped.isEmpty {
      movedFiles.formUnion(follower.skipped)
      markDirty()
    }
    let all = Set(plan.fileSources.map(\.pattern))
    for pattern in all.subtracting(scanned) {
      change.checkpoints.append(Checkpoint(key: Service.scannedPrefix + pattern, offset: 0, value: []))
      markDirty()
    }
    for pattern in scanned.subtracting(all) {
      change.removedCheckpoints.append(Service.scannedPrefix + pattern)
      markDirty()
    }
    scanned = all
  }
  private static let scannedPrefix = "source:"
  private var scanned: Set<String> = []
  private let openFileLimit: Int

  private static func text(of note: OpenNote) -> String? {
    switch note.outcome {
    case .opened, .created:
      note.migrations.isEmpty ? nil : "store: migrated by \(note.migrations.joined(separator: ", "))"
    case .setAside(let path, let reason):
      "store: the file was damaged (\(reason)) and is now \(path); the evidence in it is not used, logs are read anew"
    }
  }

  // MARK: - The loop

  /// Runs until SIGTERM or SIGINT, or until `until` says so (for tests and benchmarks), asked whenever nothing waits.
  package func run(until isDone: () -> Bool = { false }) {
    startedAt = Service.monotonic()
    counters.rateSince = startedAt
    // Twice within the manager's patience.
    let watchdog = Notify.watchdogInterval.map { UInt64($0 / .microseconds(2)) }
    var lastPing: UInt64 = 0
    var lastSweep = startedAt
    var lastStatus: UInt64 = 0
    follower.scan(now: Service.now())
    keepScanned()
    // First: what is kept already is not taken a second time, under another name.
    if Service.given.contains(where: { $0.name == FileKeeper.allName }) {
      Notify.removeStored(name: FileKeeper.allName)
    }
    follower.keepGone()
    say(follower.takeNotes())
    Notify.ready(status: statusLine())
    sendOutbox()
    while !isStopping {
      let now = Service.monotonic()
      if let watchdog, now - lastPing >= watchdog {
        Notify.watchdog()
        lastPing = now
      }
      if now - lastStatus >= 10_000_000 {
        Notify.status(statusLine())
        lastStatus = now
      }
      let interval = follower.pollsAny ? Service.pollingInterval : Service.sweepInterval
      if now - lastSweep >= interval {
        follower.sweep(now: Service.now())
        feeds.tidy(now: Service.now(), monotonic: now)
        tidy()
        lastSweep = now
      }
      if rests, now >= restsUntil { endRest() }
      var worked = false
      if mayRead, !rests, readFiles() { worked = true }
      if mayRead, readFeeds() { worked = true }
      if !follower.hasReady, !feeds.hasMore, !rests { finishBacklog() }
      commitIfDue()
      takeConfirmed()
      // Before it waits: what is there to be told is told, and nothing may come that ends the wait.
      if !worked, !follower.hasReady, !feeds.hasMore, !rests, isDone() { break }
      let isBusy = worked || (((follower.hasReady && !rests) || feeds.hasMore) && mayRead)
      wait(milliseconds: isBusy ? 0 : timeout(now, watchdog, lastSweep + interval))
      say(follower.takeNotes())
    }
    Notify.stopping()
    if mayRead {
      let (parts, rests) = feeds.finish(now: Service.now(), monotonic: Service.monotonic())
      for part in parts {
        let received = Service.now()
        let events = decide(part, received: received)
        _ = take(part, events, byteCount: part.extent.to - part.extent.from, received: received)
      }
      change.checkpoints += rests
      if !parts.isEmpty || !rests.isEmpty || feeds.isChanged { markDirty() }
    }
    commit()
    // What is confirmed by now need not be looked up at the next start.
    takeConfirmed()
    commit()
    follower.keepOpen(limit: Service.keptFileLimit)
  }

  /// Descriptors of files that are given to the service manager at the end of a process.
  private static let keptFileLimit = 2048

  /// Closes the store and the control socket; the service is not used again.
  package func shutDown() throws {
    journal.stop(within: .seconds(5))
    try store.close()
    if control >= 0 { close(control) }
    if metrics >= 0 { close(metrics) }
  }

  private func timeout(_ now: UInt64, _ watchdog: UInt64?, _ nextSweep: UInt64) -> Int32 {
    var due = nextSweep
    if let dirtySince { due = min(due, storeTrouble == nil ? dirtySince + Service.commitInterval : retryAt) }
    if let watchdog { due = min(due, now + watchdog) }
    if mayRead, let next = feeds.due { due = min(due, next) }
    // The queue of inotify holds 16,384 events; each line of each file takes one meanwhile.
    if rests { due = min(due, restsUntil, now + 200_000) }
    return Int32(clamping: (max(due, now) - now) / 1000 + 1)
  }

  /// Waits for something to happen, and takes it.
  private func wait(milliseconds: Int32) {
    // What may not be read stays with the kernel: a sender over TCP waits.
    let sources = mayRead ? feeds.descriptors : []
    // -1: nothing is asked of it. A file that grows while there is rest ends no wait.
    var waits = ([rests ? -1 : follower.inotify, signals, confirmations.wake, control, metrics] + sources).map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    let count = poll(&waits, nfds_t(waits.count), milliseconds)
    if rests { follower.drain(now: Service.now()) }
    guard count > 0 else { return }
    if waits[0].revents != 0 { follower.drain(now: Service.now()) }
    if waits[1].revents != 0 { takeSignals() }
    if waits[3].revents != 0 { answer() }
    if waits[4].revents != 0 { answerMetrics() }
    if waits.dropFirst(5).contains(where: { $0.revents != 0 }) { areFeedsReady = true }
  }
  private var areFeedsReady = true

  private func takeSignals() {
    while true {
      switch hl_signal_next(signals) {
      case 0: return
      case SIGHUP: _ = reload()
      default: isStopping = true
      }
    }
  }

  private var mayRead: Bool {
    storeTrouble == nil || (pendingBytes < Service.pendingLimit && change.extents.count < Service.pendingExtentLimit)
  }

  // MARK: - Reading

  /// Where thousands of files grow by a line each, every line has its turn of the walk, its look at the file and its
  /// checkpoint. After a round of many small parts there is rest, so that the next round reads several lines of each: work is
  /// at most a twentieth of the time. Large parts and short rounds know no rest.
  private var rests = false
  private var restsUntil: UInt64 = 0
  private var round = (start: UInt64(0), partCount: 0, byteCount: UInt64(0))
  private static let restFactor: UInt64 = 19
  private static let longestRest: UInt64 = 2_000_000
  private static let shortRound: UInt64 = 20_000
  private static let smallPart: UInt64 = 16 * 1024

  /// Reads some parts of files; false when nothing waits.
  private func readFiles() -> Bool {
    guard follower.hasReady else { return false }
    let start = Service.monotonic()
    if round.partCount == 0 { round = (start, 0, 0) }
    // Others have their turn after a few milliseconds.
    while mayRead, Service.monotonic() - start < 4_000, let part = follower.next() {
      let before = counters.byteCount
      read(part)
      round.partCount += 1
      round.byteCount += counters.byteCount - before
    }
    if !follower.hasReady {
      let now = Service.monotonic()
      if now - round.start > Service.shortRound, round.byteCount / UInt64(max(1, round.partCount)) < Service.smallPart {
        rests = true
        restsUntil = now + min(Service.longestRest, (now - round.start) * Service.restFactor)
      }
      round.partCount = 0
    }
    return true
  }

  private func endRest() {
    rests = false
    follower.drain(now: Service.now())
  }

  private func read(_ part: Follower.Part) {
    let received = Service.now()
    let (evidence, end, memory) = walk.read(part, window: follower.window)
    // First what may be waited for, then the books.
    let events = decide(evidence, received: received)
    follower.finished(part, at: end, lineCount: evidence.lineCount, memory: memory)
    if let error = evidence.error { log("\(error)") }
    let isNew = take(evidence, events, byteCount: end - part.offset, received: received)
    if isNew { movedFiles.insert(part.id) }
  }

  /// Takes a turn of the sockets and of the journal; false when there was nothing.
  private func readFeeds() -> Bool {
    guard areFeedsReady || feeds.hasMore || feeds.due.map({ $0 <= Service.monotonic() }) ?? false else { return false }
    areFeedsReady = false
    let received = Service.now()
    let parts = feeds.read(now: received, monotonic: Service.monotonic())
    for text in feeds.takeNotes() { log(text) }
    for part in parts {
      let events = decide(part, received: received)
      let isNew = take(part, events, byteCount: part.extent.to - part.extent.from, received: received)
      // Whoever sent it does not have it any more.
      if isNew, part.isVolatile, !part.findings.isEmpty || !part.extent.activities.isEmpty { isUrgent = true }
    }
    if feeds.isChanged { markDirty() }
    return !parts.isEmpty
  }

  /// Folds evidence into incidents.
  private func decide(_ evidence: PartEvidence, received: Timestamp) -> [IncidentEvent] {
    if evidence.findings.isEmpty, evidence.successes.isEmpty { return [] }
    var events: [IncidentEvent] = []
    if evidence.findings.count == 1, evidence.successes.isEmpty {
      events = fold.note(evidence.findings[0], received: received)
    } else {
      // In event time: what failed before a success is over with it.
      var steps: [(time: Int64, isSuccess: Bool, index: Int)] = []
      for (index, finding) in evidence.findings.enumerated() {
        steps.append((finding.time?.microseconds ?? received.microseconds, false, index))
      }
      for (index, success) in evidence.successes.enumerated() { steps.append((success.time.microseconds, true, index)) }
      steps.sort { ($0.time, $0.isSuccess ? 1 : 0, $0.index) < ($1.time, $1.isSuccess ? 1 : 0, $1.index) }
      for step in steps {
        if step.isSuccess {
          let success = evidence.successes[step.index]
          events += fold.noteSuccess(
            client: success.client, server: success.server, time: success.time, received: received)
        } else {
          events += fold.note(evidence.findings[step.index], received: received)
        }
      }
    }
    if !events.isEmpty { onEvents?() }
    return events
  }

  /// Counts evidence that was folded, and keeps it for the next commit.
  /// - Returns: false when there is nothing of it to be stored.
  private func take(
    _ evidence: PartEvidence, _ events: [IncidentEvent], byteCount: UInt64, received: Timestamp
  ) -> Bool {
    counters.byteCount += byteCount
    counters.recordCount += evidence.recordCount
    counters.findingCount += UInt64(evidence.findings.count)
    counters.skips.add(evidence.skips)
    guard byteCount > 0 || !evidence.findings.isEmpty else { return false }
    // Nothing to be counted twice: its place, in the checkpoint, is all there is to keep.
    if !evidence.findings.isEmpty || !evidence.extent.activities.isEmpty {
      var extent = evidence.extent
      extent.findings = evidence.findings.map { finding in
        counters.findingsByCause["\(finding.findingClass.rawValue)/\(finding.cause.rawValue)", default: 0] += 1
        return Extent.Item(
          finding, isTimePlausible: finding.time.map { IncidentFold.isPlausible($0, received: received) } ?? true)
      }
      change.extents.append(extent)
    }
    pendingBytes += UInt64(256 + evidence.extent.activities.count * 200 + evidence.findings.count * 1000)
    tell(events)
    markDirty()
    return true
  }

  /// Files that were read since the last commit: their checkpoints are made then, once for each.
  private var movedFiles: Set<Int> = []
  private func keepMovedFiles() {
    for id in movedFiles {
      guard let checkpoint = follower.checkpoint(of: id) else { continue }
      change.checkpoints.append(
        Checkpoint(key: checkpoint.stream, offset: checkpoint.offset, value: checkpoint.stored))
    }
    movedFiles.removeAll(keepingCapacity: true)
  }

  /// Incidents as they are now.
  private func keepIncidents() {
    for incident in fold.takeChanged() {
      guard let value = try? JSONEncoder().encode(incident) else { continue }
      change.incidents.append(
        StoredIncident(
          id: incident.id, key: incident.key, isOpen: incident.isOpen, time: Timestamp(microseconds: incident.last),
          value: Array(value)))
    }
  }

  private func markDirty() {
    if dirtySince == nil { dirtySince = Service.monotonic() }
  }

  /// What happens now and then: quiet incidents end, old evidence goes, files that are gone are forgotten.
  private func tidy() {
    tell(fold.settle())
    let week: Int64 = 7 * 86_400_000_000
    let forgotten = follower.forget(goneBefore: Timestamp(microseconds: Service.now().microseconds - week))
    if !forgotten.isEmpty {
      change.removedCheckpoints += forgotten
      walk.forget(forgotten)
      markDirty()
    }
    let day = Service.now().microseconds / 86_400_000_000
    if day != prunedDay, storeTrouble == nil {
      prunedDay = day
      let oldest = Timestamp(
        microseconds: Service.now().microseconds - Int64(plan.configuration.retentionDays) * 86_400_000_000)
      do { _ = try store.prune(olderThan: oldest) } catch { log("\(error)") }
    }
    let gone = acknowledgements.filter { $0.value < Service.now() }.map(\.key)
    if !gone.isEmpty {
      for incident in gone { acknowledgements[incident] = nil }
      change.removedAcknowledgements += gone
      markDirty()
    }
  }
  private var prunedDay: Int64 = 0

  private func say(_ notes: [Follower.Note]) {
    for note in notes {
      switch note {
      case .began: break
      case .renamed(let from, let to): log("\(from) is \(to) now")
      case .rewritten(let path): log("\(path) has new content: read from the start")
      case .polling(let folder, let kind):
        log("\(folder) is on \(kind): looked at every \(Service.pollingInterval / 1_000_000) s, since no event is told")
      case .overflow: log("more changes than inotify keeps: every file was looked at")
      case .unwatched(let folder, let code):
        log("\(folder) cannot be watched: \(String(cString: strerror(code)))")
      case .ambiguous(let path): log("\(path) has the content of more than one known file")
      }
    }
  }

  // MARK: - Telling

  private func tell(_ events: [IncidentEvent]) {
    if fold.hasChanged { markDirty() }
    guard plan.configuration.toJournal, !isBacklog else { return }
    for event in events where isToBeTold(event) {
      enqueue(
        MessageID(incident: event.incident.id, sequence: event.incident.sequence), Alert(event).fields)
    }
  }

  private func enqueue(_ id: MessageID, _ fields: [(name: String, value: String)]) {
    let message = OutboxMessage(id: id, fields: fields)
    change.outbox.append(message)
    outbox[id] = message
    outboxOrder.append(id)
    isUrgent = true
    markDirty()
  }

  private func isToBeTold(_ event: IncidentEvent) -> Bool {
    let incident = event.incident
    let least = plan.configuration.severityOfKind[incident.kind.rawValue] ?? plan.configuration.minimumSeverity
    guard incident.severity >= least else { return false }
    let now = Service.now()
    if event.change == .updated || event.change == .escalated, let until = acknowledgements[incident.id], now < until {
      return false
    }
    return !maintenance.contains { window in
      window.from <= now && now < window.until
        && incident.servers.contains { $0.lowercased() == window.server.lowercased() }
    }
  }

  /// The first reading is over: what it left open is told in one message.
  private func finishBacklog() {
    guard isBacklog else { return }
    isBacklog = false
    change.removedCheckpoints.append(Service.firstReading)
    markDirty()
    guard plan.configuration.toJournal else { return }
    let open = fold.open.values.filter { $0.sequence > 0 }
      .filter { isToBeTold(IncidentEvent(change: .opened, incident: $0)) }
      .sorted { ($0.first, $0.id) < ($1.first, $1.id) }
    guard !open.isEmpty else { return }
    let identity = "00000000" + String(open[0].id.prefix(24))
    enqueue(MessageID(incident: identity, sequence: 1), Alert(backlog: open, identity: identity).fields)
  }

  /// Hands stored messages to the journal, oldest first; those that find no room are handed over after a confirmation.
  private func sendOutbox() {
    for id in outboxOrder where !handedOver.contains(id) {
      guard let message = outbox[id] else { continue }
      do throws(JournalEntryFault) {
        let entry = try JournalEntry(id: id, fields: message.fields.map { ($0.name, $0.value) })
        guard journal.deliver(entry, perhapsSent: sentBefore.contains(id)) else { return }
        handedOver.insert(id)
      } catch {
        // It would be refused for ever.
        log("message \(id.incident) \(id.sequence): \(error)")
        confirmations.add([id])
      }
    }
  }

  private func takeConfirmed() {
    let confirmed = confirmations.take()
    if confirmed.isEmpty { return }
    for id in confirmed {
      handedOver.remove(id)
      sentBefore.remove(id)
      if outbox.removeValue(forKey: id) != nil { change.confirmed.append(id) }
    }
    outboxOrder.removeAll { outbox[$0] == nil }
    markDirty()
    sendOutbox()
  }

  // MARK: - Committing

  private func commitIfDue() {
    guard let dirtySince else { return }
    let now = Service.monotonic()
    if storeTrouble != nil {
      if now >= retryAt { commit() }
      return
    }
    let isLarge = change.extents.count >= 512 || movedFiles.count >= 32_768 || pendingBytes > Service.pendingLimit / 2
    if isUrgent || isLarge || now - dirtySince >= Service.commitInterval { commit() }
  }

  private func commit() {
    guard dirtySince != nil else { return }
    change.time = Service.now()
    keepMovedFiles()
    keepIncidents()
    change.checkpoints += feeds.checkpoints(now: Service.monotonic())
    if isBacklog { change.checkpoints.append(Checkpoint(key: Service.firstReading, offset: 0, value: [])) }
    do throws(StoreError) {
      try store.commit(change)
      if storeTrouble != nil { log("store: writing again") }
      storeTrouble = nil
      counters.commitCount += 1
      change = StoreChange(at: change.time)
      pendingBytes = 0
      dirtySince = nil
      isUrgent = false
      sendOutbox()
    } catch {
      if storeTrouble?.description != error.description {
        log("\(error); reading goes on within bounds, nothing is told until it is stored, tried again every 5 s")
      }
      storeTrouble = error
      if error.kind == .damaged {
        // The next start examines the file, sets it aside with its reason, and reads the logs anew.
        failure = StartError(text: "\(error)", status: 74)
        isStopping = true
      }
      retryAt = Service.monotonic() + 5_000_000
    }
  }

  // MARK: - Reload

  /// Takes configuration and definitions anew, whole or not at all. Returns what is wrong with them.
  private func reload() -> String? {
    Notify.reloading()
    defer { Notify.ready(status: statusLine()) }
    do {
      let fresh = try load()
      let walk = try Walk(fresh.engine, zones: fresh.fileSources.map { fresh.zone(of: $0.source) })
      let isSame = fresh.configuration.sources == plan.configuration.sources
      let next =
        isSame
        ? nil
        : try Service.follower(fresh, known: follower.checkpoints, scanned: scanned, openFileLimit: openFileLimit)
      try feeds.take(fresh, now: Service.monotonic())
      keepMovedFiles()
      if let next {
        next.keeper = follower.keeper
        next.takeOver(follower.descriptorsOfGone(), now: Service.now())
        next.scan(now: Service.now())
        next.keepGone()
        follower = next
      }
      for text in feeds.takeNotes() { log(text) }
      self.walk = walk
      plan = fresh
      keepScanned()
      log("reloaded")
      return nil
    } catch {
      let text = (error as? StartError)?.text ?? "\(error)"
      log("reload refused, the old configuration stays:\n\(text)")
      return text
    }
  }

  // MARK: - Control

  private func answer() {
    let connection = hl_accept(control)
    guard connection >= 0 else { return }
    defer { close(connection) }
    guard let line = Service.request(connection) else { return }
    let words = line.split(separator: " ").map(String.init)
    var reply: Reply
    switch words.first {
    case "status": reply = Reply(status: status())
    case "incidents": reply = Reply(incidents: incidents(includesClosed: words.contains("--all")))
    case "reload": reply = reload().map { Reply(fault: $0) } ?? Reply()
    case "ack": reply = acknowledge(words)
    case "maintenance": reply = maintain(words)
    default: reply = Reply(fault: "'\(line)' is no request")
    }
    reply.schema = 1
    if let data = try? JSONEncoder().encode(reply) { Service.write(Array(data) + [0x0A], to: connection) }
  }

  private func acknowledge(_ words: [String]) -> Reply {
    guard words.count == 3, let seconds = Int64(words[2]), seconds > 0 else { return Reply(fault: "ack ID SECONDS") }
    let matches = fold.open.values.filter { $0.id.hasPrefix(words[1].lowercased()) }
    guard matches.count == 1, let incident = matches.first else {
      return Reply(
        fault: matches.isEmpty ? "no open incident '\(words[1])'" : "'\(words[1])' is not one incident alone")
    }
    let until = Timestamp(microseconds: Service.now().microseconds + seconds * 1_000_000)
    acknowledgements[incident.id] = until
    change.acknowledgements.append(Acknowledgement(incident: incident.id, until: until))
    isUrgent = true
    markDirty()
    return Reply(done: "incident \(incident.id) is quiet until \(until.rfc3339)")
  }

  private func maintain(_ words: [String]) -> Reply {
    guard words.count == 3, let seconds = Int64(words[2]), seconds > 0 else {
      return Reply(fault: "maintenance SERVER SECONDS")
    }
    let now = Service.now()
    let window = MaintenanceWindow(
      server: words[1], from: now, until: Timestamp(microseconds: now.microseconds + seconds * 1_000_000))
    maintenance.append(window)
    change.maintenance.append(window)
    isUrgent = true
    markDirty()
    return Reply(done: "\(words[1]) is under maintenance until \(window.until.rfc3339)")
  }

  package struct Reply: Codable, Sendable {
    package var schema = 1
    package var fault: String?
    package var done: String?
    package var status: ServiceStatus?
    package var incidents: [Incident]?
  }

  private func incidents(includesClosed: Bool) -> [Incident] {
    var all = Array(fold.open.values)
    if includesClosed, let state = try? store.load() {
      all += state.incidents.filter { !$0.isOpen }.compactMap {
        try? JSONDecoder().decode(Incident.self, from: Data($0.value))
      }
    }
    return all.sorted { ($0.first, $0.id) < ($1.first, $1.id) }
  }

  package func status() -> ServiceStatus {
    let files = follower.states
    return ServiceStatus(
      uptimeSeconds: (Service.monotonic() - startedAt) / 1_000_000, files: files.map(ServiceStatus.File.init),
      feeds: feeds.states,
      fileCount: files.count, lagByteCount: follower.lag, isBacklog: isBacklog, byteCount: counters.byteCount,
      bytesPerSecond: rate(), recordCount: counters.recordCount, findingCount: counters.findingCount,
      findingsByCause: counters.findingsByCause,
      skips: Dictionary(
        uniqueKeysWithValues: SkipReason.allCases.filter { counters.skips[$0].count > 0 }.map {
          ("\($0)", counters.skips[$0].count)
        }),
      openIncidentCount: fold.open.values.filter { $0.sequence > 0 }.count, outboxCount: outbox.count,
      journal: journal.health.description, store: storeTrouble?.description ?? "working",
      commitCount: counters.commitCount, implausibleCount: fold.implausibleCount)
  }

  private func rate() -> Double {
    let now = Service.monotonic()
    if now - counters.rateSince >= 1_000_000 {
      counters.rate =
        Double(counters.byteCount - counters.rateBytes) * 1_000_000 / Double(max(1, now - counters.rateSince))
      counters.rateBytes = counters.byteCount
      counters.rateSince = now
    }
    return counters.rate
  }

  /// `1204 files, lag 0 bytes, 120.5 MB read, 2 incidents`
  private func statusLine() -> String {
    var text =
      "\(follower.fileCount) files, lag \(follower.lag) bytes, \(counters.byteCount / 1_000_000) MB and "
      + "\(counters.recordCount) records read, \(Int(rate() / 1000)) kB/s, "
      + "\(fold.open.values.filter { $0.sequence > 0 }.count) incidents"
    if isBacklog { text += ", first reading" }
    if let storeTrouble { text += ", store: \(storeTrouble)" }
    if journal.health != .ready { text += ", \(journal.health)" }
    return text
  }

  private func answerMetrics() {
    let connection = hl_accept(metrics)
    guard connection >= 0 else { return }
    defer { close(connection) }
    _ = Service.request(connection)
    let body = Array(Metrics.text(status()).utf8)
    let head =
      "HTTP/1.0 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"
      + "Content-Length: \(body.count)\r\n\r\n"
    Service.write(Array(head.utf8) + body, to: connection)
  }

  // MARK: - The system

  /// One line, within a second.
  private static func request(_ connection: Int32) -> String? {
    var patience = timeval(tv_sec: 1, tv_usec: 0)
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var bytes = [UInt8](repeating: 0, count: 4096)
    var count = 0
    while count < bytes.count, !bytes[..<count].contains(0x0A) {
      let got = bytes.withUnsafeMutableBytes { Glibc.read(connection, $0.baseAddress! + count, $0.count - count) }
      if got <= 0 { break }
      count += got
    }
    guard let end = bytes[..<count].firstIndex(of: 0x0A) else { return nil }
    return String(decoding: bytes[..<end], as: UTF8.self).trimmingCharacters(in: .whitespaces)
  }

  private static func write(_ bytes: [UInt8], to connection: Int32) {
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes {
        send(connection, $0.baseAddress! + offset, $0.count - offset, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return }
      offset += count
    }
  }

  private static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
  }

  private static func monotonic() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
  }
}

/// Messages that were read back, on their way from the journal's thread to the service's.
private final class Confirmations: Sendable {
  private let ids = Mutex<[MessageID]>([])
  /// Readable while there are any.
  let wake: Int32
  private let poke: Int32

  init() {
    var ends: [Int32] = [-1, -1]
    pipe(&ends)
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    wake = ends[0]
    poke = ends[1]
  }

  deinit {
    close(wake)
    close(poke)
  }

  func add(_ confirmed: [MessageID]) {
    ids.withLock { $0 += confirmed }
    var byte: UInt8 = 1
    _ = write(poke, &byte, 1)
  }

  func take() -> [MessageID] {
    var bytes = [UInt8](repeating: 0, count: 256)
    while read(wake, &bytes, bytes.count) > 0 {}
    return ids.withLock { ids in
      defer { ids = [] }
      return ids
    }
  }
}
