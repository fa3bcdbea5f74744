import GRDB
import Records
import Synchronization

/// The one file in which offsets, evidence, incidents and messages to be sent become true together.
///
/// SQLite in WAL mode with synchronous=NORMAL: a killed process loses nothing that `commit` returned from; a loss of
/// power may lose the last commits, each of them whole. One connection, one writer: a lock beside the file keeps a
/// second service away, other programs may read. All calls may come from any thread and run one after the other.
package final class StateStore: Sendable {
  package let path: String
  private let queue: DatabaseQueue
  private let lock: FileLock?
  private let names = Mutex(NameCache())

  init(path: String, queue: DatabaseQueue, lock: FileLock?) {
    self.path = path
    self.queue = queue
    self.lock = lock
  }

  /// Writes the whole change in one transaction, or nothing of it.
  ///
  /// - Throws: where `isTemporary` holds, the same change may be committed again, by this same store.
  package func commit(_ change: StoreChange) throws(StoreError) {
    do { try write(change) } catch let full {
      guard full.kind == .full else { throw full }
      // The log may hold many versions of one page: moved into the database and emptied, it makes room for itself.
      do { try checkpoint() } catch { throw error.kind == .locked ? full : error }
      try write(change)
    }
  }

  private func write(_ change: StoreChange) throws(StoreError) {
    try perform("commit") { database in
      try names.withLock { names in
        // Taken out, not copied; after a rollback the numbers that the transaction gave out are void.
        var writing = ChangeWriting(database: database, time: change.time, names: names)
        names = NameCache()
        try database.inTransaction(.immediate) {
          try writing.write(change)
          return .commit
        }
        names = writing.names
      }
    }
  }

  /// Checkpoints, incidents, outbox, acknowledgements and maintenance windows: one consistent reading.
  package func load() throws(StoreError) -> StoredState {
    try perform("load") { database in
      var state = StoredState()
      try database.inTransaction(.deferred) {
        state = try StoredState(database)
        return .commit
      }
      return state
    }
  }

  /// Moves the write-ahead log into the database and empties it; SQLite does the first by itself, but in silence.
  ///
  /// - Throws: `locked` while another program reads; nothing is lost then.
  package func checkpoint() throws(StoreError) {
    try perform("move the log") { database in _ = try database.checkpoint(.truncate) }
  }

  /// Closes the file; every later call fails. The last connection to close also empties the log.
  package func close() throws(StoreError) {
    do { try queue.close() } catch { throw StoreError(error, operation("close"), path: path) }
    lock?.release()
  }

  /// Runs `body` alone on the connection, outside of a transaction.
  func perform<Result>(_ verb: String, _ body: (Database) throws -> Result) throws(StoreError) -> Result {
    do {
      return try queue.inDatabase { database in
        if database.isInsideTransaction { try database.rollback() }
        return try body(database)
      }
    } catch { throw StoreError(error, operation(verb), path: path) }
  }

  /// After names were removed from the table, in the same turn on the connection.
  func forgetNames() { names.withLock { $0 = NameCache() } }

  private func operation(_ verb: String) -> String { "store \(path): \(verb)" }
}

/// Numbers of names, as far as they were used of late, each with the last day that the table has it noted for.
struct NameCache {
  private var entries: [String: (number: Int64, day: Int)] = NameCache.empty

  /// The number of a name that is noted for the day or a later one.
  subscript(_ name: String, day: Int) -> Int64? {
    guard let entry = entries[name], entry.day >= day else { return nil }
    return entry.number
  }

  mutating func remember(_ name: String, as number: Int64, until day: Int) {
    if entries.count >= StoreLimits.nameCacheCount { entries = NameCache.empty }
    entries[name] = (number, day)
  }

  private static let empty = ["": (number: Int64(0), day: Int.max)]
}
