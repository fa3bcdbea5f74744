import CKernels
import Records

/// What a row says apart from when and who: the columns that decide are few, their values repeat, and what they mean is
/// learned once.
///
/// Columns that are judged together (the four TLS columns, status and sub-status) form a group. The bytes of a group are
/// looked up in a memo and give a class: two values are of one class when no signature, role, name or code tells them
/// apart. The classes of all groups, in one word, give the row's `Ruling`:
///
///     … GET /SMS_MP/.sms_aut MPLIST 443 - 10.0.0.7 ccmhttp - 200 0 64 31 400 6610 800c ae06
///           └── class 2 ──┘            client  └ 0 ┘   └ 1 ─┘ any └─── class 3 ────┘
///
/// What is not known, or not of an ordinary kind, goes the slow way, which judges one row by itself; `RowExtractor` holds
/// both, and they give the same.
@safe final class RowClasses: @unchecked Sendable {
  // `@unchecked`: owned by one `RowExtractor`, which is used by one thread at a time.

  /// Columns [first, last] of the schema.
  struct Group {
    var first: Int
    var last: Int
    /// By what a value means: its class.
    var classes: [[UInt64]: Int] = [:]
  }

  /// What rows of the same classes yield.
  struct Ruling {
    var kind = HK_RULING_ROW
    /// The server is the host of the stream.
    var isOfHost = false
    /// Of the sighting, without its client; an address where the schema has one.
    var key = SightingKey()
    /// The signatures that hold.
    var signatures: [Int] = []
  }

  let plan: RowPlan
  private(set) var groups: [Group]
  /// By ruling.
  private(set) var rulings: [Ruling] = []
  /// The memos, and the run over the rows: C's (`rows.h`).
  let rows: OpaquePointer

  /// Nil for a schema that has too many groups.
  init?(_ plan: RowPlan) {
    var sets = [
      [plan.status, plan.substatus], [plan.stem], [plan.agent], [plan.computer ?? plan.serverAddress],
      [plan.cryptProtocol, plan.cryptCipher, plan.cryptKeyExchange, plan.cryptHash],
    ].map { $0.compactMap { $0 } }
    var pairs: [(Int, Int)] = []
    for rule in plan.unknownStatus {
      for predicate in rule.predicates {
        if let other = predicate.otherColumn, !pairs.contains(where: { $0 == (predicate.column, other) }) {
          pairs.append((predicate.column, other))
        }
        if predicate.anyOf.contains(where: { !$0.isField }) { sets.append([predicate.column]) }
      }
      for code in rule.codes { sets.append(code.columns) }
    }
    var groups: [Group] = []
    // Stretches that overlap, or stand side by side, are one: each look-up has its price. So are those with nothing but the
    // method between them, of which there are few.
    let method = plan.schema.column("cs-method")
    for set in sets.filter({ !$0.isEmpty }).sorted(by: { $0.min()! < $1.min()! }) {
      let isNear = { (last: Int) in set.min()! <= last + 1 || (set.min()! == last + 2 && method == last + 1) }
      if let last = groups.last, isNear(last.last) {
        groups[groups.count - 1].last = max(last.last, set.max()!)
      } else {
        groups.append(Group(first: set.min()!, last: set.max()!))
      }
    }
    let columns = hk_row_columns(
      count: Int32(plan.columnCount), date: Int32(plan.date ?? -1), time: Int32(plan.time ?? -1),
      client: Int32(plan.clientAddress ?? -1))
    guard let rows = unsafe hk_rows_new(hk_level_count(), columns) else { return nil }
    self.plan = plan
    self.groups = groups
    unsafe self.rows = rows
    for group in groups where unsafe hk_rows_add_group(rows, group.first, group.last) == 0 { return nil }
    for pair in pairs where unsafe hk_rows_add_pair(rows, pair.0, pair.1) == 0 { return nil }
  }

  deinit { unsafe hk_rows_free(rows) }

  /// The class of a value that means `meaning`; nil when the group has too many.
  func classNumber(of meaning: [UInt64], group: Int) -> Int? {
    if let known = groups[group].classes[meaning] { return known }
    let number = groups[group].classes.count
    guard number < HK_ROW_CLASSES else { return nil }
    groups[group].classes[meaning] = number
    return number
  }

  /// Remembers a ruling for a word; when there are too many, those that were are forgotten first, and counted in `counts`.
  func add(_ ruling: Ruling, for word: UInt64, counts: inout [UInt64]) {
    if rulings.count == HK_ROW_RULINGS {
      flush(into: &counts)
      unsafe hk_rows_forget_rulings(rows)
      rulings.removeAll(keepingCapacity: true)
    }
    _ = unsafe hk_rows_add_ruling(rows, word, ruling.kind)
    rulings.append(ruling)
  }

  var isFull: Bool { rulings.count == HK_ROW_RULINGS }

  /// Adds the rows that were ruled on since the last time to the counts of signatures.
  func flush(into counts: inout [UInt64]) {
    for index in rulings.indices {
      let count = unsafe hk_rows_take_count(rows, index)
      guard count > 0 else { continue }
      for signature in rulings[index].signatures { counts[signature] += count }
    }
  }
}
