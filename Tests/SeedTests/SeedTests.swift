import Clients
import Detection
import Records
import Replay
import TestSupport
import Testing

/// Microsoft's table "Features and scenario dependencies" and the five encryption areas: for each row a scenario whose logs
/// show its trouble, and what must be said: class, cause, stack, feature and the update tasks.
/// Source: MicrosoftDocs/memdocs, enable-tls-1-2.md and its client, server and troubleshooting pages.
@Suite struct SeedTests {
  struct Row: CustomTestStringConvertible, Sendable {
    var name: String
    /// Below `sample-logs/`, or a case of `Tests/UserPainTests/Cases/`.
    var scenario: String
    /// Part of the path of the record.
    var path: String
    var findingClass: FindingClass
    var causes: Set<Cause>
    var stack: Stack
    var feature: Feature?
    var area: Int?
    /// Words of the remedy.
    var remedy: [String]
    var testDescription: String { name }
  }

  private static let strongCrypto = [
    "SchUseStrongCrypto", "SystemDefaultTlsVersions", "v2.0.50727", "v4.0.30319", "Wow6432Node",
  ]

  static let rows: [Row] = [
    // The five areas.
    Row(
      name: "area 1: clients to IIS roles", scenario: "sample-logs/tls10-off-too-early",
      path: "W7-0117/CcmMessaging.log",
      findingClass: .handshakeFailure, causes: [.unknownTLS], stack: .winhttp, feature: .httpsClient, area: 1,
      remedy: ["KB 3140245", "DefaultSecureProtocols", "0xA00", "Wow6432Node", "restart"]),
    Row(
      name: "area 2: SQL Server", scenario: "sample-logs/sql-native-client-too-old", path: "CM01/smsexec.log",
      findingClass: .sqlTLS, causes: [.protocol, .driver], stack: .sql, feature: .siteServer, area: 2,
      remedy: ["SQL Server Native Client", "11.*.7001.0"]),
    Row(
      name: "area 3: WSUS", scenario: "sample-logs/wsus-ssrs-strong-crypto", path: "CM01/WCM.log",
      findingClass: .wsusTLS,
      causes: [.protocol, .unknownTLS], stack: .dotnet, feature: .softwareUpdatePoint, area: 3,
      remedy: strongCrypto + ["4022721", "4022720"]),
    Row(
      name: "area 4: reporting services", scenario: "sample-logs/wsus-ssrs-strong-crypto", path: "CM01/srsrp.log",
      findingClass: .ssrsTLS, causes: [.protocol, .unknownTLS], stack: .dotnet, feature: .reportingPoint, area: 4,
      remedy: strongCrypto + ["console", "SMS_EXECUTIVE"]),
    Row(
      name: "area 5: internet services", scenario: "sample-logs/cloud-gateway-and-service-connection",
      path: "dmpdownloader.log", findingClass: .internetTLS, causes: [.protocol, .unknownTLS], stack: .dotnet,
      feature: .serviceConnectionPoint, area: 5, remedy: strongCrypto + ["restart the computer"]),
    // The table.
    Row(
      name: "site servers", scenario: "sample-logs/wsus-ssrs-strong-crypto", path: "CM01/winlogbeat",
      findingClass: .protocolMismatch, causes: [.protocol], stack: .schannel, feature: nil, area: nil,
      remedy: ["SchUseStrongCrypto", "SystemDefaultTlsVersions", "both hives"]),
    Row(
      name: "site database server", scenario: "sample-logs/sql-native-client-too-old", path: "SQL01/ERRORLOG",
      findingClass: .sqlTLS, causes: [.closedByPeer], stack: .sql, feature: .siteDatabase, area: 2, remedy: ["SQL"]),
    Row(
      name: "secondary site servers", scenario: "sample-logs/secondary-site", path: "SEC01/smsexec.log",
      findingClass: .sqlTLS, causes: [.protocol, .driver], stack: .sql, feature: nil, area: 2,
      remedy: ["SQL Server Express 2016 SP2", "secondary"]),
    Row(
      name: "site system roles", scenario: "sample-logs/sql-native-client-too-old", path: "MP01/MP_Framework.log",
      findingClass: .sqlTLS, causes: [.protocol], stack: .sql, feature: nil, area: 2,
      remedy: ["SQL Server Native Client"]),
    Row(
      name: "cloud management gateway", scenario: "sample-logs/cloud-gateway-and-service-connection",
      path: "CP01/SMS_Cloud_ProxyConnector.log", findingClass: .cmgTLS, causes: [.protocol, .unknownTLS],
      stack: .dotnet,
      feature: .cloudGateway, area: 5, remedy: ["Enforce TLS 1.2"]),
    Row(
      name: "console", scenario: "sample-logs/console-and-software-center", path: "ADM-0007/SmsAdminUI.log",
      findingClass: .internetTLS, causes: [.unknownTLS, .protocol], stack: .dotnet, feature: .console, area: 5,
      remedy: ["SchUseStrongCrypto", "console"]),
    Row(
      name: "software center", scenario: "sample-logs/console-and-software-center", path: "SCClient",
      findingClass: .handshakeFailure, causes: [.unknownTLS, .strongCryptoMissing], stack: .dotnet,
      feature: .softwareCenter, area: 1, remedy: ["SchUseStrongCrypto", "SystemDefaultTlsVersions"]),
    Row(
      name: "windows 7 clients", scenario: "sample-logs/tls10-off-too-early", path: "W7-0131",
      findingClass: .protocolMismatch,
      causes: [.protocol], stack: .winhttp, feature: .httpsClient, area: 1, remedy: ["Windows 7", "KB 3140245"]),
    Row(
      name: "clients with HTTPS roles: certificate, not protocol", scenario: "sample-logs/server-certificate-expired",
      path: "DE-0101", findingClass: .certificate, causes: [.expired], stack: .winhttp, feature: .httpsClient, area: 1,
      remedy: ["certificate"]),
    Row(
      name: "software update point: WSUS itself", scenario: "sample-logs/wsus-ssrs-strong-crypto",
      path: "CM01/wsyncmgr.log", findingClass: .wsusTLS, causes: [.protocol, .unknownTLS], stack: .dotnet,
      feature: .softwareUpdatePoint, area: 3, remedy: ["KB 4022721", "KB 4022720", "SMS_EXECUTIVE"]),
    Row(
      name: "reporting services point: restart", scenario: "sample-logs/wsus-ssrs-strong-crypto",
      path: "CM01/srsrp.log",
      findingClass: .ssrsTLS, causes: [.protocol, .unknownTLS], stack: .dotnet, feature: .reportingPoint, area: 4,
      remedy: ["restart", "SMS_EXECUTIVE", "4.6.2"]),
    Row(
      name: "SQL client builds and roles", scenario: "sample-logs/sql-native-client-too-old", path: "CM01/smsexec.log",
      findingClass: .sqlTLS, causes: [.protocol, .driver], stack: .sql, feature: .siteServer, area: 2,
      remedy: [
        "11.*.7001.0", "KB 3135244", "restart", "SMS Provider", "state migration", "Asset Intelligence", "enrollment",
        "Endpoint Protection", "certificate registration", "data warehouse", "multicast",
      ]),
    Row(
      name: "FIPS", scenario: "Tests/SeedTests/Cases/fips", path: "CM01/smsexec.log", findingClass: .protocolMismatch,
      causes: [.protocol], stack: .schannel, feature: nil, area: nil,
      remedy: ["FIPS policy", "Schannel event logging", "DisabledByDefault"]),
  ]

  @Test(arguments: SeedTests.rows)
  func saysWhatMicrosoftSays(row: Row) async throws {
    let report = try await Replay.run(
      ReplayRequest(paths: [PackageRoot.path(row.scenario)]), engine: TestEngine.engine)
    let matching = report.findings.filter {
      $0.path.contains(row.path) && $0.findingClass == row.findingClass && row.causes.contains($0.cause)
        && $0.stack == row.stack && (row.feature == nil || $0.feature == row.feature)
        && (row.area == nil || $0.area == row.area)
    }
    let near = report.findings.filter { $0.path.contains(row.path) }.map {
      "\($0.signature) \($0.findingClass.rawValue)/\($0.cause.rawValue) \($0.stack?.rawValue ?? "-") \($0.feature?.rawValue ?? "-") \($0.area ?? 0)"
    }
    try #require(!matching.isEmpty, "found instead: \(Set(near).sorted())")
    let remedies = matching.compactMap { Explanation($0, TestEngine.engine)?.remedy }
    let complete = remedies.contains { remedy in row.remedy.allSatisfy { remedy.lowercased().contains($0.lowercased()) }
    }
    #expect(complete, "wanted \(row.remedy), said \(Set(remedies).sorted())")
  }

  /// SSL 2.0 and 3.0, Mac clients and devices under on-premises management are seen before the cut-over, in the census.
  @Test func exceptionsAreInTheCensus() async throws {
    let report = try await Replay.run(
      ReplayRequest(paths: [PackageRoot.path("Tests/SeedTests/Cases/ssl-mac-and-mdm")]), engine: TestEngine.engine)
    #expect(report.findings.isEmpty)
    let rows = SightingRow.all(report.census, names: report.names).map {
      "\($0.clientIP ?? "-") \($0.protocolName ?? "-") \($0.role ?? "-") \($0.system ?? "-")"
    }
    #expect(
      Set(rows) == [
        "10.31.4.3 SSL 3.0 management-point -", "10.31.4.4 SSL 2.0 management-point -",
        "10.31.7.9 TLS 1.0 device-management-point Mac OS", "10.31.7.12 TLS 1.0 enrollment-point Mac OS",
        "10.31.9.2 TLS 1.1 device-management-point -", "10.31.4.5 TLS 1.2 management-point -",
      ])
    for (code, word) in [("10", "SSL 3.0"), ("4", "SSL 2.0")] {
      let table = try #require(TestEngine.engine.rules.rules.tables.first { $0.name == "crypt-protocol" })
      let row = try #require(table.row(for: code))
      #expect(row.symbol == word && row.findingClass == .legacyProtocol && row.cause == .ssl)
    }
  }

  /// The summary names the ones that no update helps, with Microsoft's word about them.
  @Test func theSummaryNamesMacsAndDevices() throws {
    let run = try Executable.run(["replay", PackageRoot.path("Tests/SeedTests/Cases/ssl-mac-and-mdm")])
    #expect(run.status == 0)
    let flat = run.output.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
    for words in [
      "10.31.4.3 (SSL 3.0)", "10.31.4.4 (SSL 2.0)", "10.31.7.9 (TLS 1.0, Mac OS)",
      "No update helps 10.31.7.12, 10.31.7.9, 10.31.9.2: Microsoft supports neither Mac clients nor devices",
    ] { #expect(flat.contains(words), "\(words)") }
    #expect(!flat.contains("No update helps 10.31.4"))
  }

  /// FIPS may bring TLS 1.0 although it is switched off: the policy is a finding, the old handshake a sighting.
  @Test func fipsAndWhatItBringsAreSeen() async throws {
    let report = try await Replay.run(
      ReplayRequest(paths: [PackageRoot.path("Tests/SeedTests/Cases/fips")]), engine: TestEngine.engine)
    let rows = SightingRow.all(report.census, names: report.names)
    #expect(rows.contains { $0.protocolName == "TLS 1.0" && $0.server == "sql01.corp.example" })
  }

  /// Before the cut-over there is no error at all: the census is the only warning.
  @Test func whoWillBreakIsInTheCensus() async throws {
    let report = try await Replay.run(
      ReplayRequest(paths: [PackageRoot.path("sample-logs/tls10-off-too-early")], options: .init()),
      engine: TestEngine.engine)
    let names = report.names
    let old = report.census.rows.filter { names.name(of: $0.key.protocolName) == "TLS 1.0" }
    #expect(old.count >= 5)
  }
}
