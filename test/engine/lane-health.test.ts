import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createAgent } from "../../src/agent/run-agent.ts";
import type { Delta, EventOf, StoredEvent } from "../../src/core/event.ts";
import type { FailureClass } from "../../src/core/failure.ts";
import type { LaneStanding, Limits } from "../../src/core/lane.ts";
import type { LaneHealth } from "../../src/core/lane-health.ts";
import { formatModelRef, type ModelRef } from "../../src/core/model.ts";
import type { Models } from "../../src/core/ports.ts";
import type { Run } from "../../src/core/run.ts";
import { replay } from "../../src/engine/replay.ts";
import { memoryLaneHealth } from "../../src/store/sqlite-shelf.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { listener, type Scenario, type ScriptedTurn, scenario, WORK } from "../support/scenario.ts";

const NO_CHANGES = { budget: null, routes: {}, pipeline: null } as const;
const DOER_ONLY = "pipeline:\n  - role: doer\n";
const TURNS: readonly ScriptedTurn[] = [
  {
    role: "doer",
    turn: 1,
    calls: [{ tool: "edit", args: { path: "sum.mjs", edits: [{ old: "a - b", new: "a + b" }] } }],
  },
  { role: "doer", turn: 2, calls: [{ tool: "finish", args: WORK }] },
];

interface World {
  readonly names?: readonly (string | null)[];
  readonly limits?: Limits;
  /** The class with which the nth call through this credential fails; null: it is answered. */
  readonly fails?: (credential: string | null, model: string, nth: number) => FailureClass | null;
}

/** Scripted models as if they were asked through lanes, each by the path of its transcript. */
function throughLanes(models: Models, { names = [null], limits = {}, fails = () => null }: World): Models {
  const asked = new Map<string, number>();
  return {
    ...models,
    standing: (ref) => standingOf(ref, names, limits),
    async *send(request, call) {
      const { credential = null, ...rest } = call;
      const name = `${credential} ${formatModelRef(request.model)}`;
      const nth = (asked.get(name) ?? 0) + 1;
      asked.set(name, nth);
      const failure = fails(credential, request.model.model, nth);
      if (failure === null) return yield* models.send(request, rest);
      const message = `it is ${failure}`;
      yield {
        type: "failed",
        failure: { class: failure, message, httpStatus: null, retryAfterMs: null, mayBeBilled: false },
        usage: null,
        providerCostNanos: null,
      };
    },
  };
}

function standingOf({ provider, model }: ModelRef, names: readonly (string | null)[], limits: Limits): LaneStanding {
  return { lane: `${provider} ${model}`, credentials: names.map((name) => ({ name, key: `${name}#1` })), limits };
}

/** A run of a doer that may ask this transcript, and then a copy of it. */
async function open(world: World = {}, health: LaneHealth = memoryLaneHealth()) {
  const place = scenario({ pipeline: DOER_ONLY, turns: TURNS });
  const second = `${place.transcript}.2`;
  copyFileSync(place.transcript, second);
  const told: Delta[] = [];
  const engine = await place.engine({ health, models: (models) => throughLanes(models, world) });
  const spec = await place.spec();
  const { doer } = spec.pipeline.roles;
  if (!doer) throw new Error("no doer");
  const models = [`scripted/${place.transcript}`, `scripted/${second}`];
  const roles = { ...spec.pipeline.roles, doer: { ...doer, models } };
  const hears = listener({ tell: (delta) => void told.push(delta) });
  return {
    place,
    engine,
    health,
    told,
    models,
    start: () => engine.start({ ...spec, pipeline: { ...spec.pipeline, roles } }, hears),
    resume: (rid: string) => engine.resume(rid, NO_CHANGES, hears),
    calls: (rid: string) => engine.store.events(rid).filter(isReserved),
  };
}

function isReserved(event: StoredEvent): event is StoredEvent & EventOf<"call.reserved"> {
  return event.type === "call.reserved";
}

/** The model rests for so long, as another process has found. */
function rest(health: LaneHealth, model: string, why: FailureClass, retryAfterMs: number | null): void {
  const standing = standingOf({ provider: "scripted", model: model.slice("scripted/".length) }, [null], {});
  const call = { callId: "other", model: model.slice("scripted/".length), inputTokens: 1, outputTokens: 1 };
  health.admit({ standing, call: { ...call, isForced: true }, preferred: null, except: [] }, Date.now());
  health.settle("other", { breaker: { type: "failure", why, retryAfterMs }, tokens: 0, allowances: [] }, Date.now());
}

async function expectSameReplay({ wiring, root }: Scenario, run: Run): Promise<void> {
  const store = new SqliteStore(join(root, ".git", "ccp"));
  const [repository, tools] = [await wiring.repository(), await wiring.tools()];
  const parts = { store, openMemory: () => SqliteStore.inMemory(), repository, tools, agent: createAgent() };
  const result = await replay(run.rid, { ...parts, chance: wiring.chance }, new AbortController().signal);
  store.close();
  expect(result.difference).toBeNull();
  expect(result).toMatchObject({ same: true, status: run.status, replayedStatus: run.status });
}

describe("a run through lanes", () => {
  test("passes over what rests, and so does its replay", async () => {
    const { place, health, models, start, calls, told } = await open();
    rest(health, models[0] ?? "", "quota", 7_200_000);
    const run = await start();
    expect(run.status).toBe("succeeded");
    expect(calls(run.rid).map(({ model }) => model)).toEqual([models[1], models[1]]);
    expect(told.filter(({ type }) => type === "delta.waiting")).toEqual([]);
    await expectSameReplay(place, run);
  });

  test("goes on with another key of the same lane and keeps to it, and its replay does the same", async () => {
    const fails: World["fails"] = (credential, _, nth) => (credential === "KEY_A" && nth === 1 ? "rate" : null);
    const { place, start, models, calls } = await open({ names: ["KEY_A", "KEY_B"], fails });
    const run = await start();
    expect(run.status).toBe("succeeded");
    expect(calls(run.rid).map(({ model, credential }) => [model, credential])).toEqual([
      [models[0], "KEY_A"],
      [models[0], "KEY_B"],
      [models[0], "KEY_B"],
    ]);
    await expectSameReplay(place, run);
  });

  test("asks the next lane when all keys of the first are used up, and its replay does the same", async () => {
    const names = ["KEY_A", "KEY_B"];
    const fails: World["fails"] = (_, model) => (model.endsWith(".2") ? null : "quota");
    const { place, start, models, calls } = await open({ names, fails });
    const run = await start();
    expect(run.status).toBe("succeeded");
    expect(calls(run.rid).map(({ model, credential }) => [model, credential])).toEqual([
      [models[0], "KEY_A"],
      [models[0], "KEY_B"],
      [models[1], "KEY_A"],
      [models[1], "KEY_A"],
    ]);
    await expectSameReplay(place, run);
  });

  test("stops where nobody is left, says until when, and goes on when a person resumes it", async () => {
    let isEmpty = true;
    const fails: World["fails"] = () => (isEmpty ? "quota" : null);
    const { place, start, resume, calls } = await open({ fails });
    const stopped = await start();
    expect(stopped).toMatchObject({ status: "provider_down", end: { exitCode: 6 } });
    await expectSameReplay(place, stopped);
    expect(calls(stopped.rid)).toHaveLength(2);
    const again = await resume(stopped.rid);
    expect(again).toMatchObject({ status: "provider_down" });
    expect(calls(stopped.rid)).toHaveLength(4);
    isEmpty = false;
    const run = await resume(stopped.rid);
    expect(run.status).toBe("succeeded");
    await expectSameReplay(place, run);
  });

  test("asks the only one that there is again and again, later each time; whoever resumes it asks at once", async () => {
    let isDown = true;
    const fails: World["fails"] = (_, model) => (model.endsWith(".2") ? "auth" : isDown ? "overloaded" : null);
    const { place, start, resume, calls, models } = await open({ fails });
    const stopped = await start();
    expect(stopped.status).toBe("blocked");
    const asked = calls(stopped.rid).filter(({ model }) => model === models[0]);
    expect(asked).toHaveLength(3);
    isDown = false;
    const run = await resume(stopped.rid);
    expect(run.status).toBe("succeeded");
    expect((calls(run.rid)[4]?.at ?? 0) - (calls(run.rid)[3]?.at ?? 0)).toBeLessThan(10_000);
    await expectSameReplay(place, run);
  });

  test("stops before it has asked anybody where all rest for long", async () => {
    const { place, health, models, start, calls } = await open();
    for (const model of models) rest(health, model, "quota", 7_200_000);
    const run = await start();
    expect(run).toMatchObject({
      status: "provider_down",
      end: { exitCode: 6, reason: expect.stringMatching(/its quota is used up, until (\d{4}-\d\d-\d\d )?\d\d:\d\d/) },
    });
    expect(calls(run.rid)).toEqual([]);
    await expectSameReplay(place, run);
  });

  test("waits for what rests for a moment where nobody else is left, and shows it", async () => {
    const { place, health, models, start, calls, told } = await open();
    for (const model of models) rest(health, model, "overloaded", null);
    for (const model of models) rest(health, model, "overloaded", null);
    for (const model of models) rest(health, model, "overloaded", null);
    const run = await start();
    expect(run.status).toBe("succeeded");
    expect(calls(run.rid).map(({ model }) => model)).toEqual([models[0], models[0]]);
    expect(told).toContainEqual(
      expect.objectContaining({ type: "delta.waiting", reason: expect.stringContaining("it was overloaded") }),
    );
    await expectSameReplay(place, run);
  });

  test("holds its calls to the limits: one that does not fit waits for the minute to pass", async () => {
    const { place, start, calls, told } = await open({ limits: { requestsPerMinute: 1 } });
    const run = await start();
    expect(run.status).toBe("succeeded");
    const [first, second] = calls(run.rid);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(58_000);
    expect(told).toContainEqual(
      expect.objectContaining({ type: "delta.waiting", reason: expect.stringContaining("1 requests a minute") }),
    );
    await expectSameReplay(place, run);
  });

  test("gives back what it did not use: nothing is under way when it has ended, however it has", async () => {
    const { health, start } = await open({ limits: { concurrency: 1 } });
    await start();
    expect(health.accounts(Date.now()).map(({ account }) => account.traffic.calls)).toEqual([[]]);
    const broke = await open({ limits: { concurrency: 1 }, fails: () => "auth" });
    expect(await broke.start()).toMatchObject({ status: "blocked" });
    expect(broke.health.accounts(Date.now()).map(({ account }) => account.traffic.calls)).toEqual([[], []]);
  });
});
