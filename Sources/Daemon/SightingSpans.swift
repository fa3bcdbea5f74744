import Clients
import Records
import Store

/// The sightings of some bytes by who, whom, how and when, to a quarter hour: what the store keeps of them.
struct SightingSpans {
  private struct Slot: Hashable {
    var key: SightingKey
    var quarter: Int64
  }
  private struct Span {
    var first: Int64
    var last: Int64
    var count: UInt64
  }

  private var spans: [Slot: Span] = [:]

  mutating func gather(_ columns: SightingColumns) {
    for index in 0..<columns.count {
      let time = columns.times[index]
      guard time != .min else { continue }
      let quarter = time >= 0 ? time / QuarterHours.length : (time - QuarterHours.length + 1) / QuarterHours.length
      let slot = Slot(key: columns.key(at: index), quarter: quarter)
      if let index = spans.index(forKey: slot) {
        spans.values[index].first = min(spans.values[index].first, time)
        spans.values[index].last = max(spans.values[index].last, time)
        spans.values[index].count += 1
      } else {
        spans[slot] = Span(first: time, last: time, count: 1)
      }
    }
  }

  /// - Returns: and the successes among them, each with its last time.
  func activities(
    _ names: NameTable
  ) -> (activities: [Activity], successes: [(client: String, server: String, time: Timestamp)]) {
    var successes: [(client: String, server: String, time: Timestamp)] = []
    let activities = spans.map { slot, span in
      let key = slot.key
      let party: Party
      let client: String
      if key.isAddress {
        let address = IPAddress(high: key.clientHigh, low: key.clientLow)
        party = .address(address)
        client = address.text
      } else {
        client = names.name(of: UInt32(truncatingIfNeeded: key.clientLow)) ?? ""
        party = client.uppercased().hasPrefix("GUID:") ? .guid(client) : .host(client)
      }
      let server = names.name(of: key.server) ?? ""
      let outcome = Outcome(number: key.outcome)
      if outcome == .succeeded, !client.isEmpty {
        successes.append((client, server, Timestamp(microseconds: span.last)))
      }
      var activity = Activity(
        server: server, party: party, at: Timestamp(microseconds: span.first), role: names.name(of: key.role) ?? "",
        protocolName: names.name(of: key.protocolName) ?? "", cipher: names.name(of: key.cipher) ?? "",
        outcome: outcome, count: span.count)
      activity.last = Timestamp(microseconds: span.last)
      return activity
    }
    return (activities, successes)
  }
}
