import Foundation
import GRDB
import Glibc

/// Why the store could not do something. What was not committed is unchanged in the file and still in the caller's hands.
package struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    /// No space, or no quota, is left.
    case full
    /// The device or the file system failed.
    case inputOutput = "input-output"
    case readOnly = "read-only"
    /// Another program holds the file.
    case locked
    /// The file's content is damaged: close the store and open it again with `settingAside`.
    case damaged
    /// A newer handshaked wrote the file.
    case newerVersion = "newer-version"
    /// The file or its folder cannot be opened.
    case cannotOpen = "cannot-open"
    /// A fault of ours.
    case unexpected
  }

  package var kind: Kind
  /// What was being done, and to which file.
  package var operation: String
  package var reason: String
  /// SQLite's extended result code, 0 when the error is not SQLite's.
  package var code: Int32 = 0

  /// Whether the same change may be committed again later, by the same store: the cause lies outside of it.
  package var isTemporary: Bool {
    switch kind {
    case .full, .inputOutput, .readOnly, .locked: true
    case .damaged, .newerVersion, .cannotOpen, .unexpected: false
    }
  }

  package var description: String { "\(operation): \(reason)" }

  init(_ kind: Kind, _ operation: String, _ reason: String) {
    self.kind = kind
    self.operation = operation
    self.reason = reason
  }

  /// An error of SQLite, or one of ours that passes through.
  init(_ error: any Error, _ operation: String, path: String) {
    if let error = error as? StoreError {
      self = error
      return
    }
    guard let error = error as? DatabaseError else {
      self.init(.unexpected, operation, "\(error)")
      return
    }
    let kind: Kind
    switch error.resultCode {
    case .SQLITE_FULL: kind = .full
    // Some calls of SQLite tell a full disk as a failed one: growing the shared index of the log, for example.
    case .SQLITE_IOERR: kind = StoreError.hasNoSpace(at: path) ? .full : .inputOutput
    case .SQLITE_READONLY: kind = .readOnly
    case .SQLITE_BUSY, .SQLITE_LOCKED: kind = .locked
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: kind = .damaged
    case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: kind = .cannotOpen
    default: kind = .unexpected
    }
    // The statement is ours and its values may be anybody's: neither belongs in a message.
    self.init(kind, operation, error.message ?? "SQLite error \(error.extendedResultCode.rawValue)")
    code = error.extendedResultCode.rawValue
  }

  /// A failed system call.
  init(errno number: Int32, _ operation: String) {
    let kind: Kind
    switch number {
    case ENOSPC, EDQUOT: kind = .full
    case EROFS: kind = .readOnly
    case EIO: kind = .inputOutput
    default: kind = .cannotOpen
    }
    self.init(kind, operation, String(cString: strerror(number)))
  }

  private static func hasNoSpace(at path: String) -> Bool {
    var answer = statvfs()
    return statvfs((path as NSString).deletingLastPathComponent, &answer) == 0 && answer.f_bavail == 0
  }
}
