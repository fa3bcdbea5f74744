/// Every bound of what is received over sockets, in one place. What goes beyond is counted, and said.
package struct ReceivingLimits: Sendable {
  /// Bytes of one message; the rest of a longer one is passed over.
  package var messageByteCount = 256 * 1024
  /// Bytes of messages that are not whole yet, of all connections together.
  package var unfinishedByteCount = 64 * 1024 * 1024
  /// Bytes that a connection may send without any boundary before it is closed.
  package var passedOverByteCount = 16 * 1024 * 1024
  package var connectionCount = 10_000
  /// Bytes taken from one connection, and from all together, before others have their turn.
  package var turnByteCount = 64 * 1024
  package var roundByteCount = 1024 * 1024
  /// What the kernel is asked to keep for a datagram socket while we do other things.
  package var kernelByteCount: Int32 = 8 * 1024 * 1024
  /// How long a message may stay unfinished, in microseconds, before its connection is closed.
  package var unfinishedMicroseconds: Int64 = 300_000_000

  package init() {}
}
