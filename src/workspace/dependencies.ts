import { existsSync } from "node:fs";
import { lstat, readdir, realpath, rename } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { matchesPath } from "../core/glob.ts";
import { makeDirectory, removeTree } from "./atomic.ts";
import { copyTree } from "./copy-tree.ts";
import { addIgnored } from "./ignored.ts";
import { copyingPath, runFolder } from "./layout.ts";
import { relocate } from "./relocate.ts";
import type { UserTree } from "./user-tree.ts";

/** From where dependencies come (the user's tree is only read) and where they go. */
export interface DependencySpec extends UserTree {
  /** The worktree. */
  readonly path: string;
}

/**
 * Brings untracked paths of the user's tree that match a glob into the worktree: copies of their own, so that nothing
 * written there reaches the user's. What is there already is left. Each path appears whole or not at all.
 */
export async function copyDependencies(spec: DependencySpec, globs: readonly string[]): Promise<readonly string[]> {
  const copied: string[] = [];
  const waiting = copyingPath(spec.path);
  await removeTree(waiting);
  const ignored = runFolder(spec.commonDir, basename(spec.path));
  for (const path of await untrackedMatches(spec, globs)) {
    if (!(await isFree(spec.path, path))) continue;
    await addIgnored(ignored, [path]);
    const temporary = join(waiting, path);
    makeDirectory(dirname(temporary));
    await copyTree({ from: join(spec.root, path), to: temporary, sourceRoot: spec.root, targetRoot: spec.path, path });
    await relocate(temporary, spec.root, spec.path);
    makeDirectory(dirname(join(spec.path, path)));
    await rename(temporary, join(spec.path, path));
    copied.push(path);
  }
  await removeTree(waiting);
  return copied;
}

/** Untracked paths, ignored ones included, that match: the highest of each branch, sorted. */
async function untrackedMatches(spec: DependencySpec, globs: readonly string[]): Promise<readonly string[]> {
  const list = (...args: readonly string[]) =>
    spec.git.list({
      cwd: spec.root,
      args: ["ls-files", "--others", "--directory", "--exclude-standard", "-z", ...args],
    });
  const listed = (await Promise.all([list(), list("--ignored")])).flat().map((path) => path.replace(/\/$/, ""));
  const matches = (path: string) => globs.some((glob) => ancestors(path).some((part) => matchesPath(glob, part)));
  const inside = await Promise.all(
    listed.filter((path) => !matches(path)).map((path) => expandBelow(spec.root, path, globs)),
  );
  const found = [...new Set([...listed.filter(matches), ...inside.flat()])].sort();
  return found.filter((path) => !found.some((other) => path.startsWith(`${other}/`)));
}

/** `a/b/c` → `a`, `a/b`, `a/b/c`: whatever lies in a matching directory matches. */
function ancestors(path: string): readonly string[] {
  const segments = path.split("/");
  return segments.map((_, index) => segments.slice(0, index + 1).join("/"));
}

/** Git names only the highest untracked directory; a glob without `**` may mean something below it (`vendor/bundle`). */
async function expandBelow(root: string, directory: string, globs: readonly string[]): Promise<readonly string[]> {
  const depth = directory.split("/").length;
  const deeper = globs
    .filter((glob) => !glob.includes("**"))
    .map((glob) => glob.split("/"))
    .filter((glob) => glob.length > depth && matchesPath(glob.slice(0, depth).join("/"), directory));
  if (deeper.length === 0) return [];
  const entries = await readdir(join(root, directory), { withFileTypes: true }).catch(() => []);
  const paths = entries.map((entry) => ({ path: `${directory}/${entry.name}`, isDirectory: entry.isDirectory() }));
  const matching = paths.filter(({ path }) => deeper.some((glob) => matchesPath(glob.join("/"), path)));
  const below = paths.filter((entry) => entry.isDirectory && !matching.includes(entry));
  const nested = await Promise.all(below.map(({ path }) => expandBelow(root, path, globs)));
  return [...matching.map(({ path }) => path), ...nested.flat()];
}

/** True when the worktree has nothing there, and the way there does not lead out of it. */
async function isFree(worktree: string, path: string): Promise<boolean> {
  const target = join(worktree, path);
  if ((await lstat(target).catch(() => null)) !== null) return false;
  let parent = dirname(target);
  while (!existsSync(parent)) parent = dirname(parent);
  const real = await realpath(parent);
  return real === worktree || real.startsWith(worktree + sep);
}
