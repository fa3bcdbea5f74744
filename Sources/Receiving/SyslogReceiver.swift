import CLinux
import Glibc
import Records

/// Receives syslog over sockets that listen: TCP and Unix streams (RFC 6587), UDP and Unix datagrams. Never waits and has
/// no clock; the caller waits for `descriptor` and takes the text of each source.
///
///     sockets ─► epoll ─► receive() ─► MessageSplitter of each connection ─► text of the source ─► take(source)
///
/// What is not received stays with the kernel: on TCP the sender waits, on UDP the kernel drops and counts.
package final class SyslogReceiver {
  /// What happened that somebody should know.
  package enum Note: Sendable, Hashable {
    case closed(source: String, reason: String)
    /// More connections than allowed: one was closed at once.
    case refused(source: String)
    case dropped(source: String, count: UInt64)
    case failed(source: String, call: String, errno: Int32)
  }

  /// What a source has received since it was opened.
  package struct Figures: Sendable, Hashable {
    package var connectionCount = 0
    package var acceptedCount: UInt64 = 0
    package var messageCount: UInt64 = 0
    package var byteCount: UInt64 = 0
    /// Datagrams that the kernel dropped.
    package var droppedCount: UInt64 = 0
    package var refusedCount: UInt64 = 0
    /// Connections that we closed.
    package var closedCount: UInt64 = 0
  }

  private struct Source {
    var name: String
    /// Of ours, to be removed with the source.
    var path: String?
    /// Its sockets are the service manager's, which keeps connections as well.
    var isGiven = false
    var text = MessageText()
    var figures = Figures()
    var skips = SkipCounts()
  }

  private enum Role { case listener, datagrams, connection }

  private final class Socket {
    let descriptor: Int32
    let source: Int
    let role: Role
    let sender: [UInt8]
    var splitter: MessageSplitter
    /// What the kernel had dropped when it last told.
    var dropped: UInt32 = 0
    /// When its unfinished message began to wait.
    var waitsSince: Timestamp?
    /// By which name the service manager keeps it over a restart.
    var keptName: String?

    init(_ descriptor: Int32, _ source: Int, _ role: Role, sender: [UInt8] = [], splitter: MessageSplitter? = nil) {
      self.descriptor = descriptor
      self.source = source
      self.role = role
      self.sender = sender
      self.splitter = splitter ?? MessageSplitter()
    }
  }

  package let descriptor: Int32
  package private(set) var notes: [Note] = []
  private let limits: ReceivingLimits
  private var sources: [Int: Source] = [:]
  private var byName: [String: Int] = [:]
  private var sockets: [UInt64: Socket] = [:]
  private var nextToken: UInt64 = 1
  private var nextSource = 0
  private var connectionCount = 0
  private var unfinishedByteCount = 0
  private var tokens = [UInt64](repeating: 0, count: 256)
  private var buffer: [UInt8]
  private let keeper: ConnectionKeeper?
  private var nextKept: UInt64 = 0

  /// - Parameter keeper: keeps connections over a restart of this process.
  /// - Throws: the error number of `epoll_create1`.
  package init(
    limits: ReceivingLimits = ReceivingLimits(), keeper: ConnectionKeeper? = nil
  ) throws(ReceiverError) {
    self.limits = limits
    self.keeper = keeper
    // One datagram may be as large as a message, and one byte more tells that it was larger.
    buffer = [UInt8](repeating: 0, count: max(limits.turnByteCount, limits.messageByteCount) + 1)
    descriptor = hl_poller_open()
    if descriptor < 0 { throw ReceiverError(what: "epoll_create1", errno: errno) }
  }

  deinit {
    for socket in sockets.values { close(socket.descriptor) }
    for source in sources.values { if let path = source.path { unlink(path) } }
    close(descriptor)
  }

  package var names: Set<String> { Set(byName.keys) }
  package func figures(of name: String) -> Figures? { byName[name].flatMap { sources[$0]?.figures } }
  package var unfinished: Int { unfinishedByteCount }

  // MARK: - Sources

  /// Takes sockets of the service manager as one source.
  /// - Returns: descriptors that are no sockets to receive from; they stay the caller's.
  package func open(_ name: String, descriptors: [Int32]) -> [Int32] {
    let source = add(name)
    sources[source]!.isGiven = true
    var others: [Int32] = []
    for descriptor in descriptors {
      var kind = hl_socket()
      guard hl_socket_look(descriptor, &kind) == 0, kind.is_datagram != 0 || kind.is_listening != 0 else {
        others.append(descriptor)
        continue
      }
      hl_receiver_prepare(descriptor, limits.kernelByteCount)
      add(Socket(descriptor, source, kind.is_datagram != 0 ? .datagrams : .listener))
    }
    return others
  }

  /// Goes on with a connection that the service manager kept over a restart.
  /// - Parameter rest: the beginning of a message that had come when the process stopped; nil when it did not say.
  package func goOn(_ name: String, descriptor: Int32, keptName: String, rest: [UInt8]?) {
    guard let source = byName[name] else { return }
    // Names are never given twice.
    if let number = keptName.split(separator: "@").last.flatMap({ UInt64($0) }) { nextKept = max(nextKept, number) }
    hl_receiver_prepare(descriptor, 0)
    let socket = Socket(
      descriptor, source, .connection, sender: SyslogReceiver.peer(descriptor),
      splitter: MessageSplitter(limits, isTakenUp: rest == nil))
    socket.keptName = keptName
    if let rest {
      _ = socket.splitter.take(rest[...], sender: socket.sender, into: &sources[source]!.text)
      unfinishedByteCount += socket.splitter.rest.count
    }
    addConnection(socket)
  }

  /// What has come of messages that are not whole yet, by the names of the connections that are kept.
  package var unfinishedByName: [String: [UInt8]] {
    var rests: [String: [UInt8]] = [:]
    for socket in sockets.values {
      guard let name = socket.keptName, let rest = socket.splitter.restToGoOn else { continue }
      rests[name] = rest
    }
    return rests
  }

  /// Listens by itself.
  package func open(_ name: String, at address: ListenAddress) throws(ReceiverError) {
    var opened: [(Int32, Role)] = []
    func keep(_ descriptor: Int32, _ role: Role, _ call: String) throws(ReceiverError) {
      if descriptor < 0 {
        let code = errno
        for (other, _) in opened { close(other) }
        throw ReceiverError(what: "\(call) \(name)", errno: code)
      }
      opened.append((descriptor, role))
    }
    switch address {
    case .internet(let host, let port, let transports):
      if transports.contains(.tcp) { try keep(hl_internet_listen(host, port, 1), .listener, "tcp") }
      if transports.contains(.udp) { try keep(hl_internet_listen(host, port, 0), .datagrams, "udp") }
    case .datagrams(let path): try keep(hl_unix_datagrams(path, 0o666), .datagrams, "socket")
    }
    let source = add(name)
    if case .datagrams(let path) = address { sources[source]!.path = path }
    for (descriptor, role) in opened {
      hl_receiver_prepare(descriptor, limits.kernelByteCount)
      add(Socket(descriptor, source, role))
    }
  }

  /// Ends a source with its connections; what they sent is in its text.
  package func remove(_ name: String) -> MessageText {
    guard let index = byName.removeValue(forKey: name), let source = sources[index] else { return MessageText() }
    for (token, socket) in sockets where socket.source == index { end(token, socket, reason: nil) }
    let text = sources.removeValue(forKey: index)!.text
    if let path = source.path { unlink(path) }
    return text
  }

  private func add(_ name: String) -> Int {
    if let known = byName[name] { return known }
    nextSource += 1
    sources[nextSource] = Source(name: name)
    byName[name] = nextSource
    return nextSource
  }

  @discardableResult private func add(_ socket: Socket) -> UInt64 {
    let token = nextToken
    nextToken += 1
    guard hl_poller_add(descriptor, socket.descriptor, token) == 0 else {
      notes.append(.failed(source: sources[socket.source]!.name, call: "epoll_ctl", errno: errno))
      close(socket.descriptor)
      return 0
    }
    sockets[token] = socket
    return token
  }

  private func addConnection(_ socket: Socket) {
    guard add(socket) != 0 else { return }
    if let keeper, socket.keptName == nil, sources[socket.source]!.isGiven {
      nextKept += 1
      let name = "\(sources[socket.source]!.name)@\(nextKept)"
      if keeper.keep(socket.descriptor, name) { socket.keptName = name }
    }
    connectionCount += 1
    sources[socket.source]!.figures.connectionCount += 1
    sources[socket.source]!.figures.acceptedCount += 1
  }

  // MARK: - Receiving

  /// Takes what has come, up to a bound; the rest makes `descriptor` ready again.
  /// - Returns: sources that have text.
  package func receive(now: Timestamp) -> [String] {
    var left = limits.roundByteCount
    let room = Int32(tokens.count)
    let count = Int(hl_poller_ready(descriptor, &tokens, room))
    for index in 0..<count where left > 0 {
      let token = tokens[index]
      guard let socket = sockets[token] else { continue }
      switch socket.role {
      case .listener: accept(socket)
      case .datagrams: left -= datagrams(token, min(left, 4 * limits.turnByteCount))
      case .connection: left -= read(token, now)
      }
    }
    return sources.values.filter { !$0.text.bytes.isEmpty }.map(\.name).sorted()
  }

  /// What a source has received and was not taken yet.
  package func take(_ name: String) -> MessageText {
    guard let index = byName[name] else { return MessageText() }
    let text = sources[index]!.text
    sources[index]!.figures.messageCount += text.messageCount
    sources[index]!.text = MessageText()
    return text
  }

  package func takeSkips(_ name: String) -> SkipCounts {
    guard let index = byName[name] else { return SkipCounts() }
    defer { sources[index]!.skips = SkipCounts() }
    return sources[index]!.skips
  }

  package func takeNotes() -> [Note] {
    defer { notes.removeAll() }
    return notes
  }

  private func accept(_ listener: Socket) {
    var peer = [CChar](repeating: 0, count: Int(HL_PEER_LIMIT))
    // A storm of connections leaves others their turn.
    for _ in 0..<256 {
      let connection = hl_accept_peer(listener.descriptor, &peer)
      if connection < 0 {
        if errno != EAGAIN && errno != EINTR && errno != ECONNABORTED {
          notes.append(.failed(source: sources[listener.source]!.name, call: "accept", errno: errno))
        }
        return
      }
      guard connectionCount < limits.connectionCount else {
        close(connection)
        sources[listener.source]!.figures.refusedCount += 1
        notes.append(.refused(source: sources[listener.source]!.name))
        continue
      }
      addConnection(
        Socket(
          connection, listener.source, .connection, sender: SyslogReceiver.bytes(peer),
          splitter: MessageSplitter(limits))
      )
    }
  }

  private func datagrams(_ token: UInt64, _ most: Int) -> Int {
    guard let socket = sockets[token] else { return 0 }
    var peer = [CChar](repeating: 0, count: Int(HL_PEER_LIMIT))
    var dropped = socket.dropped
    var taken = 0
    while taken < most {
      let count = buffer.withUnsafeMutableBytes {
        hl_datagram(socket.descriptor, $0.baseAddress!, $0.count, &peer, &dropped)
      }
      guard count >= 0 else { break }
      let kept = min(count, buffer.count)
      if kept < count {
        sources[socket.source]!.skips.note(.lineTooLong, byteCount: count - kept)
      }
      sources[socket.source]!.text.append(buffer[..<kept], sender: SyslogReceiver.bytes(peer))
      // An empty one costs a call too.
      taken += max(kept, 64)
      sources[socket.source]!.figures.byteCount += UInt64(kept)
    }
    if dropped != socket.dropped {
      // The kernel counts from the socket's beginning, in 32 bits.
      let more = UInt64(dropped &- socket.dropped)
      sources[socket.source]!.figures.droppedCount += more
      notes.append(.dropped(source: sources[socket.source]!.name, count: more))
      socket.dropped = dropped
    }
    return taken
  }

  private func read(_ token: UInt64, _ now: Timestamp) -> Int {
    guard let socket = sockets[token] else { return 0 }
    let count = buffer.withUnsafeMutableBytes { Glibc.read(socket.descriptor, $0.baseAddress, limits.turnByteCount) }
    if count < 0, errno == EAGAIN || errno == EINTR { return 0 }
    guard count > 0 else {
      end(token, socket, reason: nil)
      return 0
    }
    sources[socket.source]!.figures.byteCount += UInt64(count)
    unfinishedByteCount -= socket.splitter.rest.count
    let fault = socket.splitter.take(
      buffer[..<count], sender: socket.sender, into: &sources[socket.source]!.text)
    let rest = socket.splitter.rest.count
    unfinishedByteCount += rest
    // It waits since its first byte came, not since its last.
    socket.waitsSince = rest == 0 ? nil : (rest > count ? socket.waitsSince ?? now : now)
    sources[socket.source]!.skips.add(socket.splitter.takeSkips())
    if let fault {
      end(token, socket, reason: fault.rawValue)
    } else if unfinishedByteCount > limits.unfinishedByteCount {
      makeRoom()
    }
    return count
  }

  /// The longest of the messages that are not whole is given up.
  private func makeRoom() {
    guard let socket = sockets.values.max(by: { $0.splitter.rest.count < $1.splitter.rest.count }) else { return }
    unfinishedByteCount -= socket.splitter.rest.count
    socket.splitter.giveUp()
    socket.waitsSince = nil
    sources[socket.source]!.skips.add(socket.splitter.takeSkips())
  }

  private func end(_ token: UInt64, _ socket: Socket, reason: String?) {
    _ = hl_poller_remove(descriptor, socket.descriptor)
    if socket.role == .connection {
      unfinishedByteCount -= socket.splitter.rest.count
      socket.splitter.end(sender: socket.sender, into: &sources[socket.source]!.text)
      sources[socket.source]!.skips.add(socket.splitter.takeSkips())
      connectionCount -= 1
      if let name = socket.keptName { keeper?.release(name) }
      sources[socket.source]!.figures.connectionCount -= 1
      if let reason {
        sources[socket.source]!.figures.closedCount += 1
        notes.append(.closed(source: sources[socket.source]!.name, reason: reason))
      }
    }
    close(socket.descriptor)
    sockets[token] = nil
  }

  /// Closes connections whose message has been unfinished for too long.
  package func tidy(now: Timestamp) {
    for (token, socket) in sockets {
      guard let since = socket.waitsSince, now.microseconds - since.microseconds > limits.unfinishedMicroseconds else {
        continue
      }
      end(token, socket, reason: "a message was not finished within \(limits.unfinishedMicroseconds / 1_000_000) s")
    }
  }

  private static func peer(_ descriptor: Int32) -> [UInt8] {
    var peer = [CChar](repeating: 0, count: Int(HL_PEER_LIMIT))
    hl_peer(descriptor, &peer)
    return bytes(peer)
  }

  private static func bytes(_ text: [CChar]) -> [UInt8] { text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) } }
}

/// Who keeps the descriptors of connections over a restart: sd_pid_notify_with_fds(3).
package struct ConnectionKeeper: Sendable {
  /// Whether it was taken.
  package var keep: @Sendable (Int32, String) -> Bool
  package var release: @Sendable (String) -> Void

  package init(keep: @escaping @Sendable (Int32, String) -> Bool, release: @escaping @Sendable (String) -> Void) {
    self.keep = keep
    self.release = release
  }
}

/// A call that failed when a source was opened.
package struct ReceiverError: Error, Sendable, Hashable, CustomStringConvertible {
  package var what: String
  package var errno: Int32
  package var description: String { "\(what): \(String(cString: strerror(errno)))" }
}

/// Where a source listens by itself.
package enum ListenAddress: Sendable, Hashable {
  package struct Transports: OptionSet, Sendable, Hashable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }
    package static let tcp = Transports(rawValue: 1)
    package static let udp = Transports(rawValue: 2)
  }
  /// A numeric address.
  case internet(address: String, port: UInt16, Transports)
  /// A Unix socket of datagrams at a path.
  case datagrams(path: String)

  /// `127.0.0.1:5514`, `[::1]:5514`, `/run/handshaked/log.sock`; nil for anything else.
  package init?(_ text: String, transports: Transports = [.tcp, .udp]) {
    if text.hasPrefix("/") {
      self = .datagrams(path: text)
      return
    }
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
      return nil
    }
    var address = String(text[..<colon])
    if address.hasPrefix("["), address.hasSuffix("]") {
      address = String(address.dropFirst().dropLast())
      guard address.contains(":") else { return nil }
    } else if address.contains(":") {
      return nil
    }
    var room = [UInt8](repeating: 0, count: 16)
    guard inet_pton(address.contains(":") ? AF_INET6 : AF_INET, address, &room) == 1 else { return nil }
    self = .internet(address: address, port: port, transports)
  }
}
