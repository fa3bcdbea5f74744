import CKernels
import Glibc
import Records

/// Reads one stream as chunks of whole lines and keeps what the walk has not consumed yet.
///
///     while try reader.fill() {
///       let consumed = …                 // the walk over reader.chunk
///       reader.consume(consumed)
///     }
///
/// Every stream ends with exactly one chunk that has `isFinal`; it may be empty (an empty file; a pipe that closed
/// after the last line had been handed out). It comes again while the walk consumes only a part of it.
///
/// Buffer: 0 ≤ `consumed` ≤ `chunk.byteCount` ≤ `scanned` ≤ `filled` ≤ `chunk.storage.count - slack`
///
///     | consumed | carried on … whole lines \n | start of a line, no \n in it | not looked at yet |
///     0       consumed              chunk.byteCount                       scanned             filled
///
/// Past `chunk.byteCount` lie bytes of lines to come, not zeros. `consume` moves nothing: the chunk stays as it is
/// until the next `fill`.
///
/// Progress: a chunk of `recordByteLimit` bytes or more must not be left whole by the walk, nor one that ends where
/// nothing can be added (the end of the stream, a line that was cut). If it is, it is given up as `tornRecord`.
///
/// Memory: carry and started line are below `recordByteLimit` each, so the buffer stays below twice that and two
/// reads.
package struct ChunkReader: ~Copyable {
  package private(set) var chunk: Chunk
  package private(set) var skips = SkipCounts()
  /// Raw bytes taken from the stream so far, for progress.
  package private(set) var readOffset: UInt64 = 0

  private let path: String
  private let openPath: String
  /// -1: `memory` is the stream.
  private let descriptor: Int32
  private let ownsDescriptor: Bool
  private let memory: [UInt8]
  /// The size of a regular file: reaching it, the reader looks for the end before it hands out, so that the last
  /// lines come with `isFinal`.
  private var expectedByteCount: UInt64?
  private let readByteCount: Int
  private let recordByteLimit: Int
  /// Where reading stops although the stream goes on; nil at the end of the stream.
  private var stopOffset: UInt64?

  private var consumed = 0
  /// Line ends in them.
  private var consumedLineCount: UInt64 = 0
  private var scanned = 0
  private var filled = 0
  private var state = State.fresh
  /// Nothing can be added to the chunk: its last line was cut, or the stream has ended.
  private var isClosed = false
  /// The rest of a line that was cut is still to be passed over.
  private var isPassingOver = false
  /// Raw bytes between the end of the chunk and what comes next, less those of a line end that was supplied.
  private var gap: Int64 = 0
  /// UTF-16: raw bytes that wait to be decoded.
  private var raw: [UInt8] = []
  private var rawCount = 0
  private var failure: IngestError?

  private enum State { case fresh, reading, ended, done }

  /// Opens the file (`open`, `fstat`, `posix_fadvise`).
  package init(
    _ source: SourceFile, readByteCount: Int = Limits.readByteCount, recordByteLimit: Int = Limits.recordByteLimit
  ) throws(IngestError) {
    precondition(readByteCount > 0 && recordByteLimit > 0)
    path = source.path
    openPath = source.openPath
    memory = []
    self.recordByteLimit = recordByteLimit
    chunk = Chunk(capacity: 0)
    switch source.input {
    case .standardInput:
      descriptor = STDIN_FILENO
      ownsDescriptor = false
      expectedByteCount = nil
      self.readByteCount = readByteCount
    case .file(let bytes):
      // O_NONBLOCK: should a pipe have taken the file's place, nothing waits.
      let flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | (source.isStream ? 0 : O_NONBLOCK)
      var opened: Int32
      repeat { opened = unsafe withCPath(bytes) { unsafe open($0, flags) } } while opened < 0 && errno == EINTR
      guard opened >= 0 else {
        throw IngestError.system(
          path: source.path, openPath: source.openPath, call: "open", errno: errno, byteCount: source.byteCount ?? 0)
      }
      descriptor = opened
      ownsDescriptor = true
      var info = stat()
      if unsafe fstat(opened, &info) == 0, info.st_mode & S_IFMT == S_IFREG {
        let size = max(0, info.st_size)
        expectedByteCount = UInt64(size)
        // A folder of many small files: no whole buffer to clear for each.
        self.readByteCount = min(readByteCount, max(4096, size + 1))
        posix_fadvise(opened, 0, 0, POSIX_FADV_SEQUENTIAL)
      } else {
        expectedByteCount = nil
        self.readByteCount = readByteCount
      }
    }
  }

  /// Opens a part of a regular file in UTF-8 or a single-byte encoding: bytes [start, stop), both behind line ends (or
  /// 0, or nil for the end of the file). A part with a `stop` has no final chunk: what the walk left at its end stays
  /// in `chunk` when `fill` returns false.
  package init(
    _ source: SourceFile, from start: UInt64, to stop: UInt64?, readByteCount: Int = Limits.readByteCount,
    recordByteLimit: Int = Limits.recordByteLimit
  ) throws(IngestError) {
    try self.init(source, readByteCount: readByteCount, recordByteLimit: recordByteLimit)
    stopOffset = stop
    guard start > 0 else { return }
    readOffset = start
    chunk.rawOffset = start
    state = .reading
    if lseek(descriptor, off_t(start), SEEK_SET) != off_t(start) {
      // Told by `fill`, as a read that fails.
      failure = .system(path: path, openPath: openPath, call: "lseek", errno: errno)
      state = .ended
    }
  }

  /// Reads a part of an open file, which stays the caller's: bytes [start, stop), `stop` behind a line end; nil to the
  /// end of the file. What the file is, and how it is encoded, is known: nothing is sniffed but a byte order mark.
  package init(
    _ source: SourceFile, descriptor open: Int32, encoding: TextEncoding, from start: UInt64, to stop: UInt64?,
    readByteCount: Int = Limits.readByteCount, recordByteLimit: Int = Limits.recordByteLimit
  ) {
    precondition(readByteCount > 0 && recordByteLimit > 0)
    path = source.path
    openPath = source.openPath
    memory = []
    descriptor = open
    ownsDescriptor = false
    expectedByteCount = nil
    self.readByteCount = stop.map { min(readByteCount, max(4096, Int(clamping: $0 - start) + 1)) } ?? readByteCount
    self.recordByteLimit = recordByteLimit
    chunk = Chunk(capacity: 0)
    stopOffset = stop
    chunk.encoding = encoding
    state = .reading
    var first = start
    if start == 0 {
      var head = [UInt8](repeating: 0, count: 3)
      let count = unsafe head.withUnsafeMutableBytes { unsafe pread(open, $0.baseAddress, 3, 0) }
      let mark: [UInt8] =
        switch encoding {
        case .utf8: [0xEF, 0xBB, 0xBF]
        case .utf16LittleEndian: [0xFF, 0xFE]
        case .utf16BigEndian: [0xFE, 0xFF]
        }
      if count >= mark.count, head.starts(with: mark) { first = UInt64(mark.count) }
    }
    readOffset = first
    chunk.rawOffset = first
    if lseek(descriptor, off_t(first), SEEK_SET) != off_t(first) {
      failure = .system(path: path, openPath: openPath, call: "lseek", errno: errno)
      state = .ended
    }
  }

  /// Reads a stream that is in memory.
  package init(
    bytes: [UInt8], path: String = "-", readByteCount: Int = Limits.readByteCount,
    recordByteLimit: Int = Limits.recordByteLimit
  ) {
    precondition(readByteCount > 0 && recordByteLimit > 0)
    self.path = path
    openPath = path
    memory = bytes
    descriptor = -1
    ownsDescriptor = false
    expectedByteCount = UInt64(bytes.count)
    self.readByteCount = min(readByteCount, max(64, bytes.count + 1))
    self.recordByteLimit = recordByteLimit
    chunk = Chunk(capacity: 0)
  }

  deinit {
    if ownsDescriptor { close(descriptor) }
  }

  /// Makes `chunk` hold what was left of it and the lines that follow; false when all was consumed.
  /// - Throws: `IngestError` once: at the start when the stream is of a kind that is not read, after the last chunk
  ///   when a read failed. Everything read before is handed out first.
  package mutating func fill() throws(IngestError) -> Bool {
    if state == .fresh { try start() }
    advance()
    if state == .done {
      if let failure {
        self.failure = nil
        throw failure
      }
      return false
    }
    if chunk.byteCount > 0, isClosed || chunk.byteCount >= recordByteLimit { return true }
    let carryByteCount = chunk.byteCount
    while true {
      if isPassingOver { passOver() } else { findLines() }
      if isClosed { return true }
      if state == .ended {
        if stopOffset != nil, failure == nil {
          state = .done
          return chunk.byteCount > carryByteCount
        }
        finish()
        return true
      }
      let isAtExpectedEnd = expectedByteCount.map { readOffset >= $0 } ?? false
      if chunk.byteCount > carryByteCount, !isAtExpectedEnd { return true }
      readMore()
    }
  }

  /// The walk is done with so many bytes of the chunk; calls add up until the next `fill`.
  /// - Parameter lineCount: the line ends in them, where they are known; else they are counted.
  package mutating func consume(_ byteCount: Int, lineCount: Int? = nil) {
    precondition(byteCount >= 0 && byteCount <= chunk.byteCount - consumed)
    consumedLineCount += UInt64(lineCount ?? Int(lineEndCount(consumed..<consumed + byteCount)))
    consumed += byteCount
  }

  // MARK: - Start and end

  /// Reads the first bytes and decides what the stream is; the same whatever the size of a read.
  private mutating func start() throws(IngestError) {
    state = .reading
    while filled < Limits.sniffByteCount, state == .reading { readMore() }
    if let failure, filled == 0 {
      self.failure = nil
      state = .done
      throw failure
    }
    let (kind, encoding, markByteCount) = sniff()
    if let kind {
      let size = expectedByteCount ?? 0
      skips.note(.unsupportedFormat, byteCount: Int(clamping: size), line: 1)
      state = .done
      filled = 0
      throw IngestError(path: path, openPath: openPath, problem: .unsupported(kind), byteCount: size)
    }
    chunk.encoding = encoding
    chunk.rawOffset = UInt64(markByteCount)
    precondition(stopOffset == nil || encoding == .utf8, "a part of UTF-16")
    if encoding == .utf8 {
      remove(0..<markByteCount)
    } else {
      raw = Array(chunk.storage[markByteCount..<filled])
      rawCount = raw.count
      filled = 0
      transcode()
    }
  }

  private func sniff() -> (kind: FileKind?, encoding: TextEncoding, markByteCount: Int) {
    let head = chunk.storage.span.extracting(0..<min(filled, Limits.sniffByteCount))
    let (encoding, markByteCount) = EncodingSniffer.sniff(head)
    return (FileKind.recognise(head), encoding, markByteCount)
  }

  /// The stream has ended: the last line gets the line end that it lacks, and the chunk is the final one.
  private mutating func finish() {
    if filled > chunk.byteCount {
      reserve(1)
      chunk.storage[filled] = 0x0A
      filled += 1
      gap = -Int64(lineEndByteCount)
      let wasCut = cutLine(before: filled - 1)
      if wasCut { gap -= Int64(lineEndByteCount) } else { chunk.byteCount = filled }
      scanned = filled
    }
    chunk.isFinal = true
    isClosed = true
  }

  // MARK: - What was consumed

  /// Drops what was consumed and moves the rest to the front.
  private mutating func advance() {
    let carryByteCount = chunk.byteCount - consumed
    if consumed == 0, carryByteCount > 0, isClosed || carryByteCount >= recordByteLimit {
      skips.note(
        .tornRecord, byteCount: rawByteCount(0..<carryByteCount), offset: chunk.rawOffset, line: chunk.firstLine)
      consumedLineCount += lineEndCount(0..<carryByteCount)
      consumed = carryByteCount
    }
    if consumed > 0 {
      chunk.rawOffset += UInt64(rawByteCount(0..<consumed))
      chunk.firstLine += consumedLineCount
      chunk.byteCount -= consumed
      scanned -= consumed
      remove(0..<consumed)
      consumed = 0
      consumedLineCount = 0
    }
    guard isClosed, chunk.byteCount == 0 else { return }
    isClosed = false
    chunk.rawOffset = UInt64(clamping: Int64(clamping: chunk.rawOffset) + gap)
    gap = 0
    if chunk.isFinal { state = .done }
  }

  // MARK: - Lines

  /// Moves the end of the chunk past the whole lines among the bytes that were not looked at; cuts a line that is
  /// too long and closes the chunk behind it.
  private mutating func findLines() {
    while let lineEnd = firstLineEnd(scanned..<filled) {
      if lineEnd - chunk.byteCount > recordByteLimit, cutLine(before: lineEnd) { return }
      chunk.byteCount = lineEnd + 1
      scanned = lineEnd + 1
      // No line among so few bytes can be too long: only the last line end matters, and it is near.
      if filled - scanned <= recordByteLimit {
        if let last = lastLineEnd(scanned..<filled) { chunk.byteCount = last + 1 }
        break
      }
    }
    scanned = filled
    // Three more bytes, so that a character at the limit is whole however the stream was read.
    if filled - chunk.byteCount > recordByteLimit + 3 { _ = cutLine(before: nil) }
  }

  /// Ends the line that starts at the end of the chunk after `recordByteLimit` bytes (and the character there) and
  /// drops the rest of it. `lineEnd` is nil while its end has not been seen.
  /// - Returns: false when there is no rest.
  private mutating func cutLine(before lineEnd: Int?) -> Bool {
    let start = chunk.byteCount
    let known = lineEnd ?? filled
    guard known - start > recordByteLimit else { return false }
    var cut = start + recordByteLimit
    let stop = min(known, cut + 3)
    while cut < stop, chunk.storage[cut] & 0xC0 == 0x80 { cut += 1 }
    guard cut < known else { return false }
    let restByteCount = rawByteCount(cut..<known)
    var offset: UInt64 = 0
    var line: UInt64 = 0
    if skips[.lineTooLong].count == 0 {
      offset = chunk.rawOffset + UInt64(rawByteCount(0..<start))
      line = chunk.firstLine + lineEndCount(0..<start)
    }
    skips.note(.lineTooLong, byteCount: restByteCount, offset: offset, line: line)
    chunk.storage[cut] = 0x0A
    // The line end counts once: the one supplied here stands for the real one.
    gap = Int64(restByteCount) - (lineEnd == nil ? Int64(lineEndByteCount) : 0)
    chunk.byteCount = cut + 1
    remove(cut + 1..<(lineEnd.map { $0 + 1 } ?? filled))
    scanned = chunk.byteCount
    isClosed = true
    isPassingOver = lineEnd == nil
    return true
  }

  /// Drops the rest of a line that was cut, up to its line end. The chunk before it has been consumed.
  private mutating func passOver() {
    let lineEnd = firstLineEnd(0..<filled)
    let restByteCount = rawByteCount(0..<(lineEnd ?? filled))
    skips.extend(.lineTooLong, byteCount: restByteCount)
    chunk.rawOffset += UInt64(restByteCount + (lineEnd == nil ? 0 : lineEndByteCount))
    remove(0..<(lineEnd.map { $0 + 1 } ?? filled))
    scanned = 0
    if lineEnd != nil {
      isPassingOver = false
      findLines()
    }
  }

  private var lineEndByteCount: Int { chunk.encoding == .utf8 ? 1 : 2 }

  /// How many raw bytes a range of text stands for.
  private func rawByteCount(_ range: Range<Int>) -> Int {
    if chunk.encoding == .utf8 { return range.count }
    var map = OffsetMap(encoding: chunk.encoding, base: 0)
    return Int(map.rawOffset(at: range.count, in: chunk.storage.span.extracting(range)))
  }

  private func firstLineEnd(_ range: Range<Int>) -> Int? {
    let hit = unsafe chunk.storage.withUnsafeBufferPointer {
      unsafe hk_first_line_end($0.baseAddress! + range.lowerBound, range.count)
    }
    return hit < 0 ? nil : range.lowerBound + hit
  }

  private func lastLineEnd(_ range: Range<Int>) -> Int? {
    let hit = unsafe chunk.storage.withUnsafeBufferPointer {
      unsafe hk_last_line_end($0.baseAddress! + range.lowerBound, range.count)
    }
    return hit < 0 ? nil : range.lowerBound + hit
  }

  private func lineEndCount(_ range: Range<Int>) -> UInt64 {
    UInt64(
      unsafe chunk.storage.withUnsafeBufferPointer {
        unsafe hk_count($0.baseAddress! + range.lowerBound, range.count, 0x0A)
      })
  }

  // MARK: - Bytes

  /// Makes room for so many bytes after `filled`, and the slack.
  private mutating func reserve(_ byteCount: Int) {
    let needed = filled + byteCount + Limits.slackByteCount
    let have = chunk.storage.count
    guard have < needed else { return }
    let wanted = max(needed, min(2 * have, needed + Limits.readByteCount))
    chunk.storage.append(contentsOf: repeatElement(0, count: wanted - have))
  }

  /// Takes a range out of the buffer and closes up.
  private mutating func remove(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    let restByteCount = filled - range.upperBound
    filled -= range.count
    guard restByteCount > 0 else { return }
    unsafe chunk.storage.withUnsafeMutableBytes { buffer in
      let base = buffer.baseAddress!
      unsafe memmove(base + range.lowerBound, base + range.upperBound, restByteCount)
    }
  }

  /// One read: text goes straight into the buffer, UTF-16 through `raw`. At the end, or when it fails, the stream
  /// is `ended`.
  private mutating func readMore() {
    if chunk.encoding == .utf8 {
      let byteCount = stopOffset.map { min(readByteCount, Int(clamping: $0 - readOffset)) } ?? readByteCount
      reserve(byteCount)
      let count = ChunkReader.take(
        byteCount, from: descriptor, or: memory, offset: readOffset, into: &chunk.storage, at: filled)
      filled += note(count)
    } else {
      if raw.count < rawCount + readByteCount {
        raw.append(contentsOf: repeatElement(0, count: rawCount + readByteCount - raw.count))
      }
      let byteCount = stopOffset.map { min(readByteCount, Int(clamping: $0 - readOffset)) } ?? readByteCount
      let count = ChunkReader.take(
        byteCount, from: descriptor, or: memory, offset: readOffset, into: &raw, at: rawCount)
      rawCount += note(count)
      transcode()
    }
  }

  /// `read(2)`, or the same from memory: the byte count, 0 at the end, or the error number below zero.
  private static func take(
    _ byteCount: Int, from descriptor: Int32, or memory: [UInt8], offset: UInt64, into buffer: inout [UInt8],
    at position: Int
  ) -> Int {
    unsafe buffer.withUnsafeMutableBytes { whole in
      let target = unsafe UnsafeMutableRawBufferPointer(rebasing: whole[position..<position + byteCount])
      if descriptor < 0 {
        let start = Int(offset)
        let end = min(memory.count, start + byteCount)
        unsafe memory[start..<end].withUnsafeBytes { unsafe target.copyMemory(from: $0) }
        return end - start
      }
      while true {
        let count = unsafe read(descriptor, target.baseAddress, byteCount)
        if count >= 0 { return count }
        if errno != EINTR { return -Int(errno) }
      }
    }
  }

  /// Books the result of a read; returns how many bytes came.
  private mutating func note(_ count: Int) -> Int {
    if count <= 0 { state = .ended }
    if count < 0 {
      failure = .system(path: path, openPath: openPath, call: "read", errno: Int32(-count))
      skips.note(.unreadable, offset: readOffset)
    }
    guard count > 0 else { return 0 }
    readOffset += UInt64(count)
    // It grew since it was opened: its end is not known.
    if let expected = expectedByteCount, readOffset > expected { expectedByteCount = nil }
    return count
  }

  /// Decodes what `raw` holds into the buffer; what is incomplete stays in `raw` unless the stream has ended.
  private mutating func transcode() {
    reserve(UTF16Step.textLimit(rawByteCount: rawCount))
    let rawBase = readOffset - UInt64(rawCount)
    let isBigEndian = chunk.encoding == .utf16BigEndian
    let step = UTF16Step(
      decoding: raw, count: rawCount, isBigEndian: isBigEndian, isEnd: state == .ended, into: &chunk.storage,
      at: filled)
    if step.badCount > 0 {
      var line: UInt64 = 0
      if skips[.badUTF16].count == 0 {
        line = chunk.firstLine + lineEndCount(0..<step.firstBadText) - (isPassingOver ? 1 : 0)
      }
      skips.note(
        .badUTF16, byteCount: step.badByteCount, offset: rawBase + UInt64(step.firstBadRaw), line: line)
      for _ in 1..<step.badCount { skips.note(.badUTF16) }
    }
    filled += step.writtenByteCount
    // At most three bytes are left.
    for index in step.readByteCount..<rawCount { raw[index - step.readByteCount] = raw[index] }
    rawCount -= step.readByteCount
  }
}
