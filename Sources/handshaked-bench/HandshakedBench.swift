import ArgumentParser
import Detection
import Foundation
import Verification

/// Measures the walk on corpora that it writes itself, against programs of this machine in the same rounds.
@main
struct HandshakedBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "handshaked-bench",
    abstract: "Measures the speed of handshaked on generated logs, with accuracy beside it.",
    discussion: """
      Every corpus follows from a fixed seed: 50,000 clients, one failure in 1,000 to 2,000 records, 5 % recoveries, and \
      decoys. Its failures are known, and every one must be found, and nothing else.

      Example: handshaked-bench --corpus iis,cmtrace --size 256M

      Exit codes: 0 measured; 1 a failure was missed or found where there is none; 64 wrong usage; 74 reading or \
      writing failed; 78 faults in definitions.
      """)

  @Option(
    help: ArgumentHelp(
      "Which corpora, of \(CorpusKind.allCases.map(\.rawValue).joined(separator: ",")).", valueName: "list"))
  var corpus = CorpusList(kinds: CorpusKind.allCases)

  @Option(help: "Bytes of each corpus, such as 64M or 1G.")
  var size = ByteSize(byteCount: 256 << 20)

  @Option(help: "Rounds that are measured, after one that is not.")
  var rounds = 7

  @Option(help: ArgumentHelp("Where the corpora are written (default: $TMPDIR, else /tmp).", valueName: "folder"))
  var directory: String?

  @Flag(help: "Leave the corpora where they are, with the offsets of their failures beside them.")
  var keep = false

  @Option(help: "text for people, json for programs.")
  var output = OutputForm.text

  func validate() throws {
    if !(1...1000).contains(rounds) { throw ValidationError("--rounds must be between 1 and 1000.") }
    if size.byteCount < 4096 { throw ValidationError("--size must be at least 4K.") }
  }

  func run() async throws {
    guard let engine = DefinitionSet(systemDirectories: []).engine else {
      complain("the definitions have faults; `handshaked check` tells which")
      throw ExitCode(78)
    }
    let measurements: [Measurement]
    let programs: [Contestant]
    do {
      let folder = try WorkFolder(in: directory, keep: keep)
      defer { if !keep { folder.remove() } }
      (measurements, programs) = try await measure(engine, folder)
      if keep { complain("the corpora are in \(folder.path)") }
    } catch {
      complain("\(error)")
      throw ExitCode(74)
    }
    let report = BenchReport(measurements, programs: programs, rounds: rounds)
    print(output == .json ? try report.json() : report.text(), terminator: "")
    for measurement in measurements where !measurement.accuracy.isPerfect {
      let accuracy = measurement.accuracy
      complain(
        "\(measurement.corpus.kind.rawValue): \(accuracy.missedCount) failures missed, \(accuracy.falseCount) findings "
          + "without one, \(accuracy.recordCount) of \(accuracy.expectedRecordCount) records")
    }
    if measurements.contains(where: { !$0.accuracy.isPerfect }) { throw ExitCode.failure }
  }

  /// One corpus after the other, so that no more than one is on disk and in the page cache.
  private func measure(_ engine: Engine, _ folder: WorkFolder) async throws -> ([Measurement], [Contestant]) {
    var measurements: [Measurement] = []
    var programs: [Contestant] = []
    for kind in corpus.kinds {
      complain("\(kind.rawValue): writing \(size.byteCount >> 20) MiB")
      let corpus = try CorpusWriter.write(kind, byteCount: size.byteCount, seed: 2026, folder: folder.path)
      if keep { try CorpusWriter.writeTruth(corpus) }
      complain("\(kind.rawValue): \(rounds) rounds")
      programs = try Peers.contestants(for: kind)
      measurements.append(try await Rounds.measure(corpus, engine: engine, peers: programs, count: rounds))
      if !keep { try FileManager.default.removeItem(atPath: corpus.path) }
    }
    return (measurements, programs)
  }

  private func complain(_ text: String) {
    FileHandle.standardError.write(Data("handshaked-bench: \(text)\n".utf8))
  }
}

/// The programs that handshaked is measured against.
enum Peers {
  /// `wc -l` always; ripgrep and mawk where they are installed.
  /// - Throws: `BenchError` when there is no `wc`.
  static func contestants(for kind: CorpusKind) throws -> [Contestant] {
    guard let wc = Program("wc", versionArguments: ["--version"]) else {
      throw BenchError(what: "there is no wc on the PATH\n  fix: install coreutils")
    }
    var contestants = [Contestant(name: "wc -l", version: wc.version) { try wc.seconds(["-l", $0]) }]
    if let ripgrep = Program("rg", versionArguments: ["--version"]) {
      let literals = kind.failureLiterals.flatMap { ["-e", $0] }
      contestants.append(
        Contestant(name: "rg -c -F", version: ripgrep.version) { path in
          // 1: no line matched.
          try ripgrep.seconds(["--no-config", "-c", "-F"] + literals + ["--", path], accepted: [0, 1])
        })
    }
    if let mawk = Program("mawk", versionArguments: ["-W", "version"]) {
      contestants.append(
        Contestant(name: "mawk NF", version: mawk.version) { path in
          try mawk.seconds(["{ n += NF } END { print n }", path])
        })
    }
    return contestants
  }
}

/// `iis,cmtrace`
struct CorpusList: ExpressibleByArgument {
  var kinds: [CorpusKind]

  init(kinds: [CorpusKind]) { self.kinds = kinds }

  init?(argument: String) {
    kinds = []
    for name in argument.split(separator: ",") {
      guard let kind = CorpusKind(rawValue: String(name)) else { return nil }
      if !kinds.contains(kind) { kinds.append(kind) }
    }
    if kinds.isEmpty { return nil }
  }

  var defaultValueDescription: String { kinds.map(\.rawValue).joined(separator: ",") }
}

/// `64M`; K, M and G are powers of 1024.
struct ByteSize: ExpressibleByArgument {
  var byteCount: Int

  init(byteCount: Int) { self.byteCount = byteCount }

  init?(argument: String) {
    let shifts: [Character: Int] = ["K": 10, "M": 20, "G": 30]
    let shift = argument.last.flatMap { shifts[$0] } ?? 0
    guard let number = Int(shift == 0 ? argument : String(argument.dropLast())), number > 0, number < 1 << 32 else {
      return nil
    }
    byteCount = number << shift
  }

  var defaultValueDescription: String { "\(byteCount >> 20)M" }
}

enum OutputForm: String, ExpressibleByArgument, CaseIterable { case text, json }
