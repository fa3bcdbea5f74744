import CKernels
import Records

/// Why the scanner could not be made.
package struct ScanningError: Error, CustomStringConvertible, Sendable {
  package var description: String
}

/// Literals that are looked for together, whatever the case of their letters; wraps `hk_literals`. Shared by scanners,
/// never changed.
@safe final class LiteralSet: @unchecked Sendable {
  // `@unchecked`: read-only once made.
  let set: OpaquePointer
  let count: Int

  /// - Parameters:
  ///   - literals: lower-case ASCII, 1 to 255 bytes each; a hit reports the index.
  ///   - choice: the factor of each.
  init(_ literals: [[UInt8]], _ choice: FactorChoice) throws(ScanningError) {
    if let long = literals.first(where: { $0.count > 255 || $0.isEmpty }) {
      throw ScanningError(
        description: "an anchor must have 1 to 255 bytes: '\(Text.decode(Array(long.prefix(40))))' has \(long.count)")
    }
    var ends: [UInt32] = []
    var bytes: [UInt8] = []
    for literal in literals {
      bytes += literal
      ends.append(UInt32(bytes.count))
    }
    let windows = choice.offsets.map { UInt8($0) }
    let buckets = choice.buckets.map { UInt8($0) }
    guard let set = unsafe hk_literals_make(bytes, ends, windows, buckets, literals.count) else {
      throw ScanningError(description: "no memory for the scanner")
    }
    unsafe self.set = set
    count = literals.count
  }

  deinit { unsafe hk_literals_free(set) }
}
