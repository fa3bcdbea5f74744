import Records

/// Rows of one host that stand in short runs between lines of others, as in a file to which many hosts write, side by side:
/// what a run costs is paid once for all of them.
///
///     batch    MP01 row · PC-1 record · MP02 row · MP01 row      runs 0 (MP01), 1 (MP02), 2 (MP01)
///     chains   0 → 2, 1                                          gathered: both rows of MP01
struct GatheredRows: Sendable {
  static let none = UInt32.max
  /// Longer runs are left where they stand.
  private static let runLimit = 32

  /// By run: the next one of its origin, schema and day.
  private(set) var next: [UInt32] = []
  /// The runs that no other one leads to.
  private(set) var firsts: [Int] = []
  /// By origin: the last run met.
  private var lasts: [UInt32] = []

  /// Rows, each with its `\n`, and slack.
  private(set) var text: [UInt8] = []
  private(set) var lineEnds: [UInt32] = []
  /// By row: its line in the batch.
  private(set) var lines: [UInt32] = []

  /// Chains the runs of a batch.
  /// - Parameter together: false: each by itself.
  mutating func chain(_ runs: Span<RowRun>, together: Bool) {
    firsts.removeAll(keepingCapacity: true)
    next.removeAll(keepingCapacity: true)
    for index in runs.indices {
      let origin = Int(runs[index].origin)
      if lasts.count <= origin {
        lasts.append(contentsOf: repeatElement(GatheredRows.none, count: origin + 1 - lasts.count))
      }
      next.append(GatheredRows.none)
      let last = lasts[origin]
      if together, last != GatheredRows.none, isShort(runs[index]), isShort(runs[Int(last)]),
        runs[Int(last)].schema == runs[index].schema,
        runs[Int(last)].dayMicroseconds == runs[index].dayMicroseconds
      {
        next[Int(last)] = UInt32(index)
      } else {
        firsts.append(index)
      }
      lasts[origin] = UInt32(index)
    }
    for index in runs.indices { lasts[Int(runs[index].origin)] = GatheredRows.none }
  }

  private func isShort(_ run: RowRun) -> Bool { run.lastLine - run.firstLine <= GatheredRows.runLimit }

  /// Gathers the rows of a chain.
  mutating func gather(from first: Int, _ batch: borrowing RecordBatch, _ source: Span<UInt8>) {
    text.removeAll(keepingCapacity: true)
    lineEnds.removeAll(keepingCapacity: true)
    lines.removeAll(keepingCapacity: true)
    var byteCount = 0
    var index = first
    while index != Int(GatheredRows.none) {
      let run = batch.rowRuns[index]
      for line in run.firstLine..<run.lastLine {
        let bounds = batch.lineBounds(line)
        byteCount += bounds.end - bounds.start
        lineEnds.append(UInt32(byteCount))
        lines.append(UInt32(line))
        byteCount += 1
      }
      index = Int(next[index])
    }
    let lines = lines
    text.append(addingCapacity: byteCount) { text in
      unsafe text.withUnsafeMutableBufferPointer { text, count in
        unsafe source.withUnsafeBufferPointer { source in
          for line in lines {
            // With its line end.
            let bounds = batch.lineBounds(Int(line))
            let rowCount = bounds.end + 1 - bounds.start
            unsafe (text.baseAddress! + count).initialize(from: source.baseAddress! + bounds.start, count: rowCount)
            count += rowCount
          }
        }
      }
    }
    text.append(contentsOf: repeatElement(0, count: Limits.slackByteCount))
  }
}
