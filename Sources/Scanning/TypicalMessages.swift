/// What healthy client and site-server logs say over and over, in lower case and without what differs from one record to the
/// next: factors that stand in none of it are rare. Nothing but speed depends on these.
enum TypicalMessages {
  static let all: [[UInt8]] = text.split(separator: 0x0A).map { Array($0) }

  private static let text = Array(
    """
    message ' delivered to endpoint 'statusagent'
    sending outgoing message '. flags 0x200, sender account empty
    outgoingmessage(queue='mp_ addressed to 'mp_[http]mp_policymanager
    successfully queued event on http/http endpoint forwarder_statemessagemanager
    endpoint 'execmgr' processing message/ message has been sent to the endpoint
    calling back with locations for location request {
    the number of discovered dps(including branch dp and multicast) is
    current management point is with version and capabilities: <capabilities schemaversion="1.0"><property name="ssl" \
    version="1"/><property name="sslstate" value="63"/></capabilities>.
    attempting to retrieve lookup mp(s) from ad; lookup management points from dns; default management points from mp
    persisted default management point locations locally; refreshing the management point list for site
    executing task locationservices_getmanagementpoint task; assigned mp list; updating portal information
    the client is now assigned to site; client is already assigned to site
    existing server was already set, skipping group policy registration.
    inventory: collection task completed in seconds; collection: namespace = root\\cimv2; query = select ; timeout = 600 secs.
    inventory: opening store for action ; full report = ; reporting: delta report; sent to the management point
    smstrigger ' will fire in minutes; sending message for schedule ; initialized trigger ("
    requesting machine policy assignments; received delta/full policy assignments; processing machine policy download
    policy state for [ccm_policy_policy5.policyid=",policyversion=" is currently [active]
    applying policy ; initializing download of policy ; download completed; raising event: instance of
    instance of ccm_policyagent_ { clientid = "guid: datetime = "20260302 machinename = processid = sitecode = threadid = };
    updating settings in {ccm_policy; no changes in the settings; successfully initiated
    assignment {} has total ci = ; evaluation of assignment; detection job ({}) started for assignment
    starting or resuming the job; dcmagent job state; ciagent job; ci evaluation; machine compliance state
    async searching of updates using wuagent started; finished searching; scan job; found updates; its a wsus update source type
    successfully completed synchronous searching of updates; processing scan results; search criteria is
    update (missing/installed): publisher; state message with topictype 300 and topicid has been recorded for system
    adding message with topictype to wmi; successfully forwarded state messages to the mp; state message(state id :
    ctm job {} entered phase ccm_download_status; ctm_notifycomplete; download started for content; content location request
    data transfer job; dts job ; bits job is transferring; location update from ctm; successfully processed download completion
    cache manager: cached content; deleting; saved content info; cleaning up; package; execution request for program
    executing program as a script; program exit code 0; looking for mif file to get program status; policy arrived for
    successfully prepared command line; the user has logged on; there is no user logged in; creating mutex; found running
    system task 'startup' returned success; host process; starting service windows; no service windows exist for this type
    ccmexec service started; raising event; entering main loop; registered for registry and certificate store changes
    skipping certificate ; searching for certificates in store; begin validation of certificate; completed validation of \
    certificate; completed searching client certificates based on certificate issuers; begin to select client certificate
    there is only one certificate; the certificate chosen is; pki client certificate matching; sslstate value
    client registration is complete; processing pending registration; already registered. exiting; registration renewed
    read smbios; hardware id; computed hardware id; smsid unchanged; re-registration; machine is not domain joined
    on the internet; on the intranet; client is on internet; network adapter; network name resolved; ip address
    configuration manager client; checking; evaluating health check; updating health state; successfully sent
    error failed to with error code 0x8; unable to find; could not; no need to; not required; not found; is not
    statmsg: id=500 sev=i lev=m source="sms server" comp="sms_ sys= site= pid= tid= gmtdate= istr0="" numattrs=0
    sms_executive is running; component status; thread is starting; waiting for changes to the inbox; inbox directory
    sleeping for seconds; sleep 3600; wait timed out; wake up; received a notification; polling cycle
    processing file ; moved; deleted file; renamed; scanning directory; files in inbox; backlog; total files processed
    successfully processed; inserted; updated record; ddr; mif; discovery data record; for machine; state message file
    connecting to the sql server; sql connection; executing query; rows affected; database; stored procedure; sp_
    site control file; site server; site system role; role availability; server component; the role; mp health monitor
    management point; distribution point; software update point; fallback status point; state migration point; reporting point
    http test request succeeded; verified; health check; status is; is online; is available; started; stopped
    sync: wsus synchronizing; synchronizing update; categories; done; sync time; next scheduled; running wsus sync
    checking runtime; subscription; configuration successful; upstream; proxy is; will be used; attempting connection
    collection evaluator; evaluating collection; results; members; refreshed; incremental; scheduled
    replication; dbreplication; message activation; initialization; link; global data; site data; secondary
    package; distribute; content; source version; snapshot; copying; created; transfer; job manager; sender
    notification; bgb; online clients; push task; message to client; firewall; port; keep-alive; tcp; http
    """.utf8)
}
