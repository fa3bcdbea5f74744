import Records

/// One failed handshake may leave several records: Schannel 36874 and 36888, the lines around a WinHTTP or SQL error.
/// Records of one group, one host and one writer within a second of the first are that same failure.
///
/// A thread does one thing at a time, so everything it says within the second belongs together. A process (all that
/// Schannel events name) serves many at once: there the same signature again is another failure.
package enum SameFailure {
  /// How far apart the records of one failure lie, in microseconds. They are written within milliseconds; a second
  /// leaves room for logs that carry whole seconds.
  package static let window: Int64 = 1_000_000

  private struct Writer: Hashable {
    var group: String
    var host: String
    var writer: String
    var isThread: Bool
  }

  /// Sets `sameAs` on every finding that tells again what another one tells; what was set before is forgotten.
  ///
  /// The one they name is the first of them that knows the cause, else the first that tells more than a symptom, else
  /// the first; order is by event time, then stream and offset, so that any order of input gives the same.
  package static func link(_ findings: inout [Finding]) {
    var groups: [Writer: [Int]] = [:]
    for index in findings.indices {
      findings[index].sameAs = nil
      let finding = findings[index]
      guard let group = finding.eventGroup, finding.time != nil else { continue }
      let writer = Writer(
        group: group, host: (finding.host ?? finding.path).lowercased(), writer: finding.writer ?? "",
        isThread: finding.writerIsThread)
      groups[writer, default: []].append(index)
    }
    for (writer, members) in groups where members.count > 1 {
      let ordered = members.sorted { left, right in
        let a = findings[left]
        let b = findings[right]
        if a.time! != b.time! { return a.time! < b.time! }
        return (a.stream, a.offset) < (b.stream, b.offset)
      }
      var start = 0
      while start < ordered.count {
        let end = self.end(ordered, from: start, isThread: writer.isThread, findings)
        let one = ordered[start..<end]
        let teller =
          one.first { findings[$0].cause != .unknownTLS && findings[$0].findingClass != .orphanSymptom }
          ?? one.first { findings[$0].findingClass != .orphanSymptom } ?? one[start]
        let evidence = findings[teller].evidence
        for index in one where index != teller { findings[index].sameAs = evidence }
        start = end
      }
    }
  }

  /// Behind the last record of the failure that begins at `start`.
  private static func end(_ ordered: [Int], from start: Int, isThread: Bool, _ findings: [Finding]) -> Int {
    let first = findings[ordered[start]]
    var seen: Set<String> = [first.signature]
    var end = start + 1
    while end < ordered.count {
      let next = findings[ordered[end]]
      guard next.time!.microseconds - first.time!.microseconds <= window else { break }
      guard seen.insert(next.signature).inserted || isThread else { break }
      end += 1
    }
    return end
  }
}
