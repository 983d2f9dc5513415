import type { StoredEvent } from "../core/event.ts";
import { EVENT_VERSION, upcast } from "../core/upcast.ts";
import type { Statements } from "./statements.ts";

/** The facts of each run, as they were written. Contract: writes are made in a transaction of the caller's. */
export class EventLog {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** `ordinal`: that of the run. */
  add(ordinal: number, { seq, at, type }: StoredEvent, body: string): void {
    this.#statements.run(ADD, ordinal, seq, at, EVENT_VERSION, type, body);
  }

  /** In order and in today's shape. */
  read(rid: string, afterSeq: number): readonly StoredEvent[] {
    return this.#statements
      .all<EventRow>(READ, afterSeq, rid)
      .map(({ seq, at, v, body }) => upcast({ ...JSON.parse(body), seq, at }, v));
  }

  /** Of certain types, of one run or (null) of all. */
  readTypes(types: readonly string[], rid: string | null): readonly (StoredEvent & { readonly rid: string })[] {
    return this.#statements
      .all<EventRow & { readonly rid: string }>(READ_TYPES, JSON.stringify(types), rid, rid)
      .map((row) => ({ ...upcast({ ...JSON.parse(row.body), seq: row.seq, at: row.at }, row.v), rid: row.rid }));
  }

  remove(rid: string): void {
    this.#statements.run(REMOVE, rid);
  }
}

/** In a statement over `run`: the ids of its events. */
export const EVENT_IDS = "(run.ordinal << 32) + 1 AND (run.ordinal << 32 | 0xffffffff)";
/** In a statement over `run`: the number of its last event; 0: it has none. */
export const LAST_SEQ = `coalesce((SELECT seq FROM event WHERE id BETWEEN ${EVENT_IDS} ORDER BY id DESC LIMIT 1), 0)`;

const ADD = "INSERT INTO event (id, at, v, type, body) VALUES (? << 32 | ?, ?, ?, ?, ?)";
const READ = `SELECT seq, at, v, body FROM run JOIN event
  ON id BETWEEN (run.ordinal << 32 | ?) + 1 AND (run.ordinal << 32 | 0xffffffff)
  WHERE rid = ? ORDER BY id`;
const READ_TYPES = `SELECT rid, seq, event.at, event.v, body FROM run JOIN event ON id BETWEEN ${EVENT_IDS}
  WHERE type IN (SELECT value FROM json_each(?)) AND (? IS NULL OR rid = ?) ORDER BY id`;
const REMOVE = `DELETE FROM event WHERE id IN (SELECT id FROM run JOIN event ON id BETWEEN ${EVENT_IDS} WHERE rid = ?)`;

interface EventRow {
  readonly seq: number;
  readonly at: number;
  readonly v: number;
  readonly body: string;
}
