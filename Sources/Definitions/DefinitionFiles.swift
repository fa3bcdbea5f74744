import Foundation

/// The files of all layers; of equal relative names the highest layer's.
struct DefinitionFiles {
  struct File {
    /// As shown: `parsers/codes/winhttp.tsv` when embedded, else the real path.
    var display: String
    /// The file's name without extension.
    var name: String
    var text: String
  }

  /// Folder and the extension of its files.
  private static let folders = [("codes", "tsv"), ("formats", "yaml"), ("signatures", "yaml")]

  /// By path relative to the layer: `signatures/schannel.yaml`.
  private var files: [String: File] = [:]

  init(embedded: [(path: String, text: String)]) {
    for (path, text) in embedded {
      files[path] = File(display: "parsers/" + path, name: DefinitionFiles.stem(of: path), text: text)
    }
  }

  /// The files of one folder by name; that is the order in which signatures are tried.
  func sorted(in folder: String) -> [File] {
    files.filter { $0.key.hasPrefix(folder + "/") }.sorted { $0.key < $1.key }.map(\.value)
  }

  /// Lays the files of `directory` over those known; an empty file takes an embedded one away.
  mutating func overlay(_ directory: String, isRequired: Bool, faults: FaultList) {
    let root = directory.count > 1 && directory.hasSuffix("/") ? String(directory.dropLast()) : directory
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: root, isDirectory: &isDirectory) else {
      if isRequired {
        faults.add("the folder does not exist", at: Place(file: directory), fix: "create it, or correct --parsers")
      }
      return
    }
    guard isDirectory.boolValue else {
      return faults.add(
        "is no folder", at: Place(file: directory), fix: "name the folder that holds signatures/ and codes/")
    }
    guard list(root, faults) != nil else { return }
    var hasFolder = false
    for (folder, kind) in DefinitionFiles.folders {
      let path = "\(root)/\(folder)"
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { continue }
      guard isDirectory.boolValue, let names = list(path, faults) else { continue }
      hasFolder = true
      for name in names where !name.hasPrefix(".") {
        if name.hasSuffix("." + kind) {
          guard let text = read("\(path)/\(name)", faults) else { continue }
          let relative = "\(folder)/\(name)"
          files[relative] = File(display: "\(path)/\(name)", name: DefinitionFiles.stem(of: name), text: text)
        } else if [".yaml", ".yml", ".tsv"].contains(where: name.hasSuffix) {
          faults.add(
            "the file is not read: its name does not end in .\(kind)", at: Place(file: "\(path)/\(name)"),
            fix: "rename it; tables belong in codes/, the others in formats/ and signatures/")
        }
      }
    }
    if isRequired, !hasFolder {
      faults.add(
        "the folder holds no definitions", at: Place(file: directory),
        fix: "put files into signatures/, codes/ or formats/ in it")
    }
  }

  private func list(_ path: String, _ faults: FaultList) -> [String]? {
    guard access(path, R_OK | X_OK) == 0, let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      faults.add("the folder cannot be read", at: Place(file: path), fix: "give the user read access: chmod a+rX")
      return nil
    }
    return names.sorted()
  }

  private func read(_ path: String, _ faults: FaultList) -> String? {
    // Stated through links; a pipe or a device would block the load.
    let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let attributes = try? FileManager.default.attributesOfItem(atPath: real)
    let size = (attributes?[.size] as? NSNumber)?.intValue ?? 0
    guard attributes?[.type] as? FileAttributeType == .typeRegular, size <= DefinitionLimits.fileByteCount else {
      let what = size > DefinitionLimits.fileByteCount ? "the file is larger than 16 MiB" : "is no regular file"
      faults.add(what, at: Place(file: path), fix: "put a definition file in its place, or delete it")
      return nil
    }
    guard let data = FileManager.default.contents(atPath: real) else {
      faults.add("the file cannot be read", at: Place(file: path), fix: "give the user read access: chmod a+r")
      return nil
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      let position = DefinitionFiles.firstInvalid(Array(data))
      let shown = SourceText(file: path, text: String(decoding: data, as: UTF8.self), lineEnds: .table)
      faults.add("the file is not UTF-8", at: shown.place(position), fix: "save it as UTF-8")
      return nil
    }
    return text
  }

  /// Where the first byte stands that is no UTF-8: lines are tried one by one.
  private static func firstInvalid(_ bytes: [UInt8]) -> Position {
    for (number, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
    where String(validating: line, as: UTF8.self) == nil {
      var valid = 0
      for count in 1...line.count where count <= valid + 4 {
        if String(validating: line.prefix(count), as: UTF8.self) != nil { valid = count }
      }
      let column = String(decoding: line.prefix(valid), as: UTF8.self).unicodeScalars.count + 1
      return Position(line: number + 1, column: column)
    }
    return Position(line: 1, column: 1)
  }

  private static func stem(of path: String) -> String {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    return name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
  }
}
