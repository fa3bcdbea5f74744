import ArgumentParser
import Daemon
import Definitions
import Foundation
import Records
import Verification

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Reads configuration and definitions, runs all their examples and lists every fault.",
    discussion: """
      Closed lists:
        class       \(FindingClass.allCases.map(\.rawValue).joined(separator: " "))
        cause       \(Cause.allCases.map(\.rawValue).joined(separator: " "))
        severity    \(Severity.allCases.map(\.rawValue).joined(separator: " "))
        stack       \(Stack.allCases.map(\.rawValue).joined(separator: " "))
        feature     \(Feature.allCases.map(\.rawValue).joined(separator: " "))
        confidence  \(Confidence.allCases.map(\.rawValue).joined(separator: " "))
        role        \(RoleNames.all.joined(separator: " "))
        format      \(RecordFormat.allCases.map(\.name).joined(separator: " "))

      Examples:
        handshaked check
        handshaked check --parsers my
        handshaked check --coverage signals.tsv
        sudo handshaked check --as-service

      Exit codes: 0 no fault; 66 --as-service found what the service may not open; 78 faults.
      """)

  @OptionGroup var configuration: ConfigurationOptions

  @Flag(
    help: ArgumentHelp(
      "Also look, as the service's user, whether every source can be opened; where not, print the commands that mend it."
    ))
  var asService = false

  @Option(help: ArgumentHelp("The service's user.", valueName: "name"))
  var user = "handshaked"

  @Option(
    help: ArgumentHelp(
      "A tab-separated list of signals with a column id: tells which are covered.", valueName: "file.tsv"))
  var coverage: String?

  @Flag(
    name: .shortAndLong,
    help: "Print the code tables, the factors that the prefilter chose, and every id of --coverage.")
  var verbose = false

  func run() throws {
    let set = DefinitionSet(overrides: configuration.definitions.parsers)
    let settings: (configuration: Configuration, faults: [Diagnostic])
    do {
      settings = try configuration.read()
    } catch let error as StartError {
      Terminal.plain(error.text)
      throw ExitCode(error.status)
    }
    var diagnostics = settings.faults + set.diagnostics
    var exampleCount = 0
    if var run = ExampleRun(set) {
      run.runAll()
      exampleCount = run.exampleCount
      diagnostics += run.diagnostics
    }
    var report: CoverageReport?
    if let coverage {
      guard let data = FileManager.default.contents(atPath: coverage) else {
        Terminal.message("cannot read \(Terminal.printable(coverage))\n  fix: name an existing tab-separated file")
        throw ExitStatus.noInput
      }
      let found = set.load.coverage(tsv: String(decoding: data, as: UTF8.self), path: coverage)
      diagnostics += found.diagnostics
      report = found
    }
    let rows = set.load.ruleSet.tables.reduce(0) { $0 + $1.rows.count }
    var text =
      "\(Figures.plural(UInt64(set.load.ruleSet.signatures.count), "signature")), "
      + "\(Figures.plural(UInt64(rows), "code row")) in \(Figures.plural(UInt64(set.load.ruleSet.tables.count), "table")), "
      + "\(Figures.plural(UInt64(set.load.formats.count), "format")), "
      + "\(Figures.plural(UInt64(exampleCount), "example")): "
      + "\(Figures.plural(UInt64(diagnostics.count), "fault"))\n"
    if verbose {
      text += "code tables\n"
      for table in set.load.ruleSet.tables {
        text += "  \(table.name)  \(table.kind.rawValue), \(Figures.plural(UInt64(table.rows.count), "row"))\n"
      }
    }
    if verbose, let engine = set.engine {
      for family in [FormatFamily.text, .event] {
        let factors = engine.plan.factors(of: family)
        text +=
          "prefilter of \(family) records: \(Figures.plural(UInt64(factors.count), "factor")) for "
          + "\(Figures.plural(UInt64(engine.plan.anchorCount(of: family)), "anchor"))\n"
        for factor in factors { text += "  \(Terminal.printable(factor))\n" }
      }
    }
    if let report { text += CheckCommand.text(report, isVerbose: verbose) }
    try Terminal.write(text)
    guard diagnostics.isEmpty else {
      DefinitionOptions.report(diagnostics)
      throw ExitStatus.configuration
    }
    guard asService else { return }
    do {
      let files = try configuration.paths()
      let isGood = try ServiceAccess.check(settings.configuration, files: files, user: user)
      if !isGood { throw ExitStatus.noInput }
    } catch let fault as ServiceAccess.StartFault {
      Terminal.plain(fault.text)
      throw ExitStatus.configuration
    }
  }

  /// Covered and missing ids by the list's sources.
  private static func text(_ report: CoverageReport, isVerbose: Bool) -> String {
    var text = "covered: \(report.covered.count) of \(report.entries.count) signals\n"
    var sources: [String: (covered: Int, missing: [String])] = [:]
    for entry in report.entries {
      if entry.places.isEmpty {
        sources[entry.source, default: (0, [])].missing.append(entry.id)
      } else {
        sources[entry.source, default: (0, [])].covered += 1
      }
    }
    for (source, counts) in sources.sorted(by: { $0.key < $1.key }) {
      let total = counts.covered + counts.missing.count
      text += "  \(counts.covered) of \(total)  \(source.isEmpty ? "(no source)" : source)"
      if !counts.missing.isEmpty {
        let shown = isVerbose ? counts.missing : Array(counts.missing.prefix(6))
        text += ": missing \(shown.joined(separator: " "))"
        if shown.count < counts.missing.count { text += " and \(counts.missing.count - shown.count) more (-v)" }
      }
      text += "\n"
    }
    if !report.unusedTables.isEmpty {
      text += "  tables that no signature uses: \(report.unusedTables.joined(separator: " "))\n"
    }
    return text
  }
}
