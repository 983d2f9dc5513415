import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Scope } from "../../src/core/budget.ts";
import { USAGE_GROUPS, type UsageGroup, type UsageReport } from "../../src/core/usage-report.ts";
import { bareEnvironment, ccp } from "../support/cli.ts";
import type { Refusal } from "../support/doors.ts";
import type { MockTurn } from "../support/mock-models.ts";
import { fixtureOf } from "../support/mock-server.ts";
import { APPROVAL, PLAN, WORK } from "../support/scenario.ts";
import { serverCount } from "../support/server-count.ts";
import { openWireWorld, type WireWorld, wireEnvironment } from "../support/wire-run.ts";

const PLANNER = "claude-sonnet-5";
const DOER = "z-ai/glm-5.3";
const REVIEWER = "gpt-5.6-terra";
const ROUTES = {
  planner: [`anthropic/${PLANNER}`],
  doer: ["anthropic/claude-opus-5", `openrouter/${DOER}`],
  reviewer: [`openai/${REVIEWER}`],
};
const PIPELINE = `
pipeline:
  - role: planner
  - role: doer
  - role: reviewer
`;

const call = (tool: string, args: unknown) => ({ tool, args });
const edit = (old: string, now: string) => call("edit", { path: "sum.mjs", edits: [{ old, new: now }] });
/** In OpenRouter's words; its own cost wins over the price list. */
const used = (prompt_tokens: number, completion_tokens: number, cached_tokens: number, cost?: number) => ({
  prompt_tokens,
  completion_tokens,
  prompt_tokens_details: { cached_tokens },
  ...(cost === undefined ? {} : { cost }),
});

const PLANNING: MockTurn = {
  model: PLANNER,
  turn: 1,
  calls: [call("finish", PLAN)],
  usage: { input_tokens: 1201, output_tokens: 83 },
};
/** It says that it is done and has done nothing: the try has failed. */
const IDLING: MockTurn = { model: DOER, turn: 1, calls: [call("finish", WORK)], usage: used(2801, 101, 0) };
const REST: readonly MockTurn[] = [
  { model: DOER, turn: 1, calls: [edit("a - b", "a + b")], usage: used(3001, 201, 1000, 0.0123) },
  { model: DOER, turn: 2, calls: [call("finish", WORK)], usage: used(3302, 102, 2000) },
  { model: REVIEWER, turn: 1, calls: [call("finish", APPROVAL)], usage: { input_tokens: 2003, output_tokens: 47 } },
];

const STREAM = { "content-type": "text/event-stream" };
const refusal = (status: number, type: string): Refusal => ({
  status,
  headers: { "retry-after": "0" },
  body: JSON.stringify({ type: "error", error: { type, message: "not now" } }),
});
/** After the planner's: overloaded, cut off before anyone could say what it cost, then not for this key: it rests for long. */
const REFUSALS: readonly Refusal[] = [
  refusal(529, "overloaded_error"),
  { status: 200, headers: STREAM, body: ": wait\n\n", cut: true },
  refusal(403, "permission_error"),
];

/** A report as `ccp usage --json` gives it. */
interface Told extends UsageReport {
  readonly v: number;
  readonly rid: string | null;
  readonly windows: readonly {
    readonly window: string;
    readonly spend: { readonly settledNanos: number; readonly heldNanos: number; readonly settledTokens: number };
    readonly ceiling: unknown;
    readonly projectedNanos: number;
  }[];
}

describe("ccp usage", () => {
  test("agrees with the ledger, run.json and the servers: retries, a fallback, a lost call, a failed try, cached tokens, drift", async () => {
    const { world, run, usage } = await troubledRun();
    const { total } = await usage(run.rid);
    const { settledNanos, settledTokens } = run.store.ledger(run.rid, "run");
    expect(total).toMatchObject({ costNanos: settledNanos, heldNanos: 0, calls: 8 });
    expect(run.record.cost_nanos).toBe(settledNanos);

    const lost = run.events.flatMap((event) => (event.type === "call.lost" ? [event] : []));
    expect(lost).toHaveLength(1);
    const [heldNanos, heldTokens] = [lost[0]?.heldNanos ?? 0, lost[0]?.heldTokens ?? 0];
    const counted = serverCount(world.mock);
    expect(total.costNanos).toBe(counted.nanos + heldNanos);
    expect(total.usage).toMatchObject({
      freshInput: counted.freshInput,
      cacheRead: counted.cacheRead,
      output: counted.output,
    });
    expect(counted.freshInput + counted.cacheRead + counted.output + heldTokens).toBe(settledTokens);
    expect(run.record.usage).toMatchObject({ cache_read: counted.cacheRead, fresh_input: counted.freshInput });

    // In the first of the doer's two tries its first model was asked three times, and another in its place; in the second it rests.
    expect(total).toMatchObject({ lost: 1, failed: 2, retries: 3, fallbacks: 1 });
    const settled = run.events.flatMap((event) => (event.type === "call.settled" ? [event] : []));
    const drift = settled.reduce((sum, { costNanos, listedNanos }) => sum + costNanos - (listedNanos ?? costNanos), 0);
    expect(total.driftNanos).toBe(drift);
    expect(drift).toBeGreaterThan(0);
    const idle = settled.filter(({ usage }) => usage.output === IDLING.usage?.completion_tokens);
    expect(idle).toHaveLength(1);
    expect(total.wastedNanos).toBe(heldNanos + (idle[0]?.costNanos ?? 0));
  });

  test("puts the same calls together in six ways, each to the nano-dollar what the ledger says of its scope", async () => {
    const { run, usage } = await troubledRun();
    const { settledNanos } = run.store.ledger(run.rid, "run");
    const groups = new Map<UsageGroup, Told>();
    for (const by of USAGE_GROUPS) groups.set(by, await usage(run.rid, "--by", by));
    const costs = (by: UsageGroup) =>
      Object.fromEntries((groups.get(by) as Told).lines.map(({ name, costNanos }) => [name, costNanos]));
    for (const { total, lines } of groups.values()) {
      expect(total.costNanos).toBe(settledNanos);
      expect(lines.reduce((sum, { costNanos }) => sum + costNanos, 0)).toBe(settledNanos);
    }
    const inLedger = (kind: "role" | "step") => (name: string) =>
      [name, run.store.ledger(run.rid, `${kind}:${name}` as Scope).settledNanos] as const;
    const roles = ["planner", "doer", "reviewer"];
    expect(costs("role")).toEqual(Object.fromEntries(roles.map(inLedger("role"))));
    expect(costs("step")).toEqual(Object.fromEntries(roles.map(inLedger("step"))));
    expect(costs("step")).toEqual(Object.fromEntries(run.record.steps.map(({ id, cost_nanos }) => [id, cost_nanos])));
    expect(costs("model")).toEqual(
      Object.fromEntries(run.record.models.map(({ model, cost_nanos }) => [model, cost_nanos])),
    );
    expect(Object.keys(costs("lane")).toSorted()).toEqual(["anthropic", "openai", "openrouter"]);
    expect(costs("run")).toEqual({ [run.rid]: settledNanos });
    expect(Object.keys(costs("day"))).toEqual([expect.stringMatching(/^\d{4}-\d\d-\d\d$/)]);
    // Nobody else has spent anything today: the user's ledger tells of this run's money.
    const { windows } = groups.get("run") as Told;
    expect(windows.map(({ window, spend }) => [window, spend.settledNanos, spend.heldNanos])).toEqual([
      ["day", settledNanos, 0],
      ["week", settledNanos, 0],
    ]);
    for (const { projectedNanos } of windows) expect(projectedNanos).toBeGreaterThanOrEqual(settledNanos);
  });

  test("for people: a line for each group, their sum, what was wasted, and the day and the week", async () => {
    const { run, people } = await troubledRun();
    const text = await people(run.rid, "--by", "role");
    expect(text.split("\n")[0]).toMatch(
      /^role +calls +retries +fresh in +cached in +out +cost +cost p50 \/ p95 +seconds/,
    );
    for (const name of ["planner", "doer", "reviewer", "total"])
      expect(text).toMatch(new RegExp(`^${name} +\\d+ `, "m"));
    expect(text).toMatch(/^\$\d+\.\d\d of it on 1 lost call, 2 failed calls and tries that another followed$/m);
    expect(text).toMatch(/^1 time another model was asked than before$/m);
    expect(text).toMatch(/^providers charged \$0\.\d+ more than the price list says$/m);
    expect(text).toMatch(/^this day, in all repositories: \$\d+\.\d\d; at this rate \$\d+\.\d\d by its end$/m);
    expect(text).toMatch(/^this week, in all repositories: /m);
    // Without a rid: all runs of the repository, which is this one.
    const withoutRates = (of: string) => of.replaceAll(/at this rate .*/g, "");
    expect(withoutRates(await people("--by", "role"))).toBe(withoutRates(text));
  });

  test("before any call says so, and refuses what it does not know", async () => {
    const world = await openWireWorld(PIPELINE, []);
    const at = { cwd: world.root, env: { ...bareEnvironment(world.home), ...wireEnvironment(world.doors) } };
    const empty = await ccp(["usage"], at);
    expect(empty).toMatchObject({ code: 0, stdout: expect.stringMatching(/^no model was called yet\nthis day, /) });
    const json = JSON.parse((await ccp(["usage", "--json"], at)).stdout);
    expect(json).toMatchObject({ v: 1, rid: null, by: "model", lines: [], total: { calls: 0, costNanos: 0 } });
    expect(await ccp(["usage", "--by", "month"], at)).toMatchObject({ code: 2, stdout: "" });
    expect(await ccp(["usage", "r-nobody"], at)).toMatchObject({ code: 2, stdout: "" });
  });
});

/** A run in which a good deal goes wrong: refused, broken, lost, done by another model, and done again. */
async function troubledRun() {
  let hasIdled = false;
  const world: WireWorld = await openWireWorld(PIPELINE, [PLANNING, IDLING], {
    refuse(door, earlier) {
      const asked = earlier.filter((other) => other.door === door).length;
      return door === "anthropic" && asked > 0 ? (REFUSALS[asked - 1] ?? refusal(529, "overloaded_error")) : null;
    },
    watch({ door }, moment) {
      if (door !== "openrouter" || moment !== "answered" || hasIdled) return;
      hasIdled = true;
      world.mock.clearFixtures();
      for (const turn of REST) world.mock.addFixture(fixtureOf(turn));
    },
  });
  const run = await world.run(ROUTES);
  expect(JSON.parse(readFileSync(join(world.root, "results", run.rid, "run.json"), "utf8")).status).toBe("succeeded");
  const at = { cwd: world.root, env: { ...bareEnvironment(world.home), ...wireEnvironment(world.doors) } };
  const people = async (...argv: readonly string[]) => {
    const { code, stdout, stderr } = await ccp(["usage", ...argv], at);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout;
  };
  const usage = async (...argv: readonly string[]): Promise<Told> => JSON.parse(await people(...argv, "--json"));
  return { world, run, people, usage };
}
