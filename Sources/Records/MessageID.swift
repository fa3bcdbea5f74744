/// Identity of one message about one incident: the same in the outbox and in the journal.
package struct MessageID: Hashable, Sendable, Comparable {
  package var incident: String
  package var sequence: UInt64

  package init(incident: String, sequence: UInt64) {
    self.incident = incident
    self.sequence = sequence
  }

  package static func < (left: MessageID, right: MessageID) -> Bool {
    (left.incident, left.sequence) < (right.incident, right.sequence)
  }
}
