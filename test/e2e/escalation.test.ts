import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { binary } from "../support/cli.ts";
import { stuckWorld } from "../support/stuck.ts";

const WIDTH = 80;

/** The real binary in the world's repository, with the world's transcripts. */
function user({ root, env, text, transcript }: ReturnType<typeof stuckWorld>) {
  const pipeline = join(root, "..", "stuck.yaml");
  writeFileSync(pipeline, text);
  const ccp = (...argv: readonly string[]) => binary(argv, { cwd: root, env });
  return { ccp, run: () => ccp("run", "Make sum add.", "--pipeline", pipeline, "--transcript", transcript), pipeline };
}

test("what was done with a stuck doer is shown as it happens, in the view and in the counters", async () => {
  const world = stuckWorld({ tries: ["goes in circles", "goes in circles", "mends"] });
  const { ccp, run, pipeline } = user(world);
  const plan = await ccp("plan", "--pipeline", pipeline, "--transcript", world.transcript);
  expect(plan.stdout).toContain("stuck doer (or confidence < 0.5): other tactics, then scripted/");

  const done = await run();
  expect(done.code).toBe(0);
  expect(done.stderr).toMatch(/↑ build · doer {2}stronger model .+: the model went in circles: .+ fits the budget/);
  expect(done.stderr).toMatch(/\? build · doer {2}diagnosis: .+, so a reviewer is asked why/);
  expect(done.stderr).toMatch(/↓ build · doer {2}cheaper model again/);

  const view = await ccp("view");
  expect(view.stdout).toMatch(/Escalation\n {2}build, after try 1 \(tool-loop\): stronger model/);
  const step = await ccp("view", "--step", "build");
  expect(step.stdout).toContain("Look at the sign.");
  expect(step.stdout).toContain("asked as a reviewer why it fails");

  const usage = await ccp("usage", "--escalations");
  expect(usage.stdout).toMatch(/tool-loop +stronger +1 +1 +0 +0 %/);
  expect(usage.stdout).toMatch(/tool-loop +diagnose +1 +1 +1 +100 %/);
  expect(usage.stdout).toContain("2 ways out: 1 of 2 led to success (50 %)");
  for (const line of usage.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(WIDTH);
  const json = JSON.parse((await ccp("usage", "--escalations", "--json")).stdout);
  expect(json.escalations.total).toEqual({ times: 2, tried: 2, won: 1, addedNanos: 0 });
});

test("a run that nothing helps ends with what its user can do next", async () => {
  const tries = ["goes in circles", "goes in circles"] as const;
  const { ccp, run } = user(stuckWorld({ tries, escalation: { models: [], diagnose: false } }));
  expect((await ccp("usage", "--escalations")).stdout).toBe("no step was stuck yet\n");
  const done = await run();
  expect(done.code).toBe(1);
  expect(done.stdout).toMatch(/name a stronger model: `ccp resume r-\w+ --model doer=PROVIDER\/MODEL`/);
  expect(done.stdout).toMatch(/split the task, or word it anew: `ccp run --on r-\w+ "…"`/);
});

test("a stronger model that does not fit is asked for: exit 5, and the command that lets it try", async () => {
  const budget = { usd: "none", tokens: 9_000 };
  const { ccp, run } = user(stuckWorld({ tries: ["changes nothing", "mends"], attempts: 1, steps: [], budget }));
  const done = await run();
  expect(done.code).toBe(5);
  expect(done.stdout).toContain("is stronger and does not fit the budget");
  const [, ...resume] = /ccp (resume) (r-\w+) (--tokens) (\+\d+)/.exec(done.stdout) ?? [];
  const more = await ccp(...resume);
  expect(more.code).toBe(0);
  expect((await ccp("usage", "--escalations")).stdout).toMatch(/no-change +stronger +1 +1 +1 +100 %/);
});
