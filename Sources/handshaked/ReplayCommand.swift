import ArgumentParser
import Clients
import Detection
import Extraction
import Foundation
import Ingest
import Records
import Replay
import Sinks
import Verification

struct ReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Reads logs from files, folders or standard input and tells what they prove.",
    discussion: """
      Every record is recognised by its own shape, whatever the file is called. Folders are read with all their \
      folders; rotated siblings in their order. The result does not depend on the order of files or on threads.

      Examples:
        handshaked replay /srv/logs
        handshaked replay W7-0117/CcmMessaging.log --findings
        handshaked replay /srv/logs --findings --output json --since 2026-03-01 > findings.jsonl
        zcat ccm.log.gz | handshaked replay -
      """)

  @Argument(help: "Files and folders; - is standard input.")
  var paths: [String]

  @Flag(help: "Print every finding.")
  var findings = false

  @Flag(help: "Print who reached whom: client, server, role, protocol, cipher, outcome.")
  var sightings = false

  @Option(help: "text for people, json for one JSON object a line.")
  var output = OutputForm.text

  @Option(
    help: ArgumentHelp(
      "Leave out what happened before: 2026-03-02 or 2026-03-02T06:00:00Z; UTC unless it names a zone.",
      valueName: "time"))
  var since: TimeArgument?

  @Option(help: ArgumentHelp("Leave out what happened then or later.", valueName: "time"))
  var until: TimeArgument?

  @Option(
    help: ArgumentHelp(
      "Exit with 1 when there is a finding of this severity or above: info, warning, error, critical.",
      valueName: "severity"))
  var failOn: Severity?

  @Option(
    help: ArgumentHelp("The zone of records that carry none, such as Europe/Berlin (default: UTC).", valueName: "zone"))
  var timeZone: ZoneArgument?

  @OptionGroup var definitions: DefinitionOptions

  @Option(help: ArgumentHelp("Files read at the same time (default: the number of processors).", valueName: "n"))
  var threads: Int?

  @Flag(help: "No progress line.")
  var noProgress = false

  func validate() throws {
    if paths.isEmpty { throw ValidationError("Name at least one file or folder to read.") }
    if let threads, !(1...256).contains(threads) { throw ValidationError("--threads must be between 1 and 256.") }
    if let since, let until, since.time >= until.time {
      throw ValidationError("--since (\(since.time.rfc3339)) is not before --until (\(until.time.rfc3339)).")
    }
  }

  func run() async throws {
    let (_, engine) = try definitions.load()
    let request = ReplayRequest(
      paths: paths,
      options: ExtractionOptions(zone: timeZone?.rules ?? .utc, since: since?.time, until: until?.time),
      threadCount: threads ?? ProcessInfo.processInfo.activeProcessorCount)
    let progress = ReplayProgress()
    let line = noProgress || !Terminal.isErrorTerminal ? nil : ProgressLine(progress)
    line?.start()
    let report = try await Replay.run(request, engine: engine, progress: progress)
    line?.stop()
    switch output {
    case .json: try writeJSON(report, engine)
    case .text: try writeText(report, engine)
    }
    try finish(report)
  }

  // MARK: Output

  private func writeJSON(_ report: ReplayReport, _ engine: Engine) throws {
    var lines = JSONLines()
    func flush(_ lines: inout JSONLines, always: Bool = false) throws {
      if always || lines.bytes.count > 1 << 16 { try Terminal.write(lines.take()) }
    }
    if findings {
      for finding in report.findings {
        lines.finding(finding)
        try flush(&lines)
      }
    }
    if sightings {
      for row in SightingRow.all(report.census, names: report.names) {
        lines.sighting(row)
        try flush(&lines)
      }
    }
    for stream in report.streams {
      for reason in SkipReason.allCases where stream.result.skips[reason].count > 0 {
        // A file that failed is told below, with what the system said.
        if reason == .unreadable || reason == .unsupportedFormat { continue }
        lines.skip(path: stream.source.path, reason: reason, entry: stream.result.skips[reason], detail: nil)
        try flush(&lines)
      }
    }
    for error in report.refused {
      var counts = SkipCounts()
      counts.note(error.skipReason, byteCount: Int(clamping: error.byteCount))
      lines.skip(path: error.path, reason: error.skipReason, entry: counts[error.skipReason], detail: error.what)
      try flush(&lines)
    }
    SummaryFigures(report, engine).writeJSON(to: &lines)
    try flush(&lines, always: true)
  }

  private func writeText(_ report: ReplayReport, _ engine: Engine) throws {
    let palette = Palette(isOn: Terminal.wantsColour)
    if findings {
      var text = ""
      for finding in report.findings {
        text += FindingText.line(finding, palette)
        if text.utf8.count > 1 << 16 {
          try Terminal.write(text)
          text = ""
        }
      }
      try Terminal.write(text + (report.findings.isEmpty ? "" : "\n"))
    }
    if sightings {
      var text = ""
      for row in SightingRow.all(report.census, names: report.names) {
        text += FindingText.line(row)
        if text.utf8.count > 1 << 16 {
          try Terminal.write(text)
          text = ""
        }
      }
      try Terminal.write(text + (report.census.rowCount == 0 ? "" : "\n"))
    }
    let summary = SummaryText(report, engine, paths: paths, palette: palette, width: Terminal.width)
    try Terminal.write(summary.text())
  }

  private func finish(_ report: ReplayReport) throws {
    for note in report.notes { Terminal.message(note.description) }
    for error in report.refused { Terminal.message(error.description) }
    if report.refused.contains(where: { $0.call == "read" || $0.call == "readdir" }) { throw ExitStatus.inputOutput }
    let isMissing = report.refused.contains { error in
      if case .system = error.problem { true } else { false }
    }
    if isMissing || (report.streams.allSatisfy { $0.error != nil } && !report.refused.isEmpty) {
      throw ExitStatus.noInput
    }
    if report.streams.isEmpty {
      Terminal.message("there is no file to read\n  fix: name a file, or a folder that holds one")
      throw ExitStatus.noInput
    }
    if let failOn, report.findings.contains(where: { $0.severity >= failOn }) { throw ExitStatus.found }
  }
}

extension Severity: ExpressibleByArgument {}
