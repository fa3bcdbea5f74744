// swift-tools-version: 6.2
import PackageDescription

// The targets stand in walk order (ARCHITECTURE.md): a stage imports what its row says and nothing else of ours.

/// Modules that touch every byte: pointers must be marked `unsafe`, spans may be returned.
let hot: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .enableExperimentalFeature("Lifetimes"),
]
let plain: [SwiftSetting] = [.swiftLanguageMode(.v6)]

let package = Package(
  name: "handshaked",
  products: [.executable(name: "handshaked", targets: ["handshaked"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    // C: module maps, shims and the loops that need intrinsics.
    .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
    .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
    .target(name: "CKernels"),
    .target(name: "CLinux"),

    // The walk.
    .target(name: "Records", dependencies: ["CKernels"], swiftSettings: hot),
    .target(name: "Ingest", dependencies: ["Records", "CKernels"], swiftSettings: hot),
    .target(name: "Envelopes", dependencies: ["Records", "CKernels"], swiftSettings: hot),
    .target(name: "Framing", dependencies: ["Records", "CKernels"], swiftSettings: hot),
    .target(name: "Scanning", dependencies: ["Records", "CKernels"], swiftSettings: hot),
    .target(name: "Extraction", dependencies: ["Records", "CKernels", "CPCRE2"], swiftSettings: hot),
    .target(name: "Clients", dependencies: ["Records", "CKernels"], swiftSettings: hot),
    .target(
      name: "Detection",
      dependencies: ["Records", "Envelopes", "Framing", "Scanning", "Extraction", "Clients"],
      swiftSettings: hot),

    // Around the walk.
    .target(name: "Incidents", dependencies: ["Records"], swiftSettings: plain),
    .target(name: "Following", dependencies: ["Records", "Ingest", "CLinux"], swiftSettings: plain),
    .target(name: "Receiving", dependencies: ["Records", "CLinux"], swiftSettings: plain),
    .target(
      name: "Definitions",
      dependencies: ["Records", "Framing", "Scanning", "Extraction", .product(name: "Yams", package: "Yams")],
      swiftSettings: plain,
      plugins: ["EmbedPlugin"]),
    .target(name: "Sinks", dependencies: ["Records", "Clients", "Incidents"], swiftSettings: hot),
    .target(
      name: "Store", dependencies: ["Records", .product(name: "GRDB", package: "GRDB.swift")], swiftSettings: plain),
    .target(name: "Journal", dependencies: ["Records", "CSystemd"], swiftSettings: plain),
    .target(
      name: "Verification", dependencies: ["Records", "Extraction", "Clients", "Detection", "Definitions"],
      swiftSettings: plain),
    .target(
      name: "Replay", dependencies: ["Records", "Ingest", "Detection", "Extraction", "Clients"], swiftSettings: hot),
    .target(
      name: "Daemon",
      dependencies: [
        "Records", "Ingest", "Framing", "Detection", "Extraction", "Clients", "Incidents", "Following",
        "Receiving", "Store", "Journal", "Sinks", "Definitions", "Verification", "CLinux",
      ],
      swiftSettings: plain),
    .executableTarget(
      name: "handshaked",
      dependencies: [
        "Daemon", "Following", "Incidents", "Store", "CLinux",
        "Records", "Ingest", "Detection", "Definitions", "Extraction", "Clients", "Scanning", "Sinks", "Verification",
        "Replay", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: plain),
    .executableTarget(
      name: "handshaked-bench",
      dependencies: [
        "Records", "Ingest", "Detection", "Definitions", "Extraction", "Replay", "Verification",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      exclude: ["Plots"], swiftSettings: plain),
    .executableTarget(name: "handshaked-embed", swiftSettings: plain),
    .plugin(
      name: "EmbedPlugin", capability: .buildTool(), dependencies: ["handshaked-embed"], path: "Sources/EmbedPlugin"),

    // Tests, a target per module.
    .target(
      name: "TestSupport",
      dependencies: [
        "Records", "Ingest", "Detection", "Definitions", "Extraction", "Clients", "Replay", "Verification",
      ],
      path: "Tests/TestSupport", exclude: ["with-journald", "with-systemd"], swiftSettings: plain),
    .testTarget(name: "RecordsTests", dependencies: ["Records", "TestSupport"], swiftSettings: plain),
    .testTarget(name: "IngestTests", dependencies: ["Ingest", "TestSupport"], swiftSettings: plain),
    .testTarget(name: "IncidentsTests", dependencies: ["Incidents", "Sinks", "TestSupport"], swiftSettings: plain),
    .testTarget(
      name: "DaemonTests", dependencies: ["Daemon", "Definitions", "Replay", "Store", "TestSupport", "handshaked"],
      swiftSettings: plain),
    .testTarget(name: "FollowingTests", dependencies: ["Following", "Ingest", "TestSupport"], swiftSettings: plain),
    .testTarget(name: "ReceivingTests", dependencies: ["Receiving", "CLinux", "TestSupport"], swiftSettings: plain),
    .testTarget(name: "EnvelopesTests", dependencies: ["Envelopes", "TestSupport"], swiftSettings: plain),
    .testTarget(
      name: "FramingTests",
      dependencies: ["CKernels", "Envelopes", "Framing", "Extraction", "Detection", "TestSupport"],
      exclude: ["Fixtures"], swiftSettings: plain),
    .testTarget(
      name: "ScanningTests",
      dependencies: [
        "CKernels", "Scanning", "Extraction", "Envelopes", "Framing", "Detection", "Definitions", "TestSupport",
      ],
      swiftSettings: plain),
    .testTarget(
      name: "ExtractionTests", dependencies: ["Framing", "Extraction", "TestSupport"], swiftSettings: plain),
    .testTarget(
      name: "DefinitionsTests", dependencies: ["Definitions", "Extraction", "Verification", "TestSupport"],
      swiftSettings: plain),
    .testTarget(
      name: "DetectionTests", dependencies: ["Detection", "Clients", "Replay", "Sinks", "TestSupport"],
      exclude: ["Fixtures"], swiftSettings: plain),
    .testTarget(
      name: "SeedTests", dependencies: ["Replay", "Detection", "Clients", "TestSupport", "handshaked"],
      exclude: ["Cases"], swiftSettings: plain),
    .testTarget(
      name: "RecipeTests", dependencies: ["Replay", "Detection", "TestSupport", "handshaked"], swiftSettings: plain),
    .testTarget(
      name: "UserPainTests", dependencies: ["Replay", "Detection", "Clients", "Verification", "TestSupport"],
      exclude: ["Cases"], swiftSettings: plain),
    .testTarget(
      name: "AccuracyTests",
      dependencies: ["Detection", "Definitions", "Extraction", "Clients", "Replay", "Verification", "TestSupport"],
      swiftSettings: plain),
    .executableTarget(
      name: "store-victim", dependencies: ["Records", "Store"], path: "Tests/store-victim", swiftSettings: plain),
    .testTarget(
      // GRDB too: files of other versions and other programs are made by hand.
      name: "StoreTests",
      dependencies: ["Store", "store-victim", "TestSupport", .product(name: "GRDB", package: "GRDB.swift")],
      exclude: ["Fixtures"], swiftSettings: plain),
    .executableTarget(
      name: "journal-probe", dependencies: ["Records", "Journal"], path: "Tests/journal-probe", swiftSettings: plain),
    .testTarget(name: "JournalTests", dependencies: ["Journal", "journal-probe", "TestSupport"], swiftSettings: plain),
    .testTarget(
      name: "BenchTests", dependencies: ["handshaked-bench", "Detection", "Replay", "TestSupport"],
      swiftSettings: plain),
    .executableTarget(
      name: "daemon-bench",
      dependencies: ["Records", "Journal", "CLinux", "Daemon", "Definitions", "Extraction", "Verification"],
      path: "Tests/daemon-bench",
      swiftSettings: plain),
    .testTarget(name: "CommandTests", dependencies: ["handshaked", "TestSupport"], swiftSettings: plain),
  ]
)
