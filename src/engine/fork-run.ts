import { CcpError, EXIT } from "../core/errors.ts";
import type { Event } from "../core/event.ts";
import type { Pipeline } from "../core/pipeline.ts";
import { type ReusePlan, stepsToDo } from "../core/reuse.ts";
import { type Run, stepState } from "../core/run.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { type ReuseQuestion, reusePlan, routesKept, withInputs } from "./reuse.ts";

/** What a new run takes over of another: facts for its beginning, right after `run.created`. */
export interface Inheritance {
  readonly plan: ReusePlan;
  readonly events: readonly Event[];
}

/**
 * What a new run on `pipeline` takes over of a run: the steps that are reused, their documents and checks, and the tree
 * that they have left. Its money is its own. Throws `CcpError`: `nothing_to_do` when all of it would be reused,
 * `tree_missing` when its files went with it.
 */
export function inheritance(parent: Run, pinned: Pipeline, question: Omit<ReuseQuestion, "sameRun">): Inheritance {
  const plan = reusePlan(parent, { ...question, sameRun: false });
  const toDo = stepsToDo(plan);
  const [first] = toDo;
  if (first === undefined) throw nothingToDo(parent.rid);
  const reused = question.pipeline.steps.filter(({ id }) => !toDo.includes(id));
  const tree = plan.tree ?? parent.tree;
  const routes = routesKept(parent, pinned, question.pipeline);
  if (reused.length === 0 || tree === null) return { plan, events: routes };
  if (parent.status === "discarded") throw filesAreGone(parent.rid);
  const ids = new Set(reused.map(({ id }) => id));
  const given = withInputs(parent, question.inputs);
  const events: readonly Event[] = [
    ...routes,
    ...checksOf(parent, ids),
    ...Object.values(parent.artifacts).filter(({ stepId }) => stepId !== null && ids.has(stepId)),
    ...reused.flatMap((step): Event[] => {
      const { conversation, outcome, origin, judgedTree } = stepState(parent, step.id);
      if (outcome?.status !== "succeeded" || !origin || judgedTree === null) return [];
      const fingerprint = fingerprintOf(question.pipeline, step, given);
      const savedNanos = parent.spend[`step:${step.id}`]?.settledNanos ?? 0;
      const from = stepState(parent, step.id).reusedFrom ?? parent.rid;
      const trees = { startTree: origin.tree, tree: judgedTree };
      return [{ type: "step.reused", stepId: step.id, from, conversation, outcome, ...trees, fingerprint, savedNanos }];
    }),
    { type: "run.rewound", to: first, steps: [], tree },
  ];
  return { plan, events: events.map(plain) };
}

/** What was green or red on the base, and what the reused steps were judged by. A check that a later try mended says nothing any more. */
function checksOf(parent: Run, ids: ReadonlySet<string>): readonly Event[] {
  return parent.commands.filter(({ purpose, stepId, end }) => {
    if (purpose === "baseline") return true;
    if (stepId === null || !ids.has(stepId)) return false;
    return purpose === "step" || end.exitCode === 0;
  });
}

/** Without the place and the instant that it had in the other run. */
function plain(event: Event): Event {
  const { seq: _, at: __, ...fact } = event as Event & { readonly seq?: number; readonly at?: number };
  return fact as Event;
}

function filesAreGone(rid: string): CcpError {
  return new CcpError(
    "tree_missing",
    EXIT.usage,
    `${rid} was discarded, and the files that its steps have left with it`,
    {
      hint: `nothing was started; from the beginning: ccp rerun ${rid}`,
    },
  );
}

function nothingToDo(rid: string): CcpError {
  return new CcpError("nothing_to_do", EXIT.usage, `every step of ${rid} would be reused: there is nothing to do`, {
    hint: `nothing was started; name the step to begin at: --from STEP   or go on from its result: ccp run --on ${rid} "…"`,
  });
}
