import type { AgentStep } from "../core/pipeline.ts";
import type { Assignment } from "../core/ports.ts";
import { candidatesNow } from "./candidates-now.ts";
import type { Context } from "./context.ts";
import { grantUnder } from "./policy.ts";
import { mostOutput } from "./role-grant.ts";

/** What the agent is asked to do, in terms that know no pipeline. */
export function assignmentOf(context: Context, step: AgentStep, conversation: number, system: string): Assignment {
  const { pipeline } = context;
  const role = pipeline.roles[step.role];
  if (!role) throw new Error(`role ${step.role} is not in the pipeline`);
  return {
    stepId: step.id,
    role: role.name,
    conversation,
    system,
    candidates: candidatesNow(context, step),
    grant: grantUnder(context, step),
    maxTurns: role.maxTurns,
    maxOutputTokens: mostOutput(pipeline, step),
    ...(role.context ? { context: role.context } : {}),
    messages: pipeline.messages,
  };
}
