import Records

/// Which signatures may hold in which log, worked out once for each log and component that a worker meets: a signature
/// with `logs:` names the log, or the component that wrote the record.
struct LogScopes: Sendable {
  private static let placeCount = 4096
  /// Different logs and components that are kept; then all are forgotten.
  private static let limit = 4096
  /// Components of more bytes have no number.
  private static let componentByteLimit = 48

  private struct Place: Sendable {
    /// Component and log; 0: free.
    var key: UInt64 = 0
    var scope: UInt32 = 0
  }

  /// Bits of one scope.
  private let wordCount: Int
  private var bits: [UInt64] = []
  private var count = 0
  private var components = NameMemo()
  private var componentCount: UInt32 = 1
  private var logs: [String: UInt32] = [:]
  private var places: [Place] = []
  /// By origin of the stream: the number of its log.
  private var logOfOrigin: [UInt32] = []

  init(signatureCount: Int) { wordCount = (signatureCount + 63) / 64 }

  /// Begins a stream: origins are numbered anew.
  mutating func begin() { logOfOrigin.removeAll(keepingCapacity: true) }

  /// `scope` where that was asked for before; else nil.
  mutating func known(origin: UInt32, component: Range<Int>?, _ text: Span<UInt8>) -> Int? {
    guard Int(origin) < logOfOrigin.count, !places.isEmpty else { return nil }
    var number: UInt32 = 1
    if let component, !component.isEmpty {
      // 0 is not remembered.
      number = components.id(of: text, component.lowerBound, component.upperBound) { 0 }
      if number == 0 { return nil }
    }
    let key = UInt64(number) << 32 | UInt64(logOfOrigin[Int(origin)])
    let place = LogScopes.place(key)
    return places[place].key == key ? Int(places[place].scope) : nil
  }

  private static func place(_ key: UInt64) -> Int { Int((key &* 0x9E37_79B9_7F4A_7C15) >> 52) }

  /// The number of a scope, until the next call; nil for a component that is too long to be remembered.
  /// - Parameter holds: whether a signature may hold; asked for each once.
  mutating func scope(
    origin: UInt32, in origins: [Origin], component: Range<Int>?, _ text: Span<UInt8>, holds: (Int) -> Bool
  ) -> Int? {
    if let component, component.count > LogScopes.componentByteLimit { return nil }
    if count == LogScopes.limit || componentCount == .max || logs.count == LogScopes.limit { forget() }
    while logOfOrigin.count < origins.count {
      let log = origins[logOfOrigin.count].log
      let number = logs[log] ?? UInt32(logs.count + 1)
      logs[log] = number
      logOfOrigin.append(number)
    }
    var number: UInt32 = 1
    if let component, !component.isEmpty {
      number = components.id(of: text, component.lowerBound, component.upperBound) {
        componentCount += 1
        return componentCount
      }
    }
    if places.isEmpty { places = [Place](repeating: Place(), count: LogScopes.placeCount) }
    let key = UInt64(number) << 32 | UInt64(logOfOrigin[Int(origin)])
    let place = LogScopes.place(key)
    if places[place].key == key { return Int(places[place].scope) }
    places[place] = Place(key: key, scope: UInt32(count))
    for word in 0..<wordCount {
      var value: UInt64 = 0
      for bit in 0..<64 where holds(word * 64 + bit) { value |= 1 << UInt64(bit) }
      bits.append(value)
    }
    count += 1
    return count - 1
  }

  private mutating func forget() {
    places.removeAll(keepingCapacity: true)
    bits.removeAll(keepingCapacity: true)
    count = 0
    components = NameMemo()
    componentCount = 1
    logs.removeAll()
    logOfOrigin.removeAll(keepingCapacity: true)
  }

  func contains(_ signature: Int, in scope: Int) -> Bool {
    bits[scope * wordCount + signature / 64] >> UInt64(signature % 64) & 1 == 1
  }
}
