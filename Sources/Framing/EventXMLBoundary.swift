import CKernels
import Glibc
import Records

/// Where an event that begins at a known place ends.
package enum EventBoundary: Equatable, Sendable {
  /// `end` is the first byte after the event.
  case complete(end: Int)
  /// The text ends before the event does.
  case incomplete
  /// This is no event here.
  case notAnEvent
  /// The event breaks off and something else begins; reading goes on at `end`.
  case torn(end: Int)
  /// Whole, and nested deeper than `Limits.nestingLimit`: passed over up to `end`.
  case tooDeep(end: Int)
}

/// What stands around events.
enum PrologPiece: Equatable {
  /// `end` is the first byte after it.
  case whole(end: Int)
  /// The text ends before the piece does.
  case cut
  /// Nothing of this kind.
  case none
}

/// Finds the end of one `<Event>` element, wherever line ends fall.
///
/// The plain version reads byte by byte and knows whether it is inside a tag, a quoted value, a comment or CDATA.
/// Here text between tags is leapt over with `memchr`: in Windows' renderings a raw `<` is markup and nothing else,
/// data has it as `&lt;`. So an event start inside an event means that the first one was torn, even where a torn
/// value has left its quote open.
///
/// Names are compared without their prefix, except that an event is closed by its own qualified name only.
package enum EventXMLBoundary {
  /// The end of the event at `start` where bit masks prove that it ends before `lineEnd`, as nearly every event on one
  /// line does; nil says nothing, and `find` decides. What is proved here `find` calls complete with the same end.
  package static func wholeOnLine(in text: Span<UInt8>, start: Int, lineEnd: Int) -> Int? {
    guard start >= 0, start < lineEnd, lineEnd <= text.count else { return nil }
    return unsafe text.withUnsafeBufferPointer { raw in
      let byteCount = unsafe hk_xml_event(raw.baseAddress! + start, lineEnd - start, raw.count - start)
      return byteCount == 0 ? nil : start + byteCount
    }
  }

  /// `start` is at the `<` of `<Event …>` or `<prefix:Event …>`.
  package static func find(in text: Span<UInt8>, start: Int, end: Int) -> EventBoundary {
    let end = min(end, text.count)
    guard start >= 0, start < end, text[start] == less else { return .notAnEvent }
    let name = qualifiedName(in: text, from: start + 1, to: end)
    guard name.isLocal("Event", in: text) else {
      return name.end == end && isCutEventName(name, in: text) ? .incomplete : .notAnEvent
    }
    var index = name.end
    switch tagEnd(in: text, from: name.end, to: end) {
    case .open(let after): index = after
    case .empty(let after): return .complete(end: after)
    case .broken(let at): return .torn(end: at)
    case .cut: return .incomplete
    }
    var depth = 1
    var isTooDeep = false
    while let open = next(less, in: text, from: index, to: end), open + 1 < end {
      switch text[open + 1] {
      case 0x2F:  // </name>
        let closing = qualifiedName(in: text, from: open + 2, to: end)
        var after = closing.end
        while after < end, ASCII.isSpace(text[after]) { after += 1 }
        guard after < end else { return .incomplete }
        if text[after] != greater {
          index = after
        } else if closing.isSame(as: name, in: text) {
          return isTooDeep ? .tooDeep(end: after + 1) : .complete(end: after + 1)
        } else if closing.isLocal("Events", in: text) {
          return .torn(end: open)
        } else {
          depth = max(1, depth - 1)
          index = after + 1
        }
      case 0x21:  // <!-- --> and <![CDATA[ ]]>; no other declaration may stand here
        if end - open < 9, isPrefix(in: text, at: open, to: end, of: "<![CDATA[") || end - open < 4 {
          return .incomplete
        }
        let close: StaticString
        if text.has("<!--", at: open) {
          close = "-->"
          index = open + 4
        } else if text.has("<![CDATA[", at: open) {
          close = "]]>"
          index = open + 9
        } else {
          return .torn(end: open)
        }
        guard let after = after(close, in: text, from: index, to: end) else { return .incomplete }
        index = after
      case 0x3F:  // <? ?>; the XML declaration begins another document
        guard open + 6 <= end else { return .incomplete }
        if text.has("<?xml", at: open), ASCII.isSpace(text[open + 5]) { return .torn(end: open) }
        guard let after = after("?>", in: text, from: open + 2, to: end) else { return .incomplete }
        index = after
      default:
        let inner = qualifiedName(in: text, from: open + 1, to: end)
        guard inner.end < end else { return .incomplete }
        if inner.start == inner.end {
          index = open + 1
          continue
        }
        if inner.isLocal("Event", in: text) || inner.isLocal("Events", in: text) { return .torn(end: open) }
        switch tagEnd(in: text, from: inner.end, to: end) {
        case .open(let after):
          depth += 1
          if depth > Limits.nestingLimit { isTooDeep = true }
          index = after
        case .empty(let after): index = after
        case .broken(let at): index = at
        case .cut: return .incomplete
        }
      }
    }
    return .incomplete
  }

  /// Whether an event's start tag stands at `position`: `<Event` and a blank, `>` or `/`; `<EventID>` is none.
  private static func isStart(in text: Span<UInt8>, at position: Int, end: Int) -> Bool {
    let end = min(end, text.count)
    guard position >= 0, position < end, text[position] == less else { return false }
    let name = qualifiedName(in: text, from: position + 1, to: end)
    guard name.end < end, name.isLocal("Event", in: text) else { return false }
    let byte = text[name.end]
    return byte == greater || byte == 0x2F || ASCII.isSpace(byte)
  }

  /// Passes over what may stand before, between and after events: white space, a byte order mark, the XML
  /// declaration, a document type, comments, the `<Events>` wrapper, and the `- ` that Event Viewer's XML view
  /// sets before an element. What is cut off by `end` is left standing.
  package static func skipProlog(in text: Span<UInt8>, start: Int, end: Int) -> Int {
    let end = min(end, text.count)
    var index = max(0, start)
    while index < end {
      let byte = text[index]
      if ASCII.isSpace(byte) {
        index += 1
      } else if byte == 0x2D {
        var after = index + 1
        while after < end, ASCII.isBlank(text[after]) { after += 1 }
        guard after > index + 1, after < end, text[after] == less else { return index }
        index = after
      } else if byte == 0xEF, text.has("\u{FEFF}", at: index), index + 3 <= end {
        index += 3
      } else if case .whole(let after) = prologPiece(in: text, at: index, end: end) {
        index = after
      } else {
        return index
      }
    }
    return min(index, end)
  }

  /// The declaration, comment, document type or tag of the wrapper that begins at the `<` at `open`.
  static func prologPiece(in text: Span<UInt8>, at open: Int, end: Int) -> PrologPiece {
    let end = min(end, text.count)
    guard open >= 0, open + 2 < end, text[open] == less else { return .none }
    func piece(_ after: Int?) -> PrologPiece { after.map { .whole(end: $0) } ?? .cut }
    switch text[open + 1] {
    case 0x3F: return piece(after("?>", in: text, from: open + 2, to: end))
    case 0x21:
      if text.has("<!--", at: open) { return piece(after("-->", in: text, from: open + 4, to: end)) }
      return text.has("<!DOCTYPE", at: open) ? piece(after(">", in: text, from: open + 9, to: end)) : .none
    case 0x2F:
      let name = qualifiedName(in: text, from: open + 2, to: end)
      return name.isLocal("Events", in: text) ? piece(after(">", in: text, from: name.end, to: end)) : .none
    default:
      let name = qualifiedName(in: text, from: open + 1, to: end)
      guard name.isLocal("Events", in: text) else { return .none }
      switch tagEnd(in: text, from: name.end, to: end) {
      case .open(let after), .empty(let after): return .whole(end: after)
      case .broken: return .none
      case .cut: return .cut
      }
    }
  }

  // MARK: Pieces of markup

  private static let less: UInt8 = 0x3C
  private static let greater: UInt8 = 0x3E

  private struct Name {
    var start: Int
    /// After the last colon, else `start`.
    var local: Int
    var end: Int

    func isLocal(_ literal: StaticString, in text: Span<UInt8>) -> Bool {
      end - local == literal.utf8CodeUnitCount && text.has(literal, at: local)
    }

    func isSame(as other: Name, in text: Span<UInt8>) -> Bool {
      guard end - start == other.end - other.start else { return false }
      for index in 0..<end - start where text[start + index] != text[other.start + index] { return false }
      return true
    }
  }

  /// Source: XML 1.0 §2.3; every byte of a multi-byte character counts as a letter.
  private static func qualifiedName(in text: Span<UInt8>, from start: Int, to end: Int) -> Name {
    var name = Name(start: start, local: start, end: start)
    guard start < end, isLetter(text[start]) else { return name }
    while name.end < end {
      let byte = text[name.end]
      if byte == 0x3A {
        name.local = name.end + 1
      } else if !isLetter(byte), !ASCII.isDigit(byte), byte != 0x2D, byte != 0x2E {
        break
      }
      name.end += 1
    }
    return name
  }

  private static func isLetter(_ byte: UInt8) -> Bool { ASCII.isLetter(byte) || byte == 0x5F || byte >= 0x80 }

  /// Whether the text may end within the word `Event`.
  private static func isCutEventName(_ name: Name, in text: Span<UInt8>) -> Bool {
    isPrefix(in: text, at: name.local, to: name.end, of: "Event")
  }

  /// Whether [at, end) is the beginning of `literal`, or all of it and more.
  private static func isPrefix(in text: Span<UInt8>, at: Int, to end: Int, of literal: StaticString) -> Bool {
    let count = min(end - at, literal.utf8CodeUnitCount)
    return literal.withUTF8Buffer { wanted in
      for index in 0..<max(0, count) where unsafe text[at + index] != wanted[index] { return false }
      return true
    }
  }

  private enum TagEnd {
    case open(after: Int)
    case empty(after: Int)
    /// Another tag begins before this one ends.
    case broken(at: Int)
    case cut
  }

  /// Walks the rest of a start tag; a `>` in a quoted value does not end it.
  private static func tagEnd(in text: Span<UInt8>, from start: Int, to end: Int) -> TagEnd {
    var index = start
    var quote: UInt8 = 0
    while index < end {
      let from = index
      index += unsafe text.withUnsafeBufferPointer { unsafe hk_xml_tag_stop($0.baseAddress! + from, end - from) }
      guard index < end else { return .cut }
      let byte = text[index]
      if quote != 0 {
        if byte == quote {
          quote = 0
        } else if byte == less, isStart(in: text, at: index, end: end) {
          return .broken(at: index)
        }
      } else if byte == greater {
        return text[index - 1] == 0x2F ? .empty(after: index + 1) : .open(after: index + 1)
      } else if byte == less {
        return .broken(at: index)
      } else {
        quote = byte
      }
      index += 1
    }
    return .cut
  }

  /// The position after the next `literal`, or nil.
  private static func after(_ literal: StaticString, in text: Span<UInt8>, from start: Int, to end: Int) -> Int? {
    let first = unsafe literal.utf8Start.pointee
    let count = literal.utf8CodeUnitCount
    var index = start
    while let hit = next(first, in: text, from: index, to: end), hit + count <= end {
      if text.has(literal, at: hit) { return hit + count }
      index = hit + 1
    }
    return nil
  }

  private static func next(_ byte: UInt8, in text: Span<UInt8>, from start: Int, to end: Int) -> Int? {
    guard start >= 0, start < end, end <= text.count else { return nil }
    return unsafe text.withUnsafeBufferPointer { raw -> Int? in
      guard let base = raw.baseAddress, let hit = unsafe memchr(base + start, Int32(byte), end - start) else {
        return nil
      }
      return unsafe UnsafeRawPointer(base).distance(to: UnsafeRawPointer(hit))
    }
  }
}
