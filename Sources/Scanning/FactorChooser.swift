import CKernels
import Records

/// By which bytes each literal is looked for.
package struct FactorChoice: Sendable {
  /// Where the factor of each literal begins in it.
  package var offsets: [Int]
  /// The bucket of each literal's factor, 0…15 (`hk_literals_make`).
  package var buckets: [Int]
  /// The different factors, ascending.
  package var factors: [[UInt8]]

  /// Whether every anchor holds its factor where it says.
  package func isComplete(for anchors: [[UInt8]]) -> Bool {
    guard offsets.count == anchors.count, buckets.count == anchors.count else { return false }
    let known = Set(factors)
    return zip(anchors, offsets).allSatisfy { anchor, offset in
      offset + FactorChooser.length(in: anchor) <= anchor.count && known.contains(FactorChooser.factor(anchor, offset))
    }
  }
}

/// Chooses for each anchor the six bytes ("factor") by which the scan looks for it: a place of the text that holds no
/// factor can hold no anchor, and only where one may stand are whole anchors compared.
///
/// What a factor costs is how often it stands where no anchor does; it is rated by how common its bytes are in Windows
/// logs, and anchors share factors where they can. The choice is the greedy set cover by (anchors newly covered) /
/// (cost). Its result is checked afterwards (`isComplete`), not trusted.
package enum FactorChooser {
  /// Bytes of a factor; a shorter anchor is its own.
  package static func length(in anchor: [UInt8]) -> Int { min(Int(HK_WINDOW), anchor.count) }

  package static func factor(_ anchor: [UInt8], _ offset: Int) -> [UInt8] {
    Array(anchor[offset..<(offset + length(in: anchor))])
  }

  /// A factor and the anchors that contain it.
  private struct Window {
    var bytes: [UInt8]
    /// Ascending, each once, and where it stands in them first.
    var anchors: [(index: Int32, offset: Int32)]
    /// How many of them no chosen factor covers yet.
    var gain: Int
    var cost: Double
  }

  package static func choose(for anchors: [[UInt8]]) -> FactorChoice {
    var windows: [Window] = []
    var byBytes: [[UInt8]: Int] = [:]
    for (index, anchor) in anchors.enumerated() {
      for offset in 0...(anchor.count - length(in: anchor)) {
        let bytes = factor(anchor, offset)
        let number = byBytes[bytes] ?? windows.count
        if number == windows.count {
          byBytes[bytes] = number
          windows.append(Window(bytes: bytes, anchors: [], gain: 0, cost: cost(of: bytes)))
        }
        if let last = windows[number].anchors.last, last.index == Int32(index) { continue }
        windows[number].anchors.append((Int32(index), Int32(offset)))
        windows[number].gain += 1
      }
    }
    var windowsOfAnchor: [[Int32]] = Array(repeating: [], count: anchors.count)
    for (number, window) in windows.enumerated() {
      for anchor in window.anchors { windowsOfAnchor[Int(anchor.index)].append(Int32(number)) }
    }
    var offsets: [Int?] = Array(repeating: nil, count: anchors.count)
    var owner = Array(repeating: -1, count: anchors.count)
    var openCount = anchors.count
    var chosen: [Int] = []
    while openCount > 0 {
      var best = -1
      var bestScore = 0.0
      for index in windows.indices where windows[index].gain > 0 {
        let score = Double(windows[index].gain) / windows[index].cost
        if score > bestScore
          || (score == bestScore && windows[index].bytes.lexicographicallyPrecedes(windows[best].bytes))
        {
          bestScore = score
          best = index
        }
      }
      guard best >= 0 else { break }
      for anchor in windows[best].anchors where offsets[Int(anchor.index)] == nil {
        offsets[Int(anchor.index)] = Int(anchor.offset)
        owner[Int(anchor.index)] = chosen.count
        openCount -= 1
        for window in windowsOfAnchor[Int(anchor.index)] { windows[Int(window)].gain -= 1 }
      }
      chosen.append(best)
    }
    let factors = chosen.map { windows[$0].bytes }
    let buckets = BucketChooser.distribute(factors)
    return FactorChoice(
      offsets: offsets.map { $0 ?? 0 }, buckets: owner.map { $0 < 0 ? 0 : buckets[$0] },
      factors: factors.sorted { $0.lexicographicallyPrecedes($1) })
  }

  // MARK: What is common

  static func frequencies(of factor: [UInt8]) -> Double { factor.reduce(1) { $0 * frequency(of: $1) } }

  /// The share of a byte, letters in lower case, among the text of healthy client, site-server and update logs.
  static func frequency(of byte: UInt8) -> Double { frequencyTable[Int(byte)] }
  private static let frequencyTable: [Double] = {
    var table = [Double](repeating: 0.0005, count: 256)
    let groups: [(String, Double)] = [
      ("e", 0.069), ("t", 0.061), (" \"", 0.053), ("aons", 0.040), ("0cipl=d1r", 0.029), ("m2-gu:./4", 0.016),
      ("f3x98h65", 0.010), ("><[]b!y7v", 0.008), ("w+_k\\", 0.004),
    ]
    for (bytes, share) in groups { for byte in bytes.utf8 { table[Int(byte)] = share } }
    return table
  }()

  /// What one more factor costs, however rare it is.
  private static let leastCost = 2.0

  /// What a piece of one common word costs, and what a place between two of them does: words that follow one another are
  /// rarer than each of them.
  private static let wordCost = 60.0
  private static let pairCost = 10.0
  /// What each place costs where it stands in messages that every healthy log repeats.
  private static let messageCost = 20.0

  private static func cost(of window: [UInt8]) -> Double {
    var cost = leastCost + frequencies(of: window) * 1e8
    if isCommon(window) {
      let lengths = window.split(separator: 0x20).map(\.count)
      let isPair = lengths.count { $0 > 1 } > 1 && lengths.contains { $0 > 2 }
      cost += isPair ? pairCost : wordCost
    }
    return cost + messageCost * Double(messageWindows[packed(window)] ?? 0)
  }

  /// How often each piece stands in `TypicalMessages` that is as long as a factor. Shorter anchors have no choice.
  private static let messageWindows: [UInt64: Int] = {
    var windows: [UInt64: Int] = [:]
    for message in TypicalMessages.all where message.count >= Int(HK_WINDOW) {
      for start in 0...(message.count - Int(HK_WINDOW)) {
        windows[packed(message[start..<(start + Int(HK_WINDOW))]), default: 0] += 1
      }
    }
    return windows
  }()

  /// What frequencies of bytes know nothing of: words that every log is full of, and pieces of them.
  private static func isCommon(_ window: [UInt8]) -> Bool {
    window.split(separator: 0x20).allSatisfy { piece in
      piece.count <= 2 || words.pieces.contains(packed(piece))
        || (3...piece.count).contains { length in
          (0...(piece.count - length)).contains {
            words.whole.contains(packed(piece[(piece.startIndex + $0)..<(piece.startIndex + $0 + length)]))
          }
        }
    }
  }

  /// Up to eight bytes as one number.
  private static func packed(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

  /// The common words that are no longer than a factor, and every piece of all of them that is not.
  private static let words: (whole: Set<UInt64>, pieces: Set<UInt64>) = {
    var whole: Set<UInt64> = []
    var pieces: Set<UInt64> = []
    for word in commonWords {
      if word.count <= Int(HK_WINDOW) { whole.insert(packed(word)) }
      for length in 3...Int(HK_WINDOW) where length <= word.count {
        for start in 0...(word.count - length) { pieces.insert(packed(word[start..<(start + length)])) }
      }
    }
    return (whole, pieces)
  }()

  /// Read off healthy client, site-server and event logs.
  static let commonWords: [[UInt8]] = """
    error failed failure certificate server client message request status success successfully event policy connection
    connected http https code update windows microsoft system component download location registration registered
    management 0x8007 2026 date= time= point provider context security content config configuration service services
    thread process processing received sending sent return value default assigned assignment binding cache internet
    internal intranet exception install installation package settings machine user name file path complete completed
    started starting stopped waiting task version enabled current mode using found from with this that have been will
    does could unable retrieve query state result response local remote host port database manager source address list
    initial initialize execute instance class object private public store root chain issuer select begin expected
    unexpected invalid valid application operation information notification communication authentication organization
    attempting requesting compliance evaluation schedule inventory report deployment available because between closed
    was were not all any sent got reply set get group policies sync synchronize synchronization site sitecode sitecomp
    sslstate sslstatus proxy token cert body count check checking number next last first time total size bytes type flags
    sms_executive executive statmsg: role roles health online reply skipping inbox inboxes
    delivered delivering compiled compiling successful fully job jobs item data value values entry folder directory
    """.split { $0 == " " || $0 == "\n" }.map { Array($0.utf8) }
}
