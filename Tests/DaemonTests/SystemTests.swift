import Foundation
import TestSupport
import Testing

/// The executable as a service: a real journald, a real systemd.
@Suite(.serialized) struct SystemTests {
  private static let program = Executable.path(of: "handshaked")

  /// A failure of a client with a server and a moment of its own (the second argument): an incident and an alert for each.
  static let record = #"""
    record() { printf '<![LOG[[CCMHTTP] ERROR: URL=https://%s.corp.example/ccm_system/request, Port=443, Options=31, Code=12175, Text=ERROR_WINHTTP_SECURE_FAILURE]LOG]!><time="%s.125-60" date="03-02-2026" component="CcmMessaging" context="" type="3" thread="4242" file="ccmhttp.cpp:1641">\r\n' "$1" "$2"; }
    """#

  /// Kills the service at system calls of its store and of its messages, again and again: every failure is counted once
  /// and told once.
  @Test func killedAtAnyMomentItLosesAndDoublesNothing() throws {
    let rounds = Int(ProcessInfo.processInfo.environment["HANDSHAKED_KILLS"] ?? "") ?? 25
    let script =
      SystemTests.record + #"""

        set -eu
        cd "$(mktemp -d)"
        mkdir -p logs/PC-1 run
        printf 'sources:\n  - files: %s/logs/{host}/**\nstore: { path: %s/state.db }\ncontrol: { socket: %s/run/c }\n' "$PWD" "$PWD" "$PWD" >c.yaml
        # The first reading is over before anything fails.
        printf 'nothing yet\n' >logs/PC-1/CcmMessaging.log
        timeout -s TERM 2 "$1" run --config c.yaml 2>err || true
        # The call, and how often it is made between start and rest.
        calls=("pwrite64 12" "sendmsg 2" "fdatasync 2" "pread64 20" "sendmsg 1" "pwrite64 12" "fdatasync 1" "pwrite64 6")
        for round in $(seq "$2"); do
          record "mp-$round" "$(date -u -d @$((round * 7)) +%H:%M:%S)" >>logs/PC-1/CcmMessaging.log
          read -r call most <<<"${calls[$((round % ${#calls[@]}))]}"
          timeout -s KILL 2 strace -f -qq -o trace -e trace="$call" -e inject="$call:signal=KILL:when=$((RANDOM % most + 1))" \
            "$1" run --config c.yaml 2>>err || true
          if grep -q 'killed by SIGKILL' trace; then echo "KILLED $call"; fi
        done
        "$1" run --config c.yaml 2>>err & service=$!
        for _ in $(seq 200); do
          "$1" status --config c.yaml --output json >status 2>/dev/null && grep -q '"lagByteCount":0' status \
            && grep -q '"outboxCount":0' status && break
          read -r -t 0.1 <> <(:) || true
        done
        "$1" incidents --config c.yaml --output json
        kill -KILL $service
        """#
    let all = script + "; journalctl --sync; echo ENTRIES; journalctl -q -o json -t handshaked HANDSHAKED_EVENT=opened"
    guard let run = try Journald.run(all, arguments: [SystemTests.program, String(rounds)]) else { return }
    #expect(run.status == 0, "\(run.output.suffix(2000))\(run.error.suffix(2000))")
    let parts = run.output.components(separatedBy: "ENTRIES\n")
    func objects(_ text: String) throws -> [[String: Any]] {
      try text.split(separator: "\n").filter { $0.hasPrefix("{") }.map {
        try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
      }
    }
    let killed = parts[0].split(separator: "\n").filter { $0.hasPrefix("KILLED") }
    print("MEASURED: \(rounds) rounds, killed: \(Dictionary(grouping: killed) { $0 }.mapValues(\.count))")
    #expect(killed.count * 2 > rounds, "the service was hardly ever killed")
    let incidents = try objects(parts[0]).filter { $0["kind"] as? String == "handshake.failed" }
    #expect(incidents.count == rounds)
    #expect(incidents.allSatisfy { $0["count"] as? Int == 1 }, "a failure was counted twice")
    let told = try objects(parts.count > 1 ? parts[1] : "")
      .filter { $0["HANDSHAKED_KIND"] as? String == "handshake.failed" }
      .compactMap { $0["HANDSHAKED_SERVER"] as? String }
    #expect(told.count == rounds && Set(told).count == rounds, "told \(told.count), different \(Set(told).count)")
  }

  /// Entries of the journal are evidence once each: over stops, over kills at any moment, and although our own alerts lie
  /// among them. Where entries were lost to vacuuming before they were read, that is said.
  @Test func theJournalIsReadOnce() throws {
    let script =
      SystemTests.record + #"""

        cd "$(mktemp -d)"
        mkdir run
        printf 'sources:\n  - journal: { match: { SYSLOG_IDENTIFIER: [winlog, iis] } }\n  - journal: { match: { _TRANSPORT: journal } }\nstore: { path: %s/state.db }\ncontrol: { socket: %s/run/c }\n' "$PWD" "$PWD" >c.yaml
        status() { "$1" status --config c.yaml --output json 2>/dev/null; }
        until_true() { for _ in $(seq 600); do eval "$1" && return 0; read -r -t 0.05 <> <(:) || true; done; echo "NEVER $1"; status "$P" || true; }
        P=$1
        wrote=0
        write() { wrote=$((wrote + 1)); record "mp-$wrote" "$(date -u -d @$((wrote * 7)) +%H:%M:%S)" | logger -t winlog; }
        start() { "$P" run --config c.yaml 2>>err & service=$!; }
        incidents() { "$P" incidents --config c.yaml --output json 2>/dev/null | grep -c handshake.failed || true; }
        # What is there at the first start is told in one summary; the rest one by one.
        write
        start
        until_true '[ "$(incidents)" = $wrote ]'
        write; write
        until_true '[ "$(incidents)" = $wrote ]'
        kill -TERM $service; wait $service || true
        write
        start
        until_true '[ "$(incidents)" = $wrote ]'
        for round in $(seq 12); do
          write; write
          read -r -t 0.0$((RANDOM % 90 + 10)) <> <(:) || true
          kill -KILL $service; wait $service 2>/dev/null || true
          [ $((round % 3)) = 0 ] && write
          start
        done
        until_true '[ "$(incidents)" = $wrote ]'
        until_true 'status "$P" | grep -q outboxCount.:0,'
        echo "WROTE $wrote"
        "$P" incidents --config c.yaml --output json
        status "$P"
        kill -TERM $service; wait $service || true
        # Lost before it was read.
        write
        journalctl --rotate
        journalctl -q --vacuum-time=1us
        write
        start
        until_true '[ "$(incidents)" = $((wrote - 1)) ]'
        kill -TERM $service; wait $service || true
        grep -c 'the journal begins at' err | sed 's/^/GAPS /'
        journalctl --sync
        """#
    guard let run = try Journald.run(script, arguments: [SystemTests.program]) else { return }
    #expect(run.status == 0, "\(run.output.suffix(2000))\(run.error.suffix(2000))")
    let lines = run.output.split(separator: "\n")
    let never = lines.filter { $0.hasPrefix("NEVER") }
    #expect(never.isEmpty, "\(run.output.prefix(3000))")
    let wrote = lines.first { $0.hasPrefix("WROTE") }.flatMap { Int($0.dropFirst(6)) }
    let objects = try lines.filter { $0.hasPrefix("{") }.map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    let incidents = objects.filter { $0["kind"] as? String == "handshake.failed" }
    #expect(incidents.count == wrote && (wrote ?? 0) > 25)
    #expect(incidents.allSatisfy { $0["count"] as? Int == 1 }, "an entry was counted twice")
    let skips = objects.last { $0["skips"] != nil }?["skips"] as? [String: Int]
    #expect(skips?["ownOutput"] ?? 0 > 0, "the service did not meet its own alerts")
    // Of both sources: our own alerts are gone too.
    #expect(lines.contains("GAPS 2"), "\(lines.suffix(1))")
  }

  /// Beside its files the service takes syslog from sockets of systemd, although it has no network, and keeps what was sent over
  /// restarts and crashes.
  @Test func socketsAndWatchdogUnderSystemd() throws {
    let script =
      SystemTests.record + SystemTests.install + #"""

        printf 'sources:\n  - files: /var/log/remote/{host}/**\n  - syslog: { socket: syslog }\n  - journal: { match: { SYSLOG_IDENTIFIER: winlog } }\n' >/etc/handshaked/handshaked.yaml
        mkdir -p /etc/systemd/system/handshaked.service.d
        printf '[Service]\nWatchdogSec=2s\nRestartSec=100ms\n' >/etc/systemd/system/handshaked.service.d/test.conf
        systemctl daemon-reload
        # From outside: the service is started by what comes first.
        systemctl start handshaked.socket handshaked-syslog.socket
        message() { printf '<134>1 2026-03-03T00:00:00.000Z PC-1 CcmMessaging - - - %s' "$(record "$1" "$2" | tr -d '\r')"; }
        alerted() { journalctl --sync; journalctl -q -t handshaked HANDSHAKED_EVENT=opened | grep -q "$1"; }
        exec 7<>/dev/tcp/127.0.0.1/5514
        until_true 'systemctl is-active -q handshaked' && echo ACTIVATED
        text=$(message mp-1 06:00:00)
        printf '%s %s' "${#text}" "$text" >&7
        until_true 'alerted mp-1' && echo SYSLOG
        # Half a message before a restart, the other half after it, over the same connection.
        text=$(message mp-2 06:01:00)
        printf '%s %s' "${#text}" "${text:0:50}" >&7
        until_true 'handshaked status | grep -q "1 connections"'
        systemctl restart handshaked
        printf '%s' "${text:50}" >&7
        until_true 'alerted mp-2' && echo KEPT
        # What is sent while it lies dead waits in the connection.
        systemctl kill -s KILL handshaked
        text=$(message mp-3 06:02:00)
        printf '%s %s' "${#text}" "$text" >&7
        until_true 'alerted mp-3' && echo SURVIVED
        message mp-4 06:03:00 >/dev/udp/127.0.0.1/5514
        until_true 'alerted mp-4' && echo DATAGRAM
        exec 7>&-
        until_true 'handshaked status | grep -q "0 connections"' && echo CLOSED
        record mp-5 06:04:00 | logger -t winlog
        until_true 'alerted mp-5' && echo JOURNAL
        before=$(systemctl show -p NRestarts --value handshaked)
        systemctl kill -s STOP handshaked
        until_true '[ "$(systemctl show -p NRestarts --value handshaked)" -gt "$before" ] && systemctl is-active -q handshaked' && echo WATCHED
        # Rotation and restart at once, again and again.
        file=/var/log/remote/PC-1/CcmMessaging.log
        for round in 1 2 3 4 5; do
          record "rot-$round-a" "07:0$round:00" >>$file
          systemctl restart --no-block handshaked
          mv $file $file.$round
          record "rot-$round-b" "07:0$round:30" >$file
          until_true 'systemctl is-active -q handshaked'
        done
        until_true '[ "$(handshaked incidents --output json | grep -c rot-)" = 10 ]' && echo ROTATED
        until_true 'handshaked status | grep -q "outbox     0"'
        journalctl --sync
        journalctl -q -o cat -t handshaked HANDSHAKED_EVENT=opened | grep -c 'TLS handshakes with' | sed 's/^/OPENED /'
        systemctl stop handshaked.socket handshaked-syslog.socket handshaked
        journalctl -q -o cat -u handshaked | tail -n 40
        """#
    guard let run = try Systemd.run(script) else { return }
    for word in [
      "ACTIVATED", "SYSLOG", "KEPT", "SURVIVED", "DATAGRAM", "CLOSED", "JOURNAL", "WATCHED", "ROTATED", "OPENED 15",
    ] {
      #expect(
        run.output.split(separator: "\n").contains(Substring(word)),
        "no \(word): \(run.output.suffix(6000))\(run.error.suffix(2000))")
    }
  }

  /// The package itself, as `make deb` builds it: `HANDSHAKED_DEB=… make test`, or `make soak`, which builds it.
  @Test func thePackageUnderSystemd() throws {
    guard let package = ProcessInfo.processInfo.environment["HANDSHAKED_DEB"] else {
      PackageRoot.skip("no package is given: HANDSHAKED_DEB=FILE.deb")
      return
    }
    let copy = "/var/tmp/handshaked-test-\(UUID().uuidString).deb"
    try FileManager.default.copyItem(atPath: package, toPath: copy)
    defer { try? FileManager.default.removeItem(atPath: copy) }
    let script =
      SystemTests.record + #"""

        until_true() { for _ in $(seq 600); do eval "$1" && return 0; read -r -t 0.1 <> <(:) || true; done; echo "NEVER $1"; }
        dpkg -i --force-depends "$3" && echo INSTALLED
        systemctl is-enabled -q handshaked || echo DISABLED
        id -nG handshaked | grep -q systemd-journal && echo GROUPED
        mkdir -p /var/log/remote/PC-1
        printf 'sources:\n  - files: /var/log/remote/{host}/**\n' >/etc/handshaked/handshaked.yaml
        echo seed >/var/log/remote/PC-1/CcmMessaging.log
        handshaked check --as-service && echo OPEN
        systemctl enable --now handshaked.socket handshaked && echo STARTED
        until_true 'handshaked status | grep -q "files      1, lag 0"'
        record mp-1 06:00:00 >>/var/log/remote/PC-1/CcmMessaging.log
        until_true 'journalctl --sync; journalctl -q -t handshaked HANDSHAKED_EVENT=opened | grep -q mp-1' && echo ALERTED
        journalctl -q -x -t handshaked HANDSHAKED_EVENT=opened | grep -q 'What Microsoft asks for' && echo EXPLAINED
        bash -c 'source /usr/share/bash-completion/completions/handshaked && declare -F _handshaked >/dev/null' && echo COMPLETED
        dpkg -r handshaked && ! systemctl is-active -q handshaked && echo REMOVED
        """#
    guard let run = try Systemd.run(script, arguments: [copy]) else { return }
    for word in [
      "INSTALLED", "DISABLED", "GROUPED", "OPEN", "STARTED", "ALERTED", "EXPLAINED", "COMPLETED", "REMOVED",
    ] {
      #expect(
        run.output.split(separator: "\n").contains(Substring(word)),
        "no \(word): \(run.output.suffix(3000))\(run.error.suffix(2000))")
    }
  }

  /// What a package does, for the tests: program, units, user, catalog.
  private static let install = #"""

    until_true() { for _ in $(seq 600); do eval "$1" && return 0; read -r -t 0.1 <> <(:) || true; done; echo "NEVER $1"; }
    root=$2
    systemd-sysusers "$root/systemd/handshaked.sysusers.conf"
    cp "$1" /usr/bin/handshaked
    mkdir -p /etc/handshaked /usr/lib/systemd/catalog /var/log/remote/PC-1
    cp "$root"/systemd/handshaked.{service,socket} "$root/systemd/handshaked-syslog.socket" /etc/systemd/system/
    cp "$root/systemd/handshaked.catalog" /usr/lib/systemd/catalog/
    journalctl --update-catalog
    """#

  /// As an administrator sees it: start, alert, crash, reload good and bad, stop, in the sandbox of the shipped unit.
  @Test func underSystemd() throws {
    let script =
      SystemTests.record + SystemTests.install + #"""

        printf 'sources:\n  - files: /var/log/remote/{host}/**\n' >/etc/handshaked/handshaked.yaml
        echo seed >/var/log/remote/PC-1/CcmMessaging.log
        systemctl daemon-reload
        systemctl start handshaked.socket handshaked && echo STARTED
        until_true 'handshaked status | grep -q "files      1, lag"'
        record mp-1 06:00:00 >>/var/log/remote/PC-1/CcmMessaging.log
        until_true 'journalctl --sync; journalctl -q -t handshaked HANDSHAKED_EVENT=opened | grep -q mp-1' && echo ALERTED
        journalctl -q -x -t handshaked HANDSHAKED_EVENT=opened | grep -q 'What Microsoft asks for' && echo EXPLAINED
        systemctl kill -s KILL handshaked
        until_true '[ "$(systemctl show -p NRestarts --value handshaked)" = 1 ] && systemctl is-active -q handshaked' && echo RESTARTED
        mv /var/log/remote/PC-1/CcmMessaging.log /var/log/remote/PC-1/CcmMessaging.lo_
        record mp-2 06:10:00 >>/var/log/remote/PC-1/CcmMessaging.log
        until_true 'journalctl --sync; journalctl -q -t handshaked HANDSHAKED_EVENT=opened | grep -q mp-2' && echo AGAIN
        systemctl reload handshaked && echo RELOADED
        printf 'sources:\n  - file: /x\n' >/etc/handshaked/handshaked.yaml
        systemctl reload handshaked 2>/dev/null || echo REFUSED
        systemctl is-active -q handshaked && echo STILL
        systemctl show -p StatusText --value handshaked
        systemctl stop handshaked.socket handshaked && [ "$(systemctl show -p Result --value handshaked)" = success ] && echo STOPPED
        journalctl -q -o cat -t handshaked HANDSHAKED_EVENT=opened | grep -c 'TLS handshakes with mp-' | sed 's/^/OPENED /'
        """#
    guard let run = try Systemd.run(script) else { return }
    for word in [
      "STARTED", "ALERTED", "EXPLAINED", "RESTARTED", "AGAIN", "RELOADED", "REFUSED", "STILL", "STOPPED", "OPENED 2",
    ] {
      #expect(run.output.split(separator: "\n").contains(Substring(word)), "no \(word): \(run.output)\(run.error)")
    }
  }

  /// What is renamed, written to and deleted while the service is down for its restart is read whole, once: systemd has kept
  /// its descriptor. So has it after a crash what had lost its name before.
  @Test func whatIsDeletedDuringARestartIsRead() throws {
    let script =
      SystemTests.record + SystemTests.install + #"""

        printf 'sources:\n  - files: /var/log/remote/{host}/**\n' >/etc/handshaked/handshaked.yaml
        # Between two processes, as systemd runs it: outside of the sandbox.
        cat >/usr/local/sbin/between <<'END'
        [ -e /etc/between ] && exec /bin/bash /etc/between
        exit 0
        END
        mkdir -p /etc/systemd/system/handshaked.service.d
        printf '[Service]\nExecStartPre=+/bin/bash /usr/local/sbin/between\nRestartSec=100ms\n' \
          >/etc/systemd/system/handshaked.service.d/test.conf
        systemctl daemon-reload
        log=/var/log/remote/PC-1/CcmMessaging.log
        other=/var/log/remote/PC-2/CcmMessaging.log
        mkdir -p /var/log/remote/PC-2
        for n in 1 2 3 4 5; do echo "seed $n of a log that is long enough to be known by its beginning"; done | tee $log >$other
        systemctl start handshaked.socket handshaked
        until_true 'handshaked status | grep -q "files      2, lag 0"' && echo READ
        alerted() { journalctl --sync; journalctl -q -t handshaked HANDSHAKED_EVENT=opened | grep -q "$1"; }
        kept() { systemctl show -p NFileDescriptorStore --value handshaked; }
        { echo "umask 022; log=$log; other=$other"; declare -f record; cat <<'END'
        record mp-1 06:00:00 >>$log
        rm $log
        record mp-2 06:01:00 >$log
        record mp-3 06:02:00 >>$other
        mv $other $other.1
        record mp-4 06:03:00 >>$other.1
        gzip $other.1
        rm /etc/between
        END
        } >/etc/between
        systemctl restart handshaked
        [ -e /etc/between ] || echo BETWEEN
        for n in 1 2 3 4; do until_true "alerted mp-$n" && echo "FOUND $n"; done
        # Only what has no name any more is left with systemd.
        until_true '[ "$(kept)" = 2 ]' && echo HELD
        # Deleted while it runs, written to by one who has it open, over a crash.
        exec 8>>$log
        rm $log
        until_true '[ "$(kept)" = 3 ]' && echo KEPT
        systemctl kill -s KILL handshaked
        record mp-5 06:04:00 >&8
        until_true 'alerted mp-5' && echo "FOUND 5"
        exec 8>&-
        handshaked incidents --output json
        systemctl restart handshaked
        until_true 'handshaked status | grep -q "outbox     0"'
        journalctl --sync
        journalctl -q -o cat -t handshaked HANDSHAKED_EVENT=opened | grep -c 'TLS handshakes with' | sed 's/^/OPENED /'
        systemctl stop handshaked.socket handshaked
        [ "$(kept)" = 0 ] && echo EMPTY
        journalctl -q -o cat -u handshaked | tail -n 40
        """#
    guard let run = try Systemd.run(script) else { return }
    let lines = run.output.split(separator: "\n")
    for word in [
      "READ", "BETWEEN", "FOUND 1", "FOUND 2", "FOUND 3", "FOUND 4", "HELD", "KEPT", "FOUND 5", "OPENED 5", "EMPTY",
    ] {
      #expect(lines.contains(Substring(word)), "no \(word): \(run.output.suffix(6000))\(run.error.suffix(2000))")
    }
    #expect(!lines.contains { $0.hasPrefix("NEVER") }, "\(run.output.prefix(3000))")
    let counts = try lines.filter { $0.hasPrefix("{") }.map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }.filter { $0["kind"] as? String == "handshake.failed" }.compactMap { $0["count"] as? Int }
    #expect(counts == [1, 1, 1, 1, 1], "\(counts)")
  }

  /// The unit starts without the credential, reads it where an administrator encrypted one, and names it where it has faults.
  @Test func moreConfigurationComesAsACredential() throws {
    let script =
      SystemTests.record + SystemTests.install + #"""

        printf 'sources:\n  - files: /var/log/remote/{host}/**\n' >/etc/handshaked/handshaked.yaml
        mkdir -p /var/log/secret/PC-9 /etc/credstore.encrypted /etc/credstore
        echo seed | tee /var/log/secret/PC-9/CcmMessaging.log >/var/log/remote/PC-1/CcmMessaging.log
        systemctl daemon-reload
        systemctl start handshaked.socket handshaked && echo WITHOUT
        until_true 'handshaked status | grep -q "files      1, lag"' && echo ONE
        encrypt() { printf '%s\n' "$1" | systemd-creds encrypt --with-key=host --name=handshaked.yaml - /etc/credstore.encrypted/handshaked.yaml; }
        systemd-creds setup 2>/dev/null
        encrypt 'sources: [{ files: "/var/log/secret/{host}/**" }]'
        grep -q secret /etc/credstore.encrypted/handshaked.yaml || echo CLOSED
        systemctl restart handshaked && echo WITH
        until_true 'handshaked status | grep -q "files      2, lag"' && echo TWO
        record mp-1 06:00:00 >>/var/log/secret/PC-9/CcmMessaging.log
        until_true 'journalctl --sync; journalctl -q -t handshaked HANDSHAKED_EVENT=opened | grep -q mp-1' && echo ALERTED
        systemctl reload handshaked && until_true 'handshaked status | grep -q "files      2, lag"' && echo RELOADED
        handshaked check --as-service --user nobody | grep -q 'systemd decrypts /etc/credstore.encrypted/handshaked.yaml' && echo TOLD
        encrypt 'sources: [{ file: "/x" }]'
        systemctl restart handshaked 2>/dev/null || echo REFUSED
        journalctl --sync
        journalctl -q -o cat -u handshaked | grep -q '^credential handshaked.yaml:1:' && echo NAMED
        rm /etc/credstore.encrypted/handshaked.yaml
        echo 'store: { retain: 9d }' >/etc/credstore/handshaked.yaml
        handshaked check --as-service --user nobody | grep -q 'systemd-creds encrypt --name=handshaked.yaml' && echo ADVISED
        systemctl reset-failed handshaked
        systemctl start handshaked 2>/dev/null || echo PLAIN
        rm /etc/credstore/handshaked.yaml
        systemctl reset-failed handshaked
        # Not encrypted, by a drop-in.
        echo 'sources: [{ files: "/var/log/secret/{host}/**" }]' >/root/more.yaml
        mkdir -p /etc/systemd/system/handshaked.service.d
        printf '[Service]\nLoadCredential=handshaked.yaml:/root/more.yaml\n' >/etc/systemd/system/handshaked.service.d/more.conf
        systemctl daemon-reload
        systemctl start handshaked && until_true 'handshaked status | grep -q "files      2, lag"' && echo BYDROPIN
        systemctl stop handshaked.socket handshaked
        journalctl -q -o cat -u handshaked | tail -n 40
        """#
    guard let run = try Systemd.run(script) else { return }
    for word in [
      "WITHOUT", "ONE", "CLOSED", "WITH", "TWO", "ALERTED", "RELOADED", "TOLD", "REFUSED", "NAMED", "ADVISED", "PLAIN",
      "BYDROPIN",
    ] {
      #expect(
        run.output.split(separator: "\n").contains(Substring(word)),
        "no \(word): \(run.output.suffix(4000))\(run.error.suffix(2000))")
    }
  }

  @Test func theUnitIsSoundAndShut() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/unit-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for name in ["handshaked.service", "handshaked.socket", "handshaked-syslog.socket"] {
      let text = String(decoding: try PackageRoot.bytes("systemd/" + name), as: UTF8.self)
        .replacingOccurrences(of: "/usr/bin/handshaked", with: SystemTests.program)
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
    }
    let verify = try Executable.run(
      [
        "verify", "--man=no", "--recursive-errors=one", folder + "/handshaked.service", folder + "/handshaked.socket",
        folder + "/handshaked-syslog.socket",
      ],
      program: "/usr/bin/systemd-analyze")
    #expect(verify.status == 0, "\(verify.output)\(verify.error)")
    let security = try Executable.run(
      ["security", "--offline=yes", "--no-pager", "--threshold=10", folder + "/handshaked.service"],
      program: "/usr/bin/systemd-analyze")
    #expect(security.status == 0, "\(security.output.suffix(300))")
  }
}
