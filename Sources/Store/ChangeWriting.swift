import GRDB
import Records

/// One change on its way into the open transaction.
struct ChangeWriting {
  let database: Database
  let time: Timestamp
  var names: NameCache

  mutating func write(_ change: StoreChange) throws {
    for extent in change.extents { try write(extent) }
    for alias in change.aliases { try write(alias) }
    for checkpoint in change.checkpoints {
      try execute(
        """
        INSERT INTO checkpoint VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET offset = excluded.offset, value = excluded.value
        """,
        [checkpoint.key.stored, checkpoint.offset.stored, checkpoint.value.stored])
    }
    for key in change.removedCheckpoints { try execute("DELETE FROM checkpoint WHERE key = ?", [key.stored]) }
    for incident in change.incidents {
      try execute(
        """
        INSERT INTO incident VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET key = excluded.key, is_open = excluded.is_open, time = excluded.time,
          value = excluded.value
        """,
        [
          incident.id.stored, incident.key.stored, incident.isOpen, incident.time.microseconds,
          incident.value.stored,
        ])
    }
    for message in change.outbox { try write(message) }
    for id in change.confirmed {
      try execute(
        "DELETE FROM outbox WHERE incident = ? AND sequence = ?", [id.incident.stored, id.sequence.stored])
    }
    for word in change.acknowledgements {
      try execute(
        """
        INSERT INTO acknowledgement VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET until = excluded.until, note = excluded.note
        """, [word.incident.stored, word.until.microseconds, word.note.stored])
    }
    for incident in change.removedAcknowledgements {
      try execute("DELETE FROM acknowledgement WHERE incident = ?", [incident.stored])
    }
    for window in change.maintenance {
      try execute(
        "INSERT INTO maintenance VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET valid_until = excluded.valid_until",
        [window.server.stored, window.from.microseconds, window.until.microseconds])
    }
    for window in change.removedMaintenance {
      try execute(
        "DELETE FROM maintenance WHERE server = ? AND valid_from = ?",
        [window.server.stored, window.from.microseconds])
    }
  }

  /// How much of an extent's counts is new.
  private enum Counting {
    case counted, repeated
    /// Some of its bytes were counted before, and which of its records lie there is not known.
    case overlapping
  }

  private mutating func write(_ extent: Extent) throws {
    let (file, counting) = try advance(extent)
    for item in extent.findings { try write(item, file: file) }
    for activity in extent.activities { try write(activity, counting) }
  }

  /// The number of the file, with its counted part moved to the end of the extent.
  private func advance(_ extent: Extent) throws -> (file: Int64, counting: Counting) {
    let select = try database.cachedStatement(sql: "SELECT id, counted_to FROM file WHERE identity = ?")
    guard let row = try Row.fetchOne(select, arguments: [extent.file.stored]) else {
      try execute(
        "INSERT INTO file (identity, counted_to, noted) VALUES (?, ?, ?)",
        [extent.file.stored, extent.to.stored, time.microseconds])
      return (database.lastInsertedRowID, .counted)
    }
    let id: Int64 = row[0]
    let countedTo = UInt64(bitPattern: row[1])
    try execute(
      "UPDATE file SET counted_to = ?, noted = max(noted, ?) WHERE id = ?",
      [max(countedTo, extent.to).stored, time.microseconds, id])
    if extent.from >= countedTo { return (id, .counted) }
    return (id, extent.to <= countedTo ? .repeated : .overlapping)
  }

  private func write(_ item: Extent.Item, file: Int64) throws {
    let finding = item.finding
    // What the first record told stays. `explain` and `remedy` are the definitions' words and looked up there;
    // `sameAs` is the fold's.
    try execute(
      """
      INSERT INTO finding VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
      ON CONFLICT DO NOTHING
      """,
      [
        file, finding.offset.stored, finding.length.stored, finding.line.stored, finding.parts,
        finding.time?.microseconds, item.isTimePlausible, time.microseconds, finding.signature.stored,
        finding.findingClass.rawValue, finding.cause.rawValue, finding.severity.rawValue,
        finding.confidence.rawValue, finding.path.stored, finding.host?.stored, finding.log?.stored,
        finding.component?.stored, finding.client?.stored, finding.clientID?.stored, finding.clientIP?.stored,
        finding.server?.stored, finding.role?.stored, finding.protocolName?.stored, finding.cipher?.stored,
        finding.code?.stored, finding.symbol?.stored, finding.alert, finding.area, finding.feature?.rawValue,
        finding.stack?.rawValue, finding.eventGroup?.stored, finding.writer?.stored, finding.writerIsThread,
      ])
  }

  private mutating func write(_ activity: Activity, _ counting: Counting) throws {
    let count = counting == .counted ? activity.count : 0
    let isLowerBound = activity.isLowerBound || counting == .overlapping
    let day = activity.day
    let server = try number(of: activity.server, day)
    let key: [(any DatabaseValueConvertible)?] = [
      try number(of: activity.role, day), try number(of: activity.protocolName, day),
      try number(of: activity.cipher, day), Int64(activity.outcome.number),
    ]
    let values: [(any DatabaseValueConvertible)?] = [
      activity.quarters.early.stored, activity.quarters.late.stored, activity.first.microseconds,
      activity.last.microseconds, count.stored, isLowerBound,
    ]
    switch activity.party {
    case .address(let address):
      try execute(ChangeWriting.addressUpsert, [day, server, address.stored] + key + values)
    case .host(let name), .guid(let name):
      let client = try number(of: name, day)
      try execute(ChangeWriting.clientUpsert, [day, client, activity.party.isGUID, server] + key + values)
    }
  }

  private static let addressUpsert = upsert("activity_by_address", columnCount: 13)
  private static let clientUpsert = upsert("activity_by_client", columnCount: 14)

  private static func upsert(_ table: String, columnCount: Int) -> String {
    """
    INSERT INTO \(table) VALUES (\(Array(repeating: "?", count: columnCount).joined(separator: ",")))
    ON CONFLICT DO UPDATE SET early = early | excluded.early, late = late | excluded.late,
      first = min(first, excluded.first), last = max(last, excluded.last), count = count + excluded.count,
      is_lower_bound = is_lower_bound | excluded.is_lower_bound
    """
  }

  private mutating func write(_ alias: Alias) throws {
    let day = Activity.day(of: alias.until)
    try execute(
      """
      INSERT INTO alias VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET valid_until = max(valid_until, excluded.valid_until)
      """,
      [
        alias.address?.stored ?? [UInt8]().stored, try number(of: alias.host ?? "", day),
        try number(of: alias.guid ?? "", day), try number(of: alias.source, day), alias.from.microseconds,
        alias.until.microseconds,
      ])
  }

  private func write(_ message: OutboxMessage) throws {
    try execute(
      "INSERT INTO outbox (incident, sequence) VALUES (?, ?) ON CONFLICT DO NOTHING",
      [message.id.incident.stored, message.id.sequence.stored])
    guard database.changesCount > 0 else { return }
    let number = database.lastInsertedRowID
    for (position, field) in message.fields.enumerated() {
      try execute(
        "INSERT INTO outbox_field VALUES (?, ?, ?, ?)",
        [number, position, field.name.stored, Array(field.value.utf8).stored])
    }
  }

  /// The number of a name, given out now if it is new, and noted for the day of the row that is to use it, so that
  /// retention sees which names are used without looking at the rows.
  private mutating func number(of name: String, _ rowDay: Int) throws -> Int64 {
    let day = max(rowDay, Activity.day(of: time))
    if let known = names[name, day] { return known }
    let upsert = try database.cachedStatement(
      sql: """
        INSERT INTO name (text, noted) VALUES (?, ?)
        ON CONFLICT DO UPDATE SET noted = max(noted, excluded.noted) RETURNING id
        """)
    let number = try Int64.fetchOne(upsert, arguments: [name.stored, day])!
    names.remember(name, as: number, until: day)
    return number
  }

  private func execute(_ sql: String, _ arguments: StatementArguments) throws {
    try database.cachedStatement(sql: sql).execute(arguments: arguments)
  }

  private func execute(_ sql: String, _ values: [(any DatabaseValueConvertible)?]) throws {
    try execute(sql, StatementArguments(values))
  }
}
