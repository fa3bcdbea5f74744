import Clients
import Detection
import Extraction
import Records
import TestSupport
import Testing

/// The slow, obvious twin of the column path: rows by `split`, values by name.
enum RowTwin {
  struct Seen: Hashable {
    var client: String?
    var server: String?
    var role: String?
    var protocolName: String?
    var outcome: String
    var count: UInt64
  }

  /// - Returns: sightings as the census counts them, and how many rows were refused.
  static func read(_ text: String, host: String, roles: [RoleRule]) -> (seen: Set<Seen>, refused: Int) {
    var fields: [String] = []
    var counts: [Seen: UInt64] = [:]
    var refused = 0
    // Character by character CR LF would be one: lines are cut as bytes.
    for bytes in text.utf8.split(separator: 0x0A) {
      let line = String(decoding: bytes.last == 0x0D ? bytes.dropLast() : bytes, as: UTF8.self)
      if line.hasPrefix("#Fields:") {
        fields = line.dropFirst(8).split(separator: " ").map { $0.lowercased() }
        continue
      }
      if line.hasPrefix("#") { continue }
      var values = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
      if values.count != fields.count { values = values.filter { !$0.isEmpty } }
      guard values.count == fields.count else {
        refused += 1
        continue
      }
      let row = Dictionary(zip(fields, values)) { first, _ in first }
      let client = row["c-ip"].flatMap { text -> String? in
        let bytes = Array(text.utf8)
        return IPAddress(bytes.span, start: 0, end: bytes.count)?.text
      }
      let name = row["s-computername"].flatMap { $0 == "-" ? nil : $0 }
      let protocols = ["40": "TLS 1.0", "100": "TLS 1.1", "400": "TLS 1.2", "1000": "TLS 1.3", "10": "SSL 3.0"]
      let status = Int(row["sc-status"] ?? "") ?? -1
      let substatus = Int(row["sc-substatus"] ?? "") ?? 0
      let outcome =
        status >= 500
        ? "failed" : status == 403 && [4, 5, 7, 12, 13, 16, 17].contains(substatus) ? "refused" : "succeeded"
      let stem = row["cs-uri-stem"] ?? ""
      let role = stem.count > 1 ? roles.first { Wildcard.matches($0.pieces, stem) }?.role : nil
      let crypt = row["crypt-protocol"].flatMap { $0 == "-" ? nil : protocols[$0] ?? $0 }
      counts[
        Seen(client: client, server: name ?? host, role: role, protocolName: crypt, outcome: outcome, count: 0),
        default: 0] += 1
    }
    return (
      Set(
        counts.map { key, count in
          Seen(
            client: key.client, server: key.server, role: key.role, protocolName: key.protocolName,
            outcome: key.outcome, count: count)
        }), refused
    )
  }
}

@Suite struct RowTwinTests {
  @Test(arguments: UInt64(0)..<150)
  func theColumnPathAgreesWithSplitting(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var names = [
      "date", "time", "s-ip", "cs-method", "cs-uri-stem", "cs-uri-query", "s-port", "cs-username", "c-ip",
      "cs(User-Agent)", "sc-status", "sc-substatus", "sc-win32-status", "time-taken", "crypt-protocol", "X-Own",
      "s-computername",
    ]
    func value(_ name: String) -> String {
      switch name {
      case "date": "2026-03-0\(Int.random(in: 1...9, using: &generator))"
      case "time": "0\(Int.random(in: 0...9, using: &generator)):00:0\(Int.random(in: 0...9, using: &generator))"
      case "c-ip":
        [
          "10.0.0.\(Int.random(in: 1...4, using: &generator))", "10.0.0.255", "10.0.0.256", "2001:db8::1%4", "fe80::1",
          "::ffff:10.0.0.2", "-", "nonsense",
        ].randomElement(using: &generator)!
      case "cs-uri-stem":
        [
          "/ccm_system/request", "/SMS_MP/.sms_aut", "/", "-", "/SMS_DP_SMSPKG$/x", "/other",
          "/ClientWebService/client.asmx",
        ]
        .randomElement(using: &generator)!
      case "sc-status": ["200", "200", "304", "401", "404", "500", "-"].randomElement(using: &generator)!
      case "sc-substatus": ["0", "0", "2"].randomElement(using: &generator)!
      case "crypt-protocol": ["40", "400", "-", "1000", "abc"].randomElement(using: &generator)!
      case "s-computername": ["-", "MP01"].randomElement(using: &generator)!
      default: ["-", "x", "a+b", "ü"].randomElement(using: &generator)!
      }
    }
    var text = "#Software: x\r\n"
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      names.shuffle(using: &generator)
      // Rows are known by their date: it stays in front.
      names.remove(at: names.firstIndex(of: "date")!)
      names.insert("date", at: 0)
      let count = Int.random(in: 8...names.count, using: &generator)
      let fields = Array(names.prefix(count))
      text += "#Fields: " + fields.joined(separator: " ") + (Bool.random(using: &generator) ? " " : "") + "\r\n"
      for _ in 0..<30 {
        var values = fields.map { value($0) }
        switch Int.random(in: 0..<20, using: &generator) {
        case 0: values.append("more")
        case 1: values.removeLast()
        case 2: values[2] = " " + values[2]
        default: break
        }
        text += values.joined(separator: " ") + (Bool.random(using: &generator) ? "\r\n" : "\n")
      }
    }
    let outcome = try TestEngine.run(Array(text.utf8), host: "iis01", log: "u_ex260302")
    let twin = RowTwin.read(text, host: "iis01", roles: TestEngine.engine.rules.rules.roles)
    var seen: [RowTwin.Seen: UInt64] = [:]
    for row in outcome.sightings {
      let key = RowTwin.Seen(
        client: row.clientIP, server: row.server, role: row.role, protocolName: row.protocolName,
        outcome: row.outcome.rawValue, count: 0)
      seen[key, default: 0] += row.count
    }
    // Self tests of the server (c-ip = s-ip) do not occur here: s-ip is never an address.
    let ours = Set(
      seen.map { key, count in
        RowTwin.Seen(
          client: key.client, server: key.server, role: key.role, protocolName: key.protocolName, outcome: key.outcome,
          count: count)
      })
    #expect(ours.subtracting(twin.seen) == [])
    #expect(twin.seen.subtracting(ours) == [])
    #expect(outcome.result.skips[.w3cColumns].count == UInt64(twin.refused))
  }

  /// Rows that are known by their classes and rows that are judged one by one are the same rows: IIS and HTTPERR samples,
  /// and the same with columns swapped, values doubled and lines cut.
  @Test(arguments: UInt64(0)..<60)
  func classesSayWhatEachRowSays(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let samples = PackageRoot.files(below: "sample-logs").filter { sample in
      let name = sample.path.split(separator: "/").last!.lowercased()
      return name.hasPrefix("u_ex") || name.hasPrefix("httperr")
    }
    try #require(samples.count > 3)
    var text: [UInt8] = []
    for _ in 0..<3 { text += samples.randomElement(using: &generator)!.bytes }
    var lines = text.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
    for _ in 0..<Int.random(in: 0...lines.count, using: &generator) {
      let line = lines.indices.randomElement(using: &generator)!
      var fields = lines[line].split(separator: 0x20, omittingEmptySubsequences: false).map(Array.init)
      let other = lines.randomElement(using: &generator)!.split(separator: 0x20).map(Array.init)
      guard !fields.isEmpty, !other.isEmpty else { continue }
      switch Int.random(in: 0..<9, using: &generator) {
      case 0: fields.swapAt(fields.indices.randomElement(using: &generator)!, 0)
      case 1: fields.append(fields[0])
      case 2: fields.removeLast()
      case 3: fields[fields.count / 2] = Array("\u{0}x".utf8)
      case 4: fields = [Array(fields.joined(separator: [0x09]))]
      case 5:
        for index in fields.indices where fields[index].first.map({ (0x30...0x39).contains($0) }) ?? false {
          if fields[index].contains(0x2E) { fields[index] = Array("2001:db8::\(seed % 9)".utf8) }
        }
      case 6: fields[fields.count / 2] = Array(repeating: 0x61, count: Int.random(in: 1...300, using: &generator))
      default: fields[fields.indices.randomElement(using: &generator)!] = other.randomElement(using: &generator)!
      }
      lines[line] = Array(fields.joined(separator: [0x20]))
    }
    // Or rows of several hosts in turn, each line in an envelope.
    if seed % 2 == 1 {
      let hosts = (0..<Int.random(in: 1...5, using: &generator)).map { "IIS\($0)" }
      lines = lines.flatMap { line in
        let isForAll = line.starts(with: "#Fields".utf8) && Int.random(in: 0..<8, using: &generator) > 0
        let own = isForAll ? hosts : [hosts.randomElement(using: &generator)!]
        return own.map { Array("<13>1 2026-03-02T06:00:00Z \($0) u_ex260302 - - - ".utf8) + line }
      }
    }
    text = Array(lines.joined(separator: [0x0A]))
    var oneByOne = ExtractionOptions()
    oneByOne.usesRowClasses = false
    let readByteCount = [64, 1000, 256 * 1024].randomElement(using: &generator)!
    let host: String? = Bool.random(using: &generator) ? "IIS01" : nil
    let fast = try TestEngine.run(text, host: host, log: "u_ex260302", readByteCount: readByteCount)
    let slow = try TestEngine.run(text, host: host, log: "u_ex260302", options: oneByOne)
    #expect(fast.findings == slow.findings)
    #expect(fast.sightings == slow.sightings)
    #expect(fast.signatureCounts == slow.signatureCounts)
    for reason in SkipReason.allCases { #expect(fast.result.skips[reason] == slow.result.skips[reason]) }
    #expect(fast.result.firstTime == slow.result.firstTime && fast.result.lastTime == slow.result.lastTime)
  }
}
