import Foundation
import TestSupport
import Testing

/// The service behind a real rsyslog, beside a real journald, on a file system that tells nothing.
@Suite(.serialized) struct RelayTests {
  private static let program = Executable.path(of: "handshaked")
  private static let rsyslogd = "/usr/sbin/rsyslogd"

  /// What the scripts share. `$1` is the program, `$2` a free port.
  private static let prelude =
    SystemTests.record + #"""

      program=$1 port=$2 home=$(mktemp -d)
      cd "$home"
      mkdir run logs source spool-a spool-b
      processes=()
      # Ends what it started, and nothing else.
      trap 'kill -KILL "${processes[@]}" 2>/dev/null || true; cd /; rm -rf "$home"' EXIT
      until_true() { for _ in $(seq 400); do eval "$1" && return 0; read -r -t 0.05 <> <(:) || true; done; echo "NEVER $1"; tail -n 5 err rsyslog.log; }
      start() { "$program" run --config c.yaml 2>>err & service=$!; processes+=("$service"); }
      rsyslog() { "$3" -n -f "$1" -i "$home/$2.pid" >>rsyslog.log 2>&1 & processes+=("$!"); }
      status() { "$program" status --config c.yaml 2>/dev/null; }
      incidents() { "$program" incidents --config c.yaml --output json 2>/dev/null | grep -c handshake.failed || true; }
      opened() { journalctl --sync; journalctl -q -o cat -t handshaked HANDSHAKED_EVENT=opened | grep -c 'TLS handshakes with' || true; }
      configure() { printf 'sources:\n%s\nstore: { path: %s/state.db }\ncontrol: { socket: %s/run/c }\n' "$1" "$home" "$home" >c.yaml; }

      """#

  private static func lines(_ script: String, needs: [String] = [], test: String = #function) throws -> [Substring]? {
    for need in needs where !FileManager.default.isExecutableFile(atPath: need) {
      let reason = "there is no \(need)"
      if need == rsyslogd, ProcessInfo.processInfo.environment["HANDSHAKED_REQUIRE"]?.contains("rsyslog") == true {
        Issue.record("HANDSHAKED_REQUIRE asks for rsyslog: \(reason)")
      } else {
        PackageRoot.skip(reason, test: test)
      }
      return nil
    }
    guard
      let run = try Journald.run(
        prelude + script, arguments: [program, String(Sender.freePort()), rsyslogd], test: test)
    else { return nil }
    #expect(run.status == 0, "\(run.output.suffix(2000))\(run.error.suffix(2000))")
    #expect(!run.output.contains("NEVER"), "\(run.output.prefix(3000))")
    return run.output.split(separator: "\n")
  }

  /// rsyslog sends files over TCP, each message with its count, straight into the service.
  @Test func rsyslogSendsIntoTheService() throws {
    let script = #"""
      configure "  - syslog: { listen: \"127.0.0.1:$port\", transport: tcp }"
      start
      until_true 'status | grep -q "127.0.0.1:$port"'
      mkdir source/PC-1
      cat >send.conf <<END
      global(workDirectory="$home/spool-a" maxMessageSize="256k")
      module(load="imfile")
      template(name="windows" type="string" string="<134>1 %TIMESTAMP:::date-rfc3339% PC-1 - - - [file@32473 path=\"%\$!metadata!filename%\"] %msg%")
      input(type="imfile" file="$home/source/PC-1/*" tag="windows" addMetadata="on" escapeLF="off" needParse="off")
      action(type="omfwd" target="127.0.0.1" port="$port" protocol="tcp" TCP_Framing="octet-counted" template="windows")
      END
      sed -i 's/^ *//' send.conf
      for number in $(seq 40); do record "mp-$number" "$(date -u -d @$((number * 7)) +%H:%M:%S)"; done >source/PC-1/CcmMessaging.log
      rsyslog "$home/send.conf" send "$3"
      until_true '[ "$(incidents)" = 40 ]'
      # A restart of the service: the sender comes again.
      kill -TERM $service; wait $service || true
      start
      until_true 'status | grep -q "127.0.0.1:$port"'
      for number in $(seq 41 80); do record "mp-$number" "$(date -u -d @$((number * 7)) +%H:%M:%S)"; done >>source/PC-1/CcmMessaging.log
      until_true '[ "$(incidents)" -ge 79 ]'
      echo "FOUND $(incidents)"
      "$program" incidents --config c.yaml --output json | grep -c '"count":1,"clients":."PC-1"' | sed 's/^/ONCE /'
      status | grep -c 'skipped  badEnvelope' | sed 's/^/BAD /' || true
      """#
    guard let lines = try RelayTests.lines(script, needs: [RelayTests.rsyslogd]) else { return }
    let found = lines.first { $0.hasPrefix("FOUND") }.flatMap { Int($0.dropFirst(6)) } ?? 0
    // TCP without an acknowledgement: what rsyslog had put into a connection that was closed is lost to both.
    #expect((79...80).contains(found), "\(lines.suffix(8))")
    #expect(lines.contains("ONCE \(found)") && lines.contains("BAD 0"), "\(lines.suffix(8))")
  }

  /// rsyslog receives RELP and writes a file per host; logrotate rotates it, again and again, while all goes on.
  @Test func relpToFilesWithLogrotate() throws {
    let script = #"""
      configure "  - files: $home/logs/{host}/*"
      mkdir source/PC-1
      cat >send.conf <<END
      global(workDirectory="$home/spool-a" maxMessageSize="256k")
      module(load="imfile")
      module(load="omrelp")
      template(name="windows" type="string" string="<134>1 %TIMESTAMP:::date-rfc3339% PC-1 CcmMessaging.log - - - %msg%")
      input(type="imfile" file="$home/source/PC-1/*" tag="windows" escapeLF="off" needParse="off")
      action(type="omrelp" target="127.0.0.1" port="$port" windowSize="20000" template="windows" action.resumeRetryCount="-1")
      END
      cat >receive.conf <<END
      global(workDirectory="$home/spool-b" maxMessageSize="256k" parser.escapeControlCharactersOnReceive="off")
      module(load="imrelp")
      template(name="perLog" type="string" string="$home/logs/%hostname%/%app-name%")
      template(name="asWritten" type="string" string="%msg%\n")
      ruleset(name="windows") { action(type="omfile" dynaFile="perLog" template="asWritten" dirCreateMode="0755" fileCreateMode="0640") }
      input(type="imrelp" address="127.0.0.1" port="$port" ruleset="windows" maxDataSize="256k")
      END
      cat >rotate.conf <<END
      $home/logs/*/*.log {
        su root root
        rotate 20
        create
        compress
        delaycompress
        missingok
        sharedscripts
        postrotate
          kill -HUP \$(cat $home/receive.pid)
        endscript
      }
      END
      sed -i 's/^      //' send.conf receive.conf rotate.conf
      rsyslog "$home/receive.conf" receive "$3"
      until_true 'test -s receive.pid'
      rsyslog "$home/send.conf" send "$3"
      start
      number=0
      for round in $(seq 6); do
        for _ in $(seq 8); do
          number=$((number + 1))
          record "mp-$number" "$(date -u -d @$((number * 7)) +%H:%M:%S)" >>source/PC-1/CcmMessaging.log
        done
        # In the middle of what arrives.
        until_true 'test -s logs/PC-1/CcmMessaging.log'
        logrotate -f -s state rotate.conf
        if [ $((round % 2)) = 0 ]; then kill -KILL $service; wait $service 2>/dev/null || true; start; fi
        # The next rotation compresses what this one renamed.
        until_true '[ "$(incidents)" = $number ]'
      done
      echo "FOUND $(incidents)"
      "$program" incidents --config c.yaml --output json | grep -c '"count":1,"clients":."PC-1"' | sed 's/^/ONCE /'
      ls logs/PC-1 | grep -c '[.]gz$' | sed 's/^/COMPRESSED /'
      """#
    guard let lines = try RelayTests.lines(script, needs: [RelayTests.rsyslogd, "/usr/sbin/logrotate"]) else { return }
    #expect(lines.contains("FOUND 48") && lines.contains("ONCE 48"), "\(lines.suffix(8))")
    #expect(lines.contains { $0.hasPrefix("COMPRESSED") && $0 != "COMPRESSED 0" }, "\(lines.suffix(3))")
  }

  /// Our alerts come back: from the journal through rsyslog into a file that we follow, and over TCP. One stays one.
  @Test func anAlertThatComesBackIsNoFailure() throws {
    let script = #"""
      configure "$(printf '  - files: %s/logs/**\n  - syslog: { listen: \"127.0.0.1:%s\", transport: tcp }' "$home" "$port")"
      cat >loop.conf <<END
      global(workDirectory="$home/spool-a" maxMessageSize="256k")
      module(load="imjournal" StateFile="$home/spool-a/journal" PersistStateInterval="1" Ratelimit.Interval="0")
      template(name="json" type="string" string="{\"message\":\"%msg:::json%\",\"host\":{\"name\":\"%hostname%\"},\"log\":{\"file\":{\"path\":\"/var/log/%programname%.log\"}}}\n")
      action(type="omfile" file="$home/logs/messages" template="RSYSLOG_FileFormat")
      action(type="omfile" file="$home/logs/traditional" template="RSYSLOG_TraditionalFileFormat")
      action(type="omfwd" target="127.0.0.1" port="$port" protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format")
      END
      sed -i 's/^ *//' loop.conf
      start
      until_true 'status | grep -q "127.0.0.1:$port"'
      rsyslog "$home/loop.conf" loop "$3"
      mkdir logs/PC-1
      record mp-1 06:00:00 >>logs/PC-1/CcmMessaging.log
      until_true '[ "$(opened)" = 1 ]'
      # It has gone round all three ways.
      until_true 'grep -q mp-1 logs/messages && grep -q mp-1 logs/traditional'
      until_true '[ "$(status | sed -n "s/.*ownOutput *//p")" -ge 3 ]'
      # A second failure goes round after it; then the first would have been told again.
      record mp-2 06:10:00 >>logs/PC-1/CcmMessaging.log
      until_true '[ "$(opened)" -ge 2 ] && grep -q mp-2 logs/messages && grep -q mp-2 logs/traditional'
      until_true '[ "$(status | sed -n "s/.*ownOutput *//p")" -ge 6 ]'
      echo "OPENED $(opened)"
      "$program" incidents --config c.yaml --output json | grep -c '"count":1,' | sed 's/^/ONCE /'
      """#
    guard let lines = try RelayTests.lines(script, needs: [RelayTests.rsyslogd]) else { return }
    #expect(lines.contains("OPENED 2") && lines.contains("ONCE 2"), "\(lines.suffix(12))")
  }

  /// While journald stands still, logs are read and kept, the service answers, and nothing is told twice when it goes on.
  @Test func journaldThatStandsStillStopsNothing() throws {
    let script = #"""
      configure "  - files: $home/logs/{host}/*"
      mkdir logs/PC-1
      echo nothing yet >logs/PC-1/CcmMessaging.log
      start
      until_true 'status | grep -q "files      1"'
      kill -STOP "$JOURNALD_PID"
      # More than the socket of journald holds.
      for number in $(seq 60); do
        record "mp-$number" "$(date -u -d @$((number * 7)) +%H:%M:%S)" >>logs/PC-1/CcmMessaging.log
        until_true '[ "$(incidents)" = $number ]'
      done
      status | grep -q 'the journal has taken nothing' && echo SAID || status
      kill -CONT "$JOURNALD_PID"
      until_true 'status | grep -q "outbox     0"'
      echo "OPENED $(opened)"
      """#
    guard let lines = try RelayTests.lines(script) else { return }
    #expect(lines.contains("SAID"), "\(lines.suffix(12))")
    #expect(lines.contains("OPENED 60"), "\(lines.suffix(12))")
  }

  /// A share: changes made on the other side raise no event. They are seen by looking, which is said once.
  @Test func aShareIsLookedAt() throws {
    let script = #"""
      mkdir share
      if ! bindfs --no-allow-other -o attr_timeout=0,entry_timeout=0 source share 2>mount.err; then echo "NOSHARE $(head -n 1 mount.err)"; exit 0; fi
      trap 'kill -KILL "${processes[@]}" 2>/dev/null || true; umount -l "$home/share"; cd /; rm -rf "$home"' EXIT
      configure "  - files: $home/share/{host}/*"
      mkdir source/PC-1 source/PC-2
      record mp-1 06:00:00 >source/PC-1/CcmMessaging.log
      start
      until_true '[ "$(incidents)" = 1 ]'
      record mp-2 06:01:00 >>source/PC-1/CcmMessaging.log
      until_true '[ "$(incidents)" = 2 ]'
      # Rotation, a new file, a rewrite: all on the other side.
      mv source/PC-1/CcmMessaging.log source/PC-1/CcmMessaging.lo_
      record mp-3 06:02:00 >source/PC-1/CcmMessaging.log
      until_true '[ "$(incidents)" = 3 ]'
      record mp-4 06:03:00 >source/PC-2/CcmMessaging.log
      until_true '[ "$(incidents)" = 4 ]'
      { record mp-5 06:04:00; record mp-6 06:05:00; } >source/PC-2/CcmMessaging.log
      until_true '[ "$(incidents)" = 6 ]'
      echo "FOUND $(incidents)"
      "$program" incidents --config c.yaml --output json | grep -c '"count":1,' | sed 's/^/ONCE /'
      grep -c 'share/PC-1 is on FUSE' err | sed 's/^/SAID /'
      """#
    guard let lines = try RelayTests.lines(script, needs: ["/usr/bin/bindfs"]) else { return }
    if let reason = lines.first(where: { $0.hasPrefix("NOSHARE") }) {
      PackageRoot.skip("FUSE cannot be mounted: \(reason.dropFirst(8))")
      return
    }
    #expect(lines.contains("FOUND 6") && lines.contains("ONCE 6"), "\(lines.suffix(12))")
    #expect(lines.contains("SAID 1"), "\(lines.suffix(12))")
  }
}
