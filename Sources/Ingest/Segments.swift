import Glibc
import Records

/// Cuts a large file into parts that several threads may read at the same time.
///
///     0 ………………………… \n | <![LOG[ ………………… \n | 2026-03-02 06:00:00 ………………
///       segment 0          segment 1               segment 2
///
/// A segment begins with a line that looks like the first of a record. Whether it is, and whether what the walk remembered
/// there (`#Fields`, the bias of the clock) is what the thread assumed, is checked afterwards by whoever joins the parts.
package enum Segments {
  /// A window in which a line that begins a record is looked for; none: the file is not cut there.
  private static let searchByteCount = 256 * 1024

  /// Offsets at which segments after the first begin, ascending; empty when the file is not to be cut: it is small, no
  /// regular file, or in UTF-16.
  package static func starts(in source: SourceFile, segmentByteCount: UInt64) -> [UInt64] {
    guard case .file(let bytes) = source.input, let byteCount = source.byteCount, segmentByteCount > 0,
      byteCount >= 2 * segmentByteCount
    else { return [] }
    let descriptor = unsafe withCPath(bytes) { unsafe open($0, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) }
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var info = stat()
    guard unsafe fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return [] }
    var buffer = [UInt8](repeating: 0, count: searchByteCount)
    let head = read(descriptor, 0, into: &buffer, most: Limits.sniffByteCount)
    guard EncodingSniffer.sniff(buffer.span.extracting(0..<head)).encoding == .utf8 else { return [] }
    var starts: [UInt64] = []
    var wanted = segmentByteCount
    while wanted + segmentByteCount <= byteCount {
      let count = read(descriptor, wanted - 1, into: &buffer, most: searchByteCount)
      if let place = firstRecord(buffer.span.extracting(0..<count)) { starts.append(wanted - 1 + UInt64(place)) }
      wanted += segmentByteCount
    }
    return starts
  }

  private static func read(_ descriptor: Int32, _ offset: UInt64, into buffer: inout [UInt8], most: Int) -> Int {
    var count: Int
    repeat {
      count = unsafe buffer.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, most, off_t(offset)) }
    } while count < 0 && errno == EINTR
    return max(0, count)
  }

  /// The first line behind a line end that looks like the beginning of a record.
  private static func firstRecord(_ text: Span<UInt8>) -> Int? {
    var position = 0
    while position + 8 < text.count {
      if text[position] == 0x0A, beginsRecord(text, position + 1) { return position + 1 }
      position += 1
    }
    return nil
  }

  private static func beginsRecord(_ text: Span<UInt8>, _ start: Int) -> Bool {
    switch text[start] {
    case 0x3C: text.has("<![LOG[", at: start) || text.has("<Event ", at: start) || ASCII.isDigit(text[start + 1])
    // `{"`: an object inside a pretty-printed one is indented.
    case 0x7B: text[start + 1] == 0x22
    // A date; a number of an octet count; a message of an old site server may begin so too.
    case 0x30...0x39: text[start + 4] == 0x2D || text[start + 4] == 0x2F
    default: false
    }
  }
}
