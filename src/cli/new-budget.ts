import { type Budget, NOTHING_SPENT, usedNanos, usedTokens } from "../core/budget.ts";
import { CcpError, EXIT } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { budgetFrom, type PipelineFlags } from "./pipeline-flags.ts";

/** Null: the ceilings stay. A ceiling can be raised, not lowered under what is spent; `+1.00` adds to the old one. */
export function newBudget(run: Run, flags: Pick<PipelineFlags, "budget" | "tokens" | "minutes">): Budget | null {
  const now = run.budgets.run ?? {};
  const given = budgetFrom({
    ...(flags.budget === undefined ? {} : { budget: flags.budget.replace(/^\+/, "") }),
    ...(flags.tokens === undefined ? {} : { tokens: flags.tokens.replace(/^\+/, "") }),
    ...(flags.minutes === undefined ? {} : { minutes: flags.minutes.replace(/^\+/, "") }),
  });
  if (Object.keys(given).length === 0) return null;
  const spent = run.spend.run ?? NOTHING_SPENT;
  return {
    ...now,
    ...ceiling("maxCostNanos", given, now, flags.budget, usedNanos(spent)),
    ...ceiling("maxTokens", given, now, flags.tokens, usedTokens(spent)),
    ...ceiling("maxDurationMs", given, now, flags.minutes, run.activeMs),
  };
}

/** One ceiling of the new budget; nothing where its flag was not given. `flag`: what was given, `+` and all. */
function ceiling(
  unit: keyof Budget,
  given: Budget,
  now: Budget,
  flag: string | undefined,
  used: number,
): Partial<Record<keyof Budget, number>> {
  const amount = given[unit];
  if (amount === undefined) return {};
  const isMore = flag?.startsWith("+") === true;
  if (isMore && now[unit] === undefined)
    throw refusal(`there is no ceiling to add ${flag} to`, "give a ceiling without the +, or none");
  const raised = isMore ? amount + (now[unit] ?? 0) : amount;
  if (raised < used) throw refusal("the new ceiling is below what the run has used", "add to the old one with a +");
  return { [unit]: raised };
}

function refusal(message: string, advice: string): CcpError {
  return new CcpError("usage", EXIT.usage, message, { hint: `nothing was started; ${advice}` });
}
