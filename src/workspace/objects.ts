import { readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { flushDirectory, makeDirectory } from "./atomic.ts";
import type { Git } from "./git.ts";
import { objectFolders } from "./layout.ts";

/** From an `objects` folder of ccp's (`ccp/runs/<rid>/objects`) to the user's. Relative, so that a repository can be moved. */
const USERS_OBJECTS = "../../../../objects";

/** Clocks of file systems are coarse: a directory written just before the call may bear an earlier instant. */
const CLOCK_SLACK_MS = 2_000;

/** Makes an empty object directory that borrows all that the user's repository has, its own alternates included. */
export async function createStore(objects: string): Promise<void> {
  makeDirectory(join(objects, "info"));
  makeDirectory(join(objects, "pack"));
  await writeFile(join(objects, "info", "alternates"), `${USERS_OBJECTS}\n`);
}

/** The object directory that knows `tree`: the user's (null), one of ccp's, or none (undefined). */
export async function findStore(git: Git, commonDir: string, tree: string): Promise<string | null | undefined> {
  if (await hasObject(git, commonDir, null, tree)) return null;
  for (const objects of await objectFolders(commonDir)) {
    if (await hasObject(git, commonDir, objects, tree)) return objects;
  }
  return undefined;
}

async function hasObject(git: Git, commonDir: string, objects: string | null, id: string): Promise<boolean> {
  const request = { cwd: commonDir, env: storeEnvironment(commonDir, objects), args: ["cat-file", "-e", id] };
  return (await git.run({ ...request, answers: [1, 128] })).exitCode === 0;
}

/** Which objects are copied from which store to which. */
export interface Copying {
  readonly commonDir: string;
  /** An object directory of ccp's that has the tree; null: the user's. */
  readonly from: string | null;
  readonly into: string;
  readonly tree: string;
  /** What this commit's tree has is not copied. */
  readonly except: string;
  /** True: nor is what the user's repository has. False: the copy depends on nothing that a `git gc` could drop. */
  readonly onlyOwn: boolean;
}

/** Writes the objects of a tree to another object directory, as one pack, flushed. Nothing to copy, no pack. */
export async function copyObjects(git: Git, copying: Copying): Promise<void> {
  const own = copying.onlyOwn ? ["--local"] : [];
  await git.run({
    cwd: copying.commonDir,
    env: storeEnvironment(copying.commonDir, copying.from),
    args: ["pack-objects", "--revs", ...own, "--non-empty", "--quiet", join(copying.into, "pack", "pack")],
    input: `${copying.tree}\n^${copying.except}^{tree}\n`,
  });
  await flushDirectory(join(copying.into, "pack"));
}

/** Git as seen from the common directory, no working tree, reading from one object directory (null: the user's). */
export function storeEnvironment(commonDir: string, objects: string | null): Readonly<Record<string, string>> {
  return { GIT_DIR: commonDir, ...(objects === null ? {} : { GIT_OBJECT_DIRECTORY: objects }) };
}

/**
 * Makes the names of new objects durable. Git flushes the objects themselves; the directories they are renamed into
 * it leaves to the file system.
 */
export async function flushNames(objects: string, sinceMs: number): Promise<void> {
  const folders = (await readdir(objects)).filter((name) => name.length === 2).map((name) => join(objects, name));
  const written = await Promise.all(
    folders.map(async (folder) => ((await stat(folder)).mtimeMs >= sinceMs - CLOCK_SLACK_MS ? folder : null)),
  );
  const changed = written.filter((folder) => folder !== null);
  await Promise.all(changed.map(flushDirectory));
  if (changed.length > 0) await flushDirectory(objects);
}

/** Removes what a git that was killed, or found the disk full, left of objects it was writing. No git may be at work there. */
export async function sweepObjects(objects: string): Promise<void> {
  const entries = await readdir(objects, { withFileTypes: true, recursive: true }).catch(() => []);
  const left = entries.filter((entry) => entry.isFile() && entry.name.startsWith("tmp_"));
  await Promise.all(left.map((entry) => rm(join(entry.parentPath, entry.name), { force: true })));
}
