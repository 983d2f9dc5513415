import { underPolicy } from "../core/policy-limits.ts";
import type { RunSpec, Wiring } from "../wire/wire.ts";
import type { CommandContext } from "./command-context.ts";
import { driveRun } from "./drive-run.ts";
import { budgetFrom } from "./pipeline-flags.ts";
import { preflight } from "./preflight.ts";
import type { UiFlags } from "./ui-flags.ts";
import { policyNotices, refuseBudget } from "./under-policy.ts";

/** Begins a new run, once nothing that can be known beforehand would stop it, and drives it to its end. */
export async function startRun(
  work: Omit<RunSpec, "resultsDir" | "ccpVersion">,
  flags: UiFlags & Parameters<typeof budgetFrom>[0],
  wiring: Wiring,
  context: CommandContext,
): Promise<number> {
  const policy = (await wiring.policies(work.base.commit)).now();
  for (const notice of policyNotices(work.pipeline, policy)) await notify(notice, wiring, context);
  refuseBudget(budgetFrom(flags), policy);
  const pipeline = underPolicy(work.pipeline, policy);
  await preflight({ ...work, pipeline, policy }, wiring);
  const resultsDir = (await wiring.results()).dir;
  const spec = { ...work, pipeline, resultsDir, ccpVersion: wiring.config.version };
  return driveRun({ kind: "new", spec }, flags, wiring, context);
}

/** What a policy takes is said before anything is started. */
async function notify(notice: string, wiring: Wiring, { surroundings }: CommandContext): Promise<void> {
  surroundings.stderr.write(`policy: ${(await wiring.ui()).oneLine(notice)}\n`);
}
