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
    let rows = census.rows.map { row -> SightingRow in
      let key = row.key
      let address = key.isAddress ? IPAddress(high: key.clientHigh, low: key.clientLow) : nil
      return SightingRow(
        client: key.isAddress ? nil : names.name(of: UInt32(truncatingIfNeeded: key.clientLow)),
        clientIP: address?.text, server: names.name(of: key.server), role: names.name(of: key.role),
        protocolName: names.name(of: key.protocolName), cipher: names.name(of: key.cipher),
        outcome: Outcome(number: key.outcome), system: names.name(of: key.system),
        first: row.first == .min ? nil : Timestamp(microseconds: row.first),
        last: row.last == .min ? nil : Timestamp(microseconds: row.last), count: row.count)
    }
    return rows.sorted { $0.sortKey.lexicographicallyPrecedes($1.sortKey) }
  }

  private var sortKey: [String] {
    [
      server ?? "", client ?? "", clientIP ?? "", role ?? "", protocolName ?? "", cipher ?? "", outcome.rawValue,
      system ?? "",
    ]
  }
}
