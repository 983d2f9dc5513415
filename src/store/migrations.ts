/** "ccp1" in hex: tells a journal of ours from any other SQLite file. */
export const APPLICATION_ID = 0x63637031;

/** Numbered, forward only: the nth brings a database from version n to n+1. Never edit one that was released. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE run (
    rid TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    owner TEXT NOT NULL,
    seq INTEGER NOT NULL,
    title TEXT NOT NULL,
    pipeline_name TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX run_by_age ON run (created_at DESC);
  CREATE TABLE event (
    rid TEXT NOT NULL REFERENCES run,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    v INTEGER NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (rid, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE call (
    rid TEXT NOT NULL,
    call_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('reserved', 'settled', 'lost')),
    PRIMARY KEY (rid, call_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE ledger (
    rid TEXT NOT NULL,
    scope TEXT NOT NULL,
    max_nanos INTEGER,
    max_tokens INTEGER,
    settled_nanos INTEGER NOT NULL DEFAULT 0 CHECK (settled_nanos >= 0),
    held_nanos INTEGER NOT NULL DEFAULT 0 CHECK (held_nanos >= 0),
    settled_tokens INTEGER NOT NULL DEFAULT 0 CHECK (settled_tokens >= 0),
    held_tokens INTEGER NOT NULL DEFAULT 0 CHECK (held_tokens >= 0),
    PRIMARY KEY (rid, scope)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE blob (
    sha256 TEXT PRIMARY KEY,
    bytes BLOB NOT NULL
  ) STRICT;
  `,
];
