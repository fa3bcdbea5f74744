import CSystemd
import Glibc
import Records

/// Reads what others wrote into the journal, entry after entry, from a cursor on. Our own entries are passed over: read,
/// they would be told again for ever. Used by one thread at a time.
package final class JournalSource {
  package struct Entry: Sendable, Equatable {
    package var message: [UInt8] = []
    package var host: [UInt8] = []
    package var identifier: [UInt8] = []
    package var received = Timestamp(microseconds: 0)
    package var isOwn = false
  }

  /// One field and one of the values that it may have. Values of one field are alternatives, different fields must all
  /// hold: sd_journal_add_match(3).
  package struct Match: Sendable, Hashable {
    package var field: String
    package var value: String

    package init(field: String, value: String) {
      self.field = field
      self.value = value
    }
  }

  private let journal: OpaquePointer
  /// After the last entry that `next` gave; nil before the first.
  package private(set) var cursor: String?
  /// Entries behind the cursor were gone when it was opened: the oldest one that is left.
  package private(set) var gap: Timestamp?

  /// - Parameters:
  ///   - cursor: of the last entry that is done with.
  ///   - startsAtEnd: without a cursor, only what comes from now on.
  package init(matches: [Match], cursor: String?, startsAtEnd: Bool) throws(JournalError) {
    var opened: OpaquePointer?
    try JournalSource.check("sd_journal_open", sd_journal_open(&opened, 0))
    journal = opened!
    self.cursor = cursor
    for match in matches {
      let bytes = Array("\(match.field)=\(match.value)".utf8)
      try JournalSource.check("sd_journal_add_match", sd_journal_add_match(journal, bytes, bytes.count))
    }
    try JournalSource.check(
      "sd_journal_set_data_threshold", sd_journal_set_data_threshold(journal, JournalLimits.messageByteCount))
    // A descriptor before anything is read, so that no change falls between.
    try JournalSource.check("sd_journal_get_fd", sd_journal_get_fd(journal))
    if let cursor {
      try goOn(cursor)
    } else if startsAtEnd {
      try JournalSource.check("sd_journal_seek_tail", sd_journal_seek_tail(journal))
      if try JournalSource.check("sd_journal_previous", sd_journal_previous(journal)) > 0 {
        self.cursor = try text(of: sd_journal_get_cursor)
      } else {
        try JournalSource.check("sd_journal_seek_head", sd_journal_seek_head(journal))
      }
    } else {
      try JournalSource.check("sd_journal_seek_head", sd_journal_seek_head(journal))
    }
  }

  deinit { sd_journal_close(journal) }

  /// Becomes readable when something may have come.
  package var descriptor: Int32 { sd_journal_get_fd(journal) }

  /// After the descriptor became readable, or now and then.
  package func process() throws(JournalError) {
    try JournalSource.check("sd_journal_process", sd_journal_process(journal))
  }

  /// Stands on the entry of the cursor, or before the first that came after it.
  private func goOn(_ cursor: String) throws(JournalError) {
    try JournalSource.check("sd_journal_seek_cursor", sd_journal_seek_cursor(journal, cursor))
    let isThere = try JournalSource.check("sd_journal_next", sd_journal_next(journal)) > 0
    if isThere, try JournalSource.check("sd_journal_test_cursor", sd_journal_test_cursor(journal, cursor)) > 0 {
      return
    }
    // The entry is gone. Only where the journal begins later were others lost with it.
    var oldest: UInt64 = 0
    var newest: UInt64 = 0
    if sd_journal_get_cutoff_realtime_usec(journal, &oldest, &newest) > 0, let time = JournalSource.time(of: cursor),
      oldest > time
    {
      gap = Timestamp(microseconds: Int64(clamping: oldest))
    }
    guard isThere else {
      // Nothing came after it: what comes next does.
      try JournalSource.check("sd_journal_seek_tail", sd_journal_seek_tail(journal))
      if try JournalSource.check("sd_journal_previous", sd_journal_previous(journal)) == 0 {
        try JournalSource.check("sd_journal_seek_head", sd_journal_seek_head(journal))
      }
      return
    }
    isOnUnread = true
  }
  private var isOnUnread = false

  /// The next entry, nil when there is none yet.
  package func next() throws(JournalError) -> Entry? {
    if isOnUnread {
      isOnUnread = false
    } else if try JournalSource.check("sd_journal_next", sd_journal_next(journal)) == 0 {
      return nil
    }
    var entry = Entry()
    cursor = try text(of: sd_journal_get_cursor)
    entry.identifier = field(JournalField.identifier)
    entry.isOwn =
      entry.identifier == JournalSource.ourIdentifier || field("_SYSTEMD_UNIT") == JournalSource.ourUnit
      || !field(JournalField.incident).isEmpty
    if entry.isOwn { return entry }
    var time: UInt64 = 0
    if sd_journal_get_realtime_usec(journal, &time) >= 0 {
      entry.received = Timestamp(microseconds: Int64(clamping: time))
    }
    entry.message = field("MESSAGE")
    entry.host = field("_HOSTNAME")
    return entry
  }
  private static let ourIdentifier = Array(JournalField.ourIdentifier.utf8)
  private static let ourUnit = Array("handshaked.service".utf8)

  /// The value of a field of the present entry; empty also for a damaged entry.
  private func field(_ name: String) -> [UInt8] {
    var data: UnsafeRawPointer?
    var count = 0
    guard sd_journal_get_data(journal, name, &data, &count) >= 0, let data else { return [] }
    return Array(UnsafeRawBufferPointer(start: data, count: count).dropFirst(name.utf8.count + 1))
  }

  private func text(
    of call: (OpaquePointer, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32
  ) throws(JournalError) -> String? {
    var text: UnsafeMutablePointer<CChar>?
    try JournalSource.check("sd_journal_get_cursor", call(journal, &text))
    defer { free(text) }
    return text.map { String(cString: $0) }
  }

  /// When the entry of a cursor was received, in microseconds: `s=…;i=…;b=…;m=…;t=5e1f…;x=…`.
  static func time(of cursor: String) -> UInt64? {
    cursor.split(separator: ";").first { $0.hasPrefix("t=") }.flatMap { UInt64($0.dropFirst(2), radix: 16) }
  }

  @discardableResult private static func check(_ call: String, _ result: Int32) throws(JournalError) -> Int32 {
    guard result >= 0 else { throw JournalError(call: call, errno: -result) }
    return result
  }
}
