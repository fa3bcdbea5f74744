import Foundation

/// Files that hold what a test expects, one fact a line, so that a difference explains itself.
///
/// `UPDATE_GOLDEN=1` rewrites them: what changed is then judged in the version control's own diff.
package enum Golden {
  package static let isUpdating = ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1"

  /// Nil when the file says the same as `actual`; else what is missing (`-`) and what is new (`+`), with line numbers.
  /// - Parameter relative: the file's path in the checkout.
  package static func difference(_ actual: String, from relative: String) throws -> String? {
    if isUpdating {
      try Data(actual.utf8).write(to: URL(fileURLWithPath: PackageRoot.path(relative)))
      return nil
    }
    guard let data = FileManager.default.contents(atPath: PackageRoot.path(relative)) else {
      return "\(relative) is not there; UPDATE_GOLDEN=1 writes it"
    }
    let expected = String(decoding: data, as: UTF8.self)
    guard expected != actual else { return nil }
    let old = expected.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let new = actual.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var lines = ["\(relative) differs:"]
    for change in new.difference(from: old) {
      switch change {
      case .remove(let offset, let line, _): lines.append("- \(offset + 1): \(line)")
      case .insert(let offset, let line, _): lines.append("+ \(offset + 1): \(line)")
      }
    }
    return lines.joined(separator: "\n")
  }

  /// The names of the files in a folder of the checkout that end in `suffix`, without it, in order.
  package static func names(in folder: String, suffix: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: PackageRoot.path(folder))) ?? []
    return names.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }.sorted()
  }
}
