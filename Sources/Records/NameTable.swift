import Synchronization

/// Names (hosts, servers, roles, ciphers) as small numbers, shared by the workers of one run.
///
/// Numbers depend on who came first; everything printed is ordered by the names themselves. Id 0 is "unknown".
/// A worker asks only when a name differs from the one before, so the lock is met once per run of rows.
package final class NameTable: Sendable {
  private struct State {
    var ids: [String: UInt32] = [:]
    var names: [String] = [""]
    var refused: UInt64 = 0
  }
  private let state = Mutex(State())

  package init() {}

  /// The id of `name`; 0 for the empty name and beyond `Limits.nameLimit`.
  package func id(of name: String) -> UInt32 {
    if name.isEmpty { return 0 }
    return state.withLock { state in
      if let id = state.ids[name] { return id }
      guard state.names.count < Limits.nameLimit else {
        state.refused += 1
        return 0
      }
      let id = UInt32(state.names.count)
      state.ids[name] = id
      state.names.append(name)
      return id
    }
  }

  package func name(of id: UInt32) -> String? {
    id == 0 ? nil : state.withLock { $0.names[Int(id)] }
  }

  /// Every name by its id; the first is that of "unknown".
  package var all: [String] { state.withLock { $0.names } }

  package var refusedCount: UInt64 { state.withLock { $0.refused } }
}
