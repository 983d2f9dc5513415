import { describe, expect, test } from "vitest";
import { makeRepository } from "../support/git.ts";
import { ccpAt, type Done, doerWho, runAt, type Site, scripted, site, siteAt } from "../support/proof.ts";
import { proveRefused, resultOf } from "../support/refusal.ts";

const TURNS = doerWho("echo hi > hi.txt");
/** Stops at its first call: the model refuses the request, and no way back is left. */
const FAILING = [{ role: "doer", turn: 1, stop: "refusal" }];

async function succeeded(on: Site): Promise<Done> {
  return runAt(on, { turns: TURNS });
}

async function failed(on: Site): Promise<Done> {
  return runAt(on, { turns: FAILING, code: 1 });
}

function runOn(on: Site, rid: string): readonly string[] {
  return ["run", ...scripted(on, { turns: TURNS }), "--on", rid, "More."];
}

describe("resume", () => {
  test("of a run that has succeeded is refused, and what goes on from it is named", async () => {
    const on = site();
    const { rid } = await succeeded(on);
    for (const argv of [["resume"], ["resume", rid]]) {
      await proveRefused(on, argv, {
        exit: 2,
        code: "already_succeeded",
        says: new RegExp(`${rid} has already succeeded`),
        next: new RegExp(`ccp rerun ${rid} .*ccp run --on ${rid}`),
      });
    }
  });

  test("of a run that was discarded is refused", async () => {
    const on = site();
    const { rid } = await failed(on);
    await ccpAt(on, "discard");
    const refusal = { exit: 2, code: "discarded", says: /was discarded/, next: new RegExp(`ccp rerun ${rid}`) };
    await proveRefused(on, ["resume", rid], refusal);
  });

  test("of a run of which nobody knows is refused, before the first run and after", async () => {
    const on = site();
    await proveRefused(on, ["resume"], { exit: 2, code: "no_runs", says: /there is no run/, next: /ccp run "/ });
    await failed(on);
    const refusal = { exit: 2, code: "unknown_run", says: /there is no run r-zzzzzz/, next: /ccp runs/ };
    for (const argv of [["resume", "r-zzzzzz"], ["view", "r-zzzzzz"], ["rerun", "r-zzzzzz"], runOn(on, "r-zzzzzz")])
      await proveRefused(on, argv, refusal);
  });

  test("of another repository's run is refused, and it is said which one it belongs to", async () => {
    const [home, away] = [site(), makeRepository()];
    const { rid } = await failed(home);
    const on = siteAt(away, home.env);
    const next = new RegExp(`cd ${home.root}`);
    const refusal = { exit: 2, code: "foreign_run", says: new RegExp(`run of another repository, ${home.root}`), next };
    for (const argv of [["resume", rid], ["view", rid], ["apply", rid], ["discard", rid], runOn(on, rid)])
      await proveRefused(on, argv, refusal);
  });

  test("of a rid that is the beginning of several is refused, and they are named", async () => {
    const on = site();
    const [first, second] = [await failed(on), await failed(on)];
    const says = new RegExp(`beginning of 2 runs: ${second.rid}, ${first.rid}`);
    await proveRefused(on, ["resume", "r-"], { exit: 2, code: "ambiguous_run", says, next: /give more of it/ });
  });

  test("takes the beginning of a rid, with or without r-, where it is the only one", async () => {
    const on = site();
    const { rid } = await succeeded(on);
    for (const given of [rid, rid.slice(0, 5), rid.slice(2), rid.slice(2, 5)]) {
      const { code, stdout } = await ccpAt(on, "view", given, "--json");
      expect({ code, rid: JSON.parse(stdout).rid }, given).toEqual({ code: 0, rid });
    }
  });

  test("with a model that cannot be asked is refused before the run is touched", async () => {
    const on = site();
    await failed(on);
    const cases = [
      ["doer=anthropic/claude-sonnet-5", 4, "missing_key", /ANTHROPIC_API_KEY is not set/],
      ["doer=opnai/gpt-5", 2, "unknown_provider", /did you mean "openai"\?/],
      ["doer=gpt-5", 2, "usage", /role=provider\/model/],
      ["dooer=openai/gpt-5", 2, "usage", /did you mean "doer"\?/],
      ["doer=scripted/nope.yaml", 2, "no_transcript", /check the path/],
    ] as const;
    for (const [model, exit, code, next] of cases)
      await proveRefused(on, ["resume", "--model", model], { exit, code, says: /./, next });
  });

  test("with a ceiling below what was used, or more of a ceiling that there is not, is refused", async () => {
    const on = site();
    const turns = [{ ...TURNS[0], role: "doer", turn: 1, usage: { input: 5000, output: 50 } }];
    await runAt(on, { turns, code: 1 });
    const refusal = { exit: 2, code: "usage" };
    await proveRefused(on, ["resume", "--tokens", "5049"], {
      ...refusal,
      says: /the new ceiling is below what the run has used/,
      next: /add to the old one with a \+/,
    });
    await proveRefused(on, ["resume", "--tokens", "+5000"], {
      ...refusal,
      says: /there is no ceiling to add \+5000 to/,
      next: /without the \+/,
    });
    await proveRefused(on, ["resume", "--budget", "+a"], {
      ...refusal,
      says: /--budget a is not/,
      next: /mend the flag/,
    });
  });

  test("of a run that failed goes on with fresh tries, and more of its budget each time that it is given", async () => {
    const on = site();
    const raised: unknown[] = [];
    const { rid } = await runAt(on, { turns: FAILING, code: 1, args: ["--tokens", "20000"] });
    for (const tokens of ["+10000", "+10000"]) {
      const { stdout } = await ccpAt(on, "resume", "--tokens", tokens, "--json");
      expect(resultOf(stdout)).toMatchObject({ rid, status: "failed", exitCode: 1 });
      const told = stdout.split("\n").filter((line) => line.includes('"type":"budget.raised"'));
      raised.push(...told.map((line) => JSON.parse(line)).map(({ scope, budget }) => `${scope} ${budget.maxTokens}`));
    }
    // The doer is alone: its share is the whole, however often the whole has grown.
    expect(raised).toEqual(["run 30000", "role:doer 30000", "run 40000", "role:doer 40000"]);
    const { stdout } = await ccpAt(on, "resume", "--ui", "plain", "--minutes", "+1");
    expect(stdout).toMatch(/✗ failed/);
    const events = (await ccpAt(on, "view", "--json")).stdout;
    expect(JSON.parse(events).budget.max_tokens).toBe(40000);
    expect(JSON.parse(events).steps[0].tries).toBe(4);
  });
});

describe("run --on", () => {
  test("a run that has no finished tree is refused", async () => {
    const on = site();
    const { rid } = await failed(on);
    await ccpAt(on, "discard");
    await proveRefused(on, runOn(on, rid), { exit: 2, code: "no_tree", says: /no finished tree/, next: /ccp view/ });
  });

  test("a base that is no commit is refused", async () => {
    const on = site();
    const argv = ["run", ...scripted(on, { turns: TURNS }), "--base", "nope", "Do it."];
    await proveRefused(on, argv, {
      exit: 2,
      code: "unknown_revision",
      says: /no commit is named "nope"/,
      next: /git log/,
    });
  });
});
