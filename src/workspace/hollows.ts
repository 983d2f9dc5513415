import { appendFile, mkdir, readdir, readFile, realpath, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hasCode } from "../core/errors.ts";
import type { TreeHash } from "../core/event.ts";
import { inWords } from "./git-errors.ts";
import type { Place } from "./place.ts";

/** Directories in which git sees no file, from the worktree's root, each with a `/` at its end. No tree knows of them. */
export type Hollows = readonly string[];

/** Which there are now: the topmost of each. The index has to be up to the files. */
export function findHollows({ git, at }: Place): Promise<Hollows> {
  return git.list({ ...at, args: ["ls-files", "--others", "--directory", "--exclude-standard", "-z"] });
}

/** Puts on record which there were beside a tree. Where there never was one, nothing is written. Flushed. */
export async function keepHollows({ run }: Place, tree: TreeHash, hollows: Hollows): Promise<void> {
  const known = await readHollows(run.hollows);
  if (JSON.stringify(known.get(tree) ?? []) === JSON.stringify(hollows)) return;
  // A power cut may have torn the line before.
  const line = `\n${JSON.stringify([tree, hollows])}\n`;
  await inWords(() => appendFile(run.hollows, line, { flush: true }), run.hollows);
}

/**
 * Takes away empty directories that were not there beside a tree, and makes those again that were: a command that begins
 * with `mkdir` can then run again.
 */
export async function restoreHollows(place: Place, tree: TreeHash): Promise<void> {
  const wanted = (await readHollows(place.run.hollows)).get(tree) ?? [];
  const unwanted = (await findHollows(place)).filter((path) => path.endsWith("/") && !wanted.includes(path));
  const ignored = unwanted.length === 0 ? new Set<string>() : new Set(await findIgnored(place));
  for (const path of unwanted) await removeEmpty(place, path, ignored);
  for (const path of wanted) await makeEmpty(join(place.path, path));
}

function findIgnored({ git, at }: Place): Promise<readonly string[]> {
  return git.list({ ...at, args: ["ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"] });
}

async function readHollows(file: string): Promise<ReadonlyMap<TreeHash, Hollows>> {
  const text = await readFile(file, "utf8").catch(() => "");
  const lines = text.split("\n").filter(Boolean);
  return new Map(lines.flatMap((line) => parsed(line)));
}

function parsed(line: string): readonly [TreeHash, Hollows][] {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}

/** From the deepest up. What holds anything, if only what git ignores, stays. */
async function removeEmpty(place: Place, path: string, ignored: ReadonlySet<string>): Promise<void> {
  const directory = join(place.path, path);
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const { name } of entries.filter((entry) => entry.isDirectory() && entry.name !== ".git")) {
    const below = `${path}${name}/`;
    if (!ignored.has(below)) await removeEmpty(place, below, ignored);
  }
  await rmdir(directory).catch(() => undefined);
}

/** Not where something else has its name, or a symlink leads elsewhere. */
async function makeEmpty(directory: string): Promise<void> {
  const parent = dirname(directory);
  const real = await realpath(parent).catch(() => null);
  if (real === parent) await mkdir(directory).catch(isThere);
}

function isThere(error: unknown): void {
  if (!hasCode(error, "EEXIST")) throw error;
}
