import { candidatesOf } from "../core/candidates.ts";
import { type AgentStep, isWriter } from "../core/pipeline.ts";
import type { Assignment } from "../core/ports.ts";
import type { Context } from "./context.ts";
import { grantOf, policyOf } from "./policy.ts";

/**
 * A plan or a review is a few thousand tokens; a file that is written whole may be long. What is wanted is held until
 * the answer is there, so too high a ceiling eats the share of a role that a crash has already charged for one.
 */
const READER_OUTPUT_TOKENS = 8_192;
const WRITER_OUTPUT_TOKENS = 32_768;

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
    candidates: candidatesOf(log.run.routes[role.name] ?? role.models, deps.models, policyOf(context, step.id)),
    grant: grantOf(context, step),
    maxTurns: role.maxTurns,
    maxOutputTokens: isWriter(pipeline, step) ? WRITER_OUTPUT_TOKENS : READER_OUTPUT_TOKENS,
    ...(role.context ? { context: role.context } : {}),
    messages: pipeline.messages,
  };
}
