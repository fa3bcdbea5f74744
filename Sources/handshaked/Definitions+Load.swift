import ArgumentParser
import Definitions
import Detection
import Verification

/// `--parsers DIR`, for every command that reads definitions.
struct DefinitionOptions: ParsableArguments {
  @Option(
    name: .customLong("parsers"), parsing: .singleValue,
    help: ArgumentHelp(
      "Your own definitions: replaces the shipped files of the same name, adds the others.", valueName: "dir"))
  var parsers: [String] = []

  /// The definitions, or all their faults on standard error and exit code 78.
  func load() throws -> (set: DefinitionSet, engine: Engine) {
    let set = DefinitionSet(overrides: parsers)
    guard let engine = set.engine else {
      DefinitionOptions.report(set.diagnostics)
      throw ExitStatus.configuration
    }
    return (set, engine)
  }

  static func report(_ diagnostics: [Diagnostic]) {
    for diagnostic in diagnostics { Terminal.plain(diagnostic.description) }
    Terminal.message("\(diagnostics.count) \(diagnostics.count == 1 ? "fault" : "faults") in the definitions")
  }
}
