/// Every bound of the store, in one place.
package enum StoreLimits {
  /// Milliseconds that a transaction waits for another program's lock before `StoreError.Kind.locked` says so.
  package static let lockWait = 250
  /// Up to this size a file is checked page by page when it is opened; a larger one shows damage when it is read.
  /// 256 MiB take about a quarter of a second from the page cache.
  package static let checkedByteCount: UInt64 = 256 * 1024 * 1024
  /// Pages of the write-ahead log after which SQLite moves them into the database by itself (4 MiB).
  package static let walPageCount = 1000
  /// Bytes of the write-ahead log that stay on disk after it was moved.
  package static let walByteCount = 16 * 1024 * 1024
  /// Names (hosts, servers, ciphers) whose number is remembered; then all are forgotten and looked up again.
  package static let nameCacheCount = 200_000
  /// Rows that one transaction of `prune` removes, so that a commit never waits long behind it.
  package static let prunedRowCount = 5_000
  /// Rows that one query returns unless it asks for fewer.
  package static let queryRowCount = 100_000
  /// Days that one query of activities may span; each is looked up by itself.
  package static let queryDayCount = 400
}
