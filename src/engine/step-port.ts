import {
  type Headroom,
  headroomOf,
  NOTHING_SPENT,
  planReservation,
  type Reservation,
  type Scope,
  tightest,
} from "../core/budget.ts";
import type { Utterance } from "../core/conversation.ts";
import type { EventOf } from "../core/event.ts";
import type { Json } from "../core/json.ts";
import { formatModelRef, type ModelFacts, type ToolCall } from "../core/model.ts";
import { formatUsd } from "../core/money.ts";
import type { AgentStep } from "../core/pipeline.ts";
import type { CallIntent, IntendResult, StepPort, ToolCheck, ToolResult } from "../core/ports.ts";
import { redact } from "../core/redact.ts";
import { loseReserved, reservedCall, settleReserved } from "./calls.ts";
import { type Context, treeOf, workspaceOf } from "./context.ts";
import { utteranceOf, utterancesOf } from "./utterances.ts";

/** Opens one conversation to the agent: everything that it says or does becomes a fact here before anything depends on it. */
export function openStepPort(context: Context, step: AgentStep, conversation: number, signal: AbortSignal): StepPort {
  const { log, deps, halt } = context;
  const known: Utterance[] = [...utterancesOf(log.events, step.id, conversation, log)];
  const book = { log, spool: deps.spool, secrets: deps.secrets, chance: deps.chance };
  let seen = log.events.length;

  return {
    models: deps.models,
    tools: deps.tools,
    workspace: workspaceOf(context),
    chance: deps.chance,
    signal,
    stopRequested: () => halt.reason?.why ?? (signal.aborted ? "aborted" : null),
    utterances() {
      for (const event of log.events.slice(seen)) known.push(...utteranceOf(event, step.id, log));
      seen = log.events.length;
      return known;
    },
    openCall: () => Object.values(log.run.openCalls).find((call) => call.stepId === step.id) ?? null,
    headroom: () => headroom(context, step),
    intend: (intent) => intend(context, step, intent),
    settle: (callId, end, model) => settleReserved(book, callId, end, model),
    lose: (callId, reason) => loseReserved(book, callId, reason),
    say: (why, text) => log.record({ type: "message.added", stepId: step.id, why, text: log.text(text) }),
    useTool: (call, check) => useTool(context, step, call, check, signal),
    tell: deps.tell,
  };
}

function scopesOf(step: AgentStep): readonly Scope[] {
  return ["run", `role:${step.role}`, `step:${step.id}`];
}

function headroom(context: Context, step: AgentStep): Headroom {
  const { budgets, spend } = context.log.run;
  return scopesOf(step)
    .map((scope) => headroomOf(budgets[scope] ?? {}, spend[scope] ?? NOTHING_SPENT))
    .reduce(tightest);
}

/** Holds the worst case; while it does not fit, waits for calls in flight to settle, for they may leave more. */
async function intend(context: Context, step: AgentStep, intent: CallIntent): Promise<IntendResult> {
  const { log, halt } = context;
  for (;;) {
    const reservation = planReservation({
      price: intent.model.price,
      inputTokensBound: intent.inputTokensBound,
      wantedOutputTokens: intent.wantedOutputTokens,
      headroom: headroom(context, step),
    });
    if (reservation.type === "fits") {
      const reserved = reservedCall(log, intent.model, intent.request, reservation);
      if (log.reserve(reserved) === null)
        return { type: "held", callId: reserved.callId, maxTokens: reservation.maxTokens, reservation };
    }
    const inFlight = Object.keys(log.run.openCalls).length > 0;
    if (reservation.type !== "unpriced" && inFlight && !halt.reason) {
      await log.changed();
      continue;
    }
    return refusal(reservation, intent.model);
  }
}

function refusal(reservation: Reservation, model: ModelFacts): IntendResult {
  const name = formatModelRef(model.ref);
  if (reservation.type === "unpriced") {
    return {
      type: "refused",
      why: "unpriced",
      reason: `the price of ${name} is unknown, so a budget in dollars cannot hold`,
    };
  }
  if (reservation.type === "fits")
    return { type: "refused", why: "budget", reason: `the budget does not hold another call to ${name}` };
  const amount = (units: number) => (reservation.unit === "money" ? formatUsd(units) : `${units} tokens`);
  return {
    type: "refused",
    why: "budget",
    reason: `the next call to ${name} may cost ${amount(reservation.needed)} and ${amount(reservation.left)} is left, so it was not made`,
  };
}

async function useTool(
  context: Context,
  step: AgentStep,
  call: ToolCall,
  check: ToolCheck,
  signal: AbortSignal,
): Promise<void> {
  if (check.type !== "ready") {
    const status = check.type === "denied" ? "denied" : "error";
    context.log.record(
      toolFinished(
        context,
        step,
        call,
        { status, text: check.text, summary: firstLine(check.text), finish: null },
        0,
        null,
      ),
    );
    return;
  }
  const { log, deps } = context;
  const changesFiles = check.effect === "write" || check.effect === "execute";
  const subject = redact(check.subject, deps.secrets);
  log.record({
    type: "tool.started",
    stepId: step.id,
    toolCallId: call.id,
    tool: check.tool,
    subject,
    tree: changesFiles ? treeOf(context) : null,
  });
  const startedAt = deps.chance.now();
  const workspace = workspaceOf(context);
  const result = await deps.tools.run(check, workspace, signal);
  // Stopped in the middle: the call stays open, and what it did to the files is undone before it runs again. Where only
  // the step's own time is up it never runs again, and what it did is kept.
  if (context.halt.signal.aborted) return;
  const treeAfter = changesFiles ? await workspace.snapshot() : null;
  const told = check.effect === "write" && treeAfter === treeOf(context) ? withoutEffect(result) : result;
  const durationMs = deps.chance.now() - startedAt;
  log.record(toolFinished(context, step, { ...call, name: check.tool }, told, durationMs, treeAfter));
}

/** What git ignores is in no patch: a check that is green because of it proves nothing. */
function withoutEffect(result: ToolResult): ToolResult {
  if (result.status !== "ok") return result;
  const note =
    "Note: git sees no change. Either the content is as it was, or git ignores the path: then it will not be part of the result.";
  return { ...result, text: `${result.text}\n${note}`, summary: `${result.summary}, not seen by git` };
}

function toolFinished(
  context: Context,
  step: AgentStep,
  call: ToolCall,
  result: Omit<ToolResult, "status"> & { readonly status: "ok" | "error" | "denied" },
  durationMs: number,
  treeAfter: string | null,
): EventOf<"tool.finished"> {
  const { log, deps } = context;
  return {
    type: "tool.finished",
    stepId: step.id,
    toolCallId: call.id,
    tool: call.name,
    status: result.status,
    result: log.text(redact(result.text, deps.secrets)),
    summary: redact(result.summary, deps.secrets),
    durationMs,
    treeAfter,
    finish: result.finish === null ? null : log.json(redactJson(result.finish, deps.secrets)),
  };
}

function redactJson(value: Json, secrets: readonly string[]): Json {
  return JSON.parse(redact(JSON.stringify(value), secrets)) as Json;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
