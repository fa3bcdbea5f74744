import Records

/// Evidence to incidents, in event time: opens, updates rarely, resolves. Pure: the time of receipt is an argument.
///
/// A failure belongs to the incident of its (kind, cause, server or host). A client that keeps failing for reasons of TLS,
/// certificate or registration without any success is suspected to be an orphan, unless the server's own incident says
/// already that many fail there. Any success ends a client's part in it; the last one ends the incident.
package struct IncidentFold: Sendable {
  /// Failures of one client since its last success, for the rule of the orphans.
  package struct ClientState: Sendable, Codable, Hashable {
    package var first: Int64
    package var last: Int64
    package var count: UInt64
    package var server: String?
    package var lastSuccess: Int64?
  }

  /// By key; those that are over are handed out once and forgotten.
  package private(set) var open: [String: Incident] = [:]
  package private(set) var clients: [String: ClientState] = [:]
  /// Open incidents by server, for successes.
  private var keysOfServer: [String: Set<String>] = [:]
  /// Failures for which there was no room.
  package private(set) var refusedCount: UInt64 = 0
  /// Records whose time cannot be: kept as evidence, joined with nothing.
  package private(set) var implausibleCount: UInt64 = 0
  /// Newest plausible event time, less the lateness: what lies before is settled.
  package private(set) var watermark = Int64.min
  private var changed: Set<String> = []

  /// A time so far ahead of its receipt is wrong.
  static let aheadLimit: Int64 = 600_000_000
  static let lateness: Int64 = 300_000_000
  /// 2000-01-01.
  static let leastTime: Int64 = 946_684_800_000_000
  /// The rule of the orphans: so many failures over so long.
  static let orphanCount: UInt64 = 3
  static let orphanMicroseconds: Int64 = 600_000_000
  /// From so many clients on a server's incident speaks for each of them.
  static let swallowCount = 5

  package init() {}

  /// Goes on from what was stored.
  package init(open incidents: [Incident]) {
    for incident in incidents where incident.isOpen {
      open[incident.key] = incident
      for server in incident.servers { keysOfServer[server.lowercased(), default: []].insert(incident.key) }
      if incident.kind == .orphanSuspected {
        clients[incident.subject.lowercased()] = ClientState(
          first: incident.first, last: incident.last, count: incident.count, server: incident.servers.first)
      }
      watermark = max(watermark, incident.last - IncidentFold.lateness)
    }
  }

  package static func isPlausible(_ time: Timestamp, received: Timestamp) -> Bool {
    time.microseconds >= leastTime && time.microseconds <= received.microseconds + aheadLimit
  }

  // MARK: - Failures

  /// - Parameter received: when the record came; a record without a time of its own counts as of then.
  package mutating func note(_ finding: Finding, received: Timestamp) -> [IncidentEvent] {
    if finding.sameAs != nil || finding.findingClass.isQuiet { return [] }
    var time = received.microseconds
    if let own = finding.time {
      guard IncidentFold.isPlausible(own, received: received) else {
        implausibleCount += 1
        return []
      }
      time = own.microseconds
      watermark = max(watermark, time - IncidentFold.lateness)
    }
    var events: [IncidentEvent] = []
    let server = finding.server ?? finding.host
    if let kind = IncidentKind(finding.findingClass, finding.cause) {
      let subject = server ?? finding.path
      let key = Incident.key(kind, finding.cause, subject)
      if open.index(forKey: key) == nil {
        guard open.count < IncidentLimits.openLimit else {
          refusedCount += 1
          return []
        }
        open[key] = Incident(kind, finding, subject: subject, at: time)
      }
      add(finding, to: key, at: time)
      if let event = judge(key) { events.append(event) }
    }
    if let client = IncidentFold.client(of: finding), IncidentFold.countsForOrphan(finding) {
      events += noteClient(client, finding, server, time)
    }
    return events
  }

  private mutating func add(_ finding: Finding, to key: String, at time: Int64) {
    guard let index = open.index(forKey: key) else { return }
    if let server = IncidentFold.add(finding, at: time, to: &open.values[index]) {
      keysOfServer[server.lowercased(), default: []].insert(key)
    }
    changed.insert(key)
  }

  /// - Returns: the server, if the incident did not have it.
  private static func add(_ finding: Finding, at time: Int64, to incident: inout Incident) -> String? {
    var newServer: String?
    incident.count += 1
    incident.first = min(incident.first, time)
    incident.last = max(incident.last, time)
    incident.severity = max(incident.severity, finding.severity)
    incident.host = incident.host ?? finding.host
    incident.role = incident.role ?? finding.role
    incident.area = incident.area ?? finding.area
    incident.feature = incident.feature ?? finding.feature
    incident.stack = incident.stack ?? finding.stack
    incident.protocolName = incident.protocolName ?? finding.protocolName
    incident.cipher = incident.cipher ?? finding.cipher
    incident.code = incident.code ?? finding.code
    incident.symbol = incident.symbol ?? finding.symbol
    incident.alert = incident.alert ?? finding.alert
    incident.remedy = incident.remedy ?? finding.remedy
    if incident.evidence.count < IncidentLimits.evidenceLimit {
      incident.evidence.append(finding.evidence)
    } else {
      incident.latestEvidence.append(finding.evidence)
      if incident.latestEvidence.count > IncidentLimits.evidenceLimit { incident.latestEvidence.removeFirst() }
    }
    if let server = finding.server ?? finding.host, incident.servers.count < IncidentLimits.serverLimit,
      !incident.servers.contains(server)
    {
      incident.servers.append(server)
      newServer = server
    }
    if let client = IncidentFold.client(of: finding) {
      if var member = incident.members[client] {
        member.first = min(member.first, time)
        member.last = max(member.last, time)
        member.count += 1
        incident.members[client] = member
      } else if incident.members.count < IncidentLimits.memberLimit {
        incident.members[client] = Incident.Member(first: time, last: time, count: 1)
        incident.clientCount += 1
      } else {
        incident.memberOverflow += 1
      }
    } else {
      incident.namelessLast = max(incident.namelessLast ?? time, time)
    }
    return newServer
  }

  /// Whether an incident is to be told now: when it opens, when it is ten times as large, when it is more severe.
  private mutating func judge(_ key: String) -> IncidentEvent? {
    guard let index = open.index(forKey: key) else { return nil }
    guard let change = IncidentFold.change(of: &open.values[index]) else { return nil }
    return tell(key, change)
  }

  /// Mutating in form only: a value so large is not copied for a look at it.
  private static func change(of incident: inout Incident) -> IncidentChange? {
    if incident.sequence == 0 {
      // One server that did not answer once is no outage.
      if incident.kind == .serverOutage, incident.count < IncidentFold.orphanCount { return nil }
      return .opened
    }
    if incident.severity > incident.toldSeverity { return .escalated }
    if incident.count >= incident.toldCount * 10 { return .updated }
    return nil
  }

  private mutating func tell(_ key: String, _ change: IncidentChange) -> IncidentEvent? {
    guard let index = open.index(forKey: key) else { return nil }
    changed.insert(key)
    return IncidentFold.tell(change, &open.values[index])
  }

  private static func tell(_ change: IncidentChange, _ incident: inout Incident) -> IncidentEvent {
    incident.sequence += 1
    incident.toldCount = incident.count
    incident.toldSeverity = incident.severity
    return IncidentEvent(change: change, incident: incident)
  }

  // MARK: - Clients

  /// As findings and sightings name it: the name, else the address, else the GUID.
  package static func client(of finding: Finding) -> String? {
    finding.client ?? finding.clientIP ?? finding.clientID
  }

  /// Failures whose cause is TLS, a certificate or registration; network trouble alone makes no orphan.
  static func countsForOrphan(_ finding: Finding) -> Bool {
    switch finding.findingClass {
    case .handshakeFailure, .protocolMismatch, .cipherMismatch, .certificate: true
    case .orphanSymptom: finding.cause == .registration
    default: false
    }
  }

  private mutating func noteClient(_ client: String, _ finding: Finding, _ server: String?, _ time: Int64)
    -> [IncidentEvent]
  {
    let name = client.lowercased()
    var state =
      clients[name] ?? ClientState(first: time, last: time, count: 0, server: server)
    // A failure from before its last success says nothing about now.
    if let success = state.lastSuccess, time <= success { return [] }
    if clients[name] == nil, clients.count >= IncidentLimits.clientLimit {
      refusedCount += 1
      return []
    }
    if state.count == 0 { state.first = time }
    state.first = min(state.first, time)
    state.last = max(state.last, time)
    state.count += 1
    state.server = server ?? state.server
    clients[name] = state
    let key = Incident.key(.orphanSuspected, finding.cause, client)
    let known = open.keys.contains(key) ? key : orphanKey[name]
    if let known, open[known] != nil {
      add(finding, to: known, at: time)
      return judge(known).map { [$0] } ?? []
    }
    guard state.count >= IncidentFold.orphanCount, state.last - state.first >= IncidentFold.orphanMicroseconds,
      !isSwallowed(server)
    else { return [] }
    guard open.count < IncidentLimits.openLimit else {
      refusedCount += 1
      return []
    }
    var incident = Incident(.orphanSuspected, finding, subject: client, at: state.first)
    incident.severity = max(.error, finding.severity)
    incident.toldSeverity = incident.severity
    incident.count = state.count - 1
    incident.clientID = finding.clientID
    incident.clientIP = finding.clientIP
    open[key] = incident
    orphanKey[name] = key
    add(finding, to: key, at: time)
    return judge(key).map { [$0] } ?? []
  }
  /// The open incident of a client, whatever its cause was first.
  private var orphanKey: [String: String] = [:]

  /// Whether the server's own incident speaks for its clients.
  private func isSwallowed(_ server: String?) -> Bool {
    guard let server else { return false }
    return (keysOfServer[server.lowercased()] ?? []).contains { key in
      guard let incident = open[key], incident.kind != .orphanSuspected else { return false }
      return incident.members.count >= IncidentFold.swallowCount
    }
  }

  // MARK: - Successes

  /// A client reached a server: name or address of the client as findings have it.
  package mutating func noteSuccess(client: String, server: String, time: Timestamp, received: Timestamp)
    -> [IncidentEvent]
  {
    guard IncidentFold.isPlausible(time, received: received) else {
      implausibleCount += 1
      return []
    }
    let at = time.microseconds
    watermark = max(watermark, at - IncidentFold.lateness)
    // Most estates are well: nothing to compare with.
    if open.isEmpty, clients.isEmpty { return [] }
    var events: [IncidentEvent] = []
    let name = client.lowercased()
    if var state = clients[name], at > state.last {
      state.count = 0
      state.lastSuccess = max(state.lastSuccess ?? at, at)
      clients[name] = state
      if let key = orphanKey.removeValue(forKey: name) ?? orphanKeys(of: name).first, let incident = open[key],
        at > incident.last
      {
        if let event = resolve(key, "the client reached \(server) again", at: at) { events.append(event) }
      }
    }
    for key in keysOfServer[server.lowercased()] ?? [] {
      guard var incident = open[key], incident.kind != .orphanSuspected else { continue }
      let member = incident.members[client] ?? incident.members[name]
      guard let member, at > member.last else { continue }
      incident.members[client] = nil
      incident.members[name] = nil
      incident.recoveredCount += 1
      open[key] = incident
      changed.insert(key)
      if incident.members.isEmpty, incident.memberOverflow == 0, incident.namelessLast.map({ at > $0 }) ?? true {
        if let event = resolve(key, "every client that failed reached it again", at: at) { events.append(event) }
      }
    }
    return events
  }

  private func orphanKeys(of name: String) -> [String] {
    open.filter { $0.value.kind == .orphanSuspected && $0.value.subject.lowercased() == name }.map(\.key)
  }

  private mutating func resolve(_ key: String, _ reason: String, at time: Int64) -> IncidentEvent? {
    guard var incident = open.removeValue(forKey: key) else { return nil }
    for server in incident.servers { keysOfServer[server.lowercased()]?.remove(key) }
    if incident.kind == .orphanSuspected { orphanKey[incident.subject.lowercased()] = nil }
    incident.isOpen = false
    incident.resolution = reason
    incident.last = max(incident.last, time)
    closed.append(incident)
    changed.remove(key)
    // What was never told is not told to be over.
    guard incident.sequence > 0 else { return nil }
    incident.sequence += 1
    closed[closed.count - 1] = incident
    return IncidentEvent(change: .resolved, incident: incident)
  }
  private var closed: [Incident] = []

  /// Ends what has been quiet for long, up to the watermark.
  package mutating func settle() -> [IncidentEvent] {
    var events: [IncidentEvent] = []
    for (key, incident) in open.sorted(by: { $0.key < $1.key }) {
      guard let quiet = incident.kind.quietMicroseconds, watermark - incident.last >= quiet else { continue }
      let hours = quiet / 3_600_000_000
      if let event = resolve(key, "no failure for \(hours) hours", at: incident.last) { events.append(event) }
    }
    return events
  }

  /// Whether `takeChanged` has any.
  package var hasChanged: Bool { !changed.isEmpty || !closed.isEmpty }

  /// Incidents that changed since the last time, open and over, to be stored.
  package mutating func takeChanged() -> [Incident] {
    let taken = changed.sorted().compactMap { open[$0] } + closed
    changed.removeAll(keepingCapacity: true)
    closed.removeAll(keepingCapacity: true)
    return taken
  }
}
