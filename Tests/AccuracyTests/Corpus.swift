import Foundation
import Records

/// The shapes that the corpus writes, as the rows of `MatrixTests` name them.
enum RecordShape: String, CaseIterable, Sendable {
  case cmtrace, managed, simple
  /// Local times without a bias, in a file that native code writes as well: its records tell the bias.
  case managedBesideNative = "managed beside native"
  case consoleBesideNative = "sms-admin-ui beside native"
  case windowsUpdate7 = "windows-update 7"
  case windowsUpdate10 = "windows-update 10"
  case errorLog = "sql-errorlog"
  case wideErrorLog = "sql-errorlog utf-16"
  case console = "sms-admin-ui"
  case distribution = "software-distribution"
  case prerequisites = "setup"
  case w3c, httperr
  case xml = "event-xml"
  case prettyXML = "event-xml pretty"
  case wrappedXML = "event-xml <Events>"
  case winlogbeat7 = "winlogbeat 7"
  case winlogbeat8 = "winlogbeat 8"
  case nxlog, openWEC = "openwec"
  case openWECRaw = "openwec raw-json"
  case fluentBit = "fluent-bit events"
  case fluentBitInserts = "fluent-bit inserts"
  case wazuh, vector = "vector events"
  case openTelemetry = "otel events"
  case prettyJSON = "event-json pretty"
  case snare
  case blankSnare = "snare blanks"
  case viewer = "event-text"

  /// Formats whose records name a local time and nothing that tells its zone.
  static let onLocalClock: Set<RecordShape> = [
    .managed, .windowsUpdate7, .windowsUpdate10, .errorLog, .wideErrorLog, .console, .prerequisites, .nxlog, .snare,
    .blankSnare, .viewer,
  ]

  /// The rendered text is all that came.
  var isEventText: Bool { self == .snare || self == .blankSnare || self == .viewer }
}

/// A record as it lies in a file, with everything that a finding on it must say.
struct PlacedRecord: Sendable {
  var id: String
  var shape: RecordShape
  var path: String
  var offset: UInt64
  /// As written, for messages.
  var line: String
  var expectation: Expectation
  /// Nil where the shape carries no time that this version frames.
  var time: Timestamp?
  var isTimeJudged = true
  var host: String
  var client: Wanted
  var server: Wanted
  var code: Wanted
  /// The row of the census that the record adds to, `client|server|protocol` in lower case.
  var sighting: String?
  /// Where the record came through a forwarder: the bytes of its first envelope, and how many it came in.
  var relayed: (length: UInt64, parts: Int)?
}

/// Generated logs in a folder, and the truth about them.
struct Corpus: Sendable {
  var folder: String
  var season: Season
  var records: [PlacedRecord] = []
  /// Clients of IIS rows that are no recovery row: their sightings are neither demanded nor wrong.
  var otherClients: Set<String> = []
  var byteCount = 0

  /// Writes the logs of one seed: every row of the knowledge base in scope `variantCount` times, and decoys among them.
  init(
    seed: UInt64, variantCount: Int, rows: [SignalRow], at root: String, season: Season = .utc, isPlain: Bool = false
  ) throws {
    folder = "\(root)-\(seed)"
    self.season = season
    try? FileManager.default.removeItem(atPath: folder)
    var writer = CorpusWriter(seed: seed, season: season, isPlain: isPlain)
    for payload in Corpus.payloads(rows, variantCount, &writer.dice) { writer.add(payload) }
    for stream in writer.finish() {
      let path = folder + "/" + stream.path
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try Data(stream.bytes).write(to: URL(fileURLWithPath: path))
      byteCount += stream.bytes.count
    }
    records = writer.records
    otherClients = writer.otherClients
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  /// Every row in scope, in turn, then the decoys, shuffled.
  private static func payloads(_ rows: [SignalRow], _ variantCount: Int, _ dice: inout Dice) -> [Payload] {
    var payloads: [Payload] = []
    for row in rows where Scope.contains(row) {
      for _ in 0..<variantCount {
        let payload: Payload
        switch row.prefix {
        case "IIS", "WIN7": payload = RowSignals.iis(row, &dice)
        case "HTTPERR": payload = RowSignals.httpError(row, &dice)
        case "SCH": payload = EventSignals.payload(row, &dice)
        case "SQLLOG": payload = ErrorLogSignals.payload(row, &dice)
        default: payload = TextSignals.payload(row, &dice)
        }
        payloads.append(payload)
      }
    }
    payloads += Decoys.make(rows, payloads.count / 6, &dice)
    payloads.shuffle(using: &dice)
    return payloads
  }
}

/// Records that look like evidence and are none: neighbours of codes, and the words in harmless sentences.
enum Decoys {
  private static let logs = [
    "CcmMessaging", "LocationServices", "ccmsetup", "WUAHandler", "PolicyAgent", "smsexec", "wsyncmgr", "srsrp", "hman",
    "SMS_REST_PROVIDER", "SmsAdminUI",
  ]
  private static let sentences = [
    "Processed 12175 of 80072 rows for {80072F8F-1111-4222-8333-944455556666}",
    "Listening on port 12030, 12002 items queued",
    "TLS certificate review finished without errors", "Secure channel to the domain controller verified",
    "The secure channel is in order", "Connection closed after 12029 ms, status 200", "Certificate is valid until 2027",
    "Registration task is idle, last registration succeeded", "Sync of 80090331 bytes finished",
    "Checking whether the underlying file was closed", "Successfully queued event for inventory",
    "Post to the message queue finished", "Handshake of the protocol tests is documented",
    "SQL Server Native Client 11.0 found", "TCP Provider loaded", "The client and the server share a common algorithm",
    "StatusCode=200 StatusText=OK", "lpvStatusInformation is 0x0", "Sync time: 0d00h03m12s",
    "Thread 12157 started, hr=0x00000000", "Chain 0 status: NoError",
    "Selected certificate for TLS client authentication",
    "Package 80072EFE_1 was distributed", "Transferred 2148074289 bytes in 31 seconds", "errorlevel 12175",
  ]

  static func make(_ rows: [SignalRow], _ count: Int, _ dice: inout Dice) -> [Payload] {
    var known: Set<UInt32> = []
    for row in rows {
      for cell in row.match + [row.code ?? ""] where cell.hasPrefix("0x") {
        if let value = UInt32(cell.dropFirst(2), radix: 16) { known.insert(value) }
      }
    }
    let codes = rows.compactMap { row in Scope.contains(row) ? row.code : nil }
      .compactMap { UInt32($0.dropFirst(2), radix: 16) }
    return (0..<count).map { _ in
      let log = dice.pick(logs)
      if dice.chance(40) { return Payload("DECOY-WORDS", dice.pick(sentences), log: log, .quiet) }
      // A code next to one of the table that is itself in no row.
      var code = dice.pick(codes)
      repeat { code = dice.chance(50) ? code &+ 1 : code &- 1 } while known.contains(code)
      let hex = "0x" + hexText(UInt64(code), 8)
      var spellings = [hex, "0x" + hex.dropFirst(2).uppercased(), String(code), String(Int32(bitPattern: code))]
      if hex.hasPrefix("0x80072") {
        spellings += ["0x" + hex.suffix(4), String(code & 0xFFFF), "error code \(code & 0xFFFF)"]
      }
      let text = TextSignals.put(
        dice.pick(spellings),
        dice.pick(["Failed to send request, error #", "Error = #", "ErrorCode = #", "status # (#)"]))
      return Payload("DECOY-CODE", text, log: log, .quiet)
    }
  }
}
