import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hold, ROOT, smoke } from "./smoke.ts";

const TRANSCRIPT = join(ROOT, "test", "fixtures", "add-readme-section.yaml");
const MOST_TURNS = 3;

/** Planner, doer and reviewer converge on a section of the README, with the scripted model, in few turns. */
await smoke("p1", async ({ root, ccp }) => {
  const task = "Add a section on usage to the README";
  const argv = ["run", "--pipeline", "plan-build-review", "--transcript", TRANSCRIPT, "--json", task];
  const { code, stdout, stderr } = await ccp(argv);
  hold("`ccp run` ends with 0", code === 0, stderr + stdout);
  const result = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "{}");
  hold("the run has succeeded", result.type === "result" && result.status === "succeeded", stdout);
  const calls: Readonly<Record<string, number>> = Object.fromEntries(
    result.steps.map((step: { id: string; calls: number }) => [step.id, step.calls]),
  );
  const told = Object.entries(calls)
    .map(([role, count]) => `${role} ${count}`)
    .join(", ");
  const isShort = (role: string) => (calls[role] ?? 0) > 0 && (calls[role] ?? 0) <= MOST_TURNS;
  hold(`each role needs ${MOST_TURNS} turns at most`, ["planner", "doer", "reviewer"].every(isShort), told);

  const results = join(root, "results", result.rid);
  hold("the review approves", readFileSync(join(results, "REVIEW.md"), "utf8").includes("**approve**"));
  hold("the README is as it was", !readFileSync(join(root, "README.md"), "utf8").includes("## Usage"));
  execFileSync("git", ["apply", join(results, "Diff.patch")], { cwd: root });
  hold("the patch brings the section", readFileSync(join(root, "README.md"), "utf8").includes("\n## Usage\n"));
  return `"${task}" is done and approved; turns: ${told}`;
});
