import Records

/// What a signature asks of text records, in the form that candidates meet first: small, without references.
struct TextRule: Sendable {
  var yields: Yield
  /// A record that is taken is not asked again.
  var givesWay: Bool
  /// It names delimited formats.
  var namesDelimited: Bool
  /// What it yields when its pattern holds, where no code table has a say; nil where one has, and for findings.
  var settled: Yield?
  var outcome: UInt8
  var hostIs: HostRole?
  /// Ids of the name table for the role and the protocol of its sightings, once one was seen.
  var ids: (role: UInt32, protocolName: UInt32)?

  init(_ entry: CompiledRules.Compiled) {
    let signature = entry.signature
    yields = signature.yields
    givesWay = signature.isFallback || yields == .finding || yields == .none
    namesDelimited = !signature.delimited.isEmpty
    outcome = signature.outcome.number
    hostIs = signature.hostIs
    if entry.codes.isEmpty {
      let verdict = Verdict(signature).yield(yields)
      settled = verdict == .finding ? nil : verdict
    }
  }
}
