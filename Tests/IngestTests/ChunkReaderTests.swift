import Glibc
import Ingest
import Records
import Testing

/// Count, bytes, offset and line of the first one.
private func facts(_ entry: SkipCounts.Entry) -> [UInt64] {
  [entry.count, entry.byteCount, entry.firstOffset, entry.firstLine]
}

@Suite struct ChunkReaderTests {
  private func read(_ bytes: [UInt8], readSize: Int = 7) throws -> [String] {
    var reader = ChunkReader(bytes: bytes, readByteCount: readSize)
    return try reader.lines().lines.map { "\($0.number) \($0.offset) \(Text.decode($0.text))" }
  }

  @Test func linesKeepTheirBytesOffsetsAndNumbers() throws {
    #expect(try read(Array("one\r\ntwo\n\nfour".utf8)) == ["1 0 one\r\n", "2 5 two\n", "3 9 \n", "4 10 four\n"])
  }

  @Test func anEmptyStreamIsOneEmptyFinalChunk() throws {
    var reader = ChunkReader(bytes: [])
    #expect(try reader.fill())
    #expect(reader.chunkFacts.byteCount == 0)
    #expect(reader.chunkFacts.isFinal)
    #expect(try !reader.fill())
    #expect(try !reader.fill())
  }

  @Test func aByteOrderMarkIsPassedOverAtTheStartOnly() throws {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    #expect(try read(mark + Array("a\n".utf8) + mark + Array("b\n".utf8)) == ["1 3 a\n", "2 5 \u{FEFF}b\n"])
    #expect(try read(mark) == [])
  }

  @Test func windows1252AndNULBytesPassAsTheyAre() throws {
    var reader = ChunkReader(bytes: [0x47, 0xFC, 0x6E, 0x74, 0x0A, 0, 0, 0, 0x0A])
    #expect(try reader.lines().lines.map(\.text) == [[0x47, 0xFC, 0x6E, 0x74, 0x0A], [0, 0, 0, 0x0A]])
    #expect(reader.chunkFacts.encoding == .utf8)
  }

  @Test(arguments: [1, 2, 3, 64, 4096])
  func utf16OffsetsAreExact(readSize: Int) throws {
    // ERRORLOG as SQL Server writes it: mark, CR LF. A pair takes four raw bytes, é and € two.
    let text = "é€😀x\r\nlast"
    let bytes: [UInt8] = [0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    #expect(try read(bytes, readSize: readSize) == ["1 2 é€😀x\r\n", "2 16 last\n"])
  }

  @Test func utf16IsToldWithoutAMark() throws {
    let text = Array("2026-03-02 06:00:00.12 Logon Ошибка: 17836\r\n".utf16)
    var little = ChunkReader(bytes: text.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
    #expect(try little.lines().lines.count == 1)
    #expect(little.chunkFacts.encoding == .utf16LittleEndian)
    var big = ChunkReader(bytes: text.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] })
    #expect(try big.lines().lines.count == 1)
    #expect(big.chunkFacts.encoding == .utf16BigEndian)
  }

  @Test func nulRunsAreNotTakenForUTF16() throws {
    for bytes: [UInt8] in [
      [0, 0, 0, 0, 0, 0, 0x41, 0x0A], [0x41, 0, 0, 0, 0x0A], [0x41, 0], [0, 0x41], [0x41, 0x42, 0, 0x43, 0x0A, 0],
    ] {
      var reader = ChunkReader(bytes: bytes)
      _ = try reader.lines()
      #expect(reader.chunkFacts.encoding == .utf8, "\(bytes)")
    }
  }

  @Test func damagedUTF16IsCountedWithItsPlace() throws {
    // "a\n", a lone low surrogate, "\n", a high surrogate at the end, an odd byte.
    let bytes: [UInt8] = [0xFF, 0xFE, 0x61, 0, 0x0A, 0, 0x00, 0xDC, 0x0A, 0, 0x3D, 0xD8, 0x41]
    var reader = ChunkReader(bytes: bytes, readByteCount: 3)
    #expect(try reader.lines().lines.map { Text.decode($0.text) } == ["a\n", "\u{FFFD}\n", "\u{FFFD}\n"])
    #expect(facts(reader.skips[.badUTF16]) == [3, 5, 6, 2])
  }

  @Test func theFinalChunkComesAgainUntilItIsConsumed() throws {
    var reader = ChunkReader(bytes: Array("a1\na2\na3\n".utf8), readByteCount: 3)
    #expect(try reader.fill())
    #expect(reader.chunkFacts.isFinal)
    reader.consume(3)
    #expect(try reader.fill())
    #expect(reader.chunkFacts.isFinal)
    #expect(Array(reader.chunk.storage[..<reader.chunk.byteCount]) == Array("a2\na3\n".utf8))
    #expect(reader.chunkFacts.rawOffset == 3)
    #expect(reader.chunkFacts.firstLine == 2)
    // A walk that leaves it whole would never end: the rest is given up and counted.
    #expect(try !reader.fill())
    #expect(facts(reader.skips[.tornRecord]) == [1, 6, 3, 2])
  }

  @Test func aWalkThatConsumesNothingGetsMoreEachTime() throws {
    let line = Array("0123456789\n".utf8)
    var reader = ChunkReader(
      bytes: Array(repeatElement(line, count: 200).joined()), readByteCount: 64, recordByteLimit: 900)
    var sizes: [Int] = []
    while try reader.fill(), reader.chunk.byteCount < 900 { sizes.append(reader.chunk.byteCount) }
    #expect(sizes.count > 5)
    #expect(zip(sizes, sizes.dropFirst()).allSatisfy { $0 < $1 })
    #expect(reader.chunkFacts.byteCount < 900 + 64)
    #expect(reader.skips[.tornRecord].count == 0)
    // No progress at the limit either: the bytes are given up, counted, and reading goes on behind them.
    let given = reader.chunk.byteCount
    #expect(try reader.fill())
    #expect(facts(reader.skips[.tornRecord]) == [1, UInt64(given), 0, 1])
    #expect(reader.chunkFacts.rawOffset == UInt64(given))
    #expect(reader.chunkFacts.firstLine == UInt64(given / 11 + 1))
  }

  @Test func aLineThatIsTooLongIsCutAndCounted() throws {
    let bytes = Array("first\n".utf8) + Array(repeating: 0x78, count: 50) + Array("\r\nnext\n".utf8)
    var reader = ChunkReader(bytes: bytes, readByteCount: 16, recordByteLimit: 20)
    let lines = try reader.lines(limit: 20).lines
    #expect(
      lines == [
        Line(text: Array("first\n".utf8), offset: 0, number: 1),
        Line(text: Array(repeating: 0x78, count: 20) + [0x0A], offset: 6, number: 2),
        Line(text: Array("next\n".utf8), offset: 58, number: 3),
      ])
    #expect(facts(reader.skips[.lineTooLong]) == [1, 31, 6, 2])
  }

  /// 1 GiB without a line end, as a crash or a sparse copy leaves it.
  @Test func aLineOfOneGibibyteTakesLittleMemory() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("huge.log")
    let hole: off_t = 1 << 30
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    try #require(descriptor >= 0)
    #expect(pwrite(descriptor, "first\nlong", 10, 0) == 10)
    #expect(pwrite(descriptor, "\nlast\n", 6, hole) == 6)
    close(descriptor)
    var reader = try ChunkReader(SourceFile(path: path))
    var lineCount = 0
    var last: [UInt8] = []
    var largest = 0
    while try reader.fill() {
      let text = reader.chunk.storage[..<reader.chunk.byteCount]
      lineCount += text.count { $0 == 0x0A }
      last = Array(text.suffix(5))
      largest = max(largest, reader.chunk.storage.count)
      reader.consume(reader.chunk.byteCount)
    }
    #expect(lineCount == 3)
    #expect(last == Array("last\n".utf8))
    #expect(largest < 3 << 20)
    #expect(reader.skips[.lineTooLong].byteCount == UInt64(hole) - 6 - UInt64(Limits.recordByteLimit))
    #expect(reader.chunkFacts.rawOffset == UInt64(hole) + 6)
  }

  @Test func aPipeIsReadToItsEnd() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    #expect(write(ends[1], "one\ntwo", 7) == 7)
    close(ends[1])
    let source = SourceFile(input: .file(Array("/dev/fd/\(ends[0])".utf8)), path: "pipe", host: nil, isStream: true)
    var reader = try ChunkReader(source)
    close(ends[0])
    #expect(try reader.lines().lines.map { Text.decode($0.text) } == ["one\n", "two\n"])
  }

  @Test func aFileThatGrewIsReadToItsNewEnd() throws {
    let folder = try TemporaryFolder()
    let path = folder.write("x.log", "one\n")
    var reader = try ChunkReader(SourceFile(path: path))
    folder.write("x.log", "one\n" + String(repeating: "more\n", count: 5000))
    #expect(try reader.lines().lines.count == 5001)
  }

  @Test(arguments: [
    (FileKind.evtx, "ElfFile\0".utf8.map { $0 }), (.gzip, [0x1F, 0x8B, 8]), (.zip, [0x50, 0x4B, 3, 4]),
    (.zstd, [0x28, 0xB5, 0x2F, 0xFD]), (.cab, [0x4D, 0x53, 0x43, 0x46, 0, 0, 0, 0]),
    (.sevenZip, [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]), (.xz, [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]),
    (.bzip2, Array("BZh91AY&SY".utf8)),
  ])
  func containersAreRefusedByName(kind: FileKind, magic: [UInt8]) throws {
    var reader = ChunkReader(bytes: magic + Array("\nrest\n".utf8), path: "x", readByteCount: 1)
    do {
      _ = try reader.fill()
      Issue.record("not refused")
    } catch {
      #expect(error.problem == .unsupported(kind))
      #expect(error.skipReason == .unsupportedFormat)
      #expect(error.what == "x is \(kind.title), which this version does not read")
    }
    #expect(reader.skips[.unsupportedFormat].count == 1)
    #expect(reader.skips[.unsupportedFormat].byteCount == UInt64(magic.count + 6))
    #expect(try !reader.fill())
  }

  @Test func aFolderIsNoStream() throws {
    let folder = try TemporaryFolder()
    var reader = try ChunkReader(SourceFile(path: folder.root))
    do {
      _ = try reader.fill()
      Issue.record("not refused")
    } catch {
      #expect(error.problem == .system(call: "read", errno: EISDIR))
      #expect(error.what == "cannot read \(folder.root): Is a directory")
    }
    #expect(reader.skips[.unreadable].count == 1)
    #expect(try !reader.fill())
  }

  @Test func aMissingFileSaysSo() throws {
    do {
      _ = try ChunkReader(SourceFile(path: "/nowhere/x.log"))
      Issue.record("not refused")
    } catch {
      #expect(
        "\(error)"
          == "cannot open /nowhere/x.log: No such file or directory\n  fix: check the spelling: ls -d /nowhere/x.log")
    }
  }

  @Test func permissionErrorsNameTheUserAndTheCommand() {
    func error(_ path: String, isFolder: Bool = false, obstacle: String? = nil) -> IngestError {
      IngestError(
        path: "x.log", openPath: path, problem: .system(call: "open", errno: EACCES), isFolder: isFolder,
        user: "handshaked", obstacle: obstacle)
    }
    #expect(
      error("/var/log/remote/x.log").description
        == "cannot open /var/log/remote/x.log: Permission denied (user handshaked)\n"
        + "  fix: setfacl -m u:handshaked:r /var/log/remote/x.log")
    #expect(error("/logs", isFolder: true).fix == "setfacl -m u:handshaked:rx /logs")
    #expect(error("/a b/x.log", obstacle: "/a b").fix == "setfacl -m u:handshaked:x '/a b'")
    #expect(error("/it's").fix == #"setfacl -m u:handshaked:r '/it'\''s'"#)
    #expect(error("/\u{1B}[2J").what == #"cannot open /\x1b[2J: Permission denied (user handshaked)"#)
    #expect(error("/\u{1B}'").fix == #"setfacl -m u:handshaked:r $'/\x1b\''"#)
    #expect(error("/x").skipReason == .unreadable)
  }
}
