import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { Spend } from "../../src/core/budget.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import type { RunSummary } from "../../src/core/store.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";

/** What a journal says. */
export interface Journal {
  /** Null: no run has begun. */
  readonly run: RunSummary | null;
  readonly events: readonly StoredEvent[];
  readonly spend: Spend | null;
  /** SQLite's own judgement of the file: `ok`, or what is wrong with it. */
  readonly integrity: string;
}

const NO_JOURNAL: Journal = { run: null, events: [], spend: null, integrity: "ok" };

/** Reads the journal of `stateDir` in a copy, so that what a fault left is not touched by looking at it. */
export function readJournal(stateDir: string, copy: string): Journal {
  if (!existsSync(join(stateDir, "ccp.db"))) return NO_JOURNAL;
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  // Without the -shm: that is memory of processes that may be dead, and is made anew.
  const names = readdirSync(stateDir).filter((name) => name === "ccp.db" || name === "ccp.db-wal");
  for (const name of names) cpSync(join(stateDir, name), join(copy, name));
  const store = new SqliteStore(copy);
  try {
    const run = store.runs()[0] ?? null;
    const events = run === null ? [] : store.events(run.rid);
    const spend = run === null ? null : store.ledger(run.rid, "run");
    return { run, events, spend, integrity: integrityOf(join(copy, "ccp.db")) };
  } finally {
    store.close();
    rmSync(copy, { recursive: true, force: true });
  }
}

function integrityOf(path: string): string {
  const database = new Database(path, { readonly: true });
  try {
    return String(database.pragma("integrity_check", { simple: true }));
  } finally {
    database.close();
  }
}

/** Calls that were answered, on record, as the server would name them: the model and the turn. */
export function settledCalls(events: readonly StoredEvent[]): readonly string[] {
  const reserved = new Map(events.flatMap((event) => (event.type === "call.reserved" ? [[event.callId, event]] : [])));
  return events.flatMap((event) => {
    const call = event.type === "call.settled" ? reserved.get(event.callId) : undefined;
    return call ? [`${call.model.slice("anthropic/".length)} ${call.turn}`] : [];
  });
}

/** Calls whose outcome nobody knows. */
export function lostCalls(events: readonly StoredEvent[]): number {
  return events.filter(({ type }) => type === "call.lost").length;
}
