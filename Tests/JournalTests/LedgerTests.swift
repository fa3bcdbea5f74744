import Journal
import Records
import TestSupport
import Testing

/// The ledger against a journald in memory that stalls, drops and is not there, and a process that crashes.
@Suite struct LedgerTests {
  private enum Sent: Equatable {
    case message(MessageID)
    case barrier(String)
  }

  /// Everything around the ledger, step by step.
  private struct World {
    var generator: SeededGenerator
    var now = Duration.zero
    /// journald's: outlives our process.
    var socket: [Sent] = []
    var stored: [Sent] = []
    /// Our process's.
    var ledger = DeliveryLedger()
    var queue: [Sent] = []
    /// What the writer has to say and has not said yet.
    var said: [(sent: Sent, order: UInt64)] = []
    var order: UInt64 = 0
    var readCount = 0
    var tokenCount = 0
    /// The outbox.
    var outbox: Set<MessageID> = []
    var isFair = false

    func chance(_ percent: Int, _ generator: inout SeededGenerator) -> Bool {
      !isFair && Int.random(in: 0..<100, using: &generator) < percent
    }

    mutating func act(_ actions: DeliveryLedger.Actions) {
      for id in actions.sends { queue.append(.message(id)) }
      for id in actions.lookUps {
        if chance(5, &generator) {
          ledger.lookUpFailed(id, at: now)
          continue
        }
        let isStored = stored.contains(.message(id))
        if isStored { outbox.remove(id) }
        for id in ledger.lookedUp(id, isStored: isStored, at: now).sends { queue.append(.message(id)) }
      }
      if actions.needsBarrier {
        tokenCount += 1
        ledger.barrierQueued("\(tokenCount)")
        queue.append(.barrier("\(tokenCount)"))
      }
    }

    mutating func send() {
      // The 12th datagram waits.
      guard !queue.isEmpty, socket.count < 11 else { return }
      let sent = queue.removeFirst()
      order += 1
      // Without a socket the call succeeds all the same.
      if !chance(5, &generator) { socket.append(sent) }
      said.append((sent, order))
    }

    mutating func hear() {
      guard !said.isEmpty else { return }
      let (sent, order) = said.removeFirst()
      switch sent {
      case .message(let id): ledger.handedOver(id, order: order, at: now)
      case .barrier(let token): ledger.barrierHandedOver(token, order: order, at: now)
      }
    }

    mutating func store() {
      guard !socket.isEmpty else { return }
      let sent = socket.removeFirst()
      if !chance(15, &generator) { stored.append(sent) }
    }

    mutating func read() {
      guard readCount < stored.count else { return }
      let sent = stored[readCount]
      readCount += 1
      if chance(10, &generator) { return }  // the reader was opened anew, behind it
      switch sent {
      case .message(let id): if ledger.stored(id, at: now) { outbox.remove(id) }
      case .barrier(let token): ledger.barrierStored(token, at: now)
      }
    }

    mutating func crash() {
      ledger = DeliveryLedger()
      queue.removeAll()
      said.removeAll()
      order = 0
      readCount = stored.count
      for id in outbox { ledger.inherit(id, at: now) }
    }

    mutating func restartJournald() { socket.removeAll() }

    mutating func step() {
      switch Int.random(in: 0..<100, using: &generator) {
      case 0..<20: send()
      case 20..<40: hear()
      case 40..<60: store()
      case 60..<80: read()
      case 80..<97:
        now += .milliseconds(Int.random(in: 0...4000, using: &generator))
        act(ledger.tick(at: now))
      case 97 where !isFair: crash()
      case 98 where !isFair: restartJournald()
      default: break
      }
    }
  }

  @Test(arguments: UInt64(0)..<300) func everyMessageIsStoredExactlyOnce(seed: UInt64) {
    var world = World(generator: SeededGenerator(seed: seed))
    var generator = SeededGenerator(seed: seed &+ 1000)
    let count = 30
    for number in 0..<count {
      let id = MessageID(incident: "i\(number % 4)", sequence: UInt64(number))
      world.outbox.insert(id)
      world.act(world.ledger.add(id, at: world.now))
      for _ in 0..<Int.random(in: 0...60, using: &generator) { world.step() }
    }
    // Everything works again; it must come to an end, and look-ups be few then.
    world.isFair = true
    var steps = 0
    while !world.outbox.isEmpty, steps < 20_000 {
      world.step()
      steps += 1
    }
    #expect(world.outbox.isEmpty, "\(world.outbox.count) messages were never confirmed")
    #expect(world.ledger.count == 0 && world.ledger.nextDue == nil)
    for number in 0..<count {
      let id = MessageID(incident: "i\(number % 4)", sequence: UInt64(number))
      #expect(world.stored.count { $0 == .message(id) } == 1, "\(id)")
    }
  }

  @Test func nothingIsDueWhenNothingWaits() {
    var ledger = DeliveryLedger()
    let id = MessageID(incident: "i", sequence: 1)
    #expect(ledger.nextDue == nil)
    #expect(ledger.add(id, at: .zero).sends == [id])
    #expect(ledger.add(id, at: .zero).sends.isEmpty)
    #expect(ledger.nextDue == nil)
    ledger.handedOver(id, order: 1, at: .zero)
    #expect(ledger.nextDue == JournalLimits.confirmation)
    #expect(ledger.tick(at: .seconds(4)) == DeliveryLedger.Actions())
    let late = ledger.tick(at: .seconds(6))
    #expect(late.lookUps == [id] && late.needsBarrier && late.sends.isEmpty)
    #expect(ledger.late(at: .seconds(6))?.count == 1)
    let wasWaiting = ledger.stored(id, at: .seconds(7))
    #expect(wasWaiting && ledger.nextDue == nil)
  }
}
