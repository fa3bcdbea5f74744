PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA application_id = 1752394596;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO grdb_migrations VALUES('1');
CREATE TABLE checkpoint (
  key TEXT NOT NULL PRIMARY KEY,
  offset INTEGER NOT NULL,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO checkpoint VALUES('a/b.log',1000,X'0100ff');
INSERT INTO checkpoint VALUES('c',-1,X'');
CREATE TABLE file (
  id INTEGER PRIMARY KEY,
  identity TEXT NOT NULL UNIQUE,
  counted_to INTEGER NOT NULL,
  noted INTEGER NOT NULL            -- microseconds since 1970 UTC, as all times here
) STRICT;
INSERT INTO file VALUES(1,'file-1',1000,1772431200000000);
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
INSERT INTO finding VALUES(1,10,187,97,3,1772431200000000,1,1772431200000000,'winhttp.request-failed','handshake-failure','unknown-tls','error','documented','PC-0042/CcmMessaging.log','PC-0042','CcmMessaging','CcmMessaging','PC-0042','GUID:0A1B','10.0.0.7','mp01.corp.example','management-point','TLS 1.0','AES','0x80072f8f','ERROR_WINHTTP_SECURE_FAILURE',70,1,'https-client','winhttp','g','1234',1);
INSERT INTO finding VALUES(1,400,187,97,1,NULL,1,1772431200000000,'winhttp.request-failed','handshake-failure','unknown-tls','error','documented','PC-0042/CcmMessaging.log',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO finding VALUES(1,500,187,97,1,2072431200000000,0,1772431200000000,'winhttp.request-failed','handshake-failure','unknown-tls','error','documented','PC-0042/CcmMessaging.log',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0);
CREATE TABLE name (
  id INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE,
  noted INTEGER NOT NULL            -- no row uses it for a later day
) STRICT;
INSERT INTO name VALUES(0,'',2147483647);
INSERT INTO name VALUES(1,'mp01',20514);
INSERT INTO name VALUES(2,'mp',20514);
INSERT INTO name VALUES(3,'TLS 1.2',20514);
INSERT INTO name VALUES(4,'AES',20514);
INSERT INTO name VALUES(5,'pc-1',20514);
INSERT INTO name VALUES(6,'dhcp',20514);
INSERT INTO name VALUES(7,'GUID:1',20514);
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
INSERT INTO activity_by_address VALUES(20514,1,X'00000000000000000000ffff0a000001',2,3,4,0,16777216,0,1772431200000000,1772431200000000,5,0);
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
INSERT INTO activity_by_client VALUES(20514,5,0,1,0,0,0,1,33554432,0,1772432400000000,1772432400000000,2,0);
INSERT INTO activity_by_client VALUES(20514,5,1,1,0,0,0,2,33554432,0,1772432400000000,1772432400000000,1,0);
CREATE TABLE alias (
  address BLOB NOT NULL,            -- empty: not told
  host INTEGER NOT NULL,
  guid INTEGER NOT NULL,
  source INTEGER NOT NULL,
  valid_from INTEGER NOT NULL,
  valid_until INTEGER NOT NULL,
  PRIMARY KEY (address, host, guid, source, valid_from)
) STRICT, WITHOUT ROWID;
INSERT INTO alias VALUES(X'',5,7,2,1772431200000000,1772431260000000);
INSERT INTO alias VALUES(X'00000000000000000000ffff0a000001',5,0,6,1772431200000000,1772434800000000);
CREATE TABLE incident (
  id TEXT NOT NULL PRIMARY KEY,
  key TEXT NOT NULL,
  is_open INTEGER NOT NULL,
  time INTEGER NOT NULL,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO incident VALUES('i1','k1',1,1772431200000000,X'09');
INSERT INTO incident VALUES('i2','k2',0,1772431200000000,X'');
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  incident TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  UNIQUE (incident, sequence)
) STRICT;
INSERT INTO outbox VALUES(1,'i2',1);
INSERT INTO outbox VALUES(2,'i1',2);
CREATE TABLE outbox_field (
  message INTEGER NOT NULL REFERENCES outbox(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (message, position)
) STRICT, WITHOUT ROWID;
INSERT INTO outbox_field VALUES(1,0,'MESSAGE',X'74776f0a6c696e6573');
INSERT INTO outbox_field VALUES(1,1,'CLIENT',X'61');
INSERT INTO outbox_field VALUES(1,2,'CLIENT',X'620063');
CREATE TABLE acknowledgement (
  incident TEXT NOT NULL PRIMARY KEY,
  until INTEGER NOT NULL,
  note TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO acknowledgement VALUES('i1',1772436600000000,'known');
CREATE TABLE maintenance (
  server TEXT NOT NULL,
  valid_from INTEGER NOT NULL,
  valid_until INTEGER NOT NULL,
  PRIMARY KEY (server, valid_from)
) STRICT, WITHOUT ROWID;
INSERT INTO maintenance VALUES('mp01',1772431200000000,1772433000000000);
CREATE INDEX finding_by_time ON finding (time);
CREATE INDEX finding_by_noted ON finding (noted);
CREATE INDEX finding_by_server ON finding (server, client_ip, time) WHERE server IS NOT NULL;
CREATE INDEX finding_by_address ON finding (client_ip, time) WHERE client_ip IS NOT NULL;
CREATE INDEX finding_by_client ON finding (client, time) WHERE client IS NOT NULL;
CREATE INDEX finding_by_client_id ON finding (client_id, time) WHERE client_id IS NOT NULL;
CREATE INDEX alias_by_host ON alias (host, valid_from);
CREATE INDEX alias_by_guid ON alias (guid, valid_from);
CREATE INDEX alias_by_end ON alias (valid_until);
CREATE INDEX incident_by_key ON incident (key);
COMMIT;
