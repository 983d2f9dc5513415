import type { Event, EventOf, StoredEvent } from "../../src/core/event.ts";
import { applyEvent } from "../../src/core/fold-run.ts";
import { usdToNanos } from "../../src/core/money.ts";
import type { AgentStep, Pipeline, Role, RoleName, ShellStep } from "../../src/core/pipeline.ts";
import { newRun, type Run } from "../../src/core/run.ts";
import { NO_USAGE, type Usage } from "../../src/core/usage.ts";
import type { StepLabel } from "../../src/ui/step-label.ts";

export const RID = "r-9q1x7k";
/** 2026-03-01 10:00:00 UTC. */
export const START = Date.UTC(2026, 2, 1, 10);

export const blob = (sizeBytes = 10) => ({ sha256: "ab".repeat(32), sizeBytes });
const tree = (n: number) => String(n).padStart(40, "0");
export const usd = usdToNanos;

export const SAMPLE_STEPS: readonly StepLabel[] = [
  { id: "plan", role: "planner", models: ["anthropic/claude-opus-5"] },
  { id: "build", role: "doer", models: ["zai/glm-5", "openai/gpt-6"] },
  { id: "test", role: null, models: [] },
  { id: "review", role: "reviewer", models: ["openai/gpt-6"] },
];

const role = (name: RoleName, models: readonly string[]): Role => ({
  name,
  prompt: "",
  models,
  tools: [],
  permissions: [],
  budget: {},
  maxTurns: 10,
});
const base = { attempts: 1, timeoutMs: null, artifact: null, env: [], onFailure: null };
const agent = (id: string, name: RoleName, needs: readonly string[]): AgentStep => ({
  ...base,
  kind: "agent",
  id,
  needs,
  role: name,
  prompt: null,
  until: null,
});
const shell = (id: string, text: string, needs: readonly string[]): ShellStep => ({
  ...base,
  kind: "shell",
  id,
  needs,
  command: { kind: "text", text },
  changes: "discard",
  check: true,
});

export const SAMPLE_PIPELINE: Pipeline = {
  name: "plan-build-test-review",
  description: null,
  inputs: {},
  budget: {},
  workspace: { copy: [], setup: null },
  sandbox: "auto",
  onLostCall: "retry",
  roles: {
    planner: role("planner", ["anthropic/claude-opus-5"]),
    doer: role("doer", ["zai/glm-5", "openai/gpt-6"]),
    reviewer: role("reviewer", ["openai/gpt-6"]),
  },
  steps: [
    agent("plan", "planner", []),
    agent("build", "doer", ["plan"]),
    shell("test", "npm test", ["build"]),
    agent("review", "reviewer", ["test"]),
  ],
  messages: {},
};

export const usage = (freshInput: number, cacheRead: number, output: number): Usage => ({
  ...NO_USAGE,
  freshInput,
  cacheRead,
  output,
});

/** Numbers events and gives them instants: each is its delay after the one before, in milliseconds. */
export function stored(facts: readonly (readonly [delayMs: number, event: Event])[]): readonly StoredEvent[] {
  let at = START;
  return facts.map(([delayMs, event], index) => {
    at += delayMs;
    return { ...event, seq: index + 1, at };
  });
}

/** Every prefix's last event with the fold that has it: what a screen is told. */
export function told(events: readonly StoredEvent[]): readonly (readonly [event: StoredEvent, run: Run])[] {
  let run = newRun(RID);
  return events.map((event) => {
    run = applyEvent(run, event);
    return [event, run] as const;
  });
}

export const CREATED: Event = {
  type: "run.created",
  rid: RID,
  ccpVersion: "0.1.0",
  pipeline: blob(),
  pipelineName: "plan-build-test-review",
  task: blob(),
  title: "Return 404 instead of 500 for unknown ids",
  inputs: {},
  base: { commit: "1f3c0aa9".repeat(5), tree: tree(1), dirty: false, branch: "main" },
  repository: "/src/todo",
  resultsDir: "/src/todo/results",
  budgets: { run: { maxCostNanos: usd(2), maxDurationMs: 1_800_000 }, "role:doer": { maxCostNanos: usd(1) } },
  sandbox: { asked: "auto", active: "none" },
  parent: null,
};

export const WORKSPACE: Event = {
  type: "workspace.created",
  path: "/home/me/.local/state/ccp/worktrees/r-9q1x7k",
  branch: "ccp/r-9q1x7k",
  notices: ["submodule vendor/x is not checked out"],
};

export type CallFacts = {
  readonly id: string;
  readonly stepId: string;
  readonly role: string;
  readonly model: string;
  readonly turn?: number;
  readonly held?: number;
};

export const reserved = (call: CallFacts, more: Partial<EventOf<"call.reserved">> = {}): Event => ({
  type: "call.reserved",
  callId: call.id,
  stepId: call.stepId,
  role: call.role,
  conversation: 1,
  turn: call.turn ?? 1,
  model: call.model,
  request: "00",
  maxTokens: 4096,
  shrunk: false,
  heldNanos: call.held ?? usd(0.1),
  heldTokens: 20_000,
  facts: null,
  retryOf: null,
  ...more,
});

const settled = (call: CallFacts, cost: number, spent: Usage, durationMs: number) =>
  ({
    type: "call.settled",
    callId: call.id,
    stepId: call.stepId,
    role: call.role,
    model: call.model,
    heldNanos: call.held ?? usd(0.1),
    heldTokens: 20_000,
    costNanos: cost,
    listedNanos: cost,
    usage: spent,
    durationMs,
  }) as const;

export const answered = (call: CallFacts, cost: number, spent: Usage, durationMs: number): Event => ({
  ...settled(call, cost, spent, durationMs),
  result: { type: "answered", parts: blob(), stop: "tool_calls", servedBy: null, cut: false },
});

export const overloaded = (call: CallFacts): Event => ({
  ...settled(call, 0, NO_USAGE, 900),
  result: {
    type: "failed",
    failure: { class: "overloaded", message: "Overloaded", httpStatus: 529, retryAfterMs: null, mayBeBilled: false },
    partial: null,
  },
});

export const lost = (call: CallFacts, more: Partial<EventOf<"call.lost">> = {}): Event => ({
  type: "call.lost",
  callId: call.id,
  stepId: call.stepId,
  role: call.role,
  model: call.model,
  heldNanos: call.held ?? usd(0.1),
  heldTokens: 20_000,
  reason: "ccp was killed",
  failure: null,
  partial: null,
  ...more,
});

export const reused = (stepId: string, more: Partial<EventOf<"step.reused">> = {}): Event => ({
  type: "step.reused",
  stepId,
  from: "r-abc123",
  conversation: 1,
  outcome: { status: "succeeded", output: blob(), finish: null },
  startTree: tree(1),
  tree: tree(2),
  fingerprint: { own: "o", inputs: "i", upstream: "u" },
  savedNanos: usd(0.12),
  ...more,
});

export const tool = (stepId: string, id: string, name: string, subject: string): Event => ({
  type: "tool.started",
  stepId,
  toolCallId: id,
  tool: name,
  subject,
  effect: "read",
  tree: null,
});

export const toolDone = (stepId: string, id: string, name: string, summary: string): Event => ({
  type: "tool.finished",
  stepId,
  toolCallId: id,
  tool: name,
  status: "ok",
  result: blob(),
  summary,
  durationMs: 20,
  treeAfter: null,
  finish: null,
});

const begin = (stepId: string, conversation = 1): Event => ({
  type: "step.started",
  stepId,
  conversation,
  tree: tree(1),
  prompt: null,
  fingerprint: null,
});

const done = (stepId: string, conversation = 1): Event => ({
  type: "step.finished",
  stepId,
  conversation,
  outcome: { status: "succeeded", output: blob(), finish: null },
  tree: tree(2),
});

const command = (
  commandId: string,
  purpose: "setup" | "baseline" | "until" | "step",
  stepId: string | null,
  text: string,
  exitCode: number,
  durationMs: number,
): Event => ({
  type: "command.finished",
  commandId,
  purpose,
  stepId,
  command: text,
  end: { exitCode, endedBy: null, durationMs, output: blob(), stdout: blob() },
  tree: tree(1),
  treeAfter: tree(1),
});

const plan: CallFacts = { id: "c1", stepId: "plan", role: "planner", model: "anthropic/claude-opus-5" };
const build: CallFacts = { id: "c2", stepId: "build", role: "doer", model: "zai/glm-5" };
const review: CallFacts = { id: "c5", stepId: "review", role: "reviewer", model: "openai/gpt-6" };

/** A whole run: retry, lost call, failing check, rejection, way back, budget warning, success. */
export const SAMPLE_EVENTS: readonly StoredEvent[] = stored([
  [0, CREATED],
  [100, WORKSPACE],
  [50, { type: "workspace.prepared", tree: tree(1), copied: ["node_modules", ".env.test"] }],
  [
    0,
    {
      type: "command.started",
      commandId: "setup",
      purpose: "setup",
      stepId: null,
      command: "npm run prepare",
      tree: tree(1),
    },
  ],
  [4000, command("setup", "setup", null, "npm run prepare", 0, 4000)],
  [2000, command("baseline.test", "baseline", null, "npm test", 1, 2000)],
  [10, begin("plan")],
  [5, reserved(plan)],
  [9000, answered(plan, usd(0.04), usage(2600, 9800, 610), 9000)],
  [5, tool("plan", "t1", "read", "src/items.js")],
  [20, toolDone("plan", "t1", "read", "120 lines")],
  [2000, done("plan")],
  [5, { type: "artifact.written", name: "PLAN.md", blob: blob(2100), stepId: "plan" }],
  [10, begin("build")],
  [5, reserved(build)],
  [900, overloaded(build)],
  [24_000, reserved({ ...build, id: "c3" })],
  [8000, answered({ ...build, id: "c3" }, usd(0.11), usage(4000, 0, 900), 8000)],
  [5, tool("build", "t2", "edit", "src/items.js")],
  [30, toolDone("build", "t2", "edit", "+6 −1")],
  [3000, command("u1", "until", "build", "npm test", 1, 3000)],
  [5, { type: "message.added", stepId: "build", why: "check-failed", text: blob() }],
  [5, reserved({ ...build, id: "c4", turn: 2 })],
  [60_000, lost({ ...build, id: "c4" })],
  [3000, command("u2", "until", "build", "npm test", 0, 3000)],
  [100, done("build")],
  [10, begin("test")],
  [
    0,
    { type: "command.started", commandId: "s1", purpose: "step", stepId: "test", command: "npm test", tree: tree(1) },
  ],
  [3000, command("s1", "step", "test", "npm test", 0, 3000)],
  [1, done("test")],
  [10, begin("review")],
  [5, reserved(review)],
  [7000, answered(review, usd(0.06), usage(9000, 0, 400), 7000)],
  [
    5,
    {
      type: "step.finished",
      stepId: "review",
      conversation: 1,
      outcome: { status: "failed", class: "rejected", reason: "src/items.js:12 ignores a cached miss", finish: null },
      tree: tree(2),
    },
  ],
  [1, { type: "steps.reset", from: "review", to: "build", steps: ["build", "test", "review"], feedback: blob() }],
  [5, begin("build", 2)],
  [5, reserved({ ...build, id: "c6" })],
  [5000, answered({ ...build, id: "c6" }, usd(0.55), usage(6000, 4000, 300), 5000)],
  [1, { type: "budget.warned", scope: "role:doer", percent: 75 }],
  [5, done("build", 2)],
  [10, begin("test", 2)],
  [3000, command("s2", "step", "test", "npm test", 0, 3000)],
  [1, done("test", 2)],
  [10, begin("review", 2)],
  [5, reserved({ ...review, id: "c7" })],
  [6000, answered({ ...review, id: "c7" }, usd(0.05), usage(9500, 0, 200), 6000)],
  [5, done("review", 2)],
  [5, { type: "artifact.written", name: "Diff.patch", blob: blob(950), stepId: null }],
  [5, { type: "run.ended", status: "succeeded", exitCode: 0, reason: null, hint: null }],
]);

/** The wait after the failed call of the sample, as the agent tells it. */
export const SAMPLE_WAIT = {
  type: "delta.waiting",
  stepId: "build",
  reason: "overloaded (529)",
  waitMs: 24_000,
} as const;
