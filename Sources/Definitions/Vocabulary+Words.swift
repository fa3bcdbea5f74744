import Extraction
import Records

/// The roles of Configuration Manager that a URI or a record names; a closed list too.
package enum RoleNames {
  package static let all = [
    "administration-service", "certificate-registration-point", "cloud-gateway", "device-management-point",
    "distribution-point", "enrollment-point", "management-point", "reporting-point", "software-update-point",
    "state-migration-point",
  ]
}

/// The closed lists by the key under which their words stand, in definitions and tables alike.
enum Vocabulary {
  static func words(of key: String) -> [String] {
    switch key {
    case "class": FindingClass.allCases.map(\.rawValue)
    case "cause": Cause.allCases.map(\.rawValue)
    case "severity": Severity.allCases.map(\.rawValue)
    case "stack": Stack.allCases.map(\.rawValue)
    case "feature": Feature.allCases.map(\.rawValue)
    case "confidence": Confidence.allCases.map(\.rawValue)
    case "outcome": Outcome.allCases.map(\.rawValue)
    case "yields": Yield.allCases.map(\.rawValue)
    case "columns": FormatDefinition.columnNames
    case "calendar": DelimitedRule.Calendar.allCases.map(\.rawValue)
    case "formats", "format", "framing": RecordFormat.allCases.map(\.name)
    case "area": Section.areas
    case "role": RoleNames.all
    default: []
    }
  }

  /// What is wrong with a class and a cause together, and the fix; nil when they fit.
  static func fault(class findingClass: FindingClass, cause: Cause) -> (what: String, fix: String)? {
    if findingClass.causes.contains(cause) { return nil }
    if findingClass.causes.isEmpty {
      return ("class '\(findingClass.rawValue)' carries no cause", "delete the cause '\(cause.rawValue)'")
    }
    return ("cause '\(cause.rawValue)' does not belong to class '\(findingClass.rawValue)'", causeFix(findingClass))
  }

  /// The causes that a class may carry.
  static func causeFix(_ findingClass: FindingClass) -> String {
    let causes = Cause.allCases.filter(findingClass.causes.contains).map(\.rawValue)
    return causes.count == 1 ? "use \(causes[0])" : "use one of " + causes.joined(separator: ", ")
  }

  /// Words made of lower case, digits and the given marks.
  static func isName(_ text: String, marks: String) -> Bool {
    !text.isEmpty
      && text.unicodeScalars.allSatisfy {
        ("a"..."z").contains($0) || ("0"..."9").contains($0) || marks.unicodeScalars.contains($0)
      }
  }
}
