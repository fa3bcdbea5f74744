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
    /// The source whose pattern named the file, by its place in `patterns`.
    package var source = 0
    /// Where its bytes lie in `window`, if it was short enough to be read at once.
    package var window: Range<Int>?
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

  final class Entry {
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
    /// It was told to have grown and not looked at since.
    var hasGrown = false
    var source: Int?
    /// The name by which the service manager keeps its descriptor over a restart.
    var keptName: String?
    /// The path as text, made when it is asked for.
    private var pathText: String?

    var path: String {
      if let pathText { return pathText }
      let text = String(decoding: checkpoint.path, as: UTF8.self)
      pathText = text
      return text
    }

    func move(to path: [UInt8]) {
      checkpoint.path = path
      pathText = nil
    }

    init(checkpoint: FileCheckpoint) { self.checkpoint = checkpoint }

    init(checkpoint: FileCheckpoint, size: UInt64, modified: Timestamp, descriptor: Int32 = -1, source: Int?) {
      self.checkpoint = checkpoint
      self.size = size
      self.modified = modified
      self.descriptor = descriptor
      self.source = source
    }
  }

  /// The bytes of a path, hashed at once: an array hashes its elements one by one.
  private struct PathKey: Hashable {
    let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }
    func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }
  }

  struct Identity: Hashable {
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
    /// Sources, by their place in `patterns`, whose files are read from their end when the first look finds them.
    package var startsAtEnd: Set<Int> = []
    package var openFileLimit = 1024
    /// False: every part is read piece by piece, the slow twin for tests. The parts are the same.
    package var usesWindow = true
    /// How long a rotated file must be quiet before its last line counts as whole, in microseconds.
    package var quietMicroseconds: Int64 = 10_000_000
    package var fileLimit = Limits.fileLimit
    /// Bytes of one part; more only where a line is longer.
    package var partByteLimit: UInt64 = 8 * 1024 * 1024
    package init() {}
  }

  package let inotify: Int32
  package private(set) var notes: [Note] = []
  /// Files that are read from their end on: where that is must be stored, or they would be read whole by the next process.
  package private(set) var skipped: Set<Int> = []
  private let patterns: [SourcePattern]
  private let options: Options
  private(set) var files: [Int: Entry] = [:]
  private var nextID = 0
  private var byPath: [PathKey: Int] = [:]
  private(set) var byIdentity: [Identity: Int] = [:]
  private var byHead: [UInt64: Set<Int>] = [:]
  /// How many files have a head of so many bytes.
  private var headCounts: [Int: Int] = [:]
  private var ready: [Int] = []
  private var readyStart = 0
  var openCount = 0
  private var useCount: UInt64 = 0
  /// Uses of open files in their order; an entry counts while its file was not used again.
  private var uses: [(id: Int, usedAt: UInt64)] = []
  private var usesStart = 0
  private var watches: [Int32: [UInt8]] = [:]
  private var watchOfFolder: [PathKey: Int32] = [:]
  private var saidPolling: Set<[UInt8]> = []
  /// Folders whose file system tells of no change made elsewhere.
  package private(set) var pollsAny = false
  private var isFirstScan = true
  /// The bytes around the place of the part that was handed out last: [windowStart, windowStart + windowCount) of its
  /// file. One call reads what tells the file from others, the line ends and the lines.
  package private(set) var window: [UInt8] = []
  private var windowStart: UInt64 = 0
  private var windowCount = 0
  private var windowStream = ""
  /// What grew since the last look, in the order it was told.
  private var changed: [PathKey: Bool] = [:]
  private var order: [[UInt8]] = []
  /// Files by the hash of their folder's watch and their name in it: what an event names is found by it, without a
  /// path. What it says is held against the file's own path.
  private var growing: [UInt64: Int] = [:]
  var now = Timestamp(microseconds: 0)
  private var buffer = [UInt8](repeating: 0, count: 64 * 1024)

  /// - Parameter known: where to go on; those of files that are not there any more are kept until `forget`.
  /// - Throws: the error number of `inotify_init1`.
  package init(patterns: [SourcePattern], known: [FileCheckpoint], options: Options = Options()) throws(IngestError) {
    self.patterns = patterns
    self.options = options
    inotify = hl_inotify_open()
    if inotify < 0 { throw .system(path: "inotify", openPath: "inotify", call: "inotify_init1", errno: errno) }
    for checkpoint in known {
      let entry = Entry(checkpoint: checkpoint)
      entry.isGone = checkpoint.isRotated
      insert(entry)
    }
  }

  /// Keeps descriptors over a restart of this process.
  package var keeper: FileKeeper?
  var keepsGone = false
  var nextKept: UInt64 = 0

  deinit {
    for entry in files.values where entry.descriptor >= 0 { Glibc.close(entry.descriptor) }
    Glibc.close(inotify)
  }

  // MARK: - Looking

  /// Looks at every folder and file.
  package func scan(now: Timestamp) {
    self.now = now
    for base in Set(patterns.map(\.base)) { enter(base) }
    for (id, entry) in files where byPath[PathKey(entry.checkpoint.path)] == id { examine(entry.checkpoint.path) }
    isFirstScan = false
  }

  /// What `stat` says of every known file, and folders whose changes are not told. The only means on network file systems.
  package func sweep(now: Timestamp) {
    self.now = now
    if pollsAny || watchOfFolder.isEmpty { for base in Set(patterns.map(\.base)) { enter(base) } }
    for id in Array(files.keys) {
      guard let entry = files[id] else { continue }
      if byPath[PathKey(entry.checkpoint.path)] == id { examine(entry.checkpoint.path) }
      settle(id)
    }
  }

  /// Takes what inotify has to tell. A file that only grew is noted, and looked at when its turn comes; whatever else
  /// happened to a name is looked at here.
  package func drain(now: Timestamp) {
    self.now = now
    var moved: [UInt32: [UInt8]] = [:]
    while true {
      let count = buffer.withUnsafeMutableBytes { Glibc.read(inotify, $0.baseAddress, $0.count) }
      guard count > 0 else { break }
      var offset = 0
      var event = hl_event()
      while offset < count {
        var name: [UInt8] = []
        var hasGrown = false
        let taken = buffer.withUnsafeBytes { raw in
          let taken = hl_inotify_event(raw.baseAddress! + offset, count - offset, &event)
          if taken > 0, event.name_count > 0 {
            let bytes = UnsafeRawBufferPointer(start: event.name, count: event.name_count)
            hasGrown = event.isGrowth && !pollsAny && grow(event.watch, bytes)
            if !hasGrown { name = Array(bytes) }
          }
          return taken
        }
        if taken == 0 { break }
        offset += taken
        if hasGrown { continue }
        if event.is_overflow != 0 {
          notes.append(.overflow)
          scan(now: now)
          continue
        }
        guard let folder = watches[event.watch] else { continue }
        if event.is_gone != 0, name.isEmpty {
          watches[event.watch] = nil
          watchOfFolder[PathKey(folder)] = nil
          continue
        }
        let path = Follower.join(folder, name)
        if event.is_folder != 0 {
          if event.is_created != 0 || event.is_moved_to != 0 { enter(path) }
          continue
        }
        if event.is_moved_from != 0 { moved[event.cookie] = path }
        if event.is_moved_to != 0, let from = moved[event.cookie] { rename(from, to: path) }
        note(path, hasOnlyGrown: event.isGrowth)
      }
      // What is left, if it was more, ends the next wait at once.
      if count < buffer.count - 4096 { break }
    }
    if order.isEmpty { return }
    for path in order {
      if !pollsAny, changed[PathKey(path)] == true, let id = byPath[PathKey(path)], let entry = files[id],
        entry.descriptor >= 0
      {
        grow(id, entry)
        if let key = growthKey(entry.checkpoint.path) { growing[key] = id }
      } else {
        examine(path)
      }
    }
    order.removeAll(keepingCapacity: true)
    changed.removeAll(keepingCapacity: changed.count < 256)
  }

  private func note(_ path: [UInt8], hasOnlyGrown: Bool) {
    if let known = changed[PathKey(path)] {
      if known, !hasOnlyGrown { changed[PathKey(path)] = false }
      return
    }
    changed[PathKey(path)] = hasOnlyGrown
    order.append(path)
  }

  /// Notes growth of a file that has its name still.
  /// - Returns: false where the way by its path has to be taken.
  private func grow(_ watch: Int32, _ name: UnsafeRawBufferPointer) -> Bool {
    guard let id = growing[Follower.growthKey(watch, name)], let entry = files[id], entry.descriptor >= 0,
      !entry.isGone,
      let folder = watches[watch]
    else { return false }
    let isName = entry.checkpoint.path.withUnsafeBytes { path in
      let start = path.count - name.count
      return start == folder.count + 1 && memcmp(path.baseAddress! + start, name.baseAddress!, name.count) == 0
        && folder.withUnsafeBytes { memcmp(path.baseAddress!, $0.baseAddress!, $0.count) } == 0
    }
    if isName { grow(id, entry) }
    return isName
  }

  private static func growthKey(_ watch: Int32, _ name: UnsafeRawBufferPointer) -> UInt64 {
    // FNV-1a: a name is short, and what it finds is compared.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(UInt32(bitPattern: watch))
    for byte in name { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash
  }

  /// Nil while the folder is not watched.
  private func growthKey(_ path: [UInt8]) -> UInt64? {
    guard let folder = Follower.parent(path), let watch = watchOfFolder[PathKey(folder)] else { return nil }
    return path.withUnsafeBytes {
      Follower.growthKey(watch, UnsafeRawBufferPointer(rebasing: $0[($0.lastIndex(of: 0x2F)! + 1)...]))
    }
  }

  /// The name has its file still: what became of that is asked by its descriptor, when its turn comes.
  private func grow(_ id: Int, _ entry: Entry) {
    entry.hasGrown = true
    guard !entry.isReady else { return }
    entry.isReady = true
    ready.append(id)
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
    guard watchOfFolder[PathKey(folder)] == nil else { return }
    let number = withCPath(folder) { hl_inotify_watch(inotify, $0) }
    if number < 0 {
      if errno != ENOENT { notes.append(.unwatched(folder: text(folder), errno: errno)) }
      pollsAny = true
      return
    }
    watches[number] = folder
    watchOfFolder[PathKey(folder)] = number
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
      if let id = byPath[PathKey(path)] { leave(id) }
      return
    }
    guard let id = byPath[PathKey(path)], let entry = files[id] else { return adopt(path, info) }
    if Identity(info) == Identity(entry.checkpoint) { return update(id, info) }
    // The name has another file now.
    leave(id)
    adopt(path, info)
  }

  /// The same name and inode: it grew, or its content is another one.
  private func update(_ id: Int, _ info: stat) {
    guard let entry = files[id] else { return }
    let isSame = take(info, id, entry)
    // Also where bytes came in the place of NULs: the size is the same.
    if entry.size > entry.checkpoint.offset, entry.size != entry.tornSize || !isSame { mark(id) }
  }

  /// Keeps what `stat` says, and begins anew where the content is another one.
  /// - Returns: whether nothing has changed.
  private func take(_ info: stat, _ id: Int, _ entry: Entry) -> Bool {
    let size = UInt64(max(0, info.st_size))
    let modified = Timestamp(info.st_mtim)
    let isSame = entry.size == size && entry.modified == modified
    entry.size = size
    entry.modified = modified
    if size < entry.checkpoint.offset {
      restart(id)
    } else if !isSame, size == entry.checkpoint.offset, size > 0 {
      // Rewritten in place to the very same length?
      if !isContentKnown(id) { restart(id) }
    }
    return isSame
  }

  /// The file that had this name has it no longer.
  private func leave(_ id: Int) {
    guard let entry = files[id] else { return }
    if byPath[PathKey(entry.checkpoint.path)] == id { byPath[PathKey(entry.checkpoint.path)] = nil }
    entry.isGone = true
    entry.checkpoint.isRotated = true
    entry.quietSince = entry.quietSince ?? now
    // Renamed to a name that no event told: it lies in the same folder.
    if let place = search(entry.checkpoint) {
      move(id, to: place)
    } else {
      settle(id)
      if keepsGone { keep(id) }
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
      guard path != checkpoint.path, byPath[PathKey(path)] == nil, withCPath(path, { stat($0, &info) }) == 0,
        Identity(info) == Identity(checkpoint)
      else { continue }
      return path
    }
    return nil
  }

  private func rename(_ from: [UInt8], to: [UInt8]) {
    guard let id = byPath[PathKey(from)], let entry = files[id] else { return }
    var info = stat()
    guard withCPath(to, { stat($0, &info) }) == 0, Identity(info) == Identity(entry.checkpoint) else { return }
    byPath[PathKey(from)] = nil
    if let other = byPath[PathKey(to)], other != id { leave(other) }
    move(id, to: to)
  }

  private func move(_ id: Int, to path: [UInt8]) {
    guard let entry = files[id] else { return }
    notes.append(.renamed(from: text(entry.checkpoint.path), to: text(path)))
    entry.move(to: path)
    entry.checkpoint.isRotated = true
    entry.isGone = false
    entry.quietSince = now
    byPath[PathKey(path)] = id
    examine(path)
  }

  /// A name that no known file has.
  private func adopt(_ path: [UInt8], _ info: stat) {
    let identity = Identity(info)
    if let id = byIdentity[identity], let entry = files[id] {
      // A second name of a file that is followed: a hard link, or the old name is gone.
      var old = stat()
      if byPath[PathKey(entry.checkpoint.path)] == id, withCPath(entry.checkpoint.path, { stat($0, &old) }) == 0,
        Identity(old) == identity
      {
        return
      }
      // Of a file that was not read yet the content says nothing, and it is read from the start either way.
      if entry.checkpoint.offset > 0, isContentKnown(id, at: path) {
        if byPath[PathKey(entry.checkpoint.path)] == id { byPath[PathKey(entry.checkpoint.path)] = nil }
        return move(id, to: path)
      }
      // On SMB the inode stayed with the name, and elsewhere it was given to a new file.
      byIdentity[identity] = nil
    }
    guard let (source, host) = match(path) else { return }
    guard files.count < options.fileLimit else { return }
    let descriptor = withCPath(path) { Glibc.open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }
    let size = UInt64(max(0, info.st_size))
    var checkpoint = FileCheckpoint(
      stream: "", path: path, device: identity.device, inode: identity.inode, offset: 0, lineCount: 0, encoding: 0,
      fingerprint: Fingerprint(), isRotated: false, host: host, memory: [])
    guard descriptor >= 0 else {
      checkpoint.stream = newStream(path)
      let entry = Entry(checkpoint: checkpoint, size: size, modified: Timestamp(info.st_mtim), source: source)
      entry.trouble = .unreadable(call: "open", errno: errno)
      insert(entry)
      return
    }
    let head = Follower.bytes(descriptor, at: 0, count: Fingerprint.headLimit)
    // The content of a known file under a new name and inode: a copy before truncation, a rename over SMB, a restore.
    let sources = known(head: head, descriptor: descriptor, size: size)
    if let id = sources.first, let source = files[id]?.checkpoint {
      if sources.count > 1 { notes.append(.ambiguous(path: text(path))) }
      let isThere = byPath[PathKey(source.path)] == id && isContentKnown(id, at: source.path)
      if !isThere {
        // The old one is no more: this is it.
        Glibc.close(descriptor)
        if byIdentity[Identity(source)] == id { byIdentity[Identity(source)] = nil }
        if byPath[PathKey(source.path)] == id { byPath[PathKey(source.path)] = nil }
        files[id]?.checkpoint.device = identity.device
        files[id]?.checkpoint.inode = identity.inode
        byIdentity[identity] = id
        if let entry = files[id] { close(entry) }
        move(id, to: path)
        // The name that it had may have another content by now, which nobody was told to look at.
        if source.path != path { examine(source.path) }
        return
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
        Glibc.close(descriptor)
        let entry = Entry(checkpoint: checkpoint, size: size, modified: Timestamp(info.st_mtim), source: source)
        entry.trouble = .container(kind.title)
        insert(entry)
        return
      }
      checkpoint.encoding = EncodingSniffer.sniff(head.span).encoding.rawValue
      if isFirstScan, options.startsAtEnd.contains(source) {
        skipToEnd(&checkpoint, descriptor, size)
        skipped.insert(nextID)
      }
    }
    let entry = Entry(
      checkpoint: checkpoint, size: size, modified: Timestamp(info.st_mtim), descriptor: descriptor, source: source)
    entry.quietSince = checkpoint.isRotated ? now : nil
    openCount += 1
    let id = insert(entry)
    use(id, entry)
    notes.append(.began(path: text(path)))
    limitOpenFiles(but: id)
    if size > checkpoint.offset { mark(id) }
  }

  /// The first source that names a file, and the host it tells.
  private func match(_ path: [UInt8]) -> (source: Int, host: String?)? {
    for (index, pattern) in patterns.enumerated() {
      if case .yes(let host) = pattern.match(path) { return (index, host) }
    }
    return nil
  }

  /// The source of a file, also of one that was rotated to a name that no pattern has: then one that looks into its folder.
  private func source(_ entry: Entry) -> Int {
    if let source = entry.source { return source }
    let path = entry.checkpoint.path
    let folder = Follower.parent(path) ?? path
    let source = match(path)?.source ?? patterns.firstIndex { $0.mayHold(folder) } ?? 0
    entry.source = source
    return source
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
    guard let entry = files[id] else { return }
    notes.append(.rewritten(path: text(entry.checkpoint.path)))
    unindex(id)
    if entry.checkpoint.offset > 0 {
      // A copy of the old content may turn up: it is known how far that was read.
      let old = Entry(checkpoint: entry.checkpoint)
      old.source = entry.source
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
    if let descriptor = open(entry) {
      let head = Follower.bytes(descriptor, at: 0, count: Fingerprint.headLimit)
      entry.checkpoint.fingerprint.headCount = head.count
      entry.checkpoint.fingerprint.headHash = Fingerprint.hash(head.span, 0, head.count)
      entry.checkpoint.encoding = EncodingSniffer.sniff(head.span).encoding.rawValue
    }
    index(id)
    if entry.size > 0 { mark(id) }
  }

  // MARK: - Handing out

  func mark(_ id: Int) {
    guard let entry = files[id], !entry.isReady, entry.trouble == nil || isOpenable(entry) else { return }
    entry.isReady = true
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
    guard let entry = files[id] else { return nil }
    let wasOpen = entry.descriptor >= 0
    guard let descriptor = open(entry) else { return nil }
    use(id, entry)
    entry.trouble = nil
    if !wasOpen { limitOpenFiles(but: id) }
    var info = stat()
    guard fstat(descriptor, &info) == 0 else { return nil }
    if entry.hasGrown {
      entry.hasGrown = false
      let stream = entry.checkpoint.stream
      let isSame = take(info, id, entry)
      if isSame, entry.size == entry.tornSize { return nil }
      // It began anew, and is ready again.
      if stream != entry.checkpoint.stream { return nil }
    }
    let size = UInt64(max(0, info.st_size))
    entry.size = size
    entry.modified = Timestamp(info.st_mtim)
    // What a file begins with is taken anew until it is as long as a fingerprint's.
    let needsHead = entry.checkpoint.offset == 0 || entry.checkpoint.fingerprint.headCount < Fingerprint.headLimit
    let isWindow = look(entry, descriptor, size, needsHead: needsHead)
    let isTail = isWindow ? isWindowTail(entry.checkpoint) : Follower.isTail(entry.checkpoint, descriptor)
    if size < entry.checkpoint.offset || !isTail {
      restart(id)
      return nil
    }
    let offset = entry.checkpoint.offset
    guard size > offset else { return nil }
    // Nothing was read yet: what stands there now is what will be read, whatever stood there before.
    if needsHead { setHead(id, entry, descriptor, isWindow: isWindow) }
    var end: UInt64?
    var isLimited = false
    let holdsAll = isWindow && windowStart + UInt64(windowCount) >= size && entry.checkpoint.encoding == 0
    if !entry.isFinal {
      let found: UInt64?
      if holdsAll {
        found = windowLineEnd(from: offset)
      } else {
        let stop = min(size, offset + options.partByteLimit)
        found =
          lineEnd(descriptor, from: offset, size: stop, encoding: entry.checkpoint.encoding)
          ?? (stop < size ? lineEnd(descriptor, from: offset, size: size, encoding: entry.checkpoint.encoding) : nil)
        isLimited = found.map { stop < size && $0 <= stop } ?? false
      }
      guard let found else {
        entry.tornSize = size
        return nil
      }
      end = found
    }
    var part = Part(
      id: id, stream: entry.checkpoint.stream, path: entry.path, host: entry.checkpoint.host,
      descriptor: descriptor, offset: offset, lineCount: entry.checkpoint.lineCount,
      encoding: TextEncoding(rawValue: entry.checkpoint.encoding) ?? .utf8, memory: entry.checkpoint.memory, end: end,
      isLimited: isLimited, source: source(entry))
    // A byte order mark, and a line that is longer than a record may be, are the reader's.
    if holdsAll, let end, offset > 0, end - offset <= UInt64(Limits.recordByteLimit) {
      part.window = Int(offset - windowStart)..<Int(end - windowStart)
    }
    return part
  }

  /// How much of a file is read to find its place, and with it the lines there.
  private static let windowLimit: UInt64 = 64 * 1024

  /// Reads the window: from the beginning where that is near or not known yet, else from the fingerprint before the place.
  /// - Returns: false when it does not hold all that is to be compared.
  private func look(_ entry: Entry, _ descriptor: Int32, _ size: UInt64, needsHead: Bool) -> Bool {
    windowCount = 0
    windowStream = ""
    let offset = entry.checkpoint.offset
    guard options.usesWindow, size >= offset else { return false }
    let tailCount = UInt64(max(entry.checkpoint.fingerprint.tailCount, Fingerprint.tailLimit))
    let start = needsHead || offset < tailCount ? 0 : offset - tailCount
    let end = min(size, offset + Follower.windowLimit)
    guard end - start <= 2 * Follower.windowLimit else { return false }
    if window.count < Int(end - start) {
      window = [UInt8](repeating: 0, count: max(8192, Int(end - start)))
    } else if window.count > 16 * 1024, end - start <= 8192 {
      window = [UInt8](repeating: 0, count: 8192)
    }
    let got = window.withUnsafeMutableBytes { Follower.read(descriptor, $0.baseAddress!, Int(end - start), at: start) }
    guard start + UInt64(got) >= offset else { return false }
    windowStart = start
    windowCount = got
    windowStream = entry.checkpoint.stream
    return true
  }

  private func isWindowTail(_ checkpoint: FileCheckpoint) -> Bool {
    let count = checkpoint.fingerprint.tailCount
    if count == 0 { return true }
    let end = Int(checkpoint.offset - windowStart)
    return hash(window, end - count, end) == checkpoint.fingerprint.tailHash
  }

  private func hash(_ bytes: [UInt8], _ start: Int, _ end: Int) -> UInt64 { Fingerprint.hash(bytes.span, start, end) }

  /// As `lineEnd` for bytes that are in the window up to the end of the file, in an encoding of single bytes.
  private func windowLineEnd(from offset: UInt64) -> UInt64? {
    let first = Int(offset - windowStart)
    let bytes = window
    var index = windowCount - 1
    while index >= first, bytes[index] == 0 { index -= 1 }
    while index >= first {
      if bytes[index] == 0x0A { return windowStart + UInt64(index) + 1 }
      index -= 1
    }
    return nil
  }

  /// Books how far a part was read: bytes before `offset` are done with.
  package func finished(_ part: Part, at offset: UInt64, lineCount: UInt64, memory: [UInt8]) {
    guard let entry = files[part.id], entry.checkpoint.stream == part.stream else { return }
    let before = entry.checkpoint.offset
    entry.checkpoint.offset = offset
    entry.checkpoint.lineCount = lineCount
    entry.checkpoint.memory = memory
    if entry.descriptor >= 0 { setTail(entry) }
    // What is left is not whole yet: there is nothing to read until it grows.
    entry.tornSize = !part.isLimited && offset < entry.size ? entry.size : .max
    if part.isLimited, offset > before { mark(part.id) }
    if part.end == nil { settle(part.id) }
  }

  private func setTail(_ entry: Entry) {
    let offset = entry.checkpoint.offset
    let count = min(UInt64(Fingerprint.tailLimit), offset)
    guard windowStream == entry.checkpoint.stream, offset - count >= windowStart,
      offset <= windowStart + UInt64(windowCount)
    else { return Follower.setTail(&entry.checkpoint, entry.descriptor) }
    let end = Int(offset - windowStart)
    entry.checkpoint.fingerprint.tailCount = Int(count)
    entry.checkpoint.fingerprint.tailHash = hash(window, end - Int(count), end)
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
    guard let entry = files[id], entry.isGone || entry.checkpoint.isRotated else { return }
    if entry.descriptor >= 0 {
      var info = stat()
      if fstat(entry.descriptor, &info) == 0 {
        let size = UInt64(max(0, info.st_size))
        if size != entry.size {
          entry.size = size
          entry.quietSince = now
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
      mark(id)
      return
    }
    close(entry)
  }

  private func close(_ entry: Entry) {
    guard entry.descriptor >= 0 else { return }
    Glibc.close(entry.descriptor)
    openCount -= 1
    entry.descriptor = -1
    if let name = entry.keptName {
      keeper?.release(name)
      entry.keptName = nil
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
    if !forgotten.isEmpty { growing = growing.filter { files[$0.value] != nil } }
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
    if !entry.isGone {
      byPath[PathKey(entry.checkpoint.path)] = id
      if let key = growthKey(entry.checkpoint.path) { growing[key] = id }
    }
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
  private func setHead(_ id: Int, _ entry: Entry, _ descriptor: Int32, isWindow: Bool) {
    unindex(id)
    if isWindow {
      let count = min(windowCount, Fingerprint.headLimit)
      entry.checkpoint.fingerprint.headCount = count
      entry.checkpoint.fingerprint.headHash = hash(window, 0, count)
    } else {
      let head = Follower.bytes(descriptor, at: 0, count: Fingerprint.headLimit)
      entry.checkpoint.fingerprint.headCount = head.count
      entry.checkpoint.fingerprint.headHash = Fingerprint.hash(head.span, 0, head.count)
    }
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

  private func open(_ entry: Entry) -> Int32? {
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

  func use(_ id: Int, _ entry: Entry) {
    useCount += 1
    entry.usedAt = useCount
    uses.append((id, useCount))
    guard uses.count > 4096, uses.count > 4 * files.count else { return }
    uses = uses[usesStart...].filter { files[$0.id]?.usedAt == $0.usedAt }
    usesStart = 0
  }

  /// Closes the files that were used longest ago; those without a name stay open until they are read.
  private func limitOpenFiles(but id: Int) {
    while openCount > options.openFileLimit, usesStart < uses.count {
      let (other, usedAt) = uses[usesStart]
      usesStart += 1
      guard let entry = files[other], entry.usedAt == usedAt, entry.descriptor >= 0, !entry.isGone, other != id else {
        continue
      }
      if entry.isReady {
        // Its turn comes, and it counts as used then.
        continue
      }
      close(entry)
    }
    if usesStart > 4096, usesStart > uses.count / 2 {
      uses.removeFirst(usesStart)
      usesStart = 0
    }
  }

  private func isContentKnown(_ id: Int, at path: [UInt8]? = nil) -> Bool {
    guard let entry = files[id] else { return false }
    let checkpoint = entry.checkpoint
    // On a network share the descriptor may be of the file that had the inode before.
    if path == nil, entry.descriptor >= 0, !pollsAny { return Follower.isContent(of: checkpoint, entry.descriptor) }
    let descriptor = withCPath(path ?? checkpoint.path) { Glibc.open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }
    guard descriptor >= 0 else { return false }
    defer { Glibc.close(descriptor) }
    return Follower.isContent(of: checkpoint, descriptor)
  }

  static func isContent(of checkpoint: FileCheckpoint, _ descriptor: Int32) -> Bool {
    var info = stat()
    guard fstat(descriptor, &info) == 0, UInt64(max(0, info.st_size)) >= checkpoint.offset else { return false }
    let head = Follower.bytes(descriptor, at: 0, count: checkpoint.fingerprint.headCount)
    return head.count == checkpoint.fingerprint.headCount
      && Fingerprint.hash(head.span, 0, head.count) == checkpoint.fingerprint.headHash
      && isTail(checkpoint, descriptor)
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
      filled = read(descriptor, buffer.baseAddress!, count, at: offset)
    }
  }

  private static func read(_ descriptor: Int32, _ target: UnsafeMutableRawPointer, _ count: Int, at offset: UInt64)
    -> Int
  {
    var filled = 0
    while filled < count {
      let got = pread(descriptor, target + filled, count - filled, off_t(offset) + off_t(filled))
      if got < 0, errno == EINTR { continue }
      if got <= 0 { break }
      filled += got
    }
    return filled
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
