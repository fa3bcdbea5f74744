import CKernels
import Records

/// How lines of JSON began that turned out to be events, up to the key that told.
///
/// A line that begins so is dismissed by compares: its tokens are the same, and with them what `JSONEnvelope` says. Values
/// before that key do not matter to it, but for the names under which this program's own output is known; no beginning
/// with a key for those is kept.
struct EventShapes: Sendable {
  private static let shapeCount = 4
  /// One miss in so many is learnt from: lines that differ all the time cost no more than a look.
  private static let missInterval = 8

  private var shapes: [JSONShape] = []
  private var latest = 0
  private var oldest = 0
  private var missCount = 0

  /// Whether [start, end) begins as an event did: then `JSONEnvelope.parse` calls it none.
  mutating func match(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    guard !shapes.isEmpty else { return false }
    if begins(bytes, start, end, with: latest) { return true }
    for index in shapes.indices where index != latest && begins(bytes, start, end, with: index) {
      latest = index
      return true
    }
    return false
  }

  private func begins(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, with index: Int) -> Bool {
    unsafe bytes.extracting(start..<end).withUnsafeBufferPointer { line in
      unsafe shapes[index].literals.withUnsafeBufferPointer { literals in
        unsafe shapes[index].pieces.withUnsafeBufferPointer { pieces in
          unsafe hk_json_match(
            line.baseAddress, line.count, literals.baseAddress, pieces.baseAddress, pieces.count, nil) != 0
        }
      }
    }
  }

  /// Keeps how [start, end) begins, when it is an event and was not matched.
  mutating func learn(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) {
    missCount += 1
    guard missCount % EventShapes.missInterval == 1, let stop = JSONEnvelope.eventMark(bytes, start, end),
      let shape = JSONShape(
        bytes, start: start, stop: stop, end: end,
        admits: { token in
          if case .key(let from, let to, _) = token { return !EventShapes.namesOurselves(bytes, from, to) }
          return true
        })
    else { return }
    if shapes.count < EventShapes.shapeCount {
      shapes.append(shape)
      latest = shapes.count - 1
    } else {
      shapes[oldest] = shape
      latest = oldest
      oldest = (oldest + 1) % EventShapes.shapeCount
    }
  }

  /// Whether the value of this key may be what marks our own output: `syslog.identifier`, `appname`, `ident`, `schema`.
  static func namesOurselves(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    for index in start..<end {
      if index + 5 <= end, bytes.hasCaseless("ident", at: index) { return true }
      if index + 7 <= end, bytes.hasCaseless("appname", at: index) { return true }
    }
    return end - start == 6 && bytes.has("schema", at: start)
  }
}
