import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Window } from "../../src/core/budget.ts";
import type { UserLedger } from "../../src/core/store.ts";
import { openUserLedger } from "../../src/store/user-ledger.ts";
import { bareEnvironment, ccp, finished, startBinary } from "../support/cli.ts";
import { makeRepository } from "../support/git.ts";
import { eventsOf, journalOf, withStore } from "../support/journal.ts";
import { type Lie, type LyingServer, lyingServer } from "../support/lying-server.ts";
import { ccpAt, type Site, siteAt } from "../support/proof.ts";
import { type RunResult, resultOf } from "../support/refusal.ts";
import { RED_PROJECT, WORK } from "../support/scenario.ts";
import { LANE_KEYS } from "../support/wire-run.ts";

const MODEL = "claude-haiku-4-5";
const USD = 1e9;
/** Of that model, in nano-dollars a token. */
const PRICE = { input: 1_000, output: 5_000 };
const INPUT_TOKENS = 2_000;

const EDIT = { tool: "edit", args: { path: "sum.mjs", edits: [{ old: "a - b", new: "a + b" }] } };
const READ = { tool: "read", args: { path: "sum.mjs" } };
const FINISH = { tool: "finish", args: WORK };
/** It uses so many tokens, or nearly as many as it may. */
const using = (outputTokens: number, ...calls: NonNullable<Lie["calls"]>): Lie => ({
  text: "Now.",
  calls,
  report: (_, maxTokens) => ({ input: INPUT_TOKENS, output: Math.min(outputTokens, maxTokens - 1) }),
});
const costOf = (outputTokens: number) => INPUT_TOKENS * PRICE.input + outputTokens * PRICE.output;

describe("ceilings of a day and of a week", () => {
  test("hold over the runs of two repositories, one after the other: exit 5, and on again when the file says more", async () => {
    const user = await openUser([using(12_000, EDIT, FINISH)], "day: { usd: 0.1 }");
    const [first, second] = [user.site(), user.site()];
    expect(await user.run(first)).toMatchObject({ status: "succeeded", costNanos: costOf(12_000) });
    const next = await user.run(second);
    // The rest of the day holds a shorter answer.
    expect(next).toMatchObject({ status: "succeeded" });
    expect(eventsOf(second, next.rid, "call.reserved").map(({ shrunk }) => shrunk)).toEqual([true]);
    expect(user.spent("day")).toBeLessThanOrEqual(0.1 * USD);

    const refused = await user.run(first);
    expect(refused).toMatchObject({
      status: "budget_reached",
      exitCode: 5,
      costNanos: 0,
      reason: expect.stringMatching(
        /^the next call to anthropic\/claude-haiku-4-5 may cost \$0\.\d+ and <?\$0\.\d+ is left of your ceiling for this day in ~\/\.config\/ccp\/config\.yaml, so it was not made$/,
      ),
      next: [`ccp resume ${refused.rid}`, expect.anything(), expect.anything()],
    });
    expect(user.server.questions).toHaveLength(2);
    // A resume grants nothing, and nor does more money of the run's own.
    expect(await user.resume(first, refused.rid)).toMatchObject({ status: "budget_reached", exitCode: 5 });
    expect(await user.resume(first, refused.rid, "--budget", "+5")).toMatchObject({ exitCode: 5 });
    expect(user.server.questions).toHaveLength(2);
    expect(user.spent("day")).toBeLessThanOrEqual(0.1 * USD);

    user.configure("day: { usd: 0.3 }");
    expect(await user.resume(first, refused.rid)).toMatchObject({ status: "succeeded", exitCode: 0 });
    expect(user.server.questions).toHaveLength(3);
    user.expectAgreement(first, second);
  });

  test("hold over two runs at once: the sum is never above, at any look, and both come to an end", async () => {
    // Room for one whole reservation, not for two.
    const user = await openUser([using(2_000, READ), using(2_000, EDIT), using(2_000, FINISH)], "week: { usd: 0.12 }");
    const sites = [user.site(), user.site()];
    const runs = sites.map((on) => finished(user.start(on, "run", ...user.flags(on))));
    let isOver = false;
    const ended = Promise.all(runs).finally(() => {
      isOver = true;
    });
    let [looks, most] = [0, 0];
    while (!isOver) {
      most = Math.max(most, user.used("week"));
      looks += 1;
      await new Promise(setImmediate);
    }
    for (const { stdout, stderr } of await ended)
      expect(resultOf(stdout), stderr).toMatchObject({ status: "succeeded" });
    expect(looks).toBeGreaterThan(10);
    expect(most).toBeGreaterThan(0.08 * USD);
    expect(most).toBeLessThanOrEqual(0.12 * USD);
    expect(user.spent("week")).toBe(6 * costOf(2_000));
    expect(user.server.questions).toHaveLength(6);
    user.expectAgreement(...sites);
  });

  test("count tokens as well, and the tighter of the two windows counts", async () => {
    const user = await openUser([using(12_000, EDIT, FINISH)], "day: { usd: 50 }\n  week: { usd: 50, tokens: 16000 }");
    const on = user.site();
    expect(await user.run(on)).toMatchObject({ status: "succeeded" });
    const refused = await user.run(on);
    expect(refused).toMatchObject({
      exitCode: 5,
      reason: expect.stringMatching(/may cost \d+ tokens and \d+ tokens is left of your ceiling for this week/),
    });
  });

  test("warn at 75 and 90 percent once in each run, however often it is resumed", async () => {
    const user = await openUser(
      [using(12_000, READ), using(3_000, READ), using(3_000, EDIT), using(200, FINISH)],
      "day: { usd: 0.1 }\n  week: { usd: 0.1 }",
    );
    const on = user.site();
    const shown = await ccpAt(on, "run", ...user.flags(on).filter((flag) => flag !== "--json"));
    expect(shown).toMatchObject({ code: 5 });
    for (const window of ["today's", "this week's"])
      for (const percent of [75, 90])
        expect(
          shown.stderr.split("\n").filter((line) => line.includes(`${percent}% of ${window} ceiling for all runs`)),
        ).toHaveLength(1);
    const rid = withStore(on, (store) => store.runs()[0]?.rid ?? "");
    expect(await user.resume(on, rid)).toMatchObject({ exitCode: 5 });
    user.configure("day: { usd: 0.2 }\n  week: { usd: 0.101 }");
    expect(await user.resume(on, rid)).toMatchObject({ exitCode: 5 });
    user.configure("day: { usd: 0.2 }\n  week: { usd: 0.2 }");
    expect(await user.resume(on, rid)).toMatchObject({ status: "succeeded" });
    const warned = eventsOf(on, rid, "budget.warned").map(({ scope, percent }) => `${scope} ${percent}`);
    expect(warned.toSorted()).toEqual(["day 75", "day 90", "week 75", "week 90"]);
  });

  test("are the user's: no file of a project can set or raise them", async () => {
    const user = await openUser([using(12_000, EDIT, FINISH)], "day: { usd: 0.001 }");
    const text = "budget: { day: { usd: 50 }, week: { usd: 50 } }\n";
    const places = [".ccp/config.yaml", "config.yaml", ".config/ccp/config.yaml", "ccp.yaml"];
    const on = user.site(Object.fromEntries(places.map((place) => [place, text])));
    write(join(on.root, ".git/ccp/config.yaml"), text);
    expect(await user.run(on)).toMatchObject({ exitCode: 5, costNanos: 0 });
    const usage = JSON.parse((await ccp(["usage", "--json"], { cwd: on.cwd, env: on.env })).stdout);
    expect(usage.windows.map(({ ceiling }: { ceiling: unknown }) => ceiling)).toEqual([{ maxCostNanos: 1e6 }, null]);
    const pipeline = join(on.outside, "greedy.yaml");
    writeFileSync(pipeline, `budget: { usd: 5, day: { usd: 50 } }\npipeline:\n  - role: doer\n`);
    const refused = await ccp(["run", "--pipeline", pipeline, "Do it."], { cwd: on.cwd, env: on.env });
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/greedy\.yaml:1:\d+ {2}unknown key "day"/),
    });
    expect(user.server.questions).toEqual([]);
  });

  test("that cannot be read are refused, where and why, before anything is started", async () => {
    const user = await openUser([using(10, EDIT, FINISH)], "day: { usdd: 5 }");
    const on = user.site();
    for (const command of ["run", "usage", "ping"]) {
      const argv = command === "run" ? ["run", ...user.flags(on).filter((flag) => flag !== "--json")] : [command];
      const result = await ccp(argv, { cwd: on.cwd, env: on.env });
      expect(result.code, command).toBe(4);
      expect(result.stderr).toMatch(
        /\.config\/ccp\/config\.yaml cannot be used\n.*config\.yaml:2:10 {2}unknown key "usdd"/,
      );
      expect(result.stderr).toMatch(/nothing was started/);
    }
    expect(user.server.questions).toEqual([]);
    withStore(on, (store) => expect(store.runs()).toEqual([]));
  });

  test("are right again after kill -9 between the user's hold and the run's record", async () => {
    let lock: Database.Database | null = null;
    const lies = [using(200, EDIT, FINISH)];
    const user = await openUser(lies, "day: { usd: 0.05 }", () => {
      // The shortened call is about to be held: from here on nothing can go on the run's record.
      lock ??= new Database(journal).exec("BEGIN IMMEDIATE");
    });
    const on = user.site();
    const journal = join(on.root, ".git/ccp/ccp.db");
    const child = user.start(on, "run", ...user.flags(on));
    const gone = finished(child);
    while (user.used("day") === 0 && child.exitCode === null) await new Promise(setImmediate);
    child.kill("SIGKILL");
    expect(await gone).toMatchObject({ signal: "SIGKILL" });
    (lock as Database.Database | null)?.close();

    const rid = withStore(on, (store) => store.runs()[0]?.rid ?? "");
    expect(user.spend("day")).toMatchObject({ settledNanos: 0, heldNanos: expect.toSatisfy((nanos) => nanos > 0) });
    expect(withStore(on, (store) => store.calls(rid))).toEqual([]);
    expect(user.ledger.open(rid)).toEqual([`${on.root} ${rid}.doer.1`]);
    expect(await user.resume(on, rid)).toMatchObject({ status: "succeeded", lostCalls: 0, costNanos: costOf(200) });
    expect(user.server.questions).toHaveLength(1);
    user.expectAgreement(on);
  });
});

/** A user with ceilings, whose models are one server, at as many repositories as a test wants. */
async function openUser(lies: readonly Lie[], budget: string, onCount?: () => void) {
  const server: LyingServer = await lyingServer(lies, onCount);
  const environment: Readonly<Record<string, string>> = {
    ...bareEnvironment(),
    ANTHROPIC_API_KEY: LANE_KEYS.anthropic ?? "",
    ANTHROPIC_BASE_URL: server.url,
  };
  const home = environment.HOME ?? "";
  const configure = (text: string) => write(join(home, ".config/ccp/config.yaml"), `budget:\n  ${text}\n`);
  configure(budget);
  const ledger: UserLedger = openUserLedger(join(home, ".local/state/ccp/ledger.db"), {});
  onTestFinished(() => ledger.close());
  const today = () => new Date().toLocaleDateString("sv");
  const spend = (window: Window) => ledger.spend(window, today());
  const flags = (on: Site) => {
    const file = join(on.outside, "pipeline.yaml");
    write(file, `roles:\n  doer: { models: anthropic/${MODEL} }\npipeline:\n  - { role: doer, attempts: 1 }\n`);
    return ["--pipeline", file, "--budget", "5", "--json", "Make sum add."];
  };
  const start = (on: Site, ...argv: readonly string[]) => startBinary(argv, { cwd: on.cwd, env: on.env });
  const told = async (on: Site, ...argv: readonly string[]): Promise<RunResult> => {
    const { stdout, stderr } = await ccpAt(on, ...argv);
    expect(stdout, stderr).not.toBe("");
    return resultOf(stdout);
  };
  return {
    server,
    ledger,
    configure,
    flags,
    start,
    spend,
    site: (files = {}) => siteAt(makeRepository({ ...RED_PROJECT, ...files }), environment),
    run: (on: Site) => told(on, "run", ...flags(on)),
    resume: (on: Site, rid: string, ...more: readonly string[]) => told(on, "resume", rid, "--json", ...more),
    spent: (window: Window) => spend(window).settledNanos,
    used: (window: Window) => spend(window).settledNanos + spend(window).heldNanos,
    /** The user's ledger and those of the repositories tell of the same money, and nothing is held any more. */
    expectAgreement(...sites: readonly Site[]) {
      const spends = sites.flatMap((on) =>
        withStore(on, (store) => store.runs().map(({ rid }) => store.ledger(rid, "run"))),
      );
      const sum = (unit: "settledNanos" | "settledTokens") => spends.reduce((all, one) => all + one[unit], 0);
      expect(spends.every(({ heldNanos, heldTokens }) => heldNanos + heldTokens === 0)).toBe(true);
      for (const window of ["day", "week"] as const) {
        expect(spend(window)).toEqual({
          settledNanos: sum("settledNanos"),
          heldNanos: 0,
          settledTokens: sum("settledTokens"),
          heldTokens: 0,
        });
      }
      for (const on of sites)
        expect(
          journalOf(
            on,
            withStore(on, (store) => store.runs()[0]?.rid ?? ""),
          ),
        ).not.toEqual([]);
    },
  };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
