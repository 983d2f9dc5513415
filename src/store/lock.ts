import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import { isBusy } from "./failures.ts";

/** Whoever reads shares the file with other readers until the transaction ends: here, never. */
const SHARED = "BEGIN; SELECT count(*) FROM sqlite_schema";

/**
 * A lock on a file, held by this process and freed by the kernel when it dies: no heartbeat, nothing stale. (SQLite's
 * own file locking, which knows the pitfalls of each platform.)
 */
export class Lock {
  readonly #database: Database.Database;

  private constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Held by nobody else. Null: somebody else holds it, and has for `waitMs`. */
  static take(path: string, waitMs = 0): Lock | null {
    return Lock.#begin(new Database(path, { timeout: waitMs }), "BEGIN EXCLUSIVE");
  }

  /** Held together with others who share it. Null: somebody has it alone, and has had for `waitMs`. */
  static share(path: string, waitMs = 0): Lock | null {
    return Lock.#begin(new Database(path, { timeout: waitMs }), SHARED);
  }

  /** True while somebody, in this process or in another, has it alone. Needs no right to write. */
  static isHeld(path: string): boolean {
    if (!existsSync(path)) return false;
    const shared = Lock.#begin(new Database(path, { readonly: true, timeout: 0 }), SHARED);
    shared?.release();
    return shared === null;
  }

  static #begin(database: Database.Database, how: string): Lock | null {
    try {
      // Nothing is ever written to it: a rollback journal would only be left behind by whoever is killed.
      database.pragma("journal_mode = MEMORY");
      database.exec(how);
      return new Lock(database);
    } catch (cause) {
      database.close();
      if (isBusy(cause)) return null;
      throw cause;
    }
  }

  release(): void {
    this.#database.close();
  }
}
