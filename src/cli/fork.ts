import type { Command } from "commander";
import type { Event } from "../core/event.ts";
import { type Override, overridden } from "../core/override.ts";
import { ROLE_NAMES } from "../core/pipeline.ts";
import type { Run } from "../core/run.ts";
import type { CommandContext } from "./command-context.ts";
import { editedPipeline } from "./edited-pipeline.ts";
import { budgetFrom, modelsFrom, type PipelineFlags, planOptions } from "./pipeline-flags.ts";
import { openRun } from "./select-run.ts";
import { startFrom } from "./start-from.ts";
import { type UiFlags, uiOptions } from "./ui-flags.ts";

interface ForkFlags extends UiFlags, Omit<PipelineFlags, "input"> {
  readonly from?: string;
}

/** Adds `ccp fork`. */
export function registerFork(program: Command, context: CommandContext): void {
  const command = program
    .command("fork")
    .description("a new run that takes over what another has done, and goes on in a way of its own")
    .argument("[rid]", "the run (default: the newest)")
    .option("--from <step>", "begin at this step (default: the first that has not succeeded)");
  planOptions(command);
  uiOptions(command).action(async (given: string | undefined, flags: ForkFlags) => {
    const wiring = context.wiring();
    const { rid, run } = await openRun(given, wiring);
    const engine = await wiring.engine({});
    const models = modelsFrom(flags, wiring.config.cwd);
    const named = (await editedPipeline(run, flags, wiring)) ?? engine.pinnedPlan(rid);
    const plan = { ...named, pipeline: overridden(named.pipeline, { models, budget: budgetFrom(flags) }) };
    const inherited = [...engine.inheritance(rid, plan, flags.from ?? null).events, ...namedAgain(models, run)];
    context.exit(await startFrom(run, { ...plan, inherited }, flags, wiring, context));
  });
}

/** A model that is named goes before one that somebody had given the other run meanwhile. */
function namedAgain(models: Override["models"], { routes }: Run): readonly Event[] {
  return ROLE_NAMES.flatMap((role): Event[] => {
    const named = models[role];
    return named && routes[role] ? [{ type: "route.changed", role, models: named }] : [];
  });
}
