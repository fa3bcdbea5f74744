import Definitions
import Testing

@Suite struct ConfigurationTests {
  private func read(_ text: String) -> (configuration: Configuration, faults: [Diagnostic]) {
    Configuration.read([("c.yaml", text)], kinds: ["handshake.failed"], zones: { $0 == "Europe/Berlin" })
  }

  @Test func sourcesOfAllKinds() {
    let (configuration, faults) = read(
      """
      sources:
        - files: /var/log/remote/{host}/**
          start: end
        - journal: { match: { SYSLOG_IDENTIFIER: [winlog, iis], _HOSTNAME: relay } }
        - syslog: { socket: syslog }
          time-zone: Europe/Berlin
        - syslog: { listen: "127.0.0.1:5514", transport: tcp }
        - syslog: { listen: "[::1]:514" }
        - syslog: { listen: /run/handshaked/log }
      """)
    #expect(faults.isEmpty, "\(faults)")
    #expect(
      configuration.sources.map(\.kind) == [
        .files("/var/log/remote/{host}/**"),
        .journal([
          .init(field: "SYSLOG_IDENTIFIER", value: "iis"), .init(field: "SYSLOG_IDENTIFIER", value: "winlog"),
          .init(field: "_HOSTNAME", value: "relay"),
        ]),
        .syslogSocket("syslog"), .syslogListen("127.0.0.1:5514", transports: ["tcp"]),
        .syslogListen("[::1]:514", transports: ["tcp", "udp"]),
        .syslogListen("/run/handshaked/log", transports: ["tcp", "udp"]),
      ])
    #expect(configuration.sources[0].startsAtEnd && !configuration.sources[1].startsAtEnd)
    #expect(configuration.sources[2].timeZone == "Europe/Berlin")
  }

  /// Each is one fault that says where it stands and how to mend it.
  @Test(arguments: [
    ("journal: {}", "no 'match'"),
    ("journal: { match: {} }", "names no field"),
    ("journal: { match: { syslog_identifier: x } }", "no field of the journal"),
    ("journal: { match: { __CURSOR: x } }", "no field of the journal"),
    ("journal: { match: { SYSLOG_IDENTIFIER: handshaked } }", "never read"),
    ("journal: { matches: { A: b } }", "is not known"),
    ("syslog: {}", "neither 'socket' nor 'listen'"),
    ("syslog: { socket: a, listen: '127.0.0.1:1' }", "exclude each other"),
    ("syslog: { socket: control }", "cannot name a socket"),
    ("syslog: { socket: 'a b' }", "cannot name a socket"),
    ("syslog: { listen: localhost:514 }", "no address to listen on"),
    ("syslog: { listen: '127.0.0.1' }", "no address to listen on"),
    ("syslog: { listen: '127.0.0.1:0' }", "no address to listen on"),
    ("syslog: { listen: '::1:514' }", "no address to listen on"),
    ("syslog: { listen: '127.0.0.1:1', transport: tls }", "is not known"),
    ("syslog: { socket: a, transport: tcp }", "belongs to 'listen'"),
    ("start: end", "has none of"),
    ("file: /x", "key 'file' is not known"),
    ("{ files: /x, journal: { match: { A: b } } }", "is both"),
  ])
  func aFaultSaysWhereAndHow(source: String, what: String) throws {
    let (_, faults) = read("sources:\n  - \(source)\n")
    #expect(faults.count == 1, "\(source): \(faults)")
    let fault = try #require(faults.first)
    #expect(fault.description.contains(what), "\(fault)")
    #expect(fault.description.contains("c.yaml:2:") && fault.description.contains("fix: "), "\(fault)")
  }

  @Test func theSameSourceTwiceIsAFault() {
    let (_, faults) = read("sources:\n  - syslog: { socket: a }\n  - syslog: { socket: a }\n")
    #expect(faults.count == 1 && faults[0].description.contains("stands here twice"))
  }
}
