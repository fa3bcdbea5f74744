import Definitions
import Following
import Foundation
import Glibc

/// `check --as-service`: becomes the service's user and looks whether it may open what the configuration names.
enum ServiceAccess {
  /// Prints what is refused and the commands that mend it.
  /// - Returns: whether everything can be opened.
  static func check(_ configuration: Configuration, files: [String], user: String) throws -> Bool {
    // Only root sees into the stores of credentials.
    let credential = Credential.find(Credential.stores)
    let plainCredential = Credential.find(Credential.plainStores)
    try become(user)
    var isGood = true
    var text = ""
    func report(_ name: String, _ access: SourceAccess) {
      if access.obstacles.isEmpty {
        text +=
          access.isMissing
          ? "\(name): not there yet; it is followed when it comes, if \(user) may read it then\n"
          : "\(name): \(Figures.plural(UInt64(access.fileCount), "file")) can be read\n"
        return
      }
      isGood = false
      text += "\(name): \(user) cannot read it all\n"
      for obstacle in access.obstacles { text += "  \(Terminal.printable(obstacle.path)): \(obstacle.text)\n" }
      text += "  fix, as root:\n"
      for command in access.commands { text += "    \(Terminal.printable(command))\n" }
    }
    report("configuration", SourceAccess(files: files, user: user))
    if let path = credential {
      text +=
        "\(Credential.title): systemd decrypts \(path) for the service; it is not part of this check\n"
        + "  to check it: systemd-creds decrypt \(path) FILE, then handshaked check --config FILE\n"
    } else if let path = plainCredential {
      isGood = false
      text +=
        "\(Credential.title): \(path) is not encrypted, and the service does not start with it\n  fix, as root:\n"
        + "    systemd-creds encrypt --name=\(Credential.name) \(path) /etc/credstore.encrypted/\(Credential.name)\n"
        + "    rm \(path)\n"
    }
    for source in configuration.sources {
      switch source.kind {
      case .files(let files):
        do throws(SourcePattern.Fault) {
          report(Terminal.printable(files), SourceAccess(try SourcePattern(files), user: user))
        } catch {
          throw StartFault(text: Diagnostic(what: error.what, at: source.place, fix: error.fix).description)
        }
        if files.hasPrefix("/tmp/") || files.hasPrefix("/var/tmp/") {
          isGood = false
          text +=
            "  the service has a /tmp of its own (PrivateTmp=)\n  fix: collect the logs elsewhere: /var/log/remote\n"
        }
      case .journal:
        let folders = ["/var/log/journal", "/run/log/journal"].filter { FileManager.default.fileExists(atPath: $0) }
        for folder in folders {
          guard let pattern = try? SourcePattern(folder + "/*/system.journal") else { continue }
          report("journal \(folder)", SourceAccess(pattern, user: user))
        }
        if folders.isEmpty { text += "journal: there is none\n" }
      case .syslogSocket(let name):
        text += "syslog \(name): comes from the service manager; see systemctl list-sockets\n"
      case .syslogListen(let address, _):
        isGood = isGood && address.hasPrefix("/")
        text +=
          address.hasPrefix("/")
          ? "syslog \(address): opened by the service\n"
          : "syslog \(address): the service has no network of its own (PrivateNetwork=)\n"
            + "  fix: systemctl enable --now handshaked-syslog.socket, and write 'syslog: { socket: syslog }'\n"
      }
    }
    let folder = (configuration.storePath as NSString).deletingLastPathComponent
    if access(folder, F_OK) == 0, access(folder, W_OK) != 0 {
      isGood = false
      text += "store \(folder): \(user) cannot write there\n  fix, as root:\n    chown \(user) \(folder)\n"
    }
    try Terminal.write(text)
    return isGood
  }

  struct StartFault: Error { let text: String }

  /// For the rest of this process. The groups are those of the user, and the journal's, which the unit gives it.
  private static func become(_ user: String) throws {
    guard let entry = getpwnam(user) else {
      Terminal.message(
        "there is no user '\(user)'\n  fix: systemd-sysusers creates it from /usr/lib/sysusers.d/handshaked.conf; or name another with --user"
      )
      throw ExitStatus.noInput
    }
    let identity = (user: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
    if geteuid() == identity.user { return }
    guard geteuid() == 0 else {
      Terminal.message("only root can look as another user does\n  fix: run it with sudo")
      throw ExitStatus.usage
    }
    var groups = [gid_t](repeating: 0, count: 256)
    var count: Int32 = 255
    guard getgrouplist(user, identity.group, &groups, &count) >= 0 else { throw ExitStatus.inputOutput }
    if let journal = getgrnam("systemd-journal") {
      groups[Int(count)] = journal.pointee.gr_gid
      count += 1
    }
    guard setgroups(Int(count), groups) == 0, setgid(identity.group) == 0,
      setuid(identity.user) == 0
    else {
      Terminal.message("\(user): \(String(cString: strerror(errno)))")
      throw ExitStatus.inputOutput
    }
  }
}
