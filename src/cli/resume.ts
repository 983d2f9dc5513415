import type { Command } from "commander";
import type { Budget } from "../core/budget.ts";
import { CcpError, EXIT } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { collect } from "./collect.ts";
import type { CommandContext } from "./command-context.ts";
import { driveRun, type UiFlags } from "./drive-run.ts";
import { budgetFrom, modelsFrom, type PipelineFlags } from "./load-pipeline.ts";
import { pinnedPipeline } from "./pinned-pipeline.ts";
import { preflightResume } from "./preflight.ts";
import { uiOptions } from "./run.ts";
import { openRun } from "./select-run.ts";

interface ResumeFlags extends UiFlags, Pick<PipelineFlags, "budget" | "tokens" | "minutes" | "model" | "transcript"> {}

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
    const pipeline = await pinnedPipeline(rid, wiring);
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
  const grown = (value: number | undefined, old: number | undefined, flag: string | undefined) =>
    value !== undefined && flag?.startsWith("+") ? value + (old ?? 0) : value;
  const maxCostNanos = grown(given.maxCostNanos, now.maxCostNanos, flags.budget) ?? now.maxCostNanos;
  const maxTokens = grown(given.maxTokens, now.maxTokens, flags.tokens) ?? now.maxTokens;
  const maxDurationMs = grown(given.maxDurationMs, now.maxDurationMs, flags.minutes) ?? now.maxDurationMs;
  const spent = run.spend.run;
  if (spent && maxCostNanos !== undefined && maxCostNanos < spent.settledNanos + spent.heldNanos) {
    throw new CcpError("usage", EXIT.usage, "the new ceiling is below what the run has spent", {
      hint: `see it: ccp view ${run.rid}`,
    });
  }
  return {
    ...(maxCostNanos === undefined ? {} : { maxCostNanos }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(maxDurationMs === undefined ? {} : { maxDurationMs }),
  };
}
