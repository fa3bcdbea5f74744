import CKernels
import Records

/// Rows as nearly all are: regular, of classes that are known, with a time and no more than a sighting.
extension RowExtractor {
  /// The date and time columns as text when they come first: 19 bytes and a blank, in three overlapping words.
  private struct ClockWords: Equatable {
    var first: UInt64 = 0
    var second: UInt64 = 0
    var last: UInt64 = 0

    init() {}

    init(_ row: UnsafeRawPointer) {
      first = unsafe row.loadUnaligned(as: UInt64.self)
      second = unsafe row.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
      last = unsafe row.loadUnaligned(fromByteOffset: 12, as: UInt64.self)
    }
  }

  /// Takes rows from `line` on up to the first that must be judged by itself, and leaves `line` there and `blank` at its
  /// first blank; `run.lastLine` when all were taken.
  mutating func ordinaryRows(
    _ line: inout Int, _ blank: inout Int, _ layout: Layout, _ classes: RowClasses, _ run: RowRun, _ hostID: UInt32,
    _ text: Span<UInt8>, _ lineEnds: Span<UInt32>, _ evidence: inout Evidence
  ) {
    let plan = layout.plan
    let columnCount = plan.columnCount
    let hasPlainClock = plan.date == 0 && plan.time == 1 && columnCount > 2
    var clockWords = ClockWords()
    var time: Timestamp?
    var isTimeNoted = false
    let client = plan.clientAddress
    let groupCount = classes.groupCount
    let groups = unsafe classes.groups
    let flags: UInt64 = hostID == 0 ? 1 : 0
    let base = blanks.base
    let blankCount = blanks.count
    let positions = unsafe blanks.positions
    unsafe text.withUnsafeBufferPointer { raw in
      guard let bytes = raw.baseAddress else { return }
      while line < run.lastLine {
        let start = line == 0 ? 0 : Int(lineEnds[line - 1]) + 1
        var end = Int(lineEnds[line])
        if end > start, unsafe bytes[end - 1] == 0x0D { end -= 1 }
        // Regular: the last blank of a row's columns lies in it, the next one does not, and nothing stands before the row.
        let last = blank + columnCount - 1
        guard last <= blankCount, columnCount > 1, end > start else { return }
        let first = unsafe base + Int(positions[blank])
        guard first >= start, unsafe base + Int(positions[last - 1]) < end,
          unsafe base + Int(positions[last]) >= end
        else { return }
        let lead = unsafe bytes[start]
        if lead == 0 || lead == 0xEF { return }
        let row = Row(
          lineStart: start, lineEnd: end, firstBlank: blank, columnCount: columnCount, line: line, schema: run.schema)

        if hasPlainClock, unsafe first == start + 10 && base + Int(positions[blank + 1]) == start + 19 {
          let words = unsafe ClockWords(UnsafeRawPointer(bytes + start))
          if words != clockWords || time == nil {
            guard let read = clock(row, layout, run, text), options.includes(read) else { return }
            time = read
            clockWords = words
            isTimeNoted = false
          }
        } else if plan.time != nil {
          guard let read = clock(row, layout, run, text), options.includes(read) else { return }
          time = read
          isTimeNoted = false
        }

        var word = flags
        for pair in classes.pairs {
          let left = range(pair.0, row)
          let right = range(pair.1, row)
          word = word << 1
          if left.end - left.start == right.end - right.start, isSame(left, right, text) { word |= 1 }
        }
        for index in 0..<groupCount {
          let group = unsafe groups[index]
          let from = group.first == 0 ? start : unsafe base + Int(positions[blank + group.first - 1]) + 1
          let to = group.last == columnCount - 1 ? end : unsafe base + Int(positions[blank + group.last])
          var number = unsafe group.memo.classNumber(of: bytes + from, to - from)
          if number < 0 {
            guard let learned = classes.classNumber(of: meaning(of: group, row, layout, text), group: index) else {
              return
            }
            number = learned
            unsafe group.memo.remember(number, of: bytes + from, to - from)
          }
          word = RowClasses.adding(number, to: word)
        }
        var ruling = classes.ruling(of: word)
        if ruling < 0 { ruling = rule(word, row, layout, classes, hostID, text, &evidence) }
        switch unsafe classes.rulings[ruling].kind {
        case .oneByOne: return
        case .nothing: break
        case .sighting:
          var key = unsafe classes.rulings[ruling].key
          if unsafe classes.rulings[ruling].isOfHost { key.server = hostID }
          if let client {
            let from = client == 0 ? start : unsafe base + Int(positions[blank + client - 1]) + 1
            let to = client == columnCount - 1 ? end : unsafe base + Int(positions[blank + client])
            let address4 = from >= 4 ? unsafe hk_ipv4(bytes + from, to - from) : -1
            if address4 >= 0 {
              key.clientHigh = 0
              key.clientLow = 0xFFFF_0000_0000 | UInt64(address4)
              key.isAddress = true
            } else if let address = IPAddress(text, start: from, end: to) {
              key.clientHigh = address.high
              key.clientLow = address.low
              key.isAddress = true
            }
          }
          if !isTimeNoted, let time {
            evidence.noteTime(time)
            isTimeNoted = true
          }
          evidence.sightings.append(key, at: time?.microseconds ?? RecordBatch.noTime)
        }
        unsafe classes.rulings[ruling].pendingCount += 1
        blank = last
        // The blank behind the last column, before a `\r` or the line end, would have made the row irregular.
        line += 1
      }
    }
  }

  /// Equal as the matcher `.field` has it.
  private func isSame(_ left: (start: Int, end: Int), _ right: (start: Int, end: Int), _ text: Span<UInt8>) -> Bool {
    let isEmpty = left.end - left.start == 1 && text[left.start] == 0x2D
    return !isEmpty && FieldText.equals(text, left.start..<left.end, right.start..<right.end)
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
  private mutating func rule(
    _ word: UInt64, _ row: Row, _ layout: Layout, _ classes: RowClasses, _ hostID: UInt32, _ text: Span<UInt8>,
    _ evidence: inout Evidence
  ) -> Int {
    let status = status(row, layout, text)
    let judgement = judge(row, layout, status, text)
    var ruling = RowClasses.Ruling()
    let yields = judgement.held.map(\.yield)
    if yields.contains(.finding) {
      ruling.kind = .oneByOne
    } else {
      ruling.kind = yields.contains(.sighting) && !judgement.isLookAlike ? .sighting : .nothing
    }
    ruling.key = key(row, layout, status, text)
    if ruling.key.server == 0 {
      ruling.key.server = serverID(row, layout, 0, text)
      ruling.isOfHost = layout.plan.computer != nil || hostID != 0 || ruling.key.server == 0
    }
    return classes.add(ruling, judgement.held.map(\.signature), for: word, counts: &evidence.signatureCounts)
  }
}
