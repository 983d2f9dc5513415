import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CcpError, EXIT } from "../core/errors.ts";
import type { Base } from "../core/event.ts";
import { makeDirectory, removeTree, writeAlone } from "./atomic.ts";
import { branchOf } from "./branches.ts";
import { gitFailure } from "./git-errors.ts";
import { adminDirs, copyingPath, findAdminDir, isWorktreeOf, runFolder, substitutePath } from "./layout.ts";
import { markOf } from "./orphans.ts";
import type { PlaceSpec } from "./place.ts";
import { strangerAt } from "./strangers.ts";

/** Has git register a worktree at `path`, without files, on the run's branch at the base's commit. */
export async function register(spec: PlaceSpec, base: Base, path: string): Promise<void> {
  makeDirectory(dirname(path), 0o700);
  const { git, commonDir, rid } = spec;
  const { exitCode, stderr } = await git.run({
    cwd: commonDir,
    env: { GIT_DIR: commonDir, ...markOf(spec) },
    // Locked: no `git worktree prune` of the user's takes it for gone while its disk is not mounted, say.
    args: ["worktree", "add", "--quiet", "--no-checkout", "--lock", "-B", branchOf(rid), path, base.commit],
    answers: [1, 128, 255],
  });
  if (exitCode !== 0) throw notRegistered(rid, stderr);
  await forgetSparseness(spec, path);
}

/** Git registers only what it makes, so it makes another one beside it, whose registration is then moved over. */
export async function registerAgain(spec: PlaceSpec, base: Base): Promise<string> {
  const substitute = substitutePath(spec.path);
  await removeTree(substitute);
  await forgetRegistrations(spec, [substitute]);
  await register(spec, base, substitute);
  const adminDir = await findAdminDir(spec.commonDir, substitute);
  if (adminDir === null) throw new Error(`git did not register ${substitute}`);
  writeAlone(join(adminDir, "gitdir"), Buffer.from(`${join(spec.path, ".git")}\n`));
  writeAlone(join(spec.path, ".git"), Buffer.from(`gitdir: ${adminDir}\n`));
  await removeTree(substitute);
  await spec.git.run({ cwd: spec.path, env: { GIT_DIR: adminDir }, args: ["read-tree", base.commit] });
  return adminDir;
}

/** Deletes the worktree and what git knows of it. Only ever a path of this run's, and of this repository's. */
export async function unregister(spec: PlaceSpec): Promise<void> {
  if (!isWorktreeOf(spec.rid, spec.path)) throw new Error(`not a worktree of ${spec.rid}: ${spec.path}`);
  const paths = [spec.path, substitutePath(spec.path)];
  if (strangerAt(spec.commonDir, spec.path) === null) {
    for (const path of [...paths, copyingPath(spec.path)]) await removeTree(path);
  }
  await forgetRegistrations(spec, paths);
}

async function forgetRegistrations(spec: PlaceSpec, paths: readonly string[]): Promise<void> {
  const isOwn = new RegExp(`^${spec.rid}\\d*$`);
  for (const { adminDir, worktree } of await adminDirs(spec.commonDir)) {
    const isHalfMade = worktree === null && isOwn.test(basename(adminDir));
    if (isHalfMade || (worktree !== null && paths.includes(worktree))) await removeRegistration(spec, adminDir);
  }
}

/** Whole or not at all: every git that looks at worktrees meanwhile fails over one that is half gone. */
async function removeRegistration(spec: PlaceSpec, adminDir: string): Promise<void> {
  const run = runFolder(spec.commonDir, spec.rid);
  const aside = join(run.path, `registration-${randomUUID()}`);
  makeDirectory(run.path);
  await rename(adminDir, aside);
  await removeTree(aside);
}

/** Git copies the user's sparse patterns into a new worktree. A run works on the whole tree. */
async function forgetSparseness(spec: PlaceSpec, path: string): Promise<void> {
  const adminDir = await findAdminDir(spec.commonDir, path);
  if (adminDir === null) throw new Error(`git did not register ${path}`);
  await rm(join(adminDir, "info", "sparse-checkout"), { force: true });
  const own = join(adminDir, "config.worktree");
  if (!existsSync(own)) return;
  for (const key of ["core.sparseCheckout", "core.sparseCheckoutCone", "index.sparse"]) {
    await spec.git.run({ cwd: adminDir, args: ["config", "--file", own, key, "false"] });
  }
}

function notRegistered(rid: string, stderr: string): CcpError {
  const known = gitFailure(["worktree"], stderr);
  if (known.code !== "git_failed") return known;
  const said = stderr.trim().split("\n").at(-1) ?? "";
  const isInTheWay = /cannot lock ref|exists; cannot create/.test(stderr);
  return new CcpError(
    "worktree_failed",
    EXIT.usage,
    `git could not make the worktree of ${rid}: ${said}`,
    isInTheWay
      ? { hint: 'a branch named "ccp" leaves no room for "ccp/…": git branch -m ccp another-name' }
      : { hint: "nothing was started; `ccp doctor` looks at what git and the disk say" },
  );
}
