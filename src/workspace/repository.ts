import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { parse as parsePath, resolve } from "node:path";
import { CcpError, EXIT } from "../core/errors.ts";
import type { Repository, Workspace } from "../core/ports.ts";
import { applyToTree } from "./apply.ts";
import { fileAt, hasCommit, resolveCommit, snapshotOfUser } from "./bases.ts";
import { branchOf } from "./branches.ts";
import { copyDependencies } from "./dependencies.ts";
import { createGit, type Git } from "./git.ts";
import { gitFailure, inWords } from "./git-errors.ts";
import { worktreePath } from "./layout.ts";
import { noticesFor } from "./notices.ts";
import { openPlace } from "./place.ts";
import { projectFacts } from "./project.ts";
import { findRemains } from "./remains.ts";
import { dirtyPaths } from "./status.ts";
import { commonDirOf } from "./strangers.ts";
import { assembleWorkspace } from "./workspace.ts";
import { createWorktree, isWholeWorktree, removeWorktree, retireWorktree } from "./worktree.ts";

/** Where a repository is looked for, and what is known of its surroundings. */
export interface RepositorySpec {
  /** Any directory of the working tree. */
  readonly cwd: string;
  /** The user's environment; git and commands each see what is on their own list. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `$XDG_STATE_HOME` or what stands for it: worktrees are made in `ccp/worktrees` below. */
  readonly stateHome: string;
  /** The user's home directory, which is refused as a repository's root. */
  readonly home?: string;
  /** The folder for results, from the root or absolute (default `results`): what ccp left there is nobody's uncommitted work. */
  readonly resultsDir?: string;
}

/**
 * Finds the repository around `cwd`. Throws `CcpError` with exit code 2 where ccp cannot work: `not_a_repository`,
 * `bare_repository`, `unsafe_root`, `git_missing`. One without a commit is found: only a run needs one (`resolveBase`).
 */
export async function openRepository(spec: RepositorySpec): Promise<Repository> {
  const git = createGit(spec.environment);
  const { root, commonDir } = await locate(git, spec);
  const place = { git, root, commonDir };
  const worktree = (rid: string, path: string) => ({ git, commonDir, rid, path });
  // A run that came from elsewhere, or that a crash cut off, may have a worktree that no journal names.
  const anyWorktree = async (rid: string, path: string) =>
    worktree(rid, path === "" ? await worktreePath(spec.stateHome, rid) : path);
  const open = new Map<string, Workspace>();
  return {
    root,
    commonDir,
    dirtyFiles: () => dirtyPaths({ git, root, resultsDir: resolve(root, spec.resultsDir ?? "results") }),
    resolveBase: (revision) => resolveCommit(place, revision),
    fileAt: (commit, path, mostBytes) => inWords(() => fileAt(place, commit, { path, mostBytes })),
    dirtyBase: () => inWords(() => snapshotOfUser(place)),
    createWorkspace: ({ rid, base }) =>
      inWords(async () => {
        const path = await worktreePath(spec.stateHome, rid);
        await createWorktree(worktree(rid, path), base);
        const { submodules } = await openPlace(worktree(rid, path));
        const notices = await noticesFor(worktree(rid, path), await submodules());
        return { path, branch: branchOf(rid), notices };
      }),
    isOurs: (other) => other === root || !existsSync(other) || commonDirOf(other) === commonDir,
    hasWorkspace: (path) => isWholeWorktree(commonDir, path),
    copyDependencies: (path, globs) => inWords(() => copyDependencies({ git, root, commonDir, path }, globs)),
    // One for each worktree, so that whoever asks, its snapshots are taken one after the other.
    openWorkspace: (rid, path) => {
      const key = `${rid} ${path}`;
      const workspace = open.get(key) ?? assembleWorkspace({ ...place, rid, path, environment: spec.environment });
      open.set(key, workspace);
      return workspace;
    },
    removeWorkspace: (rid, path) => inWords(async () => removeWorktree(await anyWorktree(rid, path))),
    retireWorkspace: (rid, path) => inWords(async () => retireWorktree(await anyWorktree(rid, path))),
    remains: () => inWords(() => findRemains({ git, commonDir, stateHome: spec.stateHome })),
    hasCommit: (commit) => hasCommit(place, commit),
    applyPatch: (patch) => applyToTree(place, patch),
    project: () => projectFacts(root),
  };
}

interface Location {
  readonly root: string;
  readonly commonDir: string;
}

async function locate(git: Git, spec: RepositorySpec): Promise<Location> {
  if (!existsSync(spec.cwd)) throw refusal("not_a_repository", `there is no directory ${spec.cwd}`, HINT_CD);
  const ask = (...args: readonly string[]) => git.run({ cwd: spec.cwd, args: ["rev-parse", ...args], answers: [128] });
  const [kind, top, common] = await Promise.all([
    ask("--is-bare-repository", "--is-inside-git-dir"),
    ask("--show-toplevel"),
    ask("--path-format=absolute", "--git-common-dir"),
  ]);
  if (kind.exitCode !== 0) throw notARepository(spec.cwd, kind.stderr);
  if (kind.stdout.toString().startsWith("true\n")) {
    throw refusal(
      "bare_repository",
      `${spec.cwd} is a bare repository: it has no files to work on`,
      "work in a clone or a worktree of it: git worktree add ../work",
    );
  }
  if (top.exitCode !== 0) throw refusal("not_a_repository", `${spec.cwd} is inside a .git directory`, HINT_CD);
  const root = withoutLineFeed(top.stdout);
  await refuseUnsafeRoot(root, spec.home ?? spec.environment.HOME);
  return { root, commonDir: await realpath(withoutLineFeed(common.stdout)) };
}

const HINT_CD = "go to the repository that you want to work on";

/** A whole home directory or disk is no project: hashing it takes hours and gigabytes. */
async function refuseUnsafeRoot(root: string, home: string | undefined): Promise<void> {
  const isHome = home !== undefined && home !== "" && root === (await realpath(home).catch(() => home));
  if (!isHome && root !== parsePath(root).root) return;
  throw refusal(
    "unsafe_root",
    `the repository's root is ${isHome ? "your home directory" : root}, which is more than a project`,
    "work in a repository of its own: git init in the project's directory",
  );
}

function notARepository(cwd: string, stderr: string): CcpError {
  if (/dubious ownership/.test(stderr)) return gitFailure(["rev-parse"], stderr);
  if (!/not a git repository/.test(stderr)) {
    return refusal("not_a_repository", `git cannot read the repository at ${cwd}: ${stderr.trim()}`, HINT_CD);
  }
  return refusal(
    "not_a_repository",
    `${cwd} is not in a git repository; nothing was started`,
    'make it one: git init && git add --all && git commit -m "start"',
  );
}

function refusal(code: string, message: string, hint: string): CcpError {
  return new CcpError(code, EXIT.usage, message, { hint });
}

/** One line feed is git's; any other belongs to the path. */
function withoutLineFeed(output: Buffer): string {
  return output.toString().replace(/\n$/, "");
}
