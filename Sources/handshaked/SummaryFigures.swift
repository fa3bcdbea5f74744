import Clients
import Detection
import Extraction
import Records
import Replay
import Sinks

/// Findings of one definition and code within a cause: one line of the summary.
struct FindingLine {
  var example: Finding
  var recordCount: UInt64 = 0
}

/// Findings of one class and cause: one block of the summary.
struct CauseGroup {
  var findingClass: FindingClass
  var cause: Cause
  var severity = Severity.info
  /// Records, and failures: records that tell again what another told are not counted.
  var recordCount: UInt64 = 0
  var failureCount: UInt64 = 0
  var first: Timestamp?
  var last: Timestamp?
  var clients: [String: UInt64] = [:]
  var servers: [String: UInt64] = [:]
  var hosts: [String: UInt64] = [:]
  private var linesByKey: [String: FindingLine] = [:]

  init(_ finding: Finding) {
    findingClass = finding.findingClass
    cause = finding.cause
  }

  mutating func add(_ finding: Finding, _ aliases: HostAliases) {
    recordCount += 1
    severity = max(severity, finding.severity)
    if finding.sameAs == nil { failureCount += 1 }
    if let time = finding.time {
      if first.map({ time < $0 }) ?? true { first = time }
      if last.map({ $0 < time }) ?? true { last = time }
    }
    if let client = finding.client ?? finding.clientIP { clients[aliases.name(client), default: 0] += 1 }
    if let server = finding.server { servers[aliases.name(server), default: 0] += 1 }
    if let host = finding.host { hosts[aliases.name(host), default: 0] += 1 }
    let key = "\(finding.signature)\u{1}\(finding.code ?? "")"
    linesByKey[key, default: FindingLine(example: finding)].recordCount += 1
  }

  /// The most frequent first, equal ones in the order of their definitions.
  var lines: [FindingLine] {
    linesByKey.sorted { ($1.value.recordCount, $0.key) < ($0.value.recordCount, $1.key) }.map(\.value)
  }

  /// The most frequent names first, equal ones by name.
  static func ranked(_ names: [String: UInt64]) -> [String] {
    names.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
  }
}

/// The evidence tiers of what was sent.
enum EvidenceTier: Int, CaseIterable {
  case iis = 1
  case schannel
  case servers
  case clients

  var title: String {
    switch self {
    case .iis: "IIS logs"
    case .schannel: "Schannel events"
    case .servers: "site server and management point logs"
    case .clients: "client logs"
    }
  }

  /// What stays unknown without it.
  var absence: String {
    switch self {
    case .iis: "who still connects, and with which protocol"
    case .schannel: "that a handshake was refused, and by which side"
    case .servers: "SQL, WSUS, reporting and cloud connections; clients by name"
    case .clients: "which client fails, and why"
    }
  }
}

/// Everything the summary says, before it is text or JSON.
struct SummaryFigures {
  let report: ReplayReport
  let groups: [CauseGroup]
  let protocols: [ProtocolRow]
  /// Clients by name or address that were seen with a protocol older than TLS 1.2, and that protocol.
  let legacyClients: [(client: String, protocolName: String, system: String?)]
  /// Those of them that cannot be brought to TLS 1.2 as Configuration Manager clients: Mac computers and devices under
  /// on-premises mobile device management, by the roles that only they ask.
  /// Source: MicrosoftDocs/memdocs, enable-tls-1-2-troubleshoot.md, unsupported scenarios.
  let exceptions: [String]
  let tiers: Set<EvidenceTier>
  let hasCryptFields: Bool
  let failureCount: UInt64
  let first: Timestamp?
  let last: Timestamp?

  init(_ report: ReplayReport, _ engine: Engine) {
    self.report = report
    let reach = Reach(report.census, names: report.names, others: report.findings)
    let aliases = reach.aliases
    var groups: [String: CauseGroup] = [:]
    var failures: UInt64 = 0
    for finding in report.findings {
      groups["\(finding.findingClass)/\(finding.cause)", default: CauseGroup(finding)].add(finding, aliases)
      if finding.sameAs == nil { failures += 1 }
    }
    self.groups = groups.sorted { left, right in
      let a = left.value
      let b = right.value
      if a.severity != b.severity { return a.severity > b.severity }
      if a.failureCount != b.failureCount { return a.failureCount > b.failureCount }
      if a.recordCount != b.recordCount { return a.recordCount > b.recordCount }
      return left.key < right.key
    }.map(\.value)
    failureCount = failures

    protocols = reach.protocols
    legacyClients = reach.legacyClients
    exceptions = reach.exceptions

    var tiers: Set<EvidenceTier> = []
    let counts = report.recordCounts
    if counts[Int(RecordFormat.w3c.rawValue)] > 0 { tiers.insert(.iis) }
    let hasEvents = RecordFormat.allCases.contains { $0.family == .event && counts[Int($0.rawValue)] > 0 }
    if hasEvents, SummaryFigures.hasSchannel(report, engine) { tiers.insert(.schannel) }
    for stream in report.streams {
      let text = stream.result.recordCounts
      let isServerLog = SummaryFigures.serverFormats.contains { text[Int($0.rawValue)] > 0 }
      let hasCMTrace = text[Int(RecordFormat.cmtrace.rawValue)] > 0
      if isServerLog || hasCMTrace && stream.result.logs.contains(where: SummaryFigures.isServerLog) {
        tiers.insert(.servers)
      }
      let hasText = [RecordFormat.cmtrace, .windowsUpdate].contains { text[Int($0.rawValue)] > 0 }
      if hasText, stream.result.logs.contains(where: SummaryFigures.isClientLog) { tiers.insert(.clients) }
    }
    if SummaryFigures.hasClientRecord(report, engine) { tiers.insert(.clients) }
    self.tiers = tiers
    hasCryptFields = report.streams.contains { $0.result.hasCryptFields }
    var first: Timestamp?
    var last: Timestamp?
    for stream in report.streams {
      if let time = stream.result.firstTime, first.map({ time < $0 }) ?? true { first = time }
      if let time = stream.result.lastTime, last.map({ $0 < time }) ?? true { last = time }
    }
    self.first = first
    self.last = last
  }

  private static let serverFormats: [RecordFormat] = [.simple, .sqlErrorLog, .softwareDistribution, .setup]

  /// Whether any definition of Schannel held: other events say nothing of handshakes.
  private static func hasSchannel(_ report: ReplayReport, _ engine: Engine) -> Bool {
    zip(engine.rules.rules.signatures, report.signatureCounts).contains { signature, count in
      count > 0 && signature.id.hasPrefix("schannel.")
    }
  }

  /// The logs of site server and site systems that newer versions write in CMTrace's format too.
  /// Source: ConfigMgr "Log file reference", server and site system log files.
  private static func isServerLog(_ log: String) -> Bool {
    let name = log.lowercased()
    return name.hasPrefix("mp_") || name.hasPrefix("sms_") || serverLogs.contains(name)
  }

  private static let serverLogs: Set<String> = [
    "adminservice", "ccm", "cloudmgr", "configmgrsetup", "dataldr", "despool", "distmgr", "dmpdownloader",
    "dmpuploader", "hman", "mpcontrol", "mpfdm", "mpmsi", "mpsetup", "objreplmgr", "pkgxfermgr", "rcmctrl", "replmgr",
    "sender",
    "sitecomp", "sitectrl", "sitestat", "smsadminui", "smsdbmon", "smsdpprov", "smsexec", "smspxe", "smsprov", "srsrp",
    "statesys", "statmgr", "supsetup", "wcm", "wsusctrl", "wsyncmgr",
  ]

  /// Whether a definition held that is about clients and says that a client wrote the record: in whatever log it was.
  private static func hasClientRecord(_ report: ReplayReport, _ engine: Engine) -> Bool {
    zip(engine.rules.rules.signatures, report.signatureCounts).contains { signature, count in
      count > 0 && signature.hostIs == .client && signature.formats.intersects(.text)
        && signature.feature.map(clientFeatures.contains) ?? false
    }
  }

  private static let clientFeatures: Set<Feature> = [.httpsClient, .softwareCenter, .windows7Client]

  /// The logs that a client's own components write. Source: ConfigMgr "Log file reference", client operations.
  private static func isClientLog(_ log: String) -> Bool {
    let name = log.lowercased()
    return clientLogs.contains(name) || name.hasPrefix("scclient") || name.hasPrefix("scnotify")
      || name.hasPrefix("updates")
  }

  private static let clientLogs: Set<String> = [
    "adaloperationprovider", "alternatehandler", "appdiscovery", "appenforce", "appintenteval", "appprovider",
    "bitlockermanagementhandler", "cas", "ccm32bitlauncher", "ccmaad", "ccmeval", "ccmevaltask", "ccmexec",
    "ccmmessaging", "ccmnotificationagent", "ccmrepair", "ccmrestart", "ccmsdkprovider", "ccmsetup",
    "ccmsetup-ccmeval", "ccmsqlce", "ccmusrcse", "ccmvdiprovider", "certenrollagent", "certificatemaintenance",
    "ciagent", "cidownloader", "cistatestore", "cistore", "citaskmanager", "citaskmgr", "client.msi", "clientauth",
    "clientidmanagerstartup", "clientlocation", "clientservicing", "cmbitsmanager", "cmhttpsreadiness", "cmrcservice",
    "comanagementhandler", "complrelayagent", "configmgrsoftwarecatalog", "contenttransfermanager",
    "datatransferservice", "dcmagent", "dcmreporting", "dcmwmiprovider", "deltadownload", "endpointprotectionagent",
    "execmgr", "expressionsolver", "externaleventagent", "filebits", "fspstatemessage", "internetproxy",
    "inventoryagent", "inventoryprovider", "locationcache", "locationservices", "maintenancecoordinator", "mtrmgr",
    "peerdpagent", "policyagent", "policyagentprovider", "policyevaluator", "policyplatformclient", "policysdk",
    "pwrmgmt", "pwrprovider", "rebootcoordinator", "scanagent", "scheduler", "scripts", "sensorendpoint",
    "sensormanagedprovider", "sensorwmiprovider", "servicewindowmanager", "settingsagent", "setuppolicyevaluator",
    "smsclrhost", "smsts", "srcupdatemgr", "statemessage", "statemessageprovider", "statusagent", "swmtrreportgen",
    "updatetrustedsites", "useraffinity", "useraffinityprovider", "userservice", "virtualapp", "windowsupdate",
    "wuahandler",
  ]

  func writeJSON(to lines: inout JSONLines) {
    let report = report
    let groups = groups
    let figures = self
    lines.object(type: "summary") { lines in
      lines.number("files", UInt64(report.streams.count))
      lines.number("bytes", report.byteCount)
      lines.number("lines", report.lineCount)
      lines.numbers("records", RecordFormat.allCases.map { ($0.name, report.recordCounts[Int($0.rawValue)]) })
      lines.number("findings", UInt64(report.findings.count))
      lines.number("failures", figures.failureCount)
      var causes: [String: UInt64] = [:]
      for group in groups {
        causes["\(group.findingClass.rawValue)/\(group.cause.rawValue)", default: 0] += group.failureCount
      }
      lines.numbers("causes", causes.sorted { $0.key < $1.key })
      lines.number("sightings", UInt64(report.census.rowCount))
      lines.number("legacyClients", UInt64(figures.legacyClients.count))
      if !figures.exceptions.isEmpty { lines.number("unsupportedClients", UInt64(figures.exceptions.count)) }
      lines.numbers("skips", SkipReason.allCases.map { ($0.name, report.skips[$0].count) })
      lines.time("first", figures.first)
      lines.time("last", figures.last)
      lines.number("tier", UInt64(figures.tiers.map(\.rawValue).max() ?? 0))
    }
  }
}
