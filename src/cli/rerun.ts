import type { Command } from "commander";
import { CcpError, EXIT } from "../core/errors.ts";
import { foldRun } from "../core/run.ts";
import type { CommandContext } from "./command-context.ts";
import { driveRun, type UiFlags } from "./drive-run.ts";
import { pinnedPipeline } from "./pinned-pipeline.ts";
import { preflight } from "./preflight.ts";
import { uiOptions } from "./run.ts";
import { selectRun } from "./select-run.ts";

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
    const pipeline = await pinnedPipeline(rid, wiring);
    const task = new TextDecoder().decode(store.blob(created.task));
    await preflight(pipeline, task, wiring);
    const spec = {
      pipeline,
      inputs: created.inputs,
      task,
      base: created.base,
      resultsDir: (await wiring.results()).dir,
      ccpVersion: wiring.config.version,
      parent: rid,
    };
    context.exit(await driveRun({ kind: "new", spec }, flags, wiring, context));
  });
}
