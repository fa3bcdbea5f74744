import Records

/// Where a file stands among the rotated siblings of its log: what is written first is read first.
///
/// | name | age | written by |
/// |---|---|---|
/// | `x.log.2`, `x.log.1` | 0, larger numbers first | logrotate |
/// | `x-20260301-101500.log`, `x.log-20260301`, `x.log.20260301` | 1, earlier dates first | ConfigMgr, logrotate |
/// | `x.log.bak`, `x.log.old` | 2 | people and scripts |
/// | `x.lo_` | 3 | ConfigMgr |
/// | `x.log` | 4 | the log itself |
///
/// All of these share `active`, `x.log`. Sources: logrotate(8); Microsoft Learn, "About log files in Configuration
/// Manager" (`LogMaxHistory`).
struct RotationKey: Comparable {
  /// The path of the log itself.
  let active: [UInt8]
  /// The folder it lies in: logs of one name and different folders, below two arguments, are no siblings.
  let folder: [UInt8]
  let age: UInt8
  /// Ascending within one age.
  let order: UInt64
  let path: [UInt8]

  init(path: [UInt8], folder: [UInt8]) {
    self.path = path
    self.folder = folder
    let nameStart = path.lastIndex(of: 0x2F).map { $0 + 1 } ?? 0
    var name = Array(path[nameStart...])
    var age: UInt8 = 4
    var order: UInt64 = 0
    // The outermost mark is the newest rotation and decides; marks below it only lead to the name.
    while let mark = RotationKey.takeMark(from: &name) {
      if age == 4 { (age, order) = mark }
    }
    active = path[..<nameStart] + name
    self.age = age
    self.order = order
  }

  static func < (left: RotationKey, right: RotationKey) -> Bool {
    if left.active != right.active { return left.active.lexicographicallyPrecedes(right.active) }
    if left.folder != right.folder { return left.folder.lexicographicallyPrecedes(right.folder) }
    if left.age != right.age { return left.age < right.age }
    if left.order != right.order { return left.order < right.order }
    return left.path.lexicographicallyPrecedes(right.path)
  }

  /// Takes one rotation mark off the name; nil when there is none.
  private static func takeMark(from name: inout [UInt8]) -> (age: UInt8, order: UInt64)? {
    let digitCount = name.reversed().prefix { ASCII.isDigit($0) }.count
    let beforeDigits = name.count - digitCount - 1
    if digitCount > 0, beforeDigits > 0 {
      let separator = name[beforeDigits]
      let value = number(name[(beforeDigits + 1)...])
      if separator == 0x2E, digitCount <= 4 {
        name.removeSubrange(beforeDigits...)
        return (0, 9999 - value)
      }
      if separator == 0x2E || separator == 0x2D, digitCount == 8 {
        name.removeSubrange(beforeDigits...)
        return (1, value * 1_000_000)
      }
    }
    guard let dot = name.lastIndex(of: 0x2E), dot > 0 else { return nil }
    let suffix = name[(dot + 1)...].map(ASCII.lower)
    if suffix == Array("bak".utf8) || suffix == Array("old".utf8) {
      name.removeSubrange(dot...)
      return (2, 0)
    }
    if suffix == Array("lo_".utf8) {
      name[name.count - 1] = name[name.count - 2] == 0x4F ? 0x47 : 0x67
      return (3, 0)
    }
    // -YYYYMMDD-HHMMSS before the extension: the digits at places 1–8 and 10–15 of 16.
    guard dot > 16, name[dot - 16] == 0x2D, name[dot - 7] == 0x2D else { return nil }
    let date = name[(dot - 15)..<(dot - 7)]
    let time = name[(dot - 6)..<dot]
    guard date.allSatisfy(ASCII.isDigit), time.allSatisfy(ASCII.isDigit) else { return nil }
    let order = number(date) * 1_000_000 + number(time)
    name.removeSubrange((dot - 16)..<dot)
    return (1, order)
  }

  /// At most eight digits.
  private static func number(_ digits: ArraySlice<UInt8>) -> UInt64 {
    digits.prefix(8).reduce(0) { $0 * 10 + UInt64($1 - 0x30) }
  }
}
