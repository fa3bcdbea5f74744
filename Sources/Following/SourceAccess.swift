import Glibc
import Ingest
import Records

/// What this process may not open of a source, and what an administrator does about it.
package struct SourceAccess: Sendable {
  package struct Obstacle: Sendable, Hashable {
    package var path: String
    /// What is refused: `EACCES` of the call.
    package var text: String
  }

  package private(set) var obstacles: [Obstacle] = []
  package private(set) var fileCount = 0
  package private(set) var folderCount = 0
  /// The folder where the pattern begins is not there.
  package private(set) var isMissing = false
  /// Commands that let `user` in, for root.
  package private(set) var commands: [String] = []

  private let user: String
  /// So many are told; the commands mend all.
  private static let obstacleLimit = 20
  private static let entryLimit = 1_000_000

  /// Looks at everything that a pattern names, as the user that this process is.
  package init(_ pattern: SourcePattern, user: String) {
    self.user = user
    let base = String(decoding: pattern.base, as: UTF8.self)
    var above: [String] = []
    var path = ""
    for part in base.split(separator: "/").dropLast() {
      path += "/" + part
      above.append(path)
    }
    for folder in above where !mayPass(folder) { return }
    var info = stat()
    guard stat(base, &info) == 0 else {
      isMissing = errno == ENOENT
      if !isMissing { refuse(base, "stat") }
      return
    }
    let before = obstacles.count
    walk(pattern.base, pattern, depth: 0)
    guard obstacles.count > before else { return }
    let quoted = SourceAccess.quoted(base)
    // Also for what is created in it later: every rotation makes new files.
    commands.append("setfacl -R -m u:\(user):rX \(quoted)")
    commands.append("setfacl -R -d -m u:\(user):rX \(quoted)")
  }

  /// Looks at single files, such as the configuration.
  package init(files: [String], user: String) {
    self.user = user
    for file in files {
      fileCount += 1
      if access(file, R_OK) != 0 {
        refuse(file, "access")
        commands.append("setfacl -m u:\(user):r \(SourceAccess.quoted(file))")
      }
    }
  }

  /// Whether what lies below may be reached; a folder that is not there stops nobody.
  private mutating func mayPass(_ folder: String) -> Bool {
    if access(folder, X_OK) == 0 { return true }
    if errno == ENOENT {
      isMissing = true
      return false
    }
    refuse(folder, "access")
    commands.append("setfacl -m u:\(user):x \(SourceAccess.quoted(folder))")
    return false
  }

  private mutating func walk(_ folder: [UInt8], _ pattern: SourcePattern, depth: Int) {
    guard depth < 64, fileCount + folderCount < SourceAccess.entryLimit, pattern.mayHold(folder) else { return }
    folderCount += 1
    guard let stream = withCPath(folder, { opendir($0) }) else { return refuse(folder, "opendir") }
    defer { closedir(stream) }
    guard withCPath(folder, { access($0, X_OK) }) == 0 else { return refuse(folder, "access") }
    while let entry = readdir(stream) {
      let name = entryName(entry)
      if name == [0x2E] || name == [0x2E, 0x2E] { continue }
      let path = (folder == [0x2F] ? [] : folder) + [0x2F] + name
      var info = stat()
      guard withCPath(path, { stat($0, &info) }) == 0 else { continue }
      if info.st_mode & S_IFMT == S_IFDIR {
        walk(path, pattern, depth: depth + 1)
      } else if info.st_mode & S_IFMT == S_IFREG, pattern.match(path) != .no {
        fileCount += 1
        if withCPath(path, { access($0, R_OK) }) != 0 { refuse(path, "open") }
      }
    }
  }

  private mutating func refuse(_ path: [UInt8], _ call: String) {
    let code = errno
    let text = String(decoding: path, as: UTF8.self)
    errno = code
    refuse(text, call)
  }

  private mutating func refuse(_ path: String, _ call: String) {
    let reason = String(cString: strerror(errno))
    guard obstacles.count < SourceAccess.obstacleLimit else {
      if obstacles.count == SourceAccess.obstacleLimit { obstacles.append(Obstacle(path: "…", text: "and more")) }
      return
    }
    obstacles.append(Obstacle(path: path, text: "\(call): \(reason)"))
  }

  /// For a shell.
  private static func quoted(_ path: String) -> String {
    let isPlain = path.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
        || [0x2F, 0x2E, 0x2D, 0x5F].contains($0)
    }
    return isPlain ? path : "'" + path.replacing("'", with: "'\\''") + "'"
  }
}
