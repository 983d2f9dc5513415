import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Scope } from "../../src/core/budget.ts";
import { git } from "../support/git.ts";
import type { MockTurn } from "../support/mock-models.ts";
import { APPROVAL, PLAN, WORK } from "../support/scenario.ts";
import { type ServerCount, serverCount } from "../support/server-count.ts";
import { tempDir } from "../support/temp.ts";
import { LANE_KEYS, openWireWorld, type WireRun, type WireWorld } from "../support/wire-run.ts";

const PLANNER = "claude-sonnet-5";
const DOER = "z-ai/glm-5.3";
const LOCAL_DOER = "qwen3:8b";
const REVIEWER = "gpt-5.6-terra";
const ROUTES = { planner: [`anthropic/${PLANNER}`], reviewer: [`openai/${REVIEWER}`] };

const PIPELINE = `
pipeline:
  - role: planner
  - role: doer
    until: { run: npm test, attempts: 3 }
  - role: reviewer
`;

const call = (tool: string, args: unknown) => ({ tool, args });
const edit = (old: string, now: string) => call("edit", { path: "sum.mjs", edits: [{ old, new: now }] });
/** What a patch finds hard, and a shell that looks for keys. */
const HARD = String.raw`printf 'no newline' > 'docs ü.txt'; printf '\000\001\377' > logo.bin; chmod +x check.mjs; mv README.md LIESMICH.md; env; echo "keys: $ANTHROPIC_API_KEY $OPENAI_API_KEY"`;

const PLANNING: readonly MockTurn[] = [
  {
    model: PLANNER,
    turn: 1,
    say: "Looking.",
    calls: [call("read", { path: "sum.mjs" }), call("grep", { pattern: "sum" })],
    usage: { input_tokens: 1201, output_tokens: 83 },
  },
  { model: PLANNER, turn: 2, calls: [call("finish", PLAN)], usage: { input_tokens: 1407, output_tokens: 161 } },
];
const REVIEWING: readonly MockTurn[] = [
  {
    model: REVIEWER,
    turn: 1,
    calls: [call("read", { path: "sum.mjs" }), call("read", { path: "check.mjs" })],
    usage: { input_tokens: 2003, output_tokens: 47 },
  },
  { model: REVIEWER, turn: 2, calls: [call("finish", APPROVAL)], usage: { input_tokens: 2211, output_tokens: 190 } },
];

/** The first finish is red, the second green. */
function doing(model: string, usage: (turn: number) => NonNullable<MockTurn["usage"]>): readonly MockTurn[] {
  const answers = [
    { calls: [call("bash", { command: HARD }), edit("a - b", "a * b * 2")] },
    { say: "Done.", calls: [call("finish", WORK)] },
    { calls: [edit("a * b * 2", "a + b")] },
    { calls: [call("finish", WORK)] },
  ];
  return answers.map((answer, index) => ({ model, turn: index + 1, ...answer, usage: usage(index + 1) }));
}

describe("a run over the real wires", () => {
  test("leaves a patch that gives its tree, and counts and costs what the servers counted", async () => {
    const doer = doing(DOER, (turn) => ({
      prompt_tokens: 3000 + turn,
      completion_tokens: 200 + turn,
      prompt_tokens_details: { cached_tokens: 1000 * (turn - 1) },
      // OpenRouter's own figure for one of the calls: it wins over the price list.
      ...(turn === 3 ? { cost: 0.0123 } : {}),
    }));
    const world = await openWireWorld(PIPELINE, [...PLANNING, ...doer, ...REVIEWING]);
    const run = await world.run({ ...ROUTES, doer: [`openrouter/${DOER}`] });

    expect(checksOf(run)).toEqual(["baseline 1", "until 1", "until 0"]);
    expectArtifacts(world, run);
    expectSpend(run, serverCount(world.mock));
    expect(run.record.usage).toMatchObject({ cache_read: 6000, source: "provider" });
    expectKeysStayed(world, run);
  });

  test("asks Ollama for a context size, and counts what Ollama counted", async () => {
    // aimock counts nothing on this wire: the door puts its figures in.
    const rewrite = (door: string, text: string) =>
      door === "ollama"
        ? text.replace('"prompt_eval_count":0', '"prompt_eval_count":777').replace('"eval_count":0', '"eval_count":55')
        : text;
    const doer = doing(LOCAL_DOER, () => ({ prompt_eval_count: 777, eval_count: 55 }));
    const world = await openWireWorld(PIPELINE, [...PLANNING, ...doer, ...REVIEWING], { rewrite });
    const run = await world.run({ ...ROUTES, doer: [`ollama/${LOCAL_DOER}`] });

    const asked = world.doors.exchanges.filter(({ door }) => door === "ollama");
    expect(asked.map(({ path, body }) => `${path} ${body.options?.num_ctx}`)).toEqual(Array(4).fill("/api/chat 32768"));
    expect(checksOf(run)).toEqual(["baseline 1", "until 1", "until 0"]);
    expectArtifacts(world, run);
    expectSpend(run, serverCount(world.mock));
    expectKeysStayed(world, run);
  });

  test("goes on with another provider where the first fails, every attempt on the ledger", async () => {
    const doer = doing(DOER, () => ({ prompt_tokens: 3000, completion_tokens: 200 }));
    const answer = (status: number, type: string) => ({
      status,
      headers: { "retry-after": "0" },
      body: JSON.stringify({ type: "error", error: { type, message: "not now" } }),
    });
    const world = await openWireWorld(PIPELINE, [...PLANNING, ...doer, ...REVIEWING], {
      // After the planner: overloaded, then broken, then cut off before anyone could say what it cost.
      refuse(door, earlier) {
        if (door !== "anthropic") return null;
        const attempt = earlier.filter((other) => other.door === door).length - PLANNING.length + 1;
        if (attempt < 1) return null;
        if (attempt < 3) return attempt === 1 ? answer(529, "overloaded_error") : answer(500, "api_error");
        return { status: 200, headers: { "content-type": "text/event-stream" }, body: ": wait\n\n", cut: true };
      },
    });
    const run = await world.run({ ...ROUTES, doer: ["anthropic/claude-opus-5", `openrouter/${DOER}`] });

    expect(attemptsOf(run, "doer")).toEqual([
      "anthropic/claude-opus-5 overloaded 529",
      "anthropic/claude-opus-5 server 500",
      "anthropic/claude-opus-5 lost",
      ...Array(4).fill(`openrouter/${DOER} answered`),
    ]);
    const lost = run.events.flatMap((event) => (event.type === "call.lost" ? [event] : []));
    expect(lost.map(({ heldNanos }) => heldNanos > 0)).toEqual([true]);
    const counted = serverCount(world.mock);
    expectSpend(
      run,
      { ...counted, requests: counted.requests + 3, nanos: counted.nanos + (lost[0]?.heldNanos ?? 0) },
      lost[0]?.heldTokens,
    );
    expectArtifacts(world, run);
    expectKeysStayed(world, run);
  });
});

function checksOf({ record }: WireRun): readonly string[] {
  return record.checks.map(({ purpose, exit_code }) => `${purpose} ${exit_code}`);
}

function attemptsOf({ events }: WireRun, role: string): readonly string[] {
  return events.flatMap((event) => {
    if ((event.type !== "call.lost" && event.type !== "call.settled") || event.role !== role) return [];
    if (event.type === "call.lost") return [`${event.model} lost`];
    const { result } = event;
    return [
      `${event.model} ${result.type === "failed" ? `${result.failure.class} ${result.failure.httpStatus}` : "answered"}`,
    ];
  });
}

/** The patch is tried in a clone of the base commit, with nothing of the run's beside it. */
function expectArtifacts({ root }: WireWorld, { rid, record }: WireRun): void {
  for (const name of ["PLAN.md", "Diff.patch", "REVIEW.md"]) {
    const latest = readFileSync(join(root, "results", name));
    expect(latest.length, name).toBeGreaterThan(0);
    expect(latest.equals(readFileSync(join(root, "results", rid, name))), name).toBe(true);
  }
  const clone = tempDir("ccp-clone");
  git(clone, "clone", "--quiet", "--no-local", "--single-branch", "--branch=main", root, ".");
  git(clone, "checkout", "--quiet", "--detach", record.base.commit);
  git(clone, "apply", join(root, "results", "Diff.patch"));
  git(clone, "add", "--all");
  expect(git(clone, "write-tree").trim()).toBe(record.tree);
  expect(git(root, "rev-parse", `ccp/${rid}^{tree}`).trim()).toBe(record.tree);
  const changed = git(clone, "diff", "--cached", "--no-renames", "--name-only", "-z", record.base.commit).split("\0");
  expect(changed.sort()).toEqual(["", "LIESMICH.md", "README.md", "check.mjs", "docs ü.txt", "logo.bin", "sum.mjs"]);
  expect(() => execFileSync("npm", ["test", "--silent"], { cwd: clone, stdio: "pipe" })).not.toThrow();
  expect(git(root, "status", "--porcelain")).toBe("");
}

/** run.json, the ledger and the server agree to the token and to the nano-dollar. `lostTokens` were charged and never reported. */
function expectSpend({ rid, record, store }: WireRun, counted: ServerCount, lostTokens = 0): void {
  const tokens = counted.freshInput + counted.cacheRead + counted.output + lostTokens;
  const { requests, freshInput, cacheRead, output, nanos } = counted;
  expect(record).toMatchObject({
    usage: { fresh_input: freshInput, cache_read: cacheRead, cache_write: 0, output },
    cost_nanos: nanos,
    cost_usd: nanos / 1e9,
    tokens,
  });
  const total = (of: readonly { readonly calls: number; readonly cost_nanos: number }[]) => ({
    calls: of.reduce((sum, { calls }) => sum + calls, 0),
    nanos: of.reduce((sum, { cost_nanos }) => sum + cost_nanos, 0),
  });
  expect(total(record.models)).toEqual({ calls: requests, nanos });
  expect(total(record.steps)).toEqual({ calls: requests, nanos });
  expect(store.ledger(rid, "run")).toEqual({ settledNanos: nanos, heldNanos: 0, settledTokens: tokens, heldTokens: 0 });
  const roles: readonly Scope[] = ["role:planner", "role:doer", "role:reviewer"];
  expect(roles.reduce((sum, scope) => sum + store.ledger(rid, scope).settledNanos, 0)).toBe(nanos);
}

/** Each key went to its own lane, with every request, and nowhere else: no file, no output. */
function expectKeysStayed({ root, home, doors }: WireWorld, { output }: WireRun): void {
  const keys = Object.values(LANE_KEYS);
  for (const { door, path, headers, body } of doors.exchanges) {
    const sent = JSON.stringify([path, headers, body]);
    expect(
      keys.filter((key) => sent.includes(key)),
      `${door}${path}`,
    ).toEqual(door === "ollama" ? [] : [LANE_KEYS[door]]);
  }
  const files = [root, home].flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  const holding = (word: string) => files.filter((file) => readFileSync(file).includes(word));
  expect(keys.flatMap(holding)).toEqual([]);
  expect(keys.filter((key) => output.includes(key))).toEqual([]);
  // The same search finds what is there: the doer's summary is in the journal and in the results.
  expect(holding(WORK.summary).filter((file) => /\.git\/ccp\/ccp\.db|results\//.test(file)).length).toBeGreaterThan(1);
}
