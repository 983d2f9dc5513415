import { describe, expect, test } from "vitest";
import { createAgent } from "../../src/agent/run-agent.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import type { ModelRequest } from "../../src/core/model.ts";
import type { Models } from "../../src/core/ports.ts";
import { type Run, stepState } from "../../src/core/run.ts";
import type { Store } from "../../src/core/store.ts";
import { replay } from "../../src/engine/replay.ts";
import { replayAgainst } from "../../src/engine/replay-against.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { dyingStore } from "../support/dying-store.ts";
import { listener, RED_PROJECT, type Scenario, type ScriptedTurn, scenario, WORK } from "../support/scenario.ts";

const call = (tool: string, args: unknown) => ({ tool, args });
const NO_CHANGES = { budget: null, routes: {}, pipeline: null } as const;

/** Some 3,000 tokens of text, different for each number. */
const pages = (number: number) =>
  Array.from(
    { length: 130 },
    (_, line) => `Page ${number}, line ${line}: a sentence of which nothing is needed later.`,
  ).join("\n");

const FILES = {
  ...RED_PROJECT,
  ...Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`docs/page-${at + 1}.txt`, pages(at + 1)])),
};
const PIPELINE = `
roles:
  doer: { context: { tokens: 16000 } }
pipeline:
  - role: doer
`;

/** Notes its work, reads twelve pages one after the other, then mends the sum. */
const READING: readonly ScriptedTurn[] = [
  {
    role: "doer",
    turn: 1,
    say: "First the pages.",
    calls: [
      call("todo", {
        items: [
          { text: "read the pages", status: "in_progress" },
          { text: "mend the sum", status: "pending" },
        ],
      }),
    ],
  },
  ...Array.from({ length: 12 }, (_, at) => ({
    role: "doer",
    turn: at + 2,
    calls: [call("read", { path: `docs/page-${at + 1}.txt` })],
  })),
  { role: "doer", turn: 14, calls: [call("read", { path: "sum.mjs" })] },
  { role: "doer", turn: 15, calls: [call("edit", { path: "sum.mjs", edits: [{ old: "a - b", new: "a + b" }] })] },
  { role: "doer", turn: 16, calls: [call("finish", WORK)] },
];
const SUMMARY = "## State\nThe pages say nothing of the sum.";
const summary: ScriptedTurn = { role: "doer", purpose: "compact", say: SUMMARY } as never;

const READER = { files: FILES, pipeline: PIPELINE, turns: [...READING, summary] };

function listening(models: Models, sent: ModelRequest[]): Models {
  return {
    ...models,
    send(request, call) {
      sent.push(request);
      return models.send(request, call);
    },
  };
}

async function driven(options: Parameters<typeof scenario>[0]) {
  const world = scenario(options);
  const sent: ModelRequest[] = [];
  const engine = await world.engine({ models: (models) => listening(models, sent) });
  const run = await engine.start(await world.spec(), listener());
  return { world, engine, run, sent, events: engine.store.events(run.rid) };
}

const ofType = <T extends StoredEvent["type"]>(events: readonly StoredEvent[], type: T) =>
  events.filter((event): event is Extract<StoredEvent, { type: T }> => event.type === type);

/** The same work by a model that says so much that results are not what fills its window. */
const TALKING: readonly ScriptedTurn[] = [
  ...READING.map((turn) => ({ ...turn, say: `${"I think about it. ".repeat(250)}${turn.turn}` })),
  summary,
];
const TALKER = { ...READER, turns: TALKING };

const taskOf = ({ messages }: ModelRequest) => messages[0];
const isPrefix = (shorter: ModelRequest, longer: ModelRequest) =>
  JSON.stringify(longer.messages.slice(0, shorter.messages.length)) === JSON.stringify(shorter.messages);

describe("a conversation that becomes too long", () => {
  test("loses old results of tools in rare batches, and comes to the same end", async () => {
    const { run, events, sent } = await driven(READER);
    expect(run.status).toBe("succeeded");
    const pruned = ofType(events, "context.pruned");
    expect(pruned.length).toBeGreaterThan(0);
    expect(
      pruned.every(({ results, tokensAfter, tokensBefore }) => results > 1 && tokensAfter < tokensBefore * 0.8),
    ).toBe(true);
    expect(ofType(events, "context.summarised")).toEqual([]);
    const last = JSON.stringify(sent.at(-1)?.messages);
    expect(last).toContain("[Left out to make room: ");
    expect(last).not.toContain("Page 1, line 1:");
    expect(last).toContain("Page 12, line 1:");
  });

  test("each request begins with the one before it, but for the one after a view was made smaller", async () => {
    const { events, sent } = await driven(READER);
    const breaks = sent.slice(1).filter((request, at) => !isPrefix(sent[at] as ModelRequest, request));
    expect(breaks).toHaveLength(ofType(events, "context.pruned").length);
    expect(new Set(sent.map(({ system, tools }) => JSON.stringify([system, tools]))).size).toBe(1);
  });

  test("is summed up where results are not what fills it: the task stays, with what must not be forgotten", async () => {
    const { run, events, sent, engine } = await driven(TALKER);
    expect(run.status).toBe("succeeded");
    const [first] = ofType(events, "context.summarised");
    expect(first).toMatchObject({ shrank: true });
    const text = first ? new TextDecoder().decode(engine.store.blob(first.text)) : "";
    expect(text).toContain(SUMMARY);
    expect(text).toContain("[>] read the pages");
    const aside = sent.findIndex(({ asker }) => asker.purpose === "compact");
    const [before, after] = [sent[aside - 1] as ModelRequest, sent[aside + 1] as ModelRequest];
    expect(taskOf(after)).toEqual(taskOf(before));
    expect(after.messages[1]).toEqual({ role: "user", text });
    expect(after.messages.length).toBeLessThan(before.messages.length);
    expect(after.messages.at(-1)?.role).toBe("tool");
  });

  test("the question for its summary is a call like any other: on record, held and booked", async () => {
    const turns = TALKING.map((turn) => ("purpose" in turn ? { ...turn, usage: { input: 900, output: 100 } } : turn));
    const { run, events, engine } = await driven({ ...TALKER, turns });
    const asked = ofType(events, "call.reserved").filter(({ purpose }) => purpose === "compact");
    const settled = ofType(events, "call.settled").filter(({ purpose }) => purpose === "compact");
    expect(asked.length).toBeGreaterThan(0);
    expect(settled.map(({ callId }) => callId)).toEqual(asked.map(({ callId }) => callId));
    expect(asked.every(({ heldTokens }) => heldTokens > 0)).toBe(true);
    expect(stepState(run, "doer").usage.freshInput).toBe(900 * settled.length);
    expect(engine.store.ledger(run.rid, "role:doer").settledTokens).toBe(1000 * settled.length);
  });

  test("a model that gives no summary is asked twice, and then it goes on without one", async () => {
    const turns = [...TALKING.filter((turn) => turn !== summary), { ...summary, say: " " }];
    const { run, events, sent } = await driven({ ...TALKER, turns });
    expect(run.status).toBe("succeeded");
    const [first] = ofType(events, "context.summarised");
    expect(first).toMatchObject({ summary: null });
    const at = events.findIndex(({ type }) => type === "context.summarised");
    expect(ofType(events.slice(0, at), "call.settled").filter(({ purpose }) => purpose).length).toBe(2);
    expect(JSON.stringify(sent.at(-1)?.messages)).toContain("Nobody could give one");
  });

  test("what cannot be left out ends the step by its name", async () => {
    const { run, events } = await driven({ ...READER, task: "A long task. ".repeat(6000) });
    expect(run.status).toBe("failed");
    expect(ofType(events, "step.finished")[0]?.outcome).toMatchObject({ status: "failed", class: "context-exhausted" });
    expect(ofType(events, "call.reserved")).toEqual([]);
  });

  test("a provider that refuses it is asked again with less, once; refused again, the step ends by its name", async () => {
    const fault = (times: number | "always") => ({ class: "overflow", message: "too long", times });
    const refusing = (times: number | "always") => [
      ...READING.map((turn) => (turn.turn === 5 ? { ...turn, fault: fault(times) } : turn)),
      summary,
    ];
    const once = await driven({ ...READER, turns: refusing(1) });
    expect(once.run.status).toBe("succeeded");
    const at = once.events.findIndex((event) => event.type === "call.settled" && event.result.type === "failed");
    // Before it there may be the question for a summary.
    const next = once.events.slice(at + 1).find((event) => !("purpose" in event));
    expect(next?.type).toMatch(/^context\./);
    const always = await driven({
      ...READER,
      pipeline: "pipeline:\n  - { role: doer, attempts: 1 }\n",
      turns: refusing("always"),
    });
    expect(always.run.status).toBe("failed");
    expect(ofType(always.events, "step.finished")[0]?.outcome).toMatchObject({ class: "context-exhausted" });
    const shortenings = always.events.filter(({ type }) => type === "context.pruned" || type === "context.summarised");
    expect(shortenings).toHaveLength(1);
  });
});

// ── the same run, killed or replayed ─────────────────────────────────────────────────────────────────────────────

async function killedAndResumed(options: Parameters<typeof scenario>[0], cut: number) {
  const world = scenario(options);
  const first = await world.engine({ store: (store) => dyingStore(store, (at) => at > cut) });
  await first.start(await world.spec(), listener()).catch(() => undefined);
  const rid = first.store.runs()[0]?.rid ?? "";
  first.store.close();
  const sent: ModelRequest[] = [];
  const second = await world.engine({ models: (models) => listening(models, sent) });
  const run = await second.resume(rid, NO_CHANGES, listener());
  return { world, run, engine: second, sent };
}

async function replays(world: Scenario, run: Run, store: Store) {
  const [repository, tools] = [await world.wiring.repository(), await world.wiring.tools()];
  const openMemory = () => SqliteStore.inMemory();
  const parts = { store, openMemory, repository, tools, agent: createAgent(), chance: world.wiring.chance };
  const followed = await replay(run.rid, parts, new AbortController().signal);
  const { pipeline, inputs } = await world.spec();
  const held = await replayAgainst(run.rid, { pipeline, inputs }, parts, new AbortController().signal);
  return { followed, held };
}

describe.each([
  ["pruned", READER],
  ["summed up", TALKER],
])("a run whose conversation was %s", (_, options) => {
  test("is the same when it is replayed", async () => {
    const { world, run, engine } = await driven(options);
    const { followed, held } = await replays(world, run, engine.store);
    expect(followed.difference).toBeNull();
    expect(followed.same).toBe(true);
    expect(held).toMatchObject({ questions: { different: 0 } });
  });

  test("is the same when it was killed right before or after its view was made smaller", async () => {
    const whole = await driven(options);
    // Each append has one event, but for those that begin together: near enough to try all places around the first.
    const at = whole.events.findIndex(({ type }) => type.startsWith("context."));
    for (const cut of [at - 4, at - 3, at - 2, at - 1, at, at + 1]) {
      const { sent, run, world, engine } = await killedAndResumed(options, cut);
      expect(run.status, `cut ${cut}`).toBe("succeeded");
      expect(sent.at(-1)?.messages, `cut ${cut}`).toEqual(whole.sent.at(-1)?.messages);
      if (cut === at - 1) expect((await replays(world, run, engine.store)).followed.difference).toBeNull();
    }
  }, 180_000);
});
