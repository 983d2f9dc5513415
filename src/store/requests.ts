import type { EventOf } from "../core/event.ts";
import type { LeftRequest } from "../core/store.ts";
import type { Statements } from "./statements.ts";

/** Words that were left for whoever drives a run. Contract: `settle` is called in a transaction of the caller's. */
export class Requests {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Its number. */
  leave(rid: string, { role, models }: LeftRequest, at: number): number {
    const { lastInsertRowid } = this.#statements.run(LEAVE, rid, at, role, JSON.stringify(models));
    return Number(lastInsertRowid);
  }

  list(rid: string): readonly (LeftRequest & { readonly id: number })[] {
    const rows = this.#statements.all<RequestRow>(LIST, rid);
    return rows.map(({ id, role, models }) => ({ id, role, models: JSON.parse(models) }));
  }

  drop(rid: string, id: number): void {
    this.#statements.run("DELETE FROM request WHERE rid = ? AND id = ?", rid, id);
  }

  /** What the event follows, or puts a later word in the place of, is done with. */
  settle(rid: string, { role, request }: EventOf<"route.changed">): void {
    if (request === undefined) this.#statements.run("DELETE FROM request WHERE rid = ? AND role = ?", rid, role);
    else this.drop(rid, request);
  }
}

const LEAVE = "INSERT INTO request (rid, at, role, models) VALUES (?, ?, ?, ?)";
const LIST = "SELECT id, role, models FROM request WHERE rid = ? ORDER BY id";

interface RequestRow {
  readonly id: number;
  readonly role: LeftRequest["role"];
  readonly models: string;
}
