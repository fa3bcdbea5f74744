import Records

/// Containers that are recognised by their first bytes and not read as text.
///
/// Sources: [MS-EVEN6] and libevtx for EVTX; RFC 1952 §2.3.1 gzip; APPNOTE.TXT 4.3.7 and 4.3.16 zip; RFC 8878 §3.1.1
/// zstd; [MS-CAB] §2.1 CFHEADER (`reserved1` is zero); 7zFormat.txt; the .xz file format §2.1.1; bzip2's block magic.
package enum FileKind: String, CaseIterable, Sendable {
  case evtx, gzip, zip, zstd, cab
  case sevenZip = "7z"
  case xz, bzip2

  /// The kind whose magic bytes stand at the front of `head`, or nil: read it as text.
  package static func recognise(_ head: Span<UInt8>) -> FileKind? {
    allCases.first { kind in kind.magics.contains { head.hasPrefix($0) } }
  }

  /// Bytes that `recognise` wants to see.
  package static let magicByteCount = 10

  private var magics: [[UInt8?]] {
    switch self {
    case .evtx: [Array("ElfFile\0".utf8)]
    case .gzip: [[0x1F, 0x8B]]
    case .zip: [[0x50, 0x4B, 0x03, 0x04], [0x50, 0x4B, 0x05, 0x06]]
    case .zstd: [[0x28, 0xB5, 0x2F, 0xFD]]
    case .cab: [[0x4D, 0x53, 0x43, 0x46, 0, 0, 0, 0]]
    case .sevenZip: [[0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]]
    case .xz: [[0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]]
    case .bzip2: [[0x42, 0x5A, 0x68, nil, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59]]
    }
  }

  /// What it is, for a sentence.
  package var title: String {
    switch self {
    case .evtx: "a Windows event log (EVTX)"
    case .gzip: "a gzip archive"
    case .zip: "a zip archive"
    case .zstd: "a zstd archive"
    case .cab: "a cabinet file"
    case .sevenZip: "a 7z archive"
    case .xz: "an xz archive"
    case .bzip2: "a bzip2 archive"
    }
  }

  /// A command that turns the file into what is read; `path` is already quoted for a shell.
  package func remedy(path: String) -> String {
    switch self {
    case .evtx: "on Windows: wevtutil qe FILE.evtx /lf:true /f:XML > FILE.xml"
    case .gzip: "zcat \(path) | handshaked replay -"
    case .zip: "unzip -d FOLDER \(path), then handshaked replay FOLDER"
    case .zstd: "zstdcat \(path) | handshaked replay -"
    case .cab: "cabextract -d FOLDER \(path), then handshaked replay FOLDER"
    case .sevenZip: "7z x -oFOLDER \(path), then handshaked replay FOLDER"
    case .xz: "xzcat \(path) | handshaked replay -"
    case .bzip2: "bzcat \(path) | handshaked replay -"
    }
  }
}

extension Span where Element == UInt8 {
  /// Whether the bytes begin with `pattern`; nil in it stands for any byte.
  fileprivate func hasPrefix(_ pattern: [UInt8?]) -> Bool {
    guard count >= pattern.count else { return false }
    for index in pattern.indices {
      if let wanted = pattern[index], self[index] != wanted { return false }
    }
    return true
  }
}

/// How the bytes of a stream are written, told from the first of them.
package enum EncodingSniffer {
  /// The encoding, and how many bytes of byte order mark to pass over.
  ///
  /// Without a mark UTF-16 is taken when the first unit is ASCII, a quarter of the units have a zero high byte, few
  /// have a zero low byte, and none is NUL: runs of NUL in damaged text and single ones look different. A log
  /// begins with ASCII (`<`, `#`, a date, a line end), whatever language follows.
  /// Source of the marks: Unicode 16.0, section 23.8.
  package static func sniff(_ head: Span<UInt8>) -> (encoding: TextEncoding, markByteCount: Int) {
    if head.count >= 3, head[0] == 0xEF, head[1] == 0xBB, head[2] == 0xBF { return (.utf8, 3) }
    if head.count >= 2, head[0] == 0xFF, head[1] == 0xFE { return (.utf16LittleEndian, 2) }
    if head.count >= 2, head[0] == 0xFE, head[1] == 0xFF { return (.utf16BigEndian, 2) }
    let unitCount = head.count / 2
    guard unitCount >= 2 else { return (.utf8, 0) }
    var evenZeros = 0
    var oddZeros = 0
    for unit in 0..<unitCount {
      let even = head[2 * unit]
      let odd = head[2 * unit + 1]
      if even == 0 && odd == 0 { return (.utf8, 0) }
      if even == 0 { evenZeros += 1 }
      if odd == 0 { oddZeros += 1 }
    }
    if head[1] == 0, head[0] < 0x80, oddZeros * 4 >= unitCount, evenZeros * 8 <= unitCount {
      return (.utf16LittleEndian, 0)
    }
    if head[0] == 0, head[1] < 0x80, evenZeros * 4 >= unitCount, oddZeros * 8 <= unitCount {
      return (.utf16BigEndian, 0)
    }
    return (.utf8, 0)
  }
}
