import type { Budget, Scope } from "../core/budget.ts";
import { CcpError, EXIT } from "../core/errors.ts";
import type { Event } from "../core/event.ts";
import { foldRun } from "../core/fold-run.ts";
import type { RoleName } from "../core/pipeline.ts";
import type { Repository } from "../core/ports.ts";
import type { Run } from "../core/run.ts";
import { raisedBudgets } from "./begin-run.ts";
import type { EngineDeps } from "./deps.ts";
import { pinnedPipeline } from "./drive.ts";
import { RunLog } from "./run-log.ts";

/** What a resume may change of a run. */
export interface ResumeChanges {
  /** New ceilings of the run; the roles' shares grow with it. Null: as it is. A resume by itself grants nothing. */
  readonly budget: Budget | null;
  readonly routes: Readonly<Partial<Record<RoleName, readonly string[]>>>;
}

/** Takes a run that has not succeeded for this process and puts that on record. Throws before anything is written if it cannot go on. */
export function resumeRun(
  rid: string,
  changes: ResumeChanges,
  deps: Pick<EngineDeps, "store" | "chance" | "repository" | "publish">,
): number {
  refuseFinal(foldRun(rid, deps.store.events(rid)), deps.repository);
  const epoch = deps.store.claim(rid);
  const log = new RunLog(rid, epoch, deps);
  try {
    refuseFinal(log.run, deps.repository);
  } catch (final) {
    deps.store.release(rid);
    throw final;
  }
  const raised = changes.budget ? Object.entries(raisedBudgets(pinnedPipeline(log), changes.budget)) : [];
  log.record(
    { type: "run.resumed", epoch },
    ...raised.map(([scope, budget]): Event => ({ type: "budget.raised", scope: scope as Scope, budget: budget ?? {} })),
    ...Object.entries(changes.routes).map(
      ([role, models]): Event => ({ type: "route.changed", role: role as RoleName, models: models ?? [] }),
    ),
  );
  return epoch;
}

/** What is final stays final: the messages say what goes on from it. */
function refuseFinal(run: Run, repository: Repository): void {
  const { rid } = run;
  if (run.status === "new")
    throw new CcpError("unknown_run", EXIT.usage, `there is no run ${rid} in this repository`, { hint: "ccp runs" });
  if (run.created && !repository.isOurs(run.created.repository)) {
    throw new CcpError("foreign_run", EXIT.usage, `${rid} belongs to ${run.created.repository}`, {
      hint: `cd ${run.created.repository} && ccp resume ${rid}`,
    });
  }
  if (run.status === "succeeded") {
    throw new CcpError("already_succeeded", EXIT.usage, `${rid} has already succeeded; there is nothing to resume`, {
      hint: `again: ccp rerun ${rid}   go on from its result: ccp run --on ${rid} "…"`,
    });
  }
  if (run.status === "discarded") {
    throw new CcpError("discarded", EXIT.usage, `${rid} was discarded; its worktree is gone`, {
      hint: `again: ccp rerun ${rid}`,
    });
  }
}
