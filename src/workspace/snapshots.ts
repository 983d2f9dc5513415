import { join } from "node:path";
import type { TreeHash } from "../core/event.ts";
import { removeTree } from "./atomic.ts";
import { flushNames } from "./objects.ts";
import { type Place, rebuildIndex } from "./place.ts";
import { isBrokenIndex, type StageMode, stage } from "./stage.ts";

/** Records the files as a tree: every tracked file and every one that is not ignored. Flushed before it returns. */
export async function takeSnapshot(place: Place): Promise<TreeHash> {
  const startedAt = Date.now();
  await stageAgain(place, "contents", place.baseTree);
  const [tree, ignored] = await Promise.all([writeTree(place), nowIgnored(place)]);
  const settled = ignored.length === 0 ? tree : await withoutPaths(place, ignored);
  await flushNames(place.run.objects, startedAt);
  return settled;
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
}

async function stageAgain(place: Place, mode: StageMode, tree: TreeHash): Promise<void> {
  try {
    await stage(place.git, place, mode);
  } catch (error) {
    if (!isBrokenIndex(error)) throw error;
    await rebuildIndex(place, tree);
    await stage(place.git, place, mode);
  }
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
