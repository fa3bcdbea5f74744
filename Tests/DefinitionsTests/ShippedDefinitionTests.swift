import Definitions
import TestSupport
import Testing
import Verification

/// The shipped definitions: no fault, every example as stated, every claim of the knowledge base there.
@Suite struct ShippedDefinitionTests {
  @Test func everyExampleComesOutAsStated() throws {
    var run = try #require(ExampleRun(TestEngine.set))
    run.runAll()
    #expect(run.diagnostics.map(\.description) == [])
    #expect(run.exampleCount > 250)
  }

  /// Ids that stand for a source of this version must all be covered.
  @Test func theKnowledgeBaseIsCovered() throws {
    guard let bytes = try? PackageRoot.bytes("../shared/domain/signals.tsv") else {
      PackageRoot.skip("../shared/domain/signals.tsv is not there")
      return
    }
    let report = TestEngine.set.load.coverage(tsv: String(decoding: bytes, as: UTF8.self), path: "signals.tsv")
    #expect(report.diagnostics.map(\.description) == [])
    let sources = ["client", "client / CMG CP", "IIS", "HTTPERR", "Schannel"]
    let prefixes = ["SSPI-", "CERT-", "WINHTTP-", "SQL-08001", "NET-", "WSUS-", "SRS-", "SCP-", "CMG-", "ADMINUI-"]
    let missing = report.missing.filter { entry in
      sources.contains(entry.source) || prefixes.contains { entry.id.hasPrefix($0) }
    }
    #expect(missing.map(\.id) == [])
  }
}
