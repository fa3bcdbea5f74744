import Records

extension EventXMLBoundary {
  /// Whether the `<` at `position` may begin event XML: an event, its wrapper or a prolog. Other tags are text.
  static func mayBegin(_ text: Span<UInt8>, at position: Int) -> Bool {
    var start = position + 1
    guard position < text.count, text[position] == 0x3C, start < text.count else { return false }
    if text.has("?xml", at: start) || text.has("!--", at: start) || text.has("!DOCTYPE", at: start) { return true }
    if text[start] == 0x2F { start += 1 }
    if text.has("Event", at: start) { return true }
    // A namespace prefix: `<e:Event`.
    var colon = start
    while colon < text.count, colon < start + 32, ASCII.isLetter(text[colon]) || ASCII.isDigit(text[colon]) {
      colon += 1
    }
    return colon > start && text.has(":Event", at: colon)
  }
}
