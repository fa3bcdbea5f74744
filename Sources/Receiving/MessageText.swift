import Records

/// Messages as lines that the walk reads as it reads a file of them.
///
///     <13>1 … text            stays as it is, and ends with a line end
///     <13>1 … two\nlines      gets its byte count in front (RFC 6587), so that both lines keep the one header
///     text without a header   gets one with the sender's address, the only origin that is known of it
///     57 <13>1 …              stays as it is: it came with its count
package struct MessageText: Sendable {
  package private(set) var bytes: [UInt8] = []
  package private(set) var messageCount: UInt64 = 0

  package init() {}

  package mutating func removeAll() {
    bytes.removeAll(keepingCapacity: bytes.capacity <= 4 * 1024 * 1024)
    messageCount = 0
  }

  /// A message whose count stands in front of it, in `frame`.
  mutating func append(counted frame: ArraySlice<UInt8>) {
    bytes += frame
    if frame.last != 0x0A { bytes.append(0x0A) }
    messageCount += 1
  }

  /// A message without a count: a datagram, or a line. NULs around it and line ends at its end belong to the
  /// transport.
  /// - Parameter sender: its address, empty when it says nothing.
  package mutating func append(_ message: ArraySlice<UInt8>, sender: [UInt8]) {
    var end = message.endIndex
    while end > message.startIndex, message[end - 1] == 0x0A || message[end - 1] == 0 { end -= 1 }
    let message = message[..<end].drop { $0 == 0 }
    guard !message.isEmpty else { return }
    messageCount += 1
    if MessageText.hasPriority(message) {
      if message.contains(0x0A) { bytes += Array("\(message.count) ".utf8) }
      bytes += message
      bytes.append(0x0A)
      return
    }
    for line in message.split(separator: 0x0A) {
      if !sender.isEmpty { bytes += Array("<13>1 - ".utf8) + sender + Array(" - - - - ".utf8) }
      bytes += line
      bytes.append(0x0A)
    }
  }

  /// A message that came without any header, with what is known of it.
  /// - Parameters:
  ///   - received: when it was first received.
  ///   - host, name: of who wrote it; empty when that is not known.
  package mutating func append(_ message: [UInt8], received: Timestamp, host: [UInt8], name: [UInt8]) {
    let head =
      Array("<13>1 \(received.rfc3339) ".utf8) + MessageText.headerField(host) + [0x20] + MessageText.headerField(name)
      + Array(" - - - ".utf8)
    append((head + message)[...], sender: [])
  }

  /// A field of a header is of printable characters without blanks, `-` when there is nothing.
  private static func headerField(_ bytes: [UInt8]) -> [UInt8] {
    let field = bytes.prefix(255).map { $0 > 0x20 && $0 < 0x7F ? $0 : UInt8(ascii: "_") }
    return field.isEmpty ? [UInt8(ascii: "-")] : field
  }

  /// `<13>`
  static func hasPriority(_ message: ArraySlice<UInt8>) -> Bool {
    guard message.count > 2, message[message.startIndex] == 0x3C else { return false }
    let rest = message.dropFirst()
    let digits = rest.prefix(4).prefix { ASCII.isDigit($0) }
    return (1...3).contains(digits.count) && rest.dropFirst(digits.count).first == 0x3E
  }
}
