import Records

/// What an origin told about the lines that follow: the columns of its rows, their day, the bias of its clock.
package struct OriginMemory: Hashable, Sendable, Codable {
  /// Names of `#Fields`, and the format of such rows (`RecordFormat.rawValue`).
  package var fields: [String]?
  package var format: UInt8?
  /// Midnight of `#Date`, in microseconds.
  package var day: Int64?
  /// Minutes to add to local times.
  package var bias: Int16?
  /// Stream offset up to which events are looked for within single lines.
  package var singleLineUntil: UInt64

  var isEmpty: Bool { fields == nil && day == nil && bias == nil && singleLineUntil == 0 }
}
