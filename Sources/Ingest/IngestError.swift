import Glibc
import Records

/// Why a file or folder could not be read: what, where, and how to fix it.
package struct IngestError: Error, Sendable, Equatable {
  package enum Problem: Sendable, Equatable {
    /// A system call failed: `open`, `read`, `opendir`, `readdir`, `stat`.
    case system(call: String, errno: Int32)
    /// Recognised, and not read by this version.
    case unsupported(FileKind)
    /// More files than `Limits.fileLimit`; the rest of the walk was left out.
    case tooManyFiles
  }

  /// As shown in results.
  package var path: String
  /// As the system knows it.
  package var openPath: String
  package var problem: Problem
  /// The size of what is left out, 0 when it is not known.
  package var byteCount: UInt64
  package var isFolder: Bool
  /// The user the system refused, and the outermost folder on the way that may not be entered, for EACCES.
  package var user: String?
  package var obstacle: String?

  package init(
    path: String, openPath: String, problem: Problem, byteCount: UInt64 = 0, isFolder: Bool = false,
    user: String? = nil, obstacle: String? = nil
  ) {
    self.path = path
    self.openPath = openPath
    self.problem = problem
    self.byteCount = byteCount
    self.isFolder = isFolder
    self.user = user
    self.obstacle = obstacle
  }

  /// From a failed call; when it was refused, finds out for whom and where.
  package static func system(
    path: String, openPath: String, call: String, errno code: Int32, byteCount: UInt64 = 0, isFolder: Bool = false
  ) -> IngestError {
    var error = IngestError(
      path: path, openPath: openPath, problem: .system(call: call, errno: code), byteCount: byteCount,
      isFolder: isFolder)
    if code == EACCES || code == EPERM {
      error.user = effectiveUserName()
      error.obstacle = closedFolder(above: openPath)
    }
    return error
  }

  package var call: String? {
    if case .system(let call, _) = problem { call } else { nil }
  }

  package var errno: Int32? {
    if case .system(_, let code) = problem { code } else { nil }
  }

  /// What it counts as.
  package var skipReason: SkipReason {
    if case .unsupported = problem { .unsupportedFormat } else { .unreadable }
  }

  /// What happened, in one line: `cannot open /var/log/x.log: Permission denied (user handshaked)`.
  package var what: String {
    let place = ShellText.printable(openPath)
    switch problem {
    case .system(let call, let code):
      let verb =
        switch call {
        case "open", "opendir": "open"
        case "stat": "find"
        default: "read"
        }
      let who = user.map { " (user \($0))" } ?? ""
      return "cannot \(verb) \(place): \(IngestError.text(ofErrno: code))\(who)"
    case .unsupported(let kind):
      return "\(place) is \(kind.title), which this version does not read"
    case .tooManyFiles:
      return "\(place): more than \(Limits.fileLimit) files; the rest is left out"
    }
  }

  /// What to do about it, or nil.
  package var fix: String? {
    let quoted = ShellText.quoted(openPath)
    switch problem {
    case .unsupported(let kind):
      return openPath == SourceFile.standardInputName
        ? "put what unpacks it before the pipe, or name the file" : kind.remedy(path: quoted)
    case .tooManyFiles: return "replay the folders below it one by one"
    case .system(_, let code):
      switch code {
      case EACCES, EPERM:
        let name = user ?? "USER"
        if let obstacle { return "setfacl -m u:\(name):x \(ShellText.quoted(obstacle))" }
        return "setfacl -m u:\(name):\(isFolder ? "rx" : "r") \(quoted)"
      case ENOENT, ENOTDIR: return "check the spelling: ls -d \(quoted)"
      case EISDIR: return "name the folder itself, without -: handshaked replay \(quoted)"
      case EIO: return "the disk or the share reports damage; see dmesg, copy the file elsewhere and replay the copy"
      case ESTALE, ENOTCONN, ETIMEDOUT, EHOSTDOWN: return "the share went away; mount it again"
      case EMFILE, ENFILE: return "raise the limit of open files: ulimit -n 4096, or LimitNOFILE= in the unit"
      case ELOOP: return "a symbolic link points at itself; remove it: ls -l \(quoted)"
      case ENAMETOOLONG: return "replay a folder nearer to the file"
      default: return nil
      }
    }
  }

  /// The C library's words for an error number. glibc returns constant text, or text that belongs to the thread.
  static func text(ofErrno code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }

  /// The name of the effective user, or its number when it has none.
  static func effectiveUserName() -> String {
    let id = geteuid()
    var record = unsafe passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 4096)
    let name = unsafe buffer.withUnsafeMutableBufferPointer { raw -> String? in
      guard unsafe getpwuid_r(id, &record, raw.baseAddress!, raw.count, &found) == 0, unsafe found != nil,
        let name = unsafe record.pw_name
      else { return nil }
      return unsafe String(cString: name)
    }
    return name ?? String(id)
  }

  /// The outermost folder on the way to `path` that this user may not enter.
  private static func closedFolder(above path: String) -> String? {
    let bytes = Array(path.utf8)
    for index in bytes.indices where index > 0 && bytes[index] == 0x2F {
      let folder = String(decoding: bytes[..<index], as: UTF8.self)
      if unsafe faccessat(AT_FDCWD, folder, X_OK, AT_EACCESS) != 0, Glibc.errno == EACCES { return folder }
    }
    return nil
  }
}

extension IngestError: CustomStringConvertible {
  package var description: String {
    guard let fix else { return what }
    return "\(what)\n  fix: \(fix)"
  }
}

/// Paths in messages and suggested commands: file names are input too, and may hold anything but `/` and NUL.
enum ShellText {
  /// Control characters shown as `\xNN`, so that a name cannot steer the terminal.
  static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var out = ""
    for scalar in text.unicodeScalars {
      if isControl(scalar) { out += escaped(scalar) } else { out.unicodeScalars.append(scalar) }
    }
    return out
  }

  /// One shell word: bare when it is harmless, else in quotes.
  static func quoted(_ text: String) -> String {
    let isHarmless = text.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || "_@%+=:,./-".utf8.contains($0) }
    if isHarmless && !text.isEmpty { return text }
    if !text.unicodeScalars.contains(where: isControl) {
      return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }
    var out = "$'"
    for scalar in text.unicodeScalars {
      if isControl(scalar) {
        out += escaped(scalar)
      } else {
        if scalar == "'" || scalar == "\\" { out += "\\" }
        out.unicodeScalars.append(scalar)
      }
    }
    return out + "'"
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
  }

  /// The UTF-8 bytes, as both people and `$'…'` read them.
  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    let digits = Array("0123456789abcdef".unicodeScalars)
    var out = ""
    for byte in UTF8.encode(scalar)! {
      out += "\\x"
      out.unicodeScalars.append(digits[Int(byte >> 4)])
      out.unicodeScalars.append(digits[Int(byte & 15)])
    }
    return out
  }
}
