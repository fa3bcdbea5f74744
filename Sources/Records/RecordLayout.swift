import CKernels

/// That `hk_record` and `hk_candidate` are what Swift keeps.
package enum RecordLayout {
  package static func check() {
    precondition(
      MemoryLayout<RecordSlot>.stride == MemoryLayout<hk_record>.stride
        && MemoryLayout<RecordSlot>.offset(of: \.format) == MemoryLayout<hk_record>.offset(of: \.format)
        && MemoryLayout<RecordSlot>.offset(of: \.origin) == MemoryLayout<hk_record>.offset(of: \.origin)
        && MemoryLayout<RecordSlot>.offset(of: \.start) == MemoryLayout<hk_record>.offset(of: \.start)
        && MemoryLayout<RecordSlot>.offset(of: \.end) == MemoryLayout<hk_record>.offset(of: \.end)
        && MemoryLayout<RecordSlot>.offset(of: \.messageStart) == MemoryLayout<hk_record>.offset(of: \.message_start)
        && MemoryLayout<RecordSlot>.offset(of: \.messageEnd) == MemoryLayout<hk_record>.offset(of: \.message_end)
        && MemoryLayout<RecordSlot>.offset(of: \.knownBias) == MemoryLayout<hk_record>.offset(of: \.known_bias)
        && MemoryLayout<RecordSlot>.offset(of: \.line) == MemoryLayout<hk_record>.offset(of: \.line)
        && MemoryLayout<RecordSlot>.offset(of: \.event) == MemoryLayout<hk_record>.offset(of: \.event)
        && MemoryLayout<RecordSlot>.offset(of: \.isUnasked) == MemoryLayout<hk_record>.offset(of: \.is_unasked)
        && MemoryLayout<Candidate>.stride == MemoryLayout<hk_candidate>.stride
        && MemoryLayout<Candidate>.offset(of: \.record) == MemoryLayout<hk_candidate>.offset(of: \.record)
        && MemoryLayout<Candidate>.offset(of: \.signature) == MemoryLayout<hk_candidate>.offset(of: \.signature)
        && tag(.line) == UInt8(HK_FORMAT_LINE) && tag(.cmtrace) == UInt8(HK_FORMAT_CMTRACE)
        && tag(.simple) == UInt8(HK_FORMAT_SIMPLE))
  }

  private static func tag(_ format: RecordFormat) -> UInt8 {
    unsafe unsafeBitCast(format, to: UInt8.self)
  }
}
