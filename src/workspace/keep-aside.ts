import { constants } from "node:fs";
import { chmod, copyFile, lstat, mkdir, mkdtemp, readlink, rm, rmdir, symlink, unlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "../core/errors.ts";
import { removeTree } from "./atomic.ts";

/** Paths as git gives them: bytes, each as one character (Latin-1), for not every name is text. */
export type BytePath = string;

/** What was at some paths of a tree, as it was. */
export interface KeptAside {
  /** The folder with the copies. */
  readonly folder: string;
  /** Makes every one of the paths what it was. Throws when it cannot; the copies are still there then. */
  putBack(): Promise<void>;
  /** Removes the copies. */
  drop(): Promise<void>;
}

type Was =
  | { readonly kind: "absent" | "directory" }
  | { readonly kind: "symlink"; readonly target: Buffer }
  | { readonly kind: "file"; readonly copy: string; readonly mode: number; readonly atime: Date; readonly mtime: Date };

/** Copies what is at some paths of a tree to a new folder in `parent`, before someone else works on them. */
export async function keepAside(root: string, paths: readonly BytePath[], parent: string): Promise<KeptAside> {
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, "aside-"));
  const at = (path: BytePath) => Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, "latin1")]);
  try {
    const was = new Map<BytePath, Was>();
    for (const path of paths) was.set(path, await look(at(path), join(folder, String(was.size))));
    const missing = await missingDirectories(paths, at);
    return { folder, putBack: () => putBack(was, missing, at), drop: () => removeTree(folder) };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function look(path: Buffer, copy: string): Promise<Was> {
  const stats = await lstat(path).catch(absent);
  if (stats === null) return { kind: "absent" };
  if (stats.isSymbolicLink()) return { kind: "symlink", target: await readlink(path, { encoding: "buffer" }) };
  if (!stats.isFile()) return { kind: "directory" };
  await copyFile(path, copy, constants.COPYFILE_FICLONE);
  return { kind: "file", copy, mode: stats.mode & 0o7777, atime: stats.atime, mtime: stats.mtime };
}

/** Directories on the way to the paths that are not there: whoever makes them leaves them behind. Deepest first. */
async function missingDirectories(
  paths: readonly BytePath[],
  at: (path: BytePath) => Buffer,
): Promise<readonly BytePath[]> {
  const parents = new Set(paths.flatMap((path) => ancestors(path)));
  const found = [...parents].map(async (path) => {
    const stats = await lstat(at(path)).catch(absent);
    return stats?.isDirectory() ? null : path;
  });
  return (await Promise.all(found)).filter((path) => path !== null).sort((a, b) => b.length - a.length);
}

/** `a/b/c` → `a`, `a/b`. */
function ancestors(path: BytePath): readonly BytePath[] {
  const segments = path.split("/");
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join("/"));
}

/** First away with what is new, so that what was there finds its place again. */
async function putBack(
  was: ReadonlyMap<BytePath, Was>,
  missing: readonly BytePath[],
  at: (path: BytePath) => Buffer,
): Promise<void> {
  for (const [path, before] of was) if (before.kind !== "directory") await unlink(at(path)).catch(notThere);
  for (const path of missing) await rmdir(at(path)).catch(() => undefined);
  for (const [path, before] of was) {
    if (before.kind === "absent") continue;
    for (const parent of ancestors(path)) await mkdir(at(parent)).catch(isThere);
    await restore(at(path), before);
  }
}

async function restore(path: Buffer, before: Was): Promise<void> {
  if (before.kind === "directory") await mkdir(path).catch(isThere);
  if (before.kind === "symlink") await symlink(before.target, path);
  if (before.kind !== "file") return;
  await copyFile(before.copy, path, constants.COPYFILE_FICLONE);
  await chmod(path, before.mode);
  await utimes(path, before.atime, before.mtime);
}

function absent(error: unknown): null {
  if (hasCode(error, "ENOENT", "ENOTDIR")) return null;
  throw error;
}

/** Gone, or a directory: that is not ours to remove. */
function notThere(error: unknown): void {
  if (!hasCode(error, "ENOENT", "ENOTDIR", "EISDIR", "EPERM")) throw error;
}

function isThere(error: unknown): void {
  if (!hasCode(error, "EEXIST")) throw error;
}
