import Records

extension Extractor {
  /// An event: its fields are read once, then each candidate's `where:` decides.
  mutating func eventRecord(
    _ slot: RecordSlot, _ candidates: ArraySlice<Candidate>, _ text: Span<UInt8>, _ location: Location,
    _ batch: inout RecordBatch, _ evidence: inout Evidence
  ) {
    let isRead = readEvent(slot, text)
    guard isRead else {
      // A torn event has been counted by the framing.
      if !slot.isTorn {
        batch.skip(.badEvent, start: location.chunkStart, end: location.chunkEnd, lineIndex: location.physicalLine)
      }
      return
    }
    let origin = batch.origins[Int(slot.origin)]
    let time = fields.time ?? fields.localTime.map { options.zone.instant(ofLocal: $0) }
    var isTaken = false
    var isLookAlike = false
    var sightings: [SightingKey] = []
    for candidate in candidates {
      let index = Int(candidate.signature)
      let entry = rules.compiled[index]
      let signature = entry.signature
      if isTaken, signature.isFallback || signature.yields == .finding || signature.yields == .none { continue }
      guard holds(signature), let verdict = eventVerdict(entry, origin, location, &batch) else { continue }
      guard options.includes(time) else {
        evidence.outsideWindowCount += 1
        return
      }
      evidence.signatureCounts[index] += 1
      switch verdict.yield(signature.yields) {
      case .none:
        isTaken = true
        if signature.yields == .none { isLookAlike = true }
      case .context: break
      case .sighting: sightings.append(eventSighting(signature, verdict, origin))
      case .finding:
        isTaken = true
        var finding = newFinding(signature, verdict, location)
        finding.time = time
        fillEvent(&finding, signature, origin)
        evidence.findings.append(finding)
        if let time { evidence.noteTime(time) }
      }
    }
    if !isLookAlike {
      for key in sightings { evidence.sightings.append(key, at: time?.microseconds ?? .min) }
      if let time, !sightings.isEmpty { evidence.noteTime(time) }
    }
  }

  /// Reads the fields of an event in whatever rendering it is.
  mutating func readEvent(_ slot: RecordSlot, _ text: Span<UInt8>) -> Bool {
    let start = Int(slot.start)
    let end = Int(slot.end)
    switch slot.format {
    case .eventXML: guard EventXMLReader.read(text, start: start, end: end, into: &fields) else { return false }
    case .eventJSON: guard EventJSONReader.read(text, start: start, end: end, into: &fields) else { return false }
    case .snare: return EventTextReader.readSnare(text, start: start, end: end, into: &fields)
    case .eventText: return EventTextReader.readViewer(text, start: start, end: end, into: &fields)
    default: return false
    }
    // XML and JSON may carry the rendered text alone.
    SchannelText.fill(&fields)
    return true
  }

  // MARK: Predicates

  /// The range of a named field in `fields.text`; numbers of the system part are made where they are asked for.
  private func eventField(_ name: String) -> Range<Int>? {
    switch name {
    case "provider": fields.provider
    case "channel": fields.channel
    case "computer": fields.computer
    case "message": fields.message
    default: fields.value(of: name)
    }
  }

  private func holds(_ signature: Signature) -> Bool {
    if let literal = signature.text, fields.eventID == nil {
      // A rendering without ids: provider and text must speak.
      guard let message = fields.message, contains(literal, in: message) else { return false }
      for predicate in signature.predicates where predicate.field == "provider" && fields.provider != nil {
        if !holds(predicate) { return false }
      }
      return true
    }
    return signature.predicates.allSatisfy { holds($0) }
  }

  private func contains(_ literal: [UInt8], in range: Range<Int>) -> Bool {
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

  private func holds(_ predicate: FieldPredicate) -> Bool {
    if predicate.field == "event-id" {
      guard let id = fields.eventID else { return false }
      return predicate.anyOf.contains { matcher in
        if case .number(let number) = matcher { return number == UInt64(id) }
        return false
      }
    }
    guard let range = eventField(predicate.field) else { return false }
    let bytes = fields.text.span
    return predicate.anyOf.contains { matcher in
      switch matcher {
      case .number(let number):
        FieldText.number(bytes, start: range.lowerBound, end: range.upperBound) == number
      case .text(let text):
        FieldText.equals(bytes, start: range.lowerBound, end: range.upperBound, lowercase: text)
      case .wildcard(let pieces): Wildcard.matches(pieces, bytes, start: range.lowerBound, end: range.upperBound)
      case .field(let other):
        eventField(other).map { FieldText.equals(bytes, range, $0) } ?? false
      }
    }
  }

  private func eventVerdict(
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
    var verdict = Verdict(entry.signature)
    for (position, code) in entry.codes.enumerated() {
      let table = rules.rules.tables[code.source.table]
      let name = code.source.fields[0]
      var value: String?
      if case .group(let number) = code.origin {
        value = fields.string(matcher.group(number))
      } else if name == "event-id" {
        value = fields.eventID.map { String($0) }
      } else if name == "log" {
        value = origin.log
      } else {
        value = fields.string(eventField(name))
      }
      guard let value, let row = table.row(for: value) else {
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
    guard let word = fields.string(fields.value(of: "Type"))?.lowercased() else { return nil }
    switch word {
    case "client", "客户端", "cliente", "クライアント": return .client
    case "server", "服务器", "servidor", "サーバー", "serveur": return .server
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

  private func eventSighting(_ signature: Signature, _ verdict: Verdict, _ origin: Origin) -> SightingKey {
    let host = (fields.string(fields.computer) ?? origin.host).map(HostName.normal) ?? ""
    let isClient = signature.hostIs == .client || side() == .client
    let target = fields.string(fields.value(of: "TargetName")).map(HostName.normal) ?? ""
    return SightingKey(
      clientLow: UInt64(names.id(of: isClient ? host : "")), server: names.id(of: isClient ? target : host),
      role: names.id(of: signature.role ?? ""),
      protocolName: names.id(of: verdict.protocolName ?? fields.string(fields.value(of: "Protocol")) ?? ""),
      cipher: names.id(of: fields.string(fields.value(of: "CipherSuite")) ?? ""), outcome: verdict.outcome.number)
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
