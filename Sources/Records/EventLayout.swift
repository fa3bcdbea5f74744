/// An event that was found whole on its line by the layout of lines met before. In memory it is the `hk_event_line` of
/// event_lines.h, which the kernels write.
@usableFromInline package struct EventLine: Sendable, Equatable {
  /// Index into `RecordBatch.lineEnds`.
  @usableFromInline package var line: UInt32
  /// The event in the text, [start, end).
  @usableFromInline package var start: UInt32
  @usableFromInline package var end: UInt32
  /// Index into `RecordBatch.layouts`.
  @usableFromInline package var layout: UInt32
  /// Where its marks begin in `RecordBatch.marks`.
  @usableFromInline package var marks: UInt32
  /// What their places are relative to.
  @usableFromInline package var base: Int32
  /// 1: its provider and id are such that no definition asks for it; left are those that ask for neither.
  @usableFromInline package var isUnasked: UInt32
}

/// Where the values of such a line stand: between two of its marks.
@usableFromInline package struct EventLayout: Sendable {
  /// [place of `first` + `lead`, place of `last` − `trail`).
  @usableFromInline package struct Value: Sendable, Equatable {
    @usableFromInline package var first: UInt16
    @usableFromInline package var lead: UInt16
    @usableFromInline package var last: UInt16
    @usableFromInline package var trail: UInt16

    package init(first: Int, lead: Int, last: Int, trail: Int) {
      self.first = UInt16(first)
      self.lead = UInt16(lead)
      self.last = UInt16(last)
      self.trail = UInt16(trail)
    }

    /// The value in the text.
    @inlinable
    package func range(_ marks: Span<UInt16>, of event: EventLine) -> Range<Int> {
      let from = Int(event.base) + Int(marks[Int(event.marks) + Int(first)]) + Int(lead)
      return from..<max(from, Int(event.base) + Int(marks[Int(event.marks) + Int(last)]) - Int(trail))
    }
  }

  package var format: RecordFormat
  /// No other layout of this process has it, whatever became of this one.
  package var serial: UInt64
  /// In their order in the line.
  package var values: [Value]

  package init(format: RecordFormat, serial: UInt64, values: [Value]) {
    self.format = format
    self.serial = serial
    self.values = values
  }
}
