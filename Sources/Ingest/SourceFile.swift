import Glibc
import Records

/// One stream to read: where it is, and what its place tells about it.
package struct SourceFile: Sendable, Equatable {
  package enum Input: Sendable, Equatable {
    /// The path's own bytes, without NUL: names need not be UTF-8.
    case file([UInt8])
    case standardInput
  }

  package var input: Input
  /// As given on the command line; relative to the PATH argument when that is a folder; `-` for standard input.
  package var path: String
  package var host: String?
  package var log: String
  /// Nil when the stream has no size: a pipe.
  package var byteCount: UInt64?
  package var modified: Timestamp?
  /// A pipe or terminal that was named on the command line: it may be waited for.
  package var isStream: Bool

  package init(
    input: Input, path: String, host: String?, byteCount: UInt64? = nil, modified: Timestamp? = nil,
    isStream: Bool = false
  ) {
    self.input = input
    self.path = path
    self.host = host
    log = Origin.logName(ofPath: path)
    self.byteCount = byteCount
    self.modified = modified
    self.isStream = isStream
  }

  /// A file by its name, as it would be named on the command line; nothing is looked up.
  package init(path: String) {
    self.init(input: .file(Array(path.utf8)), path: path, host: HostFolder.host(ofPath: path))
  }

  package static let standardInputName = "standard input"

  /// The path for messages.
  package var openPath: String {
    switch input {
    case .file(let bytes): String(decoding: bytes, as: UTF8.self)
    case .standardInput: SourceFile.standardInputName
    }
  }
}

/// The host that a folder layout names: `PC-0042/CCM/Logs/CcmMessaging.log` was written by PC-0042.
package enum HostFolder {
  /// The innermost folder of `path` that is no well-known log folder, date or drive; nil when there is none.
  package static func host(ofPath path: String) -> String? {
    var folders = path.utf8.split(separator: 0x2F).map { String(decoding: $0, as: UTF8.self) }
    guard !folders.isEmpty else { return nil }
    folders.removeLast()
    return folders.last { !isLogFolder($0) }
  }

  /// The host that a folder's own name tells, as `W7-0117` of `logs/W7-0117/`; nil for a well-known log folder.
  package static func host(ofFolder path: String) -> String? {
    let names = path.utf8.split(separator: 0x2F).map { String(decoding: $0, as: UTF8.self) }
    return names.last.flatMap { isLogFolder($0) ? nil : $0 }
  }

  private static func isLogFolder(_ folder: String) -> Bool {
    let name = folder.lowercased()
    if names.contains(name) { return true }
    let bytes = Array(name.utf8)
    // A drive: C, C$, C:.
    if bytes.count <= 2, ASCII.isLetter(bytes[0]), bytes.count == 1 || bytes[1] == 0x24 || bytes[1] == 0x3A {
      return true
    }
    // A site of IIS: W3SVC1.
    if name.hasPrefix("w3svc") || name.hasPrefix("ftpsvc") {
      return bytes.reversed().prefix { ASCII.isDigit($0) }.count >= bytes.count - 6
    }
    // A date, as relays lay them out: 2026/03/02, 2026-03-02. No Windows computer name is digits alone.
    return bytes.allSatisfy { ASCII.isDigit($0) || $0 == 0x2D || $0 == 0x5F }
  }

  /// Folders in which Windows, ConfigMgr, IIS, WSUS and relays keep logs, and the roots above them.
  private static let names: Set<String> = [
    ".", "..", "~", "adminconsole", "adminuilog", "archive", "archived", "ccm", "ccmsetup", "clientlogs", "data",
    "debug", "ftproot", "home", "httperr", "iis", "incoming", "inetpub", "log", "logfiles", "logs", "media",
    "microsoft configuration manager", "mnt", "opt", "panther", "program files", "program files (x86)",
    "programdata", "remote", "reporting services", "root", "sms", "sms_ccm", "smslogs", "smstslog", "srv", "syslog",
    "system32", "temp", "tmp", "tracing", "update services", "users", "var", "windows", "winevt", "wsus",
  ]
}

extension Timestamp {
  package init(_ time: timespec) {
    self.init(microseconds: Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_nsec) / 1000)
  }
}
