import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "../core/errors.ts";
import { fileFailure } from "./git-errors.ts";
import type { BytePath } from "./keep-aside.ts";
import type { Place } from "./place.ts";

/** Flushes at once: a file system with a journal puts those that wait for it together. */
const AT_ONCE = 16;

/** Gone since it was seen, not a file any more, or not for us to read: then no snapshot has it either. */
const NOT_OURS = ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO", "EACCES", "EPERM"] as const;

/** A file or a directory is opened as what it is: no symlink is followed, and no pipe waited for. */
const AS_IT_IS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Makes durable what a snapshot sees: the bytes of every file, those of the base too, for git flushes nothing that it
 * checks out, and the names in every directory, for a file that is gone must not come back. Then what ccp and git know
 * of the files. Directories that git ignores are left out, but for what the base has there.
 */
export async function flushFiles(place: Place): Promise<void> {
  const [base, visible] = await Promise.all([basePaths(place), visiblePaths(place)]);
  const inside = new Set([".git", ...visible, ...base, ...base.flatMap(ancestors)]);
  const root = Buffer.from(`${place.path}/`);
  const { run, adminDir } = place;
  const known = [run.index, run.ignored, run.hollows, run.path, join(adminDir, "index"), adminDir].map((path) =>
    Buffer.from(path),
  );
  await flushAll([...known, ...[...inside].map((path) => Buffer.concat([root, Buffer.from(path, "latin1")]))]);
}

/** Everything on disk but what is below an ignored directory or a `.git`; `""` is the worktree itself. */
async function visiblePaths(place: Place): Promise<readonly BytePath[]> {
  const ignored = new Set(await ignoredDirectories(place));
  const [found, waiting]: [BytePath[], BytePath[]] = [[], [""]];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    found.push(directory);
    for (const entry of await entriesOf(place, directory)) {
      const path = `${directory}${entry.name.toString("latin1")}`;
      if (entry.isFile()) found.push(path);
      else if (entry.isDirectory() && !ignored.has(`${path}/`) && !isGit(path)) waiting.push(`${path}/`);
    }
  }
  return found;
}

async function entriesOf(place: Place, directory: BytePath) {
  const path = Buffer.concat([Buffer.from(`${place.path}/`), Buffer.from(directory, "latin1")]);
  return readdir(path, { encoding: "buffer", withFileTypes: true }).catch((error: unknown) => {
    if (hasCode(error, ...NOT_OURS)) return [];
    throw error;
  });
}

function isGit(path: BytePath): boolean {
  return path === ".git" || path.endsWith("/.git");
}

/** With a `/` at their ends; other ignored paths may be among them. */
function ignoredDirectories(place: Place): Promise<readonly BytePath[]> {
  return listed(place, ["ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"]);
}

function basePaths(place: Place): Promise<readonly BytePath[]> {
  return listed(place, ["ls-tree", "-r", "-z", "--name-only", place.baseTree]);
}

async function listed({ git, at }: Place, args: readonly string[]): Promise<readonly BytePath[]> {
  const { stdout } = await git.run({ ...at, args });
  return stdout.toString("latin1").split("\0").slice(0, -1);
}

/** `a/b/c` → `a/`, `a/b/`. */
function ancestors(path: BytePath): readonly BytePath[] {
  return [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index + 1));
}

async function flushAll(paths: readonly Buffer[]): Promise<void> {
  const waiting = paths.values();
  const worker = async () => {
    for (const path of waiting) await flush(path);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function flush(path: Buffer): Promise<void> {
  try {
    const handle = await open(path, AS_IT_IS);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!hasCode(error, ...NOT_OURS)) throw fileFailure(error, path.toString());
  }
}
