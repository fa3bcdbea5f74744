import CKernels
import Records

/// W3C and HTTPERR rows to sightings and findings, by columns.
///
/// The plain version: split every line at its blanks and look up what every field says. What is done to it: a kernel walks a
/// whole run of rows in one call; a row whose number of blanks fits the schema is regular and field k lies between blanks k-1
/// and k. What its columns mean is known by their bytes (`RowClasses`), and only time and client are read. The kernel stops at
/// whatever it does not know, which is learned here. Everything else takes a slower path, one row by itself: rows that do not
/// fit (double blanks, quoted values), which are split with care and counted when no split fits, and rows that are more than
/// a sighting.
struct RowExtractor: Sendable {
  let rules: CompiledRules
  let names: NameTable
  let options: ExtractionOptions
  /// By schema of the stream.
  var layouts: [Layout?] = []
  /// By origin of the stream: the id of its host.
  private var hostIDs: [UInt32] = []
  /// What each signature declares, and what a row yields on which it holds when no code table is asked.
  let declared: [Yield]
  let plainYields: [Yield]
  let protocolTable: CodeTable?
  let cipherTable: CodeTable?
  let keyExchangeTable: CodeTable?
  let hashTable: CodeTable?
  /// Role rules by the second byte of the stem (the first is `/`), in lower case.
  let roleRules: [[(pieces: [[UInt8]], role: UInt32)]]

  // Working space, used again for every row and every run.
  let blanks = BlankIndex()
  let seen = SeenRows()
  private var gathered = GatheredRows()
  /// By schema: what its rows mean, kept from stream to stream.
  var classes: [(schema: RowSchema, known: RowClasses)] = []
  var split: [(start: Int, end: Int)] = []
  // Values of the row before.
  var lastClock: [UInt8] = []
  var lastTime: Timestamp?
  var lastComputer: [UInt8] = []
  var lastComputerID: UInt32 = 0

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

  /// Begins a stream: its schemas are numbered anew.
  mutating func begin() {
    layouts.removeAll(keepingCapacity: true)
    hostIDs.removeAll(keepingCapacity: true)
  }

  /// A plan behind a reference, so that a row's call passes a word and not the plan.
  final class Layout: Sendable {
    let plan: RowPlan
    /// Nil where rows are judged one by one.
    let classes: RowClasses?
    init(_ plan: RowPlan, _ classes: RowClasses?) {
      self.plan = plan
      self.classes = classes
    }
  }

  /// Where the fields of the current row are.
  struct Row {
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

  mutating func range(_ column: Int, _ row: Row) -> (start: Int, end: Int) {
    if row.firstBlank < 0 { return split[column] }
    let start = column == 0 ? row.lineStart : blank(row.firstBlank + column - 1) + 1
    let end = column == row.columnCount - 1 ? row.lineEnd : blank(row.firstBlank + column)
    return (start, end)
  }

  func blank(_ index: Int) -> Int { blanks.base + Int(unsafe blanks.positions[index]) }

  /// Extracts the rows of a batch.
  mutating func extract(
    text: Span<UInt8>, place: BatchPlace, in batch: inout RecordBatch, into evidence: inout Evidence
  ) {
    if batch.rowRuns.isEmpty { return }
    // Taken out, so that rows can be extracted while they are read.
    var gathered = GatheredRows()
    swap(&gathered, &self.gathered)
    gathered.chain(batch.rowRuns.span, together: options.usesRowClasses)
    for first in gathered.firsts {
      var run = batch.rowRuns[first]
      if gathered.next[first] == GatheredRows.none {
        extract(run, nil, text, batch.lineEnds, text, place, &batch, &evidence)
      } else {
        gathered.gather(from: first, batch, text)
        run.firstLine = 0
        run.lastLine = gathered.lines.count
        extract(run, gathered.lines, gathered.text.span, gathered.lineEnds, text, place, &batch, &evidence)
      }
    }
    swap(&gathered, &self.gathered)
    for known in classes { known.known.flush(into: &evidence.signatureCounts) }
  }

  /// Extracts a run of lines of `rows`, which is the batch's text unless `lines` tells which of its lines they are.
  private mutating func extract(
    _ run: RowRun, _ lines: [UInt32]?, _ rows: Span<UInt8>, _ lineEnds: [UInt32], _ text: Span<UInt8>,
    _ place: BatchPlace, _ batch: inout RecordBatch, _ evidence: inout Evidence
  ) {
    while layouts.count <= run.schema { layouts.append(nil) }
    let layout = layouts[run.schema] ?? layout(of: batch.schemas[run.schema])
    if layouts[run.schema] == nil { layouts[run.schema] = layout }
    let hostID = hostID(run.origin, batch.origins)
    lastClock.removeAll(keepingCapacity: true)
    lastComputer.removeAll(keepingCapacity: true)
    if let classes = layout.classes {
      seen.begin(run.lastLine - run.firstLine)
      unsafe hk_rows_begin(
        classes.rows, hostID == 0 ? 1 : 0, options.since?.microseconds ?? .min, options.until?.microseconds ?? .max,
        layout.plan.date == nil ? 0 : 1)
    }

    var line = run.firstLine
    while line < run.lastLine {
      if let classes = layout.classes {
        line = ordinaryRows(from: line, layout, classes, run, hostID, rows, lineEnds.span, &evidence)
        if line == run.lastLine { break }
      }
      rowByItself(lines.map { Int($0[line]) } ?? line, layout, run, hostID, text, place, &batch, &evidence)
      line += 1
    }
    if let classes = layout.classes {
      flush(classes, hostID, &evidence)
      var first = RecordBatch.noTime
      var last = RecordBatch.noTime
      if unsafe hk_rows_times(classes.rows, &first, &last) != 0 {
        evidence.noteTime(Timestamp(microseconds: first))
        evidence.noteTime(Timestamp(microseconds: last))
      }
    }
  }

  /// Splits and judges the row on a line of the batch, whatever it is.
  private mutating func rowByItself(
    _ line: Int, _ layout: Layout, _ run: RowRun, _ hostID: UInt32, _ text: Span<UInt8>, _ place: BatchPlace,
    _ batch: inout RecordBatch, _ evidence: inout Evidence
  ) {
    let bounds = batch.lineBounds(line)
    var start = bounds.start
    var end = bounds.end
    if end > start, text[end - 1] == 0x0D { end -= 1 }
    while start < end, text[start] == 0 { start += 1 }
    if text.has("\u{FEFF}", at: start) { start += 3 }
    blanks.find(text, from: start, to: max(start, end))
    var row = Row(
      lineStart: start, lineEnd: end, firstBlank: 0, columnCount: layout.plan.columnCount, line: line,
      schema: run.schema)
    if blanks.count != layout.plan.columnCount - 1 {
      guard resplit(text, start, end, layout.plan.columnCount) else {
        let range = batch.chunkRange(start: start, end: end, line: row.line)
        batch.skip(.w3cColumns, start: range.start, end: range.end, lineIndex: batch.physicalLine(row.line))
        batch.recordCounts[Int(layout.plan.schema.format.rawValue)] &-= 1
        return
      }
      row.firstBlank = -1
    }
    self.row(row, layout, run, batch.origins[Int(run.origin)], hostID, text, place, &batch, &evidence)
  }

  /// The id of an origin's host, that of no name when it has none.
  private mutating func hostID(_ origin: UInt32, _ origins: [Origin]) -> UInt32 {
    while hostIDs.count < origins.count { hostIDs.append(names.id(of: origins[hostIDs.count].host ?? "")) }
    return hostIDs[Int(origin)]
  }

  mutating func layout(of schema: RowSchema) -> Layout {
    let plan = RowPlan(schema, rules)
    if let known = classes.first(where: { $0.schema == schema }) { return Layout(plan, known.known) }
    // Schemas are few; those of a hostile stream are read one row by itself.
    guard options.usesRowClasses, classes.count < Limits.rowClassesLimit, let learning = RowClasses(plan) else {
      return Layout(plan, nil)
    }
    classes.append((schema, learning))
    return Layout(plan, learning)
  }

  /// Splits a row that does not fit: quoted values keep their blanks, runs of blanks count once. False when neither gives
  /// the schema's number of fields.
  mutating func resplit(_ text: Span<UInt8>, _ start: Int, _ end: Int, _ wanted: Int) -> Bool {
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

  mutating func row(
    _ row: Row, _ layout: Layout, _ run: RowRun, _ origin: Origin, _ hostID: UInt32, _ text: Span<UInt8>,
    _ place: BatchPlace, _ batch: inout RecordBatch, _ evidence: inout Evidence
  ) {
    let time = clock(row, layout, run, text)
    if time == nil, layout.plan.time != nil {
      let range = batch.chunkRange(start: row.lineStart, end: row.lineEnd, line: row.line)
      batch.skip(.badTime, start: range.start, end: range.end, lineIndex: batch.physicalLine(row.line))
    }
    guard options.includes(time) else {
      evidence.outsideWindowCount += 1
      return
    }
    let status = status(row, layout, text)
    let judgement = judge(row, layout, status, text)
    var isSighted = false
    for (signature, yield, verdict) in judgement.held {
      evidence.signatureCounts[signature] += 1
      switch yield {
      case .none, .context: break
      case .sighting: isSighted = true
      case .finding:
        let definition = rules.rules.signatures[signature]
        evidence.findings.append(
          finding(definition, verdict ?? Verdict(definition), row, layout, origin, text, place, time, batch))
        if let time { evidence.noteTime(time) }
      }
    }
    if isSighted, !judgement.isLookAlike {
      var key = key(row, layout, status, text)
      if key.server == 0 { key.server = serverID(row, layout, hostID, text) }
      setClient(&key, row, layout, text)
      evidence.sightings.append(key, at: time?.microseconds ?? RecordBatch.noTime)
      if let time { evidence.noteTime(time) }
    }
  }

  /// What a row yields, by the signatures that hold on it, in rule order.
  struct Judgement {
    var held: [(signature: Int, yield: Yield, verdict: Verdict?)] = []
    /// A look-alike by its definition, a probe say: no client either.
    var isLookAlike = false
  }

  mutating func judge(_ row: Row, _ layout: Layout, _ status: Int, _ text: Span<UInt8>) -> Judgement {
    let rules = status >= 0 ? layout.plan.byStatus[status] : layout.plan.unknownStatus
    var judgement = Judgement()
    var isTaken = false
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
      judgement.held.append((signature, yield, verdict))
      if yield == .none || yield == .finding { isTaken = true }
      if yield == .none, declared == .none {
        judgement.isLookAlike = true
        break
      }
    }
    return judgement
  }

  /// Below 1000, or -1.
  mutating func status(_ row: Row, _ layout: Layout, _ text: Span<UInt8>) -> Int {
    guard let column = layout.plan.status else { return -1 }
    let field = range(column, row)
    guard let number = FieldText.number(text, start: field.start, end: field.end), number < 1000 else { return -1 }
    return Int(number)
  }

  mutating func holds(_ predicates: [RowPlan.Predicate], _ row: Row, _ text: Span<UInt8>) -> Bool {
    for index in predicates.indices where !holds(predicates[index], row, text) { return false }
    return true
  }

  mutating func holds(_ predicate: RowPlan.Predicate, _ row: Row, _ text: Span<UInt8>) -> Bool {
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
  enum Answer {
    /// The rule asks none.
    case notAsked
    /// The value is not in the table: the rule does not hold.
    case unlisted
    case benign, listed
  }

  mutating func answer(_ rule: RowPlan.Rule, _ row: Row, _ text: Span<UInt8>) -> Answer {
    rule.codes.first.map { answer($0, row, text) } ?? .notAsked
  }

  mutating func answer(_ code: (columns: [Int], table: Int), _ row: Row, _ text: Span<UInt8>) -> Answer {
    guard let found = codeRow(code, row, text) else { return .unlisted }
    return found.findingClass == .benign ? .benign : .listed
  }

  mutating func codeRow(_ code: (columns: [Int], table: Int), _ row: Row, _ text: Span<UInt8>) -> CodeRow? {
    var value = ""
    for column in code.columns {
      let field = range(column, row)
      if !value.isEmpty { value += "." }
      value += Text.decode(text.extracting(field.start..<min(field.end, field.start + Limits.nameByteLimit)))
    }
    return rules.rules.tables[code.table].row(for: value)
  }

  mutating func verdict(_ rule: RowPlan.Rule, _ row: Row, _ text: Span<UInt8>) -> Verdict? {
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

  /// Nil when the row has no time, or none that exists.
  mutating func clock(_ row: Row, _ layout: Layout, _ run: RowRun, _ text: Span<UInt8>) -> Timestamp? {
    guard let timeColumn = layout.plan.time else { return nil }
    let timeField = range(timeColumn, row)
    let dateField = layout.plan.date.map { range($0, row) } ?? (timeField.start, timeField.start)
    let dateCount = dateField.1 - dateField.0
    let timeCount = timeField.end - timeField.start
    if lastClock.count == dateCount + timeCount, lastClock.isSame(as: text, dateField.0, count: dateCount),
      lastClock.isSame(as: text, timeField.start, count: timeCount, from: dateCount)
    {
      return lastTime
    }
    lastClock.removeAll(keepingCapacity: true)
    for index in 0..<min(dateCount, 32) { lastClock.append(text[dateField.0 + index]) }
    for index in 0..<min(timeCount, 32) { lastClock.append(text[timeField.start + index]) }
    lastTime = nil
    let midnight =
      layout.plan.date == nil
      ? run.dayMicroseconds : day(text, dateField.0, dateField.1)?.microseconds ?? RecordBatch.noTime
    if midnight != RecordBatch.noTime, let reading = ClockReading(text, from: timeField.start, to: timeField.end) {
      let local = Timestamp(
        microseconds: midnight + Int64(reading.hour * 3600 + reading.minute * 60 + reading.second) * 1_000_000
          + Int64(reading.microsecond))
      lastTime = layout.plan.isLocal ? options.zone.instant(ofLocal: local) : local
    }
    return lastTime
  }

  func day(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> Timestamp? {
    var cursor = NumberCursor(start)
    guard let year = cursor.digits(in: text, to: end, most: 4), cursor.take(0x2D, in: text, to: end),
      let month = cursor.digits(in: text, to: end, most: 2), cursor.take(0x2D, in: text, to: end),
      let day = cursor.digits(in: text, to: end, most: 2), cursor.position == end,
      Timestamp.isValid(year: year.value, month: month.value, day: day.value, hour: 0, minute: 0, second: 0)
    else { return nil }
    return Timestamp(year: year.value, month: month.value, day: day.value, hour: 0, minute: 0, second: 0)
  }

  /// The key of a row's sighting, without its client; its server is 0 where that is the host of the stream.
  mutating func key(_ row: Row, _ layout: Layout, _ status: Int, _ text: Span<UInt8>) -> SightingKey {
    var key = SightingKey(role: roleID(row, layout, text))
    if let column = layout.plan.computer { key.server = serverID(column, row, text) }
    (key.protocolName, key.cipher) = crypt(row, layout, text)
    key.system = systemID(row, layout, text)
    key.outcome = outcome(status, row, layout, text).number
    return key
  }

  mutating func setClient(_ key: inout SightingKey, _ row: Row, _ layout: Layout, _ text: Span<UInt8>) {
    guard let column = layout.plan.clientAddress else { return }
    let field = range(column, row)
    if let address = IPAddress(text, start: field.start, end: field.end) {
      key.clientHigh = address.high
      key.clientLow = address.low
      key.isAddress = true
    }
  }

  mutating func outcome(_ status: Int, _ row: Row, _ layout: Layout, _ text: Span<UInt8>) -> Outcome {
    var substatus: UInt64 = 0
    if let column = layout.plan.substatus {
      let field = range(column, row)
      substatus = FieldText.number(text, start: field.start, end: field.end) ?? 0
    }
    return RowExtractor.outcome(status: status, substatus: substatus)
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

  /// The row's own name of the server, else the host of its stream, else the server's address.
  mutating func serverID(_ row: Row, _ layout: Layout, _ hostID: UInt32, _ text: Span<UInt8>) -> UInt32 {
    guard let column = layout.plan.computer ?? (hostID == 0 ? layout.plan.serverAddress : nil) else { return hostID }
    let id = serverID(column, row, text)
    return id == 0 ? hostID : id
  }

  /// The server that a column names; 0 for `-`.
  mutating func serverID(_ column: Int, _ row: Row, _ text: Span<UInt8>) -> UInt32 {
    let field = range(column, row)
    let count = field.end - field.start
    if count == 1, text[field.start] == 0x2D { return 0 }
    if lastComputer.count != count || !lastComputer.isSame(as: text, field.start, count: count) {
      lastComputer = bytes(text, field.start, field.end)
      lastComputerID = names.id(of: HostName.normal(Text.decode(lastComputer)))
    }
    return lastComputerID
  }

  mutating func roleID(_ row: Row, _ layout: Layout, _ text: Span<UInt8>) -> UInt32 {
    guard let column = layout.plan.stem else { return 0 }
    let field = range(column, row)
    guard field.end - field.start > 1 else { return 0 }
    for rule in roleRules[Int(ASCII.lower(text[field.start + 1]))]
    where Wildcard.matches(rule.pieces, text, start: field.start, end: field.end) {
      return rule.role
    }
    return 0
  }

  /// The names of the protocol and of the cipher suite that the TLS columns tell; 0 where they tell none.
  mutating func crypt(
    _ row: Row, _ layout: Layout, _ text: Span<UInt8>
  ) -> (protocolName: UInt32, cipher: UInt32) {
    guard let protocolColumn = layout.plan.cryptProtocol else { return (0, 0) }
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
  mutating func systemID(_ row: Row, _ layout: Layout, _ text: Span<UInt8>) -> UInt32 {
    guard let column = layout.plan.agent else { return 0 }
    let field = range(column, row)
    guard field.end - field.start > 12 else { return 0 }
    return readSystem(text, field.start, field.end)
  }

  func readSystem(_ text: Span<UInt8>, _ start: Int, _ stop: Int) -> UInt32 {
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

  func bytes(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(end - start)
    for index in start..<end { out.append(text[index]) }
    return out
  }

  // MARK: Findings

  mutating func finding(
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

/// The places of the blanks of a row.
@safe final class BlankIndex: @unchecked Sendable {
  // `@unchecked`: owned by one `RowExtractor`, which is used by one thread at a time.
  /// Where the row begins in its text: places count from here.
  private(set) var base = 0
  private(set) var count = 0
  /// `positions[count]` is beyond the row.
  private(set) var positions = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
  private var capacity = 1

  deinit { unsafe positions.deallocate() }

  func find(_ text: Span<UInt8>, from start: Int, to end: Int) {
    base = start
    // 64 more than there are do always.
    let most = end - start + 65
    if capacity < most {
      unsafe positions.deallocate()
      capacity = most + most / 8
      unsafe positions = .allocate(capacity: capacity)
    }
    count = unsafe text.withUnsafeBufferPointer { raw in
      guard let bytes = raw.baseAddress else { return 0 }
      var done = 0
      return unsafe hk_positions(bytes + start, end - start, 0x20, positions, capacity - 1, &done)
    }
    unsafe positions[count] = .max
  }
}
