import { NOTHING_SPENT, type Scope, usedNanos, usedTokens } from "../core/budget.ts";
import type { EventOf } from "../core/event.ts";
import { formatUsd } from "../core/money.ts";
import type { Run } from "../core/run.ts";
import { formatBudget, formatTokens } from "./format.ts";
import { type Line, line } from "./line.ts";

/** Lines about ceilings. */
export function budgetLine(event: EventOf<"budget.raised" | "budget.warned">, run: Run): Line {
  if (event.type === "budget.raised")
    return line("note", `budget of ${scopeName(event.scope)} is now ${formatBudget(event.budget)}`);
  const { scope, percent } = event;
  // What the user's other runs have spent is not in this one: only the share is known here.
  if (scope === "day") return line("warning", `! ${percent}% of today's ceiling for all runs is used or held`);
  if (scope === "week") return line("warning", `! ${percent}% of this week's ceiling for all runs is used or held`);
  return line("warning", `! ${percent}% of the budget of ${scopeName(scope)} is used or held: ${usedText(scope, run)}`);
}

function usedText(scope: Scope, run: Run): string {
  const budget = run.budgets[scope];
  const spend = run.spend[scope] ?? NOTHING_SPENT;
  const used = [
    budget?.maxCostNanos === undefined ? null : `${formatUsd(usedNanos(spend))} of ${formatUsd(budget.maxCostNanos)}`,
    budget?.maxTokens === undefined
      ? null
      : `${formatTokens(usedTokens(spend))} of ${formatTokens(budget.maxTokens)} tokens`,
  ];
  return used.filter((part) => part !== null).join(", ");
}

function scopeName(scope: Scope): string {
  return scope === "run" ? "the run" : scope.replace(":", " ");
}
