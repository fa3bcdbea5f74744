import CVectorscan
import Records

/// Why a scanning database could not be made.
package struct ScanningError: Error, CustomStringConvertible, Sendable {
  package var description: String
}

/// A Vectorscan database of caseless literals; wraps `hs_compile_lit_multi`. Shared by scanners, never changed.
@safe final class LiteralDatabase: @unchecked Sendable {
  // `@unchecked`: the database is read-only once compiled (Vectorscan manual, "Compiling Patterns").
  let database: OpaquePointer
  let count: Int

  /// - Parameter literals: lower-case ASCII, not empty; a match reports the literal's index.
  init(_ literals: [[UInt8]]) throws(ScanningError) {
    count = literals.count
    var pointers: [UnsafePointer<CChar>?] = unsafe []
    unsafe pointers.reserveCapacity(literals.count)
    var storage: [UnsafeMutablePointer<CChar>] = unsafe []
    defer { unsafe storage.forEach { unsafe $0.deallocate() } }
    for literal in literals {
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: literal.count + 1)
      for (index, byte) in literal.enumerated() { unsafe copy[index] = CChar(bitPattern: byte) }
      unsafe copy[literal.count] = 0
      unsafe storage.append(copy)
      unsafe pointers.append(UnsafePointer(copy))
    }
    let flags = [UInt32](repeating: UInt32(HS_FLAG_CASELESS), count: literals.count)
    let ids = (0..<UInt32(literals.count)).map { $0 }
    let lengths = literals.map(\.count)
    var compiled: OpaquePointer?
    var failure: UnsafeMutablePointer<hs_compile_error_t>?
    let status = unsafe hs_compile_lit_multi(
      pointers, flags, ids, lengths, UInt32(literals.count), UInt32(HS_MODE_BLOCK), nil, &compiled, &failure)
    guard status == HS_SUCCESS, let compiled = unsafe compiled else {
      let text =
        unsafe failure.flatMap { unsafe $0.pointee.message }.map { unsafe String(cString: $0) } ?? "error \(status)"
      unsafe hs_free_compile_error(failure)
      throw ScanningError(description: "the scanner could not be built: \(text)")
    }
    unsafe database = compiled
  }

  deinit { unsafe hs_free_database(database) }
}

/// Scratch space of one scanning thread.
@safe final class ScanScratch: @unchecked Sendable {
  // `@unchecked`: owned by one `Scanner`, which is used by one thread at a time.
  private(set) var scratch: OpaquePointer?

  init(_ databases: [LiteralDatabase]) throws(ScanningError) {
    for database in databases {
      guard unsafe hs_alloc_scratch(database.database, &scratch) == HS_SUCCESS else {
        throw ScanningError(description: "no memory for the scanner's scratch space")
      }
    }
  }

  deinit { if let scratch = unsafe scratch { unsafe hs_free_scratch(scratch) } }
}
