import Records

/// What an administrator acts on, by its kind.
package enum IncidentKind: String, CaseIterable, Sendable, Codable {
  case handshakeFailed = "handshake.failed"
  case handshakeProtocol = "handshake.protocol"
  case handshakeCipher = "handshake.cipher"
  case handshakeCertificate = "handshake.certificate"
  case sqlTLS = "sql.tls"
  case wsusTLS = "wsus.tls"
  case ssrsTLS = "ssrs.tls"
  case cloudTLS = "cloud.tls"
  case orphanSuspected = "client.orphan-suspected"
  case serverOutage = "server.outage"
  case legacyProtocol = "estate.legacy-protocol"

  /// The kind that a finding of this class is part of; nil for those that only count towards a rule.
  init?(_ findingClass: FindingClass, _ cause: Cause) {
    switch findingClass {
    case .handshakeFailure: self = .handshakeFailed
    case .protocolMismatch: self = .handshakeProtocol
    case .cipherMismatch: self = .handshakeCipher
    case .certificate: self = .handshakeCertificate
    case .sqlTLS: self = .sqlTLS
    case .wsusTLS: self = .wsusTLS
    case .ssrsTLS: self = .ssrsTLS
    case .cmgTLS, .internetTLS: self = .cloudTLS
    case .legacyProtocol: self = .legacyProtocol
    case .orphanSymptom where cause == .serverUnavailable: self = .serverOutage
    case .orphanSymptom, .recovery, .context, .benign: return nil
    }
  }

  /// Without a failure for so long, in event time, it is over; nil: only a success ends it.
  var quietMicroseconds: Int64? {
    let hour: Int64 = 3_600_000_000
    switch self {
    case .orphanSuspected: return nil
    case .legacyProtocol: return 7 * 24 * hour
    default: return 24 * hour
    }
  }
}

/// What changed about an incident.
package enum IncidentChange: String, Sendable, Codable { case opened, updated, escalated, revised, resolved }

/// One cause at one server or host, from its first failure on.
package struct Incident: Sendable, Codable, Hashable {
  /// Failures of one client with this server since its last success there.
  package struct Member: Sendable, Codable, Hashable {
    package var first: Int64
    package var last: Int64
    package var count: UInt64
  }

  /// 32 hexadecimal digits, from kind, cause, subject and the first failure: the same in every run.
  package var id: String
  package var kind: IncidentKind
  package var cause: Cause
  /// The server, else the host that wrote of it; for an orphan the client.
  package var subject: String
  package var severity: Severity
  package var isOpen = true
  /// Why it is over.
  package var resolution: String?
  /// Event time in microseconds.
  package var first: Int64
  package var last: Int64
  package var count: UInt64 = 0
  /// Who fails now, at most `IncidentLimits.memberLimit`; `memberOverflow` are those beyond, counted by failure.
  package var members: [String: Member] = [:]
  package var memberOverflow: UInt64 = 0
  /// Everybody who ever failed in it.
  package var clientCount = 0
  package var recoveredCount = 0
  package var servers: [String] = []
  package var host: String?
  package var clientID: String?
  package var clientIP: String?
  package var role: String?
  package var area: Int?
  package var feature: Feature?
  package var stack: Stack?
  package var protocolName: String?
  package var cipher: String?
  package var code: String?
  package var symbol: String?
  package var alert: Int?
  package var confidence: Confidence
  /// `path:offset+length` of the first records and of the last ones.
  package var evidence: [String] = []
  package var latestEvidence: [String] = []
  package var remedy: String?
  package var signature: String
  /// Of the last message about it.
  package var sequence: UInt64 = 0
  package var toldCount: UInt64 = 0
  package var toldSeverity: Severity
  /// Failures that named no client.
  package var namelessLast: Int64?

  package var key: String { Incident.key(kind, cause, subject) }

  static func key(_ kind: IncidentKind, _ cause: Cause, _ subject: String) -> String {
    // One for all old protocols of a server.
    "\(kind.rawValue)|\(kind == .legacyProtocol ? "" : cause.rawValue)|\(subject.lowercased())"
  }

  init(_ kind: IncidentKind, _ finding: Finding, subject: String, at time: Int64) {
    self.kind = kind
    cause = finding.cause
    self.subject = subject
    severity = finding.severity
    toldSeverity = finding.severity
    first = time
    last = time
    confidence = finding.confidence
    signature = finding.signature
    id = Incident.id("\(Incident.key(kind, finding.cause, subject))|\(time)")
  }

  private static func id(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var digits: [UInt8] = []
    digits.reserveCapacity(32)
    for seed in [UInt64(0x6964_3031), 0x6964_3032] {
      let hash = SeededHash(seed: seed).hash(bytes.span, 0, bytes.count)
      for shift in stride(from: UInt64(60), through: 0, by: -4) {
        let digit = UInt8(hash >> shift & 0xF)
        digits.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
      }
    }
    return String(decoding: digits, as: UTF8.self)
  }
}

/// A change that is to be told, with the incident as it was then.
package struct IncidentEvent: Sendable, Hashable {
  package var change: IncidentChange
  package var incident: Incident

  package init(change: IncidentChange, incident: Incident) {
    self.change = change
    self.incident = incident
  }
}

/// Bounds of what the fold keeps.
package enum IncidentLimits {
  /// Clients named in one incident.
  package static let memberLimit = 1000
  /// Open incidents; failures beyond are counted as `refusedCount`.
  package static let openLimit = 20_000
  /// Clients whose failures are followed for the orphan rule.
  package static let clientLimit = 2_000_000
  package static let evidenceLimit = 5
  package static let serverLimit = 16
}
