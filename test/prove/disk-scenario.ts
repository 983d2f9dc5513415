import type { MockTurn } from "../support/mock-server.ts";
import { APPROVAL, PLAN, RED_PROJECT, WORK } from "../support/scenario.ts";

/** Which model plays which role. Each role has its own, so that a request tells whose it is. */
export const ROUTES = { planner: "claude-sonnet-5", doer: "claude-haiku-4-5", reviewer: "claude-opus-5" } as const;

/** The task that is asked for. */
export const TASK = "Make sum add.";

/** The project before the run, and what an ordinary one has that a run must not touch. */
export const PROJECT: Readonly<Record<string, string>> = RED_PROJECT;

/** Everything that is written in a run is in it: three roles, a check, a command, and all three artifacts. */
export const PIPELINE = `
pipeline:
  - role: planner
  - role: doer
    until: { run: "grep -q 'a + b' sum.mjs", attempts: 3 }
  - id: test
    run: touch left-over && node check.mjs
    check: true
  - role: reviewer
`;

const usage = { input_tokens: 1000, output_tokens: 100 };
const call = (tool: string, args: unknown) => ({ tool, args });
const edit = (old: string, now: string) => call("edit", { path: "sum.mjs", edits: [{ old, new: now }] });

/** The answers. What the doer does is not the same twice: lost or doubled, it would show in the tree. */
export const TURNS: readonly MockTurn[] = [
  { model: ROUTES.planner, turn: 1, calls: [call("finish", PLAN)], usage },
  {
    model: ROUTES.doer,
    turn: 1,
    calls: [
      edit("a - b", "a * b * 2"),
      call("bash", { command: "printf x >> notes.txt && mkdir docs && echo y > docs/y" }),
    ],
    usage,
  },
  {
    model: ROUTES.doer,
    turn: 2,
    calls: [edit("a * b * 2", "a + b"), call("write", { path: "docs/sum.md", content: "sum adds" })],
    usage,
  },
  { model: ROUTES.doer, turn: 3, calls: [call("finish", WORK)], usage },
  { model: ROUTES.reviewer, turn: 1, calls: [call("finish", APPROVAL)], usage },
];
