import { expect, test } from "vitest";
import { createAgent } from "../../src/agent/run-agent.ts";
import type { Reminder, Utterance } from "../../src/core/conversation.ts";
import { afterFailedAttempt, type FailureClass } from "../../src/core/failure.ts";
import type { Admission } from "../../src/core/lane-health.ts";
import type { ModelEvent, ModelFacts, ModelRequest, Part, ToolCall } from "../../src/core/model.ts";
import { FREE } from "../../src/core/money.ts";
import type { Assignment, CallIntent, FailedCall, StepPort, StopWhy, ToolUse } from "../../src/core/ports.ts";
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
  messages: {
    nudge: "finish, please",
    "open-todos": "left: ${todos}",
    truncated: "in ${maxTokens} tokens",
    empty: "say something",
    loop: "in circles",
  },
});

interface World {
  /** What each model answers, in turn; the last answer is given for ever. */
  readonly answers: Readonly<Record<string, readonly End[]>>;
  /** The answer to a call that was under way when ccp died, whole in the spool. */
  readonly recovered?: Extract<End, { type: "answered" }>;
  readonly signal?: AbortSignal;
  readonly stop?: () => StopWhy | null;
  /** What a tool gives. */
  readonly result?: (call: ToolCall) => string;
  readonly refuse?: "budget" | "window" | "unpriced" | "lost";
  /** A model whose provider's quota is used up between the lane's word and the reservation. */
  readonly spent?: string;
  /** What its lane says to a call of a model; else it may go. */
  readonly admit?: (model: string, except: readonly string[], now: number) => Admission;
  /** Why policies refuse a model at this moment; else they do not. */
  readonly refusal?: (model: string, now: number) => string | null;
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
  let now = 0;
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
      check: ({ name }: ToolCall) => {
        const effect = name === "edit" ? "write" : "read";
        return { type: "ready", tool: name, arguments: {}, subject: "", effect };
      },
      run: async () => ({ status: "ok", text: "", summary: "", finish: null }),
    },
    chance: {
      now: () => now,
      random: () => 0.5,
      rid: () => "r-a",
      async sleep(ms: number) {
        now += ms;
        done.push(`wait ${ms}`);
      },
    },
    signal: world.signal ?? new AbortController().signal,
    stopRequested: world.stop ?? (() => null),
    utterances: () => known,
    async closeOpenCall() {
      if (world.recovered) record(world.recovered);
    },
    heedPolicies: async () => undefined,
    refusalOf: ({ ref }: ModelFacts) => world.refusal?.(ref.model, now) ?? null,
    admit({ model }: CallIntent, except: readonly string[] = []): Admission {
      const usual: Admission = except.length === 0 ? { type: "go", credential: null } : { type: "none" };
      return world.admit?.(model.ref.model, except, now) ?? usual;
    },
    lastResort: () => false,
    rerouted: async () => null,
    candidatesBeside: async () => null,
    async intend({ model, wantedOutputTokens, credential }: CallIntent) {
      if (credential) done.push(`with ${credential}`);
      if (world.spent === model.ref.model) return { type: "spent", reason: "your quota is used up" };
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
    afterFailure: (failed: FailedCall) => afterFailedAttempt({ ...failed, msLeft: null, random: 0.5 }),
    say(why: Reminder, text: string) {
      done.push(`say ${why}`);
      known.push({ type: "said", why, text });
    },
    async useTools(uses: readonly ToolUse[]) {
      done.push(`use ${uses.map(({ call, check }) => `${check.type === "ready" ? "" : check.type}${call.name}`)}`);
      for (const { call, check } of uses) {
        const isReady = check.type === "ready";
        const [name, toolCallId] = [call.name, call.id];
        const text = isReady ? (world.result?.(call) ?? "") : check.text;
        const finish = isReady && name === "finish" ? { ok: true } : null;
        known.push({ type: "tool", toolCallId, name, text, status: isReady ? "ok" : "error", finish });
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
  expect(done.filter((what) => what.startsWith("intend"))).toEqual(["intend a 400", "intend b 400", "intend b 400"]);
});

const GO: Admission = { type: "go", credential: null };
const waits = (untilAt: number | null): Admission => ({ type: "wait", untilAt, reason: "its limit" });
const rests = (untilAt: number, why: FailureClass = "server"): Admission => {
  return { type: "rest", untilAt, why, reason: `it is ${why}` };
};
const inWords = (done: readonly string[]) => done.filter((what) => /wait|intend|with/.test(what)).join(", ");

test.each<[string, NonNullable<World["admit"]>, string]>([
  [
    "a limit that is over soon is waited for",
    (_, __, now) => (now < 61_000 ? waits(61_000) : GO),
    "wait 61000, intend a 400",
  ],
  ["one that is not is left to others", (model) => (model === "a" ? waits(61_001) : GO), "intend b 400"],
  ["a lane that rests is passed over", (model) => (model === "a" ? rests(1) : GO), "intend b 400"],
  [
    "of all that rest the soonest is waited for",
    (model, _, now) => (model === "b" && now >= 7_000 ? GO : rests(model === "a" ? 50_000 : 7_000)),
    "wait 7000, intend b 400",
  ],
  [
    "who comes back meanwhile is asked, wherever it stands on the route",
    (_, __, now) => (now >= 9_000 ? GO : rests(9_000)),
    "wait 9000, intend a 400",
  ],
])("%s", async (_, admit, expected) => {
  const answers = { a: [answered(finish)], b: [answered(finish)] };
  const { outcome, done } = await run(["a", "b"], { answers, admit });
  expect(outcome.type).toBe("finished");
  expect(inWords(done)).toBe(expected);
});

test("a model that a policy refuses by now is not asked again, and with nobody left the conversation stops", async () => {
  const answers = { a: [failed("overloaded"), answered(finish)], b: [answered(finish)] };
  // The policy comes while the first answer is waited for.
  const refusal: World["refusal"] = (model, now) => (model === "a" && now > 0 ? "no a" : null);
  const { outcome, done } = await run(["a", "b"], { answers, refusal });
  expect(outcome.type).toBe("finished");
  expect(inWords(done)).toBe("intend a 400, wait 500, intend b 400");
  const alone = await run(["a", "b"], { answers, refusal: (model) => `no ${model}` });
  expect(alone.outcome).toEqual({ type: "stopped", why: "policy", reason: "no a; no b" });
  expect(alone.sent).toEqual([]);
});

test("what is under way on this machine is waited for, however long it takes, where nobody else is left", async () => {
  const admit: World["admit"] = (_, __, now) => (now >= 100_000 ? GO : waits(null));
  const { outcome, done } = await run(["a"], { answers: { a: [answered(finish)] }, admit });
  expect(outcome.type).toBe("finished");
  expect(done.filter((what) => what.startsWith("wait"))).toHaveLength(100);
  const other = await run(["a", "b"], {
    answers: { b: [answered(finish)] },
    admit: (model) => (model === "a" ? waits(null) : GO),
  });
  expect(other.done.filter((what) => what.startsWith("wait"))).toHaveLength(61);
});

test.each<[string, Admission, string]>([
  ["rests for hours", rests(7_200_000, "quota"), "unavailable"],
  ["does not take its key", rests(7_200_000, "auth"), "credentials"],
  ["has a limit that is far", waits(90_000), "unavailable"],
])("where the only one %s it is said when it may be asked again", async (_, admission, why) => {
  const { outcome, sent } = await run(["a"], { answers: {}, admit: () => admission });
  expect(outcome).toMatchObject({ type: "stopped", why, reason: expect.stringMatching(/p\/a: .*, until \d\d:\d\d/) });
  expect(sent).toEqual([]);
});

test.each<FailureClass>(["rate", "quota", "auth"])(
  "after %s another key of the same lane is tried, then another lane",
  async (failure) => {
    const admit: World["admit"] = (model, except) => {
      const left = ["A", "B"].filter((name) => !except.includes(name));
      if (model !== "a") return except.length === 0 ? GO : { type: "none" };
      return left[0] ? { type: "go", credential: left[0] } : { type: "none" };
    };
    const answers = { a: [failed(failure, 1e6), failed(failure, 1e6)], b: [answered(finish)] };
    const { outcome, done } = await run(["a", "b"], { answers, admit });
    expect(outcome.type).toBe("finished");
    expect(inWords(done)).toBe("with A, intend a 400, with B, intend a 400, intend b 400");
  },
);

test("the keys of a model in turn are one attempt at it", async () => {
  const names = ["A", "B", "C", "D", "E", "F", "G", "H"];
  const admit: World["admit"] = (_, except) => {
    const [left] = names.filter((name) => !except.includes(name));
    return left ? { type: "go", credential: left } : { type: "none" };
  };
  const answers = { a: [...names.map(() => failed("rate", 70)), answered(finish)] };
  const { outcome, done } = await run(["a"], { answers, admit });
  expect(outcome.type).toBe("finished");
  expect(inWords(done)).toMatch(/with H, intend a 400, wait 70, with A, intend a 400$/);
});

test("what was tried with a model that rests by now does not count for the next", async () => {
  let asked = 0;
  const admit: World["admit"] = (model, _, now) => {
    if (model !== "a" || asked++ === 0) return GO;
    return { type: "rest", untilAt: now + 1e6, why: "overloaded", reason: "it was overloaded" };
  };
  const answers = { a: [failed("overloaded", 70)], b: [failed("timeout", 70), answered(finish)] };
  const { outcome, done } = await run(["a", "b"], { answers, admit });
  expect(outcome.type).toBe("finished");
  expect(inWords(done)).toBe("intend a 400, wait 70, intend b 400, wait 70, intend b 400");
});

test("whoever was let in and finds its quota used up leaves it to the next; where nobody is, the run stops", async () => {
  const answers = { a: [answered(finish)], b: [answered(finish)] };
  const admit: World["admit"] = (model, _, now) => {
    const isOver = model === "a" && asks++ > 0;
    return isOver ? { type: "spent", untilAt: now + 1e9, reason: "your quota is used up" } : GO;
  };
  let asks = 0;
  const { outcome, done } = await run(["a", "b"], { answers, admit, spent: "a" });
  expect(outcome.type).toBe("finished");
  expect(inWords(done)).toBe("intend b 400");
  const alone = await run(["a"], { answers, spent: "a" });
  expect(alone.outcome).toMatchObject({ type: "stopped", why: "window" });
});

test("an error of the server says nothing of its other keys", async () => {
  const admit: World["admit"] = (_, except) => ({ type: "go", credential: except.length === 0 ? "A" : "B" });
  const { done } = await run(["a"], { answers: { a: [failed("server", 70), answered(finish)] }, admit });
  expect(inWords(done)).toBe("with A, intend a 400, wait 70, with A, intend a 400");
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

const call = (name: string, id: string, args: object = {}): Part => ({
  kind: "tool_call",
  id,
  name,
  rawArguments: JSON.stringify(args),
});
/** Answers of one call each, all the same. */
const over = (count: number, name: string): readonly End[] =>
  Array.from({ length: count }, (_, turn) => answered(call(name, `t${turn}`)));

test("reads of one answer are carried out together, what may change files alone, in call order", async () => {
  const calls = [call("read", "1"), call("ls", "2"), call("edit", "3"), call("grep", "4"), call("edit", "5")];
  const { done } = await run(["a"], { answers: { a: [answered(...calls), answered(finish)] } });
  expect(done.filter((what) => what.startsWith("use"))).toEqual([
    "use read,ls",
    "use edit",
    "use grep",
    "use edit",
    "use finish",
  ]);
});

test("a model that goes in circles is told, refused, and then given up: named, and not asked again", async () => {
  const { outcome, done } = await run(["a"], { answers: { a: over(5, "read") } });
  expect(outcome).toMatchObject({ type: "failed", class: "loop" });
  expect(done.filter((what) => /^(use|say)/.test(what))).toEqual([
    "use read",
    "use read",
    "use read",
    "say loop",
    "use repeatedread",
  ]);
});

test("a poll whose answer changes is carried out as often as it is asked", async () => {
  let polls = 0;
  const answers = { a: [...over(4, "read"), answered(finish)] };
  const { outcome, done } = await run(["a"], { answers, result: () => `${polls++} %` });
  expect(outcome.type).toBe("finished");
  expect(done).not.toContain("say loop");
  expect(done.filter((what) => what === "use read")).toHaveLength(4);
});

test("a model that stops is reminded of what is open on its own list, as long as something is", async () => {
  const text: Part = { kind: "text", text: "Done." };
  const list = (id: string, mark: string) => ({ todo: answered(call("todo", id)), text: `${mark} mend it` });
  const [open, closed] = [list("1", "[ ]"), list("2", "[x]")];
  const result = ({ id }: ToolCall) => (id === "1" ? open.text : closed.text);
  const answers = { a: [open.todo, answered(text), closed.todo, answered(text), answered(finish)] };
  const { sent } = await run(["a"], { answers, result });
  const said = sent.flatMap(({ messages }) => messages.at(-1) ?? []).filter(({ role }) => role === "user");
  expect(said.slice(1)).toEqual([
    { role: "user", text: "finish, please\n\nleft: [ ] mend it" },
    { role: "user", text: "finish, please" },
  ]);
});

test("a run that was begun before there were words for it is reminded with those that it has", async () => {
  const { port, sent } = step({ answers: { a: [...over(3, "read"), answered(finish)] } });
  const old = { ...assignment(["a"]), messages: { nudge: "finish, please" } };
  await createAgent().run(old, port);
  expect(sent.at(-1)?.messages.at(-1)).toEqual({ role: "user", text: "finish, please" });
});

test("a stalled answer is not waited for twice while another candidate is left", async () => {
  const { done } = await run(["a", "b"], { answers: { a: [failed("stalled")], b: [answered(finish)] } });
  const intents = done.filter((what) => what.startsWith("intend"));
  expect(intents).toEqual(["intend a 400", "intend b 400"]);
});
