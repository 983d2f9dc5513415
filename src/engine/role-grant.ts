import type { Sandbox } from "../core/confinement.ts";
import { FINISH_SCHEMAS } from "../core/contract.ts";
import { changesFiles } from "../core/permission.ts";
import { type AgentStep, isReadOnly, isWriter, type Pipeline, type Role } from "../core/pipeline.ts";
import type { ToolGrant } from "../core/ports.ts";

/**
 * A plan or a review is a few thousand tokens; a file that is written whole may be long. What is wanted is held until
 * the answer is there, so too high a ceiling eats the share of a role that a crash has already charged for one.
 */
const READER_OUTPUT_TOKENS = 8_192;
const WRITER_OUTPUT_TOKENS = 32_768;

/** What a role may do with tools, where this is what holds processes. */
export function grantOf(sandbox: Sandbox, role: Role): ToolGrant {
  return { tools: toolsOf(sandbox, role), permissions: role.permissions, finish: FINISH_SCHEMAS[role.name] };
}

/** The longest answer that is wanted of a step, in tokens. */
export function mostOutput(pipeline: Pipeline, step: AgentStep): number {
  return isWriter(pipeline, step) ? WRITER_OUTPUT_TOKENS : READER_OUTPUT_TOKENS;
}

/** A role that only reads has a shell where something holds it to that, and only there. */
function toolsOf(sandbox: Sandbox, { name, tools }: Role): Role["tools"] {
  return sandbox === "none" && isReadOnly(name) ? tools.filter((tool) => !changesFiles(tool)) : tools;
}
