import { expect, test } from "vitest";
import type { Event } from "../../src/core/event.ts";
import { applyEvent, foldRun } from "../../src/core/fold-run.ts";
import { LineFeed } from "../../src/ui/line-feed.ts";
import { lineOf } from "../../src/ui/lines.ts";
import {
  answered,
  blob,
  CREATED,
  overloaded,
  RID,
  reserved,
  SAMPLE_EVENTS,
  SAMPLE_STEPS,
  SAMPLE_WAIT,
  START,
  stored,
  told,
  tool,
  toolDone,
  usage,
  usd,
  WORKSPACE,
} from "./sample-run.ts";

/** The line of a fact that comes after the run's creation and the given facts. */
function textAfter(event: Event, ...before: readonly Event[]): string | null {
  const later = [...before, event].map((fact) => [1000, fact] as const);
  const events = stored([[0, CREATED], [0, WORKSPACE], ...later]);
  const last = events.at(-1);
  return last ? (lineOf(last, foldRun(RID, events))?.text ?? null) : null;
}

test("a whole run reads from its budget to its end", () => {
  const feed = new LineFeed(SAMPLE_STEPS);
  const lines = told(SAMPLE_EVENTS).flatMap(([event, run]) => {
    const told = feed.event(event, run).map((line) => line.text);
    const isRetried = event.type === "call.settled" && event.result.type === "failed";
    return isRetried ? [...told, ...feed.delta(SAMPLE_WAIT).map((line) => line.text)] : told;
  });
  expect(lines).toEqual([
    "r-9q1x7k  plan-build-test-review: Return 404 instead of 500 for unknown ids  budget $2.00, 30m  base 1f3c0aa (main)  no sandbox: the doer's shell is not confined",
    "worktree /home/me/.local/state/ccp/worktrees/r-9q1x7k  branch ccp/r-9q1x7k  note: submodule vendor/x is not checked out",
    "copied into the worktree: node_modules, .env.test",
    "set-up: npm run prepare …",
    "set-up: npm run prepare: passed  4s",
    "on the base, npm test: already red (exit 1)  2s",
    "▸ plan · planner  anthropic/claude-opus-5",
    "  plan  anthropic/claude-opus-5: 12.4k in (9.8k cached), 610 out  $0.04  9s",
    "  plan  read src/items.js: 120 lines",
    "✓ plan · planner  11s  13.0k tokens  $0.04",
    "  wrote results/r-9q1x7k/PLAN.md, 2.1 kB",
    "▸ build · doer  zai/glm-5, openai/gpt-6",
    "↻ build  zai overloaded (529), retry in 24s, nothing lost: Overloaded",
    "  build  zai/glm-5: 4.0k in, 900 out  $0.11  8s",
    "  build  edit src/items.js: +6 −1",
    "  build  npm test: exit 1  3s",
    "  build  told how its check failed",
    "! build  zai/glm-5: a call was sent and its outcome is unknown, charged in full: $0.10 (ccp was killed)",
    "  build  npm test: passed  3s",
    "✓ build · doer  1m39s  4.9k tokens  $0.21",
    "▸ test · command",
    "  test  npm test: passed  3s",
    "✓ test · command  3s",
    "▸ review · reviewer  openai/gpt-6",
    "  review  openai/gpt-6: 9.0k in, 400 out  $0.06  7s",
    "✗ review · reviewer  7s  9.4k tokens  $0.06  rejected: src/items.js:12 ignores a cached miss",
    "↩ back from review to build, to be done again: build, test, review",
    "▸ build · doer (2nd time)  zai/glm-5, openai/gpt-6",
    "  build  zai/glm-5: 10.0k in (4.0k cached), 300 out  $0.55  5s",
    "! 75% of the budget of role doer is used or held: $0.76 of $1.00",
    "✓ build · doer (2nd time)  5s  10.3k tokens  $0.55",
    "▸ test · command (2nd time)",
    "  test  npm test: passed  3s",
    "✓ test · command (2nd time)  3s",
    "▸ review · reviewer (2nd time)  openai/gpt-6",
    "  review  openai/gpt-6: 9.5k in, 200 out  $0.05  6s",
    "✓ review · reviewer (2nd time)  6s  9.7k tokens  $0.05",
    "  wrote results/r-9q1x7k/Diff.patch, 950 B",
    "✓ r-9q1x7k succeeded  $0.91 of $2.00  2m20s of 30m",
  ]);
});

const created = CREATED as Event & { type: "run.created" };

test.each<[string, Event, string]>([
  [
    "uncommitted work in the base is said",
    { ...created, base: { ...created.base, dirty: true } },
    "base 1f3c0aa (main, uncommitted work included)",
  ],
  ["a detached base is said", { ...created, base: { ...created.base, branch: null } }, "base 1f3c0aa (detached)"],
  ["a budget in tokens is said", { ...created, budgets: { run: { maxTokens: 500_000 } } }, "budget 500.0k tokens"],
  ["no budget is said", { ...created, budgets: {} }, "budget no ceiling"],
  ["a run that comes after another says so", { ...created, parent: "r-old" }, "after r-old"],
])("%s", (_, event, words) => {
  const [only] = stored([[0, event]]);
  expect(only && lineOf(only, foldRun(RID, [only]))?.text).toContain(words);
});

test("a scripted model is announced in the first line and where its step starts", () => {
  const steps = [{ id: "plan", role: "planner", models: ["scripted/demo"] }];
  const events = stored([
    [0, CREATED],
    [1, { type: "step.started", stepId: "plan", conversation: 1, tree: "t", prompt: null, fingerprint: null }],
    [1, reserved({ id: "c1", stepId: "plan", role: "planner", model: "scripted/demo" })],
  ]);
  const feed = new LineFeed(steps);
  const [first, second, ...more] = told(events).flatMap(([event, run]) => feed.event(event, run));
  expect(first?.text).toContain("SCRIPTED model: its answers are read from a file, no model is asked");
  expect(second?.text).toBe("▸ plan · planner  scripted (demo), no model is asked");
  expect(more).toEqual([]);
});

test("a scripted model that no route told of is announced at its step's first call, once", () => {
  const call = { id: "c1", stepId: "plan", role: "planner", model: "scripted/demo" };
  expect(textAfter(reserved(call))).toBe(
    "  plan  scripted (demo): its answers are read from a file, no model is asked",
  );
  expect(textAfter(reserved({ ...call, id: "c2" }), reserved(call))).toBeNull();
});

const call = { id: "c1", stepId: "build", role: "doer", model: "zai/glm-5" };
const at = { stepId: "build", conversation: 1, tree: "t" };
const end = { exitCode: null, endedBy: null, durationMs: 1500, output: blob(), stdout: blob() };
const ran = { commandId: "x", command: "npm test", tree: "t", treeAfter: "t" };

test.each<[string, Event, string | null]>([
  ["a reservation is not worth a line", reserved(call), null],
  [
    "an answer that had to be short is",
    reserved(call, { shrunk: true }),
    "! build  answer limited to 4,096 tokens: that is what the budget holds",
  ],
  ["a tool call is told when it is over", tool("build", "t", "edit", "a.ts"), null],
  [
    "a failure that is not tried again keeps its reason",
    overloaded(call),
    "! build  zai overloaded (529), nothing lost: Overloaded",
  ],
  [
    "a step's interruption promises that it goes on",
    { type: "step.interrupted", stepId: "build", conversation: 1, reason: "Ctrl-C" },
    "‖ build interrupted, goes on where it was: Ctrl-C",
  ],
  [
    "a set-up that failed says how",
    { ...ran, type: "command.finished", purpose: "setup", stepId: null, end: { ...end, exitCode: 2 } },
    "set-up: npm test: exit 2  1s",
  ],
  [
    "a green base is said",
    { ...ran, type: "command.finished", purpose: "baseline", stepId: null, end: { ...end, exitCode: 0 } },
    "on the base, npm test: already green  1s",
  ],
  [
    "a check that timed out did not pass",
    { ...ran, type: "command.finished", purpose: "until", stepId: "build", end: { ...end, endedBy: "timeout" } },
    "  build  npm test: timed out  1s",
  ],
  [
    "a command that a signal ended is not told as passed",
    { ...ran, type: "command.finished", purpose: "step", stepId: "build", end },
    "  build  npm test: ended by a signal  1s",
  ],
  ["nothing copied, nothing said", { type: "workspace.prepared", tree: "t", copied: [] }, null],
  [
    "a long list of copies is cut",
    { type: "workspace.prepared", tree: "t", copied: ["a", "b", "c", "d", "e", "f", "g", "h"] },
    "copied into the worktree: a, b, c, d, e, f and 2 paths more",
  ],
  [
    "a raised budget is said",
    { type: "budget.raised", scope: "run", budget: { maxCostNanos: usd(3) } },
    "budget of the run is now $3.00",
  ],
  [
    "a changed route is said",
    { type: "route.changed", role: "doer", models: ["openai/gpt-6"] },
    "doer now asks openai/gpt-6",
  ],
  ["what was applied is said", { type: "run.applied", tree: "t" }, "✓ r-9q1x7k applied to the working tree"],
  ["what was discarded is said", { type: "run.discarded" }, "r-9q1x7k discarded"],
  [
    "an import says where to, and that there is no worktree yet",
    { type: "run.imported", repository: "/src/here", resultsDir: "/src/here/results" },
    "r-9q1x7k imported into /src/here; it gets a worktree when it goes on",
  ],
  [
    "a rewind names the steps that are to be done again",
    { type: "run.rewound", to: "build", steps: ["build", "test", "review"], tree: "t" },
    "↩ r-9q1x7k rewound to build, to be done again: build, test, review",
  ],
  [
    "a rewind of one step too",
    { type: "run.rewound", to: "review", steps: ["review"], tree: "t" },
    "↩ r-9q1x7k rewound to review, to be done again: review",
  ],
  [
    "of a long rewind the first steps are named",
    { type: "run.rewound", to: "a", steps: ["a", "b", "c", "d", "e", "f", "g"], tree: "t" },
    "↩ r-9q1x7k rewound to a, to be done again: a, b, c, d, e, f and 1 step more",
  ],
  [
    "a run that begins with the files of another says where it goes on",
    { type: "run.rewound", to: "build", steps: [], tree: "t" },
    "↩ r-9q1x7k goes on at build",
  ],
  [
    "files that are taken back without a step to do again are said",
    { type: "run.rewound", to: "", steps: [], tree: "t" },
    "↩ r-9q1x7k goes on from other files",
  ],
  [
    "an edited pipeline is said, with its digest",
    { type: "pipeline.changed", pipeline: blob(), pipelineName: "fix", inputs: {} },
    "the pipeline is an edited one from here on: fix (abababa)",
  ],
  [
    "a ceiling of the user's for the day is told by its share alone",
    { type: "budget.warned", scope: "day", percent: 75 },
    "! 75% of today's ceiling for all runs is used or held",
  ],
  [
    "a ceiling for the week likewise",
    { type: "budget.warned", scope: "week", percent: 90 },
    "! 90% of this week's ceiling for all runs is used or held",
  ],
  [
    "files that are put back after a crash say to what, and where the rest is kept",
    { type: "workspace.restored", tree: "t", kept: "undone-2.patch" },
    "files put back to what is on record; what was there is kept in results/r-9q1x7k/undone-2.patch",
  ],
  [
    "the end tells why",
    { type: "run.ended", status: "budget_reached", exitCode: 5, reason: "the next call could pass $2.00", hint: "x" },
    "‖ r-9q1x7k stopped at its budget  $0.00 of $2.00  1s of 30m  the next call could pass $2.00",
  ],
])("%s", (_, event, text) => {
  expect(textAfter(event)).toBe(text);
});

test("without a context a step's figures are those of the run's fold", () => {
  const events = [
    { type: "step.started", ...at, prompt: null, fingerprint: null },
    reserved(call),
    answered(call, usd(0.5), usage(1000, 0, 500), 10),
  ] as const;
  const outcome = { status: "succeeded", output: end.output, finish: null } as const;
  expect(textAfter({ type: "step.finished", ...at, outcome }, ...events)).toBe("✓ build  3s  1.5k tokens  $0.50");
});

test("a step that goes on after a crash says so, and counts what it had used before", () => {
  const before = stored([
    [0, CREATED],
    [1000, { type: "step.started", ...at, prompt: null, fingerprint: null }],
    [1000, reserved(call)],
    [5000, answered(call, usd(0.5), usage(1000, 0, 500), 10)],
  ]);
  const facts: readonly Event[] = [
    { type: "run.resumed", epoch: 2 },
    { type: "step.started", ...at, prompt: null, fingerprint: null },
    { type: "step.finished", ...at, outcome: { status: "succeeded", output: end.output, finish: null } },
  ];
  const later = facts.map((fact, index) => ({ ...fact, seq: 5 + index, at: START + 3_600_000 + index * 2000 }));
  const feed = new LineFeed(SAMPLE_STEPS, { run: foldRun(RID, before), events: before });
  let run = foldRun(RID, before);
  const lines = later.flatMap((event) => {
    run = applyEvent(run, event);
    return feed.event(event, run).map((line) => line.text);
  });
  expect(lines).toEqual([
    "r-9q1x7k resumed: 0 steps done, $0.50 not spent again  budget $2.00, 30m",
    "▸ build · doer goes on  zai/glm-5, openai/gpt-6",
    // Six seconds before the crash and two after it: the hour between does not count.
    "✓ build · doer  8s  1.5k tokens  $0.50",
  ]);
});

test("a denied call stands out and a broken one says that it is an error", () => {
  const finished = toolDone("build", "t", "bash", "not allowed") as Event & { type: "tool.finished" };
  const [line] = [{ ...finished, status: "denied" } as const].map((event) =>
    lineOf({ ...event, seq: 1, at: START }, foldRun(RID, [])),
  );
  expect(line).toEqual({ kind: "warning", text: "  build  bash: denied, not allowed" });
  expect(textAfter({ ...finished, status: "error", summary: "exit 2" })).toBe("  build  bash: error, exit 2");
});

test("a failure whose wait belongs to another step is told by itself", () => {
  const feed = new LineFeed([]);
  const events = told(
    stored([
      [0, CREATED],
      [1, reserved(call)],
      [1, overloaded(call)],
    ]),
  );
  const lines = events.flatMap(([event, run]) => feed.event(event, run));
  expect(lines).toHaveLength(1);
  expect(feed.delta({ ...SAMPLE_WAIT, stepId: "other" }).map((line) => line.text)).toEqual([
    "! build  zai overloaded (529), nothing lost: Overloaded",
    "↻ other  waits 24s: overloaded (529)",
  ]);
});

test("a failure is told before whatever comes next, and at the latest when the screen closes", () => {
  const feed = new LineFeed([]);
  const events = told(
    stored([
      [0, CREATED],
      [1, reserved(call)],
      [1, overloaded(call)],
      [1, { type: "run.discarded" }],
    ]),
  );
  const lines = events.flatMap(([event, run]) => feed.event(event, run).map((line) => line.text));
  expect(lines.slice(1)).toEqual(["! build  zai overloaded (529), nothing lost: Overloaded", "r-9q1x7k discarded"]);
  for (const [event, run] of events.slice(0, 3)) feed.event(event, run);
  expect(feed.flush()).toHaveLength(1);
  expect(feed.flush()).toHaveLength(0);
});

test("a failed call that was charged does not say that nothing was lost", () => {
  const failed = overloaded(call) as Event & { type: "call.settled" };
  expect(textAfter({ ...failed, costNanos: usd(0.02), listedNanos: usd(0.02) })).toBe(
    "! build  zai overloaded (529), charged $0.02: Overloaded",
  );
});
