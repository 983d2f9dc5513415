import type { Command } from "commander";
import { type Budget, NOTHING_SPENT, usedNanos, usedTokens } from "../core/budget.ts";
import { CcpError, EXIT } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { collect } from "./collect.ts";
import type { CommandContext } from "./command-context.ts";
import { driveRun } from "./drive-run.ts";
import { budgetFrom, modelsFrom, type PipelineFlags } from "./pipeline-flags.ts";
import { preflightResume } from "./preflight.ts";
import { openRun } from "./select-run.ts";
import { type UiFlags, uiOptions } from "./ui-flags.ts";

interface ResumeFlags extends UiFlags, Pick<PipelineFlags, "budget" | "tokens" | "minutes" | "model"> {}

/** Adds `ccp resume`. */
export function registerResume(program: Command, context: CommandContext): void {
  const command = program
    .command("resume")
    .description("go on with a run that failed, paused, crashed or ran out of budget, where it was")
    .argument("[rid]", "the run (default: the newest)")
    .option("--budget <usd>", "new ceiling in US dollars; +1.00 adds to the old one")
    .option("--tokens <n>", "new ceiling in tokens; +n adds")
    .option("--minutes <n>", "new ceiling of the run's time; +n adds")
    .option("--model <role=model>", "change a role's model from the next call on; may be repeated", collect);
  uiOptions(command).action(async (given: string | undefined, flags: ResumeFlags) => {
    const { rid, run, wiring } = await openRun(given, context.wiring());
    const changes = { budget: newBudget(run, flags), routes: modelsFrom(flags, wiring.config.cwd) };
    const pipeline = (await wiring.engine({})).pinnedPipeline(rid);
    if (!isFinal(run)) await preflightResume(run, pipeline, changes.routes, wiring);
    context.exit(await driveRun({ kind: "resume", rid, changes, pipeline }, flags, wiring, context));
  });
}

/** Such a run is refused in better words than those of its missing keys. */
function isFinal(run: Run): boolean {
  return run.status === "succeeded" || run.status === "discarded";
}

/** Null: the ceilings stay. A ceiling can be raised, not lowered under what is spent. */
function newBudget(run: Run, flags: ResumeFlags): Budget | null {
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
