import Database from "better-sqlite3";
import { CcpError, EXIT } from "../core/errors.ts";
import { migrate, refuseStranger } from "./migrate.ts";
import type { Schema } from "./schema.ts";

/** Somebody who waits that long for another process is told so. */
export const BUSY_TIMEOUT_MS = 10_000;
/** For what a process can do without. */
const SHORT_BUSY_TIMEOUT_MS = 2_000;
/** A log that grew in one long transaction, or under a slow reader, is cut back to this when it is written anew. */
const LOG_LIMIT_BYTES = 64 * 1024 * 1024;
/** Pages of the log until it is brought into the database: some are changed by every commit, and written there once. */
const LOG_PAGES = 4_000;
/** Anything before can corrupt a WAL (sqlite.org/wal.html#walresetbug). */
const OLDEST_SQLITE = [3, 51, 3] as const;

/**
 * Opens the database at `path`, creating it or bringing it up to date, flushed to disk at every commit.
 * `beforeMigration`: may refuse, by throwing, to bring one that is in use to a newer version.
 */
export function openDatabase(path: string, schema: Schema, beforeMigration = () => {}): Database.Database {
  return closedOnFailure(new Database(path, { timeout: BUSY_TIMEOUT_MS }), (database) => {
    requireSqlite(database);
    refuseStranger(database, path, schema);
    makeDurable(database);
    migrate(database, path, schema, beforeMigration);
  });
}

/**
 * The same for what may be lost: nothing is flushed at commits. A power cut may take the last of them, and leaves the
 * file whole. Whoever has to wait for it does so briefly.
 */
export function openUnflushed(path: string, schema: Schema): Database.Database {
  return closedOnFailure(new Database(path, { timeout: SHORT_BUSY_TIMEOUT_MS }), (database) => {
    requireSqlite(database);
    refuseStranger(database, path, schema);
    if (database.pragma("journal_mode = WAL", { simple: true }) !== "wal") throw new Error("it is on a network mount");
    database.pragma("synchronous = NORMAL");
    migrate(database, path, schema);
  });
}

/** Opens a database that lives as long as this process. */
export function openInMemory(schema: Schema): Database.Database {
  return closedOnFailure(new Database(":memory:"), (database) => {
    requireSqlite(database);
    database.pragma("foreign_keys = ON");
    migrate(database, "memory", schema);
  });
}

/** `prepare` readies it for use; when it throws, nothing stays open. */
export function closedOnFailure(
  database: Database.Database,
  prepare: (database: Database.Database) => void,
): Database.Database {
  try {
    prepare(database);
    return database;
  } catch (cause) {
    database.close();
    throw cause;
  }
}

function requireSqlite(database: Database.Database): void {
  const version = database.prepare("SELECT sqlite_version()").pluck().get() as string;
  const parts = version.split(".").map(Number);
  const difference = OLDEST_SQLITE.map((part, index) => (parts[index] ?? 0) - part).find((delta) => delta !== 0) ?? 0;
  if (difference < 0)
    throw new Error(`SQLite ${version} can corrupt a journal; ${OLDEST_SQLITE.join(".")} or newer is needed`);
}

/** better-sqlite3 drops to NORMAL with WAL, where a power cut loses settled calls: FULL is set after it, and asserted. */
function makeDurable(database: Database.Database): void {
  const mode = database.pragma("journal_mode = WAL", { simple: true });
  database.pragma("synchronous = FULL");
  database.pragma("fullfsync = ON");
  database.pragma("checkpoint_fullfsync = ON");
  database.pragma("foreign_keys = ON");
  database.pragma(`wal_autocheckpoint = ${LOG_PAGES}`);
  database.pragma(`journal_size_limit = ${LOG_LIMIT_BYTES}`);
  if (database.pragma("synchronous", { simple: true }) !== 2) throw new Error("the journal is not flushed at commit");
  if (mode !== "wal") {
    throw new CcpError(
      "no_wal",
      EXIT.disk,
      "the journal's file system cannot hold a write-ahead log (a network mount?)",
      { hint: "set CCP_STATE_DIR to a directory on a local disk" },
    );
  }
}
