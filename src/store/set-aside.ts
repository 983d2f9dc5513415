import { existsSync, renameSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import { CcpError, EXIT, messageOf } from "../core/errors.ts";
import { isDamage } from "./failures.ts";
import { Lock } from "./lock.ts";
import { BUSY_TIMEOUT_MS } from "./open-database.ts";
import { journalPath, locksPath, presencePath } from "./places.ts";
import { heldRun } from "./run-locks.ts";
import type { Schema } from "./schema.ts";

/** Database, write-ahead log and its index: they belong together and are named alike. */
const PARTS = ["", "-wal", "-shm"] as const;
/** Others who find the same damage look at it for an instant. */
const LOOK_MS = 500;

/**
 * Takes a journal out of the way: renamed, all of its files, never over another. Returns where it lies now; null: there
 * is none. Throws `CcpError("owned")` while anybody has it open.
 */
export function setAside(stateDir: string): string | null {
  const path = journalPath(stateDir);
  const moved = withoutOthers(stateDir, () => ({ to: renamed(path) }));
  if (moved) return moved.to;
  throw new CcpError("owned", EXIT.owned, `${path} is open in another ccp process`, {
    hint: "nothing was moved or changed; end that process, then try again",
  });
}

/**
 * Does nothing to a journal that can be opened. One whose beginning is no database any more is set aside, and
 * `CcpError("corrupt_journal")` thrown, which says so.
 */
export function setAsideIfUnreadable(stateDir: string, schema: Schema): void {
  const path = journalPath(stateDir);
  const why = unreadable(path, schema);
  if (why === null) return;
  // Somebody else may have set it aside meanwhile, and begun a new one.
  const moved = withoutOthers(stateDir, () => (unreadable(path, schema) === null ? null : { to: renamed(path) }));
  if (moved === null && unreadable(path, schema) === null) return;
  const [fate, hint] = moved
    ? [
        `was set aside: it is ${moved.to} now`,
        `nothing was overwritten; the next command begins a new journal; to see what this one still holds: sqlite3 ${moved.to} .recover`,
      ]
    : ["was left as it is, for another ccp process has it open", "end that process, then try again"];
  throw new CcpError("corrupt_journal", EXIT.disk, `${path} is damaged (${why}) and ${fate}`, { hint });
}

/** Why not even the beginning of the file can be read; null: it can, or the file is somebody else's, or not there. */
function unreadable(path: string, schema: Schema): string | null {
  // In this order: a journal that is being made has its first page before it has a log.
  const logBytes = sizeOf(`${path}-wal`);
  if (sizeOf(path) === 0) return logBytes === 0 ? null : "the write-ahead log has lost its database";
  // Read-only: whoever can write brings the log into the database when it closes.
  const database = new Database(path, { readonly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    if (database.pragma("application_id", { simple: true }) === schema.applicationId) {
      database.prepare("SELECT count(*) FROM sqlite_schema").get();
    }
    return null;
  } catch (cause) {
    if (isDamage(cause)) return messageOf(cause);
    throw cause;
  } finally {
    database.close();
  }
}

/** Nobody else has the journal open, nor can open it, while this is done. Null: somebody has. */
function withoutOthers<T>(stateDir: string, work: () => T): T | null {
  const lock = Lock.take(presencePath(stateDir), LOOK_MS);
  try {
    // An older ccp takes the locks of its runs only.
    return lock !== null && heldRun(locksPath(stateDir)) === null ? work() : null;
  } finally {
    lock?.release();
  }
}

function renamed(path: string): string | null {
  const parts = PARTS.filter((part) => existsSync(path + part));
  if (parts.length === 0) return null;
  const to = freeName(path);
  // The database first: a log without its database is seen as what it is, a database without its log is not.
  for (const part of parts) renameSync(path + part, to + part);
  return to;
}

function freeName(path: string): string {
  for (let n = 1; ; n++) {
    const name = `${path}.damaged-${n}`;
    if (PARTS.every((part) => !existsSync(name + part))) return name;
  }
}

/** 0 also for what is not there. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
