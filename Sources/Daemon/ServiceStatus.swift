import Following
import Glibc

/// What the running service sees: `handshaked status`.
package struct ServiceStatus: Codable, Sendable {
  package struct File: Codable, Sendable {
    package var path: String
    package var host: String?
    package var byteCount: UInt64
    package var offset: UInt64
    package var modified: String
    package var isRotated: Bool
    package var trouble: String?

    init(_ state: FileState) {
      path = state.path
      host = state.host
      byteCount = state.byteCount
      offset = state.offset
      modified = state.modified.rfc3339
      isRotated = state.isRotated
      switch state.trouble {
      case nil: trouble = nil
      case .unreadable(let call, let code): trouble = "\(call): \(String(cString: strerror(code)))"
      case .container(let title): trouble = "\(title) is not followed"
      }
    }
  }

  /// A source of messages since the start.
  package struct Feed: Codable, Sendable {
    package var name: String
    /// `syslog` or `journal`
    package var kind: String
    package var messageCount: UInt64
    package var byteCount: UInt64
    /// Of records that their forwarder sends in pieces and that are not whole yet.
    package var heldByteCount: Int
    package var connectionCount: Int?
    /// Datagrams that the kernel dropped.
    package var droppedCount: UInt64?
    /// Connections beyond the limit, and those that were closed for what they sent.
    package var refusedCount: UInt64?
    package var closedCount: UInt64?
    package var trouble: String?
  }

  package var uptimeSeconds: UInt64
  package var files: [File]
  package var feeds: [Feed]
  package var fileCount: Int
  package var lagByteCount: UInt64
  package var isBacklog: Bool
  package var byteCount: UInt64
  package var bytesPerSecond: Double
  package var recordCount: UInt64
  package var findingCount: UInt64
  package var findingsByCause: [String: UInt64]
  package var skips: [String: UInt64]
  package var openIncidentCount: Int
  package var outboxCount: Int
  package var journal: String
  package var store: String
  package var commitCount: UInt64
  package var implausibleCount: UInt64
}

/// The status in OpenMetrics. Source: OpenMetrics 1.0, text format.
enum Metrics {
  static func text(_ status: ServiceStatus) -> String {
    var text = ""
    func family(_ name: String, _ type: String, _ help: String) {
      text += "# TYPE handshaked_\(name) \(type)\n# HELP handshaked_\(name) \(help)\n"
    }
    func sample(_ name: String, _ value: some CustomStringConvertible, _ labels: [(String, String)] = []) {
      let list = labels.map { "\($0.0)=\"\(escaped($0.1))\"" }.joined(separator: ",")
      text += "handshaked_\(name)\(list.isEmpty ? "" : "{\(list)}") \(value)\n"
    }
    family("bytes", "counter", "Bytes read.")
    sample("bytes_total", status.byteCount)
    family("records", "counter", "Whole records read.")
    sample("records_total", status.recordCount)
    family("findings", "counter", "Findings by class and cause.")
    for (key, count) in status.findingsByCause.sorted(by: { $0.key < $1.key }) {
      let parts = key.split(separator: "/").map(String.init)
      sample("findings_total", count, [("class", parts[0]), ("cause", parts[1])])
    }
    family("skips", "counter", "Places that were passed over, by reason.")
    for (reason, count) in status.skips.sorted(by: { $0.key < $1.key }) {
      sample("skips_total", count, [("reason", reason)])
    }
    family("commits", "counter", "Transactions of the store.")
    sample("commits_total", status.commitCount)
    family("files", "gauge", "Files that are followed.")
    sample("files", status.fileCount)
    family("lag_bytes", "gauge", "Bytes that wait to be read.")
    sample("lag_bytes", status.lagByteCount)
    family("incidents_open", "gauge", "Open incidents.")
    sample("incidents_open", status.openIncidentCount)
    family("outbox_messages", "gauge", "Messages that were not read back from the journal yet.")
    sample("outbox_messages", status.outboxCount)
    family("source_lag_bytes", "gauge", "Bytes of a file that wait to be read.")
    for file in status.files {
      sample("source_lag_bytes", file.byteCount > file.offset ? file.byteCount - file.offset : 0, [("path", file.path)])
    }
    family("source_messages", "counter", "Messages of a syslog socket or of the journal.")
    for feed in status.feeds { sample("source_messages_total", feed.messageCount, [("source", feed.name)]) }
    family("source_dropped", "counter", "Datagrams that the kernel dropped.")
    for feed in status.feeds {
      if let count = feed.droppedCount { sample("source_dropped_total", count, [("source", feed.name)]) }
    }
    family("source_connections", "gauge", "Connections of a syslog socket.")
    for feed in status.feeds {
      if let count = feed.connectionCount { sample("source_connections", count, [("source", feed.name)]) }
    }
    return text + "# EOF\n"
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}
