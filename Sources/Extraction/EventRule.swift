import Records

/// What one signature asks of an event, made once per worker from its `where:` and `codes:`, so that the many candidates
/// of one event are told apart by a number and the few that hold cost no text.
struct EventRule: Sendable {
  /// A field of `EventFields`, or a data item by its lower-case name.
  enum Field: Sendable {
    case provider, channel, computer, message
    case data(String)

    init(_ name: String) {
      switch name {
      case "provider": self = .provider
      case "channel": self = .channel
      case "computer": self = .computer
      case "message": self = .message
      default: self = .data(name)
      }
    }
  }

  enum Matcher: Sendable {
    case number(UInt64)
    case text([UInt8])
    case wildcard([[UInt8]])
    case field(Field)
  }

  struct Predicate: Sendable {
    var field: Field
    var anyOf: [Matcher]
  }

  /// The verdict on an event id, where nothing else decides it.
  struct Settled: Sendable {
    var eventID: UInt32
    /// Nil: the first table does not know the id.
    var yields: Yield?
    /// The name that the verdict gives; nil: the event's own counts.
    var protocolName: UInt32?
    var outcome: UInt8 = 0
  }

  /// Every list must hold the event's id; none: any event.
  private let eventIDs: [[UInt64]]
  /// Bit n: an id that is n modulo 64 may be in every list. Most candidates of an event are dismissed by it.
  private let idBits: UInt64
  let yields: Yield
  let isFallback: Bool
  let predicates: [Predicate]
  /// The predicates on the provider, for renderings without ids.
  let providers: [Predicate]
  /// Whether the verdict follows from the signature and the event id alone.
  let isSettledByID: Bool
  let isClient: Bool
  /// A provider is compared with another field: its name alone does not decide.
  let comparesProvider: Bool
  /// Whether events are its business, of some providers or ids alone (`Signature.isBoundToKind`).
  let isBoundToKind: Bool
  /// What an event comes to depends on what `EventMemo` knows it by.
  let isRemembered: Bool
  var settled: Settled?
  /// The id of `signature.role` in the name table, once a sighting asked for it.
  var role: UInt32?

  init(_ signature: Signature) {
    var eventIDs: [[UInt64]] = []
    var predicates: [Predicate] = []
    var providers: [Predicate] = []
    for source in signature.predicates {
      if source.field == "event-id" {
        eventIDs.append(
          source.anyOf.compactMap {
            if case .number(let number) = $0 { return number }
            return nil
          })
        continue
      }
      let predicate = Predicate(
        field: Field(source.field),
        anyOf: source.anyOf.map {
          switch $0 {
          case .number(let number): .number(number)
          case .text(let text): .text(text)
          case .wildcard(let pieces): .wildcard(pieces)
          case .field(let name): .field(Field(name))
          }
        })
      predicates.append(predicate)
      if source.field == "provider" { providers.append(predicate) }
    }
    self.eventIDs = eventIDs
    idBits = eventIDs.reduce(.max) { bits, list in bits & list.reduce(0) { $0 | 1 << ($1 & 63) } }
    yields = signature.yields
    isFallback = signature.isFallback
    self.predicates = predicates
    self.providers = providers
    isSettledByID = signature.pattern == nil && signature.codes.allSatisfy { $0.fields[0] == "event-id" }
    isClient = signature.hostIs == .client
    comparesProvider = signature.predicates.contains { $0.field == "provider" && $0.anyOf.contains(where: \.isField) }
    isBoundToKind = signature.isBoundToKind
    let asked = Set(
      signature.predicates.flatMap { predicate in
        [predicate.field]
          + predicate.anyOf.compactMap {
            if case .field(let name) = $0 { return name }
            return nil
          }
      } + signature.codes.flatMap(\.fields))
    isRemembered = signature.pattern == nil && asked.isDisjoint(with: ["computer", "log"])
  }

  /// Whether an event of this id may hold.
  func admits(_ eventID: UInt32?) -> Bool {
    guard let eventID else { return eventIDs.isEmpty }
    guard idBits & 1 << UInt64(eventID & 63) != 0 else { return false }
    for list in eventIDs where !list.contains(UInt64(eventID)) { return false }
    return true
  }
}
