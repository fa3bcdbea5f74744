import CSystemd
import Glibc
import Records

/// What a caller got wrong about an entry.
package enum JournalEntryFault: Error, Sendable, Equatable {
  /// Letters A to Z and `_` only, the first a letter: a catalog cannot name digits, and journald drops a name with
  /// `_` in front, or in lower case, without a word.
  case fieldName(String)
}

/// One journal entry, laid out as it is sent.
///
/// Layout: `NAME=value` of all fields one after the other; field n ends where n + 1 begins. A value may hold any byte,
/// line ends too; one that is too long is cut at a character and ends in `…`.
package struct JournalEntry: Sendable, Equatable {
  /// Nil for a barrier.
  package let id: MessageID?
  /// Fields that were cut or left out, because they were too long or too many.
  package private(set) var cutCount = 0
  private var bytes: [UInt8] = []
  private var ends: [Int] = []

  /// - Parameter fields: in order, important ones first; a name may occur again. `HANDSHAKED_INCIDENT`,
  ///   `HANDSHAKED_SEQUENCE` and, unless given, `SYSLOG_IDENTIFIER` are added.
  package init(id: MessageID, fields: [(name: String, value: String)]) throws(JournalEntryFault) {
    self.id = id
    append(JournalField.incident, id.incident)
    append(JournalField.sequence, String(id.sequence))
    try append(fields)
  }

  /// An entry that is no message: when it can be read back, all that was handed over before it has been dealt with.
  init(barrier token: String) {
    id = nil
    append(JournalField.barrier, token)
    append("MESSAGE", "Asking the journal whether it has stored everything that was handed over so far.")
    append("PRIORITY", "5")
    append(JournalField.identifier, JournalField.ourIdentifier)
  }

  private mutating func append(_ fields: [(name: String, value: String)]) throws(JournalEntryFault) {
    if !fields.contains(where: { $0.name == JournalField.identifier }) {
      append(JournalField.identifier, JournalField.ourIdentifier)
    }
    for field in fields where field.name != JournalField.incident && field.name != JournalField.sequence {
      guard JournalEntry.isName(field.name) else { throw .fieldName(field.name) }
      append(field.name, field.value)
    }
  }

  private mutating func append(_ name: String, _ value: String) {
    let room = min(JournalLimits.valueByteCount, JournalLimits.entryByteCount - bytes.count - name.utf8.count - 1)
    let mark = Array("…".utf8)
    guard ends.count < JournalLimits.fieldCount, room > mark.count else {
      cutCount += 1
      return
    }
    bytes += name.utf8
    bytes.append(UInt8(ascii: "="))
    if value.utf8.count <= room {
      bytes += value.utf8
    } else {
      var end = value.utf8.index(value.utf8.startIndex, offsetBy: room - mark.count)
      while value.utf8[end] & 0xC0 == 0x80 { end = value.utf8.index(before: end) }
      bytes += value.utf8[..<end]
      bytes += mark
      cutCount += 1
    }
    ends.append(bytes.count)
  }

  private static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, first != UInt8(ascii: "_"), name.utf8.count <= JournalLimits.nameByteCount else {
      return false
    }
    return name.utf8.allSatisfy { $0 == UInt8(ascii: "_") || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
  }

  package var byteCount: Int { bytes.count }
  package var fieldCount: Int { ends.count }

  /// `sd_journal_sendv`(3): waits as long as the journal's socket is full, for ever if need be.
  ///
  /// - Returns: 0 when it was handed over, **or when there is no journal**; else the negative errno.
  func send() -> Int32 {
    // The vectors are declared as to be written; sendmsg only reads them.
    bytes.withUnsafeBytes { raw in
      let base = UnsafeMutableRawPointer(mutating: raw.baseAddress!)
      var vectors: [iovec] = []
      vectors.reserveCapacity(ends.count)
      var start = 0
      for end in ends {
        vectors.append(iovec(iov_base: base + start, iov_len: end - start))
        start = end
      }
      return sd_journal_sendv(&vectors, Int32(vectors.count))
    }
  }
}

/// Names that writing and reading back agree on.
enum JournalField {
  static let incident = "HANDSHAKED_INCIDENT"
  static let sequence = "HANDSHAKED_SEQUENCE"
  static let barrier = "HANDSHAKED_BARRIER"
  static let identifier = "SYSLOG_IDENTIFIER"
  static let ourIdentifier = "handshaked"
}
