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
  /// Of the first record, RFC 3339 in UTC.
  package var time: String?
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
  package var format: RecordFormat
  package var framing: RecordFormat
  package var title: String
  /// File names, `*` stands for anything.
  package var files: [String]
  package var time: TimeMeaning
  package var roles: [RoleRule]
  package var source: String
  package var examples: [FormatExample]
  package var place: Place
}

extension FormatDefinition {
  private static let keys = ["format", "framing", "title", "files", "time", "roles", "source", "examples"]
  private static let expectKeys = ["format", "records", "torn", "time", "component", "message"]

  init?(_ document: YAMLDocument) {
    guard let section = Section(document.root, of: "a format", keys: FormatDefinition.keys, in: document.context)
    else { return nil }
    let name = section.text("format")?.value
    let what = name.map { "format '\($0)'" } ?? "the format"
    section.require("format", of: "the document", fix: "add 'format:' with one of the names in parsers/README.md")
    section.require("framing", of: what, fix: "add 'framing:': how records are cut, mostly the format's own name")
    section.require("title", of: what, fix: "add 'title:', one line for people")
    section.require("time", of: what, fix: "add 'time:' with utc, bias or local")
    section.require("source", of: what, fix: "add 'source:': where the format is described")
    section.require("examples", of: what, fix: "add 'examples:' with at least one 'text:' and 'expect:'")
    let format = section.word("format", among: Vocabulary.words(of: "format")).flatMap { RecordFormat(name: $0.value) }
    let framing = section.word("framing", among: Vocabulary.words(of: "framing"))
      .flatMap { RecordFormat(name: $0.value) }
    let title = section.text("title")?.value
    let files = section.texts("files").map(\.value)
    let time = section.word("time", TimeMeaning.self)
    let roles = FormatDefinition.roles(in: section)
    let source = section.text("source")?.value
    let examples = FormatDefinition.examples(in: section)
    if let format, format.family != .rows, let entry = section.entry("roles") {
      section.context.fault(
        "'roles' has no effect on format '\(format.name)'", at: entry.position, fix: "delete it: only rows have a URI")
    }
    guard let format, let framing, let title, let time, let source else { return nil }
    self.init(
      format: format, framing: framing, title: title, files: files, time: time, roles: roles, source: source,
      examples: examples, place: document.context.source.place(section.position))
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
      let role = rule.roleName("role")
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
        expectation.time = time.value
        if !isRFC3339(time.value) {
          fields.fault("time '\(time.value)' is not RFC 3339 in UTC", at: "time", fix: "write 2026-03-02T06:00:00.000Z")
        }
      }
      return FormatExample(
        text: text, expect: expectation, place: section.context.source.place(example.position))
    }
  }

  /// `2026-03-02T06:00:00Z`, with or without a fraction.
  private static func isRFC3339(_ text: String) -> Bool {
    let shape = Array("0000-00-00T00:00:00".utf8)
    var bytes = Array(text.utf8)[...]
    guard bytes.popLast() == UInt8(ascii: "Z"), bytes.count >= shape.count else { return false }
    for (byte, wanted) in zip(bytes, shape) where wanted == 0x30 ? !ASCII.isDigit(byte) : byte != wanted {
      return false
    }
    let fraction = bytes.dropFirst(shape.count)
    return fraction.isEmpty
      || (fraction.count > 1 && fraction.first == 0x2E && fraction.dropFirst().allSatisfy(ASCII.isDigit))
  }
}

extension Section {
  /// A role: the list is open (formats name them), the spelling is not.
  func roleName(_ key: String) -> String? {
    guard let text = text(key) else { return nil }
    if Vocabulary.isName(text.value, marks: "-") { return text.value }
    context.fault(
      "role '\(text.value)' is no role name", at: text.position,
      fix: "use lower case, digits and '-', as management-point")
    return nil
  }
}
