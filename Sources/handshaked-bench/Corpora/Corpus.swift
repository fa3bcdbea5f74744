import ArgumentParser
import Foundation
import Records

/// The corpora, by what the records look like.
package enum CorpusKind: String, CaseIterable, ExpressibleByArgument, Codable, Sendable {
  case iis
  case iisPlain = "iis-plain"
  case cmtrace, simple
  case eventXML = "event-xml"
  case eventJSON = "event-json"
  case syslog

  var fileName: String {
    switch self {
    case .iis: "u_ex260302_x.log"
    case .iisPlain: "u_ex260302.log"
    case .cmtrace: "CcmMessaging.log"
    case .simple: "smsexec.log"
    case .eventXML: "System.xml"
    case .eventJSON: "nxlog.json"
    case .syslog: "windows.log"
    }
  }

  /// What an administrator would grep for, for ripgrep: pieces of the failures that the corpus holds.
  var failureLiterals: [String] {
    switch self {
    case .iis, .iisPlain: [" 403 7 ", " 403 13 ", " 403 16 ", " 403 17 ", " 500 0 "]
    case .cmtrace: ["Code=12175", "Code=12030", "80072f8f", "HTTP/HTTPS failure"]
    case .simple: ["SSL/TLS secure channel", "SSL Provider", "Sync failed"]
    case .eventXML: [">36871<", ">36874<", ">36887<", ">36888<"]
    case .eventJSON: [":36871,", ":36874,", ":36887,", ":36888,"]
    case .syslog:
      [CorpusKind.iis, .cmtrace, .simple, .eventJSON].flatMap(\.failureLiterals)
    }
  }
}

/// A corpus on disk, and what is true of it.
package struct Corpus: Sendable {
  package var path: String
  package var byteCount: Int
  package var recordCount: Int
  /// Byte offsets of the records that tell of a failure, ascending.
  package var failureOffsets: [UInt64]
}

/// What the next record of a corpus is to tell.
enum RecordRole {
  case ordinary
  /// That something works: a delivery, a completed handshake.
  case recovery
  /// It holds a word or a code of a failure and tells of none.
  case decoy
  case failure
}

/// Writes the records of one format. The clock and the random numbers come from outside, so that a corpus follows from
/// its seed alone.
protocol RecordSource {
  /// Mean time between two records.
  var meanGapMicroseconds: Int { get }
  /// What stands before the first record.
  mutating func begin(at clock: CorpusClock, to text: inout TextBuffer)
  /// Appends one record with its line end.
  mutating func record(
    _ role: RecordRole, at clock: CorpusClock, _ generator: inout SeededGenerator, to text: inout TextBuffer)
}

/// The time of the record, with its calendar parts at hand.
struct CorpusClock {
  private(set) var time = Timestamp(year: 2026, month: 3, day: 2, hour: 0, minute: 0, second: 0)
  private(set) var year = 2026
  private(set) var month = 3
  private(set) var day = 2
  private(set) var hour = 0
  private(set) var minute = 0
  private(set) var second = 0
  private(set) var microsecond = 0

  mutating func advance(microseconds: Int) {
    time.microseconds += Int64(microseconds)
    microsecond += microseconds
    guard microsecond >= 1_000_000 else { return }
    (year, month, day, hour, minute, second, microsecond) = time.civil
  }
}

/// One failure in 1,000 to 2,000 records, 5 % recoveries, one decoy in 200.
package enum CorpusWriter {
  /// - Throws: what the file system says.
  package static func write(_ kind: CorpusKind, byteCount: Int, seed: UInt64, folder: String) throws -> Corpus {
    let path = "\(folder)/\(kind.fileName)"
    return switch kind {
    case .iis: try write(IISSource(), byteCount, seed, path)
    case .iisPlain: try write(IISSource(hasCryptFields: false), byteCount, seed, path)
    case .cmtrace: try write(CMTraceSource(), byteCount, seed, path)
    case .simple: try write(SimpleSource(), byteCount, seed, path)
    case .eventXML: try write(EventSource(rendering: .xml), byteCount, seed, path)
    case .eventJSON: try write(EventSource(rendering: .json), byteCount, seed, path)
    case .syslog: try write(SyslogSource(), byteCount, seed, path)
    }
  }

  private static func write(
    _ records: some RecordSource, _ byteCount: Int, _ seed: UInt64, _ path: String
  ) throws -> Corpus {
    var corpus = Corpus(path: path, byteCount: 0, recordCount: 0, failureOffsets: [])
    var file = try CorpusFile(path)
    var records = records
    var generator = SeededGenerator(seed: seed)
    var clock = CorpusClock()
    var untilFailure = 1000 + generator.below(1001)
    records.begin(at: clock, to: &file.text)
    while file.byteCount < byteCount {
      untilFailure -= 1
      let role: RecordRole
      if untilFailure == 0 {
        role = .failure
        untilFailure = 1000 + generator.below(1001)
        corpus.failureOffsets.append(UInt64(file.byteCount))
      } else {
        switch generator.below(1000) {
        case ..<50: role = .recovery
        case ..<55: role = .decoy
        default: role = .ordinary
        }
      }
      clock.advance(microseconds: generator.below(2 * records.meanGapMicroseconds))
      records.record(role, at: clock, &generator, to: &file.text)
      corpus.recordCount += 1
      try file.flush()
    }
    corpus.byteCount = try file.finish()
    return corpus
  }

  /// Writes the truth beside a corpus that is kept: the byte offset of each failure, one a line.
  package static func writeTruth(_ corpus: Corpus) throws {
    let lines = corpus.failureOffsets.map { "\($0)\n" }.joined()
    try Data(lines.utf8).write(to: URL(fileURLWithPath: corpus.path + ".truth"))
  }
}

/// A file that grows by what is put into `text`.
struct CorpusFile {
  private static let flushByteCount = 1 << 20

  var text = TextBuffer()
  private let file: FileHandle
  private var writtenByteCount = 0

  /// - Throws: what the file system says.
  init(_ path: String) throws {
    let url = URL(fileURLWithPath: path)
    try Data().write(to: url)
    file = try FileHandle(forWritingTo: url)
  }

  var byteCount: Int { writtenByteCount + text.byteCount }

  /// Writes what has gathered, once that is enough.
  mutating func flush() throws {
    if text.byteCount >= CorpusFile.flushByteCount { try write() }
  }

  /// Writes the rest.
  /// - Returns: bytes of the file.
  mutating func finish() throws -> Int {
    try write()
    try file.close()
    return writtenByteCount
  }

  private mutating func write() throws {
    try file.write(contentsOf: text.bytes)
    writtenByteCount += text.byteCount
    text.removeAll()
  }
}
