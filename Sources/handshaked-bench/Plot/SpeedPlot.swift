import Foundation

/// The picture of a run: speed of handshaked and its peers by corpus, its ratio to `wc -l`, instructions a record, and
/// the other tools.
package struct SpeedPlot: Sendable {
  package struct CorpusFigures: Sendable {
    package var name: String
    /// Contestants in the order of the legend, handshaked first, in GB/s.
    package var speeds: [(name: String, gigabytesPerSecond: Double)]
    /// To `wc -l`, and what it must be.
    package var ratio: Double
    package var goal: Double?
    package var instructionsPerRecord: Double?

    package init(
      name: String, speeds: [(name: String, gigabytesPerSecond: Double)], ratio: Double, goal: Double?,
      instructionsPerRecord: Double?
    ) {
      self.name = name
      self.speeds = speeds
      self.ratio = ratio
      self.goal = goal
      self.instructionsPerRecord = instructionsPerRecord
    }
  }
  package var corpora: [CorpusFigures]
  /// Other log tools on IIS rows, in MB/s.
  package var tools: [(name: String, megabytesPerSecond: Double)]
  /// What stands below: sizes, rounds, date.
  package var note: String

  package init(
    corpora: [CorpusFigures], tools: [(name: String, megabytesPerSecond: Double)], note: String
  ) {
    self.corpora = corpora
    self.tools = tools
    self.note = note
  }

  // MARK: Layout

  private static let width = 960.0
  private static let labelWidth = 130.0
  private static let rowHeight = 26.0
  private static let headHeight = 46.0
  private static let footHeight = 40.0
  private static let grey = "#d8d8d8"
  /// Told apart with every kind of colour blindness. Source: Okabe and Ito, "Color Universal Design", 2008.
  private static let colours = ["#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00"]
  private static let ownColour = colours[0]

  package func svg() -> String {
    var drawing = SVG()
    var top = 20.0
    top = speeds(&drawing, top)
    let left = SpeedPlot.labelWidth
    let half = SpeedPlot.width / 2
    bars(
      &drawing, top, from: left, to: half - 60, title: "handshaked, × wc -l   ( | = goal)",
      corpora.map { ($0.name, $0.ratio, $0.goal) }, digits: 3)
    bars(
      &drawing, top, from: half + left - 20, to: SpeedPlot.width - 70, title: "instructions a record (AVX2)",
      corpora.map { ($0.name, $0.instructionsPerRecord ?? 0, nil) }, digits: 0)
    top += SpeedPlot.headHeight + Double(corpora.count) * SpeedPlot.rowHeight + SpeedPlot.footHeight
    if !tools.isEmpty { top = toolSpeeds(&drawing, top) }
    drawing.text(note, x: 16, y: top, size: 11, fill: "#555555")
    return drawing.file(width: SpeedPlot.width, height: top + 16, title: "Speed of handshaked beside other programs")
  }

  /// A row a corpus, a mark a contestant, a logarithmic axis.
  private func speeds(_ drawing: inout SVG, _ top: Double) -> Double {
    let values = corpora.flatMap { $0.speeds.map(\.gigabytesPerSecond) }
    let axis = LogarithmicAxis(values, from: SpeedPlot.labelWidth, to: SpeedPlot.width - 30)
    drawing.text("GB/s of one core, logarithmic (more is better)", x: 16, y: top + 8, size: 15, isBold: true)
    var x = 440.0
    for (index, speed) in (corpora.first?.speeds ?? []).enumerated() {
      drawing.mark(SpeedPlot.mark(index), x: x, y: top + 4, radius: 5, fill: SpeedPlot.colour(index))
      drawing.text(speed.name, x: x + 11, y: top + 8, isBold: index == 0)
      x += 36 + 8.5 * Double(speed.name.count) + (index == 0 ? 12 : 0)
    }
    let first = top + SpeedPlot.headHeight
    let bottom = first + Double(corpora.count) * SpeedPlot.rowHeight
    grid(&drawing, axis, first - 16, bottom - 8)
    for (row, corpus) in corpora.enumerated() {
      let y = first + Double(row) * SpeedPlot.rowHeight
      drawing.text(corpus.name, x: SpeedPlot.labelWidth - 12, y: y + 4, anchor: .end)
      drawing.line(axis.from, y, axis.to, y, stroke: "#eeeeee")
      // Ours last, above the others.
      for (index, speed) in corpus.speeds.enumerated().reversed() {
        drawing.mark(
          SpeedPlot.mark(index), x: axis.position(speed.gigabytesPerSecond), y: y, radius: index == 0 ? 6.5 : 5,
          fill: SpeedPlot.colour(index))
      }
    }
    return bottom + SpeedPlot.footHeight
  }

  private func bars(
    _ drawing: inout SVG, _ top: Double, from: Double, to: Double, title: String,
    _ rows: [(name: String, value: Double, goal: Double?)], digits: Int
  ) {
    let most = max(rows.flatMap { [$0.value, $0.goal ?? 0] }.max() ?? 0, 1e-9)
    drawing.text(title, x: from, y: top + 8, size: 15, isBold: true)
    let first = top + SpeedPlot.headHeight
    for (row, figures) in rows.enumerated() {
      let y = first + Double(row) * SpeedPlot.rowHeight
      drawing.text(figures.name, x: from - 12, y: y + 4, anchor: .end)
      guard figures.value > 0 else { continue }
      let length = (to - from) * figures.value / most
      drawing.rectangle(x: from, y: y - 8, width: length, height: 16, fill: SpeedPlot.ownColour)
      // Beside the bar, or beside the goal where that would run through the number.
      var textStart = from + length + 6
      if let goal = figures.goal {
        let x = from + (to - from) * goal / most
        drawing.line(x, y - 11, x, y + 11, stroke: "#222222", width: 2)
        if x > textStart - 8, x < textStart + 46 { textStart = x + 6 }
      }
      drawing.text(String(format: "%.\(digits)f", figures.value), x: textStart, y: y + 4)
    }
    let bottom = first + Double(rows.count) * SpeedPlot.rowHeight - 8
    drawing.line(from, first - 16, from, bottom, stroke: "#888888")
  }

  private func toolSpeeds(_ drawing: inout SVG, _ top: Double) -> Double {
    let own = corpora.first { $0.name == CorpusKind.iis.rawValue }?.speeds.first.map {
      [("handshaked", $0.gigabytesPerSecond * 1000)]
    }
    let rows = (own ?? []) + tools.map { ($0.name, $0.megabytesPerSecond) }
    let axis = LogarithmicAxis(rows.map(\.1), from: SpeedPlot.labelWidth, to: SpeedPlot.width - 90)
    drawing.text(
      "MB/s on IIS rows, logarithmic: log tools at like jobs (they do other work besides)", x: 16, y: top + 8, size: 15,
      isBold: true)
    let first = top + SpeedPlot.headHeight
    let bottom = first + Double(rows.count) * SpeedPlot.rowHeight
    grid(&drawing, axis, first - 16, bottom - 8)
    for (row, figures) in rows.enumerated() {
      let y = first + Double(row) * SpeedPlot.rowHeight
      let x = axis.position(figures.1)
      drawing.text(figures.0, x: SpeedPlot.labelWidth - 12, y: y + 4, anchor: .end)
      let isOwn = figures.0 == "handshaked"
      drawing.line(axis.from, y, axis.to, y, stroke: "#eeeeee")
      drawing.mark(
        isOwn ? .disc : .square, x: x, y: y, radius: isOwn ? 6.5 : 5, fill: isOwn ? SpeedPlot.ownColour : "#666666")
      drawing.text(String(format: figures.1 < 100 ? "%.1f" : "%.0f", figures.1), x: x + 11, y: y + 4)
    }
    return bottom + SpeedPlot.footHeight
  }

  private func grid(_ drawing: inout SVG, _ axis: LogarithmicAxis, _ top: Double, _ bottom: Double) {
    for tick in axis.ticks {
      let x = axis.position(tick)
      drawing.line(x, top, x, bottom, stroke: SpeedPlot.grey)
      drawing.text(String(format: "%g", tick), x: x, y: bottom + 16, size: 11, anchor: .middle, fill: "#555555")
    }
  }

  private static func mark(_ index: Int) -> SVG.Mark { SVG.Mark.allCases[index % SVG.Mark.allCases.count] }
  private static func colour(_ index: Int) -> String { colours[index % colours.count] }
}

/// Whole steps of 1, 2, 5 around some positive values.
package struct LogarithmicAxis: Sendable {
  package let ticks: [Double]
  package let from: Double
  package let to: Double

  package init(_ values: [Double], from: Double, to: Double) {
    self.from = from
    self.to = to
    let positive = values.filter { $0 > 0 }
    let least = positive.min() ?? 1
    let most = positive.max() ?? 1
    let steps = (-6...6).flatMap { exponent in [1, 2, 5].map { $0 * pow(10, Double(exponent)) } }
    let first = steps.lastIndex { $0 <= least } ?? 0
    let last = max(steps.firstIndex { $0 >= most } ?? steps.count - 1, first + 1)
    ticks = Array(steps[first...min(last, steps.count - 1)])
  }

  package func position(_ value: Double) -> Double {
    let share = log(value / ticks[0]) / log(ticks[ticks.count - 1] / ticks[0])
    return from + (to - from) * min(max(share, 0), 1)
  }
}
