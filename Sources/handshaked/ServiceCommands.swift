import ArgumentParser
import CLinux
import Daemon
import Foundation
import Incidents
import Records
import Sinks

/// One question to the running service.
struct ServiceClient {
  let socket: String

  func ask(_ request: String) throws -> Service.Reply {
    let connection = hl_unix_connect(socket)
    guard connection >= 0 else {
      Terminal.message(
        "\(socket): \(String(cString: strerror(errno)))\n  fix: start the service (systemctl start handshaked), or ask as a "
          + "member of the group handshaked")
      throw ExitStatus.noInput
    }
    defer { close(connection) }
    let bytes = Array((request + "\n").utf8)
    guard write(connection, bytes, bytes.count) == bytes.count else { throw ExitStatus.inputOutput }
    var reply: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = Foundation.read(connection, &buffer, buffer.count)
      if count <= 0 { break }
      reply += buffer[..<count]
    }
    guard let decoded = try? JSONDecoder().decode(Service.Reply.self, from: Data(reply)) else {
      Terminal.message("the service gave no answer\n  fix: journalctl -u handshaked tells why")
      throw ExitStatus.inputOutput
    }
    if let fault = decoded.fault {
      Terminal.plain(fault)
      throw ExitStatus.configuration
    }
    return decoded
  }
}

struct ClientOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The service's control socket.", valueName: "path"))
  var socket: String?

  @OptionGroup var configuration: ConfigurationOptions

  var client: ServiceClient { ServiceClient(socket: socket ?? configuration.controlSocket) }
}

/// `handshaked status`.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "What the running service sees: sources, lag, rate, skips, open incidents.",
    discussion: """
      Example: handshaked status --watch

      Exit codes: 0 answered; 66 the service cannot be reached.
      """)

  @OptionGroup var options: ClientOptions
  @Flag(help: "Again every second until interrupted.") var watch = false
  @Option(help: "text for people, json for programs.") var output = OutputForm.text

  func run() async throws {
    repeat {
      let reply = try options.client.ask("status")
      guard let status = reply.status else { throw ExitStatus.inputOutput }
      if output == .json {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try Terminal.write(String(decoding: try encoder.encode(status), as: UTF8.self) + "\n")
      } else {
        if watch { try Terminal.write("\u{1B}[H\u{1B}[2J") }
        try Terminal.write(StatusCommand.text(status))
      }
      if watch { try await Task.sleep(for: .seconds(1)) }
    } while watch
  }

  static func text(_ status: ServiceStatus) -> String {
    var text = """
      up         \(status.uptimeSeconds) s\(status.isBacklog ? ", in the first reading" : "")
      files      \(status.fileCount), lag \(status.lagByteCount) bytes
      read       \(status.byteCount) bytes, \(status.recordCount) records, \(Int(status.bytesPerSecond)) bytes/s
      findings   \(status.findingCount)
      incidents  \(status.openIncidentCount) open
      outbox     \(status.outboxCount) not confirmed
      journal    \(status.journal)
      store      \(status.store), \(status.commitCount) commits

      """
    for (cause, count) in status.findingsByCause.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
      text += "  finding  \(cause)  \(count)\n"
    }
    for (reason, count) in status.skips.sorted(by: { $0.key < $1.key }) { text += "  skipped  \(reason)  \(count)\n" }
    for feed in status.feeds {
      text += "  source   \(Terminal.printable(feed.name)): \(feed.messageCount) messages, \(feed.byteCount) bytes"
      if let count = feed.connectionCount { text += ", \(count) connections" }
      for (what, count) in [
        ("dropped", feed.droppedCount), ("refused", feed.refusedCount), ("closed", feed.closedCount),
      ] {
        if let count, count > 0 { text += ", \(count) \(what)" }
      }
      text += "\n"
      if let trouble = feed.trouble {
        text += "  trouble  \(Terminal.printable(feed.name)): \(Terminal.printable(trouble))\n"
      }
    }
    let troubled = status.files.filter { $0.trouble != nil }
    for file in troubled.prefix(50) {
      text += "  trouble  \(Terminal.printable(file.path)): \(file.trouble!)\n"
    }
    if troubled.count > 50 { text += "  … and \(troubled.count - 50) more with trouble\n" }
    let behind = status.files.filter { $0.byteCount > $0.offset && $0.trouble == nil }
      .sorted { $0.byteCount - $0.offset > $1.byteCount - $1.offset }
    for file in behind.prefix(20) {
      text += "  behind   \(Terminal.printable(file.path)): \(file.byteCount - file.offset) bytes\n"
    }
    return text
  }
}

/// `handshaked incidents`.
struct IncidentsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "incidents", abstract: "The service's open incidents.",
    discussion: """
      Example: handshaked incidents --all --output json

      Exit codes: 0 answered; 66 the service cannot be reached.
      """)

  @OptionGroup var options: ClientOptions
  @Flag(help: "Those that are over too.") var all = false
  @Option(help: "text for people, json for programs.") var output = OutputForm.text

  func run() throws {
    let reply = try options.client.ask(all ? "incidents --all" : "incidents")
    let incidents = reply.incidents ?? []
    if output == .json {
      var lines = JSONLines()
      for incident in incidents {
        lines.incident(IncidentEvent(change: incident.isOpen ? .updated : .resolved, incident: incident))
      }
      return try Terminal.write(lines.take())
    }
    if incidents.isEmpty { try Terminal.write("no \(all ? "" : "open ")incidents\n") }
    for incident in incidents {
      var text = "\(incident.id.prefix(12))  \(incident.severity.rawValue)  \(incident.kind.rawValue)  "
      text += Terminal.printable(
        Alert.sentence(IncidentEvent(change: incident.isOpen ? .opened : .resolved, incident: incident)))
      text += "\n              last \(Timestamp(microseconds: incident.last).rfc3339)"
      if let evidence = incident.evidence.first { text += "  \(Terminal.printable(evidence))" }
      if let remedy = incident.remedy { text += "\n              \(Terminal.printable(remedy))" }
      try Terminal.write(text + "\n")
    }
  }
}

/// `90s`, `15min`, `8h`, `7d`.
struct SpanArgument: ExpressibleByArgument {
  let seconds: Int64

  init?(argument: String) {
    let units: [(String, Int64)] = [("min", 60), ("s", 1), ("h", 3600), ("d", 86_400)]
    guard let unit = units.first(where: { argument.hasSuffix($0.0) }),
      let number = Int64(argument.dropLast(unit.0.count)), number > 0, number <= 365 * 86_400
    else { return nil }
    seconds = number * unit.1
  }
}

/// `handshaked ack ID --for TIME`.
struct AckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ack", abstract: "Quiets an incident for a time: it is known. Its end is told all the same.",
    discussion: "Example: handshaked ack 3f2a9c --for 8h")

  @Argument(help: "The incident, or the first digits of its id.") var id: String
  @Option(name: .customLong("for"), help: ArgumentHelp("How long: 15min, 8h, 7d.", valueName: "time"))
  var span: SpanArgument
  @OptionGroup var options: ClientOptions

  func run() throws {
    let reply = try options.client.ask("ack \(id.filter { $0.isLetter || $0.isNumber }) \(span.seconds)")
    try Terminal.write((reply.done ?? "") + "\n")
  }
}

/// `handshaked maintenance SERVER --for TIME`.
struct MaintenanceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "maintenance", abstract: "Declares maintenance of a server: its incidents are kept and not told.",
    discussion: "Example: handshaked maintenance mp01.corp.example --for 2h")

  @Argument(help: "The server as alerts name it.") var server: String
  @Option(name: .customLong("for"), help: ArgumentHelp("How long: 15min, 8h, 7d.", valueName: "time"))
  var span: SpanArgument
  @OptionGroup var options: ClientOptions

  func validate() throws {
    if server.contains(where: \.isWhitespace) { throw ValidationError("A server's name has no blanks.") }
  }

  func run() throws {
    let reply = try options.client.ask("maintenance \(server) \(span.seconds)")
    try Terminal.write((reply.done ?? "") + "\n")
  }
}

/// `handshaked reload`.
struct ReloadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload", abstract: "Asks the service to read configuration and definitions anew, and waits.",
    discussion: """
      All or nothing: with faults the service goes on as it was, and they are printed here.

      Example: handshaked reload

      Exit codes: 0 reloaded; 66 the service cannot be reached; 78 faults.
      """)

  @OptionGroup var options: ClientOptions

  func run() throws { _ = try options.client.ask("reload") }
}
