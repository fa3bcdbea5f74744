import Ingest
import Records
import Testing

/// Any read size and any pattern of consumption gives the lines, offsets and numbers of the slow twin.
@Suite struct CarryLaw {
  static let readSizes = [1, 2, 3, 7, 64, 300, 4096]

  @Test(arguments: UInt64(0)..<80)
  func singleBytes(seed: UInt64) throws {
    var random = Seeded(state: seed)
    let mark: [UInt8] = seed % 3 == 0 ? [0xEF, 0xBB, 0xBF] : []
    var bytes = mark + Array("#".utf8)
    for _ in 0..<Int.random(in: 0...40, using: &random) {
      for _ in 0..<Int.random(in: 0...(Bool.random(using: &random) ? 12 : 90), using: &random) {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: bytes += Array("é€😀".utf8)
        case 1: bytes.append(UInt8.random(in: 0x80...0xFF, using: &random))
        case 2 where Int.random(in: 0..<20, using: &random) == 0: bytes.append(0)
        default: bytes.append(UInt8.random(in: 0x20...0x7E, using: &random))
        }
      }
      bytes += Bool.random(using: &random) ? [0x0A] : [0x0D, 0x0A]
    }
    if Bool.random(using: &random) { bytes += Array("no end".utf8) }
    try hold(bytes, encoding: .utf8, markByteCount: mark.count, random: &random)
  }

  @Test(arguments: UInt64(0)..<80)
  func twoByteUnits(seed: UInt64) throws {
    var random = Seeded(state: seed &+ 1_000_000)
    let isBigEndian = seed % 2 == 0
    let hasMark = seed % 4 < 2
    var units: [UInt16] = Array("<![LOG[ERROR 12345".utf16)
    for _ in 0..<Int.random(in: 0...30, using: &random) {
      for _ in 0..<Int.random(in: 0...(Bool.random(using: &random) ? 9 : 60), using: &random) {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: units += Array("é€😀".utf16)
        case 1: units.append(UInt16.random(in: 0x100...0xFFFF, using: &random))
        case 2: units.append(UInt16.random(in: 0xD800...0xDFFF, using: &random))
        default: units.append(UInt16.random(in: 0x20...0x7E, using: &random))
        }
      }
      units += Bool.random(using: &random) ? [0x0A] : [0x0D, 0x0A]
    }
    if Bool.random(using: &random) { units += Array("no end".utf16) }
    if Bool.random(using: &random) { units.append(0xD83D) }
    var bytes: [UInt8] = []
    if hasMark { units.insert(0xFEFF, at: 0) }
    for unit in units {
      let pair = [UInt8(unit >> 8), UInt8(unit & 0xFF)]
      bytes += isBigEndian ? pair : pair.reversed()
    }
    if Bool.random(using: &random) { bytes.append(0x41) }
    try hold(
      bytes, encoding: isBigEndian ? .utf16BigEndian : .utf16LittleEndian, markByteCount: hasMark ? 2 : 0,
      random: &random)
  }

  private func hold(
    _ bytes: [UInt8], encoding: TextEncoding, markByteCount: Int, random: inout Seeded
  ) throws {
    for limit in [24, 100, Limits.recordByteLimit] {
      let twin = Twin.read(bytes, encoding: encoding, markByteCount: markByteCount, limit: limit)
      for readSize in CarryLaw.readSizes {
        let pattern = Int.random(in: 0..<4, using: &random)
        var draw = random
        var reader = ChunkReader(bytes: bytes, readByteCount: readSize, recordByteLimit: limit)
        let (lines, faults) = try reader.lines(limit: limit) { count in
          switch pattern {
          case 0: 0
          case 1: 1
          case 2: count
          default: Int.random(in: 0...count, using: &draw)
          }
        }
        #expect(faults == [])
        #expect(lines == twin.lines, "limit \(limit), read size \(readSize), pattern \(pattern)")
        #expect(reader.chunkFacts.encoding == encoding)
        #expect(reader.skips[.tornRecord].count == 0)
        #expect(reader.skips[.lineTooLong].count == UInt64(twin.longCount))
        #expect(reader.skips[.lineTooLong].byteCount == UInt64(twin.lostByteCount))
        #expect(reader.skips[.badUTF16].count == UInt64(twin.badCount))
        let isOdd = encoding != .utf8 && bytes.count % 2 == 1
        #expect(reader.chunkFacts.rawOffset == UInt64(bytes.count - (isOdd ? 1 : 0)))
        #expect(reader.readOffset == UInt64(bytes.count))
      }
    }
  }
}
