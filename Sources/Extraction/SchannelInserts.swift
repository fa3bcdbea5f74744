import Records

/// Names for Schannel's event data where a rendering kept nothing but its order: Fluent Bit's `StringInserts`, `<Data>`
/// without `Name`, read as `param1`, `param2` and so on.
///
/// The manifest of an event decides the order. Builds since Windows 10 2004 put the calling process first, so two values
/// more than the event has names, or still more, mean such a build; the oldest builds lack the last names.
///
///     36888  40, 1205, mp01                    → AlertDesc, ErrorState, TargetName
///     36888  4242, CcmExec, 40, 1205, mp01     → CallerProcessId, CallerProcessImageName, AlertDesc, …
///
/// Without it the rendered message has to do, and that of 36888 does not tell the state.
/// Source: formats.md §4.1; Schannel event manifests; fluent/fluent-bit plugins/in_winevtlog/pack.c.
package enum SchannelInserts {
  private static let callers: [StaticString] = ["CallerProcessId", "CallerProcessImageName"]

  /// The names of an event without its caller; nil where they are not known.
  private static func names(_ id: UInt32) -> [StaticString]? {
    switch id {
    case 36865: ["ModuleName", "Error"]
    case 36867, 36869: ["Type", "__binLength", "binaryData"]
    case 36868: ["Type", "CSPName", "CSPType", "KeyName", "KeyType", "KeyFlags", "__binLength", "EncodedCert"]
    case 36870: ["Type", "ErrorCode", "ErrorStatus"]
    case 36871: ["Type", "ErrorState"]
    case 36872: ["Type", "ErrorCode", "CertFlags", "__binLength", "CredContext"]
    case 36873, 36875, 36885, 36886, 36896...36899: []
    case 36874: ["Protocol"]
    case 36876, 36877, 36878, 36879: ["ErrorCode", "__binLength", "pCertificateContext"]
    case 36880:
      [
        "Type", "Protocol", "CipherSuite", "ExchangeStrength", "ContextHandle", "TargetName", "LocalCertSubjectName",
        "RemoteCertSubjectName",
      ]
    case 36881, 36882, 36883: ["__binLength", "certificateContext"]
    case 36884: ["Name", "__binLength", "certificateContext"]
    case 36887: ["AlertDesc"]
    case 36888: ["AlertDesc", "ErrorState", "TargetName"]
    case 36889: ["Type", "ErrorCode", "__binLength", "CredContext"]
    case 36912: ["Path"]
    case 36928: ["FailureReason", "OCSPResponderURL", "ThisUpdate", "NextUpdate", "Certificate"]
    default: nil
    }
  }

  package static func fill(_ fields: inout EventFields) {
    guard let provider = fields.provider, provider.count == 8,
      fields.text.span.hasCaseless("schannel", at: provider.lowerBound),
      fields.data.contains(where: { isPositional($0, fields.text.span) }),
      let id = fields.eventID, let own = names(id)
    else { return }
    let places = fields.data.indices.filter { isPositional(fields.data[$0], fields.text.span) }
    // One value too many fits no build: a wrong name would be worse than none.
    guard places.count != own.count + 1 else { return }
    for (place, name) in zip(places, places.count > own.count ? callers + own : own) {
      let start = fields.text.count
      name.withUTF8Buffer { unsafe fields.text.append(contentsOf: $0) }
      fields.data[place].nameStart = UInt32(start)
      fields.data[place].nameEnd = UInt32(fields.text.count)
    }
  }

  /// Whether the item is called by its place, `param1`.
  private static func isPositional(_ item: EventFields.Item, _ text: Span<UInt8>) -> Bool {
    guard item.nameEnd - item.nameStart > 5, text.has("param", at: Int(item.nameStart)) else { return false }
    for index in Int(item.nameStart) + 5..<Int(item.nameEnd) where !ASCII.isDigit(text[index]) { return false }
    return true
  }
}
