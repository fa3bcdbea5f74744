import Foundation

/// One row of the knowledge base: the truth that the generated logs are made from.
struct SignalRow: Sendable {
  let id: String
  let source: String
  let logs: String
  /// Literals or field predicates, in the order of the cell.
  let match: [String]
  let regex: String
  let classCell: String
  /// With `⏎` turned into line ends; nil where the cell is `-`.
  let example: String?

  var prefix: String { String(id.prefix { $0 != "-" }) }
  /// What stands behind the first dash of the id: `12175`, `403.7`, `36887-70`.
  var suffix: String { String(id.dropFirst(prefix.count + 1)) }
}

/// The knowledge base beside the package. It is no part of the project: without it there is nothing to measure.
enum SignalTable {
  static let path = {
    var folders = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    folders[folders.endIndex - 1] = "shared"
    return folders.joined(separator: "/") + "/domain/signals.tsv"
  }()

  /// All rows; nil when the file is not there, which is told once.
  static let rows: [SignalRow]? = {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      print("SKIP: ../shared/domain/signals.tsv is not there")
      return nil
    }
    return text.split(separator: "\n").dropFirst().map { line in
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      return SignalRow(
        id: cells[0], source: cells[1], logs: cells[2],
        match: cells[3].split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }, regex: cells[4],
        classCell: cells[6],
        example: cells[12] == "-" ? nil : cells[12].replacingOccurrences(of: " ⏎ ", with: "\n"))
    }
  }()

  static let byID: [String: SignalRow] = Dictionary(
    (rows ?? []).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
}

/// Which rows the shipped definitions must know. The list is written out so that nothing falls out of it unseen.
enum Scope {
  static let prefixes: Set<String> = [
    "WINHTTP", "BITS", "SSPI", "CERT", "CCM", "WUA", "SCH", "IIS", "HTTPERR", "CLI", "SQL", "NET", "SRS", "WSUS", "WU",
    "CMG", "SCP", "ADMINUI", "SC", "WIN7", "WSA", "MP", "MPREG", "MPFDM", "REST", "HMAN", "SITE", "FIPS", "CAPI2",
    "SQLLOG",
  ]
  /// The marker of a rotation is no record.
  static let left: Set<String> = ["LOG"]

  /// Definitions that no row asks for: they tell the class of complaints more exactly. `UserPainTests` shows for each
  /// that its case is told wrongly without it.
  static let provenByCases: Set<String> = [
    "client.update-agent-failed", "dotnet.sync-status", "dotnet.update-endpoint",
  ]

  /// Definitions without which as many right findings come, by more general ones, but with poorer fields: the list is
  /// closed, each with the fields that it alone fills and why they are worth a definition.
  static let byFieldsOnly: [String: (fields: Set<Score.Field>, reason: String)] = [
    "client.request-failed": ([.server], "the URL names the site system"),
    "client.gateway-refused": (
      [.client], "client.gateway-refused-elsewhere tells the same status, in logs of servers: their writer is no client"
    ),
    "client.exchange-failed": ([.server], "HostName names the site system"),
    "client.post-failed": ([.server], "the URL names the management point"),
    "client.software-center": (
      [.client], "dotnet.failure tells the same text, in any log: its writer need be no client"
    ),
    "code.client-tls": ([.client], "code.tls tells the same code, in any log: its writer need be no client"),
  ]

  static func contains(_ row: SignalRow) -> Bool { prefixes.contains(row.prefix) }

  /// Sources that are wholly in scope, whatever the id.
  static func isWholeSource(_ source: String) -> Bool {
    source.hasPrefix("client") || source == "IIS" || source == "HTTPERR" || source == "Schannel"
  }
}
