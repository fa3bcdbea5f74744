/// A host and the log on it, whatever transport brought it.
package struct Origin: Hashable, Sendable {
  /// The machine that wrote the log, as far as path or envelope tell; nil when they do not.
  package var host: String?
  /// The log's name without folder, rotation suffix and extension: `CcmMessaging`, `u_ex260302`.
  package var log: String
  /// The path on the Windows side when an envelope told it, else the file's own.
  package var path: String

  package init(host: String?, log: String, path: String) {
    self.host = host
    self.log = log
    self.path = path
  }

  /// The log's name from a path with either kind of slash: folder, extension and rotation marks taken off.
  ///
  /// `C:\Windows\CCM\Logs\CcmMessaging.lo_` → `CcmMessaging`; `smsexec-20260302-061500.log` → `smsexec`;
  /// `u_ex260302_x.log` keeps its name; a numbered sibling (`smsts.log.1`, `ccmsetup.log.bak`) loses its suffix.
  package static func logName(ofPath path: String) -> String {
    var name = path.utf8.split(whereSeparator: { $0 == 0x2F || $0 == 0x5C }).last.map(Substring.init) ?? Substring(path)
    while let dot = name.utf8.lastIndex(of: 0x2E), dot != name.startIndex {
      let suffix = name[name.index(after: dot)...].lowercased()
      let isRotation = !suffix.isEmpty && suffix.utf8.count <= 10 && suffix.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
      guard
        isRotation || ["log", "lo_", "txt", "json", "jsonl", "ndjson", "xml", "bak", "old", "evtx"].contains(suffix)
      else { break }
      name = name[..<dot]
    }
    // A dated sibling: -YYYYMMDD-HHMMSS.
    let units = Array(name.utf8)
    if units.count > 16 {
      let tail = units.suffix(16)
      let digits = tail.enumerated().allSatisfy { index, byte in
        index == 0 || index == 9 ? byte == 0x2D : byte >= 0x30 && byte <= 0x39
      }
      if digits { return String(decoding: units.dropLast(16), as: UTF8.self) }
    }
    return String(name)
  }
}
