import { describe, expect, test } from "vitest";
import type { Event, Fingerprint } from "../../src/core/event.ts";
import { applyEvent } from "../../src/core/fold-run.ts";
import type { Pipeline } from "../../src/core/pipeline.ts";
import { planReuse, savedNanos, stepsToDo } from "../../src/core/reuse.ts";
import { newRun, type Run, stepState } from "../../src/core/run.ts";
import { callReserved, callSettled, EMPTY_BLOB, runCreated } from "../support/events.ts";
import { agent, pipelineOf, shell } from "../support/pipelines.ts";

const PIPELINE = pipelineOf([
  agent("plan", "planner", []),
  agent("build", "doer", ["plan"]),
  shell("test", ["build"], { check: true }),
  agent("review", "reviewer", ["test"]),
]);
const SAME: Fingerprint = { own: "o", inputs: "i", upstream: "u" };
const then = (pipeline: Pipeline) => Object.fromEntries(pipeline.steps.map(({ id }) => [id, SAME]));

function runOf(...events: readonly Event[]): Run {
  const all: readonly Event[] = [
    runCreated("r-a"),
    { type: "workspace.created", path: "/w", branch: "b", notices: [] },
    { type: "workspace.prepared", tree: "t0", copied: [] },
    ...events,
  ];
  return all.reduce((run, event) => applyEvent(run, { ...event, seq: run.seq + 1, at: 0 }), newRun("r-a"));
}

/** A step from its start to its end, on these trees. */
function done(stepId: string, before: string, after = before, conversation = 1): readonly Event[] {
  const outcome = { status: "succeeded", output: EMPTY_BLOB, finish: null } as const;
  return [
    { type: "step.started", stepId, conversation, tree: before, prompt: null, fingerprint: SAME },
    { type: "step.finished", stepId, conversation, outcome, tree: after },
  ];
}

function failed(stepId: string, before: string, after = before): readonly Event[] {
  const outcome = { status: "failed", class: "no-change", reason: "so", finish: null } as const;
  return [
    { type: "step.started", stepId, conversation: 1, tree: before, prompt: null, fingerprint: SAME },
    { type: "step.finished", stepId, conversation: 1, outcome, tree: after },
  ];
}

const ALL = [...done("plan", "t0"), ...done("build", "t0", "t1"), ...done("test", "t1"), ...done("review", "t1")];
const decisions = (plan: ReturnType<typeof planReuse>) => plan.steps.map(({ decision }) => decision).join(" ");

describe("what a run's past spares", () => {
  test("nothing has changed: all that succeeded is reused, and the files stay", () => {
    const plan = planReuse({
      pipeline: PIPELINE,
      run: runOf(...ALL),
      fingerprints: then(PIPELINE),
      from: null,
      sameRun: true,
    });
    expect(decisions(plan)).toBe("reuse reuse reuse reuse");
    expect(plan.tree).toBe(null);
    expect(stepsToDo(plan)).toEqual([]);
  });

  test.each([
    ["plan", "re-run re-run re-run re-run", "t0"],
    ["build", "reuse re-run re-run re-run", "t0"],
    ["test", "reuse reuse re-run re-run", null],
    ["review", "reuse reuse reuse re-run", null],
  ])("an edited %s: it and what builds on it, from the files that it found", (edited, expected, tree) => {
    const fingerprints = { ...then(PIPELINE), [edited]: { ...SAME, own: "other" } };
    const plan = planReuse({ pipeline: PIPELINE, run: runOf(...ALL), fingerprints, from: null, sameRun: true });
    expect([decisions(plan), plan.tree]).toEqual([expected, tree]);
    expect(plan.steps.find(({ stepId }) => stepId === edited)?.why).toContain("definition");
  });

  test.each([
    ["inputs", "an input"],
    ["upstream", "hand over"],
  ])("other %s are said", (part, word) => {
    const fingerprints = { ...then(PIPELINE), build: { ...SAME, [part]: "other" } };
    const plan = planReuse({ pipeline: PIPELINE, run: runOf(...ALL), fingerprints, from: null, sameRun: true });
    expect(plan.steps[1]).toMatchObject({ decision: "re-run", why: expect.stringContaining(word) });
  });

  test("a step that is named is done again although nothing has changed", () => {
    const plan = planReuse({
      pipeline: PIPELINE,
      run: runOf(...ALL),
      fingerprints: then(PIPELINE),
      from: "build",
      sameRun: true,
    });
    expect([decisions(plan), plan.tree]).toEqual(["reuse re-run re-run re-run", "t0"]);
  });

  test("a step that failed goes on in its own run, and is begun again in another, from the files that it found", () => {
    const run = runOf(...done("plan", "t0"), ...failed("build", "t0", "t1"));
    const asked = { pipeline: PIPELINE, run, fingerprints: then(PIPELINE), from: null };
    const [here, elsewhere] = [planReuse({ ...asked, sameRun: true }), planReuse({ ...asked, sameRun: false })];
    expect([decisions(here), here.tree]).toEqual(["reuse go-on run run", null]);
    expect([decisions(elsewhere), elsewhere.tree]).toEqual(["reuse run run run", "t0"]);
  });

  test("side by side, what worked on files that are taken back is done again too, though it does not build on them", () => {
    const pipeline = pipelineOf([
      agent("build", "doer", []),
      agent("docs", "doer", []),
      agent("look", "reviewer", ["docs"]),
    ]);
    const run = runOf(...done("build", "t0", "t1"), ...done("docs", "t1", "t2"), ...done("look", "t2"));
    const fingerprints = { ...then(pipeline), build: { ...SAME, own: "other" } };
    const plan = planReuse({ pipeline, run, fingerprints, from: null, sameRun: true });
    expect([decisions(plan), plan.tree]).toEqual(["re-run re-run re-run", "t0"]);
    expect(plan.steps[1]?.why).toContain('"build"');
    const late = planReuse({ pipeline, run, fingerprints: then(pipeline), from: "docs", sameRun: true });
    expect([decisions(late), late.tree]).toEqual(["reuse re-run re-run", "t1"]);
  });

  test("what a step that is no longer in the pipeline did to the files is taken back", () => {
    const without = pipelineOf([agent("plan", "planner", []), agent("review", "reviewer", ["plan"])]);
    const run = runOf(...ALL);
    const plan = planReuse({ pipeline: without, run, fingerprints: then(without), from: null, sameRun: true });
    expect([decisions(plan), plan.tree]).toEqual(["reuse re-run", "t0"]);
  });

  test("so is what it had begun to do to them and not finished", () => {
    const begun: Event = {
      type: "step.started",
      stepId: "build",
      conversation: 1,
      tree: "t0",
      prompt: null,
      fingerprint: SAME,
    };
    const renamed = pipelineOf([agent("plan", "planner", []), agent("build2", "doer", ["plan"])]);
    const run = runOf(...done("plan", "t0"), begun);
    const plan = planReuse({ pipeline: renamed, run, fingerprints: then(renamed), from: null, sameRun: true });
    expect([decisions(plan), plan.tree]).toEqual(["reuse run", "t0"]);
  });

  test("after a way back a step is taken back to before its first try, not its last", () => {
    const reset: Event = {
      type: "steps.reset",
      from: "review",
      to: "build",
      steps: ["build", "test", "review"],
      feedback: EMPTY_BLOB,
    };
    const run = runOf(...ALL, reset, ...done("build", "t1", "t2", 2), ...done("test", "t2", "t2", 2));
    const plan = planReuse({ pipeline: PIPELINE, run, fingerprints: then(PIPELINE), from: "build", sameRun: true });
    expect(plan.tree).toBe("t0");
  });

  test("what a step was given is not on record: it is done again, and that is why", () => {
    const old = ALL.map((event) => (event.type === "step.started" ? { ...event, fingerprint: null } : event));
    const plan = planReuse({
      pipeline: PIPELINE,
      run: runOf(...old),
      fingerprints: then(PIPELINE),
      from: null,
      sameRun: true,
    });
    expect(plan.steps[0]).toMatchObject({ decision: "re-run", why: expect.stringContaining("not on record") });
  });

  test("what is reused is what is saved", () => {
    const call = callReserved("c", 50, 10, "plan", "planner");
    const run = runOf(call, callSettled(call, 30), ...ALL);
    const plan = planReuse({ pipeline: PIPELINE, run, fingerprints: then(PIPELINE), from: "build", sameRun: true });
    expect(savedNanos(plan)).toBe(30);
  });
});

describe("a rewound run", () => {
  const rewound: Event = { type: "run.rewound", to: "build", steps: ["build", "test", "review"], tree: "t0" };

  test("has its steps to do again on that tree, in conversations of their own, and no way back is used up", () => {
    const run = runOf(...ALL, rewound);
    expect([run.tree, run.restoreDue]).toEqual(["t0", true]);
    expect(stepState(run, "plan")).toMatchObject({ status: "succeeded" });
    expect(stepState(run, "build")).toMatchObject({
      status: "pending",
      conversation: 1,
      origin: null,
      backs: 0,
      outcome: null,
    });
  });

  test("keeps its files where they have that tree already, so that what a person did to them stays", () => {
    expect(runOf(...ALL, { ...rewound, to: "review", steps: ["review"], tree: "t1" }).restoreDue).toBe(false);
    expect(runOf(...ALL, rewound, { ...rewound, to: "plan", steps: ["plan"] }).restoreDue).toBe(true);
  });

  test("that begins with the steps of another is not moved from their tree by its own set-up", () => {
    const end = { exitCode: 0, endedBy: null, durationMs: 1, output: EMPTY_BLOB, stdout: EMPTY_BLOB } as const;
    const setup = { commandId: "setup", purpose: "setup", stepId: null, command: "make" } as const;
    const events: readonly Event[] = [
      runCreated("r-b"),
      { ...rewound, to: "review", steps: [], tree: "t0" },
      { type: "workspace.created", path: "/w", branch: "b", notices: [] },
      { type: "command.started", ...setup, tree: "t0" },
      { type: "command.finished", ...setup, end, tree: "t0", treeAfter: "made" },
      { type: "workspace.prepared", tree: "made", copied: [] },
    ];
    const run = events.reduce(
      (state, event) => applyEvent(state, { ...event, seq: state.seq + 1, at: 0 }),
      newRun("r-b"),
    );
    expect([run.tree, run.restoreDue]).toEqual(["t0", true]);
  });

  test("was driven by nobody until then", () => {
    const ended: Event = { type: "run.ended", status: "paused", exitCode: 130, reason: null, hint: null };
    const killed = runOf(...ALL);
    const late = applyEvent(killed, { ...rewound, seq: killed.seq + 1, at: 259_200_000 });
    expect(late.activeMs).toBe(killed.activeMs);
    expect(applyEvent(killed, { ...ended, seq: killed.seq + 1, at: 500 }).activeMs).toBe(killed.activeMs + 500);
  });

  test("is at peace once the files are put back", () => {
    expect(runOf(...ALL, rewound, { type: "workspace.restored", tree: "t0", kept: null }).restoreDue).toBe(false);
  });
});
