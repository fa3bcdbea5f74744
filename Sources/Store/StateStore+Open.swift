import Foundation
import GRDB
import Glibc
import Records

/// What opening met with, for the service's log and its `status`.
package struct OpenNote: Sendable, Equatable {
  package enum Outcome: Sendable, Equatable {
    /// The file was there and whole.
    case opened
    /// There was none.
    case created
    /// What was there is now at this path; a new file was made.
    case setAside(path: String, reason: String)
  }

  package var outcome: Outcome
  /// Schema steps that were applied to an older file.
  package var migrations: [String]

  package init(outcome: Outcome, migrations: [String] = []) {
    self.outcome = outcome
    self.migrations = migrations
  }
}

extension StateStore {
  /// Opens the state for writing; makes it, and brings it to the present schema, where needed.
  ///
  /// A file that is damaged, or is no database of ours, is renamed to `PATH.damaged-TIME` (with its log) and a new one
  /// made: the service runs on and reads its sources again.
  /// - Parameter time: for the name of a file that is set aside.
  /// - Parameter reason: sets a file aside that seems whole; for damage that showed itself only later.
  /// - Throws: `newerVersion`, `locked`, and whatever the system says. None of them touches the file.
  package static func open(
    path: String, at time: Timestamp, settingAside reason: String? = nil
  ) throws(StoreError) -> (store: StateStore, note: OpenNote) {
    let lock = try FileLock(path: path + ".lock", operation: "store \(path): open")
    var found = try Found(path: path)
    if let reason, found != .nothing { found = .unusable(reason) }
    if found == .database {
      do {
        try examine(path: path)
        let (queue, migrations) = try openDatabase(path: path)
        return (
          StateStore(path: path, queue: queue, lock: lock), OpenNote(outcome: .opened, migrations: migrations)
        )
      } catch {
        guard error.kind == .damaged else { throw error }
        found = .unusable(error.reason)
      }
    }
    var outcome = OpenNote.Outcome.created
    if case .unusable(let reason) = found {
      outcome = .setAside(path: try setAside(path: path, at: time), reason: reason)
    }
    let (queue, _) = try openDatabase(path: path)
    return (StateStore(path: path, queue: queue, lock: lock), OpenNote(outcome: outcome))
  }

  /// Opens the state beside a running service, for questions only: every `commit` is refused as read-only.
  package static func openReadOnly(path: String) throws(StoreError) -> StateStore {
    let operation = "store \(path): open"
    switch try Found(path: path) {
    case .database: break
    case .nothing: throw StoreError(.cannotOpen, operation, "there is no such file")
    case .unusable(let reason): throw StoreError(.damaged, operation, reason)
    }
    do {
      let queue = try DatabaseQueue(path: path, configuration: configuration(isReadOnly: true))
      try queue.inDatabase { database in
        try checkOwner(database, operation)
        guard try Schema.migrator.hasCompletedMigrations(database) else {
          throw StoreError(
            .cannotOpen, operation, "an older handshaked wrote it, and only the service brings it up to date")
        }
      }
      return StateStore(path: path, queue: queue, lock: nil)
    } catch { throw StoreError(error, operation, path: path) }
  }

  /// What is at the path, by the first bytes alone.
  private enum Found: Equatable {
    case nothing, database
    case unusable(String)

    init(path: String) throws(StoreError) {
      let operation = "store \(path): open"
      var about = stat()
      guard stat(path, &about) == 0 else {
        guard errno == ENOENT else { throw StoreError(errno: errno, operation) }
        self = .nothing
        return
      }
      guard about.st_mode & S_IFMT == S_IFREG else {
        throw StoreError(.cannotOpen, operation, "this is not a regular file")
      }
      guard about.st_size > 0 else {
        self = .nothing
        return
      }
      // Read and closed before SQLite opens the file: closing any descriptor of it drops all of a process's locks.
      let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw StoreError(errno: errno, operation) }
      defer { Glibc.close(descriptor) }
      var head = [UInt8](repeating: 0, count: 16)
      let count = pread(descriptor, &head, head.count, 0)
      guard count >= 0 else { throw StoreError(errno: errno, operation) }
      self = head == Array("SQLite format 3\0".utf8) ? .database : .unusable("it is not an SQLite database")
    }
  }

  /// Looks without a change at whose database it is: another program's is not to be touched.
  private static func examine(path: String) throws(StoreError) {
    let operation = "store \(path): open"
    do {
      let queue = try DatabaseQueue(path: path, configuration: configuration(isReadOnly: true))
      defer { try? queue.close() }
      try queue.inDatabase { database in
        try checkOwner(database, operation)
        try checkPages(database, operation)
      }
    } catch { throw StoreError(error, operation, path: path) }
  }

  /// Opens or makes the file, and applies the steps of the schema that are missing; those of a new file are no news.
  private static func openDatabase(path: String) throws(StoreError) -> (DatabaseQueue, migrations: [String]) {
    let operation = "store \(path): open"
    var opened: DatabaseQueue?
    do {
      let queue = try DatabaseQueue(path: path, configuration: configuration(isReadOnly: false))
      opened = queue
      let applied = try queue.inDatabase { try Schema.migrator.completedMigrations($0) }
      try Schema.migrator.migrate(queue)
      return (queue, applied.isEmpty ? [] : Schema.migrator.migrations.filter { !applied.contains($0) })
    } catch {
      // Before the file is renamed, or it would be used under its old name.
      try? opened?.close()
      throw StoreError(error, operation, path: path)
    }
  }

  /// Refuses a newer file, and finds one that is not ours damaged.
  private static func checkOwner(_ database: Database, _ operation: String) throws {
    let id = try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0
    if id != Schema.applicationID {
      let tables = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
      // A process that was killed between making the file and its first table leaves an empty one.
      if id == 0 && tables == 0 { return }
      throw StoreError(.damaged, operation, "it is the database of another program")
    }
    if try Schema.migrator.hasBeenSuperseded(database) {
      throw StoreError(
        .newerVersion, operation,
        "a newer handshaked wrote it; install that version again, or move the file away to begin anew")
    }
  }

  private static func checkPages(_ database: Database, _ operation: String) throws {
    let size = try Int64.fetchOne(
      database, sql: "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
    guard UInt64(size ?? 0) <= StoreLimits.checkedByteCount else { return }
    let answer = try String.fetchOne(database, sql: "PRAGMA quick_check(1)") ?? "no answer"
    if answer != "ok" {
      let line = answer.split(separator: "\n").last.map(String.init) ?? answer
      throw StoreError(.damaged, operation, line)
    }
  }

  private static func configuration(isReadOnly: Bool) -> Configuration {
    var configuration = Configuration()
    configuration.readonly = isReadOnly
    configuration.label = "store"
    // A rollback that fails leaves its transaction open; it is rolled back at the next call (`perform`) in place of
    // ending the process.
    configuration.allowsUnsafeTransactions = true
    configuration.busyMode = .timeout(Double(StoreLimits.lockWait) / 1000)
    configuration.prepareDatabase { database in
      if !isReadOnly {
        // `auto_vacuum` first: it counts only before anything is written. Pragmas in place of `journalMode`, which
        // writes to the schema at every start.
        try database.execute(
          sql: """
            PRAGMA auto_vacuum = INCREMENTAL;
            PRAGMA synchronous = NORMAL;
            PRAGMA wal_autocheckpoint = \(StoreLimits.walPageCount);
            PRAGMA journal_size_limit = \(StoreLimits.walByteCount);
            """)
        // Some network file systems cannot, and without the log NORMAL would not be safe.
        guard try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL") == "wal" else {
          throw StoreError(
            .cannotOpen, "store: open", "the file system cannot hold a write-ahead log; use a local disk")
        }
      }
      // The file lies in a folder of our own, yet it may be damaged or made by somebody: no code in it is run.
      try database.execute(
        sql: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;")
    }
    return configuration
  }

  /// Renames the database and what belongs to it; returns the new path.
  private static func setAside(path: String, at time: Timestamp) throws(StoreError) -> String {
    let operation = "store \(path): set the damaged file aside"
    let now = time.civil
    let stamp = String(
      format: "%04d%02d%02dT%02d%02d%02dZ", now.year, now.month, now.day, now.hour, now.minute, now.second)
    var target = "\(path).damaged-\(stamp)"
    var number = 1
    while access(target, F_OK) == 0 {
      number += 1
      target = "\(path).damaged-\(stamp)-\(number)"
    }
    // The database last: stopped in between, the next start finds it still damaged. SQLite finds the log of a renamed
    // database by the same suffix, so that `sqlite3 TARGET .recover` sees all there is.
    for suffix in ["-wal", "-shm", ""] where rename(path + suffix, target + suffix) != 0 && errno != ENOENT {
      throw StoreError(errno: errno, operation)
    }
    let folder = Glibc.open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      Glibc.close(folder)
    }
    return target
  }
}

/// Held by the one service that writes; flock(2), so that it ends with the process however that ends.
final class FileLock: Sendable {
  private let descriptor: Int32

  init(path: String, operation: String) throws(StoreError) {
    descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw StoreError(errno: errno, operation) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let number = errno
      Glibc.close(descriptor)
      guard number == EWOULDBLOCK else { throw StoreError(errno: number, operation) }
      throw StoreError(.locked, operation, "another handshaked has it open")
    }
  }

  func release() { flock(descriptor, LOCK_UN) }

  deinit { Glibc.close(descriptor) }
}
