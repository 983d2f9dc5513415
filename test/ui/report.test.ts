import fc from "fast-check";
import { expect, test } from "vitest";
import type { Event } from "../../src/core/event.ts";
import { foldRun } from "../../src/core/fold-run.ts";
import { renderReport } from "../../src/ui/report.ts";
import { displayWidth } from "../../src/ui/width.ts";
import { hostileText, UNPRINTABLE } from "./hostile.ts";
import {
  answered,
  blob,
  CREATED,
  lost,
  RID,
  reserved,
  reused,
  SAMPLE_EVENTS,
  SAMPLE_PIPELINE,
  stored,
  usage,
  usd,
  WORKSPACE,
} from "./sample-run.ts";

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
    "Lost calls",
    "  build: zai/glm-5, charged $0.10 (ccp was killed)",
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

test("a step that was lost says what helps, and where to read how it came to that", () => {
  const outcome = { status: "failed", class: "loop", reason: "the same calls again", finish: null } as const;
  const events = stored([
    [0, CREATED],
    [0, { type: "step.started", stepId: "build", conversation: 1, tree: "t", prompt: blob(1), fingerprint: null }],
    [0, { type: "step.finished", stepId: "build", conversation: 1, outcome, tree: "t" }],
    [0, { type: "run.ended", status: "failed", exitCode: 1, reason: "step build failed", hint: null }],
  ]);
  const report = renderReport(foldRun(RID, events), SAMPLE_PIPELINE, {
    events,
    artifacts: [],
    next: [],
    diffStat: null,
  });
  expect(report).toMatch(/ {2}build: read where it went in circles, then go on with another model/);
  expect(report).toContain(`how it came to that: ccp view ${RID}`);
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
    { type: "step.started", stepId: "plan", conversation: 1, tree: "t", prompt: null, fingerprint: null },
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

/** The report of a run with these facts after its creation. */
function reportOf(...facts: readonly Event[]): string {
  const events = stored([CREATED, ...facts].map((event) => [1000, event]));
  return renderReport(foldRun(RID, events), SAMPLE_PIPELINE, { events, artifacts: [], next: [], diffStat: null });
}

const call = { id: "c1", stepId: "build", role: "doer", model: "zai/glm-5" };
const again = { ...call, id: "c2" };

test("every lost call is told, with its model, its step, its charge, what is kept of it and whether it was asked again", () => {
  const text = reportOf(
    reserved(call),
    lost(call, { reason: "network: the connection was reset", partial: blob(1240) }),
    reserved(again, { retryOf: "c1" }),
    lost({ ...again, held: usd(0.3), model: "openai/gpt-6" }),
  );
  expect(text).toContain("  2 calls lost: sent, outcome unknown, charged in full\n");
  expect(text).toContain(
    [
      "Lost calls",
      "  build: zai/glm-5, charged $0.10, asked again (network: the connection was reset); 1.2 kB of its text is kept: ccp view r-9q1x7k --step build",
      "  build: openai/gpt-6, charged $0.30 (ccp was killed)",
      "",
    ].join("\n"),
  );
});

test("steps that another run did are told as reused, with what that saved and without figures of their own", () => {
  const text = reportOf(reused("plan"), reused("test", { savedNanos: 0 }));
  expect(text).toContain("  2 steps reused, $0.12 saved\n");
  expect(text).toContain("Reused\n  plan: reused from r-abc123, $0.12 saved\n  test: reused from r-abc123\n");
  expect(text).toMatch(/\nplan +planner +reused\n/);
});

test("a reused step that is done again since is not told as reused", () => {
  const text = reportOf(
    reused("plan"),
    WORKSPACE,
    { type: "run.rewound", to: "plan", steps: ["plan"], tree: "t" },
    { type: "step.started", stepId: "plan", conversation: 2, tree: "t", prompt: null, fingerprint: null },
  );
  expect(text).not.toContain("reused");
  expect(text).toMatch(/\nplan +planner +running +anthropic\/claude-opus-5 +2 /);
});

const priced = (id: string, cost: number, listedNanos: number | null): Event =>
  ({ ...answered({ ...call, id }, cost, usage(1, 0, 1), 1), listedNanos }) as Event;

test("what providers charged is held against the price list, over all calls with a price", () => {
  const text = reportOf(priced("a", usd(0.5), usd(0.5)), priced("b", usd(0.63), usd(0.6)), priced("c", usd(9), null));
  expect(text).toContain("  for settled calls the providers charged $1.13, the price list says $1.10\n");
});

test("a small drift, which may be rounding, is not told", () => {
  expect(reportOf(priced("a", usd(0.51), usd(0.5)))).not.toContain("price list");
});

test("law: whatever a run says of its calls and where it was reused from, its report obeys nobody", () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      const hostile = { ...call, id: text, stepId: text, model: text };
      const shown = reportOf(
        reserved(hostile, { retryOf: text }),
        lost(hostile, { reason: text, partial: blob() }),
        reused(text, { from: text }),
      );
      for (const line of shown.split("\n")) {
        expect(line).not.toMatch(UNPRINTABLE);
        expect(line).not.toMatch(/^\s*::|##\[|##vso\[/i);
      }
    }),
    { numRuns: 300 },
  );
});
