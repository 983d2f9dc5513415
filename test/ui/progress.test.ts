import { expect, test } from "vitest";
import type { Event } from "../../src/core/event.ts";
import { totalTokens } from "../../src/core/usage.ts";
import { foldProgress, stepProgress } from "../../src/ui/progress.ts";
import { totalElapsed, tryElapsed } from "../../src/ui/step-progress.ts";
import { answered, CREATED, SAMPLE_EVENTS, START, stored, tool, usage, usd } from "./sample-run.ts";

const begun = (conversation: number): Event => ({
  type: "step.started",
  stepId: "build",
  conversation,
  tree: "t",
  prompt: null,
  fingerprint: null,
});
const interrupted: Event = { type: "step.interrupted", stepId: "build", conversation: 1, reason: "Ctrl-C" };
const call = { id: "c", stepId: "build", role: "doer", model: "zai/glm-5" };

test("a pause does not count as the step's time", () => {
  const events = stored([
    [0, CREATED],
    [0, begun(1)],
    [5000, interrupted],
    [3_600_000, { type: "run.resumed", epoch: 2 }],
    [0, begun(1)],
    [2000, tool("build", "t", "read", "a")],
  ]);
  const step = stepProgress(foldProgress(events), "build");
  expect(tryElapsed(step, START + 3_600_000 + 8000)).toBe(8000);
});

test("after a crash the time between the last fact and the resume does not count", () => {
  const events = stored([
    [0, CREATED],
    [0, begun(1)],
    [5000, tool("build", "t", "read", "a")],
    [3_600_000, { type: "run.resumed", epoch: 2 }],
  ]);
  const progress = foldProgress(events);
  expect(stepProgress(progress, "build")).toMatchObject({ totalMs: 5000, runningSince: null });
  expect(progress.subjects).toEqual({});
});

test("a new try counts anew, and all tries count together", () => {
  const events = stored([
    [0, CREATED],
    [0, begun(1)],
    [4000, answered(call, usd(0.1), usage(100, 0, 10), 1)],
    [0, interrupted],
    [0, begun(2)],
    [1000, answered({ ...call, model: "openai/gpt-6" }, usd(0.2), usage(10, 0, 1), 1)],
  ]);
  const step = stepProgress(foldProgress(events), "build");
  const now = START + 5000;
  expect([tryElapsed(step, now), totalElapsed(step, now)]).toEqual([1000, 5000]);
  expect([totalTokens(step.usage), step.costNanos]).toEqual([11, usd(0.2)]);
});

test("nothing runs any more once the run has ended, and no time is lost or counted twice", () => {
  const { steps } = foldProgress(SAMPLE_EVENTS);
  const total = Object.values(steps).reduce((sum, step) => sum + totalElapsed(step, Number.MAX_SAFE_INTEGER), 0);
  const first = SAMPLE_EVENTS.find((event) => event.type === "step.started")?.at ?? 0;
  const last = SAMPLE_EVENTS.at(-1)?.at ?? 0;
  expect(total).toBeGreaterThan((last - first) * 0.99);
  expect(total).toBeLessThanOrEqual(last - first);
});

test("a run that ends with a step under way stops its clock", () => {
  const ended: Event = { type: "run.ended", status: "paused", exitCode: 130, reason: null, hint: null };
  const events = stored([
    [0, CREATED],
    [0, begun(1)],
    [5000, ended],
  ]);
  expect(totalElapsed(stepProgress(foldProgress(events), "build"), START + 60_000)).toBe(5000);
});

test("a step that was never begun has taken no time", () => {
  expect(totalElapsed(stepProgress(foldProgress([]), "nowhere"), 5)).toBe(0);
});
