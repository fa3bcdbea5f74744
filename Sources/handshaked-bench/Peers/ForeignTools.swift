import Detection
import Foundation
import Glibc

/// Log tools that read fields, each with a job like a part of what handshaked does over the same IIS rows: count clients
/// by status and protocol, or tell the requests that were refused for their certificate.
///
/// They do other work besides, and much that handshaked does not: the ratios are orientation, no contest.
struct ForeignTool: Sendable {
  struct Row: Encodable, Sendable {
    var tool: String
    /// Nil: not installed, and nothing below.
    var version: String?
    var job: String
    var byteCount: Int?
    var megabytesPerSecond: Double?
    /// handshaked's speed over the same bytes, in terms of the tool's.
    var ratio: Double?
    /// What it told, so that one sees that the job was done.
    var result: String?
  }

  /// The part of a corpus that a tool reads, with what is true of it.
  struct Slice {
    var path: String
    var folder: String
    var byteCount: Int
    var rowCount: Int
    /// Rows of status 403 with sub-status 7, 13, 16 or 17.
    var refusalCount: Int
  }

  var name: String
  var command: String
  var versionArguments = ["--version"]
  var job: String
  /// Bytes that suit its speed.
  var byteCount = 16 << 20
  /// Runs once: processor time in seconds, and what was told.
  var run: @Sendable (_ tool: Program, _ slice: Slice) throws -> (seconds: Double, result: String)

  static let all: [ForeignTool] = [
    ForeignTool(name: "GoAccess", command: "goaccess", job: "requests by client, status and the like, as JSON") {
      tool, slice in
      let output = slice.folder + "/goaccess.json"
      let seconds = try shell(
        #"exec "$0" "$1" --no-global-config --no-progress --date-format=%Y-%m-%d --time-format=%H:%M:%S "#
          + #"--log-format='%d %t %^ %m %U %q %^ %e %h %u %R %s %^ %^ %b %^ %L %^ %^ %^ %^' -o "$2""#,
        [tool.executable, slice.path, output], slice)
      let text = try String(contentsOfFile: output, encoding: .utf8)
      guard let number = text.firstMatch(of: #/"valid_requests": ?(\d+)/#).flatMap({ Int($0.1) }), number > 0 else {
        throw BenchError(what: "goaccess read no row")
      }
      return (seconds, "read \(number) of \(slice.rowCount) rows; the methods of Configuration Manager are not its own")
    },
    ForeignTool(name: "lnav", command: "lnav", versionArguments: ["-V"], job: "SQL: count by client and status") {
      tool, slice in
      let output = slice.folder + "/lnav.out"
      let seconds = try shell(
        #"exec "$0" -n -c ';SELECT count(*) FROM (SELECT c_ip, sc_status, count(*) FROM w3c_log GROUP BY c_ip, "#
          + #"sc_status)' "$1" >"$2""#, [tool.executable, slice.path, output], slice)
      let text = try String(contentsOfFile: output, encoding: .utf8)
      guard let groups = text.split(whereSeparator: \.isWhitespace).compactMap({ Int($0) }).last, groups > 0 else {
        throw BenchError(what: "lnav answered: \(text.prefix(200))")
      }
      return (seconds, "\(groups) groups")
    },
    ForeignTool(name: "mtail", command: "mtail", job: "a counter by client, status and protocol, one pattern") {
      tool, slice in
      let programs = slice.folder + "/mtail"
      try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
      try write(
        #"""
        counter requests by client, status, protocol
        /^\d+-\d+-\d+ \S+ \S+ \S+ \S+ \S+ \d+ \S+ (?P<client>\S+) \S+ \S+ (?P<status>\d+) \d+ \d+ \d+ \d+ \d+ (?P<protocol>\S+)/ {
          requests[$client][$status][$protocol]++
        }

        """#, to: programs + "/iis.mtail")
      let output = slice.folder + "/mtail.out"
      let seconds = try shell(
        #"exec "$0" --one_shot --one_shot_format=prometheus --progs "$1" --logs "$2" >"$3""#,
        [tool.executable, programs, slice.path, output], slice)
      let text = try String(contentsOfFile: output, encoding: .utf8)
      let counts = text.split(separator: "\n").filter { $0.hasPrefix("requests{") }
        .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
      guard !counts.isEmpty else { throw BenchError(what: "mtail counted nothing") }
      return (seconds, "\(counts.reduce(0, +)) of \(slice.rowCount) rows in \(counts.count) counters")
    },
    ForeignTool(name: "SEC", command: "sec", job: "one rule: rows of refused certificates") { tool, slice in
      let output = slice.folder + "/sec.out"
      try write(
        #"""
        type=Single
        ptype=RegExp
        pattern=^\S+ \S+ \S+ \S+ \S+ \S+ \d+ \S+ (\S+) \S+ \S+ 403 (?:7|13|16|17) \d+
        desc=refused $1
        action=write \#(output) $0

        """#, to: slice.folder + "/sec.conf")
      let seconds = try shell(
        #"exec "$0" --conf="$1" --input="$2" --fromstart --notail"#,
        [tool.executable, slice.folder + "/sec.conf", slice.path], slice)
      return (seconds, try told(output, slice))
    },
    ForeignTool(
      name: "syslog-ng", command: "syslog-ng", job: "csv-parser of all columns, then rows of refused certificates",
      byteCount: 32 << 20
    ) { tool, slice in
      let output = slice.folder + "/syslog-ng.out"
      try write(
        #"""
        @version: 3.35
        options { stats-freq(0); };
        source rows { stdin(flags(no-parse)); };
        parser columns {
          csv-parser(columns("date","time","sip","method","stem","query","port","user","client","agent","referer","status",
            "sub","win32","sc","cs","taken","protocol","cipher","hash","kx") delimiters(" ") prefix(".iis."));
        };
        filter refused { "${.iis.status}" eq "403" and match("^(7|13|16|17)$" value(".iis.sub")); };
        destination told { file("\#(output)" template("${.iis.client} ${.iis.sub}\n")); };
        log { source(rows); parser(columns); filter(refused); destination(told); };

        """#, to: slice.folder + "/syslog-ng.conf")
      // From a pipe: it ends with its standard input, and polls no file.
      let seconds = try shell(
        #"cat "$1" | "$0" -F --no-caps -f "$2.conf" -R "$2.persist" -p "$2.pid" -c "$2.ctl""#,
        [tool.executable, slice.path, slice.folder + "/syslog-ng"], slice)
      return (seconds, try told(output, slice))
    },
    ForeignTool(
      name: "rsyslog", command: "rsyslogd", versionArguments: ["-v"],
      job: "imfile, mmnormalize of all columns, then rows of refused certificates", run: rsyslog),
  ]

  // MARK: Runs

  /// imfile never ends: a last row that must be told says that all before it was read; then the process is ended.
  @Sendable private static func rsyslog(_ tool: Program, _ slice: Slice) throws -> (Double, String) {
    let base = slice.folder + "/rsyslog"
    let output = base + ".out"
    try? FileManager.default.removeItem(atPath: base)
    try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: true)
    let words = "date time sip method stem query port user client agent referer status sub win32 sc cs taken protocol"
    let rule = words.split(separator: " ").map { "%\($0):word%" }.joined(separator: " ")
    try write("version=2\nrule=:\(rule) %rest:rest%\n", to: base + ".rb")
    _ = try shell(
      #"{ cat "$0"; echo '2026-03-02 00:00:00 10.20.1.21 GET /end - 443 - 0.0.0.0 end - 403 17 0 0 0 0 end 0 0 0'; } >"$1""#,
      [slice.path, base + ".log"], slice)
    try write(
      #"""
      global(workDirectory="\#(base)")
      module(load="imfile")
      module(load="mmnormalize")
      template(name="told" type="string" string="%$!client% %$!sub%\n")
      ruleset(name="iis") {
        action(type="mmnormalize" rulebase="\#(base).rb")
        if $!status == "403" and ($!sub == "7" or $!sub == "13" or $!sub == "16" or $!sub == "17") then {
          action(type="omfile" file="\#(output)" template="told")
        }
      }
      input(type="imfile" file="\#(base).log" tag="iis" ruleset="iis")

      """#, to: base + ".conf")
    try? FileManager.default.removeItem(atPath: output)
    guard let timeout = Program("timeout", versionArguments: ["--version"]) else {
      throw BenchError(what: "there is no timeout on the PATH\n  fix: install coreutils")
    }
    // So that it ends even when this process is ended before it.
    let child = try Child(
      timeout.executable, ["130", tool.executable, "-n", "-f", base + ".conf", "-i", base + ".pid"], input: nil)
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(120)
    var isDone = false
    while !isDone, clock.now < deadline {
      usleep(5000)
      isDone = ((try? String(contentsOfFile: output, encoding: .utf8)) ?? "").hasSuffix("0.0.0.0 17\n")
    }
    // `timeout` hands the signal on, waits, and so answers for the time of both.
    kill(child.pid, SIGTERM)
    let seconds = ProcessorTime.seconds(try child.wait().usage)
    guard isDone else { throw BenchError(what: "rsyslog did not come to the last row within two minutes") }
    var withEnd = slice
    withEnd.refusalCount += 1
    return (seconds, try told(output, withEnd))
  }

  /// Runs a line of shell with `arguments` as `$0`, `$1`, …; what it leaves of an earlier run is taken away first.
  private static func shell(_ line: String, _ arguments: [String], _ slice: Slice) throws -> Double {
    for name in ["sec.out", "syslog-ng.out"] { try? FileManager.default.removeItem(atPath: slice.folder + "/" + name) }
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    let child = try Child(
      "/bin/sh", ["-c", line] + arguments, input: nil,
      environment: ["LC_ALL=C", "PATH=\(path)", "HOME=\(slice.folder)"])
    let (status, usage) = try child.wait()
    guard status == 0 else {
      throw BenchError(what: "sh -c '\(line)' \(arguments.joined(separator: " ")) ended with \(status ?? 255)")
    }
    return ProcessorTime.seconds(usage)
  }

  private static func write(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  /// Every refused row has to be told, or the time says nothing.
  private static func told(_ output: String, _ slice: Slice) throws -> String {
    // Bytes: a carriage return and a line end are one Character.
    let count = (FileManager.default.contents(atPath: output) ?? Data()).split(separator: 0x0A).count
    guard count == slice.refusalCount else {
      throw BenchError(what: "\(output): \(count) rows told, \(slice.refusalCount) were refused")
    }
    return "\(count) of \(slice.refusalCount) refusals"
  }
}

extension ForeignTool {
  /// Runs every tool that is there over its slice of IIS rows, in rounds with handshaked.
  static func measureAll(
    _ engine: Engine, byteCount: Int, rounds: Int, folder: String, told: (String) -> Void
  ) async throws -> [Row] {
    var rows: [Row] = []
    for tool in all {
      guard let program = Program(tool.command, versionArguments: tool.versionArguments) else {
        rows.append(Row(tool: tool.name, version: nil, job: tool.job))
        continue
      }
      told(tool.name)
      let slice = try slice(byteCount: min(byteCount, tool.byteCount), folder: folder)
      defer { try? FileManager.default.removeItem(atPath: slice.path) }
      var result = ""
      do {
        let runs: [() async throws -> Double] = [
          Rounds.own(engine).on(slice.path),
          {
            let run = try tool.run(program, slice)
            result = run.result
            return run.seconds
          },
        ]
        let seconds = try await Rounds.interleave(runs, count: min(rounds, 3))
        rows.append(
          Row(
            tool: tool.name, version: program.version, job: tool.job, byteCount: slice.byteCount,
            megabytesPerSecond: Double(slice.byteCount) / 1e6 / seconds[1].median,
            ratio: Rounds.ratios(seconds[0], to: seconds[1]).median, result: result))
      } catch let error as BenchError {
        // One tool of another version must not end the run; that it failed stands in the report.
        rows.append(Row(tool: tool.name, version: program.version, job: tool.job, result: "failed: \(error)"))
      }
    }
    return rows
  }

  private static func slice(byteCount: Int, folder: String) throws -> Slice {
    let corpus = try CorpusWriter.write(.iis, byteCount: byteCount, seed: 2026, folder: folder)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: corpus.path))
    var refusalCount = 0
    for line in bytes.split(separator: 0x0A) where line.first != 0x23 {
      let fields = line.split(separator: 0x20, maxSplits: 13)
      if fields.count > 13, fields[11].elementsEqual("403".utf8),
        ["7", "13", "16", "17"].contains(where: { fields[12].elementsEqual($0.utf8) })
      {
        refusalCount += 1
      }
    }
    return Slice(
      path: corpus.path, folder: folder, byteCount: corpus.byteCount, rowCount: corpus.recordCount,
      refusalCount: refusalCount)
  }
}
