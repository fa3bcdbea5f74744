/// The shape a record is written in, detected per record. The raw names are those of `formats:` in definitions.
@usableFromInline package enum RecordFormat: UInt8, CaseIterable, Sendable {
  case line, cmtrace, simple, w3c, httperr
  case eventXML, eventJSON, snare, evtx, eventText
  case windowsUpdate, sqlErrorLog, softwareDistribution, smsAdminUI, setup
  /// Formats that definitions describe by their columns (`DelimitedRule`); they have names of their own.
  case delimited

  package var name: String {
    switch self {
    case .line: "line"
    case .cmtrace: "cmtrace"
    case .simple: "simple"
    case .w3c: "w3c"
    case .httperr: "httperr"
    case .eventXML: "event-xml"
    case .eventJSON: "event-json"
    case .snare: "snare"
    case .evtx: "evtx"
    case .eventText: "event-text"
    case .windowsUpdate: "windows-update"
    case .sqlErrorLog: "sql-errorlog"
    case .softwareDistribution: "software-distribution"
    case .smsAdminUI: "sms-admin-ui"
    case .setup: "setup"
    case .delimited: "delimited"
    }
  }

  package init?(name: String) {
    guard let format = RecordFormat.allCases.first(where: { $0.name == name }) else { return nil }
    self = format
  }

  /// Whether this version frames it; EVTX files are valid in definitions and met by nothing yet.
  package var isFramed: Bool {
    switch self {
    case .evtx: false
    default: true
    }
  }

  /// How candidates of it are found.
  @inlinable package var family: FormatFamily {
    switch self {
    case .w3c, .httperr: .rows
    case .eventXML, .eventJSON, .snare, .evtx, .eventText: .event
    default: .text
    }
  }
}

/// Text is scanned for anchors, events for their providers and texts, rows are read by columns.
@usableFromInline package enum FormatFamily: UInt8, CaseIterable, Sendable {
  case text, event, rows

  /// Spelled out, as the one that raw values bring is a call for each record.
  @inlinable package static func == (left: FormatFamily, right: FormatFamily) -> Bool {
    switch (left, right) {
    case (.text, .text), (.event, .event), (.rows, .rows): true
    default: false
    }
  }
}

/// A set of formats.
package struct FormatSet: OptionSet, Sendable, Hashable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }
  package init(_ format: RecordFormat) { rawValue = 1 << UInt32(format.rawValue) }
  package func contains(_ format: RecordFormat) -> Bool { rawValue & (1 << UInt32(format.rawValue)) != 0 }
  /// Those of one family.
  package func only(_ family: FormatFamily) -> FormatSet {
    RecordFormat.allCases.filter { contains($0) && $0.family == family }
      .reduce(into: FormatSet()) { $0.insert(FormatSet($1)) }
  }
  package func intersects(_ family: FormatFamily) -> Bool {
    RecordFormat.allCases.contains { contains($0) && $0.family == family }
  }
}
