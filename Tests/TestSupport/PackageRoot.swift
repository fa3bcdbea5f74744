import Foundation
import Synchronization

/// Files of the checkout and of `../shared` beside it, found from this file's own place.
package enum PackageRoot {
  package static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  package static func path(_ relative: String) -> String { path + "/" + relative }

  package static func bytes(_ relative: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(relative))))
  }

  /// Every regular file below a folder, by path.
  package static func files(below relative: String) -> [(path: String, bytes: [UInt8])] {
    let root = path(relative)
    guard let names = FileManager.default.enumerator(atPath: root) else { return [] }
    var files: [(path: String, bytes: [UInt8])] = []
    for case let name as String in names {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: root + "/" + name, isDirectory: &isFolder), !isFolder.boolValue,
        let data = FileManager.default.contents(atPath: root + "/" + name)
      else { continue }
      files.append((name, [UInt8](data)))
    }
    return files.sorted { $0.path < $1.path }
  }

  /// The folders in a folder, by path.
  package static func folders(in relative: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(
      at: URL(fileURLWithPath: path(relative)), includingPropertiesForKeys: [.isDirectoryKey]
    )
    .filter { (try? $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) ?? false }
    .map(\.path).sorted()
  }

  /// The real logs without containers, or nil where they are not there; then the test says so and returns.
  package static func realLogs(test: String = #function) -> [(path: String, bytes: [UInt8])]? {
    guard FileManager.default.fileExists(atPath: path("../shared/real-logs")) else {
      skip("../shared/real-logs is not there", test: test)
      return nil
    }
    return files(below: "../shared/real-logs").filter { !$0.path.hasSuffix(".evtx") }
  }

  /// One line that the summary of `make test` counts and repeats.
  package static func skip(_ reason: String, test: String = #function) {
    // Once for all arguments of a test.
    guard skipped.withLock({ $0.insert("\(test) \(reason)").inserted }) else { return }
    print("SKIP: \(test): \(reason)")
  }
  private static let skipped = Mutex<Set<String>>([])
}
