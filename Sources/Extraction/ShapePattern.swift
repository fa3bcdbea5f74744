import CKernels
import Records

/// A pattern over shapes of messages (`text_memo.h`), in which a byte may stand for any digit or any hexadecimal digit: what
/// it says of a shape it says of every message of that shape.
///
/// Where a symbol may or may not be what is asked for, the search goes on as if it were: if that leads nowhere, it leads nowhere
/// for any message; if it leads to a match, nothing is known. This is the slow part of learning: it knows what definitions use
/// of the language of patterns, and is nil for the rest. `Pattern` decides on every message that is judged by itself.
package struct ShapePattern: Sendable {
  /// Whether something holds of every message of a shape, of none, or of some.
  enum Answer { case always, never, unknown }

  /// What a pattern says of a shape, and where its groups lie; `0..<0` with a start below zero took no part.
  package enum Result {
    case match([Range<Int>?])
    case none
    case unknown
  }

  struct ByteSet: Sendable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    func contains(_ byte: UInt8) -> Bool {
      let word =
        switch byte >> 6 {
        case 0: words.0
        case 1: words.1
        case 2: words.2
        default: words.3
        }
      return word >> UInt64(byte & 63) & 1 == 1
    }

    mutating func insert(_ byte: UInt8) {
      let bit: UInt64 = 1 << UInt64(byte & 63)
      switch byte >> 6 {
      case 0: words.0 |= bit
      case 1: words.1 |= bit
      case 2: words.2 |= bit
      default: words.3 |= bit
      }
    }

    mutating func formUnion(_ other: ByteSet) {
      words = (
        words.0 | other.words.0, words.1 | other.words.1, words.2 | other.words.2, words.3 | other.words.3
      )
    }

    var inverted: ByteSet {
      var set = ByteSet()
      set.words = (~words.0, ~words.1, ~words.2, ~words.3)
      return set
    }

    /// With the other case of its letters.
    var folded: ByteSet {
      var set = self
      for byte in UInt8(ascii: "a")...UInt8(ascii: "z") {
        if contains(byte) { set.insert(byte - 0x20) }
        if contains(byte - 0x20) { set.insert(byte) }
      }
      return set
    }

    init(_ bytes: some Sequence<UInt8> = []) { for byte in bytes { insert(byte) } }

    static let digits = ByteSet(UInt8(ascii: "0")...UInt8(ascii: "9"))
    static let spaces = ByteSet([0x20, 0x09, 0x0A, 0x0B, 0x0C, 0x0D])
    static let wordBytes = ByteSet(
      (UInt8.min...UInt8.max).filter { ASCII.isDigit($0) || ASCII.isLetter($0) || $0 == 0x5F })
    static let all = ByteSet().inverted
    static let hexDigits = Array("0123456789abcdefABCDEF".utf8)
  }

  /// A set with what it says of symbols.
  struct Test: Sendable {
    var set: ByteSet
    private var digit: Answer
    private var hexDigit: Answer

    init(_ set: ByteSet) {
      self.set = set
      func answer(_ bytes: some Sequence<UInt8>) -> Answer {
        let held = bytes.map { set.contains($0) }
        return held.allSatisfy { $0 } ? .always : held.contains(true) ? .unknown : .never
      }
      digit = answer(UInt8(ascii: "0")...UInt8(ascii: "9"))
      hexDigit = answer(ByteSet.hexDigits)
    }

    func holds(_ symbol: UInt8) -> Answer {
      switch symbol {
      case ShapePattern.digit: digit
      case ShapePattern.hexDigit: hexDigit
      default: set.contains(symbol) ? .always : .never
      }
    }
  }

  package static let digit = UInt8(HK_TEXT_DIGIT)
  package static let hexDigit = UInt8(HK_TEXT_HEX)

  indirect enum Node: Sendable {
    case byte(Test)
    case sequence([Node])
    case alternatives([Branch])
    case repeated(Node, least: Int, most: Int, isLazy: Bool)
    case group(Int, Node)
    case lookAhead(Node, isNegative: Bool)
    case lookBehind(Node, count: Int, isNegative: Bool)
    case wordBorder(isNegative: Bool)
    case start
    case end
  }

  /// One of several ways, with what it begins with; nil where that may be anything, or nothing.
  struct Branch: Sendable {
    var node: Node
    var first: Test?

    init(_ node: Node) {
      self.node = node
      let front = ShapePattern.front(of: node)
      first = front.mayBeEmpty ? nil : Test(front.set)
    }
  }

  private let root: Node
  private let groupCount: Int
  /// What a match begins with; nil where it may begin with anything, or be empty.
  private let first: Test?

  /// Nil for what it does not know.
  package init?(_ source: String) {
    var parser = Parser(Array(source.utf8))
    guard let root = parser.alternatives(), parser.isAtEnd else { return nil }
    self.root = root
    groupCount = parser.groupCount
    let front = ShapePattern.front(of: root)
    first = front.mayBeEmpty ? nil : Test(front.set)
  }

  /// The bytes that what a node takes may begin with, and whether it may take none.
  private static func front(of node: Node) -> (set: ByteSet, mayBeEmpty: Bool) {
    switch node {
    case .byte(let test): return (test.set, false)
    case .sequence(let nodes):
      var set = ByteSet()
      for node in nodes {
        let front = front(of: node)
        set.formUnion(front.set)
        if !front.mayBeEmpty { return (set, false) }
      }
      return (set, true)
    case .alternatives(let branches):
      var set = ByteSet()
      var mayBeEmpty = false
      for branch in branches {
        let front = front(of: branch.node)
        set.formUnion(front.set)
        mayBeEmpty = mayBeEmpty || front.mayBeEmpty
      }
      return (set, mayBeEmpty)
    case .repeated(let node, let least, _, _):
      let front = front(of: node)
      return (front.set, front.mayBeEmpty || least == 0)
    case .group(_, let node): return front(of: node)
    case .lookAhead, .lookBehind, .wordBorder, .start, .end: return (ByteSet(), true)
    }
  }

  /// - Parameter steps: how many may be taken; those that were are taken off.
  package func match(_ shape: UnsafeBufferPointer<UInt8>, steps: inout Int) -> Result {
    let search = unsafe Search(shape, groupCount: groupCount, steps: steps)
    defer { steps = search.steps }
    for from in 0...shape.count {
      if let first {
        guard from < shape.count else { break }
        if first.holds(unsafe shape[from]) == .never { continue }
      }
      var end = from
      let answer = search.run(root, from) { at in
        end = at
        return search.doubts == 0 ? .always : .unknown
      }
      switch answer {
      case .always:
        search.groups[0] = from..<end
        return .match(search.groups)
      case .unknown: return .unknown
      case .never: continue
      }
    }
    return .none
  }

  // MARK: Search

  @safe private final class Search {
    private let shape: UnsafeBufferPointer<UInt8>
    var groups: [Range<Int>?]
    var steps: Int
    /// Symbols on the way here of which it is not known whether they are what was asked for.
    var doubts = 0

    init(_ shape: UnsafeBufferPointer<UInt8>, groupCount: Int, steps: Int) {
      unsafe self.shape = shape
      groups = Array(repeating: nil, count: groupCount + 1)
      self.steps = steps
    }

    private var count: Int { unsafe shape.count }

    private func isWord(_ at: Int) -> Bool {
      guard at >= 0, at < count else { return false }
      let byte = unsafe shape[at]
      return byte == ShapePattern.hexDigit || ByteSet.wordBytes.contains(byte)
    }

    /// Every way through `node` from `at` on, in the order of their worth, each followed by `next`.
    func run(_ node: Node, _ at: Int, _ next: (Int) -> Answer) -> Answer {
      steps -= 1
      guard steps > 0 else { return .unknown }
      switch node {
      case .byte(let test):
        guard at < count else { return .never }
        switch test.holds(unsafe shape[at]) {
        case .never: return .never
        case .always: return next(at + 1)
        case .unknown:
          doubts += 1
          defer { doubts -= 1 }
          return next(at + 1)
        }
      case .sequence(let nodes): return sequence(nodes, 0, at, next)
      case .alternatives(let branches):
        for branch in branches {
          if let first = branch.first {
            guard at < count else { continue }
            if first.holds(unsafe shape[at]) == .never { continue }
          }
          let answer = run(branch.node, at, next)
          if answer != .never { return answer }
        }
        return .never
      case .repeated(.byte(let test), let least, let most, let isLazy):
        return bytes(test, least, most, isLazy, at, next)
      case .repeated(let node, let least, let most, let isLazy):
        return repeated(node, least, most, isLazy, at, next)
      case .group(let number, let node):
        let before = groups[number]
        let answer = run(node, at) { end in
          let inner = groups[number]
          groups[number] = at..<end
          let answer = next(end)
          if answer == .never { groups[number] = inner }
          return answer
        }
        if answer == .never { groups[number] = before }
        return answer
      case .lookAhead(let node, let isNegative): return look(node, at, at, nil, isNegative, next)
      case .lookBehind(let node, let length, let isNegative):
        if at < length { return isNegative ? next(at) : .never }
        return look(node, at - length, at, at, isNegative, next)
      case .wordBorder(let isNegative):
        return (isWord(at - 1) != isWord(at)) != isNegative ? next(at) : .never
      case .start: return at == 0 ? next(at) : .never
      case .end:
        if at < count - 1 { return .never }
        if at == count - 1 {
          let last = unsafe shape[at]
          if last != 0x0A { return .never }
        }
        return next(at)
      }
    }

    private func sequence(_ nodes: [Node], _ index: Int, _ at: Int, _ next: (Int) -> Answer) -> Answer {
      if index == nodes.count { return next(at) }
      return run(nodes[index], at) { sequence(nodes, index + 1, $0, next) }
    }

    /// A run of bytes, without a call for each.
    private func bytes(
      _ test: Test, _ least: Int, _ most: Int, _ isLazy: Bool, _ from: Int, _ next: (Int) -> Answer
    ) -> Answer {
      let before = doubts
      defer { doubts = before }
      var length = 0
      /// Takes one more; false when there is none.
      func extend() -> Bool {
        steps -= 1
        guard length < most, from + length < count, steps > 0 else { return false }
        switch test.holds(unsafe shape[from + length]) {
        case .never: return false
        case .unknown: doubts += 1
        case .always: break
        }
        length += 1
        return true
      }
      while length < least { if !extend() { return steps > 0 ? .never : .unknown } }
      if isLazy {
        while true {
          let answer = next(from + length)
          if answer != .never { return answer }
          if !extend() { return steps > 0 ? .never : .unknown }
        }
      }
      while extend() {}
      guard steps > 0 else { return .unknown }
      while true {
        let answer = next(from + length)
        if answer != .never { return answer }
        if length == least { return .never }
        length -= 1
        if test.holds(unsafe shape[from + length]) == .unknown { doubts -= 1 }
      }
    }

    private func repeated(
      _ node: Node, _ least: Int, _ most: Int, _ isLazy: Bool, _ at: Int, _ next: (Int) -> Answer
    ) -> Answer {
      if most == 0 { return next(at) }
      if least == 0, isLazy {
        let answer = next(at)
        if answer != .never { return answer }
      }
      let answer = run(node, at) { end in
        // What took nothing is not tried for ever.
        if end == at { return least > 1 ? repeated(node, least - 1, most, isLazy, end, next) : next(end) }
        return repeated(node, max(0, least - 1), most == .max ? most : most - 1, isLazy, end, next)
      }
      if answer != .never || least > 0 || isLazy { return answer }
      return next(at)
    }

    /// What lies ahead or behind has one way only; nothing goes back into it.
    private func look(
      _ node: Node, _ from: Int, _ at: Int, _ end: Int?, _ isNegative: Bool, _ next: (Int) -> Answer
    ) -> Answer {
      let before = groups
      // What was doubtful on the way here makes this no less certain.
      let doubtsBefore = doubts
      let answer = run(node, from) { reached in
        if let end, reached != end { return .never }
        return doubts == doubtsBefore ? .always : .unknown
      }
      if answer == .unknown { return .unknown }
      if (answer == .always) == isNegative {
        groups = before
        return .never
      }
      if isNegative { groups = before }
      let rest = next(at)
      if rest == .never { groups = before }
      return rest
    }
  }

  // MARK: Parser

  private struct Parser {
    private let source: [UInt8]
    private var position = 0
    private var isCaseless = false
    private(set) var groupCount = 0

    init(_ source: [UInt8]) { self.source = source }

    var isAtEnd: Bool { position == source.count }

    private func peek(_ ahead: Int = 0) -> UInt8? {
      position + ahead < source.count ? source[position + ahead] : nil
    }

    private mutating func take(_ text: StaticString) -> Bool {
      let count = text.utf8CodeUnitCount
      guard position + count <= source.count else { return false }
      for index in 0..<count where source[position + index] != (unsafe text.utf8Start[index]) { return false }
      position += count
      return true
    }

    mutating func alternatives() -> Node? {
      let wasCaseless = isCaseless
      defer { isCaseless = wasCaseless }
      var nodes: [Node] = []
      repeat {
        guard let node = sequence() else { return nil }
        nodes.append(node)
      } while take("|")
      return nodes.count == 1 ? nodes[0] : .alternatives(nodes.map(Branch.init))
    }

    private mutating func sequence() -> Node? {
      var nodes: [Node] = []
      while let byte = peek(), byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
        // An option holds to the end of the group, over its other alternatives too.
        if byte == UInt8(ascii: "("), peek(1) == UInt8(ascii: "?"), let options = options() {
          guard options.isKnown else { return nil }
          isCaseless = options.isCaseless || isCaseless
          continue
        }
        guard let atom = atom(), let node = quantified(atom) else { return nil }
        nodes.append(node)
      }
      return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    /// `(?is)`: nil where that is not what stands here.
    private mutating func options() -> (isCaseless: Bool, isKnown: Bool)? {
      var end = position + 2
      while end < source.count, ASCII.isLetter(source[end]) { end += 1 }
      guard end < source.count, end > position + 2, source[end] == UInt8(ascii: ")") else { return nil }
      let letters = source[(position + 2)..<end]
      position = end + 1
      // `s` is always on.
      return (
        letters.contains(UInt8(ascii: "i")), letters.allSatisfy { $0 == UInt8(ascii: "i") || $0 == UInt8(ascii: "s") }
      )
    }

    private mutating func atom() -> Node? {
      guard let byte = peek() else { return nil }
      switch byte {
      case UInt8(ascii: "("): return group()
      case UInt8(ascii: "["):
        position += 1
        return bracket().map { .byte(Test($0)) }
      case UInt8(ascii: "."):
        position += 1
        return .byte(Test(.all))
      case UInt8(ascii: "^"):
        position += 1
        return .start
      case UInt8(ascii: "$"):
        position += 1
        return .end
      case UInt8(ascii: "\\"): return escape()
      case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), 0x80...: return nil
      default:
        position += 1
        return literal(byte)
      }
    }

    private func literal(_ byte: UInt8) -> Node {
      let set = ByteSet([byte])
      return .byte(Test(isCaseless ? set.folded : set))
    }

    private mutating func escape() -> Node? {
      position += 1
      guard let byte = peek() else { return nil }
      if let set = classEscape(byte) {
        position += 1
        return .byte(Test(set))
      }
      switch byte {
      case UInt8(ascii: "b"), UInt8(ascii: "B"):
        position += 1
        return .wordBorder(isNegative: byte == UInt8(ascii: "B"))
      case UInt8(ascii: "A"):
        position += 1
        return .start
      default: return plainEscape().map { literal($0) }
      }
    }

    private func classEscape(_ byte: UInt8) -> ByteSet? {
      switch byte {
      case UInt8(ascii: "d"): .digits
      case UInt8(ascii: "D"): ByteSet.digits.inverted
      case UInt8(ascii: "s"): .spaces
      case UInt8(ascii: "S"): ByteSet.spaces.inverted
      case UInt8(ascii: "w"): .wordBytes
      case UInt8(ascii: "W"): ByteSet.wordBytes.inverted
      default: nil
      }
    }

    /// The byte that an escape stands for.
    private mutating func plainEscape() -> UInt8? {
      guard let byte = peek() else { return nil }
      position += 1
      switch byte {
      case UInt8(ascii: "n"): return 0x0A
      case UInt8(ascii: "r"): return 0x0D
      case UInt8(ascii: "t"): return 0x09
      case 0x80...: return nil
      default: return ASCII.isLetter(byte) || ASCII.isDigit(byte) ? nil : byte
      }
    }

    private mutating func bracket() -> ByteSet? {
      var set = ByteSet()
      let isNegative = take("^")
      var isFirst = true
      while let byte = peek() {
        if byte == UInt8(ascii: "]"), !isFirst {
          position += 1
          if isCaseless { set = set.folded }
          return isNegative ? set.inverted : set
        }
        isFirst = false
        guard byte != UInt8(ascii: "["), byte < 0x80 else { return nil }
        var low = byte
        if byte == UInt8(ascii: "\\") {
          position += 1
          guard let next = peek() else { return nil }
          if let other = classEscape(next) {
            position += 1
            // `[\w-z]` is no range.
            guard peek() != UInt8(ascii: "-") || peek(1) == UInt8(ascii: "]") else { return nil }
            set.formUnion(other)
            continue
          }
          guard let plain = plainEscape() else { return nil }
          low = plain
        } else {
          position += 1
        }
        guard peek() == UInt8(ascii: "-"), let next = peek(1), next != UInt8(ascii: "]") else {
          set.insert(low)
          continue
        }
        position += 1
        var high = next
        if next == UInt8(ascii: "\\") {
          position += 1
          guard let plain = plainEscape() else { return nil }
          high = plain
        } else {
          position += 1
        }
        guard high != UInt8(ascii: "["), low <= high, high < 0x80 else { return nil }
        for byte in low...high { set.insert(byte) }
      }
      return nil
    }

    private mutating func group() -> Node? {
      position += 1
      var number: Int?
      var look: (isBehind: Bool, isNegative: Bool)?
      let wasCaseless = isCaseless
      defer { isCaseless = wasCaseless }
      if take("?") {
        if take(":") {
        } else if take("i:") {
          isCaseless = true
        } else if take("=") {
          look = (false, false)
        } else if take("!") {
          look = (false, true)
        } else if take("<=") {
          look = (true, false)
        } else if take("<!") {
          look = (true, true)
        } else if take("<") {
          while let byte = peek(), byte != UInt8(ascii: ">") {
            guard ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == 0x5F else { return nil }
            position += 1
          }
          guard take(">") else { return nil }
          groupCount += 1
          number = groupCount
        } else {
          return nil
        }
      } else if peek() == UInt8(ascii: "*") {
        return nil
      } else {
        groupCount += 1
        number = groupCount
      }
      guard let inner = alternatives(), take(")") else { return nil }
      if let number { return .group(number, inner) }
      guard let look else { return inner }
      guard look.isBehind else { return .lookAhead(inner, isNegative: look.isNegative) }
      guard let count = Parser.count(of: inner) else { return nil }
      return .lookBehind(inner, count: count, isNegative: look.isNegative)
    }

    /// Bytes that a node takes, when that is always the same.
    private static func count(of node: Node) -> Int? {
      switch node {
      case .byte: return 1
      case .sequence(let nodes):
        var sum = 0
        for node in nodes {
          guard let count = count(of: node) else { return nil }
          sum += count
        }
        return sum
      case .alternatives(let branches):
        guard let first = count(of: branches[0].node) else { return nil }
        return branches.allSatisfy { count(of: $0.node) == first } ? first : nil
      case .repeated(let node, let least, let most, _):
        guard least == most, let count = count(of: node) else { return nil }
        return least * count
      case .group(_, let node): return count(of: node)
      case .lookAhead, .lookBehind, .wordBorder, .start, .end: return 0
      }
    }

    private mutating func quantified(_ atom: Node) -> Node? {
      var least = 0
      var most = Int.max
      switch peek() {
      case UInt8(ascii: "*"): position += 1
      case UInt8(ascii: "+"):
        least = 1
        position += 1
      case UInt8(ascii: "?"):
        most = 1
        position += 1
      case UInt8(ascii: "{"):
        guard let bounds = bounds() else { return nil }
        guard let bounds else { return atom }
        (least, most) = bounds
      default: return atom
      }
      switch atom {
      case .lookAhead, .lookBehind, .wordBorder, .start, .end: return nil
      default: break
      }
      let isLazy = take("?")
      // Possessive, or a second quantifier.
      if let next = peek(), next == UInt8(ascii: "+") || next == UInt8(ascii: "*") || next == UInt8(ascii: "?") {
        return nil
      }
      return .repeated(atom, least: least, most: most, isLazy: isLazy)
    }

    /// `{3}`, `{3,}`, `{3,5}`; the inner nil where the brace is a literal, the outer for what other versions read otherwise.
    private mutating func bounds() -> (Int, Int)?? {
      var cursor = position + 1
      func number() -> Int? {
        let first = cursor
        var value = 0
        while cursor < source.count, ASCII.isDigit(source[cursor]), cursor - first < 5 {
          value = value * 10 + Int(source[cursor] - 0x30)
          cursor += 1
        }
        return cursor > first ? value : nil
      }
      guard cursor < source.count else { return .some(nil) }
      guard ASCII.isDigit(source[cursor]) else {
        let byte = source[cursor]
        return byte == 0x2C || byte == 0x20 || byte == 0x09 ? nil : .some(nil)
      }
      guard let least = number() else { return nil }
      var most = least
      if cursor < source.count, source[cursor] == 0x2C {
        cursor += 1
        most = number() ?? .max
      }
      guard cursor < source.count, source[cursor] == UInt8(ascii: "}"), least <= most else { return nil }
      position = cursor + 1
      return .some((least, most))
    }
  }
}
