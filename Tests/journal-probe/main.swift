import Glibc
import Journal
import Records
import Synchronization

// What the tests run beside a journald of their own, to do to both what happens in life. Every line says one fact.
//
//     journal-probe entries             entries of every shape
//     journal-probe stall COUNT         journald is stopped, COUNT messages are delivered, journald goes on
//     journal-probe restart             journald is killed, with messages in its socket, and started again
//     journal-probe missing             the socket goes away and comes back
//     journal-probe crash COUNT AFTER   delivers COUNT messages and kills itself when AFTER are confirmed
//     journal-probe resume COUNT        delivers the same COUNT again, as the next process would; continues journald
//     journal-probe rate COUNT
//     journal-probe notify | listen     what sd_notify(3) and sd_listen_fds(3) are about

func say(_ line: String) {
  let bytes = Array((line + "\n").utf8)
  _ = write(1, bytes, bytes.count)
}

func fail(_ reason: String) -> Never {
  say("failed: \(reason)")
  exit(1)
}

/// Counts confirmations; waiting is on a condition, with a deadline.
final class Confirmations: Sendable {
  private let state = Mutex<[MessageID: Int]>([:])
  private let event = eventDescriptor()

  func note(_ ids: [MessageID]) {
    state.withLock { counts in for id in ids { counts[id, default: 0] += 1 } }
    var byte: UInt8 = 1
    _ = write(event.write, &byte, 1)
  }

  var count: Int { state.withLock { $0.count } }
  var isEachOnce: Bool { state.withLock { $0.values.allSatisfy { $0 == 1 } } }

  /// Whether `condition` came true in time; looked at after each confirmation, and every 10 ms.
  func wait(_ seconds: Double, until condition: () -> Bool) -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while !condition() {
      guard ContinuousClock.now < end else { return false }
      var entry = pollfd(fd: event.read, events: Int16(POLLIN), revents: 0)
      if poll(&entry, 1, 10) > 0 {
        var bytes = [UInt8](repeating: 0, count: 256)
        _ = read(event.read, &bytes, bytes.count)
      }
    }
    return true
  }

  private static func eventDescriptor() -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { fail("pipe") }
    for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
    return (ends[0], ends[1])
  }
}

func entry(_ number: Int, _ more: [(name: String, value: String)] = []) -> JournalEntry {
  do {
    return try JournalEntry(
      id: MessageID(incident: "incident-\(number % 3)", sequence: UInt64(number)),
      fields: [
        ("MESSAGE", "message \(number)"), ("PRIORITY", "4"), ("MESSAGE_ID", "6d3b0f1d9e8f4f0cb6b0a3b1c2d3e4f5"),
      ] + more)
  } catch { fail("\(error)") }
}

func journaldID() -> pid_t {
  guard let text = getenv("JOURNALD_PID"), let id = pid_t(String(cString: text)) else { fail("no JOURNALD_PID") }
  return id
}

func startJournald() -> pid_t {
  var id: pid_t = 0
  let path = "/lib/systemd/systemd-journald"
  let name = strdup(path)
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  guard posix_spawn(&id, path, nil, &attributes, [name, nil], environ) == 0 else { fail("journald does not start") }
  return id
}

let confirmations = Confirmations()
let delivery = JournalDelivery(confirmation: .milliseconds(300)) { confirmations.note($0) }

/// Delivers messages and says how long the longest call took.
func deliver(_ numbers: Range<Int>, perhapsSent: Bool = false) {
  var longest = Duration.zero
  for number in numbers {
    let start = ContinuousClock.now
    guard delivery.deliver(entry(number), perhapsSent: perhapsSent) else { fail("message \(number) was not taken") }
    longest = max(longest, ContinuousClock.now - start)
  }
  say("blocked \(longest > .milliseconds(500))")
}

func expectAll(_ count: Int, within seconds: Double = 30) {
  guard confirmations.wait(seconds, until: { confirmations.count == count }) else {
    fail("\(confirmations.count) of \(count) confirmed; \(delivery.health)")
  }
  say("confirmed \(count) each once \(confirmations.isEachOnce), waiting \(delivery.waitingCount)")
}

func expectHealth(_ what: String, _ condition: @escaping (JournalHealth) -> Bool) {
  guard confirmations.wait(20, until: { condition(delivery.health) }) else { fail("health is \(delivery.health)") }
  say("health \(what)")
}

let arguments = CommandLine.arguments
let count = arguments.count > 2 ? Int(arguments[2])! : 0

switch arguments.count > 1 ? arguments[1] : "" {
case "entries":
  let long = String(repeating: "ä", count: 20_000)
  guard
    delivery.deliver(
      entry(
        1,
        [
          ("HANDSHAKED_REMEDY", "first line\nsecond = line\n"), ("HANDSHAKED_CLIENT", "PC-1"),
          ("HANDSHAKED_CLIENT", "PC-2"),
        ])),
    delivery.deliver(entry(2, [("HANDSHAKED_REMEDY", long)])),
    delivery.deliver(entry(3, (0..<300).map { ("HANDSHAKED_EVIDENCE", "log:\($0)+1") })),
    delivery.deliver(
      entry(4, (0..<20).map { ("HANDSHAKED_EVIDENCE", "\($0)" + String(repeating: "x", count: 15_000)) }))
  else { fail("not taken") }
  expectAll(4)

case "stall":
  let journald = journaldID()
  deliver(0..<1)
  expectAll(1)
  kill(journald, SIGSTOP)
  deliver(1..<count)
  guard delivery.waitingCount == count - 1 else { fail("not all wait") }
  // Long enough for every message that was handed over to be in doubt more than once.
  if confirmations.wait(2.5, until: { confirmations.count > 1 }) { fail("confirmed by a stopped journald") }
  expectHealth("stalled") { if case .stalled = $0 { true } else { false } }
  var taken = 0
  while delivery.deliver(entry(1_000_000 + taken)) { taken += 1 }
  say("full at \(count - 1 + taken)")
  kill(journald, SIGCONT)
  expectAll(count + taken)
  expectHealth("ready") { $0 == .ready }

case "restart":
  var journald = journaldID()
  kill(journald, SIGSTOP)
  deliver(0..<40)
  expectHealth("stalled") { if case .stalled = $0 { true } else { false } }
  // With the messages in its socket.
  kill(journald, SIGKILL)
  expectHealth("refused") { if case .refused = $0 { true } else { false } }
  journald = startJournald()
  expectAll(40)
  kill(journald, SIGKILL)
  waitpid(journald, nil, 0)
  deliver(40..<60)
  expectHealth("refused") { if case .refused = $0 { true } else { false } }
  _ = startJournald()
  expectAll(60)
  expectHealth("ready") { $0 == .ready }

case "missing":
  let journald = journaldID()
  kill(journald, SIGKILL)
  unlink(JournalWriter.socketPath)
  deliver(0..<20)
  expectHealth("missing") { $0 == .missing }
  _ = startJournald()
  expectAll(20)
  expectHealth("ready") { $0 == .ready }

case "crash":
  let after = Int(arguments[3])!
  deliver(0..<count)
  guard confirmations.wait(30, until: { confirmations.count >= after }) else { fail("too few confirmed") }
  // With a stopped journald none is: until its socket is full.
  if after == 0 { expectHealth("stalled") { if case .stalled = $0 { true } else { false } } }
  kill(getpid(), SIGKILL)

case "resume":
  deliver(0..<count, perhapsSent: true)
  // A stopped journald holds what the process before this one sent: not to be sent again.
  if arguments.count > 3 {
    if confirmations.wait(1.5, until: { confirmations.count > 0 }) { fail("confirmed by a stopped journald") }
    kill(journaldID(), SIGCONT)
  }
  expectAll(count)

case "rate":
  let start = ContinuousClock.now
  for number in 0..<count {
    while !delivery.deliver(entry(number)) {
      let before = confirmations.count
      guard confirmations.wait(30, until: { confirmations.count > before }) else { fail("nothing moves") }
    }
  }
  expectAll(count, within: 60)
  let (seconds, attoseconds) = (ContinuousClock.now - start).components
  say("rate \(Int(Double(count) / (Double(seconds) + Double(attoseconds) / 1e18)))")

case "notify":
  say("\(Notify.ready(status: "up\nREADY=0"))")
  Notify.status("half way")
  Notify.watchdog()
  Notify.reloading()
  Notify.stopping(status: "bye")
  Notify.extendTimeout(by: .milliseconds(1500))
  Notify.store([0], name: "syslog-tcp")
  Notify.removeStored(name: "syslog-tcp")
  say("watchdog \(Notify.watchdogInterval.map { "\($0)" } ?? "none")")

case "listen":
  for (name, descriptor) in Notify.listenDescriptors() { say("\(name) \(descriptor)") }
  say("left \(getenv("LISTEN_FDS") == nil ? "nothing" : "something")")

default: fail("no such mode")
}
delivery.stop(within: .seconds(1))
