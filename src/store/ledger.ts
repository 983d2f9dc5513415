import { type Budget, NOTHING_SPENT, type Scope, type Spend } from "../core/budget.ts";
import type { Event } from "../core/event.ts";
import { ledgerEntry } from "../core/ledger.ts";
import type { Statements } from "./statements.ts";

/** A reservation that does not fit rolls its whole transaction back. */
export class OverBudget extends Error {
  readonly scope: Scope;
  constructor(scope: Scope) {
    super(`over budget: ${scope}`);
    this.scope = scope;
  }
}

/** Ceilings and spend of every scope, and how far each call has come. Contract: writes are made in a transaction of the caller's. */
export class Ledger {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  spend(rid: string, scope: Scope): Spend {
    const row = this.#statements.get<LedgerRow>("SELECT * FROM ledger WHERE rid = ? AND scope = ?", rid, scope);
    if (!row) return NOTHING_SPENT;
    return {
      settledNanos: row.settled_nanos,
      heldNanos: row.held_nanos,
      settledTokens: row.settled_tokens,
      heldTokens: row.held_tokens,
    };
  }

  setCeiling(rid: string, scope: string, budget: Budget): void {
    this.#statements.run(
      "INSERT INTO ledger (rid, scope, max_nanos, max_tokens) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET max_nanos = excluded.max_nanos, max_tokens = excluded.max_tokens",
      rid,
      scope,
      budget.maxCostNanos ?? null,
      budget.maxTokens ?? null,
    );
  }

  /** What the event does to the ledger, in the transaction that keeps it. Throws `OverBudget`. */
  book(rid: string, event: Event): void {
    const entry = ledgerEntry(event);
    if (!entry) return;
    this.#advanceCall(rid, event);
    for (const scope of entry.scopes) this.#bookScope(rid, scope, entry.change, entry.mustFit);
  }

  /** A call has one outcome: the database itself forbids a second. */
  #advanceCall(rid: string, event: Event): void {
    if (event.type === "call.reserved") {
      this.#statements.run("INSERT INTO call (rid, call_id, state) VALUES (?, ?, 'reserved')", rid, event.callId);
    } else if (event.type === "call.settled" || event.type === "call.lost") {
      const state = event.type === "call.settled" ? "settled" : "lost";
      const { changes } = this.#statements.run(
        "UPDATE call SET state = ? WHERE rid = ? AND call_id = ? AND state = 'reserved'",
        state,
        rid,
        event.callId,
      );
      if (changes !== 1) throw new Error(`call ${event.callId} of ${rid} has an outcome already`);
    }
  }

  #bookScope(rid: string, scope: Scope, change: Spend, mustFit: boolean): void {
    this.#statements.run("INSERT INTO ledger (rid, scope) VALUES (?, ?) ON CONFLICT DO NOTHING", rid, scope);
    const { changes } = this.#statements.run(mustFit ? BOOK_IF_IT_FITS : BOOK, { rid, scope, ...change });
    if (changes === 0) throw new OverBudget(scope);
  }
}

const BOOK = `UPDATE ledger SET settled_nanos = settled_nanos + @settledNanos, held_nanos = held_nanos + @heldNanos,
  settled_tokens = settled_tokens + @settledTokens, held_tokens = held_tokens + @heldTokens
  WHERE rid = @rid AND scope = @scope`;

const BOOK_IF_IT_FITS = `${BOOK}
  AND (max_nanos IS NULL OR settled_nanos + held_nanos + @heldNanos <= max_nanos)
  AND (max_tokens IS NULL OR settled_tokens + held_tokens + @heldTokens <= max_tokens)`;

interface LedgerRow {
  readonly settled_nanos: number;
  readonly held_nanos: number;
  readonly settled_tokens: number;
  readonly held_tokens: number;
}
