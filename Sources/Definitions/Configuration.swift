import Records
import Yams

/// What `handshaked.yaml` says, each key with its default.
package struct Configuration: Sendable, Hashable {
  package struct Source: Sendable, Hashable {
    /// A path with `*`, `**`, `?` and `{host}`.
    package var files: String
    /// Of records without a bias of their own; nil: UTC.
    package var timeZone: String?
    package var startsAtEnd = false
    /// Where it is written.
    package var place: Place

    package init(files: String, place: Place) {
      self.files = files
      self.place = place
    }
  }

  package var sources: [Source] = []
  package var storePath = "/var/lib/handshaked/state.db"
  package var retentionDays = 90
  package var toJournal = true
  package var minimumSeverity = Severity.warning
  /// By kind of incident, in place of `minimumSeverity`.
  package var severityOfKind: [String: Severity] = [:]
  package var controlSocket = "/run/handshaked/control.sock"
  /// Empty: none.
  package var metricsSocket = ""

  package init() {}

  package static let defaultPath = "/etc/handshaked/handshaked.yaml"
  package static let defaultFiles = "/var/log/handshaked/incoming/**"

  /// Reads files, a later one in place of an earlier one key by key, sources after one another.
  ///
  /// - Parameters:
  ///   - texts: path and content.
  ///   - kinds: the incident kinds that `alerts.severity` may name.
  /// - Returns: faults; the configuration only counts when there are none.
  package static func read(
    _ texts: [(path: String, text: String)], kinds: [String], zones: (String) -> Bool
  ) -> (configuration: Configuration, faults: [Diagnostic]) {
    var configuration = Configuration()
    let faults = FaultList()
    for (path, text) in texts {
      let source = SourceText(file: path, text: text, lineEnds: .yaml)
      let documents = YAMLDocument.all(in: source, faults: faults)
      for document in documents.dropFirst() {
        document.context.fault(
          "a second document", at: document.context.start, fix: "configuration is one document: delete the '---' line")
      }
      if let document = documents.first { configuration.take(document, kinds, zones) }
    }
    if configuration.sources.isEmpty {
      configuration.sources = [Source(files: defaultFiles, place: Place(file: "the default configuration"))]
    }
    return (configuration, faults.all)
  }

  private mutating func take(_ document: YAMLDocument, _ kinds: [String], _ zones: (String) -> Bool) {
    let context = document.context
    guard
      let root = Section(
        document.root, of: "the configuration", keys: ["sources", "store", "alerts", "control", "metrics"], in: context)
    else { return }
    if let entry = root.entry("sources") {
      guard let list = entry.value.sequence else {
        return context.fault(
          "'sources' is no list", at: entry.position, fix: "write '- files: /path' below it, one for each source")
      }
      for node in list { takeSource(node, context, zones) }
    }
    if let section = root.section("store", keys: ["path", "retain"]) {
      if let path = section.absolutePath("path") { storePath = path }
      if let days = section.days("retain") { retentionDays = days }
    }
    if let section = root.section("alerts", keys: ["journal", "minimum-severity", "severity"]) {
      if section.has("journal") { toJournal = section.flag("journal") }
      if let severity = section.word("minimum-severity", Severity.self) { minimumSeverity = severity }
      if let byKind = section.section("severity", keys: kinds) {
        for entry in byKind.entries {
          if let severity = byKind.word(entry.key, Severity.self) { severityOfKind[entry.key] = severity }
        }
      }
    }
    if let section = root.section("control", keys: ["socket"]), let path = section.absolutePath("socket") {
      controlSocket = path
    }
    if let section = root.section("metrics", keys: ["socket"]), let path = section.absolutePath("socket") {
      metricsSocket = path
    }
  }

  private mutating func takeSource(_ node: Node, _ context: YAMLContext, _ zones: (String) -> Bool) {
    guard let section = Section(node, of: "a source", keys: ["files", "time-zone", "start"], in: context) else {
      return
    }
    section.require("files", of: "a source", fix: "write 'files: /var/log/remote/{host}/**/*.log'")
    guard let files = section.absolutePath("files") else { return }
    var source = Source(files: files, place: context.source.place(section.position(of: "files")))
    if let zone = section.text("time-zone") {
      if zones(zone.value) {
        source.timeZone = zone.value
      } else {
        context.fault(
          "time zone '\(zone.value)' is not known", at: zone.position,
          fix: "use a name of the tz database: Europe/Berlin")
      }
    }
    source.startsAtEnd = section.word("start", among: ["beginning", "end"])?.value == "end"
    sources.append(source)
  }
}

extension Section {
  fileprivate func section(_ key: String, keys: [String]) -> Section? {
    entry(key).flatMap { Section($0.value, of: "'\(key)'", keys: keys, in: context) }
  }

  fileprivate func absolutePath(_ key: String) -> String? {
    guard let text = text(key) else { return nil }
    guard text.value.hasPrefix("/") else {
      context.fault("'\(text.value)' is no absolute path", at: text.position, fix: "begin it with /")
      return nil
    }
    return text.value
  }

  /// `90d`, at least one day.
  fileprivate func days(_ key: String) -> Int? {
    guard let text = text(key) else { return nil }
    guard text.value.hasSuffix("d"), let days = Int(text.value.dropLast()), days > 0, days <= 36_500 else {
      context.fault("\(key) '\(text.value)' is no number of days", at: text.position, fix: "write it as 90d")
      return nil
    }
    return days
  }
}
