/// A position in a text; both from 1, columns in characters (Unicode scalars), as editors and YAML count them.
package struct Position: Sendable, Hashable, Comparable {
  package var line: Int
  package var column: Int
  package init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  package static func < (left: Position, right: Position) -> Bool {
    (left.line, left.column) < (right.line, right.column)
  }
}

/// Where something stands: a file, and in it a position with the text of its line; no position means the whole file.
package struct Place: Sendable, Hashable {
  package var file: String
  package var position: Position?
  package var sourceLine: String
  package init(file: String, position: Position? = nil, sourceLine: String = "") {
    self.file = file
    self.position = position
    self.sourceLine = sourceLine
  }

  /// `file:line:column`, or `file`.
  package var name: String {
    position.map { "\(file):\($0.line):\($0.column)" } ?? file
  }
}

/// A fault in a person's file: what is wrong, where, and how to fix it.
///
/// ```
/// parsers/signatures/schannel.yaml:3:11: error: severity 'eror' is not known
///   severity: eror
///             ^
///   fix: use one of info, warning, error, critical
/// ```
package struct Diagnostic: Error, Sendable, Hashable, CustomStringConvertible {
  package var what: String
  package var place: Place
  package var fix: String

  package init(what: String, at place: Place, fix: String) {
    self.what = what
    self.place = place
    self.fix = fix
  }

  /// Without a line end. Control characters of the file are shown as `�`, so that no file can steer a terminal.
  package var description: String {
    var text = "\(Diagnostic.printable(place.name)): error: \(Diagnostic.printable(what))\n"
    if let position = place.position {
      let (line, caret) = Diagnostic.excerpt(of: place.sourceLine, column: position.column)
      text += "  \(line)\n  \(caret)^\n"
    }
    return text + "  fix: \(Diagnostic.printable(fix))"
  }

  /// Characters of a long line shown before and after the column.
  private static let excerptReach = 100

  /// The line, cut around the column when it is long, and the blanks that bring a caret under that column: a tab of
  /// the line stays a tab.
  private static func excerpt(of line: String, column: Int) -> (line: String, caret: String) {
    let scalars = Array(printable(line).unicodeScalars)
    let index = min(max(0, column - 1), scalars.count)
    let start = index > excerptReach ? index - excerptReach : 0
    let end = min(scalars.count, index + excerptReach)
    var shown = String.UnicodeScalarView(scalars[start..<end])
    var caret = scalars[start..<index].map { $0 == "\t" ? "\t" : " " }.joined()
    if start > 0 {
      shown.insert("…", at: shown.startIndex)
      caret = " " + caret
    }
    if end < scalars.count { shown.append("…") }
    return (String(shown), caret)
  }

  private static func printable(_ text: String) -> String {
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      let isControl = scalar.properties.generalCategory == .control && scalar != "\t"
      scalars.append(isControl ? "\u{FFFD}" : scalar)
    }
    return String(scalars)
  }
}

/// The faults of one load, in the order they were found.
final class FaultList {
  private(set) var all: [Diagnostic] = []
  private var countByFile: [String: Int] = [:]

  func add(_ diagnostic: Diagnostic) {
    let count = countByFile[diagnostic.place.file, default: 0] + 1
    countByFile[diagnostic.place.file] = count
    if count <= DefinitionLimits.faultsPerFile {
      all.append(diagnostic)
    } else if count == DefinitionLimits.faultsPerFile + 1 {
      all.append(
        Diagnostic(
          what: "more than \(DefinitionLimits.faultsPerFile) faults; the rest of this file is not listed",
          at: Place(file: diagnostic.place.file), fix: "correct those above first"))
    }
  }

  func add(_ what: String, at place: Place, fix: String) { add(Diagnostic(what: what, at: place, fix: fix)) }

  /// By file and position; at one place in the order found.
  var sorted: [Diagnostic] {
    all.enumerated().sorted { left, right in
      let a = left.element.place
      let b = right.element.place
      if a.file != b.file { return a.file < b.file }
      let last = Position(line: .max, column: .max)
      let from = a.position ?? last
      let to = b.position ?? last
      return from != to ? from < to : left.offset < right.offset
    }.map(\.element)
  }
}

/// Bounds of what is read from definition files.
enum DefinitionLimits {
  static let fileByteCount = 16 * 1024 * 1024
  static let faultsPerFile = 1000
}
