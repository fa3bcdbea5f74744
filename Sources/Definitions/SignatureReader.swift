import Extraction
import Records
import Yams

/// What is wrong with a pattern; thrown by the compiler that the caller lends (Definitions knows no PCRE2).
package struct PatternFault: Error, Sendable {
  package var message: String
  /// Bytes into the pattern, when known.
  package var offset: Int?
  package init(message: String, offset: Int? = nil) {
    self.message = message
    self.offset = offset
  }
}

/// Compiles a pattern and answers the names of its groups, or throws `PatternFault`.
package typealias PatternCompiler = (String) throws -> [String]

/// A document of `signatures/`, read by itself; tables and other signatures are looked at later.
struct ReadSignature {
  struct CodeEntry {
    var fields: [String]
    var name: String
    var position: Position
    var table: Located<String>
  }

  var signature: Signature
  let section: Section
  let codes: [CodeEntry]
  let covers: [Located<String>]
  let examples: [SignatureExample]
  var place: Place { section.context.source.place(section.position(of: "signature")) }
}

/// Reads one signature and checks whatever can be checked on it alone.
struct SignatureReader {
  static let keys = [
    "signature", "covers", "title", "yields", "formats", "logs", "anchors", "pattern", "where", "text", "codes",
    "class", "cause", "severity", "stack", "area", "feature", "role", "confidence", "protocol", "outcome", "host-is",
    "fallback",
    "group", "explain", "remedy", "source", "examples",
  ]
  /// Groups of a pattern that fill a field of the finding by themselves.
  static let fieldGroups = [
    "client", "clientID", "clientIP", "server", "url", "protocol", "cipher", "component", "alert",
  ]
  /// A shorter literal occurs everywhere.
  private static let anchorByteCount = 4

  private let section: Section
  private let name: String

  /// Names of the formats that definitions describe by their columns.
  private let delimited: [String]

  static func read(_ document: YAMLDocument, delimited: [String], compiler: PatternCompiler) -> ReadSignature? {
    guard let section = Section(document.root, of: "a signature", keys: keys, in: document.context) else { return nil }
    let id = section.text("signature")
    let reader = SignatureReader(
      section: section, name: id.map { "signature '\($0.value)'" } ?? "the signature", delimited: delimited)
    return reader.read(id: id, compiler: compiler)
  }

  private func read(id: Located<String>?, compiler: PatternCompiler) -> ReadSignature? {
    section.require("signature", of: "the document", fix: "add 'signature:' with its name, as family.name")
    section.require("title", of: name, fix: "add 'title:', one line for people")
    section.require("yields", of: name, fix: "add 'yields:' with finding, sighting, context or none")
    section.require("formats", of: name, fix: "add 'formats:' with the formats that it is written in, as [cmtrace]")
    section.require("examples", of: name, fix: "add 'examples:', each with 'line:' and 'expect:'")
    if let id, !Vocabulary.isName(id.value, marks: "-.") {
      section.context.fault(
        "signature '\(id.value)' is no name", at: id.position,
        fix: "use lower case, digits, '-' and '.', as family.name")
    }

    let yields = section.word("yields", Yield.self)
    let formatList = readFormats()
    let formats = formatList.reduce(into: FormatSet()) { $0.formUnion(FormatSet($1)) }
    var signature = Signature(id: id?.value ?? "", yields: yields ?? .none, formats: formats)
    if formats.contains(.delimited) {
      signature.delimited = section.texts("formats").map(\.value).filter(delimited.contains)
    }
    let covers = section.texts("covers")
    signature.covers = covers.map(\.value)
    signature.title = section.text("title")?.value ?? ""
    signature.logs = section.texts("logs").map { Wildcard.pieces($0.value) }
    signature.anchors = readAnchors()
    signature.predicates = readPredicates()
    signature.text = section.text("text")?.value.utf8.map(ASCII.lower)
    signature.findingClass = section.word("class", FindingClass.self)
    signature.cause = section.word("cause", Cause.self)
    signature.severity = section.word("severity", Severity.self)
    signature.stack = section.word("stack", Stack.self)
    signature.area = section.area("area")
    signature.feature = section.word("feature", Feature.self)
    signature.role = section.word("role", among: Vocabulary.words(of: "role"))?.value
    signature.protocolName = section.text("protocol")?.value
    signature.outcome = section.word("outcome", Outcome.self) ?? .succeeded
    signature.confidence = section.word("confidence", Confidence.self)
    signature.hostIs = section.word("host-is", among: ["client", "server"]).flatMap { HostRole(rawValue: $0.value) }
    signature.isFallback = section.flag("fallback")
    signature.group = section.text("group")?.value
    signature.explain = section.text("explain")?.value ?? ""
    signature.remedy = section.text("remedy")?.value ?? ""
    signature.source = section.text("source")?.value ?? ""
    let codes = readCodes()
    let pattern = section.text("pattern")
    signature.pattern = pattern?.value
    let groups = pattern.flatMap { compile($0, compiler) }
    let examples = SignatureExample.list(in: section)

    if !formats.isEmpty { checkReach(signature) }
    checkNames(pattern: pattern, groups: groups, codes: codes, formats: formats)
    checkClass(signature)
    if let yields { checkProofs(yields, signature, examples) }
    if formatList.first == .w3c { checkRowExamples(examples) }

    guard id != nil, yields != nil, !formats.isEmpty else { return nil }
    return ReadSignature(signature: signature, section: section, codes: codes, covers: covers, examples: examples)
  }

  // MARK: Keys

  /// In their order: examples are put into the first.
  private func readFormats() -> [RecordFormat] {
    let names = Vocabulary.words(of: "formats") + delimited
    return section.texts("formats").compactMap { name in
      guard section.check(name, called: "format", among: names) else { return nil }
      return RecordFormat(name: name.value) ?? .delimited
    }
  }

  private func readAnchors() -> [[UInt8]] {
    section.texts("anchors").compactMap { anchor in
      let bytes = anchor.value.utf8.map(ASCII.lower)
      if !bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) {
        fault(
          "anchor '\(anchor.value)' is not ASCII", at: anchor.position,
          fix: "take a part of the text that is, on one line; leave the rest to 'pattern'")
      } else if bytes.count < SignatureReader.anchorByteCount {
        fault(
          "anchor '\(anchor.value)' is too short", at: anchor.position,
          fix: "write at least \(SignatureReader.anchorByteCount) characters")
      } else {
        return bytes
      }
      return nil
    }
  }

  private func readPredicates() -> [FieldPredicate] {
    guard let entry = section.entry("where"),
      let list = Section(entry.value, of: "'where'", keys: nil, in: section.context)
    else { return [] }
    if list.isEmpty {
      section.fault("'where' is empty", at: "where", fix: "write a value or delete the key")
    }
    var predicates: [FieldPredicate] = []
    for entry in list.entries {
      let field = entry.key.lowercased()
      if predicates.contains(where: { $0.field == field }) {
        fault(
          "'\(entry.key)' stands twice in 'where'", at: entry.position,
          fix: "keep one of them, case does not matter; several values are a list")
        continue
      }
      let nodes = entry.value.sequence.map { Array($0) } ?? [entry.value]
      if nodes.isEmpty {
        fault("'\(entry.key)' has no value", at: section.context.position(of: entry.value), fix: "write a value")
      }
      var matchers: [FieldMatcher] = []
      for node in nodes {
        guard let text = list.scalar(node, called: "'\(entry.key)'", mayBeEmpty: true) else { continue }
        let matcher = SignatureReader.matcher(text.value)
        if field == "event-id", !matcher.isNumber {
          fault(
            "event-id '\(text.value)' is no number", at: text.position, fix: "write the number of the event, as 36887")
        } else if text.value == "@" {
          fault("'@' names no column", at: text.position, fix: "write '@' and the column's name, or leave it out")
        } else {
          matchers.append(matcher)
        }
      }
      predicates.append(FieldPredicate(field: field, anyOf: matchers))
    }
    return predicates
  }

  static func matcher(_ text: String) -> FieldMatcher {
    if text.utf8.allSatisfy(ASCII.isDigit), let number = UInt64(text) { return .number(number) }
    if text.lowercased().hasPrefix("0x"), text.utf8.dropFirst(2).allSatisfy({ ASCII.hexValue($0) != nil }),
      let number = UInt64(text.dropFirst(2), radix: 16)
    {
      return .number(number)
    }
    if text.hasPrefix("@"), text != "@" { return .field(text.dropFirst().lowercased()) }
    return text.contains("*") ? .wildcard(Wildcard.pieces(text)) : .text(text.utf8.map(ASCII.lower))
  }

  private func readCodes() -> [ReadSignature.CodeEntry] {
    guard let entry = section.entry("codes"),
      let list = Section(entry.value, of: "'codes'", keys: nil, in: section.context)
    else { return [] }
    if list.isEmpty {
      section.fault("'codes' is empty", at: "codes", fix: "write 'field: table' or delete the key")
    }
    return list.entries.compactMap { entry in
      guard let table = list.text(entry.key) else { return nil }
      let fields = entry.key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      if fields.contains("") {
        fault(
          "'\(entry.key)' names no field", at: entry.position,
          fix: "write a field, or columns joined by one dot, as sc-status.sc-substatus")
        return nil
      }
      return ReadSignature.CodeEntry(fields: fields, name: entry.key, position: entry.position, table: table)
    }
  }

  private func compile(_ pattern: Located<String>, _ compiler: PatternCompiler) -> [String]? {
    // In double quotes YAML reads `\\b` as a backspace before PCRE2 sees it.
    if section.entry("pattern")?.value.scalar?.style == .doubleQuoted,
      section.context.source.line(pattern.position.line).contains("\\")
    {
      fault(
        "the pattern stands in double quotes, in which YAML reads each '\\' itself", at: pattern.position,
        fix: "put it into single quotes, where '\\' stays as it is and a quote is written twice: ''")
      return nil
    }
    let error: PatternFault
    do {
      return try compiler(pattern.value)
    } catch let fault as PatternFault {
      error = fault
    } catch let other {
      error = PatternFault(message: "\(other)")
    }
    var what = "the pattern does not compile: \(error.message)"
    var position = pattern.position
    if let offset = error.offset {
      if let inside = self.position(ofByte: offset, in: pattern) {
        position = inside
      } else {
        what += " (at byte \(offset))"
      }
    }
    fault(what, at: position, fix: "correct it there; patterns are PCRE2, in single quotes, unescaped")
    return nil
  }

  /// Where a byte of a pattern stands in the file; nil when it is not written plainly on one line.
  private func position(ofByte offset: Int, in pattern: Located<String>) -> Position? {
    guard let scalar = section.entry("pattern")?.value.scalar, offset >= 0 else { return nil }
    let line = Array(section.context.source.line(pattern.position.line).unicodeScalars)
    var column = pattern.position.column - 1
    let isQuoted = scalar.style == .singleQuoted
    guard isQuoted || scalar.style == .plain, column < line.count else { return nil }
    if isQuoted { column += 1 }
    var bytes = 0
    for unicode in pattern.value.unicodeScalars {
      if bytes >= offset { break }
      guard column < line.count, line[column] == unicode else { return nil }
      bytes += UTF8.width(unicode)
      column += isQuoted && unicode == "'" ? 2 : 1
    }
    return Position(line: pattern.position.line, column: column + 1)
  }

  // MARK: What belongs together

  /// Each family of formats must be reached: text by anchors, events by a provider or a text, rows by columns.
  private func checkReach(_ signature: Signature) {
    let isText = signature.formats.intersects(.text)
    let isEvent = signature.formats.intersects(.event)
    let isRows = signature.formats.intersects(.rows)
    if isText {
      section.require(
        "anchors", of: name, fix: "add 'anchors:' with a text that the program writes each time, 4 characters or more")
    }
    if isEvent, !section.isMeant("where"), !section.isMeant("text") {
      missing("'where' or 'text'", "add 'where: { provider: …, event-id: … }'")
    } else if isEvent, section.has("where"), !section.isMeant("text"), !section.isMeant("anchors"),
      !hasPlainProvider(signature.predicates)
    {
      missing("provider", "add 'provider:' to 'where' as a plain text without *, or give 'text' or 'anchors'")
    }
    // A sighting may hold on every row; a finding on every row would be none.
    if isRows, !isEvent, !section.isMeant("where"), signature.yields != .sighting {
      missing("'where'", "add 'where:' with columns and values")
    }
    for (key, hasEffect) in [
      ("anchors", isText || isEvent), ("pattern", isText || isEvent), ("text", isEvent), ("where", isEvent || isRows),
    ] where !hasEffect {
      guard let entry = section.entry(key) else { continue }
      fault(
        "'\(key)' has no effect on these formats", at: entry.position, fix: "delete it, or name a format that it is for"
      )
    }
  }

  private func hasPlainProvider(_ predicates: [FieldPredicate]) -> Bool {
    predicates.contains { predicate in
      predicate.field == "provider" && !predicate.anyOf.isEmpty
        && predicate.anyOf.allSatisfy { matcher in
          if case .text(let bytes) = matcher { return !bytes.isEmpty }
          return false
        }
    }
  }

  /// Groups must go somewhere, and codes come from somewhere.
  private func checkNames(
    pattern: Located<String>?, groups: [String]?, codes: [ReadSignature.CodeEntry], formats: FormatSet
  ) {
    // Under another name they are there, and a fault already.
    if section.misspelled.contains("codes") || section.misspelled.contains("pattern") { return }
    let fields = codes.flatMap(\.fields)
    if let pattern {
      for group in groups ?? [] where !SignatureReader.fieldGroups.contains(group) && !fields.contains(group) {
        let offset = ["(?<\(group)>", "(?P<\(group)>", "(?'\(group)'"].lazy
          .compactMap { byteOffset(of: $0, in: pattern.value) }.first
        fault(
          "group '\(group)' is no field and not used in 'codes'",
          at: offset.flatMap { position(ofByte: $0, in: pattern) } ?? pattern.position,
          fix: "use one of \(SignatureReader.fieldGroups.joined(separator: ", ")), or name it in 'codes'")
      }
      if groups == nil { return }
    }
    guard !formats.isEmpty, !formats.intersects(.event), !formats.intersects(.rows) else { return }
    for code in codes {
      for field in code.fields where field != "log" && groups?.contains(field) != true {
        fault(
          "code field '\(field)' is no group of the pattern", at: code.position,
          fix: "write (?<\(field)>…) in 'pattern'")
      }
    }
  }

  private func byteOffset(of needle: String, in text: String) -> Int? {
    let bytes = Array(text.utf8)
    let wanted = Array(needle.utf8)
    guard bytes.count >= wanted.count else { return nil }
    return (0...(bytes.count - wanted.count)).first { bytes[$0..<($0 + wanted.count)].elementsEqual(wanted) }
  }

  private func checkClass(_ signature: Signature) {
    if let findingClass = signature.findingClass {
      if signature.yields == .finding, findingClass.isQuiet {
        section.fault(
          "class '\(findingClass.rawValue)' is no finding", at: "class",
          fix: "write another 'yields', or leave the class to the code table")
      } else if let cause = signature.cause, let wrong = Vocabulary.fault(class: findingClass, cause: cause) {
        section.fault(wrong.what, at: "cause", fix: wrong.fix)
      }
    }
    guard signature.yields == .finding else { return }
    section.require("explain", of: name, fix: "add 'explain:': what it means, for an administrator")
    section.require("remedy", of: name, fix: "add 'remedy:': what Microsoft says to do")
    section.require("source", of: name, fix: "add 'source:': where that is written")
    guard !section.isMeant("codes") else { return }
    for (key, words) in [
      ("class", FindingClass.allCases.filter { !$0.isQuiet }.map(\.rawValue)),
      ("cause", Cause.allCases.filter { signature.findingClass?.causes.contains($0) == true }.map(\.rawValue)),
      ("severity", Severity.allCases.map(\.rawValue)), ("confidence", Confidence.allCases.map(\.rawValue)),
    ] where !section.isMeant(key) {
      let words = words.isEmpty ? "the class's causes" : words.joined(separator: ", ")
      missing("'\(key)'", "add '\(key):' with one of \(words), or a code table that gives it")
    }
  }

  /// Two that are recognised, on different lines, and one near miss; a look-alike has two of its own.
  private func checkProofs(_ yields: Yield, _ signature: Signature, _ examples: [SignatureExample]) {
    // An example that could not be read is a fault already and may be one of those.
    guard let entry = section.entry("examples"), entry.value.sequence?.count == examples.count else { return }
    let isMiss = { (example: SignatureExample) in example.expect == .none }
    let positive = yields == .none ? isMiss : { $0.isRecognised(by: signature.id) }
    let lines = Set(examples.filter(positive).map(\.line))
    if lines.count < 2 {
      section.fault(
        "\(name) has \(lines.count) of 2 examples that it recognises", at: "examples",
        fix: yields == .none
          ? "add look-alikes with 'expect: none', in different renderings"
          : "add lines with the fields that must come out, in different renderings")
    }
    if yields != .none, !examples.contains(where: isMiss) {
      section.fault(
        "\(name) has no near miss", at: "examples", fix: "add a similar line that is not it, with 'expect: none'")
    }
  }

  private func checkRowExamples(_ examples: [SignatureExample]) {
    for example in examples where example.fields == nil && !example.line.contains("#Fields:") {
      section.context.faults.add(
        "a row needs its columns", at: example.place, fix: "add 'fields:' with the text after '#Fields:'")
    }
  }

  private func missing(_ what: String, _ fix: String) {
    section.fault("\(name) has no \(what)", at: "signature", fix: fix)
  }

  private func fault(_ what: String, at position: Position, fix: String) {
    section.context.fault(what, at: position, fix: fix)
  }
}

extension FieldMatcher {
  var isNumber: Bool {
    if case .number = self { return true }
    return false
  }
}
