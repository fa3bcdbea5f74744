/// Site-server components in the simple format: notification, management point control, updates, reporting, executive.
struct SimpleSource: RecordSource {
  let meanGapMicroseconds = 30_000

  private struct Message {
    var start: String
    /// A number and what follows it.
    var end: String?
    var component: String

    init(_ start: String, number end: String? = nil, _ component: String) {
      self.start = start
      self.end = end
      self.component = component
    }
  }

  private let ordinary: [Message] = [
    Message("Total online clients: ", number: " (TCP: 6374 HTTP: 3)~~", "SMS_NOTIFICATION_SERVER"),
    Message("Get one push message from database, taskID: ", number: "~~", "SMS_NOTIFICATION_SERVER"),
    Message("~Machine name is 'MP01.corp.example'.", "SMS_MP_CONTROL_MANAGER"),
    Message("CRL Checking is Disabled.", "SMS_MP_CONTROL_MANAGER"),
    Message("~Moved ", number: " *.SVF file(s) from MP to the site server inbox.", "SMS_MP_FILE_DISPATCH_MANAGER"),
    Message("Synchronizing WSUS server WSUS01.corp.example ...", "SMS_WSUS_SYNC_MANAGER"),
    Message("sync: SMS synchronizing updates, processed 318 out of ", number: " items", "SMS_WSUS_SYNC_MANAGER"),
    Message("~Waiting for changes for ", number: " minutes", "SMS_WSUS_CONTROL_MANAGER"),
    Message(
      "Detected a change to the \"D:\\Program Files\\Microsoft Configuration Manager\\inboxes\\sitecomp.box\" directory.",
      "SMS_SITE_COMPONENT_MANAGER"),
    Message(
      "Polling site system role SMS Management Point on server MP01.corp.example: no change.",
      "SMS_SITE_COMPONENT_MANAGER"),
    Message("SMS_EXECUTIVE: component SMS_INVENTORY_DATA_LOADER (thread ", number: ") is running.", "SMS_EXECUTIVE"),
    Message(
      "STATMSG: ID=500 SEV=I LEV=M SOURCE=\"SMS Server\" COMP=\"SMS_EXECUTIVE\" SYS=CM01.corp.example SITE=P01 PID=3560 TID=",
      number: " GMTDATE=Mon Mar 02 02:30:01.410 2026 ISTR0=\"\" NUMATTRS=0", "SMS_EXECUTIVE"),
    Message("Component SMS_INBOX_MANAGER polled its inbox, ", number: " files.", "SMS_EXECUTIVE"),
  ]
  private let recoveries: [Message] = [
    Message(
      "There are no unhealthy WSUS Server components on WSUS Server WSUS01.corp.example", "SMS_WSUS_CONTROL_MANAGER"),
    Message("Sync succeeded. Setting sync alert to canceled state on site P01", "SMS_WSUS_SYNC_MANAGER"),
    Message("~Http test request succeeded.", "SMS_MP_CONTROL_MANAGER"),
    Message(
      "~Call to HttpSendRequestSync succeeded for port 443 with status code 200, text: OK", "SMS_MP_CONTROL_MANAGER"),
  ]
  private let decoys: [Message] = [
    Message("SSL is enabled.", "SMS_MP_CONTROL_MANAGER"),
    Message(
      "Skipped update 4f1c - TLS 1.2 support for SQL Native Client because it was superseded.", "SMS_WSUS_SYNC_MANAGER"),
    Message("SMS Role SSL certificate of MP01.corp.example is bound to port 443", "SMS_CLOUD_SERVICES_MANAGER"),
    Message(
      "~**ERROR: Cannot connect to the inbox source, sleep 30 seconds and try again.", "SMS_MP_FILE_DISPATCH_MANAGER"),
    Message(
      "System.Net.WebException: The underlying connection was closed: A connection that was expected to be kept alive was "
        + "closed by the server.~~   at System.Net.HttpWebRequest.GetResponse()", "SMS_SRS_REPORTING_POINT"),
  ]
  private let failures: [Message] = [
    Message(
      "System.Net.WebException: The request was aborted: Could not create SSL/TLS secure channel.~~   at "
        + "System.Web.Services.Protocols.WebClientProtocol.GetWebResponse(WebRequest request)~~   at "
        + "Microsoft.UpdateServices.Administration.AdminProxy.CreateUpdateServer(Object[] args)",
      "SMS_WSUS_CONTROL_MANAGER"),
    Message(
      "*** [08001][-2146893007][Microsoft][SQL Server Native Client 11.0]SSL Provider: The client and server cannot "
        + "communicate, because they do not possess a common algorithm.~~", "SMS_EXECUTIVE"),
    Message(
      "Sync failed: WSUS server not configured. Please refer to WCM.log for configuration error details. Source: "
        + "CWSyncMgr::DoSync", "SMS_WSUS_SYNC_MANAGER"),
  ]

  mutating func begin(at clock: CorpusClock, to text: inout TextBuffer) {}

  mutating func record(
    _ role: RecordRole, at clock: CorpusClock, _ generator: inout SeededGenerator, to text: inout TextBuffer
  ) {
    let message =
      switch role {
      case .ordinary: generator.pick(ordinary)
      case .recovery: generator.pick(recoveries)
      case .decoy: generator.pick(decoys)
      case .failure: generator.pick(failures)
      }
    text.text(message.start)
    if let end = message.end {
      text.number(1 + generator.below(9000))
      text.text(end)
    }
    text.text("  $$<")
    text.text(message.component)
    text.text("><")
    text.americanDate(clock)
    text.text(" ")
    text.timeOfDay(clock)
    text.text(".")
    text.number(clock.microsecond / 1000, width: 3)
    let thread = 1000 + 4 * generator.below(2500)
    text.text("-60><thread=")
    text.number(thread)
    text.text(" (0x")
    text.hexadecimal(UInt64(thread))
    text.text(")>\r\n")
  }
}
