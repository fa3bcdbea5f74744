/// The text of one definition file and its lines, to say where things stand.
///
/// Shape: `lines` are without their ends. YAML ends a line at LF, CR LF, CR, NEL, LS and PS, and counts lines so;
/// tables end lines at LF and CR LF only.
struct SourceText {
  /// As shown: `parsers/signatures/x.yaml` for embedded files, the real path otherwise.
  let file: String
  let lines: [Substring.UnicodeScalarView]

  enum LineEnds { case yaml, table }

  init(file: String, text: String, lineEnds: LineEnds) {
    self.file = file
    var body = text.unicodeScalars[...]
    // A byte order mark is no part of the text.
    if body.first == "\u{FEFF}" { body.removeFirst() }
    var lines: [Substring.UnicodeScalarView] = []
    var start = body.startIndex
    var index = start
    while index < body.endIndex {
      let scalar = body[index]
      let next = body.index(after: index)
      switch scalar {
      case "\n":
        lines.append(body[start..<index])
        start = next
      case "\r":
        if next < body.endIndex, body[next] == "\n" {
          lines.append(body[start..<index])
          start = body.index(after: next)
          index = start
          continue
        }
        guard lineEnds == .yaml else { break }
        lines.append(body[start..<index])
        start = next
      case "\u{85}", "\u{2028}", "\u{2029}":
        guard lineEnds == .yaml else { break }
        lines.append(body[start..<index])
        start = next
      default: break
      }
      index = next
    }
    if start < body.endIndex { lines.append(body[start..<body.endIndex]) }
    self.lines = lines
  }

  func line(_ number: Int) -> String {
    number >= 1 && number <= lines.count ? String(lines[number - 1]) : ""
  }

  func place(_ position: Position) -> Place {
    Place(file: file, position: position, sourceLine: line(position.line))
  }
}
