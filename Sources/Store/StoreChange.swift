import Records

/// Where to go on reading one source.
package struct Checkpoint: Sendable, Equatable {
  /// Opaque to the store: an origin and a path, a journal, a socket.
  package var key: String
  package var offset: UInt64
  /// Opaque to the store: file identity, encoding, what a reader carries over.
  package var value: [UInt8]

  package init(key: String, offset: UInt64, value: [UInt8]) {
    self.key = key
    self.offset = offset
    self.value = value
  }
}

/// An incident as its fold left it.
package struct StoredIncident: Sendable, Equatable {
  package var id: String
  /// What makes it one: kind, cause, server … opaque to the store.
  package var key: String
  /// An open one is never pruned.
  package var isOpen: Bool
  /// Event time of its last change.
  package var time: Timestamp
  package var value: [UInt8]

  package init(id: String, key: String, isOpen: Bool, time: Timestamp, value: [UInt8]) {
    self.id = id
    self.key = key
    self.isOpen = isOpen
    self.time = time
    self.value = value
  }
}

/// A message that has to be told and is not yet known to have arrived.
package struct OutboxMessage: Sendable, Equatable {
  package struct Field: Sendable, Equatable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  package var id: MessageID
  /// In order; a name may occur again.
  package var fields: [Field]

  package init(id: MessageID, fields: [(name: String, value: String)]) {
    self.id = id
    self.fields = fields.map { Field($0.name, $0.value) }
  }
}

/// An operator's word that an incident is known.
package struct Acknowledgement: Sendable, Equatable {
  package var incident: String
  package var until: Timestamp
  package var note: String

  package init(incident: String, until: Timestamp, note: String = "") {
    self.incident = incident
    self.until = until
    self.note = note
  }
}

/// An operator's word that a server is being worked on.
package struct MaintenanceWindow: Sendable, Hashable {
  package var server: String
  package var from: Timestamp
  package var until: Timestamp

  package init(server: String, from: Timestamp, until: Timestamp) {
    self.server = server
    self.from = from
    self.until = until
  }
}

/// Everything that is to become true together.
///
/// A change may be committed again after any error, also one that came too late to tell whether it had been stored:
/// nothing in it counts twice. Within each list a later element wins over an earlier one of the same key.
package struct StoreChange: Sendable, Equatable {
  /// When the change was made; files and findings without a usable time of their own are pruned by it.
  package var time: Timestamp
  package var extents: [Extent] = []
  package var aliases: [Alias] = []
  package var checkpoints: [Checkpoint] = []
  package var removedCheckpoints: [String] = []
  package var incidents: [StoredIncident] = []
  package var outbox: [OutboxMessage] = []
  package var confirmed: [MessageID] = []
  package var acknowledgements: [Acknowledgement] = []
  package var removedAcknowledgements: [String] = []
  package var maintenance: [MaintenanceWindow] = []
  package var removedMaintenance: [MaintenanceWindow] = []

  package init(at time: Timestamp) { self.time = time }

  /// Nothing to be written.
  package var isEmpty: Bool { self == StoreChange(at: time) }
}

/// What a start needs; evidence is asked for piece by piece.
package struct StoredState: Sendable, Equatable {
  /// By key.
  package var checkpoints: [Checkpoint] = []
  /// By id, those within retention, closed ones too.
  package var incidents: [StoredIncident] = []
  /// In the order in which they were put in.
  package var outbox: [OutboxMessage] = []
  package var acknowledgements: [Acknowledgement] = []
  package var maintenance: [MaintenanceWindow] = []

  package init() {}
}
