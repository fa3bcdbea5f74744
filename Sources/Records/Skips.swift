/// Why bytes were passed over. Each is counted per stream with one kept sample; nothing is dropped in silence.
package enum SkipReason: UInt8, CaseIterable, Sendable {
  case tornRecord  // a record whose head or tail is missing
  case lineTooLong  // the rest of a line beyond `Limits.recordByteLimit`
  case nulRun  // NUL bytes: a write that never happened
  case w3cNoFields  // a row before any `#Fields` line
  case w3cColumns  // a row whose tokens cannot be laid on the columns
  case badTime  // a record whose time does not exist
  case badBias  // a time-zone bias beyond 14 h
  case badEvent  // XML or JSON that is no whole event
  case nestedTooDeep  // beyond `Limits.nestingLimit`
  case envelopeTooDeep  // beyond `Limits.envelopeDepthLimit`
  case badEnvelope  // an envelope whose header is damaged
  case badUTF16  // half a code unit or a lone surrogate
  case repeatedPiece  // a piece of a record that its forwarder sent twice
  case ownOutput  // our own alerts coming back
  case patternLimit  // PCRE2 gave up within its limits
  case originLimit
  case sightingLimit
  case nameLimit
  case findingLimit
  case unsupportedFormat  // recognised, and not read yet: EVTX, archives
  case unreadable  // the system refused the file

  /// The word printed and counted: `torn-record`.
  package var name: String {
    switch self {
    case .tornRecord: "torn-record"
    case .lineTooLong: "line-too-long"
    case .nulRun: "nul-run"
    case .w3cNoFields: "w3c-no-fields"
    case .w3cColumns: "w3c-columns"
    case .badTime: "bad-time"
    case .badBias: "bad-bias"
    case .badEvent: "bad-event"
    case .nestedTooDeep: "nested-too-deep"
    case .envelopeTooDeep: "envelope-too-deep"
    case .badEnvelope: "bad-envelope"
    case .badUTF16: "bad-utf16"
    case .repeatedPiece: "repeated-piece"
    case .ownOutput: "own-output"
    case .patternLimit: "pattern-limit"
    case .originLimit: "origin-limit"
    case .sightingLimit: "sighting-limit"
    case .nameLimit: "name-limit"
    case .findingLimit: "finding-limit"
    case .unsupportedFormat: "unsupported-format"
    case .unreadable: "unreadable"
    }
  }

  /// What it means for an administrator and what to do.
  package var explanation: String {
    switch self {
    case .tornRecord: "the head or the tail of a record is missing: rotation, two writers, or a relay that cuts lines"
    case .lineTooLong: "a line of more than 1 MiB was cut; its first MiB was read"
    case .nulRun: "NUL bytes, space that was reserved and never written: usually a crash or a sparse copy"
    case .w3cNoFields: "IIS rows before any #Fields line: send the file from its beginning"
    case .w3cColumns: "IIS rows with more or fewer values than #Fields names"
    case .badTime: "a date or time that does not exist"
    case .badBias: "a time-zone bias beyond 14 hours; the time was read without it"
    case .badEvent: "XML or JSON that is no whole event"
    case .nestedTooDeep: "XML or JSON nested deeper than 64 levels"
    case .envelopeTooDeep: "more than 4 envelopes inside one another"
    case .badEnvelope: "a forwarder's header that is damaged; the line was read as it is"
    case .badUTF16: "damaged UTF-16"
    case .repeatedPiece: "a forwarder sent a line of a record twice; it was taken once"
    case .ownOutput: "handshaked's own alerts, forwarded back"
    case .patternLimit: "a pattern needed more steps than allowed on this record"
    case .originLimit: "more than 65536 hosts and paths in one stream"
    case .sightingLimit: "more sightings than the census holds"
    case .nameLimit: "more names than are held"
    case .findingLimit: "more findings than one replay holds"
    case .unsupportedFormat: "recognised, and not read by this version"
    case .unreadable: "the system refused to open or read it"
    }
  }
}

/// Skips of one stream: how many records or runs, how many bytes, and where the first was.
package struct SkipCounts: Sendable {
  package struct Entry: Sendable, Equatable {
    package var count: UInt64 = 0
    package var byteCount: UInt64 = 0
    /// Byte offset and line of the first one, in the stream's own bytes.
    package var firstOffset: UInt64 = 0
    package var firstLine: UInt64 = 0
  }
  package private(set) var entries: [Entry]

  package init() { entries = Array(repeating: Entry(), count: SkipReason.allCases.count) }

  package mutating func note(_ reason: SkipReason, byteCount: Int = 0, offset: UInt64 = 0, line: UInt64 = 0) {
    let index = Int(reason.rawValue)
    if entries[index].count == 0 {
      entries[index].firstOffset = offset
      entries[index].firstLine = line
    }
    entries[index].count += 1
    entries[index].byteCount += UInt64(byteCount)
  }

  /// More bytes of a run whose beginning has been counted already.
  package mutating func extend(_ reason: SkipReason, byteCount: Int) {
    entries[Int(reason.rawValue)].byteCount += UInt64(byteCount)
  }

  package subscript(reason: SkipReason) -> Entry { entries[Int(reason.rawValue)] }

  /// Adds the counts of a later part of the same stream.
  /// - Parameter lineCount: lines before that part, when it counted its own from 1.
  package mutating func add(_ other: SkipCounts, lineCount: UInt64 = 0) {
    for index in entries.indices where other.entries[index].count > 0 || other.entries[index].byteCount > 0 {
      if entries[index].count == 0 {
        entries[index].firstOffset = other.entries[index].firstOffset
        entries[index].firstLine = other.entries[index].firstLine + lineCount
      }
      entries[index].count += other.entries[index].count
      entries[index].byteCount += other.entries[index].byteCount
    }
  }
}
