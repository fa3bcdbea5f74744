/// Which files a source names: a path with `*`, `?`, `**` (any folders) and `{host}`, the name of the machine that wrote
/// what lies there.
///
///     /var/log/remote/{host}/**/*.log    /var/log/remote/PC-0042/CCM/Logs/CcmMessaging.log → PC-0042
package struct SourcePattern: Hashable, Sendable, CustomStringConvertible {
  package struct Fault: Error, Hashable, Sendable {
    package var what: String
    package var fix: String
  }

  private enum Piece: Hashable, Sendable {
    case literal([UInt8])
    /// `*`
    case any
    /// `?`
    case one
    case host
  }
  private enum Component: Hashable, Sendable {
    /// `**`
    case folders
    case name([Piece])
  }

  package let description: String
  private let components: [Component]
  /// The folder above the first component that is not plain text: where watching begins.
  package let base: [UInt8]

  package init(_ text: String) throws(Fault) {
    description = text
    guard text.hasPrefix("/") else {
      throw Fault(what: "'\(text)' is no absolute path", fix: "begin it with /: a service has no current folder")
    }
    var components: [Component] = []
    var hostCount = 0
    for part in text.split(separator: "/") {
      if part == "**" {
        components.append(.folders)
        continue
      }
      if part.contains("**") {
        throw Fault(what: "'**' stands for whole folders and is part of '\(part)'", fix: "write /**/ or a single *")
      }
      var pieces: [Piece] = []
      var literal: [UInt8] = []
      var rest = part[...]
      while let character = rest.first {
        if rest.hasPrefix("{") {
          guard rest.hasPrefix("{host}") else {
            throw Fault(what: "'\(part)' has a { that begins no {host}", fix: "{host} is the only template")
          }
          rest = rest.dropFirst(6)
          hostCount += 1
          if !literal.isEmpty { pieces.append(.literal(literal)) }
          literal = []
          pieces.append(.host)
          continue
        }
        rest = rest.dropFirst()
        switch character {
        case "*", "?":
          if !literal.isEmpty { pieces.append(.literal(literal)) }
          literal = []
          pieces.append(character == "*" ? .any : .one)
        default: literal += Array(String(character).utf8)
        }
      }
      if !literal.isEmpty { pieces.append(.literal(literal)) }
      components.append(.name(pieces))
    }
    guard hostCount <= 1 else {
      throw Fault(what: "'\(text)' names {host} twice", fix: "write * for the other one")
    }
    // A folder means everything in it.
    if components.isEmpty || text.hasSuffix("/") { components += [.folders, .name([.any])] }
    if components.last == .folders { components.append(.name([.any])) }
    self.components = components
    var base: [UInt8] = []
    for component in components.dropLast() {
      guard case .name(let pieces) = component, pieces.count == 1, case .literal(let bytes) = pieces[0] else { break }
      base += [0x2F] + bytes
    }
    self.base = base.isEmpty ? [0x2F] : base
  }

  /// What a path is to the pattern.
  package enum Match: Equatable {
    case no
    /// With the host, where the pattern names one.
    case yes(host: String?)
  }

  package func match(_ path: [UInt8]) -> Match {
    let names = path.split(separator: 0x2F).map { Array($0) }
    var host: [UInt8]?
    guard match(names[...], components[...], &host) else { return .no }
    return .yes(host: host.map { String(decoding: $0, as: UTF8.self) })
  }

  /// Whether files below this folder may match: it is worth watching.
  package func mayHold(_ folder: [UInt8]) -> Bool {
    var names = folder.split(separator: 0x2F).map { Array($0) }[...]
    var rest = components[...]
    while let name = names.first {
      guard rest.count > 1, let component = rest.first else { return false }
      guard case .name(let pieces) = component else { return true }
      var host: [UInt8]?
      guard SourcePattern.match(name[...], pieces[...], &host) else { return false }
      names = names.dropFirst()
      rest = rest.dropFirst()
    }
    return !rest.isEmpty
  }

  private func match(_ names: ArraySlice<[UInt8]>, _ components: ArraySlice<Component>, _ host: inout [UInt8]?) -> Bool
  {
    guard let component = components.first else { return names.isEmpty }
    switch component {
    case .folders:
      for skipped in 0..<max(1, names.count)
      where match(names.dropFirst(skipped), components.dropFirst(), &host) { return true }
      return false
    case .name(let pieces):
      guard let name = names.first else { return false }
      let before = host
      if SourcePattern.match(name[...], pieces[...], &host), match(names.dropFirst(), components.dropFirst(), &host) {
        return true
      }
      host = before
      return false
    }
  }

  private static func match(_ name: ArraySlice<UInt8>, _ pieces: ArraySlice<Piece>, _ host: inout [UInt8]?) -> Bool {
    guard let piece = pieces.first else { return name.isEmpty }
    switch piece {
    case .literal(let bytes):
      return name.starts(with: bytes) && match(name.dropFirst(bytes.count), pieces.dropFirst(), &host)
    case .one: return !name.isEmpty && match(name.dropFirst(), pieces.dropFirst(), &host)
    case .any, .host:
      // At least one byte of a host; hidden files are none of `*`.
      if case .any = piece, name.first == 0x2E, pieces.count == 1 { return false }
      var length = name.count
      let least = piece == .host ? 1 : 0
      while length >= least {
        if match(name.dropFirst(length), pieces.dropFirst(), &host) {
          if piece == .host { host = Array(name.prefix(length)) }
          return true
        }
        length -= 1
      }
      return false
    }
  }
}
