import Records

/// The columns of one IIS row that carry its truth; the others are filled in when the row is written.
struct IISRow: Sendable {
  var method = "CCM_POST"
  var stem = "/ccm_system/request"
  var query = "-"
  var status = "200"
  var substatus = "0"
  var win32 = "0"
  var agent = "ccmhttp"
  var port = "443"
  /// Protocol, cipher, hash, key exchange as hexadecimal.
  var crypt = ["400", "6610", "800d", "ae06"]
  /// The request comes from the server itself.
  var isOwn = false
  /// The row says nothing without the TLS columns.
  var needsCrypt = false
}

struct HTTPErrorRow: Sendable {
  var reason: String
  var status = "-"
  var uri = "/ccm_system/request"
}

/// Field predicates of the knowledge base set into rows of IIS and HTTP.sys (formats.md §2, §3).
enum RowSignals {
  /// URIs of ConfigMgr roles: stem, method, agent.
  private static let requests: [(String, String, String)] = [
    ("/ccm_system/request", "CCM_POST", "ccmhttp"), ("/ccm_system_windowsauth/request", "CCM_POST", "ccmhttp"),
    ("/SMS_MP/.sms_aut", "GET", "SMS+CCM+5.0"), ("/SMS_DP_SMSPKG$/PS100012", "GET", "SMS+CCM+5.0"),
    ("/ClientWebService/client.asmx", "POST", "Windows-Update-Agent/10.0.10011.16384+Client-Protocol/2.50"),
    ("/bgb/handler.ashx", "POST", "SMS+CCM"), ("/SMSSMP/.sms_smp", "GET", "SMS+CCM+5.0"),
  ]

  /// What IIS writes beside a sub-status.
  private static let win32: [String: [String]] = [
    "403.13": ["2148081683", "2148081680"], "403.16": ["2148204809", "2148204810"],
    "403.17": ["2148204801", "2148204810"],
    "401.2": ["2148074254"], "401.1": ["2148074254", "1326"], "403.4": ["5"], "403.7": ["0", "64"],
  ]

  /// `crypt-protocol` of the predictive rows and the protocol's name (formats.md §2.1).
  private static let protocols: [String: [(String, String)]] = [
    "PROTO-TLS10": [("40", "TLS 1.0")], "PROTO-TLS11": [("100", "TLS 1.1")],
    "PROTO-SSL3": [("10", "SSL 3.0"), ("4", "SSL 2.0")], "PROTO-TLS12": [("400", "TLS 1.2")],
    "PROTO-TLS13": [("1000", "TLS 1.3")],
  ]

  static func iis(_ row: SignalRow, _ dice: inout Dice) -> Payload {
    var fields = IISRow()
    (fields.stem, fields.method, fields.agent) = dice.pick(requests)
    var name = "TLS 1.2"
    if dice.chance(30) {
      fields.crypt = ["1000", "6610", "800d", "0"]
      name = "TLS 1.3"
    }
    var expectation = row.expectation
    var code: Wanted = .one(nil)
    let suffix = row.prefix == "WIN7" ? "WIN7" : row.suffix
    switch suffix {
    case "WIN32-64": fields.win32 = "64"
    case "CIPHER-WEAK":
      fields.crypt = ["400", dice.pick(["6801", "6603", "6609", "6601", "6602"]), "8004", "ae06"]
      name = "TLS 1.2"
      fields.needsCrypt = true
    case "KEYX-RSA":
      fields.crypt = ["400", "6610", "800c", "a400"]
      name = "TLS 1.2"
      fields.needsCrypt = true
    case "MP-ALIVE":
      (fields.stem, fields.method, fields.agent) = dice.pick(Array(requests[0...1]))
    case "MP-PROBE":
      (fields.stem, fields.method, fields.query, fields.agent) = ("/SMS_MP/.sms_aut", "GET", "MPLIST", "SMS+CCM+5.0")
      fields.isOwn = true
      if dice.chance(30) { (fields.status, fields.substatus, fields.win32) = ("401", "2", "2148074254") }
    case "WIN7":
      fields.agent = "Windows-Update-Agent/7.9+(Windows+NT+6.1)"
      expectation = .sighting
    default:
      if let known = protocols[suffix] {
        let (bits, named) = dice.pick(known)
        fields.crypt = [bits, "6610", "8004", "ae06"]
        name = named
        fields.needsCrypt = true
        break
      }
      let parts = suffix.split(separator: ".").map(String.init)
      (fields.status, fields.substatus) = (parts[0], parts[1])
      if let values = win32[suffix] { fields.win32 = dice.pick(values) }
      if suffix == "405.0" { fields.method = "PROPFIND" }
      // "MP application error": the row is about management points.
      if suffix == "500.0" { (fields.stem, fields.method, fields.agent) = dice.pick(Array(requests[0...2])) }
      if suffix == "403.4" {
        // Plain HTTP: no TLS to name.
        fields.port = "80"
        fields.crypt = ["-", "-", "-", "-"]
        name = ""
      }
      code = .one(suffix)
    }
    var payload = Payload(row.id, .row(fields), expectation!, code: code, server: .open)
    payload.sightedProtocol = name
    return payload
  }

  static func httpError(_ row: SignalRow, _ dice: inout Dice) -> Payload {
    var fields = HTTPErrorRow(reason: row.suffix)
    fields.uri = dice.pick(requests).0
    if ["AppOffline", "QueueFull", "Disabled", "Connection_Abandoned_By_ReqQueue"].contains(row.suffix) {
      fields.status = "503"
    }
    return Payload(row.id, .httpError(fields), row.expectation!, code: .one(nil), server: .open)
  }
}
