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
    var zones: [String: ZoneRules] = [:]
    for name in Set(configuration.sources.compactMap(\.timeZone)) { zones[name] = ZoneArgument(argument: name)?.rules }
    return ServicePlan(configuration: configuration, engine: engine, zones: zones)
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
    if let text = try Credential.text() { texts.append((Credential.title, text)) }
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

/// Configuration that the service manager hands over as a credential, which it may have decrypted: systemd.exec(5),
/// `LoadCredentialEncrypted=`. It is read after all files, as one more of them.
enum Credential {
  static let name = "handshaked.yaml"
  /// As faults name it.
  static let title = "credential handshaked.yaml"

  /// Nil when none was given: most have none.
  static func text() throws -> String? {
    guard let folder = ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"], folder.hasPrefix("/") else {
      return nil
    }
    let path = folder + "/" + name
    guard access(path, F_OK) == 0 else { return nil }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw StartError(
        text: "\(title): \(path) cannot be read\n  fix: look at LoadCredentialEncrypted= in systemctl cat handshaked",
        status: 78)
    }
    return String(decoding: data, as: UTF8.self)
  }

  /// Where the unit's `LoadCredentialEncrypted=handshaked.yaml` looks.
  static let stores = ["/etc", "/run", "/usr/lib"].map { $0 + "/credstore.encrypted" }
  /// It looks there too, and systemd 252 refuses to start a service for which it finds something that is not encrypted.
  static let plainStores = ["/etc", "/run", "/usr/lib"].map { $0 + "/credstore" }

  static func find(_ folders: [String]) -> String? {
    folders.map { $0 + "/" + name }.first { access($0, F_OK) == 0 }
  }
}
