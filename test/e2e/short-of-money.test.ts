import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { binary } from "../support/cli.ts";
import { makeRepository } from "../support/git.ts";
import { eventsOf, journalOf, withStore } from "../support/journal.ts";
import { type Lie, lyingServer } from "../support/lying-server.ts";
import { ccpAt, type Site, siteAt } from "../support/proof.ts";
import { atTerminal, HAS_PSEUDO_TERMINAL } from "../support/pseudo-terminal.ts";
import { resultOf } from "../support/refusal.ts";
import { PLAN, RED_PROJECT, WORK } from "../support/scenario.ts";
import { LANE_KEYS } from "../support/wire-run.ts";

const USD = 1e9;
const QUESTION = "Give it $1.00 more and go on? [y/N] ";
const EDIT = { tool: "edit", args: { path: "sum.mjs", edits: [{ old: "a - b", new: "a + b" }] } };
const FINISH = { tool: "finish", args: WORK };
const PLANS = { tool: "finish", args: PLAN };
const using = (outputTokens: number, ...calls: NonNullable<Lie["calls"]>): Lie => ({
  text: "Now.",
  calls,
  report: (_, maxTokens) => ({ input: 4_500, output: Math.min(outputTokens, maxTokens - 1) }),
});

const DOER = `roles:
  doer: { models: anthropic/claude-haiku-4-5 }
pipeline:
  - { role: doer, attempts: 1 }
`;
/** Two that only read, beside each other. */
const READERS = `roles:
  planner: { models: anthropic/claude-haiku-4-5, budget: { usd: none } }
pipeline:
  - { id: one, role: planner, needs: [], attempts: 1 }
  - { id: other, role: planner, needs: [], attempts: 1 }
`;
/** The first of two questions takes most of the money. */
const DEAR: readonly Lie[] = [using(16_000, EDIT), using(300, FINISH)];

describe("a call that does not fit", () => {
  test("waits for the one beside it to settle, and is made whole then", async () => {
    const on = await userAt([using(1_000, PLANS)]);
    const { result } = await run(on, READERS, "0.07");
    expect(result).toMatchObject({ status: "succeeded" });
    expect(callsOf(on, result.rid)).toEqual(["reserved", "settled", "reserved", "settled"]);
    expect(eventsOf(on, result.rid, "call.reserved").map(({ shrunk }) => shrunk)).toEqual([false, false]);
    // With room for both they are beside each other.
    const { result: rich } = await run(on, READERS, "1");
    expect(callsOf(on, rich.rid).slice(0, 2)).toEqual(["reserved", "reserved"]);
  });

  test("is shortened when what is left is not enough, which is said", async () => {
    const on = await userAt([using(6_000, PLANS)]);
    const file = pipeline(on, READERS);
    const shown = await ccpAt(on, "run", "--pipeline", file, "--budget", "0.06", "Make sum add.");
    expect(shown.code, shown.stderr).toBe(0);
    const rid = withStore(on, (store) => store.runs()[0]?.rid ?? "");
    expect(callsOf(on, rid)).toEqual(["reserved", "settled", "reserved", "settled"]);
    const [first, second] = eventsOf(on, rid, "call.reserved");
    expect([first?.shrunk, second?.shrunk]).toEqual([false, true]);
    expect(second?.maxTokens).toBeLessThan(first?.maxTokens ?? 0);
    expect(second?.maxTokens).toBeGreaterThanOrEqual(512);
    expect(shown.stderr).toMatch(/^! (one|other) {2}answer limited to [\d,]+ tokens: that is what the budget holds$/m);
    const { settledNanos, heldNanos } = withStore(on, (store) => store.ledger(rid, "run"));
    expect(settledNanos + heldNanos).toBeLessThanOrEqual(0.06 * USD);
  });

  test("stops the run with the command that goes on, and that command works", async () => {
    const on = await userAt(DEAR);
    const { result, stderr } = await run(on, DOER, "0.09");
    expect(result).toMatchObject({ status: "budget_reached", exitCode: 5 });
    expect(result.reason).toMatch(/may cost \$0\.\d+ and <?\$0\.\d+ is left, so it was not made/);
    expect(result.next[0], stderr).toBe(`ccp resume ${result.rid} --budget +1.00`);
    // Without more money it stops at the same place, and nothing is sent.
    const again = await ccpAt(on, "resume", result.rid, "--json");
    expect(resultOf(again.stdout)).toMatchObject({ exitCode: 5, costNanos: result.costNanos });
    const [, ...argv] = (result.next[0] ?? "").split(" ");
    const resumed = resultOf((await ccpAt(on, ...argv, "--json")).stdout);
    expect(resumed).toMatchObject({ status: "succeeded", exitCode: 0, lostCalls: 0 });
    expect(callsOf(on, result.rid)).toEqual(["reserved", "settled", "reserved", "settled"]);
  });

  test("of a budget in tokens is stopped with the flag that gives more of them, and that works", async () => {
    const on = await userAt([using(6_000, EDIT), using(300, FINISH)]);
    const argv = ["run", "--pipeline", pipeline(on, DOER), "--tokens", "10000", "--json", "Make sum add."];
    const result = resultOf((await ccpAt(on, ...argv)).stdout);
    expect(result).toMatchObject({
      exitCode: 5,
      next: [`ccp resume ${result.rid} --tokens +10000`, expect.anything(), expect.anything()],
    });
    const [, ...next] = (result.next[0] ?? "").split(" ");
    expect(resultOf((await ccpAt(on, ...next, "--json")).stdout)).toMatchObject({ status: "succeeded" });
  });
});

describe.skipIf(!HAS_PSEUDO_TERMINAL)("a person at a terminal", () => {
  test("is asked whether there may be more money; yes goes on where it was, in one command", async () => {
    const on = await userAt(DEAR);
    const { code, screen } = await typed(on, ["y\r"]);
    expect(screen).toContain(QUESTION);
    expect(code, screen).toBe(0);
    const rid = withStore(on, (store) => store.runs()[0]?.rid ?? "");
    expect(callsOf(on, rid)).toEqual(["reserved", "settled", "reserved", "settled"]);
    expect(eventsOf(on, rid, "budget.raised").find(({ scope }) => scope === "run")?.budget.maxCostNanos).toBe(
      1.09 * USD,
    );
  });

  test.each([
    ["n", "n\r"],
    ["only return", "\r"],
    ["something else", "yesterday\r"],
    ["Ctrl-C", "\x03"],
    ["the end of the input", "\x04"],
  ])("who answers %s gets exit 5 and the command, and nothing more is spent", async (_, answer) => {
    const on = await userAt(DEAR);
    const { code, screen } = await typed(on, [answer]);
    expect(code, screen).toBe(5);
    expect(screen.split(QUESTION)).toHaveLength(2);
    expect(screen).toMatch(/ccp resume r-\w{6} --budget \+1\.00/);
    const rid = withStore(on, (store) => store.runs()[0]?.rid ?? "");
    expect(callsOf(on, rid)).toEqual(["reserved", "settled"]);
    expect(eventsOf(on, rid, "budget.raised")).toEqual([]);
  });

  test.each<[string, readonly string[], Readonly<Record<string, string>>]>([
    ["for machines", ["--json"], {}],
    ["in CI", [], { CI: "true" }],
  ])("is not asked %s", async (_, flags, env) => {
    const on = await userAt(DEAR);
    const { code, screen } = await typed({ ...on, env: { ...on.env, ...env } }, ["y\r"], ...flags);
    expect(screen).not.toContain("[y/N]");
    expect(code, screen).toBe(5);
  });
});

test("nobody is asked where there is no terminal", async () => {
  const on = await userAt(DEAR);
  const argv = ["run", "--pipeline", pipeline(on, DOER), "--budget", "0.09", "Make sum add."];
  const result = await binary(argv, { cwd: on.cwd, env: on.env, stdin: "y\ny\n" });
  expect(result.code).toBe(5);
  expect(result.stdout + result.stderr).not.toContain("[y/N]");
});

async function userAt(lies: readonly Lie[]): Promise<Site> {
  const { url } = await lyingServer(lies);
  const env = { ANTHROPIC_API_KEY: LANE_KEYS.anthropic ?? "", ANTHROPIC_BASE_URL: url };
  return siteAt(makeRepository(RED_PROJECT), env);
}

async function run(on: Site, text: string, usd: string) {
  const argv = ["run", "--pipeline", pipeline(on, text), "--budget", usd, "--json", "Make sum add."];
  const { stdout, stderr } = await ccpAt(on, ...argv);
  return { result: resultOf(stdout), stderr };
}

function typed(on: Site, type: readonly string[], ...flags: readonly string[]) {
  const argv = ["run", "--pipeline", pipeline(on, DOER), "--budget", "0.09", ...flags, "Make sum add."];
  return atTerminal(argv, { cwd: on.cwd, env: on.env }, { at: QUESTION, type });
}

function pipeline(on: Site, text: string): string {
  const file = join(on.outside, "pipeline.yaml");
  writeFileSync(file, text);
  return file;
}

/** What happened to its calls, in order. */
function callsOf(on: Site, rid: string): readonly string[] {
  return journalOf(on, rid).flatMap(({ type }) => (type.startsWith("call.") ? [type.slice("call.".length)] : []));
}
