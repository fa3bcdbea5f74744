import Definitions
import Detection
import Extraction
import Records

/// The definitions ready to run, or all that is wrong with them.
package struct DefinitionSet: Sendable {
  package var load: LoadResult
  /// Nil when the definitions have faults.
  package var engine: Engine?
  package var diagnostics: [Diagnostic]

  /// - Parameter overrides: folders of `--parsers`, lowest first.
  package init(
    overrides: [String] = [], systemDirectories: [String] = DefinitionLoader.systemDirectories
  ) {
    load = DefinitionLoader.load(
      overrides: overrides, systemDirectories: systemDirectories, patternCompiler: DefinitionSet.groupNames)
    diagnostics = load.diagnostics
    guard diagnostics.isEmpty else { return }
    do {
      engine = try Engine(load.ruleSet)
    } catch {
      diagnostics.append(
        Diagnostic(
          what: "\(error)", at: Place(file: "parsers"), fix: "look at the anchors of the signatures added last"))
    }
  }

  /// Compiles a pattern for the loader.
  package static func groupNames(_ pattern: String) throws -> [String] {
    do {
      return Array(try Pattern(pattern).groups.keys)
    } catch {
      throw PatternFault(message: error.description, offset: error.offset)
    }
  }
}
