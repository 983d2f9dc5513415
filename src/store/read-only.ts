import { accessSync, constants, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { CcpError, EXIT } from "../core/errors.ts";
import { migrate, refuseStranger } from "./migrate.ts";
import { BUSY_TIMEOUT_MS, closedOnFailure } from "./open-database.ts";
import type { Schema } from "./schema.ts";

/** True for a database that is there and may be read, but not written. */
export function isReadOnly(path: string): boolean {
  return existsSync(path) && !(isWritable(path) && isWritable(join(path, "..")));
}

/**
 * Opens a database where nothing can be written. SQLite reads one in WAL mode there only if log and index lie beside
 * it; else, and if it is of an older version, a copy in memory is read.
 */
export function openReadOnly(path: string, schema: Schema): Database.Database {
  const database = closedOnFailure(openWhereItIs(path) ?? copyInMemory(bytesOf(path)), (opened) =>
    refuseStranger(opened, path, schema),
  );
  const current = needsMigration(database, schema) ? copyInMemory(database.serialize()) : database;
  if (current !== database) database.close();
  return closedOnFailure(current, () => {
    migrate(current, path, schema);
    current.pragma("query_only = ON");
  });
}

/** Null: it cannot be read there without writing. */
function openWhereItIs(path: string): Database.Database | null {
  if (!existsSync(`${path}-shm`) || !existsSync(`${path}-wal`)) return null;
  return new Database(path, { readonly: true, timeout: BUSY_TIMEOUT_MS });
}

function needsMigration(database: Database.Database, { migrations }: Schema): boolean {
  return (database.pragma("user_version", { simple: true }) as number) < migrations.length;
}

/** A database of its own: what is written to it is gone with the process. */
function copyInMemory(bytes: Buffer): Database.Database {
  // Bytes 18 and 19 of a database say that it has a log (2): one in memory has none (1).
  bytes.fill(1, 18, 20);
  return new Database(bytes);
}

/** The whole database, with what is in its log. */
function bytesOf(path: string): Buffer {
  const before = stampOf(path);
  const bytes = existsSync(`${path}-wal`) ? mergedBytes(path) : readFileSync(path);
  if (stampOf(path) === before) return bytes;
  throw new CcpError("busy", EXIT.owned, `${path} is being written, and you may only read it`, { hint: "try again" });
}

/** SQLite brings the log into the database when the last who has it open closes it: here, into a copy. */
function mergedBytes(path: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "ccp-"));
  try {
    for (const part of ["", "-wal"]) copyFileSync(path + part, join(folder, `copy${part}`));
    return closing(new Database(join(folder, "copy")), (copy) => copy.serialize());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Changes with every commit. */
function stampOf(path: string): string {
  return [path, `${path}-wal`]
    .map((file) => statSync(file, { throwIfNoEntry: false }))
    .map((found) => `${found?.size} ${found?.mtimeMs}`)
    .join(", ");
}

function closing<T>(database: Database.Database, work: (database: Database.Database) => T): T {
  try {
    return work(database);
  } finally {
    database.close();
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
