import Extraction
import Records

/// The shipped signatures as one regular expression each, as somebody would write them who has a grep and nothing else.
///
/// A text signature gives its pattern, or its anchors. An event gives its provider and ids, a row the status and
/// sub-status of its code table: that finds more than the signature means, as a grep knows no columns.
package struct SignaturePatterns: Sendable {
  package struct Choice: Sendable {
    package var id: String
    /// In the syntax of Rust's `regex`, where that can say it: the signature's own pattern, else what finds more.
    package var choices: [[String]]
  }
  /// Of each signature that tells a failure; the first choice that compiles is to be taken.
  package private(set) var bySignature: [Choice] = []

  package init(_ rules: RuleSet) {
    for signature in rules.signatures where signature.yields == .finding {
      bySignature.append(Choice(id: signature.id, choices: SignaturePatterns.choices(signature, rules)))
    }
  }

  private static func choices(_ signature: Signature, _ rules: RuleSet) -> [[String]] {
    var choices: [[String]] = []
    if let pattern = signature.pattern { choices.append([withoutNames(pattern)]) }
    if !signature.anchors.isEmpty {
      choices.append(["(?i:" + alternatives(signature.anchors.map(Text.decode)) + ")"])
    } else if signature.formats.intersects(.event) {
      choices.append(eventPatterns(signature, rules))
    } else {
      choices.append(rowPatterns(signature, rules))
    }
    return choices.filter { !$0.isEmpty }
  }

  /// Named groups become plain ones: `rg -f` joins all patterns into one, where a name may stand but once.
  package static func withoutNames(_ pattern: String) -> String {
    pattern.replacing(#/\(\?P?<[A-Za-z_][A-Za-z0-9_]*>/#, with: "(?:")
  }

  /// `Schannel.*>36874<` for XML and `:36874,.*Schannel` for JSON, whose providers stand behind the id.
  private static func eventPatterns(_ signature: Signature, _ rules: RuleSet) -> [String] {
    var providers: [String] = []
    var ids: [String] = []
    for predicate in signature.predicates {
      for matcher in predicate.anyOf {
        switch (predicate.field, matcher) {
        case ("provider", .text(let text)): providers.append(Text.decode(text))
        case ("event-id", .number(let number)): ids.append("\(number)")
        default: break
        }
      }
    }
    if ids.isEmpty {
      for source in signature.codes where source.fields == ["event-id"] {
        ids += rules.tables[source.table].rows.map(\.value).filter { $0.allSatisfy(\.isNumber) }
      }
    }
    guard !providers.isEmpty else { return [] }
    let provider = "(?i:" + alternatives(providers) + ")"
    guard !ids.isEmpty else { return [provider] }
    let id = alternatives(ids)
    return ["\(provider).*>\(id)<", ":\"?\(id)\"?,.*\(provider)"]
  }

  /// ` 403 7 ` for each row of the table of status and sub-status; the reasons of HTTP.sys as words.
  private static func rowPatterns(_ signature: Signature, _ rules: RuleSet) -> [String] {
    for source in signature.codes {
      let values = rules.tables[source.table].rows.map(\.value)
      if source.fields == ["sc-status", "sc-substatus"] {
        let pairs = values.map { $0.split(separator: ".") }.filter { pair in
          pair.count == 2 && pair.allSatisfy { $0.allSatisfy(\.isNumber) }
        }
        if !pairs.isEmpty { return [" " + alternatives(pairs.map { "\($0[0]) \($0[1])" }) + " "] }
      } else if source.fields == ["s-reason"] {
        let words = values.filter { !$0.contains("*") }
        if !words.isEmpty { return [" " + alternatives(words) + " "] }
      }
    }
    return []
  }

  private static func alternatives(_ texts: [String]) -> String {
    "(?:" + texts.map(escaped).joined(separator: "|") + ")"
  }

  private static func escaped(_ text: String) -> String {
    text.replacing(#/[.*+?()\[\]{}|^$\\#&~-]/#) { "\\\($0.output)" }
  }
}
