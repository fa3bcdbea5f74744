/// The closed lists of architecture: anything else is a configuration fault.
package enum FindingClass: String, Codable, CaseIterable, Sendable {
  case handshakeFailure = "handshake-failure"
  case protocolMismatch = "protocol-mismatch"
  case cipherMismatch = "cipher-mismatch"
  case certificate
  case sqlTLS = "sql-tls"
  case wsusTLS = "wsus-tls"
  case ssrsTLS = "ssrs-tls"
  case cmgTLS = "cmg-tls"
  case internetTLS = "internet-tls"
  case orphanSymptom = "orphan-symptom"
  case legacyProtocol = "legacy-protocol"
  case recovery, context, benign

  /// Never printed as a finding.
  package var isQuiet: Bool { self == .recovery || self == .context || self == .benign }
}

package enum Cause: String, Codable, CaseIterable, Sendable {
  case unknownTLS = "unknown-tls"
  case closedByPeer = "closed-by-peer"
  case strongCryptoMissing = "strong-crypto-missing"
  case `protocol`
  case cipher
  case expired
  case notYetValid = "not-yet-valid"
  case untrusted, revoked
  case nameMismatch = "name-mismatch"
  case privateKey = "private-key"
  case wrongUsage = "wrong-usage"
  case clientCertificateMissing = "client-certificate-missing"
  case clientCertificateRejected = "client-certificate-rejected"
  case revocationUnreachable = "revocation-unreachable"
  case unknownCertificate = "unknown-certificate"
  case driver, token, proxy
  case registration, location, policy, notification
  case sendFailure = "send-failure"
  case local
  case serverUnavailable = "server-unavailable"
  case ssl
  case tls10 = "tls1.0"
  case tls11 = "tls1.1"
  case weakCipher = "weak-cipher"
}

extension FindingClass {
  /// The causes that a finding of this class may carry.
  package var causes: Set<Cause> { FindingClass.allCauses[self] ?? [] }
  private static let allCauses = Dictionary(uniqueKeysWithValues: FindingClass.allCases.map { ($0, $0.listedCauses) })

  private var listedCauses: Set<Cause> {
    let handshake: Set<Cause> = [.unknownTLS, .closedByPeer, .strongCryptoMissing]
    let certificate: Set<Cause> = [
      .expired, .notYetValid, .untrusted, .revoked, .nameMismatch, .privateKey, .wrongUsage,
      .clientCertificateMissing, .clientCertificateRejected, .revocationUnreachable, .unknownCertificate,
    ]
    switch self {
    case .handshakeFailure: return handshake
    case .protocolMismatch: return [.protocol]
    case .cipherMismatch: return [.cipher]
    case .certificate: return certificate
    case .sqlTLS, .wsusTLS, .ssrsTLS:
      return handshake.union(certificate).union([.protocol, .cipher, .driver])
    case .cmgTLS, .internetTLS:
      return handshake.union(certificate).union([.protocol, .cipher, .driver, .token, .proxy])
    case .orphanSymptom:
      return [.registration, .location, .policy, .notification, .sendFailure, .local, .serverUnavailable]
    case .legacyProtocol: return [.ssl, .tls10, .tls11, .weakCipher]
    case .recovery, .context, .benign: return []
    }
  }
}

package enum Severity: String, Codable, CaseIterable, Comparable, Sendable {
  case info, warning, error, critical

  package var rank: Int { Severity.allCases.firstIndex(of: self)! }
  package static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
}

package enum Stack: String, Codable, CaseIterable, Sendable { case winhttp, dotnet, sql, schannel, http }

package enum Confidence: String, Codable, CaseIterable, Sendable { case documented, seen, inferred }

package enum Feature: String, Codable, CaseIterable, Sendable {
  case siteServer = "site-server"
  case siteDatabase = "site-database"
  case secondarySite = "secondary-site"
  case siteSystemRole = "site-system-role"
  case reportingPoint = "reporting-point"
  case softwareUpdatePoint = "software-update-point"
  case cloudGateway = "cloud-gateway"
  case console
  case httpsClient = "https-client"
  case softwareCenter = "software-center"
  case windows7Client = "windows-7-client"
  case serviceConnectionPoint = "service-connection-point"
}

/// What a definition adds to the evidence.
package enum Yield: String, CaseIterable, Sendable { case finding, sighting, context, none }

/// How an exchange ended, as far as one record shows.
package enum Outcome: String, Codable, CaseIterable, Sendable {
  case succeeded, refused, failed

  package var number: UInt8 {
    switch self {
    case .succeeded: 0
    case .refused: 1
    case .failed: 2
    }
  }

  package init(number: UInt8) { self = number == 0 ? .succeeded : number == 1 ? .refused : .failed }
}
