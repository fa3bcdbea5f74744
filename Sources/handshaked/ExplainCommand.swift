import ArgumentParser
import Detection
import Extraction
import Foundation
import Ingest
import Records
import Replay
import Sinks
import Verification

struct ExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Tells what a code means, or what each stage makes of a file or a line.",
    discussion: """
      The argument is a code in any spelling (12175, 0x2f8f, 0x80072f8f, -2147012721, SEC_E_ALGORITHM_MISMATCH, an alert \
      such as 70, an IIS status such as 403.7), else an existing file, else a line. --code, --file and --line decide.

      Examples:
        handshaked explain 0x80072f8f
        handshaked explain W7-0117/CcmMessaging.log
        handshaked explain --line '[RegTask] - Sleeping for 15360 seconds ...'
        handshaked explain --log proxy7.log --line '2026-03-02 06:00:00|lb01|10.1.2.3|handshake failed'
      """)

  @Argument(help: "A code, a file or a line.")
  var argument: String

  @Flag(help: "It is a code.") var code = false
  @Flag(help: "It is a file.") var file = false
  @Flag(help: "It is a line.") var line = false

  @Option(
    help: ArgumentHelp(
      "The log that the line or file is from: 'logs' of signatures and the files of delimited formats go by it.",
      valueName: "name"))
  var log: String?

  @OptionGroup var definitions: DefinitionOptions

  /// Bytes of a file that are shown record by record.
  private static let fileByteLimit = 1 << 20
  private static let recordLimit = 200

  func validate() throws {
    if [code, file, line].filter({ $0 }).count > 1 { throw ValidationError("Only one of --code, --file and --line.") }
  }

  func run() async throws {
    let (_, engine) = try definitions.load()
    if code {
      guard try explainCode(engine) else {
        Terminal.message(
          "the code '\(Terminal.printable(argument))' stands in no table\n  fix: check the digits; handshaked explain --line shows what is made of a whole line"
        )
        throw ExitStatus.noInput
      }
      return
    }
    if line { return try explainText(Array(argument.utf8), host: nil, log: logName ?? "", path: "line", engine) }
    if !file, try explainCode(engine) { return }
    if file || FileManager.default.fileExists(atPath: argument) { return try explainFile(engine) }
    try explainText(Array(argument.utf8), host: nil, log: logName ?? "", path: "line", engine)
  }

  /// `--log` without folder and extension.
  private var logName: String? { log.map(Origin.logName) }

  // MARK: Codes

  /// Every row of every table that the argument spells; false when there is none.
  private func explainCode(_ engine: Engine) throws -> Bool {
    var value = argument
    for prefix in ["alert ", "event ", "HTTP ", "status "] where value.lowercased().hasPrefix(prefix.lowercased()) {
      value = String(value.dropFirst(prefix.count))
    }
    let palette = Palette(isOn: Terminal.wantsColour)
    var text = ""
    var seen: Set<String> = []
    for table in engine.rules.rules.tables {
      // Text tables hold sentences too; bits and hexadecimal words of IIS mean something only in their column.
      guard table.kind == .code || table.kind == .number || table.kind == .text || table.kind == .hex,
        let row = table.row(for: value), row.explain != nil, row.value != "*"
      else { continue }
      guard seen.insert("\(row.symbol ?? row.value) \(row.explain ?? "")").inserted else { continue }
      text += "\n\(palette.bold(row.symbol ?? row.value))  \(row.symbol == nil ? "" : row.value)  (\(table.name))\n"
      if let name = row.findingClass {
        let cause = row.cause.map { "/\($0.rawValue)" } ?? ""
        text += "  class   \(name.rawValue)\(cause)\(row.severity.map { ", \($0.rawValue)" } ?? "")\n"
      }
      if let explain = row.explain { text += wrapped("means", explain) }
      if let remedy = row.remedy { text += wrapped("do", remedy) }
      if !row.covers.isEmpty { text += "  ids     \(row.covers.joined(separator: " "))\n" }
      if let source = row.source { text += wrapped("source", source) }
    }
    guard !text.isEmpty else { return false }
    try Terminal.write(text + "\n")
    return true
  }

  private func wrapped(_ label: String, _ text: String) -> String {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, line.count + word.count + 1 > Terminal.width - 10 {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    lines.append(line)
    let name = label + String(repeating: " ", count: max(1, 8 - label.count))
    return "  \(name)" + lines.joined(separator: "\n          ") + "\n"
  }

  // MARK: Files and lines

  private func explainFile(_ engine: Engine) throws {
    let files = FileSet(paths: [argument])
    guard let source = files.sources.first else {
      for error in files.refused { Terminal.message(error.description) }
      if files.refused.isEmpty {
        Terminal.message("\(Terminal.printable(argument)) is no file\n  fix: name a single file")
      }
      throw ExitStatus.noInput
    }
    if files.sources.count > 1 {
      Terminal.message(
        "\(Terminal.printable(argument)) is a folder; the first file of it is explained\n  fix: name a single file")
    }
    var bytes: [UInt8] = []
    do throws(IngestError) {
      var reader = try ChunkReader(source)
      while bytes.count < ExplainCommand.fileByteLimit, try reader.fill() {
        let count = reader.chunk.byteCount
        bytes += reader.chunk.storage[0..<count]
        reader.consume(count)
      }
    } catch {
      Terminal.message(error.description)
      throw ExitStatus.inputOutput
    }
    try explainText(bytes, host: source.host, log: logName ?? source.log, path: source.path, engine)
  }

  private func explainText(_ bytes: [UInt8], host: String?, log: String, path: String, _ engine: Engine) throws {
    let chunk = Chunk(text: bytes)
    let origin = Origin(host: host, log: log, path: path)
    let seen = try Inspection(chunk, origin: origin, engine: engine)
    let names = NameTable()
    var pipeline = Pipeline(engine, names: names)
    pipeline.begin(stream: 0, path: path, origin: origin)
    _ = pipeline.process(chunk)
    let result = pipeline.result()
    let palette = Palette(isOn: Terminal.wantsColour)

    var text = "stream     \(Terminal.printable(path)), host "
    text += "\(Terminal.printable(host ?? "not known")), "
    text += "log \(log.isEmpty ? "not known: --log NAME tells it" : Terminal.printable(log))\n"
    text += "envelopes  \(seen.hasEnvelopes ? "opened" : "none")\n"
    let counts = RecordFormat.allCases.filter { seen.recordCounts[Int($0.rawValue)] > 0 }
      .map { "\(seen.recordCounts[Int($0.rawValue)]) \($0.name)" }
    text += "records    \(counts.isEmpty ? "none" : counts.joined(separator: ", ")); "
    text += "\(seen.tornCount) torn, \(seen.markerCount) directives and markers\n"
    for schema in seen.schemas { text += "columns    \(Terminal.printable(schema.names.joined(separator: " ")))\n" }
    for reason in SkipReason.allCases where result.skips[reason].count > 0 {
      text +=
        "skipped    \(reason.name) \(result.skips[reason].count)×, first in line \(result.skips[reason].firstLine)\n"
    }
    let byLine = Dictionary(grouping: result.findings, by: \.line)
    for record in seen.records.prefix(ExplainCommand.recordLimit) {
      text += "\nline \(record.line)  \(palette.bold(record.format.name))\(record.isTorn ? " (torn)" : "")"
      text += "  \(record.time?.rfc3339 ?? "no time")  \(Terminal.printable(record.component ?? ""))\n"
      let message = Terminal.printable(String(record.message.prefix(240)))
      text += "  message    \(message)\(record.message.count > 240 ? " …" : "")\n"
      text += "  candidates \(record.candidates.isEmpty ? "none" : record.candidates.joined(separator: ", "))\n"
      for tried in record.trials {
        if let reason = tried.reason { text += "  fell away  \(tried.id): \(Terminal.printable(reason))\n" }
      }
      if log.isEmpty, record.format == .line, !engine.rules.rules.delimited.isEmpty {
        let names = engine.rules.rules.delimited.map(\.name).joined(separator: ", ")
        text += "  note       the file's name decides about delimited formats (\(names)): --log NAME\n"
      }
      text += explained(byLine[record.line] ?? [], engine, palette)
    }
    if seen.records.count > ExplainCommand.recordLimit {
      text += "\n… \(seen.records.count - ExplainCommand.recordLimit) more records\n"
    }
    if seen.rowCount > 0 {
      let rows = result.findings.filter { finding in !seen.records.contains { $0.line == finding.line } }
      text += "\n\(seen.rowCount) rows, \(pipeline.census.rowCount) different sightings\n"
      for finding in rows.prefix(ExplainCommand.recordLimit) {
        text += "line \(finding.line)\n" + explained([finding], engine, palette)
      }
    }
    let held = zip(engine.rules.rules.signatures, pipeline.signatureCounts).filter { $0.1 > 0 }
    text += "\nheld       "
    text +=
      held.isEmpty
      ? "no signature\n" : held.map { "\($0.0.id) (\($0.0.yields.rawValue)) \($0.1)×" }.joined(separator: ", ") + "\n"
    try Terminal.write(text)
  }

  private func explained(_ findings: [Finding], _ engine: Engine, _ palette: Palette) -> String {
    var text = ""
    for finding in findings {
      text += "  finding    \(FindingText.line(finding, palette))"
      if let explanation = Explanation(finding, engine) {
        text += "  means      \(explanation.explain)\n  do         \(explanation.remedy)\n"
      }
    }
    return text
  }
}
