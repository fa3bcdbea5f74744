import ArgumentParser
import Foundation

/// Standard output and error, byte by byte: no buffering that a crash could lose, and a closed pipe ends quietly.
enum Terminal {
  static func write(_ text: String) throws { try write(Array(text.utf8)) }

  static func write(_ bytes: [UInt8]) throws {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress! + done, bytes.count - done) }
      if count > 0 {
        done += count
      } else if errno == EPIPE {
        // Whoever read the output has seen enough: `| head`.
        throw ExitCode(0)
      } else if errno != EINTR {
        message(
          "cannot write the output: \(String(cString: strerror(errno)))\n  fix: check the space and the rights where it goes"
        )
        throw ExitStatus.inputOutput
      }
    }
  }

  /// A line on standard error.
  static func message(_ text: String) {
    let bytes = Array("handshaked: \(text)\n".utf8)
    _ = bytes.withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress!, bytes.count) }
  }

  static var isOutputTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
  static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }
  static var wantsColour: Bool {
    isOutputTerminal && ProcessInfo.processInfo.environment["NO_COLOR", default: ""].isEmpty
      && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  /// Columns to fill: the terminal's, between 60 and 120; 100 elsewhere.
  static var width: Int {
    guard isOutputTerminal else { return 100 }
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 100 }
    return min(120, max(60, Int(size.ws_col)))
  }

  /// Log text for a person: control characters shown as `·`, so that no log can steer the terminal.
  static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
    var out = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { out.append(isUnsafe(scalar) ? "·" : scalar) }
    return String(out)
  }

  /// C0 and C1 controls, and the marks that reorder or hide text.
  private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0, 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x2069, 0xFEFF: true
    default: false
    }
  }
}

/// Colour, where a terminal shows it.
struct Palette {
  let isOn: Bool

  func bold(_ text: String) -> String { wrap(text, "1") }
  func dim(_ text: String) -> String { wrap(text, "2") }
  func red(_ text: String) -> String { wrap(text, "31") }
  func yellow(_ text: String) -> String { wrap(text, "33") }
  func green(_ text: String) -> String { wrap(text, "32") }

  private func wrap(_ text: String, _ code: String) -> String { isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
}

extension Terminal {
  /// A block on standard error as it stands: diagnostics that programs parse begin with their file.
  static func plain(_ text: String) {
    let bytes = Array("\(text)\n".utf8)
    _ = bytes.withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress!, bytes.count) }
  }
}
