/// The fields of one Windows event, whatever rendering brought it. Filled for candidates only and used again.
///
/// Shape: `text` holds decoded UTF-8 (entities and escapes undone); every field is a range of it. `data` keeps the
/// event's own names (`AlertDesc`, `Type`) in their order; UserData children count as data.
package struct EventFields: Sendable {
  package struct Item: Sendable {
    package var nameStart: UInt32, nameEnd: UInt32
    package var valueStart: UInt32, valueEnd: UInt32
    package init(nameStart: Int, nameEnd: Int, valueStart: Int, valueEnd: Int) {
      self.nameStart = UInt32(nameStart)
      self.nameEnd = UInt32(nameEnd)
      self.valueStart = UInt32(valueStart)
      self.valueEnd = UInt32(valueEnd)
    }
  }

  package var text: [UInt8] = []
  package var provider: Range<Int>?
  package var eventID: UInt32?
  package var time: Timestamp?
  /// A time without zone (NXLog `EventTime`, Snare): the reading as if it were UTC.
  package var localTime: Timestamp?
  package var computer: Range<Int>?
  package var channel: Range<Int>?
  package var recordID: UInt64?
  package var processID: UInt64?
  package var threadID: UInt64?
  package var message: Range<Int>?
  package var data: [Item] = []

  package init() {}

  package mutating func removeAll() {
    text.removeAll(keepingCapacity: true)
    data.removeAll(keepingCapacity: true)
    provider = nil
    eventID = nil
    time = nil
    localTime = nil
    computer = nil
    channel = nil
    recordID = nil
    processID = nil
    threadID = nil
    message = nil
  }

  /// The value of the first data item called `name` (ASCII case does not matter), or nil.
  package func value(of name: String) -> Range<Int>? {
    var name = name
    return name.withUTF8 { wanted in
      for item in data where Int(item.nameEnd - item.nameStart) == wanted.count {
        var isEqual = true
        for index in 0..<wanted.count
        where unsafe ASCII.lower(text[Int(item.nameStart) + index]) != ASCII.lower(wanted[index]) {
          isEqual = false
          break
        }
        if isEqual { return Int(item.valueStart)..<Int(item.valueEnd) }
      }
      return nil
    }
  }

  package func string(_ range: Range<Int>?) -> String? {
    guard let range, !range.isEmpty else { return nil }
    return Text.decode(text.span.extracting(range))
  }
}
