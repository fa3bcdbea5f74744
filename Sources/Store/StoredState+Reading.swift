import Foundation
import GRDB
import Records

extension StoredState {
  init(_ database: Database) throws {
    let checkpointRows = try Row.fetchCursor(database, sql: "SELECT key, offset, value FROM checkpoint ORDER BY key")
    while let row = try checkpointRows.next() {
      checkpoints.append(
        Checkpoint(key: try row.value(0), offset: try row.bits(1), value: try row.bytes(2)))
    }
    let incidentRows = try Row.fetchCursor(
      database, sql: "SELECT id, key, is_open, time, value FROM incident ORDER BY id")
    while let row = try incidentRows.next() {
      incidents.append(
        StoredIncident(
          id: try row.value(0), key: try row.value(1), isOpen: try row.value(2), time: try row.time(3),
          value: try row.bytes(4)))
    }
    let fieldRows = try Row.fetchCursor(
      database,
      sql: """
        SELECT outbox.id, incident, sequence, name, value FROM outbox
        LEFT JOIN outbox_field ON message = outbox.id ORDER BY outbox.id, position
        """)
    var current: Int64?
    while let row = try fieldRows.next() {
      let id = try row.value(0, Int64.self)
      if id != current {
        current = id
        outbox.append(
          OutboxMessage(id: MessageID(incident: try row.value(1), sequence: try row.bits(2)), fields: []))
      }
      guard !row.hasNull(atIndex: 3) else { continue }
      let value = String(decoding: try row.bytes(4), as: UTF8.self)
      outbox[outbox.count - 1].fields.append(OutboxMessage.Field(try row.value(3), value))
    }
    let wordRows = try Row.fetchCursor(
      database, sql: "SELECT incident, until, note FROM acknowledgement ORDER BY incident")
    while let row = try wordRows.next() {
      acknowledgements.append(
        Acknowledgement(incident: try row.value(0), until: try row.time(1), note: try row.value(2)))
    }
    let windowRows = try Row.fetchCursor(
      database, sql: "SELECT server, valid_from, valid_until FROM maintenance ORDER BY server, valid_from")
    while let row = try windowRows.next() {
      maintenance.append(
        MaintenanceWindow(
          server: try row.value(0), from: try row.time(1), until: try row.time(2)))
    }
  }
}
