import Records

/// One failed handshake may leave several records (Schannel 36874 and 36888, the lines around a WinHTTP error). Records of
/// one group, one host and one writer within a second of the first are that same failure.
package enum SameFailure {
  /// How far apart the records of one failure lie, in microseconds. They are written within milliseconds; a second
  /// leaves room for logs that carry whole seconds.
  package static let window: Int64 = 1_000_000

  /// Sets `sameAs` on every finding that tells again what an earlier one told; what was set before is forgotten.
  ///
  /// The earlier one is the first by event time, then by stream and offset: any order of input gives the same.
  /// The first of a failure is the record that names the cause best: findings of unknown cause point to a known one.
  package static func link(_ findings: inout [Finding]) {
    struct Writer: Hashable {
      var group: String
      var host: String
      var writer: String
    }
    var groups: [Writer: [Int]] = [:]
    for index in findings.indices {
      findings[index].sameAs = nil
      guard let group = findings[index].eventGroup, findings[index].time != nil else { continue }
      let host = findings[index].host ?? findings[index].path
      groups[Writer(group: group, host: host.lowercased(), writer: findings[index].writer ?? ""), default: []].append(index)
    }
    for members in groups.values where members.count > 1 {
      let ordered = members.sorted { left, right in
        let a = findings[left]
        let b = findings[right]
        if a.time! != b.time! { return a.time! < b.time! }
        return (a.stream, a.offset) < (b.stream, b.offset)
      }
      var start = 0
      while start < ordered.count {
        var end = start + 1
        let first = findings[ordered[start]]
        // Records that repeat the signature are another failure, not the same one told again.
        var seen: Set<String> = [first.signature]
        while end < ordered.count {
          let next = findings[ordered[end]]
          guard next.time!.microseconds - first.time!.microseconds <= window, seen.insert(next.signature).inserted
          else { break }
          end += 1
        }
        for position in (start + 1)..<max(end, start + 1) { findings[ordered[position]].sameAs = first.evidence }
        start = end
      }
    }
  }
}
