import { candidatesOf, refusalsOf } from "../core/candidates.ts";
import { routeOnRung } from "../core/escalation.ts";
import type { ModelFacts, ModelRequest } from "../core/model.ts";
import type { AgentStep } from "../core/pipeline.ts";
import { TASK_OF } from "../core/route-rules.ts";
import { stepState } from "../core/run.ts";
import type { Context } from "./context.ts";
import { decidedBeside, isNamedByPerson } from "./decide-route.ts";
import { policyOf } from "./policy.ts";

/**
 * Whom a step's conversation is to ask now, in order, as `provider/model`: a person's word counts first, then what rules
 * have said for this conversation, then the role's own route; where the step is escalated, the stronger model comes before
 * the last two. The one place where that is known. `rung`: as it would be there; missing: where it is.
 */
export function routeNow({ log, pipeline }: Context, step: AgentStep, rung?: number): readonly string[] {
  const role = pipeline.roles[step.role];
  if (!role) throw new Error(`role ${step.role} is not in the pipeline`);
  const { decided, escalation } = stepState(log.run, step.id);
  const named = log.run.routes[role.name];
  const ruled = decided[TASK_OF[role.name]] ?? [];
  const route = named ?? (ruled.length > 0 ? ruled : role.models);
  // A reviewer that is asked about a step is not on that step's rung.
  const at = rung ?? (escalation.role === role.name ? escalation.rung : 0);
  return routeOnRung(role, named, at, route);
}

/**
 * The same, resolved, less those that cannot be asked here. Throws the first reason when none is left; where policies
 * refuse them all, they are all here, and whoever is going to ask is told.
 */
export function candidatesNow(context: Context, step: AgentStep): readonly ModelFacts[] {
  const route = routeNow(context, step);
  const left = permitted(context, step, route);
  return candidatesOf(left.length > 0 ? left : route, context.deps.models);
}

function permitted(context: Context, step: AgentStep, route: readonly string[]): readonly string[] {
  const policy = policyOf(context, step.id);
  return route.filter((name) => refusalsOf([name], policy).length === 0);
}

/** Whom to ask what is no turn of a step's conversation, as rules say; null: whom the conversation asks. Decided once in each conversation. */
export function candidatesBeside(
  context: Context,
  step: AgentStep,
  request: Omit<ModelRequest, "maxTokens">,
  outputTokens: number,
): readonly ModelFacts[] | null {
  const { log, deps } = context;
  const task = request.asker.purpose;
  if (task === undefined || isNamedByPerson(context, step)) return null;
  const known = () => stepState(log.run, step.id).decided[task];
  const decided = known() ? null : decidedBeside(context, step, task, { question: request, outputTokens });
  if (decided !== null) log.record(decided);
  const names = permitted(context, step, known() ?? []);
  return names.length === 0 ? null : candidatesOf(names, deps.models);
}
