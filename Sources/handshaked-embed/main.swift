import Foundation

// Writes the definitions as one Swift file, so that the executable works alone.
//
//   handshaked-embed PARSERS-FOLDER OUTPUT.swift
//
// The output is a sorted list of (path relative to the folder, text). Raw strings keep YAML and patterns as they are.

let arguments = CommandLine.arguments
guard arguments.count == 3 else {
  FileHandle.standardError.write(Data("usage: handshaked-embed PARSERS-FOLDER OUTPUT.swift\n".utf8))
  exit(64)
}
let folder = URL(fileURLWithPath: arguments[1], isDirectory: true)

func files(in folder: URL, extensions: Set<String>) throws -> [URL] {
  try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    .filter { extensions.contains($0.pathExtension) }
    .sorted { $0.lastPathComponent < $1.lastPathComponent }
}

do {
  var source = "/// The definitions of `parsers/`, made at build time by `handshaked-embed`.\n"
  source += "enum EmbeddedDefinitions {\n  static let files: [(path: String, text: String)] = [\n"
  for (name, kinds) in [("codes", ["tsv"]), ("formats", ["yaml"]), ("signatures", ["yaml"])] as [(String, Set<String>)]
  {
    for file in try files(in: folder.appendingPathComponent(name), extensions: kinds) {
      let text = try String(contentsOf: file, encoding: .utf8)
      var fence = "#"
      while text.contains("\"\"\"\(fence)") || text.contains("\\\(fence)") { fence += "#" }
      source += "    (\n      \"\(name)/\(file.lastPathComponent)\",\n\(fence)\"\"\"\n\(text)\n\"\"\"\(fence)\n    ),\n"
    }
  }
  source += "  ]\n}\n"
  try source.write(to: URL(fileURLWithPath: arguments[2]), atomically: true, encoding: .utf8)
} catch {
  FileHandle.standardError.write(Data("handshaked-embed: \(error)\n".utf8))
  exit(74)
}
