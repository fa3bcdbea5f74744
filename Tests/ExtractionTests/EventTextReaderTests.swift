import Extraction
import Records
import Testing

@Suite struct EventTextReaderTests {
  private enum Shape { case snare, viewer }

  private func read(_ text: String, _ shape: Shape) -> EventFields? {
    let bytes = Array(text.utf8)
    var fields = EventFields()
    let isRead =
      shape == .snare
      ? EventTextReader.readSnare(bytes.span, start: 0, end: bytes.count, into: &fields)
      : EventTextReader.readViewer(bytes.span, start: 0, end: bytes.count, into: &fields)
    return isRead ? fields : nil
  }

  private func viewer(id: Int, date: String = "10/16/2022 8:27:36 PM", _ message: String) -> EventFields? {
    read(
      "Log Name:      System\r\nSource:        Schannel\r\nDate:          \(date)\r\nEvent ID:      \(id)\r\nComputer:      mp01\r\nDescription:\r\n\(message)\r\n",
      .viewer)
  }

  private func value(_ fields: EventFields?, _ name: String) -> String? {
    fields.flatMap { $0.string($0.value(of: name)) }
  }

  @Test(arguments: ["\t", " "])
  func snare(separator: String) throws {
    let columns = [
      "MSWinEventLog", "3", "System", "2213", "Sun Oct 16 20:27:36 2022", "36888", "Schannel", "SYSTEM", "User",
      "Error",
      "mp01.corp.example", "None", "", "The following fatal alert was generated: 20. The internal error state is 960.",
      "2213",
    ]
    let fields = try #require(read(columns.joined(separator: separator), .snare))
    #expect(fields.eventID == 36888)
    #expect(fields.string(fields.provider) == "Schannel")
    #expect(fields.string(fields.computer) == "mp01.corp.example")
    #expect(fields.localTime?.rfc3339 == "2022-10-16T20:27:36.000Z")
    #expect(value(fields, "AlertDesc") == "20")
    #expect(value(fields, "ErrorState") == "960")
  }

  /// The numbers stand in the same order in every language.
  @Test(
    arguments: [
      (
        36887, "A fatal alert was received from the remote endpoint. The TLS protocol defined fatal alert code is 70.",
        "70", nil
      ),
      (
        36887,
        "Es wurde eine schwerwiegende Warnung vom Remoteendpunkt empfangen. Die schwerwiegende Warnung hat folgenden für das TLS-Protokoll definierten Code: 40.",
        "40", nil
      ),
      (36887, "从远程终点接收到一个严重警告。TLS 协议所定义的严重警告代码为 46。", "46", nil),
      (
        36888,
        "A fatal alert was generated and sent to the remote endpoint. The TLS protocol defined fatal error code is 40. The Windows SChannel error state is 1205.",
        "40", "1205"
      ),
      (
        36887,
        "The TLS protocol defined fatal alert code is 42.\r\n\r\nThe SSPI client process is svchost (PID: 1234).", "42",
        nil
      ),
    ] as [(Int, String, String, String?)])
  func alertsAreReadByPlace(id: Int, message: String, alert: String, state: String?) {
    let fields = viewer(id: id, message)
    #expect(value(fields, "AlertDesc") == alert)
    #expect(value(fields, "ErrorState") == state)
  }

  @Test func otherEvents() {
    let credential = viewer(
      id: 36871, "A fatal error occurred while creating a TLS client credential. The internal error state is 10013.")
    #expect(value(credential, "ErrorState") == "10013")
    #expect(value(credential, "Type") == "client")
    let key = viewer(
      id: 36870,
      "A fatal error occurred when attempting to access the TLS server credential private key. The error code returned from the cryptographic module is 0x8009030D. The internal error state is 10001."
    )
    #expect(value(key, "ErrorCode") == "0x8009030D")
    #expect(value(key, "ErrorStatus") == "10001")
    #expect(value(key, "Type") == "server")
    let cipher = viewer(id: 36874, "An TLS 1.2 connection request was received from a remote client application.")
    #expect(value(cipher, "Protocol") == "TLS 1.2")
    let handshake = viewer(
      id: 36880,
      "A TLS server handshake completed successfully.\r\n   Protocol version: TLS 1.0\r\n   CipherSuite: 0xC014\r\n")
    #expect(value(handshake, "Protocol") == "TLS 1.0")
    #expect(value(handshake, "CipherSuite") == "0xC014")
  }

  @Test(
    arguments: [
      ("10/16/2022 8:27:36 PM", "2022-10-16T20:27:36.000Z"), ("10/3/2022 12:00:01 AM", "2022-10-03T00:00:01.000Z"),
      ("16.10.2022 20:27:36", "2022-10-16T20:27:36.000Z"), ("2022-10-16 20:27:36", "2022-10-16T20:27:36.000Z"),
      ("16/10/2022 20:27:36", "2022-10-16T20:27:36.000Z"), ("10/16/2022 8:27:36\u{202F}PM", "2022-10-16T20:27:36.000Z"),
      ("03/04/2026 10:00:00", nil), ("32/13/2026 10:00:00", nil), ("yesterday", nil),
    ] as [(String, String?)])
  func viewerDates(written: String, time: String?) {
    let fields = viewer(id: 36887, date: written, "The TLS protocol defined fatal alert code is 70.")
    #expect(fields?.localTime?.rfc3339 == time)
  }

  @Test(arguments: ["MSWinEventLog", "MSWinEventLog\t1\t2", "MSWinEventLog 3 System 1 x y z", "Log Name: x", ""])
  func damagedTextIsNoEvent(text: String) {
    #expect(read(text, .snare)?.eventID == nil)
    #expect(read(text, .viewer)?.eventID == nil)
  }
}
