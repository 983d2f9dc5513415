import type { EventOf } from "../core/event.ts";
import type { Json } from "../core/json.ts";
import type { AgentStep } from "../core/pipeline.ts";
import type { ToolCheck, ToolResult, ToolSession, ToolUse } from "../core/ports.ts";
import { redact } from "../core/redact.ts";
import type { SeenFiles } from "../core/seen.ts";
import type { StepServers } from "../core/tool-servers.ts";
import { confinedWorkspace, confinementOf } from "./confined.ts";
import { type Context, treeOf } from "./context.ts";

/** One try of a step: which, until when, and the servers of its tools. */
export interface Conversing {
  readonly conversation: number;
  readonly signal: AbortSignal;
  readonly servers: StepServers;
}

/** What the tools of a conversation are given of it. */
export interface Using extends Conversing {
  /** What it has seen of files so far. */
  seen(): SeenFiles;
}

type Ready = Extract<ToolCheck, { type: "ready" }>;
type Finished = EventOf<"tool.finished">;
/** `finished` null: it was stopped in the middle, and stays open. */
type Outcome = { readonly finished: Finished | null } | { readonly broken: unknown };

/**
 * Carries out calls of one answer side by side: their beginnings come on record together, their ends in call order. What
 * was stopped in the middle stays open, with all behind it, and is done again. Contract: who changes files is alone in
 * `uses` (`core/turn.ts` sees to it), and steps that can write run alone: no file has two writers, so none needs a lock.
 */
export async function useTools(
  context: Context,
  step: AgentStep,
  uses: readonly ToolUse[],
  using: Using,
): Promise<void> {
  const begun = uses.flatMap((use) => (use.check.type === "ready" ? [toolStarted(context, step, use, use.check)] : []));
  if (begun.length > 0) context.log.record(...begun);
  const underWay = uses.map((use) => outcomeOf(context, step, use, using));
  const outcomes: Outcome[] = [];
  let isWhole = true;
  for (const next of underWay) {
    const outcome = await next;
    outcomes.push(outcome);
    isWhole &&= "finished" in outcome && outcome.finished !== null;
    if (isWhole && "finished" in outcome && outcome.finished) context.log.record(outcome.finished);
  }
  const broken = outcomes.find((outcome) => "broken" in outcome);
  if (broken) throw broken.broken;
}

/** Never rejects: what breaks is told when nothing of the calls is under way any more. */
async function outcomeOf(context: Context, step: AgentStep, { call, check }: ToolUse, using: Using): Promise<Outcome> {
  try {
    if (check.type === "ready")
      return { finished: await carriedOut(context, step, { id: call.id, ready: check }, using) };
    const status = check.type === "denied" ? "denied" : "error";
    const result = { status, text: check.text, summary: firstLine(check.text), finish: null } as const;
    return { finished: toolFinished(context, step, call, { result, durationMs: 0, treeAfter: null }) };
  } catch (broken) {
    return { broken };
  }
}

/** Null: it was stopped in the middle. What it did to the files is undone before it runs again. */
async function carriedOut(
  context: Context,
  step: AgentStep,
  { id, ready }: { readonly id: string; readonly ready: Ready },
  { signal, servers, seen }: Using,
): Promise<Finished | null> {
  const { deps } = context;
  const startedAt = deps.chance.now();
  const role = context.pipeline.roles[step.role];
  if (!role) throw new Error(`role ${step.role} is not in the pipeline`);
  const workspace = confinedWorkspace(context, confinementOf(role));
  const place = { workspace, signal, servers, session: sessionOf(context, seen()) };
  const result = await deps.executor.tool({ stepId: step.id, toolCallId: id, ready, place });
  // Where only the step's own time is up it never runs again, and what it did is kept.
  if (context.halt.signal.aborted) return null;
  const treeAfter = changesFiles(ready) ? await workspace.snapshot() : null;
  const told = ready.effect === "write" && treeAfter === treeOf(context) ? withoutEffect(result) : result;
  const durationMs = deps.chance.now() - startedAt;
  return toolFinished(context, step, { id, name: ready.tool }, { result: told, durationMs, treeAfter });
}

function sessionOf(context: Context, seen: SeenFiles): ToolSession {
  const now = treeOf(context);
  return { seen, trees: { base: context.log.run.created?.base.tree ?? now, now } };
}

function toolStarted(context: Context, step: AgentStep, { call }: ToolUse, ready: Ready): EventOf<"tool.started"> {
  return {
    type: "tool.started",
    stepId: step.id,
    toolCallId: call.id,
    tool: ready.tool,
    subject: redact(ready.subject, context.deps.secrets),
    effect: ready.effect,
    tree: changesFiles(ready) ? treeOf(context) : null,
  };
}

function changesFiles({ effect }: Ready): boolean {
  return effect === "write" || effect === "execute";
}

/** What git ignores is in no patch: a check that is green because of it proves nothing. */
function withoutEffect(result: ToolResult): ToolResult {
  if (result.status !== "ok") return result;
  const note =
    "Note: git sees no change. Either the content is as it was, or git ignores the path: then it will not be part of the result.";
  return { ...result, text: `${result.text}\n${note}`, summary: `${result.summary}, not seen by git` };
}

/** How a call came out, before secrets are redacted in it. */
interface Came {
  readonly result: Omit<ToolResult, "status"> & { readonly status: Finished["status"] };
  readonly durationMs: number;
  readonly treeAfter: string | null;
}

function toolFinished(
  { log, deps }: Context,
  step: AgentStep,
  call: { readonly id: string; readonly name: string },
  { result, durationMs, treeAfter }: Came,
): Finished {
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
    ...(result.seen ? { seen: result.seen } : {}),
  };
}

function redactJson(value: Json, secrets: readonly string[]): Json {
  return JSON.parse(redact(JSON.stringify(value), secrets)) as Json;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
