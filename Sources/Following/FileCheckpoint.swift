import Records

/// What tells a file from others of its folder, whatever its name: the hash of its beginning and of what stands before a
/// place in it. All IIS logs begin alike, so the beginning alone says little; on SMB an inode belongs to a path, so it
/// says nothing for sure.
package struct Fingerprint: Hashable, Sendable {
  package var headCount = 0
  package var headHash: UInt64 = 0
  /// Of the `tailCount` bytes before the offset.
  package var tailCount = 0
  package var tailHash: UInt64 = 0

  static let headLimit = 1024
  static let tailLimit = 256

  package init() {}

  /// The same in every process: it is stored.
  static func hash(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> UInt64 {
    SeededHash(seed: 0x6861_6E64_7368_616B).hash(bytes, start, end)
  }
}

/// Where to go on in one file, across restarts.
package struct FileCheckpoint: Hashable, Sendable {
  /// Names the stream of bytes for ever: evidence is kept by it. A file that begins anew has another one.
  package var stream: String
  /// The path's own bytes.
  package var path: [UInt8]
  package var device: UInt64
  package var inode: UInt64
  package var offset: UInt64
  package var lineCount: UInt64
  package var encoding: UInt8
  package var fingerprint: Fingerprint
  /// It was renamed away from the name it was found by.
  package var isRotated: Bool
  /// The host that the pattern named.
  package var host: String?
  /// What the reader of its records carries over; opaque here.
  package var memory: [UInt8]
}

/// A file as a status page shows it.
package struct FileState: Sendable, Hashable {
  package enum Trouble: Sendable, Hashable {
    /// The call and its error number.
    case unreadable(call: String, errno: Int32)
    /// A container that is not followed, by its title.
    case container(String)
  }
  package var path: String
  package var host: String?
  package var byteCount: UInt64
  package var offset: UInt64
  package var modified: Timestamp
  package var isRotated: Bool
  package var trouble: Trouble?
  package var lag: UInt64 { byteCount > offset ? byteCount - offset : 0 }
}
