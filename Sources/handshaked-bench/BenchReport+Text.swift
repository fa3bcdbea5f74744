import Foundation

/// The report as tables for people; a part that was not measured is not there.
extension BenchReport {
  func text() -> String {
    var sections: [String] = []
    if !corpora.isEmpty { sections += [speed(), ratios()] }
    if !candidates.isEmpty { sections.append(candidateTable()) }
    if !adversarial.isEmpty { sections.append(adversarialTable()) }
    if !addedSignatures.isEmpty { sections.append(addedTable()) }
    if let threads { sections.append(line(threads)) }
    if !tools.isEmpty { sections.append(toolTable()) }
    if !bars.isEmpty { sections.append(barTable()) }
    if !programs.isEmpty {
      sections.append(programs.map { $0 + "\n" }.joined())
      sections.append(
        """
        Times are processor time, user and system, where nothing else is said; those of programs include their start.
        Machines and their neighbours are noisy: compare ratios of one run, not GB/s of two.

        """)
    }
    return sections.joined(separator: "\n")
  }

  private func speed() -> String {
    var table = [
      [
        "corpus", "MB", "records", "found", "false", "GB/s", "M records/s", "ns/record", "peak MiB", "confirmed",
        "unconfirmed",
      ]
    ]
    for row in corpora {
      table.append(
        [
          row.corpus, Form.fixed(Double(row.byteCount) / 1e6, 0), "\(row.accuracy.recordCount)/\(row.recordCount)",
          "\(row.accuracy.expectedCount - row.accuracy.missedCount)/\(row.accuracy.expectedCount)",
          "\(row.accuracy.falseCount)", Form.fixed(row.gigabytesPerSecond, 3),
          Form.fixed(row.recordsPerSecond / 1e6, 2),
          Form.fixed(row.nanosecondsPerRecord, 0), Form.mebibytes(row.peakByteCount),
        ] + Form.shares(row.candidates))
    }
    return
      "handshaked, the whole walk on one thread, page cache warm; candidates of the prefilter by what they proved\n\n"
      + Form.aligned(table)
  }

  private func ratios() -> String {
    let names = corpora[0].peers.map(\.name)
    var table = [["corpus"] + names.flatMap { ["× \($0)", "least…greatest", "GB/s"] }]
    for row in corpora {
      table.append(
        [row.corpus]
          + row.peers.flatMap { peer in
            [
              Form.fixed(peer.ratio, 3), "\(Form.fixed(peer.leastRatio, 3))…\(Form.fixed(peer.greatestRatio, 3))",
              Form.fixed(peer.gigabytesPerSecond, 3),
            ]
          })
    }
    return "Its speed in terms of others (1.000 is as fast; median of \(rounds) interleaved rounds)\n\n"
      + Form.aligned(table)
  }

  private func candidateTable() -> String {
    Form.aligned(
      [["path", "records", "confirmed", "unconfirmed"]]
        + candidates.map { [$0.path, "\($0.rate.recordCount)"] + Form.shares($0.rate) })
  }

  private func adversarialTable() -> String {
    var table = [["input made to hurt", "MB", "lines", "ns/line", "MB/s", "× wc -l", "whole ÷ half", "peak MiB"]]
    for row in adversarial {
      table.append([
        row.adversary, Form.fixed(Double(row.byteCount) / 1e6, 0), "\(row.lineCount)",
        Form.fixed(row.nanosecondsPerLine, 1), Form.fixed(row.megabytesPerSecond, 1),
        Form.fixed(row.ratioToLineCount, 3),
        row.wholeToHalf.map { Form.fixed($0, 2) } ?? "", row.peakByteCount.map(Form.mebibytes) ?? "",
      ])
    }
    return Form.aligned(table)
  }

  private func addedTable() -> String {
    Form.aligned(
      [["\(AddedSignatures.count) more signatures", "slower by %", "least…greatest"]]
        + addedSignatures.map {
          [
            $0.corpus, Form.fixed($0.slowdownPercent, 1),
            "\(Form.fixed($0.leastPercent, 1))…\(Form.fixed($0.greatestPercent, 1))",
          ]
        })
  }

  private func line(_ threads: Threads.Result) -> String {
    let head = "Two threads on \(threads.byteCount >> 20) MiB, wall time: "
    guard !threads.speedUps.isEmpty else {
      return head + "not judged, as in none of \(threads.triedRounds) rounds arithmetic alone came to 1.6 times.\n"
    }
    return head
      + "\(Form.fixed(threads.speedUp, 2)) times one thread; arithmetic alone \(Form.fixed(threads.controls.median, 2)). "
      + "\(threads.speedUps.count) of \(threads.triedRounds) rounds count.\n"
  }

  private func toolTable() -> String {
    var table = [["other tools, IIS rows", "MiB", "MB/s", "handshaked ×"]]
    var notes = ""
    for tool in tools {
      table.append([
        tool.tool, tool.byteCount.map(Form.mebibytes) ?? "", tool.megabytesPerSecond.map { Form.fixed($0, 1) } ?? "",
        tool.ratio.map { Form.fixed($0, 1) } ?? "",
      ])
      notes += "  \(tool.tool): \(tool.version ?? "not installed"); \(tool.job)"
      notes += tool.result.map { ": \($0)\n" } ?? "\n"
    }
    return Form.aligned(table) + "\n" + notes
  }

  private func barTable() -> String {
    let rows = bars.map { bar in
      [
        bar.what, Form.fixed(bar.figure, bar.digits),
        "\(bar.direction == .atLeast ? "≥" : "≤") \(Form.short(bar.limit)) \(bar.unit)",
        bar.isHeld ? "held" : "NOT HELD",
      ]
    }
    return "Bars\n\n" + Form.aligned([["what", "figure", "bar", ""]] + rows)
  }
}

/// Numbers and tables as text.
enum Form {
  static func fixed(_ number: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", number) }

  static func mebibytes(_ byteCount: Int) -> String { fixed(Double(byteCount) / 1_048_576, 0) }

  /// Without zeros at the end: 0.4, 400.
  static func short(_ number: Double) -> String { String(format: "%g", number) }

  static func shares(_ rate: CandidateRate) -> [String] {
    [
      "\(rate.confirmedCount) (\(fixed(rate.confirmedPercent, 2)) %)",
      "\(rate.unconfirmedCount) (\(fixed(rate.unconfirmedPercent, 2)) %)",
    ]
  }

  /// First column to the left, the others to the right.
  static func aligned(_ rows: [[String]]) -> String {
    guard let first = rows.first else { return "" }
    let widths = first.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + padding : padding + cell
      }.joined(separator: "  ") + "\n"
    }.joined()
  }
}
