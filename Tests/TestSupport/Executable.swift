import Foundation

/// The built executables, beside the test product in the build folder.
package enum Executable {
  package struct Run {
    package var status: Int32
    package var output: String
    package var error: String
  }

  package static let path = path(of: "handshaked")

  package static func path(of name: String) -> String {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    let folders = [URL(fileURLWithPath: own), URL(fileURLWithPath: CommandLine.arguments[0])]
      .map { $0.deletingLastPathComponent().path }
    for folder in folders {
      let candidate = folder + "/" + name
      if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
    }
    preconditionFailure("\(name) is not built beside the tests: \(folders)")
  }

  /// Runs `handshaked`, or the program at another path, with arguments and waits for its end. Output goes through files, so that no pipe fills up.
  package static func run(
    _ arguments: [String], program: String = Executable.path, input: [UInt8]? = nil,
    environment: [String: String] = [:], directory: String? = nil
  ) throws -> Run {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("handshaked-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func file(_ name: String, _ bytes: [UInt8] = []) throws -> FileHandle {
      let url = folder.appendingPathComponent(name)
      try Data(bytes).write(to: url)
      return try FileHandle(forUpdating: url)
    }
    let output = try file("out")
    let error = try file("err")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
    process.standardInput = try file("in", input ?? [])
    process.standardOutput = output
    process.standardError = error
    // A child inherits the blocked signals of the thread that starts it, and a worker thread has nearly all blocked: a
    // daemon below it would never see SIGHUP.
    var none = sigset_t()
    var before = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.run()
    process.waitUntilExit()
    func text(_ name: String) throws -> String {
      String(decoding: try Data(contentsOf: folder.appendingPathComponent(name)), as: UTF8.self)
    }
    return Run(status: process.terminationStatus, output: try text("out"), error: try text("err"))
  }
}
