import Following
import Foundation
import Ingest
import Records
import TestSupport
import Testing

/// A part as it was handed out.
struct Delivery: Hashable {
  var path: String
  var offset: UInt64
  var end: UInt64?
  var isLimited: Bool
  /// What the window held of it is what stands in the file.
  var isTrue: Bool

  init(_ part: Follower.Part, window: [UInt8]) {
    path = part.path
    offset = part.offset
    end = part.end
    isLimited = part.isLimited
    isTrue = true
    guard let range = part.window else { return }
    var bytes = [UInt8](repeating: 0, count: range.count)
    let count = pread(part.descriptor, &bytes, bytes.count, off_t(part.offset))
    isTrue = count == range.count && part.end == part.offset + UInt64(count) && bytes == Array(window[range])
  }
}

/// A folder of logs, a follower on it, and what it delivered: lines by their text, how often.
final class Bench {
  let folder: String
  var follower: Follower
  var delivered: [String: Int] = [:]
  var parts: [Delivery] = []
  var clock = Timestamp(microseconds: 1_790_000_000_000_000)
  private let pattern: String
  private var options = Follower.Options()

  init(pattern: String = "**", startsAtEnd: Bool = false, setup: (String) throws -> Void = { _ in }) throws {
    folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/follow-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    self.pattern = folder + "/" + pattern
    options.startsAtEnd = startsAtEnd ? [0] : []
    try setup(folder)
    follower = try Follower(patterns: [try SourcePattern(self.pattern)], known: [], options: options)
    follower.scan(now: clock)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func path(_ name: String) -> String { folder + "/" + name }

  func append(_ text: String, to name: String) throws {
    let path = path(name)
    if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(text.utf8))
    try handle.close()
  }

  /// Replaces the content and keeps the inode.
  func rewrite(_ text: String, _ name: String) throws {
    let handle = try #require(FileHandle(forWritingAtPath: path(name)))
    try handle.truncate(atOffset: 0)
    try handle.write(contentsOf: Data(text.utf8))
    try handle.close()
  }

  func rename(_ from: String, _ to: String) throws {
    try FileManager.default.moveItem(atPath: path(from), toPath: path(to))
  }

  /// Reads everything that is ready.
  func drain(sweeps: Bool = false) {
    clock = clock.adding(minutes: 1)
    follower.drain(now: clock)
    if sweeps { follower.sweep(now: clock) }
    while let part = follower.next() { take(part) }
  }

  /// As between two rounds of a busy service: what grew is left for later.
  func rest() { follower.drain(now: clock) }

  private func take(_ part: Follower.Part) {
    parts.append(Delivery(part, window: follower.window))
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var offset = part.offset
    while part.end.map({ offset < $0 }) ?? true {
      let wanted = min(buffer.count, part.end.map { Int($0 - offset) } ?? buffer.count)
      let count = pread(part.descriptor, &buffer, wanted, off_t(offset))
      if count <= 0 { break }
      bytes += buffer[..<count]
      offset += UInt64(count)
    }
    for line in bytes.split(separator: 0x0A) { delivered[String(decoding: line, as: UTF8.self), default: 0] += 1 }
    follower.finished(part, at: offset, lineCount: 0, memory: [])
  }

  /// The end of the process and a new one that goes on from its checkpoints.
  func restart(_ setup: (Follower) -> Void = { _ in }) throws {
    let known = try follower.checkpoints.map {
      try #require(FileCheckpoint(stored: $0.stored))
    }
    follower = try Follower(patterns: [try SourcePattern(pattern)], known: known, options: options)
    setup(follower)
    follower.scan(now: clock)
  }

  /// Long after the last write: rotated files have their last lines.
  func settle() {
    for _ in 0..<4 { drain(sweeps: true) }
  }
}

@Suite struct FollowerTests {
  @Test func linesAreDeliveredAsTheyCome() throws {
    let bench = try Bench()
    try bench.append("one\ntwo\nthr", to: "a.log")
    bench.drain()
    #expect(bench.delivered == ["one": 1, "two": 1])
    try bench.append("ee\n", to: "a.log")
    bench.drain()
    #expect(bench.delivered == ["one": 1, "two": 1, "three": 1])
    #expect(!bench.follower.hasReady)
  }

  @Test func whatGrewDuringARestIsReadAfterIt() throws {
    let bench = try Bench()
    try bench.append("one\n", to: "a.log")
    bench.drain()
    try bench.append("two\n", to: "a.log")
    bench.rest()
    #expect(bench.follower.hasReady && bench.delivered == ["one": 1])
    // What else happens is taken as ever.
    try bench.rename("a.log", "a.lo_")
    try bench.append("three\n", to: "a.log")
    bench.rest()
    bench.drain()
    #expect(bench.delivered == ["one": 1, "two": 1, "three": 1])
    #expect(!bench.follower.hasReady)
  }

  /// What is stored comes back, and damage is seen.
  @Test func aCheckpointIsStoredInBytes() throws {
    let bench = try Bench()
    try bench.append("one\ntwo\n", to: "a.log")
    bench.drain()
    var checkpoint = try #require(bench.follower.checkpoints.first)
    checkpoint.host = "PC-1"
    checkpoint.memory = [1, 2, 3]
    checkpoint.isRotated = true
    let bytes = checkpoint.stored
    #expect(FileCheckpoint(stored: bytes) == checkpoint)
    checkpoint.host = nil
    #expect(FileCheckpoint(stored: checkpoint.stored)?.host == .some(nil))
    for count in 0..<bytes.count { #expect(FileCheckpoint(stored: Array(bytes[..<count])) == nil) }
    #expect(FileCheckpoint(stored: bytes + [0]) == nil)
    #expect(FileCheckpoint(stored: [2] + bytes.dropFirst()) == nil)
  }

  @Test func aRenamedFileIsReadToItsEndAndItsNameBeginsAnew() throws {
    let bench = try Bench()
    try bench.append("a1\na2\n", to: "a.log")
    bench.drain()
    try bench.append("a3\n", to: "a.log")
    try bench.rename("a.log", "a.lo_")
    try bench.append("b1\n", to: "a.log")
    try bench.append("a4 torn", to: "a.lo_")
    bench.drain()
    bench.settle()
    #expect(bench.delivered == ["a1": 1, "a2": 1, "a3": 1, "a4 torn": 1, "b1": 1])
  }

  @Test func aFileThatIsRenamedOutOfSightIsReadToItsEnd() throws {
    let bench = try Bench(pattern: "*.log")
    try bench.append("a1\n", to: "a.log")
    bench.drain()
    try bench.append("a2\n", to: "a.log")
    try bench.rename("a.log", "a.log.1")
    try bench.append("b1\n", to: "a.log")
    bench.drain()
    #expect(bench.delivered == ["a1": 1, "a2": 1, "b1": 1])
  }

  @Test func copyAndTruncateLosesAndDoublesNothing() throws {
    let bench = try Bench()
    let head = String(repeating: "x", count: 100)
    try bench.append("\(head)1\n\(head)2\n", to: "a.log")
    bench.drain()
    try bench.append("\(head)3\n", to: "a.log")
    try FileManager.default.copyItem(atPath: bench.path("a.log"), toPath: bench.path("a.log.1"))
    try bench.rewrite("", "a.log")
    try bench.append("\(head)4\n", to: "a.log")
    bench.drain()
    bench.settle()
    #expect(bench.delivered == ["\(head)1": 1, "\(head)2": 1, "\(head)3": 1, "\(head)4": 1])
  }

  @Test func newContentInPlaceIsReadEvenWhenItIsLonger() throws {
    let bench = try Bench()
    try bench.append("old one of some length\n", to: "a.log")
    bench.drain()
    try bench.rewrite("new one that is quite a bit longer than the old\nand one more\n", "a.log")
    bench.drain()
    #expect(bench.delivered["new one that is quite a bit longer than the old"] == 1)
    #expect(bench.delivered["and one more"] == 1)
    #expect(bench.delivered["old one of some length"] == 1)
  }

  @Test func filesThatBeginAlikeAreKeptApart() throws {
    let head = "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n"
    let bench = try Bench()
    try bench.append(head + "row 1\n", to: "u_ex1.log")
    bench.drain()
    try bench.append(head + "row 2\n", to: "u_ex2.log")
    bench.drain()
    #expect(bench.delivered["row 1"] == 1 && bench.delivered["row 2"] == 1)
  }

  @Test func rotationWhileNobodyWatchedIsFollowed() throws {
    let bench = try Bench()
    try bench.append("a1\n", to: "a.log")
    bench.drain()
    try bench.append("a2\n", to: "a.log")
    try bench.rename("a.log", "a-20261126.log")
    try bench.append("b1\n", to: "a.log")
    try bench.restart()
    bench.drain()
    bench.settle()
    #expect(bench.delivered == ["a1": 1, "a2": 1, "b1": 1])
  }

  /// Over SMB the new file has the old one's inode and the renamed file a new one: here by copying.
  @Test func anInodeThatBelongsToThePathDoesNotMislead() throws {
    let bench = try Bench()
    let text = (1...20).map { "line \($0) of the first file\n" }.joined()
    try bench.append(text, to: "a.log")
    bench.drain()
    try FileManager.default.copyItem(atPath: bench.path("a.log"), toPath: bench.path("a.log.1"))
    try bench.rewrite("a new file\n", "a.log")
    bench.drain()
    bench.settle()
    #expect(bench.delivered.values.allSatisfy { $0 == 1 })
    #expect(bench.delivered["a new file"] == 1 && bench.delivered.count == 21)
  }

  @Test func nulBytesAtTheEndAreNotWrittenYet() throws {
    let bench = try Bench()
    try bench.append("a1\n", to: "a.log")
    let handle = try #require(FileHandle(forWritingAtPath: bench.path("a.log")))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(repeating: 0, count: 5000))
    bench.drain()
    #expect(bench.delivered == ["a1": 1])
    try handle.seek(toOffset: 3)
    try handle.write(contentsOf: Data("a2 in place of them\n".utf8))
    bench.drain()
    #expect(bench.delivered == ["a1": 1, "a2 in place of them": 1])
    try handle.close()
  }

  @Test func deletedAndMadeAnew() throws {
    let bench = try Bench()
    try bench.append("a1\n", to: "a.log")
    bench.drain()
    try FileManager.default.removeItem(atPath: bench.path("a.log"))
    try bench.append("b1\n", to: "a.log")
    bench.drain()
    #expect(bench.delivered == ["a1": 1, "b1": 1])
  }

  @Test func foldersThatComeLaterAreWatched() throws {
    let bench = try Bench(pattern: "{host}/**/*.log")
    try FileManager.default.createDirectory(
      atPath: bench.path("PC-1/CCM/Logs"), withIntermediateDirectories: true)
    bench.drain()
    try bench.append("a1\n", to: "PC-1/CCM/Logs/x.log")
    try bench.append("no\n", to: "PC-1/CCM/Logs/x.txt")
    bench.drain()
    #expect(bench.delivered == ["a1": 1])
    #expect(bench.follower.states.map(\.host) == ["PC-1"])
  }

  @Test func containersAndUnreadableFilesAreShown() throws {
    let bench = try Bench()
    try Data([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]).write(to: URL(fileURLWithPath: bench.path("a.log.gz")))
    bench.drain()
    #expect(bench.delivered.isEmpty)
    guard case .container = bench.follower.states.first?.trouble else {
      Issue.record("the archive is not shown: \(bench.follower.states)")
      return
    }
  }

  /// What is read at once and what is read piece by piece are the same parts, whatever is done to the files.
  @Test(arguments: UInt64(0)..<40)
  func theWindowGivesTheSameParts(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let bench = try Bench()
    var options = Follower.Options()
    options.usesWindow = false
    let twin = try Follower(patterns: [try SourcePattern(bench.folder + "/**")], known: [], options: options)
    twin.scan(now: bench.clock)
    var plain: [Delivery] = []
    for step in 0..<40 {
      let name = "\(Int.random(in: 0..<3, using: &random)).log"
      let path = bench.path(name)
      var text = ""
      for _ in 0..<Int.random(in: 0...6, using: &random) {
        text += "\(seed) \(step) " + String(repeating: "x", count: Int.random(in: 0...400, using: &random)) + "\n"
      }
      switch Int.random(in: 0..<12, using: &random) {
      case 0: text += "torn"
      case 1: text += String(repeating: "\0", count: 300)
      case 2: text = String(repeating: text + "y\n", count: Int.random(in: 1...200, using: &random))
      case 3 where FileManager.default.fileExists(atPath: path): try bench.rewrite(text, name)
      case 4 where FileManager.default.fileExists(atPath: path): try bench.rename(name, "\(name).\(step)")
      default: break
      }
      try bench.append(text, to: name)
      bench.drain()
      twin.drain(now: bench.clock)
      while let part = twin.next() {
        #expect(part.window == nil)
        plain.append(Delivery(part, window: []))
        twin.finished(part, at: part.end ?? part.offset, lineCount: 0, memory: [])
      }
    }
    let areTrue = bench.parts.allSatisfy { $0.isTrue }
    #expect(areTrue)
    #expect(bench.parts == plain)
    #expect(bench.parts.count > 10)
    func sorted(_ checkpoints: [FileCheckpoint]) -> [FileCheckpoint.Place] {
      checkpoints.map(FileCheckpoint.Place.init).sorted { ($0.path, $0.offset) < ($1.path, $1.offset) }
    }
    #expect(sorted(bench.follower.checkpoints) == sorted(twin.checkpoints))
  }

  /// A file without a name is kept by its descriptor until it was read and has been quiet; the next process takes it over when
  /// device, inode and content are those it knows, and gives all others up.
  @Test func descriptorsOutliveTheProcess() throws {
    let bench = try Bench()
    let kept = Kept()
    bench.follower.keeper = kept.keeper
    bench.follower.keepGone()
    let old = String(repeating: "o", count: 200)
    try bench.append(old + " 1\n", to: "a.log")
    try bench.append(old + " 2\n", to: "b.log")
    bench.drain()
    // Somebody holds it, writes, and its name is gone.
    let writer = try #require(FileHandle(forWritingAtPath: bench.path("a.log")))
    try writer.seekToEnd()
    try FileManager.default.removeItem(atPath: bench.path("a.log"))
    bench.drain()
    #expect(kept.names == ["@file-1"])
    try writer.write(contentsOf: Data("gone\n".utf8))
    // The end of the process; then the other one is replaced.
    bench.follower.keepOpen(limit: 100)
    #expect(kept.names == ["@file-1", "@files"])
    try bench.append("late\n", to: "b.log")
    try FileManager.default.removeItem(atPath: bench.path("b.log"))
    try bench.append("new\n", to: "b.log")
    // Descriptors of files that nobody knows, and one of a known file that was rewritten.
    let stranger = open("/dev/null", O_RDONLY | O_CLOEXEC)
    let given = kept.descriptors + [("@file-7", stranger)]
    kept.descriptors = []
    try bench.restart {
      $0.keeper = kept.keeper
      $0.takeOver(given, now: bench.clock)
    }
    #expect(kept.released == ["@file-7"])
    #expect(fcntl(stranger, F_GETFD) == -1, "a descriptor that is of no use stays open")
    bench.follower.keepGone()
    bench.drain()
    #expect(bench.delivered[old + " 1"] == 1 && bench.delivered[old + " 2"] == 1)
    #expect(bench.delivered["gone"] == 1 && bench.delivered["late"] == 1 && bench.delivered["new"] == 1)
    // What was deleted during the restart is kept from now on by a name of its own, that was never given before.
    #expect(kept.names == ["@file-8"])
    bench.settle()
    #expect(Set(kept.released) == ["@file-7", "@file-1", "@file-8"])
  }

  /// The content decides: the inode of a kept descriptor says little after a rewrite.
  @Test func aDescriptorOfOtherContentIsGivenUp() throws {
    let bench = try Bench()
    let kept = Kept()
    bench.follower.keeper = kept.keeper
    try bench.append(String(repeating: "o", count: 300) + "\n", to: "a.log")
    bench.drain()
    bench.follower.keepOpen(limit: 100)
    try bench.rewrite(String(repeating: "n", count: 400) + "\n", "a.log")
    let given = kept.descriptors
    try bench.restart { $0.takeOver(given, now: bench.clock) }
    let isClosed = given.allSatisfy { fcntl($0.descriptor, F_GETFD) == -1 || isOpenElsewhere($0.descriptor) }
    #expect(given.count == 1)
    #expect(isClosed)
    bench.drain()
    #expect(bench.delivered[String(repeating: "n", count: 400)] == 1)
  }

  private func isOpenElsewhere(_ descriptor: Int32) -> Bool {
    // The number may be used again by then, for another file than the log.
    let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
    return path?.hasSuffix("a.log") != true
  }

  @Test func startAtTheEndBelongsToItsSource() throws {
    let folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/sources-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for name in ["a", "b"] {
      try FileManager.default.createDirectory(atPath: folder + "/" + name, withIntermediateDirectories: true)
      try Data("old \(name)\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)/x.log"))
    }
    var options = Follower.Options()
    options.startsAtEnd = [1]
    let follower = try Follower(
      patterns: [try SourcePattern(folder + "/a/**"), try SourcePattern(folder + "/b/**")], known: [], options: options)
    follower.scan(now: Timestamp(microseconds: 1_790_000_000_000_000))
    let part = try #require(follower.next())
    #expect(part.path.hasSuffix("/a/x.log") && part.source == 0 && part.offset == 0)
    #expect(follower.next() == nil)
    #expect(follower.skipped.count == 1)
    let handle = try #require(FileHandle(forWritingAtPath: folder + "/b/x.log"))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("new b\n".utf8))
    follower.drain(now: Timestamp(microseconds: 1_790_000_000_000_000))
    let later = try #require(follower.next())
    #expect(later.path.hasSuffix("/b/x.log") && later.source == 1 && later.offset == 6)
  }

  @Test func startAtTheEndReadsWhatComesAfterIt() throws {
    let bench = try Bench(startsAtEnd: true) { folder in
      try Data("old\n".utf8).write(to: URL(fileURLWithPath: folder + "/a.log"))
    }
    bench.drain()
    try bench.append("new\n", to: "a.log")
    try bench.append("first\n", to: "b.log")
    bench.drain()
    #expect(bench.delivered == ["new": 1, "first": 1])
  }

  /// Scripts of file actions beside a model: every line that was not destroyed unread comes once, and nothing twice.
  @Test(arguments: UInt64(0)..<(UInt64(ProcessInfo.processInfo.environment["HANDSHAKED_TAIL_SCRIPTS"] ?? "") ?? 300))
  func anyScriptOfActions(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let bench = try Bench()
    var number = 0
    /// Written and not destroyed while unread.
    var wanted: Set<String> = []
    /// May have been read before they were destroyed.
    var allowed: Set<String> = []
    var unread: Set<String> = []
    var torn: String?
    var generation = 0
    func line() -> String {
      number += 1
      return "\(seed)-\(number)-" + String(repeating: "y", count: Int.random(in: 64...160, using: &random))
    }
    func write(_ count: Int) throws {
      if let begun = torn {
        try bench.append("#\n", to: "a.log")
        wanted.insert(begun + "#")
        unread.insert(begun + "#")
        torn = nil
      }
      for _ in 0..<count {
        let text = line()
        try bench.append(text + "\n", to: "a.log")
        wanted.insert(text)
        unread.insert(text)
      }
    }
    func drain() {
      bench.drain(sweeps: Bool.random(using: &random))
      unread.removeAll()
    }
    var actions: [String] = []
    for _ in 0..<25 {
      let action = Int.random(in: 0..<13, using: &random)
      actions.append("\(action)")
      switch action {
      case 0...3: try write(Int.random(in: 1...5, using: &random))
      case 4, 5: drain()
      case 12: bench.rest()
      case 6:
        try write(1)
        torn = line()
        try bench.append(torn!, to: "a.log")
      case 7:  // rename, create
        try write(1)
        generation += 1
        try bench.rename("a.log", "a-\(generation).log")
        if let last = torn { wanted.insert(last) }
        torn = nil
        try write(Int.random(in: 0...2, using: &random))
      case 8:  // copytruncate: what is known of the file is at least a line of some length
        try write(1)
        drain()
        try write(Int.random(in: 0...3, using: &random))
        generation += 1
        try FileManager.default.copyItem(atPath: bench.path("a.log"), toPath: bench.path("a-\(generation).log"))
        try bench.rewrite("", "a.log")
        torn = nil
        drain()
      case 9:  // rewrite in place, longer; unread lines are destroyed
        try write(1)
        wanted.subtract(unread)
        allowed.formUnion(unread)
        unread.removeAll()
        torn = nil
        let size = try FileManager.default.attributesOfItem(atPath: bench.path("a.log"))[.size] as! Int
        let texts = (0...(size / 40)).map { _ in line() + String(repeating: "z", count: 40) }
        try bench.rewrite(texts.map { $0 + "\n" }.joined(), "a.log")
        wanted.formUnion(texts)
        unread.formUnion(texts)
      case 10:  // delete, create anew; unread lines are destroyed
        try write(1)
        wanted.subtract(unread)
        allowed.formUnion(unread)
        if let last = torn { allowed.insert(last) }
        unread.removeAll()
        torn = nil
        try FileManager.default.removeItem(atPath: bench.path("a.log"))
        try write(1)
      default:  // crash
        try bench.restart()
      }
    }
    if let last = torn { allowed.insert(last) }
    drain()
    bench.settle()
    let twice = bench.delivered.filter { $0.value > 1 }.keys
    let missing = wanted.subtracting(bench.delivered.keys)
    let unknown = Set(bench.delivered.keys).subtracting(wanted).subtracting(allowed)
    if !(twice.isEmpty && missing.isEmpty && unknown.isEmpty) {
      Issue.record("\(actions): twice \(twice) missing \(missing) unknown \(unknown)")
    }
  }

  @Test func tenThousandFilesAreFewSystemCalls() throws {
    let count = 10_000
    let bench = try Bench { folder in
      for host in 0..<100 {
        try FileManager.default.createDirectory(atPath: "\(folder)/PC-\(host)", withIntermediateDirectories: true)
        for log in 0..<(count / 100) {
          let line = "PC-\(host) \(log) " + String(repeating: "w", count: 200) + "\n"
          try Data(line.utf8).write(to: URL(fileURLWithPath: "\(folder)/PC-\(host)/\(log).log"))
        }
      }
    }
    bench.drain()
    #expect(bench.delivered.count == count && bench.delivered.values.allSatisfy { $0 == 1 })
    try bench.append("more\n", to: "PC-7/3.log")
    bench.drain()
    #expect(bench.delivered["more"] == 1)
    let clock = ContinuousClock()
    let spent = clock.measure { bench.follower.sweep(now: bench.clock) }
    print("MEASURED: a sweep of \(count) files: \(spent)")
    #expect(!bench.follower.hasReady)
  }
}

extension FileCheckpoint {
  /// Where a reading stands, without what is chosen at random.
  struct Place: Hashable {
    var path: String
    var offset: UInt64
    var fingerprint: Fingerprint
    var isRotated: Bool

    init(_ checkpoint: FileCheckpoint) {
      path = String(decoding: checkpoint.path, as: UTF8.self)
      offset = checkpoint.offset
      fingerprint = checkpoint.fingerprint
      isRotated = checkpoint.isRotated
    }
  }
}

/// A service manager that keeps descriptors.
private final class Kept {
  var descriptors: [(name: String, descriptor: Int32)] = []
  var released: [String] = []
  var names: [String] { Set(descriptors.map(\.name)).sorted() }

  /// Only used on one thread.
  var keeper: FileKeeper {
    nonisolated(unsafe) let this = self
    return FileKeeper(
      keep: { given, name in
        this.descriptors += given.map { (name, fcntl($0, F_DUPFD_CLOEXEC, 0)) }
        return true
      },
      release: { name in
        for kept in this.descriptors where kept.name == name { close(kept.descriptor) }
        this.descriptors.removeAll { $0.name == name }
        this.released.append(name)
      })
  }
}

@Suite struct SourcePatternTests {
  private func match(_ pattern: String, _ path: String) throws -> SourcePattern.Match {
    try SourcePattern(pattern).match(Array(path.utf8))
  }

  @Test func patternsNameFilesAndHosts() throws {
    #expect(try match("/l/{host}/**/*.log", "/l/PC-1/CCM/Logs/x.log") == .yes(host: "PC-1"))
    #expect(try match("/l/{host}/**/*.log", "/l/PC-1/x.log") == .yes(host: "PC-1"))
    #expect(try match("/l/{host}/**/*.log", "/l/x.log") == .no)
    #expect(try match("/l/{host}-*.log", "/l/PC-1-CcmExec.log") == .yes(host: "PC-1"))
    #expect(try match("/l/**", "/l/a/b") == .yes(host: nil))
    #expect(try match("/l/", "/l/a/b") == .yes(host: nil))
    #expect(try match("/l/?.log", "/l/ab.log") == .no)
    #expect(try SourcePattern("/l/{host}/x/*.log").base == Array("/l".utf8))
    #expect(try SourcePattern("/l/*/x/**").mayHold(Array("/l/q/x/y".utf8)))
    #expect(try !SourcePattern("/l/*/x/*.log").mayHold(Array("/l/q/z".utf8)))
  }

  @Test(arguments: ["l/*.log", "/l/**x", "/l/{host}/{host}", "/l/{name}"])
  func faultsNameTheWayOut(pattern: String) {
    let fault = #expect(throws: SourcePattern.Fault.self) { try SourcePattern(pattern) }
    #expect(fault?.fix.isEmpty == false)
  }
}
