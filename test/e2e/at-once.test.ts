import { expect, test } from "vitest";
import { binary } from "../support/cli.ts";
import { git, makeRepository } from "../support/git.ts";
import { journalOf, withStore } from "../support/journal.ts";
import { APPROVES, call, MENDS, PLANS, STEPS } from "../support/mending.ts";
import { fileOf, mockSite } from "../support/mock-site.ts";
import { doneFrom, footprint, treeOfPatch } from "../support/proof.ts";
import { resultOf } from "../support/refusal.ts";
import { RED_PROJECT } from "../support/scenario.ts";

/** What one run of these costs, in nano-dollars. */
const COST = 12_000_000;

test("several runs at once in one repository share its journal, and each has its own files, money and end", async () => {
  const on = await mockSite(makeRepository(RED_PROJECT));
  const before = footprint(on.root);
  on.answer(PLANS, { ...MENDS, calls: [call("bash", { command: "sleep 0.3" }), ...(MENDS.calls ?? [])] }, APPROVES);
  const argv = ["run", "--pipeline", on.pipeline(fileOf(STEPS)), "--json"];
  const tasks = ["one", "two", "three", "four"];
  const ended = await Promise.all(tasks.map((task) => binary([...argv, task], { cwd: on.cwd, env: on.env })));
  for (const { stdout, stderr } of ended)
    expect(resultOf(stdout), stderr).toMatchObject({ status: "succeeded", exitCode: 0, costNanos: COST });
  const runs = ended.map(doneFrom);
  expect(new Set(runs.map(({ rid }) => rid)).size).toBe(4);
  expect(on.asked().toSorted()).toEqual(["doer", "planner", "reviewer"].flatMap((role) => Array(4).fill(`${role} 1`)));
  withStore(on, (store) => {
    expect(store.damage()).toEqual([]);
    expect(
      store
        .runs()
        .map(({ title }) => title)
        .toSorted(),
    ).toEqual(tasks.toSorted());
    expect(store.calls(null)).toHaveLength(12);
    for (const { rid } of runs) {
      expect(store.ledger(rid, "run")).toMatchObject({ settledNanos: COST, heldNanos: 0 });
      expect(store.calls(rid).map(({ state }) => state)).toEqual(["settled", "settled", "settled"]);
      expect(store.isOwned(rid)).toBe(false);
    }
  });
  for (const run of runs) {
    expect(journalOf(on, run.rid).map(({ seq }) => seq)).toEqual(journalOf(on, run.rid).map((_, index) => index + 1));
    expect(git(on.root, "rev-parse", `ccp/${run.rid}^{tree}`).trim()).toBe(run.record.tree);
    expect(treeOfPatch(on, run)).toBe(run.record.tree);
  }
  expect(footprint(on.root)).toEqual(before);
});
