import { expect, test } from "vitest";
import { canonicalEvents } from "../../src/core/canonical.ts";
import { openQuestion, type Run } from "../../src/core/run.ts";
import type { Store } from "../../src/core/store.ts";
import type { Decision, Engine } from "../../src/wire/wire.ts";
import { Crash, dyingStore } from "../support/dying-store.ts";
import { listener, PLAN, type Scenario, scenario, WORK } from "../support/scenario.ts";

const ALLOW: Decision = { effect: "allow", scope: "call" };
const nothing = { budget: null, routes: {}, pipeline: null };
const asks = (role: string, rule: string, step = "") => `roles:
  ${role}: { permissions: [{ ${rule}, effect: ask }] }
pipeline:
${step}`;
const ONE = asks("doer", "tool: bash, match: 'echo *'", "  - { role: doer, on_ask: stop }\n");
const bash = (turn: number, command: string) => ({ role: "doer", turn, calls: [{ tool: "bash", args: { command } }] });
const TURNS = [
  bash(1, "echo one > one.txt"),
  bash(2, "echo two > two.txt"),
  { role: "doer", turn: 3, calls: [{ tool: "finish", args: WORK }] },
];

/** With one question in it. */
const ONCE = [bash(1, "echo one > one.txt"), { role: "doer", turn: 2, calls: [{ tool: "finish", args: WORK }] }];

/** Says yes to every question until the run is over. */
async function agreed(engine: Engine, rid: string): Promise<Run> {
  for (let times = 0; times < 6; times++) {
    const question = engine.question(rid);
    const run = await engine.resume(rid, { ...nothing, ...(question ? { decision: ALLOW } : {}) }, listener());
    if (run.status !== "paused") return run;
    expect(openQuestion(run)).not.toBe(null);
  }
  throw new Error("it never ends");
}

/** What happened, without what differs from one repository to the next. */
function namesOf(store: Store, rid: string): readonly string[] {
  return canonicalEvents(store.events(rid)).map((fact) => {
    const { type, toolCallId, effect, status } = fact as Readonly<Record<string, unknown>>;
    return [type, toolCallId, effect, status].join(" ");
  });
}

async function world(): Promise<{ readonly at: Scenario; readonly run: Run; readonly facts: readonly string[] }> {
  const at = scenario({ pipeline: ONE, turns: ONCE });
  const engine = await at.engine();
  const { rid } = await engine.start(await at.spec(), listener());
  const run = await agreed(engine, rid);
  const facts = namesOf(engine.store, rid);
  engine.store.close();
  return { at, run, facts };
}

/** Worlds at a time: most of a run is waiting for git and for the disk. */
const AT_ONCE = 4;

test("a run whose owner dies at any append comes to the same end, with the question asked and answered once", async () => {
  const whole = await world();
  expect(whole.run).toMatchObject({ status: "succeeded", questions: {} });
  let deaths = 0;
  let next = 3;
  const work = async () => {
    while (await dieAndGoOn(next++, whole)) deaths += 1;
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  expect(deaths).toBeGreaterThan(10);
}, 600_000);

/** False: the run came to its end before the cut. */
async function dieAndGoOn(cut: number, whole: Awaited<ReturnType<typeof world>>): Promise<boolean> {
  const at = scenario({ pipeline: ONE, turns: ONCE });
  const first = await at.engine({ store: (store) => dyingStore(store, (at) => at >= cut) });
  const crash = await first
    .start(await at.spec(), listener())
    .then(({ rid }) => agreed(first, rid))
    .catch((thrown: unknown) => thrown);
  const rid = first.store.runs()[0]?.rid ?? "";
  first.store.close();
  if (!(crash instanceof Crash)) return false;
  const second = await at.engine();
  const run = await agreed(second, rid);
  expect(run, `died at append ${cut}`).toMatchObject({ status: "succeeded", tree: whole.run.tree });
  const decided = second.store.events(rid).filter(({ type }) => type === "permission.decided");
  expect(decided).toHaveLength(1);
  expect(namesOf(second.store, rid), `died at append ${cut}`).toEqual(whole.facts);
  second.store.close();
  return true;
}

test("two that ask side by side are answered one after the other", async () => {
  const turns = (role: string) => [
    { role, turn: 1, calls: [{ tool: "read", args: { path: "README.md" } }] },
    { role, turn: 2, calls: [{ tool: "finish", args: PLAN }] },
  ];
  const pipeline = asks(
    "planner",
    "tool: read, match: '*.md'",
    "  - { id: one, role: planner, needs: [], on_ask: stop }\n  - { id: other, role: planner, needs: [], on_ask: stop }\n",
  );
  const at = scenario({ pipeline, turns: turns("planner") });
  const engine = await at.engine();
  const { rid } = await engine.start(await at.spec(), listener());
  const run = await agreed(engine, rid);
  expect(run.status).toBe("succeeded");
  const decided = engine.store
    .events(rid)
    .flatMap((event) => (event.type === "permission.decided" ? [event.stepId] : []));
  expect(decided.toSorted()).toEqual(["one", "other"]);
  engine.store.close();
});

test("a no is for this call, and the model is told so", async () => {
  const at = scenario({ pipeline: ONE, turns: TURNS });
  const engine = await at.engine();
  const { rid } = await engine.start(await at.spec(), listener());
  await engine.resume(rid, { ...nothing, decision: { effect: "deny", scope: "call" } }, listener());
  expect(engine.question(rid)).toMatchObject({ stepId: "doer", tool: "bash", call: "echo two > two.txt" });
  const run = await agreed(engine, rid);
  expect(run.status).toBe("succeeded");
  const ends = engine.store.events(rid).flatMap((event) => (event.type === "tool.finished" ? [event.status] : []));
  expect(ends).toEqual(["denied", "ok", "ok"]);
  engine.store.close();
});
