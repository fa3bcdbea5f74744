import Extraction
import Records
import Testing

/// Data by place gets the names of formats.md §4.1, in the order of the build that wrote it.
@Suite struct SchannelInsertsTests {
  /// Names and values, as the event came through Fluent Bit.
  private func read(_ id: Int, _ inserts: String, provider: String = "Schannel") -> [String] {
    let bytes = Array(#"{"ProviderName":"\#(provider)","EventID":\#(id),"StringInserts":[\#(inserts)]}"#.utf8)
    var fields = EventFields()
    guard EventJSONReader.read(bytes.span, start: 0, end: bytes.count, into: &fields) else { return [] }
    SchannelInserts.fill(&fields)
    return fields.data.map { item in
      let name = String(decoding: fields.text[Int(item.nameStart)..<Int(item.nameEnd)], as: UTF8.self)
      return name + "=" + String(decoding: fields.text[Int(item.valueStart)..<Int(item.valueEnd)], as: UTF8.self)
    }
  }

  @Test func generations() {
    #expect(read(36888, "40,1205") == ["AlertDesc=40", "ErrorState=1205"])
    #expect(read(36888, #"40,1205,"mp01""#) == ["AlertDesc=40", "ErrorState=1205", "TargetName=mp01"])
    #expect(
      read(36888, #"4242,"CcmExec",40,1205,"""#) == [
        "CallerProcessId=4242", "CallerProcessImageName=CcmExec", "AlertDesc=40", "ErrorState=1205", "TargetName=",
      ])
    #expect(
      read(36887, #"4242,"CcmExec",70"#) == ["CallerProcessId=4242", "CallerProcessImageName=CcmExec", "AlertDesc=70"])
    #expect(read(36886, #"4242,"lsass""#) == ["CallerProcessId=4242", "CallerProcessImageName=lsass"])
    #expect(read(36888, "40,null,null") == ["AlertDesc=40", "ErrorState=", "TargetName="])
    #expect(
      read(36870, #""server","0x8009030d",10001"#) == ["Type=server", "ErrorCode=0x8009030d", "ErrorStatus=10001"])
  }

  /// What no manifest explains keeps its place for a name.
  @Test func othersStayAsTheyAre() {
    #expect(read(36888, "40,1205", provider: "MSSQLSERVER") == ["param1=40", "param2=1205"])
    #expect(read(12345, "40") == ["param1=40"])
    #expect(read(36887, "70,1") == ["param1=70", "param2=1"])
    #expect(read(36886, #"4242,"lsass",1"#).last == "param3=1")
    #expect(read(36887, "") == [])
  }
}
