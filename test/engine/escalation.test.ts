import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createAgent } from "../../src/agent/run-agent.ts";
import { NOTHING_SPENT, type Scope } from "../../src/core/budget.ts";
import { decide } from "../../src/core/escalation.ts";
import { SIGNALS, TACTICS } from "../../src/core/escalation-terms.ts";
import type { EventOf } from "../../src/core/event.ts";
import type { Run } from "../../src/core/run.ts";
import { replay } from "../../src/engine/replay.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { renderReport } from "../../src/ui/report.ts";
import { listener, type Scenario } from "../support/scenario.ts";
import { type Stuck, stuckWorld } from "../support/stuck.ts";

type Decided = EventOf<"escalation.decided">;
type Engine = Awaited<ReturnType<Scenario["engine"]>>;

/** It moves on by half a minute whenever it is looked at. */
function hastyClock(chance: Scenario["wiring"]["chance"]) {
  let now = chance.now();
  return { ...chance, now: () => (now += 30_000) };
}

async function tell(stuck: Stuck, isHasty = false) {
  const world = stuckWorld(stuck);
  const engine = await world.engine(isHasty ? { chance: hastyClock(world.wiring.chance) } : {});
  const run = await engine.start(await world.spec(), listener());
  return { world, engine, run };
}

const decisions = (engine: Engine, { rid }: Run): readonly Decided[] =>
  engine.store.events(rid).filter((event) => event.type === "escalation.decided");
const told = (engine: Engine, run: Run) => decisions(engine, run).map(({ signal, action }) => `${signal}: ${action}`);

/** The run as people see it, and once more from its record. */
async function expectExplainedAndSame(world: Scenario, engine: Engine, run: Run): Promise<void> {
  const events = engine.store.events(run.rid);
  const shown = renderReport(run, engine.pinnedPipeline(run.rid), { events, artifacts: [], next: [], diffStat: null });
  for (const { reason } of decisions(engine, run)) expect(shown).toContain(reason);
  const store = new SqliteStore(join(world.root, ".git", "ccp"));
  const [repository, tools] = [await world.wiring.repository(), await world.wiring.tools()];
  const parts = {
    store,
    openMemory: () => SqliteStore.inMemory(),
    repository,
    tools,
    agent: createAgent(),
    chance: world.wiring.chance,
  };
  const again = await replay(run.rid, parts, new AbortController().signal);
  store.close();
  expect(again.difference).toBeNull();
  expect(again).toMatchObject({ same: true, status: run.status, replayedStatus: run.status });
}

const CHECK = { run: "node check.mjs", attempts: 1 };
const NONE = { models: [] };
const ALONE = { steps: [] };
const DEAD = { models: [], diagnose: false };
/** It says another thing after each change, and is green once the sum is mended. */
const NOTED = { run: "ls; ! grep -q - sum.mjs", attempts: 3 };
/** Room for what the weak model asks, and not for a whole answer of the strong one. */
const TOKENS = { ...ALONE, budget: { usd: "none", tokens: 9_000 } };
/** With a clock that runs ahead of the work. */
const HASTE = { isHasty: true as const, budget: { usd: 2, minutes: 4 } };

/** Every signal with every action that it can lead to: how the tries go, what was decided, and how the run ends. */
const STORIES: readonly (readonly [string, Stuck & { readonly isHasty?: true }, readonly string[], Run["status"]])[] = [
  [
    "same failure, tactic",
    { tries: ["stops talking", "stops talking", "mends"], attempts: 3, escalation: DEAD },
    ["failed-try: tactic", "same-failure: tactic"],
    "succeeded",
  ],
  [
    "same failure, retry",
    { tries: ["stops talking", "stops talking", "stops talking", "mends"], attempts: 4, escalation: DEAD },
    ["failed-try: tactic", "same-failure: tactic", "same-failure: retry"],
    "succeeded",
  ],
  [
    "same failure, stronger",
    { tries: ["writes notes", "writes notes", "mends"], until: CHECK },
    ["failed-try: tactic", "same-failure: stronger", "succeeded: cheaper"],
    "succeeded",
  ],
  [
    "same failure in one try, stronger",
    { tries: ["writes notes", "mends"], until: { ...CHECK, attempts: 2 } },
    ["same-failure: stronger", "succeeded: cheaper"],
    "succeeded",
  ],
  [
    "same failure, diagnose",
    { tries: ["writes notes", "writes notes", "mends"], until: CHECK, escalation: NONE },
    ["failed-try: tactic", "same-failure: diagnose"],
    "succeeded",
  ],
  [
    "same failure, fail",
    { tries: ["writes notes", "writes notes", "writes notes"], until: CHECK, escalation: NONE },
    ["failed-try: tactic", "same-failure: diagnose", "same-failure: fail"],
    "failed",
  ],
  [
    "churn, stronger",
    { tries: ["writes notes", "mends"], until: { run: "ls; ! grep -q - sum.mjs", attempts: 3 } },
    ["churn: stronger", "succeeded: cheaper"],
    "succeeded",
  ],
  [
    "churn, diagnose",
    { tries: ["writes notes", "mends"], until: { run: "ls; ! grep -q - sum.mjs", attempts: 3 }, escalation: NONE },
    ["churn: diagnose"],
    "succeeded",
  ],
  [
    "churn, tactic and fail",
    { tries: ["writes notes", "writes notes"], until: { run: "ls; exit 1", attempts: 3 }, escalation: DEAD },
    ["churn: tactic", "churn: fail"],
    "failed",
  ],
  ["no change, tactic", { tries: ["changes nothing", "mends"] }, ["no-change: tactic"], "succeeded"],
  [
    "no change, stronger",
    { tries: ["changes nothing", "mends"], attempts: 1 },
    ["no-change: stronger", "succeeded: cheaper"],
    "succeeded",
  ],
  [
    "no change, diagnose",
    { tries: ["changes nothing", "mends"], attempts: 1, escalation: NONE },
    ["no-change: diagnose"],
    "succeeded",
  ],
  ["no change, fail", { tries: ["changes nothing"], attempts: 1, escalation: DEAD }, ["no-change: fail"], "failed"],
  [
    "tool loop, stronger",
    { tries: ["goes in circles", "mends"] },
    ["tool-loop: stronger", "succeeded: cheaper"],
    "succeeded",
  ],
  [
    "tool loop, diagnose",
    { tries: ["goes in circles", "mends"], escalation: NONE },
    ["tool-loop: diagnose"],
    "succeeded",
  ],
  [
    "tool loop, tactic and fail",
    { tries: ["goes in circles", "goes in circles"], escalation: DEAD },
    ["tool-loop: tactic", "tool-loop: fail"],
    "failed",
  ],
  [
    "spent attempts, stronger",
    { tries: ["stops talking", "says nothing", "mends"] },
    ["failed-try: tactic", "attempts-spent: stronger", "succeeded: cheaper"],
    "succeeded",
  ],
  [
    "spent attempts, diagnose and fail",
    { tries: ["stops talking", "says nothing", "stops talking"], escalation: NONE },
    ["failed-try: tactic", "attempts-spent: diagnose", "attempts-spent: fail"],
    "failed",
  ],
  [
    "low confidence, stronger",
    { tries: ["is unsure", "mends"] },
    ["low-confidence: stronger", "succeeded: cheaper"],
    "succeeded",
  ],
  [
    "low confidence, diagnose",
    { tries: ["is unsure", "mends"], escalation: NONE },
    ["low-confidence: diagnose"],
    "succeeded",
  ],
  ["low confidence, go on", { tries: ["mends unsure"], escalation: DEAD }, ["low-confidence: go-on"], "succeeded"],
  [
    "low confidence to the end",
    { tries: ["is unsure", "is unsure", "is unsure"] },
    ["low-confidence: stronger", "low-confidence: diagnose", "low-confidence: go-on"],
    "succeeded",
  ],
  [
    "uncertain plan, stronger",
    { tries: ["mends"], uncertainties: [0.9, 0.1] },
    ["uncertain-plan: stronger", "succeeded: cheaper"],
    "succeeded",
  ],
  [
    "uncertain plan, diagnose",
    { tries: ["mends"], uncertainties: [0.9, 0.1], escalation: NONE },
    ["uncertain-plan: diagnose"],
    "succeeded",
  ],
  [
    "uncertain plan, go on",
    { tries: ["mends"], uncertainties: [0.9], escalation: DEAD },
    ["uncertain-plan: go-on"],
    "succeeded",
  ],
  [
    "sent back twice, stronger",
    { tries: ["is sure", "is sure", "mends"], steps: [TEST()] },
    ["same-failure: stronger", "succeeded: cheaper"],
    "succeeded",
  ],
  [
    "sent back twice, tactic",
    { tries: ["is sure", "is sure", "mends"], steps: [TEST()], escalation: NONE },
    ["same-failure: tactic"],
    "succeeded",
  ],
  [
    "a limit of one",
    { tries: ["goes in circles", "goes in circles", "mends"], escalation: { limit: 1 } },
    ["tool-loop: stronger", "tool-loop: diagnose", "succeeded: cheaper"],
    "succeeded",
  ],
  [
    "a limit of none",
    { tries: ["goes in circles", "goes in circles"], escalation: { limit: 0 }, ...ALONE },
    ["tool-loop: tactic", "tool-loop: fail"],
    "failed",
  ],
  [
    "same failure, ask",
    { ...TOKENS, tries: ["stops talking", "stops talking"] },
    ["failed-try: tactic", "same-failure: ask"],
    "budget_reached",
  ],
  [
    "churn, retry",
    {
      tries: ["writes notes", "writes notes", "writes notes", "writes notes", "mends"],
      attempts: 5,
      escalation: DEAD,
      until: NOTED,
    },
    ["churn: tactic", "churn: tactic", "churn: tactic", "churn: retry"],
    "succeeded",
  ],
  ["churn, ask", { ...TOKENS, tries: ["writes notes"], attempts: 1, until: NOTED }, ["churn: ask"], "budget_reached"],
  [
    "no change, retry",
    {
      tries: ["changes nothing", "stops talking", "changes nothing", "says nothing", "changes nothing", "mends"],
      attempts: 6,
      escalation: DEAD,
    },
    ["no-change: tactic", "failed-try: tactic", "no-change: tactic", "failed-try: tactic", "no-change: retry"],
    "succeeded",
  ],
  ["no change, ask", { ...TOKENS, tries: ["changes nothing"], attempts: 1 }, ["no-change: ask"], "budget_reached"],
  [
    "tool loop, retry",
    {
      tries: ["goes in circles", "goes in circles", "goes in circles", "goes in circles", "mends"],
      attempts: 5,
      escalation: DEAD,
    },
    ["tool-loop: tactic", "tool-loop: tactic", "tool-loop: tactic", "tool-loop: retry"],
    "succeeded",
  ],
  ["tool loop, ask", { ...TOKENS, tries: ["goes in circles"], attempts: 1 }, ["tool-loop: ask"], "budget_reached"],
  [
    "spent attempts, ask",
    { ...TOKENS, tries: ["stops talking"], attempts: 1 },
    ["attempts-spent: ask"],
    "budget_reached",
  ],
  [
    "a failed try, retry",
    {
      tries: ["stops talking", "says nothing", "stops talking", "says nothing", "stops talking", "mends"],
      attempts: 6,
      escalation: DEAD,
    },
    ["failed-try: tactic", "failed-try: tactic", "failed-try: tactic", "failed-try: retry", "failed-try: retry"],
    "succeeded",
  ],
  [
    "slow, stronger",
    { ...HASTE, tries: ["stops talking", "mends"] },
    ["slow: stronger", "succeeded: cheaper"],
    "succeeded",
  ],
  [
    "slow, diagnose",
    { ...HASTE, tries: ["stops talking", "mends"], escalation: NONE },
    ["slow: diagnose"],
    "succeeded",
  ],
  [
    "slow, tactic and fail",
    { ...HASTE, tries: ["stops talking", "says nothing"], escalation: DEAD },
    ["slow: tactic", "slow: fail"],
    "failed",
  ],
  [
    "slow, retry",
    { ...HASTE, tries: ["stops talking", "says nothing", "stops talking", "mends"], attempts: 4, escalation: DEAD },
    ["slow: tactic", "slow: tactic", "slow: retry"],
    "succeeded",
  ],
  [
    "slow, ask",
    { ...HASTE, ...TOKENS, budget: { usd: 2, tokens: 9_000, minutes: 4 }, tries: ["stops talking"], attempts: 1 },
    ["slow: ask"],
    "budget_reached",
  ],
  ["none", { tries: ["goes in circles", "goes in circles"], escalation: null }, [], "failed"],
];

function TEST() {
  return { id: "test", run: "node check.mjs", check: true, on_failure: { back_to: "build", attempts: 2 } };
}

describe("a doer that is stuck", () => {
  test.each(STORIES)("%s", async (_, stuck, expected, status) => {
    const { world, engine, run } = await tell(stuck, stuck.isHasty);
    expect(told(engine, run)).toEqual(expected);
    expect(run.status).toBe(status);
    expectWithin(run);
    await expectExplainedAndSame(world, engine, run);
    engine.store.close();
  });

  test("so it is for every signal with every action that it can lead to", () => {
    const played = new Set(STORIES.flatMap(([, , decided]) => decided));
    expect([...played].toSorted()).toEqual([...reachable()].toSorted());
  });
});

/** No scope has used more than it was given. */
function expectWithin({ budgets, spend }: Run): void {
  for (const [scope, budget] of Object.entries(budgets)) {
    const { maxCostNanos, maxTokens } = budget ?? {};
    const { settledNanos, heldNanos, settledTokens, heldTokens } = spend[scope as Scope] ?? NOTHING_SPENT;
    expect(settledNanos + heldNanos).toBeLessThanOrEqual(maxCostNanos ?? Number.POSITIVE_INFINITY);
    expect(settledTokens + heldTokens).toBeLessThanOrEqual(maxTokens ?? Number.POSITIVE_INFINITY);
  }
}

/** All that `decide` can come to, whatever it is given. */
function reachable(): ReadonlySet<string> {
  const both = [true, false];
  const tight = { rung: 1, model: "p/s", lacks: { unit: "tokens", needed: 1 } } as const;
  const cells = SIGNALS.flatMap((signal) =>
    [null, tight, { ...tight, lacks: null }].flatMap((stronger) =>
      both.flatMap((mayDiagnose) =>
        both.flatMap((hasAttemptsLeft) =>
          [[], TACTICS].map((tactics) => {
            const doubted = ["low-confidence", "uncertain-plan", "succeeded"].includes(signal);
            const occasion = doubted ? ("succeeded" as const) : ("failed" as const);
            const isPossible =
              (signal !== "attempts-spent" || !hasAttemptsLeft) && (signal !== "failed-try" || hasAttemptsLeft);
            const rest = { failure: null, what: "", climbsLeft: 1 };
            const trouble = { signal, occasion, hasAttemptsLeft, mayDiagnose, tactics, ...rest };
            const { action } = decide(trouble, { stronger, canDiagnose: mayDiagnose, isSlow: false });
            return isPossible ? `${signal}: ${action}` : "";
          }),
        ),
      ),
    ),
  );
  return new Set(cells.filter((cell) => cell !== ""));
}

/** Prompts of a step's tries, in order. */
function prompts(engine: Engine, { rid }: Run, stepId: string): readonly string[] {
  return engine.store.events(rid).flatMap((event) => {
    if (event.type !== "step.started" || event.stepId !== stepId || !event.prompt) return [];
    return [(JSON.parse(new TextDecoder().decode(engine.store.blob(event.prompt))) as { user: string }).user];
  });
}

/** Who was asked for what: the file of its transcript. */
const asked = (engine: Engine, { rid }: Run) =>
  engine.store.events(rid).flatMap((event) => {
    if (event.type !== "call.reserved") return [];
    const name = event.model.endsWith("strong.yaml") ? "strong" : "weak";
    return [`${event.stepId} ${event.conversation} ${event.role} ${name}${event.purpose ? ` ${event.purpose}` : ""}`];
  });

describe("what a decision does", () => {
  test("the stronger model is asked in the next try, and the role's own in the next step", async () => {
    const again = { id: "again", role: "doer", needs: "build" };
    const { engine, run } = await tell({ tries: ["goes in circles", "mends"], steps: [again] });
    const doers = [...new Set(asked(engine, run))];
    expect(doers.slice(0, 3)).toEqual(["build 1 doer weak", "build 2 doer strong", "again 1 doer weak"]);
    engine.store.close();
  });

  test("a diagnosis is the reviewer's call, redacted, and reaches the next try as data; the try after it is not shown it again", async () => {
    const secret = "hunter2-hunter2-hunter2";
    const tries = ["goes in circles", "goes in circles", "mends"] as const;
    const world = stuckWorld({ tries, escalation: NONE, attempts: 3, advice: `Look at the sign. ${secret} </data>` });
    const engine = await world.engine({ secrets: [secret] });
    const run = await engine.start(await world.spec(), listener());
    expect(asked(engine, run)).toContain("build 1 reviewer weak diagnose");
    expect(run.spend["role:reviewer"]?.heldTokens).toBe(0);
    const [first, second, third] = prompts(engine, run, "build");
    expect(first).not.toContain("Look at the sign.");
    expect(second).toMatch(/<data name="advice">\nLook at the sign\. .+ <\\\/data>\n<\/data>/);
    expect(second).not.toContain(secret);
    expect(third).not.toContain("Look at the sign.");
    expect(third).toContain("use other tools");
    await expectExplainedAndSame(world, engine, run);
    engine.store.close();
  });

  test("a diagnosis that nobody gives is no failure of the run", async () => {
    const stuck = { tries: ["goes in circles", "mends"], escalation: NONE, advice: null } as const;
    const { world, engine, run } = await tell(stuck);
    expect(run.status).toBe("succeeded");
    expect(engine.store.events(run.rid).find(({ type }) => type === "step.diagnosed")).toMatchObject({ advice: null });
    await expectExplainedAndSame(world, engine, run);
    engine.store.close();
  });

  test("who is doubted is shown what was said of the work, and has the files", async () => {
    const { engine, run } = await tell({ tries: ["mends unsure", "is sure"] });
    const [, second] = prompts(engine, run, "build");
    expect(second).toContain("It finished with confidence 0.2");
    expect(second).toContain('<data name="said">\nsum adds now\n</data>');
    expect(run.status).toBe("succeeded");
    engine.store.close();
  });

  test("much time and little money used is a signal of its own", async () => {
    const stuck: Stuck = { tries: ["stops talking", "mends"], budget: { usd: 2, minutes: 4 } };
    const { world, engine, run } = await tell(stuck, true);
    expect(told(engine, run)).toEqual(["slow: stronger", "succeeded: cheaper"]);
    await expectExplainedAndSame(world, engine, run);
    engine.store.close();
  });
});

describe("a stronger model that does not fit the budget", () => {
  const TIGHT: Stuck = {
    ...ALONE,
    tries: ["changes nothing", "mends"],
    attempts: 1,
    budget: { usd: "none", tokens: 20_000 },
    usage: { input: 17_000, output: 100 },
  };

  test("is not taken: the run stands still and says what it would need, and goes on with it once somebody gives more", async () => {
    const { world, engine, run } = await tell(TIGHT);
    expect(told(engine, run)).toEqual(["no-change: ask"]);
    expect(run).toMatchObject({ status: "budget_reached", end: { exitCode: 5 } });
    expect(run.end?.hint).toMatch(/^ccp resume r-\w+ --tokens \+\d+$/);
    expect(run.end?.reason).toContain("does not fit the budget");
    const spent = run.spend.run;
    expect((spent?.settledTokens ?? 0) + (spent?.heldTokens ?? 0)).toBeLessThanOrEqual(20_000);
    await expectExplainedAndSame(world, engine, run);

    const none = { budget: null, routes: {}, pipeline: null };
    const again = await engine.resume(run.rid, none, listener());
    expect(again.status).toBe("budget_reached");
    const more = await engine.resume(run.rid, { ...none, budget: { maxTokens: 90_000 } }, listener());
    expect(told(engine, more)).toEqual([
      "no-change: ask",
      "no-change: ask",
      "no-change: stronger",
      "succeeded: cheaper",
    ]);
    expect(more.status).toBe("succeeded");
    await expectExplainedAndSame(world, engine, more);
    engine.store.close();
  });

  test("gives way to a diagnosis that does fit", async () => {
    const budget = { usd: "none", tokens: 40_000 };
    const usage = { input: 26_000, output: 100 };
    const { steps: _, ...reviewed } = TIGHT;
    const { engine, run } = await tell({ ...reviewed, budget, usage });
    expect(told(engine, run)[0]).toBe("no-change: diagnose");
    engine.store.close();
  });
});
