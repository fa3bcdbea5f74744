import Foundation
import Glibc
import Testing

/// A folder of its own for one test, removed with it.
final class TemporaryFolder {
  let root: String

  init() throws {
    var template = Array("/tmp/handshaked-test-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: root)
  }

  func path(_ name: String) -> String { "\(root)/\(name)" }

  /// Creates the file and the folders above it.
  @discardableResult func write(_ name: String, _ text: String = "x\n") -> String {
    for index in name.utf8.indices where name.utf8[index] == 0x2F { mkdir(path(String(name[..<index])), 0o700) }
    let file = open(path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    let bytes = Array(text.utf8)
    let count = Glibc.write(file, bytes, bytes.count)
    close(file)
    #expect(count == bytes.count)
    return path(name)
  }
}
