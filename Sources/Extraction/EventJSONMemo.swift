import CKernels
import Records

/// Reads event JSON by the shapes met before: where a record is one of them, its values stand at known ordinals and
/// nothing but them is looked at. Everything else goes to `EventJSONReader`, with the same fields.
package struct EventJSONMemo: Sendable {
  /// Shapes by how lately they were met; the last makes room.
  private static let shapeCount = 8
  /// One miss in so many is learnt from: records that differ all the time cost little more than the reader.
  private static let missInterval = 8

  private struct Known: Sendable {
    var shape: JSONShape
    var plan: EventJSONPlan
  }

  private var known: [Known] = []
  private var missCount = 0
  /// Position and end of each value of the record at hand.
  private var bounds = [UInt32](repeating: 0, count: 2 * JSONShape.pieceLimit)

  package init() {}

  /// As `EventJSONReader.read`.
  package mutating func read(
    _ text: Span<UInt8>, start: Int, end: Int, into fields: inout EventFields
  ) -> Bool {
    for index in known.indices where isMatch(text, start, end, index) {
      if index > 0 { known.swapAt(index, index - 1) }
      let bounds = bounds
      let isRead = EventJSONReader.read(text, known[max(0, index - 1)].plan, into: &fields) {
        start + Int(bounds[2 * $0])..<start + Int(bounds[2 * $0 + 1])
      }
      if isRead, fields.eventID != nil { return true }
      // Without an id the reader decides anew what the other members are.
      break
    }
    missCount += 1
    if missCount % EventJSONMemo.missInterval == 1 { learn(text, start, end) }
    return EventJSONReader.read(text, start: start, end: end, into: &fields)
  }

  private mutating func isMatch(_ text: Span<UInt8>, _ start: Int, _ end: Int, _ index: Int) -> Bool {
    let byteCount = unsafe text.extracting(start..<end).withUnsafeBufferPointer { record in
      unsafe known[index].shape.literals.withUnsafeBufferPointer { literals in
        unsafe known[index].shape.pieces.withUnsafeBufferPointer { pieces in
          unsafe bounds.withUnsafeMutableBufferPointer { bounds in
            unsafe hk_json_match(
              record.baseAddress, record.count, literals.baseAddress, pieces.baseAddress, pieces.count,
              bounds.baseAddress)
          }
        }
      }
    }
    return byteCount == end - start && byteCount > 0
  }

  private mutating func learn(_ text: Span<UInt8>, _ start: Int, _ end: Int) {
    guard let shape = JSONShape(text, start: start, stop: end, end: end, admits: { _ in true }),
      let plan = EventJSONReader.plan(text, start: start, end: end), plan.uses.count + 1 == shape.pieces.count
    else { return }
    if known.count == EventJSONMemo.shapeCount { known.removeLast() }
    known.append(Known(shape: shape, plan: plan))
  }
}
