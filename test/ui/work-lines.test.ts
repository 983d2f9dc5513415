import { expect, test } from "vitest";
import type { CommandPurpose, Event } from "../../src/core/event.ts";
import { LineFeed } from "../../src/ui/line-feed.ts";
import { blob, CREATED, reused, SAMPLE_STEPS, stored, told, tool, WORKSPACE } from "./sample-run.ts";

/** The lines of facts that come right after these. */
function linesAfter(before: readonly Event[], ...facts: readonly Event[]) {
  const feed = new LineFeed(SAMPLE_STEPS);
  const lines = told(stored([...before, ...facts].map((fact) => [1000, fact]))).map(([event, run]) => {
    return feed.event(event, run);
  });
  return lines.slice(before.length).flat();
}

const twice = "is run again from its beginning, and what it did outside the worktree it may do twice";

test.each<[CommandPurpose, string | null, string]>([
  ["setup", null, "! set-up: `npm publish` was interrupted; it"],
  ["baseline", null, "! on the base, `npm publish` was interrupted; it"],
  ["until", "build", "! build  `npm publish` was interrupted; it"],
  ["step", "test", "! test  `npm publish` was interrupted; it"],
  ["final", null, "! on the final tree, `npm publish` was interrupted; it"],
])("an interrupted command (%s) says that it may act twice", (purpose, stepId, text) => {
  const event: Event = { type: "command.interrupted", commandId: "x", purpose, stepId, command: "npm publish" };
  expect(linesAfter([CREATED, WORKSPACE], event)).toEqual([{ kind: "warning", text: `${text} ${twice}` }]);
});

const interrupted = { type: "tool.interrupted", stepId: "build", toolCallId: "t1" } as const;

test("an interrupted tool that acts outside the worktree says that it may do so twice", () => {
  const event: Event = { ...interrupted, tool: "bash", subject: "npm publish", outside: true };
  expect(linesAfter([CREATED, WORKSPACE, tool("build", "t1", "bash", "npm publish")], event)).toEqual([
    { kind: "warning", text: `! build  bash \`npm publish\` was interrupted; it ${twice}` },
  ]);
});

test("one that only changes files is no warning: they are put back", () => {
  const event: Event = { ...interrupted, tool: "edit", subject: "src/a.ts", outside: false };
  expect(linesAfter([CREATED, WORKSPACE], event)).toEqual([
    { kind: "note", text: "  build  edit `src/a.ts` was interrupted; it is run again from its beginning" },
  ]);
});

test("a tool without a subject is named alone, and a hostile subject is one harmless line", () => {
  const todo: Event = { ...interrupted, tool: "todo", subject: "", outside: false };
  const bash: Event = { ...interrupted, tool: "bash", subject: "echo\n::set-output\x1b[2J", outside: true };
  expect(linesAfter([CREATED, WORKSPACE], todo, bash).map((line) => line.text)).toEqual([
    "  build  todo was interrupted; it is run again from its beginning",
    `! build  bash \`echo ::set-output\` was interrupted; it ${twice}`,
  ]);
});

test("files that are put back for a rewind say to which step, and after it a crash is a crash again", () => {
  const rewound: Event = { type: "run.rewound", to: "build\x1b[2J", steps: ["build"], tree: "t" };
  const restored: Event = { type: "workspace.restored", tree: "t", kept: null };
  expect(linesAfter([CREATED, WORKSPACE, rewound], restored, restored).map((line) => line.text)).toEqual([
    "files put back to how they were before build",
    "files put back to what is on record",
  ]);
});

test("a reused step tells from where and what was saved; one that cost nothing saves nothing", () => {
  expect(linesAfter([CREATED], reused("plan"), reused("test", { savedNanos: 0 }))).toEqual([
    { kind: "good", text: "✓ plan · planner  reused from r-abc123, $0.12 saved" },
    { kind: "good", text: "✓ test · command  reused from r-abc123" },
  ]);
});

test("what a run knows from the one before it is not told as if it had been done again", () => {
  const created = { ...CREATED, parent: "r-abc123" } as Event;
  const ran = { type: "command.finished", commandId: "x", command: "npm test", tree: "t", treeAfter: "t" } as const;
  const end = { exitCode: 1, endedBy: null, durationMs: 2000, output: blob(), stdout: blob() };
  const lines = linesAfter(
    [created],
    { ...ran, end, purpose: "baseline", stepId: null },
    { ...ran, end: { ...end, exitCode: 0 }, purpose: "step", stepId: "test" },
    reused("test", { savedNanos: 0 }),
  );
  expect(lines.map((line) => line.text)).toEqual([
    "on the base, npm test: already red (exit 1), known from r-abc123",
    "✓ test · command  reused from r-abc123",
  ]);
});
