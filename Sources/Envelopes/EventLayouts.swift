import CKernels
import Records
import Synchronization

/// The layouts of lines that were whole events, and the lines that have one of them (event_lines.h).
///
/// Forwarders write the same keys or tags in the same order line after line. Such a line is found in one pass: it is an
/// event and no envelope, it ends where the line ends, and its values stand between marks that the pass wrote down. What
/// has no known layout is read byte by byte by the stages behind, with the same result.
package struct EventLayouts: Sendable {
  /// Bytes of a literal behind its first mark.
  private static let reachLimit = 1024
  /// One miss in so many is learnt from, ever fewer while nothing is learnt.
  private static let missIntervals = 8...1024
  /// One line in so many is tried where nothing matched for long.
  private static let patience = 64
  private static let tryInterval = 16
  private static let foundCount = 256
  private static let nextSerial = Atomic<UInt64>(0)

  /// False: no line is known, the slow twin for tests. The result is the same.
  package var isUsed = true
  /// The kernels of this level (kernels.h), for tests; nil: of the best.
  package var level: Int?
  package private(set) var layouts: [EventLayout] = []

  // What hk_event_layouts points to.
  private var heads = [UInt32](repeating: 0, count: Int(HK_LAYOUT_HEADS))
  private var numbers: [UInt32] = [0]
  private var literals: [UInt8] = []

  private var found = [hk_event_line](repeating: hk_event_line(), count: EventLayouts.foundCount)
  private var foundEnds = [UInt32](repeating: 0, count: EventLayouts.foundCount)
  private var markCount = 0
  private var missCount = 0
  private var missInterval = missIntervals.lowerBound
  /// Lines without a known layout since the last that had one.
  private var missRun = 0
  /// One more, and all are learnt anew.
  private var isFull = false

  package init() {
    precondition(
      MemoryLayout<EventLine>.stride == MemoryLayout<hk_event_line>.stride
        && MemoryLayout<EventLine>.offset(of: \.isUnasked) == MemoryLayout<hk_event_line>.offset(of: \.is_unasked))
  }

  /// Whether a line may be an event by its first bytes.
  @inline(__always)
  static func mayBegin(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    guard end - start >= 16 else { return false }
    return bytes[start] == 0x7B || bytes[start] == 0x3C && bytes[start + 1] == 0x45
  }

  /// Before the first line of a chunk.
  mutating func begin(_ batch: inout RecordBatch) {
    if isFull { forget() }
    batch.events.removeAll(keepingCapacity: true)
    markCount = 0
  }

  /// Adds the lines from `line`, which begins at `start`, on that have known layouts to `batch.events`; the result is how
  /// many they are.
  mutating func take(_ bytes: Span<UInt8>, line: Int, start: Int, into batch: inout RecordBatch) -> Int {
    unsafe take(bytes, line: line, start: start, limit: .max, ends: nil, into: &batch)
  }

  /// The same from the first line on, before anybody looked for line ends: those of the added lines go to `ends`.
  mutating func takeFirst(_ bytes: Span<UInt8>, endsTo ends: inout [UInt32], into batch: inout RecordBatch) {
    _ = unsafe withUnsafeMutablePointer(to: &ends) {
      unsafe take(bytes, line: 0, start: 0, limit: .max, ends: $0, into: &batch)
    }
  }

  private mutating func take(
    _ bytes: Span<UInt8>, line first: Int, start: Int, limit: Int, ends: UnsafeMutablePointer<[UInt32]>?,
    into batch: inout RecordBatch
  ) -> Int {
    guard isUsed, !layouts.isEmpty else { return 0 }
    if missRun > EventLayouts.patience {
      missRun += 1
      if missRun % EventLayouts.tryInterval != 0 { return 0 }
    }
    var line = first
    var start = start
    // Locals, so that the kernel may write to them while it reads the tables.
    var marked = markCount
    var found: [hk_event_line] = []
    var foundEnds: [UInt32] = []
    swap(&found, &self.found)
    swap(&foundEnds, &self.foundEnds)
    let (heads, numbers, literals, level) = (heads, numbers, literals, level)
    while start < bytes.count, line - first < limit {
      EventLayouts.makeRoom(behind: marked, in: &batch.marks)
      let most = min(found.count, limit - (line - first))
      let count = unsafe bytes.withUnsafeBufferPointer { text in
        unsafe batch.marks.withUnsafeMutableBufferPointer { marks in
          unsafe heads.withUnsafeBufferPointer { heads in
            unsafe numbers.withUnsafeBufferPointer { numbers in
              unsafe literals.withUnsafeBufferPointer { literals in
                var layouts = unsafe hk_event_layouts(
                  heads: heads.baseAddress!, numbers: numbers.baseAddress!, literals: literals.baseAddress!)
                if let level {
                  return unsafe hk_event_lines_at(
                    level, &layouts, text.baseAddress!, text.count, line, start, marks.baseAddress!, marks.count,
                    &marked, &foundEnds, &found, most)
                }
                return unsafe hk_event_lines(
                  &layouts, text.baseAddress!, text.count, line, start, marks.baseAddress!, marks.count, &marked,
                  &foundEnds, &found, most)
              }
            }
          }
        }
      }
      guard count > 0 else { break }
      EventLayouts.add(found, count, to: &batch)
      if let ends = unsafe ends { unsafe ends.pointee.append(contentsOf: foundEnds[..<count]) }
      line += count
      start = Int(foundEnds[count - 1]) + 1
      // Fewer than there was room for: the next line has no known layout.
      if count < most, batch.marks.count >= marked + Int(HK_EVENT_MARK_ROOM) { break }
    }
    markCount = marked
    swap(&found, &self.found)
    swap(&foundEnds, &self.foundEnds)
    missRun = line > first ? 0 : missRun + 1
    return line - first
  }

  /// Calls `body` with what a kernel needs to find lines of known layouts among others, and adds those that it found.
  /// - Parameter isUsed: false: it is to find none.
  mutating func lend(
    to run: inout hk_headed_run_out, isUsed: Bool, _ batch: inout RecordBatch,
    _ body: (inout hk_headed_run_out, inout RecordBatch) -> Void
  ) {
    unsafe run.level = level ?? hk_level_count()
    guard isUsed, self.isUsed, !layouts.isEmpty, missRun <= EventLayouts.patience else {
      unsafe body(&run, &batch)
      return
    }
    // Taken out, so that `body` may change the batch, and locals, so that the kernel may write to one while it reads the others.
    var marks: [UInt16] = []
    swap(&marks, &batch.marks)
    unsafe EventLayouts.makeRoom(behind: markCount, lineCount: run.capacity, in: &marks)
    unsafe run.mark_count = markCount
    var found: [hk_event_line] = []
    swap(&found, &self.found)
    let (heads, numbers, literals) = (heads, numbers, literals)
    unsafe heads.withUnsafeBufferPointer { heads in
      unsafe numbers.withUnsafeBufferPointer { numbers in
        unsafe literals.withUnsafeBufferPointer { literals in
          var layouts = unsafe hk_event_layouts(
            heads: heads.baseAddress!, numbers: numbers.baseAddress!, literals: literals.baseAddress!)
          unsafe withUnsafePointer(to: &layouts) { layouts in
            unsafe marks.withUnsafeMutableBufferPointer { marks in
              unsafe found.withUnsafeMutableBufferPointer { found in
                unsafe run.layouts = layouts
                unsafe run.marks = marks.baseAddress
                unsafe run.mark_capacity = marks.count
                unsafe run.events = found.baseAddress
                unsafe body(&run, &batch)
              }
            }
          }
        }
      }
    }
    swap(&marks, &batch.marks)
    swap(&found, &self.found)
    let count = unsafe run.event_count
    guard count > 0 else { return }
    markCount = unsafe run.mark_count
    missRun = 0
    EventLayouts.add(self.found, count, to: &batch)
  }

  /// Room for the marks of so many lines of usual length, and one of the longest.
  private static func makeRoom(behind count: Int, lineCount: Int = 1, in marks: inout [UInt16]) {
    let needed = count + lineCount * 128 + Int(HK_EVENT_MARK_ROOM)
    guard marks.count < needed else { return }
    marks.append(contentsOf: repeatElement(0, count: max(needed, 2 * marks.count) - marks.count))
  }

  private static func add(_ found: [hk_event_line], _ count: Int, to batch: inout RecordBatch) {
    unsafe found.withUnsafeBufferPointer { found in
      unsafe UnsafeBufferPointer(rebasing: found[..<count]).withMemoryRebound(to: EventLine.self) {
        unsafe batch.events.append(contentsOf: $0)
      }
    }
  }

  /// Adds the other lines of a text that have known layouts, and learns from those that have none.
  mutating func takeRest(_ bytes: Span<UInt8>, _ ends: Span<UInt32>, into batch: inout RecordBatch) {
    guard isUsed else { return }
    let known = batch.events
    var nextKnown = 0
    var isSorted = true
    var line = 0
    while true {
      line = unsafe bytes.withUnsafeBufferPointer { bytes in
        unsafe ends.withUnsafeBufferPointer { ends in
          unsafe bytes.isEmpty ? ends.count : hk_next_event(bytes.baseAddress!, ends.baseAddress!, ends.count, line)
        }
      }
      guard line < ends.count else { break }
      while nextKnown < known.count, Int(known[nextKnown].line) < line { nextKnown += 1 }
      if nextKnown < known.count, Int(known[nextKnown].line) == line {
        line += 1
        continue
      }
      let end = nextKnown < known.count ? Int(known[nextKnown].line) : ends.count
      let start = line == 0 ? 0 : Int(ends[line - 1]) + 1
      let count = unsafe take(bytes, line: line, start: start, limit: end - line, ends: nil, into: &batch)
      if count == 0 { learn(bytes, start, Int(ends[line])) }
      isSorted = isSorted && (count == 0 || nextKnown == known.count)
      line += max(1, count)
    }
    if !isSorted { batch.events.sort { $0.line < $1.line } }
  }

  // MARK: Learning

  /// Keeps the layout of [start, end), when that is one whole event and no more.
  mutating func learn(_ bytes: Span<UInt8>, _ start: Int, _ lineEnd: Int) {
    // The kernel does not look at the last lines of a text: nothing was missed there.
    guard isUsed, lineEnd + EventLayouts.reachLimit + 64 <= bytes.count else { return }
    missCount += 1
    guard missCount % missInterval == 1 else { return }
    let count = layouts.count
    defer {
      let isLearnt = layouts.count > count
      missInterval =
        isLearnt
        ? EventLayouts.missIntervals.lowerBound : min(2 * missInterval, EventLayouts.missIntervals.upperBound)
    }
    var end = lineEnd
    while end > start, bytes[end - 1] == 0x0D || ASCII.isBlank(bytes[end - 1]) { end -= 1 }
    guard end - start <= Int(HK_EVENT_BYTES) else { return }
    let isXML = bytes[start] == 0x3C
    let proved = unsafe bytes.withUnsafeBufferPointer { text in
      let event = unsafe text.baseAddress! + start
      return unsafe isXML
        ? hk_xml_event(event, end - start, text.count - start) : hk_json_object(event, end - start, text.count - start)
    }
    guard proved == end - start, isXML || isNoEnvelope(bytes, start, end),
      let drawn = isXML
        ? EventDrawing(xml: bytes, start, end, lineEnd: lineEnd)
        : EventDrawing(json: bytes, start, end, lineEnd: lineEnd)
    else { return }
    add(drawn, bytes, start, trail: lineEnd - end)
  }

  /// Whether every line of JSON of this one's layout is an event and no envelope (`EventShapes`).
  private func isNoEnvelope(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    guard let stop = JSONEnvelope.eventMark(bytes, start, end) else { return false }
    return JSONShape(
      bytes, start: start, stop: stop, end: end,
      admits: { token in
        if case .key(let from, let to, _) = token { return !EventShapes.namesOurselves(bytes, from, to) }
        return true
      }) != nil
  }

  private mutating func add(_ drawn: EventDrawing, _ bytes: Span<UInt8>, _ start: Int, trail: Int) {
    guard drawn.markCount <= Int(HK_EVENT_MARKS) else { return }
    let key = UInt32(drawn.markCount) << 1 | (drawn.isXML ? 1 : 0)
    var checks: [UInt32] = []
    var text: [UInt8] = []
    var reach = 0
    for literal in drawn.literals {
      let mark = drawn.mark(of: literal)
      var from = literal.lowerBound
      while from < literal.upperBound {
        let byteCount = min(32, literal.upperBound - from)
        let distance = from - drawn.place(mark)
        // The mark of number n stands at n - 1 or behind: the kernel does not look before the start.
        guard distance >= 1 - mark, distance < EventLayouts.reachLimit else { return }
        reach = max(reach, distance)
        checks.append(EventLayouts.check(mark, distance))
        for index in from..<from + 32 {
          let byte = index < from + byteCount ? bytes[start + index] : 0
          // 0 says that there is nothing to compare.
          guard byte != 0 || index >= from + byteCount else { return }
          text.append(byte)
        }
        from += byteCount
      }
    }
    // To whole steps, by checks that always hold.
    while checks.count % Int(HK_CHECK_STEP) != 0 {
      checks.append(EventLayouts.check(0, 1))
      text += repeatElement(0, count: 32)
    }
    guard text.count <= Limits.layoutByteLimit / 16 else { return }
    // The events of the batch still name them.
    if layouts.count == Limits.layoutLimit || literals.count + text.count > Limits.layoutByteLimit {
      isFull = true
      return
    }
    // The last literal ends the line.
    let last = drawn.literals.last!
    let tail = drawn.mark(of: last)
    var layout: [UInt32] = [0, key, UInt32(layouts.count), UInt32(checks.count), UInt32(drawn.words.count), 0]
    layout += [UInt32(tail), UInt32(last.upperBound - drawn.place(tail)), UInt32(literals.count / 32), UInt32(reach)]
    layout.append(UInt32(trail))
    layout += checks
    for word in drawn.words {
      let value = drawn.values[word]
      layout.append(UInt32(value.first) | UInt32(value.lead) << 16)
      layout.append(UInt32(value.last) | UInt32(value.trail) << 16)
    }
    // Where it differs from one that shares its place, that is what tells them apart.
    let head = Int(key % UInt32(HK_LAYOUT_HEADS))
    var other = Int(heads[head])
    var deepest = 0
    var chainCount = 0
    while other != 0 {
      chainCount += 1
      guard chainCount < Limits.layoutChainLimit else { return }
      let checkCount = Int(numbers[other + Int(HK_LAYOUT_CHECKS)])
      var same = 0
      while same < min(checkCount, checks.count), isSame(other, same, checks, text) { same += 1 }
      if same == checkCount, same == checks.count { return }
      if same < checks.count, same >= deepest {
        deepest = same
        layout[Int(HK_LAYOUT_PROBE)] = UInt32(same)
      }
      if same < checkCount, numbers[other + Int(HK_LAYOUT_NEXT)] == 0, numbers[other + Int(HK_LAYOUT_PROBE)] == 0 {
        numbers[other + Int(HK_LAYOUT_PROBE)] = UInt32(same)
      }
      other = Int(numbers[other + Int(HK_LAYOUT_NEXT)])
    }
    layout[Int(HK_LAYOUT_NEXT)] = heads[head]
    heads[head] = UInt32(numbers.count)
    numbers += layout
    literals += text
    layouts.append(
      EventLayout(
        format: drawn.isXML ? .eventXML : .eventJSON,
        serial: EventLayouts.nextSerial.wrappingAdd(1, ordering: .relaxed).oldValue, values: drawn.values))
  }

  /// Whether check `index` of the layout at `other` asks for the same as that of a new one.
  private func isSame(_ other: Int, _ index: Int, _ checks: [UInt32], _ text: [UInt8]) -> Bool {
    guard numbers[other + Int(HK_LAYOUT_HEAD) + index] == checks[index] else { return false }
    let known = 32 * (Int(numbers[other + Int(HK_LAYOUT_LITERALS)]) + index)
    return literals[known..<known + 32].elementsEqual(text[32 * index..<32 * index + 32])
  }

  private static func check(_ mark: Int, _ distance: Int) -> UInt32 {
    UInt32(mark) | UInt32(UInt16(bitPattern: Int16(distance))) << 16
  }

  private mutating func forget() {
    for index in heads.indices { heads[index] = 0 }
    numbers = [0]
    literals = []
    layouts = []
    isFull = false
  }
}

/// The parts of one line with an event: its marks, the literals, and the values between them. Positions are relative to its
/// start.
struct EventDrawing {
  let isXML: Bool
  /// The first is the byte before.
  private var marks: [Int] = [-1]
  private(set) var literals: [Range<Int>] = []
  private(set) var values: [EventLayout.Value] = []
  /// Indexes of the values that are words.
  private(set) var words: [Int] = []
  private let byteCount: Int

  /// Of an object that was proved whole; nil where a word stands between no marks.
  init?(json bytes: Span<UInt8>, _ start: Int, _ end: Int, lineEnd: Int) {
    isXML = false
    byteCount = lineEnd - start
    var index = start
    while index < end {
      if bytes[index] == 0x5C { index += 1 } else if bytes[index] == 0x22 { marks.append(index - start) }
      index += 1
    }
    var scanner = JSONScanner(start: start, end: end)
    var ranges: [(range: Range<Int>, isWord: Bool)] = []
    loop: while true {
      switch scanner.next(in: bytes) {
      case .string(let from, let to, _): ranges.append((from - start..<to - start, false))
      case .word(let from, let to): ranges.append((from - start..<to - start, true))
      case .key, .objectStart, .objectEnd, .arrayStart, .arrayEnd: break
      case .end: break loop
      case .malformed, .tooDeep: return nil
      }
    }
    guard draw(ranges) else { return nil }
  }

  /// Of an event that was proved whole: quoted values, and the text of elements without children.
  init?(xml bytes: Span<UInt8>, _ start: Int, _ end: Int, lineEnd: Int) {
    isXML = true
    byteCount = lineEnd - start
    var ranges: [(range: Range<Int>, isWord: Bool)] = []
    var index = start
    /// The `<` of a tag that may hold a text, and the end of that tag.
    var opened: Int?
    while index < end {
      guard bytes[index] == 0x3C else {
        index += 1
        continue
      }
      let isEndTag = index + 1 < end && bytes[index + 1] == 0x2F
      if let from = opened, isEndTag { ranges.append((from - start..<index - start, false)) }
      marks.append(index - start)
      var quote: Int?
      while index < end, quote != nil || bytes[index] != 0x3E {
        if let open = quote {
          if bytes[index] == bytes[open] {
            ranges.append((open + 1 - start..<index - start, false))
            marks.append(index - start)
            quote = nil
          }
        } else if bytes[index] == 0x22 || bytes[index] == 0x27 {
          marks.append(index - start)
          quote = index
        }
        index += 1
      }
      guard index < end else { return nil }
      marks.append(index - start)
      opened = isEndTag || bytes[index - 1] == 0x2F ? nil : index + 1
      index += 1
    }
    guard draw(ranges) else { return nil }
  }

  /// Without the first and the line end.
  var markCount: Int { marks.count - 1 }

  /// The place of a mark; the line end follows the last.
  func place(_ mark: Int) -> Int { mark < marks.count ? marks[mark] : byteCount }

  /// The first mark at or behind `place`.
  private func mark(from place: Int) -> Int {
    var low = 1
    var high = marks.count
    while low < high {
      let middle = (low + high) / 2
      if marks[middle] < place { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The first mark in a literal; of the last the line end will do.
  func mark(of literal: Range<Int>) -> Int { literal.lowerBound == 0 ? 0 : mark(from: literal.lowerBound) }

  private mutating func draw(_ ranges: [(range: Range<Int>, isWord: Bool)]) -> Bool {
    var from = 0
    for (range, isWord) in ranges {
      literals.append(from..<range.lowerBound)
      // The last mark before a value lies in the literal before it, the first mark behind it in the next one.
      let behind = mark(from: range.lowerBound)
      guard place(behind - 1) >= from, place(behind) >= range.upperBound,
        range.lowerBound - place(behind - 1) < 0x10000, place(behind) - range.upperBound < 0x10000
      else { return false }
      if isWord { words.append(values.count) }
      values.append(
        EventLayout.Value(
          first: behind - 1, lead: range.lowerBound - place(behind - 1), last: behind,
          trail: place(behind) - range.upperBound))
      from = range.upperBound
    }
    literals.append(from..<byteCount)
    // Between two words of an array there may be no mark.
    for literal in literals.dropLast() where place(mark(of: literal)) >= literal.upperBound { return false }
    return true
  }
}
