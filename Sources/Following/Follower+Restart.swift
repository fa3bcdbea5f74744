import Glibc
import Records

/// Descriptors that outlive the process. A file that has lost its name exists as long as somebody holds it; what was written to
/// it and not read yet can be had in no other way.
extension Follower {
  /// Descriptors of files without a name that are not read to their end: nobody can open them again.
  func keep(_ id: Int) {
    guard let keeper, let entry = files[id], entry.isGone, entry.descriptor >= 0, entry.keptName == nil else { return }
    nextKept += 1
    let name = FileKeeper.name(nextKept)
    if keeper.keep([entry.descriptor], name) { entry.keptName = name }
  }

  /// From now on the descriptors of files that lose their name are kept, those that have lost it already too.
  package func keepGone() {
    keepsGone = true
    for (id, entry) in files where entry.isGone && entry.descriptor >= 0 { keep(id) }
  }

  /// The end of this process: files may be renamed and deleted before the next one looks at them. Those without a name
  /// and rotated ones come first, then those that were read last.
  package func keepOpen(limit: Int) {
    guard let keeper else { return }
    let open = files.values.filter { $0.descriptor >= 0 && $0.keptName == nil }
      .sorted {
        ($0.isGone || $0.checkpoint.isRotated ? 0 : 1, $1.usedAt) < (
          $1.isGone || $1.checkpoint.isRotated ? 0 : 1, $0.usedAt
        )
      }
    var rest = open.prefix(limit).map(\.descriptor)[...]
    while !rest.isEmpty {
      // One message holds 253 at most: unix(7).
      guard keeper.keep(Array(rest.prefix(200)), FileKeeper.allName) else { return }
      rest = rest.dropFirst(200)
    }
  }

  /// Descriptors that an earlier process had kept. One is used where a known file has its device and inode, and its
  /// content so far; all others are closed, and given up.
  package func takeOver(_ kept: [(name: String, descriptor: Int32)], now: Timestamp) {
    self.now = now
    for (name, descriptor) in kept {
      if let number = FileKeeper.number(name) { nextKept = max(nextKept, number) }
      var info = stat()
      if fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG, let id = byIdentity[Identity(info)],
        let entry = files[id], entry.descriptor < 0, Follower.isContent(of: entry.checkpoint, descriptor)
      {
        entry.descriptor = descriptor
        openCount += 1
        use(id, entry)
        entry.keptName = name == FileKeeper.allName ? nil : name
        entry.size = UInt64(max(0, info.st_size))
        entry.modified = Timestamp(info.st_mtim)
        entry.quietSince = now
        if entry.size > entry.checkpoint.offset { mark(id) }
      } else {
        Glibc.close(descriptor)
        if name != FileKeeper.allName { keeper?.release(name) }
      }
    }
  }

  /// For another follower of the same files: copies of descriptors that cannot be opened again, with their names.
  package func descriptorsOfGone() -> [(name: String, descriptor: Int32)] {
    files.values.filter { $0.isGone && $0.descriptor >= 0 }.map {
      ($0.keptName ?? FileKeeper.allName, fcntl($0.descriptor, F_DUPFD_CLOEXEC, 0))
    }
  }
}

/// Who keeps the descriptors of files over a restart: sd_pid_notify_with_fds(3). The names tell what they are.
package struct FileKeeper: Sendable {
  /// Whether they were taken.
  package var keep: @Sendable ([Int32], String) -> Bool
  package var release: @Sendable (String) -> Void

  package init(keep: @escaping @Sendable ([Int32], String) -> Bool, release: @escaping @Sendable (String) -> Void) {
    self.keep = keep
    self.release = release
  }

  /// Of those that were open at the end of a process.
  package static let allName = "@files"
  static func name(_ number: UInt64) -> String { "@file-\(number)" }
  static func number(_ name: String) -> UInt64? { name.hasPrefix("@file-") ? UInt64(name.dropFirst(6)) : nil }
  package static func isName(_ name: String) -> Bool { name == allName || number(name) != nil }
}
