import { addSpend, type Budget, NOTHING_SPENT, type Scope, type Spend, usedNanos, usedTokens } from "../core/budget.ts";
import type { Event } from "../core/event.ts";
import { ledgerEntry } from "../core/ledger.ts";

/** What a run has spent and what it may spend, by scope. A scope that is missing has spent nothing, or has no ceiling. */
export interface Account {
  readonly spend: Readonly<Partial<Record<Scope, Spend>>>;
  readonly ceilings: Readonly<Partial<Record<Scope, Budget>>>;
}

/** Of a run without any event. */
export const NO_ACCOUNT: Account = { spend: {}, ceilings: {} };

/** A reservation that does not fit rolls its whole transaction back. */
export class OverBudget extends Error {
  readonly scope: Scope;
  constructor(scope: Scope) {
    super(`over budget: ${scope}`);
    this.scope = scope;
  }
}

/** The account after an event. `asFact`: it happened elsewhere, and is booked whether it fits or not. Throws `OverBudget`. */
export function booked(account: Account, event: Event, asFact: boolean): Account {
  if (event.type === "run.created") return { ...account, ceilings: event.budgets };
  if (event.type === "budget.raised") {
    return { ...account, ceilings: { ...account.ceilings, [event.scope]: event.budget } };
  }
  const entry = ledgerEntry(event);
  if (!entry) return account;
  const changed = entry.scopes.map(
    (scope) => [scope, addSpend(account.spend[scope] ?? NOTHING_SPENT, entry.change)] as const,
  );
  const full = changed.find(([scope, spend]) => !fits(spend, account.ceilings[scope] ?? {}));
  if (full && entry.mustFit && !asFact) throw new OverBudget(full[0]);
  return { ...account, spend: { ...account.spend, ...Object.fromEntries(changed) } };
}

function fits(
  spend: Spend,
  { maxCostNanos = Number.POSITIVE_INFINITY, maxTokens = Number.POSITIVE_INFINITY }: Budget,
): boolean {
  return usedNanos(spend) <= maxCostNanos && usedTokens(spend) <= maxTokens;
}
