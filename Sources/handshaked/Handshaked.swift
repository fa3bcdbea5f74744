import ArgumentParser
import Foundation

/// Finds failed TLS handshakes in the logs of a Configuration Manager estate.
struct Handshaked: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "handshaked",
    abstract:
      "Finds failed TLS handshakes in the logs of a Configuration Manager estate: where, between whom, and why.",
    discussion: """
      Example: handshaked replay /srv/logs

      Exit codes: 0 done; 1 --fail-on found something; 64 wrong usage; 66 an input is missing or cannot be opened; \
      74 reading or writing failed; 78 faults in definitions.
      """,
    version: "0.1.0",
    subcommands: [
      RunCommand.self, ReplayCommand.self, CheckCommand.self, ExplainCommand.self, StatusCommand.self,
      IncidentsCommand.self, AckCommand.self, MaintenanceCommand.self, ReloadCommand.self, CatalogCommand.self,
    ])
}

@main
enum Main {
  static func main() async {
    // A closed pipe is an error of `write`, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    var arguments = Array(CommandLine.arguments.dropFirst())
    // Signed codes look like options: `explain -2147012721`.
    if arguments.first == "explain", !arguments.contains("--"),
      let index = arguments.firstIndex(where: {
        $0.count > 2 && $0.hasPrefix("-") && $0.dropFirst().allSatisfy(\.isNumber)
      })
    {
      let code = arguments.remove(at: index)
      arguments += ["--", code]
    }
    await Handshaked.main(arguments)
  }
}

/// Exit codes of sysexits(3), as far as they are used.
enum ExitStatus {
  static let found = ExitCode(1)
  static let usage = ExitCode(64)
  static let noInput = ExitCode(66)
  static let inputOutput = ExitCode(74)
  static let configuration = ExitCode(78)
}

/// How results are written.
enum OutputForm: String, ExpressibleByArgument, CaseIterable { case text, json }
