import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createAgent } from "../../src/agent/run-agent.ts";
import { canonicalEvents, firstDifference } from "../../src/core/canonical.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import type { Json } from "../../src/core/json.ts";
import type { ModelEvent, ModelFacts } from "../../src/core/model.ts";
import type { Models, Tools } from "../../src/core/ports.ts";
import { type Run, stepState } from "../../src/core/run.ts";
import type { Store } from "../../src/core/store.ts";
import { type Replay, replay } from "../../src/engine/replay.ts";
import { replayAgainst } from "../../src/engine/replay-against.ts";
import { Course } from "../../src/engine/replay-course.ts";
import { differenceInWords } from "../../src/engine/replay-words.ts";
import type { ReplayParts } from "../../src/engine/replay-world.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { openUserLedger } from "../../src/store/user-ledger.ts";
import { Crash, dyingStore, withMembers } from "../support/dying-store.ts";
import { git } from "../support/git.ts";
import {
  APPROVAL,
  FULL_PIPELINE,
  listener,
  MENDING,
  PLAN,
  REJECTION,
  type Scenario,
  type ScriptedTurn,
  scenario,
  WORK,
} from "../support/scenario.ts";
import { tempDir } from "../support/temp.ts";

const call = (tool: string, args: unknown) => ({ tool, args });
const edit = (from: string, to: string) => call("edit", { path: "sum.mjs", edits: [{ old: from, new: to }] });
const finish = (value: unknown) => call("finish", value);
const planner: ScriptedTurn = { role: "planner", turn: 1, calls: [finish(PLAN)] };
const quickDoer: ScriptedTurn = { role: "doer", turn: 1, calls: [edit("a - b", "a + b"), finish(WORK)] };
const approve: ScriptedTurn = { role: "reviewer", turn: 1, calls: [finish(APPROVAL)] };
const DOER_ONLY = "pipeline:\n  - role: doer\n";
const NO_CHANGES = { budget: null, routes: {}, pipeline: null } as const;

type Engine = Awaited<ReturnType<Scenario["engine"]>>;

/** What a replay gets of a world: its journal, its repository, real tools. No models. */
async function partsOf({ wiring }: Scenario, store: Store, change: Partial<ReplayParts> = {}): Promise<ReplayParts> {
  const [repository, tools] = [await wiring.repository(), await wiring.tools()];
  const openMemory = () => SqliteStore.inMemory();
  return { store, openMemory, repository, tools, agent: createAgent(), chance: wiring.chance, ...change };
}

async function replayed(world: Scenario, rid: string, change: Partial<ReplayParts> = {}): Promise<Replay> {
  const store = change.store ?? new SqliteStore(join(world.root, ".git", "ccp"));
  try {
    return await replay(rid, await partsOf(world, store, change), new AbortController().signal);
  } finally {
    if (!change.store) store.close();
  }
}

/** The run, replayed: the same, to the last event and the last byte. */
async function expectSame(world: Scenario, run: Run): Promise<void> {
  const result = await replayed(world, run.rid);
  expect(result.difference).toBeNull();
  expect(result).toMatchObject({ same: true, status: run.status, replayedStatus: run.status });
  expect(result.artifacts.map(({ name }) => name).toSorted()).toEqual(Object.keys(run.artifacts).toSorted());
  expect(result.artifacts.every(({ was, is }) => was !== null && was === is)).toBe(true);
}

async function driven(options: Parameters<typeof scenario>[0], around: Parameters<Scenario["engine"]>[0] = {}) {
  const world = scenario(options);
  const engine = await world.engine(around);
  const run = await engine.start(await world.spec(), listener());
  return { world, engine, run };
}

const typesOf = (engine: Engine, { rid }: Run) => engine.store.events(rid).map(({ type }) => type);

describe("a run that is replayed is the same", () => {
  test("when it went well, and nothing of the replay is left, nor anything changed by it", async () => {
    const { world, engine, run } = await driven({});
    const leavings = () => ({
      worktrees: git(world.root, "worktree", "list"),
      branches: git(world.root, "for-each-ref"),
      runs: readdirSync(join(world.root, ".git", "ccp", "runs")),
      results: readdirSync(join(world.root, "results"), { recursive: true }),
      status: git(world.root, "status", "--porcelain"),
      objects: git(world.root, "count-objects"),
      events: engine.store.events(run.rid).length,
    });
    const before = leavings();
    await expectSame(world, run);
    expect(leavings()).toEqual(before);
  });

  test("with ways back, red checks, reminders and a rejection, and after it has failed and was gone on with", async () => {
    const wrong: ScriptedTurn = { ...quickDoer, conversation: 1, calls: [edit("a - b", "a * b * 2"), finish(WORK)] };
    const { world, engine, run } = await driven({
      turns: [
        { role: "planner", turn: 1, say: "Well." },
        { role: "planner", turn: 2, calls: [finish(PLAN)] },
        wrong,
        { ...quickDoer, conversation: 2, calls: [edit("a * b * 2", "a + b"), finish(WORK)] },
        { ...quickDoer, conversation: 3, calls: [edit("a + b", "b + a"), finish(WORK)] },
        { ...approve, calls: [finish(REJECTION)] },
      ],
    });
    expect(run.status).toBe("failed");
    expect(typesOf(engine, run)).toEqual(expect.arrayContaining(["steps.reset", "message.added"]));
    await expectSame(world, run);
    const again = await engine.resume(run.rid, NO_CHANGES, listener());
    expect(typesOf(engine, again)).toContain("run.resumed");
    await expectSame(world, again);
  });

  test("with a check that is red at first, a formatter that changes files and a step that ran out of time", async () => {
    const pipeline = `
pipeline:
  - id: doer
    role: doer
    attempts: 2
    timeout: 2s
    until: { run: node check.mjs, attempts: 3 }
  - { id: format, run: echo "// formatted" >> sum.mjs, changes: keep }
  - { id: litter, run: echo x > litter.txt }
`;
    const { world, engine, run } = await driven({
      pipeline,
      turns: [
        { ...quickDoer, conversation: 1, delay_ms: 60_000 },
        { ...quickDoer, conversation: 2, calls: [edit("a - b", "a * b * 2"), finish(WORK)] },
        { role: "doer", conversation: 2, turn: 2, calls: [edit("a * b * 2", "a + b"), finish(WORK)] },
      ],
    });
    expect(run.status).toBe("succeeded");
    const ends = engine.store.events(run.rid).flatMap((event) => (event.type === "step.finished" ? event.outcome : []));
    expect(ends[0]).toMatchObject({ status: "failed", class: "timeout" });
    await expectSame(world, run);
  });

  test("when it was killed twice, wherever that was; and it has the facts of one that was not", async () => {
    const world = scenario();
    const spec = await world.spec();
    const whole = await (await world.engine()).start(spec, listener());
    const facts = (store: Store, rid: string) => canonicalEvents(store.events(rid));
    for (const [first, second] of [
      [9, 4],
      [17, 9],
      [26, 13],
    ] as const) {
      const dead = await world.engine({ store: (store) => dyingStore(store, (at) => at > first) });
      await expect(dead.start(spec, listener())).rejects.toThrow(Crash);
      const rid = dead.store.runs({ limit: 1 })[0]?.rid ?? "";
      dead.store.close();
      const deadAgain = await world.engine({ store: (store) => dyingStore(store, (at) => at > second) });
      await expect(deadAgain.resume(rid, NO_CHANGES, listener())).rejects.toThrow(Crash);
      deadAgain.store.close();
      const engine = await world.engine();
      const run = await engine.resume(rid, NO_CHANGES, listener());
      expect(firstDifference(facts(engine.store, rid), facts(engine.store, whole.rid))).toBeNull();
      await expectSame(world, run);
      engine.store.close();
    }
  });

  test("when it was never gone on with after a crash: it is followed to where it died", async () => {
    const world = scenario();
    const dead = await world.engine({ store: (store) => dyingStore(store, (at) => at > 20) });
    await expect(dead.start(await world.spec(), listener())).rejects.toThrow(Crash);
    const rid = dead.store.runs()[0]?.rid ?? "";
    dead.store.close();
    const result = await replayed(world, rid);
    expect(result).toMatchObject({ same: true, status: "running", replayedStatus: "running", difference: null });
  });

  test("with calls that failed, that were lost, and that cost what nobody had foreseen, on a tight budget", async () => {
    const world = scenario({ pipeline: `budget: { usd: 0.9 }\n${FULL_PIPELINE}`, turns: MENDING });
    const engine = await world.engine({ models: troubled });
    const run = await engine.start(await world.spec(), listener());
    expect(run.status).toBe("succeeded");
    const events = engine.store.events(run.rid);
    expect(events).toContainEqual(expect.objectContaining({ type: "call.lost", failure: expect.anything() }));
    expect(events).toContainEqual(expect.objectContaining({ type: "call.reserved", shrunk: true }));
    await expectSame(world, run);
  });

  test("when the user's own ceiling for the day had shortened its answers, and then stopped it", async () => {
    const ledger = openUserLedger(join(tempDir("ccp-ledger"), "ledger.db"), { day: { maxTokens: 9_500 } });
    const { world, engine, run } = await driven(
      { turns: MENDING },
      { models: (models) => troubled(models, { isQuiet: true }), userLedger: ledger },
    );
    ledger.close();
    expect(run).toMatchObject({ status: "budget_reached", end: { reason: expect.stringContaining("for this day") } });
    expect(engine.store.events(run.rid)).toContainEqual(
      expect.objectContaining({ type: "call.reserved", shrunk: true }),
    );
    await expectSame(world, run);
  });

  test.each(["pause", "abort"] as const)("when somebody had it %s, and then let it go on", async (how) => {
    const world = scenario({ turns: MENDING.map((turn) => (turn.role === "doer" ? { ...turn, delay_ms: 20 } : turn)) });
    const engine = await world.engine();
    const abort = new AbortController();
    let isPaused = false;
    const onEvent = (event: StoredEvent) => {
      if (event.type !== "call.reserved" || event.stepId !== "doer" || event.turn !== 2) return;
      if (how === "pause") isPaused = true;
      else setImmediate(() => abort.abort());
    };
    const control = { signal: abort.signal, pauseRequested: () => isPaused, exitCode: () => 143 as const };
    const stopped = await engine.start(await world.spec(), listener({ onEvent, control }));
    expect(stopped).toMatchObject({ status: "paused", end: { exitCode: 143 } });
    expect(stepState(stopped, "doer").lostCalls).toBe(how === "pause" ? 0 : 1);
    await expectSame(world, stopped);
    const run = await engine.resume(stopped.rid, NO_CHANGES, listener());
    expect(run.status).toBe("succeeded");
    await expectSame(world, run);
  });

  test("when it ran out of tokens, of time in a command, and was given more of each", async () => {
    const pipeline = `
budget: { tokens: 24000, minutes: 0.03 }
roles: { doer: { budget: { tokens: 24000 } } }
pipeline:
  - id: slow
    run: test -e scratch/go || { mkdir -p scratch; touch scratch/go; sleep 600; }
  - role: doer
`;
    const turns: readonly ScriptedTurn[] = [
      { role: "doer", turn: 1, calls: [edit("a - b", "a + b")], usage: { input: 18_000, output: 500 } },
      { role: "doer", turn: 2, calls: [finish(WORK)] },
    ];
    const { world, engine, run: outOfTime } = await driven({ pipeline, turns });
    expect(outOfTime).toMatchObject({ status: "budget_reached", end: { hint: expect.stringContaining("--minutes") } });
    await expectSame(world, outOfTime);
    const budget = { maxTokens: 24_000, maxDurationMs: 600_000 };
    const outOfTokens = await engine.resume(outOfTime.rid, { ...NO_CHANGES, budget }, listener());
    expect(outOfTokens).toMatchObject({ status: "budget_reached", end: { hint: expect.stringContaining("--tokens") } });
    await expectSame(world, outOfTokens);
    const more = { ...budget, maxTokens: 60_000 };
    const run = await engine.resume(outOfTime.rid, { ...NO_CHANGES, budget: more }, listener());
    expect(run.status).toBe("succeeded");
    await expectSame(world, run);
  });

  test("when a person had worked in its files, had it taken back a step and gone on with on another plan", async () => {
    const world = scenario({
      turns: [planner, quickDoer, { ...quickDoer, conversation: 2 }, { ...approve, calls: [finish(REJECTION)] }],
    });
    const engine = await world.engine();
    const spec = await world.spec();
    const failed = await engine.start(spec, listener());
    expect(failed.status).toBe("failed");
    writeFileSync(join(failed.workspace?.path ?? "", "mine.txt"), "by hand\n");
    const edited = await engine.resume(failed.rid, NO_CHANGES, listener());
    expect(typesOf(engine, edited)).toContain("workspace.edited");
    await expectSame(world, edited);
    engine.rewind(failed.rid, "doer");
    const steps = spec.pipeline.steps.filter(({ id }) => id !== "reviewer");
    const plan = { pipeline: { ...spec.pipeline, steps }, inputs: spec.inputs };
    const run = await engine.resume(failed.rid, { ...NO_CHANGES, pipeline: plan }, listener());
    expect(typesOf(engine, run)).toEqual(expect.arrayContaining(["run.rewound", "pipeline.changed"]));
    await expectSame(world, run);
  });

  test("when it had taken over what another run had done", async () => {
    const { world, engine, run: parent } = await driven({ turns: [planner, quickDoer, approve] });
    const spec = await world.spec();
    const { events } = engine.inheritance(parent.rid, { pipeline: spec.pipeline, inputs: spec.inputs }, "reviewer");
    const run = await engine.start({ ...spec, parent: parent.rid, inherited: events }, listener());
    expect(run.status).toBe("succeeded");
    expect(stepState(run, "doer").reusedFrom).toBe(parent.rid);
    await expectSame(world, run);
  });

  test("when readers worked side by side on one purse", async () => {
    const readers = ["a", "b", "c"];
    const pipeline = `
budget: { tokens: 40000 }
roles: { planner: { budget: { tokens: 40000 } } }
pipeline:
${readers.map((id) => `  - { id: ${id}, role: planner, needs: [] }`).join("\n")}
`;
    const turns = readers.flatMap((step, index): readonly ScriptedTurn[] => [
      { step, turn: 1, delay_ms: 30 * (3 - index), calls: [call("read", { path: "sum.mjs" })] },
      { step, turn: 2, delay_ms: 20 * index, calls: [finish(PLAN)] },
    ]);
    const { world, run } = await driven({ pipeline, turns });
    expect(run.status).toBe("succeeded");
    await expectSame(world, run);
  });
});

/** Answers that cost money, after an attempt that is cut off with half of its text and one that is refused. */
function troubled(models: Models, { isQuiet }: { readonly isQuiet?: boolean } = {}): Models {
  const price = { input: 3e9, cacheRead: 3e8, cacheWrite: 3e9, output: 15e9, tiers: [] };
  const seen = new Set<string>();
  const isNew = (key: string) => !isQuiet && !seen.has(key) && Boolean(seen.add(key));
  const failed = (mayBeBilled: boolean): ModelEvent => ({
    type: "failed",
    failure: { class: "server", message: "the line was cut", httpStatus: 500, retryAfterMs: 5, mayBeBilled },
    usage: null,
    providerCostNanos: null,
  });
  return {
    ...models,
    facts: (ref): ModelFacts => ({ ...models.facts(ref), price, scripted: false, local: false }),
    async *send(request, sent) {
      const { role, turn } = request.asker;
      if (role === "doer" && turn === 2 && isNew("lost")) {
        yield { type: "text", text: "half of " };
        return yield failed(true);
      }
      if (role === "doer" && turn === 3 && isNew("refused")) return yield failed(false);
      for await (const event of models.send(request, sent)) {
        yield event.type === "answered" && turn === 2 ? { ...event, providerCostNanos: 12_345 } : event;
      }
    },
  };
}

describe("what is not the same is found, and said", () => {
  test("a tool that answers otherwise, and one that leaves other files", async () => {
    const turns: readonly ScriptedTurn[] = [
      { role: "doer", turn: 1, calls: [edit("a - b", "a + b")] },
      { role: "doer", turn: 2, calls: [finish(WORK)] },
    ];
    const { world, run } = await driven({ pipeline: DOER_ONLY, turns });
    const tools = await world.wiring.tools();
    const changed = (change: Tools["run"]): Partial<ReplayParts> => ({ tools: { ...tools, run: change } });
    const wordy = await replayed(
      world,
      run.rid,
      changed(async (ready, place) => {
        const result = await tools.run(ready, place);
        return ready.tool === "edit" ? { ...result, text: `${result.text}\nThat went well.` } : result;
      }),
    );
    expect(wordy).toMatchObject({ same: false, status: "succeeded", replayedStatus: "running" });
    expect(wordy.difference).toMatchObject({
      type: "tool.finished",
      stepId: "doer",
      path: "result.sha256",
      is: expect.stringContaining("That went well."),
      says: expect.stringMatching(/step "doer".*edit.*text of the answer/),
      hint: expect.stringContaining("git ignores"),
    });
    expect(wordy.difference?.was).not.toBe(wordy.difference?.is);
    const messy = await replayed(
      world,
      run.rid,
      changed(async (ready, place) => {
        if (ready.tool === "edit") await place.workspace.writeFile("left.txt", new Uint8Array());
        return tools.run(ready, place);
      }),
    );
    expect(messy.difference).toMatchObject({ type: "tool.finished", path: "treeAfter" });
    expect(messy.difference?.says).toContain("the tree that it left");
  });

  test("a journal in which somebody has changed an event, left one out or put one in", async () => {
    const { world, engine, run } = await driven({ turns: [planner, quickDoer, approve] });
    const tampered = async (change: (events: readonly StoredEvent[]) => readonly StoredEvent[]) => {
      const events = (rid: string, after = 0) => change(engine.store.events(rid)).filter(({ seq }) => seq > after);
      return replayed(world, run.rid, { store: withMembers(engine.store, { events, folded: () => null }) });
    };
    const events = engine.store.events(run.rid);
    const check = events.findIndex((event) => event.type === "command.finished" && event.stepId === "test");
    const outcome = await tampered((log) =>
      log.map((event, index) =>
        index === check && event.type === "command.finished" ? { ...event, end: { ...event.end, exitCode: 1 } } : event,
      ),
    );
    expect(outcome).toMatchObject({ same: false, difference: { type: "command.finished", stepId: "test" } });

    const answer = events.findIndex((event) => event.type === "call.settled" && event.stepId === "doer");
    const without = await tampered((log) => log.filter((_, index) => index !== answer));
    expect(without).toMatchObject({ same: false, difference: { stepId: "doer" } });

    const last = events.at(-1) as StoredEvent;
    const twice = await tampered((log) => [
      ...log.slice(0, -1),
      {
        type: "artifact.written",
        name: "X.md",
        blob: { sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", sizeBytes: 0 },
        stepId: "reviewer",
        seq: last.seq,
        at: last.at,
      },
      { ...last, seq: last.seq + 1 },
    ]);
    expect(twice).toMatchObject({
      same: false,
      difference: { type: "artifact.written", says: expect.stringContaining("X.md") },
    });
    expect(twice.artifacts).toContainEqual({ name: "X.md", was: expect.any(String), is: null });
  });

  test("a question that is another one: it is not answered, and the replay ends there", async () => {
    const { world, engine, run } = await driven({ turns: [planner, quickDoer, approve] });
    const change = (event: StoredEvent): StoredEvent =>
      event.type === "call.reserved" && event.stepId === "doer" ? { ...event, request: "0".repeat(64) } : event;
    const events = (rid: string, after = 0) => engine.store.events(rid, after).map(change);
    const result = await replayed(world, run.rid, { store: withMembers(engine.store, { events }) });
    expect(result).toMatchObject({
      same: false,
      replayedStatus: "running",
      difference: {
        type: "call.reserved",
        stepId: "doer",
        path: "request",
        says: expect.stringContaining("what was asked"),
      },
    });
  });

  test("files that somebody changed while the run was driven: that is not on record, and is said", async () => {
    const world = scenario({ turns: [planner, quickDoer, approve] });
    const engine = await world.engine();
    const onEvent = (event: StoredEvent, run: Run) => {
      if (event.type === "tool.started" && event.tool === "finish" && event.stepId === "reviewer")
        writeFileSync(join(run.workspace?.path ?? "", "mine.txt"), "by hand\n");
    };
    const run = await engine.start(await world.spec(), listener({ onEvent }));
    const result = await replayed(world, run.rid);
    expect(result).toMatchObject({
      same: false,
      difference: {
        type: "step.finished",
        stepId: "reviewer",
        hint: expect.stringContaining("somebody changed files"),
      },
    });
  });

  test("a payload that is not what it was", async () => {
    const { world, engine, run } = await driven({ turns: [planner, quickDoer, approve] });
    const plan = run.artifacts["PLAN.md"]?.blob.sha256;
    const blob: Store["blob"] = (ref) => {
      if (ref.sha256 === plan) throw Object.assign(new Error("not what it was"), { code: "blob_missing" });
      return engine.store.blob(ref);
    };
    const result = await replayed(world, run.rid, { store: withMembers(engine.store, { blob }) });
    expect(result).toMatchObject({
      same: false,
      replayedStatus: "new",
      difference: { was: plan, says: expect.stringContaining("is not what it was") },
    });
  });
});

describe("a difference in words", () => {
  const texts: Readonly<Record<string, string>> = { a: "one\ntwo\nthree", b: "one\n2\nthree", c: "one\ntwo" };
  const read = (sha256: string) => texts[sha256] ?? null;
  const says = (path: string, was: Json | undefined, is: Json | undefined) =>
    differenceInWords({ seq: 7, path, was, is }, { was: read, is: read });
  const fact = (type: string, rest: Readonly<Record<string, Json>> = {}) => ({ type, stepId: "s", ...rest });
  const ref = (sha256: string) => ({ sha256, sizeBytes: 3 });

  test("names the first line in which two texts part", () => {
    const tool = (sha256: string) => fact("tool.finished", { tool: "read", result: ref(sha256) });
    expect(says("result.sha256", tool("a"), tool("b"))).toMatchObject({
      was: "line 2: two",
      is: "line 2: 2",
      stepId: "s",
    });
    expect(says("result.sha256", tool("a"), tool("c"))).toMatchObject({
      was: "line 3: three",
      is: "(ends after line 2)",
    });
    const sized = (sizeBytes: number) => fact("tool.finished", { tool: "read", result: { sha256: "a", sizeBytes } });
    expect(says("result.sizeBytes", sized(3), sized(4))).toMatchObject({ was: "3 bytes", is: "4 bytes" });
    expect(says("result.sha256", tool("x"), tool("y"))).toMatchObject({ was: "x", is: "y" });
  });

  test.each([
    [
      "prompt.sha256",
      fact("step.started", { conversation: 2, prompt: ref("a") }),
      /the beginning of try 2: the prompt .*prompts together/s,
    ],
    ["tree", fact("step.started", { conversation: 1, tree: "t" }), /the tree that it began on .*see what the tools/s],
    [
      "request",
      fact("call.reserved", { conversation: 1, turn: 3 }),
      /question of turn 3 in try 1: what was asked .*puts the question/s,
    ],
    [
      "result.stop",
      fact("call.settled", { result: { stop: "end" } }),
      /the answer of a model: `result\.stop` .*from the journal/s,
    ],
    ["reason", fact("call.lost", { reason: "x" }), /a call that was lost.*from the journal/s],
    [
      "end.exitCode",
      fact("command.finished", { command: "make", end: { exitCode: 1 } }),
      /the outcome of `make`.*from the journal/s,
    ],
    ["command", fact("command.started", { command: "make" }), /the command `make` that began.*decides otherwise/s],
    [
      "result.sha256",
      fact("tool.finished", { tool: "bash", result: ref("a") }),
      /the tool bash answered: the text.*from the journal/s,
    ],
    ["text.sha256", fact("message.added", { text: ref("a") }), /what the model was reminded of/],
    [
      "blob.sha256",
      fact("artifact.written", { name: "PLAN.md", blob: ref("a") }),
      /the artifact PLAN\.md: its content/,
    ],
    [
      "feedback.sha256",
      { type: "steps.reset", from: "test", to: "build", feedback: ref("a") },
      /the way back from "test" to "build"/,
    ],
    ["tree", { type: "workspace.prepared", tree: "t" }, /the event workspace\.prepared: `tree`/],
    ["exitCode", { type: "run.ended", status: "failed", exitCode: 1 }, /the end of the run \(failed\): `exitCode`/],
  ] as const)("of %s of %j", (path, was, words) => {
    const { says: sentence, hint } = says(path, was as Json, was as Json);
    expect(`${sentence} ${hint}`).toMatch(words);
  });

  test("of a fact that one side has not, or that is another", () => {
    const [began, ended] = [fact("step.started", { conversation: 1 }), { type: "run.ended", status: "failed" }];
    expect(says("", began, undefined)).toMatchObject({
      is: null,
      says: expect.stringContaining("does not come to this: step"),
    });
    expect(says("", undefined, began)).toMatchObject({
      was: null,
      says: expect.stringContaining("what is not on record: step"),
    });
    expect(says("type", began, ended).says).toMatch(
      /^where the run has step "s", .* the replay has the end of the run/,
    );
  });
});

describe("whoever waits for a turn that does not come", () => {
  const fact = (name: string, stepId: string, drive = 0) => ({ name, stepId, drive, event: {} as StoredEvent });
  const noSignal = new AbortController().signal;
  const patience = { orderMs: 1, allMs: 2 };
  const end = { type: "run.ended", status: "succeeded", exitCode: 0, reason: null, hint: null } as const;
  const drive = { opening: [], edited: null, end, closing: [] };
  const courseOf = (...facts: readonly ReturnType<typeof fact>[]) => {
    const course = new Course({ drives: [drive], facts }, () => undefined, patience);
    course.next();
    return course;
  };

  test("is let go before it, so that another order is no standstill", async () => {
    const course = courseOf(fact("a", "one"), fact("b", "two"), fact("c", "three"));
    expect(await course.turn("c", { stepId: "three", signal: noSignal })).toBe(true);
    course.close();
  });

  test("and has none of its own is told at last that nothing will come", async () => {
    const course = courseOf(fact("a", "one"));
    await expect(course.never(noSignal)).rejects.toThrow("waits for something that does not come");
    await expect(course.turn("a", { stepId: "one", signal: noSignal })).rejects.toBe(course.failure);
    course.close();
  });

  test("is told at once of what is not on record, or has been passed over", async () => {
    const unknown = courseOf(fact("a", "one"), fact("b", "two"));
    await expect(unknown.turn("x", { stepId: "three", signal: noSignal })).rejects.toThrow("x is not on record");
    const passed = courseOf(fact("a", "one"), fact("b", "one"));
    await expect(passed.turn("b", { stepId: "one", signal: noSignal })).rejects.toThrow("b comes before a");
    const stopped = courseOf(fact("a", "one"), fact("b", "two"));
    expect(await stopped.turn("b", { stepId: "two", signal: AbortSignal.abort() })).toBe(false);
    for (const course of [unknown, passed, stopped]) course.close();
  });
});

describe("what cannot be replayed is refused", () => {
  test("a run of an older ccp, one that is being driven, and one that there is not", async () => {
    const { world, engine, run } = await driven({ turns: [planner, quickDoer, approve] });
    const old = (event: StoredEvent): StoredEvent =>
      event.type === "call.reserved" ? { ...event, facts: null } : event;
    const events = (rid: string, after = 0) => engine.store.events(rid, after).map(old);
    const refused = (store: Partial<Store>, rid = run.rid) =>
      replayed(world, rid, { store: withMembers(engine.store, store) });
    await expect(refused({ events })).rejects.toMatchObject({ code: "not_replayable", exitCode: 2 });
    await expect(refused({ isOwned: () => true })).rejects.toMatchObject({ code: "still_running", exitCode: 7 });
    await expect(refused({}, "r-nobody")).rejects.toMatchObject({ code: "unknown_run" });
  });

  test("one that is stopped is given up, and its worktree goes", async () => {
    const { world, engine, run } = await driven({ turns: [planner, quickDoer, approve] });
    const stop = new AbortController();
    const tools = await world.wiring.tools();
    const stopping = (...args: Parameters<Tools["run"]>) => {
      stop.abort();
      return tools.run(...args);
    };
    const parts = await partsOf(world, engine.store, { tools: { ...tools, run: stopping } });
    await expect(replay(run.rid, parts, stop.signal)).rejects.toMatchObject({ code: "interrupted", exitCode: 130 });
    expect(readdirSync(join(world.root, ".git", "ccp", "runs"))).toEqual([run.rid]);
    const plan = { pipeline: engine.pinnedPipeline(run.rid), inputs: {} };
    await expect(replayAgainst(run.rid, plan, parts, stop.signal)).rejects.toMatchObject({ code: "interrupted" });
    expect(readdirSync(join(world.root, ".git", "ccp", "runs"))).toEqual([run.rid]);
  });
});

describe("another plan, with the old answers", () => {
  test("is gone through with what was answered in the same places, and what is another question is counted", async () => {
    const { world, engine, run } = await driven({
      turns: [
        planner,
        { ...quickDoer, calls: [edit("a - b", "a + b"), call("bash", { command: "echo x > made.txt" }), finish(WORK)] },
        approve,
      ],
    });
    const pipeline = engine.pinnedPipeline(run.rid);
    const { inputs } = await world.spec();
    const parts = await partsOf(world, engine.store);
    const against = (change: Partial<typeof pipeline>) =>
      replayAgainst(run.rid, { pipeline: { ...pipeline, ...change }, inputs }, parts, new AbortController().signal);
    const as = (steps: typeof pipeline.steps) => against({ steps });

    expect(await against({})).toMatchObject({
      status: "succeeded",
      replayedStatus: "succeeded",
      tree: { was: run.tree, is: run.tree },
      questions: { asked: 3, different: 0, first: null },
      commands: { run: 3, onOtherFiles: 0 },
      missing: null,
    });

    const prompted = await as(
      pipeline.steps.map((step) =>
        step.id === "doer" && step.kind === "agent" ? { ...step, prompt: "Be quick." } : step,
      ),
    );
    expect(prompted).toMatchObject({
      replayedStatus: "succeeded",
      tree: { is: run.tree },
      questions: { asked: 3, different: 1, first: { stepId: "doer", conversation: 1, turn: 1, what: "its prompt" } },
    });

    const shorter = await as(pipeline.steps.filter(({ id }) => id !== "reviewer"));
    expect(shorter).toMatchObject({
      replayedStatus: "succeeded",
      tree: { is: run.tree },
      questions: { asked: 2 },
      missing: null,
    });
    expect(shorter.artifacts).toContainEqual({ name: "REVIEW.md", was: expect.any(String), is: null });

    const reviewer = pipeline.steps.find(({ id }) => id === "reviewer");
    const longer = await as([
      ...pipeline.steps,
      { ...(reviewer as (typeof pipeline.steps)[number]), id: "second", needs: ["reviewer"] },
    ]);
    expect(longer).toMatchObject({ replayedStatus: "running", questions: { asked: 3 } });
    expect(longer.missing).toMatch(/step "second" asks a model \(try 1, turn 1\).*no such answer/);

    const otherwise = await as(
      pipeline.steps.map((step) =>
        step.kind === "shell" ? { ...step, command: { kind: "text", text: "node other.mjs" } } : step,
      ),
    );
    expect(otherwise.missing).toMatch(/`node other\.mjs`.*no outcome/);
    expect(existsSync(join(world.root, ".git", "ccp", "runs", run.rid))).toBe(true);
    expect(readdirSync(join(world.root, ".git", "ccp", "runs"))).toEqual([run.rid]);
  });

  test("goes on where the run had failed and was gone on with, and says what it leaves out", async () => {
    const pipeline = `${DOER_ONLY}  - { id: test, run: test -e mine.txt }\n`;
    const { world, engine, run: failed } = await driven({ pipeline, turns: [quickDoer] });
    expect(failed.status).toBe("failed");
    writeFileSync(join(failed.workspace?.path ?? "", "mine.txt"), "by hand\n");
    const run = await engine.resume(failed.rid, NO_CHANGES, listener());
    const plan = { pipeline: engine.pinnedPipeline(run.rid), inputs: {} };
    const parts = await partsOf(world, engine.store);
    const result = await replayAgainst(run.rid, plan, parts, new AbortController().signal);
    expect(result.leftOut).toEqual(["what a person changed in the worktree"]);
    expect(result).toMatchObject({
      status: "succeeded",
      replayedStatus: "succeeded",
      commands: { onOtherFiles: 1, first: 'step "test": `test -e mine.txt`' },
    });
  });
});
