import ArgumentParser
import Daemon
import Foundation
import Records
import Sinks

/// `handshaked run`: the service.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Follows logs and alerts to the systemd journal: the service.",
    discussion: """
      In the foreground, as systemd starts it (Type=notify). SIGHUP reads configuration and definitions anew.

      Example: handshaked run --config ./handshaked.yaml

      Exit codes: 0 stopped by SIGTERM or SIGINT; 74 the store cannot be used; 78 faults in configuration or \
      definitions.
      """)

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    do {
      let service = try Service(try options.plan(), load: { try options.plan() }, log: { Terminal.message($0) })
      service.run()
      try? service.shutDown()
      if let failure = service.failure { throw failure }
    } catch let error as StartError {
      Terminal.plain(error.text)
      throw ExitCode(error.status)
    }
  }
}

/// `handshaked catalog`.
struct CatalogCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "catalog", abstract: "Prints the journal's message catalog: what journalctl -x says under an alert.",
    discussion:
      "Example: handshaked catalog >/usr/lib/systemd/catalog/handshaked.catalog && journalctl --update-catalog")

  func run() throws { try Terminal.write(Catalog.text) }
}
