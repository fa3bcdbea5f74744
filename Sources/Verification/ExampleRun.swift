import Clients
import Definitions
import Detection
import Extraction
import Records

/// Runs the examples of signatures and formats through the whole walk and says what came out otherwise than stated.
package struct ExampleRun {
  package private(set) var exampleCount = 0
  package private(set) var diagnostics: [Diagnostic] = []
  private let set: DefinitionSet
  private let engine: Engine

  package init?(_ set: DefinitionSet) {
    guard let engine = set.engine else { return nil }
    self.set = set
    self.engine = engine
  }

  package mutating func runAll() {
    for (signature, examples) in zip(set.load.ruleSet.signatures, set.load.examples) {
      var recognised = 0
      for example in examples.examples {
        exampleCount += 1
        let (result, fault) = ExampleRun.outcome(of: example, signature, engine)
        if result.counts(signature.id) { recognised += 1 }
        guard let fault else { continue }
        diagnostics.append(
          Diagnostic(what: "example of '\(signature.id)': \(fault.what)", at: example.place, fix: fault.fix))
      }
      // A look-alike has nothing to show but that it was recognised.
      if signature.yields == .none, recognised < 2, let place = examples.examples.first?.place {
        diagnostics.append(
          Diagnostic(
            what: "'\(signature.id)' recognises \(recognised) of its examples", at: place,
            fix: "give at least two lines that its anchors and pattern match"))
      }
    }
    for format in set.load.formats {
      for example in format.examples {
        exampleCount += 1
        let differences = differences(example, format)
        if !differences.isEmpty {
          diagnostics.append(
            Diagnostic(
              what: "example of format '\(format.name)': \(differences.joined(separator: "; "))", at: example.place,
              fix: "correct the example or its 'expect:'"))
        }
      }
    }
  }

  // MARK: Signatures

  /// What the walk made of one example.
  package struct Result {
    package var findings: [Finding]
    package var sightings: [SightingRow]
    /// Ids of the signatures that held.
    package var held: [String]
    func counts(_ id: String) -> Bool { held.contains(id) }
  }

  /// What is wrong with an example, and how to mend it.
  package struct Fault {
    package var what: String
    package var fix = "correct the example or the signature"
  }

  /// Runs one example; a fault when it came out otherwise than stated.
  package static func outcome(
    of example: SignatureExample, _ signature: Signature, _ engine: Engine
  ) -> (result: Result, fault: Fault?) {
    let log = logName(of: example, signature, engine)
    let text = record(example, signature, log: log ?? "")
    let origin = Origin(host: example.host ?? "PC-0042", log: log ?? "", path: "example")
    let result = result(text, origin, engine)
    if log == nil {
      let fault = Fault(
        what: "the line does not name its log, and the signature has 'logs'",
        fix: "add 'log:' with the name of the file that holds such lines")
      return (result, fault)
    }
    guard let what = fault(example.expect, result, signature, (text, origin, engine)) else { return (result, nil) }
    return (result, Fault(what: what))
  }

  package static func result(of example: SignatureExample, _ signature: Signature, _ engine: Engine) -> Result {
    outcome(of: example, signature, engine).result
  }

  private static func result(_ text: String, _ origin: Origin, _ engine: Engine) -> Result {
    let names = NameTable()
    var pipeline = Pipeline(engine, names: names)
    pipeline.begin(stream: 0, path: "example", origin: origin)
    _ = pipeline.process(Chunk(text: Array(text.utf8)))
    let held = zip(engine.rules.rules.signatures, pipeline.signatureCounts).filter { $0.1 > 0 }.map(\.0.id)
    return Result(
      findings: pipeline.result().findings, sightings: SightingRow.all(pipeline.census, names: names), held: held)
  }

  /// The log that the example is read from. A raw line is in the log that it names itself, as a replay would see it: with
  /// a name of our own an example would pass that `logs:` keeps out of every real file.
  /// - Returns: nil when the line names none and `logs:` asks for one.
  private static func logName(of example: SignatureExample, _ signature: Signature, _ engine: Engine) -> String? {
    if let log = example.log { return Origin.logName(ofPath: log) }
    let wanted = wantedLog(signature) ?? delimitedLog(signature, engine) ?? "CcmMessaging"
    guard isRaw(example.line) else { return wanted }
    let chunk = Chunk(text: Array(example.line.utf8))
    let seen = try? Inspection(chunk, origin: Origin(host: nil, log: "", path: "example"), engine: engine)
    for record in seen?.records ?? [] {
      // An envelope that told the path named the log.
      if !record.origin.log.isEmpty { return record.origin.log }
      if let component = record.component, !component.isEmpty, record.format.family == .text { return component }
    }
    let isText = seen?.records.contains { $0.format.family == .text } ?? true
    return isText && !signature.logs.isEmpty && signature.delimited.isEmpty ? nil : wanted
  }

  /// A log whose name makes its lines records of the signature's delimited format.
  private static func delimitedLog(_ signature: Signature, _ engine: Engine) -> String? {
    let rule = engine.rules.rules.delimited.first { signature.delimited.contains($0.name) }
    return rule?.logs.first.map { Text.decode(Array($0.joined(separator: [0x31]))) }
  }

  /// The first plain name of `logs:`: what was put into a frame by us is in the log that the signature asks for.
  private static func wantedLog(_ signature: Signature) -> String? {
    for pieces in signature.logs where pieces.count == 1 { return Text.decode(pieces[0]) }
    if let prefix = signature.logs.first?.first, !prefix.isEmpty { return Text.decode(prefix) }
    return nil
  }

  /// Whether a line stands as a file holds it, frame and all.
  private static func isRaw(_ line: String) -> Bool {
    line.contains("<![LOG[") || line.contains("$$<") || line.hasPrefix("{") || line.hasPrefix("<")
  }

  /// The example as a file would hold it: a bare message is put into the first of the signature's formats.
  private static func record(_ example: SignatureExample, _ signature: Signature, log: String) -> String {
    if let fields = example.fields { return "#Fields: \(fields)\n\(example.line)\n" }
    let line = example.line
    if isRaw(line) { return line + "\n" }
    let format = RecordFormat.allCases.first { signature.formats.contains($0) && $0.isFramed && $0 != .line }
    switch format {
    case .cmtrace?:
      return
        "<![LOG[\(line)]LOG]!><time=\"06:00:00.123+000\" date=\"03-02-2026\" component=\"\(log)\" context=\"\" type=\"3\" thread=\"4242\" file=\"source.cpp:100\">\n"
    case .simple?:
      let flat = line.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "~~")
      return "\(flat)  $$<\(log)><03-02-2026 06:00:00.123+000><thread=4242 (0x1092)>\n"
    default: return line + "\n"
    }
  }

  /// What differs from the expectation, or nil.
  private static func fault(
    _ expectation: Expectation, _ result: Result, _ signature: Signature,
    _ run: (text: String, origin: Origin, engine: Engine)
  ) -> String? {
    switch expectation {
    case .none:
      guard let finding = result.findings.first else { return nil }
      let what = "\(finding.findingClass.rawValue)/\(finding.cause.rawValue)"
      return finding.signature == signature.id
        ? "the near miss matched: nothing was expected, and it is found as \(what)"
        : "nothing was expected, and '\(finding.signature)' found \(what)"
    case .context:
      if let finding = result.findings.first { return "context was expected, and '\(finding.signature)' fired" }
      if result.counts(signature.id) { return nil }
      return "context was expected, and the signature did not hold" + reason(signature.id, result, run)
    case .fields(let fields):
      let id = fields["signature"] ?? signature.id
      let findings = result.findings.filter { $0.signature == id }
      let wanted = fields.filter { $0.key != "signature" }
      if !findings.isEmpty {
        return leastDifference(findings.map { finding in (wanted, { finding.text(of: $0) }) })
      }
      if signature.yields == .sighting || wanted["outcome"] != nil || wanted["class"] == nil, !result.sightings.isEmpty,
        result.counts(id)
      {
        return leastDifference(result.sightings.map { row in (wanted, { row.text(of: $0) }) })
      }
      return "'\(id)' \(result.counts(id) ? "held and found nothing" : "did not hold")" + reason(id, result, run)
    }
  }

  /// At which stage a signature fell away, and what held instead: `: its pattern does not match; 'code.tls' held`.
  private static func reason(
    _ id: String, _ result: Result, _ run: (text: String, origin: Origin, engine: Engine)
  ) -> String {
    var others: [String] = []
    for other in result.findings.map(\.signature) + result.held where other != id && !others.contains(other) {
      others.append(other)
    }
    let instead = others.isEmpty ? "" : "; \(others.map { "'\($0)'" }.joined(separator: ", ")) held"
    let chunk = Chunk(text: Array(run.text.utf8))
    guard let seen = try? Inspection(chunk, origin: run.origin, engine: run.engine, asking: id),
      let best = seen.bestTrial(of: id)
    else { return ": no record was read" + instead }
    switch best.trial {
    case .held(.none): return ": its code row makes the record a look-alike" + instead
    case .held(.context): return ": its code row makes the record context" + instead
    case .held(.sighting): return ": its code row makes the record a sighting" + instead
    case .held(.finding): return instead
    case .fell(.taken(let other)): return ": '\(other)' took the record"
    case .fell: return ": \(best.reason ?? "")" + instead
    }
  }

  /// Nil when one of the candidates agrees; else all that the one differs in which is nearest.
  private static func leastDifference(_ candidates: [([String: String], (String) -> String?)]) -> String? {
    var least: [String]?
    for (wanted, value) in candidates {
      let differences = wanted.sorted { $0.key < $1.key }.filter { value($0.key) != $0.value }.map {
        "\($0.key) is \(value($0.key).map { "'\($0)'" } ?? "empty"), expected '\($0.value)'"
      }
      if differences.isEmpty { return nil }
      if differences.count < least?.count ?? .max { least = differences }
    }
    return least?.joined(separator: "; ")
  }

  // MARK: Formats

  /// All in which a format's example differs from what it states.
  private func differences(_ example: FormatExample, _ format: FormatDefinition) -> [String] {
    let chunk = Chunk(text: Array(example.text.utf8))
    guard
      let seen = try? Inspection(
        chunk, origin: Origin(host: nil, log: format.exampleLog, path: "example"), engine: engine)
    else { return ["the walk could not be made"] }
    let expect = example.expect
    let wanted = expect.format ?? format.format
    var differences: [String] = []
    if let records = expect.records, UInt64(records) != seen.recordCounts[Int(wanted.rawValue)] {
      differences.append("\(seen.recordCounts[Int(wanted.rawValue)]) records of \(wanted.name), expected \(records)")
    }
    if let torn = expect.torn, torn != seen.tornCount {
      differences.append("\(seen.tornCount) torn records, expected \(torn)")
    }
    let first = seen.records.first { $0.format == wanted && !$0.isTorn }
    // Instants are compared as they are printed, in milliseconds: `06:00:00Z` is `06:00:00.000Z`.
    if let time = expect.time, first?.time?.rfc3339 != time.rfc3339 {
      differences.append("the time is '\(first?.time?.rfc3339 ?? "nothing")', expected '\(time.rfc3339)'")
    }
    if let component = expect.component, first?.component != component {
      differences.append("the component is '\(first?.component ?? "nothing")', expected '\(component)'")
    }
    if let message = expect.message, first?.message != message {
      differences.append("the message is '\(first?.message ?? "nothing")', expected '\(message)'")
    }
    return differences
  }
}

extension Finding {
  /// A field by its name in the JSON object, as text.
  package func text(of name: String) -> String? {
    switch name {
    case "class": findingClass.rawValue
    case "cause": cause.rawValue
    case "severity": severity.rawValue
    case "code": code
    case "symbol": symbol
    case "server": server
    case "client": client
    case "clientID": clientID
    case "clientIP": clientIP
    case "host": host
    case "component": component
    case "role": role
    case "protocol": protocolName
    case "cipher": cipher
    case "alert": alert.map { String($0) }
    case "area": area.map { String($0) }
    case "feature": feature?.rawValue
    case "stack": stack?.rawValue
    case "confidence": confidence.rawValue
    default: nil
    }
  }
}

extension SightingRow {
  package func text(of name: String) -> String? {
    switch name {
    case "client": client
    case "clientIP": clientIP
    case "server": server
    case "role": role
    case "protocol": protocolName
    case "cipher": cipher
    case "outcome": outcome.rawValue
    case "os": system
    default: nil
    }
  }
}
