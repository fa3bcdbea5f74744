/// What must come out of an example.
package enum Expectation: Sendable, Equatable {
  case none, context
  /// Fields of the finding or sighting, by the names of the JSON object, as text.
  case fields([String: String])
}

/// One example of a signature; whoever runs the walk runs it.
package struct SignatureExample: Sendable {
  package var log: String?
  package var host: String?
  /// The text after `#Fields:`, for rows.
  package var fields: String?
  package var line: String
  package var expect: Expectation
  /// Where the example begins.
  package var place: Place
}

/// The examples of one signature.
package struct SignatureExamples: Sendable {
  package var signature: String
  package var examples: [SignatureExample]
}

extension SignatureExample {
  private static let keys = ["line", "log", "host", "fields", "expect"]
  private static let fieldNames = [
    "class", "cause", "severity", "code", "symbol", "server", "client", "clientID", "clientIP", "host", "component",
    "role", "protocol", "cipher", "alert", "area", "feature", "stack", "confidence", "signature", "outcome", "os",
  ]

  /// The list under `examples:`.
  static func list(in section: Section) -> [SignatureExample] {
    guard let entry = section.entry("examples") else { return [] }
    guard let nodes = entry.value.sequence else {
      section.fault("'examples' must be a list", at: "examples", fix: "begin each example with '- line:'")
      return []
    }
    return nodes.compactMap { node in
      Section(node, of: "an example", keys: keys, in: section.context).flatMap(SignatureExample.init)
    }
  }

  private init?(_ section: Section) {
    section.require("line", of: "the example", fix: "add 'line:' with the raw line, or what the program wrote")
    section.require("expect", of: "the example", fix: "add 'expect:' with none, context or the fields")
    let log = section.text("log")?.value
    let host = section.text("host")?.value
    let fields = section.text("fields")?.value
    let expect = SignatureExample.expectation(in: section)
    guard let line = section.text("line")?.value, let expect else { return nil }
    self.init(
      log: log, host: host, fields: fields, line: line, expect: expect,
      place: section.context.source.place(section.position))
  }

  private static func expectation(in section: Section) -> Expectation? {
    guard let entry = section.entry("expect") else { return nil }
    if entry.value.scalar != nil {
      switch section.word("expect", among: ["none", "context"])?.value {
      case "none": return Expectation.none
      case "context": return .context
      default: return nil
      }
    }
    guard let expect = Section(entry.value, of: "'expect'", keys: fieldNames, in: section.context) else { return nil }
    if expect.isEmpty {
      section.fault(
        "'expect' names no field", at: "expect", fix: "write none, context or the fields that must come out")
      return nil
    }
    var fields: [String: String] = [:]
    for key in expect.entries.map(\.key) {
      let words = Vocabulary.words(of: key)
      let value = words.isEmpty ? expect.text(key) : expect.word(key, among: words)
      fields[key] = value?.value
    }
    return .fields(fields)
  }

  /// Whether it shows what `signature` recognises; a near miss and another signature's record do not.
  func isRecognised(by signature: String) -> Bool {
    switch expect {
    case .none: false
    case .context: true
    case .fields(let fields): fields["signature"] ?? signature == signature
    }
  }
}
