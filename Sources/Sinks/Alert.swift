import Incidents
import Records

/// An incident's change as a journal entry: a sentence for people, fields for programs.
package struct Alert: Sendable {
  package var fields: [(name: String, value: String)] = []

  /// `MESSAGE_ID` of each kind, for ever: the catalog explains it (`handshaked.catalog`).
  package static func messageID(_ kind: IncidentKind) -> String {
    switch kind {
    case .handshakeFailed: "6a1f0c52d7e84b0f9c3b5e2a71d08f01"
    case .handshakeProtocol: "6a1f0c52d7e84b0f9c3b5e2a71d08f02"
    case .handshakeCipher: "6a1f0c52d7e84b0f9c3b5e2a71d08f03"
    case .handshakeCertificate: "6a1f0c52d7e84b0f9c3b5e2a71d08f04"
    case .sqlTLS: "6a1f0c52d7e84b0f9c3b5e2a71d08f05"
    case .wsusTLS: "6a1f0c52d7e84b0f9c3b5e2a71d08f06"
    case .ssrsTLS: "6a1f0c52d7e84b0f9c3b5e2a71d08f07"
    case .cloudTLS: "6a1f0c52d7e84b0f9c3b5e2a71d08f08"
    case .orphanSuspected: "6a1f0c52d7e84b0f9c3b5e2a71d08f09"
    case .serverOutage: "6a1f0c52d7e84b0f9c3b5e2a71d08f0a"
    case .legacyProtocol: "6a1f0c52d7e84b0f9c3b5e2a71d08f0b"
    }
  }
  package static let backlogMessageID = "6a1f0c52d7e84b0f9c3b5e2a71d08f10"

  package static func priority(_ severity: Severity) -> Int {
    switch severity {
    case .info: 6
    case .warning: 4
    case .error: 3
    case .critical: 2
    }
  }

  package init(_ event: IncidentEvent) {
    let incident = event.incident
    let severity = event.change == .resolved ? Severity.info : incident.severity
    add("MESSAGE", Alert.sentence(event))
    add("MESSAGE_ID", Alert.messageID(incident.kind))
    add("PRIORITY", String(Alert.priority(severity)))
    add("SYSLOG_IDENTIFIER", "handshaked")
    add("HANDSHAKED_EVENT", event.change.rawValue)
    add("HANDSHAKED_INCIDENT", incident.id)
    add("HANDSHAKED_SEQUENCE", String(incident.sequence))
    add("HANDSHAKED_KIND", incident.kind.rawValue)
    add("HANDSHAKED_CAUSE", incident.cause.rawValue)
    for client in Alert.clients(incident) { add("HANDSHAKED_CLIENT", client) }
    add("HANDSHAKED_CLIENT_ID", incident.clientID)
    add("HANDSHAKED_CLIENT_IP", incident.clientIP)
    for server in incident.servers { add("HANDSHAKED_SERVER", server) }
    add("HANDSHAKED_ROLE", incident.role)
    add("HANDSHAKED_AREA", incident.area.map(String.init))
    add("HANDSHAKED_FEATURE", incident.feature?.rawValue)
    add("HANDSHAKED_STACK", incident.stack?.rawValue)
    add("HANDSHAKED_PROTOCOL", incident.protocolName)
    add("HANDSHAKED_CIPHER", incident.cipher)
    add("HANDSHAKED_CODE", incident.code)
    add("HANDSHAKED_SYMBOL", incident.symbol)
    add("HANDSHAKED_ALERT", incident.alert.map(String.init))
    add("HANDSHAKED_COUNT", String(incident.count))
    add("HANDSHAKED_FIRST", Timestamp(microseconds: incident.first).rfc3339)
    add("HANDSHAKED_LAST", Timestamp(microseconds: incident.last).rfc3339)
    add("HANDSHAKED_CONFIDENCE", incident.confidence.rawValue)
    for place in incident.evidence + incident.latestEvidence { add("HANDSHAKED_EVIDENCE", place) }
    add("HANDSHAKED_REMEDY", incident.remedy)
  }

  /// One message for all that a first reading left open.
  package init(backlog incidents: [Incident], identity: String) {
    let severity = incidents.map(\.severity).max() ?? .info
    let lines = incidents.prefix(50).map { "- " + Alert.sentence(IncidentEvent(change: .opened, incident: $0)) }
    add(
      "MESSAGE",
      "\(incidents.count) \(incidents.count == 1 ? "incident is" : "incidents are") open after the first reading of the "
        + "logs:\n" + lines.joined(separator: "\n")
        + (incidents.count > 50 ? "\n… and \(incidents.count - 50) more: handshaked incidents" : ""))
    add("MESSAGE_ID", Alert.backlogMessageID)
    add("PRIORITY", String(Alert.priority(severity)))
    add("SYSLOG_IDENTIFIER", "handshaked")
    add("HANDSHAKED_EVENT", "opened")
    add("HANDSHAKED_INCIDENT", identity)
    add("HANDSHAKED_SEQUENCE", "1")
    add("HANDSHAKED_COUNT", String(incidents.count))
    for server in Set(incidents.flatMap(\.servers)).sorted().prefix(50) { add("HANDSHAKED_SERVER", server) }
  }

  private mutating func add(_ name: String, _ value: String?) {
    guard let value, !value.isEmpty else { return }
    // A NUL would end the value for many readers.
    fields.append((name, value.contains("\0") ? String(value.map { $0 == "\0" ? "\u{FFFD}" : $0 }) : value))
  }

  private static func clients(_ incident: Incident) -> [String] {
    if incident.kind == .orphanSuspected { return [incident.subject] }
    return Array(incident.members.keys.sorted().prefix(50))
  }

  /// What happened, in one sentence.
  package static func sentence(_ event: IncidentEvent) -> String {
    let incident = event.incident
    if event.change == .resolved {
      return "Resolved: \(subject(incident)): \(incident.resolution ?? "it is over")"
    }
    var text = subject(incident)
    var details: [String] = []
    if let code = incident.code { details.append(incident.symbol.map { "\(code) \($0)" } ?? code) }
    if incident.clientCount > 1 {
      details.append("\(incident.clientCount)\(incident.memberOverflow > 0 ? " or more" : "") clients")
    } else if incident.kind != .orphanSuspected, let client = incident.members.keys.first {
      details.append("client \(client)")
    }
    if incident.count > 1 {
      details.append("\(incident.count) times since \(Timestamp(microseconds: incident.first).rfc3339)")
    }
    if !details.isEmpty { text += " (" + details.joined(separator: ", ") + ")" }
    if event.change == .escalated { text = "Worse: " + text }
    if event.change == .updated { text = "Still: " + text }
    return text
  }

  private static func subject(_ incident: Incident) -> String {
    let subject = incident.subject
    switch incident.kind {
    case .handshakeFailed: return "TLS handshakes with \(subject) fail: \(words(incident.cause))"
    case .handshakeProtocol: return "No common TLS version with \(subject)"
    case .handshakeCipher: return "No common cipher suite with \(subject)"
    case .handshakeCertificate: return "A certificate is refused at \(subject): \(words(incident.cause))"
    case .sqlTLS: return "SQL Server connections of \(subject) fail in TLS: \(words(incident.cause))"
    case .wsusTLS: return "WSUS connections of \(subject) fail in TLS: \(words(incident.cause))"
    case .ssrsTLS: return "Reporting Services connections of \(subject) fail in TLS: \(words(incident.cause))"
    case .cloudTLS: return "Cloud connections of \(subject) fail in TLS: \(words(incident.cause))"
    case .orphanSuspected:
      return "Client \(subject) may be orphaned: it has not reached "
        + "\(incident.servers.first ?? "its management point") since "
        + Timestamp(microseconds: incident.first).rfc3339
    case .serverOutage: return "Server \(subject) does not serve its clients"
    case .legacyProtocol: return "\(subject) still speaks old protocols: \(words(incident.cause))"
    }
  }

  private static func words(_ cause: Cause) -> String {
    switch cause {
    case .unknownTLS: "the records do not say why"
    case .closedByPeer: "the other side closed the connection"
    case .strongCryptoMissing: ".NET does not use strong cryptography"
    case .protocol: "no common protocol version"
    case .cipher: "no common cipher suite"
    case .tls10: "TLS 1.0"
    case .tls11: "TLS 1.1"
    case .ssl: "SSL"
    default: cause.rawValue.replacing("-", with: " ")
    }
  }
}

extension String {
  /// Without Foundation.
  fileprivate func replacing(_ character: Character, with other: Character) -> String {
    String(map { $0 == character ? other : $0 })
  }
}
