import type { StoredEvent } from "../core/event.ts";
import { EVENT_VERSION, upcast } from "../core/upcast.ts";
import type { Statements } from "./statements.ts";

/** The facts of each run, as they were written. Contract: writes are made in a transaction of the caller's. */
export class EventLog {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  add(rid: string, { seq, at, type }: StoredEvent, body: string): void {
    this.#statements.run(ADD, rid, seq, at, EVENT_VERSION, type, body);
  }

  /** In order and in today's shape. */
  read(rid: string, afterSeq: number): readonly StoredEvent[] {
    return this.#statements
      .all<EventRow>("SELECT seq, at, v, body FROM event WHERE rid = ? AND seq > ? ORDER BY seq", rid, afterSeq)
      .map(({ seq, at, v, body }) => upcast({ ...JSON.parse(body), seq, at }, v));
  }
}

const ADD = "INSERT INTO event (rid, seq, at, v, type, body) VALUES (?, ?, ?, ?, ?, ?)";

interface EventRow {
  readonly seq: number;
  readonly at: number;
  readonly v: number;
  readonly body: string;
}
