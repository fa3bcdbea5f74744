import Definitions
import Detection
import Extraction
import Foundation
import Glibc
import Journal
import Receiving
import Records
import Store

/// The sources of messages: syslog sockets and the journal. One turn at a time, without waiting.
final class Feeds {
  private struct Syslog {
    let name: String
    let feed: Feed
    var trouble: String?
    /// The address to listen on; nil for sockets of the service manager.
    var address: ListenAddress?
    var skips = SkipCounts()
  }

  private struct Journal {
    let matches: [JournalSource.Match]
    let startsAtEnd: Bool
    let feed: Feed
    var source: JournalSource?
    var trouble: String?
    var retryAt: UInt64 = 0
    /// More entries may be there than the last turn took.
    var mayHaveMore = true
    var entryCount: UInt64 = 0
    var ownCount: UInt64 = 0
    var byteCount: UInt64 = 0
  }

  private let receiver: SyslogReceiver
  private var syslogs: [String: Syslog] = [:]
  private var journals: [String: Journal] = [:]
  private var notes: [String] = []
  private var lastSaid: [String: UInt64] = [:]
  /// Of the service manager; never closed, since it gives them once.
  private let given: [(name: String, descriptor: Int32)]
  private var known: [String: FeedCheckpoint] = [:]
  /// The beginnings of messages that connections had sent when the last process stopped, by kept name.
  private var rests: [String: [UInt8]] = [:]
  private var retryAt: UInt64 = 0

  /// Connections that were taken over.
  private var goneOn: Set<String> = []

  private static let retryInterval: UInt64 = 10_000_000
  /// Journal entries, and bytes of them, of one turn.
  private static let entryLimit = 1024
  private static let byteLimit = 256 * 1024

  /// - Parameter known: where to go on, of all sources that ever were.
  init(known: [Checkpoint], given: [(name: String, descriptor: Int32)], limits: ReceivingLimits) throws {
    self.given = given
    for checkpoint in known {
      if checkpoint.key.hasPrefix(Feeds.restPrefix) {
        rests[String(checkpoint.key.dropFirst(Feeds.restPrefix.count))] = checkpoint.value
        restsToRemove.append(checkpoint.key)
      }
      guard checkpoint.key.hasPrefix(FeedCheckpoint.key("")) else { continue }
      let value = try? JSONDecoder().decode(FeedCheckpoint.self, from: Data(checkpoint.value))
      self.known[String(checkpoint.key.dropFirst(FeedCheckpoint.key("").count))] = value
    }
    // Without a manager that keeps descriptors there is nobody to ask.
    let keeper = ConnectionKeeper(
      keep: { Notify.store([$0], name: $1) == .sent }, release: { Notify.removeStored(name: $0) })
    receiver = try SyslogReceiver(limits: limits, keeper: keeper)
  }

  private static let restPrefix = "connection:"
  /// Checkpoints that were used up by this start.
  private(set) var restsToRemove: [String] = []

  // MARK: - Sources

  /// Takes the sources of a configuration: those that stay go on as they are, with the definitions and zones of `plan`.
  func take(_ plan: ServicePlan, now: UInt64) throws {
    var wanted: [String: Configuration.Source] = [:]
    for source in plan.configuration.sources {
      if let stream = Feeds.stream(source.kind) { wanted[stream] = source }
    }
    var fresh: [String: Feed] = [:]
    for stream in wanted.keys where syslogs[stream] == nil && journals[stream] == nil {
      fresh[stream] = try Feed(
        stream: stream, path: Feeds.path(wanted[stream]!.kind), checkpoint: known[stream] ?? FeedCheckpoint(),
        engine: plan.engine, zone: plan.zone(of: wanted[stream]!))
    }
    for feed in syslogs.values.map(\.feed) + journals.values.map(\.feed) {
      try feed.renew(plan.engine, zone: wanted[feed.stream].map(plan.zone) ?? .utc)
    }
    // From here on nothing fails as a whole.
    for (stream, syslog) in syslogs where wanted[stream] == nil {
      known[stream] = syslog.feed.checkpoint
      _ = receiver.remove(syslog.name)
      syslogs[stream] = nil
    }
    for (stream, journal) in journals where wanted[stream] == nil {
      known[stream] = journal.feed.checkpoint
      journals[stream] = nil
    }
    for (stream, feed) in fresh {
      switch wanted[stream]!.kind {
      case .files: break
      case .journal(let matches):
        journals[stream] = Journal(
          matches: matches.map { JournalSource.Match(field: $0.field, value: $0.value) },
          startsAtEnd: wanted[stream]!.startsAtEnd, feed: feed)
      case .syslogSocket(let name): syslogs[stream] = Syslog(name: name, feed: feed)
      case .syslogListen(let address, let transports):
        var set: ListenAddress.Transports = []
        if transports.contains("tcp") { set.insert(.tcp) }
        if transports.contains("udp") { set.insert(.udp) }
        syslogs[stream] = Syslog(
          name: address, feed: feed, address: ListenAddress(address, transports: set))
      }
    }
    openSockets(now)
    for stream in journals.keys where journals[stream]!.source == nil { openJournal(stream, now) }
  }

  private static func stream(_ kind: Configuration.Source.Kind) -> String? {
    switch kind {
    case .files: nil
    case .journal(let matches): "journal:" + matches.map { "\($0.field)=\($0.value)" }.joined(separator: ",")
    case .syslogSocket(let name): "syslog:" + name
    case .syslogListen(let address, let transports): "syslog:" + address + "/" + transports.joined(separator: "+")
    }
  }

  private static func path(_ kind: Configuration.Source.Kind) -> String {
    switch kind {
    case .files(let files): files
    case .journal: "journal"
    case .syslogSocket(let name): name
    case .syslogListen(let address, _): address
    }
  }

  private func openSockets(_ now: UInt64) {
    retryAt = now + Feeds.retryInterval
    for (stream, syslog) in syslogs where receiver.figures(of: syslog.name) == nil {
      var trouble: String?
      if let address = syslog.address {
        do throws(ReceiverError) { try receiver.open(syslog.name, at: address) } catch { trouble = "\(error)" }
      } else {
        let sockets = given.filter { $0.name == syslog.name }.map { fcntl($0.descriptor, F_DUPFD_CLOEXEC, 0) }
        if sockets.isEmpty {
          trouble =
            "the service manager gave no socket '\(syslog.name)' at the start: enable the socket unit that says "
            + "FileDescriptorName=\(syslog.name), then restart the service"
        } else {
          for other in receiver.open(syslog.name, descriptors: sockets) {
            close(other)
            trouble = "'\(syslog.name)' holds a descriptor that is no socket to receive from"
          }
          for (name, descriptor) in given where name.hasPrefix(syslog.name + "@") {
            guard goneOn.insert(name).inserted else { continue }
            receiver.goOn(
              syslog.name, descriptor: fcntl(descriptor, F_DUPFD_CLOEXEC, 0), keptName: name, rest: rests[name])
            close(descriptor)
          }
        }
      }
      if let trouble, trouble != syslog.trouble { notes.append("source \(syslog.name): \(trouble)") }
      syslogs[stream]!.trouble = trouble
    }
  }

  private func openJournal(_ stream: String, _ now: UInt64) {
    guard var journal = journals[stream] else { return }
    do throws(JournalError) {
      let source = try JournalSource(
        matches: journal.matches, cursor: journal.feed.checkpoint.cursor, startsAtEnd: journal.startsAtEnd)
      if let oldest = source.gap {
        notes.append(
          "the journal begins at \(oldest.rfc3339) now: entries between the last one that was read and that time are gone"
        )
      }
      journal.source = source
      journal.mayHaveMore = true
      journal.trouble = nil
    } catch {
      if journal.trouble == nil { notes.append("source journal: \(error)") }
      journal.trouble = "\(error)"
      journal.retryAt = now + Feeds.retryInterval
    }
    journals[stream] = journal
  }

  // MARK: - Reading

  /// Becomes readable when something came.
  var descriptors: [Int32] { [receiver.descriptor] + journals.values.compactMap { $0.source?.descriptor } }

  /// Something is left that no descriptor tells of.
  var hasMore: Bool { journals.values.contains { $0.mayHaveMore && $0.source != nil } }

  /// When to look again without being told, on the monotonic clock.
  var due: UInt64? {
    var due = (syslogs.values.map(\.feed) + journals.values.map(\.feed)).compactMap(\.due).min()
    if syslogs.values.contains(where: { $0.trouble != nil }) { due = min(due ?? .max, retryAt) }
    if let retry = journals.values.filter({ $0.source == nil }).map(\.retryAt).min() { due = min(due ?? .max, retry) }
    return due
  }

  /// One turn of every source.
  func read(now: Timestamp, monotonic: UInt64) -> [PartEvidence] {
    var evidence: [PartEvidence] = []
    if monotonic >= retryAt, syslogs.values.contains(where: { $0.trouble != nil }) { openSockets(monotonic) }
    _ = receiver.receive(now: now)
    for (stream, syslog) in syslogs {
      let text = receiver.take(syslog.name)
      let skips = receiver.takeSkips(syslog.name)
      let isDue = syslog.feed.due.map { monotonic >= $0 } ?? false
      let wasSkipped = skips.entries.contains { $0.count > 0 || $0.byteCount > 0 }
      guard !text.bytes.isEmpty || isDue || wasSkipped else { continue }
      syslogs[stream]!.skips.add(skips)
      if var part = syslog.feed.read(text.bytes, now: monotonic) {
        part.isVolatile = true
        part.skips.add(skips)
        evidence.append(part)
      } else if wasSkipped {
        evidence.append(.nothing(of: stream, skips))
      }
    }
    say(monotonic)
    for stream in journals.keys {
      if journals[stream]!.source == nil, monotonic >= journals[stream]!.retryAt { openJournal(stream, monotonic) }
      if let part = readJournal(stream, monotonic) { evidence.append(part) }
    }
    return evidence
  }

  private func readJournal(_ stream: String, _ now: UInt64) -> PartEvidence? {
    guard var journal = journals[stream], let source = journal.source else { return nil }
    defer { journals[stream] = journal }
    var text = MessageText()
    var cursors: [(end: Int, cursor: String)] = []
    var count = 0
    var skips = SkipCounts()
    do throws(JournalError) {
      try source.process()
      journal.mayHaveMore = true
      while count < Feeds.entryLimit, text.bytes.count < Feeds.byteLimit {
        guard let entry = try source.next() else {
          journal.mayHaveMore = false
          break
        }
        count += 1
        if entry.isOwn {
          journal.ownCount += 1
          skips.note(.ownOutput)
        } else {
          journal.entryCount += 1
          text.append(entry.message, received: entry.received, host: entry.host, name: entry.identifier)
        }
        if let cursor = source.cursor { cursors.append((text.bytes.count, cursor)) }
      }
    } catch {
      notes.append("source journal: \(error); it is opened again")
      journal.trouble = "\(error)"
      journal.source = nil
      journal.retryAt = now + Feeds.retryInterval
    }
    journal.byteCount += UInt64(text.bytes.count)
    let isDue = journal.feed.due.map { now >= $0 } ?? false
    guard !cursors.isEmpty || isDue else { return nil }
    if var part = journal.feed.read(text.bytes, cursors: cursors, now: now) {
      part.skips.add(skips)
      return part
    }
    return .nothing(of: stream, skips)
  }

  /// Now and then: connections that are stuck are closed.
  func tidy(now: Timestamp, monotonic: UInt64) {
    receiver.tidy(now: now)
    for stream in journals.keys { journals[stream]!.mayHaveMore = true }
  }

  /// The end of this process: what connections have sent is read once more, and what is held is walked.
  /// - Returns: and the beginnings of messages that connections go on with after a restart, as checkpoints.
  func finish(now: Timestamp, monotonic: UInt64) -> (evidence: [PartEvidence], rests: [Checkpoint]) {
    var evidence: [PartEvidence] = []
    for _ in 0..<16 {
      let turn = read(now: now, monotonic: monotonic)
      if turn.isEmpty { break }
      evidence += turn
    }
    for syslog in syslogs.values {
      guard var part = syslog.feed.read([], now: monotonic + 2 * Feed.patience) else { continue }
      part.isVolatile = true
      evidence.append(part)
    }
    let rests = receiver.unfinishedByName.map { Checkpoint(key: Feeds.restPrefix + $0.key, offset: 0, value: $0.value) }
    return (evidence, rests)
  }

  // MARK: - Telling

  /// Places to go on from that are not stored yet.
  func checkpoints(now: UInt64) -> [Checkpoint] {
    (syslogs.values.map(\.feed) + journals.values.map(\.feed)).filter(\.isChanged)
      .compactMap { $0.checkpointToStore(now) }
  }

  var isChanged: Bool {
    syslogs.values.contains { $0.feed.isChanged } || journals.values.contains { $0.feed.isChanged }
  }

  func takeNotes() -> [String] {
    defer { notes.removeAll() }
    return notes
  }

  /// What the receiver tells, each kind of it once a minute; the figures count all.
  private func say(_ now: UInt64) {
    for note in receiver.takeNotes() {
      let (key, text): (String, String) =
        switch note {
        case .closed(let source, let reason):
          ("closed \(source) \(reason)", "\(source): a connection was closed: \(reason)")
        case .refused(let source):
          ("refused \(source)", "\(source): more connections than allowed, one was closed at once")
        case .dropped(let source, let count):
          (
            "dropped \(source)",
            "\(source): the kernel dropped \(count) datagrams; use TCP or RELP where none may be lost"
          )
        case .failed(let source, let call, let code):
          ("failed \(source) \(call)", "\(source): \(call): \(String(cString: strerror(code)))")
        }
      if let last = lastSaid[key], now - last < 60_000_000 { continue }
      lastSaid[key] = now
      notes.append(text)
    }
  }

  var states: [ServiceStatus.Feed] {
    let syslog = syslogs.values.map { syslog in
      let figures = receiver.figures(of: syslog.name)
      return ServiceStatus.Feed(
        name: syslog.name, kind: "syslog", messageCount: figures?.messageCount ?? 0, byteCount: figures?.byteCount ?? 0,
        heldByteCount: syslog.feed.heldByteCount, connectionCount: figures?.connectionCount,
        droppedCount: figures?.droppedCount,
        refusedCount: figures?.refusedCount, closedCount: figures?.closedCount, trouble: syslog.trouble)
    }
    let journal = journals.values.map { journal in
      ServiceStatus.Feed(
        name: "journal " + journal.matches.map { "\($0.field)=\($0.value)" }.joined(separator: " "), kind: "journal",
        messageCount: journal.entryCount, byteCount: journal.byteCount, heldByteCount: journal.feed.heldByteCount,
        trouble: journal.trouble)
    }
    return (syslog + journal).sorted { $0.name < $1.name }
  }
}
