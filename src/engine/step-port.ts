import type { Utterance } from "../core/conversation.ts";
import type { EventOf } from "../core/event.ts";
import type { Json } from "../core/json.ts";
import type { ModelFacts, ToolCall } from "../core/model.ts";
import type { AgentStep } from "../core/pipeline.ts";
import type { StepPort, ToolCheck, ToolResult } from "../core/ports.ts";
import { redact } from "../core/redact.ts";
import { stepState } from "../core/run.ts";
import { closeCall, loseReserved, settleReserved } from "./calls.ts";
import { type Context, callBook, treeOf, workspaceOf } from "./context.ts";
import { type AskedInput, boundOf, type CountedInput, learn } from "./input-bound.ts";
import { intend } from "./intend.ts";
import { utteranceOf, utterancesOf } from "./utterances.ts";

/** Opens one conversation to the agent: everything that it says or does becomes a fact here before anything depends on it. */
export function openStepPort(context: Context, step: AgentStep, conversation: number, signal: AbortSignal): StepPort {
  const { log, deps, halt } = context;
  const book = callBook(context);
  const begunAt = stepState(log.run, step.id).conversationSeq - 1;
  const known: Utterance[] = [...utterancesOf(log.eventsAfter(begunAt), step.id, conversation, log)];
  let seen = log.run.seq;
  const asked = new Map<string, AskedInput>();
  let counted: CountedInput | null = null;

  return {
    models: deps.models,
    tools: deps.tools,
    workspace: workspaceOf(context),
    chance: deps.chance,
    signal,
    stopRequested: () => halt.reason?.why ?? (signal.aborted ? "aborted" : null),
    utterances() {
      for (const event of log.eventsAfter(seen)) known.push(...utteranceOf(event, step.id, log));
      seen = log.run.seq;
      return known;
    },
    async closeOpenCall() {
      const open = Object.values(log.run.openCalls).find((call) => call.stepId === step.id);
      if (open) await closeCall(book, open.callId, open.facts && log.readJson<ModelFacts>(open.facts), deps.models);
    },
    async intend(intent) {
      const input = { model: intent.model, quick: deps.models.inputBound(intent.request) };
      const result = await intend(context, step, intent, boundOf(input, counted, deps.userLedger));
      if (result.type === "held") asked.set(result.callId, input);
      return result;
    },
    settle(callId, end, model, text) {
      settleReserved(book, callId, end, model, text);
      counted = learn(asked.get(callId), end, deps.userLedger) ?? counted;
      asked.delete(callId);
    },
    lose: (callId, reason, text) => loseReserved(book, callId, reason, text),
    say: (why, text) => log.record({ type: "message.added", stepId: step.id, why, text: log.text(text) }),
    useTool: (call, check) => useTool(context, step, call, check, signal),
    tell: deps.tell,
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
    effect: check.effect,
    tree: changesFiles ? treeOf(context) : null,
  });
  const startedAt = deps.chance.now();
  const workspace = workspaceOf(context);
  const execution = { stepId: step.id, toolCallId: call.id, ready: check, signal };
  const result = await deps.executor.tool(execution, workspace);
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
