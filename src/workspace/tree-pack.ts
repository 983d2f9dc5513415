import { existsSync } from "node:fs";
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CcpError, EXIT } from "../core/errors.ts";
import type { TreeHash } from "../core/event.ts";
import { treeIsMissing } from "./adopt.ts";
import { flushDirectory, removeTree } from "./atomic.ts";
import { gitFailure } from "./git-errors.ts";
import { type RunFolder, runFolder } from "./layout.ts";
import { checkedId, createStore, isObjectId, listObjects, revisions, storeEnvironment } from "./objects.ts";
import type { PlaceSpec } from "./place.ts";

/** More than that Node does not read from one file at once. */
const LARGEST_PACK_BYTES = 2 * 1024 ** 3;

/**
 * The most that git may ask of the memory for one object. Its own packs stay below half of that (`core.bigFileThreshold`);
 * a hostile one can say of a few bytes that they are any size.
 */
const LARGEST_ALLOCATION = "1g";

/** All objects of some trees that the commit `base` does not have. Throws `tree_missing`. */
export async function packTrees(spec: PlaceSpec, trees: readonly TreeHash[], base: string): Promise<Uint8Array> {
  const { git, commonDir, rid } = spec;
  const own = runFolder(commonDir, rid).objects;
  const objects = existsSync(own) ? own : null;
  const except = [checkedId(base)];
  const has = async (some: readonly TreeHash[]) =>
    some.every(isObjectId) && (await listObjects(git, { commonDir, objects, trees: some, except })) !== null;
  if (!(await has(trees))) for (const tree of trees) if (!(await has([tree]))) throw treeIsMissing(tree);
  const { stdout } = await git.run({
    cwd: commonDir,
    env: storeEnvironment(commonDir, objects),
    args: ["pack-objects", "--revs", "--stdout", "--quiet"],
    input: revisions({ trees, except }),
  });
  return stdout;
}

/**
 * Takes such a pack into a run's own store: every object of it is read, and every link must lead to an object that is
 * there. Throws `damaged_export` and leaves nothing behind otherwise.
 */
export async function unpackTrees(spec: PlaceSpec, pack: Uint8Array): Promise<void> {
  const run = runFolder(spec.commonDir, spec.rid);
  const isFirst = !existsSync(run.path);
  try {
    await takeIn(spec, run, pack);
  } catch (error) {
    if (isFirst) await removeTree(run.path);
    throw error;
  }
}

/** In a store beside the run's own, where a crash leaves nothing that counts. */
async function takeIn(spec: PlaceSpec, run: RunFolder, pack: Uint8Array): Promise<void> {
  const incoming = join(run.path, "incoming");
  const folder = join(incoming, "pack");
  await rm(incoming, { recursive: true, force: true });
  try {
    await createStore(incoming);
    await writeFile(join(folder, "incoming.pack"), pack, { flush: true });
    const name = await checkPack(spec, incoming);
    await createStore(run.objects);
    const files = (await readdir(folder)).sort(indexLast);
    for (const file of files)
      await rename(join(folder, file), join(run.objects, "pack", file.replace("incoming", name)));
    await flushDirectory(join(run.objects, "pack"));
  } finally {
    await rm(incoming, { recursive: true, force: true });
  }
}

/** Git finds a pack by its index: from then on the rest must be there. */
function indexLast(one: string, other: string): number {
  return Number(one.endsWith(".idx")) - Number(other.endsWith(".idx"));
}

/** Returns the name that git gives to the pack. */
async function checkPack({ git, commonDir }: PlaceSpec, incoming: string): Promise<string> {
  const args = [
    "index-pack",
    "--strict",
    `--max-input-size=${LARGEST_PACK_BYTES}`,
    join(incoming, "pack", "incoming.pack"),
  ];
  const env = { ...storeEnvironment(commonDir, incoming), GIT_ALLOC_LIMIT: LARGEST_ALLOCATION };
  const { exitCode, stdout, stderr } = await git.run({ cwd: commonDir, env, args, answers: [1, 128] });
  if (exitCode === 0) return `pack-${stdout.toString().trim()}`;
  const failure = gitFailure(args, stderr);
  throw failure.code === "git_failed" ? damaged(stderr) : failure;
}

function damaged(stderr: string): CcpError {
  const said = stderr.trim().split("\n", 1)[0] ?? "";
  return new CcpError("damaged_export", EXIT.usage, `the files of the exported run are damaged (git: ${said})`, {
    hint: "nothing was taken in; export the run again, and copy the file whole",
  });
}
