import Foundation
import TestSupport
import Testing

/// `check --as-service` as root, for a user that is there everywhere.
@Suite struct AsServiceTests {
  @Test func whatTheUserMayNotOpenIsNamedWithTheCommands() throws {
    guard geteuid() == 0 else {
      PackageRoot.skip("only root can look as another user does")
      return
    }
    // Not below the folder for temporary files: to that the service has no access, and it may lie in a closed one.
    let root = "/var/log/handshaked-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: root + "/closed/PC 1", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    defer { try? FileManager.default.removeItem(atPath: root) }
    for name in ["a.log", "b.log"] {
      try Data("text\n".utf8).write(to: URL(fileURLWithPath: root + "/closed/PC 1/" + name))
    }
    chmod(root + "/closed/PC 1/b.log", 0o600)
    try Data("sources:\n  - files: \(root)/closed/{host}/**\nstore: { path: \(root)/no/state.db }\n".utf8)
      .write(to: URL(fileURLWithPath: root + "/c.yaml"))
    func check() throws -> Executable.Run {
      try Executable.run(["check", "--as-service", "--user", "nobody", "--config", root + "/c.yaml"])
    }
    // One file.
    var run = try check()
    #expect(run.status == 66, "\(run.output)\(run.error)")
    #expect(run.output.contains("PC 1/b.log: open: Permission denied"), "\(run.output)")
    #expect(!run.output.contains("a.log"))
    #expect(run.output.contains("setfacl -R -m u:nobody:rX \(root)/closed\n"), "\(run.output)")
    #expect(run.output.contains("setfacl -R -d -m u:nobody:rX \(root)/closed\n"), "\(run.output)")
    // A folder above it.
    chmod(root, 0o700)
    run = try check()
    #expect(run.status == 66)
    #expect(run.output.contains("setfacl -m u:nobody:x \(root)\n"), "\(run.output)")
    chmod(root, 0o755)
    // What the commands do.
    chmod(root + "/closed/PC 1/b.log", 0o644)
    run = try check()
    #expect(run.status == 0, "\(run.output)\(run.error)")
    #expect(run.output.contains("2 files can be read"))
    // With the commands themselves, where they are installed.
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/setfacl") else {
      PackageRoot.skip("there is no setfacl")
      return
    }
    chmod(root + "/closed/PC 1/b.log", 0o600)
    chmod(root + "/closed", 0o700)
    run = try check()
    #expect(run.status == 66)
    let commands = run.output.split(separator: "\n").map { $0.drop { $0 == " " } }.filter { $0.hasPrefix("setfacl") }
    let mended = try Executable.run(["-c", commands.joined(separator: "\n")], program: "/bin/sh")
    #expect(mended.status == 0, "\(mended.error)")
    run = try check()
    #expect(run.status == 0, "\(run.output)\(run.error)")
  }

  @Test func aUserThatIsNotThereIsSaid() throws {
    let run = try Executable.run(["check", "--as-service", "--user", "no-such-user"])
    #expect(run.status == 66)
    #expect(run.error.contains("there is no user 'no-such-user'") && run.error.contains("fix: "))
  }

  @Test func aFaultOfTheConfigurationIsAFaultOfCheck() throws {
    let path = FileManager.default.temporaryDirectory.path + "/c-\(UUID().uuidString).yaml"
    try Data("sources:\n  - journal: { match: { bad: 1 } }\n".utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let run = try Executable.run(["check", "--config", path])
    #expect(run.status == 78)
    #expect(run.error.contains("no field of the journal"), "\(run.error)")
  }

  /// What systemd hands over as a credential is one more file: read last, and named by its faults.
  @Test func aCredentialIsConfiguration() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/credentials-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Data("store: { path: relative }\n".utf8).write(to: URL(fileURLWithPath: folder + "/c.yaml"))
    func check(_ credential: String?) throws -> Executable.Run {
      let path = folder + "/handshaked.yaml"
      if let credential { try Data(credential.utf8).write(to: URL(fileURLWithPath: path)) }
      return try Executable.run(
        ["check", "--config", folder + "/c.yaml"], environment: ["CREDENTIALS_DIRECTORY": folder])
    }
    // None is given: the file alone is read.
    #expect(try check(nil).error.contains("/c.yaml:1:"))
    try Data("store: { retain: 9d }\n".utf8).write(to: URL(fileURLWithPath: folder + "/c.yaml"))
    #expect(try check("sources: [{ files: '/var/log/secret/{host}/**' }]\n").status == 0)
    let run = try check("sources:\n  - file: /x\n")
    #expect(run.status == 78)
    #expect(run.error.contains("credential handshaked.yaml:2:"), "\(run.error)")
    #expect(!run.error.contains("/c.yaml"))
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func completionsAreMade(shell: String) throws {
    let run = try Executable.run(["--generate-completion-script", shell])
    #expect(run.status == 0 && run.output.contains("maintenance") && run.output.contains("as-service"))
  }
}
