import { existsSync, readdirSync } from "node:fs";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { flushDirectory, flushNames, makeDirectory, writeAlone } from "./atomic.ts";
import type { Git } from "./git.ts";
import { gitFailure } from "./git-errors.ts";

/** From an `objects` folder of ccp's (`ccp/runs/<rid>/objects`) to the user's. Relative, so that a repository can be moved. */
const USERS_OBJECTS = "../../../../objects";

/** Clocks of file systems are coarse: a directory written just before the call may bear an earlier instant. */
const CLOCK_SLACK_MS = 2_000;

/** Makes an object directory that borrows all that the user's repository has, its own alternates included. Flushed. */
export async function createStore(objects: string): Promise<void> {
  const alternates = join(objects, "info", "alternates");
  if (existsSync(alternates)) return;
  makeDirectory(join(objects, "pack"));
  writeAlone(alternates, Buffer.from(`${USERS_OBJECTS}\n`));
  for (const folder of [objects, dirname(objects), dirname(dirname(objects))]) await flushDirectory(folder);
}

/** True for what can be the name of an object, and nothing else: journals come from elsewhere, too. */
export function isObjectId(text: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** An id that becomes an argument of git's. Throws for what is none, and might be an option. */
export function checkedId(text: string): string {
  if (!isObjectId(text)) throw new Error(`not the id of an object: ${JSON.stringify(text)}`);
  return text;
}

/** Objects as they are looked for. */
export interface Listing {
  readonly commonDir: string;
  /** The object directory of ccp's that is asked, and through it the user's; null: only the user's. */
  readonly objects: string | null;
  readonly trees: readonly string[];
  /** Commits or trees: what they have is left out. */
  readonly except: readonly string[];
}

/** False: an object directory of ccp's certainly does not have this object itself. */
export function mayHave(objects: string, id: string): boolean {
  return isLoose(objects, id) || packIndexes(objects).length > 0;
}

/** The ids of all objects of some trees; null where one of them is not there. */
export async function listObjects(git: Git, listing: Listing): Promise<readonly string[] | null> {
  const { commonDir, objects } = listing;
  const args = ["rev-list", "--objects", "--no-object-names", "--stdin"];
  const env = storeEnvironment(commonDir, objects);
  const found = await git.run({ cwd: commonDir, env, args, input: revisions(listing), answers: [1, 128] });
  if (found.exitCode === 0) return found.stdout.toString().split("\n").slice(0, -1);
  const failure = gitFailure(args, found.stderr);
  if (failure.code !== "git_failed") throw failure;
  return null;
}

/** What `--stdin` and `--revs` read: these trees without what the others have. */
export function revisions({ trees, except }: Pick<Listing, "trees" | "except">): string {
  return [...trees, ...except.map((name) => `^${name}^{tree}`), ""].join("\n");
}

/** Which objects are copied from which object directory to which. */
export interface Copying {
  readonly commonDir: string;
  /** An object directory of ccp's that has them. */
  readonly from: string;
  /** The same, or another one of ccp's. */
  readonly into: string;
  readonly ids: readonly string[];
}

/**
 * Makes objects that a store only borrows, or does not know, its own: as one pack, flushed. Nothing is written anywhere
 * else. False: it had them all.
 */
export async function keepObjects(git: Git, copying: Copying): Promise<boolean> {
  const { commonDir, from, into } = copying;
  const ids = await borrowedObjects(git, copying);
  if (ids.length === 0) return false;
  const borrowed = from === into ? {} : { GIT_ALTERNATE_OBJECT_DIRECTORIES: quoted(from) };
  await git.run({
    cwd: commonDir,
    env: { ...storeEnvironment(commonDir, into), ...borrowed },
    args: ["pack-objects", "--quiet", join(into, "pack", "pack")],
    input: ids.map((id) => `${id}\n`).join(""),
  });
  await flushDirectory(join(into, "pack"));
  return true;
}

/** Those of some objects that an object directory does not have itself. */
async function borrowedObjects(git: Git, { commonDir, into, ids }: Copying): Promise<readonly string[]> {
  const notLoose = ids.filter((id) => !isLoose(into, id));
  if (notLoose.length === 0) return [];
  const folder = join(into, "pack");
  const at = { cwd: folder, env: storeEnvironment(commonDir, into), args: ["show-index"] };
  const listings = packIndexes(into).map(async (name) =>
    git.text({ ...at, input: await readFile(join(folder, name)) }),
  );
  // `12 4b825dc642cb6eb9a060e54bf8d69288fbee4904 (c09e8d6d)`
  const lines = (await Promise.all(listings)).flatMap((text) => text.split("\n"));
  const packed = new Set(lines.map((line) => line.split(" ")[1]));
  return notLoose.filter((id) => !packed.has(id));
}

function isLoose(objects: string, id: string): boolean {
  return existsSync(join(objects, id.slice(0, 2), id.slice(2)));
}

function packIndexes(objects: string): readonly string[] {
  const folder = join(objects, "pack");
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".idx")) : [];
}

/** A path as an element of a list that `:` separates, in C's way of quoting. */
function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, "\\$&").replace(/\n/g, "\\n")}"`;
}

/** Git as seen from the common directory, no working tree, reading from one object directory (null: the user's). */
export function storeEnvironment(commonDir: string, objects: string | null): Readonly<Record<string, string>> {
  return { GIT_DIR: commonDir, ...(objects === null ? {} : { GIT_OBJECT_DIRECTORY: objects }) };
}

/**
 * Makes the names of new objects durable. Git flushes the objects themselves; the directories they are renamed into
 * it leaves to the file system.
 */
export async function flushObjects(objects: string, sinceMs: number): Promise<void> {
  const names = (await readdir(objects)).filter((name) => name.length === 2 || name === "pack");
  const isWritten = async (name: string) => (await stat(join(objects, name))).mtimeMs >= sinceMs - CLOCK_SLACK_MS;
  const written = await Promise.all(names.map(async (name) => ((await isWritten(name)) ? name : null)));
  await flushNames(
    objects,
    written.filter((name) => name !== null),
  );
}

/** Removes what a git that was killed, or found the disk full, left of objects it was writing. No git may be at work there. */
export async function sweepObjects(objects: string): Promise<void> {
  const entries = await readdir(objects, { withFileTypes: true, recursive: true }).catch(() => []);
  const left = entries.filter((entry) => entry.isFile() && entry.name.startsWith("tmp_"));
  await Promise.all(left.map((entry) => rm(join(entry.parentPath, entry.name), { force: true })));
}
