import { candidatesOf } from "../core/candidates.ts";
import { FINISH_SCHEMAS } from "../core/contract.ts";
import type { AgentStep } from "../core/pipeline.ts";
import type { Assignment } from "../core/ports.ts";
import type { Context } from "./context.ts";

/** What the agent is asked to do, in terms that know no pipeline. */
export function assignmentOf(context: Context, step: AgentStep, conversation: number, system: string): Assignment {
  const { log, pipeline, deps } = context;
  const role = pipeline.roles[step.role];
  if (!role) throw new Error(`role ${step.role} is not in the pipeline`);
  return {
    stepId: step.id,
    role: role.name,
    conversation,
    system,
    candidates: candidatesOf(log.run.routes[role.name] ?? role.models, deps.models),
    grant: { tools: role.tools, permissions: role.permissions, finish: FINISH_SCHEMAS[role.name] },
    maxTurns: role.maxTurns,
    messages: pipeline.messages,
  };
}
