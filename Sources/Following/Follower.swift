import CLinux
import Glibc
import Ingest
import Records

/// Follows files through everything that happens to them and says which bytes of which file come next. It reads no
/// records and has no clock: the caller passes the time and gives back how far it came.
///
///     events of folders ─┐
///     a sweep of `stat` ─┴─► examine(path) ─► ready ─► next() ─► Part ─► finished(part, at:)
///
/// What a file is, its content decides: a name may get another file (rotation), a file another name (rename), both may
/// stay while the content is new (copytruncate, a rewrite). Before anything is read, the bytes before the place are held
/// against their fingerprint. In doubt bytes are read again rather than lost, and the doubt is shown.
package final class Follower {
  /// Bytes [offset, end) of a file, to be read now.
  package struct Part {
    package var id: Int
    package var stream: String
    package var path: String
    package var host: String?
    /// Open for reading; it stays the follower's.
    package var descriptor: Int32
    package var offset: UInt64
    package var lineCount: UInt64
    package var encoding: TextEncoding
    package var memory: [UInt8]
    /// Behind a line end; nil: to the end of the file, which has its last bytes.
    package var end: UInt64?
    /// More lines follow at once: a file has its turn, not the whole day.
    package var isLimited = false
  }

  /// What happened that somebody should know.
  package enum Note: Sendable, Hashable {
    case began(path: String)
    case renamed(from: String, to: String)
    /// The content is new; what was not read of the old one can no longer be read.
    case rewritten(path: String)
    case polling(folder: String, kind: String)
    case overflow
    case unwatched(folder: String, errno: Int32)
    case ambiguous(path: String)
  }

  private struct Entry {
    var checkpoint: FileCheckpoint
    var size: UInt64 = 0
    var modified = Timestamp(microseconds: 0)
    var descriptor: Int32 = -1
    /// The name that it had is another file's, or nobody's.
    var isGone = false
    /// Nothing more is written to it: the last line needs no end. Set when it has been quiet since its rotation.
    var isFinal = false
    var quietSince: Timestamp?
    var trouble: FileState.Trouble?
    /// Up to here there is no line end: nothing to read until it grows.
    var tornSize: UInt64 = .max
    var isReady = false
    var usedAt: UInt64 = 0
  }

  private struct Identity: Hashable {
    var device: UInt64
    var inode: UInt64
    init(_ info: stat) {
      device = UInt64(info.st_dev)
      inode = UInt64(info.st_ino)
    }
    init(_ checkpoint: FileCheckpoint) {
      device = checkpoint.device
      inode = checkpoint.inode
    }
  }

  package struct Options: Sendable {
    /// Files whose beginning was never seen are read from there, or from their end.
    package var startsAtEnd = false
    package var openFileLimit = 1024
    /// How long a rotated file must be quiet before its last line counts as whole, in microseconds.
    package var quietMicroseconds: Int64 = 10_000_000
    package var fileLimit = Limits.fileLimit
    /// Bytes of one part; more only where a line is longer.
    package var partByteLimit: UInt64 = 8 * 1024 * 1024
    package init() {}
  }

  package let inotify: Int32
  package private(set) var notes: [Note] = []
  private let patterns: [SourcePattern]
  private let options: Options
  private var files: [Int: Entry] = [:]
  private var nextID = 0
  private var byPath: [[UInt8]: Int] = [:]
  private var byIdentity: [Identity: Int] = [:]
  private var byHead: [UInt64: Set<Int>] = [:]
  /// How many files have a head of so many bytes.
  private var headCounts: [Int: Int] = [:]
  private var ready: [Int] = []
  private var readyStart = 0
  private var openCount = 0
  private var useCount: UInt64 = 0
  private var watches: [Int32: [UInt8]] = [:]
  private var watchOfFolder: [[UInt8]: Int32] = [:]
  private var saidPolling: Set<[UInt8]> = []
  /// Folders whose file system tells of no change made elsewhere.
  package private(set) var pollsAny = false
  private var isFirstScan = true
  private var now = Timestamp(microseconds: 0)
  private var buffer = [UInt8](repeating: 0, count: 64 * 1024)

  /// - Parameter known: where to go on; those of files that are not there any more are kept until `forget`.
  /// - Throws: the error number of `inotify_init1`.
  package init(patterns: [SourcePattern], known: [FileCheckpoint], options: Options = Options()) throws(IngestError) {
    self.patterns = patterns
    self.options = options
    inotify = hl_inotify_open()
    if inotify < 0 { throw .system(path: "inotify", openPath: "inotify", call: "inotify_init1", errno: errno) }
    isFirstScan = known.isEmpty
    for checkpoint in known {
      var entry = Entry(checkpoint: checkpoint)
      entry.isGone = checkpoint.isRotated
      insert(entry)
    }
  }

  deinit {
    for entry in files.values where entry.descriptor >= 0 { close(entry.descriptor) }
    close(inotify)
  }

  // MARK: - Looking

  /// Looks at every folder and file.
  package func scan(now: Timestamp) {
    self.now = now
    for base in Set(patterns.map(\.base)) { enter(base) }
    for (id, entry) in files where byPath[entry.checkpoint.path] == id { examine(entry.checkpoint.path) }
    isFirstScan = false
  }

  /// What `stat` says of every known file, and folders whose changes are not told. The only means on network file systems.
  package func sweep(now: Timestamp) {
    self.now = now
    needsSweep = false
    if pollsAny || watchOfFolder.isEmpty { for base in Set(patterns.map(\.base)) { enter(base) } }
    for id in Array(files.keys) {
      guard let entry = files[id] else { continue }
      if byPath[entry.checkpoint.path] == id { examine(entry.checkpoint.path) }
      settle(id)
    }
  }

  /// Whether `drain` left growth of files out: a sweep finds it.
  package private(set) var needsSweep = false

  /// Takes what inotify has to tell.
  ///
  /// - Parameter leavesGrowth: that files were written to is only noted as `needsSweep`. Where thousands of files grow each
  ///   second, looking at all of them now and then costs a fraction of following every event.
  package func drain(now: Timestamp, leavesGrowth: Bool = false) {
    self.now = now
    var changed: Set<[UInt8]> = []
    var order: [[UInt8]] = []
    var moved: [UInt32: [UInt8]] = [:]
    while true {
      let count = buffer.withUnsafeMutableBytes { read(inotify, $0.baseAddress, $0.count) }
      guard count > 0 else { break }
      var offset = 0
      var event = hl_event()
      while offset < count {
        var name: [UInt8] = []
        let taken = buffer.withUnsafeBytes { raw in
          let taken = hl_inotify_event(raw.baseAddress! + offset, count - offset, &event)
          if taken > 0, event.name_count > 0, !(leavesGrowth && event.isGrowth) {
            name = Array(UnsafeRawBufferPointer(start: event.name, count: event.name_count))
          }
          return taken
        }
        if taken == 0 { break }
        offset += taken
        if leavesGrowth, event.isGrowth {
          needsSweep = true
          continue
        }
        if event.is_overflow != 0 {
          notes.append(.overflow)
          scan(now: now)
          continue
        }
        guard let folder = watches[event.watch] else { continue }
        if event.is_gone != 0, name.isEmpty {
          watches[event.watch] = nil
          watchOfFolder[folder] = nil
          continue
        }
        let path = Follower.join(folder, name)
        if event.is_folder != 0 {
          if event.is_created != 0 || event.is_moved_to != 0 { enter(path) }
          continue
        }
        if event.is_moved_from != 0 { moved[event.cookie] = path }
        if event.is_moved_to != 0, let from = moved[event.cookie] { rename(from, to: path) }
        if changed.insert(path).inserted { order.append(path) }
      }
    }
    for path in order { examine(path) }
  }

  /// Watches a folder and those below it, and looks at what is in them.
  private func enter(_ folder: [UInt8], depth: Int = 0) {
    guard depth < 64, patterns.contains(where: { $0.mayHold(folder) }) else { return }
    guard let stream = withCPath(folder, { opendir($0) }) else {
      if errno != ENOENT { notes.append(.unwatched(folder: text(folder), errno: errno)) }
      // The folder may come later: the one above it tells.
      if let parent = Follower.parent(folder), !patterns.contains(where: { $0.mayHold(parent) }) { watch(parent) }
      return
    }
    defer { closedir(stream) }
    watch(folder)
    while let entry = readdir(stream) {
      let name = entryName(entry)
      if name == [0x2E] || name == [0x2E, 0x2E] { continue }
      let path = Follower.join(folder, name)
      var info = stat()
      guard withCPath(path, { stat($0, &info) }) == 0 else { continue }
      switch info.st_mode & S_IFMT {
      case S_IFDIR: enter(path, depth: depth + 1)
      case S_IFREG: examine(path)
      default: break
      }
    }
  }

  private func watch(_ folder: [UInt8]) {
    guard watchOfFolder[folder] == nil else { return }
    let number = withCPath(folder) { hl_inotify_watch(inotify, $0) }
    if number < 0 {
      if errno != ENOENT { notes.append(.unwatched(folder: text(folder), errno: errno)) }
      pollsAny = true
      return
    }
    watches[number] = folder
    watchOfFolder[folder] = number
    var kind: UnsafePointer<CChar>?
    if withCPath(folder, { hl_is_remote($0, &kind) }) == 1 {
      pollsAny = true
      if saidPolling.insert(folder).inserted {
        notes.append(.polling(folder: text(folder), kind: kind.map { String(cString: $0) } ?? "remote"))
      }
    }
  }

  // MARK: - What became of a path

  private func examine(_ path: [UInt8]) {
    var info = stat()
    guard withCPath(path, { stat($0, &info) }) == 0, info.st_mode & S_IFMT == S_IFREG else {
      if let id = byPath[path] { leave(id) }
      return
    }
    guard let id = byPath[path], let entry = files[id] else { return adopt(path, info) }
    if Identity(info) == Identity(entry.checkpoint) { return update(id, info) }
    // The name has another file now.
    leave(id)
    adopt(path, info)
  }

  /// The same name and inode: it grew, or its content is another one.
  private func update(_ id: Int, _ info: stat) {
    guard var entry = files[id] else { return }
    let size = UInt64(max(0, info.st_size))
    let modified = Timestamp(info.st_mtim)
    let isSame = entry.size == size && entry.modified == modified
    entry.size = size
    entry.modified = modified
    files[id] = entry
    if size < entry.checkpoint.offset {
      restart(id)
    } else if !isSame, size == entry.checkpoint.offset, size > 0 {
      // Rewritten in place to the very same length?
      if !isContentKnown(id) { restart(id) }
    }
    // Also where bytes came in the place of NULs: the size is the same.
    if let now = files[id], size > now.checkpoint.offset, size != now.tornSize || !isSame { mark(id) }
  }

  /// The file that had this name has it no longer.
  private func leave(_ id: Int) {
    guard var entry = files[id] else { return }
    if byPath[entry.checkpoint.path] == id { byPath[entry.checkpoint.path] = nil }
    entry.isGone = true
    entry.checkpoint.isRotated = true
    entry.quietSince = entry.quietSince ?? now
    files[id] = entry
    // Renamed to a name that no event told: it lies in the same folder.
    if let place = search(entry.checkpoint) {
      move(id, to: place)
    } else {
      settle(id)
    }
  }

  /// Looks for a file by its identity among its former neighbours.
  private func search(_ checkpoint: FileCheckpoint) -> [UInt8]? {
    guard let folder = Follower.parent(checkpoint.path), let stream = withCPath(folder, { opendir($0) }) else {
      return nil
    }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      guard UInt64(entry.pointee.d_ino) == checkpoint.inode else { continue }
      let path = Follower.join(folder, entryName(entry))
      var info = stat()
      guard path != checkpoint.path, byPath[path] == nil, withCPath(path, { stat($0, &info) }) == 0,
        Identity(info) == Identity(checkpoint)
      else { continue }
      return path
    }
    return nil
  }

  private func rename(_ from: [UInt8], to: [UInt8]) {
    guard let id = byPath[from], let entry = files[id] else { return }
    var info = stat()
    guard withCPath(to, { stat($0, &info) }) == 0, Identity(info) == Identity(entry.checkpoint) else { return }
    byPath[from] = nil
    if let other = byPath[to], other != id { leave(other) }
    move(id, to: to)
  }

  private func move(_ id: Int, to path: [UInt8]) {
    guard var entry = files[id] else { return }
    notes.append(.renamed(from: text(entry.checkpoint.path), to: text(path)))
    entry.checkpoint.path = path
    entry.checkpoint.isRotated = true
    entry.isGone = false
    entry.quietSince = now
    files[id] = entry
    byPath[path] = id
    examine(path)
  }

  /// A name that no known file has.
  private func adopt(_ path: [UInt8], _ info: stat) {
    let identity = Identity(info)
    if let id = byIdentity[identity], let entry = files[id] {
      // A second name of a file that is followed: a hard link, or the old name is gone.
      var old = stat()
      if byPath[entry.checkpoint.path] == id, withCPath(entry.checkpoint.path, { stat($0, &old) }) == 0,
        Identity(old) == identity
      {
        return
      }
      // Of a file that was not read yet the content says nothing, and it is read from the start either way.
      if entry.checkpoint.offset > 0, isContentKnown(id, at: path) {
        if byPath[entry.checkpoint.path] == id { byPath[entry.checkpoint.path] = nil }
        return move(id, to: path)
      }
      // On SMB the inode stayed with the name, and elsewhere it was given to a new file.
      byIdentity[identity] = nil
    }
    var host: String?
    guard
      patterns.contains(where: {
        guard case .yes(let named) = $0.match(path) else { return false }
        host = named
        return true
      })
    else { return }
    guard files.count < options.fileLimit else { return }
    let descriptor = withCPath(path) { Glibc.open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }
    let size = UInt64(max(0, info.st_size))
    var checkpoint = FileCheckpoint(
      stream: "", path: path, device: identity.device, inode: identity.inode, offset: 0, lineCount: 0, encoding: 0,
      fingerprint: Fingerprint(), isRotated: false, host: host, memory: [])
    guard descriptor >= 0 else {
      checkpoint.stream = newStream(path)
      var entry = Entry(checkpoint: checkpoint, size: size, modified: Timestamp(info.st_mtim))
      entry.trouble = .unreadable(call: "open", errno: errno)
      insert(entry)
      return
    }
    let head = Follower.bytes(descriptor, at: 0, count: Fingerprint.headLimit)
    // The content of a known file under a new name and inode: a copy before truncation, a rename over SMB, a restore.
    let sources = known(head: head, descriptor: descriptor, size: size)
    if let id = sources.first, let source = files[id]?.checkpoint {
      if sources.count > 1 { notes.append(.ambiguous(path: text(path))) }
      let isThere = byPath[source.path] == id && isContentKnown(id, at: source.path)
      if !isThere {
        // The old one is no more: this is it.
        close(descriptor)
        if byIdentity[Identity(source)] == id { byIdentity[Identity(source)] = nil }
        if byPath[source.path] == id { byPath[source.path] = nil }
        files[id]?.checkpoint.device = identity.device
        files[id]?.checkpoint.inode = identity.inode
        byIdentity[identity] = id
        if let open = files[id]?.descriptor, open >= 0 {
          close(open)
          openCount -= 1
          files[id]?.descriptor = -1
        }
        return move(id, to: path)
      }
      // A copy: what was read of the one need not be read of the other.
      checkpoint.offset = source.offset
      checkpoint.lineCount = source.lineCount
      checkpoint.encoding = source.encoding
      checkpoint.fingerprint = source.fingerprint
      checkpoint.memory = source.memory
      checkpoint.stream = newStream(path)
      checkpoint.isRotated = true
    } else {
      checkpoint.stream = newStream(path)
      checkpoint.fingerprint.headCount = head.count
      checkpoint.fingerprint.headHash = Fingerprint.hash(head.span, 0, head.count)
      if let kind = FileKind.recognise(head.span) {
        close(descriptor)
        var entry = Entry(checkpoint: checkpoint, size: size, modified: Timestamp(info.st_mtim))
        entry.trouble = .container(kind.title)
        insert(entry)
        return
      }
      checkpoint.encoding = EncodingSniffer.sniff(head.span).encoding.rawValue
      if options.startsAtEnd, isFirstScan { skipToEnd(&checkpoint, descriptor, size) }
    }
    var entry = Entry(checkpoint: checkpoint, size: size, modified: Timestamp(info.st_mtim), descriptor: descriptor)
    entry.quietSince = checkpoint.isRotated ? now : nil
    openCount += 1
    let id = insert(entry)
    notes.append(.began(path: text(path)))
    limitOpenFiles(but: id)
    if size > checkpoint.offset { mark(id) }
  }

  /// So few bytes may be the same in two files by chance: they are read again.
  private static let leastKnown: UInt64 = 64

  /// Known files whose beginning this is and whose last read bytes stand at their place.
  private func known(head: [UInt8], descriptor: Int32, size: UInt64) -> [Int] {
    var found: [Int] = []
    guard !head.isEmpty else { return [] }
    // Nearly all were long enough to have a whole head: few counts are to be tried.
    for count in headCounts.keys where count <= head.count {
      for id in byHead[Fingerprint.hash(head.span, 0, count)] ?? [] {
        guard let entry = files[id], entry.trouble == nil, entry.checkpoint.fingerprint.headCount == count,
          entry.checkpoint.offset >= Follower.leastKnown, size >= entry.checkpoint.offset
        else { continue }
        if Follower.isTail(entry.checkpoint, descriptor) { found.append(id) }
      }
    }
    // The one that is furthest on; a younger one where they are equal.
    return found.sorted { (files[$0]!.checkpoint.offset, $0) > (files[$1]!.checkpoint.offset, $1) }
  }

  private func skipToEnd(_ checkpoint: inout FileCheckpoint, _ descriptor: Int32, _ size: UInt64) {
    let start = size > 65_536 ? size - 65_536 : 0
    let last = Follower.bytes(descriptor, at: start, count: Int(size - start))
    guard checkpoint.encoding == 0, let end = last.lastIndex(of: 0x0A) else { return }
    checkpoint.offset = start + UInt64(end) + 1
    Follower.setTail(&checkpoint, descriptor)
  }

  /// The content is new: a stream of its own, from the start.
  private func restart(_ id: Int) {
    guard var entry = files[id] else { return }
    notes.append(.rewritten(path: text(entry.checkpoint.path)))
    unindex(id)
    if entry.checkpoint.offset > 0 {
      // A copy of the old content may turn up: it is known how far that was read.
      var old = Entry(checkpoint: entry.checkpoint)
      old.isGone = true
      old.checkpoint.isRotated = true
      old.quietSince = now
      insert(old)
    }
    entry.checkpoint.stream = newStream(entry.checkpoint.path)
    entry.checkpoint.offset = 0
    entry.checkpoint.lineCount = 0
    entry.checkpoint.memory = []
    entry.checkpoint.fingerprint = Fingerprint()
    entry.tornSize = .max
    if let descriptor = open(&entry) {
      let head = Follower.bytes(descriptor, at: 0, count: Fingerprint.headLimit)
      entry.checkpoint.fingerprint.headCount = head.count
      entry.checkpoint.fingerprint.headHash = Fingerprint.hash(head.span, 0, head.count)
      entry.checkpoint.encoding = EncodingSniffer.sniff(head.span).encoding.rawValue
    }
    files[id] = entry
    index(id)
    if entry.size > 0 { mark(id) }
  }

  // MARK: - Handing out

  private func mark(_ id: Int) {
    guard let entry = files[id], !entry.isReady, entry.trouble == nil || isOpenable(entry) else { return }
    files[id]!.isReady = true
    ready.append(id)
  }

  private func isOpenable(_ entry: Entry) -> Bool {
    if case .unreadable = entry.trouble { return true }
    return false
  }

  /// Whether something waits to be read.
  package var hasReady: Bool { readyStart < ready.count }

  /// The next part to read; nil when nothing waits.
  package func next() -> Part? {
    while readyStart < ready.count {
      let id = ready[readyStart]
      readyStart += 1
      if readyStart == ready.count {
        ready.removeAll(keepingCapacity: true)
        readyStart = 0
      }
      files[id]?.isReady = false
      if let part = part(id) { return part }
    }
    return nil
  }

  private func part(_ id: Int) -> Part? {
    guard var entry = files[id] else { return nil }
    let wasOpen = entry.descriptor >= 0
    guard let descriptor = open(&entry) else {
      files[id] = entry
      return nil
    }
    useCount += 1
    entry.usedAt = useCount
    entry.trouble = nil
    files[id] = entry
    if !wasOpen { limitOpenFiles(but: id) }
    var info = stat()
    guard fstat(descriptor, &info) == 0 else { return nil }
    let size = UInt64(max(0, info.st_size))
    files[id]!.size = size
    let checkpoint = entry.checkpoint
    if size < checkpoint.offset || !Follower.isTail(checkpoint, descriptor) {
      restart(id)
      return nil
    }
    guard size > checkpoint.offset else { return nil }
    // Nothing was read yet: what stands there now is what will be read, whatever stood there before.
    if checkpoint.offset == 0 || checkpoint.fingerprint.headCount < Fingerprint.headLimit { setHead(id, descriptor) }
    var end: UInt64?
    var isLimited = false
    if !entry.isFinal {
      let stop = min(size, checkpoint.offset + options.partByteLimit)
      let found =
        lineEnd(descriptor, from: checkpoint.offset, size: stop, encoding: checkpoint.encoding)
        ?? (stop < size
          ? lineEnd(descriptor, from: checkpoint.offset, size: size, encoding: checkpoint.encoding) : nil)
      guard let found else {
        files[id]!.tornSize = size
        return nil
      }
      end = found
      isLimited = stop < size && found <= stop
    }
    let current = files[id]!.checkpoint
    return Part(
      id: id, stream: current.stream, path: text(current.path), host: current.host, descriptor: descriptor,
      offset: current.offset, lineCount: current.lineCount,
      encoding: TextEncoding(rawValue: current.encoding) ?? .utf8, memory: current.memory, end: end,
      isLimited: isLimited)
  }

  /// Books how far a part was read: bytes before `offset` are done with.
  package func finished(_ part: Part, at offset: UInt64, lineCount: UInt64, memory: [UInt8]) {
    guard var entry = files[part.id], entry.checkpoint.stream == part.stream else { return }
    let before = entry.checkpoint.offset
    entry.checkpoint.offset = offset
    entry.checkpoint.lineCount = lineCount
    entry.checkpoint.memory = memory
    if entry.descriptor >= 0 { Follower.setTail(&entry.checkpoint, entry.descriptor) }
    // What is left is not whole yet: there is nothing to read until the file grows.
    entry.tornSize = !part.isLimited && offset < entry.size ? entry.size : .max
    files[part.id] = entry
    if part.isLimited, offset > before { mark(part.id) }
    if part.end == nil { settle(part.id) }
  }

  /// Behind the last line end before a run of NULs at the end, which is not written yet; nil when there is none. A line
  /// that is longer than any record is handed out without its end.
  private func lineEnd(_ descriptor: Int32, from offset: UInt64, size: UInt64, encoding: UInt8) -> UInt64? {
    let width: UInt64 = encoding == 0 ? 1 : 2
    var position = size
    var isInNULs = encoding == 0
    while position > offset {
      let start = position - offset > 65_536 ? position - 65_536 : offset
      let bytes = Follower.bytes(descriptor, at: start, count: Int(position - start))
      var index = bytes.count - 1
      while index >= 0 {
        if isInNULs, bytes[index] == 0 {
          index -= 1
          continue
        }
        isInNULs = false
        if bytes[index] == 0x0A {
          if width == 1 { return start + UInt64(index) + 1 }
          // A line feed of UTF-16 lies on two bytes that begin at an even place.
          let at = start + UInt64(index)
          let other = encoding == 1 ? index + 1 : index - 1
          if at % 2 == (encoding == 1 ? 0 : 1), bytes.indices.contains(other), bytes[other] == 0 {
            return at + (encoding == 1 ? 2 : 1)
          }
        }
        index -= 1
      }
      position = start
    }
    return size - offset > UInt64(2 * Limits.recordByteLimit) && !isInNULs ? size : nil
  }

  /// A rotated file that stayed as it was: its last line is whole, and then it is done with.
  private func settle(_ id: Int) {
    guard var entry = files[id], entry.isGone || entry.checkpoint.isRotated else { return }
    if entry.descriptor >= 0 {
      var info = stat()
      if fstat(entry.descriptor, &info) == 0 {
        let size = UInt64(max(0, info.st_size))
        if size != entry.size {
          entry.size = size
          entry.quietSince = now
          files[id] = entry
          if size > entry.checkpoint.offset { mark(id) }
          return
        }
      }
    }
    guard let since = entry.quietSince, now.microseconds - since.microseconds >= options.quietMicroseconds else {
      return
    }
    if entry.size > entry.checkpoint.offset, entry.descriptor >= 0 || !entry.isGone, !entry.isFinal {
      entry.isFinal = true
      files[id] = entry
      mark(id)
      return
    }
    if entry.descriptor >= 0 {
      close(entry.descriptor)
      openCount -= 1
      entry.descriptor = -1
      files[id] = entry
    }
  }

  /// Forgets rotated files that are gone since before `time`; their streams are returned, their checkpoints may go.
  package func forget(goneBefore time: Timestamp) -> [String] {
    var forgotten: [String] = []
    for (id, entry) in files
    where entry.isGone && entry.descriptor < 0 && !entry.isReady && (entry.quietSince.map { $0 < time } ?? true) {
      forgotten.append(entry.checkpoint.stream)
      unindex(id)
      files[id] = nil
    }
    return forgotten
  }

  package func checkpoint(of id: Int) -> FileCheckpoint? { files[id]?.checkpoint }
  package var checkpoints: [FileCheckpoint] { files.values.map(\.checkpoint) }
  package var fileCount: Int { files.count }

  /// Every file, by path.
  package var states: [FileState] {
    files.values.map { entry in
      FileState(
        path: text(entry.checkpoint.path), host: entry.checkpoint.host, byteCount: entry.size,
        offset: entry.checkpoint.offset, modified: entry.modified, isRotated: entry.checkpoint.isRotated,
        trouble: entry.trouble)
    }.sorted { $0.path < $1.path }
  }

  /// Bytes that wait to be read, of all files that can be.
  package var lag: UInt64 {
    files.values.reduce(0) { sum, entry in
      entry.trouble == nil && entry.size > entry.checkpoint.offset && !entry.isGone
        ? sum + entry.size - entry.checkpoint.offset : sum
    }
  }

  package func takeNotes() -> [Note] {
    defer { notes.removeAll() }
    return notes
  }

  // MARK: - Files by what they are known by

  @discardableResult
  private func insert(_ entry: Entry) -> Int {
    let id = nextID
    nextID += 1
    files[id] = entry
    if !entry.isGone { byPath[entry.checkpoint.path] = id }
    index(id)
    return id
  }

  private func index(_ id: Int) {
    guard let checkpoint = files[id]?.checkpoint else { return }
    if byIdentity[Identity(checkpoint)] == nil || !files[id]!.isGone { byIdentity[Identity(checkpoint)] = id }
    guard checkpoint.fingerprint.headCount > 0 else { return }
    byHead[checkpoint.fingerprint.headHash, default: []].insert(id)
    headCounts[checkpoint.fingerprint.headCount, default: 0] += 1
  }

  private func unindex(_ id: Int) {
    guard let checkpoint = files[id]?.checkpoint else { return }
    if byIdentity[Identity(checkpoint)] == id { byIdentity[Identity(checkpoint)] = nil }
    guard byHead[checkpoint.fingerprint.headHash]?.remove(id) != nil else { return }
    let count = checkpoint.fingerprint.headCount
    headCounts[count]! -= 1
    if headCounts[count] == 0 { headCounts[count] = nil }
    if byHead[checkpoint.fingerprint.headHash]?.isEmpty ?? false { byHead[checkpoint.fingerprint.headHash] = nil }
  }

  /// The beginning as it is now: a file that was short when it was found has more of it.
  private func setHead(_ id: Int, _ descriptor: Int32) {
    let head = Follower.bytes(descriptor, at: 0, count: Fingerprint.headLimit)
    unindex(id)
    files[id]!.checkpoint.fingerprint.headCount = head.count
    files[id]!.checkpoint.fingerprint.headHash = Fingerprint.hash(head.span, 0, head.count)
    index(id)
  }

  private func newStream(_ path: [UInt8]) -> String {
    nextStream += 1
    let mixed = SeededHash(seed: UInt64(bitPattern: now.microseconds)).hash(path.span, 0, path.count)
    let hex = String(mixed, radix: 16)
    return String(repeating: "0", count: 16 - hex.utf8.count) + hex + "-" + String(nextStream)
      + "-" + String(UInt32.random(in: .min ... .max), radix: 16)
  }
  private var nextStream = 0

  // MARK: - Reading

  private func open(_ entry: inout Entry) -> Int32? {
    if entry.descriptor >= 0 { return entry.descriptor }
    if entry.isGone { return nil }
    let opened = withCPath(entry.checkpoint.path) { Glibc.open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }
    if opened < 0 {
      entry.trouble = .unreadable(call: "open", errno: errno)
      return nil
    }
    entry.descriptor = opened
    openCount += 1
    return opened
  }

  /// Closes the files that were used longest ago; those without a name stay open until they are read.
  private func limitOpenFiles(but id: Int) {
    guard openCount > options.openFileLimit else { return }
    let candidates = files.filter { $0.value.descriptor >= 0 && !$0.value.isGone && $0.key != id && !$0.value.isReady }
      .sorted { $0.value.usedAt < $1.value.usedAt }
    for (other, entry) in candidates.prefix(max(1, openCount - options.openFileLimit * 3 / 4)) {
      close(entry.descriptor)
      openCount -= 1
      files[other]!.descriptor = -1
    }
  }

  private func isContentKnown(_ id: Int, at path: [UInt8]? = nil) -> Bool {
    guard let checkpoint = files[id]?.checkpoint else { return false }
    let descriptor = withCPath(path ?? checkpoint.path) { Glibc.open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var info = stat()
    guard fstat(descriptor, &info) == 0, UInt64(max(0, info.st_size)) >= checkpoint.offset else { return false }
    let head = Follower.bytes(descriptor, at: 0, count: checkpoint.fingerprint.headCount)
    return head.count == checkpoint.fingerprint.headCount
      && Fingerprint.hash(head.span, 0, head.count) == checkpoint.fingerprint.headHash
      && Follower.isTail(checkpoint, descriptor)
  }

  private static func isTail(_ checkpoint: FileCheckpoint, _ descriptor: Int32) -> Bool {
    let count = checkpoint.fingerprint.tailCount
    if count == 0 { return true }
    let tail = bytes(descriptor, at: checkpoint.offset - UInt64(count), count: count)
    return tail.count == count && Fingerprint.hash(tail.span, 0, count) == checkpoint.fingerprint.tailHash
  }

  private static func setTail(_ checkpoint: inout FileCheckpoint, _ descriptor: Int32) {
    let count = Int(min(UInt64(Fingerprint.tailLimit), checkpoint.offset))
    let tail = bytes(descriptor, at: checkpoint.offset - UInt64(count), count: count)
    checkpoint.fingerprint.tailCount = tail.count == count ? count : 0
    checkpoint.fingerprint.tailHash = Fingerprint.hash(tail.span, 0, tail.count == count ? count : 0)
  }

  /// `pread(2)`, as many as there are.
  private static func bytes(_ descriptor: Int32, at offset: UInt64, count: Int) -> [UInt8] {
    guard count > 0 else { return [] }
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let got = pread(descriptor, buffer.baseAddress! + filled, count - filled, off_t(offset) + off_t(filled))
        if got < 0, errno == EINTR { continue }
        if got <= 0 { break }
        filled += got
      }
    }
  }

  private static func join(_ folder: [UInt8], _ name: [UInt8]) -> [UInt8] {
    folder.last == 0x2F ? folder + name : folder + [0x2F] + name
  }

  private static func parent(_ path: [UInt8]) -> [UInt8]? {
    guard let slash = path.lastIndex(of: 0x2F), path.count > 1 else { return nil }
    return slash == 0 ? [0x2F] : Array(path[..<slash])
  }

  private func text(_ path: [UInt8]) -> String { String(decoding: path, as: UTF8.self) }
}

extension hl_event {
  /// A file was written to, and nothing else happened.
  fileprivate var isGrowth: Bool {
    is_modified != 0 && is_overflow == 0 && is_folder == 0 && is_gone == 0 && is_moved_from == 0 && is_moved_to == 0
      && is_created == 0 && is_deleted == 0
  }
}
