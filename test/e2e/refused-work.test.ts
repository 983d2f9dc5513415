import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { EventOf, EventType, StoredEvent } from "../../src/core/event.ts";
import { git } from "../support/git.ts";
import { type Done, footprint, runAt, type Site, site } from "../support/proof.ts";
import { resultOf } from "../support/refusal.ts";
import { APPROVAL, PLAN, RED_PROJECT, REJECTION, type ScriptedTurn, WORK } from "../support/scenario.ts";

const call = (tool: string, args: unknown) => ({ tool, args });
const edit = (old: string, now: string) => call("edit", { path: "sum.mjs", edits: [{ old, new: now }] });

/** One conversation, turn by turn: what is called in each. */
function talk(role: string, conversation: number | null, ...turns: readonly ScriptedTurn["calls"][]): ScriptedTurn[] {
  return turns.map((calls, index) => ({
    role,
    turn: index + 1,
    ...(conversation === null ? {} : { conversation }),
    ...(calls === undefined ? {} : { calls }),
  }));
}

const PLANNING = talk("planner", null, [call("finish", PLAN)]);
const MENDS = talk("doer", null, [edit("a - b", "a + b")], [call("finish", WORK)]);
const DOES_NOTHING = talk("doer", null, [call("finish", WORK)]);
const REVIEWED = `pipeline:
  - role: doer
  - role: reviewer
    on_failure: { back_to: doer, attempts: 1 }
`;

interface Facts extends Done {
  readonly events: readonly StoredEvent[];
}

async function work(on: Site, turns: readonly ScriptedTurn[], pipeline: string, code: number): Promise<Facts> {
  const before = footprint(on.root);
  const done = await runAt(on, { turns, pipeline, code });
  expect(footprint(on.root), "the user's tree").toEqual(before);
  expect(resultOf(done.stdout)).toMatchObject({ rid: done.rid, exitCode: code, heldNanos: 0 });
  const lines = readFileSync(join(done.results, "events.ndjson"), "utf8").trim().split("\n");
  return { ...done, events: lines.map((line) => JSON.parse(line) as StoredEvent) };
}

function facts<T extends EventType>({ events }: Facts, type: T): readonly EventOf<T>[] {
  return events.filter((event) => event.type === type) as unknown as readonly EventOf<T>[];
}

/** How each try of each step ended, in order. */
function ends(done: Facts): readonly string[] {
  return facts(done, "step.finished").map(({ stepId, outcome }) =>
    outcome.status === "succeeded" ? `${stepId} succeeded` : `${stepId} ${outcome.class}`,
  );
}

describe("a doer's work that does not count", () => {
  test("is tried again, then the run fails with all that it left: no change", async () => {
    const on = site(RED_PROJECT);
    const done = await work(on, DOES_NOTHING, "pipeline:\n  - role: doer\n    attempts: 2\n", 1);
    expect(ends(done)).toEqual(["doer no-change", "doer no-change"]);
    expect(readFileSync(join(done.results, "Diff.patch"), "utf8")).toBe("");
    expect(resultOf(done.stdout).reason).toMatch(/step "doer" failed, no-change/);
    expect(resultOf(done.stdout).next).toContain(`ccp resume ${done.rid}`);
  });

  const reading = [call("read", { path: "sum.mjs" })];
  const pushing = (turn: number) => [call("bash", { command: `git push origin ${turn}` })];
  test.each([
    ["that went in circles", Array(5).fill(reading), "loop", /same calls again, with the same results/],
    ["that knocked five times at a closed door", [1, 2, 3, 4, 5].map(pushing), "denied", /5 answers in a row/],
    ["that came to no end", [reading, [call("ls", {})], reading], "max-turns", /no finish within 3 turns/],
  ] as const)("has a name, and a word on what to do: one %s", async (_claim, turns, failure, reason) => {
    const on = site(RED_PROJECT);
    const limit = failure === "max-turns" ? 3 : 20;
    const pipeline = `roles: { doer: { max_turns: ${limit} } }\npipeline:\n  - { role: doer, attempts: 1 }\n`;
    const done = await work(on, talk("doer", null, ...turns), pipeline, 1);
    expect(ends(done)).toEqual([`doer ${failure}`]);
    expect(resultOf(done.stdout).reason).toMatch(reason);
    const told = facts(done, "message.added").map(({ why }) => why);
    expect(told).toEqual(failure === "loop" ? ["loop"] : []);
    const refused = facts(done, "tool.finished").filter(({ summary }) => summary.startsWith("Not run again"));
    expect(refused).toHaveLength(failure === "loop" ? 1 : 0);
  });

  test("is tried again in a conversation of its own: malformed calls", async () => {
    const on = site(RED_PROJECT);
    const malformed = { tool: "edit", raw: '{"path": "sum.mjs", "edits": ' };
    const turns = [
      ...talk("doer", 1, [malformed], [call("no_such_tool", {})], [call("edit", { path: 7 })]),
      ...talk("doer", 2, [edit("a - b", "a + b")], [call("finish", WORK)]),
    ];
    const done = await work(on, turns, "pipeline:\n  - role: doer\n    attempts: 2\n", 0);
    expect(ends(done)).toEqual(["doer malformed", "doer succeeded"]);
    expect(facts(done, "step.started").map(({ conversation }) => conversation)).toEqual([1, 2]);
  });

  test("goes back to it once when a check is red, then the run fails and the work is kept", async () => {
    const on = site(RED_PROJECT);
    const pipeline = `pipeline:
  - role: doer
  - id: test
    run: node check.mjs
    on_failure: { back_to: doer, attempts: 1 }
`;
    const turns = [
      ...talk("doer", 1, [edit("a - b", "a * b + 1")], [call("finish", WORK)]),
      ...talk("doer", 2, [edit("a * b + 1", "a * b + 2")], [call("finish", WORK)]),
    ];
    const done = await work(on, turns, pipeline, 1);
    expect(ends(done)).toEqual(["doer succeeded", "test check-failed", "doer succeeded", "test check-failed"]);
    expect(facts(done, "steps.reset")).toMatchObject([{ from: "test", to: "doer", steps: ["doer", "test"] }]);
    expect(git(on.root, "show", `ccp/${done.rid}:sum.mjs`)).toContain("a * b + 2");
    expect(readFileSync(join(done.results, "steps", "test.txt"), "utf8")).toContain("2 + 2 is not 6");
  });

  test("keeps its conversation while its own check is red, and fails when that stays so", async () => {
    const on = site(RED_PROJECT);
    const pipeline = "pipeline:\n  - role: doer\n    attempts: 1\n    until: { run: node check.mjs, attempts: 2 }\n";
    const turns = talk("doer", 1, [edit("a - b", "a * b + 1")], [call("finish", WORK)], [call("finish", WORK)]);
    const done = await work(on, turns, pipeline, 1);
    expect(ends(done)).toEqual(["doer check-failed"]);
    expect(resultOf(done.stdout)).toMatchObject({ steps: [{ id: "doer", tries: 1, calls: 3 }] });
  });

  test("ends the run at once when it says that a person is needed", async () => {
    const on = site(RED_PROJECT);
    const blocked = { ...WORK, status: "blocked", summary: "which sum is meant?" };
    const pipeline = "pipeline:\n  - role: doer\n    attempts: 3\n";
    const done = await work(on, talk("doer", null, [call("finish", blocked)]), pipeline, 1);
    expect(ends(done)).toEqual(["doer blocked"]);
    expect(resultOf(done.stdout).reason).toContain("which sum is meant?");
  });
});

describe("a review that does not approve", () => {
  test("sends the findings back to the doer once; a second rejection fails the run, its review kept", async () => {
    const on = site(RED_PROJECT);
    const turns = [
      ...talk("doer", 1, [edit("a - b", "b + a")], [call("finish", WORK)]),
      ...talk("doer", 2, [edit("b + a", "a + b")], [call("finish", WORK)]),
      ...talk("reviewer", null, [call("finish", REJECTION)]),
    ];
    const done = await work(on, turns, REVIEWED, 1);
    expect(ends(done)).toEqual(["doer succeeded", "reviewer rejected", "doer succeeded", "reviewer rejected"]);
    expect(readFileSync(join(done.results, "REVIEW.md"), "utf8")).toMatch(/request_changes[\s\S]*wrong sign/);
    expect(git(on.root, "show", `ccp/${done.rid}:sum.mjs`)).toContain("a + b");
    expect(readFileSync(join(on.root, "results", "REVIEW.md"), "utf8")).toContain("wrong sign");
  });

  test.each([
    ["an empty finish", [[call("finish", {})], [call("finish", {})], [call("finish", {})]], "malformed"],
    ["an approval of a blocker", Array(3).fill([call("finish", blockerApproved())]), "malformed"],
    ["no word at all", [undefined, undefined, undefined], "empty"],
    ["words, and no finish", [[], [], []], "incomplete"],
  ] as const)("because it is none is a failure, never an approval: %s", async (_claim, turns, failure) => {
    const on = site(RED_PROJECT);
    const said = talk("reviewer", null, ...turns).map((turn, index) =>
      turn.calls?.length === 0 ? { role: "reviewer", turn: index + 1, say: "Looks good to me!" } : turn,
    );
    const done = await work(
      on,
      [...MENDS, ...said],
      "pipeline:\n  - role: doer\n  - role: reviewer\n    attempts: 1\n",
      1,
    );
    expect(ends(done)).toEqual(["doer succeeded", `reviewer ${failure}`]);
    expect(existsSync(join(on.root, "results", "REVIEW.md"))).toBe(false);
  });
});

describe("a role that may only read", () => {
  const forbidden = [
    call("write", { path: "evil.txt", content: "x" }),
    edit("a + b", "a - b"),
    call("bash", { command: "touch evil.txt; touch /tmp/ccp-evil" }),
  ];

  test("cannot write, whatever it calls: the reviewer is denied, on record, and its verdict stands for the tree it saw", async () => {
    const on = site(RED_PROJECT);
    const turns = [...MENDS, ...talk("reviewer", null, forbidden, [call("finish", APPROVAL)])];
    const done = await work(on, turns, REVIEWED, 0);
    expectDenied(on, done, "reviewer");
    const review = readFileSync(join(done.results, "REVIEW.md"), "utf8");
    expect(review).toContain(done.record.tree);
  });

  test("cannot write, whatever it calls: the planner is denied, on record", async () => {
    const on = site(RED_PROJECT);
    const turns = [...talk("planner", null, forbidden, [call("finish", PLAN)]), ...MENDS];
    const done = await work(on, turns, "pipeline:\n  - role: planner\n  - role: doer\n", 0);
    expectDenied(on, done, "planner");
  });

  function expectDenied(on: Site, done: Facts, stepId: string): void {
    const denied = facts(done, "tool.finished").filter((event) => event.stepId === stepId && event.tool !== "finish");
    expect(denied.map(({ tool, status, treeAfter }) => ({ tool, status, treeAfter }))).toEqual(
      ["write", "edit", "bash"].map((tool) => ({ tool, status: "denied", treeAfter: null })),
    );
    expect(facts(done, "tool.started").filter((event) => event.stepId === stepId && event.tool !== "finish")).toEqual(
      [],
    );
    expect(git(on.root, "diff", "--name-only", "main", `ccp/${done.rid}`)).toBe("sum.mjs\n");
    expect(existsSync("/tmp/ccp-evil")).toBe(false);
  }
});

function blockerApproved(): unknown {
  return { ...APPROVAL, findings: [{ file: "sum.mjs", line: 1, severity: "blocker", reason: "it is wrong" }] };
}

describe("a shipped pipeline", () => {
  test("fails when its tests stay red after every way back, and says what to do next", async () => {
    const on = site(RED_PROJECT);
    const shipped = readFileSync(new URL("../../pipelines/plan-build-test-review.yaml", import.meta.url), "utf8");
    const wrong = (conversation: number, from: string, to: string) =>
      talk("doer", conversation, [edit(from, to)], [call("finish", WORK)]);
    const turns = [
      ...PLANNING,
      ...wrong(1, "a - b", "a * b - 1"),
      ...wrong(2, "a * b - 1", "a * b - 2"),
      ...wrong(3, "a * b - 2", "a * b - 3"),
    ];
    const done = await work(on, turns, shipped, 1);
    const round = ["doer succeeded", "test check-failed"];
    expect(ends(done)).toEqual(["planner succeeded", ...round, ...round, ...round]);
    expect(resultOf(done.stdout).next).toEqual([
      `ccp view ${done.rid}`,
      `ccp diff ${done.rid}`,
      `ccp resume ${done.rid}`,
      `ccp run --on ${done.rid} "…"`,
    ]);
    expect(existsSync(join(done.results, "PLAN.md"))).toBe(true);
  });
});
