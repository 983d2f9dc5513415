import type { Schema } from "./schema.ts";

/** Numbered, forward only: the nth brings a file from version n to n+1. Never edit one that was released. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE account (
    lane TEXT NOT NULL,
    credential TEXT NOT NULL,
    touched_at INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (lane, credential)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** What is known of lanes: "ccph" in hex tells it from any other SQLite file. */
export const LANE_HEALTH: Schema = { name: "ccp health file", applicationId: 0x63637068, migrations: MIGRATIONS };
