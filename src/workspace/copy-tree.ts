import { constants } from "node:fs";
import { chmod, copyFile, lstat, mkdir, readdir, readlink, realpath, symlink, utimes } from "node:fs/promises";
import { dirname, isAbsolute, join, resolve, sep } from "node:path";

/** What is copied to where. */
export interface TreeCopy {
  readonly from: string;
  /** Must not be there yet. */
  readonly to: string;
  readonly sourceRoot: string;
  readonly targetRoot: string;
  /** Where the copy will end up, from `targetRoot`. */
  readonly path: string;
}

/** Files copied at once: enough to keep a disk busy, few enough not to exhaust descriptors. */
const AT_ONCE = 32;

/**
 * Copies a file or a directory: shared blocks where the file system can, copies of their own otherwise, never links to
 * the original. Modes and times are kept; sockets and pipes are left out.
 */
export async function copyTree(copy: TreeCopy): Promise<void> {
  await copyEntry(copy, createLimit(AT_ONCE));
}

type Limit = <T>(work: () => Promise<T>) => Promise<T>;

async function copyEntry(copy: TreeCopy, limit: Limit): Promise<void> {
  const stats = await lstat(copy.from);
  if (stats.isSymbolicLink()) return limit(() => copyLink(copy));
  if (stats.isFile()) return limit(() => copyContents(copy, stats));
  if (!stats.isDirectory()) return;
  await mkdir(copy.to);
  const names = await limit(() => readdir(copy.from));
  await Promise.all(
    names.map((name) =>
      copyEntry({ ...copy, from: join(copy.from, name), to: join(copy.to, name), path: `${copy.path}/${name}` }, limit),
    ),
  );
  await chmod(copy.to, stats.mode);
}

async function copyContents(copy: TreeCopy, stats: { readonly atime: Date; readonly mtime: Date }): Promise<void> {
  await copyFile(copy.from, copy.to, constants.COPYFILE_FICLONE);
  // Compiled Python is valid only beside a source of the same age.
  await utimes(copy.to, stats.atime, stats.mtime);
}

/** A link keeps its words unless they would mean another place, or the user's tree, from where the copy is. */
async function copyLink(copy: TreeCopy): Promise<void> {
  const words = await readlink(copy.from);
  const target = resolve(copy.sourceRoot, dirname(copy.path), words);
  const staysInside = !isAbsolute(words) && isWithin(copy.sourceRoot, target);
  await symlink(staysInside ? words : await elsewhere(target, copy), copy.to);
}

/** The user's tree becomes the worktree; a link that climbs out (`npm install ../sibling`) goes on to mean what it meant. */
async function elsewhere(target: string, copy: TreeCopy): Promise<string> {
  const real = isWithin(copy.sourceRoot, target) ? target : await realpath(target).catch(() => target);
  return isWithin(copy.sourceRoot, real) ? copy.targetRoot + real.slice(copy.sourceRoot.length) : target;
}

function isWithin(root: string, path: string): boolean {
  return path === root || path.startsWith(root + sep);
}

/** Lets so many pieces of work run at once. */
function createLimit(most: number): Limit {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= most) await new Promise<void>((proceed) => waiting.push(proceed));
    running++;
    try {
      return await work();
    } finally {
      running--;
      waiting.shift()?.();
    }
  };
}
