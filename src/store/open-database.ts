import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import { CcpError, EXIT } from "../core/errors.ts";
import { APPLICATION_ID, MIGRATIONS } from "./migrations.ts";

const BUSY_TIMEOUT_MS = 10_000;
/** Anything before can corrupt a WAL (sqlite.org/wal.html#walresetbug). */
const OLDEST_SQLITE = [3, 51, 3] as const;

/** Opens the journal at `path`, creating it or bringing it up to date, in the durability that the journal promises. */
export function openDatabase(path: string): Database.Database {
  const isNew = !existsSync(path);
  const database = new Database(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    requireSqlite(database);
    if (!isNew) refuseStranger(database, path);
    makeDurable(database);
    migrate(database, path);
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

function refuseStranger(database: Database.Database, path: string): void {
  const id = database.pragma("application_id", { simple: true });
  const version = database.pragma("user_version", { simple: true }) as number;
  // A crash between creation and the first migration leaves 0 and 0: ours, and empty.
  if (id === APPLICATION_ID || (id === 0 && version === 0 && isEmpty(database))) return;
  throw new CcpError("corrupt_journal", EXIT.disk, `${path} is not a ccp journal`, {
    hint: "nothing was changed; move the file away to start a new journal",
  });
}

function isEmpty(database: Database.Database): boolean {
  return database.prepare("SELECT count(*) FROM sqlite_schema").pluck().get() === 0;
}

/** better-sqlite3 drops to NORMAL with WAL, where a power cut loses settled calls: FULL is set after it, and asserted. */
function makeDurable(database: Database.Database): void {
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.pragma("fullfsync = ON");
  database.pragma("checkpoint_fullfsync = ON");
  database.pragma("foreign_keys = ON");
  if (database.pragma("synchronous", { simple: true }) !== 2) throw new Error("the journal is not flushed at commit");
  if (database.pragma("journal_mode", { simple: true }) !== "wal") {
    throw new CcpError(
      "no_wal",
      EXIT.disk,
      "the journal's file system cannot hold a write-ahead log (a network mount?)",
      {
        hint: "set CCP_STATE_DIR to a directory on a local disk",
      },
    );
  }
}

function migrate(database: Database.Database, path: string): void {
  const versionOf = () => database.pragma("user_version", { simple: true }) as number;
  if (versionOf() > MIGRATIONS.length) {
    throw new CcpError(
      "newer_journal",
      EXIT.usage,
      `${path} was written by a newer ccp (journal version ${versionOf()}, this one knows ${MIGRATIONS.length})`,
      {
        hint: "update ccp; nothing was changed",
      },
    );
  }
  if (versionOf() === MIGRATIONS.length) return;
  database
    .transaction(() => {
      for (const migration of MIGRATIONS.slice(versionOf())) database.exec(migration);
      database.pragma(`application_id = ${APPLICATION_ID}`);
      database.pragma(`user_version = ${MIGRATIONS.length}`);
    })
    .immediate();
}
