import Clients
import Records

/// Short and full names of one machine: `MP01` is shown as `mp01.corp.example` when exactly one full name begins so.
struct HostAliases {
  private var fullNames: [String: String] = [:]

  init(_ names: some Sequence<String>) {
    var candidates: [String: Set<String>] = [:]
    for name in Set(names) where name.contains(".") && !name.contains(":") {
      guard let label = name.split(separator: ".").first, !label.allSatisfy(\.isNumber) else { continue }
      candidates[label.lowercased(), default: []].insert(name.lowercased())
    }
    for (label, full) in candidates where full.count == 1 { fullNames[label] = full.first }
  }

  func name(_ name: String) -> String { fullNames[name.lowercased()] ?? name }
}

/// What a server was reached with, by role.
struct ProtocolRow {
  var server: String
  var role: String
  /// Clients by protocol.
  var clients: [String: Int] = [:]
  /// Those of whom no protocol is known.
  var plainClients = 0
}

/// Who reached whom, and who will break without TLS 1.0 and 1.1: the census counted, without a text for each of its rows,
/// of which there may be millions.
struct Reach {
  let aliases: HostAliases
  /// By server and role.
  let protocols: [ProtocolRow]
  /// Clients by name or address that were seen with a protocol older than TLS 1.2, and that protocol.
  let legacyClients: [(client: String, protocolName: String, system: String?)]
  /// Those of them that cannot be brought to TLS 1.2 as Configuration Manager clients.
  let exceptions: [String]

  private static let deviceRoles: Set<String> = ["device-management-point", "enrollment-point"]

  /// A client: its address, or a number for its name, counted down from the last address of the multicast range, which
  /// none has.
  private struct Client: Hashable, Comparable {
    var high: UInt64
    var low: UInt64
    static func < (left: Client, right: Client) -> Bool { (left.high, left.low) < (right.high, right.low) }
  }

  /// What a client will break by: the oldest protocol, and the system that some row told.
  private struct Legacy {
    var protocolName: String
    var system: String?
  }

  /// Where the rows of one key without its client belong.
  private struct Place {
    /// Of `cells`; -1 when the row says nobody reached a server that is known.
    var cell = -1
    /// Nil when the protocol is none that breaks.
    var legacyProtocol: String?
    var isDevice = false
    var system: String?
    var isAddress = false
  }

  /// - Parameter others: findings, whose names are machines too.
  init(_ census: Census, names: NameTable, others: [Finding]) {
    let texts = names.all
    let keys = census.keysWithoutClients
    var isHost = [Bool](repeating: false, count: texts.count)
    for key in keys { isHost[Int(key.server)] = true }
    census.forEachClient { _, low, number in if !keys[number].isAddress { isHost[Int(low)] = true } }
    isHost[0] = false
    let aliases = HostAliases(
      others.flatMap { [$0.host, $0.client, $0.server].compactMap { $0 } }
        + texts.indices.lazy.filter { isHost[$0] }.map { texts[$0] })
    self.aliases = aliases
    // Names that are shown alike are one machine.
    var shown: [String] = [""]
    var numberOf: [String: Int] = ["": 0]
    var machine = [Int](repeating: 0, count: texts.count)
    for id in texts.indices where isHost[id] {
      let name = aliases.name(texts[id])
      let number = numberOf[name] ?? shown.count
      if number == shown.count {
        numberOf[name] = number
        shown.append(name)
      }
      machine[id] = number
    }

    var rows: [String: ProtocolRow] = [:]
    /// The cells of the table: a row's key and the protocol, nil for none.
    var cells: [(row: String, protocolName: String?)] = []
    var cellOf: [String: Int] = [:]
    let places = keys.map { key -> Place in
      var place = Place()
      place.isAddress = key.isAddress
      let protocolName = key.protocolName == 0 ? nil : texts[Int(key.protocolName)]
      guard key.server != 0, protocolName != nil || key.isAddress else { return place }
      let server = shown[machine[Int(key.server)]]
      let role = key.role == 0 ? "other" : texts[Int(key.role)]
      let row = "\(server)\u{1}\(role)"
      rows[row] = ProtocolRow(server: server, role: role)
      let name = "\(row)\u{1}\(protocolName ?? "")"
      place.cell = cellOf[name] ?? cells.count
      if place.cell == cells.count {
        cellOf[name] = place.cell
        cells.append((row, protocolName))
      }
      place.system = key.system == 0 ? nil : texts[Int(key.system)]
      place.isDevice = place.system == "Mac OS" || Reach.deviceRoles.contains(role)
      if let protocolName, Reach.isLegacy(protocolName) { place.legacyProtocol = protocolName }
      return place
    }

    func client(_ high: UInt64, _ low: UInt64, _ place: Place) -> Client? {
      // No client has a multicast address.
      if place.isAddress { return high == .max ? nil : Client(high: high, low: low) }
      return low == 0 ? nil : Client(high: .max, low: .max - UInt64(machine[Int(low)]))
    }
    // The clients of each cell side by side, then sorted: what repeats is one. IPv4 addresses, of which there may be
    // millions, apart from the others.
    var addresses = Lists<UInt64>(count: cells.count, filler: 0)
    var others = Lists<Client>(count: cells.count, filler: Client(high: 0, low: 0))
    census.forEachClient { high, low, number in
      let place = places[number]
      guard place.cell >= 0, let client = client(high, low, place) else { return }
      if client.high == 0 { addresses.expect(1, in: place.cell) } else { others.expect(1, in: place.cell) }
    }
    addresses.layOut()
    others.layOut()
    var legacy: [Client: Legacy] = [:]
    var devices: Set<Client> = []
    census.forEachClient { high, low, number in
      let place = places[number]
      guard place.cell >= 0, let client = client(high, low, place) else { return }
      if client.high == 0 {
        addresses.append(client.low, to: place.cell)
      } else {
        others.append(client, to: place.cell)
      }
      guard let name = place.legacyProtocol else { return }
      if place.isDevice { devices.insert(client) }
      var entry = legacy[client] ?? Legacy(protocolName: name, system: nil)
      entry.protocolName = min(entry.protocolName, name)
      if let system = place.system { entry.system = entry.system.map { min($0, system) } ?? system }
      legacy[client] = entry
    }
    for (cell, entry) in cells.enumerated() {
      let count = addresses.distinctCount(of: cell) + others.distinctCount(of: cell)
      guard count > 0 else { continue }
      if let name = entry.protocolName {
        rows[entry.row]?.clients[name] = count
      } else {
        rows[entry.row]?.plainClients = count
      }
    }
    protocols = rows.sorted { $0.key < $1.key }.map(\.value).filter { !$0.clients.isEmpty || $0.plainClients > 0 }

    func text(_ client: Client) -> String {
      let number = Int(clamping: UInt64.max - client.low)
      return client.high == .max && number < shown.count
        ? shown[number] : IPAddress(high: client.high, low: client.low).text
    }
    legacyClients = legacy.map { (text($0.key), $0.value.protocolName, $0.value.system) }.sorted { $0.0 < $1.0 }
    exceptions = devices.map(text).sorted()
  }

  static func isLegacy(_ name: String) -> Bool {
    name.hasPrefix("SSL") || name.hasPrefix("PCT") || name == "TLS 1.0" || name == "TLS 1.1"
  }
}

/// Lists of known lengths, one behind the other in one array.
private struct Lists<Element: Comparable> {
  private var starts: [Int]
  private var ends: [Int]
  private var elements: [Element] = []
  private let filler: Element

  init(count: Int, filler: Element) {
    starts = Array(repeating: 0, count: count + 1)
    ends = []
    self.filler = filler
  }

  /// First every list is told how many elements it will have …
  mutating func expect(_ count: Int, in list: Int) { starts[list + 1] += count }

  /// … then room is made …
  mutating func layOut() {
    for list in 1..<max(1, starts.count) { starts[list] += starts[list - 1] }
    ends = starts
    elements = Array(repeating: filler, count: starts.last ?? 0)
  }

  /// … and they come.
  mutating func append(_ element: Element, to list: Int) {
    elements[ends[list]] = element
    ends[list] += 1
  }

  /// How many different elements a list has; sorts it.
  mutating func distinctCount(of list: Int) -> Int {
    let range = starts[list]..<ends[list]
    elements[range].sort()
    return range.count { $0 == range.lowerBound || elements[$0] != elements[$0 - 1] }
  }
}
