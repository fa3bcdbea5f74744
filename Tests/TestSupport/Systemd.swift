import Foundation
import Testing

/// A real systemd as pid 1 of namespaces of its own, for one script.
package enum Systemd {
  private static let script = PackageRoot.path("Tests/TestSupport/with-systemd")

  /// The program and the unit files where systemd's root has them: it mounts a `/tmp` of its own, and sees no other mounts
  /// of ours, so that the checkout itself may be out of sight.
  private final class Stage {
    let path = "/var/tmp/handshaked-test-\(UUID().uuidString)"

    init() throws {
      let files = FileManager.default
      try files.createDirectory(atPath: path, withIntermediateDirectories: true)
      try files.copyItem(atPath: PackageRoot.path("systemd"), toPath: path + "/systemd")
      try files.copyItem(atPath: Executable.path(of: "handshaked"), toPath: path + "/handshaked")
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  private static let obstacle: String? = {
    guard FileManager.default.isExecutableFile(atPath: "/lib/systemd/systemd") else { return "there is no systemd" }
    guard let stage = try? Stage() else { return "nothing can be written below /var/tmp" }
    guard let run = try? Executable.run([script, stage.path + "/handshaked", "--version"], program: "/bin/bash") else {
      return "unshare cannot be run"
    }
    if run.status == 0 { return nil }
    return run.status == 70 || run.status == 71
      ? "namespaces for systemd may not be made (\(run.status))"
      : "handshaked does not run in systemd's root (\(run.status)): \(run.error.suffix(200))"
  }()

  /// Runs a script with the program as `$1` and a folder that holds `systemd/` as `$2`. Nil where that is not permitted: then the test was skipped, or has failed if `HANDSHAKED_REQUIRE` names `systemd`.
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
    let stage = try Stage()
    return try withExtendedLifetime(stage) {
      try Executable.run(
        [script, "/bin/bash", "-c", command, "bash", stage.path + "/handshaked", stage.path] + arguments,
        program: "/bin/bash")
    }
  }
}
