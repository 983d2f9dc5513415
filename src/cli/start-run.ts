import type { RunSpec, Wiring } from "../wire/wire.ts";
import type { CommandContext } from "./command-context.ts";
import { driveRun } from "./drive-run.ts";
import { preflight } from "./preflight.ts";
import type { UiFlags } from "./ui-flags.ts";

/** Begins a new run, once nothing that can be known beforehand would stop it, and drives it to its end. */
export async function startRun(
  work: Omit<RunSpec, "resultsDir" | "ccpVersion">,
  flags: UiFlags,
  wiring: Wiring,
  context: CommandContext,
): Promise<number> {
  await preflight(work.pipeline, work.task, wiring);
  const resultsDir = (await wiring.results()).dir;
  const spec = { ...work, resultsDir, ccpVersion: wiring.config.version };
  return driveRun({ kind: "new", spec }, flags, wiring, context);
}
