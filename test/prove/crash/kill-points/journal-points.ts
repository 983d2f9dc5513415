import { createRequire } from "node:module";
import { basename } from "node:path";
import type Database from "better-sqlite3";
import { around, hit } from "./hit.ts";

type Prototype = Pick<Database.Database, "transaction" | "exec" | "pragma" | "prepare" | "close">;
type Work = (...given: unknown[]) => unknown;

const KINDS = ["default", "deferred", "immediate", "exclusive"] as const;
/** Statements that write, where they are a transaction of their own; the last ones end another. */
const WRITING = /^\s*(begin|create|insert|update|delete|replace|vacuum|alter)\b/i;
const ENDING = /^\s*(commit|end)\b/i;

/** What `transaction` of the package is at work on counts as one. */
let isInTransaction = false;

/** Every write to a SQLite file: the journal's transactions, and the locks that are files of SQLite's as well. */
export function installJournalPoints(main: string): void {
  const { prototype } = createRequire(main)("better-sqlite3") as { readonly prototype: Prototype };
  installTransactions(prototype);
  installStatements(prototype);
  const { exec, pragma, close } = prototype;
  prototype.exec = function (this: Database.Database, sql) {
    return isEffect(this, sql) ? around(`${fileOf(this)}.exec`, () => exec.call(this, sql)) : exec.call(this, sql);
  };
  prototype.pragma = function (this: Database.Database, text, options) {
    if (!text.includes("=") || this.inTransaction) return pragma.call(this, text, options);
    return around(`${fileOf(this)}.pragma`, () => pragma.call(this, text, options));
  };
  prototype.close = function (this: Database.Database) {
    return this.open ? around(`${fileOf(this)}.close`, () => close.call(this)) : close.call(this);
  };
}

function installTransactions(prototype: Prototype): void {
  const { transaction } = prototype;
  const replaced = function (this: Database.Database, work: Work) {
    const file = fileOf(this);
    // At the end of the work everything is written and nothing is committed.
    const made = transaction.call(this, (...given: unknown[]) => {
      const result = work(...given);
      hit(`${file}.uncommitted`);
      return result;
    });
    const kinds = KINDS.map((kind) => [kind, { value: between(this, made[kind]) }] as const);
    return Object.defineProperties(between(this, made), Object.fromEntries(kinds));
  };
  Object.assign(prototype, { transaction: replaced });
}

/** A transaction within another is none of its own. */
function between(database: Database.Database, transact: Work): Work {
  return (...given) => {
    if (database.inTransaction) return transact(...given);
    hit(`${fileOf(database)}.before`);
    isInTransaction = true;
    try {
      return transact(...given);
    } finally {
      isInTransaction = false;
      hit(`${fileOf(database)}.after`);
    }
  };
}

/** Statements have a class of their own, which only a statement leads to. */
function installStatements(prototype: Prototype): void {
  const { prepare } = prototype;
  let isInstalled = false;
  const replaced = function (this: Database.Database, sql: string) {
    const statement = prepare.call(this, sql);
    if (!isInstalled)
      for (const name of ["run", "get", "all"]) installStatement(Object.getPrototypeOf(statement), name);
    isInstalled = true;
    return statement;
  };
  Object.assign(prototype, { prepare: replaced });
}

function installStatement(prototype: Record<string, Work>, name: string): void {
  const original = prototype[name] as Work;
  prototype[name] = function (this: Database.Statement, ...given: unknown[]) {
    return isEffect(this.database, this.source)
      ? around(`${fileOf(this.database)}.${name}`, () => original.apply(this, given))
      : original.apply(this, given);
  };
}

function isEffect(database: Database.Database, sql: string): boolean {
  return !isInTransaction && (database.inTransaction ? ENDING : WRITING).test(sql);
}

/** `journal` for ccp.db, `lock` for a run's lock; any other by its file's name. */
function fileOf({ name }: Database.Database): string {
  if (name.endsWith(".lock")) return "lock";
  const file = basename(name, ".db");
  return file === "ccp" ? "journal" : file;
}
