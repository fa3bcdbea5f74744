import Records

/// One Windows event, before a forwarder renders it.
struct EventRecord: Sendable {
  var provider = "Schannel"
  var id: Int
  var channel = "System"
  var data: [(String, String)]
  /// The LSA_NS events keep their data in UserData/EventXML.
  var isUserData: Bool
  var message: String
}

/// Rows about Schannel events: data by id and build (formats.md §4.1).
enum EventSignals {
  /// An alert that fits a state, so that both of the record's rows agree.
  private static let alerts: [String: [Int]] = [
    "10": [10], "107": [42, 46], "120": [80, 47], "252": [47, 80], "808": [46, 49], "813": [48], "900": [80],
    "960": [20, 51], "1203": [10], "1205": [40, 70], "1207": [47, 80],
  ]
  /// Ids whose newer builds put the calling process first (marked † in formats.md).
  private static let callers: Set<Int> = [
    36867, 36869, 36870, 36871, 36872, 36873, 36874, 36875, 36876, 36877, 36878, 36879, 36881, 36882, 36883, 36884,
    36885, 36886, 36887, 36888, 36889, 36896, 36897, 36898, 36899, 36912,
  ]

  static func payload(_ row: SignalRow, _ dice: inout Dice) -> Payload {
    var expectation = row.expectation!
    let parts = row.suffix.split(separator: "-").map(String.init)
    if parts[0] == "STATE" {
      let state = parts[1]
      guard let known = alerts[state] else {
        // 1001 and 10013 are states of credentials: 36871.
        return event(row, 36871, [("Type", side(&dice)), ("ErrorState", state)], expectation, .one("36871"), &dice)
      }
      let alert = dice.pick(known)
      // The alert is what the protocol says; the state is Windows' own label for it.
      expectation = expectation.or(SignalTable.byID["SCH-36887-\(alert)"]?.expectation?.classes ?? [])
      let data = [("AlertDesc", "\(alert)"), ("ErrorState", state)]
      return event(row, 36888, data, expectation, .one("\(alert)"), &dice)
    }
    if parts.count == 2, parts[0] == "36887" {
      if dice.chance(50) {
        return event(row, 36887, [("AlertDesc", parts[1])], expectation, .one(parts[1]), &dice)
      }
      let data = [("AlertDesc", parts[1]), ("ErrorState", "252")]
      return event(row, 36888, data, expectation, .one(parts[1]), &dice)
    }
    let id = Int(parts[0])! + (parts[0] == "36896" ? dice.roll(4) : 0)
    return event(row, id, data(id, &dice), expectation, .one("\(id)"), &dice)
  }

  private static func side(_ dice: inout Dice) -> String { dice.pick(["client", "server"]) }

  private static func data(_ id: Int, _ dice: inout Dice) -> [(String, String)] {
    let blob = [("__binLength", "4"), ("binaryData", "0A0B0C0D")]
    switch id {
    case 36865: return [("ModuleName", "RSA"), ("Error", "0x80090017")]
    case 36867, 36869: return [("Type", side(&dice))] + blob
    case 36868:
      return [
        ("Type", side(&dice)), ("CSPName", "Microsoft RSA SChannel Cryptographic Provider"), ("CSPType", "12"),
        ("KeyName", "te-5a0b"), ("KeyType", "key exchange"), ("KeyFlags", "0x20"),
      ] + blob
    case 36870: return [("Type", side(&dice)), ("ErrorCode", "0x8009030d"), ("ErrorStatus", "10001")]
    case 36871: return [("Type", side(&dice)), ("ErrorState", "10013")]
    case 36872: return [("Type", side(&dice)), ("ErrorCode", "0x80092004"), ("CertFlags", "0x0")] + blob
    case 36874: return [("Protocol", dice.pick(["TLS 1.0", "TLS 1.2"]))]
    case 36876, 36877: return [("ErrorCode", dice.pick(["0x80092012", "0x80090325", "0x80096004"]))] + blob
    case 36878, 36879: return [("ErrorCode", "0x8009030c")] + blob
    case 36880:
      let side = side(&dice)
      return [
        ("Type", side), ("Protocol", dice.pick(["TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"])),
        ("CipherSuite", "0xc030"),
        ("ExchangeStrength", "384"), ("ContextHandle", "0x\(dice.hex(8))"),
        ("TargetName", side == "client" ? dice.server() : ""), ("LocalCertSubjectName", ""),
        ("RemoteCertSubjectName", ""),
      ]
    case 36881, 36882, 36883: return blob
    case 36884: return [("Name", dice.server())] + blob
    case 36889: return [("Type", side(&dice)), ("ErrorCode", "0x800b010a")] + blob
    case 36912: return [("Path", #"C:\ProgramData\keys"#)]
    case 36928: return [("FailureReason", "0x80092012"), ("OCSPResponderURL", "http://ocsp.corp.example/")]
    default: return []
    }
  }

  private static func event(
    _ row: SignalRow, _ id: Int, _ values: [(String, String)], _ expectation: Expectation, _ code: Wanted,
    _ dice: inout Dice
  ) -> Payload {
    var values = values
    let target = dice.server()
    let isNewer = dice.chance(50)
    // The oldest builds have no target, newer ones an empty one where none was named (formats.md §4.1).
    let hasTarget = dice.chance(60)
    if id == 36888, hasTarget || isNewer { values.append(("TargetName", hasTarget ? target : "")) }
    if isNewer, callers.contains(id) {
      let process = dice.pick(["CcmExec", "lsass", "svchost", "w3wp"])
      values = [("CallerProcessId", "\(1000 + dice.roll(9000))"), ("CallerProcessImageName", process)] + values
    }
    let message = "Schannel event \(id): " + values.map { "\($0.0) is \($0.1)" }.joined(separator: ", ") + "."
    let record = EventRecord(id: id, data: values, isUserData: id == 36880, message: message)
    var payload = Payload(row.id, .event(record), expectation, code: code, server: .open)
    payload.sightedProtocol = values.first { $0.0 == "Protocol" }?.1 ?? ""
    return payload
  }
}
