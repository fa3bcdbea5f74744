import Foundation
import Records

/// What one program writes once, with the truth about it; where and in which shape it stands comes later (`Corpus`).
struct Payload: Sendable {
  enum Body: Sendable {
    /// What the program wrote into a text log.
    case text(String, log: String)
    case row(IISRow)
    case httpError(HTTPErrorRow)
    case event(EventRecord)
  }

  var id: String
  var body: Body
  var expectation: Expectation
  var code: Wanted = .one(nil)
  var server: Wanted = .one(nil)
  /// Sightings: the names by which the census keeps the pair.
  /// The client that the text names, where the writer is none.
  var client: String?
  /// Sightings: the client, where the text names it, and whether the writer is the server.
  var sightedClient: String?
  var isSightedAtHost = false
  var sightedServer = ""
  var sightedProtocol = ""

  init(
    _ id: String, _ text: String, log: String, _ expectation: Expectation, code: Wanted = .one(nil),
    server: String? = nil
  ) {
    self.id = id
    body = .text(text, log: log)
    self.expectation = expectation
    self.code = code
    self.server = .one(server)
    sightedServer = server ?? ""
  }

  init(_ id: String, _ body: Body, _ expectation: Expectation, code: Wanted, server: Wanted) {
    self.id = id
    self.body = body
    self.expectation = expectation
    self.code = code
    self.server = server
  }
}

/// Which machine writes a log, and in which shape (formats.md §1).
struct LogKind: Sendable {
  enum Writer: Sendable { case client, console, server }
  enum Shape: Sendable {
    /// CMTrace by native code: three digits and a bias.
    case native
    /// CMTrace by managed code: seven digits, no bias, no source file.
    case managed
    /// Simple records, since 2010 now and then CMTrace.
    case site
    /// Plain lines whose own time is not framed yet.
    case line
  }
  var writer: Writer
  var shape: Shape
  var component: String

  /// Site-server components by the name of their log.
  private static let components: [String: String] = [
    "wsyncmgr": "SMS_WSUS_SYNC_MANAGER", "WCM": "SMS_WSUS_CONFIGURATION_MANAGER",
    "WSUSCtrl": "SMS_WSUS_CONTROL_MANAGER",
    "srsrp": "SMS_SRS_REPORTING_POINT", "smsexec": "SMS_EXECUTIVE", "sitecomp": "SMS_SITE_COMPONENT_MANAGER",
    "hman": "SMS_HIERARCHY_MANAGER", "smsdbmon": "SMS_DATABASE_NOTIFICATION_MONITOR", "SMSProv": "SMS_PROVIDER",
    "dmpdownloader": "SMS_DMP_DOWNLOADER", "dmpuploader": "SMS_DMP_UPLOADER", "cloudmgr": "SMS_CLOUD_SERVICES_MANAGER",
    "SMS_Cloud_ProxyConnector": "SMS_CLOUD_PROXYCONNECTOR", "mpcontrol": "SMS_MP_CONTROL_MANAGER",
    "ConfigMgrSetup": "Configuration Manager Setup", "statmgr": "SMS_STATUS_MANAGER",
    "colleval": "SMS_COLLECTION_EVALUATOR", "distmgr": "SMS_DISTRIBUTION_MANAGER",
    "BgbServer": "SMS_NOTIFICATION_SERVER", "mpfdm": "SMS_MP_FILE_DISPATCH_MANAGER",
    "EndpointConnectivityCheckWorker": "SMS_SERVICE_CONNECTOR", "SMS_SERVICE_CONNECTOR": "SMS_SERVICE_CONNECTOR",
  ]
  private static let clients: Set<String> = [
    "LocationServices", "ClientLocation", "CcmMessaging", "ClientIDManagerStartup", "ccmsetup", "DataTransferService",
    "ContentTransferManager", "PolicyAgent", "CcmNotificationAgent", "WUAHandler", "ScanAgent", "UpdatesHandler",
    "ADALOperationProvider", "InventoryAgent", "CcmExec", "smsts", "StateMessage", "ruleengine",
  ]
  /// Managed components that write CMTrace on servers, under the log's own name.
  private static let modern: Set<String> = [
    "SMS_REST_PROVIDER", "AdminService", "SMS_AZUREAD_DISCOVERY_AGENT", "M365ADeviceHealth", "MP_Framework",
    "MP_GetPolicy", "MP_Status", "MP_Location", "MP_RegistrationManager", "CCM_STS", "CCM_STS_ManagedBase", "SMSPXE",
  ]

  init(log: String) {
    component = Self.components[log] ?? log
    if log == "WindowsUpdate" {
      (writer, shape) = (.client, .line)
    } else if log.hasPrefix("SC") {
      component = log.components(separatedBy: "_")[0]
      (writer, shape) = (.client, .managed)
    } else if Self.clients.contains(log) {
      if log == "CcmNotificationAgent" { component = "BgbAgent" }
      (writer, shape) = (.client, .native)
    } else if log == "SmsAdminUI" {
      (writer, shape) = (.console, .native)
    } else {
      (writer, shape) = (.server, Self.modern.contains(log) ? .native : .site)
    }
  }

  /// What a text in this log is about when it says nothing of its own: rows of the knowledge base name the log's area
  /// for the same texts (SRS-RECV, WSUS-WCM-TRANSPORT, SCP-UPLOAD, CMG-CP-*, ADMINUI-*, SC-CLIENT, WUA-ONSEARCH).
  static func area(ofLog log: String) -> Set<FindingClass> {
    switch log {
    case "srsrp": [.ssrsTLS]
    case "WCM", "WSUSCtrl", "WUAHandler", "ScanAgent", "WindowsUpdate", "SoftwareDistribution": [.wsusTLS]
    case "wsyncmgr": [.wsusTLS, .internetTLS]
    case "dmpdownloader", "dmpuploader", "SMS_SERVICE_CONNECTOR", "EndpointConnectivityCheckWorker": [.internetTLS]
    case "cloudmgr", "SMS_Cloud_ProxyConnector": [.cmgTLS, .internetTLS]
    case let name where name.hasPrefix("SC"): [.handshakeFailure]
    case "SMS_AZUREAD_DISCOVERY_AGENT", "M365ADeviceHealth", "SmsAdminUI": [.internetTLS]
    default: []
    }
  }
}

extension SignalRow {
  /// Cells of the column `logs` that name no text log, or one in other words.
  private static let logsByID: [String: [String]] = [
    "CLI-CCMHTTP-INFO": ["LocationServices", "CcmMessaging", "ccmsetup"],
    "CLI-SECFAIL-INFO": ["LocationServices", "CcmMessaging", "ccmsetup"],
    "CLI-CERT-SKIP": ["ClientIDManagerStartup", "ccmsetup", "smsts", "LocationServices"],
    "CMG-CC-FORBID": ["LocationServices", "SMS_Cloud_ProxyConnector"],
    "CMG-TRAFFIC": ["SMS_Cloud_ProxyConnector", "cloudmgr"],
    "SQL-SSLSECERR": ["hman", "cloudmgr", "SMS_REST_PROVIDER"],
    "SQL-DBNETLIB": ["SMSProv", "MP_Framework"],
    "SQL-PRELOGIN": ["SmsAdminUI", "SMS_REST_PROVIDER", "srsrp", "dmpdownloader", "cloudmgr"],
    "SQL-STATUS620": ["statmgr"],
    "SRS-OK": ["srsrp"],
    "WSUS-SYNC-OK": ["wsyncmgr"],
    "WSUS-SYNC-6703": ["wsyncmgr"],
    "WSUS-CTRL-7000": ["WSUSCtrl"],
    "WSUS-CONSOLE-PKT": ["WCM"],
    "WSUS-SYNC-TLS12": ["wsyncmgr"],
    "SCP-STATUS-11488": ["SMS_SERVICE_CONNECTOR"],
    "SCP-STATUS-11410": ["SMS_SERVICE_CONNECTOR"],
    "SCP-UPLOAD": ["dmpuploader", "dmpdownloader"],
    "ADMINUI-REPORTS": ["SmsAdminUI"],
    "SC-CLIENT": ["SCClient_CORP@user1_1", "SCNotify_CORP@user1_1", "SCToastNotification"],
  ]

  /// Names of text logs in which the row's text stands.
  var textLogs: [String] {
    if let known = Self.logsByID[id] { return known }
    return logs.replacingOccurrences(of: #"\s*\([^)]*\)"#, with: "", options: .regularExpression)
      .components(separatedBy: ",").flatMap { cell -> [String] in
        var name = cell.trimmingCharacters(in: .whitespaces)
        if name.hasSuffix(".log") { name.removeLast(4) }
        switch name {
        // Told by other formats: IIS rows, events, SQL Server's own log.
        case "SQL ERRORLOG", "Schannel ErrorCode", "IIS sc-win32-status", "CAPI2": return []
        case "SMS_CLOUD_PROXYCONNECTOR", "SMS_Cloud_ProxyConnector": return ["SMS_Cloud_ProxyConnector"]
        case "MP_*": return ["MP_Framework", "MP_GetPolicy"]
        case "M365A*": return ["M365ADeviceHealth"]
        case "SCClient", "SCNotify": return [name + "_CORP@user1_1"]
        case "CloudMgr": return ["cloudmgr"]
        // The checker of prerequisites runs before setup and writes the same of it.
        case "ConfigMgrSetup": return [name, "ConfigMgrPrereq"]
        // WSUS itself is a .NET program.
        case "WSUSCtrl" where prefix == "NET": return [name, "SoftwareDistribution"]
        default: return [name]
        }
      }
  }
}
