import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createAgent } from "../../src/agent/run-agent.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import type { LaneStanding } from "../../src/core/lane.ts";
import type { ModelRef } from "../../src/core/model.ts";
import type { Run } from "../../src/core/run.ts";
import { replay } from "../../src/engine/replay.ts";
import { memoryLaneHealth } from "../../src/store/sqlite-shelf.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { listener } from "../support/scenario.ts";
import { stuckWorld } from "../support/stuck.ts";

const standing = ({ provider, model }: ModelRef): LaneStanding => ({
  lane: `${provider} ${model}`,
  credentials: [{ name: null, key: "k" }],
  limits: {},
});

test("whose reviewer cannot be asked goes on without it, and is replayed as it was", async () => {
  const told = await tell({ rests: true });
  // As far as the review, for which there is nobody either.
  expect(told.run).toMatchObject({ status: "provider_down" });
  expect(
    told.events.find((event) => event.type === "step.finished" && event.outcome.status === "succeeded"),
  ).toBeDefined();
  expect(told.diagnoses).toEqual([]);
  expect(told.events.find(({ type }) => type === "step.diagnosed")).toMatchObject({
    advice: null,
    reason: expect.stringContaining("its quota is used up"),
  });
  expect(await told.again()).toMatchObject({ same: true, difference: null });
});

test("asks whom a person has named for the reviewer a moment before, and is replayed as it was", async () => {
  const told = await tell({ named: true });
  expect(told.run.status).toBe("succeeded");
  expect(told.diagnoses).toEqual([`scripted/${told.other}`]);
  expect(await told.again()).toMatchObject({ same: true, difference: null });
});

/** A doer that is stuck once, and a reviewer of its own who is asked why. `named`: another is named when that was decided. */
async function tell({ rests = false, named = false }) {
  const world = stuckWorld({ tries: ["goes in circles", "mends"], escalation: { models: [], diagnose: true } });
  const [reviewer, other] = [`${world.transcript}.reviewer`, `${world.transcript}.other`];
  for (const copy of [reviewer, other]) copyFileSync(world.transcript, copy);
  const health = memoryLaneHealth();
  if (rests) {
    const call = { callId: "other", model: reviewer, inputTokens: 1, outputTokens: 1, isForced: true };
    const asked = { standing: standing({ provider: "scripted", model: reviewer }), call, preferred: null, except: [] };
    const usedUp = { type: "failure", why: "quota", retryAfterMs: 7_200_000 } as const;
    health.admit(asked, Date.now());
    health.settle("other", { breaker: usedUp, tokens: 0, allowances: [] }, Date.now());
  }
  const engine = await world.engine({ health, models: (models) => ({ ...models, standing }) });
  const spec = await world.spec();
  const role = spec.pipeline.roles.reviewer;
  if (!role) throw new Error("there is no reviewer");
  const roles = { ...spec.pipeline.roles, reviewer: { ...role, models: [`scripted/${reviewer}`] } };
  const publish = (event: StoredEvent, { rid }: Run) => {
    if (!named || event.type !== "escalation.decided" || event.action !== "diagnose") return;
    engine.store.leave(rid, { role: "reviewer", models: [`scripted/${other}`] }, Date.now());
  };
  const hears = { ...listener(), publish };
  const run = await engine.start({ ...spec, pipeline: { ...spec.pipeline, roles } }, hears);
  const events = engine.store.events(run.rid);
  return {
    run,
    events,
    other,
    diagnoses: events.flatMap((event) =>
      event.type === "call.reserved" && event.purpose === "diagnose" ? [event.model] : [],
    ),
    async again() {
      const store = new SqliteStore(join(world.root, ".git", "ccp"));
      const [repository, tools] = [await world.wiring.repository(), await world.wiring.tools()];
      const { chance } = world.wiring;
      const openMemory = () => SqliteStore.inMemory();
      const parts = { store, openMemory, repository, tools, agent: createAgent(), chance };
      return replay(run.rid, parts, new AbortController().signal).finally(() => store.close());
    },
  };
}
