import CSystemd
import Glibc
import Records

/// A failed call of sd-journal(3).
package struct JournalError: Error, Sendable, Equatable, CustomStringConvertible {
  package var call: String
  package var errno: Int32

  package var description: String { "\(call): \(String(cString: strerror(errno)))" }
}

/// Our own entries, read back from the journal's files.
///
/// Only entries of our user and identifier are looked at: fields with our names may come from anyone. The service's
/// user must be allowed to read the system journal (group `systemd-journal`). Used by one thread at a time.
package final class JournalReader {
  package enum Stored: Sendable, Equatable {
    case message(MessageID)
    case barrier(String)
  }

  private let journal: OpaquePointer

  /// Opens the journal at its end: `next` tells what is stored from now on.
  package static func following() throws(JournalError) -> JournalReader {
    let reader = try JournalReader()
    try reader.match(JournalField.identifier, JournalField.ourIdentifier)
    // A descriptor before anything is read, so that no change falls between.
    try check("sd_journal_get_fd", sd_journal_get_fd(reader.journal))
    try check("sd_journal_seek_tail", sd_journal_seek_tail(reader.journal))
    // The end is no place to go on from: stand on the last entry, or before the first that is yet to come.
    if try check("sd_journal_previous", sd_journal_previous(reader.journal)) == 0 {
      try check("sd_journal_seek_head", sd_journal_seek_head(reader.journal))
    }
    return reader
  }

  /// Whether a message is in the journal, however long ago it came there. The files are opened anew: nothing that is
  /// there is missed.
  package static func contains(_ id: MessageID) throws(JournalError) -> Bool {
    let reader = try JournalReader()
    try reader.match(JournalField.incident, id.incident)
    try reader.match(JournalField.sequence, String(id.sequence))
    try check("sd_journal_seek_head", sd_journal_seek_head(reader.journal))
    return try check("sd_journal_next", sd_journal_next(reader.journal)) > 0
  }

  private init() throws(JournalError) {
    var opened: OpaquePointer?
    // A user's own journal counts as well: nobody but a test runs as one.
    try JournalReader.check("sd_journal_open", sd_journal_open(&opened, Int32(SD_JOURNAL_LOCAL_ONLY)))
    journal = opened!
    try match("_UID", String(geteuid()))
  }

  deinit { sd_journal_close(journal) }

  /// Becomes readable when something may have been stored.
  package var descriptor: Int32 { sd_journal_get_fd(journal) }

  /// After the descriptor became readable, or now and then.
  package func process() throws(JournalError) {
    try JournalReader.check("sd_journal_process", sd_journal_process(journal))
  }

  /// The next of our entries, nil when there is none yet. Others of our entries than messages and barriers are passed.
  package func next() throws(JournalError) -> Stored? {
    while try JournalReader.check("sd_journal_next", sd_journal_next(journal)) > 0 {
      if let incident = field(JournalField.incident), let text = field(JournalField.sequence),
        let sequence = UInt64(text)
      {
        return .message(MessageID(incident: incident, sequence: sequence))
      }
      if let token = field(JournalField.barrier) { return .barrier(token) }
    }
    return nil
  }

  private func match(_ name: String, _ value: String) throws(JournalError) {
    let bytes = Array("\(name)=\(value)".utf8)
    try JournalReader.check("sd_journal_add_match", sd_journal_add_match(journal, bytes, bytes.count))
  }

  /// The value of a field of the present entry; nil also for a damaged entry.
  private func field(_ name: String) -> String? {
    var data: UnsafeRawPointer?
    var count = 0
    guard sd_journal_get_data(journal, name, &data, &count) >= 0, let data else { return nil }
    let bytes = UnsafeRawBufferPointer(start: data, count: count).dropFirst(name.utf8.count + 1)
    return String(decoding: bytes, as: UTF8.self)
  }

  @discardableResult private static func check(_ call: String, _ result: Int32) throws(JournalError) -> Int32 {
    guard result >= 0 else { throw JournalError(call: call, errno: -result) }
    return result
  }
}
