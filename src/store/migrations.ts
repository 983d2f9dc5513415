import type { Schema } from "./schema.ts";

/** Numbered, forward only: the nth brings a journal from version n to n+1. Never edit one that was released. */
const MIGRATIONS: readonly string[] = [
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
  // Every page that a commit changes is written twice: an append touches as few as it can. So `run` has nothing more in
  // it that changes with every event, and what was spent is told by `call` alone.
  `
  ALTER TABLE run ADD COLUMN owner_pid INTEGER;
  ALTER TABLE run ADD COLUMN owner_host TEXT;
  ALTER TABLE run ADD COLUMN owner_started TEXT;
  ALTER TABLE run ADD COLUMN applied INTEGER NOT NULL DEFAULT 0;
  -- What a list shows, with last_at: brought up to date whenever the run does not run.
  ALTER TABLE run ADD COLUMN settled_nanos INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE run ADD COLUMN held_nanos INTEGER NOT NULL DEFAULT 0;
  UPDATE run SET
    owner_pid = CAST(substr(owner, length('pid ') + 1) AS INTEGER),
    owner_host = substr(owner, instr(owner, ' on ') + length(' on ')),
    applied = EXISTS (SELECT 1 FROM event WHERE event.rid = run.rid AND event.type = 'run.applied');
  UPDATE run SET settled_nanos = ledger.settled_nanos, held_nanos = ledger.held_nanos
    FROM ledger WHERE ledger.rid = run.rid AND ledger.scope = 'run';
  ALTER TABLE run DROP COLUMN owner;
  ALTER TABLE run DROP COLUMN seq;

  CREATE TABLE call_2 (
    rid TEXT NOT NULL REFERENCES run,
    call_id TEXT NOT NULL,
    reserved_seq INTEGER NOT NULL,
    reserved_at INTEGER NOT NULL,
    step_id TEXT NOT NULL,
    role TEXT NOT NULL,
    conversation INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    model TEXT NOT NULL,
    retry_of TEXT,
    state TEXT NOT NULL CHECK (state IN ('reserved', 'settled', 'lost')),
    held_nanos INTEGER NOT NULL,
    held_tokens INTEGER NOT NULL,
    cost_nanos INTEGER NOT NULL DEFAULT 0,
    listed_nanos INTEGER,
    fresh_input INTEGER,
    cache_read INTEGER,
    cache_write INTEGER,
    output INTEGER,
    reasoning INTEGER,
    usage_source TEXT,
    duration_ms REAL,
    failure TEXT,
    PRIMARY KEY (rid, call_id)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO call_2 (rid, call_id, reserved_seq, reserved_at, step_id, role, conversation, turn, model, state,
      held_nanos, held_tokens)
    SELECT rid, body ->> 'callId', seq, at, body ->> 'stepId', body ->> 'role', body ->> 'conversation',
      body ->> 'turn', body ->> 'model', 'reserved', body ->> 'heldNanos', body ->> 'heldTokens'
    FROM event WHERE type = 'call.reserved';
  UPDATE call_2 SET
      state = substr(ending.type, length('call.') + 1),
      cost_nanos = iif(ending.type = 'call.lost', held_nanos, ending.body ->> 'costNanos'),
      fresh_input = ending.body ->> '$.usage.freshInput',
      cache_read = ending.body ->> '$.usage.cacheRead',
      cache_write = ending.body ->> '$.usage.cacheWrite',
      output = ending.body ->> '$.usage.output',
      reasoning = ending.body ->> '$.usage.reasoning',
      usage_source = ending.body ->> '$.usage.source',
      duration_ms = ending.body ->> 'durationMs',
      failure = ending.body ->> '$.result.failure.class'
    FROM event AS ending
    WHERE ending.type IN ('call.settled', 'call.lost')
      AND call_2.rid = ending.rid AND call_2.call_id = ending.body ->> 'callId';
  CREATE TABLE ceiling (
    rid TEXT NOT NULL REFERENCES run,
    scope TEXT NOT NULL,
    max_nanos INTEGER,
    max_tokens INTEGER,
    PRIMARY KEY (rid, scope)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO ceiling SELECT rid, scope, max_nanos, max_tokens FROM ledger
    WHERE max_nanos IS NOT NULL OR max_tokens IS NOT NULL;
  DROP TABLE ledger;
  DROP TABLE call;
  ALTER TABLE call_2 RENAME TO call;

  -- 1: deflated.
  ALTER TABLE blob ADD COLUMN packed INTEGER NOT NULL DEFAULT 0;

  CREATE TABLE fold (
    rid TEXT PRIMARY KEY REFERENCES run,
    seq INTEGER NOT NULL,
    version INTEGER NOT NULL,
    body BLOB NOT NULL
  ) STRICT;
  `,
  // Events by number instead of by name and number: what is put at the end of such a table leaves the pages before it as
  // they are, where a key of two columns has three of them balanced, and written, at every third event.
  `
  -- Names the run in its events; never zero.
  ALTER TABLE run ADD COLUMN ordinal INTEGER;
  UPDATE run SET ordinal = rowid;
  CREATE UNIQUE INDEX run_by_ordinal ON run (ordinal);
  CREATE TABLE event_3 (
    -- Ordinal of the run, and in the lower 32 bits the number of the event in it.
    id INTEGER PRIMARY KEY,
    seq INTEGER GENERATED ALWAYS AS (id & 0xffffffff) VIRTUAL,
    at INTEGER NOT NULL,
    v INTEGER NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  INSERT INTO event_3 (id, at, v, type, body)
    SELECT run.ordinal << 32 | event.seq, at, v, type, body FROM event JOIN run USING (rid)
    ORDER BY run.ordinal, event.seq;
  DROP TABLE event;
  ALTER TABLE event_3 RENAME TO event;
  `,
  // Looked at before each model call of whoever drives the run: nearly always empty.
  `
  CREATE TABLE request (
    -- Never given twice: an event names it.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    rid TEXT NOT NULL REFERENCES run,
    at INTEGER NOT NULL,
    role TEXT NOT NULL,
    models TEXT NOT NULL
  ) STRICT;
  CREATE INDEX request_by_run ON request (rid);
  `,
];

/** The journal of a repository: "ccp1" in hex tells it from any other SQLite file. */
export const JOURNAL: Schema = { name: "ccp journal", applicationId: 0x63637031, migrations: MIGRATIONS };
