import { lstat, readdir, readFile, realpath } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Remains } from "../core/ports.ts";
import { runsWithBranch } from "./branches.ts";
import type { Git } from "./git.ts";
import { adminDirs, ccpFolder, copyingPath, isRid, isWorktreeOf, runFolder, substitutePath } from "./layout.ts";
import { strangerAt } from "./strangers.ts";

/** The unit of `st_blocks`, whatever the file system's own is (POSIX). */
const BLOCK_BYTES = 512;

/** Where runs leave something. */
export interface RemainsSpec {
  readonly git: Git;
  readonly commonDir: string;
  /** Worktrees are made in `ccp/worktrees` below. */
  readonly stateHome: string;
}

/**
 * The runs of which this repository has a worktree, a folder or a branch, whatever any journal says, in the order of
 * their rids. `sizeBytes` is what worktree and folder take of the disk; what a branch alone holds counts nothing.
 */
export async function findRemains(spec: RemainsSpec): Promise<readonly Remains[]> {
  const { commonDir } = spec;
  const worktrees = await findWorktrees(spec);
  const folders = (await namesIn(join(ccpFolder(commonDir), "runs"))).filter(isRid);
  const branches = await runsWithBranch(spec.git, commonDir);
  const rids = new Set([...worktrees.map((path) => basename(path)), ...folders, ...branches]);
  const remainsOf = async (rid: string): Promise<Remains> => {
    const own = worktrees.filter((path) => basename(path) === rid);
    const { path: folder, index } = runFolder(commonDir, rid);
    const places = [...own.flatMap((path) => [path, substitutePath(path), copyingPath(path)]), folder];
    return { rid, sizeBytes: await sizeOnDisk(places), changedAt: await lastChange([...places, index]) };
  };
  return Promise.all([...rids].sort().map(remainsOf));
}

/** Those that git knows, and those that know the repository although git has forgotten them. */
async function findWorktrees({ commonDir, stateHome }: RemainsSpec): Promise<readonly string[]> {
  const registered = (await adminDirs(commonDir)).flatMap(({ worktree }) => worktree ?? []);
  const parent = await realpath(join(stateHome, "ccp", "worktrees")).catch(() => null);
  const beside = parent === null ? [] : (await namesIn(parent)).map((name) => join(parent, name));
  const pointing = await Promise.all(beside.map(async (path) => ((await pointsTo(path, commonDir)) ? [path] : [])));
  const paths = [...registered, ...pointing.flat()].map((path) => path.replace(/\.registration$/, ""));
  const isOurs = (path: string) => isRid(basename(path)) && isWorktreeOf(basename(path), path);
  return [...new Set(paths)].filter((path) => isOurs(path) && strangerAt(commonDir, path) === null);
}

async function pointsTo(worktree: string, commonDir: string): Promise<boolean> {
  const pointer = await readFile(join(worktree, ".git"), "utf8").catch(() => "");
  return pointer.startsWith(`gitdir: ${join(commonDir, "worktrees")}/`);
}

/** Null: none of them is there. */
async function lastChange(paths: readonly string[]): Promise<number | null> {
  const times = await Promise.all(paths.map(async (path) => (await lstat(path).catch(() => null))?.mtimeMs));
  return times.reduce<number | null>((last, at) => (at === undefined ? last : Math.max(last ?? 0, at)), null);
}

/** Bytes that some files and directories take; what has several names counts once. */
async function sizeOnDisk(paths: readonly string[]): Promise<number> {
  const seen = new Map<string, number>();
  for (const path of paths) await measure(path, seen);
  return [...seen.values()].reduce((sum, bytes) => sum + bytes, 0);
}

async function measure(path: string, seen: Map<string, number>): Promise<void> {
  const stats = await lstat(path).catch(() => null);
  if (stats === null) return;
  seen.set(`${stats.dev} ${stats.ino}`, stats.blocks * BLOCK_BYTES);
  if (!stats.isDirectory()) return;
  // One directory after the other: all at once would be as many calls under way as there are files.
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await measure(join(path, entry.name), seen);
  const files = entries.filter((entry) => !entry.isDirectory());
  await Promise.all(files.map((entry) => measure(join(path, entry.name), seen)));
}

function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
