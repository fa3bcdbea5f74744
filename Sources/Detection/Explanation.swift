import Extraction
import Records

/// What a finding means and what to do: its code rows' words, else its definition's.
package struct Explanation: Sendable {
  package var title: String
  package var explain: String
  package var remedy: String

  package init?(_ finding: Finding, _ engine: Engine) {
    guard let signature = engine.rules.rules.signatures.first(where: { $0.id == finding.signature }) else { return nil }
    title = signature.title
    explain = finding.explain ?? signature.explain
    remedy = finding.remedy ?? signature.remedy
  }
}
