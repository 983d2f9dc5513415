import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { TreeHash } from "../core/event.ts";
import { removeTree } from "./atomic.ts";
import { findHollows, keepHollows, restoreHollows } from "./hollows.ts";
import { flushObjects, keepObjects, listObjects } from "./objects.ts";
import { type Place, rebuildIndex } from "./place.ts";
import { isBrokenIndex, stage } from "./stage.ts";

/**
 * Records the files as a tree: every tracked file and every one that is not ignored. Flushed before it returns. All that
 * it adds to `known` (null: to the base) is then in the run's own store, also where the user's repository has the same
 * object: a `git gc` there may drop that at any time.
 */
export async function takeSnapshot(place: Place, known: TreeHash | null): Promise<TreeHash> {
  const tree = await recordTree(place, known).catch((error: unknown) => {
    if (!isBrokenIndex(error)) throw error;
    return null;
  });
  if (tree !== null) return tree;
  await rebuildIndex(place, place.baseTree);
  const again = await recordTree(place, known);
  if (again === null) throw new Error(`objects are missing in ${place.run.objects}`);
  return again;
}

/** Null: an object is gone that the index takes for written. */
async function recordTree(place: Place, known: TreeHash | null): Promise<TreeHash | null> {
  // What an earlier process has written may not be flushed: git takes an object that is there for one that is durable.
  const startedAt = known === null ? 0 : Date.now();
  await stage(place.git, place, "contents");
  const [all, ignored, hollows] = await Promise.all([writeTree(place), nowIgnored(place), findHollows(place)]);
  const tree = ignored.length === 0 ? all : await withoutPaths(place, ignored);
  const [isKept] = await Promise.all([
    keepTree(place, tree, known),
    flushObjects(place.run.objects, startedAt),
    keepHollows(place, tree, hollows),
  ]);
  return isKept ? tree : null;
}

/** False: not all of the tree is there. */
async function keepTree(place: Place, tree: TreeHash, known: TreeHash | null): Promise<boolean> {
  const { git, commonDir, run, baseTree } = place;
  if (tree === (known ?? baseTree)) return true;
  const except = known === null ? [baseTree] : [baseTree, known];
  const ids = await listObjects(git, { commonDir, objects: run.objects, trees: [tree], except });
  if (ids !== null) await keepObjects(git, { commonDir, from: run.objects, into: run.objects, ids });
  return ids !== null;
}

/**
 * Makes the files equal to a tree, touching only what differs. First all that git knows of, the tree's own ignore
 * rules included; then what is left over by those rules. What they ignore stays.
 */
export async function restoreTree(place: Place, tree: TreeHash): Promise<void> {
  await readTree(place, tree).catch(async (error) => {
    if (!isBrokenIndex(error)) throw error;
    await rebuildIndex(place, tree);
    await readTree(place, tree);
  });
  const { added, nested } = await stage(place.git, place, "names");
  if (added) await readTree(place, tree);
  for (const repository of nested) await removeUnlessIn(place, tree, repository);
  await restoreHollows(place, tree);
  await rm(place.run.unrestored, { force: true });
}

function writeTree(place: Place): Promise<string> {
  return place.git.text({ ...place.at, args: ["write-tree"] });
}

async function readTree(place: Place, tree: TreeHash): Promise<void> {
  await place.git.run({ ...place.at, args: ["read-tree", "--reset", "-u", tree] });
}

/** What an earlier snapshot took in and the ignore rules have named since: dependencies installed before they were ignored, say. */
async function nowIgnored(place: Place): Promise<readonly string[]> {
  const args = ["ls-files", "--cached", "--ignored", "--exclude-standard", "-z"];
  const paths = await place.git.list({ ...place.at, args });
  if (paths.length === 0) return [];
  const base = await place.basePaths();
  return paths.filter((path) => !base.has(path));
}

async function withoutPaths(place: Place, paths: readonly string[]): Promise<TreeHash> {
  await place.git.run({
    ...place.at,
    args: ["update-index", "--force-remove", "-z", "--stdin"],
    input: paths.map((path) => `${path}\0`).join(""),
  });
  return writeTree(place);
}

/** A repository that was made inside the worktree since: its files are gone by now, its `.git` is not. */
async function removeUnlessIn(place: Place, tree: TreeHash, repository: string): Promise<void> {
  const request = { ...place.at, args: ["cat-file", "-e", `${tree}:${repository}`], answers: [1, 128] };
  if ((await place.git.run(request)).exitCode !== 0) await removeTree(join(place.path, repository));
}
