import Foundation
import FoundationXML
import Testing

import handshaked_bench

@Suite struct PlotTests {
  /// The texts of a drawing, as a reader of XML sees them; nil when it is none.
  private final class Texts: NSObject, XMLParserDelegate {
    private(set) var all: [String] = []
    private var isText = false

    static func read(_ svg: String) -> [String]? {
      let texts = Texts()
      let parser = XMLParser(data: Data(svg.utf8))
      parser.delegate = texts
      return parser.parse() ? texts.all : nil
    }

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      isText = name == "text"
      if isText { all.append("") }
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
      if isText { all[all.count - 1] += text }
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
      isText = false
    }
  }

  @Test func namesEveryCorpusContestantAndTool() throws {
    let plot = SpeedPlot(
      corpora: CorpusKind.allCases.enumerated().map { index, kind in
        .init(
          name: kind.rawValue, speeds: [("handshaked", 0.5), ("wc -l", 5), ("a < b & c", 0.05)],
          ratio: 0.1 + Double(index) / 100, goal: 0.4, instructionsPerRecord: 1000 + Double(index))
      }, tools: [("lnav", 15.25)], note: "seven rounds")
    let texts = try #require(Texts.read(plot.svg()))
    for (index, kind) in CorpusKind.allCases.enumerated() {
      #expect(texts.count { $0 == kind.rawValue } == 3, "\(kind) stands in three panels")
      #expect(texts.contains(String(format: "%.3f", 0.1 + Double(index) / 100)))
      #expect(texts.contains("\(1000 + index)"))
    }
    for text in ["handshaked", "wc -l", "a < b & c", "lnav", "15.2", "seven rounds", "0.05", "5", "500"] {
      #expect(texts.contains(text), "\(text)")
    }
  }

  @Test func axisHoldsItsValuesInOrder() {
    let axis = LogarithmicAxis([0.07, 5.3], from: 100, to: 900)
    #expect(axis.ticks.first == 0.05 && axis.ticks.last == 10)
    #expect(abs(axis.position(0.05) - 100) < 0.001 && abs(axis.position(10) - 900) < 0.001)
    // Equal ratios are equal ways.
    #expect(abs((axis.position(1) - axis.position(0.5)) - (axis.position(4) - axis.position(2))) < 0.001)
    #expect(LogarithmicAxis([], from: 0, to: 1).ticks.count >= 2)
  }
}
