import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { canonicalEvents, firstDifference } from "../../src/core/canonical.ts";
import type { EventOf, EventType, StoredEvent } from "../../src/core/event.ts";
import type { Models } from "../../src/core/ports.ts";
import type { Run } from "../../src/core/run.ts";
import type { RunSpec } from "../../src/wire/wire.ts";
import { Crash, dyingStore } from "../support/dying-store.ts";
import { git } from "../support/git.ts";
import {
  FULL_PIPELINE,
  listener,
  MENDING,
  type Scenario,
  type ScriptedTurn,
  scenario,
  WORK,
} from "../support/scenario.ts";

const NOTHING_CHANGED = { budget: null, routes: {}, pipeline: null } as const;

/** A run whose owner has died at this event. */
interface Dead {
  readonly world: Scenario;
  readonly rid: string;
  /** A new owner takes it to its end; `before`: what is done to it first. */
  resume(around?: { readonly models?: (models: Models) => Models; readonly rewind?: string }): Promise<Resumed>;
}

interface Resumed {
  readonly run: Run;
  readonly events: readonly StoredEvent[];
}

async function died(
  isDue: (event: StoredEvent) => boolean,
  when: "before" | "after",
  options: Parameters<typeof scenario>[0] = {},
  change: (spec: RunSpec, world: Scenario) => Promise<RunSpec> = async (spec) => spec,
): Promise<Dead> {
  const world = scenario(options);
  const engine = await world.engine({ store: (store) => dyingStore(store, (_, events) => events.some(isDue), when) });
  const spec = await change(await world.spec(), world);
  await expect(engine.start(spec, listener())).rejects.toThrow(Crash);
  const rid = engine.store.runs()[0]?.rid ?? "";
  engine.store.close();
  return {
    world,
    rid,
    async resume({ models, rewind } = {}) {
      const next = await world.engine(models ? { models } : {});
      try {
        if (rewind !== undefined) next.rewind(rid, rewind);
        const run = await next.resume(rid, NOTHING_CHANGED, listener());
        return { run, events: next.store.events(rid) };
      } finally {
        next.store.close();
      }
    },
  };
}

const ofType = <T extends EventType>({ events }: Resumed, type: T) =>
  events.filter((event): event is StoredEvent & EventOf<T> => event.type === type);
const is =
  (type: EventType, part: object = {}) =>
  (event: StoredEvent) =>
    event.type === type && Object.entries(part).every(([key, value]) => event[key as keyof StoredEvent] === value);
const result = ({ world, rid }: Dead, name: string) => join(world.root, "results", rid, name);
const call = (tool: string, args: unknown) => ({ tool, args });

describe("what was under way when the owner died", () => {
  test.each([
    ["bash", true],
    ["edit", false],
    ["read", false],
  ])("a call of %s is on record as interrupted (acted outside: %s), and made again", async (tool, outside) => {
    const dead = await died(is("tool.finished", { tool, stepId: "doer" }), "before");
    const resumed = await dead.resume();
    expect(resumed.run.status).toBe("succeeded");
    const interrupted = ofType(resumed, "tool.interrupted");
    expect(interrupted).toMatchObject([{ stepId: "doer", tool, outside }]);
    const [, again] = ofType(resumed, "tool.started").filter(
      ({ toolCallId, stepId }) => stepId === "doer" && toolCallId === interrupted[0]?.toolCallId,
    );
    expect(again?.seq).toBeGreaterThan(interrupted[0]?.seq ?? Infinity);
    expect(again?.subject).toBe(interrupted[0]?.subject);
    const restored = ofType(resumed, "workspace.restored").map(({ kept }) => kept);
    expect(restored).toEqual(tool === "edit" ? ["undone-2.patch"] : []);
    if (tool === "edit") expect(readFileSync(result(dead, "undone-2.patch"), "utf8")).toContain("a * b * 2");
  });

  test.each([
    ["baseline", null, "baseline.test", FULL_PIPELINE],
    ["step", "test", "step.test.1", FULL_PIPELINE],
    ["until", "doer", null, "pipeline:\n  - role: planner\n  - { role: doer, until: { run: node check.mjs } }\n"],
    ["setup", null, "setup", `workspace: { setup: echo x >> made.txt }\n${FULL_PIPELINE}`],
  ] as const)(
    "a command of the engine's (%s) is on record as interrupted, and run again",
    async (purpose, stepId, commandId, pipeline) => {
      const dead = await died(is("command.finished", { purpose }), "before", { pipeline });
      const resumed = await dead.resume();
      expect(resumed.run.status).toBe("succeeded");
      expect(ofType(resumed, "command.interrupted")).toMatchObject([
        { purpose, stepId, ...(commandId && { commandId }) },
      ]);
      expect(ofType(resumed, "command.started").filter((event) => event.purpose === purpose)).toHaveLength(2);
      if (purpose === "setup") expect(git(dead.world.root, "show", `ccp/${dead.rid}:made.txt`)).toBe("x\n");
    },
  );

  test("finds no directory in its way that it had made itself, and every one that was there", async () => {
    const command = "test -d before && rmdir before && mkdir docs && echo y > docs.txt";
    const turns = [
      { role: "doer", turn: 1, calls: [call("bash", { command: "mkdir before" })] },
      { role: "doer", turn: 2, calls: [call("bash", { command })] },
      { role: "doer", turn: 3, calls: [call("finish", WORK)] },
    ];
    const isSecond = (event: StoredEvent) => event.type === "tool.started" && event.subject === command;
    let begun = false;
    const isDue = (event: StoredEvent) => {
      begun ||= isSecond(event);
      return begun && event.type === "tool.finished";
    };
    const dead = await died(isDue, "before", { pipeline: "pipeline:\n  - role: doer\n", turns });
    const { run } = await dead.resume();
    expect(run.status).toBe("succeeded");
    expect(git(dead.world.root, "show", `ccp/${dead.rid}:docs.txt`)).toBe("y\n");
  });

  test("that had ended is neither interrupted nor done again", async () => {
    for (const type of ["tool.finished", "command.finished", "step.finished", "workspace.prepared"] as const) {
      const dead = await died(is(type, type === "tool.finished" ? { tool: "edit" } : {}), "after");
      const resumed = await dead.resume();
      expect(resumed.run.status).toBe("succeeded");
      expect(
        resumed.events.filter((event) => event.type.endsWith(".interrupted")),
        type,
      ).toEqual([]);
    }
  });

  test.each([
    ["read", "before", ["read", "grep"]],
    ["read", "after", ["grep"]],
    ["grep", "before", ["grep"]],
  ] as const)(
    "of an answer's reads at once: those without an end (%s, %s) are made again",
    async (tool, when, left) => {
      const dead = await died(is("tool.finished", { tool, stepId: "planner" }), when);
      const resumed = await dead.resume();
      expect(ofType(resumed, "tool.interrupted").map((event) => event.tool)).toEqual(left);
      const ends = ofType(resumed, "tool.finished").filter(({ stepId }) => stepId === "planner");
      expect(ends.map((event) => event.tool)).toEqual(["read", "grep", "finish"]);
      const engine = await dead.world.engine();
      const whole = await engine.start(await dead.world.spec(), listener());
      const undisturbed = canonicalEvents(engine.store.events(whole.rid));
      engine.store.close();
      expect(firstDifference(undisturbed, canonicalEvents(resumed.events))).toBeNull();
    },
  );

  test("is found under way again by whoever comes after a second crash", async () => {
    const dead = await died(is("tool.finished", { tool: "edit" }), "before");
    const second = await dead.world.engine({
      store: (store) => dyingStore(store, (_, events) => events.some(is("tool.interrupted"))),
    });
    await expect(second.resume(dead.rid, NOTHING_CHANGED, listener())).rejects.toThrow(Crash);
    second.store.close();
    const resumed = await dead.resume();
    expect(resumed.run.status).toBe("succeeded");
    expect(ofType(resumed, "tool.interrupted")).toHaveLength(1);
    expect(ofType(resumed, "workspace.restored").map(({ kept }) => kept)).toEqual(["undone-2.patch"]);
  });
});

describe("a set-up that was cut off", () => {
  test("begins again with the uncommitted work that the run began on", async () => {
    const options = { pipeline: `workspace: { setup: echo x >> made.txt }\n${FULL_PIPELINE}` };
    for (const [event, when] of [
      ["command.finished", "before"],
      ["workspace.prepared", "before"],
    ] as const) {
      const dead = await died(is(event), when, options, async (spec, { root, wiring }) => {
        writeFileSync(join(root, "mine.txt"), "mine\n");
        return { ...spec, base: await (await wiring.repository()).dirtyBase() };
      });
      expect((await dead.resume()).run.status).toBe("succeeded");
      const show = (path: string) => git(dead.world.root, "show", `ccp/${dead.rid}:${path}`);
      expect([show("mine.txt"), show("made.txt")]).toEqual(["mine\n", "x\n"]);
    }
  });

  test("leaves nothing that git does not see either, where the run began on a commit", async () => {
    const setup = "test ! -e node_modules/half && mkdir -p node_modules && touch node_modules/half";
    const dead = await died(is("workspace.prepared"), "before", {
      pipeline: `workspace: { setup: "${setup}" }\n${FULL_PIPELINE}`,
    });
    expect((await dead.resume()).run.status).toBe("succeeded");
  });
});

describe("a document that is on record", () => {
  test.each(["PLAN.md", "REVIEW.md", "Diff.patch"])(
    "is there as a file after the resume, if the crash came before it was: %s",
    async (name) => {
      const dead = await died(is("artifact.written", { name }), "after");
      expect(existsSync(result(dead, name))).toBe(false);
      const isOver = name === "Diff.patch";
      if (isOver) {
        const engine = await dead.world.engine();
        engine.mendRecords(dead.rid);
        engine.store.close();
      } else expect((await dead.resume()).run.status).toBe("succeeded");
      const text = readFileSync(result(dead, name), "utf8");
      expect(text).toContain(
        { "PLAN.md": "Make sum add.", "REVIEW.md": "approve", "Diff.patch": "+export const sum" }[name],
      );
      expect(JSON.parse(readFileSync(result(dead, "run.json"), "utf8")).status).toBe("succeeded");
    },
  );

  test("is whole again after the resume, where somebody has cut or removed its file", async () => {
    const dead = await died(is("step.started", { stepId: "reviewer" }), "before");
    const whole = readFileSync(result(dead, "PLAN.md"), "utf8");
    for (const damage of [
      () => writeFileSync(result(dead, "PLAN.md"), whole.slice(0, 9)),
      () => rmSync(result(dead, "PLAN.md")),
    ]) {
      damage();
      const engine = await dead.world.engine({
        store: (store) => dyingStore(store, (_, events) => events.some(is("step.started"))),
      });
      await expect(engine.resume(dead.rid, NOTHING_CHANGED, listener())).rejects.toThrow(Crash);
      engine.store.close();
      expect(readFileSync(result(dead, "PLAN.md"), "utf8")).toBe(whole);
    }
  });
});

describe("a call of a step that is begun anew", () => {
  const slip: ScriptedTurn = {
    role: "doer",
    conversation: 1,
    turn: 1,
    calls: [call("write", { path: "slip.txt", content: "x" })],
  };
  const anew: readonly ScriptedTurn[] = [
    {
      role: "doer",
      conversation: 2,
      turn: 1,
      calls: [call("edit", { path: "sum.mjs", edits: [{ old: "a - b", new: "a + b" }] })],
    },
    { role: "doer", conversation: 2, turn: 2, calls: [call("finish", WORK)] },
  ];
  const turns = [...MENDING.filter(({ role }) => role !== "doer"), slip, ...anew];

  test("is settled by the answer that had arrived, and nobody reads it", async () => {
    const dead = await died(is("call.settled", { stepId: "doer" }), "before", { turns });
    const shown: number[] = [];
    const resumed = await dead.resume({
      rewind: "doer",
      models: (models) => ({
        ...models,
        send(request, sent) {
          if (request.asker.stepId === "doer" && request.asker.turn === 1) shown.push(request.messages.length);
          return models.send(request, sent);
        },
      }),
    });
    expect(resumed.run.status).toBe("succeeded");
    const settled = ofType(resumed, "call.settled").filter(({ stepId }) => stepId === "doer");
    expect(settled.map(({ callId }) => callId.split(".").slice(1).join("."))).toEqual(["doer.1", "doer.2", "doer.3"]);
    expect(ofType(resumed, "call.lost")).toEqual([]);
    // The first question of the new try is its prompt alone.
    expect(shown).toEqual([1]);
    expect(git(dead.world.root, "ls-tree", "--name-only", `ccp/${dead.rid}`)).not.toContain("slip.txt");
  });

  test("is lost and charged where nothing had arrived, and the new try asks as if it had never been", async () => {
    const dead = await died(is("call.reserved", { stepId: "doer" }), "after", { turns });
    const resumed = await dead.resume({ rewind: "doer" });
    expect(resumed.run.status).toBe("succeeded");
    expect(ofType(resumed, "call.lost")).toMatchObject([{ stepId: "doer" }]);
    const asked = ofType(resumed, "call.reserved").filter(({ stepId }) => stepId === "doer");
    expect(asked).toMatchObject([
      { conversation: 1, turn: 1 },
      { conversation: 2, turn: 1, retryOf: null },
      { conversation: 2, turn: 2 },
    ]);
    expect(resumed.run.openCalls).toEqual({});
  });
});
