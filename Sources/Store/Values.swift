import Foundation
import GRDB
import Records

/// How our values lie in columns.

extension String {
  /// Text is bound up to its first NUL, which would make two of one name: a NUL becomes U+FFFD.
  var stored: String { utf8.contains(0) ? replacing("\0", with: "\u{FFFD}") : self }
}

extension [UInt8] {
  var stored: Data { Data(self) }
}

extension UInt64 {
  /// SQLite's integers are signed; the bits are kept.
  var stored: Int64 { Int64(bitPattern: self) }
}

extension IPAddress {
  /// 16 bytes in network order.
  var stored: Data {
    var data = Data(capacity: 16)
    for word in [high, low] {
      for shift in stride(from: 56, through: 0, by: -8) {
        data.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
      }
    }
    return data
  }

  init?(stored data: Data) {
    guard data.count == 16 else { return nil }
    var words: (UInt64, UInt64) = (0, 0)
    for (index, byte) in data.enumerated() {
      if index < 8 { words.0 = words.0 << 8 | UInt64(byte) } else { words.1 = words.1 << 8 | UInt64(byte) }
    }
    self.init(high: words.0, low: words.1)
  }
}

extension Row {
  /// A value of the declared type. `row[index]` ends the process where a damaged page holds another.
  func value<Value: DatabaseValueConvertible>(_ index: Int, _ type: Value.Type = Value.self) throws -> Value {
    guard let value = Value.fromDatabaseValue(self[index]) else { throw Row.damage }
    return value
  }

  func value<Value: DatabaseValueConvertible>(_ name: String, _ type: Value.Type = Value.self) throws -> Value {
    guard let value = Value.fromDatabaseValue(self[name]) else { throw Row.damage }
    return value
  }

  func bits(_ index: Int) throws -> UInt64 { UInt64(bitPattern: try value(index, Int64.self)) }
  func time(_ index: Int) throws -> Timestamp { Timestamp(microseconds: try value(index)) }
  func bytes(_ index: Int) throws -> [UInt8] { [UInt8](try value(index, Data.self)) }

  private static let damage = DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a row holds what it cannot hold")
}
