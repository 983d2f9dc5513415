import Database from "better-sqlite3";
import { isBusy } from "./failures.ts";

/**
 * An exclusive lock on a file, held by this process and freed by the kernel when it dies: no heartbeat, nothing
 * stale. (SQLite's own file locking, which knows the pitfalls of each platform.)
 */
export class Lock {
  readonly #database: Database.Database;

  private constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Null: somebody else holds it, and has for `waitMs`. */
  static take(path: string, waitMs = 0): Lock | null {
    const database = new Database(path, { timeout: waitMs });
    try {
      database.pragma("journal_mode = DELETE");
      database.exec("BEGIN EXCLUSIVE");
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
