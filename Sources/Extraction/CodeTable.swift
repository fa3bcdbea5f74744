import Records

/// How the values of a table are spelled in logs.
package enum CodeKind: String, CaseIterable, Sendable { case code, number, hex, bits, text }

/// One row of `parsers/codes/NAME.tsv`. What is nil leaves what the signature says.
package struct CodeRow: Sendable {
  package var value: String
  package var symbol: String?
  package var findingClass: FindingClass?
  package var cause: Cause?
  package var severity: Severity?
  package var covers: [String] = []
  package var explain: String?
  package var remedy: String?
  package var source: String?
  package var area: Int?
  package var feature: Feature?
  package var stack: Stack?
  package var confidence: Confidence?
  package var protocolName: String?
  package var outcome: Outcome?
  package init(value: String) { self.value = value }
}

extension CodeTable {
  /// Tables that row extraction reads by name, for the protocol and cipher of sightings; no signature needs to use them.
  package static let namesReadByRows = ["crypt-protocol", "crypt-cipher", "crypt-keyexchange", "crypt-hash"]
}

/// A code table with every spelling derived: hexadecimal, unsigned and signed decimal, low word of Win32 codes, symbol.
package struct CodeTable: Sendable {
  package let name: String
  package let kind: CodeKind
  package let rows: [CodeRow]
  private var byNumber: [UInt64: Int] = [:]
  private var byLowWord: [UInt64: Int] = [:]
  private var byText: [String: Int] = [:]
  /// The row `*` of a table of numbers: any number that no other row names.
  private var other: Int?
  private var bits: [(mask: UInt64, row: Int)] = []
  private var wildcards: [(pieces: [[UInt8]], row: Int)] = []

  /// - Parameter rows: values already checked to be readable as `kind` (`CodeTable.number(of:kind:)`).
  package init(name: String, kind: CodeKind, rows: [CodeRow]) {
    self.name = name
    self.kind = kind
    self.rows = rows
    for (index, row) in rows.enumerated() {
      if let symbol = row.symbol, kind == .code {
        for alias in symbol.split(separator: "/") { byText[alias.lowercased()] = index }
      }
      switch kind {
      case .text:
        if row.value.contains("*") {
          wildcards.append((Wildcard.pieces(row.value), index))
        } else {
          byText[row.value.lowercased()] = index
        }
      case .bits:
        if let mask = CodeTable.number(of: row.value, kind: kind) { bits.append((mask, index)) }
      case .code, .number, .hex:
        guard let number = CodeTable.number(of: row.value, kind: kind) else {
          if row.value == "*" { other = index }
          continue
        }
        byNumber[number] = index
        if kind == .code, number >> 16 == 0x8007 { byLowWord[number & 0xFFFF] = index }
      }
    }
  }

  /// Reads one spelling of a code: `0x80072f8f`, `80072F8F`, `2147954575`, `-2147012721`, `12175`; nil for other text.
  package static func number(of text: String, kind: CodeKind) -> UInt64? {
    var body = Substring(text)
    switch kind {
    case .text: return nil
    case .hex:
      if body.lowercased().hasPrefix("0x") { body = body.dropFirst(2) }
      return body.count <= 16 ? UInt64(body, radix: 16) : nil
    case .number:
      if body.lowercased().hasPrefix("0x") { return UInt64(body.dropFirst(2), radix: 16) }
      return UInt64(body)
    case .code, .bits:
      if body.lowercased().hasPrefix("0x") {
        body = body.dropFirst(2)
        // A 64-bit sign extension of an HRESULT: FFFFFFFF80072F8F.
        if body.count == 16, body.lowercased().hasPrefix("ffffffff") { body = body.dropFirst(8) }
        return body.count <= 8 ? UInt64(body, radix: 16) : nil
      }
      if body.hasPrefix("-") {
        guard let signed = Int32(body) else { return nil }
        return UInt64(UInt32(bitPattern: signed))
      }
      let isAllDigits = body.utf8.allSatisfy(ASCII.isDigit)
      if body.utf8.count == 8, !isAllDigits || body.hasPrefix("80") || body.hasPrefix("87") {
        return UInt64(body, radix: 16)
      }
      guard isAllDigits, let number = UInt64(body), number <= UInt64(UInt32.max) else { return nil }
      return number
    }
  }

  /// The row that `text` spells, or nil.
  package func row(for text: String) -> CodeRow? {
    switch kind {
    case .text:
      if let index = byText[text.lowercased()] { return rows[index] }
      for (pieces, index) in wildcards where Wildcard.matches(pieces, text) { return rows[index] }
      return nil
    case .bits:
      guard let number = CodeTable.number(of: text, kind: kind) else { return nil }
      for (mask, index) in bits where number & mask != 0 { return rows[index] }
      return nil
    case .code, .number, .hex:
      if let number = CodeTable.number(of: text, kind: kind) {
        if let index = byNumber[number] { return rows[index] }
        return (byLowWord[number] ?? other).map { rows[$0] }
      }
      return kind == .code ? byText[text.lowercased()].map { rows[$0] } : nil
    }
  }
}
