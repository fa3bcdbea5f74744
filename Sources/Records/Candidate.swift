/// A record on which a signature may hold: an anchor of it stands there, everything else is still to be confirmed.
package struct Candidate: Sendable, Equatable, Comparable {
  package var record: UInt32
  package var signature: UInt32

  package init(record: UInt32, signature: UInt32) {
    self.record = record
    self.signature = signature
  }

  package static func < (left: Candidate, right: Candidate) -> Bool {
    (left.record, left.signature) < (right.record, right.signature)
  }
}
