import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { createAgent } from "../../src/agent/run-agent.ts";
import { canonicalEvents } from "../../src/core/canonical.ts";
import type { EventOf, EventType, StoredEvent } from "../../src/core/event.ts";
import type { RouteRule } from "../../src/core/route-rules.ts";
import { replay } from "../../src/engine/replay.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { Crash, dyingStore } from "../support/dying-store.ts";
import { listener, RED_PROJECT, type Scenario, type ScriptedTurn, scenario, WORK } from "../support/scenario.ts";
import { tempDir } from "../support/temp.ts";

const call = (tool: string, args: unknown) => ({ tool, args });
const MENDS: readonly ScriptedTurn[] = [
  { role: "doer", turn: 1, calls: [call("edit", { path: "sum.mjs", edits: [{ old: "a - b", new: "a + b" }] })] },
  { role: "doer", turn: 2, calls: [call("finish", WORK)] },
];
const DOER_ONLY = "pipeline:\n  - role: doer\n";
const NO_CHANGES = { budget: null, routes: {}, pipeline: null } as const;

/** A model that answers from these turns, as `provider/model`. */
function answering(turns: readonly unknown[]): string {
  const path = join(tempDir("ccp-answers"), "turns.yaml");
  writeFileSync(path, stringify({ turns }));
  return `scripted/${path}`;
}

const rule = (name: string, when: RouteRule["when"], ...use: string[]): RouteRule => {
  return { name, source: { kind: "built-in" }, when, use };
};

const ofType = <T extends EventType>(events: readonly StoredEvent[], type: T) =>
  events.filter((event): event is StoredEvent & EventOf<T> => event.type === type);

async function expectSame(world: Scenario, rid: string): Promise<void> {
  const store = new SqliteStore(join(world.root, ".git", "ccp"));
  const [repository, tools] = [await world.wiring.repository(), await world.wiring.tools()];
  const openMemory = () => SqliteStore.inMemory();
  const parts = { store, openMemory, repository, tools, agent: createAgent(), chance: world.wiring.chance };
  const result = await replay(rid, parts, new AbortController().signal);
  store.close();
  expect(result.difference).toBeNull();
  expect(result.same).toBe(true);
}

describe("a conversation whose models rules name", () => {
  test("asks them, each try anew, and a replay does as it did", async () => {
    const [weak, strong] = [answering([{ role: "doer", turn: 1, calls: [call("finish", WORK)] }]), answering(MENDS)];
    // The first try has no change to show; the second is another conversation.
    const world = scenario({ pipeline: "pipeline:\n  - { role: doer, attempts: 2 }\n", turns: [] });
    const engine = await world.engine({
      rules: [rule("short", { maxContextTokens: 2_400 }, weak), rule("long", { minContextTokens: 2_401 }, strong)],
    });
    const run = await engine.start(await world.spec(), listener());
    const events = engine.store.events(run.rid);
    engine.store.close();
    const decided = ofType(events, "route.decided");
    expect(decided.map(({ conversation, task }) => [conversation, task])).toEqual(
      decided.map((_, index) => [index + 1, "build"]),
    );
    for (const { model, conversation } of ofType(events, "call.reserved")) {
      expect([model]).toEqual(decided.find((one) => one.conversation === conversation)?.candidates);
    }
    await expectSame(world, run.rid);
  });

  test("comes to the same end wherever its owner dies, with what was decided decided once", async () => {
    const names = (events: readonly StoredEvent[]) => canonicalEvents(events).map((fact) => JSON.stringify(fact));
    const model = answering(MENDS);
    const rules = [rule("all", {}, model)];
    const whole = scenario({ pipeline: DOER_ONLY, turns: [] });
    const engine = await whole.engine({ rules });
    const { rid } = await engine.start(await whole.spec(), listener());
    const expected = names(engine.store.events(rid)).filter((fact) => fact.includes("route.decided"));
    engine.store.close();
    expect(expected).toHaveLength(1);
    let deaths = 0;
    for (let cut = 4; deaths < 40; cut++) {
      const world = scenario({ pipeline: DOER_ONLY, turns: [] });
      const dying = await world.engine({ rules, store: (store) => dyingStore(store, (at) => at >= cut) });
      const crash = await dying.start(await world.spec(), listener()).catch((thrown: unknown) => thrown);
      const dead = dying.store.runs()[0]?.rid ?? "";
      dying.store.close();
      if (!(crash instanceof Crash)) break;
      deaths += 1;
      const again = await world.engine({ rules });
      const run = await again.resume(dead, NO_CHANGES, listener());
      const events = again.store.events(dead);
      again.store.close();
      expect(run.status).toBe("succeeded");
      expect(names(events).filter((fact) => fact.includes("route.decided"))).toEqual(expected);
      expect(new Set(ofType(events, "call.reserved").map((one) => one.model))).toEqual(new Set([model]));
    }
    expect(deaths).toBeGreaterThan(5);
  }, 120_000);
});

test("a summary is asked of whom rules name for it, and the conversation goes on with its own", async () => {
  const pages = Array.from({ length: 4 }, (_, at) => ({
    role: "doer",
    turn: at + 1,
    say: `Page ${at}. ${"Nothing of this is needed later, and yet it was said. ".repeat(260)}`,
    calls: [call("read", { path: "README.md" })],
  }));
  const doer = answering([
    ...pages,
    { role: "doer", turn: 5, calls: [call("edit", { path: "sum.mjs", edits: [{ old: "a - b", new: "a + b" }] })] },
    { role: "doer", turn: 6, calls: [call("finish", WORK)] },
  ]);
  const cheap = answering([{ role: "doer", purpose: "compact", say: "## State\nThe pages say nothing of the sum." }]);
  const world = scenario({
    files: RED_PROJECT,
    pipeline: "roles:\n  doer: { context: { tokens: 9000 } }\npipeline:\n  - role: doer\n",
    turns: [],
  });
  const engine = await world.engine({
    rules: [rule("summaries", { tasks: ["compact"] }, cheap), rule("work", {}, doer)],
  });
  const run = await engine.start(await world.spec(), listener());
  const events = engine.store.events(run.rid);
  engine.store.close();
  expect(run.status).toBe("succeeded");
  const asked = ofType(events, "call.reserved");
  expect(asked.some(({ purpose }) => purpose === "compact")).toBe(true);
  for (const { purpose, model } of asked) expect(model).toBe(purpose === "compact" ? cheap : doer);
  expect(ofType(events, "route.decided").map(({ task, rule: name }) => `${task} ${name}`)).toEqual([
    "build work",
    "compact summaries",
  ]);
  await expectSame(world, run.rid);
}, 30_000);
