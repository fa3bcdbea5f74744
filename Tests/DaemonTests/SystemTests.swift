import Foundation
import TestSupport
import Testing

/// The executable as a service: a real journald, a real systemd.
@Suite(.serialized) struct SystemTests {
  private static let program = Executable.path(of: "handshaked")

  /// A failure of a client with a server and a moment of its own (the second argument): an incident and an alert for each.
  private static let record = #"""
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

  /// As an administrator sees it: start, alert, crash, reload good and bad, stop, in the sandbox of the shipped unit.
  @Test func underSystemd() throws {
    let script =
      SystemTests.record + #"""

        until_true() { for _ in $(seq 100); do eval "$1" && return 0; read -r -t 0.1 <> <(:) || true; done; echo "NEVER $1"; }
        root=$2
        systemd-sysusers "$root/systemd/handshaked.sysusers.conf"
        cp "$1" /usr/bin/handshaked
        mkdir -p /etc/handshaked /usr/lib/systemd/catalog /var/log/remote/PC-1
        cp "$root"/systemd/handshaked.{service,socket} /etc/systemd/system/
        cp "$root/systemd/handshaked.catalog" /usr/lib/systemd/catalog/
        journalctl --update-catalog
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
    guard let run = try Systemd.run(script, arguments: [SystemTests.program, PackageRoot.path]) else { return }
    for word in [
      "STARTED", "ALERTED", "EXPLAINED", "RESTARTED", "AGAIN", "RELOADED", "REFUSED", "STILL", "STOPPED", "OPENED 2",
    ] {
      #expect(run.output.split(separator: "\n").contains(Substring(word)), "no \(word): \(run.output)\(run.error)")
    }
  }

  @Test func theUnitIsSoundAndShut() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/unit-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for name in ["handshaked.service", "handshaked.socket"] {
      let text = String(decoding: try PackageRoot.bytes("systemd/" + name), as: UTF8.self)
        .replacingOccurrences(of: "/usr/bin/handshaked", with: SystemTests.program)
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
    }
    let verify = try Executable.run(
      ["verify", "--man=no", "--recursive-errors=one", folder + "/handshaked.service", folder + "/handshaked.socket"],
      program: "/usr/bin/systemd-analyze")
    #expect(verify.status == 0, "\(verify.output)\(verify.error)")
    let security = try Executable.run(
      ["security", "--offline=yes", "--no-pager", "--threshold=10", folder + "/handshaked.service"],
      program: "/usr/bin/systemd-analyze")
    #expect(security.status == 0, "\(security.output.suffix(300))")
  }
}
