import CKernels
import Records

/// W3C and HTTPERR rows to sightings and findings, by columns.
///
/// The plain version: split every line at its blanks and look up what every field says. What is done to it: the blanks of a
/// whole run of rows are indexed in one call of a kernel; a row whose number of blanks fits the schema is regular and field k
/// lies between blanks k-1 and k. Date, time and server repeat from row to row and are read again only when their bytes
/// differ; what TLS columns, stems, user agents and statuses mean is remembered by their bytes (`FieldMemo`). Rows that do
/// not fit (double blanks, quoted values) take a slower path that splits them with care, and are counted when no split fits.
struct RowExtractor: Sendable {
  private let rules: CompiledRules
  private let names: NameTable
  private let options: ExtractionOptions
  /// By schema of the stream.
  private var layouts: [Layout?] = []
  /// What each signature declares, and what a row yields on which it holds when no code table is asked.
  private let declared: [Yield]
  private let plainYields: [Yield]
  private let protocolTable: CodeTable?
  private let cipherTable: CodeTable?
  private let keyExchangeTable: CodeTable?
  private let hashTable: CodeTable?
  /// Role rules by the second byte of the stem (the first is `/`), in lower case.
  private let roleRules: [[(pieces: [[UInt8]], role: UInt32)]]

  // Working space, used again for every run.
  /// Positions of the run's blanks, relative to `blankBase`; the valid part is `blanks[0..<blankCount]`.
  private var blanks: [UInt32] = []
  private var blankCount = 0
  private var blankBase = 0
  private var split: [(start: Int, end: Int)] = []
  // Values of the row before.
  private var lastClock: [UInt8] = []
  private var lastTime: Int64 = RecordBatch.noTime
  private var lastComputer: [UInt8] = []
  private var lastComputerID: UInt32 = 0
  // Values that take turns.
  private var cryptMemo = FieldMemo()
  private var roleMemo = FieldMemo()
  private var systemMemo = FieldMemo()
  private var codeMemo = FieldMemo()

  init(_ rules: CompiledRules, names: NameTable, options: ExtractionOptions) {
    self.rules = rules
    self.names = names
    self.options = options
    declared = rules.rules.signatures.map(\.yields)
    plainYields = rules.rules.signatures.map { Verdict($0).yield($0.yields) }
    protocolTable = rules.table(named: "crypt-protocol")
    cipherTable = rules.table(named: "crypt-cipher")
    keyExchangeTable = rules.table(named: "crypt-keyexchange")
    hashTable = rules.table(named: "crypt-hash")
    var byByte = [[(pieces: [[UInt8]], role: UInt32)]](repeating: [], count: 256)
    for rule in rules.rules.roles {
      let id = names.id(of: rule.role)
      if rule.pieces[0].count > 1 {
        byByte[Int(rule.pieces[0][1])].append((rule.pieces, id))
      } else {
        for byte in 0..<256 { byByte[byte].append((rule.pieces, id)) }
      }
    }
    roleRules = byByte
  }

  /// Begins a stream: its schemas are numbered anew, and with them what was remembered under their numbers.
  mutating func begin() {
    layouts.removeAll(keepingCapacity: true)
    cryptMemo.removeAll()
    codeMemo.removeAll()
  }

  /// A plan behind a reference, so that a row's call passes a word and not the plan.
  private final class Layout: Sendable {
    let plan: RowPlan
    /// The TLS columns from the first to the last, when nothing else stands between them.
    let crypt: (first: Int, last: Int)?

    init(_ plan: RowPlan) {
      self.plan = plan
      let columns = [plan.cryptProtocol, plan.cryptCipher, plan.cryptKeyExchange, plan.cryptHash].compactMap { $0 }
      let first = columns.min() ?? 0
      let last = columns.max() ?? 0
      crypt = plan.cryptProtocol != nil && last - first + 1 == columns.count ? (first, last) : nil
    }
  }

  /// Where the fields of the current row are.
  private struct Row {
    var lineStart: Int
    var lineEnd: Int
    /// Index of the row's first blank; -1 when the row was split with care.
    var firstBlank: Int
    var columnCount: Int
    var line: Int
    var schema: Int

    var isRegular: Bool { firstBlank >= 0 }
  }

  // What is called for every row is `mutating` even where it changes nothing: inside a mutating method the compiler copies
  // the whole extractor (552 bytes) for each call that only borrows it.

  private mutating func range(_ column: Int, _ row: Row) -> (start: Int, end: Int) {
    if row.firstBlank < 0 { return split[column] }
    let start = column == 0 ? row.lineStart : blank(row.firstBlank + column - 1) + 1
    let end = column == row.columnCount - 1 ? row.lineEnd : blank(row.firstBlank + column)
    return (start, end)
  }

  private mutating func blank(_ index: Int) -> Int { blankBase + Int(blanks[index]) }

  mutating func extract(
    _ run: RowRun, text: Span<UInt8>, place: BatchPlace, in batch: inout RecordBatch, into evidence: inout Evidence
  ) {
    while layouts.count <= run.schema { layouts.append(nil) }
    let layout = layouts[run.schema] ?? Layout(RowPlan(batch.schemas[run.schema], rules))
    layouts[run.schema] = layout
    let origin = batch.origins[Int(run.origin)]
    let hostID = names.id(of: origin.host ?? "")
    let regionStart = batch.lineBounds(run.firstLine).start
    let regionEnd = Int(batch.lineEnds[run.lastLine - 1])
    index(text, regionStart, regionEnd)
    lastClock.removeAll(keepingCapacity: true)
    lastComputer.removeAll(keepingCapacity: true)

    var blank = 0
    for line in run.firstLine..<run.lastLine {
      let bounds = batch.lineBounds(line)
      var start = bounds.start
      var end = bounds.end
      if end > start, text[end - 1] == 0x0D { end -= 1 }
      while start < end, text[start] == 0 { start += 1 }
      if text.has("\u{FEFF}", at: start) { start += 3 }
      while blank < blankCount, self.blank(blank) < start { blank += 1 }
      let firstBlank = blank
      while blank < blankCount, self.blank(blank) < end { blank += 1 }
      var row = Row(
        lineStart: start, lineEnd: end, firstBlank: firstBlank, columnCount: layout.plan.columnCount, line: line,
        schema: run.schema)
      if blank - firstBlank != layout.plan.columnCount - 1 {
        guard resplit(text, start, end, layout.plan.columnCount) else {
          let range = batch.chunkRange(start: start, end: end, line: line)
          batch.skip(.w3cColumns, start: range.start, end: range.end, lineIndex: batch.physicalLine(line))
          batch.recordCounts[Int(layout.plan.schema.format.rawValue)] &-= 1
          continue
        }
        row.firstBlank = -1
      }
      self.row(row, layout, run, origin, hostID, text, place, &batch, &evidence)
    }
  }

  private mutating func index(_ text: Span<UInt8>, _ start: Int, _ end: Int) {
    let most = end - start
    if blanks.count < most { blanks = Array(repeating: 0, count: most + most / 8) }
    blankBase = start
    blankCount = unsafe text.withUnsafeBufferPointer { raw in
      unsafe blanks.withUnsafeMutableBufferPointer { buffer in
        guard let bytes = raw.baseAddress, let positions = buffer.baseAddress else { return 0 }
        return unsafe hk_spaces(bytes + start, most, positions, most)
      }
    }
  }

  /// Splits a row that does not fit: quoted values keep their blanks, runs of blanks count once. False when neither gives
  /// the schema's number of fields.
  private mutating func resplit(_ text: Span<UInt8>, _ start: Int, _ end: Int, _ wanted: Int) -> Bool {
    for isQuoted in [false, true] {
      split.removeAll(keepingCapacity: true)
      var position = start
      while position < end, split.count <= wanted {
        while position < end, ASCII.isBlank(text[position]) { position += 1 }
        guard position < end else { break }
        let fieldStart = position
        if isQuoted, text[position] == 0x22 {
          position += 1
          // A doubled quote stands for one; the field ends at a quote before a blank or the end.
          while position < end {
            if text[position] == 0x22 {
              if position + 1 < end, text[position + 1] == 0x22 {
                position += 2
                continue
              }
              if position + 1 == end || ASCII.isBlank(text[position + 1]) { break }
            }
            position += 1
          }
          guard position < end else { break }
          position += 1
          split.append((fieldStart + 1, position - 1))
        } else {
          while position < end, !ASCII.isBlank(text[position]) { position += 1 }
          split.append((fieldStart, position))
        }
      }
      if split.count == wanted, position >= end { return true }
    }
    return false
  }

  // MARK: One row

  private mutating func row(
    _ row: Row, _ layout: Layout, _ run: RowRun, _ origin: Origin, _ hostID: UInt32, _ text: Span<UInt8>,
    _ place: BatchPlace, _ batch: inout RecordBatch, _ evidence: inout Evidence
  ) {
    let time = clock(row, layout, run, text, &batch)
    let instant = time == RecordBatch.noTime ? nil : Timestamp(microseconds: time)
    guard options.includes(instant) else {
      evidence.outsideWindowCount += 1
      return
    }
    var status = -1
    if let column = layout.plan.status {
      let field = range(column, row)
      if let number = FieldText.number(text, start: field.start, end: field.end), number < 1000 { status = Int(number) }
    }
    let rules = status >= 0 ? layout.plan.byStatus[status] : layout.plan.unknownStatus
    var isTaken = false
    var isSighted = false
    for index in rules.indices {
      let signature = rules[index].signature
      let declared = declared[signature]
      if isTaken, declared == .finding || declared == .none { continue }
      guard holds(rules[index].predicates, row, text) else { continue }
      var verdict: Verdict?
      let yield: Yield
      switch answer(rules[index], row, text) {
      case .notAsked: yield = plainYields[signature]
      case .unlisted: continue
      case .benign: yield = .none
      case .listed:
        guard let found = self.verdict(rules[index], row, text) else { continue }
        verdict = found
        yield = found.yield(declared)
      }
      evidence.signatureCounts[signature] += 1
      switch yield {
      case .none:
        isTaken = true
        // A look-alike by its definition, a probe say, is no client either.
        if declared == .none { return }
      case .context: break
      case .sighting: isSighted = true
      case .finding:
        isTaken = true
        let definition = self.rules.rules.signatures[signature]
        evidence.findings.append(
          finding(definition, verdict ?? Verdict(definition), row, layout, origin, text, place, instant, batch))
        if let instant { evidence.noteTime(instant) }
      }
    }
    if isSighted {
      let key = key(row, layout, status, hostID, text)
      evidence.sightings.append(key, at: time)
      if let instant { evidence.noteTime(instant) }
    }
  }

  private mutating func holds(_ predicates: [RowPlan.Predicate], _ row: Row, _ text: Span<UInt8>) -> Bool {
    for index in predicates.indices where !holds(predicates[index], row, text) { return false }
    return true
  }

  private mutating func holds(_ predicate: RowPlan.Predicate, _ row: Row, _ text: Span<UInt8>) -> Bool {
    let field = range(predicate.column, row)
    for index in predicate.anyOf.indices {
      switch predicate.anyOf[index] {
      case .number(let number):
        if FieldText.number(text, start: field.start, end: field.end) == number { return true }
      case .text(let wanted):
        if FieldText.equals(text, start: field.start, end: field.end, lowercase: wanted) { return true }
      case .wildcard(let pieces):
        if Wildcard.matches(pieces, text, start: field.start, end: field.end) { return true }
      case .field:
        guard let column = predicate.otherColumn else { continue }
        let other = range(column, row)
        // Two empty values say nothing about being the same.
        let isEmpty = field.end - field.start == 1 && text[field.start] == 0x2D
        if !isEmpty, FieldText.equals(text, field.start..<field.end, other.start..<other.end) { return true }
      }
    }
    return false
  }

  /// What the first code table of a rule says to a row.
  private enum Answer: UInt64 {
    /// The rule asks none.
    case notAsked
    /// The value is not in the table: the rule does not hold.
    case unlisted
    case benign, listed
  }

  /// Statuses repeat and most of them are in no table or benign; only what is left is worth a verdict.
  private mutating func answer(_ rule: RowPlan.Rule, _ row: Row, _ text: Span<UInt8>) -> Answer {
    guard let code = rule.codes.first, let first = code.columns.first else { return .notAsked }
    // Columns that stand side by side are one stretch of the row.
    var isStretch = row.isRegular
    for (place, column) in code.columns.enumerated() where column != first + place { isStretch = false }
    guard isStretch else { return answer(code, row, text) }
    let start = range(first, row).start
    let end = range(first + code.columns.count - 1, row).end
    let salt = UInt32(truncatingIfNeeded: row.schema << 16 | rule.signature)
    if let known = codeMemo.value(of: text, start, end, salt: salt) { return Answer(rawValue: known) ?? .listed }
    let answer = answer(code, row, text)
    codeMemo.remember(answer.rawValue, of: text, start, end, salt: salt)
    return answer
  }

  private mutating func answer(_ code: (columns: [Int], table: Int), _ row: Row, _ text: Span<UInt8>) -> Answer {
    guard let found = codeRow(code, row, text) else { return .unlisted }
    return found.findingClass == .benign ? .benign : .listed
  }

  private mutating func codeRow(_ code: (columns: [Int], table: Int), _ row: Row, _ text: Span<UInt8>) -> CodeRow? {
    var value = ""
    for column in code.columns {
      let field = range(column, row)
      if !value.isEmpty { value += "." }
      value += Text.decode(text.extracting(field.start..<min(field.end, field.start + Limits.nameByteLimit)))
    }
    return rules.rules.tables[code.table].row(for: value)
  }

  private mutating func verdict(_ rule: RowPlan.Rule, _ row: Row, _ text: Span<UInt8>) -> Verdict? {
    var verdict = Verdict(rules.rules.signatures[rule.signature])
    for (position, code) in rule.codes.enumerated() {
      guard let found = codeRow(code, row, text) else {
        if position == 0 { return nil }
        continue
      }
      verdict.refine(found, rules.rules.tables[code.table].kind, isFirst: position == 0, spelled: "")
    }
    return verdict
  }

  // MARK: Columns that repeat

  /// Event time in microseconds; `noTime` when the row has none that exists.
  private mutating func clock(
    _ row: Row, _ layout: Layout, _ run: RowRun, _ text: Span<UInt8>, _ batch: inout RecordBatch
  ) -> Int64 {
    guard let timeColumn = layout.plan.time else { return RecordBatch.noTime }
    let timeField = range(timeColumn, row)
    let dateField = layout.plan.date.map { range($0, row) } ?? (timeField.start, timeField.start)
    let dateCount = dateField.1 - dateField.0
    let timeCount = timeField.end - timeField.start
    if lastClock.count == dateCount + timeCount, lastClock.isSame(as: text, dateField.0, count: dateCount),
      lastClock.isSame(as: text, timeField.start, count: timeCount, from: dateCount)
    {
      if lastTime == RecordBatch.noTime { skipBadTime(row, &batch) }
      return lastTime
    }
    lastClock.removeAll(keepingCapacity: true)
    for index in 0..<min(dateCount, 32) { lastClock.append(text[dateField.0 + index]) }
    for index in 0..<min(timeCount, 32) { lastClock.append(text[timeField.start + index]) }
    lastTime = RecordBatch.noTime
    let midnight =
      layout.plan.date == nil
      ? run.dayMicroseconds : day(text, dateField.0, dateField.1)?.microseconds ?? RecordBatch.noTime
    if midnight != RecordBatch.noTime, let reading = ClockReading(text, from: timeField.start, to: timeField.end) {
      let local = Timestamp(
        microseconds: midnight + Int64(reading.hour * 3600 + reading.minute * 60 + reading.second) * 1_000_000
          + Int64(reading.microsecond))
      lastTime = (layout.plan.isLocal ? options.zone.instant(ofLocal: local) : local).microseconds
    } else {
      skipBadTime(row, &batch)
    }
    return lastTime
  }

  private func skipBadTime(_ row: Row, _ batch: inout RecordBatch) {
    let range = batch.chunkRange(start: row.lineStart, end: row.lineEnd, line: row.line)
    batch.skip(.badTime, start: range.start, end: range.end, lineIndex: batch.physicalLine(row.line))
  }

  private func day(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> Timestamp? {
    var cursor = NumberCursor(start)
    guard let year = cursor.digits(in: text, to: end, most: 4), cursor.take(0x2D, in: text, to: end),
      let month = cursor.digits(in: text, to: end, most: 2), cursor.take(0x2D, in: text, to: end),
      let day = cursor.digits(in: text, to: end, most: 2), cursor.position == end,
      Timestamp.isValid(year: year.value, month: month.value, day: day.value, hour: 0, minute: 0, second: 0)
    else { return nil }
    return Timestamp(year: year.value, month: month.value, day: day.value, hour: 0, minute: 0, second: 0)
  }

  private mutating func key(
    _ row: Row, _ layout: Layout, _ status: Int, _ hostID: UInt32, _ text: Span<UInt8>
  ) -> SightingKey {
    var key = SightingKey(server: serverID(row, layout, hostID, text), role: roleID(row, layout, text))
    if let column = layout.plan.clientAddress {
      let field = range(column, row)
      if let address = IPAddress(text, start: field.start, end: field.end) {
        key.clientHigh = address.high
        key.clientLow = address.low
        key.isAddress = true
      }
    }
    (key.protocolName, key.cipher) = crypt(row, layout, text)
    key.system = systemID(row, layout, text)
    var substatus: UInt64 = 0
    if let column = layout.plan.substatus {
      let field = range(column, row)
      substatus = FieldText.number(text, start: field.start, end: field.end) ?? 0
    }
    key.outcome = RowExtractor.outcome(status: status, substatus: substatus).number
    return key
  }

  /// What the status says about the TLS side: an answer of any kind proves the handshake, a certificate refusal does not
  /// let the client in, a server error leaves it without service.
  static func outcome(status: Int, substatus: UInt64) -> Outcome {
    switch status {
    case 500...: .failed
    case 403: [4, 5, 7, 12, 13, 16, 17].contains(substatus) ? .refused : .succeeded
    case 413: substatus == 1 ? .refused : .succeeded
    default: .succeeded
    }
  }

  private mutating func serverID(_ row: Row, _ layout: Layout, _ hostID: UInt32, _ text: Span<UInt8>) -> UInt32 {
    let column = layout.plan.computer ?? (hostID == 0 ? layout.plan.serverAddress : nil)
    guard let column else { return hostID }
    let field = range(column, row)
    if field.end - field.start == 1, text[field.start] == 0x2D { return hostID }
    let count = field.end - field.start
    if lastComputer.count != count || !lastComputer.isSame(as: text, field.start, count: count) {
      lastComputer = bytes(text, field.start, field.end)
      lastComputerID = names.id(of: HostName.normal(Text.decode(lastComputer)))
    }
    return lastComputerID
  }

  private mutating func roleID(_ row: Row, _ layout: Layout, _ text: Span<UInt8>) -> UInt32 {
    guard let column = layout.plan.stem else { return 0 }
    let field = range(column, row)
    guard field.end - field.start > 1 else { return 0 }
    if let known = roleMemo.value(of: text, field.start, field.end) { return UInt32(truncatingIfNeeded: known) }
    var role: UInt32 = 0
    for rule in roleRules[Int(ASCII.lower(text[field.start + 1]))]
    where Wildcard.matches(rule.pieces, text, start: field.start, end: field.end) {
      role = rule.role
      break
    }
    roleMemo.remember(UInt64(role), of: text, field.start, field.end)
    return role
  }

  /// The names of the protocol and of the cipher suite that the TLS columns tell; 0 where they tell none.
  private mutating func crypt(
    _ row: Row, _ layout: Layout, _ text: Span<UInt8>
  ) -> (protocolName: UInt32, cipher: UInt32) {
    guard let protocolColumn = layout.plan.cryptProtocol else { return (0, 0) }
    // Usually the four columns stand side by side, in some order: one stretch of a regular row holds them.
    guard row.isRegular, let stretch = layout.crypt else { return readCrypt(protocolColumn, row, layout, text) }
    let start = range(stretch.first, row).start
    let end = range(stretch.last, row).end
    let salt = UInt32(truncatingIfNeeded: row.schema)
    if let known = cryptMemo.value(of: text, start, end, salt: salt) {
      return (UInt32(truncatingIfNeeded: known >> 32), UInt32(truncatingIfNeeded: known))
    }
    let read = readCrypt(protocolColumn, row, layout, text)
    cryptMemo.remember(UInt64(read.protocolName) << 32 | UInt64(read.cipher), of: text, start, end, salt: salt)
    return read
  }

  private mutating func readCrypt(
    _ protocolColumn: Int, _ row: Row, _ layout: Layout, _ text: Span<UInt8>
  ) -> (protocolName: UInt32, cipher: UInt32) {
    func value(_ column: Int?) -> String? {
      guard let column else { return nil }
      let field = range(column, row)
      let value = Text.decode(text.extracting(field.start..<min(field.end, field.start + 16)))
      return value == "-" ? nil : value
    }
    let protocolID = value(protocolColumn).map { names.id(of: protocolTable?.row(for: $0)?.symbol ?? $0) } ?? 0
    var parts: [String] = []
    for (column, table) in [
      (layout.plan.cryptKeyExchange, keyExchangeTable), (layout.plan.cryptCipher, cipherTable),
      (layout.plan.cryptHash, hashTable),
    ] {
      if let value = value(column), value != "0" { parts.append(table?.row(for: value)?.symbol ?? value) }
    }
    return (protocolID, names.id(of: parts.joined(separator: "-")))
  }

  /// `Windows NT 6.1` or `Mac OS` from a user agent that says so.
  private mutating func systemID(_ row: Row, _ layout: Layout, _ text: Span<UInt8>) -> UInt32 {
    guard let column = layout.plan.agent else { return 0 }
    let field = range(column, row)
    guard field.end - field.start > 12 else { return 0 }
    if let known = systemMemo.value(of: text, field.start, field.end) { return UInt32(truncatingIfNeeded: known) }
    let system = readSystem(text, field.start, field.end)
    systemMemo.remember(UInt64(system), of: text, field.start, field.end)
    return system
  }

  private func readSystem(_ text: Span<UInt8>, _ start: Int, _ stop: Int) -> UInt32 {
    var position = start
    while position + 6 <= stop {
      // `(Macintosh; Intel Mac OS X …)`, `CFNetwork/1240 Darwin/20.6.0`.
      if text.hasCaseless("mac os", at: position) || text.hasCaseless("mac+os", at: position)
        || text.hasCaseless("darwin", at: position)
      {
        return names.id(of: "Mac OS")
      }
      guard text.hasCaseless("windows", at: position), text.hasCaseless("nt", at: position + 8) else {
        position += 1
        continue
      }
      var end = position + 11
      while end < stop, ASCII.isDigit(text[end]) || text[end] == 0x2E { end += 1 }
      return end > position + 11
        ? names.id(of: "Windows NT " + Text.decode(text.extracting((position + 11)..<end))) : 0
    }
    return 0
  }

  private func bytes(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(end - start)
    for index in start..<end { out.append(text[index]) }
    return out
  }

  // MARK: Findings

  private mutating func finding(
    _ signature: Signature, _ verdict: Verdict, _ row: Row, _ layout: Layout, _ origin: Origin, _ text: Span<UInt8>,
    _ place: BatchPlace, _ time: Timestamp?, _ batch: borrowing RecordBatch
  ) -> Finding {
    let location = batch.chunkRange(start: row.lineStart, end: row.lineEnd, line: row.line)
    var finding = Finding(
      signature: signature.id, findingClass: verdict.findingClass ?? .handshakeFailure,
      cause: verdict.cause ?? .unknownTLS, severity: verdict.severity ?? .warning, stream: place.stream,
      path: place.path, offset: UInt64(location.start), length: UInt64(location.end - location.start),
      line: place.firstLine + UInt64(batch.physicalLine(row.line)), confidence: verdict.confidence ?? .inferred)
    finding.time = time
    finding.host = origin.host
    finding.log = origin.log
    finding.code = verdict.code
    finding.symbol = verdict.symbol
    finding.area = verdict.area
    finding.feature = verdict.feature
    finding.stack = verdict.stack
    finding.eventGroup = signature.group
    finding.explain = verdict.explain
    finding.remedy = verdict.remedy
    let server = names.name(of: serverID(row, layout, names.id(of: origin.host ?? ""), text))
    finding.server = server
    if finding.host == nil, layout.plan.computer != nil { finding.host = server }
    if let column = layout.plan.clientAddress {
      let field = range(column, row)
      if let address = IPAddress(text, start: field.start, end: field.end) {
        finding.clientIP = address.text
      } else if field.end - field.start > 1 {
        finding.clientIP = Text.decode(
          text.extracting(field.start..<min(field.end, field.start + Limits.nameByteLimit)))
      }
    }
    if let column = layout.plan.user {
      let field = range(column, row)
      // A computer account, `DOMAIN\HOST$`, names the client.
      if field.end - field.start > 2, text[field.end - 1] == 0x24 {
        var start = field.end - 1
        while start > field.start, text[start - 1] != 0x5C { start -= 1 }
        if start > field.start { finding.client = Text.decode(text.extracting(start..<(field.end - 1))) }
      }
    }
    finding.role = names.name(of: roleID(row, layout, text)) ?? signature.role
    if layout.plan.cryptProtocol != nil {
      let crypt = crypt(row, layout, text)
      finding.protocolName = verdict.protocolName ?? names.name(of: crypt.protocolName)
      finding.cipher = names.name(of: crypt.cipher)
    }
    return finding
  }
}

/// What was made of a field, by its bytes, for fields whose values take turns from row to row.
///
/// Direct-mapped: a value has one slot and a newcomer takes it over; a value beyond `byteLimit` is not remembered. What is
/// not remembered is worked out again, slower and with the same result.
///
/// Layout: slot s holds the `count` bytes at `bytes[s * byteLimit]` and what was made of them under `salt`.
struct FieldMemo: Sendable {
  private static let slotCount = 256
  private static let byteLimit = 160

  private struct Slot: Sendable {
    /// -1: free.
    var count: Int32 = -1
    var salt: UInt32 = 0
    var value: UInt64 = 0
  }
  private var slots = [Slot](repeating: Slot(), count: FieldMemo.slotCount)
  private var bytes = [UInt8](repeating: 0, count: FieldMemo.slotCount * FieldMemo.byteLimit)

  mutating func removeAll() {
    for index in slots.indices { slots[index].count = -1 }
  }

  /// - Parameter salt: what the value depends on beside the bytes.
  func value(of text: Span<UInt8>, _ start: Int, _ end: Int, salt: UInt32 = 0) -> UInt64? {
    let index = FieldMemo.slot(of: text, start, end)
    let slot = slots[index]
    guard Int(slot.count) == end - start, slot.salt == salt,
      bytes.isSame(as: text, start, count: end - start, from: index * FieldMemo.byteLimit)
    else { return nil }
    return slot.value
  }

  mutating func remember(_ value: UInt64, of text: Span<UInt8>, _ start: Int, _ end: Int, salt: UInt32 = 0) {
    guard end - start <= FieldMemo.byteLimit else { return }
    let index = FieldMemo.slot(of: text, start, end)
    slots[index] = Slot(count: Int32(end - start), salt: salt, value: value)
    for position in start..<end { bytes[index * FieldMemo.byteLimit + position - start] = text[position] }
  }

  /// From the first and the last eight bytes and the length: enough to keep apart what occurs together.
  private static func slot(of text: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
    var hash = UInt64(end - start)
    if end - start >= 8 {
      let first = unsafe text.bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self)
      let last = unsafe text.bytes.unsafeLoadUnaligned(fromByteOffset: end - 8, as: UInt64.self)
      hash ^= (first &* 0x9E37_79B9_7F4A_7C15) ^ last
    } else {
      for position in start..<end { hash = hash << 8 | UInt64(text[position]) }
    }
    return Int((hash &* 0xD6E8_FEB8_6659_FD93) >> 56)
  }
}

extension Array where Element == UInt8 {
  /// Whether bytes [from, from + count) are those of `text` from `start` on; false when there are not so many.
  fileprivate func isSame(as text: Span<UInt8>, _ start: Int, count: Int, from: Int = 0) -> Bool {
    guard count >= 0, from + count <= self.count, start + count <= text.count else { return false }
    let own = unsafe span.bytes
    let other = unsafe text.bytes
    var index = 0
    while index + 8 <= count {
      let left = unsafe own.unsafeLoadUnaligned(fromByteOffset: from + index, as: UInt64.self)
      let right = unsafe other.unsafeLoadUnaligned(fromByteOffset: start + index, as: UInt64.self)
      if left != right { return false }
      index += 8
    }
    while index < count {
      if self[from + index] != text[start + index] { return false }
      index += 1
    }
    return true
  }
}
