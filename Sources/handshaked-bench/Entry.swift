import Dispatch
import Foundation

/// Two programs in one: the bench, and what it runs below valgrind, which cannot bear a main thread that is waiting for
/// Swift's tasks.
@main
enum Entry {
  static func main() {
    let arguments = CommandLine.arguments.dropFirst()
    if arguments.first == CountedWalk.command { exit(CountedWalk.run(Array(arguments.dropFirst()))) }
    Task {
      await HandshakedBench.main()
      exit(0)
    }
    dispatchMain()
  }
}
