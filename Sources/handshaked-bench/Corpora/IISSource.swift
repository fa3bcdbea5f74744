/// Requests of 50,000 clients to the IIS of a management point that is distribution point and update point too.
struct IISSource: RecordSource {
  static let clientCount = 50_000
  /// The four crypt-* columns, which an administrator must ask for.
  var hasCryptFields = true
  /// A busy server: 25 requests a second.
  let meanGapMicroseconds = 40_000

  private struct Request {
    var start: String
    var agent: String
    var status: String
    /// A policy body is asked for by a GUID of its own.
    var hasGUID = false
  }
  private static let deliveries = "CCM_POST /ccm_system/request - 443 - "
  private static let authorised = "CCM_POST /ccm_system_windowsauth/request - 443 "
  private static let ordinary: [Request] = [
    Request(start: deliveries, agent: "ccmhttp", status: "200 0 0"),
    Request(start: deliveries, agent: "ccmhttp", status: "200 0 0"),
    Request(start: deliveries, agent: "ccmhttp", status: "200 0 64"),
    Request(start: "GET /SMS_MP/.sms_aut MPLIST2&P01 443 - ", agent: "SMS+CCM+5.0", status: "200 0 0"),
    Request(start: "GET /SMS_MP/.sms_pol ", agent: "Microsoft+BITS/7.8", status: "200 0 0", hasGUID: true),
    Request(start: "GET /SMS_MP/.sms_pol ", agent: "ccmhttp", status: "200 0 0", hasGUID: true),
    Request(
      start: "HEAD /SMS_DP_SMSPKG$/P0100A1C/sccm/Setup.exe - 443 - ", agent: "Microsoft+BITS/7.8", status: "200 0 0"),
    Request(
      start: "GET /SMS_DP_SMSPKG$/P0100A1C/sccm/Setup.exe - 443 - ", agent: "Microsoft+BITS/7.8", status: "206 0 0"),
    Request(start: "POST /bgb/handler.ashx RequestType=Continue 443 - ", agent: "-", status: "200 0 0"),
    Request(
      start: "POST /ClientWebService/client.asmx - 8531 - ",
      agent: "Windows-Update-Agent/10.0.10011.16384+Client-Protocol/2.50", status: "200 0 0"),
  ]
  private static let decoys: [Request] = [
    Request(start: authorised + "- ", agent: "ccmhttp", status: "401 2 2148074254"),
    Request(start: "PROPFIND /SMS_DP_SMSPKG$/P0100A1C - 443 - ", agent: "Microsoft+BITS/7.8", status: "405 0 1"),
    Request(
      start: "GET /SMS_DP_SMSPKG$/ - 443 - ", agent: "Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)", status: "403 14 0"),
    Request(
      start: "GET /intranet/application kb=403.16 443 - ", agent: "Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)",
      status: "500 0 0"),
    Request(start: "GET /SMS_MP/.sms_pol 403.7 443 - ", agent: "ccmhttp", status: "404 0 2"),
  ]
  private static let failures: [Request] = [
    Request(start: "GET /SMS_MP/.sms_aut SITESIGNCERT 443 - ", agent: "SMS+CCM+5.0", status: "403 7 64"),
    Request(start: deliveries, agent: "ccmhttp", status: "403 7 5"),
    Request(start: deliveries, agent: "ccmhttp", status: "403 13 2148081683"),
    Request(start: deliveries, agent: "ccmhttp", status: "403 16 2148204809"),
    Request(start: "GET /SMS_DP_SMSPKG$/P0100A1C - 443 - ", agent: "Microsoft+BITS/7.8", status: "403 17 2148204801"),
    Request(start: deliveries, agent: "ccmhttp", status: "500 0 0"),
  ]
  /// Protocol, cipher, hash and key exchange: TLS 1.3, 1.2, 1.1 and 1.0.
  private static let crypts = [
    " 1000 6610 800d ae06\r\n", " 400 6610 800d ae06\r\n", " 400 660e 800c ae06\r\n", " 100 6610 8004 ae06\r\n",
    " 40 6610 8004 ae06\r\n",
  ]

  mutating func begin(at clock: CorpusClock, to text: inout TextBuffer) {
    text.text("#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Date: ")
    text.stamp(clock, separator: " ")
    text.text("\r\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) ")
    text.text("cs(Referer) sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken")
    text.text(hasCryptFields ? " crypt-protocol crypt-cipher crypt-hash crypt-keyexchange\r\n" : "\r\n")
  }

  mutating func record(
    _ role: RecordRole, at clock: CorpusClock, _ generator: inout SeededGenerator, to text: inout TextBuffer
  ) {
    let client = generator.below(IISSource.clientCount)
    text.stamp(clock, separator: " ")
    text.text(" 10.20.1.21 ")
    switch role {
    case .ordinary: request(generator.pick(IISSource.ordinary), client, &generator, to: &text)
    case .failure: request(generator.pick(IISSource.failures), client, &generator, to: &text)
    case .decoy where generator.chance(1, of: 4): selfTest(to: &text)
    case .decoy: request(generator.pick(IISSource.decoys), client, &generator, to: &text)
    case .recovery: signedIn(client, to: &text)
    }
    text.text(" ")
    text.number(200 + generator.below(4000))
    text.text(" ")
    text.number(300 + generator.below(900))
    text.text(" ")
    text.number(generator.below(200))
    text.text(hasCryptFields ? IISSource.crypts[crypt(of: client)] : "\r\n")
  }

  private func request(
    _ request: Request, _ client: Int, _ generator: inout SeededGenerator, to text: inout TextBuffer
  ) {
    text.text(request.start)
    if request.hasGUID {
      text.text("{")
      text.guid(&generator, isUpper: false)
      text.text("}.")
      text.number(1 + generator.below(40))
      text.text("_00 443 - ")
    }
    address(client, to: &text)
    text.text(" ")
    text.text(request.agent)
    text.text(" - ")
    text.text(request.status)
  }

  /// A request that Windows authentication let in; the computer account is logged.
  private func signedIn(_ client: Int, to text: inout TextBuffer) {
    text.text(IISSource.authorised)
    text.text("CORP\\PC-")
    text.number(client, width: 5)
    text.text("$ ")
    address(client, to: &text)
    text.text(" ccmhttp - 200 0 0")
  }

  /// The management point asks itself.
  private func selfTest(to text: inout TextBuffer) {
    text.text("GET /SMS_MP/.sms_aut MPCERT 443 - 10.20.1.21 SMS_MP_CONTROL_MANAGER - 200 0 0")
  }

  private func address(_ client: Int, to text: inout TextBuffer) {
    text.text("10.40.")
    text.number(client / 250)
    text.text(".")
    text.number(1 + client % 250)
  }

  /// A fifth of the clients speaks TLS 1.3, 4 % TLS 1.1 and 6 % nothing newer than TLS 1.0.
  private func crypt(of client: Int) -> Int {
    switch SeededGenerator.mixed(UInt64(client)) % 100 {
    case ..<20: 0
    case ..<60: 1
    case ..<90: 2
    case ..<94: 3
    default: 4
    }
  }
}
