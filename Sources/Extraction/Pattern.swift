import CPCRE2
import Records

/// Why a pattern was refused.
package struct PatternError: Error, CustomStringConvertible, Sendable {
  package var description: String
  /// Byte offset in the pattern.
  package var offset: Int
}

/// A compiled pattern; wraps `pcre2_compile`. Shared by all workers.
///
/// Patterns see bytes, not characters: log text may be in any encoding and `\d`, `\w` mean ASCII. JIT is used where
/// the system allows it and changes no result. Match, heap and depth limits are in `Limits`.
@safe package final class Pattern: @unchecked Sendable {
  // `@unchecked`: compiled code is read-only; every thread brings its own match data (pcre2api(3), "MULTITHREADING").
  fileprivate let code: OpaquePointer
  package let source: String
  /// Named groups: name → number.
  package let groups: [String: Int]

  package init(_ source: String) throws(PatternError) {
    self.source = source
    var number: Int32 = 0
    var offset = 0
    let bytes = Array(source.utf8)
    guard
      let code = unsafe pcre2_compile_8(
        bytes, bytes.count, UInt32(PCRE2_NEVER_BACKSLASH_C) | UInt32(PCRE2_DOTALL), &number, &offset, nil)
    else {
      var message = [UInt8](repeating: 0, count: 256)
      let count = unsafe pcre2_get_error_message_8(number, &message, message.count)
      throw PatternError(
        description: String(decoding: message.prefix(max(0, Int(count))), as: UTF8.self), offset: offset)
    }
    unsafe self.code = code
    _ = unsafe pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
    var nameCount: UInt32 = 0
    var entrySize: UInt32 = 0
    var table: UnsafePointer<UInt8>?
    unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMECOUNT), &nameCount)
    unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMEENTRYSIZE), &entrySize)
    unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table)
    var groups: [String: Int] = [:]
    for index in 0..<Int(nameCount) {
      guard let entry = unsafe table.map({ unsafe $0 + index * Int(entrySize) }) else { break }
      let group = unsafe Int(entry[0]) << 8 | Int(entry[1])
      groups[unsafe String(cString: entry + 2)] = group
    }
    self.groups = groups
  }

  deinit { unsafe pcre2_code_free_8(code) }
}

/// What one thread needs to match: wraps `pcre2_match_data` and `pcre2_match_context`.
@safe package final class PatternMatcher: @unchecked Sendable {
  // `@unchecked`: owned by one extractor, which is used by one thread at a time.
  private let data: OpaquePointer
  private let context: OpaquePointer

  package enum Result { case match, none, limit }

  package init() {
    unsafe data = pcre2_match_data_create_8(64, nil)!
    unsafe context = pcre2_match_context_create_8(nil)!
    unsafe pcre2_set_match_limit_8(context, Limits.patternMatchLimit)
    unsafe pcre2_set_heap_limit_8(context, Limits.patternHeapLimit)
    unsafe pcre2_set_depth_limit_8(context, Limits.patternDepthLimit)
  }

  deinit {
    unsafe pcre2_match_data_free_8(data)
    unsafe pcre2_match_context_free_8(context)
  }

  /// Matches in [start, end) of the text, beginning the search at `from`. Groups are then asked with `group`.
  package func match(_ pattern: Pattern, _ text: Span<UInt8>, start: Int, end: Int, from: Int) -> Result {
    guard end > start, from <= end else { return .none }
    let status = unsafe text.withUnsafeBufferPointer { raw in
      unsafe pcre2_match_8(
        pattern.code, raw.baseAddress! + start, end - start, from - start, 0, data, context)
    }
    base = start
    if status > 0 { return .match }
    return status == PCRE2_ERROR_NOMATCH || status == PCRE2_ERROR_PARTIAL ? .none : .limit
  }

  private var base = 0

  /// The range of a group of the last match in the text, nil when it took no part.
  package func group(_ number: Int) -> Range<Int>? {
    let vector = unsafe pcre2_get_ovector_pointer_8(data)!
    guard number < Int(unsafe pcre2_get_ovector_count_8(data)) else { return nil }
    let start = unsafe vector[2 * number]
    let end = unsafe vector[2 * number + 1]
    // PCRE2_UNSET is the largest size_t: -1 here.
    guard start >= 0, start <= end else { return nil }
    return (base + start)..<(base + end)
  }
}
