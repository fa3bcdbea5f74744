import Glibc
import Records
import Store

// What the tests of the store kill, starve of space and feed with faults.
//
//     store-victim grow PATH SEED          commits without end; a line with the offset after each commit
//     store-victim check PATH              one line of what must agree
//     store-victim full FOLDER             fills the file system, commits until there is no space, frees it, goes on
//     store-victim faults PATH COUNT       commits COUNT times, each again until it succeeds; prints each error's kind

/// One line, written at once: the process may be killed before its buffers are.
func say(_ line: some Any) {
  let bytes = Array("\(line)\n".utf8)
  _ = write(1, bytes, bytes.count)
}

func fail(_ reason: String) -> Never {
  say("failed: \(reason)")
  exit(1)
}

let arguments = CommandLine.arguments
guard arguments.count >= 3 else { fail("usage: store-victim grow|check|full|faults PATH …") }
let epoch = Timestamp(year: 2026, month: 3, day: 2, hour: 0, minute: 0, second: 0)
let everything = Timestamp(microseconds: 0)..<Timestamp(microseconds: epoch.microseconds * 2)

/// A log that is read line by line: every byte is one exchange, every seventh a failure.
struct Reader {
  var offset: UInt64
  var generator: SeededRandom

  /// The next part of the log, and what has become true with it.
  mutating func next() -> StoreChange {
    let from = offset
    let to = from + UInt64.random(in: 1...60, using: &generator)
    offset = to
    var change = StoreChange(at: epoch)
    var extent = Extent(file: "log", from: from, to: to)
    for byte in from..<to {
      let time = Timestamp(microseconds: epoch.microseconds + Int64(byte) * 60_000_000)
      let party: Party =
        byte % 3 == 0
        ? .address(IPAddress(high: 0, low: byte % 50)) : byte % 3 == 1 ? .host("pc-\(byte)") : .guid("g-\(byte % 9)")
      extent.activities.append(Activity(server: "mp01", party: party, at: time, role: "mp", outcome: .succeeded))
      if byte % 7 == 0 {
        var finding = Finding(
          signature: "s", findingClass: .certificate, cause: .expired, severity: .error, stream: 0, path: "log",
          offset: byte, length: 1, line: byte, confidence: .seen)
        finding.time = time
        extent.findings.append(Extent.Item(finding))
      }
    }
    change.extents = [extent]
    change.checkpoints = [Checkpoint(key: "log", offset: to, value: Array("\(to)".utf8))]
    change.incidents = [StoredIncident(id: "i", key: "k", isOpen: true, time: epoch, value: Array("\(to)".utf8))]
    // One message waits at any time: that of the newest part.
    change.outbox = [OutboxMessage(id: MessageID(incident: "i", sequence: to), fields: [("OFFSET", "\(to)")])]
    if from > 0 { change.confirmed = [MessageID(incident: "i", sequence: from)] }
    return change
  }
}

/// splitmix64; the seed is the test's.
struct SeededRandom: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

func open(_ path: String) throws(StoreError) -> StateStore {
  let (store, note) = try StateStore.open(path: path, at: epoch)
  if case .setAside(_, let reason) = note.outcome { fail("set aside: \(reason)") }
  return store
}

/// Offset, and what must be the same number, or follow from it.
func facts(_ store: StateStore) throws(StoreError) -> String {
  let state = try store.load()
  let offset = state.checkpoints.first?.offset ?? 0
  var query = ActivityQuery(times: epoch..<Timestamp(microseconds: epoch.microseconds + 300 * 86_400_000_000))
  query.limit = .max
  let activities = try store.activities(query)
  var counted: UInt64 = 0
  for activity in activities { counted += activity.count }
  var findingQuery = FindingQuery()
  findingQuery.limit = .max
  let findings = try store.findings(findingQuery)
  let agrees =
    counted == offset && UInt64(findings.count) == (offset + 6) / 7
    && findings.allSatisfy { $0.finding.offset % 7 == 0 } && !activities.contains { $0.isLowerBound }
    && state.incidents.map { String(decoding: $0.value, as: UTF8.self) } == (offset == 0 ? [] : ["\(offset)"])
    && state.outbox.map { $0.fields } == (offset == 0 ? [] : [[OutboxMessage.Field("OFFSET", "\(offset)")]])
    && state.checkpoints.allSatisfy { $0.value == Array("\(offset)".utf8) }
  return "\(agrees ? "agrees" : "DIFFERS") offset \(offset) counted \(counted) findings \(findings.count)"
}

do {
  switch arguments[1] {
  case "grow":
    let store = try open(arguments[2])
    let offset = try store.load().checkpoints.first?.offset ?? 0
    var reader = Reader(offset: offset, generator: SeededRandom(state: UInt64(arguments[3])!))
    while true {
      try store.commit(reader.next())
      say(reader.offset)
    }

  case "check":
    say(try facts(try open(arguments[2])))

  case "full":
    let store = try open(arguments[2] + "/state.db")
    var reader = Reader(offset: 0, generator: SeededRandom(state: 1))
    for _ in 0..<3 { try store.commit(reader.next()) }
    try store.checkpoint()
    let ballast = Glibc.open(arguments[2] + "/ballast", O_CREAT | O_WRONLY, 0o600)
    let block = [UInt8](repeating: 1, count: 4096)
    while write(ballast, block, block.count) > 0 {}
    var refused: StoreChange?
    for _ in 0..<10_000 where refused == nil {
      let change = reader.next()
      do { try store.commit(change) } catch {
        guard error.kind == .full, error.isTemporary else { fail("\(error)") }
        refused = change
      }
    }
    guard let refused else { fail("there was always space") }
    say("full")
    for _ in 0..<10 {
      do { try store.commit(refused) } catch {
        guard error.kind == .full else { fail("\(error)") }
        continue
      }
      fail("the same change found space")
    }
    _ = try store.load()
    ftruncate(ballast, 0)
    try store.commit(refused)
    // The log is as large as this file system may become; it is moved before that.
    for _ in 0..<20 {
      try store.checkpoint()
      try store.commit(reader.next())
    }
    say(try facts(store))

  case "faults":
    let store = try open(arguments[2])
    let offset = try store.load().checkpoints.first?.offset ?? 0
    var reader = Reader(offset: offset, generator: SeededRandom(state: 2))
    for _ in 0..<Int(arguments[3])! {
      let change = reader.next()
      var attempts = 0
      while true {
        do {
          try store.commit(change)
          break
        } catch {
          say(error.kind.rawValue)
          attempts += 1
          guard error.isTemporary, attempts < 1000 else { fail("\(error) (\(error.code))") }
        }
      }
      do { try store.checkpoint() } catch { say("log: \(error.kind.rawValue)") }
    }
    say(try facts(store))

  default: fail("no such mode")
  }
} catch { fail("\(error)") }
