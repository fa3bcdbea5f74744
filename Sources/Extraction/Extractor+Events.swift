import Records

extension Extractor {
  /// An event: its fields are read once, then each candidate's `where:` decides.
  mutating func eventRecord(
    _ slot: RecordSlot, _ candidates: ArraySlice<Candidate>, _ text: Span<UInt8>, _ location: Location,
    _ batch: inout RecordBatch, _ evidence: inout Evidence
  ) {
    let (isTakenAtOnce, isKeyed) = repeatedEvent(slot, candidates, text, batch, &evidence)
    if isTakenAtOnce { return }
    let isKnown = readKnown(slot, text, batch)
    guard isKnown || readEvent(slot, text) else {
      // A torn event has been counted by the framing.
      if !slot.isTorn {
        batch.skip(.badEvent, start: location.chunkStart, end: location.chunkEnd, lineIndex: location.physicalLine)
      }
      return
    }
    var isSuspect = false
    var isConfirmed = false
    defer {
      if isSuspect { evidence.suspectCount += 1 }
      if isConfirmed { evidence.confirmedCount += 1 }
    }
    let number = Int(slot.origin)
    let time = fields.time ?? fields.localTime.map { options.zone.instant(ofLocal: $0) }
    var isTaken = false
    var isLookAlike = false
    pending.removeAll(keepingCapacity: true)
    pendingClients.removeAll(keepingCapacity: true)
    held.removeAll(keepingCapacity: true)
    var isRemembered = isKeyed && isKnown && fields.eventID != nil
    for candidate in candidates {
      let index = Int(candidate.signature)
      if isRemembered, !eventRules[index].isRemembered { isRemembered = false }
      if !isSuspect { isSuspect = concerns(index) }
      guard isSuspect, holds(index) else { continue }
      let yields = eventRules[index].yields
      let isFallback = eventRules[index].isFallback
      if isTaken, isFallback || yields == .finding || yields == .none { continue }
      // Most events that hold say that something works: their verdict was worked out before.
      if let settled = settle(index), settled.yields != .finding {
        guard let verdict = settled.yields else { continue }
        isConfirmed = true
        guard options.includes(time) else {
          evidence.outsideWindowCount += 1
          return
        }
        evidence.signatureCounts[index] += 1
        held.append(candidate.signature)
        switch verdict {
        case .none:
          isTaken = true
          if yields == .none { isLookAlike = true }
        case .context: break
        case .sighting: pending.append(eventSighting(index, settled, batch.origins[number]))
        case .finding: break
        }
        continue
      }
      let entry = rules.compiled[index]
      let signature = entry.signature
      guard let verdict = eventVerdict(entry, batch.origins[number], location, &batch) else { continue }
      isConfirmed = true
      guard options.includes(time) else {
        evidence.outsideWindowCount += 1
        return
      }
      evidence.signatureCounts[index] += 1
      held.append(candidate.signature)
      switch verdict.yield(signature.yields) {
      case .none:
        isTaken = true
        if signature.yields == .none { isLookAlike = true }
      case .context: break
      case .sighting:
        let name = verdict.protocolName.map { names.id(of: $0) }
        let settled = EventRule.Settled(
          eventID: 0, yields: .sighting, protocolName: name, outcome: verdict.outcome.number)
        pending.append(eventSighting(index, settled, batch.origins[number]))
      case .finding:
        isTaken = true
        isRemembered = false
        var finding = newFinding(signature, verdict, location)
        finding.time = time
        fillEvent(&finding, signature, batch.origins[number])
        evidence.findings.append(finding)
        if let time { evidence.noteTime(time) }
      }
    }
    if !isLookAlike {
      for key in pending { evidence.sightings.append(key, at: time?.microseconds ?? .min) }
      if let time, !pending.isEmpty { evidence.noteTime(time) }
    }
    guard isRemembered, held.count <= EventMemo.signatureLimit, pending.count <= EventMemo.sightingLimit,
      isDecided(slot, text, batch)
    else { return }
    var outcome = EventMemo.Outcome()
    outcome.isSuspect = isSuspect
    outcome.isConfirmed = isConfirmed
    outcome.signatureCount = held.count
    for index in held.indices { outcome.signatures[index] = held[index] }
    outcome.sightingCount = isLookAlike ? 0 : pending.count
    for index in 0..<outcome.sightingCount {
      var sighting = EventMemo.Sighting(key: pending[index], isClient: pendingClients[index])
      if sighting.isClient { sighting.key.clientLow = 0 } else { sighting.key.server = 0 }
      outcome.sightings[index] = sighting
    }
    eventMemo.note(outcome)
  }

  /// Reads the fields of an event in whatever rendering it is.
  mutating func readEvent(_ slot: RecordSlot, _ text: Span<UInt8>) -> Bool {
    let start = Int(slot.start)
    let end = Int(slot.end)
    switch slot.format {
    case .eventXML: guard EventXMLReader.read(text, start: start, end: end, into: &fields) else { return false }
    case .eventJSON: guard eventJSON.read(text, start: start, end: end, into: &fields) else { return false }
    case .snare: return EventTextReader.readSnare(text, start: start, end: end, into: &fields)
    case .eventText: return EventTextReader.readViewer(text, start: start, end: end, into: &fields)
    default: return false
    }
    // XML and JSON may carry the data without names, or the rendered text alone.
    SchannelInserts.fill(&fields)
    SchannelText.fill(&fields)
    return true
  }

  // MARK: Predicates

  func value(_ field: EventRule.Field) -> Range<Int>? {
    switch field {
    case .provider: fields.provider
    case .channel: fields.channel
    case .computer: fields.computer
    case .message: fields.message
    case .data(let name): fields.value(of: name)
    }
  }

  func holds(_ index: Int) -> Bool {
    if fields.eventID == nil, let literal = rules.compiled[index].signature.text {
      // A rendering without ids: provider and text must speak.
      guard let message = fields.message, contains(literal, in: message) else { return false }
      return fields.provider == nil || allHold(eventRules[index].providers)
    }
    return eventRules[index].admits(fields.eventID) && allHold(eventRules[index].predicates)
  }

  /// Whether the signature is about events of this provider and id, as far as these say.
  func concerns(_ index: Int) -> Bool {
    if fields.eventID == nil { return true }
    return eventRules[index].admits(fields.eventID)
      && (eventRules[index].comparesProvider || allHold(eventRules[index].providers))
  }

  private func allHold(_ predicates: [EventRule.Predicate]) -> Bool {
    for index in predicates.indices where !holds(predicates[index]) { return false }
    return true
  }

  func contains(_ literal: [UInt8], in range: Range<Int>) -> Bool {
    guard literal.count <= range.count else { return false }
    var position = range.lowerBound
    while position + literal.count <= range.upperBound {
      var index = 0
      while index < literal.count, ASCII.lower(fields.text[position + index]) == literal[index] { index += 1 }
      if index == literal.count { return true }
      position += 1
    }
    return false
  }

  func holds(_ predicate: EventRule.Predicate) -> Bool {
    guard let range = value(predicate.field) else { return false }
    let bytes = fields.text.span
    for matcher in predicate.anyOf {
      let isMet =
        switch matcher {
        case .number(let number):
          FieldText.number(bytes, start: range.lowerBound, end: range.upperBound) == number
        case .text(let text):
          FieldText.equals(bytes, start: range.lowerBound, end: range.upperBound, lowercase: text)
        case .wildcard(let pieces): Wildcard.matches(pieces, bytes, start: range.lowerBound, end: range.upperBound)
        case .field(let other): value(other).map { FieldText.equals(bytes, range, $0) } ?? false
        }
      if isMet { return true }
    }
    return false
  }

  // MARK: Verdicts

  /// What the signature says of events with this id, where nothing else decides it.
  private mutating func settle(_ index: Int) -> EventRule.Settled? {
    guard eventRules[index].isSettledByID, let eventID = fields.eventID else { return nil }
    if let known = eventRules[index].settled, known.eventID == eventID { return known }
    let entry = rules.compiled[index]
    var settled = EventRule.Settled(eventID: eventID, yields: nil)
    if let verdict = refined(Verdict(entry.signature), entry, value: { _, _ in String(eventID) }) {
      settled.yields = verdict.yield(entry.signature.yields)
      settled.protocolName = verdict.protocolName.map { names.id(of: $0) }
      settled.outcome = verdict.outcome.number
    }
    eventRules[index].settled = settled
    return settled
  }

  func eventVerdict(
    _ entry: CompiledRules.Compiled, _ origin: Origin, _ location: Location, _ batch: inout RecordBatch
  ) -> Verdict? {
    if let pattern = entry.pattern {
      guard let message = fields.message else { return nil }
      let end = min(message.upperBound, message.lowerBound + Limits.patternWindowByteCount)
      switch matcher.match(pattern, fields.text.span, start: message.lowerBound, end: end, from: message.lowerBound) {
      case .none: return nil
      case .limit:
        batch.skip(
          .patternLimit, start: location.chunkStart, end: location.chunkEnd, lineIndex: location.physicalLine)
        return nil
      case .match: break
      }
    }
    return refined(Verdict(entry.signature), entry) { code, name in
      if case .group(let number) = code.origin { return fields.string(matcher.group(number)) }
      return switch name {
      case "event-id": fields.eventID.map { String($0) }
      case "log": origin.log
      default: fields.string(value(EventRule.Field(name)))
      }
    }
  }

  /// Asks the code tables; nil when the first of them does not know the value.
  private func refined(
    _ start: Verdict, _ entry: CompiledRules.Compiled,
    value: ((origin: CompiledRules.CodeOrigin, source: CodeSource), String) -> String?
  ) -> Verdict? {
    var verdict = start
    for (position, code) in entry.codes.enumerated() {
      let table = rules.rules.tables[code.source.table]
      guard let value = value(code, code.source.fields[0]), let row = table.row(for: value) else {
        if position == 0 { return nil }
        continue
      }
      verdict.refine(row, table.kind, isFirst: position == 0, spelled: value)
    }
    return verdict
  }

  // MARK: Fields

  /// Whether the event speaks for the client's or the server's side of its handshake. Windows writes the word in the
  /// language of the system; these are the ones known from public samples.
  private func side() -> HostRole? {
    guard let range = fields.value(of: "Type") else { return nil }
    let bytes = fields.text.span
    if range.count == 6 {
      if bytes.hasCaseless("server", at: range.lowerBound) { return .server }
      if bytes.hasCaseless("client", at: range.lowerBound) { return .client }
    }
    switch fields.string(range)?.lowercased() {
    case "客户端", "cliente", "クライアント": return .client
    case "服务器", "servidor", "サーバー", "serveur": return .server
    default: return nil
    }
  }

  private func fillEvent(_ finding: inout Finding, _ signature: Signature, _ origin: Origin) {
    let host = fields.string(fields.computer) ?? origin.host
    finding.host = host.map(HostName.normal)
    finding.log = origin.log
    finding.component = fields.string(fields.value(of: "CallerProcessImageName")) ?? fields.string(fields.provider)
    finding.writer = fields.processID.map { String($0) }
    finding.protocolName = finding.protocolName ?? fields.string(fields.value(of: "Protocol"))
    finding.cipher = fields.string(fields.value(of: "CipherSuite"))
    if let range = fields.value(of: "AlertDesc"),
      let number = FieldText.number(fields.text.span, start: range.lowerBound, end: range.upperBound)
    {
      finding.alert = Int(exactly: number)
    }
    let side = side()
    let isServer = signature.hostIs == .server || side == .server
    if isServer { finding.server = finding.host }
    if signature.hostIs == .client || side == .client { finding.client = finding.host }
    if !isServer {
      let target = fields.string(fields.value(of: "TargetName")) ?? fields.string(fields.value(of: "Name"))
      finding.server = target.map(HostName.normal)
    }
  }

  private mutating func eventSighting(
    _ index: Int, _ settled: EventRule.Settled, _ origin: Origin
  ) -> SightingKey {
    let host = eventHostID(origin)
    let isClient = eventRules[index].isClient || side() == .client
    pendingClients.append(isClient)
    let target = isClient ? fields.value(of: "TargetName").map { hostID($0) } ?? 0 : 0
    if eventRules[index].role == nil {
      eventRules[index].role = names.id(of: rules.compiled[index].signature.role ?? "")
    }
    return SightingKey(
      clientLow: UInt64(isClient ? host : 0), server: isClient ? target : host, role: eventRules[index].role ?? 0,
      protocolName: settled.protocolName ?? wordID(fields.value(of: "Protocol")),
      cipher: wordID(fields.value(of: "CipherSuite")), outcome: settled.outcome)
  }

  /// The id of the machine that the event is of.
  mutating func eventHostID(_ origin: Origin) -> UInt32 {
    if let computer = fields.computer, !computer.isEmpty { return hostID(computer) }
    return names.id(of: origin.host.map(HostName.normal) ?? "")
  }

  /// The id of a machine's name as it stands in `fields.text`, 0 when it is empty.
  private mutating func hostID(_ range: Range<Int>) -> UInt32 {
    let text = fields.text
    return hostMemo.id(of: text.span, range.lowerBound, range.upperBound) { [names] in
      names.id(of: range.isEmpty ? "" : HostName.normal(Text.decode(text.span.extracting(range))))
    }
  }

  /// The id of a protocol or cipher as it stands in `fields.text`, 0 when there is none.
  private mutating func wordID(_ range: Range<Int>?) -> UInt32 {
    guard let range else { return 0 }
    let text = fields.text
    return wordMemo.id(of: text.span, range.lowerBound, range.upperBound) { [names] in
      names.id(of: range.isEmpty ? "" : Text.decode(text.span.extracting(range)))
    }
  }
}

/// Field values compared as bytes.
enum FieldText {
  /// Decimal, or hexadecimal behind `0x`; nil for other text and beyond 64 bits.
  static func number(_ bytes: Span<UInt8>, start: Int, end: Int) -> UInt64? {
    guard end > start else { return nil }
    var value: UInt64 = 0
    if end - start > 2, bytes[start] == 0x30, bytes[start + 1] | 0x20 == 0x78 {
      guard end - start <= 18 else { return nil }
      for index in (start + 2)..<end {
        guard let digit = ASCII.hexValue(bytes[index]) else { return nil }
        value = value << 4 | UInt64(digit)
      }
      return value
    }
    guard end - start <= 19 else { return nil }
    for index in start..<end {
      guard ASCII.isDigit(bytes[index]) else { return nil }
      value = value * 10 + UInt64(bytes[index] - 0x30)
    }
    return value
  }

  static func equals(_ bytes: Span<UInt8>, start: Int, end: Int, lowercase: [UInt8]) -> Bool {
    guard end - start == lowercase.count else { return false }
    for index in 0..<lowercase.count where ASCII.lower(bytes[start + index]) != lowercase[index] { return false }
    return true
  }

  static func equals(_ bytes: Span<UInt8>, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
    guard left.count == right.count else { return false }
    for index in 0..<left.count
    where ASCII.lower(bytes[left.lowerBound + index]) != ASCII.lower(bytes[right.lowerBound + index]) { return false }
    return true
  }
}
