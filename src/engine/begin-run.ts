import { type Budget, roleShares, type Scope } from "../core/budget.ts";
import type { Base } from "../core/event.ts";
import { foldRun } from "../core/fold-run.ts";
import { canonicalJson } from "../core/json.ts";
import type { InputValue, Pipeline, RoleName } from "../core/pipeline.ts";
import type { EngineDeps } from "./deps.ts";

/** What a new run is to be. */
export interface RunSpec {
  readonly pipeline: Pipeline;
  readonly inputs: Readonly<Record<string, InputValue>>;
  readonly task: string;
  readonly base: Base;
  readonly resultsDir: string;
  readonly ccpVersion: string;
  /** The run that this one goes on from; null: none. */
  readonly parent: string | null;
}

/** Puts a new run on record, owned by this process. Everything that it depends on is pinned in it. */
export function beginRun(
  spec: RunSpec,
  deps: Pick<EngineDeps, "store" | "chance" | "repository" | "publish">,
): { readonly rid: string; readonly epoch: number } {
  const rid = deps.chance.rid();
  const { store, chance, publish } = deps;
  const encode = (text: string) => store.putBlob(new TextEncoder().encode(text));
  const begun = store.create(
    rid,
    [
      {
        type: "run.created",
        rid,
        ccpVersion: spec.ccpVersion,
        pipeline: encode(canonicalJson(spec.pipeline)),
        pipelineName: spec.pipeline.name,
        task: encode(spec.task),
        title: titleOf(spec.task),
        inputs: spec.inputs,
        base: spec.base,
        repository: deps.repository.root,
        resultsDir: spec.resultsDir,
        budgets: budgetsOf(spec.pipeline),
        sandbox: { asked: spec.pipeline.sandbox, active: "none" },
        parent: spec.parent,
      },
    ],
    chance.now(),
  );
  for (const event of begun) publish(event, foldRun(rid, begun));
  return { rid, epoch: 1 };
}

/** The ceilings of every scope that has one. */
function budgetsOf(pipeline: Pipeline): Readonly<Partial<Record<Scope, Budget>>> {
  const roles = Object.values(pipeline.roles).map((role) => [`role:${role.name}` as const, role.budget] as const);
  return { run: pipeline.budget, ...Object.fromEntries(roles) };
}

/** The roles' shares of a new ceiling, in the proportions that the pipeline gave them, however often it was raised. */
export function raisedBudgets(pipeline: Pipeline, after: Budget): Readonly<Partial<Record<Scope, Budget>>> {
  const names = Object.keys(pipeline.roles) as RoleName[];
  const shares = roleShares(after, names);
  const roles = names.map((name) => {
    const scaled = (unit: "maxCostNanos" | "maxTokens") =>
      scale(pipeline.roles[name]?.budget[unit], pipeline.budget[unit], after[unit], shares[name]?.[unit]);
    const [maxCostNanos, maxTokens] = [scaled("maxCostNanos"), scaled("maxTokens")];
    const budget: Budget = {
      ...(maxCostNanos === undefined ? {} : { maxCostNanos }),
      ...(maxTokens === undefined ? {} : { maxTokens }),
    };
    return [`role:${name}` as const, budget] as const;
  });
  return { run: after, ...Object.fromEntries(roles) };
}

/** A role's ceiling under the run's new one. `mine` and `old`: the role's and the run's in the pipeline. */
function scale(
  mine: number | undefined,
  old: number | undefined,
  now: number | undefined,
  share: number | undefined,
): number | undefined {
  if (now === undefined) return mine;
  if (mine === undefined) return old === undefined ? share : undefined;
  if (old === undefined) return Math.min(mine, now);
  return old === 0 ? share : Math.min(now, Math.max(mine, Math.floor((mine / old) * now)));
}

function titleOf(task: string): string {
  return (task.trim().split("\n", 1)[0] ?? "").slice(0, 200);
}
