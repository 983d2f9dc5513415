import type { Command } from "commander";
import { CcpError, EXIT } from "../core/errors.ts";
import { foldRun } from "../core/fold-run.ts";
import type { CommandContext } from "./command-context.ts";
import { selectRun } from "./select-run.ts";
import { startRun } from "./start-run.ts";
import { type UiFlags, uiOptions } from "./ui-flags.ts";

/** Adds `ccp rerun`. */
export function registerRerun(program: Command, context: CommandContext): void {
  const command = program
    .command("rerun")
    .description("a new run of the same task, pipeline, inputs and base as another")
    .argument("[rid]", "the run (default: the newest)");
  uiOptions(command).action(async (given: string | undefined, flags: UiFlags) => {
    const wiring = context.wiring();
    const rid = await selectRun(given, wiring);
    const store = await wiring.store();
    const { created } = foldRun(rid, store.events(rid));
    if (!created)
      throw new CcpError("unknown_run", EXIT.usage, `${rid} has no beginning on record`, { hint: "ccp runs" });
    const pipeline = (await wiring.engine({})).pinnedPipeline(rid);
    const task = new TextDecoder().decode(store.blob(created.task));
    const { inputs, base } = created;
    context.exit(await startRun({ pipeline, inputs, task, base, parent: rid }, flags, wiring, context));
  });
}
