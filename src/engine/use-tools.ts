import type { EventOf } from "../core/event.ts";
import type { AgentStep } from "../core/pipeline.ts";
import { commandRefusal } from "../core/policy-limits.ts";
import type { StepJobs, ToolCheck, ToolResult, ToolSession, ToolUse } from "../core/ports.ts";
import type { SeenFiles } from "../core/seen.ts";
import type { StepServers } from "../core/tool-servers.ts";
import { withAdvice } from "./advice.ts";
import { workspaceOfRole } from "./confined.ts";
import { consented } from "./consent.ts";
import { type Context, treeOf } from "./context.ts";
import { dueChecks } from "./edit-checks.ts";
import type { ToolExecution } from "./executor.ts";
import { keepWhole, type Spilled } from "./keep-whole.ts";
import { heldToPolicy, lookAtPolicy, policyOf } from "./policy.ts";
import { whereTheyLead } from "./where-they-lead.ts";

/** One try of a step: which, until when, the servers of its tools and its jobs. */
export interface Conversing {
  readonly conversation: number;
  readonly signal: AbortSignal;
  /** When the step's time is used up; null: it has all of the run's. */
  readonly endsAt: number | null;
  readonly servers: StepServers;
  readonly jobs: StepJobs;
}

/** What the tools of a conversation are given of it. */
export interface Using extends Conversing {
  /** What it has seen of files so far. */
  seen(): SeenFiles;
  /** Files of the repository whose advice is in what its model is sent. */
  advised(): ReadonlySet<string>;
  /** True once it has begun a job: then what a tool finds and leaves is not its own doing alone. */
  hasJobs(): boolean;
}

type Ready = Extract<ToolCheck, { type: "ready" }>;
type Finished = EventOf<"tool.finished">;
/** `finished` null: it was stopped in the middle, and stays open. */
type Outcome = { readonly finished: Finished | null } | { readonly broken: unknown };

/**
 * Carries out calls of one answer side by side: their beginnings come on record together, their ends in call order. What
 * was stopped in the middle stays open, with all behind it, and is done again. Contract: who changes files is alone in
 * `wanted` (`core/turn.ts` sees to it), and steps that can write run alone: no file has two writers, so none needs a lock.
 */
export async function useTools(
  context: Context,
  step: AgentStep,
  wanted: readonly ToolUse[],
  using: Using,
): Promise<void> {
  await lookAtPolicy(context, step.id);
  // Nothing is begun: the step is stopped before it asks again.
  if (context.halt.reason?.why === "policy") return;
  const held = heldToPolicy(context, step, wanted);
  const { uses, question } = consented(context, step, await whereTheyLead(context, step, held));
  if (question !== null) context.log.record(question);
  const begun = uses.flatMap(({ call, check }) =>
    check.type === "ready" ? [toolStarted(context, step, { id: call.id, ready: check }, using)] : [],
  );
  if (begun.length > 0) context.log.record(...begun);
  const underWay = uses.map((use) => outcomeOf(context, step, use, using));
  const outcomes: Outcome[] = [];
  let isWhole = true;
  for (const [at, next] of underWay.entries()) {
    const outcome = await next;
    outcomes.push(outcome);
    isWhole &&= "finished" in outcome && outcome.finished !== null;
    if (!isWhole || !("finished" in outcome) || !outcome.finished) continue;
    // One after the other: of two calls in the same folder the first is told what it says.
    const check = uses[at]?.check;
    const subject = check?.type === "ready" ? check.subject : "";
    context.log.record(await withAdvice(context, step, outcome.finished, { subject, advised: using.advised() }));
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
  using: Using,
): Promise<Finished | null> {
  const { deps } = context;
  const { signal, servers, jobs } = using;
  const startedAt = deps.chance.now();
  const workspace = workspaceOfRole(context, step);
  const place = { workspace, signal, servers, jobs, session: sessionOf(context, using.seen()) };
  // What is judged next is the tree that they leave.
  if (ready.tool === "finish") await jobs.end();
  const execution = { stepId: step.id, toolCallId: id, ready, place, isBesideJobs: using.hasJobs() };
  const done = await deps.executor.tool(execution);
  const checked = await checkedAfter(context, step, execution, done);
  // Where only the step's own time is up it never runs again, and what it did is kept.
  if (context.halt.signal.aborted) return null;
  if (done.undone) await workspace.restore(treeOf(context));
  const treeAfter = isBracketed(ready, using) ? await workspace.snapshot() : null;
  const result = withChecks(done, checked);
  const told = ready.effect === "write" && treeAfter === treeOf(context) ? withoutEffect(result) : result;
  const durationMs = deps.chance.now() - startedAt;
  const kept = await keepWhole(context, told);
  return toolFinished(context, step, { id, name: ready.tool }, { ...kept, durationMs, treeAfter, checked });
}

/** What the role's checks say of an edit; empty: none was due. */
async function checkedAfter(context: Context, step: AgentStep, execution: ToolExecution, done: ToolResult) {
  if (execution.ready.effect !== "write" || execution.place.signal.aborted) return "";
  const policy = policyOf(context, step.id);
  const checks = context.pipeline.roles[step.role]?.editChecks ?? [];
  const due = dueChecks(
    checks.filter(({ command }) => commandRefusal(policy, command) === null),
    done,
  );
  return due === null ? "" : context.deps.executor.checkEdit(execution, due);
}

/** A replay that takes the result from the record has what the checks said in it already. */
function withChecks(result: ToolResult, checked: string): ToolResult {
  return result.text.includes(checked) ? result : { ...result, text: `${result.text}\n${checked}` };
}

function sessionOf(context: Context, seen: SeenFiles): ToolSession {
  const now = treeOf(context);
  return { seen, trees: { base: context.log.run.created?.base.tree ?? now, now } };
}

function toolStarted(
  context: Context,
  step: AgentStep,
  { id, ready }: { readonly id: string; readonly ready: Ready },
  using: Using,
): EventOf<"tool.started"> {
  return {
    type: "tool.started",
    stepId: step.id,
    toolCallId: id,
    tool: ready.tool,
    subject: ready.subject,
    effect: ready.effect,
    tree: isBracketed(ready, using) ? treeOf(context) : null,
  };
}

/** Before and after it a tree is on record. With `finish` that is the work of jobs that had not been looked at any more. */
function isBracketed({ tool, effect }: Ready, using: Using): boolean {
  return effect === "write" || effect === "execute" || (tool === "finish" && using.hasJobs());
}

/** What git ignores is in no patch: a check that is green because of it proves nothing. */
function withoutEffect(result: ToolResult): ToolResult {
  if (result.status !== "ok") return result;
  // A replay takes it from the record, where the note is.
  if (result.text.endsWith(NOTE)) return result;
  return { ...result, text: `${result.text}\n${NOTE}`, summary: `${result.summary}, not seen by git` };
}

const NOTE =
  "Note: git sees no change. Either the content is as it was, or git ignores the path: then it will not be part of the result.";

/** How a call came out. */
interface Came {
  readonly result: Omit<ToolResult, "status"> & { readonly status: Finished["status"] };
  readonly durationMs: number;
  readonly treeAfter: string | null;
  readonly spilled?: Spilled;
  /** What checks said of an edit; missing or empty: nothing. */
  readonly checked?: string;
}

function toolFinished(
  { log }: Context,
  step: AgentStep,
  call: { readonly id: string; readonly name: string },
  { result, durationMs, treeAfter, spilled, checked }: Came,
): Finished {
  return {
    type: "tool.finished",
    stepId: step.id,
    toolCallId: call.id,
    tool: call.name,
    status: result.status,
    result: log.text(result.text),
    summary: result.summary,
    durationMs,
    treeAfter,
    finish: result.finish === null ? null : log.json(result.finish),
    ...(result.seen ? { seen: result.seen } : {}),
    ...(spilled ? { spilled } : {}),
    ...(checked ? { checked: log.text(checked) } : {}),
    ...(result.job ? { job: result.job } : {}),
  };
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
