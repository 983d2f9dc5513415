import { expect, test } from "vitest";
import type { Event } from "../../src/core/event.ts";
import { foldRun } from "../../src/core/fold-run.ts";
import { renderReport } from "../../src/ui/report.ts";
import { displayWidth } from "../../src/ui/width.ts";
import { UNPRINTABLE } from "./hostile.ts";
import { CREATED, RID, SAMPLE_EVENTS, SAMPLE_PIPELINE, stored } from "./sample-run.ts";

const extra = {
  events: SAMPLE_EVENTS,
  artifacts: ["results/r-9q1x7k/PLAN.md", "results/r-9q1x7k/Diff.patch"],
  next: [
    { command: "ccp diff r-9q1x7k", purpose: "see the changes" },
    { command: "ccp apply r-9q1x7k", purpose: "bring them into your tree" },
  ],
  diffStat: { files: ["src/items.js", "test/items.test.js"], added: 28, removed: 1 },
};

test("a run's report tells how it ended, what each step took, what was checked, and what to type next", () => {
  expect(renderReport(foldRun(RID, SAMPLE_EVENTS), SAMPLE_PIPELINE, extra).split("\n")).toEqual([
    "✓ succeeded  r-9q1x7k  plan-build-test-review",
    "  $0.91 of $2.00, 67.3k tokens, 2m20s of 30m",
    "  1 call lost: sent, outcome unknown, charged in full",
    "",
    "step    role      status     model                    tries   time     in  cached   out   cost",
    "plan    planner   succeeded  anthropic/claude-opus-5      1    11s  12.4k    9.8k   610  $0.04",
    "build   doer      succeeded  zai/glm-5                    2  1m44s  14.0k    4.0k  1.2k  $0.76",
    "test    command   succeeded                               2     6s",
    "review  reviewer  succeeded  openai/gpt-6                 2    13s  18.5k       0   600  $0.11",
    "",
    "Checks",
    "  on the base: npm test: already red (exit 1)",
    "  build: npm test: passed",
    "  test: npm test: passed",
    "",
    "Changes",
    "  2 files, +28 −1",
    "  src/items.js",
    "  test/items.test.js",
    "",
    "Artifacts",
    "  results/r-9q1x7k/PLAN.md",
    "  results/r-9q1x7k/Diff.patch",
    "",
    "Next",
    "  ccp diff r-9q1x7k   see the changes",
    "  ccp apply r-9q1x7k  bring them into your tree",
    "",
  ]);
});

test("a run that failed says why and what a person should do, and steps that never began stay empty", () => {
  const reason = "review rejected\x1b[2J the change";
  const events = [
    ...SAMPLE_EVENTS.slice(0, 14),
    ...stored([[0, { type: "run.ended", status: "failed", exitCode: 1, reason, hint: "read REVIEW.md" }]]).map(
      (event) => ({
        ...event,
        seq: 15,
      }),
    ),
  ];
  const lines = renderReport(foldRun(RID, events), SAMPLE_PIPELINE, {
    events,
    artifacts: [],
    next: [],
    diffStat: null,
  }).split("\n");
  expect(lines.slice(0, 2)).toEqual(["✗ failed  r-9q1x7k  plan-build-test-review", "  review rejected the change"]);
  expect(lines).toContain("test    command   pending");
  expect(lines.join("\n")).not.toContain("Next");
  expect(lines.join("")).not.toMatch(UNPRINTABLE);
});

test("a failed step shows the class of its failure, a scripted model what it is", () => {
  const facts: readonly Event[] = [
    CREATED,
    { type: "step.started", stepId: "plan", conversation: 1, tree: "t", prompt: null },
    {
      type: "step.finished",
      stepId: "plan",
      conversation: 1,
      outcome: { status: "failed", class: "malformed", reason: "x", finish: null },
      tree: "t",
    },
  ];
  const events = stored(facts.map((event) => [1000, event]));
  const planner = { ...SAMPLE_PIPELINE.roles.planner, models: ["scripted/demo"] } as NonNullable<
    typeof SAMPLE_PIPELINE.roles.planner
  >;
  const pipeline = { ...SAMPLE_PIPELINE, roles: { ...SAMPLE_PIPELINE.roles, planner } };
  const text = renderReport(foldRun(RID, events), pipeline, { ...extra, events });
  expect(text).toMatch(/plan +planner +malformed +scripted \(demo\) +1 +1s/);
});

test.each([40, 60, 80, 100])("at %i columns the table of steps fits", (width) => {
  const text = renderReport(foldRun(RID, SAMPLE_EVENTS), SAMPLE_PIPELINE, { ...extra, width });
  const table = text.split("\n\n")[1] ?? "";
  expect(table).toContain("review");
  for (const line of table.split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(width);
});

test("a check is told once, as it ended last", () => {
  const text = renderReport(foldRun(RID, SAMPLE_EVENTS), SAMPLE_PIPELINE, extra);
  expect(text.match(/build: npm test/g)).toHaveLength(1);
});

test("of many files the first ten are named", () => {
  const files = Array.from({ length: 12 }, (_, index) => `f${index}`);
  const text = renderReport(foldRun(RID, SAMPLE_EVENTS), SAMPLE_PIPELINE, {
    ...extra,
    diffStat: { files, added: 1, removed: 0 },
  });
  expect(text).toContain("  12 files, +1 −0\n");
  expect(text).toContain("  f9\n  and 2 files more\n");
});

test("there are colours only where they were asked for", () => {
  const run = foldRun(RID, SAMPLE_EVENTS);
  expect(renderReport(run, SAMPLE_PIPELINE, extra)).not.toContain("\x1b");
  expect(renderReport(run, SAMPLE_PIPELINE, { ...extra, color: true })).toContain("\x1b[32m✓ succeeded");
});
