import { messageOf } from "../core/errors.ts";
import { isDamage } from "./failures.ts";
import type { Statements } from "./statements.ts";

/** More says nothing new, and takes long. */
const MOST_LINES = 20;

/** What is wrong with the database, in SQLite's words, at most 20 lines; empty: it is whole. Reads all of it. */
export function damageOf(statements: Statements): readonly string[] {
  try {
    return [...integrity(statements), ...orphans(statements)].slice(0, MOST_LINES);
  } catch (cause) {
    if (isDamage(cause)) return [messageOf(cause)];
    throw cause;
  }
}

function integrity(statements: Statements): readonly string[] {
  const rows = statements.all<{ integrity_check: string }>(`PRAGMA integrity_check(${MOST_LINES})`);
  return rows.flatMap(({ integrity_check }) => integrity_check.split("\n")).filter((line) => line !== "ok");
}

function orphans(statements: Statements): readonly string[] {
  const rows = statements.all<{ table: string; parent: string }>("PRAGMA foreign_key_check");
  const events = statements.all(
    `SELECT 1 FROM event WHERE id >> 32 NOT IN (SELECT ordinal FROM run) LIMIT ${MOST_LINES}`,
  );
  return [...events.map(() => ({ table: "event", parent: "run" })), ...rows].map(
    ({ table, parent }) => `a row of ${table} has lost its ${parent}`,
  );
}
