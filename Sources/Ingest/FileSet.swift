import Glibc
import Records

/// What a list of PATH arguments names: the streams in the order they are read, and all that is left out.
///
/// A folder is walked with all its folders; symbolic links are followed, a folder is entered once. Order: by the
/// bytes of the path, except that rotated siblings of one log in one folder follow their age (`RotationKey`).
/// A file that is reached twice (argument and folder, link and target) is read once; hard links are files of their
/// own, because they are how deduplicated copies of different hosts look.
package struct FileSet: Sendable {
  package struct Note: Sendable, Hashable {
    package enum Reason: Sendable, Hashable {
      /// A socket, pipe or device inside a folder.
      case notRegular(String)
      case sameFile(as: String)
      /// A link to a folder that is read already, or to one above it.
      case folderAgain
    }
    package var path: String
    package var reason: Reason

    package init(path: String, reason: Reason) {
      self.path = path
      self.reason = reason
    }

    package var description: String {
      switch reason {
      case .notRegular(let kind): "\(ShellText.printable(path)): left out, a \(kind)"
      case .sameFile(let other):
        "\(ShellText.printable(path)): left out, the same file as \(ShellText.printable(other))"
      case .folderAgain: "\(ShellText.printable(path)): left out, a link to a folder that is read already"
      }
    }
  }

  package private(set) var sources: [SourceFile] = []
  /// Files and folders that cannot be read: refused by the system, or of a kind that is not read.
  package private(set) var refused: [IngestError] = []
  package private(set) var notes: [Note] = []
  /// The sum of the known sizes.
  package var byteCount: UInt64 { sources.reduce(0) { $0 + ($1.byteCount ?? 0) } }

  package init(paths: [String]) {
    var walk = FolderWalk()
    for path in paths { walk.add(argument: path) }
    place(walk.found)
    // A folder named twice is no reason to say everything twice.
    var saidPaths: Set<String> = []
    refused = walk.refused.filter { saidPaths.insert($0.openPath).inserted }
    var saidNotes: Set<Note> = []
    notes = (walk.notes + notes).filter { saidNotes.insert($0).inserted }
  }

  /// Orders what was found and drops what is there twice: a link gives way to its target, a path that names no host
  /// to one that does.
  private mutating func place(_ found: [FolderWalk.Found]) {
    let sorted = found.map { (key: RotationKey(path: $0.shown, folder: $0.folder), found: $0) }
      .sorted { $0.key < $1.key }
    var chosen: [FileIdentity: Int] = [:]
    for (index, entry) in sorted.enumerated() {
      guard let identity = entry.found.identity else { continue }
      guard let other = chosen[identity] else {
        chosen[identity] = index
        continue
      }
      let (old, new) = (sorted[other].found, entry.found)
      let isBetter =
        old.linkCount != new.linkCount
        ? old.linkCount > new.linkCount : old.hostRank < new.hostRank
      if isBetter { chosen[identity] = index }
    }
    for (index, entry) in sorted.enumerated() {
      if let identity = entry.found.identity, let kept = chosen[identity], kept != index {
        notes.append(Note(path: entry.found.source.path, reason: .sameFile(as: sorted[kept].found.source.path)))
      } else {
        sources.append(entry.found.source)
      }
    }
  }
}

/// Device and inode: which file it is, whatever its name.
struct FileIdentity: Hashable {
  var device: UInt64
  var inode: UInt64

  init(_ info: stat) {
    device = UInt64(info.st_dev)
    inode = UInt64(info.st_ino)
  }
}

/// The walk through arguments and folders; it collects and does not judge the order.
struct FolderWalk {
  struct Found {
    var source: SourceFile
    /// The bytes of the shown path, for the order.
    var shown: [UInt8]
    /// Where it really lies: files of one name below two arguments are no siblings.
    var folder: [UInt8]
    /// Symbolic links on the way.
    var linkCount: Int
    /// Nil when two names for it are two files: hard links.
    var identity: FileIdentity?
    /// The argument's own name told the host.
    var isHostOfArgument = false

    /// What the shown path tells counts more than what the argument does.
    var hostRank: Int { source.host == nil ? 0 : isHostOfArgument ? 1 : 2 }
  }

  private struct Folder {
    var path: [UInt8]
    /// What its files are shown below: empty for the argument itself.
    var shown: [UInt8]
    var linkCount: Int
  }

  private(set) var found: [Found] = []
  private(set) var refused: [IngestError] = []
  private(set) var notes: [FileSet.Note] = []

  mutating func add(argument path: String) {
    if path == "-" { return addStandardInput() }
    let bytes = Array(path.utf8)
    var info = stat()
    guard unsafe withCPath(bytes, { unsafe stat($0, &info) }) == 0 else {
      return refuse(bytes, shown: bytes, call: "stat", errno: errno)
    }
    switch info.st_mode & S_IFMT {
    case S_IFDIR:
      let first = found.count
      walk(from: bytes)
      nameHost(ofArgument: bytes, from: first)
    case S_IFREG:
      var link = stat()
      let isLink = unsafe withCPath(bytes, { unsafe lstat($0, &link) }) == 0 && link.st_mode & S_IFMT == S_IFLNK
      addFile(bytes, shown: bytes, info: info, linkCount: isLink ? 1 : 0)
    case S_IFIFO, S_IFCHR:
      // Named by a person: `replay <(zcat x.gz)` is a pipe.
      let source = SourceFile(input: .file(bytes), path: path, host: nil, isStream: true)
      found.append(Found(source: source, shown: bytes, folder: [], linkCount: 0, identity: nil))
    default:
      notes.append(FileSet.Note(path: path, reason: .notRegular(kindName(info.st_mode))))
    }
  }

  /// The folder that was named is itself that of a host when nothing below it names another: `replay logs/W7-0117` tells
  /// the same host as `replay logs`. Beside folders of hosts, what lies in it directly stays without one.
  private mutating func nameHost(ofArgument path: [UInt8], from first: Int) {
    guard found[first...].allSatisfy({ $0.source.host == nil }),
      let host = HostFolder.host(ofFolder: String(decoding: named(path), as: UTF8.self))
    else { return }
    for index in first..<found.count {
      found[index].source.host = host
      found[index].isHostOfArgument = true
    }
  }

  /// The path with a name at its end: `.` and `..` are looked up.
  private func named(_ path: [UInt8]) -> [UInt8] {
    let last = path.split(separator: 0x2F).last.map { Array($0) } ?? []
    guard last == [0x2E] || last == [0x2E, 0x2E],
      let real = unsafe withCPath(path, { unsafe realpath($0, nil) })
    else { return path }
    defer { unsafe free(real) }
    return unsafe Array(UnsafeRawBufferPointer(start: real, count: strlen(real)))
  }

  private mutating func addStandardInput() {
    if found.contains(where: { $0.source.input == .standardInput }) {
      notes.append(FileSet.Note(path: "-", reason: .sameFile(as: "-")))
      return
    }
    var source = SourceFile(input: .standardInput, path: "-", host: nil, isStream: true)
    var info = stat()
    if unsafe fstat(STDIN_FILENO, &info) == 0, info.st_mode & S_IFMT == S_IFREG {
      let done = max(0, lseek(STDIN_FILENO, 0, SEEK_CUR))
      source.byteCount = UInt64(max(0, info.st_size - done))
      source.modified = Timestamp(info.st_mtim)
    }
    found.append(Found(source: source, shown: Array("-".utf8), folder: [], linkCount: 0, identity: nil))
  }

  /// Real folders first, so that links to them are the ones that are left out.
  private mutating func walk(from root: [UInt8]) {
    var pending = [Folder(path: root, shown: [], linkCount: 0)]
    var links: [Folder] = []
    var entered: Set<FileIdentity> = []
    while let folder = pending.popLast() ?? links.popLast() {
      enter(folder, entered: &entered, pending: &pending, links: &links)
    }
  }

  private mutating func enter(
    _ folder: Folder, entered: inout Set<FileIdentity>, pending: inout [Folder], links: inout [Folder]
  ) {
    guard let stream = unsafe withCPath(folder.path, { unsafe opendir($0) }) else {
      return refuse(folder.path, shown: folder.shown, call: "opendir", errno: errno, isFolder: true)
    }
    defer { unsafe closedir(stream) }
    let descriptor = unsafe dirfd(stream)
    var own = stat()
    guard unsafe fstat(descriptor, &own) == 0, entered.insert(FileIdentity(own)).inserted else {
      notes.append(FileSet.Note(path: String(decoding: folder.shown, as: UTF8.self), reason: .folderAgain))
      return
    }
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        if errno != 0 { refuse(folder.path, shown: folder.shown, call: "readdir", errno: errno, isFolder: true) }
        return
      }
      let name = unsafe entryName(entry)
      if name == [0x2E] || name == [0x2E, 0x2E] { continue }
      let path = folder.path.last == 0x2F ? folder.path + name : folder.path + [0x2F] + name
      let shown = folder.shown.isEmpty ? name : folder.shown + [0x2F] + name
      var info = stat()
      var isLink = false
      var status = unsafe withCPath(name) { unsafe fstatat(descriptor, $0, &info, AT_SYMLINK_NOFOLLOW) }
      if status == 0, info.st_mode & S_IFMT == S_IFLNK {
        isLink = true
        status = unsafe withCPath(name) { unsafe fstatat(descriptor, $0, &info, 0) }
      }
      guard status == 0 else {
        refuse(path, shown: shown, call: "stat", errno: errno)
        continue
      }
      switch info.st_mode & S_IFMT {
      case S_IFREG:
        guard found.count < Limits.fileLimit else {
          if refused.last?.problem != .tooManyFiles { refuse(root: path, shown: shown, .tooManyFiles) }
          pending.removeAll()
          links.removeAll()
          return
        }
        addFile(path, shown: shown, info: info, linkCount: folder.linkCount + (isLink ? 1 : 0))
      case S_IFDIR:
        let inner = Folder(path: path, shown: shown, linkCount: folder.linkCount + (isLink ? 1 : 0))
        if inner.linkCount > 0 { links.append(inner) } else { pending.append(inner) }
      default:
        let text = String(decoding: shown, as: UTF8.self)
        notes.append(FileSet.Note(path: text, reason: .notRegular(kindName(info.st_mode))))
      }
    }
  }

  /// Opens the file once to see that it can be read and is no container.
  private mutating func addFile(_ path: [UInt8], shown: [UInt8], info: stat, linkCount: Int) {
    let text = String(decoding: shown, as: UTF8.self)
    let size = UInt64(max(0, info.st_size))
    // O_NONBLOCK: should a pipe have taken the file's place by now, nothing waits.
    let descriptor = unsafe withCPath(path) { unsafe open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }
    guard descriptor >= 0 else { return refuse(path, shown: shown, call: "open", errno: errno, byteCount: size) }
    defer { close(descriptor) }
    var head = [UInt8](repeating: 0, count: FileKind.magicByteCount)
    let count = unsafe head.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
    guard count >= 0 else { return refuse(path, shown: shown, call: "read", errno: errno, byteCount: size) }
    if let kind = FileKind.recognise(head.span.extracting(0..<count)) {
      return refuse(root: path, shown: shown, .unsupported(kind), byteCount: size)
    }
    let source = SourceFile(
      input: .file(path), path: text, host: HostFolder.host(ofPath: text), byteCount: size,
      modified: Timestamp(info.st_mtim))
    let identity = info.st_nlink == 1 ? FileIdentity(info) : nil
    let folder = path.lastIndex(of: 0x2F).map { Array(path[..<$0]) } ?? []
    found.append(Found(source: source, shown: shown, folder: folder, linkCount: linkCount, identity: identity))
  }

  private mutating func refuse(
    _ path: [UInt8], shown: [UInt8], call: String, errno code: Int32, byteCount: UInt64 = 0, isFolder: Bool = false
  ) {
    let openPath = String(decoding: path, as: UTF8.self)
    refused.append(
      .system(
        path: shown.isEmpty ? openPath : String(decoding: shown, as: UTF8.self), openPath: openPath, call: call,
        errno: code, byteCount: byteCount, isFolder: isFolder))
  }

  private mutating func refuse(
    root path: [UInt8], shown: [UInt8], _ problem: IngestError.Problem, byteCount: UInt64 = 0
  ) {
    refused.append(
      IngestError(
        path: String(decoding: shown, as: UTF8.self), openPath: String(decoding: path, as: UTF8.self),
        problem: problem, byteCount: byteCount))
  }

  private func kindName(_ mode: mode_t) -> String {
    switch mode & S_IFMT {
    case S_IFIFO: "pipe"
    case S_IFSOCK: "socket"
    case S_IFCHR, S_IFBLK: "device"
    default: "special file"
    }
  }
}

/// Calls `body` with the bytes as a C string; they hold no NUL.
package func withCPath<Result>(_ path: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
  var terminated = path.map { CChar(bitPattern: $0) }
  terminated.append(0)
  return unsafe terminated.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
}

/// The name in a directory entry, `d_name`: read in place, for the record may be shorter than its C type.
package func entryName(_ entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
  let offset = MemoryLayout<dirent>.offset(of: \.d_name)!
  let name = unsafe UnsafeRawPointer(entry) + offset
  let count = unsafe strlen(name.assumingMemoryBound(to: CChar.self))
  return unsafe Array(UnsafeRawBufferPointer(start: name, count: count))
}
