import Records

/// A row of the census with its names, ready to print.
package struct SightingRow: Sendable, Equatable {
  package var client: String?
  package var clientIP: String?
  package var server: String?
  package var role: String?
  package var protocolName: String?
  package var cipher: String?
  package var outcome: Outcome
  package var system: String?
  package var first: Timestamp?
  package var last: Timestamp?
  package var count: UInt64

  /// Every row of a census, ordered by what is printed: the order of input and the threads leave no trace.
  package static func all(_ census: Census, names: NameTable) -> [SightingRow] {
    // Numbers are sorted in place of rows of texts: 50,000 clients took longer to sort than to read.
    let rows = census.rows
    let ranks = Ranks(rows, names)
    let texts = names.all
    func name(_ id: UInt32) -> String? { id == 0 ? nil : texts[Int(id)] }
    let order = rows.indices.map { (place: ranks.place(of: rows[$0].key), index: $0) }
      .sorted { $0.place < $1.place }
    return order.map { entry -> SightingRow in
      let row = rows[entry.index]
      let key = row.key
      let address = key.isAddress ? IPAddress(high: key.clientHigh, low: key.clientLow) : nil
      return SightingRow(
        client: key.isAddress ? nil : name(UInt32(truncatingIfNeeded: key.clientLow)),
        clientIP: address?.text, server: name(key.server), role: name(key.role),
        protocolName: name(key.protocolName), cipher: name(key.cipher),
        outcome: Outcome(number: key.outcome), system: name(key.system),
        first: row.first == .min ? nil : Timestamp(microseconds: row.first),
        last: row.last == .min ? nil : Timestamp(microseconds: row.last), count: row.count)
    }
  }
}

/// The order of names among themselves and of addresses as they are printed, for sorting keys of the census.
private struct Ranks {
  /// By server, client, address, role, protocol, cipher, outcome and system: the words of a key in their order.
  typealias Place = (UInt64, UInt64, UInt64, UInt64)

  private struct Address: Hashable {
    var high: UInt64
    var low: UInt64
  }

  /// By id: the place of the name among all names.
  private var ofName: [UInt32]
  private var ofAddress: [Address: UInt32] = [:]

  init(_ rows: [Census.Row], _ names: NameTable) {
    let all = names.all
    ofName = Array(repeating: 0, count: all.count)
    for (rank, id) in all.indices.sorted(by: { all[$0] < all[$1] }).enumerated() { ofName[id] = UInt32(rank) }
    for row in rows where row.key.isAddress {
      ofAddress[Address(high: row.key.clientHigh, low: row.key.clientLow)] = 0
    }
    let texts = ofAddress.keys.map { (IPAddress(high: $0.high, low: $0.low).text, $0) }.sorted { $0.0 < $1.0 }
    // An address stands behind a client without a name, and before all names.
    for (rank, (_, address)) in texts.enumerated() { ofAddress[address] = UInt32(rank + 1) }
  }

  func place(of key: SightingKey) -> Place {
    func rank(_ id: UInt32) -> UInt64 { UInt64(ofName[Int(id)]) }
    let client: UInt64
    if key.isAddress {
      client = UInt64(ofAddress[Address(high: key.clientHigh, low: key.clientLow)]!)
    } else {
      let name = rank(UInt32(truncatingIfNeeded: key.clientLow))
      client = name == 0 ? 0 : 1 << 32 | name
    }
    let outcome = UInt64(Ranks.outcomes.firstIndex(of: Outcome(number: key.outcome))!)
    return (
      rank(key.server) << 33 | client, rank(key.role) << 32 | rank(key.protocolName), rank(key.cipher),
      outcome << 32 | rank(key.system)
    )
  }

  private static let outcomes = Outcome.allCases.sorted { $0.rawValue < $1.rawValue }
}
