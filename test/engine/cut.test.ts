import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { StoredEvent } from "../../src/core/event.ts";
import { foldRun } from "../../src/core/fold-run.ts";
import type { Models } from "../../src/core/ports.ts";
import type { Run } from "../../src/core/run.ts";
import { Crash, dyingStore } from "../support/dying-store.ts";
import { git } from "../support/git.ts";
import { listener, type Scenario, scenario } from "../support/scenario.ts";

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
function leavings(world: Scenario, run: Run) {
  const read = (name: string) => readFileSync(join(world.root, "results", run.rid, name), "utf8");
  return {
    status: run.status,
    tree: run.tree,
    committed: git(world.root, "rev-parse", `ccp/${run.rid}^{tree}`).trim(),
    plan: read("PLAN.md"),
    patch: read("Diff.patch"),
    review: read("REVIEW.md"),
    record: JSON.parse(read("run.json")).status,
  };
}

async function undisturbed() {
  const world = scenario();
  const engine = await world.engine();
  const run = await engine.start(await world.spec(), listener());
  engine.store.close();
  return { left: leavings(world, run) };
}

/** Worlds at a time: most of a run is waiting for git and for the disk. */
const AT_ONCE = 4;
/** Every append is a death with its effect done and its record not written, tried at one in two; the other death at one in four. `prove:cut` tries all. */
const [EVERY_BEFORE, EVERY_AFTER] = process.env.CCP_CUTS === "all" ? [1, 1] : [2, 4];

test("a run whose owner dies at any append, before it is written or right after, resumes to the same end and sends no answered call twice", async () => {
  const whole = await undisturbed();
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
    for (let cut = taken(); await dieAndResume(cut, "before", whole.left); cut = taken()) {
      deaths += 1;
      if ((cut - 1) % EVERY_AFTER === 0 && (await dieAndResume(cut, "after", whole.left))) deaths += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  expect(deaths).toBeGreaterThan(30);
}, 600_000);

/** False: the run came to its end before the cut. */
async function dieAndResume(
  cut: number,
  when: "before" | "after",
  undisturbedEnd: ReturnType<typeof leavings>,
): Promise<boolean> {
  const world = scenario();
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
  expect(leavings(world, run), `died at append ${cut}, ${when}`).toEqual(undisturbedEnd);
  for (const call of sent.slice(sentBefore)) expect(before, `died at append ${cut}, ${when}`).not.toContain(call);
  for (const scope of ["run", "role:doer", "step:doer"] as const)
    expect(second.store.ledger(rid, scope).heldNanos).toBe(0);
  second.store.close();
  return true;
}
