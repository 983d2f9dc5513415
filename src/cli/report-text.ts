import { join } from "node:path";
import type { Run } from "../core/run.ts";
import { stepEntries } from "../core/step-table.ts";
import type { Wiring } from "../wire/wire.ts";
import type { CommandContext } from "./command-context.ts";
import { wantsColor } from "./config.ts";
import { nextCommands } from "./next-commands.ts";

/** How a run stands or ended, for people. */
export async function reportText(run: Run, wiring: Wiring, context: CommandContext): Promise<string> {
  const { stdout, environment } = context.surroundings;
  const ui = await wiring.ui();
  const store = await wiring.store();
  const folder = (await wiring.results()).pathOf(run.rid);
  return ui.renderReport(run, (await wiring.engine({})).pinnedPipeline(run.rid), {
    events: store.events(run.rid),
    artifacts: Object.keys(run.artifacts).map((name) => join(folder, name)),
    next: nextCommands(run),
    diffStat: await diffStat(run, wiring),
    color: wantsColor(stdout, environment),
    width: stdout.isTTY ? stdout.columns : undefined,
  });
}

async function diffStat(run: Run, wiring: Wiring) {
  if (!run.created || !run.workspace || run.tree === null || run.status === "discarded") return null;
  if (stepEntries(run.steps).every(([, step]) => step.conversation === 0)) return null;
  const workspace = (await wiring.repository()).openWorkspace(run.rid, run.workspace.path);
  return workspace.diffStat(run.created.base.tree, run.tree);
}
