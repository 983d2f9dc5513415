import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LLMock } from "@copilotkit/aimock";
import { BINARY, bareEnvironment } from "../support/cli.ts";
import { type Doors, openDoors } from "../support/doors.ts";
import { git, writeFiles } from "../support/git.ts";
import { processesOf } from "../support/kill-world.ts";
import { LANE_KEYS } from "../support/wire-run.ts";
import { type Journal, readJournal } from "./disk-journal.ts";
import { PIPELINE, PROJECT, ROUTES, TASK } from "./disk-scenario.ts";

/** A repository, a home and a folder for temporary files, all below one folder, and a door to the models of its own. */
export interface DiskWorld {
  /** Holds all of it: what is mounted over it is the disk of all of it. */
  readonly folder: string;
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly doors: Doors;
  /** The journal as it is on disk, read in a copy. */
  journal(): Journal;
  /** Starts ccp in a process group of its own; `before` is a program that is to start it. */
  start(argv: readonly string[], before?: readonly string[]): ChildProcess;
  /** Runs ccp to its end, however that comes. */
  ccp(argv: readonly string[], before?: readonly string[]): Promise<Ended>;
  /** Ends what the world still runs and takes it away. */
  remove(): Promise<void>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** It did not come to an end of its own. */
  readonly isHung: boolean;
}

/** A run takes some two seconds; under strace, on a busy machine, ten times that. */
const LONGEST_MS = 120_000;

/** Node's own cache is no part of ccp's work. It is shared, so that it is warm. */
const PLACES_OUTSIDE = { NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache") };

/** Where the parts of a world are, from its folder. */
export const PLACES = {
  git: "repo/.git",
  results: "repo/results",
  worktrees: "home/.local/state",
  everything: ".",
} as const;

export type PlaceName = keyof typeof PLACES;

/** Writes what a world is before its run, to be copied from: a repository with one commit, an empty home. */
export function writeTemplate(template: string): void {
  const root = join(template, "repo");
  for (const name of ["repo", "home", "tmp"]) mkdirSync(join(template, name), { recursive: true });
  git(root, "init", "--quiet", "--initial-branch=main");
  writeFiles(root, PROJECT);
  git(root, "add", "--all");
  git(root, "commit", "--quiet", "--message=start");
  writeFileSync(join(template, "pipeline.yaml"), PIPELINE);
}

/** Makes a world at `folder` of what is in `template`; null: of what is there already, on a disk in memory. */
export async function openDiskWorld(folder: string, template: string | null, mock: LLMock): Promise<DiskWorld> {
  if (template !== null)
    cpSync(template, folder, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  const root = join(folder, "repo");
  // FUSE loses sight of an open file whose directory is removed, and that is how the output of commands is kept.
  const temporary = template === null ? `${folder}.tmp` : join(folder, "tmp");
  mkdirSync(temporary, { recursive: true });
  const doors = await openDoors(mock.url, ["anthropic"]);
  const keys = { ANTHROPIC_API_KEY: LANE_KEYS.anthropic ?? "", ANTHROPIC_BASE_URL: doors.url("anthropic") };
  const env = { ...bareEnvironment(join(folder, "home")), ...keys, ...PLACES_OUTSIDE, TMPDIR: temporary };
  const journal = () => readJournal(join(root, ".git", "ccp"), `${folder}.copy`);
  const start = (argv: readonly string[], before: readonly string[] = []) => {
    const [program = "", ...rest] = [...before, process.execPath, BINARY, ...argv];
    return spawn(program, rest, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  };
  return {
    folder,
    root,
    env,
    doors,
    journal,
    start,
    ccp: (argv, before) => ended(start(argv, before)),
    async remove() {
      await doors.close();
      endAll(root);
      for (const beside of ["copy", "tmp"]) rmSync(`${folder}.${beside}`, { recursive: true, force: true });
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** The command that the whole proof is about. */
export function runCommand(world: Pick<DiskWorld, "folder">): readonly string[] {
  const models = Object.entries(ROUTES).map(([role, model]) => `--model=${role}=anthropic/${model}`);
  // A lost call is charged in full: room for several of the dearest.
  return ["run", "--pipeline", join(world.folder, "pipeline.yaml"), "--budget=50", ...models, "--json", TASK];
}

/** Gathers what a started ccp writes until it ends; one that does not is ended, with all of its group. */
export function ended(child: ChildProcess, longestMs: number = LONGEST_MS): Promise<Ended> {
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      written[name] += text;
    });
  }
  let isHung = false;
  const timer = setTimeout(() => {
    isHung = true;
    killGroup(child.pid);
  }, longestMs);
  return new Promise((resolve) => {
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, ...written, isHung });
    });
  });
}

/** Ends a process group at once. */
export function killGroup(id: number | undefined): void {
  try {
    if (id !== undefined) process.kill(-id, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** Commands of a run are in groups of their own: what a kill has left of them carries the run's mark. */
export function endAll(root: string): void {
  const runs = join(root, ".git", "ccp", "runs");
  for (const rid of existsSync(runs) ? readdirSync(runs) : []) {
    for (const id of processesOf(rid)) process.kill(Number(id), "SIGKILL");
  }
}
