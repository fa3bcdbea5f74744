import Records

/// Splits what one connection sends into messages. Source: RFC 6587 §3.4, decided for each message anew:
///
///     57 <13>1 …    octet counting: so many bytes after the blank
///     anything      up to a line end
///
/// A count that was wrong shows in what follows the message, which begins neither with a count nor with a priority: then
/// bytes are passed over up to a line end, or to what looks like the next count before a priority. Shape: `rest` holds the beginning of one message, at most
/// `messageByteCount` bytes and its head.
package struct MessageSplitter: Sendable {
  /// Why nothing more can be made of a connection.
  package enum Fault: String, Sendable {
    case noBoundary = "no line end or count in what it sends"
  }

  private enum State: Hashable {
    case message
    /// A counted message has ended: a count, a priority or a line end follows, or the count was wrong.
    case afterCounted
    /// Up to the next line end.
    case passingLine
    /// So many bytes more.
    case passingBytes(Int)
    /// Taken up within a stream of which the beginning is not known.
    case unknown
  }

  package private(set) var rest: [UInt8] = []
  package private(set) var skips = SkipCounts()
  private var state = State.message
  /// No line end among so many bytes of `rest`.
  private var scannedCount = 0
  private var passedCount = 0
  private let limits: ReceivingLimits

  /// - Parameter isTakenUp: the first bytes may be the middle of a message.
  package init(_ limits: ReceivingLimits = ReceivingLimits(), isTakenUp: Bool = false) {
    self.limits = limits
    if isTakenUp { state = .unknown }
  }

  /// What another splitter needs to go on; nil where it must look for a beginning by itself.
  package var restToGoOn: [UInt8]? { state == .message || (state == .afterCounted && rest.isEmpty) ? rest : nil }

  package mutating func takeSkips() -> SkipCounts {
    defer { skips = SkipCounts() }
    return skips
  }

  /// Takes what was read and appends the messages that are whole.
  /// - Returns: why the connection is to be closed.
  package mutating func take(_ bytes: ArraySlice<UInt8>, sender: [UInt8], into text: inout MessageText) -> Fault? {
    rest += bytes
    var position = 0
    loop: while position < rest.count {
      switch state {
      case .passingBytes(let count):
        let taken = min(count, rest.count - position)
        skips.extend(.lineTooLong, byteCount: taken)
        position += taken
        state = taken == count ? .afterCounted : .passingBytes(count - taken)
      case .passingLine:
        let lineEnd = lineEnd(from: position)
        var next: Next? = passingReason == .lineTooLong ? nil : nextCounted(from: position, to: lineEnd ?? rest.count)
        if next == nil, let lineEnd { next = .message(lineEnd + 1) }
        // The last bytes may be the beginning of a count.
        let end =
          switch next {
          case .message(let start), .undecided(let start): start
          case nil: max(position, rest.count - MessageSplitter.headByteCount)
          }
        skips.extend(passingReason, byteCount: end - position)
        passedCount += end - position
        position = end
        if case .message = next {
          state = .message
        } else if passedCount > limits.passedOverByteCount {
          rest.removeAll()
          return .noBoundary
        } else {
          break loop
        }
      case .unknown:
        // A beginning that looks like one is one: a service that stopped between two messages goes on there.
        switch head(at: position) {
        case .incomplete: break loop
        case .counted: state = .message
        case .none:
          if MessageText.hasPriority(rest[position...]) {
            state = .message
          } else {
            pass(.tornRecord, from: position)
          }
        }
      case .afterCounted:
        let byte = rest[position]
        if byte == 0x0A || byte == 0x0D || byte == 0 {
          position += 1
        } else if byte == 0x3C {
          state = .message
        } else {
          switch head(at: position) {
          case .incomplete: break loop
          case .counted: state = .message
          case .none: pass(.badEnvelope, from: position)
          }
        }
      case .message:
        guard let next = message(at: position, sender: sender, into: &text) else { break loop }
        position = next
      }
    }
    if position > 0 {
      rest.removeFirst(position)
      scannedCount = max(0, scannedCount - position)
    }
    return nil
  }

  /// The connection has ended: a line without its end is whole, a counted message is not.
  package mutating func end(sender: [UInt8], into text: inout MessageText) {
    defer { rest.removeAll() }
    guard !rest.isEmpty, state == .message else { return }
    if case .none = head(at: 0) {
      text.append(rest[...], sender: sender)
    } else {
      skips.note(.tornRecord, byteCount: rest.count)
    }
  }

  /// Gives up the message that is not whole yet: its bytes are needed elsewhere.
  package mutating func giveUp() {
    guard !rest.isEmpty, state == .message else { return }
    if case .counted(let body, let count) = head(at: 0) {
      skips.note(.lineTooLong, byteCount: rest.count)
      state = .passingBytes(max(0, body + count - rest.count))
    } else {
      pass(.lineTooLong, from: 0)
      skips.extend(.lineTooLong, byteCount: rest.count)
    }
    rest = []
    scannedCount = 0
  }

  // MARK: - One message

  /// Appends the message at `position` and says where the next begins; nil while it is not whole.
  private mutating func message(at position: Int, sender: [UInt8], into text: inout MessageText) -> Int? {
    switch head(at: position) {
    case .incomplete: return nil
    case .counted(let body, let count):
      if count > limits.messageByteCount {
        skips.note(.lineTooLong, byteCount: body - position)
        state = .passingBytes(count)
        return body
      }
      guard body + count <= rest.count else { return nil }
      text.append(counted: rest[position..<body + count])
      state = .afterCounted
      scannedCount = 0
      return body + count
    case .none:
      let cut = position + limits.messageByteCount
      if let end = lineEnd(from: max(position, scannedCount)) {
        text.append(rest[position..<min(end, cut)], sender: sender)
        if end > cut { skips.note(.lineTooLong, byteCount: end - cut) }
        scannedCount = 0
        return end + 1
      }
      scannedCount = rest.count
      guard rest.count > cut else { return nil }
      text.append(rest[position..<cut], sender: sender)
      pass(.lineTooLong, from: cut)
      return cut
    }
  }

  private mutating func pass(_ reason: SkipReason, from position: Int) {
    skips.note(reason)
    passingReason = reason
    passedCount = 0
    state = .passingLine
    scannedCount = 0
  }
  private var passingReason = SkipReason.badEnvelope

  private enum Head {
    /// What is there may become a count.
    case incomplete
    case counted(body: Int, count: Int)
    case none
  }

  /// `57 <1`: a count is one only before a priority, for logs have lines that begin with a number too.
  private func head(at start: Int) -> Head {
    guard rest[start] != 0x30, ASCII.isDigit(rest[start]) else { return .none }
    var position = start
    var count = 0
    while position < rest.count, ASCII.isDigit(rest[position]) {
      guard position - start < 7 else { return .none }
      count = count * 10 + Int(rest[position] - 0x30)
      position += 1
    }
    guard position < rest.count else { return .incomplete }
    guard rest[position] == 0x20 else { return .none }
    guard position + 1 < rest.count else { return .incomplete }
    guard rest[position + 1] == 0x3C else { return .none }
    guard position + 2 < rest.count else { return .incomplete }
    return ASCII.isDigit(rest[position + 2]) ? .counted(body: position + 1, count: count) : .none
  }

  /// `1234567 <191>`, and one byte more.
  private static let headByteCount = 14

  private enum Next {
    case message(Int)
    /// Whether a message begins here is seen where it would end.
    case undecided(Int)
  }

  /// Where the first `57 <13>` begins. Text before a count may look like more digits of it: the fewest digits count
  /// that lead to the beginning of something.
  private func nextCounted(from start: Int, to end: Int) -> Next? {
    var from = start
    while from < end, let mark = rest[from..<end].firstIndex(of: 0x3C) {
      from = mark + 1
      guard mark >= start + 2, rest[mark - 1] == 0x20, MessageText.hasPriority(rest[mark...]) else { continue }
      var first = mark - 2
      var count = 0
      var scale = 1
      while first >= start, mark - first < 9, ASCII.isDigit(rest[first]) {
        count += Int(rest[first] - 0x30) * scale
        scale *= 10
        if rest[first] != 0x30, count > 3 {
          guard count <= limits.messageByteCount else { break }
          switch isBeginning(mark + count) {
          case nil:
            // With all that may be digits of it.
            return .undecided(max(start, mark - 9))
          case true?: return .message(first)
          case false?: break
          }
        }
        first -= 1
      }
    }
    return nil
  }

  /// Nil while that is not to be seen.
  private func isBeginning(_ position: Int) -> Bool? {
    guard position < rest.count else { return nil }
    switch rest[position] {
    case 0x0A, 0x0D, 0, 0x3C: return true
    default:
      switch head(at: position) {
      case .incomplete: return nil
      case .counted: return true
      case .none: return false
      }
    }
  }

  private func lineEnd(from position: Int) -> Int? {
    position < rest.count ? rest[position...].firstIndex(of: 0x0A) : nil
  }
}
