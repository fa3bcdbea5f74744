import Extraction
import Foundation
import Records

/// Everything that the definition files say. With faults it holds what could still be read.
package struct LoadResult: Sendable {
  package var ruleSet: RuleSet
  package var formats: [FormatDefinition]
  /// In the order of `ruleSet.signatures`.
  package var examples: [SignatureExamples]
  /// What proves an id of the knowledge base.
  package var coverage: [String: [CoverPlace]]
  /// All faults, by file and position.
  package var diagnostics: [Diagnostic]
}

/// Reads the definitions: the embedded ones, replaced file by file by those of folders.
package enum DefinitionLoader {
  /// Lowest first.
  package static let systemDirectories = ["/usr/share/handshaked/parsers", "/etc/handshaked/parsers"]

  /// - Parameters:
  ///   - overrides: folders that must exist (`--parsers`), lowest first; they come after `systemDirectories`.
  ///   - systemDirectories: folders that may be missing.
  ///   - embedded: paths relative to `parsers/` and texts, for tests; nil: those of the executable.
  package static func load(
    overrides: [String], systemDirectories: [String] = DefinitionLoader.systemDirectories,
    embedded: [(path: String, text: String)]? = nil, patternCompiler: PatternCompiler
  ) -> LoadResult {
    let faults = FaultList()
    var files = DefinitionFiles(embedded: embedded ?? EmbeddedDefinitions.files)
    for directory in systemDirectories { files.overlay(directory, isRequired: false, faults: faults) }
    for directory in overrides { files.overlay(directory, isRequired: true, faults: faults) }

    var tables: [ReadTable] = []
    for file in files.sorted(in: "codes") {
      let source = SourceText(file: file.display, text: file.text, lineEnds: .table)
      tables.append(CodeTableReader.read(name: file.name, source: source, faults: faults))
    }
    var formats: [FormatDefinition] = []
    // Formats that are there and rejected: that a signature names one is no second fault.
    var rejectedNames: [String] = []
    for file in files.sorted(in: "formats") {
      let count = faults.all.count
      let documents = documents(of: file, faults)
      if faults.all.count > count { rejectedNames.append(file.name) }
      for document in documents {
        guard let format = FormatDefinition(document) else {
          rejectedNames += FormatDefinition.delimitedName(document).map { [$0, file.name] } ?? [file.name]
          continue
        }
        if let first = formats.first(where: { $0.name == format.name }) {
          faults.add(
            "format '\(format.name)' is defined already, in \(first.place.name)", at: format.place,
            fix: "keep one of them")
        }
        formats.append(format)
      }
    }
    let delimited = formats.compactMap(\.delimited)
    var read: [ReadSignature] = []
    for file in files.sorted(in: "signatures") {
      read += documents(of: file, faults).compactMap {
        SignatureReader.read($0, delimited: delimited.map(\.name) + rejectedNames, compiler: patternCompiler)
      }
    }
    let signatures = RuleSetBuilder(tables: tables, faults: faults).signatures(read)

    return LoadResult(
      ruleSet: RuleSet(
        signatures: signatures.map(\.signature), tables: tables.map(\.table), roles: formats.flatMap(\.roles),
        delimited: delimited),
      formats: formats,
      examples: signatures.map { SignatureExamples(signature: $0.signature.id, examples: $0.examples) },
      coverage: CoverPlace.all(signatures: signatures, tables: tables), diagnostics: faults.sorted)
  }

  private static func documents(of file: DefinitionFiles.File, _ faults: FaultList) -> [YAMLDocument] {
    YAMLDocument.all(in: SourceText(file: file.display, text: file.text, lineEnds: .yaml), faults: faults)
  }
}
