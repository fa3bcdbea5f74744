import Records

/// How a checkpoint lies in the store. Written by hand: a busy folder changes ten thousand of them between two commits, and
/// a general encoder took longer for one than reading the line had.
///
/// Layout, all numbers little-endian: version 1; device, inode, offset, line count (8 bytes each); encoding, flags (1);
/// head count (4), head hash (8), tail count (4), tail hash (8); then stream, path, host and memory, each as its byte count
/// (4) and its bytes. Flags: 1 is rotated, 2 has a host.
extension FileCheckpoint {
  private static let version: UInt8 = 1

  package var stored: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(96 + path.count + memory.count + 64)
    bytes.append(FileCheckpoint.version)
    for number in [device, inode, offset, lineCount] { append(number, 8, &bytes) }
    bytes.append(encoding)
    bytes.append((isRotated ? 1 : 0) | (host == nil ? 0 : 2))
    append(UInt64(fingerprint.headCount), 4, &bytes)
    append(fingerprint.headHash, 8, &bytes)
    append(UInt64(fingerprint.tailCount), 4, &bytes)
    append(fingerprint.tailHash, 8, &bytes)
    append(Array(stream.utf8), &bytes)
    append(path, &bytes)
    append(Array((host ?? "").utf8), &bytes)
    append(memory, &bytes)
    return bytes
  }

  private func append(_ number: UInt64, _ width: Int, _ bytes: inout [UInt8]) {
    for index in 0..<width { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * index))) }
  }

  private func append(_ text: [UInt8], _ bytes: inout [UInt8]) {
    append(UInt64(text.count), 4, &bytes)
    bytes += text
  }

  /// Nil where the bytes are none, or of another version.
  package init?(stored bytes: [UInt8]) {
    var position = 1
    var isWhole = bytes.first == FileCheckpoint.version
    func number(_ width: Int) -> UInt64 {
      guard isWhole, bytes.count - position >= width else {
        isWhole = false
        return 0
      }
      var number: UInt64 = 0
      for index in 0..<width { number |= UInt64(bytes[position + index]) << UInt64(8 * index) }
      position += width
      return number
    }
    func text() -> [UInt8] {
      let count = Int(number(4))
      guard isWhole, bytes.count - position >= count else {
        isWhole = false
        return []
      }
      defer { position += count }
      return Array(bytes[position..<position + count])
    }
    device = number(8)
    inode = number(8)
    offset = number(8)
    lineCount = number(8)
    encoding = UInt8(number(1))
    let flags = number(1)
    isRotated = flags & 1 != 0
    fingerprint = Fingerprint()
    fingerprint.headCount = Int(number(4))
    fingerprint.headHash = number(8)
    fingerprint.tailCount = Int(number(4))
    fingerprint.tailHash = number(8)
    stream = String(decoding: text(), as: UTF8.self)
    path = text()
    let name = String(decoding: text(), as: UTF8.self)
    host = flags & 2 != 0 ? name : nil
    memory = text()
    guard isWhole, position == bytes.count else { return nil }
  }
}
