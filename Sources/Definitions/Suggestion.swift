/// How to fix a word that is not on its list.
enum Suggestion {
  /// Lists up to this long are shown whole; of longer ones the nearest word, if any is near.
  private static let shortListCount = 5

  static func fix(for word: String, among words: [String]) -> String {
    if words.count > shortListCount, let near = nearest(to: word, among: words) { return "did you mean '\(near)'?" }
    return "use one of " + words.joined(separator: ", ")
  }

  /// The word with the fewest edits, if they are at most a third of it (and one at least); the first of equals.
  static func nearest(to word: String, among words: [String]) -> String? {
    let typed = Array(singular(word).unicodeScalars.prefix(64))
    let limit = max(1, typed.count / 3)
    var best: (word: String, distance: Int)?
    for candidate in words {
      let distance = editDistance(typed, Array(singular(candidate).unicodeScalars))
      if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.word
  }

  /// A plural is the word itself: `remedies` is near to `remedy`.
  private static func singular(_ word: String) -> String {
    let word = word.lowercased()
    if word.hasSuffix("ies"), word.count > 4 { return word.dropLast(3) + "y" }
    return word
  }

  /// Insertions, deletions, replacements and swaps of neighbours that turn one into the other (optimal string
  /// alignment), by the last three rows of the table.
  private static func editDistance(_ from: [Unicode.Scalar], _ to: [Unicode.Scalar]) -> Int {
    var before: [Int] = []
    var last = Array(0...to.count)
    for row in 0..<from.count {
      var current = [row + 1]
      for column in 0..<to.count {
        let replaced = last[column] + (from[row] == to[column] ? 0 : 1)
        var distance = min(last[column + 1] + 1, current[column] + 1, replaced)
        if row > 0, column > 0, from[row] == to[column - 1], from[row - 1] == to[column] {
          distance = min(distance, before[column - 1] + 1)
        }
        current.append(distance)
      }
      before = last
      last = current
    }
    return last[to.count]
  }
}
