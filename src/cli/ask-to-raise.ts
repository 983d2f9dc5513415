import type { Budget } from "../core/budget.ts";
import type { Run } from "../core/run.ts";
import type { CommandContext } from "./command-context.ts";
import { newBudget } from "./new-budget.ts";

/** The flag with which a run whose ceiling is reached goes on, as its end names it: `--budget +1.00`. */
const RAISE = /--(budget|tokens|minutes) \+([\d.]+)/;

/**
 * Asks the person at the terminal to raise the ceiling that a run has come to. Null: no, or nobody is there to ask. Without a
 * person there is never more money.
 */
export async function askToRaise(run: Run, { surroundings }: CommandContext): Promise<Budget | null> {
  const [, unit, amount] = RAISE.exec(run.end?.hint ?? "") ?? [];
  if (run.status !== "budget_reached" || unit === undefined || amount === undefined) return null;
  const more = unit === "budget" ? `$${amount}` : `${amount} ${unit}`;
  const question = `${run.end?.reason ?? "a ceiling is reached"}.\nGive it ${more} more and go on? [y/N] `;
  const answer = await surroundings.ask(question);
  return /^\s*y(es)?\s*$/i.test(answer ?? "") ? newBudget(run, { [unit]: `+${amount}` }) : null;
}
