import { existsSync } from "node:fs";
import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CcpError, EXIT } from "../core/errors.ts";
import type { Base } from "../core/event.ts";
import { makeDirectory, removeTree, writeAtomically } from "./atomic.ts";
import { branchOf } from "./commits.ts";
import { gitFailure } from "./git-errors.ts";
import { beginIgnored } from "./ignored.ts";
import { adminDirs, baseFolder, copyingPath, findAdminDir, isWorktreeOf, type RunFolder, runFolder } from "./layout.ts";
import { copyObjects, createStore, findStore } from "./objects.ts";
import { endOrphanedGits, markOf } from "./orphans.ts";
import type { PlaceSpec } from "./place.ts";
import { PRIVATE_INDEX_CONFIG } from "./stage.ts";

/**
 * Makes a run's worktree on a branch of its own, or finds it made. What a crash left half-made is made again from the
 * start: nobody has worked in it. No hook runs, and the user's index is not touched.
 */
export async function createWorktree(spec: PlaceSpec, base: Base): Promise<void> {
  const run = runFolder(spec.commonDir, spec.rid);
  if (existsSync(run.base) && existsSync(spec.path)) return adopt(spec, base);
  await endOrphanedGits(spec.rid);
  await unregister(spec);
  await fetchBase(spec, run, base);
  await register(spec, base, spec.path);
  await beginIgnored(spec.git, spec.commonDir, run);
  await populate(spec, run, base);
  writeAtomically(run.base, Buffer.from(JSON.stringify(base)));
}

/** Takes away all that a run has in the repository: worktree, registration, branch, objects. What is gone is not missed. */
export async function removeWorktree(spec: PlaceSpec): Promise<void> {
  await endOrphanedGits(spec.rid);
  await unregister(spec);
  const branch = { cwd: spec.commonDir, env: { GIT_DIR: spec.commonDir }, answers: [1, 128] };
  // Git keeps a branch that the user has checked out somewhere.
  await spec.git.run({ ...branch, args: ["branch", "--quiet", "-D", "--", branchOf(spec.rid)] });
  await removeTree(runFolder(spec.commonDir, spec.rid).path);
}

/** The worktree is complete. Its registration may have been lost since, or an agent may have deleted its `.git` file. */
async function adopt(spec: PlaceSpec, base: Base): Promise<void> {
  const known = await findAdminDir(spec.commonDir, spec.path);
  const adminDir = known ?? (await registerAgain(spec, base));
  const pointer = join(spec.path, ".git");
  if (!existsSync(pointer)) await writeFile(pointer, `gitdir: ${adminDir}\n`);
}

/** Git registers only what it makes, so it makes another one beside it, whose registration is then moved over. */
async function registerAgain(spec: PlaceSpec, base: Base): Promise<string> {
  const substitute = substituteFor(spec);
  await removeTree(substitute);
  await forgetRegistrations(spec, [substitute]);
  await register(spec, base, substitute);
  const adminDir = await findAdminDir(spec.commonDir, substitute);
  if (adminDir === null) throw new Error(`git did not register ${substitute}`);
  await writeFile(join(adminDir, "gitdir"), `${join(spec.path, ".git")}\n`);
  await writeFile(join(spec.path, ".git"), `gitdir: ${adminDir}\n`);
  await removeTree(substitute);
  await spec.git.run({ cwd: spec.path, env: { GIT_DIR: adminDir }, args: ["read-tree", base.commit] });
  return adminDir;
}

function substituteFor(spec: PlaceSpec): string {
  return `${spec.path}.registration`;
}

/** Deletes the worktree and what git knows of it. Only ever a path of this run's. */
async function unregister(spec: PlaceSpec): Promise<void> {
  if (!isWorktreeOf(spec.rid, spec.path)) throw new Error(`not a worktree of ${spec.rid}: ${spec.path}`);
  for (const path of [spec.path, substituteFor(spec), copyingPath(spec.path)]) await removeTree(path);
  await forgetRegistrations(spec, [spec.path, substituteFor(spec)]);
}

async function forgetRegistrations(spec: PlaceSpec, paths: readonly string[]): Promise<void> {
  const isOwn = new RegExp(`^${spec.rid}\\d*$`);
  for (const { adminDir, worktree } of await adminDirs(spec.commonDir)) {
    const isHalfMade = worktree === null && isOwn.test(basename(adminDir));
    if (isHalfMade || (worktree !== null && paths.includes(worktree))) await removeTree(adminDir);
  }
}

/** Gives the run its own copy of whatever its base has beyond the commit. */
async function fetchBase(spec: PlaceSpec, run: RunFolder, base: Base): Promise<void> {
  const { git, commonDir } = spec;
  await createStore(run.objects);
  const users = { cwd: commonDir, env: { GIT_DIR: commonDir } };
  if ((await git.text({ ...users, args: ["rev-parse", `${base.commit}^{tree}`] })) === base.tree) return;
  const from = await findStore(git, commonDir, base.tree);
  if (from === undefined) throw baseIsGone(base);
  await copyObjects(git, {
    commonDir,
    from,
    into: run.objects,
    tree: base.tree,
    except: base.commit,
    onlyOwn: false,
  });
  await rm(baseFolder(commonDir, base.tree), { recursive: true, force: true });
}

async function register(spec: PlaceSpec, base: Base, path: string): Promise<void> {
  makeDirectory(dirname(path), 0o700);
  const { git, commonDir, rid } = spec;
  const { exitCode, stderr } = await git.run({
    cwd: commonDir,
    env: { GIT_DIR: commonDir, ...markOf(rid) },
    // Locked: no `git worktree prune` of the user's takes it for gone while its disk is not mounted, say.
    args: ["worktree", "add", "--quiet", "--no-checkout", "--lock", "-B", branchOf(rid), path, base.commit],
    answers: [1, 128, 255],
  });
  if (exitCode !== 0) throw notRegistered(rid, stderr);
  await forgetSparseness(spec, path);
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

/** Writes the files of the base. The worktree's own index is at the commit, so that uncommitted work shows as such. */
async function populate(spec: PlaceSpec, run: RunFolder, base: Base): Promise<void> {
  const adminDir = await findAdminDir(spec.commonDir, spec.path);
  if (adminDir === null) throw new Error(`git did not register ${spec.path}`);
  await rm(run.index, { force: true });
  await rm(`${run.index}.lock`, { force: true });
  const own = { GIT_DIR: adminDir, GIT_WORK_TREE: spec.path, GIT_OBJECT_DIRECTORY: run.objects };
  const env = { ...own, ...markOf(spec.rid) };
  const at = { cwd: spec.path, config: PRIVATE_INDEX_CONFIG };
  await spec.git.run({
    ...at,
    env: { ...env, GIT_INDEX_FILE: run.index },
    args: ["read-tree", "--reset", "-u", base.tree],
  });
  await copyFile(run.index, join(adminDir, "index"));
  if (base.dirty) await spec.git.run({ ...at, env, args: ["read-tree", "-m", base.commit] });
}

/** What a person should know about this worktree: what git leaves out of it. */
export async function noticesFor(spec: PlaceSpec, submodules: readonly string[]): Promise<readonly string[]> {
  const notices: string[] = [];
  if (submodules.length > 0) {
    notices.push(`submodules are left empty, and what is written into them is not kept: ${submodules.join(", ")}`);
  }
  if (await usesLfs(spec)) notices.push("files kept by git-lfs are pointers in the worktree; nothing was downloaded");
  return notices;
}

async function usesLfs(spec: PlaceSpec): Promise<boolean> {
  const env = { GIT_DIR: spec.commonDir, GIT_INDEX_FILE: runFolder(spec.commonDir, spec.rid).index };
  const args = ["ls-files", "-z", "--", ".gitattributes", ":(glob)**/.gitattributes"];
  const files = await spec.git.list({ cwd: spec.path, env: { ...env, GIT_WORK_TREE: spec.path }, args });
  const texts = files.map((file) => readFile(join(spec.path, file), "utf8").catch(() => ""));
  return (await Promise.all(texts)).some((text) => /^[^#\n]*\sfilter=lfs(\s|$)/m.test(text));
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

function baseIsGone(base: Base): CcpError {
  return new CcpError("base_missing", EXIT.failed, `the recorded snapshot ${base.tree} is no longer there`, {
    hint: "start a new run from the tree as it is now: ccp run --include-dirty",
  });
}
