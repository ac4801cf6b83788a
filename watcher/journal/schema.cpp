#include "watcher/journal/schema.hpp"

namespace watcher {

namespace {

constexpr const char* version_1 = R"sql(
CREATE TABLE ledger (
  service      TEXT NOT NULL,
  revision     TEXT NOT NULL,
  standing     TEXT NOT NULL,
  appeared_ns  INTEGER NOT NULL,
  last_seen_ns INTEGER NOT NULL,
  record       TEXT NOT NULL,
  PRIMARY KEY (service, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE services (
  service TEXT PRIMARY KEY NOT NULL,
  running TEXT NOT NULL,
  record  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE fuse (
  service       TEXT NOT NULL,
  at_ns         INTEGER NOT NULL,
  use           TEXT NOT NULL,
  from_revision TEXT NOT NULL,
  incident      TEXT NOT NULL,
  record        TEXT NOT NULL,
  PRIMARY KEY (service, at_ns, use, from_revision, incident)
) STRICT, WITHOUT ROWID;

CREATE TABLE incidents (
  id            TEXT PRIMARY KEY NOT NULL,
  service       TEXT NOT NULL,
  severity      TEXT NOT NULL,
  opened_ns     INTEGER NOT NULL,
  closed_ns     INTEGER,
  outcome       TEXT,
  from_revision TEXT NOT NULL,
  to_revision   TEXT NOT NULL,
  record        TEXT NOT NULL
) STRICT;
CREATE INDEX incidents_by_opening ON incidents (opened_ns DESC, id DESC);
CREATE INDEX open_incidents ON incidents (id) WHERE closed_ns IS NULL;

CREATE TABLE steps (
  incident   TEXT NOT NULL,
  rung       INTEGER NOT NULL,
  section    TEXT NOT NULL,
  step       INTEGER NOT NULL,
  attempt    INTEGER NOT NULL,
  kind       TEXT NOT NULL,
  status     TEXT NOT NULL,
  started_ns INTEGER NOT NULL,
  ended_ns   INTEGER,
  exit_code  INTEGER,
  record     TEXT NOT NULL,
  PRIMARY KEY (incident, rung, section, step, attempt)
) STRICT;

CREATE TABLE spans (
  rule        TEXT PRIMARY KEY NOT NULL,
  saved_at_ns INTEGER NOT NULL,
  record      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  notifier        TEXT NOT NULL,
  incident        TEXT NOT NULL,
  stage           TEXT NOT NULL,
  state           TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'given_up')),
  due_ns          INTEGER NOT NULL,
  attempts        INTEGER NOT NULL,
  only_while_open INTEGER NOT NULL,
  error           TEXT NOT NULL DEFAULT '',
  record          TEXT NOT NULL
) STRICT;
CREATE INDEX outbox_waiting ON outbox (notifier, incident, id) WHERE state = 'waiting';
CREATE INDEX outbox_told ON outbox (notifier, incident, id);

CREATE TABLE moments (
  name  TEXT PRIMARY KEY NOT NULL,
  at_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

}  // namespace

Schema journal_schema() { return {.version = 1, .create = version_1, .migrations = {}}; }

}  // namespace watcher
