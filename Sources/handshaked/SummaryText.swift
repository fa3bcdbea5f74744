import Detection
import Foundation
import Ingest
import Records
import Replay

/// The summary of a replay for an administrator: what failed, who still uses what, what was not seen.
struct SummaryText {
  private let figures: SummaryFigures
  private let engine: Engine
  private let paths: [String]
  private let palette: Palette
  private let width: Int

  init(_ report: ReplayReport, _ engine: Engine, paths: [String], palette: Palette, width: Int) {
    figures = SummaryFigures(report, engine)
    self.engine = engine
    self.paths = paths
    self.palette = palette
    self.width = width
  }

  func text() -> String {
    var out = read()
    out += findings()
    out += protocols()
    out += coverage()
    out += skips()
    return out
  }

  private var report: ReplayReport { figures.report }

  // MARK: Sections

  private func read() -> String {
    let seconds = Double(report.duration.components.seconds) + Double(report.duration.components.attoseconds) / 1e18
    let rate = seconds > 0 ? Double(report.byteCount) / seconds : 0
    var out = heading("Read", Terminal.printable(paths.joined(separator: " ")))
    out += item(
      "files",
      "\(Figures.count(UInt64(report.streams.count))), \(Figures.bytes(report.byteCount)), "
        + "\(Figures.plural(report.lineCount, "line")) in \(String(format: "%.2f", seconds)) s (\(Figures.rate(rate)))")
    let records = RecordFormat.allCases.filter { report.recordCounts[Int($0.rawValue)] > 0 }
      .map { "\(Figures.count(report.recordCounts[Int($0.rawValue)])) \($0.name)" }
    out += item("records", records.isEmpty ? "none" : records.joined(separator: ", "))
    if let first = figures.first, let last = figures.last {
      out += item("evidence", "\(clock(first)) to \(clock(last)) UTC")
    }
    let outside = report.streams.reduce(0) { $0 + $1.result.outsideWindowCount }
    if outside > 0 { out += item("left out", "\(Figures.plural(outside, "record")) outside --since/--until") }
    return out
  }

  private func findings() -> String {
    guard !report.findings.isEmpty else {
      return heading("Findings", palette.green("none: no record proves a failed handshake or an orphan symptom"))
        + paragraph("No finding is no proof of health: see below what was not sent.", indent: 2)
    }
    let count = UInt64(report.findings.count)
    let told =
      count == figures.failureCount
      ? Figures.plural(count, "failure")
      : "\(Figures.plural(figures.failureCount, "failure")) in \(Figures.plural(count, "record"))"
    var out = heading("Findings", told)
    for group in figures.groups { out += self.group(group) }
    return out
  }

  private func group(_ group: CauseGroup) -> String {
    let severity = group.severity.rawValue.uppercased()
    let mark = group.severity >= .error ? palette.red(severity) : palette.yellow(severity)
    let name = "\(group.findingClass.rawValue)/\(group.cause.rawValue)"
    let count: String
    if group.failureCount == 0 {
      count = "\(Figures.plural(group.recordCount, "record")), the failures are told elsewhere"
    } else if group.failureCount == group.recordCount {
      count = Figures.plural(group.failureCount, "failure")
    } else {
      count = "\(Figures.plural(group.failureCount, "failure")) in \(Figures.plural(group.recordCount, "record"))"
    }
    var out = "\n  \(mark)  \(palette.bold(name))  \(count)\n"
    let indent = 4
    if let who = who(group) { out += field("who", who, indent) }
    if let first = group.first, let last = group.last {
      out += field("when", first == last ? "\(clock(first)) UTC" : "\(clock(first)) to \(clock(last)) UTC", indent)
    }
    let lines = group.lines
    var remedies: [String] = []
    for (index, line) in lines.prefix(6).enumerated() {
      let finding = line.example
      let explanation = Explanation(finding, engine)
      var text = "\(Figures.count(line.recordCount))× \(explanation?.title ?? finding.signature)"
      let code = [finding.code, finding.symbol].compactMap { $0 }.joined(separator: " ")
      if !code.isEmpty { text += ": \(code)" }
      text += ", \(finding.path):\(finding.line)"
      out += field(index == 0 ? "seen" : "", text, indent)
      if let remedy = explanation?.remedy, !remedies.contains(remedy) { remedies.append(remedy) }
    }
    if lines.count > 6 {
      out += field("", "and \(Figures.plural(UInt64(lines.count - 6), "other kind")): --findings", indent)
    }
    // Records that only tell again what others told: their advice would be for a cause that is not the one.
    if group.failureCount == 0 {
      return out + field("do", "see the failures of the same moment, which name the cause", indent)
    }
    if let explanation = Explanation(lines[0].example, engine) { out += field("means", explanation.explain, indent) }
    for (index, remedy) in remedies.prefix(2).enumerated() { out += field(index == 0 ? "do" : "also", remedy, indent) }
    return out
  }

  private func who(_ group: CauseGroup) -> String? {
    let clients = list(CauseGroup.ranked(group.clients))
    let servers = list(CauseGroup.ranked(group.servers))
    switch (clients, servers) {
    case (let clients?, let servers?): return "\(clients) → \(servers)"
    case (let clients?, nil): return clients
    case (nil, let servers?):
      let hosts = CauseGroup.ranked(group.hosts).filter { group.servers[$0] == nil }
      return list(hosts).map { "\($0) → \(servers)" } ?? servers
    case (nil, nil): return list(CauseGroup.ranked(group.hosts))
    }
  }

  /// Up to four names and how many more.
  private func list(_ names: [String]) -> String? {
    guard !names.isEmpty else { return nil }
    let shown = names.prefix(4).joined(separator: ", ")
    return names.count > 4 ? "\(shown) and \(Figures.count(UInt64(names.count - 4))) more" : shown
  }

  private func protocols() -> String {
    guard !figures.protocols.isEmpty else { return "" }
    let names = Set(figures.protocols.flatMap { $0.clients.keys }).sorted()
    let hasPlain = figures.protocols.contains { $0.plainClients > 0 }
    var out = heading("Who reached whom", "clients by protocol, from IIS rows and Schannel event 36880")
    var rows = [["server", "role"] + names + (hasPlain ? ["not known"] : [])]
    for row in figures.protocols {
      var cells = [Terminal.printable(row.server), row.role]
      for name in names { cells.append(row.clients[name].map { Figures.count(UInt64($0)) } ?? "·") }
      if hasPlain { cells.append(row.plainClients == 0 ? "·" : Figures.count(UInt64(row.plainClients))) }
      rows.append(cells)
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    for (index, row) in rows.enumerated() {
      var line = "  "
      for (column, cell) in row.enumerated() {
        let gap = String(repeating: " ", count: widths[column] - cell.count)
        line += column < 2 ? cell + gap + "  " : gap + cell + "  "
      }
      while line.hasSuffix(" ") { line.removeLast() }
      out += (index == 0 ? palette.dim(line) : line) + "\n"
    }
    if hasPlain, !figures.hasCryptFields {
      out += paragraph(
        "These IIS logs carry no crypt-* fields, so the protocol is not known: the README tells how to switch them on.",
        indent: 2)
    }
    if !figures.legacyClients.isEmpty {
      let clients = figures.legacyClients.map { entry in
        Terminal.printable(entry.client) + " (\(entry.protocolName)\(entry.system.map { ", \($0)" } ?? ""))"
      }
      out += "\n  " + palette.yellow("Will break when TLS 1.0 and 1.1 are switched off") + "\n"
      let shown = clients.prefix(12).joined(separator: ", ")
      let more = clients.count > 12 ? " and \(Figures.count(UInt64(clients.count - 12))) more (--sightings)" : ""
      out += paragraph(shown + more, indent: 4)
    }
    if !figures.exceptions.isEmpty {
      let shown = figures.exceptions.prefix(12).map(Terminal.printable).joined(separator: ", ")
      let count = figures.exceptions.count
      out += paragraph(
        "No update helps \(shown)\(count > 12 ? " and \(count - 12) more" : ""): Microsoft supports neither Mac clients nor "
          + "devices under on-premises mobile device management where only TLS 1.2 is allowed. Manage them otherwise first.",
        indent: 4)
    }
    return out
  }

  private func coverage() -> String {
    var out = heading("What was sent", "and what stays unknown without the rest")
    for tier in EvidenceTier.allCases {
      let isThere = figures.tiers.contains(tier)
      let mark = isThere ? palette.green("yes") : palette.yellow("no ")
      var line = "  \(tier.rawValue)  \(mark)  \(tier.title)"
      if !isThere { line += ": unknown is \(tier.absence)" }
      if tier == .iis, isThere, !figures.hasCryptFields { line += ", without crypt-* fields: unknown is the protocol" }
      out += line + "\n"
    }
    return out
  }

  private func skips() -> String {
    let reasons = SkipReason.allCases.filter { report.skips[$0].count > 0 }
    guard !reasons.isEmpty else { return "\n" }
    var out = heading("Passed over", "counted, not lost from sight")
    for reason in reasons {
      let entry = report.skips[reason]
      out += field(
        reason.name, "\(Figures.count(entry.count))×, \(Figures.bytes(entry.byteCount)): \(reason.explanation)", 2,
        label: 18)
      if let stream = report.streams.first(where: { $0.result.skips[reason].count > 0 }) {
        let line = stream.result.skips[reason].firstLine
        out += field("", "first in \(stream.source.path)\(line > 0 ? ":\(line)" : "")", 2, label: 18)
      } else if let error = report.refused.first(where: { $0.skipReason == reason }) {
        out += field("", "first: \(error.path)", 2, label: 18)
      }
    }
    return out + "\n"
  }

  // MARK: Layout

  private func heading(_ title: String, _ rest: String) -> String {
    "\n\(palette.bold(title))  \(rest)\n"
  }

  private func item(_ name: String, _ text: String) -> String { field(name, text, 2, label: 10) }

  /// `name   text`, the text wrapped below itself.
  private func field(_ name: String, _ text: String, _ indent: Int, label: Int = 7) -> String {
    let left = String(repeating: " ", count: indent)
    let hang = String(repeating: " ", count: indent + label)
    let lines = wrap(Terminal.printable(text), width - indent - label)
    let padded = name + String(repeating: " ", count: max(1, label - name.count))
    var out = left + palette.dim(padded) + (lines.first ?? "") + "\n"
    for line in lines.dropFirst() { out += hang + line + "\n" }
    return out
  }

  private func paragraph(_ text: String, indent: Int) -> String {
    wrap(text, width - indent).map { String(repeating: " ", count: indent) + $0 + "\n" }.joined()
  }

  private func wrap(_ text: String, _ width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    if !line.isEmpty { lines.append(line) }
    return lines
  }

  /// `2026-03-02 06:00:12`.
  private func clock(_ time: Timestamp) -> String {
    let c = time.civil
    return String(format: "%04d-%02d-%02d %02d:%02d:%02d", c.year, c.month, c.day, c.hour, c.minute, c.second)
  }
}
