import Foundation
import Records
import Store

/// A folder of one test, removed with it.
final class Place {
  let folder: String
  var path: String { folder + "/state.db" }

  init() throws {
    folder = NSTemporaryDirectory() + "handshaked-store-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }
}

enum Sample {
  static let time = Timestamp(year: 2026, month: 3, day: 2, hour: 6, minute: 0, second: 0)

  static func time(minutes: Int) -> Timestamp { time.adding(minutes: minutes) }

  static func address(_ last: UInt64) -> IPAddress { IPAddress(high: 0, low: 0xFFFF_0A00_0000 | last) }

  static func finding(offset: UInt64, minutes: Int? = 0) -> Finding {
    var finding = Finding(
      signature: "winhttp.request-failed", findingClass: .handshakeFailure, cause: .unknownTLS, severity: .error,
      stream: 0, path: "PC-0042/CcmMessaging.log", offset: offset, length: 187, line: 97, confidence: .documented)
    finding.time = minutes.map { time(minutes: $0) }
    return finding
  }

  /// Every field of a finding that is stored.
  static func fullFinding(offset: UInt64) -> Finding {
    var finding = finding(offset: offset)
    finding.parts = 3
    finding.host = "PC-0042"
    finding.log = "CcmMessaging"
    finding.component = "CcmMessaging"
    finding.client = "PC-0042"
    finding.clientID = "GUID:0A1B"
    finding.clientIP = address(7).text
    finding.server = "mp01.corp.example"
    finding.role = "management-point"
    finding.protocolName = "TLS 1.0"
    finding.cipher = "AES"
    finding.code = "0x80072f8f"
    finding.symbol = "ERROR_WINHTTP_SECURE_FAILURE"
    finding.alert = 70
    finding.area = 1
    finding.feature = .httpsClient
    finding.stack = .winhttp
    finding.eventGroup = "g"
    finding.writer = "1234"
    finding.writerIsThread = true
    return finding
  }

  /// Something of everything.
  static func change() -> StoreChange {
    var change = StoreChange(at: time)
    var extent = Extent(file: "file-1", from: 0, to: 1000)
    extent.findings = [
      Extent.Item(fullFinding(offset: 10)), Extent.Item(finding(offset: 400, minutes: nil)),
      Extent.Item(finding(offset: 500, minutes: 5_000_000), isTimePlausible: false),
    ]
    extent.activities = [
      Activity(
        server: "mp01", party: .address(address(1)), at: time, role: "mp", protocolName: "TLS 1.2", cipher: "AES",
        outcome: .succeeded, count: 5),
      Activity(server: "mp01", party: .host("pc-1"), at: time(minutes: 20), outcome: .refused, count: 2),
      Activity(server: "mp01", party: .guid("pc-1"), at: time(minutes: 20), outcome: .failed),
    ]
    change.extents = [extent]
    change.aliases = [
      Alias(address: address(1), host: "pc-1", from: time, until: time(minutes: 60), source: "dhcp"),
      Alias(host: "pc-1", guid: "GUID:1", from: time, until: time(minutes: 1), source: "mp"),
    ]
    change.checkpoints = [
      Checkpoint(key: "a/b.log", offset: 1000, value: [1, 0, 255]), Checkpoint(key: "c", offset: .max, value: []),
    ]
    change.incidents = [
      StoredIncident(id: "i1", key: "k1", isOpen: true, time: time, value: [9]),
      StoredIncident(id: "i2", key: "k2", isOpen: false, time: time, value: []),
    ]
    change.outbox = [
      OutboxMessage(
        id: MessageID(incident: "i2", sequence: 1),
        fields: [("MESSAGE", "two\nlines"), ("CLIENT", "a"), ("CLIENT", "b\0c")]),
      OutboxMessage(id: MessageID(incident: "i1", sequence: 2), fields: []),
    ]
    change.acknowledgements = [Acknowledgement(incident: "i1", until: time(minutes: 90), note: "known")]
    change.maintenance = [MaintenanceWindow(server: "mp01", from: time, until: time(minutes: 30))]
    return change
  }

  static let always =
    Timestamp(microseconds: 0)..<Timestamp(year: 2027, month: 1, day: 1, hour: 0, minute: 0, second: 0)
}

extension StateStore {
  /// All activities of the sample's months.
  func allActivities() throws -> [Activity] {
    try activities(
      ActivityQuery(
        times: Timestamp(year: 2026, month: 1, day: 1, hour: 0, minute: 0, second: 0)..<Sample.always.upperBound))
  }

  static func opened(_ place: Place) throws -> StateStore { try open(path: place.path, at: Sample.time).store }
}
