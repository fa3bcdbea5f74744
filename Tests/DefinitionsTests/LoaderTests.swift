import Definitions
import Extraction
import Foundation
import Testing

@Suite struct LayerTests {
  @Test func higherFoldersReplaceFileByFile() throws {
    let system = try TemporaryFolder()
    let own = try TemporaryFolder()
    try system.write(signature(("A test failed", "From the system")), to: "signatures/test.yaml")
    try system.write(
      signature(("test.failed", "extra.failed"), ("Failed: CODE=']", "extra code']")), to: "signatures/extra.yaml")
    try own.write(signature(("A test failed", "From --parsers")), to: "signatures/test.yaml")
    try own.write("hidden", to: "signatures/.test.yaml.swp")
    let result = load(
      signature(), codes: ["test": goodTable], overrides: [own.path + "/"],
      systemDirectories: ["/nonexistent", system.path])
    #expect(result.diagnostics.map(\.description) == [])
    #expect(result.ruleSet.signatures.map(\.id) == ["extra.failed", "test.failed"])
    #expect(result.ruleSet.signatures.map(\.title) == ["A test failed", "From --parsers"])
    #expect(result.examples[0].examples.first?.place.file == system.path + "/signatures/extra.yaml")
    #expect(result.examples[1].examples.first?.place.file == own.path + "/signatures/test.yaml")
  }

  @Test func emptyFileTakesOneAway() throws {
    let own = try TemporaryFolder()
    try own.write("# Not here.\n", to: "signatures/test.yaml")
    let result = load(signature(), codes: ["test": goodTable], overrides: [own.path])
    #expect(result.diagnostics.isEmpty && result.ruleSet.signatures.isEmpty && result.ruleSet.tables.count == 1)
  }

  @Test func missingFoldersAreFaultsWhenGiven() throws {
    let folder = try TemporaryFolder()
    try folder.write("", to: "file")
    #expect(
      faults(overrides: [folder.path + "/none"]) == [
        "\(folder.path)/none: error: the folder does not exist\n  fix: create it, or correct --parsers"
      ])
    #expect(
      faults(overrides: [folder.path + "/file"]) == [
        "\(folder.path)/file: error: is no folder\n  fix: name the folder that holds signatures/ and codes/"
      ])
    #expect(
      faults(overrides: [folder.path]) == [
        "\(folder.path): error: the folder holds no definitions\n"
          + "  fix: put files into signatures/, codes/ or formats/ in it"
      ])
    #expect(faults(systemDirectories: [folder.path + "/none"]) == [])
  }

  @Test func filesThatCannotBeRead() throws {
    let folder = try TemporaryFolder()
    try folder.write("", to: "signatures/test.yml")
    try folder.write("", to: "signatures/pipe.yaml/inside")
    try folder.write(Data("title: ü\nx: b\u{FC}".unicodeScalars.map { UInt8($0.value) }), to: "signatures/latin.yaml")
    #expect(
      faults(overrides: [folder.path]) == [
        """
        \(folder.path)/signatures/latin.yaml:1:8: error: the file is not UTF-8
          title: \u{FFFD}
                 ^
          fix: save it as UTF-8
        """,
        "\(folder.path)/signatures/pipe.yaml: error: is no regular file\n"
          + "  fix: put a definition file in its place, or delete it",
        "\(folder.path)/signatures/test.yml: error: the file is not read: its name does not end in .yaml\n"
          + "  fix: rename it; tables belong in codes/, the others in formats/ and signatures/",
      ])
  }

  @Test func theEmbeddedDefinitionsAreWithoutFault() {
    let result = DefinitionLoader.load(overrides: [], systemDirectories: [], patternCompiler: groupNames)
    #expect(result.diagnostics.map(\.description).joined(separator: "\n") == "")
    #expect(!result.ruleSet.signatures.isEmpty && !result.ruleSet.tables.isEmpty && !result.formats.isEmpty)
  }
}

@Suite struct CoverageTests {
  private let list = """
    id\tsource
    T-1\tclient
    T-3\tIIS
    T-9\tIIS
    T-4\t

    """

  @Test func idsAreHeldAgainstTheList() {
    let unused = goodTable.replacing("T-3 T-4", with: "T-9")
    let report = load(signature(), codes: ["test": goodTable, "unused": unused]).coverage(tsv: list, path: "list.tsv")
    #expect(report.entries.map(\.id) == ["T-1", "T-3", "T-9", "T-4"])
    #expect(report.entries.map(\.source) == ["client", "IIS", "IIS", ""])
    #expect(report.covered.map(\.id) == ["T-1", "T-3", "T-4"])
    #expect(report.missing.map(\.id) == ["T-9"])
    #expect(report.missing.map(\.line) == [4])
    #expect(report.entries[0].places.map(\.definition) == ["test.failed"])
    #expect(report.entries[0].places.map(\.place.name) == ["parsers/signatures/test.yaml:2:10"])
    #expect(report.entries[3].places.map(\.definition) == ["test 0x80072f8f"])
    #expect(report.entries[3].places.map(\.place.name) == ["parsers/codes/test.tsv:4:41"])
    #expect(report.signatureCount == 1 && report.codeRowCount == 4 && report.unusedTables == ["unused"])
    #expect(
      report.diagnostics.map(\.description) == [
        """
        parsers/signatures/test.yaml:2:15: error: id 'T-2' is not in list.tsv
          covers: [T-1, T-2]
                        ^
          fix: did you mean 'T-1'?
        """
      ])
  }

  @Test func damagedListsAreFaults() {
    let result = load()
    #expect(
      result.coverage(tsv: "name\nT-1\n", path: "list.tsv").diagnostics.map(\.description) == [
        """
        list.tsv:1:1: error: the list has no column 'id'
          name
          ^
          fix: give a tab-separated file whose header names 'id'
        """
      ])
    let report = result.coverage(tsv: "source\tid\na\tT-1\n\nb\tT-1\nc\n", path: "list.tsv")
    #expect(report.entries.map(\.id) == ["T-1"])
    #expect(
      report.diagnostics.map(\.description) == [
        """
        list.tsv:4:1: error: id 'T-1' stands twice, first in line 2
          b\tT-1
          ^
          fix: keep one of the rows
        """,
        """
        list.tsv:5:1: error: the row has no id
          c
          ^
          fix: fill column 'id'
        """,
      ])
  }
}

/// Whatever a file holds, reading it ends, and every fault has a place inside the file.
@Suite struct DamageTests {
  private func check(_ result: LoadResult) {
    for fault in result.diagnostics {
      #expect(!fault.what.isEmpty && !fault.fix.isEmpty)
      #expect(fault.place.position.map { $0.line >= 1 && $0.column >= 1 } ?? true)
      #expect(!fault.description.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" && $0 != "\t" })
    }
  }

  @Test(arguments: UInt64(0)..<300) func damagedDefinitionsNeverTrap(seed: UInt64) {
    var random = Seeded(seed)
    let marks = Array("-:?#&*!|>'\"%@`{}[],\n\t \\\r\u{85}\u{2028}ü(<)0\u{0}~".unicodeScalars)
    func damage(_ text: String) -> String {
      var scalars = Array(text.unicodeScalars)
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let index = Int.random(in: 0..<scalars.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: scalars[index] = marks.randomElement(using: &random)!
        case 1: scalars.insert(marks.randomElement(using: &random)!, at: index)
        case 2: scalars.removeSubrange(index..<min(scalars.count, index + Int.random(in: 1...20, using: &random)))
        default: scalars.insert(contentsOf: scalars[index..<min(scalars.count, index + 40)], at: index)
        }
        if scalars.isEmpty { break }
      }
      return String(String.UnicodeScalarView(scalars))
    }
    check(load(damage(signature()), codes: ["test": damage(goodTable)], formats: damage(signature())))
  }

  @Test(arguments: UInt64(0)..<200) func garbageNeverTraps(seed: UInt64) {
    var random = Seeded(seed)
    let alphabet = Array("ab:- \n\t'\"[]{}#&*!|>%@?,\\\u{1}é\u{1F600}".unicodeScalars)
    let text = String(
      String.UnicodeScalarView(
        (0..<Int.random(in: 0...400, using: &random)).map { _ in alphabet.randomElement(using: &random)! }))
    let result = load(text, codes: ["test": text], formats: text)
    check(result)
    #expect(result.ruleSet.signatures.isEmpty && result.formats.isEmpty)
  }

  @Test func deepNestingIsAFault() {
    let text = "a: " + String(repeating: "[", count: 100_000)
    let result = load(text)
    #expect(result.diagnostics.count == 1)
    check(result)
  }

  @Test func faultsOfOneFileAreBounded() {
    let result = load(codes: ["test": goodTable + String(repeating: "x\n", count: 5000)])
    #expect(result.diagnostics.count == 1001)
    #expect(result.diagnostics.last?.what == "more than 1000 faults; the rest of this file is not listed")
  }

  @Test func longLinesAreCutAroundTheColumn() {
    let fault = Diagnostic(
      what: "w",
      at: Place(
        file: "f", position: Position(line: 1, column: 301), sourceLine: String(repeating: "x", count: 1000)), fix: "x")
    let lines = fault.description.split(separator: "\n")
    #expect(lines[1] == "  …" + String(repeating: "x", count: 200) + "…")
    #expect(lines[2] == "  " + String(repeating: " ", count: 101) + "^")
  }
}
