import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Event, StepOutcome } from "../../src/core/event.ts";
import { judgesBefore } from "../../src/core/evidence.ts";
import { applyEvent, foldRun } from "../../src/core/fold-run.ts";
import { type Action, nextActions } from "../../src/core/next.ts";
import type { Pipeline, Step } from "../../src/core/pipeline.ts";
import { type Run, stepState } from "../../src/core/run.ts";
import { EMPTY_BLOB, runCreated } from "../support/events.ts";
import { agent, pipelineOf, shell } from "../support/pipelines.ts";

const USUAL = pipelineOf([
  agent("plan", "planner", []),
  agent("build", "doer", ["plan"], { until: { command: { kind: "text", text: "check" }, attempts: 2 } }),
  shell("test", ["build"], { check: true, onFailure: { backTo: "build", attempts: 2 } }),
  shell("format", ["test"], { changes: "keep" }),
  agent("review", "reviewer", ["format"], { onFailure: { backTo: "build", attempts: 1 } }),
  shell("publish", ["review"], { changes: "keep" }),
]);

/** A run in which chance decides how everything ends: `roll` gives whole numbers from 0 to 9. */
function simulate(
  pipeline: Pipeline,
  roll: () => number,
  most: number,
): { readonly run: Run; readonly actions: readonly Action[] } {
  let run = foldRun("r-a", []);
  let trees = 0;
  const actions: Action[] = [];
  const happen = (event: Event) => {
    run = applyEvent(run, { ...event, seq: run.seq + 1, at: run.seq });
  };
  happen(runCreated("r-a"));
  while (run.status === "running" && actions.length < most) {
    const [action] = nextActions(pipeline, run);
    if (!action) throw new Error("nothing to do, and not ended");
    actions.push(action);
    for (const event of eventsOf(action, run, roll, () => `tree-${++trees}`)) happen(event);
  }
  return { run, actions };
}

function eventsOf(action: Action, run: Run, roll: () => number, newTree: () => string): readonly Event[] {
  const tree = run.tree ?? "t0";
  switch (action.type) {
    case "create-workspace":
      return [{ type: "workspace.created", path: "/w", branch: "b", notices: [] }];
    case "prepare-workspace":
      return [{ type: "workspace.prepared", tree, copied: [] }];
    case "restore-tree":
      return [{ type: "workspace.restored", tree: action.tree, kept: null }];
    case "check-base":
      return [commandFinished("baseline", action.checkId, null, roll() < 5 ? 0 : 1, tree)];
    case "check-final":
      return [commandFinished("final", "f", action.stepId, roll() < 7 ? 0 : 1, tree)];
    case "judge-again":
      return [{ type: "judgements.voided", tree, steps: action.steps }];
    case "go-back":
      return [{ type: "steps.reset", from: action.from.id, to: action.to, steps: action.steps, feedback: EMPTY_BLOB }];
    case "end":
      return [
        { type: "run.ended", status: action.status, exitCode: action.exitCode, reason: action.reason, hint: null },
      ];
    // Nothing of this pipeline is escalated.
    case "decide":
    case "diagnose":
      return [];
    case "perform": {
      const { step, conversation } = action;
      const writes = step.kind === "shell" ? step.changes === "keep" : step.role === "doer";
      const after = writes && roll() < 8 ? newTree() : tree;
      const begun = { stepId: step.id, conversation, tree, prompt: null, fingerprint: null };
      const started: Event = { type: "step.started", ...begun };
      if (roll() === 9) return [started, { type: "step.interrupted", stepId: step.id, conversation, reason: "crash" }];
      return [started, { type: "step.finished", stepId: step.id, conversation, outcome: outcome(roll()), tree: after }];
    }
  }
}

function outcome(chance: number): StepOutcome {
  if (chance < 6) return { status: "succeeded", output: EMPTY_BLOB, finish: null };
  return { status: "failed", class: chance < 8 ? "check-failed" : "rejected", reason: "so", finish: null };
}

function commandFinished(
  purpose: "baseline" | "final",
  commandId: string,
  stepId: string | null,
  exitCode: number,
  tree: string,
): Event {
  const end = { exitCode, endedBy: null, durationMs: 1, output: EMPTY_BLOB, stdout: EMPTY_BLOB };
  return { type: "command.finished", commandId, purpose, stepId, command: "check", end, tree, treeAfter: tree };
}

describe("what a run does next", () => {
  test("it always ends, and it succeeds only with every judgement on the tree that it leaves", () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(9)), (chance) => {
        const { run } = simulate(USUAL, () => chance.next().value as number, 500);
        expect(["succeeded", "failed"]).toContain(run.status);
        if (run.status !== "succeeded") return;
        expect(USUAL.steps.map(({ id }) => stepState(run, id).status)).toEqual(USUAL.steps.map(() => "succeeded"));
        for (const judge of ["test", "review"]) expect(stepState(run, judge).judgedTree).toBe(run.tree);
        const proven = stepState(run, "build").judgedTree === run.tree;
        const last = run.commands.findLast(({ purpose, tree }) => purpose === "final" && tree === run.tree);
        expect(proven || last?.end.exitCode === 0).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test("where nothing fails and nothing changes after the review, each step is done once", () => {
    const { run, actions } = simulate(pipelineOf(USUAL.steps.slice(0, 3)), () => 0, 50);
    expect(run.status).toBe("succeeded");
    expect(actions.map((action) => (action.type === "perform" ? action.step.id : action.type))).toEqual([
      "create-workspace",
      "prepare-workspace",
      "check-base",
      "check-base",
      "plan",
      "build",
      "test",
      "end",
    ]);
  });
});

test("a step builds on the judges that are anywhere before it, in pipeline order", () => {
  const kinds = fc.array(fc.tuple(fc.boolean(), fc.array(fc.nat(8), { maxLength: 3 })), { maxLength: 9 });
  fc.assert(
    fc.property(kinds, (rows) => {
      const steps = rows.map(([check, needs], place) =>
        shell(
          `s${place}`,
          [...new Set(needs.filter((need) => need < place))].map((need) => `s${need}`),
          { check },
        ),
      );
      const pipeline = pipelineOf(steps);
      const isBefore = (one: Step, other: string): boolean =>
        one.needs.some((need) => need === other || steps.some((step) => step.id === need && isBefore(step, other)));
      for (const step of steps) {
        expect(judgesBefore(pipeline, step)).toEqual(steps.filter(({ id, check }) => check && isBefore(step, id)));
      }
    }),
  );
});
