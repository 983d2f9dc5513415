/** The files that git tracks at the start. */
export const PROJECT: Readonly<Record<string, string>> = {
  "sum.mjs": "export const sum = (a, b) => a - b;\n",
  "README.md": "# Sample\n",
  ".gitignore": "node_modules/\nscratch/\n",
};

/** What git does not track and a worktree is given a copy of. */
export const DEPENDENCY: Readonly<Record<string, string>> = { "node_modules/dep/index.js": "export default 1;\n" };

export const TASK = "Make sum add.";

/** The model of each role: a request says by its model who asks. */
export const ROUTES = { planner: "claude-sonnet-5", doer: "claude-haiku-4-5", reviewer: "claude-opus-5" } as const;

/**
 * Every kind of effect is in it: copied dependencies, a set-up, checks on the base, a check that is red at first, a
 * command whose changes are kept and one whose changes are not, a way back. What commands do is not the same twice:
 * done again on what they left, it would show. The check also sees to it that no command is told of the kill points.
 */
export const PIPELINE = `
workspace:
  copy: [node_modules]
  setup: mkdir -p scratch && echo ready > scratch/ready && printf s >> setup.log
pipeline:
  - role: planner
  - role: doer
    until: { run: "test -z \\"$NODE_OPTIONS$CCP_KILL_POINT\\" && grep -q 'a + b' sum.mjs", attempts: 3 }
  - id: format
    run: printf f >> format.log
    changes: keep
  - id: test
    run: touch left-over && test -d node_modules/dep && grep -q 'a + b' sum.mjs
    check: true
  - role: reviewer
    on_failure: { back_to: doer, attempts: 1 }
`;

/** One answer of a model, and what it says that it used. */
export interface ModelTurn {
  readonly model: string;
  /** Ordinal of the conversation with this model, and of the answer in it, from 1. */
  readonly conversation: number;
  readonly turn: number;
  readonly say?: string;
  readonly calls: readonly { readonly tool: string; readonly args: unknown }[];
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number };
}

/** What the reviewer finds missing: a prompt that tells of it, or shows it in the change, is of the second round. */
export const SECOND_ROUND = "zero was not thought of";

const PLAN = {
  plan: "Make sum add.",
  tasks: ["sum.mjs: add"],
  acceptance: ["the check passes"],
  uncertainty: 0.1,
};
const WORK = { status: "done", summary: "sum adds now", evidence: ["the check passes"], confidence: 0.9 };
const FINE = { ok: true, note: "fine" };

const call = (tool: string, args: unknown) => ({ tool, args });
const edit = (old: string, now: string) => call("edit", { path: "sum.mjs", edits: [{ old, new: now }] });
const bash = (command: string) => call("bash", { command });
const finish = (value: unknown) => call("finish", value);
const review = (verdict: string, severity: string, reason: string) =>
  finish({
    verdict,
    findings: [{ file: "sum.mjs", line: 1, severity, reason }],
    checklist: { style: FINE, safety: FINE, risk: FINE },
  });

const { planner, doer, reviewer } = ROUTES;

const ANSWERS: readonly Omit<ModelTurn, "usage">[] = [
  { model: planner, conversation: 1, turn: 1, say: "Looking.", calls: [call("read", { path: "sum.mjs" })] },
  { model: planner, conversation: 1, turn: 2, calls: [finish(PLAN)] },
  {
    model: doer,
    conversation: 1,
    turn: 1,
    say: "First a try.",
    calls: [edit("a - b", "a * b * 2"), bash("printf x >> notes.txt; mkdir docs; echo y > docs/y")],
  },
  { model: doer, conversation: 1, turn: 2, calls: [finish(WORK)] },
  {
    model: doer,
    conversation: 1,
    turn: 3,
    calls: [edit("a * b * 2", "a + b"), bash("printf y >> notes.txt; rm docs/y"), finish(WORK)],
  },
  { model: reviewer, conversation: 1, turn: 1, calls: [review("request_changes", "major", SECOND_ROUND)] },
  {
    model: doer,
    conversation: 2,
    turn: 1,
    calls: [call("write", { path: "docs/zero.md", content: `${SECOND_ROUND}\n` }), finish(WORK)],
  },
  { model: reviewer, conversation: 2, turn: 1, calls: [call("read", { path: "docs/zero.md" })] },
  { model: reviewer, conversation: 2, turn: 2, calls: [review("approve", "nit", "a comment would help")] },
];

/** No two are alike in what they cost. */
export const TURNS: readonly ModelTurn[] = ANSWERS.map((answer, index) => ({
  ...answer,
  usage: { input_tokens: 1000 + index, output_tokens: 100 + index },
}));

/** How a request is named, by the server and by the journal. */
export function turnName({ model, conversation, turn }: Pick<ModelTurn, "model" | "conversation" | "turn">): string {
  return `${model} ${conversation}.${turn}`;
}
