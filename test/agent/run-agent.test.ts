import { expect, test } from "vitest";
import { createAgent } from "../../src/agent/run-agent.ts";
import type { Utterance } from "../../src/core/conversation.ts";
import type { FailureClass } from "../../src/core/failure.ts";
import type { ModelEvent, ModelFacts, ModelRequest, Part } from "../../src/core/model.ts";
import { FREE } from "../../src/core/money.ts";
import type { Assignment, StepPort, StopWhy, ToolUse } from "../../src/core/ports.ts";
import { NO_USAGE } from "../../src/core/usage.ts";

type End = Extract<ModelEvent, { type: "answered" | "failed" }>;

const facts = (model: string): ModelFacts => ({
  ref: { provider: "p", model },
  price: FREE,
  contextWindow: null,
  maxOutputTokens: 1000,
  local: false,
  scripted: false,
});
const answered = (...parts: Part[]): End => ({
  type: "answered",
  parts,
  stop: "tool_calls",
  usage: NO_USAGE,
  providerCostNanos: null,
  servedBy: null,
  cut: false,
});
const failed = (failure: FailureClass, retryAfterMs: number | null = null): End => ({
  type: "failed",
  failure: { class: failure, message: `it is ${failure}`, httpStatus: null, retryAfterMs, mayBeBilled: false },
  usage: null,
  providerCostNanos: null,
});
const finish: Part = { kind: "tool_call", id: "f", name: "finish", rawArguments: "{}" };

const assignment = (models: readonly string[]): Assignment => ({
  stepId: "build",
  role: "doer",
  conversation: 1,
  system: "s",
  candidates: models.map(facts),
  grant: { tools: ["read"], permissions: [], finish: {} },
  maxTurns: 5,
  maxOutputTokens: 400,
  messages: { nudge: "finish, please", truncated: "in ${maxTokens} tokens", empty: "say something" },
});

interface World {
  /** What each model answers, in turn; the last answer is given for ever. */
  readonly answers: Readonly<Record<string, readonly End[]>>;
  /** The answer to a call that was under way when ccp died, whole in the spool. */
  readonly recovered?: Extract<End, { type: "answered" }>;
  readonly signal?: AbortSignal;
  readonly stop?: () => StopWhy | null;
  readonly refuse?: "budget" | "window" | "unpriced" | "lost";
}

/** A step that keeps its record in memory and notes what the agent did, in order. */
function step(world: World) {
  const done: string[] = [];
  const known: Utterance[] = [{ type: "said", why: "task", text: "do it" }];
  const asked: Record<string, number> = {};
  const sent: ModelRequest[] = [];
  const arrived: string[] = [];
  const record = (end: End) =>
    void (end.type === "answered" && known.push({ type: "answered", parts: end.parts, stop: end.stop }));
  let calls = 0;
  const port = {
    models: {
      inputBound: () => 10,
      tightInputBound: async () => 10,
      facts: () => facts("a"),
      async *send(request: ModelRequest): AsyncIterable<ModelEvent> {
        sent.push(request);
        const { model } = request.model;
        const answers = world.answers[model] ?? [];
        const turn = asked[model] ?? 0;
        asked[model] = turn + 1;
        yield { type: "text", text: "…" };
        yield answers[Math.min(turn, answers.length - 1)] as End;
      },
    },
    tools: {
      specs: () => [],
      check: () => ({ type: "ready", tool: "finish", arguments: {}, subject: "", effect: "none" }),
      run: async () => ({ status: "ok", text: "", summary: "", finish: null }),
    },
    chance: {
      now: () => 0,
      random: () => 0.5,
      rid: () => "r-a",
      sleep: async (ms: number) => void done.push(`wait ${ms}`),
    },
    signal: world.signal ?? new AbortController().signal,
    stopRequested: world.stop ?? (() => null),
    utterances: () => known,
    async closeOpenCall() {
      if (world.recovered) record(world.recovered);
    },
    async intend({ model, wantedOutputTokens }: Parameters<StepPort["intend"]>[0]) {
      if (world.refuse) return { type: "refused", why: world.refuse, reason: "no" };
      done.push(`intend ${model.ref.model} ${wantedOutputTokens}`);
      const reservation = { heldTokens: wantedOutputTokens + 10 };
      return { type: "held", callId: `c${++calls}`, maxTokens: wantedOutputTokens, reservation };
    },
    settle(callId: string, end: End, _model: ModelFacts, text: string) {
      done.push(`settle ${callId} ${end.type}`);
      arrived.push(text);
      record(end);
    },
    lose(callId: string, _reason: string, text: string) {
      done.push(`lose ${callId}`);
      arrived.push(text);
    },
    say(why: "nudge" | "truncated" | "empty", text: string) {
      done.push(`say ${why}`);
      known.push({ type: "said", why, text });
    },
    async useTools(uses: readonly ToolUse[]) {
      for (const { call } of uses) {
        done.push(`use ${call.name}`);
        known.push({
          type: "tool",
          toolCallId: call.id,
          name: call.name,
          text: "",
          status: "ok",
          finish: { ok: true },
        });
      }
    },
    tell: () => undefined,
  } as unknown as StepPort;
  return { port, done, sent, arrived };
}

const run = (models: readonly string[], world: World) => {
  const { port, done, sent, arrived } = step(world);
  return createAgent()
    .run(assignment(models), port)
    .then((outcome) => ({ outcome, done, sent, arrived }));
};

test("every attempt is reserved before it is sent, and settled after it", async () => {
  const { outcome, done } = await run(["a"], { answers: { a: [answered(finish)] } });
  expect(outcome).toEqual({ type: "finished", value: { ok: true } });
  expect(done).toEqual(["intend a 400", "settle c1 answered", "use finish"]);
});

test("a passing failure is waited out, by the provider's word or with jitter, each attempt a call of its own", async () => {
  const { outcome, done } = await run(["a"], {
    answers: { a: [failed("overloaded"), failed("rate", 70), answered(finish)] },
  });
  expect(outcome.type).toBe("finished");
  expect(done.filter((what) => /wait|settle/.test(what))).toEqual([
    "settle c1 failed",
    "wait 500",
    "settle c2 failed",
    "wait 70",
    "settle c3 answered",
  ]);
});

test("a candidate that was passed over is not asked again in the conversation", async () => {
  const more: Part = { ...finish, id: "r", name: "read" } as Part;
  const { done } = await run(["a", "b"], { answers: { a: [failed("quota")], b: [answered(more), answered(finish)] } });
  expect(done.filter((what) => what.startsWith("intend"))).toEqual(["intend a 400", "intend b 400"]);
});

test.each<[FailureClass, object]>([
  ["overloaded", { type: "stopped", why: "unavailable" }],
  ["quota", { type: "stopped", why: "unavailable" }],
  ["stalled", { type: "stopped", why: "unavailable" }],
  ["auth", { type: "stopped", why: "credentials" }],
  ["invalid", { type: "failed", class: "invalid" }],
  ["overflow", { type: "failed", class: "overflow" }],
  ["refusal", { type: "failed", class: "refusal" }],
])("with nobody left after %s the conversation ends as %s", async (failure, outcome) => {
  expect((await run(["a", "b"], { answers: { a: [failed(failure)], b: [failed(failure)] } })).outcome).toMatchObject(
    outcome,
  );
});

test.each(["budget", "window", "unpriced", "lost"] as const)(
  "what the %s does not hold is not sent",
  async (refuse) => {
    const { outcome, sent } = await run(["a"], { answers: { a: [answered(finish)] }, refuse });
    expect(outcome).toMatchObject({ type: "stopped", why: refuse });
    expect(sent).toEqual([]);
  },
);

test("an answer that was whole when ccp died is taken from the spool, without a request", async () => {
  const { outcome, done, sent } = await run(["a"], { answers: {}, recovered: answered(finish) as never });
  expect(outcome.type).toBe("finished");
  expect(done).toEqual(["use finish"]);
  expect(sent).toEqual([]);
});

test("what had arrived of an answer is handed over with its end", async () => {
  const { arrived } = await run(["a"], { answers: { a: [failed("overloaded"), answered(finish)] } });
  expect(arrived).toEqual(["…", "…"]);
});

test("a call that our own stop cut is lost, not settled", async () => {
  const abort = new AbortController();
  abort.abort();
  const { outcome, done } = await run(["a"], {
    answers: { a: [failed("network")] },
    signal: abort.signal,
    stop: (() => {
      let looks = 0;
      return () => (looks++ === 0 ? null : "aborted");
    })(),
  });
  expect(outcome).toMatchObject({ type: "stopped", why: "aborted" });
  expect(done).toEqual(["intend a 400", "lose c1"]);
});

test("a stop comes between two turns; an accepted finish needs none", async () => {
  const { outcome, sent } = await run(["a"], { answers: { a: [answered(finish)] }, stop: () => "paused" });
  expect(outcome).toMatchObject({ type: "stopped", why: "paused" });
  expect(sent).toEqual([]);
});

test("a cut answer is told how long one may be", async () => {
  const cut: End = { ...(answered(finish) as Extract<End, { type: "answered" }>), stop: "length" };
  const { sent } = await run(["a"], { answers: { a: [cut, answered(finish)] } });
  expect(sent[1]?.messages.at(-1)).toEqual({ role: "user", text: "in 400 tokens" });
});
