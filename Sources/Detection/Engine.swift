import Extraction
import Records
import Scanning

/// A rule set made ready to run: patterns compiled, the prefilter built and proved complete. Shared by every worker.
package struct Engine: Sendable {
  package let rules: CompiledRules
  package let plan: ScanPlan

  /// - Throws: `PatternError` or `ScanningError`; `check` reports faults with their place before it comes to this.
  package init(_ ruleSet: RuleSet) throws {
    rules = try CompiledRules(ruleSet)
    var anchors: [AnchorRule] = []
    for (index, signature) in ruleSet.signatures.enumerated() {
      anchors += Engine.anchorRules(signature, index: index)
    }
    plan = try ScanPlan(anchors, signatureCount: ruleSet.signatures.count)
  }

  /// What must stand in a record for the signature to be tried. Text formats: its anchors. Events: its provider, whose
  /// name no rendering escapes; for renderings without ids the longest piece of its text that none escapes.
  private static func anchorRules(_ signature: Signature, index: Int) -> [AnchorRule] {
    var rules: [AnchorRule] = []
    if !signature.anchors.isEmpty {
      rules.append(
        AnchorRule(
          signature: index, formats: signature.formats, anchors: signature.anchors,
          isBoundToKind: signature.isBoundToKind))
    }
    guard signature.formats.intersects(.event) else { return rules }
    var anchors: [[UInt8]] = []
    for predicate in signature.predicates where predicate.field == "provider" {
      for matcher in predicate.anyOf {
        if case .text(let text) = matcher { anchors.append(text) }
      }
    }
    if anchors.isEmpty, signature.anchors.isEmpty, let text = signature.text {
      anchors =
        text.split { !ASCII.isLetter($0) && !ASCII.isDigit($0) && $0 != 0x20 }
        .max { $0.count < $1.count }.map { [Array($0)] } ?? []
    }
    if !anchors.isEmpty {
      rules.append(
        AnchorRule(
          signature: index, formats: signature.formats.only(.event), anchors: anchors,
          isBoundToKind: signature.isBoundToKind))
    }
    return rules
  }
}
