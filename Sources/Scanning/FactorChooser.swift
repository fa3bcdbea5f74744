import Records

/// Chooses few rare literals ("factors") so that every anchor of a family contains one of them.
///
/// A record without any factor can then hold no anchor, and only records with a factor meet the anchors themselves.
/// What a factor costs is how often it occurs where no anchor does, so a window of an anchor is rated by how common its
/// byte pairs are in Windows logs; the choice is the greedy set cover by (anchors newly covered) / (cost). Completeness is checked
/// afterwards by looking at every anchor again (`isComplete`), not by trusting the choice.
package struct FactorChooser {
  /// Length of a factor: long enough to be rare, short enough to be shared between anchors.
  private static let lengths = 4...12

  /// A window and the anchors that contain it.
  private struct Window {
    var bytes: [UInt8]
    /// Ascending.
    var anchors: [Int32]
    /// How many of them no chosen factor covers yet.
    var gain: Int
    /// By its bytes alone, and with the words that every log is full of; each worked out when it is asked for.
    var leastCost: Double?
    var cost: Double?
  }

  /// The greedy cover. Of the tens of thousands of windows nearly all are passed over by their gain alone, as no window
  /// costs less than `leastCost`; a choice takes its anchors from the windows that contain them.
  package static func choose(for anchors: [[UInt8]]) -> [[UInt8]] {
    var windows: [Window] = []
    var byBytes: [[UInt8]: Int] = [:]
    var windowsOfAnchor: [[Int32]] = Array(repeating: [], count: anchors.count)
    for (index, anchor) in anchors.enumerated() {
      func note(_ bytes: [UInt8]) {
        let number = byBytes[bytes] ?? windows.count
        if number == windows.count {
          byBytes[bytes] = number
          windows.append(Window(bytes: bytes, anchors: [], gain: 0))
        }
        if windows[number].anchors.last == Int32(index) { return }
        windows[number].anchors.append(Int32(index))
        windows[number].gain += 1
        windowsOfAnchor[index].append(Int32(number))
      }
      for length in lengths where length <= anchor.count {
        for start in 0...(anchor.count - length) { note(Array(anchor[start..<(start + length)])) }
      }
      // An anchor that is shorter than any window stands for itself.
      if anchor.count < lengths.lowerBound { note(anchor) }
    }
    var isOpen = Array(repeating: true, count: anchors.count)
    var openCount = anchors.count
    var chosen: [[UInt8]] = []
    while openCount > 0 {
      var best = -1
      var bestScore = 0.0
      for index in windows.indices where windows[index].gain > 0 {
        let gain = Double(windows[index].gain)
        if gain / leastCost < bestScore { continue }
        let least = windows[index].leastCost ?? FactorChooser.byteCost(of: windows[index].bytes)
        windows[index].leastCost = least
        if gain / least < bestScore { continue }
        let cost = windows[index].cost ?? least + FactorChooser.wordCost(of: windows[index].bytes)
        windows[index].cost = cost
        let score = gain / cost
        if score > bestScore
          || (score == bestScore && windows[index].bytes.lexicographicallyPrecedes(windows[best].bytes))
        {
          bestScore = score
          best = index
        }
      }
      guard best >= 0 else { break }
      chosen.append(windows[best].bytes)
      for anchor in windows[best].anchors where isOpen[Int(anchor)] {
        isOpen[Int(anchor)] = false
        openCount -= 1
        for window in windowsOfAnchor[Int(anchor)] { windows[Int(window)].gain -= 1 }
      }
    }
    return chosen.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// Whether every anchor contains a factor.
  package static func isComplete(factors: [[UInt8]], anchors: [[UInt8]]) -> Bool {
    anchors.allSatisfy { anchor in factors.contains { contains(anchor, $0) } }
  }

  /// What one more factor costs the scan, however rare it is.
  private static let leastCost = 3.0

  /// An estimate of how often a window occurs by chance, plus what one more factor costs the scan.
  ///
  /// Letters of ordinary words are common, digits and punctuation of codes are rarer, pairs across a change of class
  /// (`] e`, `=0`, `l_`) are rarest. Weights were set by counting on healthy client, site-server and event logs.
  private static func byteCost(of window: [UInt8]) -> Double {
    var chance = 1.0
    for index in window.indices {
      let byte = window[index]
      var weight: Double
      switch byte {
      case 0x20: weight = 0.16
      case 0x61...0x7A:
        weight = commonLetters.contains(byte) ? 0.09 : 0.03
      case 0x30, 0x31, 0x32: weight = 0.06
      case 0x33...0x39: weight = 0.04
      case 0x2E, 0x22, 0x3D, 0x3A, 0x2F, 0x2D, 0x3C, 0x3E: weight = 0.03
      default: weight = 0.012
      }
      if index > 0, kind(window[index - 1]) != kind(byte) { weight *= 0.5 }
      chance *= weight
    }
    return chance * 1e6 + leastCost
  }

  /// What the byte model knows nothing of: words that every log is full of. A window of pieces of such words is common
  /// too, less so the more pieces it has.
  private static func wordCost(of window: [UInt8]) -> Double {
    let pieces = window.split(separator: 0x20).map { Array($0) }
    let isCommon = pieces.allSatisfy { piece in
      piece.count <= 2 || commonWords.contains { contains($0, piece) || contains(piece, $0) }
    }
    return isCommon ? (pieces.count > 1 ? 600 : 4000) : 0
  }

  private static let commonLetters: Set<UInt8> = Set("etaonisrlc".utf8)
  /// Read off healthy client, site-server and event logs.
  private static let commonWords: [[UInt8]] = """
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
    delivered delivering compiled compiling successful fully job jobs item data value values entry folder directory
    """.split { $0 == " " || $0 == "\n" }.flatMap { [Array($0.utf8), Array($0.utf8) + [0x73]] }

  private static func contains(_ outer: [UInt8], _ inner: [UInt8]) -> Bool {
    guard inner.count <= outer.count else { return false }
    guard let first = inner.first else { return true }
    // The first byte settles nearly every place.
    return (0...(outer.count - inner.count)).contains {
      outer[$0] == first && outer[$0..<($0 + inner.count)].elementsEqual(inner)
    }
  }

  private static func kind(_ byte: UInt8) -> Int {
    if ASCII.isLetter(byte) { return 0 }
    if ASCII.isDigit(byte) { return 1 }
    return byte == 0x20 ? 2 : 3
  }
}
