import { FINISH_SCHEMAS } from "../core/contract.ts";
import { CcpError } from "../core/errors.ts";
import { type ModelFacts, parseModelRef } from "../core/model.ts";
import type { AgentStep, Pipeline, Role } from "../core/pipeline.ts";
import type { Assignment, Models } from "../core/ports.ts";
import type { Run } from "../core/run.ts";

/** What the agent is asked to do, in terms that know no pipeline. */
export function assignmentOf(
  run: Run,
  pipeline: Pipeline,
  step: AgentStep,
  conversation: number,
  system: string,
  models: Models,
): Assignment {
  const role = pipeline.roles[step.role];
  if (!role) throw new Error(`role ${step.role} is not in the pipeline`);
  return {
    stepId: step.id,
    role: role.name,
    conversation,
    system,
    candidates: candidatesOf(run, role, models),
    grant: { tools: role.tools, permissions: role.permissions, finish: FINISH_SCHEMAS[role.name] },
    maxTurns: role.maxTurns,
    messages: pipeline.messages,
  };
}

/** The route as it stands, less the candidates that have no key here. Throws the first reason when none is left. */
export function candidatesOf(run: Run, role: Role, models: Models): readonly ModelFacts[] {
  const reasons: unknown[] = [];
  const candidates = (run.routes[role.name] ?? role.models).flatMap((name) => {
    const ref = parseModelRef(name);
    if (!ref) return [];
    try {
      return [models.facts(ref)];
    } catch (reason) {
      if (!(reason instanceof CcpError)) throw reason;
      reasons.push(reason);
      return [];
    }
  });
  if (candidates.length > 0) return candidates;
  throw reasons[0] ?? new Error(`role ${role.name} has no model`);
}
