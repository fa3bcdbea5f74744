import Records

/// Windows events as text: the Event Viewer's "Copy details as text", and Snare.
///
///     Log Name:      System
///     Source:        Schannel
///     …
///     Description:
///     A fatal alert was received …
///     Event Xml:            ← when it is there, the XML says the same and more: the text is passed over
enum EventTextBoundary {
  /// Whether an Event Viewer block begins at `position`: `Log Name:` in any language has no sign of its own, so only the
  /// English one is known.
  static func begins(_ text: Span<UInt8>, at position: Int) -> Bool { text.has("Log Name:", at: position) }

  /// Whether a line inside a block ends it without belonging to it.
  static func isXMLHeading(_ text: Span<UInt8>, at position: Int) -> Bool { text.has("Event Xml:", at: position) }

  /// `MSWinEventLog` and its tab (or the blank that a relay made of it) at `position`.
  static func beginsSnare(_ text: Span<UInt8>, at position: Int) -> Bool {
    guard text.has("MSWinEventLog", at: position) else { return false }
    let next = position + 13
    return next < text.count && ASCII.isBlank(text[next])
  }
}
