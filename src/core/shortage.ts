import { headroomOf, NOTHING_SPENT, type Scope, usedNanos, usedTokens } from "./budget.ts";
import { NANOS_PER_USD } from "./money.ts";
import { raisedBudgets } from "./override.ts";
import type { Pipeline } from "./pipeline.ts";
import { type Run, totalSpend } from "./run.ts";

/** What a call has found no room for: so much of a unit, in the run and in its role's share. */
export interface Shortage {
  readonly unit: "money" | "tokens";
  /** Nano-dollars or tokens. */
  readonly needed: number;
  readonly role: string;
}

/** No raise is smaller: who goes on wants to get somewhere. */
const LEAST_RAISE_NANOS = NANOS_PER_USD;
const CENT_NANOS = NANOS_PER_USD / 100;

/** The flag of `ccp resume` that makes room for the call, in the run's ceiling and in its role's share of it: `--budget +1.00`. */
export function raiseFor(run: Run, pipeline: Pipeline, shortage: Shortage): string {
  const isMoney = shortage.unit === "money";
  const ceiling = run.budgets.run?.[isMoney ? "maxCostNanos" : "maxTokens"];
  const spend = totalSpend(run);
  const from = ceiling ?? (isMoney ? usedNanos(spend) : usedTokens(spend));
  const more = leastRaise((raise) => isEnough(run, pipeline, shortage, from + raise), shortage.needed);
  if (!isMoney) {
    const raise = Math.ceil(Math.max(more, ceiling ?? 0) / 1_000) * 1_000;
    return ceiling === undefined ? `--tokens ${from + raise}` : `--tokens +${raise}`;
  }
  const raise = Math.ceil(Math.max(more, LEAST_RAISE_NANOS) / CENT_NANOS) * CENT_NANOS;
  const usd = (nanos: number) => (Math.ceil(nanos / CENT_NANOS) / 100).toFixed(2);
  return ceiling === undefined ? `--budget ${usd(from + raise)}` : `--budget +${usd(raise)}`;
}

function isEnough(run: Run, pipeline: Pipeline, { unit, needed, role }: Shortage, ceiling: number): boolean {
  const field = unit === "money" ? "maxCostNanos" : "maxTokens";
  const budgets = raisedBudgets(pipeline, { ...run.budgets.run, [field]: ceiling });
  const scopes: readonly Scope[] = ["run", `role:${role}`];
  return scopes.every((scope) => {
    const { nanos, tokens } = headroomOf(budgets[scope] ?? {}, run.spend[scope] ?? NOTHING_SPENT);
    const left = unit === "money" ? nanos : tokens;
    return left === null || left >= needed;
  });
}

/** The smallest raise that is enough, to a hundredth of it; where none is (a ceiling of a single step), `first`. */
function leastRaise(isEnoughWith: (raise: number) => boolean, first: number): number {
  let high = Math.max(1, first);
  for (let doublings = 0; !isEnoughWith(high); doublings++) {
    if (doublings === 40) return first;
    high *= 2;
  }
  let low = 0;
  while (high - low > high / 100 + 1) {
    const middle = Math.floor((low + high) / 2);
    if (isEnoughWith(middle)) high = middle;
    else low = middle;
  }
  return high;
}
