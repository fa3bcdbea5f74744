import Records

/// The extraction once more, one signature on one record, to say where it fell away. The stages are those of `extract`,
/// in their order and by their functions; only what they do not tell is asked again.
extension Extractor {
  /// - Parameter isCandidate: whether the scan named the signature for this record.
  package mutating func trial(
    _ signature: Int, _ slot: RecordSlot, _ text: Span<UInt8>, _ origin: Origin, isCandidate: Bool
  ) -> Trial {
    let entry = rules.compiled[signature]
    guard entry.signature.formats.contains(slot.format) else { return .fell(.format(slot.format.name)) }
    return slot.format.family == .event
      ? eventTrial(signature, entry, slot, text, origin, isCandidate)
      : textTrial(entry, slot, text, origin, isCandidate)
  }

  private func textTrial(
    _ entry: CompiledRules.Compiled, _ slot: RecordSlot, _ text: Span<UInt8>, _ origin: Origin, _ isCandidate: Bool
  ) -> Trial {
    guard isCandidate else { return .fell(.anchor) }
    let facts = TextFacts(slot, text, log: origin.log, zone: options.zone, delimited: rules.rules.delimited)
    let component = facts.component.map { Text.decode(text.extracting($0)) } ?? ""
    guard Extractor.matchesLog(entry.signature, origin, facts, text) else {
      var names = [origin.log, component].filter { !$0.isEmpty }
      if names.count == 2, names[0].lowercased() == names[1].lowercased() { names.removeLast() }
      return .fell(.log(names))
    }
    if let name = facts.formatName, !entry.signature.delimited.isEmpty, !entry.signature.delimited.contains(name) {
      return .fell(.format(name))
    }
    var unused = RecordBatch()
    if let match = confirm(entry, slot, origin, facts, text, Extractor.nowhere, &unused) {
      return .held(match.verdict.yield(entry.signature.yields))
    }
    let (start, end) = (Int(slot.messageStart), Int(slot.messageEnd))
    var values: [String] = []
    if let pattern = entry.pattern {
      var from = start
      var hasMatch = false
      while from <= end, values.count < Limits.matchesPerRecordLimit,
        matcher.match(pattern, text, start: start, end: end, from: from) == .match, let whole = matcher.group(0)
      {
        hasMatch = true
        if case .group(let number)? = entry.codes.first?.origin, let range = matcher.group(number) {
          let value = Text.decode(text.extracting(Extractor.clamped(range)))
          if !values.contains(value) { values.append(value) }
        }
        from = max(whole.upperBound, from + 1)
      }
      guard hasMatch else { return .fell(.pattern) }
    }
    if case .log? = entry.codes.first?.origin { values = [origin.log, component].filter { !$0.isEmpty } }
    return .fell(unknown(values, entry))
  }

  private mutating func eventTrial(
    _ index: Int, _ entry: CompiledRules.Compiled, _ slot: RecordSlot, _ text: Span<UInt8>, _ origin: Origin,
    _ isCandidate: Bool
  ) -> Trial {
    guard readEvent(slot, text) else { return .fell(.unread) }
    guard holds(index), isCandidate else { return .fell(failedPredicate(index, entry.signature)) }
    var unused = RecordBatch()
    if let verdict = eventVerdict(entry, origin, Extractor.nowhere, &unused) {
      return .held(verdict.yield(entry.signature.yields))
    }
    if let pattern = entry.pattern {
      guard let message = fields.message else { return .fell(.pattern) }
      let end = min(message.upperBound, message.lowerBound + Limits.patternWindowByteCount)
      guard
        matcher.match(pattern, fields.text.span, start: message.lowerBound, end: end, from: message.lowerBound)
          == .match
      else { return .fell(.pattern) }
    }
    var value: String?
    if let code = entry.codes.first {
      switch (code.origin, code.source.fields[0]) {
      case (.group(let number), _): value = fields.string(matcher.group(number))
      case (_, "event-id"): value = fields.eventID.map { String($0) }
      case (_, "log"): value = origin.log
      case (_, let name): value = fields.string(self.value(EventRule.Field(name)))
      }
    }
    return .fell(unknown(value.map { [$0] } ?? [], entry))
  }

  /// The first key that an event fails, in the order of the definition.
  private func failedPredicate(_ index: Int, _ signature: Signature) -> Refusal {
    if fields.eventID == nil, let literal = signature.text {
      guard let message = fields.message, contains(literal, in: message) else { return .text }
    }
    var others = eventRules[index].predicates[...]
    for predicate in signature.predicates {
      guard predicate.field != "event-id" else {
        let isLeftToText = fields.eventID == nil && signature.text != nil
        if isLeftToText || eventRules[index].admits(fields.eventID) { continue }
        return .field("event-id", value: fields.eventID.map { String($0) })
      }
      guard let rule = others.popFirst(), !holds(rule) else { continue }
      return .field(predicate.field, value: fields.string(value(rule.field)))
    }
    return .anchor
  }

  private func unknown(_ values: [String], _ entry: CompiledRules.Compiled) -> Refusal {
    guard let code = entry.codes.first else { return .pattern }
    let table = rules.rules.tables[code.source.table].name
    return .code(code.source.fields.joined(separator: "."), values: values, table: table)
  }

  /// Skips of a trial are counted nowhere.
  private static var nowhere: Location {
    Location(
      place: BatchPlace(stream: 0, path: "", firstLine: 1), chunkStart: 0, chunkEnd: 0, physicalLine: 0, pieceCount: 1)
  }

  // MARK: Rows

  /// Why a signature does not hold on a row of these columns; nil: by its columns it does.
  package func rowRefusal(_ signature: Int, _ schema: RowSchema, line: String) -> Refusal? {
    let entry = rules.compiled[signature].signature
    guard entry.formats.contains(schema.format) else { return .format(schema.format.name) }
    var values = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    if values.count != schema.names.count { values = line.split(separator: " ").map(String.init) }
    guard values.count == schema.names.count else { return .unread }
    for predicate in entry.predicates {
      guard let column = schema.column(predicate.field) else { return .field(predicate.field, value: nil) }
      let value = values[column]
      let bytes = Array(value.utf8)
      let holds = predicate.anyOf.contains { matcher in
        switch matcher {
        case .number(let number): FieldText.number(bytes.span, start: 0, end: bytes.count) == number
        case .text(let text): FieldText.equals(bytes.span, start: 0, end: bytes.count, lowercase: text)
        case .wildcard(let pieces): Wildcard.matches(pieces, value)
        case .field(let other):
          value != "-" && schema.column(other).map { values[$0].lowercased() == value.lowercased() } ?? false
        }
      }
      if !holds { return .field(predicate.field, value: value) }
    }
    guard let code = entry.codes.first else { return nil }
    let table = rules.rules.tables[code.table]
    let columns = code.fields.compactMap { schema.column($0) }
    let name = code.fields.joined(separator: ".")
    guard columns.count == code.fields.count else { return .code(name, values: [], table: table.name) }
    let value = columns.map { values[$0] }.joined(separator: ".")
    return table.row(for: value) == nil ? .code(name, values: [value], table: table.name) : nil
  }
}
