import Extraction

/// A definition that proves an id of the knowledge base.
package struct CoverPlace: Sendable, Hashable {
  /// `winhttp.request-failed`, or `winhttp 0x80072f8f`: table and value.
  package var definition: String
  package var place: Place

  /// A row proves something only through a signature that uses its table.
  static func all(signatures: [ReadSignature], tables: [ReadTable]) -> [String: [CoverPlace]] {
    var places: [String: [CoverPlace]] = [:]
    for read in signatures {
      for id in read.covers {
        let place = read.section.context.source.place(id.position)
        places[id.value, default: []].append(CoverPlace(definition: read.signature.id, place: place))
      }
    }
    let used = Set(signatures.flatMap { $0.signature.codes.map(\.table) })
      .union(tables.indices.filter { CodeTable.namesReadByRows.contains(tables[$0].table.name) })
    for (index, table) in tables.enumerated() where used.contains(index) {
      for cover in table.covers {
        let definition = "\(table.table.name) \(table.table.rows[cover.row].value)"
        places[cover.id, default: []].append(
          CoverPlace(definition: definition, place: table.source.place(cover.position)))
      }
    }
    return places
  }
}

/// The ids of a knowledge base held against the definitions.
package struct CoverageReport: Sendable {
  package struct Entry: Sendable {
    package var id: String
    /// The cell of the column `source`, when there is one.
    package var source: String
    /// Line of the list.
    package var line: Int
    /// Empty: not covered.
    package var places: [CoverPlace]
  }

  /// In the order of the list.
  package var entries: [Entry] = []
  package var signatureCount: Int
  package var codeRowCount: Int
  /// Tables that no signature uses: their rows cover nothing.
  package var unusedTables: [String]
  /// Damage of the list, and ids that definitions claim and the list does not hold.
  package var diagnostics: [Diagnostic] = []

  package var covered: [Entry] { entries.filter { !$0.places.isEmpty } }
  package var missing: [Entry] { entries.filter(\.places.isEmpty) }
}

extension LoadResult {
  /// - Parameters:
  ///   - tsv: a list of signals with a header row and at least the column `id`.
  ///   - path: of the list, for messages.
  package func coverage(tsv: String, path: String) -> CoverageReport {
    let used = Set(ruleSet.signatures.flatMap { $0.codes.map(\.table) })
      .union(ruleSet.tables.indices.filter { CodeTable.namesReadByRows.contains(ruleSet.tables[$0].name) })
    var report = CoverageReport(
      signatureCount: ruleSet.signatures.count, codeRowCount: ruleSet.tables.reduce(0) { $0 + $1.rows.count },
      unusedTables: ruleSet.tables.indices.filter { !used.contains($0) }.map { ruleSet.tables[$0].name })
    let faults = FaultList()
    let source = SourceText(file: path, text: tsv, lineEnds: .table)
    let rows = source.lines.enumerated().filter { !$0.element.isEmpty }
    func cells(_ row: Substring.UnicodeScalarView) -> [String] {
      row.split(separator: "\t", omittingEmptySubsequences: false).map { String($0) }
    }
    let header = rows.first.map { cells($0.element) } ?? []
    guard let idColumn = header.firstIndex(of: "id") else {
      faults.add(
        "the list has no column 'id'", at: source.place(Position(line: 1, column: 1)),
        fix: "give a tab-separated file whose header names 'id'")
      report.diagnostics = faults.sorted
      return report
    }
    let sourceColumn = header.firstIndex(of: "source")
    var lineOfID: [String: Int] = [:]
    for (index, row) in rows.dropFirst() {
      let cells = cells(row)
      let id = idColumn < cells.count ? cells[idColumn] : ""
      if id.isEmpty {
        faults.add("the row has no id", at: source.place(Position(line: index + 1, column: 1)), fix: "fill column 'id'")
      } else if let first = lineOfID[id] {
        faults.add(
          "id '\(id)' stands twice, first in line \(first)", at: source.place(Position(line: index + 1, column: 1)),
          fix: "keep one of the rows")
      } else {
        lineOfID[id] = index + 1
        let origin = sourceColumn.flatMap { $0 < cells.count ? cells[$0] : nil } ?? ""
        report.entries.append(
          CoverageReport.Entry(id: id, source: origin, line: index + 1, places: coverage[id] ?? []))
      }
    }
    let ids = report.entries.map(\.id)
    for id in coverage.keys.sorted() where lineOfID[id] == nil {
      for cover in coverage[id] ?? [] {
        faults.add(
          "id '\(id)' is not in \(path)", at: cover.place,
          fix: Suggestion.nearest(to: id, among: ids).map { "did you mean '\($0)'?" } ?? "use an id of that list")
      }
    }
    report.diagnostics = faults.sorted
    return report
  }
}
