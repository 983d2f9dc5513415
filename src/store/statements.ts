import type Database from "better-sqlite3";

/** The statements of one connection, each prepared once. */
export class Statements {
  readonly #database: Database.Database;
  readonly #prepared = new Map<string, Database.Statement>();
  readonly #transaction: Database.Transaction<(work: () => unknown) => unknown>;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#transaction = database.transaction((work) => work());
  }

  run(sql: string, ...values: unknown[]): Database.RunResult {
    return this.#prepare(sql).run(...values);
  }

  get<T>(sql: string, ...values: unknown[]): T | undefined {
    return this.#prepare(sql).get(...values) as T | undefined;
  }

  all<T>(sql: string, ...values: unknown[]): T[] {
    return this.#prepare(sql).all(...values) as T[];
  }

  /** One row at a time: for what need not fit into memory. Nothing else can be asked until it is read to its end. */
  each<T>(sql: string, ...values: unknown[]): IterableIterator<T> {
    return this.#prepare(sql).iterate(...values) as IterableIterator<T>;
  }

  /** All or nothing, flushed to disk at its end; nobody else writes meanwhile. */
  write<T>(work: () => T): T {
    return this.#transaction.immediate(work) as T;
  }

  /** All of it sees the database as it was at one instant. */
  read<T>(work: () => T): T {
    return this.#transaction.deferred(work) as T;
  }

  #prepare(sql: string): Database.Statement {
    const known = this.#prepared.get(sql);
    if (known) return known;
    const statement = this.#database.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }
}
