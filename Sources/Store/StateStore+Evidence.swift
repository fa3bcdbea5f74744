import Foundation
import GRDB
import Records

/// Which findings are asked for; what is nil does not matter.
package struct FindingQuery: Sendable {
  /// Only those with a plausible time within; nil also gives those without one.
  package var times: Range<Timestamp>?
  package var server: String?
  package var party: Party?
  package var limit = StoreLimits.queryRowCount

  package init(times: Range<Timestamp>? = nil, server: String? = nil, party: Party? = nil) {
    self.times = times
    self.server = server
    self.party = party
  }
}

/// Which activities are asked for, over whole UTC days.
package struct ActivityQuery: Sendable {
  package var times: Range<Timestamp>
  package var server: String?
  package var party: Party?
  package var limit = StoreLimits.queryRowCount

  package init(times: Range<Timestamp>, server: String? = nil, party: Party? = nil) {
    self.times = times
    self.server = server
    self.party = party
  }
}

extension StateStore {
  /// Findings in the order of the settled history: event time, file, offset; those without a time come first.
  package func findings(_ query: FindingQuery = FindingQuery()) throws(StoreError) -> [StoredFinding] {
    var conditions: [String] = []
    var arguments = StatementArguments()
    if let times = query.times {
      conditions.append("is_time_plausible AND time >= ? AND time < ?")
      arguments += [times.lowerBound.microseconds, times.upperBound.microseconds]
    }
    if let server = query.server {
      conditions.append("server = ?")
      arguments += [server.stored]
    }
    switch query.party {
    case nil: break
    case .address(let address):
      conditions.append("client_ip = ?")
      arguments += [address.text]
    case .host(let name):
      conditions.append("client = ?")
      arguments += [name.stored]
    case .guid(let name):
      conditions.append("client_id = ?")
      arguments += [name.stored]
    }
    arguments += [query.limit]
    let sql = """
      SELECT identity, finding.* FROM finding JOIN file ON file.id = finding.file
      \(conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND "))
      ORDER BY time, identity, offset LIMIT ?
      """
    return try perform("read findings") { database in
      var found: [StoredFinding] = []
      let rows = try Row.fetchCursor(database, sql: sql, arguments: arguments)
      while let row = try rows.next() {
        if let finding = try StoredFinding(row) { found.append(finding) }
      }
      return found
    }
  }

  /// Activities by day, server, party.
  package func activities(_ query: ActivityQuery) throws(StoreError) -> [Activity] {
    guard !query.times.isEmpty else { return [] }
    let first = Activity.day(of: query.times.lowerBound)
    let last = Activity.day(of: Timestamp(microseconds: query.times.upperBound.microseconds - 1))
    // Day by day, so that the key's next column is a look-up too.
    let days = min(last, first + StoreLimits.queryDayCount - 1)
    return try perform("read activities") { database in
      var found: [Activity] = []
      if query.party?.isAddress ?? true {
        try read(&found, database, query, days: first...days, byAddress: true)
      }
      if !(query.party?.isAddress ?? false) {
        try read(&found, database, query, days: first...days, byAddress: false)
      }
      return found
    }
  }

  private func read(
    _ found: inout [Activity], _ database: Database, _ query: ActivityQuery, days: ClosedRange<Int>, byAddress: Bool
  ) throws {
    var conditions = ["day = ?"]
    var fixed: [any DatabaseValueConvertible] = []
    // The server first where it leads the key, the client where that does.
    switch query.party {
    case .address(let address):
      conditions.append("address = ?")
      fixed.append(address.stored)
    case .host(let name), .guid(let name):
      conditions.append("client = (SELECT id FROM name WHERE text = ?) AND is_guid = ?")
      fixed.append(name.stored)
      fixed.append(query.party!.isGUID)
    case nil: break
    }
    if let server = query.server {
      conditions.append("server = (SELECT id FROM name WHERE text = ?)")
      fixed.append(server.stored)
    }
    let table = byAddress ? "activity_by_address" : "activity_by_client"
    let party = byAddress ? "address, NULL, 0" : "NULL, c.text, is_guid"
    let statement = try database.cachedStatement(
      sql: """
        SELECT \(party), s.text, r.text, p.text, k.text, outcome, day, early, late, first, last, count, is_lower_bound
        FROM \(table) JOIN name s ON s.id = server JOIN name r ON r.id = role
        JOIN name p ON p.id = protocol JOIN name k ON k.id = cipher \(byAddress ? "" : "JOIN name c ON c.id = client")
        WHERE \(conditions.joined(separator: " AND "))
        ORDER BY \(byAddress ? "s.text, address" : "c.text, is_guid, s.text"), r.text, p.text, k.text, outcome LIMIT ?
        """)
    for day in days where found.count < query.limit {
      let arguments = StatementArguments([day] + fixed + [query.limit - found.count])
      let rows = try Row.fetchCursor(statement, arguments: arguments)
      while let row = try rows.next() {
        found.append(try Activity(row))
      }
    }
  }

  /// Aliases that name the party and were valid at some time within.
  package func aliases(of party: Party, in times: Range<Timestamp>) throws(StoreError) -> [Alias] {
    let condition: String
    let value: any DatabaseValueConvertible
    switch party {
    case .address(let address): (condition, value) = ("address = ?", address.stored)
    case .host(let name): (condition, value) = ("host = (SELECT id FROM name WHERE text = ?)", name.stored)
    case .guid(let name): (condition, value) = ("guid = (SELECT id FROM name WHERE text = ?)", name.stored)
    }
    let sql = """
      SELECT address, h.text, g.text, s.text, valid_from, valid_until FROM alias
      JOIN name h ON h.id = host JOIN name g ON g.id = guid JOIN name s ON s.id = source
      WHERE \(condition) AND valid_from < ? AND valid_until >= ?
      ORDER BY valid_from, valid_until, address, h.text, g.text, s.text LIMIT ?
      """
    let arguments: StatementArguments = [
      value, times.upperBound.microseconds, times.lowerBound.microseconds, StoreLimits.queryRowCount,
    ]
    return try perform("read aliases") { database in
      try Row.fetchAll(database, sql: sql, arguments: arguments).map { row in
        let host = try row.value(1, String.self)
        let guid = try row.value(2, String.self)
        return Alias(
          address: IPAddress(stored: try row.value(0)), host: host.isEmpty ? nil : host,
          guid: guid.isEmpty ? nil : guid,
          from: try row.time(4), until: try row.time(5), source: try row.value(3))
      }
    }
  }
}

extension Party {
  var isAddress: Bool { if case .address = self { true } else { false } }
  var isGUID: Bool { if case .guid = self { true } else { false } }
}

extension Activity {
  /// Columns: address, client, is_guid, then those of the SELECT above.
  fileprivate init(_ row: Row) throws {
    let party: Party
    if row.hasNull(atIndex: 0) {
      party = try row.value(2) ? .guid(row.value(1)) : .host(row.value(1))
    } else {
      guard let address = IPAddress(stored: try row.value(0)) else {
        throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "an address is not of 16 bytes")
      }
      party = .address(address)
    }
    self.init(
      server: try row.value(3), party: party, role: try row.value(4), protocolName: try row.value(5),
      cipher: try row.value(6), outcome: Outcome(number: try row.value(7)), day: try row.value(8),
      quarters: QuarterHours(early: try row.bits(9), late: try row.bits(10)), first: try row.time(11),
      last: try row.time(12), count: try row.bits(13), isLowerBound: try row.value(14))
  }
}

extension StoredFinding {
  /// Nil when a word of it is none of today's vocabulary.
  fileprivate init?(_ row: Row) throws {
    guard let findingClass = FindingClass(rawValue: try row.value("class")),
      let cause = Cause(rawValue: try row.value("cause")),
      let severity = Severity(rawValue: try row.value("severity")),
      let confidence = Confidence(rawValue: try row.value("confidence"))
    else { return nil }
    func bits(_ name: String) throws -> UInt64 { UInt64(bitPattern: try row.value(name, Int64.self)) }
    func text(_ name: String) -> String? { String.fromDatabaseValue(row[name]) }
    var finding = Finding(
      signature: try row.value("signature"), findingClass: findingClass, cause: cause, severity: severity, stream: 0,
      path: try row.value("path"), offset: try bits("offset"), length: try bits("length"), line: try bits("line"),
      confidence: confidence)
    finding.time = Int64.fromDatabaseValue(row["time"]).map(Timestamp.init(microseconds:))
    finding.parts = try row.value("parts")
    finding.host = text("host")
    finding.log = text("log")
    finding.component = text("component")
    finding.client = text("client")
    finding.clientID = text("client_id")
    finding.clientIP = text("client_ip")
    finding.server = text("server")
    finding.role = text("role")
    finding.protocolName = text("protocol")
    finding.cipher = text("cipher")
    finding.code = text("code")
    finding.symbol = text("symbol")
    finding.alert = Int.fromDatabaseValue(row["alert"])
    finding.area = Int.fromDatabaseValue(row["area"])
    finding.feature = text("feature").flatMap(Feature.init(rawValue:))
    finding.stack = text("stack").flatMap(Stack.init(rawValue:))
    finding.eventGroup = text("event_group")
    finding.writer = text("writer")
    finding.writerIsThread = try row.value("writer_is_thread")
    self.init(
      file: try row.value("identity"), finding: finding, isTimePlausible: try row.value("is_time_plausible"))
  }
}
