import CKernels
import Records

/// Where `<![LOG[`, `]LOG]!>` and `$$<` stand in the text of one batch: found in one pass when the
/// first is asked for, from there on.
struct TextMarks: Sendable {
  enum Kind {
    case open, close, trailer

    /// Bytes of the mark.
    var length: Int { self == .trailer ? 3 : 7 }
  }

  private struct List {
    var positions: [UInt32] = []
    var count = 0
    /// The mark that was met last, or the one behind it: questions come in nearly ascending order.
    var cursor = 0
  }
  private var opens = List()
  private var closes = List()
  private var trailers = List()
  /// From where on the marks are known; `Int.max`: nowhere.
  private var indexedFrom = Int.max

  /// The text is another one.
  mutating func forget() { indexedFrom = .max }

  /// The position of the first mark in [from, end) that ends there too.
  mutating func next(
    _ kind: Kind, _ text: Span<UInt8>, _ batch: borrowing RecordBatch, from: Int, to end: Int
  ) -> Int? {
    if from < indexedFrom { index(text, from: max(0, from - 1), to: Int(batch.lineEnds.last ?? 0)) }
    let hit =
      switch kind {
      case .open: TextMarks.seek(&opens, from)
      case .close: TextMarks.seek(&closes, from)
      case .trailer: TextMarks.seek(&trailers, from)
      }
    return hit <= end - kind.length ? hit : nil
  }

  /// The first position from `from` on, `Int.max` when there is none.
  private static func seek(_ list: inout List, _ from: Int) -> Int {
    var cursor = list.cursor
    if cursor > 0, Int(list.positions[cursor - 1]) >= from {
      cursor = lowerBound(list, from, 0, cursor)
    } else {
      var steps = 0
      while cursor < list.count, Int(list.positions[cursor]) < from {
        cursor += 1
        steps += 1
        if steps == 8 {
          cursor = lowerBound(list, from, cursor, list.count)
          break
        }
      }
    }
    list.cursor = cursor
    return cursor < list.count ? Int(list.positions[cursor]) : .max
  }

  private static func lowerBound(_ list: List, _ from: Int, _ first: Int, _ last: Int) -> Int {
    var low = first
    var high = last
    while low < high {
      let middle = (low + high) / 2
      if Int(list.positions[middle]) < from { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private mutating func index(_ text: Span<UInt8>, from: Int, to end: Int) {
    // Questions come in nearly ascending order. A mark is told by bytes behind its first, and so may be one from before.
    indexedFrom = from
    let end = min(end, text.count)
    var done = from
    var found = [0, 0, 0]
    while true {
      let capacity = min(opens.positions.count, closes.positions.count, trailers.positions.count)
      done = unsafe text.withUnsafeBufferPointer { raw in
        unsafe opens.positions.withUnsafeMutableBufferPointer { opens in
          unsafe closes.positions.withUnsafeMutableBufferPointer { closes in
            unsafe trailers.positions.withUnsafeMutableBufferPointer { trailers in
              guard let bytes = raw.baseAddress, from < end else { return end }
              let lists = unsafe [opens.baseAddress, closes.baseAddress, trailers.baseAddress]
              return unsafe hk_marks(bytes, done, end, lists, &found, capacity)
            }
          }
        }
      }
      if done >= end { break }
      // A list is full.
      let larger = max(1024, capacity * 2)
      for path in [\TextMarks.opens, \TextMarks.closes, \TextMarks.trailers] {
        self[keyPath: path].positions += [UInt32](
          repeating: 0, count: max(0, larger - self[keyPath: path].positions.count))
      }
    }
    opens = List(positions: opens.positions, count: found[0])
    closes = List(positions: closes.positions, count: found[1])
    trailers = List(positions: trailers.positions, count: found[2])
  }
}
