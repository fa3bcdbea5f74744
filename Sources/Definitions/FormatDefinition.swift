import Extraction
import Records

/// How the time of a record is meant.
package enum TimeMeaning: String, CaseIterable, Sendable {
  case utc
  /// The record states its bias.
  case bias
  /// The zone comes from `--time-zone` or the configuration.
  case local
}

/// What must come out of a format's example; nil: not stated.
package struct FormatExpectation: Sendable, Equatable {
  package var format: RecordFormat?
  /// Whole records.
  package var records: Int?
  package var torn: Int?
  /// Of the first record.
  package var time: Timestamp?
  package var component: String?
  package var message: String?

  package init() {}
}

package struct FormatExample: Sendable {
  package var text: String
  package var expect: FormatExpectation
  package var place: Place
}

/// One document of `formats/`.
package struct FormatDefinition: Sendable {
  /// Its own for a delimited format, else that of `format`.
  package var name: String
  package var format: RecordFormat
  package var framing: RecordFormat
  package var title: String
  /// File names, `*` stands for anything.
  package var files: [String]
  package var time: TimeMeaning
  package var roles: [RoleRule]
  package var delimited: DelimitedRule?
  package var source: String
  package var examples: [FormatExample]
  package var place: Place

  /// A name that a log of this format may have.
  package var exampleLog: String {
    files.first.map { Origin.logName(ofPath: $0.split(separator: "*").joined(separator: "1")) } ?? "example"
  }
}

extension FormatDefinition {
  private static let keys = [
    "format", "framing", "title", "files", "time", "delimiter", "quoted", "columns", "calendar", "roles", "source",
    "examples",
  ]
  private static let columns: [String: DelimitedRule.Column] = [
    "date": .date, "time": .time, "host": .host, "component": .component, "thread": .thread, "message": .message,
    "client": .client, "client-ip": .clientIP, "server": .server, "protocol": .protocolName, "cipher": .cipher,
    "-": .other,
  ]
  static let columnNames = columns.keys.sorted()
  private static let expectKeys = ["format", "records", "torn", "time", "component", "message"]

  /// The name of a delimited format, whatever else is wrong with its document.
  static func delimitedName(_ document: YAMLDocument) -> String? {
    guard let mapping = document.root.mapping else { return nil }
    func text(_ key: String) -> String? { mapping.first { $0.key.scalar?.string == key }?.value.scalar?.string }
    guard let name = text("format"), RecordFormat(name: name) == nil else { return nil }
    return name
  }

  init?(_ document: YAMLDocument) {
    guard let section = Section(document.root, of: "a format", keys: FormatDefinition.keys, in: document.context)
    else { return nil }
    let name = section.text("format")?.value
    let what = name.map { "format '\($0)'" } ?? "the format"
    section.require(
      "format", of: "the document",
      fix: "add 'format:' with one of the names in parsers/README.md, or a new one for a delimited format")
    section.require("framing", of: what, fix: "add 'framing:': how records are cut, mostly the format's own name")
    section.require("title", of: what, fix: "add 'title:', one line for people")
    section.require("time", of: what, fix: "add 'time:' with utc, bias or local")
    section.require("source", of: what, fix: "add 'source:': where the format is described")
    section.require("examples", of: what, fix: "add 'examples:' with at least one 'text:' and 'expect:'")
    let framing = section.word("framing", among: Vocabulary.words(of: "framing"))
      .flatMap { RecordFormat(name: $0.value) }
    let format =
      framing == .delimited ? FormatDefinition.newFormat(in: section) : FormatDefinition.knownFormat(in: section)
    let title = section.text("title")?.value
    let files = section.texts("files").map(\.value)
    let time = section.word("time", TimeMeaning.self)
    let roles = FormatDefinition.roles(in: section)
    let source = section.text("source")?.value
    let rule =
      framing == .delimited ? FormatDefinition.delimited(in: section, name: name ?? "", isUTC: time == .utc) : nil
    for key in ["delimiter", "quoted", "columns", "calendar"] where framing != .delimited {
      if let entry = section.entry(key) {
        section.context.fault(
          "'\(key)' has no effect on framing '\(framing?.name ?? "")'", at: entry.position,
          fix: "delete it, or write 'framing: delimited'")
      }
    }
    let examples = FormatDefinition.examples(in: section)
    if let format, format.family != .rows, let entry = section.entry("roles") {
      section.context.fault(
        "'roles' has no effect on format '\(format.name)'", at: entry.position, fix: "delete it: only rows have a URI")
    }
    guard let format, let framing, let title, let time, let source else { return nil }
    if framing == .delimited, rule == nil { return nil }
    self.init(
      name: name ?? format.name, format: format, framing: framing, title: title, files: files, time: time, roles: roles,
      delimited: rule, source: source, examples: examples, place: document.context.source.place(section.position))
  }

  private static func knownFormat(in section: Section) -> RecordFormat? {
    let words = Vocabulary.words(of: "format").filter { $0 != RecordFormat.delimited.name }
    return section.word("format", among: words).flatMap { RecordFormat(name: $0.value) }
  }

  /// A name that is not taken.
  private static func newFormat(in section: Section) -> RecordFormat? {
    guard let name = section.text("format") else { return nil }
    if !Vocabulary.isName(name.value, marks: "-") {
      section.context.fault(
        "format '\(name.value)' is no name", at: name.position, fix: "use lower case, digits and '-', as proxy-access")
      return nil
    }
    if RecordFormat(name: name.value) != nil {
      section.context.fault(
        "format '\(name.value)' is built in", at: name.position, fix: "give the delimited format a name of its own")
      return nil
    }
    return .delimited
  }

  /// `delimiter`, `quoted`, `columns` and `calendar`.
  private static func delimited(in section: Section, name: String, isUTC: Bool) -> DelimitedRule? {
    let what = "format '\(name)'"
    section.require("delimiter", of: what, fix: "add 'delimiter:' with the character between columns, as '|'")
    section.require("columns", of: what, fix: "add 'columns:' in their order, as [time, host, '-', message]")
    section.require("files", of: what, fix: "add 'files:': only logs of these names are read so, as ['proxy*.log']")
    let isQuoted = section.flag("quoted")
    let calendar = section.word("calendar", DelimitedRule.Calendar.self) ?? .iso
    let logs = section.texts("files").map { Wildcard.pieces(Origin.logName(ofPath: $0.value)) }
    var columns: [DelimitedRule.Column] = []
    let names = section.texts("columns")
    if let first = names.first(where: { FormatDefinition.columns[$0.value] == nil }) {
      let unknown = names.map(\.value).filter { FormatDefinition.columns[$0] == nil }
      section.context.fault(
        unknown.count == 1
          ? "column '\(unknown[0])' is not known"
          : "columns \(unknown.map { "'\($0)'" }.joined(separator: ", ")) are not known",
        at: first.position, fix: FormatDefinition.columnFix(unknown))
      return nil
    }
    for column in names {
      guard let known = FormatDefinition.columns[column.value] else { return nil }
      if known != .other, columns.contains(known) {
        section.context.fault(
          "column '\(column.value)' stands twice", at: column.position,
          fix: "write '-' for a column that is passed over")
        return nil
      }
      columns.append(known)
    }
    guard let delimiter = section.text("delimiter"), !columns.isEmpty, !logs.isEmpty else { return nil }
    let bytes = Array(delimiter.value == "tab" ? "\t".utf8 : delimiter.value.utf8)
    guard bytes.count == 1, bytes[0] < 0x80, bytes[0] != 0x22, bytes[0] >= 0x20 || bytes[0] == 0x09 else {
      section.context.fault(
        "delimiter '\(delimiter.value)' is not one character of ASCII", at: delimiter.position,
        fix: "write '|', ';', ',' or tab")
      return nil
    }
    if columns.count < 2 {
      section.fault(
        "one column needs no delimiter", at: "columns", fix: "name at least two, '-' for what is passed over")
      return nil
    }
    if columns.contains(.date), !columns.contains(.time) {
      section.fault("'date' without 'time'", at: "columns", fix: "name the column of the clock 'time'")
      return nil
    }
    return DelimitedRule(
      name: name, logs: logs, delimiter: bytes[0], isQuoted: isQuoted, columns: columns, calendar: calendar,
      isUTC: isUTC)
  }

  private static func columnFix(_ unknown: [String]) -> String {
    let near = unknown.compactMap { name in Suggestion.nearest(to: name, among: columnNames).map { (name, $0) } }
    let hints =
      near.count == 1 && unknown.count == 1
      ? ["did you mean '\(near[0].1)'?"] : near.map { "for '\($0.0)' did you mean '\($0.1)'?" }
    let names = columnNames.filter { $0 != "-" }.joined(separator: ", ")
    return
      (hints + [
        "columns are \(names), and '-' for one that is passed over; a text without a name of its own belongs in "
          + "'message', and the last column takes the rest of the line"
      ]).joined(separator: " ")
  }

  private static func roles(in section: Section) -> [RoleRule] {
    guard let entry = section.entry("roles") else { return [] }
    guard let nodes = entry.value.sequence else {
      section.fault("'roles' must be a list", at: "roles", fix: "write '- { stem: '/path*', role: name }' for each")
      return []
    }
    return nodes.compactMap { node in
      guard let rule = Section(node, of: "a role", keys: ["stem", "role"], in: section.context) else { return nil }
      rule.require("stem", of: "the role", fix: "add 'stem:' with the URI stem, * stands for anything")
      rule.require("role", of: "the role", fix: "add 'role:' with the role that answers, as management-point")
      let stem = rule.text("stem")
      let role = rule.word("role", among: Vocabulary.words(of: "role"))?.value
      if let stem, !stem.value.hasPrefix("/"), !stem.value.hasPrefix("*") {
        rule.fault("stem '\(stem.value)' can never match", at: "stem", fix: "begin it with '/' or '*'")
      }
      guard let stem, let role else { return nil }
      return RoleRule(pieces: Wildcard.pieces(stem.value), role: role)
    }
  }

  private static func examples(in section: Section) -> [FormatExample] {
    guard let entry = section.entry("examples") else { return [] }
    guard let nodes = entry.value.sequence, !nodes.isEmpty else {
      section.fault("'examples' must be a list", at: "examples", fix: "begin each example with '- text: |'")
      return []
    }
    return nodes.compactMap { node in
      guard let example = Section(node, of: "an example", keys: ["text", "expect"], in: section.context) else {
        return nil
      }
      example.require("text", of: "the example", fix: "add 'text: |' with the raw lines")
      example.require("expect", of: "the example", fix: "add 'expect:', as { format: w3c, records: 1 }")
      guard let text = example.text("text")?.value, let expect = example.entry("expect"),
        let fields = Section(expect.value, of: "'expect'", keys: expectKeys, in: section.context)
      else { return nil }
      if fields.isEmpty {
        example.fault("'expect' states nothing", at: "expect", fix: Suggestion.fix(for: "", among: expectKeys))
      }
      var expectation = FormatExpectation()
      expectation.format = fields.word("format", among: Vocabulary.words(of: "format"))
        .flatMap { RecordFormat(name: $0.value) }
      expectation.records = fields.count("records")
      expectation.torn = fields.count("torn")
      expectation.component = fields.text("component")?.value
      expectation.message = fields.text("message")?.value
      if let time = fields.text("time") {
        expectation.time = instant(ofRFC3339: time.value)
        if expectation.time == nil {
          fields.fault("time '\(time.value)' is not RFC 3339 in UTC", at: "time", fix: "write 2026-03-02T06:00:00.000Z")
        }
      }
      return FormatExample(
        text: text, expect: expectation, place: section.context.source.place(example.position))
    }
  }

  /// `2026-03-02T06:00:00Z`, with or without a fraction; nil for anything else.
  private static func instant(ofRFC3339 text: String) -> Timestamp? {
    let shape = Array("0000-00-00T00:00:00".utf8)
    var bytes = Array(text.utf8)[...]
    guard bytes.popLast() == UInt8(ascii: "Z"), bytes.count >= shape.count else { return nil }
    for (byte, wanted) in zip(bytes, shape) where wanted == 0x30 ? !ASCII.isDigit(byte) : byte != wanted {
      return nil
    }
    let fraction = bytes.dropFirst(shape.count)
    guard
      fraction.isEmpty
        || (fraction.count > 1 && fraction.first == 0x2E && fraction.dropFirst().allSatisfy(ASCII.isDigit))
    else { return nil }
    let numbers = bytes.prefix(shape.count).split { !ASCII.isDigit($0) }
      .map { $0.reduce(0) { $0 * 10 + Int($1 - 0x30) } }
    guard
      Timestamp.isValid(
        year: numbers[0], month: numbers[1], day: numbers[2], hour: numbers[3], minute: numbers[4], second: numbers[5])
    else { return nil }
    let digits = (fraction.dropFirst().map { Int($0 - 0x30) } + Array(repeating: 0, count: 6)).prefix(6)
    return Timestamp(
      year: numbers[0], month: numbers[1], day: numbers[2], hour: numbers[3], minute: numbers[4], second: numbers[5],
      microsecond: digits.reduce(0) { $0 * 10 + $1 })
  }
}
