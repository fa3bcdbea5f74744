import ArgumentParser
import Daemon
import Definitions
import Foundation
import Incidents
import Records
import Verification

/// `--config` and `--parsers`, for the commands of the service.
struct ConfigurationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The configuration; without it \(Configuration.defaultPath) and handshaked.d/*.yaml beside it, each where it is.",
      valueName: "file"))
  var config: String?

  @OptionGroup var definitions: DefinitionOptions

  /// Configuration and definitions, or all that is wrong with them.
  func plan() throws -> ServicePlan {
    let (configuration, faults) = try read()
    let set = DefinitionSet(overrides: definitions.parsers)
    let all = faults + set.diagnostics
    guard all.isEmpty, let engine = set.engine else {
      throw StartError(text: all.map(\.description).joined(separator: "\n"), status: 78)
    }
    var zone = ZoneRules.utc
    if let name = configuration.sources.compactMap(\.timeZone).first, let argument = ZoneArgument(argument: name) {
      zone = argument.rules
    }
    return ServicePlan(configuration: configuration, engine: engine, zone: zone)
  }

  func read() throws -> (configuration: Configuration, faults: [Diagnostic]) {
    var texts: [(path: String, text: String)] = []
    for path in try paths() {
      guard let data = FileManager.default.contents(atPath: path) else {
        throw StartError(
          text: "\(path): cannot be read\n  fix: check that the file is there and that this user may read it",
          status: 78)
      }
      texts.append((path, String(decoding: data, as: UTF8.self)))
    }
    return Configuration.read(
      texts, kinds: IncidentKind.allCases.map(\.rawValue), zones: { TimeZone(identifier: $0) != nil })
  }

  /// The named file, else the system's, with those of systemd's folders: the same name in /etc replaces /run replaces
  /// /usr/lib, then in the order of names.
  func paths() throws -> [String] {
    if let config { return [config] }
    var paths: [String] = []
    if FileManager.default.fileExists(atPath: Configuration.defaultPath) { paths.append(Configuration.defaultPath) }
    var byName: [String: String] = [:]
    for folder in ["/usr/lib", "/run", "/etc"] {
      let place = folder + "/handshaked/handshaked.d"
      for name in (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? [] where name.hasSuffix(".yaml") {
        byName[name] = place + "/" + name
      }
    }
    return paths + byName.sorted { $0.key < $1.key }.map(\.value)
  }

  /// For clients of the service; faults of the configuration are no hindrance.
  var controlSocket: String {
    (try? read().configuration.controlSocket) ?? Configuration().controlSocket
  }
}
