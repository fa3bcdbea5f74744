import Foundation

/// Instructions a record by corpus, counted by callgrind on small corpora: the same on a busy machine and an idle one, so
/// that a limit can be held.
///
/// Valgrind 3.19 knows no AVX-512, so the AVX2 kernels are counted. Reading the definitions is not; the walk and the
/// reading of the file are.
struct InstructionCount: Encodable, Sendable {
  struct Row: Encodable, Sendable {
    var corpus: String
    var instructionsPerRecord: Double
    var recordCount: Int
    var limit: Double?
    var isHeld: Bool { limit.map { instructionsPerRecord <= $0 } ?? false }
  }
  var rows: [Row]
  var valgrind: String

  static let corpusByteCount = 4 << 20
  /// What a new limit has above the figure: compilers and libraries differ a little.
  static let slack = 1.1

  /// - Throws: `BenchError` when there is no valgrind or it fails, what the file system says.
  static func measure(_ kinds: [CorpusKind], _ limits: InstructionLimits?, folder: String) throws -> InstructionCount {
    guard let valgrind = Program("valgrind", versionArguments: ["--version"]) else {
      throw BenchError(what: "there is no valgrind on the PATH\n  fix: install it (make setup does for the tests)")
    }
    var recordCounts: [Int] = []
    var paths: [String] = []
    for kind in kinds {
      let corpus = try CorpusWriter.write(kind, byteCount: corpusByteCount, seed: 2026, folder: folder)
      recordCounts.append(corpus.recordCount)
      paths.append(corpus.path)
    }
    let totals = try count(paths, valgrind, folder)
    let rows = kinds.indices.map { index in
      Row(
        corpus: kinds[index].rawValue, instructionsPerRecord: totals[index] / Double(recordCounts[index]),
        recordCount: recordCounts[index], limit: limits?.byCorpus[kinds[index].rawValue])
    }
    return InstructionCount(rows: rows, valgrind: valgrind.version)
  }

  /// - Returns: instructions for each file.
  private static func count(_ paths: [String], _ valgrind: Program, _ folder: String) throws -> [Double] {
    // This valgrind cannot read the debug information of Swift: a copy without it is counted.
    let executable = folder + "/counted"
    guard let strip = Program("strip", versionArguments: ["--version"]),
      let nm = Program("nm", versionArguments: ["--version"]),
      try strip.status(["--strip-debug", "-o", executable, Product.folder + "/handshaked-bench"]) == 0
    else { throw BenchError(what: "strip cannot copy the executable to \(executable)\n  fix: install binutils") }
    guard
      let symbol = try nm.output([executable]).split(separator: "\n").first(where: { $0.contains(CountedWalk.function) }
      ),
      let function = symbol.split(separator: " ").last
    else { throw BenchError(what: "\(executable) has no function \(CountedWalk.function)") }
    let output = folder + "/callgrind.out"
    let arguments = [
      "--tool=callgrind", "--callgrind-out-file=\(output)", "--toggle-collect=\(function)", "--dump-after=\(function)",
      "--", executable, CountedWalk.command,
    ]
    var status: Int32?
    // 126: the copy could not be run, as happens on a machine that is busy beyond its means. Once more, then.
    for _ in 0..<2 where status == nil || status == 126 {
      let child = try Child(
        valgrind.executable, arguments + paths, input: nil,
        // Without seeds of its own, so that dictionaries have the same order in every run.
        environment: ["LC_ALL=C", "HANDSHAKED_SIMD=avx2", "SWIFT_DETERMINISTIC_HASHING=1"])
      status = try child.wait().status
    }
    guard status == 0 else {
      throw BenchError(what: "valgrind \(arguments.joined(separator: " ")) … ended with \(status ?? 255)")
    }
    return try paths.indices.map { index in
      let text = try String(contentsOfFile: "\(output).\(index + 1)", encoding: .utf8)
      guard
        let line = text.split(separator: "\n").last(where: { $0.hasPrefix("totals:") || $0.hasPrefix("summary:") }),
        let total = line.split(separator: " ").last.flatMap({ Double($0) }), total > 0
      else { throw BenchError(what: "\(output).\(index + 1) has no count: the counted function was not met") }
      return total
    }
  }

  func text() -> String {
    let table = rows.map { row in
      [
        row.corpus, Form.fixed(row.instructionsPerRecord, 0), row.limit.map { Form.fixed($0, 0) } ?? "none",
        row.limit == nil
          ? "NO LIMIT"
          : row.isHeld ? (row.instructionsPerRecord < 0.8 * row.limit! ? "held; can be lowered" : "held") : "OVER",
      ]
    }
    return "Instructions a record, AVX2, by callgrind of \(valgrind)\n\n"
      + Form.aligned([["corpus", "instructions", "limit", ""]] + table)
  }
}

/// `Tests/Thresholds/instructions.tsv`: the corpus and the most instructions a record may take, a line each.
package struct InstructionLimits: Sendable {
  package private(set) var byCorpus: [String: Double] = [:]

  /// - Throws: `BenchError` with the line that is wrong.
  package init(file: String) throws {
    let text: String
    do {
      text = try String(contentsOfFile: file, encoding: .utf8)
    } catch {
      throw BenchError(what: "\(file): cannot be read\n  fix: write it with --write-limits")
    }
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    where !line.isEmpty && !line.hasPrefix("#") {
      let cells = line.split(separator: "\t")
      guard cells.count == 2, CorpusKind(rawValue: String(cells[0])) != nil, let limit = Double(cells[1]), limit > 0
      else { throw BenchError(what: "\(file):\(index + 1): not a corpus and a number, with a tab between them") }
      byCorpus[String(cells[0])] = limit
    }
  }

  static func write(_ count: InstructionCount, to file: String) throws {
    let lines = count.rows.map { row in
      "\(row.corpus)\t\(Int((row.instructionsPerRecord * InstructionCount.slack).rounded(.up)))\n"
    }
    let head = """
      # The most instructions that a record may take, by corpus (AVX2, callgrind): `make bench-count` and BenchTests hold
      # them. Each is a tenth above what was counted when it was set; faster code lowers it (--write-limits).

      """
    try Data((head + lines.joined()).utf8).write(to: URL(fileURLWithPath: file))
  }
}
