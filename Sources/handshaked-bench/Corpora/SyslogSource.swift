/// What one central file holds when relays send everything to it, line by line, each line in an RFC 5424 envelope: IIS
/// rows of eight servers, client logs of 400 machines, a site server's log, all by rsyslog with the path beside the line
/// (the README's recipe), and events of 500 servers in JSON by NXLog.
///
///     <134>1 2026-03-02T00:00:01.25+00:00 PC-00042 - - - [file@32473 path="/srv/collected/PC-00042/CcmMessaging.log"] …\r\n
///     <14>1 2026-03-02T00:00:01.25Z SRV-0007.corp.example Schannel 684 - - {…}\n
///
/// A record of several lines comes in as many envelopes, one after the other.
struct SyslogSource: RecordSource {
  let meanGapMicroseconds = 10_000

  private static let serverCount = 8
  private static let clientCount = 400
  private var rows = IISSource()
  private var client = CMTraceSource()
  private var site = SimpleSource()
  private var events = EventSource(rendering: .json)
  private var payload = TextBuffer()

  mutating func begin(at clock: CorpusClock, to text: inout TextBuffer) {
    for server in 1...SyslogSource.serverCount {
      payload.removeAll()
      rows.begin(at: clock, to: &payload)
      wrapLines(host: "MP0\(server)", log: "u_ex260302_x.log", clock, to: &text)
    }
  }

  mutating func record(
    _ role: RecordRole, at clock: CorpusClock, _ generator: inout SeededGenerator, to text: inout TextBuffer
  ) {
    payload.removeAll()
    switch generator.below(100) {
    case ..<40:
      rows.record(role, at: clock, &generator, to: &payload)
      wrapLines(
        host: "MP0\(1 + generator.below(SyslogSource.serverCount))", log: "u_ex260302_x.log", clock, to: &text)
    case ..<70:
      client.record(role, at: clock, &generator, to: &payload)
      let number = generator.below(SyslogSource.clientCount)
      wrapLines(host: "PC-\(10_000 + number)", log: "CcmMessaging.log", clock, to: &text)
    case ..<85:
      site.record(role, at: clock, &generator, to: &payload)
      wrapLines(host: "CM01", log: "smsexec.log", clock, to: &text)
    default:
      events.record(role, at: clock, &generator, to: &payload)
      text.text("<14>1 ")
      stamp(clock, to: &text)
      text.text("Z SRV-")
      text.number(events.host, width: 4)
      text.text(".corp.example System 684 - - ")
      text.append(payload.bytes.dropLast(2))
      text.text("\n")
    }
  }

  /// Puts every line of the payload into an envelope of its own; the carriage return is the file's and stays.
  private func wrapLines(host: String, log: String, _ clock: CorpusClock, to text: inout TextBuffer) {
    for line in payload.bytes.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false) {
      text.text("<134>1 ")
      stamp(clock, to: &text)
      text.text("+00:00 ")
      text.text(host)
      text.text(" - - - [file@32473 path=\"/srv/collected/")
      text.text(host)
      text.text("/")
      text.text(log)
      text.text("\"] ")
      text.append(line)
      text.text("\n")
    }
  }

  private func stamp(_ clock: CorpusClock, to text: inout TextBuffer) {
    text.stamp(clock, separator: "T")
    text.text(".")
    text.number(clock.microsecond, width: 6)
  }
}
