/// Wildcard texts of `logs:`, `where:` and text tables: pieces between `*`, in lower case.
package enum Wildcard {
  /// `"a*b"` → `["a", "b"]`; a text without `*` is one piece.
  package static func pieces(_ text: String) -> [[UInt8]] {
    text.utf8.split(separator: 0x2A, omittingEmptySubsequences: false).map { $0.map(ASCII.lower) }
  }

  /// Whether bytes [start, end) match the pieces, ASCII case aside.
  package static func matches(_ pieces: [[UInt8]], _ bytes: Span<UInt8>, start: Int, end: Int) -> Bool {
    func equal(_ piece: [UInt8], at position: Int) -> Bool {
      for index in 0..<piece.count where ASCII.lower(bytes[position + index]) != piece[index] { return false }
      return true
    }
    let first = pieces[0]
    guard end - start >= first.count, equal(first, at: start) else { return false }
    if pieces.count == 1 { return end - start == first.count }
    let last = pieces[pieces.count - 1]
    var position = start + first.count
    for piece in pieces[1..<(pieces.count - 1)] where !piece.isEmpty {
      var found = false
      while position + piece.count <= end {
        if equal(piece, at: position) {
          found = true
          break
        }
        position += 1
      }
      guard found else { return false }
      position += piece.count
    }
    return end - position >= last.count && equal(last, at: end - last.count)
  }

  /// Whether bytes [start, end) are the name itself, ASCII case aside.
  package static func isSame(_ name: String, _ bytes: Span<UInt8>, start: Int, end: Int) -> Bool {
    let wanted = name.utf8Span.span
    guard wanted.count == end - start else { return false }
    for index in 0..<wanted.count where ASCII.lower(wanted[index]) != ASCII.lower(bytes[start + index]) { return false }
    return true
  }

  package static func matches(_ pieces: [[UInt8]], _ text: String) -> Bool {
    let bytes = text.utf8Span.span
    return matches(pieces, bytes, start: 0, end: bytes.count)
  }
}
