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
        let result = ExampleRun.result(of: example, signature, engine)
        if result.counts(signature.id) { recognised += 1 }
        guard let fault = ExampleRun.fault(example.expect, result, signature) else { continue }
        diagnostics.append(
          Diagnostic(
            what: "example of '\(signature.id)': \(fault)", at: example.place,
            fix: "correct the example or the signature"))
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
        if let fault = fault(example, format) {
          diagnostics.append(
            Diagnostic(
              what: "example of format '\(format.name)': \(fault)", at: example.place,
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

  package static func result(of example: SignatureExample, _ signature: Signature, _ engine: Engine) -> Result {
    let log = example.log ?? logName(signature, engine.rules.rules.delimited)
    let chunk = Chunk(text: Array(record(example, signature, log: log).utf8))
    let names = NameTable()
    guard var pipeline = try? Pipeline(engine, names: names) else {
      return Result(findings: [], sightings: [], held: [])
    }
    pipeline.begin(
      stream: 0, path: "example", origin: Origin(host: example.host ?? "PC-0042", log: log, path: "example"))
    _ = pipeline.process(chunk)
    let held = zip(engine.rules.rules.signatures, pipeline.signatureCounts).filter { $0.1 > 0 }.map(\.0.id)
    return Result(
      findings: pipeline.result().findings, sightings: SightingRow.all(pipeline.census, names: names), held: held)
  }

  /// The first plain name of `logs:`, else a client log.
  private static func logName(_ signature: Signature, _ delimited: [DelimitedRule]) -> String {
    for pieces in signature.logs where pieces.count == 1 { return Text.decode(pieces[0]) }
    if let prefix = signature.logs.first?.first, !prefix.isEmpty { return Text.decode(prefix) }
    if let rule = delimited.first(where: { signature.delimited.contains($0.name) }), let log = rule.logs.first {
      return Text.decode(Array(log.joined(separator: [0x31])))
    }
    return "CcmMessaging"
  }

  /// The example as a file would hold it: a bare message is put into the first of the signature's formats.
  private static func record(_ example: SignatureExample, _ signature: Signature, log: String) -> String {
    if let fields = example.fields { return "#Fields: \(fields)\n\(example.line)\n" }
    let line = example.line
    if line.contains("<![LOG[") || line.contains("$$<") || line.hasPrefix("{") || line.hasPrefix("<") {
      return line + "\n"
    }
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
  package static func fault(_ expectation: Expectation, _ result: Result, _ signature: Signature) -> String? {
    switch expectation {
    case .none:
      guard let finding = result.findings.first else { return nil }
      return
        "nothing was expected, and '\(finding.signature)' found \(finding.findingClass.rawValue)/\(finding.cause.rawValue)"
    case .context:
      if let finding = result.findings.first { return "context was expected, and '\(finding.signature)' fired" }
      return result.counts(signature.id) ? nil : "context was expected, and the signature did not hold"
    case .fields(let fields):
      let id = fields["signature"] ?? signature.id
      let findings = result.findings.filter { $0.signature == id }
      let wanted = fields.filter { $0.key != "signature" }
      if !findings.isEmpty {
        return bestFault(findings.map { finding in (wanted, { finding.text(of: $0) }) })
      }
      if signature.yields == .sighting || wanted["outcome"] != nil || wanted["class"] == nil, !result.sightings.isEmpty,
        result.counts(id)
      {
        return bestFault(result.sightings.map { row in (wanted, { row.text(of: $0) }) })
      }
      let fired = result.findings.map(\.signature) + result.held.filter { $0 != id }
      return "'\(id)' did not hold" + (fired.isEmpty ? "" : "; \(fired.joined(separator: ", ")) did")
    }
  }

  /// Nil when one of the candidates agrees; else what the first differs in.
  private static func bestFault(_ candidates: [([String: String], (String) -> String?)]) -> String? {
    var first: String?
    for (wanted, value) in candidates {
      var fault: String?
      for (key, text) in wanted.sorted(by: { $0.key < $1.key }) where value(key) != text {
        fault = "\(key) is '\(value(key) ?? "nothing")', expected '\(text)'"
        break
      }
      guard let fault else { return nil }
      if first == nil { first = fault }
    }
    return first
  }

  // MARK: Formats

  private func fault(_ example: FormatExample, _ format: FormatDefinition) -> String? {
    let chunk = Chunk(text: Array(example.text.utf8))
    guard
      let seen = try? Inspection(
        chunk, origin: Origin(host: nil, log: format.exampleLog, path: "example"), engine: engine)
    else { return "the walk could not be made" }
    let expect = example.expect
    let wanted = expect.format ?? format.format
    if let records = expect.records, UInt64(records) != seen.recordCounts[Int(wanted.rawValue)] {
      return "\(seen.recordCounts[Int(wanted.rawValue)]) records of \(wanted.name), expected \(records)"
    }
    if let torn = expect.torn, torn != seen.tornCount { return "\(seen.tornCount) torn records, expected \(torn)" }
    let first = seen.records.first { $0.format == wanted && !$0.isTorn }
    if let time = expect.time, first?.time?.rfc3339 != time {
      return "the time is '\(first?.time?.rfc3339 ?? "nothing")', expected '\(time)'"
    }
    if let component = expect.component, first?.component != component {
      return "the component is '\(first?.component ?? "nothing")', expected '\(component)'"
    }
    if let message = expect.message, first?.message != message {
      return "the message is '\(first?.message ?? "nothing")', expected '\(message)'"
    }
    return nil
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
