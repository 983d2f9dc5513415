import { CcpError, EXIT } from "../core/errors.ts";
import type { Event } from "../core/event.ts";
import { canonicalJson } from "../core/json.ts";
import type { InputValue, Pipeline, RoleName } from "../core/pipeline.ts";
import { planReuse, type ReusePlan, stepsToDo } from "../core/reuse.ts";
import { type Run, stepState } from "../core/run.ts";
import { stepEntries } from "../core/step-table.ts";
import { didYouMean } from "../core/suggest.ts";
import { fingerprintsOf } from "./fingerprint.ts";

/** A plan to be followed, and the values of its inputs. */
export interface Plan {
  readonly pipeline: Pipeline;
  readonly inputs: Readonly<Record<string, InputValue>>;
}

/** What is asked of a run's past. */
export interface ReuseQuestion extends Plan {
  /** This step is done again, whatever has changed; null: none is named. Throws `CcpError("usage")` where there is no such step. */
  readonly from: string | null;
  /** False: another run takes over what is reused. */
  readonly sameRun: boolean;
}

/** Which steps of a pipeline a run's past spares, and why. */
export function reusePlan(run: Run, { pipeline, inputs, from, sameRun }: ReuseQuestion): ReusePlan {
  if (from !== null) refuseUnknown(from, pipeline);
  return planReuse({ pipeline, run, fingerprints: fingerprintsOf(pipeline, withInputs(run, inputs)), from, sameRun });
}

/** The run as if it had these inputs. */
export function withInputs(run: Run, inputs: Plan["inputs"]): Run {
  return { ...run, created: run.created && { ...run.created, inputs } };
}

/** Routes that somebody has changed in the run and of which the new plan says the same as the old one. */
export function routesKept(run: Run, was: Pipeline, now: Pipeline): readonly Event[] {
  const namesOthers = (role: string) => {
    const [then, next] = [was.roles[role as RoleName]?.models, now.roles[role as RoleName]?.models];
    return next === undefined || canonicalJson(then ?? []) !== canonicalJson(next);
  };
  return Object.entries(run.routes).flatMap(([role, models]): Event[] =>
    namesOthers(role) ? [] : [{ type: "route.changed", role: role as RoleName, models }],
  );
}

/** What takes back what is not reused, steps that are no longer in the plan among it; none where nothing of it was ever begun. */
export function rewinding(run: Run, plan: ReusePlan): readonly Event[] {
  const planned = new Set(plan.steps.map(({ stepId }) => stepId));
  const gone = stepEntries(run.steps).flatMap(([id]) => (planned.has(id) ? [] : [id]));
  const steps = [...stepsToDo(plan), ...gone].filter((id) => stepState(run, id).origin !== null);
  const [to] = steps;
  const tree = plan.tree ?? run.tree;
  if (tree === null || (to === undefined && plan.tree === null)) return [];
  return [{ type: "run.rewound", to: to ?? stepsToDo(plan)[0] ?? "", steps, tree }];
}

function refuseUnknown(stepId: string, { steps }: Pipeline): void {
  const ids = steps.map(({ id }) => id);
  if (ids.includes(stepId)) return;
  const near = didYouMean(stepId, ids);
  throw new CcpError("usage", EXIT.usage, `the pipeline has no step "${stepId}"`, {
    hint: `nothing was started; ${near ? `did you mean "${near}"?` : `its steps: ${ids.join(", ")}`}`,
  });
}
