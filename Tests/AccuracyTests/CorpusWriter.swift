import Foundation
import Records

/// Sets payloads into record shapes and envelopes of formats.md and keeps the truth about each.
///
/// One file per host, log and way of forwarding. A host has one bias and one way; its clock only goes forward.
struct CorpusWriter {
  var dice: Dice
  private(set) var records: [PlacedRecord] = []
  private(set) var otherClients: Set<String> = []
  private var streams: [String: Stream] = [:]
  private var clientNumber = 0

  struct Stream {
    var path: String
    var bytes: [UInt8] = []
    /// Microseconds since 1970.
    var clock: Int64
    /// Rows: the columns in force.
    var fields: [String] = []
    var ends: String? = nil
    /// UTF-16, the low byte first, behind a byte order mark.
    private(set) var isWide = false

    mutating func widen() {
      guard bytes.isEmpty else { return }
      isWide = true
      bytes = [0xFF, 0xFE]
    }

    mutating func append(_ text: String) {
      guard isWide else {
        bytes += text.utf8
        return
      }
      for unit in text.utf16 { bytes += [UInt8(unit & 0xFF), UInt8(unit >> 8)] }
    }
  }

  /// How a host's logs came here.
  private enum Way { case plain, rsyslogFile, rsyslogTraditional, rfc5424, filebeat }

  private struct Host {
    var name: String
    var way: Way
    /// Minutes to add to local time, and how the log spells it.
    var bias: Int
    var biasText: String
  }

  private static let biases = [
    (300, "+300"), (-60, "-60"), (-330, "-330"), (0, "+000"), (0, "+00"), (480, "+480"), (-120, "-120"), (240, "+240"),
  ]
  private static let ways: [Way] = [
    .plain, .plain, .plain, .rsyslogFile, .rsyslogTraditional, .rfc5424, .filebeat,
  ]

  /// - Parameter isPlain: no file has been through a forwarder.
  init(seed: UInt64, season: Season, isPlain: Bool = false) {
    dice = Dice(seed)
    self.season = season
    self.isPlain = isPlain
  }
  private let season: Season
  private let isPlain: Bool

  private func host(_ prefix: String, _ number: Int, _ suffix: String = "") -> Host {
    let bias = Self.biases[number % Self.biases.count]
    let name = prefix + padded(number, prefix == "PC-" ? 4 : 2) + suffix
    let way = isPlain ? .plain : Self.ways[number % Self.ways.count]
    return Host(name: name, way: way, bias: bias.0, biasText: bias.1)
  }

  mutating func finish() -> [Stream] {
    streams.values.map { stream in
      var stream = stream
      if let ends = stream.ends { stream.append(ends) }
      return stream
    }.sorted { $0.path < $1.path }
  }

  mutating func add(_ payload: Payload) {
    switch payload.body {
    case .text(let text, let log): addText(payload, text, log)
    case .row(let row): addRow(payload, row)
    case .httpError(let row): addHTTPError(payload, row)
    case .event(let event): addEvent(payload, event)
    }
  }

  // MARK: Streams

  /// The stream at `path`, moved on by some seconds to a moment of `digits` fraction digits.
  private mutating func open(_ path: String, digits: Int) -> Stream {
    var stream = streams[path] ?? Stream(path: path, clock: season.start + Int64(dice.roll(3600)) * 1_000_000)
    let unit: Int64 = digits == 0 ? 1_000_000 : digits == 2 ? 10_000 : digits == 3 ? 1000 : 1
    stream.clock = (stream.clock + Int64(1 + dice.roll(20_000_000))) / unit * unit + unit
    return stream
  }

  private mutating func place(
    _ payload: Payload, _ text: String, _ stream: inout Stream, _ shape: RecordShape, host: String, time: Timestamp?,
    client: Wanted, server: Wanted, isTimeJudged: Bool = true
  ) {
    records.append(
      PlacedRecord(
        id: payload.id, shape: shape, path: stream.path, offset: UInt64(stream.bytes.count), line: text,
        expectation: payload.expectation, time: time, isTimeJudged: isTimeJudged, host: host, client: client,
        server: server, code: payload.code))
    stream.append(text)
  }

  /// The record placed last is a sighting.
  private mutating func sight(_ client: String, _ server: String, _ protocolName: String) {
    records[records.count - 1].sighting = "\(client)|\(server)|\(protocolName)".lowercased()
  }

  // MARK: Text logs

  private mutating func addText(_ payload: Payload, _ text: String, _ log: String) {
    let kind = LogKind(log: log)
    let host: Host
    switch kind.writer {
    case .client: host = self.host("PC-", 1 + dice.roll(24))
    case .console: host = self.host("ADMIN", 1 + dice.roll(6))
    case .server: host = self.host("CM", 1 + dice.roll(12))
    }
    let shape = shape(of: kind, log, host)
    let folder = kind.shape == .site ? "SMS/Logs" : "CCM/Logs"
    let marker = shape == .windowsUpdate7 ? "/archive" : ""
    var stream = open(
      (host.way == .plain
        ? "\(host.name)/\(folder)\(marker)/\(log).log" : "collector01/\(host.name)\(marker)_\(log).log"),
      digits: digits(of: shape))
    let time = Timestamp(microseconds: stream.clock)
    if shape == .wideErrorLog { stream.widen() }
    let isBesideNative = shape == .managedBesideNative || shape == .consoleBesideNative
    if isBesideNative, stream.bytes.isEmpty || dice.chance(20) {
      stream.append(enveloped(frame(dice.pick(fillers), .cmtrace, kind, host, time), host, log, time))
      // A script writes a bias that means nothing: it teaches none (formats.md §1.1).
      if dice.chance(50) { stream.append(enveloped(scripted(host, time), host, log, time)) }
    }
    if dice.chance(30) {
      stream.append(enveloped(frame(dice.pick(fillers), shape, kind, host, time), host, log, time))
    }
    let record = enveloped(frame(text, shape, kind, host, time), host, log, time)
    let client: Wanted
    switch kind.writer {
    case .client: client = .one(host.name)
    case .console: client = .any([host.name, nil])
    case .server: client = .one(payload.client)
    }
    // SQL Server's own log is the server's.
    place(
      payload, record, &stream, shape, host: host.name, time: time, client: client,
      server: shape == .errorLog || shape == .wideErrorLog ? .one(host.name) : payload.server)
    streams[stream.path] = stream
    if case .sighting = payload.expectation {
      sight(
        payload.sightedClient ?? (kind.writer == .server ? "" : host.name),
        payload.isSightedAtHost ? host.name : payload.sightedServer, payload.sightedProtocol)
    }
  }

  private func digits(of shape: RecordShape) -> Int {
    switch shape {
    case .managed, .managedBesideNative: 6
    case .console, .consoleBesideNative, .prerequisites: 0
    case .errorLog, .wideErrorLog: 2
    default: 3
    }
  }

  /// A record as administrators' scripts imitate the format: zero for a bias, whatever the zone.
  private func scripted(_ host: Host, _ time: Timestamp) -> String {
    let local = time.adding(minutes: -host.bias).civil
    return "<![LOG[Repair finished]LOG]!><time=\"\(clock(local))+000\" "
      + "date=\"\(padded(local.month))-\(padded(local.day))-\(local.year)\" component=\"Repair\" context=\"\" "
      + "type=\"1\" thread=\"4120\" file=\"repair.ps1\">"
  }

  private var fillers: [String] {
    [
      "Entering the main loop", "Evaluating 12 items", "Heartbeat of thread 4120", "Policy is up to date",
      "Nothing to do, sleeping", "Loaded 3 certificates", "Pr\u{FC}fung beendet \u{2013} 2 Eintr\u{E4}ge \u{1D4D0}",
    ]
  }

  /// A file keeps to one shape: site-server components write either (1 host in 4 is CMTrace), as the console does.
  private func shape(of kind: LogKind, _ log: String, _ host: Host) -> RecordShape {
    let turn = Int(host.name.utf8.last!)
    switch log {
    case "WindowsUpdate": return turn % 2 == 0 ? .windowsUpdate7 : .windowsUpdate10
    // A relay has decoded what it sends on.
    case "ERRORLOG": return host.way == .plain && turn % 2 == 0 ? .wideErrorLog : .errorLog
    case "SmsAdminUI": return [.console, .consoleBesideNative, .cmtrace][turn % 3]
    case "SoftwareDistribution": return .distribution
    case "ConfigMgrPrereq": return .prerequisites
    default: break
    }
    switch kind.shape {
    case .managed: return turn % 2 == 0 ? .managedBesideNative : .managed
    case .site: return turn % 4 != 1 ? .simple : .cmtrace
    default: return .cmtrace
    }
  }

  private mutating func frame(
    _ text: String, _ shape: RecordShape, _ kind: LogKind, _ host: Host, _ time: Timestamp
  ) -> String {
    let own: Civil
    switch shape {
    case .distribution: own = time.civil
    case .consoleBesideNative, .managedBesideNative: own = time.adding(minutes: -host.bias).civil
    // Local time without a bias: the zone of the run counts.
    default: own = season.local(time).civil
    }
    let day = "\(own.year)-\(padded(own.month))-\(padded(own.day))"
    let short = "\(padded(own.hour)):\(padded(own.minute)):\(padded(own.second))"
    switch shape {
    case .windowsUpdate7: return "\(day)\t\(short):\(padded(own.microsecond / 1000, 3))\t 968\t9d0\tAgent\t  * \(text)"
    case .windowsUpdate10:
      return
        "\(day.replacingOccurrences(of: "-", with: "/")) \(short).\(padded(own.microsecond / 1000, 3))0000 4388  10044 WebServices     \(text)"
    case .errorLog, .wideErrorLog:
      return text.split(separator: "\n").map { "\(day) \(short).\(padded(own.microsecond / 10_000)) spid12s     \($0)" }
        .joined(separator: "\r\n")
    case .console, .consoleBesideNative:
      return
        "[\(1 + dice.roll(30)), PID:\(1000 + dice.roll(9000))][\(padded(own.month))/\(padded(own.day))/\(own.year) \(short)] :\(text.replacingOccurrences(of: "\n", with: "\r\n"))"
    case .distribution:
      return
        "\(day) \(short).\(padded(own.microsecond / 1000, 3)) UTC\tError\tw3wp.\(dice.roll(90))\tClientImplementation.GetCookie\t\(text.replacingOccurrences(of: "\n", with: "\r\n"))"
    case .prerequisites:
      return
        "<\(padded(own.month))-\(padded(own.day))-\(own.year) \(short)> \(text.replacingOccurrences(of: "\n", with: " "))"
    default: break
    }
    let isSite = shape == .simple
    let thread = 900 + dice.roll(9000)
    if isSite {
      let local = time.adding(minutes: -host.bias).civil
      let lead = dice.chance(20) && !text.hasPrefix("~") ? "~" : ""
      let tail = dice.pick(["", "~", "~~"])
      let message = text.replacingOccurrences(of: "\n", with: "~~")
      return lead + message + tail
        + "  $$<\(kind.component)><\(padded(local.month))-\(padded(local.day))-\(local.year) "
        + "\(clock(local))\(host.biasText)><thread=\(thread) (0x\(String(thread, radix: 16, uppercase: true)))>"
    }
    let message = text.replacingOccurrences(of: "\n", with: "\r\n")
    if shape == .managed || shape == .managedBesideNative {
      // No bias. Single digits for month and day.
      let local = own
      let fraction = padded(local.microsecond, 6) + "7"
      return
        "<![LOG[\(message)]LOG]!><time=\"\(local.hour):\(padded(local.minute)):\(padded(local.second)).\(fraction)\" "
        + "date=\"\(local.month)-\(local.day)-\(local.year)\" component=\"\(kind.component)\" context=\"\" type=\"3\" "
        + "thread=\"\(thread)\" file=\"\">"
    }
    let local = time.adding(minutes: -host.bias).civil
    return "<![LOG[\(message)]LOG]!><time=\"\(clock(local))\(host.biasText)\" "
      + "date=\"\(padded(local.month))-\(padded(local.day))-\(local.year)\" component=\"\(kind.component)\" context=\"\" "
      + "type=\"\(dice.roll(4))\" thread=\"\(thread)\" file=\"source\(dice.roll(9)).cpp:\(1 + dice.roll(2000))\">"
  }

  private typealias Civil = (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, microsecond: Int)

  private func clock(_ c: Civil) -> String {
    "\(padded(c.hour)):\(padded(c.minute)):\(padded(c.second)).\(padded(c.microsecond / 1000, 3))"
  }

  /// The record behind the header of its host's forwarder, with the line end.
  private func enveloped(_ record: String, _ host: Host, _ log: String, _ time: Timestamp) -> String {
    let received = time.adding(minutes: 1).rfc3339
    let flat = record.replacingOccurrences(of: "\r", with: "#015").replacingOccurrences(of: "\n", with: "#012")
    switch host.way {
    case .plain: return record + "\r\n"
    case .rsyslogFile: return "\(received.dropLast())+00:00 \(host.name) \(log): \(flat)\n"
    case .rsyslogTraditional:
      return "\(Rendering.traditional(season.local(time))) \(host.name) \(log): \(flat)\n"
    case .rfc5424: return "<134>1 \(received) \(host.name) \(log) - - - \(flat)\n"
    case .filebeat:
      return "{\"@timestamp\":\"\(received)\",\"log\":{\"offset\":\(records.count),\"file\":{\"path\":"
        + "\"C:\\\\Windows\\\\CCM\\\\Logs\\\\\(log).log\"}},\"message\":\(json(record)),\"input\":{\"type\":\"filestream\"},"
        + "\"host\":{\"name\":\"\(host.name)\"},\"agent\":{\"type\":\"filebeat\",\"version\":\"8.17.0\"}}\n"
    }
  }

  private func json(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\r": out += "\\r"
      case "\n": out += "\\n"
      case "\t": out += "\\t"
      // As Go's encoder writes them.
      case "<": out += "\\u003c"
      case ">": out += "\\u003e"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }

  // MARK: Rows

  private mutating func clientAddress() -> String {
    clientNumber += 1
    return "10.\(clientNumber >> 16 & 255).\(clientNumber >> 8 & 255).\(clientNumber & 255)"
  }

  private mutating func addRow(_ payload: Payload, _ row: IISRow) {
    let host = self.host("MP", 1 + dice.roll(12))
    let isFilebeat = host.way == .filebeat
    let hasCrypt = row.needsCrypt || dice.chance(60)
    let name = isFilebeat ? "collector01/\(host.name)_u_ex260302" : "\(host.name)/W3SVC1/u_ex260302"
    var stream = open(name + (hasCrypt ? "_x.log" : ".log"), digits: 0)
    if stream.fields.isEmpty || dice.chance(3) { header(&stream, host, hasCrypt, isFilebeat) }
    let time = Timestamp(microseconds: stream.clock)
    let address = clientAddress()
    let own = "10.200.0.\(1 + Int(host.name.utf8.last! % 50))"
    let client = row.isOwn ? own : address
    let civil = time.civil
    let computer = host.name + "-IIS"
    let values: [String: String] = [
      "date": "\(civil.year)-\(padded(civil.month))-\(padded(civil.day))",
      "time": "\(padded(civil.hour)):\(padded(civil.minute)):\(padded(civil.second))", "s-ip": own,
      "s-computername": computer, "s-sitename": "W3SVC1", "cs-method": row.method, "cs-uri-stem": row.stem,
      "cs-uri-query": row.query, "s-port": row.port, "cs-username": "-", "c-ip": client, "cs-version": "HTTP/1.1",
      "cs(User-Agent)": row.agent, "cs(Referer)": "-", "sc-status": row.status, "sc-substatus": row.substatus,
      "sc-win32-status": row.win32, "sc-bytes": "542", "cs-bytes": "389", "time-taken": "\(dice.roll(3000))",
      "crypt-protocol": row.crypt[0], "crypt-cipher": row.crypt[1], "crypt-hash": row.crypt[2],
      "crypt-keyexchange": row.crypt[3], "X-Forwarded-For": "-",
    ]
    let line = stream.fields.map { values[$0]! }.joined(separator: " ")
    let server = stream.fields.contains("s-computername") ? computer : host.name
    // The day of rows without a date column is that of the file's last #Date.
    place(
      payload, wrapped(line, host, "u_ex260302", isFilebeat, time), &stream, .w3c, host: host.name, time: time,
      client: .one(client), server: .one(server))
    streams[stream.path] = stream
    if case .sighting = payload.expectation {
      sight(client, server, hasCrypt ? payload.sightedProtocol : "")
    } else if !row.isOwn {
      otherClients.insert(client)
    }
  }

  private mutating func header(_ stream: inout Stream, _ host: Host, _ hasCrypt: Bool, _ isFilebeat: Bool) {
    var fields = [
      "date", "time", "s-ip", "cs-method", "cs-uri-stem", "cs-uri-query", "s-port", "cs-username", "c-ip",
      "cs(User-Agent)", "sc-status", "sc-substatus", "sc-win32-status", "time-taken",
    ]
    for name in [
      "s-computername", "s-sitename", "cs-version", "cs(Referer)", "sc-bytes", "cs-bytes", "X-Forwarded-For",
    ]
    where dice.chance(50) {
      fields.append(name)
    }
    if hasCrypt { fields += ["crypt-protocol", "crypt-cipher", "crypt-hash", "crypt-keyexchange"] }
    if dice.chance(70) { fields.shuffle(using: &dice) }
    stream.fields = fields
    let civil = Timestamp(microseconds: stream.clock).civil
    let time = Timestamp(microseconds: stream.clock)
    for line in [
      "#Software: Microsoft Internet Information Services 10.0", "#Version: 1.0",
      "#Date: \(civil.year)-\(padded(civil.month))-\(padded(civil.day)) \(padded(civil.hour)):\(padded(civil.minute)):00",
      "#Fields: " + fields.joined(separator: " "),
    ] {
      stream.append(wrapped(line, host, "u_ex260302", isFilebeat, time))
    }
  }

  private func wrapped(_ line: String, _ host: Host, _ log: String, _ isFilebeat: Bool, _ time: Timestamp) -> String {
    isFilebeat ? enveloped(line, host, log, time) : line + "\r\n"
  }

  private mutating func addHTTPError(_ payload: Payload, _ row: HTTPErrorRow) {
    let host = self.host("MP", 1 + dice.roll(12))
    var stream = open("\(host.name)/HTTPERR/httperr1.log", digits: 0)
    if stream.fields.isEmpty || dice.chance(5) {
      var fields = [
        "date", "time", "c-ip", "c-port", "s-ip", "s-port", "cs-version", "cs-method", "cs-uri", "sc-status",
        "s-siteid",
        "s-reason", "s-queuename",
      ]
      let build = dice.roll(3)
      if build > 0 { fields.insert("streamid", at: 9) }
      if build > 1 {
        fields.insert("streamid_ex", at: 10)
        fields.append("transport")
      }
      stream.fields = fields
      stream.append(
        "#Software: Microsoft HTTP API 2.0\r\n#Version: 1.0\r\n#Date: 2026-03-02 00:00:00\r\n#Fields: \(fields.joined(separator: " "))\r\n"
      )
    }
    let time = Timestamp(microseconds: stream.clock)
    let civil = time.civil
    let client = dice.chance(10) ? "fd00:4898::\(String(1 + dice.roll(0xFFF0), radix: 16))" : clientAddress()
    let values: [String: String] = [
      "date": "\(civil.year)-\(padded(civil.month))-\(padded(civil.day))",
      "time": "\(padded(civil.hour)):\(padded(civil.minute)):\(padded(civil.second))",
      "c-ip": client.contains(":") ? client + "%0" : client, "c-port": "\(1024 + dice.roll(60000))",
      "s-ip": "10.200.0.9",
      "s-port": "443", "cs-version": "HTTP/1.1", "cs-method": "POST", "cs-uri": row.uri, "streamid": "-",
      "streamid_ex": "-", "sc-status": row.status, "s-siteid": "1", "s-reason": row.reason,
      "s-queuename": "CCM+Server+Framework+Pool", "transport": "TCP",
    ]
    let line = stream.fields.map { values[$0]! }.joined(separator: " ") + "\r\n"
    place(
      payload, line, &stream, .httperr, host: host.name, time: time, client: .one(client), server: .one(host.name))
    streams[stream.path] = stream
  }

  // MARK: Events

  private mutating func addEvent(_ payload: Payload, _ event: EventRecord) {
    let host = self.host("SRV", 1 + dice.roll(6), ".corp.example").name
    // Text alone says only what its message says.
    var shapes: [RecordShape] = [
      .xml, .prettyXML, .wrappedXML, .winlogbeat7, .winlogbeat8, .nxlog, .openWEC, .openWECRaw, .wazuh, .openTelemetry,
      .prettyJSON,
    ]
    // These lose data that stand in UserData (formats.md §5).
    if !event.isUserData { shapes += [.fluentBit, .fluentBitInserts, .vector] }
    // The newest text of 36888 leaves the state out (formats.md §4.1): where it decides, text says something else.
    let text = payload.id.hasPrefix("SCH-STATE") ? nil : Rendering.message(event)
    let shape = text != nil && dice.chance(35) ? dice.pick([.snare, .blankSnare, .viewer]) : dice.pick(shapes)
    let isJSON = ![.xml, .prettyXML, .wrappedXML].contains(shape) && !shape.isEventText
    var stream = open(
      "\(host)/\(event.channel.replacingOccurrences(of: "/", with: "-"))-\(shape)\(isJSON ? ".json" : ".xml")",
      digits: shape.isEventText || [.nxlog, .fluentBit, .fluentBitInserts].contains(shape) ? 0 : 6)
    let time = Timestamp(microseconds: stream.clock)
    let local = season.local(time)
    if shape == .wrappedXML, stream.bytes.isEmpty {
      stream.append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Events>\n")
      stream.ends = "</Events>\n"
    }
    let rendered: String
    switch shape {
    case .prettyXML: rendered = Rendering.xml(event, host, time, isPretty: true, &dice)
    case .winlogbeat7: rendered = Rendering.winlogbeat(event, host, time, version: 7, json, &dice)
    case .winlogbeat8: rendered = Rendering.winlogbeat(event, host, time, version: 8, json, &dice)
    case .nxlog: rendered = Rendering.nxlog(event, host, local, json)
    case .openWEC: rendered = Rendering.openWEC(event, host, time, json, &dice)
    case .openWECRaw: rendered = Rendering.openWECRaw(event, host, time, json, &dice)
    case .fluentBit, .fluentBitInserts:
      rendered = Rendering.fluentBit(
        event, host, local, minutesEast: season.minutesEast(at: time), hasNames: shape == .fluentBit, json)
    case .wazuh: rendered = Rendering.wazuh(event, host, time, json)
    case .vector: rendered = Rendering.vector(event, host, time, json)
    case .openTelemetry: rendered = Rendering.openTelemetry(event, host, time, json)
    case .prettyJSON:
      let flat =
        dice.chance(50)
        ? Rendering.winlogbeat(event, host, time, version: 8, json, &dice)
        : Rendering.openWEC(event, host, time, json, &dice)
      rendered = Rendering.pretty(flat)
    case .snare: rendered = Rendering.snare(event, host, local, text!, separator: "\t")
    case .blankSnare: rendered = Rendering.snare(event, host, local, text!, separator: " ")
    case .viewer: rendered = Rendering.viewer(event, host, local, text!)
    default: rendered = Rendering.xml(event, host, time, isPretty: false, &dice)
    }
    let (client, server) = sides(event, host)
    let isText = shape.isEventText
    place(
      payload, rendered, &stream, shape, host: host, time: time, client: isText ? .any([host, nil]) : client,
      // Of these texts only that of 36871 says which side the machine was on.
      server: !isText || event.id == 36871 ? server : .open)
    streams[stream.path] = stream
    if case .sighting = payload.expectation {
      let isClient = event.value("Type") == "client"
      if event.id == 36880 {
        sight(isClient ? host : "", isClient ? event.value("TargetName") ?? "" : host, payload.sightedProtocol)
      } else {
        sight("", host, payload.sightedProtocol)
      }
    }
  }

  /// Who was client and who was server, as far as the event says.
  private func sides(_ event: EventRecord, _ host: String) -> (Wanted, Wanted) {
    let target = event.value("TargetName") ?? event.value("Name")
    switch event.value("Type") {
    case "client"?: return (.one(host), .one(target))
    case "server"?: return (.one(nil), .one(host))
    default:
      // 36874 is written by the server that refused; a target was named by the side that called it.
      if event.id == 36874 { return (.one(nil), .one(host)) }
      if let target { return (.any([host, nil]), .one(target)) }
      return (.any([host, nil]), .any([host, nil]))
    }
  }
}
