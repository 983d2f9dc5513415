import { CcpError, EXIT } from "../core/errors.ts";
import type { ReusePlan } from "../core/reuse.ts";
import { stepState } from "../core/run.ts";
import type { EngineDeps } from "./deps.ts";
import { pinnedPlan } from "./drive.ts";
import { refuseFinal } from "./resume-run.ts";
import { reusePlan, rewinding } from "./reuse.ts";
import { RunLog } from "./run-log.ts";

/**
 * Takes a run that nobody drives back to before a step was first begun: it and all that builds on it, or on files that
 * it changed, is done again when the run is resumed. The files are put back then; what that undoes is kept as a patch.
 */
export function rewindRun(
  rid: string,
  stepId: string,
  deps: Pick<EngineDeps, "store" | "chance" | "repository">,
): ReusePlan {
  const epoch = deps.store.claim(rid);
  try {
    const log = new RunLog(rid, epoch, { ...deps, publish: () => undefined });
    refuseFinal(log.run, deps.repository);
    const plan = reusePlan(log.run, { ...pinnedPlan(log), from: stepId, sameRun: true });
    if (stepState(log.run, stepId).origin === null) throw notBegun(rid, stepId);
    log.record(...rewinding(log.run, plan));
    log.keepFolded();
    return plan;
  } finally {
    deps.store.release(rid);
  }
}

function notBegun(rid: string, stepId: string): CcpError {
  return new CcpError("usage", EXIT.usage, `step "${stepId}" of ${rid} has not been begun yet`, {
    hint: `nothing was changed; go on: ccp resume ${rid}`,
  });
}
