import Clients
import Detection
import Extraction
import Records

/// One finding or sighting on one line.
enum FindingText {
  static func line(_ finding: Finding, _ palette: Palette) -> String {
    let mark =
      switch finding.severity {
      case .critical, .error: palette.red(finding.severity.rawValue)
      case .warning: palette.yellow(finding.severity.rawValue)
      case .info: finding.severity.rawValue
      }
    var text =
      "\(finding.time?.rfc3339 ?? "(no time)") \(mark) \(finding.findingClass.rawValue)/\(finding.cause.rawValue)"
    if let code = finding.code { text += " \(code)" }
    if let symbol = finding.symbol { text += " \(symbol)" }
    if let who = parties(finding) { text += " \(who)" }
    text += " [\(finding.signature)] \(finding.path):\(finding.line)"
    if let same = finding.sameAs { text += " same as \(same)" }
    return Terminal.printable(text) + "\n"
  }

  /// `client → server`, as far as known.
  static func parties(_ finding: Finding) -> String? {
    let client = finding.client ?? finding.clientIP
    let from = client ?? (finding.server == finding.host ? nil : finding.host)
    switch (from, finding.server) {
    case (let from?, let server?): return "\(from) → \(server)"
    case (let from?, nil): return "on \(from)"
    case (nil, let server?): return "on \(server)"
    case (nil, nil): return finding.host.map { "on \($0)" }
    }
  }

  static func line(_ row: SightingRow) -> String {
    let client = row.client ?? row.clientIP ?? "(unknown)"
    var parts = ["\(client) → \(row.server ?? "(unknown)")"]
    if let role = row.role { parts.append(role) }
    parts.append(row.protocolName ?? "no protocol known")
    if let cipher = row.cipher { parts.append(cipher) }
    parts.append(row.outcome.rawValue)
    if let system = row.system { parts.append(system) }
    parts.append("\(Figures.count(row.count))×")
    if let first = row.first, let last = row.last {
      parts.append(first == last ? first.rfc3339 : "\(first.rfc3339) to \(last.rfc3339)")
    }
    return Terminal.printable(parts.joined(separator: "  ")) + "\n"
  }
}
