import Foundation
import Testing

/// A real journald for one command, in namespaces of its own.
package enum Journald {
  private static let script = PackageRoot.path("Tests/TestSupport/with-journald")

  /// Why there can be none here; nil when it works.
  private static let obstacle: String? = {
    guard FileManager.default.isExecutableFile(atPath: "/lib/systemd/systemd-journald") else {
      return "there is no systemd-journald"
    }
    guard let run = try? Executable.run([script, "true"], program: "/bin/bash") else { return "unshare cannot be run" }
    return run.status == 0 ? nil : "namespaces for journald may not be made"
  }()

  /// Runs a shell script beside a journald. Nil where that is not permitted: then the test was skipped, or has failed
  /// if `HANDSHAKED_REQUIRE` names `journald`.
  package static func run(
    _ command: String, arguments: [String] = [], test: String = #function
  ) throws -> Executable.Run? {
    if let obstacle {
      if ProcessInfo.processInfo.environment["HANDSHAKED_REQUIRE"]?.contains("journald") == true {
        Issue.record("HANDSHAKED_REQUIRE asks for journald: \(obstacle)")
      } else {
        PackageRoot.skip(obstacle, test: test)
      }
      return nil
    }
    return try Executable.run(
      [script, "/bin/bash", "-c", "set -eu; " + command, "bash"] + arguments, program: "/bin/bash")
  }
}
