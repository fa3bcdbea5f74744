import Extraction
import Foundation

/// The programs that handshaked is measured against in every round: `wc -l` always; ripgrep and mawk where they are.
struct Peers {
  private let lineCounter: Contestant
  private let ripgrep: Program?
  private let mawk: Program?
  /// The file of regular expressions for `rg -f`, and how many signatures it stands for.
  private var patternFile: String?
  private var usableCount = 0
  /// Of these, the ones that only their anchors stand for.
  private var anchorCount = 0
  private var signatureCount = 0

  /// - Parameter folder: where the file of patterns is written.
  /// - Throws: `BenchError` when there is no `wc`, or ripgrep cannot be run.
  init(_ rules: RuleSet, folder: String) throws {
    lineCounter = try Peers.lineCounter()
    ripgrep = Program("rg", versionArguments: ["--version"])
    mawk = Program("mawk", versionArguments: ["-W", "version"])
    if let ripgrep { try writePatterns(SignaturePatterns(rules), ripgrep, folder) }
  }

  /// Keeps what this ripgrep compiles with its default engine, the fast one: patterns that look around need PCRE2, and
  /// one of them would slow down all.
  private mutating func writePatterns(_ patterns: SignaturePatterns, _ ripgrep: Program, _ folder: String) throws {
    let path = folder + "/signatures.rg"
    var lines: [String] = []
    signatureCount = patterns.bySignature.count
    for signature in patterns.bySignature {
      let usable = try signature.choices.firstIndex { patterns in
        try patterns.allSatisfy { pattern in
          // 1: it compiles and /dev/null holds none; 2: it does not.
          try ripgrep.status(Peers.ripgrepOptions + ["-e", pattern, "--", "/dev/null"]) == 1
        }
      }
      guard let usable else { continue }
      lines += signature.choices[usable]
      usableCount += 1
      if usable > 0 { anchorCount += 1 }
    }
    guard !lines.isEmpty else { return }
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: path))
    patternFile = path
  }

  private static let ripgrepOptions = ["--no-config", "--no-unicode", "-c"]

  /// What the report says of the programs.
  var notes: [String] {
    var notes = ["wc -l: \(lineCounter.version)"]
    if let ripgrep {
      notes.append("rg -F: \(ripgrep.version), fixed strings of the failures that the corpus holds")
      notes.append(
        "rg -f: \(ripgrep.version), \(usableCount) of \(signatureCount) failure signatures as patterns, \(anchorCount) of "
          + "them by their literals alone, as they need PCRE2")
    } else {
      notes.append("rg: not installed")
    }
    notes.append(
      mawk.map {
        "mawk: \($0.version), counts by what `replay` counts by: \(CorpusKind.iis.accountingTitle) in IIS rows"
      }
        ?? "mawk: not installed")
    return notes
  }

  /// The contestants of one corpus, `wc -l` first.
  func contestants(for kind: CorpusKind) -> [Contestant] {
    var contestants = [lineCounter]
    if let ripgrep {
      let literals = kind.failureLiterals.flatMap { ["-e", $0] }
      contestants.append(
        Contestant(name: "rg -F", version: ripgrep.version) { path in
          // 1: no line matched.
          try ripgrep.seconds(["--no-config", "-c", "-F"] + literals + ["--", path], accepted: [0, 1])
        })
      if let patternFile {
        contestants.append(
          Contestant(name: "rg -f", version: ripgrep.version) { path in
            try ripgrep.seconds(Peers.ripgrepOptions + ["-f", patternFile, "--", path], accepted: [0, 1])
          })
      }
    }
    if let mawk {
      contestants.append(
        Contestant(name: "mawk", version: mawk.version) { path in
          try mawk.seconds([kind.accounting, path])
        })
    }
    return contestants
  }

  /// `wc -l`, the measure of what reading alone costs.
  /// - Throws: `BenchError` when there is none.
  static func lineCounter() throws -> Contestant {
    guard let wc = Program("wc", versionArguments: ["--version"]) else {
      throw BenchError(what: "there is no wc on the PATH\n  fix: install coreutils")
    }
    return Contestant(name: "wc -l", version: wc.version) { try wc.seconds(["-l", $0]) }
  }
}

extension CorpusKind {
  /// What mawk counts by.
  var accountingTitle: String {
    switch self {
    case .iis: "client × protocol × status"
    case .iisPlain: "client × status"
    case .cmtrace: "component × type"
    case .simple: "component"
    case .eventXML, .eventJSON: "host × event id"
    case .syslog: "host × application"
    }
  }

  /// The same as a program for mawk.
  var accounting: String {
    let count =
      switch self {
      case .iis: #"!/^#/ { n[$9 " " $18 " " $12]++ }"#
      case .iisPlain: #"!/^#/ { n[$9 " " $12]++ }"#
      case .cmtrace:
        #"(i = index($0, "]LOG]!>")) { split(substr($0, i), p, "\""); n[p[6] " " p[10]]++ }"#
      case .simple: #"(i = index($0, "$$<")) { split(substr($0, i + 3), p, ">"); n[p[1]]++ }"#
      case .eventXML:
        #"(i = index($0, "<EventID>")) { j = index($0, "<Computer>"); split(substr($0, j + 10, 64), p, "<"); "#
          + #"n[p[1] " " substr($0, i + 9, 5)]++ }"#
      case .eventJSON:
        #"(i = index($0, "\"EventID\":")) { j = index($0, "\"Hostname\":\""); split(substr($0, j + 12, 64), p, "\""); "#
          + #"n[p[1] " " substr($0, i + 10, 5)]++ }"#
      case .syslog: #"{ n[$3 " " $4]++ }"#
      }
    return count + " END { for (k in n) c++; print c }"
  }
}
