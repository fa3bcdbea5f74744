import CLinux
import Foundation
import Glibc
import Journal
import Records

// Measures the running service: latency, idle and busy processor time, throughput beside writers, start. Prints figures and
// ratios; `make bench-daemon` runs it beside a journald of its own.
//
// usage: daemon-bench HANDSHAKED [latency | idle | lines | throughput | start]…

func complain(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
let arguments = CommandLine.arguments
guard arguments.count >= 2 else {
  complain("usage: daemon-bench HANDSHAKED [latency | idle | lines | throughput | start]…")
  exit(64)
}
if arguments[1] == "--echo" {
  Echo.run(folder: arguments[2], output: arguments[3])
}
hl_raise_open_files()
let bench = DaemonBench(program: arguments[1])
let parts = arguments.count > 2 ? Array(arguments[2...]) : ["latency", "idle", "lines", "throughput", "start"]
do {
  for part in parts {
    switch part {
    case "latency": try bench.latency()
    case "idle": try bench.idle()
    case "lines": try bench.lines()
    case "throughput": try bench.throughput()
    case "start": try bench.start()
    default:
      complain("daemon-bench: '\(part)' is no part")
      exit(64)
    }
  }
} catch {
  complain("daemon-bench: \(error)")
  exit(1)
}
