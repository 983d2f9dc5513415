import { type Budget, roleShares, type Scope } from "./budget.ts";
import type { Pipeline, Role, RoleName } from "./pipeline.ts";

/** What a person may put in the place of what a pipeline says, for one run. */
export interface Override {
  readonly models: Readonly<Partial<Record<RoleName, readonly string[]>>>;
  /** New ceilings; the roles' shares change with them. Empty: as they are. */
  readonly budget: Budget;
}

/** The pipeline as it is for that run. */
export function overridden(pipeline: Pipeline, { models, budget }: Override): Pipeline {
  const after = { ...pipeline.budget, ...budget };
  const budgets = raisedBudgets(pipeline, after);
  const roles = Object.values(pipeline.roles).map((role): readonly [string, Role] => [
    role.name,
    { ...role, models: models[role.name] ?? role.models, budget: budgets[`role:${role.name}`] ?? role.budget },
  ]);
  return { ...pipeline, budget: after, roles: Object.fromEntries(roles) };
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
  // Where the run had no ceiling of its own, the new one is shared out: the role's is raised with it, and never lowered.
  if (old === undefined) return Math.min(now, Math.max(mine, share ?? 0));
  return old === 0 ? share : Math.min(now, Math.max(mine, Math.floor((mine / old) * now)));
}
