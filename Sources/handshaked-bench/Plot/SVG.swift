import Foundation

/// A drawing under construction, in pixels from the upper left corner.
struct SVG {
  enum Anchor: String { case start, middle, end }
  /// Told apart without colour as well.
  enum Mark: CaseIterable { case disc, square, triangle, diamond, cross }

  private var body = ""

  mutating func rectangle(x: Double, y: Double, width: Double, height: Double, fill: String, radius: Double = 0) {
    element("rect", [("x", x), ("y", y), ("width", width), ("height", height), ("rx", radius)], "fill=\"\(fill)\"")
  }

  mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, stroke: String, width: Double = 1) {
    element(
      "line", [("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2)], "stroke=\"\(stroke)\" stroke-width=\"\(width)\"")
  }

  mutating func text(
    _ text: String, x: Double, y: Double, size: Double = 13, anchor: Anchor = .start, fill: String = "#222222",
    isBold: Bool = false
  ) {
    let weight = isBold ? " font-weight=\"bold\"" : ""
    body += "<text x=\"\(SVG.number(x))\" y=\"\(SVG.number(y))\" font-size=\"\(SVG.number(size))\" "
    body += "text-anchor=\"\(anchor.rawValue)\" fill=\"\(fill)\"\(weight)>\(SVG.escaped(text))</text>\n"
  }

  mutating func mark(_ mark: Mark, x: Double, y: Double, radius: Double, fill: String) {
    let outline = "fill=\"\(fill)\" stroke=\"#ffffff\" stroke-width=\"1\""
    switch mark {
    case .disc: element("circle", [("cx", x), ("cy", y), ("r", radius)], outline)
    case .square:
      element(
        "rect", [("x", x - radius), ("y", y - radius), ("width", 2 * radius), ("height", 2 * radius)], outline)
    case .triangle: polygon([(x, y - radius), (x + radius, y + radius), (x - radius, y + radius)], outline)
    case .diamond:
      polygon(
        [(x, y - 1.25 * radius), (x + 1.25 * radius, y), (x, y + 1.25 * radius), (x - 1.25 * radius, y)], outline)
    case .cross:
      line(x - radius, y - radius, x + radius, y + radius, stroke: fill, width: 3)
      line(x - radius, y + radius, x + radius, y - radius, stroke: fill, width: 3)
    }
  }

  /// The file, on a white card that is read on dark and on light pages.
  func file(width: Double, height: Double, title: String) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(SVG.number(width)) \(SVG.number(height))" \
    width="\(SVG.number(width))" height="\(SVG.number(height))" font-family="DejaVu Sans, Verdana, Arial, sans-serif" \
    role="img">
    <title>\(SVG.escaped(title))</title>
    <rect width="\(SVG.number(width))" height="\(SVG.number(height))" rx="8" fill="#ffffff"/>
    \(body)</svg>

    """
  }

  private mutating func polygon(_ points: [(Double, Double)], _ rest: String) {
    let list = points.map { "\(SVG.number($0.0)),\(SVG.number($0.1))" }.joined(separator: " ")
    body += "<polygon points=\"\(list)\" \(rest)/>\n"
  }

  private mutating func element(_ name: String, _ numbers: [(String, Double)], _ rest: String) {
    let attributes = numbers.map { "\($0.0)=\"\(SVG.number($0.1))\"" }.joined(separator: " ")
    body += "<\(name) \(attributes) \(rest)/>\n"
  }

  private static func number(_ value: Double) -> String { String(format: "%g", (value * 10).rounded() / 10) }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}
