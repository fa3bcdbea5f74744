import Glibc
import Ingest
import Records
import Testing

@Suite struct FileSetTests {
  @Test func rotatedSiblingsComeInTheOrderTheyWereWritten() throws {
    let folder = try TemporaryFolder()
    let wanted = [
      "PC-1/CcmMessaging-20260228-235959.log", "PC-1/CcmMessaging-20260301-101500.log", "PC-1/CcmMessaging.lo_",
      "PC-1/CcmMessaging.log",
      "PC-1/LocationServices.LO_", "PC-1/LocationServices.LOG",
      "PC-1/app.log.10", "PC-1/app.log.9", "PC-1/app.log.1", "PC-1/app.log-20260301", "PC-1/app.log.20260302",
      "PC-1/app.log.bak", "PC-1/app.log",
      "PC-1/app2.log",
      "PC-10/CcmMessaging.log",
      "PC-2/u_ex260301.log", "PC-2/u_ex260302.log",
      "a.log",
    ]
    for name in wanted.shuffled() { folder.write(name) }
    let set = FileSet(paths: [folder.root + "/"])
    #expect(set.sources.map(\.path) == wanted)
    #expect(set.sources[2].openPath == folder.path(wanted[2]))
    #expect(set.sources[2].log == "CcmMessaging")
    #expect(set.sources[2].host == "PC-1")
    #expect(set.sources.last?.host == nil)
    #expect(set.byteCount == UInt64(2 * wanted.count))
    #expect(set.refused == [])
    #expect(set.notes == [])
    // Named one by one, as a shell expands x.lo*, they keep that order.
    let named = FileSet(paths: [folder.path("PC-1/CcmMessaging.log"), folder.path("PC-1/CcmMessaging.lo_")])
    #expect(named.sources.map(\.path) == [folder.path("PC-1/CcmMessaging.lo_"), folder.path("PC-1/CcmMessaging.log")])
  }

  @Test func siblingsBelowTwoArgumentsStayApart() throws {
    let folder = try TemporaryFolder()
    for name in ["a/x.log", "a/x.lo_", "b/x.log", "b/x.lo_"] { folder.write(name) }
    let set = FileSet(paths: [folder.path("b"), folder.path("a")])
    #expect(set.sources.map(\.openPath) == ["a/x.lo_", "a/x.log", "b/x.lo_", "b/x.log"].map(folder.path))
    #expect(set.sources.map(\.path) == ["x.lo_", "x.log", "x.lo_", "x.log"])
  }

  @Test(arguments: [
    ("PC-0042/CcmMessaging.log", "PC-0042"), ("PC-0042/CCM/Logs/CcmMessaging.log", "PC-0042"),
    ("site/PC-1/Windows/System32/LogFiles/HTTPERR/httperr1.log", "PC-1"),
    ("IIS01/inetpub/logs/LogFiles/W3SVC1/u_ex260302.log", "IIS01"), ("IIS01/W3SVC1337/u.log", "IIS01"),
    ("srv7/C$/Program Files/Microsoft Configuration Manager/Logs/smsexec.log", "srv7"),
    ("/var/log/remote/pc1.corp.example/2026/03/02/ccm.log", "pc1.corp.example"),
    ("wsus01/Program Files/Update Services/LogFiles/SoftwareDistribution.log", "wsus01"),
    ("con1/AdminUILog/SmsAdminUI.log", "con1"), ("10.1.2.3/x.log", "10.1.2.3"), ("../logs/../PC-9/x.log", "PC-9"),
  ])
  func theFolderNamesTheHost(path: String, host: String) {
    #expect(HostFolder.host(ofPath: path) == host)
  }

  @Test(arguments: [
    "CcmMessaging.log", "Logs/x.log", "/var/log/x.log", "./x.log", "-", "", "/", "C:/Windows/CCM/x.log",
  ])
  func noFolderNoHost(path: String) {
    #expect(HostFolder.host(ofPath: path) == nil)
  }

  @Test func linksAreFollowedAndNothingIsReadTwice() throws {
    let folder = try TemporaryFolder()
    folder.write("PC-1/x.log")
    folder.write("PC-1/.hidden")
    #expect(symlink("x.log", folder.path("PC-1/current.log")) == 0)
    #expect(symlink("..", folder.path("PC-1/up")) == 0)
    #expect(symlink("PC-1", folder.path("A")) == 0)
    #expect(symlink("nowhere", folder.path("broken")) == 0)
    let set = FileSet(paths: [folder.root, folder.root])
    #expect(set.sources.map(\.path) == ["PC-1/.hidden", "PC-1/x.log"])
    #expect(set.notes.contains(FileSet.Note(path: "PC-1/current.log", reason: .sameFile(as: "PC-1/x.log"))))
    #expect(set.notes.contains(FileSet.Note(path: "PC-1/up", reason: .folderAgain)))
    #expect(set.notes.contains(FileSet.Note(path: "A", reason: .folderAgain)))
    #expect(set.refused.map(\.path) == ["broken"])
    #expect(set.refused.first?.problem == .system(call: "stat", errno: ENOENT))
    // A link that is the only way to a file is a file.
    let link = FileSet(paths: [folder.path("PC-1/current.log")])
    #expect(link.sources.map(\.path) == [folder.path("PC-1/current.log")])
    // A folder behind a link is read when nothing else leads there.
    let outside = try TemporaryFolder()
    #expect(symlink(folder.path("PC-1"), outside.path("PC-7")) == 0)
    #expect(FileSet(paths: [outside.root]).sources.map(\.path) == ["PC-7/.hidden", "PC-7/x.log"])
    // Of an argument and a folder above it the one that tells the host is kept.
    let both = FileSet(paths: [folder.path("PC-1"), folder.root])
    #expect(both.sources.map(\.path) == ["PC-1/.hidden", "PC-1/x.log"])
  }

  @Test func hardLinksAreFilesOfTheirOwn() throws {
    let folder = try TemporaryFolder()
    folder.write("PC-1/x.log")
    folder.write("PC-2/y.log")
    #expect(link(folder.path("PC-1/x.log"), folder.path("PC-2/x.log")) == 0)
    #expect(FileSet(paths: [folder.root]).sources.map(\.path) == ["PC-1/x.log", "PC-2/x.log", "PC-2/y.log"])
  }

  @Test func pipesInFoldersAreLeftOutAndNamedOnesRead() throws {
    let folder = try TemporaryFolder()
    #expect(mkfifo(folder.path("pipe"), 0o600) == 0)
    let set = FileSet(paths: [folder.root])
    #expect(set.sources == [])
    #expect(set.notes == [FileSet.Note(path: "pipe", reason: .notRegular("pipe"))])
    #expect(set.notes[0].description == "pipe: left out, a pipe")
    #expect(FileSet(paths: [folder.path("pipe")]).sources.map(\.isStream) == [true])
  }

  @Test func containersAndMissingArgumentsAreRefused() throws {
    let folder = try TemporaryFolder()
    folder.write("Security.evtx", "ElfFile\0and more")
    folder.write("empty.log", "")
    folder.write("x.log", "MSCFlow is a text\n")
    let missing = folder.path("missing")
    let set = FileSet(paths: [missing, folder.root])
    #expect(set.sources.map(\.path) == ["empty.log", "x.log"])
    #expect(set.refused.map(\.path) == [missing, "Security.evtx"])
    #expect(set.refused[0].errno == ENOENT)
    #expect(set.refused[1].problem == .unsupported(.evtx))
    #expect(set.refused[1].byteCount == 16)
  }

  @Test func standardInputIsTakenOnce() {
    let set = FileSet(paths: ["-", "-"])
    #expect(set.sources.map(\.input) == [.standardInput])
    #expect(set.sources.map(\.path) == ["-"])
    #expect(set.notes == [FileSet.Note(path: "-", reason: .sameFile(as: "-"))])
  }

  @Test func modifiedIsTheFilesOwnTime() throws {
    let folder = try TemporaryFolder()
    let path = folder.write("x.log")
    let times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1_772_431_200, tv_nsec: 5000)]
    #expect(utimensat(AT_FDCWD, path, times, 0) == 0)
    #expect(FileSet(paths: [path]).sources.first?.modified == Timestamp(microseconds: 1_772_431_200_000_005))
  }

  @Test func namesNeedNotBeUTF8() throws {
    let folder = try TemporaryFolder()
    let name: [CChar] = Array(folder.path("").utf8CString.dropLast()) + [CChar(bitPattern: 0xFC), 0]
    let descriptor = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    #expect(write(descriptor, "x\n", 2) == 2)
    close(descriptor)
    let set = FileSet(paths: [folder.root])
    let source = try #require(set.sources.first)
    #expect(source.path == "\u{FFFD}")
    var reader = try ChunkReader(source)
    #expect(try reader.lines().lines.count == 1)
  }
}
