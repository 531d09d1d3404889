#include "store/migrations.h"

#include <array>

namespace backplane::store {
namespace {

// Times are milliseconds since 1970 UTC. Root rows carry their organisation; rows below one
// (claim, sighting) reach it through their entity.
constexpr std::string_view kFirst = R"(
CREATE TABLE organisation (
  id {serial},
  name TEXT NOT NULL UNIQUE
);
INSERT INTO organisation (name) VALUES ('default');
CREATE TABLE counter (
  name TEXT PRIMARY KEY,
  value BIGINT NOT NULL
);
CREATE TABLE lane (
  org BIGINT NOT NULL REFERENCES organisation (id),
  plugin TEXT NOT NULL,
  target TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  counter BIGINT NOT NULL,
  last_started BIGINT NOT NULL,
  last_slot BIGINT,
  PRIMARY KEY (org, plugin, target)
);
CREATE TABLE run (
  id {serial},
  org BIGINT NOT NULL REFERENCES organisation (id),
  plugin TEXT NOT NULL,
  target TEXT NOT NULL,
  cause TEXT NOT NULL,
  job_key TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  counter BIGINT NOT NULL,
  status TEXT NOT NULL,
  exit_code BIGINT,
  message TEXT NOT NULL DEFAULT '',
  started BIGINT NOT NULL,
  finished BIGINT,
  taken BIGINT NOT NULL DEFAULT 0,
  refused BIGINT NOT NULL DEFAULT 0,
  changed BIGINT NOT NULL DEFAULT 0,
  refusals TEXT NOT NULL DEFAULT '',
  command TEXT NOT NULL DEFAULT ''
);
CREATE INDEX run_of_lane ON run (org, plugin, target, id);
CREATE INDEX run_open ON run (id) WHERE status = 'running';
CREATE TABLE journal (
  entry {serial},
  org BIGINT NOT NULL REFERENCES organisation (id),
  kind TEXT NOT NULL,
  at BIGINT NOT NULL,
  plugin TEXT NOT NULL DEFAULT '',
  run BIGINT,
  status TEXT NOT NULL DEFAULT '',
  message TEXT NOT NULL DEFAULT '',
  complete BIGINT NOT NULL DEFAULT 0,
  base_entry BIGINT,
  base_position BIGINT,
  body TEXT
);
CREATE TABLE watermark (
  fold TEXT PRIMARY KEY,
  entry BIGINT NOT NULL,
  position BIGINT NOT NULL
);
CREATE TABLE entity (
  id {serial},
  org BIGINT NOT NULL REFERENCES organisation (id),
  kind TEXT NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  mac TEXT NOT NULL DEFAULT '',
  ip TEXT NOT NULL DEFAULT '',
  vendor TEXT NOT NULL DEFAULT '',
  type TEXT NOT NULL DEFAULT '',
  owner TEXT NOT NULL DEFAULT '',
  group_name TEXT NOT NULL DEFAULT '',
  site TEXT NOT NULL DEFAULT '',
  ssid TEXT NOT NULL DEFAULT '',
  vlan TEXT NOT NULL DEFAULT '',
  fqdn TEXT NOT NULL DEFAULT '',
  parent TEXT NOT NULL DEFAULT '',
  parent_port TEXT NOT NULL DEFAULT '',
  hub TEXT NOT NULL DEFAULT '',
  location TEXT NOT NULL DEFAULT '',
  comment TEXT NOT NULL DEFAULT '',
  first_seen BIGINT NOT NULL,
  last_seen BIGINT NOT NULL,
  revision BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE identifier (
  org BIGINT NOT NULL REFERENCES organisation (id),
  scheme TEXT NOT NULL,
  value TEXT NOT NULL,
  entity BIGINT NOT NULL REFERENCES entity (id),
  PRIMARY KEY (org, scheme, value)
);
CREATE INDEX identifier_of_entity ON identifier (entity);
CREATE TABLE claim (
  entity BIGINT NOT NULL REFERENCES entity (id),
  field TEXT NOT NULL,
  source TEXT NOT NULL,
  value TEXT NOT NULL,
  at BIGINT NOT NULL,
  wins BIGINT NOT NULL,
  PRIMARY KEY (entity, field, source)
);
CREATE TABLE field_lock (
  entity BIGINT NOT NULL REFERENCES entity (id),
  field TEXT NOT NULL,
  PRIMARY KEY (entity, field)
);
CREATE TABLE sighting (
  entity BIGINT NOT NULL REFERENCES entity (id),
  source TEXT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  entry BIGINT NOT NULL,
  PRIMARY KEY (entity, source)
);
CREATE TABLE object (
  id {serial},
  org BIGINT NOT NULL REFERENCES organisation (id),
  plugin TEXT NOT NULL,
  object_key TEXT NOT NULL,
  primary_id TEXT NOT NULL,
  secondary_id TEXT NOT NULL,
  watched1 TEXT NOT NULL,
  watched2 TEXT NOT NULL,
  watched3 TEXT NOT NULL,
  watched4 TEXT NOT NULL,
  extra TEXT NOT NULL,
  foreign_key TEXT NOT NULL,
  help1 TEXT NOT NULL,
  help2 TEXT NOT NULL,
  help3 TEXT NOT NULL,
  help4 TEXT NOT NULL,
  watch_key TEXT NOT NULL,
  status TEXT NOT NULL,
  created BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  entry BIGINT NOT NULL,
  UNIQUE (org, plugin, object_key)
);
CREATE INDEX object_of_plugin ON object (org, plugin, id);
CREATE TABLE event (
  seq {serial},
  org BIGINT NOT NULL REFERENCES organisation (id),
  topic TEXT NOT NULL,
  at BIGINT NOT NULL,
  plugin TEXT NOT NULL DEFAULT '',
  entity BIGINT,
  run BIGINT,
  body TEXT NOT NULL DEFAULT ''
)
)";

constexpr std::string_view kResources = R"(
CREATE TABLE resource (
  id {serial},
  org BIGINT NOT NULL REFERENCES organisation (id),
  entity BIGINT NOT NULL REFERENCES entity (id),
  resource_key TEXT NOT NULL,
  source TEXT NOT NULL,
  site TEXT NOT NULL,
  class TEXT NOT NULL,
  subclass TEXT NOT NULL,
  type TEXT NOT NULL,
  resource_id TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  plugin TEXT NOT NULL,
  metadata TEXT NOT NULL,
  created BIGINT NOT NULL,
  reported BIGINT NOT NULL,
  expires BIGINT,
  entry BIGINT NOT NULL,
  UNIQUE (org, resource_key)
);
CREATE INDEX resource_of_source ON resource (org, source, id);
CREATE INDEX resource_of_entry ON resource (org, source, entry, site);
CREATE INDEX resource_of_entity ON resource (entity);
CREATE INDEX resource_of_id ON resource (org, resource_id);
CREATE INDEX resource_expires ON resource (expires);
CREATE TABLE enrichment (
  id {serial},
  org BIGINT NOT NULL REFERENCES organisation (id),
  resource_id TEXT NOT NULL,
  name_space TEXT NOT NULL,
  source TEXT NOT NULL,
  body TEXT NOT NULL,
  watch_key TEXT NOT NULL,
  at BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  entry BIGINT NOT NULL,
  UNIQUE (org, resource_id, name_space)
);
CREATE INDEX enrichment_expires ON enrichment (expires)
)";

// A start that did not count gives way to the one before it; 0 is none.
constexpr std::string_view kPace = R"(
ALTER TABLE lane ADD COLUMN former_started BIGINT NOT NULL DEFAULT 0;
ALTER TABLE lane ADD COLUMN last_results BIGINT
)";

// A plugin without a row in plugin_disabled is enabled.
constexpr std::string_view kApproval = R"(
CREATE TABLE plugin_version (
  id {serial},
  org BIGINT NOT NULL REFERENCES organisation (id),
  plugin TEXT NOT NULL,
  hash TEXT NOT NULL,
  source TEXT NOT NULL,
  dialect TEXT NOT NULL,
  title TEXT NOT NULL,
  tree TEXT NOT NULL,
  asks TEXT NOT NULL,
  state TEXT NOT NULL,
  found BIGINT NOT NULL,
  decided BIGINT,
  decided_by TEXT NOT NULL DEFAULT '',
  UNIQUE (org, plugin, hash)
);
CREATE UNIQUE INDEX plugin_approved ON plugin_version (org, plugin) WHERE state = 'approved';
CREATE TABLE plugin_disabled (
  org BIGINT NOT NULL REFERENCES organisation (id),
  plugin TEXT NOT NULL,
  PRIMARY KEY (org, plugin)
);
CREATE TABLE plugin_source (
  org BIGINT NOT NULL REFERENCES organisation (id),
  path TEXT NOT NULL,
  dialect TEXT NOT NULL,
  PRIMARY KEY (org, path)
)
)";

// A series is what a plugin measures again and again; a block is one hour of it. Its key is
// BlockId(): blocks of one hour lie together, since they are written and forgotten together.
constexpr std::string_view kSamples = R"(
CREATE TABLE series (
  id {serial},
  org BIGINT NOT NULL,
  resource TEXT NOT NULL,
  group_name TEXT NOT NULL,
  dimensions TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  period BIGINT NOT NULL,
  last_hour BIGINT NOT NULL,
  UNIQUE (org, resource, group_name, dimensions, name, kind)
);
CREATE INDEX series_by_hour ON series (last_hour);
CREATE TABLE block (
  id {key},
  data BYTEA NOT NULL
);
CREATE TABLE watermark (
  fold TEXT PRIMARY KEY,
  entry BIGINT NOT NULL,
  position BIGINT NOT NULL
)
)";

// `data_key` is one row: the key that encrypts every secret, encrypted itself.
constexpr std::string_view kSecrets = R"(
CREATE TABLE audit (
  id {serial},
  org BIGINT NOT NULL REFERENCES organisation (id),
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE INDEX audit_of_org ON audit (org, id);
CREATE TABLE data_key (
  id BIGINT PRIMARY KEY,
  origin TEXT NOT NULL,
  sealed BYTEA NOT NULL
);
CREATE TABLE secret (
  org BIGINT NOT NULL REFERENCES organisation (id),
  name TEXT NOT NULL,
  sealed BYTEA NOT NULL,
  set_at BIGINT NOT NULL,
  set_by TEXT NOT NULL,
  PRIMARY KEY (org, name)
)
)";

// Of tokens and sessions only the hash of their secret is kept.
constexpr std::string_view kPeople = R"(
CREATE TABLE person (
  id {serial},
  org BIGINT NOT NULL REFERENCES organisation (id),
  name TEXT NOT NULL,
  password TEXT NOT NULL,
  role TEXT NOT NULL,
  disabled BIGINT NOT NULL DEFAULT 0,
  created BIGINT NOT NULL,
  signed_in BIGINT,
  UNIQUE (org, name)
);
CREATE TABLE api_token (
  id {serial},
  org BIGINT NOT NULL REFERENCES organisation (id),
  person BIGINT NOT NULL REFERENCES person (id),
  name TEXT NOT NULL,
  hash TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created BIGINT NOT NULL,
  expires BIGINT,
  used BIGINT,
  UNIQUE (person, name)
);
CREATE TABLE session (
  id {serial},
  org BIGINT NOT NULL REFERENCES organisation (id),
  person BIGINT NOT NULL REFERENCES person (id),
  hash TEXT NOT NULL UNIQUE,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  used BIGINT NOT NULL,
  address TEXT NOT NULL,
  agent TEXT NOT NULL
);
CREATE INDEX session_of_person ON session (person)
)";

// What became of objects, and what people are to be told of them: a row has every value of its object as it was then,
// and outlives it.
constexpr std::string_view kObjectHistory = R"(
ALTER TABLE journal ADD COLUMN reported TEXT NOT NULL DEFAULT '';
CREATE TABLE object_history (
  id {serial},
  org BIGINT NOT NULL REFERENCES organisation (id),
  object BIGINT NOT NULL,
  run BIGINT NOT NULL,
  at BIGINT NOT NULL,
  plugin TEXT NOT NULL,
  primary_id TEXT NOT NULL,
  secondary_id TEXT NOT NULL,
  watched1 TEXT NOT NULL,
  watched2 TEXT NOT NULL,
  watched3 TEXT NOT NULL,
  watched4 TEXT NOT NULL,
  extra TEXT NOT NULL,
  foreign_key TEXT NOT NULL,
  help1 TEXT NOT NULL,
  help2 TEXT NOT NULL,
  help3 TEXT NOT NULL,
  help4 TEXT NOT NULL,
  status TEXT NOT NULL,
  created BIGINT NOT NULL,
  changed BIGINT NOT NULL
);
CREATE INDEX object_history_of_plugin ON object_history (org, plugin, id);
CREATE INDEX object_history_of_object ON object_history (object, id);
CREATE TABLE object_report (
  id {serial},
  org BIGINT NOT NULL REFERENCES organisation (id),
  object BIGINT NOT NULL,
  run BIGINT NOT NULL,
  at BIGINT NOT NULL,
  plugin TEXT NOT NULL,
  primary_id TEXT NOT NULL,
  secondary_id TEXT NOT NULL,
  watched1 TEXT NOT NULL,
  watched2 TEXT NOT NULL,
  watched3 TEXT NOT NULL,
  watched4 TEXT NOT NULL,
  extra TEXT NOT NULL,
  foreign_key TEXT NOT NULL,
  help1 TEXT NOT NULL,
  help2 TEXT NOT NULL,
  help3 TEXT NOT NULL,
  help4 TEXT NOT NULL,
  status TEXT NOT NULL,
  created BIGINT NOT NULL,
  changed BIGINT NOT NULL
);
CREATE INDEX object_report_of_plugin ON object_report (org, plugin, id);
CREATE INDEX object_report_of_object ON object_report (object, id);
CREATE INDEX object_of_org ON object (org, id);
CREATE INDEX object_by_primary ON object (org, primary_id, id);
CREATE INDEX object_by_foreign_key ON object (org, foreign_key, id)
)";

// `touched` is the journal entry that last changed what can be seen of the row, its claims, locks and sightings: who
// keeps a copy elsewhere asks for the rows touched since. `complete_entry` is the last one that saw it in a complete
// batch, 0 for none: the journal forgets its entries.
constexpr std::string_view kTouched = R"(
ALTER TABLE entity ADD COLUMN touched BIGINT NOT NULL DEFAULT 0;
ALTER TABLE object ADD COLUMN touched BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sighting ADD COLUMN complete_entry BIGINT NOT NULL DEFAULT 0;
CREATE INDEX entity_touched ON entity (org, touched);
CREATE INDEX object_touched ON object (org, touched)
)";

// What people set, and what was made up once: then nobody is `set_by`.
constexpr std::string_view kSettings = R"(
CREATE TABLE setting (
  org BIGINT NOT NULL REFERENCES organisation (id),
  dialect TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  set_by TEXT NOT NULL,
  set_at BIGINT NOT NULL,
  PRIMARY KEY (org, dialect, key)
)
)";

// Whether a device is there, and what became of it. `since` is when `present` last changed; `came` is the journal entry
// since which it has been seen, 0 while it is gone, whatever its cards say and people force; `changed` the last entry
// that did more to it than see it. `scanner` has the last run of each that went well, and how often it runs, in ms, 0
// if nobody knows. `told` is the hash of what the source said last.
constexpr std::string_view kPresence = R"(
ALTER TABLE journal ADD COLUMN target TEXT NOT NULL DEFAULT '';
ALTER TABLE journal ADD COLUMN began BIGINT;
ALTER TABLE journal ADD COLUMN every BIGINT;
ALTER TABLE journal ADD COLUMN defaults TEXT NOT NULL DEFAULT '';
ALTER TABLE entity ADD COLUMN parent_relation TEXT NOT NULL DEFAULT '';
ALTER TABLE entity ADD COLUMN icon TEXT NOT NULL DEFAULT '';
ALTER TABLE entity ADD COLUMN custom TEXT NOT NULL DEFAULT '';
ALTER TABLE entity ADD COLUMN favorite TEXT NOT NULL DEFAULT '';
ALTER TABLE entity ADD COLUMN archived TEXT NOT NULL DEFAULT '';
ALTER TABLE entity ADD COLUMN is_new TEXT NOT NULL DEFAULT '';
ALTER TABLE entity ADD COLUMN static_ip TEXT NOT NULL DEFAULT '';
ALTER TABLE entity ADD COLUMN scan TEXT NOT NULL DEFAULT '';
ALTER TABLE entity ADD COLUMN log_events TEXT NOT NULL DEFAULT '';
ALTER TABLE entity ADD COLUMN alert_events TEXT NOT NULL DEFAULT '';
ALTER TABLE entity ADD COLUMN alert_down TEXT NOT NULL DEFAULT '';
ALTER TABLE entity ADD COLUMN can_sleep TEXT NOT NULL DEFAULT '';
ALTER TABLE entity ADD COLUMN require_nics TEXT NOT NULL DEFAULT '';
ALTER TABLE entity ADD COLUMN skip_repeated TEXT NOT NULL DEFAULT '';
ALTER TABLE entity ADD COLUMN force_status TEXT NOT NULL DEFAULT '';
ALTER TABLE entity ADD COLUMN present BIGINT NOT NULL DEFAULT 1;
ALTER TABLE entity ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE entity ADD COLUMN down BIGINT NOT NULL DEFAULT 0;
ALTER TABLE entity ADD COLUMN notified BIGINT;
ALTER TABLE entity ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE entity ADD COLUMN came BIGINT NOT NULL DEFAULT 0;
UPDATE entity SET since = first_seen, present = 0;
UPDATE entity SET present = 1 WHERE id IN (
  SELECT s.entity FROM sighting s JOIN (
    SELECT source, MAX(complete_entry) AS last FROM sighting GROUP BY source) AS complete
  ON complete.source = s.source WHERE s.entry >= complete.last);
UPDATE entity SET came = present;
ALTER TABLE sighting DROP COLUMN complete_entry;
ALTER TABLE sighting ADD COLUMN plugin TEXT NOT NULL DEFAULT '';
ALTER TABLE sighting ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
CREATE INDEX sighting_of_plugin ON sighting (plugin, entity);
CREATE TABLE scanner (
  org BIGINT NOT NULL REFERENCES organisation (id),
  plugin TEXT NOT NULL,
  every BIGINT NOT NULL,
  began BIGINT NOT NULL,
  at BIGINT NOT NULL,
  entry BIGINT NOT NULL,
  PRIMARY KEY (org, plugin)
);
CREATE TABLE device_event (
  id {serial},
  org BIGINT NOT NULL REFERENCES organisation (id),
  entity BIGINT NOT NULL,
  kind TEXT NOT NULL,
  at BIGINT NOT NULL,
  mac TEXT NOT NULL,
  ip TEXT NOT NULL,
  info TEXT NOT NULL,
  pending BIGINT NOT NULL,
  pair BIGINT,
  touched BIGINT NOT NULL
);
CREATE INDEX device_event_of_entity ON device_event (entity, id);
CREATE INDEX device_event_pending ON device_event (org, id) WHERE pending = 1;
CREATE INDEX device_event_touched ON device_event (org, touched);
CREATE INDEX device_event_by_time ON device_event (org, at);
CREATE TABLE device_session (
  id {serial},
  org BIGINT NOT NULL REFERENCES organisation (id),
  entity BIGINT NOT NULL,
  mac TEXT NOT NULL,
  ip TEXT NOT NULL,
  began BIGINT,
  began_by TEXT NOT NULL,
  ended BIGINT,
  ended_by TEXT NOT NULL,
  touched BIGINT NOT NULL
);
CREATE INDEX device_session_of_entity ON device_session (entity, id);
CREATE INDEX device_session_touched ON device_session (org, touched)
)";

// What people are to be told, and whom it was given to. `state` and deliveries are the sender's, not the folds'.
constexpr std::string_view kNotifications = R"(
CREATE TABLE notification (
  id {serial},
  org BIGINT NOT NULL REFERENCES organisation (id),
  source TEXT NOT NULL,
  level TEXT NOT NULL,
  title TEXT NOT NULL,
  text TEXT NOT NULL,
  html TEXT NOT NULL,
  data TEXT NOT NULL,
  at BIGINT NOT NULL,
  entry BIGINT NOT NULL,
  state TEXT NOT NULL,
  round BIGINT,
  finished BIGINT
);
CREATE INDEX notification_of_org ON notification (org, id);
CREATE INDEX notification_open ON notification (org, id) WHERE state <> 'done';
CREATE TABLE delivery (
  notification BIGINT NOT NULL REFERENCES notification (id),
  plugin TEXT NOT NULL,
  state TEXT NOT NULL,
  run BIGINT,
  message TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (notification, plugin)
)
)";

// Runs that belong together, and what followed from them.
constexpr std::string_view kCycles = R"(
CREATE TABLE cycle (
  id {serial},
  org BIGINT NOT NULL REFERENCES organisation (id),
  opened BIGINT NOT NULL,
  closed BIGINT,
  stage TEXT NOT NULL,
  status TEXT NOT NULL,
  message TEXT NOT NULL
);
CREATE INDEX cycle_open ON cycle (id) WHERE closed IS NULL;
ALTER TABLE run ADD COLUMN cycle BIGINT;
CREATE INDEX run_of_cycle ON run (cycle, id) WHERE cycle IS NOT NULL
)";

// By which devices and resources find each other, and cards their device. `ip4` and `ip6` are the latest address of
// each family.
constexpr std::string_view kAddresses = R"(
ALTER TABLE entity ADD COLUMN ip4 TEXT NOT NULL DEFAULT '';
ALTER TABLE entity ADD COLUMN ip6 TEXT NOT NULL DEFAULT '';
UPDATE entity SET ip6 = ip WHERE ip LIKE '%:%';
UPDATE entity SET ip4 = ip WHERE ip NOT LIKE '%:%';
CREATE INDEX entity_by_ip ON entity (org, ip);
CREATE INDEX entity_by_name ON entity (org, LOWER(name));
CREATE INDEX entity_by_fqdn ON entity (org, LOWER(fqdn));
CREATE INDEX entity_asleep ON entity (org, last_seen) WHERE alert_down = '1' AND can_sleep = '1' AND present = 0;
CREATE INDEX entity_cards ON entity (org, LOWER(parent)) WHERE parent_relation = 'nic';
CREATE INDEX device_session_by_end ON device_session (org, ended)
)";

// For lists of devices. `search` is name, mac, ip, vendor and fqdn in lower case, a line each; `ip_key` sorts as the
// address does. An alias is an identifier that came with a device that was merged into one of another name of the same
// scheme.
constexpr std::string_view kDeviceLists = R"(
ALTER TABLE identifier ADD COLUMN alias BIGINT NOT NULL DEFAULT 0;
ALTER TABLE entity ADD COLUMN search TEXT NOT NULL DEFAULT '';
ALTER TABLE entity ADD COLUMN ip_key TEXT NOT NULL DEFAULT '';
UPDATE entity SET search = LOWER(name || '
' || mac || '
' || ip || '
' || vendor || '
' || fqdn);
UPDATE entity SET ip_key = '9' || LOWER(ip) WHERE ip <> '';
UPDATE entity SET ip_key = (
  SELECT '4' || SUBSTR('000' || a, LENGTH(a) + 1) || SUBSTR('000' || b, LENGTH(b) + 1) ||
         SUBSTR('000' || c, LENGTH(c) + 1) || SUBSTR('000' || d, LENGTH(d) + 1)
  FROM (SELECT RTRIM(l3, '.') AS a, SUBSTR(l2, LENGTH(l3) + 1, LENGTH(l2) - LENGTH(l3) - 1) AS b,
               SUBSTR(l1, LENGTH(l2) + 1, LENGTH(l1) - LENGTH(l2) - 1) AS c, d
        FROM (SELECT l1, d, l2, RTRIM(RTRIM(l2, '.'), '0123456789') AS l3
              FROM (SELECT l1, d, RTRIM(RTRIM(l1, '.'), '0123456789') AS l2
                    FROM (SELECT RTRIM(ip, '0123456789') AS l1,
                                 SUBSTR(ip, LENGTH(RTRIM(ip, '0123456789')) + 1) AS d) AS s1) AS s2) AS s3) AS s4)
WHERE ip LIKE '%.%.%.%' AND RTRIM(ip, '0123456789.') = ''
)";

constexpr std::array kMigrations = {Migration{1, "the first thread", kFirst},
                                    Migration{2, "resources and enrichments", kResources},
                                    Migration{3, "pace", kPace},
                                    Migration{4, "approval", kApproval},
                                    Migration{5, "secrets and audit", kSecrets},
                                    Migration{6, "people", kPeople},
                                    Migration{7, "object history", kObjectHistory},
                                    Migration{8, "settings", kSettings},
                                    Migration{9, "touched", kTouched},
                                    Migration{10, "presence", kPresence},
                                    Migration{11, "notifications", kNotifications},
                                    Migration{12, "cycles", kCycles},
                                    Migration{13, "addresses", kAddresses},
                                    Migration{15, "device lists", kDeviceLists}};

constexpr std::array kSampleMigrations = {Migration{1, "samples", kSamples}};

}  // namespace

std::span<const Migration> Migrations() { return kMigrations; }
std::span<const Migration> SampleMigrations() { return kSampleMigrations; }

}  // namespace backplane::store
