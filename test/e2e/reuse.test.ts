import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { git } from "../support/git.ts";
import { journalOf } from "../support/journal.ts";
import {
  APPROVES,
  call,
  DOER,
  MENDS_ANEW,
  PLANNER,
  REJECTS,
  REVIEWER,
  rejectedRun,
  STEPS,
  TEST,
} from "../support/mending.ts";
import { driven, fileOf } from "../support/mock-site.ts";
import { ccpAt, type Done, footprint, runAt, type Site, site, treeOfPatch } from "../support/proof.ts";
import { proveRefused, traces } from "../support/refusal.ts";
import { MENDING, RED_PROJECT, WORK } from "../support/scenario.ts";
import { look } from "../workspace/git-support.ts";

const STRICT_REVIEWER = "  - { role: reviewer, prompt: Look twice. }\n";
const CAREFUL_DOER = "  - { role: doer, prompt: Take care. }\n";

/** What `resume --plan` decides: `planner reuse, doer re-run`. */
async function decisions(on: Site, ...flags: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await ccpAt(on, "resume", "--plan", "--json", ...flags);
  expect(code, stderr + stdout).toBe(0);
  const { steps } = JSON.parse(stdout) as { steps: readonly { stepId: string; decision: string }[] };
  return steps.map(({ stepId, decision }) => `${stepId} ${decision}`).join(", ");
}

/** What a run has cost: all of it, and by step. */
function costs({ results }: Done): Readonly<Record<string, number>> {
  const record = JSON.parse(readFileSync(join(results, "run.json"), "utf8"));
  const steps = record.steps.map((step: { id: string; cost_nanos: number }) => [step.id, step.cost_nanos]);
  return { all: record.cost_nanos, ...Object.fromEntries(steps) };
}

const artifact = (run: Pick<Done, "results">, name: string) => readFileSync(join(run.results, name), "utf8");

describe("resume --plan", () => {
  test("says for each step what becomes of it, why and what that saves, and changes nothing", async () => {
    const { on, run } = await rejectedRun();
    const left = () => [journalOf(on, run.rid), look(join(on.env.HOME ?? "", ".local/state/ccp/worktrees", run.rid))];
    const before = [await traces(on), ...left()];
    const edited = on.pipeline(fileOf(PLANNER + CAREFUL_DOER + TEST + REVIEWER), "edited");
    const [own, other] = [await ccpAt(on, "resume", "--plan"), await ccpAt(on, "resume", "--plan", "-p", edited)];
    expect(own.stdout).toMatch(/^planner +reuse +it is given the same things as then +\$0\.0030 saved$/m);
    expect(own.stdout).toMatch(/^reviewer +go on +it has not succeeded, and gets fresh tries +\$0\.0075 spent$/m);
    expect(own.stdout).toContain("3 of 4 steps reused, $0.0045 saved; the files stay as they are\n");
    expect(other.stdout).toMatch(/^doer +re-run +its definition or its role has changed +\$0\.0015 spent$/m);
    expect(other.stdout).toMatch(/^test +re-run +step "doer" before it is done first$/m);
    expect(other.stdout).toMatch(/1 of 4 steps reused, \$0\.0030 saved; it starts from tree [0-9a-f]{12}\n/);
    const json = JSON.parse((await ccpAt(on, "resume", "--plan", "-p", edited, "--json")).stdout);
    expect(json).toMatchObject({
      v: 1,
      rid: run.rid,
      saved_nanos: 3_000_000,
      tree: git(on.root, "rev-parse", "HEAD^{tree}").trim(),
    });
    expect([await traces(on), ...left()]).toEqual(before);
    expect(on.asked()).toEqual([]);
  });

  test("an edited pipeline reuses exactly what is unchanged and builds on nothing that is not", async () => {
    const { on } = await rejectedRun();
    const nothing = "planner reuse, doer reuse, test reuse, reviewer go-on";
    const fromDoer = "planner reuse, doer re-run, test re-run, reviewer run";
    const cases: readonly (readonly [string, string, string])[] = [
      [
        "a comment, other quotes, a name",
        `# why\nname: other\n${fileOf(STEPS).replaceAll("anthropic/", "  anthropic/")}`,
        nothing,
      ],
      ["more money and time", fileOf(STEPS).replace("usd: 20", "usd: 30, minutes: 90"), nothing],
      [
        "tries, time and the way back",
        fileOf(
          STEPS.replace(
            "run: node check.mjs",
            "run: node check.mjs, attempts: 3, timeout: 5m, on_failure: { back_to: doer }",
          ),
        ),
        nothing,
      ],
      ["turns", fileOf(STEPS).replace("haiku-4-5 }", "haiku-4-5, max_turns: 7 }"), nothing],
      ["the set-up", `workspace: { setup: "true" }\n${fileOf(STEPS)}`, nothing],
      [
        "the planner's words",
        fileOf(`  - { role: planner, prompt: Think. }\n${DOER}${TEST}${REVIEWER}`),
        "planner re-run, doer re-run, test re-run, reviewer run",
      ],
      ["the doer's words", fileOf(PLANNER + CAREFUL_DOER + TEST + REVIEWER), fromDoer],
      ["the doer's model", fileOf(STEPS).replace("claude-haiku-4-5", "claude-sonnet-4-5"), fromDoer],
      ["what the doer may do", fileOf(STEPS).replace("haiku-4-5 }", "haiku-4-5, tools: [read, edit] }"), fromDoer],
      [
        "what is tested",
        fileOf(STEPS.replace("node check.mjs", "node check.mjs --all")),
        "planner reuse, doer reuse, test re-run, reviewer run",
      ],
      [
        "the reviewer's words",
        fileOf(PLANNER + DOER + TEST + STRICT_REVIEWER),
        "planner reuse, doer reuse, test reuse, reviewer run",
      ],
      ["a step less", fileOf(PLANNER + DOER + REVIEWER), "planner reuse, doer reuse, reviewer run"],
      ["the first step less", fileOf(DOER + TEST + REVIEWER), "doer re-run, test re-run, reviewer run"],
      [
        "a step more, before the end",
        fileOf(`${PLANNER + DOER + TEST}  - { id: lint, run: "true" }\n${REVIEWER}`),
        "planner reuse, doer reuse, test reuse, lint run, reviewer run",
      ],
      [
        "a step more, in the middle",
        fileOf(`${PLANNER}  - { id: lint, run: "true" }\n${DOER + TEST + REVIEWER}`),
        "planner reuse, lint run, doer re-run, test re-run, reviewer run",
      ],
      [
        "a step more, beside them",
        fileOf(`${STEPS}  - { id: lint, run: "true", needs: [planner] }\n`),
        `${nothing}, lint run`,
      ],
    ];
    expect(await decisions(on)).toBe(nothing);
    for (const [what, file, expected] of cases)
      expect.soft(await decisions(on, "--pipeline", on.pipeline(file, "edited")), what).toBe(expected);
    const model = ["--pipeline", on.pipeline(fileOf(STEPS)), "--model", "doer=anthropic/claude-sonnet-4-5"];
    expect(await decisions(on, ...model)).toBe(fromDoer);
  });
});

describe("resume --pipeline", () => {
  test("with other words for the reviewer asks the reviewer alone, of the tree as it is", async () => {
    const { on, run } = await rejectedRun();
    const [cost, plan] = [costs(run), artifact(run, "PLAN.md")];
    on.answer(APPROVES);
    const file = on.pipeline(fileOf(PLANNER + DOER + TEST + STRICT_REVIEWER), "edited");
    const done = await driven(on, 0, "resume", "--pipeline", file);
    expect(on.asked()).toEqual(["reviewer 1"]);
    expect(done.record).toMatchObject({ rid: run.rid, status: "succeeded", tree: run.record.tree });
    expect(costs(done)).toEqual({ ...cost, all: 19_500_000, reviewer: 15_000_000 });
    expect(artifact(done, "PLAN.md")).toBe(plan);
    expect(readdirSync(done.results).filter((name) => name.startsWith("undone"))).toEqual([]);
    expect(done.stderr).toBe("");
    expect(journalOf(on, run.rid).filter(({ type }) => type === "pipeline.changed")).toHaveLength(1);
  });

  test("with other words for the doer puts its files back, keeps what it had done as a patch, and asks it anew", async () => {
    const { on, run } = await rejectedRun();
    const [before, patch] = [footprint(on.root), artifact(run, "Diff.patch")];
    on.answer(MENDS_ANEW, APPROVES);
    const file = on.pipeline(fileOf(PLANNER + CAREFUL_DOER + TEST + REVIEWER), "edited");
    const done = await driven(on, 0, "resume", "--pipeline", file);
    expect(on.asked()).toEqual(["doer 1", "reviewer 1"]);
    expect(artifact(done, "Diff.patch")).toContain("+export const sum = (a, b) => b + a;");
    expect(artifact(done, "Diff.patch")).not.toContain("a + b");
    expect(artifact(done, "undone-2.patch")).toBe(patch);
    expect(treeOfPatch(on, done)).toBe(done.record.tree);
    expect(footprint(on.root)).toEqual(before);
  });

  test("takes back what a step did that is no longer in it, and does the one that is new", async () => {
    const generate = "  - { id: generate, run: echo made > made.txt, changes: keep }\n";
    const { on } = await rejectedRun(fileOf(PLANNER + DOER + generate + REVIEWER));
    on.answer(APPROVES);
    const lint = "  - { id: lint, run: echo linted > linted.txt, changes: keep }\n";
    const file = on.pipeline(fileOf(PLANNER + DOER + lint + REVIEWER), "edited");
    const done = await driven(on, 0, "resume", "--pipeline", file);
    expect(on.asked()).toEqual(["reviewer 1"]);
    expect(artifact(done, "undone-2.patch")).toContain("made.txt");
    expect(artifact(done, "Diff.patch")).toMatch(/linted\.txt[\s\S]*sum\.mjs/);
    expect(artifact(done, "Diff.patch")).not.toContain("made.txt");
  });

  test("keeps what a person did in the worktree where the files stay as they are", async () => {
    const { on, run } = await rejectedRun();
    writeFileSync(join(worktreeOf(on, run), "notes.md"), "mine\n");
    on.answer(APPROVES);
    const file = on.pipeline(fileOf(PLANNER + DOER + TEST + STRICT_REVIEWER), "edited");
    const done = await driven(on, 0, "resume", "--pipeline", file);
    expect(on.asked()).toEqual(["reviewer 1"]);
    expect(artifact(done, "Diff.patch")).toContain("+mine");
    // It is judged anew: the test of the other tree says nothing of this one.
    expect(done.record.checks.map(({ command }) => command)).toHaveLength(3);
  });

  test("fills in the inputs that are new, keeps the values of those that stay, and drops those that are gone", async () => {
    const inputs = (text: string) => `inputs:\n${text}`;
    const check = "  - { id: test, run: { input: check }, check: true }\n";
    const old = inputs(
      "  check: { type: command, default: node check.mjs }\n  mood: { default: calm }\n  gone: { default: x }\n",
    );
    const words = (text: string) => `  - { role: reviewer, prompt: "${text}" }\n`;
    const { on } = await rejectedRun(fileOf(PLANNER + DOER + check + words("Be ${inputs.mood}."), old), [
      "--input",
      "mood=strict",
    ]);
    const now = inputs(
      "  check: { type: command, default: exit 1 }\n  mood: { default: mild }\n  deep: { type: number, default: 7 }\n  lint: { type: command, default: echo linted }\n",
    );
    const lint = "  - { id: lint, run: { input: lint } }\n";
    const file = on.pipeline(
      fileOf(PLANNER + DOER + check + lint + words("Be ${inputs.mood}, ${inputs.deep} deep."), now),
      "edited",
    );
    // A command finds every input in its environment.
    expect(await decisions(on, "-p", file)).toBe("planner reuse, doer reuse, test re-run, lint run, reviewer run");
    on.answer(APPROVES);
    const done = await driven(on, 0, "resume", "--pipeline", file);
    expect(on.asked()).toEqual(["reviewer 1"]);
    expect((await ccpAt(on, "view", "--step", "reviewer")).stdout).toContain("Be strict, 7 deep.");
    expect(artifact(done, "steps/lint.txt")).toBe("linted\n");
    expect(JSON.parse(artifact(done, "run.json")).inputs).toEqual({
      check: "node check.mjs",
      mood: "strict",
      deep: 7,
      lint: "echo linted",
    });
    const [missing] = [on.pipeline(fileOf(STEPS, inputs("  area: {}\n")), "missing")];
    await proveRefused(on, ["resume", "--plan", "--pipeline", missing], {
      exit: 2,
      code: "invalid_pipeline",
      says: /input "area" is missing/,
      next: /ccp validate/,
    });
  });
});

describe("rerun --from", () => {
  test("takes over what comes before the step: nothing is paid for it, and all of it is there", async () => {
    const { on, run } = await rejectedRun();
    on.answer(APPROVES);
    const done = await driven(on, 0, "rerun", "--from", "reviewer");
    expect(on.asked()).toEqual(["reviewer 1"]);
    expect(done.rid).not.toBe(run.rid);
    expect(done.record).toMatchObject({ status: "succeeded", parent: run.rid, tree: run.record.tree });
    expect(costs(done)).toEqual({ all: 7_500_000, planner: 0, doer: 0, test: 0, reviewer: 7_500_000 });
    expect(JSON.parse((await ccpAt(on, "usage", done.rid, "--json")).stdout).total).toMatchObject({ calls: 1 });
    expect(artifact(done, "PLAN.md")).toBe(artifact(run, "PLAN.md"));
    expect(artifact(done, "Diff.patch")).toBe(artifact(run, "Diff.patch"));
    expect(treeOfPatch(on, done)).toBe(done.record.tree);
    expect((await ccpAt(on, "view", "--step", "planner")).stdout).toContain(`reused from ${run.rid}`);
    const reviewed = (await ccpAt(on, "view", "--step", "reviewer")).stdout;
    expect(reviewed).toContain("already red before any change");
    expect(reviewed).toContain("`node check.mjs` ended with exit code 0");
    expect((await ccpAt(on, "view", run.rid, "--json")).stdout).toContain('"status": "failed"');
    expect(await ccpAt(on, "apply")).toMatchObject({ code: 0, stdout: expect.stringContaining(`applied ${done.rid}`) });
  });

  test("asks again from the step on, from the files that it found", async () => {
    const { on, run } = await rejectedRun();
    on.answer(MENDS_ANEW, APPROVES);
    const done = await driven(on, 0, "rerun", "--from", "doer", run.rid);
    expect(on.asked()).toEqual(["doer 1", "reviewer 1"]);
    expect(artifact(done, "Diff.patch")).toContain("b + a");
    expect(artifact(done, "Diff.patch")).not.toContain("a + b");
    expect((await ccpAt(on, "view", "--step", "doer")).stdout).toContain("Make sum add.");
    const refusal = { exit: 2, code: "usage", says: /no step "reviewr"/, next: /did you mean "reviewer"\?/ };
    await proveRefused(on, ["rerun", "--from", "reviewr"], refusal);
  });
});

describe("fork", () => {
  const OTHER = "claude-sonnet-4-5";

  test("begins at the first step that has not succeeded; named ones begin earlier, with another model", async () => {
    const { on, run } = await rejectedRun();
    on.answer({ ...MENDS_ANEW, model: OTHER }, APPROVES);
    const first = await driven(on, 0, "fork");
    expect(on.asked()).toEqual(["reviewer 1"]);
    expect(first.record).toMatchObject({ parent: run.rid, tree: run.record.tree });
    const model = ["--model", `doer=anthropic/${OTHER}`];
    const second = await driven(on, 0, "fork", run.rid, "--from", "doer", ...model);
    expect(on.asked()).toEqual([`${OTHER} 1`, "reviewer 1"]);
    expect(second.record.parent).toBe(run.rid);
    const third = await driven(on, 0, "fork", second.rid, "--from", "reviewer");
    expect(on.asked()).toEqual(["reviewer 1"]);
    expect(third.record).toMatchObject({ parent: second.rid, tree: second.record.tree });
    expect(costs(third)).toMatchObject({ all: 7_500_000, planner: 0, doer: 0 });
    expect(treeOfPatch(on, third)).toBe(third.record.tree);
    const reused = journalOf(on, third.rid).flatMap((event) => (event.type === "step.reused" ? [event] : []));
    expect(reused.map(({ stepId, from }) => [stepId, from])).toEqual([
      ["planner", run.rid],
      ["doer", second.rid],
      ["test", second.rid],
    ]);
    for (const { rid } of [run, first, second]) expect((await ccpAt(on, "discard", rid)).code).toBe(0);
    git(on.root, "gc", "--quiet", "--prune=now");
    expect((await ccpAt(on, "diff", third.rid)).stdout).toBe(artifact(second, "Diff.patch"));
    expect((await ccpAt(on, "apply", third.rid)).code).toBe(0);
  });

  test("of a run that has succeeded wants to be told where to begin", async () => {
    const { on } = await rejectedRun();
    on.answer(APPROVES);
    const { rid } = await driven(on, 0, "resume");
    on.asked();
    await proveRefused(on, ["fork"], {
      exit: 2,
      code: "nothing_to_do",
      says: /would be reused/,
      next: new RegExp(`--from STEP.*ccp run --on ${rid}`),
    });
    const file = on.pipeline(fileOf(PLANNER + DOER + TEST + STRICT_REVIEWER), "edited");
    const done = await driven(on, 0, "fork", "--pipeline", file, "--budget", "3");
    expect(on.asked()).toEqual(["reviewer 1"]);
    expect(JSON.parse(artifact(done, "run.json")).budget.max_cost_nanos).toBe(3_000_000_000);
  });

  test("of a run that began on uncommitted work has that work too, and its patch is relative to it", async () => {
    const on = site(RED_PROJECT);
    writeFileSync(join(on.root, "mine.txt"), "mine\n");
    const parent = await runAt(on, { turns: MENDING, pipeline: `pipeline:\n${STEPS}`, args: ["--include-dirty"] });
    const done = await driven(on, 0, "fork", "--from", "reviewer");
    expect(done.record).toMatchObject({ base: parent.record.base, tree: parent.record.tree });
    expect(artifact(done, "Diff.patch")).toBe(artifact(parent, "Diff.patch"));
    expect(git(on.root, "show", `ccp/${done.rid}:mine.txt`)).toBe("mine\n");
    expect((await ccpAt(on, "apply")).code).toBe(0);
    expect(readFileSync(join(on.root, "sum.mjs"), "utf8")).toContain("a + b");
    expect((await ccpAt(on, "discard", parent.rid)).code).toBe(0);
    const [says, next] = [/began on uncommitted work, which is gone/, /ccp run --include-dirty/];
    await proveRefused(on, ["rerun", parent.rid], { exit: 2, code: "base_missing", says, next });
    expect((await driven(on, 0, "rerun", done.rid)).record.tree).toBe(parent.record.tree);
  });

  test("in a worktree that has to be set up goes on from the tree of its parent, not from that of the set-up", async () => {
    const setup = "workspace: { setup: echo made >> made.txt }\n";
    const { on, run } = await rejectedRun(fileOf(STEPS, setup));
    on.answer(MENDS_ANEW, APPROVES);
    const reviewed = await driven(on, 0, "fork");
    expect(on.asked()).toEqual(["reviewer 1"]);
    expect(reviewed.record.tree).toBe(run.record.tree);
    const mended = await driven(on, 0, "fork", run.rid, "--from", "doer");
    expect(git(on.root, "show", `ccp/${mended.rid}:made.txt`)).toBe("made\n");
    expect(treeOfPatch(on, mended)).toBe(mended.record.tree);
  });

  test("after its parent was discarded says so before anything is begun", async () => {
    const { on, run } = await rejectedRun();
    expect((await ccpAt(on, "discard", run.rid)).code).toBe(0);
    git(on.root, "gc", "--quiet", "--prune=now");
    const says = new RegExp(`${run.rid} was discarded`);
    const refusal = { exit: 2, code: "tree_missing", says, next: new RegExp(`ccp rerun ${run.rid}`) };
    await proveRefused(on, ["fork", "--from", "reviewer"], refusal);
    await proveRefused(on, ["rerun", "--from", "reviewer"], refusal);
    expect(on.asked()).toEqual([]);
  });

  test("of a run that goes on from another is applied after that one", async () => {
    const { on, run } = await rejectedRun();
    on.answer(
      { ...MENDS_ANEW, calls: [call("write", { path: "more.txt", content: "more" }), call("finish", WORK)] },
      REJECTS,
    );
    const file = on.pipeline(fileOf(DOER + REVIEWER), "more");
    const child = await driven(on, 1, "run", "--pipeline", file, "--on", run.rid, "More.");
    on.answer(APPROVES);
    const fork = await driven(on, 0, "fork");
    expect(fork.record).toMatchObject({ parent: child.rid, tree: child.record.tree, base: child.record.base });
    const next = new RegExp(`ccp apply ${run.rid} && ccp apply ${fork.rid}`);
    await proveRefused(on, ["apply"], { exit: 2, code: "parent_not_applied", says: new RegExp(run.rid), next });
    for (const rid of [run.rid, fork.rid]) expect((await ccpAt(on, "apply", rid)).code).toBe(0);
    expect(readFileSync(join(on.root, "more.txt"), "utf8")).toBe("more");
  });

  test("keeps the model that somebody has changed meanwhile, and pays nothing twice because of it", async () => {
    const { on, run } = await rejectedRun();
    on.answer({ ...REJECTS, model: OTHER });
    await driven(on, 1, "resume", "--model", `reviewer=anthropic/${OTHER}`);
    expect(on.asked()).toEqual([`${OTHER} 1`]);
    const lenient = on.pipeline(fileOf(`${PLANNER + DOER + TEST}  - { role: reviewer, attempts: 3 }\n`), "edited");
    expect(await decisions(on, "-p", lenient)).toBe("planner reuse, doer reuse, test reuse, reviewer go-on");
    on.answer({ ...APPROVES, model: OTHER });
    await driven(on, 0, "fork", run.rid);
    expect(on.asked()).toEqual([`${OTHER} 1`]);
    on.answer(APPROVES);
    await driven(on, 0, "fork", run.rid, "--model", "reviewer=anthropic/claude-opus-5");
    expect(on.asked()).toEqual(["reviewer 1"]);
    on.answer({ ...APPROVES, model: OTHER });
    await driven(on, 0, "resume", run.rid, "--pipeline", lenient);
    expect(on.asked()).toEqual([`${OTHER} 1`]);
  });
});

function worktreeOf(on: Site, { rid }: Pick<Done, "rid">): string {
  return join(on.env.HOME ?? "", ".local/state/ccp/worktrees", rid);
}
