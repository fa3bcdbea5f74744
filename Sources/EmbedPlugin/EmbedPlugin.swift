import Foundation
import PackagePlugin

/// Runs `handshaked-embed` over `parsers/` before `Definitions` is compiled.
@main
struct EmbedPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
    let parsers = context.package.directoryURL.appending(path: "parsers")
    var inputs: [URL] = []
    for folder in ["codes", "formats", "signatures"] {
      let entries = try FileManager.default.contentsOfDirectory(
        at: parsers.appending(path: folder), includingPropertiesForKeys: nil)
      inputs += entries.filter { ["tsv", "yaml"].contains($0.pathExtension) }
    }
    let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedDefinitions.swift")
    return [
      .buildCommand(
        displayName: "Embedding parsers/", executable: try context.tool(named: "handshaked-embed").url,
        arguments: [parsers.path, output.path], inputFiles: inputs.sorted { $0.path < $1.path },
        outputFiles: [output])
    ]
  }
}
