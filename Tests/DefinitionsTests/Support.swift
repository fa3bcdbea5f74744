import Definitions
import Extraction
import Foundation
import Records

/// Definitions in memory, read without system folders. Paths are `parsers/signatures/test.yaml` and the like.
func load(
  _ signatures: String = "", codes: [String: String] = [:], formats: String = "", overrides: [String] = [],
  systemDirectories: [String] = []
) -> LoadResult {
  var files = codes.map { (path: "codes/\($0.key).tsv", text: $0.value) }
  if !formats.isEmpty { files.append(("formats/test.yaml", formats)) }
  if !signatures.isEmpty { files.append(("signatures/test.yaml", signatures)) }
  return DefinitionLoader.load(
    overrides: overrides, systemDirectories: systemDirectories, embedded: files, patternCompiler: groupNames)
}

/// The printed faults.
func faults(
  _ signatures: String = "", codes: [String: String] = [:], formats: String = "", overrides: [String] = [],
  systemDirectories: [String] = []
) -> [String] {
  load(signatures, codes: codes, formats: formats, overrides: overrides, systemDirectories: systemDirectories)
    .diagnostics.map(\.description)
}

/// Stands in for PCRE2: knows named groups, classes and unbalanced parentheses.
func groupNames(_ pattern: String) throws -> [String] {
  var names: [String] = []
  var open: [Int] = []
  let bytes = Array(pattern.utf8)
  var index = 0
  var isInClass = false
  while index < bytes.count {
    switch bytes[index] {
    case UInt8(ascii: "\\"): index += 1
    case UInt8(ascii: "]"): isInClass = false
    case _ where isInClass: break
    case UInt8(ascii: "["):
      isInClass = true
      // A bracket right at the begin of a class belongs to it.
      if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "^") { index += 1 }
      if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "]") { index += 1 }
    case UInt8(ascii: "("):
      open.append(index)
      let rest = bytes[index...]
      if rest.starts(with: Array("(?<".utf8)), rest.count > 3, rest[index + 3] != UInt8(ascii: "="),
        rest[index + 3] != UInt8(ascii: "!")
      {
        names.append(String(decoding: rest.dropFirst(3).prefix { $0 != UInt8(ascii: ">") }, as: UTF8.self))
      }
    case UInt8(ascii: ")"):
      if open.popLast() == nil { throw PatternFault(message: "unmatched closing parenthesis", offset: index) }
    default: break
    }
    index += 1
  }
  if !open.isEmpty { throw PatternFault(message: "missing closing parenthesis", offset: bytes.count) }
  return names
}

/// A signature without fault; `replacing` changes one text of it, which must be there.
func signature(_ changes: (String, String)...) -> String {
  var text = goodSignature
  for (from, to) in changes {
    precondition(text.contains(from), "the text '\(from)' is not in the sample")
    text = text.replacingOccurrences(of: from, with: to)
  }
  return text
}

private let goodSignature = """
  signature: test.failed
  covers: [T-1, T-2]
  title: A test failed
  yields: finding
  formats: [cmtrace, simple]
  logs: [CcmMessaging, 'smsts*']
  anchors: ['Failed: CODE=']
  pattern: 'Failed: CODE=(?<code>\\d+) at (?<server>\\S+)'
  class: handshake-failure
  cause: unknown-tls
  severity: error
  stack: winhttp
  area: 1
  feature: https-client
  role: management-point
  confidence: documented
  host-is: client
  codes: { code: test }
  group: tls
  explain: It failed.
  remedy: Repair it.
  source: A test.
  examples:
    - line: 'Failed: CODE=12175 at mp01'
      log: CcmMessaging
      host: PC1
      expect: { class: handshake-failure, server: mp01 }
    - line: 'Failed: CODE=12157 at mp01'
      expect: { server: mp01 }
    - line: 'Failed: CODE=none at mp01'
      expect: none

  """

let goodTable = """
  #kind code
  # A comment.
  value\tsymbol\tclass\tcause\tseverity\tcovers\texplain\tsource\tarea
  0x80072f8f\tSECURE_FAILURE\t-\t-\terror\tT-3 T-4\tIt failed.\twinhttp.h\t2
  0x80072ee7\tNAME_NOT_RESOLVED\tbenign\t\tinfo\t-\tA name.\twinhttp.h\t-

  """

/// A folder that is removed with the object.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "definitions-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, to name: String) throws { try write(Data(text.utf8), to: name) }

  func write(_ data: Data, to name: String) throws {
    let url = URL(fileURLWithPath: path).appendingPathComponent(name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: url)
  }
}

/// A repeatable source of numbers (SplitMix64).
struct Seeded: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
