import type { Schema } from "./schema.ts";

/** Numbered, forward only: the nth brings a ledger from version n to n+1. Never edit one that was released. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE call (
    call_id TEXT PRIMARY KEY,
    rid TEXT NOT NULL,
    repository TEXT NOT NULL,
    model TEXT NOT NULL,
    day TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('held', 'settled')),
    nanos INTEGER NOT NULL CHECK (nanos >= 0),
    tokens INTEGER NOT NULL CHECK (tokens >= 0)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX call_held ON call (rid) WHERE state = 'held';
  CREATE TABLE day (
    day TEXT PRIMARY KEY,
    settled_nanos INTEGER NOT NULL DEFAULT 0 CHECK (settled_nanos >= 0),
    held_nanos INTEGER NOT NULL DEFAULT 0 CHECK (held_nanos >= 0),
    settled_tokens INTEGER NOT NULL DEFAULT 0 CHECK (settled_tokens >= 0),
    held_tokens INTEGER NOT NULL DEFAULT 0 CHECK (held_tokens >= 0)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE calibration (
    model TEXT PRIMARY KEY,
    samples INTEGER NOT NULL,
    largest INTEGER NOT NULL,
    before INTEGER
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE call ADD COLUMN account TEXT;
  CREATE TABLE provider_day (
    provider TEXT NOT NULL,
    day TEXT NOT NULL,
    settled_nanos INTEGER NOT NULL DEFAULT 0 CHECK (settled_nanos >= 0),
    held_nanos INTEGER NOT NULL DEFAULT 0 CHECK (held_nanos >= 0),
    settled_tokens INTEGER NOT NULL DEFAULT 0 CHECK (settled_tokens >= 0),
    held_tokens INTEGER NOT NULL DEFAULT 0 CHECK (held_tokens >= 0),
    PRIMARY KEY (provider, day)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO provider_day
    SELECT substr(model, 1, instr(model, '/') - 1), day,
      sum(iif(state = 'settled', nanos, 0)), sum(iif(state = 'held', nanos, 0)),
      sum(iif(state = 'settled', tokens, 0)), sum(iif(state = 'held', tokens, 0))
    FROM call GROUP BY 1, 2;
  `,
];

/** The ledger of a user: "ccpu" in hex tells it from any other SQLite file. */
export const USER_LEDGER: Schema = { name: "ccp ledger", applicationId: 0x63637075, migrations: MIGRATIONS };
