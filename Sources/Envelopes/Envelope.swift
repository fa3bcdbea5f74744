import Records

/// A name that an envelope tells (host, log or path): a range of the line, its escapes still in it.
struct NameRange: Sendable {
  enum Escape: UInt8, Sendable { case none, json, structuredData }

  var start = 0
  var end = 0
  var escape = Escape.none

  /// Nothing was told.
  var isEmpty: Bool { end <= start }
}

/// What forwarding added to one line. All ranges are positions in the line's own buffer.
struct Envelope: Sendable {
  enum PayloadEscape: UInt8, Sendable { case none, json, octal }

  var host = NameRange()
  /// The log's name where no path tells it: TAG or APP-NAME.
  var log = NameRange()
  var path = NameRange()
  /// Where the payload begins in the file it was read from, in bytes; -1 when that is not told.
  var offset: Int64 = -1
  /// Microseconds, or `RecordBatch.noTime`.
  var received = RecordBatch.noTime
  var payloadStart = 0
  var payloadEnd = 0
  /// Which escapes the payload may hold; `none` also when it was seen to hold none.
  var escape = PayloadEscape.none
}

/// What the first bytes of a line say it may be. Most lines are dismissed here after one or two compares.
enum Gate: UInt8, Sendable { case closed, priority, octetCount, isoTemplate, traditionalTemplate, json }

/// What came of looking for an envelope.
enum Outcome: Sendable {
  /// There is none.
  case none
  /// A forwarder's header that is damaged.
  case bad
  /// JSON nested beyond `Limits.nestingLimit`.
  case tooDeep
  /// Our own alert on its way back.
  case own
  case envelope(Envelope)
}

extension Envelope {
  /// Nothing shorter is an envelope: `<1>1 - - - - - -` has 15 bytes.
  static let leastByteCount = 12

  /// Where the text of a line begins: after a UTF-8 byte order mark, which files joined together have in mid-file.
  @inline(__always)
  static func textStart(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
    guard start + 2 < end, bytes[start] == 0xEF, bytes[start + 1] == 0xBB, bytes[start + 2] == 0xBF else {
      return start
    }
    return start + 3
  }

  /// The cheap look at [start, end). W3C rows (`2026-03-02 06:`), `<![LOG[`, `<Event` and `#` end here.
  @inline(__always)
  static func gate(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Gate {
    guard end - start >= leastByteCount else { return .closed }
    let first = bytes[start]
    switch first {
    case 0x3C:  // <
      return ASCII.isDigit(bytes[start + 1]) ? .priority : .closed
    case 0x7B:  // {
      return .json
    case 0x30...0x39:
      if bytes[start + 4] == 0x2D { return bytes[start + 10] == 0x54 ? .isoTemplate : .closed }
      return frameHead(bytes, start, end) == nil ? .closed : .octetCount
    case 0x41, 0x44, 0x46, 0x4A, 0x4D, 0x4E, 0x4F, 0x53:  // A D F J M N O S
      return bytes[start + 3] == 0x20 && bytes[start + 6] == 0x20 && bytes[start + 9] == 0x3A
        ? .traditionalTemplate : .closed
    default:
      return .closed
    }
  }

  /// The head of an octet-counted message, `123 <`: its count and where the message begins.
  /// Source: RFC 6587 §3.4.1. A count beyond `Limits.recordByteLimit` is none.
  static func frameHead(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> (count: Int, body: Int)? {
    guard start < end, bytes[start] != 0x30 else { return nil }
    var cursor = NumberCursor(start)
    guard let count = cursor.digits(in: bytes, to: end, most: 7)?.value, count <= Limits.recordByteLimit,
      cursor.take(0x20, in: bytes, to: end),
      cursor.position + 1 < end, bytes[cursor.position] == 0x3C, ASCII.isDigit(bytes[cursor.position + 1])
    else { return nil }
    return (count, cursor.position)
  }

  /// Looks for the one envelope around [start, end), which holds no line end outside of escapes; `gate` was not closed.
  static func parse(_ gate: Gate, _ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Outcome {
    switch gate {
    case .closed: return .none
    case .json: return JSONEnvelope.parse(bytes, start, end)
    case .priority: return SyslogHeader.parse(bytes, start, end, hasPriority: true)
    case .isoTemplate, .traditionalTemplate: return SyslogHeader.parse(bytes, start, end, hasPriority: false)
    case .octetCount:
      // Inside another envelope that one's bounds hold, whatever the count says.
      guard let head = frameHead(bytes, start, end) else { return .none }
      return SyslogHeader.parse(bytes, head.body, end, hasPriority: true)
    }
  }

  /// Whether [start, end) is the name that this program logs under.
  static func isOwnName(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    end - start == 10 && bytes.has("handshaked", at: start)
  }

  /// Whether [start, end) holds a slash of either kind.
  static func looksLikePath(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    var index = start
    while index < end {
      if bytes[index] == 0x2F || bytes[index] == 0x5C { return true }
      index += 1
    }
    return false
  }
}
