import Records
import Yams

/// What `handshaked.yaml` says, each key with its default.
package struct Configuration: Sendable, Hashable {
  package struct Source: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
      /// A path with `*`, `**`, `?` and `{host}`.
      case files(String)
      /// Entries of the systemd journal with these fields and values; values of one field are alternatives.
      case journal([JournalMatch])
      /// Sockets that the service manager holds under this name.
      case syslogSocket(String)
      /// An address and a port, or the path of a Unix datagram socket; by `tcp`, `udp` or both.
      case syslogListen(String, transports: [String])
    }
    package var kind: Kind
    /// Of records without a bias of their own; nil: UTC.
    package var timeZone: String?
    package var startsAtEnd = false
    /// Where it is written.
    package var place: Place

    package init(_ kind: Kind, place: Place) {
      self.kind = kind
      self.place = place
    }

    package init(files: String, place: Place) { self.init(.files(files), place: place) }
  }

  package struct JournalMatch: Sendable, Hashable {
    package var field: String
    package var value: String

    package init(field: String, value: String) {
      self.field = field
      self.value = value
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
    let kinds = ["files", "journal", "syslog"]
    guard let section = Section(node, of: "a source", keys: kinds + ["time-zone", "start"], in: context) else {
      return
    }
    let given = kinds.filter(section.isMeant)
    guard given.count == 1 else {
      let fix = "write 'files: /var/log/remote/{host}/**/*.log', 'journal: …' or 'syslog: …'"
      return given.isEmpty
        ? section.fault("a source has none of \(kinds.map { "'\($0)'" }.joined(separator: ", "))", at: "", fix: fix)
        : section.fault("a source is both '\(given[0])' and '\(given[1])'", at: given[1], fix: "make two sources of it")
    }
    guard let kind = takeKind(section) else { return }
    var source = Source(kind, place: context.source.place(section.position(of: given[0])))
    if section.has("start"), given[0] == "syslog" {
      section.fault("'start' says nothing of a syslog source", at: "start", fix: "delete the line")
    }
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
    if sources.contains(where: { $0.kind == source.kind }) {
      return section.fault("this source stands here twice", at: given[0], fix: "delete one of them")
    }
    sources.append(source)
  }

  private func takeKind(_ section: Section) -> Source.Kind? {
    if section.has("files") { return section.absolutePath("files").map(Source.Kind.files) }
    if let journal = section.section("journal", keys: ["match"]) { return takeJournal(journal) }
    return section.section("syslog", keys: ["socket", "listen", "transport"]).flatMap(takeSyslog)
  }

  private func takeJournal(_ section: Section) -> Source.Kind? {
    section.require("match", of: "a journal source", fix: "write 'match: { SYSLOG_IDENTIFIER: winlog }'")
    guard let entry = section.entry("match"),
      let match = Section(entry.value, of: "'match'", keys: nil, in: section.context)
    else { return nil }
    var matches: [JournalMatch] = []
    for entry in match.entries {
      // Source: systemd.journal-fields(7); names that begin with two underscores are addresses, not fields.
      let isField =
        entry.key.utf8.count <= 64 && !entry.key.hasPrefix("__")
        && entry.key.utf8.first.map { !(0x30...0x39).contains($0) } == true
        && entry.key.utf8.allSatisfy { $0 == 0x5F || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) }
      guard isField else {
        section.context.fault(
          "'\(entry.key)' is no field of the journal", at: entry.position,
          fix: "use capital letters, digits and _, as journalctl -o verbose prints them: SYSLOG_IDENTIFIER")
        return nil
      }
      for value in match.texts(entry.key) {
        if value.value == "handshaked", entry.key == "SYSLOG_IDENTIFIER" {
          section.context.fault(
            "the entries of handshaked itself are never read", at: value.position, fix: "name another identifier")
          return nil
        }
        matches.append(JournalMatch(field: entry.key, value: value.value))
      }
    }
    if matches.isEmpty {
      section.fault("'match' names no field", at: "match", fix: "write 'match: { SYSLOG_IDENTIFIER: winlog }'")
      return nil
    }
    return .journal(matches.sorted { ($0.field, $0.value) < ($1.field, $1.value) })
  }

  private func takeSyslog(_ section: Section) -> Source.Kind? {
    switch (section.text("socket"), section.text("listen")) {
    case (let name?, nil):
      if section.has("transport") {
        section.fault(
          "'transport' belongs to 'listen'", at: "transport", fix: "the socket unit tells it: delete the line")
      }
      let isName =
        (1...200).contains(name.value.utf8.count)
        && name.value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3A && $0 != 0x40 }
      guard isName, name.value != "control", name.value != "metrics" else {
        section.fault(
          "'\(name.value)' cannot name a socket of syslog", at: "socket",
          fix: "write what FileDescriptorName= says in the socket unit: syslog")
        return nil
      }
      return .syslogSocket(name.value)
    case (nil, let address?):
      let transport = section.word("transport", among: ["tcp", "udp", "both"])?.value ?? "both"
      guard Configuration.isAddress(address.value) else {
        section.fault(
          "'\(address.value)' is no address to listen on", at: "listen",
          fix: "write an address in numbers and a port, 127.0.0.1:5514 or [::1]:5514, or the path of a Unix socket")
        return nil
      }
      if address.value.hasPrefix("/"), section.has("transport") {
        section.fault("a Unix socket has no 'transport'", at: "transport", fix: "delete the line: it takes datagrams")
      }
      return .syslogListen(address.value, transports: transport == "both" ? ["tcp", "udp"] : [transport])
    case (_?, _?):
      section.fault(
        "'socket' and 'listen' exclude each other", at: "listen",
        fix: "keep 'socket' in the unit, 'listen' where the program opens its socket itself")
    case (nil, nil):
      if !section.isMeant("socket"), !section.isMeant("listen") {
        section.fault(
          "a syslog source has neither 'socket' nor 'listen'", at: "",
          fix: "write 'socket: syslog', as FileDescriptorName= in the socket unit says")
      }
    }
    return nil
  }

  /// `127.0.0.1:5514`, `[::1]:5514`, `/path`
  private static func isIPAddress(_ text: Substring) -> Bool {
    let bytes = Array(text.utf8)
    return IPAddress(bytes.span, start: 0, end: bytes.count) != nil && !text.contains("%")
  }

  private static func isAddress(_ text: String) -> Bool {
    if text.hasPrefix("/") { return text.utf8.count < 108 }
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
      return false
    }
    let address = text[..<colon]
    guard address.hasPrefix("["), address.hasSuffix("]") else {
      return !address.contains(":") && isIPAddress(address)
    }
    return address.contains(":") && isIPAddress(address.dropFirst().dropLast())
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
