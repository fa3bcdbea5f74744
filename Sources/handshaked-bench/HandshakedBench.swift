import ArgumentParser
import Detection
import Foundation
import Verification

/// Measures the walk on corpora that it writes itself, against programs of this machine in the same rounds.
struct HandshakedBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "handshaked-bench",
    abstract: "Measures the speed of handshaked on generated logs, with accuracy beside it.",
    discussion: """
      Every corpus follows from a fixed seed: 50,000 clients, one failure in 1,000 to 2,000 records, 5 % recoveries, and \
      decoys. Its failures are known, and every one must be found, and nothing else.

      Example: handshaked-bench --parts corpora --corpus iis,cmtrace --size 256M

      Exit codes: 0 measured; 1 a failure was missed or found where there is none, or a bar was asked for and not \
      reached; 64 wrong usage; 74 reading or writing failed; 78 faults in definitions.
      """)

  @Option(
    help: ArgumentHelp(
      "What is measured, of \(BenchPart.allCases.map(\.rawValue).joined(separator: ",")).", valueName: "list"))
  var parts = NameList<BenchPart>(BenchPart.allCases)

  @Option(
    help: ArgumentHelp(
      "Which corpora, of \(CorpusKind.allCases.map(\.rawValue).joined(separator: ",")).", valueName: "list"))
  var corpus = NameList<CorpusKind>(CorpusKind.allCases)

  @Option(help: "Bytes of each corpus, such as 64M or 1G.")
  var size = ByteSize(byteCount: 256 << 20)

  @Option(help: "Rounds that are measured, after one that is not.")
  var rounds = 7

  @Option(help: ArgumentHelp("Where the corpora are written (default: $TMPDIR, else /tmp).", valueName: "folder"))
  var directory: String?

  @Flag(help: "Leave the corpora where they are, with the offsets of their failures beside them.")
  var keep = false

  @Flag(name: .customLong("peers"), help: "Measure other log tools too, where they are installed.")
  var measuresPeers = false

  @Option(
    help: ArgumentHelp(
      "Tell only the candidate rate in these logs, confirmed and unconfirmed; may be repeated.", valueName: "path"))
  var candidates: [String] = []

  @Option(
    help: ArgumentHelp(
      "Only count instructions a record, by valgrind's callgrind, and hold them against the limits in this file.",
      valueName: "file"))
  var count: String?

  @Flag(help: "With --count: write the file anew, a tenth above what is counted.")
  var writeLimits = false

  @Option(
    help: ArgumentHelp(
      "Draw what was measured of corpora, and of other tools, with the instructions a record.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Exit with 1 when a bar is not reached.")
  var requireBars = false

  @Option(help: "text for people, json for programs.")
  var output = OutputForm.text

  func validate() throws {
    if !(1...1000).contains(rounds) { throw ValidationError("--rounds must be between 1 and 1000.") }
    if plot != nil, !parts.names.contains(.corpora) { throw ValidationError("--plot needs the part corpora.") }
    if writeLimits, count == nil { throw ValidationError("--write-limits belongs to --count.") }
    if size.byteCount < 4096 { throw ValidationError("--size must be at least 4K.") }
  }

  func run() async throws {
    if let count { return try countInstructions(count) }
    guard let engine = DefinitionSet(systemDirectories: []).engine else {
      complain("the definitions have faults; `handshaked check` tells which")
      throw ExitCode(78)
    }
    var report = BenchReport(rounds: rounds)
    do {
      if candidates.isEmpty {
        let folder = try WorkFolder(in: directory, keep: keep)
        defer { if !keep { folder.remove() } }
        try await measure(engine, folder, into: &report)
        if keep { complain("the corpora are in \(folder.path)") }
      } else {
        for path in candidates {
          report.candidates.append(.init(path: path, rate: try await CandidateRate.measure(path, engine: engine)))
        }
      }
    } catch {
      complain("\(error)")
      throw ExitCode((error as? BenchError)?.exitCode ?? 74)
    }
    print(output == .json ? try report.json() : report.text(), terminator: "")
    for row in report.corpora where !row.accuracy.isPerfect {
      complain(
        "\(row.corpus): \(row.accuracy.missedCount) failures missed, \(row.accuracy.falseCount) findings without one, "
          + "\(row.accuracy.recordCount) of \(row.accuracy.expectedRecordCount) records")
    }
    if report.corpora.contains(where: { !$0.accuracy.isPerfect }) { throw ExitCode.failure }
    if requireBars, report.bars.contains(where: { !$0.isHeld }) { throw ExitCode.failure }
  }

  private func countInstructions(_ file: String) throws {
    let counted: InstructionCount
    do {
      let limits = writeLimits ? nil : try InstructionLimits(file: file)
      let folder = try WorkFolder(in: directory, keep: keep)
      defer { if !keep { folder.remove() } }
      counted = try InstructionCount.measure(corpus.names, limits, folder: folder.path)
      if writeLimits { try InstructionLimits.write(counted, to: file) }
    } catch {
      complain("\(error)")
      throw ExitCode(74)
    }
    print(output == .json ? try BenchReport.encoded(counted) : counted.text(), terminator: "")
    if !writeLimits, counted.rows.contains(where: { !$0.isHeld }) {
      complain("more instructions than \(file) allows, or no limit there")
      throw ExitCode.failure
    }
  }

  private func measure(_ engine: Engine, _ folder: WorkFolder, into report: inout BenchReport) async throws {
    for part in BenchPart.allCases where parts.names.contains(part) {
      switch part {
      case .corpora:
        let peers = try Peers(engine.rules.rules, folder: folder.path)
        report.programs = peers.notes
        try await measureCorpora(engine, peers, folder, into: &report)
      case .signatures: try await measureSignatures(engine, folder, into: &report)
      case .memory:
        let corpus = try write(.iis, folder)
        for threadCount in [1, 2] {
          let peak = try Product().peakByteCount(corpus.path, threadCount: threadCount)
          report.bars.append(
            Bar(
              "peak memory, \(corpus.byteCount >> 20) MiB of IIS rows, \(threadCount == 1 ? "one thread" : "two threads")",
              Double(peak) / 1_048_576, .atMost, 64, unit: "MiB", digits: 1))
        }
        try remove(corpus)
      case .start:
        let product = try Product()
        let starts = try (0..<max(rounds, 7)).map { _ in try Start.milliseconds(product) }
        report.bars.append(
          Bar("start to first byte read", starts.median, .atMost, Start.limitMilliseconds, unit: "ms", digits: 1))
      case .threads:
        let corpus = try write(.iis, folder)
        complain("threads: \(rounds) rounds")
        let result = try await Threads.measure(corpus, engine, rounds: rounds)
        report.threads = result
        if let bar = result.bar { report.bars.append(bar) }
        try remove(corpus)
      case .adversarial:
        let room = Adversary.Room(byteCount: size.byteCount, folder: folder.path, rounds: rounds)
        let lineCounter = try Peers.lineCounter()
        for adversary in Adversary.allCases {
          complain("\(adversary.rawValue)")
          try folder.require(byteCount: adversary.byteCount(room))
          let (row, bars) = try await adversary.measure(engine, lineCounter, room)
          report.adversarial.append(row)
          report.bars += bars
        }
      }
    }
    if measuresPeers {
      report.tools = try await ForeignTool.measureAll(
        engine, byteCount: size.byteCount, rounds: rounds, folder: folder.path, told: complain)
    }
    if let plot {
      complain("counting instructions")
      let counted = try InstructionCount.measure(corpus.names, nil, folder: folder.path)
      try Data(report.plot(counted).svg().utf8).write(to: URL(fileURLWithPath: plot))
    }
  }

  /// One corpus after the other, so that no more than one is on disk and in the page cache.
  private func measureCorpora(
    _ engine: Engine, _ peers: Peers, _ folder: WorkFolder, into report: inout BenchReport
  ) async throws {
    for kind in corpus.names {
      let corpus = try write(kind, folder)
      if keep { try CorpusWriter.writeTruth(corpus) }
      complain("\(kind.rawValue): \(rounds) rounds")
      let measurement = try await Rounds.measure(
        kind.rawValue, corpus, engine: engine, peers: peers.contestants(for: kind), count: rounds)
      let rate = try await CandidateRate.measure(corpus.path, engine: engine)
      report.add(measurement, kind, rate)
      try remove(corpus)
    }
  }

  /// With and without a thousand more signatures.
  private func measureSignatures(_ engine: Engine, _ folder: WorkFolder, into report: inout BenchReport) async throws {
    let larger = try AddedSignatures.engine(seed: 2026, folder: folder.path + "/added")
    for (kind, limit) in AddedSignatures.corpora {
      let corpus = try write(kind, folder)
      complain("\(kind.rawValue): \(rounds) rounds with and without \(AddedSignatures.count) more signatures")
      let (row, bar) = try await AddedSignatures.measure(
        kind, corpus, engine, larger, limitPercent: limit, rounds: rounds)
      report.addedSignatures.append(row)
      report.bars.append(bar)
      try remove(corpus)
    }
  }

  private func write(_ kind: CorpusKind, _ folder: WorkFolder) throws -> Corpus {
    complain("\(kind.rawValue): writing \(size.byteCount >> 20) MiB")
    try folder.require(byteCount: size.byteCount)
    return try CorpusWriter.write(kind, byteCount: size.byteCount, seed: 2026, folder: folder.path)
  }

  private func remove(_ corpus: Corpus) throws {
    if !keep { try FileManager.default.removeItem(atPath: corpus.path) }
  }

  private func complain(_ text: String) {
    FileHandle.standardError.write(Data("handshaked-bench: \(text)\n".utf8))
  }
}

/// What a run can measure, in the order in which it does.
enum BenchPart: String, CaseIterable {
  case corpora, adversarial, signatures, memory, start, threads
}

/// `iis,cmtrace`: names of an enum, each once.
struct NameList<Name: RawRepresentable & CaseIterable & Equatable>: ExpressibleByArgument
where Name.RawValue == String {
  var names: [Name] = []

  init(_ names: Name.AllCases) { self.names = Array(names) }

  init?(argument: String) {
    for text in argument.split(separator: ",") {
      guard let name = Name(rawValue: String(text)) else { return nil }
      if !names.contains(name) { names.append(name) }
    }
    if names.isEmpty { return nil }
  }

  var defaultValueDescription: String { names.map(\.rawValue).joined(separator: ",") }
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
