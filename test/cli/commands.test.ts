import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { git, writeFiles } from "../support/git.ts";
import { ccpAt, DOER_ONLY, doerWho, runAt, type Site, site } from "../support/proof.ts";
import { proveRefused } from "../support/refusal.ts";

const TURNS = doerWho("echo hi > hi.txt");
const LATER = { exit: 2, next: /./ };

async function siteWithRun(): Promise<{ readonly on: Site; readonly rid: string }> {
  const on = site({ "README.md": "# Sample\n", "hello.txt": "hello\n" });
  const { rid } = await runAt(on, { turns: doerWho("echo bye > hello.txt") });
  return { on, rid };
}

describe("before the first run", () => {
  test("commands that work on a run say that there is none", async () => {
    const on = site();
    const refusal = { exit: 2, code: "no_runs", says: /no run in this repository yet/, next: /ccp run "/ };
    for (const command of ["view", "diff", "apply", "discard", "bundle", "rerun", "resume"])
      await proveRefused(on, [command], refusal);
    expect(await ccpAt(on, "runs")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^no runs yet: ccp run/) });
    expect(JSON.parse((await ccpAt(on, "runs", "--json")).stdout)).toEqual({ v: 1, runs: [] });
  });
});

describe("apply", () => {
  test("changes nothing where the changes do not fit, and says how they can be brought together", async () => {
    const { on, rid } = await siteWithRun();
    writeFiles(on.root, { "hello.txt": "my own words\n" });
    await proveRefused(on, ["apply"], {
      exit: 1,
      code: "conflict",
      says: new RegExp(`the changes of ${rid} do not fit your tree: .*hello\\.txt`),
      next: new RegExp(`nothing was changed.*git merge ccp/${rid}`),
    });
  });

  test("a second time is refused: nothing is brought in twice", async () => {
    const { on, rid } = await siteWithRun();
    expect((await ccpAt(on, "apply")).stdout).toContain(`applied ${rid} to ${on.root}`);
    const says = /has been applied already/;
    await proveRefused(on, ["apply"], {
      exit: 2,
      code: "already_applied",
      says,
      next: new RegExp(`ccp discard ${rid}`),
    });
    await ccpAt(on, "discard");
    await proveRefused(on, ["apply"], { exit: 2, code: "already_applied", says, next: /see it: git diff\n/ });
  });

  test("of a run that failed says so", async () => {
    const on = site();
    const turns = [TURNS[0] ?? { turn: 1 }, { role: "doer", turn: 2, stop: "refusal" }];
    const { rid } = await runAt(on, { turns, code: 1 });
    const { code, stdout } = await ccpAt(on, "apply");
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`applied ${rid} to .* \\(the run itself is failed\\)`));
    expect(readFileSync(join(on.root, "hi.txt"), "utf8")).toBe("hi\n");
  });
});

describe("discard", () => {
  test("a second time is refused; the record and the results of the run stay", async () => {
    const { on, rid } = await siteWithRun();
    expect((await ccpAt(on, "discard")).code).toBe(0);
    expect(git(on.root, "branch", "--list", "ccp/*")).toBe("");
    await proveRefused(on, ["discard"], { ...LATER, code: "discarded", says: /was discarded already/ });
    expect((await ccpAt(on, "view")).stdout).toMatch(new RegExp(`^discarded {2}${rid}`));
    expect(existsSync(join(on.root, "results", rid, "run.json"))).toBe(true);
  });
});

describe("diff", () => {
  test("of a run that changed nothing prints nothing to standard output", async () => {
    const on = site();
    const { rid } = await runAt(on, { turns: [{ role: "doer", turn: 1, stop: "refusal" }], code: 1 });
    expect(await ccpAt(on, "diff")).toEqual({ code: 0, stdout: "", stderr: `${rid} changed nothing\n` });
  });
});

describe("view", () => {
  test("of a step that the run does not have names the one that was meant, or all", async () => {
    const { on } = await siteWithRun();
    const refusal = { exit: 2, code: "usage" };
    await proveRefused(on, ["view", "--step", "dore"], { ...refusal, says: /no step "dore"/, next: /mean "doer"\?/ });
    await proveRefused(on, ["view", "--step", "x"], { ...refusal, says: /no step "x"/, next: /its steps: doer/ });
  });
});

describe("init", () => {
  test("never overwrites", async () => {
    const on = site();
    expect((await ccpAt(on, "init")).code).toBe(0);
    writeFiles(on.root, { ".ccp/pipelines/default.yaml": "# mine\n" });
    const { code, stdout, stderr } = await ccpAt(on, "init");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/default\.yaml is there already\n {2}.*ccp validate/);
    expect(readFileSync(join(on.root, ".ccp/pipelines/default.yaml"), "utf8")).toBe("# mine\n");
  });
});

describe("validate and plan", () => {
  test("exit 2 for a file that cannot be run, and plan makes no call of it", async () => {
    const on = site({ "bad.yaml": "pipeline:\n  - role: dooer\n", "good.yaml": DOER_ONLY });
    const { code, stdout } = await ccpAt(on, "validate", "good.yaml", "bad.yaml");
    expect(code).toBe(2);
    expect(stdout).toMatch(/good\.yaml {2}ok, 1 step\n[\s\S]*bad\.yaml:2:11 {2}unknown role "dooer"/);
    const json = JSON.parse((await ccpAt(on, "validate", "bad.yaml", "--json")).stdout);
    expect(json).toMatchObject({ v: 1, ok: false, files: [{ ok: false, diagnostics: [{ line: 2, column: 11 }] }] });
    const refusal = { exit: 2, code: "invalid_pipeline", says: /unknown role "dooer"/, next: /ccp validate/ };
    await proveRefused(on, ["plan", "--pipeline", "bad.yaml"], refusal);
    await proveRefused(on, ["validate", "nope"], { ...LATER, code: "unknown_pipeline", says: /no pipeline nope/ });
  });

  test("plan without a key says which roles have no model", async () => {
    const on = site({ "good.yaml": DOER_ONLY });
    await proveRefused(on, ["plan", "--pipeline", "good.yaml"], {
      exit: 4,
      code: "no_model",
      says: /no model for doer/,
      next: /set ANTHROPIC_API_KEY/,
    });
  });
});

describe("ping", () => {
  test("without a key exits 4 and names the keys; a model of no provider is refused", async () => {
    const on = site();
    const { code, stdout } = await ccpAt(on, "ping");
    expect(code).toBe(4);
    expect(stdout).toMatch(/set ANTHROPIC_API_KEY/);
    expect(JSON.parse((await ccpAt(on, "ping", "--json")).stdout)).toEqual({ v: 1, answers: [] });
    const says = /--model gpt is not of the form provider\/model/;
    await proveRefused(on, ["ping", "--model", "gpt"], { exit: 2, code: "usage", says, next: /for example: ccp ping/ });
    await proveRefused(on, ["ping", "--model", "opnai/x"], { ...LATER, code: "unknown_provider", says: /"opnai"/ });
    await proveRefused(on, ["ping", "--model", "openai/x"], {
      exit: 4,
      code: "missing_key",
      says: /OPENAI_API_KEY is not set/,
      next: /set OPENAI_API_KEY/,
    });
  });
});
