import { MALFORMED_MARK } from "../core/faults.ts";
import type { Json, JsonSchema } from "../core/json.ts";
import type { ToolCall } from "../core/model.ts";
import { JOB_TOOLS, type PermissionVerdict, TOOL_EFFECTS, TOOL_NAMES, type ToolName } from "../core/permission.ts";
import type { ToolCheck, ToolGrant } from "../core/ports.ts";
import { parseArguments } from "./arguments.ts";
import { finishContradiction } from "./finish.ts";
import { denialText, gate, isDeniedOutright } from "./gate.ts";
import { resolveToolName, unknownTool } from "./names.ts";
import { repairArguments } from "./repair.ts";
import type { SchemaCheck } from "./schema-check.ts";
import { oneLine } from "./text.ts";
import type { Tool } from "./tool.ts";

type Ready = Extract<ToolCheck, { type: "ready" }>;

/** What a check needs besides the call: the tools by name, and the compiled schemas. */
export interface CheckContext {
  readonly tools: ReadonlyMap<ToolName, Tool>;
  readonly schemaCheck: SchemaCheck;
}

/** Tools of a grant in the order of `TOOL_NAMES`. `finish` is always among them: without it no step could end well. */
export function grantedTools(grant: ToolGrant): readonly ToolName[] {
  return TOOL_NAMES.filter((name) => name === "finish" || (isGranted(grant, name) && !isDeniedOutright(grant, name)));
}

/** Whoever may start a job may read it and end it. */
function isGranted(grant: ToolGrant, name: ToolName): boolean {
  if (JOB_TOOLS.includes(name)) return grant.tools.includes("bash") && !isDeniedOutright(grant, "bash");
  return grant.tools.includes(name);
}

/** The schema of a tool's arguments under a grant. */
export function parametersOf(tool: Tool, grant: ToolGrant): JsonSchema {
  return tool.name === "finish" ? grant.finish : tool.parameters;
}

/** Name, arguments, schema, sense, permission: the first that fails is the answer. Touches nothing. */
export function checkCall(context: CheckContext, call: ToolCall, grant: ToolGrant): ToolCheck {
  const name = resolveToolName(call.name);
  const tool = name === null ? undefined : context.tools.get(name);
  if (tool === undefined) return malformed(unknownTool(call.name, grantedTools(grant)));
  if (!isGranted(grant, tool.name) && tool.name !== "finish") return denied(tool.name, "", gate(grant, tool.name, []));

  const parsed = parseArguments(call.rawArguments);
  if (!parsed.ok) return malformed(`${tool.name}: ${parsed.reason}`);
  const schema = parametersOf(tool, grant);
  const args = repairArguments(schema, parsed.value);
  const complaints = context.schemaCheck(schema, args);
  if (complaints.length > 0) return malformed(offSchema(tool.name, complaints));
  const contradiction = tool.name === "finish" ? finishContradiction(args) : null;
  if (contradiction !== null)
    return malformed(`finish: ${contradiction}. Send the result again without the contradiction.`);
  return permitted(tool, args, grant);
}

/** A path may lead elsewhere than it says: the rules hold for both places. */
export function checkPlaces(ready: Ready, places: readonly string[], grant: ToolGrant): ToolCheck {
  const verdict = gate(grant, ready.tool, places);
  return verdict.effect === "allow" ? ready : refusal(ready, verdict);
}

function permitted(tool: Tool, args: Json, grant: ToolGrant): ToolCheck {
  const subject = oneLine(tool.label?.(args) ?? tool.subject(args));
  // A role that may not finish could only run on until its budget is gone.
  const several = tool.subjects?.(args) ?? [];
  const subjects = several.length > 0 ? several : [tool.subject(args)];
  const verdict = tool.name === "finish" ? null : gate(grant, tool.name, subjects);
  const effect = TOOL_EFFECTS[tool.name];
  const paths = effect === "read" || effect === "write" ? { paths: subjects } : {};
  const ready: Ready = { type: "ready", tool: tool.name, arguments: args, subject, effect, ...paths };
  return verdict === null || verdict.effect === "allow" ? ready : refusal(ready, verdict);
}

/** What only a person could allow says what would be done then. */
function refusal(ready: Ready, verdict: PermissionVerdict): ToolCheck {
  const refused = denied(ready.tool, ready.subject, verdict);
  if (verdict.effect === "deny") return refused;
  return { ...refused, asks: { ready, reason: verdict.reason ?? "a rule asks" } };
}

function denied(tool: string, subject: string, verdict: PermissionVerdict): Extract<ToolCheck, { type: "denied" }> {
  return { type: "denied", subject, text: denialText(tool, verdict) };
}

function malformed(text: string): ToolCheck {
  return { type: "malformed", text: `${MALFORMED_MARK}${text}` };
}

function offSchema(tool: ToolName, complaints: readonly string[]): string {
  const lines = complaints.map((complaint) => `- ${complaint}`);
  return [`${tool} was not run, its arguments are not as its schema wants them:`, ...lines].join("\n");
}
