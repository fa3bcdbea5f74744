import CKernels
import Records

/// Rows as nearly all are: regular, of classes that are known, with a time and no more than a sighting.
extension RowExtractor {
  /// Takes rows from `line` on up to the first that must be judged by itself; `run.lastLine` when all were taken.
  mutating func ordinaryRows(
    from line: Int, _ layout: Layout, _ classes: RowClasses, _ run: RowRun, _ hostID: UInt32, _ text: Span<UInt8>,
    _ lineEnds: Span<UInt32>, _ evidence: inout Evidence
  ) -> Int {
    var place = hk_rows_place()
    place.line = line
    while true {
      switch unsafe seen.run(classes.rows, text, lineEnds, to: run.lastLine, &place) {
      case HK_ROWS_END: return run.lastLine
      case HK_ROWS_CLOCK:
        let row = regularRow(place, layout, run, text)
        guard let time = clock(row, layout, run, text), options.includes(time) else { return place.line }
        // Times of a local clock are not a sum: its zone changes.
        var midnight = RecordBatch.noTime
        if !layout.plan.isLocal, let column = layout.plan.date {
          let field = range(column, row)
          midnight = day(text, field.start, field.end)?.microseconds ?? RecordBatch.noTime
        }
        let isSet = unsafe text.withUnsafeBufferPointer {
          unsafe hk_rows_set_time(classes.rows, $0.baseAddress, &place, time.microseconds, midnight)
        }
        guard isSet != 0 else { return place.line }
      case HK_ROWS_CLASS:
        let row = regularRow(place, layout, run, text)
        let meaning = meaning(of: classes.groups[place.group], row, layout, text)
        guard let number = classes.classNumber(of: meaning, group: place.group) else { return place.line }
        let isLearned = unsafe text.withUnsafeBufferPointer {
          unsafe hk_rows_learn(classes.rows, $0.baseAddress, &place, number)
        }
        guard isLearned != 0 else { return place.line }
      case HK_ROWS_RULING:
        let row = regularRow(place, layout, run, text)
        let ruling = ruling(row, layout, hostID, text)
        if classes.isFull { flush(classes, hostID, &evidence) }
        classes.add(ruling, for: place.word, counts: &evidence.signatureCounts)
      case HK_ROWS_CLIENT:
        noteClient(place, classes, hostID, text, &evidence)
        place.line += 1
      default: return place.line
      }
    }
  }

  /// A row at which a run stopped, with its blanks found.
  private mutating func regularRow(
    _ place: hk_rows_place, _ layout: Layout, _ run: RowRun, _ text: Span<UInt8>
  ) -> Row {
    blanks.find(text, from: place.start, to: place.end)
    return Row(
      lineStart: place.start, lineEnd: place.end, firstBlank: 0, columnCount: layout.plan.columnCount, line: place.line,
      schema: run.schema)
  }

  /// The sighting of a row whose client is no IPv4 address.
  private mutating func noteClient(
    _ place: hk_rows_place, _ classes: RowClasses, _ hostID: UInt32, _ text: Span<UInt8>, _ evidence: inout Evidence
  ) {
    if let address = IPAddress(text, start: place.value, end: place.value_end) {
      unsafe seen.append(address, at: place.time, facts: hk_rows_facts(classes.rows, place.ruling))
    } else {
      var key = key(classes.rulings[place.ruling], hostID)
      key.isAddress = false
      evidence.sightings.append(key, at: place.time)
    }
    if place.time != RecordBatch.noTime { evidence.noteTime(Timestamp(microseconds: place.time)) }
  }

  private func key(_ ruling: RowClasses.Ruling, _ hostID: UInt32) -> SightingKey {
    var key = ruling.key
    if ruling.isOfHost { key.server = hostID }
    return key
  }

  /// Hands over the sightings that were gathered; the rulings that were met are met anew from here on.
  mutating func flush(_ classes: RowClasses, _ hostID: UInt32, _ evidence: inout Evidence) {
    let count = unsafe hk_rows_met_count(classes.rows)
    if count == 1 {
      seen.move(to: &evidence.sightings, all: key(classes.rulings[unsafe hk_rows_met(classes.rows, 0)], hostID))
      unsafe hk_rows_begin_facts(classes.rows)
      return
    }
    let facts = (0..<count).map { key(classes.rulings[unsafe hk_rows_met(classes.rows, $0)], hostID) }
    seen.move(to: &evidence.sightings, facts)
    unsafe hk_rows_begin_facts(classes.rows)
  }

  // MARK: What is learned

  /// Everything that any rule, name or code makes of the columns of a group.
  private mutating func meaning(
    of group: RowClasses.Group, _ row: Row, _ layout: Layout, _ text: Span<UInt8>
  ) -> [UInt64] {
    let plan = layout.plan
    let columns = group.first...group.last
    func has(_ column: Int?) -> Bool { column.map { columns.contains($0) } ?? false }
    var meaning: [UInt64] = []
    if has(plan.status) {
      let status = status(row, layout, text)
      meaning.append(UInt64(bitPattern: Int64(status)))
      meaning.append(UInt64(outcome(status, row, layout, text).number))
    }
    if has(plan.stem) { meaning.append(UInt64(roleID(row, layout, text))) }
    if has(plan.agent) { meaning.append(UInt64(systemID(row, layout, text))) }
    if has(plan.cryptProtocol) {
      let crypt = crypt(row, layout, text)
      meaning += [UInt64(crypt.protocolName), UInt64(crypt.cipher)]
    }
    if has(plan.computer ?? plan.serverAddress) {
      meaning.append(UInt64(serverID((plan.computer ?? plan.serverAddress)!, row, text)))
    }
    for rule in plan.unknownStatus {
      for predicate in rule.predicates where columns.contains(predicate.column) {
        for matcher in predicate.anyOf where !matcher.isField {
          let one = RowPlan.Predicate(column: predicate.column, anyOf: [matcher], otherColumn: nil)
          meaning.append(holds(one, row, text) ? 1 : 0)
        }
      }
      for code in rule.codes where code.columns.allSatisfy({ columns.contains($0) }) {
        meaning.append(
          codeRow(code, row, text).map { found in
            1 + UInt64(found.findingClass.map { 1 + FindingClass.allCases.firstIndex(of: $0)! } ?? 0)
          } ?? 0)
      }
    }
    return meaning
  }

  /// Judges a row for all rows of its classes.
  private mutating func ruling(
    _ row: Row, _ layout: Layout, _ hostID: UInt32, _ text: Span<UInt8>
  ) -> RowClasses.Ruling {
    let status = status(row, layout, text)
    let judgement = judge(row, layout, status, text)
    var ruling = RowClasses.Ruling()
    let yields = judgement.held.map(\.yield)
    if yields.contains(.finding) {
      ruling.kind = HK_RULING_ROW
    } else {
      ruling.kind =
        yields.contains(.sighting) && !judgement.isLookAlike ? HK_RULING_SIGHTING : HK_RULING_NOTHING
    }
    ruling.key = key(row, layout, status, text)
    ruling.key.isAddress = layout.plan.clientAddress != nil
    if ruling.key.server == 0 {
      ruling.key.server = serverID(row, layout, 0, text)
      ruling.isOfHost = layout.plan.computer != nil || hostID != 0 || ruling.key.server == 0
    }
    ruling.signatures = judgement.held.map(\.signature)
    return ruling
  }
}

/// Sightings of rows as the run over them writes them, until they are handed over.
@safe final class SeenRows: @unchecked Sendable {
  // `@unchecked`: owned by one `RowExtractor`, which is used by one thread at a time.
  private var capacity = 0
  private var columns = unsafe hk_row_sightings()

  deinit { free() }

  private func free() {
    unsafe columns.client_high?.deallocate()
    unsafe columns.client_low?.deallocate()
    unsafe columns.times?.deallocate()
    unsafe columns.facts?.deallocate()
  }

  /// Makes room for so many; there are none.
  func begin(_ rowCount: Int) {
    unsafe columns.count = 0
    guard capacity < rowCount else { return }
    free()
    capacity = rowCount + rowCount / 4
    unsafe columns.client_high = .allocate(capacity: capacity)
    unsafe columns.client_low = .allocate(capacity: capacity)
    unsafe columns.times = .allocate(capacity: capacity)
    unsafe columns.facts = .allocate(capacity: capacity)
  }

  func run(
    _ rows: OpaquePointer, _ text: Span<UInt8>, _ lineEnds: Span<UInt32>, to lastLine: Int, _ place: inout hk_rows_place
  ) -> hk_rows_stop {
    unsafe text.withUnsafeBufferPointer { bytes in
      unsafe lineEnds.withUnsafeBufferPointer { ends in
        unsafe hk_rows_run(rows, bytes.baseAddress, ends.baseAddress, lastLine, &place, &columns)
      }
    }
  }

  func append(_ address: IPAddress, at time: Int64, facts: UInt32) {
    let index = unsafe columns.count
    unsafe columns.client_high[index] = address.high
    unsafe columns.client_low[index] = address.low
    unsafe columns.times[index] = time
    unsafe columns.facts[index] = facts
    unsafe columns.count += 1
  }

  /// All of them are of one kind.
  func move(to sightings: inout SightingColumns, all key: SightingKey) {
    for index in 0..<(unsafe columns.count) {
      var whole = key
      unsafe whole.clientHigh = columns.client_high[index]
      unsafe whole.clientLow = columns.client_low[index]
      unsafe sightings.append(whole, at: columns.times[index])
    }
    unsafe columns.count = 0
  }

  func move(to sightings: inout SightingColumns, _ facts: [SightingKey]) {
    let count = unsafe columns.count
    guard count > 0 else { return }
    unsafe sightings.append(
      facts: facts, numbers: UnsafeBufferPointer(start: columns.facts, count: count),
      clientHighs: UnsafeBufferPointer(start: columns.client_high, count: count),
      clientLows: UnsafeBufferPointer(start: columns.client_low, count: count),
      times: UnsafeBufferPointer(start: columns.times, count: count))
    unsafe columns.count = 0
  }
}
