import type { EventOf } from "../core/event.ts";
import { canonicalJson } from "../core/json.ts";
import type { AgentStep } from "../core/pipeline.ts";
import type { ToolCheck, ToolUse } from "../core/ports.ts";
import { redact } from "../core/redact.ts";
import { toolKey } from "../core/run.ts";
import type { Context } from "./context.ts";
import { sha256 } from "./run-log.ts";

type Ready = Extract<ToolCheck, { type: "ready" }>;

/** Calls that can be carried out now, and the question with which the run waits; null: it does not, or has asked already. */
export interface Consented {
  readonly uses: readonly ToolUse[];
  readonly question: EventOf<"permission.asked"> | null;
}

/**
 * Puts to each call that a rule asks about what a person has decided over it. Where nobody has, it waits, with all calls
 * after it, if its step says so or somebody is there to be asked; else it is refused. What changes files comes alone.
 */
export function consented(context: Context, step: AgentStep, wanted: readonly ToolUse[]): Consented {
  const uses: ToolUse[] = [];
  for (const use of wanted) {
    const judged = judgedBy(context, step, use);
    if (judged === "waits") return { uses, question: questionOf(context, step, use) };
    const isAllowedNow = judged !== use && judged.check.type === "ready";
    if (isAllowedNow && changesFiles(judged)) return { uses: uses.length === 0 ? [judged] : uses, question: null };
    uses.push(judged);
  }
  return { uses, question: null };
}

/** What a step that waits for consent is stopped with; null: it does not wait, or not any more. */
export function waitingFor(context: Context, step: AgentStep): string | null {
  const { run } = context.log;
  const open = Object.values(run.questions).find(
    ({ asked, decision }) => asked.stepId === step.id && decision === null && !run.consents.includes(asked.digest),
  );
  if (open === undefined || !waits(context, step, open.asked.toolCallId)) return null;
  const { tool, subject, reason } = open.asked;
  return `step "${step.id}" asks for your consent to ${tool} \`${subject}\`: ${reason}`;
}

function judgedBy(context: Context, step: AgentStep, use: ToolUse): ToolUse | "waits" {
  const { log } = context;
  const { call, check } = use;
  if (check.type !== "denied" || check.asks === undefined) return use;
  const { ready } = check.asks;
  const digest = digestOf(step, ready);
  if (log.run.consents.includes(digest)) return { call, check: ready };
  const question = log.run.questions[toolKey({ stepId: step.id, toolCallId: call.id })];
  const decision = question?.asked.digest === digest ? question.decision : null;
  if (decision === "allow") return { call, check: ready };
  if (decision === "deny") return { call, check: refused(check, ready) };
  return waits(context, step, call.id) ? "waits" : use;
}

function waits({ deps }: Context, step: AgentStep, toolCallId: string): boolean {
  return step.onAsk === "stop" || deps.control.attends?.({ stepId: step.id, toolCallId }) === true;
}

function refused(check: Extract<ToolCheck, { type: "denied" }>, { tool }: Ready): ToolCheck {
  const text = `Denied: ${tool} was not run: a person was asked and said no (${check.asks?.reason ?? ""}). Do not try to get round this: go on in another way, or finish and say what is missing.`;
  return { type: "denied", subject: check.subject, text };
}

function changesFiles({ check }: ToolUse): boolean {
  return check.type === "ready" && (check.effect === "write" || check.effect === "execute");
}

function questionOf(
  { log, deps: { secrets } }: Context,
  step: AgentStep,
  { call, check }: ToolUse,
): EventOf<"permission.asked"> | null {
  if (check.type !== "denied" || check.asks === undefined) return null;
  const { ready, reason } = check.asks;
  const digest = digestOf(step, ready);
  const before = log.run.questions[toolKey({ stepId: step.id, toolCallId: call.id })];
  if (before?.asked.digest === digest) return null;
  return {
    type: "permission.asked",
    stepId: step.id,
    toolCallId: call.id,
    tool: ready.tool,
    subject: redact(ready.subject, secrets),
    call: log.text(redact(wholeCall(ready), secrets)),
    digest,
    reason: redact(reason, secrets),
  };
}

function digestOf(step: AgentStep, { tool, arguments: args }: Ready): string {
  return sha256(canonicalJson([step.role, tool, args]));
}

/** A person sees the command as it is; of any other tool all that it is given. */
function wholeCall({ tool, arguments: args }: Ready): string {
  const isCommand = tool === "bash" && typeof args === "object" && args !== null && "command" in args;
  return isCommand ? String(args.command) : JSON.stringify(args, null, 2);
}
