import { NOTHING_SPENT } from "../core/budget.ts";
import type { Event, StoredEvent } from "../core/event.ts";
import type { RunStatus } from "../core/run.ts";
import type { Owner } from "../core/store.ts";
import type { Account } from "./account.ts";
import { CallRows } from "./call-rows.ts";
import { EventLog } from "./event-log.ts";
import { Ledger } from "./ledger.ts";
import { Payloads } from "./payloads.ts";
import { Requests } from "./requests.ts";
import { RunRows, statusAfter } from "./run-rows.ts";
import type { Statements } from "./statements.ts";

/** Events, and how they are numbered. */
export interface Recording {
  readonly rid: string;
  readonly events: readonly Event[];
  /** In the transaction. May refuse by throwing. */
  readonly begin: () => Beginning;
  /** True: all of it happened elsewhere, and is booked whether it fits its ceilings or not. */
  readonly asFact: boolean;
}

/** Which run it is, the events as they will be kept, and how the run stood before them. */
export interface Beginning {
  readonly ordinal: number;
  readonly stored: readonly StoredEvent[];
  readonly status: RunStatus;
}

/** Puts events on record, with all that follows from them: payloads, ledger, calls and the list of runs. */
export class Recorder {
  readonly log: EventLog;
  readonly runs: RunRows;
  readonly calls: CallRows;
  readonly ledger: Ledger;
  readonly payloads: Payloads;
  readonly requests: Requests;
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
    this.log = new EventLog(statements);
    this.runs = new RunRows(statements);
    this.calls = new CallRows(statements);
    this.ledger = new Ledger(statements);
    this.payloads = new Payloads(statements);
    this.requests = new Requests(statements);
  }

  /** The new epoch of a run that was taken; null: there is no such run. In a transaction of the caller's. */
  claim(rid: string, owner: Owner): number | null {
    // Somebody else may have had it meanwhile, or removed it and taken it in again.
    this.ledger.forget(rid);
    return this.runs.claim(rid, owner);
  }

  /** In one flushed transaction. Throws `OverBudget`, and whatever `begin` throws: nothing is written then. */
  record({ rid, events, begin, asFact }: Recording): readonly StoredEvent[] {
    const bodies = events.map((event) => JSON.stringify(event));
    const { stored, account } = this.#statements.write(() => {
      const { ordinal, stored, status } = begin();
      const account = this.ledger.book(rid, stored, asFact);
      this.payloads.write(bodies);
      for (const [index, event] of stored.entries()) this.#keep({ rid, ordinal }, event, bodies[index] ?? "");
      if (stored.reduce(statusAfter, status) !== "running") this.#sumUp(rid, stored, account);
      return { stored, account };
    });
    this.payloads.settle(bodies);
    this.ledger.know(rid, stored.at(-1)?.seq ?? 0, account);
    return stored;
  }

  /** Forgets a run, in a transaction of the caller's. Its payloads are left. */
  remove(rid: string): void {
    this.log.remove(rid);
    for (const table of ["call", "ceiling", "fold", "request", "run"]) {
      this.#statements.run(`DELETE FROM ${table} WHERE rid = ?`, rid);
    }
  }

  #keep({ rid, ordinal }: { readonly rid: string; readonly ordinal: number }, event: StoredEvent, body: string): void {
    this.log.add(ordinal, event, body);
    this.calls.book(rid, event);
    this.runs.note(rid, event);
    if (event.type === "route.changed") this.requests.settle(rid, event);
  }

  #sumUp(rid: string, stored: readonly StoredEvent[], { spend }: Account): void {
    const lastAt = stored.at(-1)?.at;
    if (lastAt !== undefined) this.runs.sumUp(rid, lastAt, spend.run ?? NOTHING_SPENT);
  }
}
