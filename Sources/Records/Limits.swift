/// Every bound of the walk, in one place. What is turned away is counted as a `SkipReason`.
package enum Limits {
  /// Bytes asked for in one read: page cache to L2 (larger reads cost the kernel less a byte; from 1 MiB on they leave L2).
  package static let readByteCount = 512 * 1024
  /// The least part of a large file that a thread of its own reads.
  package static let segmentByteCount: UInt64 = 16 * 1024 * 1024
  /// Zero bytes kept after the valid part of every buffer, so that a kernel may load past the end.
  package static let slackByteCount = 64
  /// A longer line is cut here and its rest skipped; also the most that a record may span before it is given up
  /// as torn.
  package static let recordByteLimit = 1024 * 1024
  /// Nested objects, arrays or elements followed in JSON and XML.
  package static let nestingLimit = 64
  /// Envelopes opened inside one another.
  package static let envelopeDepthLimit = 4
  /// Distinct (host, path) pairs told apart in one stream of forwarded lines.
  package static let originLimit = 65_536
  /// Bytes of the stream within which the pieces of a record must follow one another, each in an envelope of its own.
  package static let pieceWindowByteCount = 128 * 1024
  /// Heads of syslog lines that one stream remembers fill half of so many slots at most, and bytes of theirs; then they are
  /// learnt anew.
  package static let headSlotLimit = 16 * 1024
  package static let headByteLimit = 2 * 1024 * 1024
  /// Layouts of event lines kept, bytes of their literals, and layouts with as many marks, each of which may have to be tried;
  /// one more, and all are learnt anew.
  package static let layoutLimit = 256
  package static let layoutByteLimit = 256 * 1024
  package static let layoutChainLimit = 64
  /// Attributes behind the message of one CMTrace record; native code writes seven.
  package static let attributeLimit = 32
  /// Different `#Fields` lists of one stream.
  package static let schemaLimit = 4096
  /// Schemas of which a worker remembers what their rows mean; rows of others are judged one by one.
  package static let rowClassesLimit = 32
  /// Columns of a W3C schema.
  package static let columnLimit = 128
  /// Data items of one event.
  package static let eventFieldLimit = 256
  /// Rows of the sighting census.
  package static let sightingLimit = 4_000_000
  /// What these rows may hold beside their clients, in different ways.
  package static let sightingFactsLimit = 1 << 20
  /// Findings held by one replay.
  package static let findingLimit = 2_000_000
  /// Distinct names (hosts, servers, ciphers) interned by one pipeline.
  package static let nameLimit = 4_000_000
  /// Bytes of one name kept from a record.
  package static let nameByteLimit = 512
  /// PCRE2: match() calls, heap in KiB, and backtracking depth of one match.
  package static let patternMatchLimit: UInt32 = 200_000
  package static let patternHeapLimit: UInt32 = 4096
  package static let patternDepthLimit: UInt32 = 10_000
  /// Bytes of one record that a pattern sees.
  package static let patternWindowByteCount = 64 * 1024
  /// Candidates that one record may try.
  package static let matchesPerRecordLimit = 64
  /// Bytes from the front of a stream that decide what it is and how it is encoded.
  package static let sniffByteCount = 256
  /// Files that one list of PATH arguments may name.
  package static let fileLimit = 1_000_000
}
