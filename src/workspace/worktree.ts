import { existsSync } from "node:fs";
import { copyFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CcpError, EXIT } from "../core/errors.ts";
import type { Base } from "../core/event.ts";
import { bringTree } from "./adopt.ts";
import { flushDirectory, flushTree, removeTree, writeAlone } from "./atomic.ts";
import { deleteBranch } from "./branches.ts";
import { beginIgnored } from "./ignored.ts";
import { findAdminDir, isRid, isWorktreeOf, type RunFolder, runFolder } from "./layout.ts";
import { checkedId, createStore } from "./objects.ts";
import { endOrphanedGits, markOf } from "./orphans.ts";
import type { PlaceSpec } from "./place.ts";
import { register, registerAgain, unregister } from "./registration.ts";
import { PRIVATE_INDEX_CONFIG } from "./stage.ts";
import { strangerAt } from "./strangers.ts";
import { releaseBase } from "./waiting-bases.ts";

/**
 * Makes a run's worktree on a branch of its own, or finds it made. What a crash left half-made is made again from the
 * start: nobody has worked in it. No hook runs, and the user's index is not touched.
 */
export async function createWorktree(spec: PlaceSpec, base: Base): Promise<void> {
  const run = runFolder(spec.commonDir, spec.rid);
  for (const id of [base.commit, base.tree]) checkedId(id);
  refuseStranger(spec);
  if (existsSync(run.base) && existsSync(spec.path)) return takeOver(spec, base);
  await endOrphanedGits(spec);
  await beginAnew(run);
  await unregister(spec);
  await fetchBase(spec, run, base);
  await register(spec, base, spec.path);
  await beginIgnored(spec.git, spec.commonDir, run);
  await populate(spec, run, base);
  await flushRegistration(spec, run);
  writeAlone(run.base, Buffer.from(JSON.stringify(base)));
}

/** What git and ccp know of a worktree is on disk before anything depends on it: git itself flushes none of it. */
async function flushRegistration(spec: PlaceSpec, run: RunFolder): Promise<void> {
  const { commonDir, path } = spec;
  const adminDir = await findAdminDir(commonDir, path);
  if (adminDir !== null) await flushTree(adminDir);
  await flushTree(run.path);
  const [worktrees, heads] = [join(commonDir, "worktrees"), join(commonDir, "refs", "heads")];
  const names = [join(path, ".git"), path, dirname(path), join(heads, "ccp"), heads, dirname(heads), worktrees];
  for (const name of [...names, dirname(run.path), dirname(dirname(run.path)), commonDir]) await flushDirectory(name);
}

/** False for a worktree that is not there, is another repository's, or has not got all the work that is on record. */
export function isWholeWorktree(commonDir: string, path: string): boolean {
  const rid = basename(path);
  if (!isRid(rid) || !isWorktreeOf(rid, path) || !existsSync(path)) return false;
  if (strangerAt(commonDir, path) !== null) return false;
  const run = runFolder(commonDir, rid);
  const isHalfMade = existsSync(run.path) && !existsSync(run.base);
  return !isHalfMade && !existsSync(run.unrestored);
}

/** Takes away the worktree, what git knows of it and the private objects. What is gone is not missed. */
export async function retireWorktree(spec: PlaceSpec): Promise<void> {
  await endOrphanedGits(spec);
  await unregister(spec);
  await removeTree(runFolder(spec.commonDir, spec.rid).path);
}

/** Takes away all that a run has in the repository: what `retireWorktree` does, and the branch. */
export async function removeWorktree(spec: PlaceSpec): Promise<void> {
  await retireWorktree(spec);
  await deleteBranch(spec.git, spec.commonDir, spec.rid);
}

function refuseStranger({ commonDir, rid, path }: PlaceSpec): void {
  const owner = strangerAt(commonDir, path);
  if (owner === null) return;
  throw new CcpError(
    "worktree_taken",
    EXIT.usage,
    `${path} is the worktree of ${rid} in another repository: ${owner}`,
    {
      hint: `discard the run there (ccp discard ${rid}), or set XDG_STATE_HOME to another folder here`,
    },
  );
}

/** The worktree is complete. Its registration may have been lost since, or an agent may have deleted its `.git` file. */
async function takeOver(spec: PlaceSpec, base: Base): Promise<void> {
  const known = await findAdminDir(spec.commonDir, spec.path);
  const adminDir = known ?? (await registerAgain(spec, base));
  const pointer = join(spec.path, ".git");
  if (!existsSync(pointer)) await writeFile(pointer, `gitdir: ${adminDir}\n`);
}

/** A worktree that had been complete has work on record: until that is restored, its files are not the run's. */
async function beginAnew(run: RunFolder): Promise<void> {
  if (!existsSync(run.base)) return;
  writeAlone(run.unrestored, new Uint8Array());
  await rm(run.base);
  await flushDirectory(dirname(run.base));
}

/** Gives the run its own copy of whatever its base has beyond the commit. */
async function fetchBase(spec: PlaceSpec, run: RunFolder, base: Base): Promise<void> {
  const { git, commonDir } = spec;
  await createStore(run.objects);
  const users = { cwd: commonDir, env: { GIT_DIR: commonDir } };
  if ((await git.text({ ...users, args: ["rev-parse", `${base.commit}^{tree}`] })) === base.tree) return;
  const brought = await bringTree(spec, base.tree, base.commit);
  if (brought === "missing") throw baseIsGone(base);
  if (brought === "copied") await releaseBase(commonDir, base.tree);
}

/**
 * Writes the files of the base. The worktree's own index is at the commit, so that uncommitted work shows as such; it
 * never speaks of the run's private objects, for a `git gc` of the user's looks for all that it speaks of.
 */
async function populate(spec: PlaceSpec, run: RunFolder, base: Base): Promise<void> {
  const adminDir = await findAdminDir(spec.commonDir, spec.path);
  if (adminDir === null) throw new Error(`git did not register ${spec.path}`);
  const copy = `${run.index}-copy`;
  for (const left of [run.index, `${run.index}.lock`, `${copy}.lock`]) await rm(left, { force: true });
  const env = {
    GIT_DIR: adminDir,
    GIT_WORK_TREE: spec.path,
    GIT_OBJECT_DIRECTORY: run.objects,
    GIT_INDEX_FILE: run.index,
    ...markOf(spec),
  };
  const at = { cwd: spec.path, config: PRIVATE_INDEX_CONFIG };
  await spec.git.run({ ...at, env, args: ["read-tree", "--reset", "-u", base.tree] });
  await copyFile(run.index, copy);
  const args = ["read-tree", "-m", base.commit];
  if (base.dirty) await spec.git.run({ ...at, env: { ...env, GIT_INDEX_FILE: copy }, args });
  await rename(copy, join(adminDir, "index"));
}

function baseIsGone(base: Base): CcpError {
  return new CcpError("base_missing", EXIT.failed, `the recorded snapshot ${base.tree} is no longer there`, {
    hint: "start a new run from the tree as it is now: ccp run --include-dirty",
  });
}
