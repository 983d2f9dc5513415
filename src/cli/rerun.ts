import type { Command } from "commander";
import type { CommandContext } from "./command-context.ts";
import { openRun } from "./select-run.ts";
import { startFrom } from "./start-from.ts";
import { type UiFlags, uiOptions } from "./ui-flags.ts";

interface RerunFlags extends UiFlags {
  readonly from?: string;
}

/** Adds `ccp rerun`. */
export function registerRerun(program: Command, context: CommandContext): void {
  const command = program
    .command("rerun")
    .description("a new run of the same task, pipeline, inputs and base as another")
    .argument("[rid]", "the run (default: the newest)")
    .option("--from <step>", "reuse what comes before this step");
  uiOptions(command).action(async (given: string | undefined, flags: RerunFlags) => {
    const wiring = context.wiring();
    const { rid, run } = await openRun(given, wiring);
    const engine = await wiring.engine({});
    const plan = engine.pinnedPlan(rid);
    const inherited = flags.from === undefined ? [] : engine.inheritance(rid, plan, flags.from).events;
    context.exit(await startFrom(run, { ...plan, inherited }, flags, wiring, context));
  });
}
