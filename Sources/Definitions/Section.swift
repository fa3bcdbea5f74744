import Yams

/// A value and where it stands.
struct Located<Value> {
  var value: Value
  var position: Position
}

/// A YAML mapping being read: every getter reports what it does not like and answers nil.
struct Section {
  struct Entry {
    var key: String
    var position: Position
    var value: Node
  }

  let context: YAMLContext
  let position: Position
  /// In the order of the file.
  let entries: [Entry]
  /// No keys at all, known or not.
  let isEmpty: Bool
  /// Keys that an unknown one was taken for: that they are missing is no second fault.
  let misspelled: Set<String>

  /// - Parameters:
  ///   - what: as it is called in messages: `a signature`.
  ///   - keys: those that are known; nil when any key may stand here.
  /// - Returns: nil when the node is no mapping; unknown keys are reported and left out.
  init?(_ node: Node, of what: String, keys: [String]?, in context: YAMLContext) {
    self.context = context
    position = context.position(of: node)
    guard let mapping = node.mapping else {
      context.fault("\(what) must be keys with values", at: position, fix: "write lines of the form 'key: value'")
      return nil
    }
    isEmpty = mapping.isEmpty
    var entries: [Entry] = []
    var misspelled: Set<String> = []
    for (keyNode, value) in mapping {
      let keyPosition = context.position(of: keyNode)
      guard let key = keyNode.scalar?.string else {
        context.fault("a key must be a word", at: keyPosition, fix: "write lines of the form 'key: value'")
        continue
      }
      if let keys, !keys.contains(key) {
        context.fault(
          "key '\(key)' is not known in \(what)", at: keyPosition, fix: Suggestion.fix(for: key, among: keys))
        if let near = Suggestion.nearest(to: key, among: keys) { misspelled.insert(near) }
        continue
      }
      entries.append(Entry(key: key, position: keyPosition, value: value))
    }
    self.entries = entries
    self.misspelled = misspelled
  }

  func entry(_ key: String) -> Entry? { entries.first { $0.key == key } }

  func has(_ key: String) -> Bool { entry(key) != nil }

  /// Where the value of `key` stands, else the section itself.
  func position(of key: String) -> Position {
    entry(key).map { context.position(of: $0.value) } ?? position
  }

  func fault(_ what: String, at key: String, fix: String) { context.fault(what, at: position(of: key), fix: fix) }

  // MARK: Values

  /// One text that is not empty; line ends at its end are dropped.
  func text(_ key: String) -> Located<String>? {
    guard let entry = entry(key) else { return nil }
    return scalar(entry.value, called: "'\(key)'")
  }

  /// A text or a list of texts.
  func texts(_ key: String) -> [Located<String>] {
    guard let entry = entry(key) else { return [] }
    guard let list = entry.value.sequence else { return scalar(entry.value, called: "'\(key)'").map { [$0] } ?? [] }
    if list.isEmpty {
      context.fault("'\(key)' is an empty list", at: context.position(of: entry.value), fix: Section.emptyFix)
    }
    return list.compactMap { scalar($0, called: "an entry of '\(key)'") }
  }

  func scalar(_ node: Node, called name: String, mayBeEmpty: Bool = false) -> Located<String>? {
    let position = context.position(of: node)
    guard let scalar = node.scalar else {
      context.fault("\(name) must be one value", at: position, fix: "write one text or number; quote it if need be")
      return nil
    }
    var text = scalar.string
    while text.unicodeScalars.last == "\n" { text.unicodeScalars.removeLast() }
    let isNull = scalar.style == .plain && ["", "~", "null"].contains(text)
    if isNull || (text.isEmpty && !mayBeEmpty) {
      context.fault("\(name) is empty", at: position, fix: Section.emptyFix)
      return nil
    }
    return Located(value: text, position: position)
  }

  private static let emptyFix = "write a value or delete the key"

  /// A word of a closed list, given by its name in messages.
  func word(_ key: String, among words: [String]) -> Located<String>? {
    guard let text = text(key) else { return nil }
    return check(text, called: key, among: words) ? text : nil
  }

  func word<Word: RawRepresentable & CaseIterable>(_ key: String, _ type: Word.Type) -> Word?
  where Word.RawValue == String {
    word(key, among: Word.allCases.map(\.rawValue)).flatMap { Word(rawValue: $0.value) }
  }

  func check(_ text: Located<String>, called name: String, among words: [String]) -> Bool {
    if words.contains(text.value) { return true }
    context.fault(
      "\(name) '\(text.value)' is not known", at: text.position, fix: Suggestion.fix(for: text.value, among: words))
    return false
  }

  func flag(_ key: String) -> Bool { word(key, among: ["true", "false"])?.value == "true" }

  func area(_ key: String) -> Int? { word(key, among: Section.areas).flatMap { Int($0.value) } }

  static let areas = ["1", "2", "3", "4", "5"]

  /// A number of records; nil when there is none or it is none.
  func count(_ key: String) -> Int? {
    guard let text = text(key) else { return nil }
    guard let number = Int(text.value), number >= 0 else {
      context.fault("\(key) '\(text.value)' is no count", at: text.position, fix: "write a number from 0 up")
      return nil
    }
    return number
  }

  /// Whether a key is there, if only under a name that was reported as wrong.
  func isMeant(_ key: String) -> Bool { has(key) || misspelled.contains(key) }

  /// Reports a key that must be there.
  func require(_ key: String, of what: String, fix: String) {
    if !isMeant(key) { context.fault("\(what) has no '\(key)'", at: position, fix: fix) }
  }
}
