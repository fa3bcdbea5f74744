/// Every bound of the journal output, in one place.
package enum JournalLimits {
  /// Fields of one entry; journald refuses somewhere between 500 and 1000.
  package static let fieldCount = 200
  /// Bytes of a field's name; journald drops longer ones in silence.
  package static let nameByteCount = 64
  /// Bytes of one value; a longer one is cut.
  package static let valueByteCount = 16 * 1024
  /// Bytes of one entry: less than the send buffer of a socket (208 KiB), so that an entry is one datagram.
  package static let entryByteCount = 128 * 1024
  /// Bytes of one message that is read from the journal; libsystemd cuts a longer one.
  package static let messageByteCount = 256 * 1024
  /// Entries that wait to be handed over, or to be read back.
  package static let waitingEntryCount = 1024
  /// How long an entry may take from being handed over to being read back before it is looked up.
  package static let confirmation: Duration = .seconds(5)
  /// Doubled with each attempt, and never longer than this.
  package static let longestConfirmation: Duration = .seconds(60)
  /// Between two attempts to reach a journal that is not there; doubled up to the second.
  package static let shortestPause: Duration = .milliseconds(50)
  package static let longestPause: Duration = .seconds(2)
  /// A send that takes longer is a stalled journal.
  package static let stall: Duration = .seconds(1)
}
