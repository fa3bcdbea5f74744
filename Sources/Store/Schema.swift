import GRDB

/// The tables, and every step that led to them. A step that was released is never edited: a new one follows it.
///
/// Three kinds of evidence, each keyed by what its record said and never re-keyed when more becomes known: what an
/// address did with a server, what a named client did, and which names were one machine. They are joined when a
/// question is asked. The activity tables begin with the day: today's rows lie side by side where all the writing is,
/// and retention removes one range at the front.
enum Schema {
  /// `hskd`, in the file's header: whose database this is.
  static let applicationID: Int32 = 0x6873_6B64

  static let migrator: DatabaseMigrator = {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1") { database in try database.execute(sql: version1) }
    return migrator
  }()

  private static let version1 = """
    PRAGMA application_id = \(applicationID);

    CREATE TABLE checkpoint (
      key TEXT NOT NULL PRIMARY KEY,
      offset INTEGER NOT NULL,
      value BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- Up to where the bytes of a file have been counted.
    CREATE TABLE file (
      id INTEGER PRIMARY KEY,
      identity TEXT NOT NULL UNIQUE,
      counted_to INTEGER NOT NULL,
      noted INTEGER NOT NULL            -- microseconds since 1970 UTC, as all times here
    ) STRICT;

    CREATE TABLE finding (
      file INTEGER NOT NULL REFERENCES file(id),
      offset INTEGER NOT NULL,
      length INTEGER NOT NULL,
      line INTEGER NOT NULL,
      parts INTEGER NOT NULL,
      time INTEGER,
      is_time_plausible INTEGER NOT NULL,
      noted INTEGER NOT NULL,
      signature TEXT NOT NULL,
      class TEXT NOT NULL,
      cause TEXT NOT NULL,
      severity TEXT NOT NULL,
      confidence TEXT NOT NULL,
      path TEXT NOT NULL,
      host TEXT,
      log TEXT,
      component TEXT,
      client TEXT,
      client_id TEXT,
      client_ip TEXT,
      server TEXT,
      role TEXT,
      protocol TEXT,
      cipher TEXT,
      code TEXT,
      symbol TEXT,
      alert INTEGER,
      area INTEGER,
      feature TEXT,
      stack TEXT,
      event_group TEXT,
      writer TEXT,
      writer_is_thread INTEGER NOT NULL,
      PRIMARY KEY (file, offset)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX finding_by_time ON finding (time);
    CREATE INDEX finding_by_noted ON finding (noted);
    CREATE INDEX finding_by_server ON finding (server, client_ip, time) WHERE server IS NOT NULL;
    CREATE INDEX finding_by_address ON finding (client_ip, time) WHERE client_ip IS NOT NULL;
    CREATE INDEX finding_by_client ON finding (client, time) WHERE client IS NOT NULL;
    CREATE INDEX finding_by_client_id ON finding (client_id, time) WHERE client_id IS NOT NULL;

    -- Hosts, servers, roles, protocols, ciphers by number; 0 is unknown.
    CREATE TABLE name (
      id INTEGER PRIMARY KEY,
      text TEXT NOT NULL UNIQUE,
      noted INTEGER NOT NULL            -- no row uses it for a later day
    ) STRICT;
    INSERT INTO name VALUES (0, '', \(Int32.max));

    CREATE TABLE activity_by_address (
      day INTEGER NOT NULL,             -- since 1970-01-01 UTC
      server INTEGER NOT NULL,
      address BLOB NOT NULL,            -- 16 bytes, IPv4 as ::ffff:a.b.c.d
      role INTEGER NOT NULL,
      protocol INTEGER NOT NULL,
      cipher INTEGER NOT NULL,
      outcome INTEGER NOT NULL,
      early INTEGER NOT NULL,           -- quarter hours before noon, as bits
      late INTEGER NOT NULL,            -- and after it
      first INTEGER NOT NULL,
      last INTEGER NOT NULL,
      count INTEGER NOT NULL,
      is_lower_bound INTEGER NOT NULL,
      PRIMARY KEY (day, server, address, role, protocol, cipher, outcome)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE activity_by_client (
      day INTEGER NOT NULL,
      client INTEGER NOT NULL,
      is_guid INTEGER NOT NULL,
      server INTEGER NOT NULL,
      role INTEGER NOT NULL,
      protocol INTEGER NOT NULL,
      cipher INTEGER NOT NULL,
      outcome INTEGER NOT NULL,
      early INTEGER NOT NULL,
      late INTEGER NOT NULL,
      first INTEGER NOT NULL,
      last INTEGER NOT NULL,
      count INTEGER NOT NULL,
      is_lower_bound INTEGER NOT NULL,
      PRIMARY KEY (day, client, is_guid, server, role, protocol, cipher, outcome)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE alias (
      address BLOB NOT NULL,            -- empty: not told
      host INTEGER NOT NULL,
      guid INTEGER NOT NULL,
      source INTEGER NOT NULL,
      valid_from INTEGER NOT NULL,
      valid_until INTEGER NOT NULL,
      PRIMARY KEY (address, host, guid, source, valid_from)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX alias_by_host ON alias (host, valid_from);
    CREATE INDEX alias_by_guid ON alias (guid, valid_from);
    CREATE INDEX alias_by_end ON alias (valid_until);

    CREATE TABLE incident (
      id TEXT NOT NULL PRIMARY KEY,
      key TEXT NOT NULL,
      is_open INTEGER NOT NULL,
      time INTEGER NOT NULL,
      value BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX incident_by_key ON incident (key);

    CREATE TABLE outbox (
      id INTEGER PRIMARY KEY,
      incident TEXT NOT NULL,
      sequence INTEGER NOT NULL,
      UNIQUE (incident, sequence)
    ) STRICT;
    CREATE TABLE outbox_field (
      message INTEGER NOT NULL REFERENCES outbox(id) ON DELETE CASCADE,
      position INTEGER NOT NULL,
      name TEXT NOT NULL,
      value BLOB NOT NULL,
      PRIMARY KEY (message, position)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE acknowledgement (
      incident TEXT NOT NULL PRIMARY KEY,
      until INTEGER NOT NULL,
      note TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE maintenance (
      server TEXT NOT NULL,
      valid_from INTEGER NOT NULL,
      valid_until INTEGER NOT NULL,
      PRIMARY KEY (server, valid_from)
    ) STRICT, WITHOUT ROWID;
    """
}
