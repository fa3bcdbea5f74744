import Envelopes
import Records

/// One line of a batch's text with everything that is known of it, positions in the stream.
struct OpenedLine: Hashable, CustomStringConvertible {
  var text: [UInt8]
  var origin: Origin
  var received: Int64
  var offset: UInt64
  var endOffset: UInt64
  var line: UInt64

  var string: String { String(decoding: text, as: UTF8.self) }
  var description: String { "\(offset)…\(endOffset) line \(line) \(origin) \(received) \(string.debugDescription)" }
}

/// A skip with its place in the stream.
struct Skip: Hashable {
  var reason: SkipReason
  var start: UInt64
  var end: UInt64
  var line: UInt64
}

struct Opened {
  var lines: [OpenedLine] = []
  var skips: [Skip] = []
  /// As the batch holds them, in the order in which they were met.
  var origins: [Origin] = []
  /// Chunks whose text was the chunk itself.
  var directCount = 0
  var chunkCount = 0
  /// Bytes that the final chunk left unopened; always 0 when the contract holds.
  var leftByteCount = 0

  var texts: [String] { lines.map(\.string) }
  func count(_ reason: SkipReason) -> Int { skips.count { $0.reason == reason } }
}

let fileOrigin = Origin(host: nil, log: "relay", path: "/var/log/remote/relay.log")

/// Runs a stream through an opener. `cuts` are byte offsets behind line ends at which a read ended, ascending; what a
/// chunk leaves is put in front of the next one, as the reader does.
func opened(
  _ stream: [UInt8], cuts: [Int] = [], origin: Origin = fileOrigin, usesHeads: Bool = true
) -> Opened {
  var result = Opened()
  var opener = EnvelopeOpener(origin: origin)
  opener.usesHeads = usesHeads
  var batch = RecordBatch()
  var bytes = stream
  if let last = bytes.last, last != 0x0A { bytes.append(0x0A) }
  var carryStart = 0
  var firstLine: UInt64 = 1
  let stops = cuts.filter { $0 > 0 && $0 < bytes.count } + [bytes.count]
  for stop in stops {
    let isFinal = stop == bytes.count
    let chunk = Chunk(
      text: Array(bytes[carryStart..<stop]), rawOffset: UInt64(carryStart), firstLine: firstLine, isFinal: isFinal)
    batch.removeAll()
    let count = opener.open(chunk, into: &batch)
    result.add(batch, chunk, openedByteCount: count)
    firstLine += UInt64(bytes[carryStart..<carryStart + count].count { $0 == 0x0A })
    carryStart += count
  }
  result.leftByteCount = bytes.count - carryStart
  result.origins = batch.origins
  return result
}

func opened(_ text: String, cuts: [Int] = [], origin: Origin = fileOrigin) -> Opened {
  opened(Array(text.utf8), cuts: cuts, origin: origin)
}

extension Opened {
  mutating func add(_ batch: RecordBatch, _ chunk: borrowing Chunk, openedByteCount: Int) {
    chunkCount += 1
    if batch.isDirect { directCount += 1 }
    let text = batch.isDirect ? Array(chunk.storage) : batch.arena
    for index in batch.lineEnds.indices {
      let bounds = batch.lineBounds(index)
      let (start, end) =
        batch.isDirect ? bounds : (Int(batch.lines[index].chunkStart), Int(batch.lines[index].chunkEnd))
      lines.append(
        OpenedLine(
          text: Array(text[bounds.start..<bounds.end]),
          origin: batch.origins[Int(batch.origin(ofLine: index))],
          received: batch.isDirect ? RecordBatch.noTime : batch.lines[index].received,
          offset: chunk.rawOffset + UInt64(start), endOffset: chunk.rawOffset + UInt64(end),
          line: chunk.firstLine + UInt64(batch.physicalLine(index))))
    }
    // What lies behind that is met again with the next chunk.
    for event in batch.skipEvents where Int(event.start) < openedByteCount {
      skips.append(
        Skip(
          reason: event.reason, start: chunk.rawOffset + UInt64(event.start),
          end: chunk.rawOffset + UInt64(event.end), line: chunk.firstLine + UInt64(event.lineIndex)))
    }
  }
}

func time(
  _ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int, _ microsecond: Int = 0
) -> Int64 {
  Timestamp(
    year: year, month: month, day: day, hour: hour, minute: minute, second: second, microsecond: microsecond
  ).microseconds
}

/// SplitMix64: small, seeded, the same everywhere.
struct Seeded: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
