import Records
import Yams

/// One document of a YAML file, and how its nodes lie in the file.
struct YAMLDocument {
  let root: Node
  let context: YAMLContext
}

/// What is needed to say where a node stands.
struct YAMLContext {
  let source: SourceText
  let faults: FaultList
  /// Lines of the file before the document: each document is parsed by itself.
  let lineOffset: Int

  func position(_ mark: Mark) -> Position { Position(line: mark.line + lineOffset, column: max(1, mark.column)) }

  func position(of node: Node) -> Position { node.mark.map(position) ?? start }

  /// Where the document begins.
  var start: Position { Position(line: 1 + lineOffset, column: 1) }

  func fault(_ what: String, at position: Position, fix: String) {
    faults.add(what, at: source.place(position), fix: fix)
  }
}

extension YAMLDocument {
  /// The documents of a file. A document that is no YAML is a fault and hides no fault of the others: the file is cut
  /// at its `---` lines first, which YAML allows nowhere else at the begin of a line.
  static func all(in source: SourceText, faults: FaultList) -> [YAMLDocument] {
    if let (position, scalar) = firstForbidden(in: source) {
      let number = String(scalar.value, radix: 16, uppercase: true)
      faults.add(
        "character U+\(String(repeating: "0", count: max(0, 4 - number.count)))\(number) is not allowed in YAML",
        at: source.place(position), fix: "delete it; in double quotes it can be written as an escape")
      return []
    }
    var documents: [YAMLDocument] = []
    var start = 0
    for index in 0...source.lines.count {
      guard index == source.lines.count || isSeparator(source.lines[index]) else { continue }
      if source.lines[start..<index].contains(where: hasContent) {
        let context = YAMLContext(source: source, faults: faults, lineOffset: start)
        let text = source.lines[start..<index].map { String($0) }.joined(separator: "\n") + "\n"
        for root in roots(of: text, in: context) { documents.append(YAMLDocument(root: root, context: context)) }
      }
      start = index
    }
    return documents
  }

  private static func roots(of text: String, in context: YAMLContext) -> [Node] {
    var roots: [Node] = []
    do {
      // No implicit tags: every scalar stays the text it is, and the closed lists decide.
      let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
      while let root = try parser.nextRoot() {
        if let scalar = root.scalar, scalar.string.isEmpty { continue }
        roots.append(root)
      }
    } catch let error as YamlError {
      report(error, in: context)
    } catch {
      context.fault("not valid YAML: \(error)", at: context.start, fix: syntaxFix)
    }
    return roots
  }

  private static let syntaxFix =
    "check indentation, colons and quotes here; a text with ': ' or ' #' needs single quotes"

  private static func report(_ error: YamlError, in context: YAMLContext) {
    switch error {
    case .scanner(let outer, let problem, let mark, _), .parser(let outer, let problem, let mark, _),
      .composer(let outer, let problem, let mark, _):
      var what = "not valid YAML: \(problem)"
      if let outer { what += " \(outer.text) that begins in line \(context.position(outer.mark).line)" }
      let position = context.position(mark)
      context.fault(what, at: position, fix: fix(for: problem, at: position, in: context.source))
    case .duplicatedKeysInMapping(let keys, let outer):
      let key = keys.first ?? ""
      let first = context.position(outer.mark)
      let second = secondPlace(of: key, after: first, in: context.source)
      context.fault(
        "key '\(key)' stands twice, first in line \(first.line)", at: second ?? first,
        fix: "keep one of them; several values are a list")
    default:
      context.fault("not valid YAML: \(error)", at: context.start, fix: syntaxFix)
    }
  }

  /// What the parser's words come from most often.
  private static func fix(for problem: String, at position: Position, in source: SourceText) -> String {
    if problem.contains("escape character") {
      return "put it into single quotes: in double quotes YAML reads '\\' itself; a single quote is written twice"
    }
    let line = source.line(position.line)
    if problem.contains("tab character") || line.prefix(while: { $0 == " " || $0 == "\t" }).contains("\t") {
      return "indent with blanks: YAML takes no tab there"
    }
    return syntaxFix
  }

  /// The parser names the first of two equal keys; in block style the second stands at the same column further down.
  private static func secondPlace(of key: String, after first: Position, in source: SourceText) -> Position? {
    let wanted = Array((key + ":").unicodeScalars)
    for number in (first.line + 1)..<max(first.line + 1, source.lines.count + 1) {
      let line = Array(source.lines[number - 1])
      let indent = first.column - 1
      guard line.count >= indent + wanted.count, line[..<indent].allSatisfy({ $0 == " " || $0 == "-" }) else {
        if line.count >= 3, isSeparator(source.lines[number - 1]) { return nil }
        continue
      }
      if Array(line[indent..<(indent + wanted.count)]) == wanted {
        return Position(line: number, column: first.column)
      }
    }
    return nil
  }

  private static func isSeparator(_ line: Substring.UnicodeScalarView) -> Bool {
    guard line.starts(with: "---".unicodeScalars) else { return false }
    let rest = line.dropFirst(3)
    return rest.isEmpty || rest.first == " " || rest.first == "\t"
  }

  private static func hasContent(_ line: Substring.UnicodeScalarView) -> Bool {
    if isSeparator(line), line.dropFirst(3).allSatisfy({ $0 == " " || $0 == "\t" }) { return false }
    guard let first = line.first(where: { $0 != " " && $0 != "\t" }) else { return false }
    return first != "#"
  }

  /// Source: YAML 1.1 §5.1, the printable characters.
  private static func firstForbidden(in source: SourceText) -> (Position, Unicode.Scalar)? {
    for (number, line) in source.lines.enumerated() {
      for (column, scalar) in line.enumerated() {
        let isAllowed =
          switch scalar.value {
          case 0x09, 0x20...0x7E, 0xA0...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD, 0x10000...0x10FFFF: true
          default: false
          }
        if !isAllowed { return (Position(line: number + 1, column: column + 1), scalar) }
      }
    }
    return nil
  }
}
