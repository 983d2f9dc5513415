import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { stringify } from "yaml";
import { look } from "../workspace/git-support.ts";
import { bareEnvironment, type CliResult, ccp } from "./cli.ts";
import { git, makeRepository } from "./git.ts";
import type { ScriptedTurn } from "./scenario.ts";
import { tempDir } from "./temp.ts";

/** A user at a repository: all that ccp is given besides lies outside of it. */
export interface Site {
  /** The user's working tree. */
  readonly root: string;
  /** Where ccp is called from. */
  readonly cwd: string;
  /** The same home for every command of the user's. */
  readonly env: Readonly<Record<string, string>>;
  /** A directory of its own for pipelines and transcripts. */
  readonly outside: string;
}

export interface RunRecord {
  readonly rid: string;
  readonly status: string;
  readonly exit: number;
  readonly parent: string | null;
  readonly tree: string;
  readonly base: {
    readonly commit: string;
    readonly tree: string;
    readonly dirty: boolean;
    readonly branch: string | null;
  };
  readonly checks: readonly { readonly command: string; readonly exit_code: number | null }[];
}

/** A run as it was left: what it printed, and its folder. */
export interface Done extends CliResult {
  readonly rid: string;
  readonly results: string;
  readonly record: RunRecord;
}

export interface RunOptions {
  readonly turns: readonly ScriptedTurn[];
  /** Text of the pipeline file; default: only a doer. */
  readonly pipeline?: string;
  readonly args?: readonly string[];
  readonly task?: string;
  /** The exit code that is expected; default 0. */
  readonly code?: number;
}

export const DOER_ONLY = "pipeline:\n  - role: doer\n";

const DONE = { status: "done", summary: "did it", evidence: ["looked at it"], confidence: 1 };

/** A doer that runs one command and finishes. */
export function doerWho(command: string): readonly ScriptedTurn[] {
  return [
    { role: "doer", turn: 1, calls: [{ tool: "bash", args: { command } }] },
    { role: "doer", turn: 2, calls: [{ tool: "finish", args: DONE }] },
  ];
}

/** A user's repository with one commit; `prepare` makes of it what the test is about. */
export function site(
  files?: Readonly<Record<string, string | Uint8Array>>,
  prepare: (root: string) => void = () => undefined,
): Site {
  const root = makeRepository(files);
  prepare(root);
  return siteAt(root);
}

export function siteAt(root: string, env: Readonly<Record<string, string>> = {}): Site {
  return { root, cwd: root, env: { ...bareEnvironment(), ...env }, outside: tempDir("ccp-outside") };
}

/** ccp, called by the user of a site. */
export function ccpAt(on: Site, ...argv: readonly string[]): Promise<CliResult> {
  return ccp(argv, { cwd: on.cwd, env: on.env });
}

/** Writes transcript and pipeline outside of the repository; the flags that name them. */
export function scripted(on: Site, options: Pick<RunOptions, "turns" | "pipeline">): readonly string[] {
  const transcript = join(on.outside, "transcript.yaml");
  const pipeline = join(on.outside, "pipeline.yaml");
  writeFileSync(transcript, stringify({ turns: options.turns }));
  writeFileSync(pipeline, options.pipeline ?? DOER_ONLY);
  return ["--transcript", transcript, "--pipeline", pipeline];
}

/** One run to its end. */
export async function runAt(on: Site, options: RunOptions): Promise<Done> {
  const flags = [...scripted(on, options), ...(options.args ?? []), "--json"];
  const result = await ccpAt(on, "run", ...flags, options.task ?? "Do it.");
  expect(result, result.stderr).toMatchObject({ code: options.code ?? 0 });
  return doneFrom(result);
}

/** What `--json` printed as its last line leads to all that the run left. */
export function doneFrom(result: CliResult): Done {
  const { rid, results } = JSON.parse(result.stdout.trim().split("\n").at(-1) ?? "");
  return { ...result, rid, results, record: JSON.parse(readFileSync(join(results, "run.json"), "utf8")) };
}

/** A run that does what it should and nothing else: its patch makes its tree, and the user's things are as they were. */
export async function proveRun(on: Site, options: RunOptions): Promise<Done> {
  const before = footprint(on.root);
  const done = await runAt(on, options);
  expect(footprint(on.root)).toEqual(before);
  expect(git(on.root, "rev-parse", `refs/heads/ccp/${done.rid}^{tree}`).trim()).toBe(done.record.tree);
  expect(done.record.base.dirty ? treeOnDirty(on, done) : treeOfPatch(on, done)).toBe(done.record.tree);
  expect(readdirSync(done.results)).toEqual(expect.arrayContaining(["Diff.patch", "events.ndjson", "run.json"]));
  expect(readFileSync(join(done.results, "../Diff.patch")).equals(readFileSync(patchOf(done)))).toBe(true);
  return done;
}

export function patchOf(done: Pick<Done, "results">): string {
  return join(done.results, "Diff.patch");
}

/** The patch applied to a fresh checkout of the base commit by a git without any configuration, as a tree. */
export function treeOfPatch(on: Site, done: Done): string {
  const fresh = checkout(on.root, done.record.base.commit);
  applyPatch(fresh, patchOf(done));
  return treeOf(fresh);
}

/** The same for a run that began on uncommitted work: applied to a copy of the user's working tree as it is now. */
function treeOnDirty(on: Site, done: Done): string {
  const copy = tempDir("ccp-copy");
  cpSync(on.root, copy, { recursive: true, verbatimSymlinks: true });
  rmSync(join(copy, "results"), { recursive: true, force: true });
  applyPatch(copy, patchOf(done));
  return treeOf(copy);
}

/** A clone's files at one commit. */
export function checkout(root: string, commit: string): string {
  const fresh = tempDir("ccp-fresh");
  plainGit(fresh, "clone", "--quiet", "--no-checkout", root, ".");
  plainGit(fresh, "checkout", "--quiet", "--detach", commit);
  return fresh;
}

function applyPatch(root: string, patch: string): void {
  if (readFileSync(patch).length > 0) plainGit(root, "apply", "--whitespace=nowarn", patch);
}

function treeOf(root: string): string {
  plainGit(root, "add", "--all");
  return plainGit(root, "write-tree").trim();
}

/** Git without anybody's configuration. */
export function plainGit(cwd: string, ...args: readonly string[]): string {
  const env = { PATH: process.env.PATH ?? "", GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", LC_ALL: "C" };
  return execFileSync("git", [...args], { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Everything of the user's that a run must leave alone: files, index, HEAD, branches, stash, configuration, hooks. */
export function footprint(root: string): Readonly<Record<string, unknown>> {
  const where = (name: string) => git(root, "rev-parse", "--path-format=absolute", "--git-path", name).trim();
  const lines = (...args: readonly string[]) => git(root, "--no-optional-locks", ...args).split("\n");
  return {
    files: withoutResults(look(root)),
    status: lines("status", "--porcelain=v2", "--branch", "--untracked-files=all"),
    index: createHash("sha256")
      .update(readFileSync(where("index")))
      .digest("hex"),
    head: readFileSync(where("HEAD"), "utf8"),
    refs: lines("for-each-ref").filter((line) => !line.includes("refs/heads/ccp/")),
    stash: lines("stash", "list"),
    config: readFileSync(where("config"), "utf8"),
    hooks: readdirSync(where("hooks")).sort(),
  };
}

function withoutResults(files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(files).filter(([path]) => !path.startsWith("results/")));
}
