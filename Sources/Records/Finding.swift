/// What a signature proved on one record. Fields are those of the JSON object, absent when unknown.
package struct Finding: Sendable, Equatable {
  package var signature: String
  package var findingClass: FindingClass
  package var cause: Cause
  package var severity: Severity
  package var time: Timestamp?
  /// Index of the stream in the replay's order; with `offset` the identity of the evidence.
  package var stream: Int
  package var path: String
  package var offset: UInt64
  package var length: UInt64
  package var line: UInt64
  /// Pieces that the record arrived in, each in an envelope of its own; `offset` and `length` are those of the first.
  package var parts = 1
  package var host: String?
  package var log: String?
  package var component: String?
  package var client: String?
  package var clientID: String?
  package var clientIP: String?
  package var server: String?
  package var role: String?
  package var protocolName: String?
  package var cipher: String?
  package var code: String?
  package var symbol: String?
  package var alert: Int?
  package var area: Int?
  package var feature: Feature?
  package var stack: Stack?
  package var confidence: Confidence
  /// What the code rows say in place of the definition's own words; texts shared with the tables.
  package var explain: String?
  package var remedy: String?
  /// Records of the same group, writer and moment are one failure (`sameAs`).
  package var eventGroup: String?
  /// The thread that wrote the record, or the process where only that is known, for `eventGroup`.
  package var writer: String?
  package var writerIsThread = false
  /// `path:offset+length` of the record that told the same failure first.
  package var sameAs: String?

  package init(
    signature: String, findingClass: FindingClass, cause: Cause, severity: Severity, stream: Int, path: String,
    offset: UInt64, length: UInt64, line: UInt64, confidence: Confidence
  ) {
    self.signature = signature
    self.findingClass = findingClass
    self.cause = cause
    self.severity = severity
    self.stream = stream
    self.path = path
    self.offset = offset
    self.length = length
    self.line = line
    self.confidence = confidence
  }

  /// How evidence is named everywhere.
  package var evidence: String { "\(path):\(offset)+\(length)" }
}
