import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { bareEnvironment, ccp } from "../support/cli.ts";
import { git, writeFiles } from "../support/git.ts";
import { ccpAt, doerWho, runAt, scripted, site } from "../support/proof.ts";
import { resultOf } from "../support/refusal.ts";
import { RED_PROJECT } from "../support/scenario.ts";
import { tempDir } from "../support/temp.ts";

const TURNS = doerWho("echo hi > hi.txt");

describe("plan", () => {
  test("prints order, models, permissions and budget of each step, and makes no call", async () => {
    const on = site(RED_PROJECT);
    const argv = ["plan", "--transcript", "nowhere.yaml", "--budget", "1.00", "--tokens", "50000", "--minutes", "5"];
    const { code, stdout } = await ccpAt(on, ...argv);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^plan-build-test-review .*\nbudget \$1\.00 \/ 50000 tokens \/ 5m · .*sandbox.*\n/);
    const rows = ["planner", "doer", "test", "reviewer"].map((id) => new RegExp(`^${id} .*`, "m").exec(stdout)?.[0]);
    expect(rows[0]).toMatch(/- {2,}planner: scripted.*read ls glob grep .*\$0\.25 \/ 12500 tokens/);
    expect(rows[1]).toMatch(/planner {2,}doer: scripted.*edit apply_patch write bash.*\$0\.50 \/ 25000 tokens/);
    expect(rows[2]).toMatch(/doer {2,}`npm test` {2,}changes are discarded .*back to doer \(2\)/);
    expect(rows[3]).toMatch(/test {2,}reviewer: scripted.*back to doer \(1\)/);
    expect(rows[3]).not.toMatch(/edit|write|bash/);
    expect(stdout).toMatch(/no call was made\n$/);
  });

  test("as JSON is the pipeline that would run, with the inputs it would get", async () => {
    const on = site(RED_PROJECT);
    const { stdout } = await ccpAt(on, "plan", "--transcript", "x.yaml", "--pipeline", "quick-fix", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      v: 1,
      inputs: { test: "npm test" },
      pipeline: { name: "quick-fix", steps: [{ id: "doer", until: { attempts: 3 } }] },
    });
  });
});

describe("runs, view and bundle", () => {
  test("show what was done, for people and for machines", async () => {
    const on = site();
    const first = await runAt(on, { turns: TURNS, task: "Say hi.\nAnd mean it." });
    const second = await runAt(on, { turns: [{ role: "doer", turn: 1, stop: "refusal" }], code: 1 });
    const list = (await ccpAt(on, "runs")).stdout.split("\n");
    expect(list[1]).toMatch(new RegExp(`^${second.rid} +failed +\\$0\\.00 +now +pipeline +Do it\\.`));
    expect(list[2]).toMatch(new RegExp(`^${first.rid} +succeeded +\\$0\\.00 +now +pipeline +Say hi\\.$`));

    const report = await ccpAt(on, "view", first.rid);
    expect(report.stdout).toMatch(/^✓ succeeded[\s\S]*1 file, \+1 −0\n {2}hi\.txt[\s\S]*ccp apply r-/);
    const told = (await ccpAt(on, "view", first.rid, "--step", "doer")).stdout;
    expect(told).toMatch(/Say hi\.[\s\S]*And mean it\.[\s\S]*echo hi > hi\.txt[\s\S]*did it/);
    const entries = JSON.parse((await ccpAt(on, "view", first.rid, "--step", "doer", "--json")).stdout).entries;
    expect(entries.map(({ kind }: { kind: string }) => kind)).toEqual(expect.arrayContaining(["prompt", "call"]));
    expect(JSON.parse((await ccpAt(on, "diff", first.rid, "--json")).stdout)).toMatchObject({
      rid: first.rid,
      tree: first.record.tree,
      patch: expect.stringContaining("+hi\n"),
    });
  });

  test("bundle twice gives the same bytes", async () => {
    const on = site();
    const { rid } = await runAt(on, { turns: TURNS });
    const [one, two] = [join(on.outside, "one.tar.gz"), join(on.outside, "two.tar.gz")];
    expect(await ccpAt(on, "bundle", "-o", one)).toEqual({ code: 0, stdout: `${one}\n`, stderr: "" });
    const { stdout } = await ccpAt(on, "bundle", rid, "--output", two, "--json");
    expect(JSON.parse(stdout)).toEqual({ v: 1, rid, bundle: two });
    expect(readFileSync(one).equals(readFileSync(two))).toBe(true);
  });
});

describe("rerun", () => {
  test("does the same task again on the same base, whatever has been committed or edited since", async () => {
    const on = site({ "a.txt": "one\n" });
    const first = await runAt(on, { turns: doerWho("cat a.txt >> b.txt") });
    writeFiles(on.root, { "a.txt": "two\n" });
    git(on.root, "commit", "--quiet", "--all", "--message=on");
    writeFiles(on.outside, { "pipeline.yaml": "no pipeline: any more\n" });
    const again = resultOf((await ccpAt(on, "rerun", "--json")).stdout);
    expect(again).toMatchObject({ status: "succeeded", exitCode: 0 });
    expect(again.rid).not.toBe(first.rid);
    expect(git(on.root, "show", `ccp/${again.rid}:b.txt`)).toBe("one\n");
    const record = JSON.parse((await ccpAt(on, "view", again.rid, "--json")).stdout);
    expect(record).toMatchObject({ parent: first.rid, title: "Do it.", pipeline: { digest: expect.any(String) } });
  });

  test("of a run whose transcript is gone is refused before anything is begun", async () => {
    const on = site();
    await runAt(on, { turns: TURNS });
    rmSync(join(on.outside, "transcript.yaml"));
    const { code, stdout } = await ccpAt(on, "rerun", "--json");
    expect(code).toBe(2);
    expect(resultOf(stdout)).toMatchObject({ status: "error", error: { code: "no_transcript" }, rid: null });
  });
});

describe("a task", () => {
  test.each([
    ["from standard input", ["-"], "From a pipe.\nTwo lines.\n"],
    ["from a file", ["--task-file", "task.md"], ""],
  ])("is read %s, whole", async (_where, argv, stdin) => {
    const on = site({ "task.md": "From a file.\nTwo lines.\n" });
    const flags = scripted(on, { turns: TURNS });
    const { code } = await ccp(["run", ...flags, ...argv], { cwd: on.root, env: on.env, stdin });
    expect(code).toBe(0);
    const { title } = JSON.parse((await ccpAt(on, "view", "--json")).stdout);
    expect(title).toBe(stdin === "" ? "From a file." : "From a pipe.");
    expect((await ccpAt(on, "view", "--step", "doer")).stdout).toMatch(/From a (file|pipe)\.\s+Two lines\./);
  });
});

describe("demo", () => {
  test("is a whole run without a key: it ends with the diff and says how to go on", async () => {
    const env = bareEnvironment();
    const { code, stdout, stderr } = await ccp(["demo"], { cwd: tempDir(), env });
    const sample = /^repository: (.*)$/m.exec(stderr)?.[1] ?? "";
    onTestFinished(() => rmSync(sample, { recursive: true, force: true }));
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^✓ succeeded[\s\S]*diff --git[\s\S]*cd \/.*\n {2}ccp view[\s\S]*ccp init\n$/);
    for (const name of ["PLAN.md", "Diff.patch", "REVIEW.md"])
      expect(existsSync(join(sample, "results", name))).toBe(true);
    expect((await ccp(["apply"], { cwd: sample, env })).code).toBe(0);
    expect(git(sample, "status", "--porcelain")).not.toBe("");
  });
});
