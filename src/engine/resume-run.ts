import type { Budget, Scope } from "../core/budget.ts";
import { activeSandbox } from "../core/confinement.ts";
import { CcpError, EXIT } from "../core/errors.ts";
import type { Event, EventOf } from "../core/event.ts";
import { canonicalJson } from "../core/json.ts";
import { raisedBudgets } from "../core/override.ts";
import type { Pipeline, RoleName } from "../core/pipeline.ts";
import type { PolicyInForce } from "../core/policy.ts";
import { permittedBudget, permittedSandbox } from "../core/policy-limits.ts";
import type { Repository } from "../core/ports.ts";
import { readRun } from "../core/read-run.ts";
import { openQuestion, type Run } from "../core/run.ts";
import type { EngineDeps } from "./deps.ts";
import { pinnedPipeline } from "./drive.ts";
import { onRecord } from "./policy.ts";
import { type Plan, reusePlan, rewinding, routesKept } from "./reuse.ts";
import { RunLog, sha256 } from "./run-log.ts";

/** What a resume may change of a run. */
export interface ResumeChanges {
  /** New ceilings of the run; the roles' shares grow with it. Null: as it is. A resume by itself grants nothing. */
  readonly budget: Budget | null;
  readonly routes: Readonly<Partial<Record<RoleName, readonly string[]>>>;
  /** The plan to follow from here on; null: as it is. Steps that it leaves unchanged are reused, the others are taken back. */
  readonly pipeline: Plan | null;
  /** What a person has decided over the call that waits for it; missing: nothing. */
  readonly decision?: Decision;
}

/** A person's answer to the question that has waited longest. `run`: it holds for the same call whenever it is made again. */
export interface Decision {
  readonly effect: "allow" | "deny";
  readonly scope: "call" | "run";
}

/** Takes a run that has not succeeded for this process and puts that on record. Throws before anything is written if it cannot go on. */
export function resumeRun(
  rid: string,
  changes: ResumeChanges,
  deps: Pick<EngineDeps, "store" | "chance" | "repository" | "publish" | "sandbox" | "policy">,
): number {
  refuseFinal(readRun(rid, deps.store), deps.repository);
  const epoch = deps.store.claim(rid);
  const log = new RunLog(rid, epoch, deps);
  try {
    refuseFinal(log.run, deps.repository);
  } catch (final) {
    deps.store.release(rid);
    throw final;
  }
  const question = openQuestion(log.run);
  const replanned = changes.pipeline ? newPlan(log, changes.pipeline) : [];
  const policy = deps.policy.now();
  const raised = changes.budget ? Object.entries(raisedBudgets(pinnedPipeline(log), changes.budget)) : [];
  log.record(
    {
      type: "run.resumed",
      epoch,
      ...changedSandbox(log, changes.pipeline?.pipeline ?? pinnedPipeline(log), deps),
      ...changedPolicy(log, policy),
    },
    ...(changes.decision && question ? [decisionOver(question, changes.decision)] : []),
    ...replanned,
    ...raised.map(([scope, budget]): Event => {
      const permitted = permittedBudget(policy, scope as Scope, budget ?? {});
      return { type: "budget.raised", scope: scope as Scope, budget: permitted };
    }),
    ...Object.entries(changes.routes).map(
      ([role, models]): Event => ({ type: "route.changed", role: role as RoleName, models: models ?? [] }),
    ),
  );
  return epoch;
}

function decisionOver({ stepId, toolCallId }: EventOf<"permission.asked">, decision: Decision): Event {
  return { type: "permission.decided", stepId, toolCallId, ...decision };
}

/** A run may go on on another machine, or on one that can do more or less than it could. */
function changedSandbox({ run }: RunLog, { sandbox }: Pipeline, deps: Pick<EngineDeps, "sandbox" | "policy">) {
  const active = activeSandbox(permittedSandbox(deps.policy.now(), sandbox), deps.sandbox());
  return active === run.sandbox ? {} : { sandbox: active };
}

/** The policy that holds now is the one that counts, whatever the run began under. */
function changedPolicy(log: RunLog, policy: PolicyInForce) {
  if (log.run.policy === null && policy.packs.length === 0) return {};
  const now = onRecord({ bytes: (bytes) => log.bytes(bytes) }, policy);
  return now.rules.sha256 === log.run.policy?.rules.sha256 ? {} : { policy: now };
}

/** Nothing where the plan is the one that the run follows already. Ceilings stay: a resume grants nothing. */
function newPlan(log: RunLog, { pipeline, inputs }: Plan): readonly Event[] {
  const text = canonicalJson(pipeline);
  if (sha256(text) === log.run.pipeline?.sha256) return [];
  const changed: Event = {
    type: "pipeline.changed",
    pipeline: log.bytes(new TextEncoder().encode(text)),
    pipelineName: pipeline.name,
    inputs,
  };
  const plan = reusePlan(log.run, { pipeline, inputs, from: null, sameRun: true });
  return [changed, ...routesKept(log.run, pinnedPipeline(log), pipeline), ...rewinding(log.run, plan)];
}

/** What is final stays final: the messages say what goes on from it. */
export function refuseFinal(run: Run, repository: Repository): void {
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
