import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { StoredEvent } from "../../src/core/event.ts";
import { foldRun } from "../../src/core/fold-run.ts";
import type { Models } from "../../src/core/ports.ts";
import type { Run } from "../../src/core/run.ts";
import { Crash, dyingStore } from "../support/dying-store.ts";
import { git } from "../support/git.ts";
import { listener, type Scenario, scenario } from "../support/scenario.ts";
import { type Stuck, stuckWorld } from "../support/stuck.ts";

/** Which model call every request was, in the order in which they were sent. */
function counting(models: Models, sent: string[]): Models {
  return {
    ...models,
    send(request, call) {
      const { stepId, conversation, turn } = request.asker;
      sent.push(`${stepId} ${conversation} ${turn}`);
      return models.send(request, call);
    },
  };
}

const answered = (events: readonly StoredEvent[]) =>
  events.flatMap((event) => {
    if (event.type !== "call.settled" || event.result.type !== "answered") return [];
    const reserved = events.find((other) => other.type === "call.reserved" && other.callId === event.callId);
    return reserved?.type === "call.reserved" ? [`${reserved.stepId} ${reserved.conversation} ${reserved.turn}`] : [];
  });

/** What a run leaves behind, whatever happened on the way. */
function leavings(world: Scenario, run: Run, events: readonly StoredEvent[]) {
  const folder = join(world.root, "results", run.rid);
  const read = (name: string) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8") : null);
  return {
    status: run.status,
    tree: run.tree,
    committed: git(world.root, "rev-parse", `ccp/${run.rid}^{tree}`).trim(),
    plan: read("PLAN.md"),
    patch: read("Diff.patch"),
    review: read("REVIEW.md"),
    record: JSON.parse(read("run.json") ?? "{}").status,
    decided: events.flatMap((event) =>
      event.type === "escalation.decided"
        ? [`${event.stepId} ${event.conversation} ${event.signal}: ${event.action}`]
        : [],
    ),
  };
}

/** Doer and reviewer, of whom the doer is stuck: another tactic, a stronger model, a diagnosis, and back to the cheaper one. */
const STUCK: Stuck = {
  tries: ["stops talking", "goes in circles", "goes in circles", "mends"],
  attempts: 2,
};

async function undisturbed(make: () => Scenario) {
  const world = make();
  const engine = await world.engine();
  const run = await engine.start(await world.spec(), listener());
  const left = leavings(world, run, engine.store.events(run.rid));
  engine.store.close();
  return { left };
}

/** Worlds at a time: most of a run is waiting for git and for the disk. */
const AT_ONCE = 4;
/** Every append is a death with its effect done and its record not written, tried at one in two; the other death at one in four. `prove:cut` tries all. */
const [EVERY_BEFORE, EVERY_AFTER] = process.env.CCP_CUTS === "all" ? [1, 1] : [2, 4];

/** What is cut, and decisions that a whole run has. */
const STORIES: readonly (readonly [string, () => Scenario, readonly string[]])[] = [
  ["plan, build, test and review", scenario, []],
  [
    "a doer that is stuck",
    () => stuckWorld(STUCK),
    [
      "build 1 failed-try: tactic",
      "build 2 tool-loop: stronger",
      "build 3 tool-loop: diagnose",
      "build 4 succeeded: cheaper",
    ],
  ],
];

test.each(STORIES)(
  "%s: a run whose owner dies at any append, before it is written or right after, resumes to the same end and sends no answered call twice",
  async (_, make, decided) => {
    const whole = await undisturbed(make);
    expect(whole.left.decided).toEqual(decided);
    expect(whole.left).toMatchObject({ status: "succeeded", record: "succeeded", tree: whole.left.committed });
    expect(whole.left.patch).toContain("a + b");
    let deaths = 0;
    let next = 1;
    const taken = () => {
      const cut = next;
      next += EVERY_BEFORE;
      return cut;
    };
    const work = async () => {
      for (let cut = taken(); await dieAndResume(make, cut, "before", whole.left); cut = taken()) {
        deaths += 1;
        if ((cut - 1) % EVERY_AFTER === 0 && (await dieAndResume(make, cut, "after", whole.left))) deaths += 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    expect(deaths).toBeGreaterThan(30);
  },
  600_000,
);

/** False: the run came to its end before the cut. */
async function dieAndResume(
  make: () => Scenario,
  cut: number,
  when: "before" | "after",
  undisturbedEnd: ReturnType<typeof leavings>,
): Promise<boolean> {
  const world = make();
  const sent: string[] = [];
  const first = await world.engine({
    store: (store) => dyingStore(store, (at) => at === cut, when),
    models: (models) => counting(models, sent),
  });
  const outcome = await first.start(await world.spec(), listener()).catch((crash: unknown) => crash);
  const rid = first.store.runs()[0]?.rid ?? "";
  const before = answered(first.store.events(rid));
  const isOver = first.store.runs()[0]?.status === "succeeded";
  first.store.close();
  if (!(outcome instanceof Crash)) {
    expect(outcome).toMatchObject({ status: "succeeded" });
    return false;
  }

  const sentBefore = sent.length;
  const second = await world.engine({ models: (models) => counting(models, sent) });
  if (isOver) second.mendRecords(rid);
  const run = isOver
    ? foldRun(rid, second.store.events(rid))
    : await second.resume(rid, { budget: null, routes: {}, pipeline: null }, listener());
  expect(leavings(world, run, second.store.events(rid)), `died at append ${cut}, ${when}`).toEqual(undisturbedEnd);
  for (const call of sent.slice(sentBefore)) expect(before, `died at append ${cut}, ${when}`).not.toContain(call);
  for (const scope of ["run", "role:doer", "step:doer"] as const)
    expect(second.store.ledger(rid, scope).heldNanos).toBe(0);
  second.store.close();
  return true;
}
