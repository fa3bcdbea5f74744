import Clients
import Incidents
import Records

/// JSON lines: one object a line, `"schema":1`, fixed key order, absent when unknown.
///
/// Control characters are escaped, so that no text of a log can steer a terminal; everything else is UTF-8 as it is.
package struct JSONLines {
  package private(set) var bytes: [UInt8] = []
  private var isFirst = true

  package init() {}

  /// Takes what was written so far.
  package mutating func take() -> [UInt8] {
    defer { bytes.removeAll(keepingCapacity: true) }
    return bytes
  }

  package mutating func finding(_ finding: Finding) {
    begin("finding")
    string("signature", finding.signature)
    string("class", finding.findingClass.rawValue)
    string("cause", finding.cause.rawValue)
    string("severity", finding.severity.rawValue)
    time("time", finding.time)
    string("path", finding.path)
    number("offset", finding.offset)
    number("length", finding.length)
    number("line", finding.line)
    if finding.parts > 1 { number("parts", UInt64(finding.parts)) }
    string("host", finding.host)
    string("log", finding.log)
    string("component", finding.component)
    string("client", finding.client)
    string("clientID", finding.clientID)
    string("clientIP", finding.clientIP)
    string("server", finding.server)
    string("role", finding.role)
    string("protocol", finding.protocolName)
    string("cipher", finding.cipher)
    string("code", finding.code)
    string("symbol", finding.symbol)
    if let alert = finding.alert { number("alert", UInt64(clamping: alert)) }
    if let area = finding.area { number("area", UInt64(clamping: area)) }
    string("feature", finding.feature?.rawValue)
    string("stack", finding.stack?.rawValue)
    string("confidence", finding.confidence.rawValue)
    string("sameAs", finding.sameAs)
    end()
  }

  package mutating func sighting(_ row: SightingRow) {
    begin("sighting")
    string("client", row.client)
    string("clientIP", row.clientIP)
    string("server", row.server)
    string("role", row.role)
    string("protocol", row.protocolName)
    string("cipher", row.cipher)
    string("outcome", row.outcome.rawValue)
    string("os", row.system)
    time("first", row.first)
    time("last", row.last)
    number("count", row.count)
    end()
  }

  /// Bytes passed over in one stream for one reason.
  package mutating func skip(path: String, reason: SkipReason, entry: SkipCounts.Entry, detail: String?) {
    begin("skip")
    string("reason", reason.name)
    string("path", path)
    number("count", entry.count)
    number("bytes", entry.byteCount)
    if entry.firstLine > 0 {
      number("offset", entry.firstOffset)
      number("line", entry.firstLine)
    }
    string("message", detail ?? reason.explanation)
    end()
  }

  package mutating func incident(_ event: IncidentEvent) {
    let incident = event.incident
    begin("incident")
    string("id", incident.id)
    string("event", event.change.rawValue)
    number("sequence", incident.sequence)
    string("kind", incident.kind.rawValue)
    string("cause", incident.cause.rawValue)
    string("severity", incident.severity.rawValue)
    time("time", Timestamp(microseconds: event.change == .opened ? incident.first : incident.last))
    time("first", Timestamp(microseconds: incident.first))
    time("last", Timestamp(microseconds: incident.last))
    number("count", incident.count)
    let clients = incident.kind == .orphanSuspected ? [incident.subject] : incident.members.keys.sorted()
    strings("clients", clients)
    string("clientID", incident.clientID)
    string("clientIP", incident.clientIP)
    strings("servers", incident.servers)
    string("role", incident.role)
    string("protocol", incident.protocolName)
    string("cipher", incident.cipher)
    string("code", incident.code)
    string("symbol", incident.symbol)
    if let alert = incident.alert { number("alert", UInt64(clamping: alert)) }
    if let area = incident.area { number("area", UInt64(clamping: area)) }
    string("feature", incident.feature?.rawValue)
    string("stack", incident.stack?.rawValue)
    string("confidence", incident.confidence.rawValue)
    strings("evidence", incident.evidence + incident.latestEvidence)
    string("message", Alert.sentence(event))
    string("remedy", incident.remedy)
    end()
  }

  private mutating func strings(_ name: String, _ values: [String]) {
    guard !values.isEmpty else { return }
    key(name)
    bytes.append(0x5B)
    for (index, value) in values.enumerated() {
      if index > 0 { bytes.append(0x2C) }
      quoted(value)
    }
    bytes.append(0x5D)
  }

  /// An object of the caller's: `body` adds its keys in order.
  package mutating func object(type: String, _ body: (inout JSONLines) -> Void) {
    begin(type)
    body(&self)
    end()
  }

  // MARK: Keys

  private mutating func begin(_ type: String) {
    bytes += "{\"schema\":1,\"type\":\"".utf8
    bytes += type.utf8
    bytes.append(0x22)
    isFirst = false
  }

  private mutating func end() { bytes += "}\n".utf8 }

  private mutating func key(_ name: String) {
    if !isFirst { bytes.append(0x2C) }
    isFirst = false
    bytes.append(0x22)
    bytes += name.utf8
    bytes += "\":".utf8
  }

  package mutating func string(_ name: String, _ value: String?) {
    guard let value, !value.isEmpty else { return }
    key(name)
    quoted(value)
  }

  package mutating func number(_ name: String, _ value: UInt64) {
    key(name)
    bytes += String(value).utf8
  }

  package mutating func time(_ name: String, _ value: Timestamp?) {
    guard let value else { return }
    key(name)
    bytes.append(0x22)
    value.appendRFC3339(to: &bytes)
    bytes.append(0x22)
  }

  /// Numbers under one key, in the given order; entries of 0 are left out.
  package mutating func numbers(_ name: String, _ values: [(String, UInt64)]) {
    key(name)
    bytes.append(0x7B)
    var isFirstValue = true
    for (valueName, value) in values where value > 0 {
      if !isFirstValue { bytes.append(0x2C) }
      isFirstValue = false
      quoted(valueName)
      bytes.append(0x3A)
      bytes += String(value).utf8
    }
    bytes.append(0x7D)
  }

  private mutating func quoted(_ value: String) {
    bytes.append(0x22)
    var isAfterC2 = false
    for byte in value.utf8 {
      // U+0080 to U+009F: terminals take them for controls too.
      if isAfterC2, byte < 0xA0 {
        let digits = Array("0123456789abcdef".utf8)
        bytes.removeLast()
        bytes += "\\u00".utf8
        bytes.append(digits[Int(byte >> 4)])
        bytes.append(digits[Int(byte & 15)])
        isAfterC2 = false
        continue
      }
      isAfterC2 = byte == 0xC2
      switch byte {
      case 0x22: bytes += "\\\"".utf8
      case 0x5C: bytes += "\\\\".utf8
      case 0x0A: bytes += "\\n".utf8
      case 0x0D: bytes += "\\r".utf8
      case 0x09: bytes += "\\t".utf8
      case 0..<0x20, 0x7F:
        let digits = Array("0123456789abcdef".utf8)
        bytes += "\\u00".utf8
        bytes.append(digits[Int(byte >> 4)])
        bytes.append(digits[Int(byte & 15)])
      default: bytes.append(byte)
      }
    }
    bytes.append(0x22)
  }
}
