import { candidatesOf } from "../core/candidates.ts";
import { FINISH_SCHEMAS } from "../core/contract.ts";
import { routeOnRung } from "../core/escalation.ts";
import { changesFiles } from "../core/permission.ts";
import { type AgentStep, isReadOnly, isWriter, type Role } from "../core/pipeline.ts";
import type { Assignment } from "../core/ports.ts";
import { stepState } from "../core/run.ts";
import type { Context } from "./context.ts";

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
  // A reviewer that is asked about a step is not on that step's rung.
  const { rung: reached, role: escalated } = stepState(log.run, step.id).escalation;
  const rung = escalated === role.name ? reached : 0;
  return {
    stepId: step.id,
    role: role.name,
    conversation,
    system,
    candidates: candidatesOf(routeOnRung(role, log.run.routes[role.name], rung), deps.models),
    grant: { tools: toolsOf(context, role), permissions: role.permissions, finish: FINISH_SCHEMAS[role.name] },
    maxTurns: role.maxTurns,
    maxOutputTokens: isWriter(pipeline, step) ? WRITER_OUTPUT_TOKENS : READER_OUTPUT_TOKENS,
    ...(role.context ? { context: role.context } : {}),
    messages: pipeline.messages,
  };
}

/** A role that only reads has a shell where something holds it to that, and only there. */
function toolsOf({ log }: Context, { name, tools }: Role): Role["tools"] {
  return log.run.sandbox === "none" && isReadOnly(name) ? tools.filter((tool) => !changesFiles(tool)) : tools;
}
