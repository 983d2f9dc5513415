import { addSpend, type Budget, NOTHING_SPENT, type Scope, type Spend } from "../core/budget.ts";
import type { StoredEvent } from "../core/event.ts";
import { type Account, booked, NO_ACCOUNT } from "./account.ts";
import type { Statements } from "./statements.ts";

/**
 * What each run has spent and may spend. Spend is the sum of its calls; the sums are remembered, so that a long run
 * need not be added up for each of its calls. Contract: bookings are made in the transaction that keeps the events.
 */
export class Ledger {
  readonly #statements: Statements;
  /** Logs only grow: what is known of one is true as long as it has that length. */
  readonly #known = new Map<string, { readonly seq: number; readonly account: Account }>();

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  spend(rid: string, scope: Scope): Spend {
    return this.#spendOf(rid)[scope] ?? NOTHING_SPENT;
  }

  /** The account after these events, the next of the run. Throws `OverBudget`. */
  book(rid: string, events: readonly StoredEvent[], asFact: boolean): Account {
    const before = this.#accountAt(rid, (events[0]?.seq ?? 1) - 1);
    const after = events.reduce((account, event) => booked(account, event, asFact), before);
    if (after.ceilings !== before.ceilings) this.#keepCeilings(rid, after.ceilings);
    return after;
  }

  /** The transaction that booked it was committed. */
  know(rid: string, seq: number, account: Account): void {
    this.#known.set(rid, { seq, account });
  }

  forget(rid: string): void {
    this.#known.delete(rid);
  }

  #accountAt(rid: string, seq: number): Account {
    const known = this.#known.get(rid);
    if (known?.seq === seq) return known.account;
    return seq === 0 ? NO_ACCOUNT : { spend: this.#spendOf(rid), ceilings: this.#ceilingsOf(rid) };
  }

  #spendOf(rid: string): Account["spend"] {
    const spend: Partial<Record<Scope, Spend>> = {};
    for (const { role, step_id, ...sums } of this.#statements.all<SpendRow>(SPEND, rid)) {
      for (const scope of ["run", `role:${role}`, `step:${step_id}`] as const) {
        spend[scope] = addSpend(spend[scope] ?? NOTHING_SPENT, sums);
      }
    }
    return spend;
  }

  #ceilingsOf(rid: string): Account["ceilings"] {
    const rows = this.#statements.all<CeilingRow>("SELECT * FROM ceiling WHERE rid = ?", rid);
    return Object.fromEntries(rows.map((row) => [row.scope, budgetOf(row)]));
  }

  #keepCeilings(rid: string, ceilings: Account["ceilings"]): void {
    for (const [scope, budget = {}] of Object.entries(ceilings)) {
      this.#statements.run(SET_CEILING, rid, scope, budget.maxCostNanos ?? null, budget.maxTokens ?? null);
    }
  }
}

const SPEND = `SELECT role, step_id,
    sum(iif(state = 'reserved', 0, cost_nanos)) AS settledNanos,
    sum(iif(state = 'reserved', held_nanos, 0)) AS heldNanos,
    sum(CASE state WHEN 'settled' THEN fresh_input + cache_read + cache_write + output
      WHEN 'lost' THEN held_tokens ELSE 0 END) AS settledTokens,
    sum(iif(state = 'reserved', held_tokens, 0)) AS heldTokens
  FROM call WHERE rid = ? GROUP BY role, step_id`;

const SET_CEILING = `INSERT INTO ceiling (rid, scope, max_nanos, max_tokens) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET max_nanos = excluded.max_nanos, max_tokens = excluded.max_tokens`;

interface SpendRow extends Spend {
  readonly role: string;
  readonly step_id: string;
}

interface CeilingRow {
  readonly scope: Scope;
  readonly max_nanos: number | null;
  readonly max_tokens: number | null;
}

function budgetOf({ max_nanos, max_tokens }: CeilingRow): Budget {
  return {
    ...(max_nanos === null ? {} : { maxCostNanos: max_nanos }),
    ...(max_tokens === null ? {} : { maxTokens: max_tokens }),
  };
}
