import { expect, test } from "vitest";
import type { Event } from "../../src/core/event.ts";
import { applyEvent } from "../../src/core/fold-run.ts";
import type { Pipeline } from "../../src/core/pipeline.ts";
import { newRun, type Run, stepState } from "../../src/core/run.ts";
import { fingerprintOf } from "../../src/engine/fingerprint.ts";
import { reusePlan, rewinding } from "../../src/engine/reuse.ts";
import { EMPTY_BLOB, runCreated } from "../support/events.ts";
import { agent, pipelineOf } from "../support/pipelines.ts";

const FIRST = pipelineOf([agent("plan", "planner", []), agent("build", "doer", ["plan"])]);
const RENAMED = pipelineOf([agent("plan", "planner", []), agent("build2", "doer", ["plan"])]);

const happen = (run: Run, ...events: readonly Event[]) =>
  events.reduce((state, event) => applyEvent(state, { ...event, seq: state.seq + 1, at: 0 }), run);

function done(run: Run, pipeline: Pipeline, stepId: string, tree: string): Run {
  const step = pipeline.steps.find(({ id }) => id === stepId);
  if (!step || run.tree === null) throw new Error("no such step");
  const conversation = stepState(run, stepId).conversation + 1;
  const outcome = { status: "succeeded", output: EMPTY_BLOB, finish: null } as const;
  const fingerprint = fingerprintOf(pipeline, step, run);
  return happen(
    run,
    { type: "step.started", stepId, conversation, tree: run.tree, prompt: null, fingerprint },
    { type: "step.finished", stepId, conversation, outcome, tree },
  );
}

const planOn = (run: Run, pipeline: Pipeline) => reusePlan(run, { pipeline, inputs: {}, from: null, sameRun: true });
const decisions = (run: Run, pipeline: Pipeline) => planOn(run, pipeline).steps.map(({ decision }) => decision);

function begun(): Run {
  const created = happen(
    newRun("r-a"),
    runCreated("r-a"),
    { type: "workspace.created", path: "/w", branch: "b", notices: [] },
    { type: "workspace.prepared", tree: "t0", copied: [] },
  );
  return done(done(created, FIRST, "plan", "t0"), FIRST, "build", "t1");
}

test("a step that an edit takes out is taken back with its files, and is not reused when another edit brings it in again", () => {
  const run = begun();
  const edited = happen(run, ...rewinding(run, planOn(run, RENAMED)));
  expect([edited.tree, edited.restoreDue]).toEqual(["t0", true]);
  expect(stepState(edited, "build")).toMatchObject({ status: "pending", origin: null });
  expect(decisions(edited, FIRST)).toEqual(["reuse", "run"]);
});

test("what was done since is not taken back by an edit that only adds a step", () => {
  const run = begun();
  const edited = done(happen(run, ...rewinding(run, planOn(run, RENAMED))), RENAMED, "build2", "t2");
  const more = pipelineOf([...RENAMED.steps, agent("review", "reviewer", ["build2"])]);
  expect(decisions(edited, more)).toEqual(["reuse", "reuse", "run"]);
  expect(rewinding(edited, planOn(edited, more))).toEqual([]);
});

test("nothing is taken back where nothing has changed", () => {
  const run = begun();
  expect(rewinding(run, planOn(run, FIRST))).toEqual([]);
});
