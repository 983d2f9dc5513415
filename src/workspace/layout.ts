import { createHash } from "node:crypto";
import { readdir, readFile, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { makeDirectory } from "./atomic.ts";

/** ccp's own folder in git's common directory; the journal lives beside what is named here. */
export function ccpFolder(commonDir: string): string {
  return join(commonDir, "ccp");
}

/** Where a repository's journal is kept: beside git's own data, or in a folder of its own below `CCP_STATE_DIR`. */
export function stateDirOf(commonDir: string, stateDir: string | null): string {
  if (stateDir === null) return ccpFolder(commonDir);
  const name = basename(commonDir) === ".git" ? basename(dirname(commonDir)) : basename(commonDir);
  return join(stateDir, `${name}-${createHash("sha256").update(commonDir).digest("hex").slice(0, 12)}`);
}

/** A run of a repository's. */
export interface RunSpec {
  readonly commonDir: string;
  readonly rid: string;
}

/** What one run has in git's common directory. It goes when the run is discarded, and nothing else depends on it. */
export interface RunFolder {
  readonly path: string;
  /** The run's object directory; the user's objects are its alternate. */
  readonly objects: string;
  /** The private index: what the worktree was like when it was last looked at. */
  readonly index: string;
  /** What the run started from, as JSON. There once the worktree is complete. */
  readonly base: string;
  /** There while a worktree that had to be made again has not got the run's files back. */
  readonly unrestored: string;
  /** What git ignores in the worktree besides its own rules: the user's list, and the dependencies that were copied in. */
  readonly ignored: string;
  /** Which directories were empty beside which tree; not there where none ever was. */
  readonly hollows: string;
}

/** Where that is. Throws for what is no rid. */
export function runFolder(commonDir: string, rid: string): RunFolder {
  const path = join(ccpFolder(commonDir), "runs", checkedRid(rid));
  return {
    path,
    objects: join(path, "objects"),
    index: join(path, "index"),
    base: join(path, "base"),
    unrestored: join(path, "unrestored"),
    ignored: join(path, "ignored"),
    hollows: join(path, "hollows"),
  };
}

/** Where snapshots of the user's uncommitted work wait, each from its making until the run that asked for it has its own copy. */
export function basesFolder(commonDir: string): string {
  return join(ccpFolder(commonDir), "bases");
}

/** Every object directory of ccp's that is there: the runs' and the waiting snapshots'. */
export async function objectFolders(commonDir: string): Promise<readonly string[]> {
  const names = async (folder: string) =>
    (await readdir(join(ccpFolder(commonDir), folder)).catch(() => [])).map((name) =>
      join(ccpFolder(commonDir), folder, name, "objects"),
    );
  return [...(await names("bases")), ...(await names("runs"))];
}

/** Where the worktree of a run is made: outside the repository, so that no tool of the user's crawls into it. */
export async function worktreePath(stateHome: string, rid: string): Promise<string> {
  const parent = join(stateHome, "ccp", "worktrees");
  makeDirectory(parent, 0o700);
  return join(await realpath(parent), checkedRid(rid));
}

/** The working tree of the repository that the worktree of this run belongs to; null: there is no such worktree here. */
export async function ownerOfWorktree(stateHome: string, rid: string): Promise<string | null> {
  if (!isRid(rid)) return null;
  const pointer = await readFile(join(stateHome, "ccp", "worktrees", rid, ".git"), "utf8").catch(() => "");
  const [, commonDir] = /^gitdir: (.*)\/worktrees\/[^/]*\n$/s.exec(pointer) ?? [];
  if (commonDir === undefined) return null;
  return basename(commonDir) === ".git" ? dirname(commonDir) : commonDir;
}

/** Where dependencies are put together before they are moved into a worktree: beside it, on the same disk, in no snapshot. */
export function copyingPath(worktree: string): string {
  return `${worktree}.copying`;
}

/** Where git makes a worktree whose registration is then moved over to one that has lost its own. */
export function substitutePath(worktree: string): string {
  return `${worktree}.registration`;
}

/** True for paths that `worktreePath` gives for this run, under whatever state directory. Nothing else is ever deleted. */
export function isWorktreeOf(rid: string, path: string): boolean {
  return path.endsWith(join("/ccp", "worktrees", checkedRid(rid)));
}

/** Git's administrative directory of the worktree at `path`; null when git knows none there. */
export async function findAdminDir(commonDir: string, path: string): Promise<string | null> {
  const all = await adminDirs(commonDir);
  return all.find(({ worktree }) => worktree === path)?.adminDir ?? null;
}

/** All administrative directories of linked worktrees; `worktree` is null where a crash left no pointer to one. */
export async function adminDirs(
  commonDir: string,
): Promise<readonly { readonly adminDir: string; readonly worktree: string | null }[]> {
  const folder = join(commonDir, "worktrees");
  const names = await readdir(folder).catch(() => []);
  return Promise.all(
    names.map(async (name) => {
      const pointer = await readFile(join(folder, name, "gitdir"), "utf8").catch(() => null);
      const adminDir = join(folder, name);
      // Relative where the user has `worktree.useRelativePaths`.
      const target = pointer === null ? null : resolve(adminDir, pointer.replace(/\n$/, ""));
      return { adminDir, worktree: target !== null && basename(target) === ".git" ? dirname(target) : null };
    }),
  );
}

/** True for what may be the name of a run. */
export function isRid(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(text);
}

/** A rid becomes part of paths and of a branch name. */
function checkedRid(rid: string): string {
  if (!isRid(rid)) throw new Error(`not a rid: ${JSON.stringify(rid)}`);
  return rid;
}
