import CKernels
import Records

/// W3C and HTTPERR rows to sightings and findings, by columns.
///
/// The plain version: split every line at its blanks. What is done to it: the blanks of a whole run of rows are indexed in one
/// call of a kernel; a row whose number of blanks fits the schema is regular and field k lies between blanks k-1 and k. Date,
/// time, server and TLS columns repeat from row to row, so they are read again only when their bytes differ. Rows that do
/// not fit (double blanks, quoted values) take a slower path that splits them with care, and are counted when no split fits.
struct RowExtractor: Sendable {
  private let rules: CompiledRules
  private let names: NameTable
  private let options: ExtractionOptions
  private var plans: [RowPlan?] = []
  private let protocolTable: CodeTable?
  private let cipherTable: CodeTable?
  private let keyExchangeTable: CodeTable?
  private let hashTable: CodeTable?
  /// Role rules by the second byte of the stem (the first is `/`), in lower case.
  private let roleRules: [[(pieces: [[UInt8]], role: UInt32)]]

  // Working space, used again for every run.
  private var blanks: [UInt32] = []
  private var split: [(start: Int, end: Int)] = []
  private var sightings: [SightingKey] = []
  // Values of the row before.
  private var lastClock: [UInt8] = []
  private var lastTime: Int64 = RecordBatch.noTime
  private var lastComputer: [UInt8] = []
  private var lastComputerID: UInt32 = 0
  private var lastCrypt: [UInt8] = []
  private var lastProtocolID: UInt32 = 0
  private var lastCipherID: UInt32 = 0
  private var lastAgent: [UInt8] = []
  private var lastSystemID: UInt32 = 0

  init(_ rules: CompiledRules, names: NameTable, options: ExtractionOptions) {
    self.rules = rules
    self.names = names
    self.options = options
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

  /// Begins a stream: its schemas are numbered anew.
  mutating func begin() { plans.removeAll(keepingCapacity: true) }

  /// Where the fields of the current row are.
  private struct Row {
    var lineStart: Int
    var lineEnd: Int
    /// Index of the row's first blank; -1 when the row was split with care.
    var firstBlank: Int
    var columnCount: Int
    var line: Int
  }

  private func range(_ column: Int, _ row: Row) -> (start: Int, end: Int) {
    if row.firstBlank < 0 { return split[column] }
    let start = column == 0 ? row.lineStart : Int(blanks[row.firstBlank + column - 1]) + 1
    let end = column == row.columnCount - 1 ? row.lineEnd : Int(blanks[row.firstBlank + column])
    return (start, end)
  }

  mutating func extract(
    _ run: RowRun, text: Span<UInt8>, place: BatchPlace, in batch: inout RecordBatch, into evidence: inout Evidence
  ) {
    while plans.count <= run.schema { plans.append(nil) }
    if plans[run.schema] == nil { plans[run.schema] = RowPlan(batch.schemas[run.schema], rules) }
    let plan = plans[run.schema]!
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
      while blank < blanks.count, Int(blanks[blank]) < start { blank += 1 }
      let firstBlank = blank
      while blank < blanks.count, Int(blanks[blank]) < end { blank += 1 }
      var row = Row(
        lineStart: start, lineEnd: end, firstBlank: firstBlank, columnCount: plan.columnCount, line: line)
      if blank - firstBlank != plan.columnCount - 1 {
        guard resplit(text, start, end, plan.columnCount) else {
          let range = batch.chunkRange(start: start, end: end, line: line)
          batch.skip(.w3cColumns, start: range.start, end: range.end, lineIndex: batch.physicalLine(line))
          batch.recordCounts[Int(plan.schema.format.rawValue)] &-= 1
          continue
        }
        row.firstBlank = -1
      }
      self.row(row, plan, run, origin, hostID, text, place, &batch, &evidence)
    }
  }

  private mutating func index(_ text: Span<UInt8>, _ start: Int, _ end: Int) {
    let most = end - start
    if blanks.capacity < most { blanks.reserveCapacity(most) }
    blanks.removeAll(keepingCapacity: true)
    unsafe text.withUnsafeBufferPointer { raw in
      blanks = unsafe [UInt32](unsafeUninitializedCapacity: max(1, most)) { buffer, count in
        count = unsafe hk_spaces(raw.baseAddress! + start, most, buffer.baseAddress!, most)
        for position in 0..<count { unsafe buffer[position] += UInt32(start) }
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
    _ row: Row, _ plan: RowPlan, _ run: RowRun, _ origin: Origin, _ hostID: UInt32, _ text: Span<UInt8>,
    _ place: BatchPlace, _ batch: inout RecordBatch, _ evidence: inout Evidence
  ) {
    let time = clock(row, plan, run, text, &batch)
    let instant = time == RecordBatch.noTime ? nil : Timestamp(microseconds: time)
    guard options.includes(instant) else {
      evidence.outsideWindowCount += 1
      return
    }
    var status = -1
    if let column = plan.status {
      let field = range(column, row)
      if let number = FieldText.number(text, start: field.start, end: field.end), number < 1000 { status = Int(number) }
    }
    let candidates = status >= 0 ? plan.byStatus[status] : plan.unknownStatus
    var isTaken = false
    var sighted = -1
    for rule in candidates {
      let entry = rules.compiled[rule.signature]
      let signature = entry.signature
      if isTaken, signature.yields == .finding || signature.yields == .none { continue }
      guard holds(rule, row, text), let verdict = verdict(rule, signature, row, text) else { continue }
      evidence.signatureCounts[rule.signature] += 1
      switch verdict.yield(signature.yields) {
      case .none:
        isTaken = true
        // A look-alike by its definition, a probe say, is no client either.
        if signature.yields == .none { return }
      case .context: break
      case .sighting: if sighted < 0 { sighted = rule.signature }
      case .finding:
        isTaken = true
        evidence.findings.append(finding(signature, verdict, row, plan, origin, text, place, instant, batch))
        if let instant { evidence.noteTime(instant) }
      }
    }
    if sighted >= 0 {
      let key = key(row, plan, status, hostID, text)
      evidence.sightings.append(key, at: time)
      if let instant { evidence.noteTime(instant) }
    }
  }

  private func holds(_ rule: RowPlan.Rule, _ row: Row, _ text: Span<UInt8>) -> Bool {
    for predicate in rule.predicates {
      let field = range(predicate.column, row)
      let holds = predicate.anyOf.contains { matcher in
        switch matcher {
        case .number(let number): return FieldText.number(text, start: field.start, end: field.end) == number
        case .text(let wanted):
          return FieldText.equals(text, start: field.start, end: field.end, lowercase: wanted)
        case .wildcard(let pieces): return Wildcard.matches(pieces, text, start: field.start, end: field.end)
        case .field:
          guard let column = predicate.otherColumn else { return false }
          let other = range(column, row)
          return FieldText.equals(text, field.start..<field.end, other.start..<other.end)
        }
      }
      guard holds else { return false }
    }
    return true
  }

  private func verdict(
    _ rule: RowPlan.Rule, _ signature: Signature, _ row: Row, _ text: Span<UInt8>
  ) -> Verdict? {
    var verdict = Verdict(signature)
    for (position, code) in rule.codes.enumerated() {
      let table = rules.rules.tables[code.table]
      var value = ""
      for column in code.columns {
        let field = range(column, row)
        if !value.isEmpty { value += "." }
        value += Text.decode(text.extracting(field.start..<min(field.end, field.start + Limits.nameByteLimit)))
      }
      guard let found = table.row(for: value) else {
        if position == 0 { return nil }
        continue
      }
      verdict.refine(found, table.kind, isFirst: position == 0)
    }
    return verdict
  }

  // MARK: Columns that repeat

  /// Event time in microseconds; `noTime` when the row has none that exists.
  private mutating func clock(
    _ row: Row, _ plan: RowPlan, _ run: RowRun, _ text: Span<UInt8>, _ batch: inout RecordBatch
  ) -> Int64 {
    guard let timeColumn = plan.time else { return RecordBatch.noTime }
    let timeField = range(timeColumn, row)
    let dateField = plan.date.map { range($0, row) } ?? (timeField.start, timeField.start)
    let dateCount = dateField.1 - dateField.0
    let timeCount = timeField.end - timeField.start
    if lastClock.count == dateCount + timeCount {
      var isSame = true
      for index in 0..<dateCount where lastClock[index] != text[dateField.0 + index] {
        isSame = false
        break
      }
      if isSame {
        for index in 0..<timeCount where lastClock[dateCount + index] != text[timeField.start + index] {
          isSame = false
          break
        }
      }
      if isSame { return lastTime }
    }
    lastClock.removeAll(keepingCapacity: true)
    for index in 0..<min(dateCount, 32) { lastClock.append(text[dateField.0 + index]) }
    for index in 0..<min(timeCount, 32) { lastClock.append(text[timeField.start + index]) }
    lastTime = RecordBatch.noTime
    let midnight =
      plan.date == nil ? run.dayMicroseconds : day(text, dateField.0, dateField.1)?.microseconds ?? RecordBatch.noTime
    if midnight != RecordBatch.noTime, let reading = ClockReading(text, from: timeField.start, to: timeField.end) {
      let local = Timestamp(
        microseconds: midnight + Int64(reading.hour * 3600 + reading.minute * 60 + reading.second) * 1_000_000
          + Int64(reading.microsecond))
      lastTime = (plan.isLocal ? options.zone.instant(ofLocal: local) : local).microseconds
    } else {
      let range = batch.chunkRange(start: row.lineStart, end: row.lineEnd, line: row.line)
      batch.skip(.badTime, start: range.start, end: range.end, lineIndex: batch.physicalLine(row.line))
    }
    return lastTime
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
    _ row: Row, _ plan: RowPlan, _ status: Int, _ hostID: UInt32, _ text: Span<UInt8>
  ) -> SightingKey {
    var key = SightingKey(server: serverID(row, plan, hostID, text), role: roleID(row, plan, text))
    if let column = plan.clientAddress {
      let field = range(column, row)
      if let address = IPAddress(text, start: field.start, end: field.end) {
        key.clientHigh = address.high
        key.clientLow = address.low
        key.isAddress = true
      }
    }
    crypt(row, plan, text)
    key.protocolName = lastProtocolID
    key.cipher = lastCipherID
    key.system = systemID(row, plan, text)
    var substatus: UInt64 = 0
    if let column = plan.substatus {
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

  private mutating func serverID(_ row: Row, _ plan: RowPlan, _ hostID: UInt32, _ text: Span<UInt8>) -> UInt32 {
    let column = plan.computer ?? (hostID == 0 ? plan.serverAddress : nil)
    guard let column else { return hostID }
    let field = range(column, row)
    if field.end - field.start == 1, text[field.start] == 0x2D { return hostID }
    if !same(lastComputer, text, field.start, field.end) {
      lastComputer = bytes(text, field.start, field.end)
      lastComputerID = names.id(of: HostName.normal(Text.decode(lastComputer)))
    }
    return lastComputerID
  }

  private func roleID(_ row: Row, _ plan: RowPlan, _ text: Span<UInt8>) -> UInt32 {
    guard let column = plan.stem else { return 0 }
    let field = range(column, row)
    guard field.end - field.start > 1 else { return 0 }
    for rule in roleRules[Int(ASCII.lower(text[field.start + 1]))]
    where Wildcard.matches(rule.pieces, text, start: field.start, end: field.end) { return rule.role }
    return 0
  }

  /// Reads the TLS columns into `lastProtocolID` and `lastCipherID`.
  private mutating func crypt(_ row: Row, _ plan: RowPlan, _ text: Span<UInt8>) {
    guard let protocolColumn = plan.cryptProtocol else {
      lastProtocolID = 0
      lastCipherID = 0
      lastCrypt.removeAll(keepingCapacity: true)
      return
    }
    let columns = [protocolColumn, plan.cryptCipher, plan.cryptKeyExchange, plan.cryptHash]
    // Usually the four columns stand side by side: one comparison covers them.
    var joined = 0
    var isSame = true
    for column in columns {
      guard let column else { continue }
      let field = range(column, row)
      let count = field.end - field.start
      if joined + count >= lastCrypt.count {
        isSame = false
        break
      }
      for index in 0..<count where lastCrypt[joined + index] != text[field.start + index] {
        isSame = false
        break
      }
      joined += count + 1
      if !isSame || lastCrypt[joined - 1] != 0x20 {
        isSame = false
        break
      }
    }
    if isSame, joined == lastCrypt.count, joined > 0 { return }
    lastCrypt.removeAll(keepingCapacity: true)
    var values: [String?] = []
    for column in columns {
      guard let column else {
        values.append(nil)
        continue
      }
      let field = range(column, row)
      for index in field.start..<min(field.end, field.start + 16) { lastCrypt.append(text[index]) }
      lastCrypt.append(0x20)
      let value = Text.decode(bytes(text, field.start, min(field.end, field.start + 16)))
      values.append(value == "-" ? nil : value)
    }
    lastProtocolID = values[0].map { names.id(of: protocolTable?.row(for: $0)?.symbol ?? $0) } ?? 0
    var parts: [String] = []
    for (value, table) in [(values[2], keyExchangeTable), (values[1], cipherTable), (values[3], hashTable)] {
      if let value, value != "0" { parts.append(table?.row(for: value)?.symbol ?? value) }
    }
    lastCipherID = names.id(of: parts.joined(separator: "-"))
  }

  /// `Windows NT 6.1` from a user agent that says so.
  private mutating func systemID(_ row: Row, _ plan: RowPlan, _ text: Span<UInt8>) -> UInt32 {
    guard let column = plan.agent else { return 0 }
    let field = range(column, row)
    guard field.end - field.start > 12 else { return 0 }
    if same(lastAgent, text, field.start, field.end) { return lastSystemID }
    lastAgent = bytes(text, field.start, field.end)
    lastSystemID = 0
    var position = field.start
    while position + 12 < field.end {
      guard text.hasCaseless("windows", at: position), text.hasCaseless("nt", at: position + 8) else {
        position += 1
        continue
      }
      var end = position + 11
      while end < field.end, ASCII.isDigit(text[end]) || text[end] == 0x2E { end += 1 }
      if end > position + 11 {
        lastSystemID = names.id(of: "Windows NT " + Text.decode(text.extracting((position + 11)..<end)))
      }
      break
    }
    return lastSystemID
  }

  private func same(_ last: [UInt8], _ text: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    guard last.count == end - start else { return false }
    for index in 0..<last.count where last[index] != text[start + index] { return false }
    return true
  }

  private func bytes(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(end - start)
    for index in start..<end { out.append(text[index]) }
    return out
  }

  // MARK: Findings

  private mutating func finding(
    _ signature: Signature, _ verdict: Verdict, _ row: Row, _ plan: RowPlan, _ origin: Origin, _ text: Span<UInt8>,
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
    let server = names.name(of: serverID(row, plan, names.id(of: origin.host ?? ""), text))
    finding.server = server
    if finding.host == nil, plan.computer != nil { finding.host = server }
    if let column = plan.clientAddress {
      let field = range(column, row)
      if let address = IPAddress(text, start: field.start, end: field.end) {
        finding.clientIP = address.text
      } else if field.end - field.start > 1 {
        finding.clientIP = Text.decode(text.extracting(field.start..<min(field.end, field.start + Limits.nameByteLimit)))
      }
    }
    if let column = plan.user {
      let field = range(column, row)
      // A computer account, `DOMAIN\HOST$`, names the client.
      if field.end - field.start > 2, text[field.end - 1] == 0x24 {
        var start = field.end - 1
        while start > field.start, text[start - 1] != 0x5C { start -= 1 }
        if start > field.start { finding.client = Text.decode(text.extracting(start..<(field.end - 1))) }
      }
    }
    finding.role = names.name(of: roleID(row, plan, text)) ?? signature.role
    if plan.cryptProtocol != nil {
      crypt(row, plan, text)
      finding.protocolName = verdict.protocolName ?? names.name(of: lastProtocolID)
      finding.cipher = names.name(of: lastCipherID)
    }
    return finding
  }
}
