import Foundation
import Testing

/// A real systemd as pid 1 of namespaces of its own, for one script.
package enum Systemd {
  private static let script = PackageRoot.path("Tests/TestSupport/with-systemd")

  private static let obstacle: String? = {
    guard FileManager.default.isExecutableFile(atPath: "/lib/systemd/systemd") else { return "there is no systemd" }
    let look = [script, "test", "-x", Executable.path(of: "handshaked")]
    guard let run = try? Executable.run(look, program: "/bin/bash") else { return "unshare cannot be run" }
    if run.status == 1 { return "the checkout lies on a mount of its own" }
    return run.status == 0 ? nil : "namespaces for systemd may not be made (\(run.status))"
  }()

  /// Nil where that is not permitted: then the test was skipped, or has failed if `HANDSHAKED_REQUIRE` names `systemd`.
  package static func run(_ command: String, arguments: [String] = [], test: String = #function) throws
    -> Executable.Run?
  {
    if let obstacle {
      if ProcessInfo.processInfo.environment["HANDSHAKED_REQUIRE"]?.contains("systemd") == true {
        Issue.record("HANDSHAKED_REQUIRE asks for systemd: \(obstacle)")
      } else {
        PackageRoot.skip(obstacle, test: test)
      }
      return nil
    }
    return try Executable.run(
      [script, "/bin/bash", "-c", command, "bash"] + arguments, program: "/bin/bash")
  }
}
