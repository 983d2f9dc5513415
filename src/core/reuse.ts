import type { Fingerprint, TreeHash } from "./event.ts";
import { changesTree, type Pipeline, type Step, withDownstream } from "./pipeline.ts";
import { type Run, stepState } from "./run.ts";
import { stepEntries } from "./step-table.ts";

/** What becomes of one step when a pipeline is gone through with what a run has already done. */
export interface StepPlan {
  readonly stepId: string;
  /**
   * `reuse`: what it handed over stands. `go-on`: it was begun, and goes on where it was or gets fresh tries. `re-run`:
   * it had succeeded and is done again. `run`: it is done from its beginning.
   */
  readonly decision: "reuse" | "go-on" | "re-run" | "run";
  /** For people: on what grounds. */
  readonly why: string;
  /** What it has cost so far, all its tries: saved where it is reused. */
  readonly costNanos: number;
}

/** A way through a pipeline that keeps what may be kept of a run. */
export interface ReusePlan {
  /** In the pipeline's order. */
  readonly steps: readonly StepPlan[];
  /** The tree that what is to be done starts from; null: the files stay as they are. */
  readonly tree: TreeHash | null;
}

/** What a reuse is decided from. */
export interface ReuseRequest {
  /** The plan that is to be followed: the run's own, or an edited one. */
  readonly pipeline: Pipeline;
  readonly run: Run;
  /** What each step of it would be given now, by id. */
  readonly fingerprints: Readonly<Record<string, Fingerprint>>;
  /** This step is done again, whatever its fingerprint; null: none is named. */
  readonly from: string | null;
  /** False: another run takes over what is reused, so a step that was begun is begun again. */
  readonly sameRun: boolean;
}

/**
 * Decides which steps are reused: those that have succeeded, are given the same things as then, and build on nothing
 * that is done again, neither on what it hands over nor on the files that it leaves.
 */
export function planReuse(request: ReuseRequest): ReusePlan {
  const plans = new Map<string, Omit<StepPlan, "stepId" | "costNanos">>();
  for (const step of request.pipeline.steps) plans.set(step.id, decide(step, request, plans));
  const first = firstUndone(request, plans);
  if (first) for (const id of overtaken(request, first.seq)) plans.set(id, redone(request, id, plans, first.stepId));
  return {
    steps: request.pipeline.steps.map(({ id }) => ({
      stepId: id,
      decision: "run",
      why: "",
      ...plans.get(id),
      costNanos: request.run.spend[`step:${id}`]?.settledNanos ?? 0,
    })),
    tree: first?.tree ?? null,
  };
}

/** Steps that are done from their beginning, in order: all that a rewind has to take back. */
export function stepsToDo(plan: ReusePlan): readonly string[] {
  return plan.steps.filter(({ decision }) => decision === "re-run" || decision === "run").map(({ stepId }) => stepId);
}

/** What reusing saves, in nano-dollars. */
export function savedNanos(plan: ReusePlan): number {
  return plan.steps.reduce((sum, step) => sum + (step.decision === "reuse" ? step.costNanos : 0), 0);
}

type Decision = Omit<StepPlan, "stepId" | "costNanos">;
type Decisions = ReadonlyMap<string, Decision>;

function decide(step: Step, { run, fingerprints, from, sameRun }: ReuseRequest, plans: Decisions): Decision {
  const state = stepState(run, step.id);
  const again = state.status === "succeeded" ? "re-run" : "run";
  if (step.id === from) return { decision: again, why: "you asked for it" };
  const upstream = step.needs.find((need) => isFromTheBeginning(plans.get(need)));
  if (state.origin === null) return { decision: "run", why: "it has not been done yet" };
  if (upstream !== undefined) return { decision: again, why: `step "${upstream}" before it is done first` };
  const difference = differenceOf(state.fingerprint, fingerprints[step.id] ?? null);
  if (difference !== null) return { decision: again, why: difference };
  if (state.status === "succeeded") return { decision: "reuse", why: "it is given the same things as then" };
  if (!sameRun) return { decision: "run", why: "it has not succeeded" };
  return state.status === "interrupted" || state.status === "running"
    ? { decision: "go-on", why: "it was under way" }
    : { decision: "go-on", why: "it has not succeeded, and gets fresh tries" };
}

function isFromTheBeginning(decision: Decision | undefined): boolean {
  return decision?.decision === "re-run" || decision?.decision === "run";
}

/** Null: it is given the same things as then. */
function differenceOf(then: Fingerprint | null, now: Fingerprint | null): string | null {
  if (then === null || now === null) return "what it was given then is not on record";
  if (then.own !== now.own) return "its definition or its role has changed";
  if (then.inputs !== now.inputs) return "the task or an input of it has changed";
  return then.upstream === now.upstream ? null : "what the steps before it hand over has changed";
}

interface Origin {
  readonly stepId: string;
  readonly tree: TreeHash;
  readonly seq: number;
}

/** Of the steps whose changes to the files have to be taken back the one that was begun first; null: none. */
function firstUndone({ pipeline, run }: ReuseRequest, plans: Decisions): Origin | null {
  const isUndone = (stepId: string) => {
    const step = pipeline.steps.find(({ id }) => id === stepId);
    if (step) return isFromTheBeginning(plans.get(stepId)) && changesTree(pipeline, step);
    // No longer in the pipeline: what it did to the files is not wanted either.
    const { origin, judgedTree } = stepState(run, stepId);
    return judgedTree === null || origin?.tree !== judgedTree;
  };
  const undone = stepEntries(run.steps).flatMap(([stepId, { origin }]): Origin[] =>
    origin !== null && isUndone(stepId) ? [{ stepId, ...origin }] : [],
  );
  return undone.reduce<Origin | null>((first, origin) => (first && first.seq < origin.seq ? first : origin), null);
}

/** Steps that were begun later, and so worked on files that are taken back; and all that comes after them. */
function overtaken({ pipeline, run }: ReuseRequest, since: number): readonly string[] {
  const late = pipeline.steps.filter(({ id }) => (stepState(run, id).origin?.seq ?? 0) > since);
  return [...new Set(late.flatMap(({ id }) => withDownstream(pipeline, id)))];
}

function redone({ run }: ReuseRequest, stepId: string, plans: Decisions, first: string): Decision {
  const decision = plans.get(stepId);
  if (decision && isFromTheBeginning(decision)) return decision;
  const { status } = stepState(run, stepId);
  const why = `it worked on files that step "${first}" had left and that are taken back`;
  return { decision: status === "succeeded" ? "re-run" : "run", why };
}
