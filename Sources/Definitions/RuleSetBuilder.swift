import Extraction
import Records

/// Joins what was read file by file and checks what only shows together.
struct RuleSetBuilder {
  let tables: [ReadTable]
  let faults: FaultList
  private let indexByTable: [String: Int]

  /// - Parameter tables: sorted by name; their places become the indices of `RuleSet.tables`.
  init(tables: [ReadTable], faults: FaultList) {
    self.tables = tables
    self.faults = faults
    var index: [String: Int] = [:]
    for (place, table) in tables.enumerated() { index[table.table.name] = place }
    indexByTable = index
  }

  /// - Parameter read: in the order of file name and place.
  /// - Returns: in the order in which they are tried.
  func signatures(_ read: [ReadSignature]) -> [ReadSignature] {
    var ordered = read.filter { !$0.signature.isFallback } + read.filter { $0.signature.isFallback }
    for index in ordered.indices {
      ordered[index].signature.codes = resolve(ordered[index])
      if ordered[index].signature.yields == .finding { checkRows(ordered[index]) }
    }
    checkNamesAreUnique(ordered)
    checkLikeness(ordered)
    checkReferences(ordered)
    return ordered
  }

  private func resolve(_ read: ReadSignature) -> [CodeSource] {
    read.codes.compactMap { code in
      guard let table = indexByTable[code.table.value] else {
        read.section.context.fault(
          "code table '\(code.table.value)' does not exist", at: code.table.position,
          fix: Suggestion.tableFix(for: code.table.value, among: tables.map(\.table.name)))
        return nil
      }
      // Groups of the pattern are spelled as written, other fields are known in lower case.
      let pattern = read.signature.pattern ?? ""
      let fields = code.fields.map { field in
        pattern.contains("<\(field)>") || pattern.contains("'\(field)'") ? field : field.lowercased()
      }
      return CodeSource(fields: fields, table: table)
    }
  }

  // MARK: Codes

  private struct Judgement: Hashable, Comparable {
    var findingClass: FindingClass
    var cause: Cause
    static func < (left: Judgement, right: Judgement) -> Bool {
      (left.findingClass.rawValue, left.cause.rawValue) < (right.findingClass.rawValue, right.cause.rawValue)
    }
  }

  /// Each row that makes a finding must give whatever the signature leaves open, and what a table makes of what came
  /// before must be a class and a cause that fit.
  private func checkRows(_ read: ReadSignature) {
    let signature = read.signature
    guard signature.codes.count == read.codes.count, let first = signature.codes.first else { return }
    var gaps: [String: [Int]] = [:]
    var judgements = Set<Judgement>()
    var misfits: [(row: Int, judgement: Judgement)] = []
    /// A row that states class and cause was checked in its table, one that states neither changes nothing. One that
    /// states half must fit at least one of what came before: which, only a record tells.
    func judge(_ row: CodeRow, _ index: Int, _ results: [Judgement]) {
      let fitting = results.filter { $0.findingClass.causes.contains($0.cause) }
      judgements.formUnion(fitting)
      if (row.findingClass == nil) != (row.cause == nil), fitting.isEmpty, let first = results.first {
        misfits.append((index, first))
      }
    }
    for (index, row) in judgingRows(of: first.table) {
      if row.findingClass == nil { gaps["class", default: []].append(index) }
      if row.cause == nil { gaps["cause", default: []].append(index) }
      if row.severity == nil { gaps["severity", default: []].append(index) }
      if row.confidence == nil { gaps["confidence", default: []].append(index) }
      if let findingClass = row.findingClass ?? signature.findingClass, let cause = row.cause ?? signature.cause {
        judge(row, index, [Judgement(findingClass: findingClass, cause: cause)])
      }
    }
    for key in ["class", "cause", "severity", "confidence"] where !read.section.isMeant(key) {
      guard let rows = gaps[key], let row = rows.first else { continue }
      let more = rows.count > 1 ? " and \(rows.count - 1) more" : ""
      let table = read.codes[0].table.value
      read.section.context.fault(
        "neither \(name(read)) nor row '\(value(first.table, row))'\(more) of table '\(table)' gives a \(key)",
        at: read.codes[0].table.position, fix: "add '\(key):' to the signature, or fill the column '\(key)'")
    }
    report(&misfits, read, code: 0)
    for (number, code) in signature.codes.enumerated().dropFirst() {
      let before = judgements.sorted()
      for (index, row) in judgingRows(of: code.table) where row.findingClass != nil || row.cause != nil {
        let results = before.map {
          Judgement(findingClass: row.findingClass ?? $0.findingClass, cause: row.cause ?? $0.cause)
        }
        judge(row, index, results)
      }
      report(&misfits, read, code: number)
    }
  }

  private func judgingRows(of table: Int) -> [(Int, CodeRow)] {
    tables[table].table.rows.enumerated().filter { $0.element.findingClass?.isQuiet != true }
      .map { ($0.offset, $0.element) }
  }

  /// One fault for all rows of a table that do not fit, with the first as its example; empties the list.
  private func report(_ misfits: inout [(row: Int, judgement: Judgement)], _ read: ReadSignature, code: Int) {
    defer { misfits.removeAll() }
    guard let first = misfits.first,
      let wrong = Vocabulary.fault(class: first.judgement.findingClass, cause: first.judgement.cause)
    else { return }
    let table = read.signature.codes[code].table
    let more = misfits.count > 1 ? " and \(misfits.count - 1) more" : ""
    read.section.context.fault(
      "with row '\(value(table, first.row))'\(more) of table '\(read.codes[code].table.value)' \(wrong.what)",
      at: read.codes[code].table.position, fix: "\(wrong.fix), in \(tables[table].place(ofRow: first.row).name)")
  }

  private func value(_ table: Int, _ row: Int) -> String { tables[table].table.rows[row].value }

  private func name(_ read: ReadSignature) -> String { "signature '\(read.signature.id)'" }

  // MARK: Signatures beside each other

  private func checkNamesAreUnique(_ read: [ReadSignature]) {
    var placeByID: [String: Place] = [:]
    for one in read {
      if let first = placeByID[one.signature.id] {
        faults.add("\(name(one)) exists already, in \(first.name)", at: one.place, fix: "give one of them another name")
      } else {
        placeByID[one.signature.id] = one.place
      }
    }
  }

  /// Many codes of one shape are one signature with a table: two that differ in numbers alone are a fault.
  private func checkLikeness(_ read: [ReadSignature]) {
    var firstByShape: [Shape: ReadSignature] = [:]
    var ids: Set<String> = []
    for one in read {
      // One that is there twice is told as such.
      guard ids.insert(one.signature.id).inserted else { continue }
      let shape = Shape(one)
      if let first = firstByShape[shape] {
        faults.add(
          "\(name(one)) differs from '\(first.signature.id)' (\(first.place.name)) in codes alone", at: one.place,
          fix: "make one signature of them, with a code table in 'codes'")
      } else {
        firstByShape[shape] = one
      }
    }
  }

  /// What is left of a signature when numbers are taken out; what a table could give (class, cause, texts) is no part.
  private struct Shape: Hashable {
    var yields: Yield
    var formats: FormatSet
    var logs: Set<[[UInt8]]>
    var anchors: Set<String>
    var pattern: String
    var text: String
    var predicates: Set<FieldPredicate>
    var codes: [String]
    var hostIs: HostRole?
    var isFallback: Bool
    var group: String?

    init(_ read: ReadSignature) {
      let signature = read.signature
      yields = signature.yields
      formats = signature.formats
      logs = Set(signature.logs)
      anchors = Set(signature.anchors.map { Shape.withoutNumbers($0) })
      pattern = Shape.withoutNumbers(Array((signature.pattern ?? "").utf8))
      text = Shape.withoutNumbers(signature.text ?? [])
      predicates = Set(
        signature.predicates.map { predicate in
          let matchers = predicate.anyOf.filter { !$0.isNumber }
          return FieldPredicate(field: predicate.field, anyOf: matchers)
        })
      codes = read.codes.map { "\($0.name):\($0.table.value)" }
      hostIs = signature.hostIs
      isFallback = signature.isFallback
      group = signature.group
    }

    /// `#` for each number: decimal digits, `0x…`, or a word of at least four hexadecimal digits with a digit in it.
    static func withoutNumbers(_ bytes: [UInt8]) -> String {
      var out: [UInt8] = []
      var index = 0
      while index < bytes.count {
        guard ASCII.isDigit(bytes[index]) || ASCII.isLetter(bytes[index]) else {
          out.append(bytes[index])
          index += 1
          continue
        }
        let start = index
        while index < bytes.count, ASCII.isDigit(bytes[index]) || ASCII.isLetter(bytes[index]) { index += 1 }
        let word = bytes[start..<index].map(ASCII.lower)
        let isPrefixed = word.count > 2 && word[0] == 0x30 && word[1] == 0x78
        let digits = isPrefixed ? word[2...] : word[...]
        let isHex = digits.allSatisfy { ASCII.hexValue($0) != nil } && digits.contains(where: ASCII.isDigit)
        if isPrefixed || (isHex && word.count >= 4) {
          out.append(0x23)
          continue
        }
        for byte in word where !(ASCII.isDigit(byte) && out.last == 0x23) {
          out.append(ASCII.isDigit(byte) ? 0x23 : byte)
        }
      }
      return String(decoding: out, as: UTF8.self)
    }
  }

  /// An example that names another signature must name one that exists.
  private func checkReferences(_ read: [ReadSignature]) {
    let names = read.map(\.signature.id)
    let known = Set(names)
    for one in read {
      for example in one.examples {
        guard case .fields(let fields) = example.expect, let other = fields["signature"], !known.contains(other)
        else { continue }
        faults.add(
          "the example expects signature '\(other)', which does not exist", at: example.place,
          fix: Suggestion.nearest(to: other, among: names).map { "did you mean '\($0)'?" }
            ?? "name a signature that exists")
      }
    }
  }
}

extension Suggestion {
  /// The nearest table, else those that share a word with the name.
  static func tableFix(for name: String, among tables: [String]) -> String {
    if let near = nearest(to: name, among: tables) { return "did you mean '\(near)'?" }
    let all = tables.isEmpty ? "" : "; handshaked check -v lists the tables there are"
    let words = name.lowercased().split(separator: "-").filter { $0.count >= 3 }
    let related = tables.filter { table in words.contains { word in table.split(separator: "-").contains(word) } }
    if related.isEmpty { return "write codes/\(name).tsv" + all }
    return "use \(related.prefix(5).joined(separator: " or ")), or write codes/\(name).tsv" + all
  }
}
