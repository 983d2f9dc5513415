import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { look } from "../workspace/git-support.ts";
import type { CliResult } from "./cli.ts";
import { git } from "./git.ts";
import { ccpAt, footprint, type Site } from "./proof.ts";

/** How ccp refuses: what machines read, what people read, and what they are told to do. */
export interface Refusal {
  readonly exit: number;
  readonly code: string;
  /** What happened, and where. */
  readonly says: RegExp;
  /** What to do next. */
  readonly next: RegExp;
}

/** Commands whose `--json` ends with one `result`, in an error too. */
const STREAMING = ["run", "resume", "rerun", "fork", "demo"];

/** Asks twice, for people and for machines, and looks for anything that was begun, changed or left behind. */
export async function proveRefused(on: Site, argv: readonly string[], refusal: Refusal): Promise<void> {
  const before = await traces(on);
  const text = await ccpAt(on, ...argv);
  expect(text.code, text.stderr).toBe(refusal.exit);
  expect(text.stdout).toBe("");
  expectWords(text, argv, refusal);
  const json = await ccpAt(on, ...withJson(argv));
  expect(json.code).toBe(refusal.exit);
  expectOneError(json, argv[0] ?? "", refusal);
  expect(await traces(on)).toEqual(before);
}

function expectWords({ stderr }: CliResult, argv: readonly string[], { says, next }: Refusal): void {
  const [headline, ...rest] = stderr.split("\n  ");
  expect(headline).toMatch(/^ccp: /);
  expect(stderr).toMatch(says);
  expect(stderr).toMatch(next);
  expect(rest.length, "a hint").toBeGreaterThan(0);
  if (STREAMING.includes(argv[0] ?? "")) expect(stderr).toMatch(/nothing was (started|changed)/i);
  expect(stderr).not.toMatch(/should not have happened|^\s+at /m);
}

/** Before the task: it may be the last word, and there may be a `--` in front of it. */
function withJson([command = "", ...rest]: readonly string[]): readonly string[] {
  return [command, "--json", ...rest];
}

/** Exactly one JSON object on standard output, of one line where the command's output is a stream. */
export function expectOneError(
  result: CliResult,
  command: string,
  { exit, code }: Omit<Refusal, "says" | "next">,
): void {
  const lines = result.stdout.split("\n");
  expect(lines).toHaveLength(2);
  const told = JSON.parse(lines[0] ?? "");
  expect(told).toMatchObject({ v: 1, error: { code, exit, message: expect.any(String), hint: expect.any(String) } });
  if (STREAMING.includes(command)) {
    expect(told).toMatchObject({ type: "result", status: "error", exitCode: exit, rid: null, next: [] });
  } else expect(told.type).toBe("error");
}

/** All that a run could have left: its record, worktree, branch, results, and anything in the user's tree. */
export async function traces(on: Site): Promise<Readonly<Record<string, unknown>>> {
  const home = on.env.HOME ?? "";
  const results = join(on.root, "results");
  const worktrees = join(home, ".local", "state", "ccp", "worktrees");
  return {
    tree: existsSync(join(on.root, ".git", "index")) ? footprint(on.root) : look(on.root),
    branches: existsSync(join(gitDir(on.root), "HEAD")) ? git(gitDir(on.root), "for-each-ref") : null,
    registered: names(join(gitDir(on.root), "worktrees")),
    worktrees: names(worktrees),
    results: existsSync(results) ? look(results) : null,
    runs: await runsOf(on),
  };
}

function gitDir(root: string): string {
  return existsSync(join(root, ".git")) ? join(root, ".git") : root;
}

function names(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory).sort() : [];
}

/** Null: ccp cannot say. */
async function runsOf(on: Site): Promise<unknown> {
  const { code, stdout } = await ccpAt({ ...on, cwd: on.root }, "runs", "--json");
  return code === 0 ? JSON.parse(stdout).runs : null;
}

/** The last line of a run's machine output. */
export interface RunResult {
  readonly rid: string;
  readonly status: string;
  readonly exitCode: number;
  readonly reason: string | null;
  readonly costNanos: number;
  readonly heldNanos: number;
  readonly tokens: number;
  readonly lostCalls: number;
  readonly steps: readonly {
    readonly id: string;
    readonly status: string;
    readonly tries: number;
    readonly calls: number;
  }[];
  readonly next: readonly string[];
}

/** Every line is an object of JSON, exactly one of them a result, and that one the last. */
export function resultOf(stdout: string): RunResult {
  const lines = stdout.split("\n");
  expect(lines.pop(), "the last line is whole").toBe("");
  const told: readonly { readonly v: number; readonly type: string }[] = lines.map((line) => JSON.parse(line));
  expect(told.every(({ v, type }) => v === 1 && type.length > 0)).toBe(true);
  expect(told.filter(({ type }) => type === "result")).toEqual([told.at(-1)]);
  return JSON.parse(lines.at(-1) ?? "");
}
