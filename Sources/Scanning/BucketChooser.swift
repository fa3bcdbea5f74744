import CKernels

/// Puts each factor into one of the buckets of `hk_literals_make`. A bucket lets through every place whose bytes are each
/// among those of its factors there, so the pieces of unlike factors together let through what none of them is: each
/// goes to the bucket that it makes let through least more, of bytes as they are distributed in logs and of a sample of
/// the words that logs are full of.
struct BucketChooser {
  private static let positionCount = Int(HK_WINDOW)
  private static let passCount = 2

  private let bucketCount: Int
  private let sample = Sample()
  /// How many factors of each bucket have a byte at a position: [bucket][position][byte].
  private var counts: [UInt16]
  /// The sum of the shares of the bytes that a bucket has at a position.
  private var shares: [Double]
  /// How many factors of each bucket ask nothing at a position, as they end before.
  private var openCounts: [UInt16]
  /// The places of the sample where one of those bytes stands: [bucket][position][word].
  private var admitted: [UInt64]

  /// The bucket of each factor.
  static func distribute(_ factors: [[UInt8]]) -> [Int] {
    var chooser = BucketChooser(factorCount: factors.count)
    // Short factors ask least and let through most: they come first, into buckets of their own.
    let order = factors.indices.sorted {
      (factors[$0].count, FactorChooser.frequencies(of: factors[$1]))
        < (factors[$1].count, FactorChooser.frequencies(of: factors[$0]))
    }
    var bucketOf = Array(repeating: -1, count: factors.count)
    for pass in 0..<passCount {
      for index in order {
        if pass > 0 { chooser.remove(factors[index], from: bucketOf[index]) }
        var best = 0
        var least = Double.infinity
        for bucket in 0..<chooser.bucketCount {
          let more = chooser.passed(bucket, with: factors[index]) - chooser.passed(bucket, with: nil)
          if more < least {
            least = more
            best = bucket
          }
        }
        bucketOf[index] = best
        chooser.add(factors[index], to: best)
      }
    }
    return bucketOf
  }

  private init(factorCount: Int) {
    // Half of the buckets cost half; few factors do not fill more.
    bucketCount = factorCount <= 16 ? 8 : Int(HK_BUCKETS)
    let places = bucketCount * BucketChooser.positionCount
    counts = Array(repeating: 0, count: places * 256)
    shares = Array(repeating: 0, count: places)
    openCounts = Array(repeating: 0, count: places)
    admitted = Array(repeating: 0, count: places * sample.wordCount)
  }

  private func place(_ bucket: Int, _ position: Int) -> Int { bucket * BucketChooser.positionCount + position }

  /// What a bucket lets through, with one more factor: the share of places by chance, and of those of the sample.
  private func passed(_ bucket: Int, with factor: [UInt8]?) -> Double {
    var chance = 1.0
    for position in 0..<BucketChooser.positionCount {
      var share = openCounts[place(bucket, position)] > 0 ? 1 : shares[place(bucket, position)]
      if let factor {
        if position >= factor.count {
          share = 1
        } else if counts[place(bucket, position) * 256 + Int(factor[position])] == 0 {
          share += FactorChooser.frequency(of: factor[position])
        }
      }
      chance *= min(share, 1)
    }
    var count = 0
    for word in 0..<sample.wordCount {
      var all = UInt64.max
      for position in 0..<BucketChooser.positionCount {
        var places = admitted[place(bucket, position) * sample.wordCount + word]
        if let factor { places |= sample.places(position < factor.count ? factor[position] : nil, position, word) }
        all &= places
      }
      count += all.nonzeroBitCount
    }
    return chance + Double(count) / Double(sample.placeCount)
  }

  private mutating func add(_ factor: [UInt8], to bucket: Int) {
    for position in 0..<BucketChooser.positionCount {
      let place = place(bucket, position)
      let byte = position < factor.count ? factor[position] : nil
      if let byte {
        counts[place * 256 + Int(byte)] += 1
        if counts[place * 256 + Int(byte)] > 1 { continue }
        shares[place] += FactorChooser.frequency(of: byte)
      } else {
        openCounts[place] += 1
      }
      for word in 0..<sample.wordCount {
        admitted[place * sample.wordCount + word] |= sample.places(byte, position, word)
      }
    }
  }

  private mutating func remove(_ factor: [UInt8], from bucket: Int) {
    for position in 0..<BucketChooser.positionCount {
      let place = place(bucket, position)
      if position < factor.count {
        let byte = factor[position]
        counts[place * 256 + Int(byte)] -= 1
        guard counts[place * 256 + Int(byte)] == 0 else { continue }
        shares[place] -= FactorChooser.frequency(of: byte)
      } else {
        openCounts[place] -= 1
      }
      if openCounts[place] > 0 { continue }
      for word in 0..<sample.wordCount {
        var places: UInt64 = 0
        for other in sample.bytes where counts[place * 256 + Int(other)] > 0 {
          places |= sample.places(other, position, word)
        }
        admitted[place * sample.wordCount + word] = places
      }
    }
  }

  /// Common words, and digits as GUIDs and codes have them.
  private struct Sample {
    let placeCount: Int
    let wordCount: Int
    /// The bytes in it.
    let bytes: [UInt8]
    private let rowOf: [Int]
    /// Where each byte stands: [byte][word]; bit i of it is place i.
    private let standing: [UInt64]

    init() {
      var text: [UInt8] = []
      for word in FactorChooser.commonWords { text += word + [0x20] }
      var state: UInt32 = 1
      for _ in 0..<512 {
        state = state &* 1_664_525 &+ 1_013_904_223
        text.append(Array("0123456789abcdef".utf8)[Int(state >> 28)])
      }
      placeCount = text.count
      wordCount = (text.count + 63) / 64
      bytes = Set(text).sorted()
      var rowOf = Array(repeating: -1, count: 256)
      for (row, byte) in bytes.enumerated() { rowOf[Int(byte)] = row }
      self.rowOf = rowOf
      // One word more, so that a place may be looked up some bytes on.
      var standing = [UInt64](repeating: 0, count: bytes.count * (wordCount + 1))
      for (place, byte) in text.enumerated() {
        standing[rowOf[Int(byte)] * (wordCount + 1) + place / 64] |= 1 << UInt64(place % 64)
      }
      self.standing = standing
    }

    /// The places of a word from which `position` bytes on `byte` stands; all of them for nil.
    func places(_ byte: UInt8?, _ position: Int, _ word: Int) -> UInt64 {
      guard let byte else { return .max }
      let row = rowOf[Int(byte)]
      guard row >= 0 else { return 0 }
      let at = row * (wordCount + 1) + word
      return position == 0 ? standing[at] : standing[at] >> UInt64(position) | standing[at + 1] << UInt64(64 - position)
    }
  }
}
