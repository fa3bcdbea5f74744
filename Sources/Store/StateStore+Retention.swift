import GRDB
import Records

/// Rows that retention removed.
package struct PruneCount: Sendable, Equatable {
  package var findings = 0
  package var activities = 0
  package var aliases = 0
  package var incidents = 0
  package var files = 0
  package var names = 0
  package var others = 0

  package var total: Int { findings + activities + aliases + incidents + files + names + others }
}

extension StateStore {
  /// Removes what is older than a time: evidence by event time, closed incidents by their last change, words of
  /// operators by their end. A finding without a usable time goes by the time it was noted; a file that is forgotten
  /// would be counted anew, so it stays as long as anything was read from it since.
  ///
  /// Runs in many short transactions; a commit waits for one of them at most. Stopped anywhere, it is continued by
  /// the next call.
  package func prune(olderThan time: Timestamp) throws(StoreError) -> PruneCount {
    let cut = time.microseconds
    let day = Activity.day(of: time)
    var count = PruneCount()
    count.findings += try remove("finding", key: "file, offset", where: "time < ? AND is_time_plausible", cut)
    count.findings += try remove(
      "finding", key: "file, offset", where: "noted < ? AND (time IS NULL OR NOT is_time_plausible)", cut)
    for table in ["activity_by_address", "activity_by_client"] {
      let key =
        table == "activity_by_address"
        ? "day, server, address, role, protocol, cipher, outcome"
        : "day, client, is_guid, server, role, protocol, cipher, outcome"
      count.activities += try remove(table, key: key, where: "day < ?", Int64(day))
    }
    count.aliases += try remove(
      "alias", key: "address, host, guid, source, valid_from", where: "valid_until < ?", cut)
    count.incidents += try remove(
      "incident", key: "id",
      where: "NOT is_open AND time < ? AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.incident = incident.id)", cut)
    count.others += try remove("acknowledgement", key: "incident", where: "until < ?", cut)
    count.others += try remove("maintenance", key: "server, valid_from", where: "valid_until < ?", cut)
    count.files += try remove(
      "file", key: "id", where: "noted < ? AND NOT EXISTS (SELECT 1 FROM finding WHERE finding.file = file.id)", cut)
    count.names = try removeNames(before: day)
    try perform("give space back") { database in
      try database.execute(sql: "PRAGMA incremental_vacuum(\(StoreLimits.prunedRowCount))")
    }
    return count
  }

  private func remove(
    _ table: String, key: String, where condition: String, _ argument: Int64
  ) throws(StoreError) -> Int {
    let sql = """
      DELETE FROM \(table) WHERE (\(key)) IN
      (SELECT \(key) FROM \(table) WHERE \(condition) LIMIT \(StoreLimits.prunedRowCount))
      """
    var total = 0
    while true {
      let removed = try perform("prune") { database in
        try database.cachedStatement(sql: sql).execute(arguments: [argument])
        return database.changesCount
      }
      total += removed
      if removed < StoreLimits.prunedRowCount { return total }
    }
  }

  /// Names that no row uses: rows of earlier days than they are noted for are gone by now.
  private func removeNames(before day: Int) throws(StoreError) -> Int {
    try perform("prune") { database in
      try database.execute(sql: "DELETE FROM name WHERE noted < ?", arguments: [day])
      let count = database.changesCount
      if count > 0 { forgetNames() }
      return count
    }
  }
}
