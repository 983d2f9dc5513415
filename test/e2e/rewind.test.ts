import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { makeRepository } from "../support/git.ts";
import { eventsOf } from "../support/journal.ts";
import { APPROVES, call, edit, MENDS, MENDS_ANEW, PLANS, rejectedRun, STEPS } from "../support/mending.ts";
import { driven, fileOf, type MockSite, mockSite } from "../support/mock-site.ts";
import { ccpAt, type Done, type Site, treeOfPatch } from "../support/proof.ts";
import { PARAGRAPH } from "../support/prose.ts";
import { proveRefused, traces } from "../support/refusal.ts";
import { RED_PROJECT, WORK } from "../support/scenario.ts";
import { interruptedAt, killedAt } from "../support/stopped.ts";

const worktree = (on: Site, rid: string) => join(on.env.HOME ?? "", ".local/state/ccp/worktrees", rid);
const artifact = ({ results }: Pick<Done, "results">, name: string) => readFileSync(join(results, name), "utf8");
const finish = call("finish", WORK);

/** A doer that mends in one turn and finishes in the next. */
const IN_TWO_TURNS = [
  { role: "doer", turn: 1, calls: [edit("a - b", "a + b")] },
  { role: "doer", turn: 2, calls: [finish] },
] as const;

async function begun(): Promise<{ readonly on: MockSite; readonly argv: readonly string[] }> {
  const on = await mockSite(makeRepository(RED_PROJECT));
  return { on, argv: ["run", "--pipeline", on.pipeline(fileOf(STEPS)), "Make sum add."] };
}

describe("rewind", () => {
  test("of a failed run: says what is done again; its files, and a person's, are put aside when it is resumed", async () => {
    const { on, run } = await rejectedRun();
    const mine = join(worktree(on, run.rid), "mine.txt");
    writeFileSync(mine, "mine\n");
    const { code, stdout } = await ccpAt(on, "rewind", "doer");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^planner +reuse/m);
    expect(stdout).toMatch(/^doer +re-run +you asked for it +\$0\.0015 spent$/m);
    expect(stdout).toMatch(/^reviewer +run +step "test" before it is done first/m);
    expect(stdout).toContain(`Next: ccp resume ${run.rid}\n`);
    expect(existsSync(mine)).toBe(true);
    on.answer(MENDS_ANEW, APPROVES);
    const done = await driven(on, 0, "resume");
    expect(on.asked()).toEqual(["doer 1", "reviewer 1"]);
    expect(existsSync(mine)).toBe(false);
    expect(artifact(done, "undone-3.patch")).toMatch(/mine\.txt[\s\S]*\+mine\n[\s\S]*a \+ b/);
    expect(artifact(done, "Diff.patch")).toContain("b + a");
    expect(treeOfPatch(on, done)).toBe(done.record.tree);
    expect(eventsOf(on, run.rid, "workspace.restored")).toMatchObject([{ kept: "undone-3.patch" }]);
  });

  test("to a step that only reads leaves the files, and what a person did to them is part of the run", async () => {
    const { on, run } = await rejectedRun();
    writeFileSync(join(worktree(on, run.rid), "mine.txt"), "mine\n");
    const { steps, tree, rid } = JSON.parse((await ccpAt(on, "rewind", "reviewer", "--json")).stdout);
    expect([rid, tree, steps.map(({ decision }: { decision: string }) => decision)]).toEqual([
      run.rid,
      null,
      ["reuse", "reuse", "reuse", "run"],
    ]);
    on.answer(APPROVES);
    const done = await driven(on, 0, "resume");
    expect(on.asked()).toEqual(["reviewer 1"]);
    expect(artifact(done, "Diff.patch")).toContain("+mine");
  });

  test("of a paused run, twice, begins the steps anew; what was said before is not read again", async () => {
    const { on, argv } = await begun();
    on.answer(PLANS, ...IN_TWO_TURNS);
    const { rid, code } = await interruptedAt(on, argv, '"tool":"edit","status":"ok"', 1);
    expect([code, on.asked()]).toEqual([130, ["planner 1", "doer 1"]]);
    for (const step of ["doer", "planner"]) expect((await ccpAt(on, "rewind", step, rid)).code).toBe(0);
    expect(await ccpAt(on, "resume", "--plan")).toMatchObject({
      stdout: expect.stringMatching(/^0 of 4 steps reused/m),
    });
    on.answer(PLANS, MENDS_ANEW, APPROVES);
    const done = await driven(on, 0, "resume");
    expect(on.asked()).toEqual(["planner 1", "doer 1", "reviewer 1"]);
    expect(artifact(done, "undone-4.patch")).toContain("a + b");
    expect(artifact(done, "Diff.patch")).toContain("b + a");
    expect(eventsOf(on, rid, "step.started").map(({ stepId, conversation }) => `${stepId} ${conversation}`)).toEqual([
      "planner 1",
      "doer 1",
      "planner 2",
      "doer 2",
      "test 1",
      "reviewer 1",
    ]);
  });

  test("of a run that was killed while a call was out closes that call, and asks anew", async () => {
    const { on, argv } = await begun();
    on.answer(PLANS, { ...MENDS, say: PARAGRAPH.repeat(12), isSlow: true });
    const { rid } = await killedAt(on, argv, '"stepId":"doer","role":"doer"');
    expect(eventsOf(on, rid, "call.lost")).toEqual([]);
    expect((await ccpAt(on, "rewind", "doer", rid)).code).toBe(0);
    on.asked();
    on.answer(MENDS_ANEW, APPROVES);
    const done = await driven(on, 0, "resume");
    expect(on.asked()).toEqual(["doer 1", "reviewer 1"]);
    expect(eventsOf(on, rid, "call.lost")).toMatchObject([{ callId: `${rid}.doer.1` }]);
    const asked = eventsOf(on, rid, "call.reserved").filter(({ stepId }) => stepId === "doer");
    // A question of its own: it is not the lost one that is asked again.
    expect(asked).toMatchObject([{ conversation: 1 }, { conversation: 2, turn: 1, retryOf: null }]);
    expect(artifact(done, "Diff.patch")).toContain("b + a");
  });

  test("is refused for what is final, what has not been begun, what is not there and what somebody drives", async () => {
    const { on, argv } = await begun();
    on.answer(PLANS, ...IN_TWO_TURNS);
    const { rid } = await interruptedAt(on, argv, '"type":"step.finished","stepId":"planner"', 1);
    const refusal = { exit: 2, code: "usage", next: /nothing was changed|did you mean|nothing was started/ };
    await proveRefused(on, ["rewind", "reviewer"], { ...refusal, says: /"reviewer" of r-\w+ has not been begun/ });
    await proveRefused(on, ["rewind", "reviewr"], { ...refusal, says: /no step "reviewr"/ });
    const before = await traces(on);
    const store = new SqliteStore(join(on.root, ".git/ccp"));
    store.claim(rid);
    const owned = await ccpAt(on, "rewind", "planner");
    store.close();
    expect(owned).toMatchObject({ code: 7, stderr: expect.stringContaining("ccp view") });
    expect(await traces(on)).toEqual(before);
    on.answer(MENDS, APPROVES);
    await driven(on, 0, "resume");
    await proveRefused(on, ["rewind", "doer"], {
      exit: 2,
      code: "already_succeeded",
      says: /has already succeeded/,
      next: /ccp rerun/,
    });
    expect((await ccpAt(on, "discard")).code).toBe(0);
    await proveRefused(on, ["rewind", "doer"], {
      exit: 2,
      code: "discarded",
      says: /was discarded/,
      next: /ccp rerun/,
    });
  });
});
