import Extraction
import Records

/// A table of `codes/` with the places of its rows.
struct ReadTable {
  var table: CodeTable
  var source: SourceText
  /// Line of each row of `table.rows`.
  var lines: [Int]
  /// Where the ids of `covers` stand, with the row that proves them.
  var covers: [(id: String, row: Int, position: Position)]

  func place(ofRow row: Int) -> Place { source.place(Position(line: lines[row], column: 1)) }
}

/// Reads `codes/NAME.tsv`: `#kind …`, comments, a header, rows. Every cell that is wrong is a fault at its column.
struct CodeTableReader {
  private struct Cell {
    var text: String
    var position: Position
    var isEmpty: Bool { text.isEmpty || text == "-" }
  }

  private static let columns = [
    "value", "symbol", "class", "cause", "severity", "covers", "explain", "source", "area", "feature", "stack",
    "confidence", "remedy", "protocol", "outcome",
  ]
  private static let requiredColumns = ["value", "explain", "source"]
  /// A table that judges says which ids of the knowledge base it proves, if only with empty cells.
  private static let judgingColumns = ["class", "cause", "severity"]

  private let source: SourceText
  private let faults: FaultList
  private var kind = CodeKind.code
  private var columns: [String] = []
  private var rows: [CodeRow] = []
  private var lines: [Int] = []
  private var covers: [(id: String, row: Int, position: Position)] = []
  /// Line of each value, spelled the one way that tells equal values.
  private var lineOfValue: [String: Int] = [:]

  static func read(name: String, source: SourceText, faults: FaultList) -> ReadTable {
    var reader = CodeTableReader(source: source, faults: faults)
    reader.read()
    return ReadTable(
      table: CodeTable(name: name, kind: reader.kind, rows: reader.rows), source: source, lines: reader.lines,
      covers: reader.covers)
  }

  private init(source: SourceText, faults: FaultList) {
    self.source = source
    self.faults = faults
  }

  private mutating func read() {
    var hasHeader = false
    for number in 1..<(source.lines.count + 1) {
      let line = source.lines[number - 1]
      if line.allSatisfy({ $0 == " " || $0 == "\t" }) { continue }
      if line.first == "#" {
        if line.starts(with: "#kind".unicodeScalars) { readKind(String(line), number) }
        continue
      }
      let cells = self.cells(line, number)
      if !hasHeader {
        hasHeader = true
        guard readHeader(cells) else { return }
      } else {
        readRow(cells, number)
      }
    }
    if !hasHeader {
      faults.add(
        "the table has no header row", at: source.place(Position(line: 1, column: 1)),
        fix: "begin with the names of columns, separated by tabs: value, symbol, class, cause, severity, covers, …")
    }
  }

  private mutating func readKind(_ line: String, _ number: Int) {
    guard number == 1 else {
      return fault("'#kind' must be the first line", at: Position(line: number, column: 1), fix: "move it to line 1")
    }
    let start = line.prefix { $0 != " " && $0 != "\t" }.unicodeScalars.count
    let blanks = line.dropFirst(start).prefix { $0 == " " || $0 == "\t" }.count
    let word = String(line.dropFirst(start + blanks).prefix { $0 != " " && $0 != "\t" })
    if let kind = CodeKind(rawValue: word) {
      self.kind = kind
    } else {
      fault(
        "kind '\(word)' is not known", at: Position(line: 1, column: start + blanks + 1),
        fix: Suggestion.fix(for: word, among: CodeKind.allCases.map(\.rawValue)))
    }
  }

  /// - Returns: whether rows can be read.
  private mutating func readHeader(_ cells: [Cell]) -> Bool {
    let known = CodeTableReader.columns
    for cell in cells {
      if !known.contains(cell.text) {
        fault(
          "column '\(cell.text)' is not known", at: cell.position, fix: Suggestion.fix(for: cell.text, among: known))
      } else if columns.contains(cell.text) {
        fault("column '\(cell.text)' stands twice", at: cell.position, fix: "delete one of them")
      }
      columns.append(cell.text)
    }
    let judges = CodeTableReader.judgingColumns.contains(where: columns.contains)
    for column in CodeTableReader.requiredColumns + (judges ? ["covers"] : []) where !columns.contains(column) {
      fault(
        "the table has no column '\(column)'", at: cells[0].position,
        fix: "add it to the header and to each row; '-' is an empty cell")
    }
    return columns.contains("value")
  }

  private mutating func readRow(_ cells: [Cell], _ number: Int) {
    guard cells.count == columns.count else {
      let position =
        cells.count > columns.count
        ? cells[columns.count].position
        : Position(line: number, column: source.lines[number - 1].count + 1)
      return fault(
        "the row has \(cells.count) cells, the header has \(columns.count)", at: position,
        fix: "separate cells by one tab each; '-' is an empty cell")
    }
    func cell(_ column: String) -> Cell? {
      columns.firstIndex(of: column).flatMap { cells[$0].isEmpty ? nil : cells[$0] }
    }
    func word<Word: RawRepresentable & CaseIterable>(_ column: String, _: Word.Type) -> Word?
    where Word.RawValue == String {
      guard let cell = cell(column) else { return nil }
      if let word = Word(rawValue: cell.text) { return word }
      fault(
        "\(column) '\(cell.text)' is not known", at: cell.position,
        fix: Suggestion.fix(for: cell.text, among: Word.allCases.map(\.rawValue)))
      return nil
    }
    var row = CodeRow(value: cell("value")?.text ?? "")
    row.symbol = cell("symbol")?.text
    row.findingClass = word("class", FindingClass.self)
    row.cause = word("cause", Cause.self)
    row.severity = word("severity", Severity.self)
    row.explain = cell("explain")?.text
    row.remedy = cell("remedy")?.text
    row.source = cell("source")?.text
    row.feature = word("feature", Feature.self)
    row.stack = word("stack", Stack.self)
    row.confidence = word("confidence", Confidence.self)
    row.protocolName = cell("protocol")?.text
    row.outcome = word("outcome", Outcome.self)
    if let area = cell("area") {
      row.area = Section.areas.contains(area.text) ? Int(area.text) : nil
      if row.area == nil {
        fault(
          "area '\(area.text)' is not known", at: area.position,
          fix: Suggestion.fix(for: area.text, among: Section.areas))
      }
    }
    if let findingClass = row.findingClass, let cause = row.cause, let cell = cell("cause"),
      let wrong = Vocabulary.fault(class: findingClass, cause: cause)
    {
      fault(wrong.what, at: cell.position, fix: wrong.fix)
    }
    if let cell = cell("covers") {
      var column = cell.position.column
      for id in cell.text.unicodeScalars.split(separator: " ", omittingEmptySubsequences: false) {
        if !id.isEmpty {
          row.covers.append(String(id))
          covers.append((String(id), rows.count, Position(line: number, column: column)))
        }
        column += id.count + 1
      }
    }
    guard checkValue(columns.firstIndex(of: "value").map { cells[$0] }, number) else {
      covers.removeAll { $0.row == rows.count }
      return
    }
    rows.append(row)
    lines.append(number)
  }

  private mutating func checkValue(_ cell: Cell?, _ number: Int) -> Bool {
    guard let cell else { return false }
    if cell.isEmpty {
      fault("the row has no value", at: cell.position, fix: "write the value, or delete the row")
      return false
    }
    var key = cell.text.lowercased()
    // `*` in a table of numbers: any other number.
    if kind != .text, !(kind == .number && cell.text == "*") {
      guard let value = CodeTable.number(of: cell.text, kind: kind), kind != .bits || value != 0 else {
        fault(
          "value '\(cell.text)' is no \(kind.rawValue) value", at: cell.position, fix: CodeTableReader.spelling(kind))
        return false
      }
      key = String(value)
    }
    if let first = lineOfValue[key] {
      fault(
        "value '\(cell.text)' stands twice, first in line \(first)", at: cell.position, fix: "keep one of the rows")
      return false
    }
    lineOfValue[key] = number
    return true
  }

  private static func spelling(_ kind: CodeKind) -> String {
    switch kind {
    case .code: "write it as 0x80072f8f, or in decimal up to 32 bits"
    case .number: "write a decimal number from 0 up"
    case .hex: "write hexadecimal digits, as 400"
    case .bits: "write one bit or more as 0x00000001"
    case .text: "write a text"
    }
  }

  private func cells(_ line: Substring.UnicodeScalarView, _ number: Int) -> [Cell] {
    var column = 1
    return line.split(separator: "\t", omittingEmptySubsequences: false).map { piece in
      let blanks = piece.prefix { $0 == " " }.count
      var text = piece.dropFirst(blanks)
      while text.last == " " { text.removeLast() }
      defer { column += piece.count + 1 }
      return Cell(text: String(text), position: Position(line: number, column: column + blanks))
    }
  }

  private func fault(_ what: String, at position: Position, fix: String) {
    faults.add(what, at: source.place(position), fix: fix)
  }
}
