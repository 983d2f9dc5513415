import { randomUUID } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { lstat, mkdir, open, readdir, rename, rm, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { codeOf, hasCode } from "../core/errors.ts";
import type { FileEntry, FileOutcome, Workspace } from "../core/ports.ts";
import { fileFailure } from "./git-errors.ts";
import { findPlace, type HeldDirectory, holdDirectory, isGitName, type Place, refuse, show } from "./paths.ts";
import { searchNames, searchText } from "./search.ts";
import { createSearcher, type Searcher } from "./searcher.ts";

/** Larger files do not fit a tool call or a diff that anyone reads; the issue asks for 50 MB to work. */
const LARGEST_FILE_BYTES = 100 * 1024 * 1024;

type Files = Pick<
  Workspace,
  "whereIs" | "readFile" | "writeFile" | "removeFile" | "moveFile" | "list" | "glob" | "grep"
>;

/** The files of one worktree. Contract: as `Workspace` says; refusals are values, never exceptions. */
export function createFiles(root: string, searcher: Searcher = createSearcher()): Files {
  const at = <T>(path: string, work: (place: Place) => Promise<FileOutcome<T>>) => attempt(root, path, work);
  return {
    whereIs: (path) => at(path, whereItLeads),
    readFile: (path) => at(path, readPlace),
    writeFile: (path, bytes) => at(path, (place) => writePlace(place, bytes)),
    removeFile: (path) => at(path, removePlace),
    moveFile: (from, to) => at(from, (source) => at(to, (target) => movePlace(source, target))),
    list: (path) => at(path, listPlace),
    glob: (pattern, path) => at(path, (place) => searchNames(searcher, place, pattern)),
    grep: (query) => at(query.path, (place) => searchText(searcher, place, query)),
  };
}

async function attempt<T>(
  root: string,
  path: string,
  work: (place: Place) => Promise<FileOutcome<T>>,
): Promise<FileOutcome<T>> {
  try {
    const place = await findPlace(root, path);
    return place.ok ? await work(place.value) : place;
  } catch (error) {
    const code = codeOf(error);
    if (code === null) throw error;
    if (DISK_FAILS.includes(code)) throw fileFailure(error, join(root, path));
    return refuse(`${show(path)}: ${REASONS[code] ?? `the system answered ${code}`}`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist",
  ENOTDIR: "a part of the path is a file, not a directory",
  EISDIR: "it is a directory",
  ELOOP: "the path goes round in symlinks, or was changed meanwhile",
  EACCES: "permission denied",
  EPERM: "permission denied",
  ENAMETOOLONG: "the path is too long",
};

/** No fault of the model's, and nothing that it could mend: the drive stops, and the call counts as never made. */
const DISK_FAILS: readonly string[] = ["EROFS", "ENOSPC", "EDQUOT", "EIO"];

async function whereItLeads({ root, real, missing }: Place): Promise<FileOutcome<string>> {
  const segments = [...real.slice(root.length).split("/"), ...missing].filter((segment) => segment !== "");
  return { ok: true, value: segments.join("/") || "." };
}

async function readPlace(place: Place): Promise<FileOutcome<Uint8Array>> {
  if (place.missing.length > 0) return { ...refuse(`${show(place.path)} does not exist`), isMissing: true };
  if (place.real === place.root) return refuse(`${show(place.path)} is a directory`);
  const directory = await holdDirectory(dirname(place.real), dirname(place.real));
  try {
    const path = join(directory.base, basename(place.real));
    const obstacle = obstacleIn(place, await lstat(path));
    if (obstacle !== null) return refuse(obstacle);
    return await readRegular(place, path);
  } finally {
    await directory.handle.close();
  }
}

/** `O_NONBLOCK`: should a pipe have taken the file's place since it was looked at, opening it does not wait for a writer. */
async function readRegular(place: Place, path: string): Promise<FileOutcome<Uint8Array>> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    const obstacle = obstacleIn(place, stats);
    if (obstacle !== null) return refuse(obstacle);
    if (stats.size > LARGEST_FILE_BYTES)
      return refuse(`${show(place.path)} has ${stats.size} bytes; more than ${LARGEST_FILE_BYTES} are not read`);
    return { ok: true, value: await handle.readFile() };
  } finally {
    await handle.close();
  }
}

/** Why this cannot be read or replaced as a file; null when it can. */
function obstacleIn(place: Place, stats: Stats): string | null {
  if (stats.isDirectory()) return `${show(place.path)} is a directory`;
  if (stats.isSymbolicLink()) return `${show(place.path)} was changed into a symlink meanwhile`;
  return stats.isFile() ? null : `${show(place.path)} is a device, pipe or socket, not a file`;
}

async function writePlace(place: Place, bytes: Uint8Array): Promise<FileOutcome<void>> {
  if (place.real === place.root && place.missing.length === 0) return refuse(`${show(place.path)} is a directory`);
  const isNew = place.missing.length > 0;
  const name = isNew ? (place.missing.at(-1) ?? "") : basename(place.real);
  const directory = await holdParent(isNew ? place.real : dirname(place.real), place.missing.slice(0, -1));
  try {
    const stats = await lstat(join(directory.base, name)).catch(() => null);
    const obstacle = stats === null ? null : obstacleIn(place, stats);
    if (obstacle !== null) return refuse(obstacle);
    await replaceFile(directory, name, bytes, stats);
    return { ok: true, value: undefined };
  } finally {
    await directory.handle.close();
  }
}

/** Creates what is missing one directory at a time, each below the one that is held: no symlink can slip in between. */
async function holdParent(real: string, missing: readonly string[]): Promise<HeldDirectory> {
  let held = await holdDirectory(real, real);
  let path = real;
  for (const segment of missing) {
    const above = held;
    path = join(path, segment);
    try {
      await mkdir(join(above.base, segment)).catch(tolerateExisting);
      held = await holdDirectory(join(above.base, segment), path);
    } finally {
      await above.handle.close();
    }
  }
  return held;
}

function tolerateExisting(error: unknown): void {
  if (!hasCode(error, "EEXIST")) throw error;
}

/** Bytes and name are on disk before it returns; a reader sees the old file or the new one, never a part. */
async function replaceFile(directory: HeldDirectory, name: string, bytes: Uint8Array, old: Stats | null) {
  const temporary = join(directory.base, `.ccp-${randomUUID()}`);
  try {
    const handle = await open(temporary, "wx", 0o666);
    try {
      await handle.writeFile(bytes);
      if (old !== null) await handle.chmod(old.mode & 0o777);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, join(directory.base, name));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await directory.handle.sync();
}

async function removePlace(place: Place): Promise<FileOutcome<void>> {
  const held = await holdEntry(place);
  if (!held.ok) return held;
  const { directory, name } = held.value;
  try {
    await unlink(join(directory.base, name));
    await directory.handle.sync();
    return { ok: true, value: undefined };
  } finally {
    await directory.handle.close();
  }
}

async function movePlace(source: Place, target: Place): Promise<FileOutcome<void>> {
  if (target.missing.length === 0) return refuse(`${show(target.path)} exists already`);
  const held = await holdEntry(source);
  if (!held.ok) return held;
  const { directory, name } = held.value;
  try {
    const goal = await holdParent(target.real, target.missing.slice(0, -1));
    try {
      await rename(join(directory.base, name), join(goal.base, target.missing.at(-1) ?? ""));
      await goal.handle.sync();
    } finally {
      await goal.handle.close();
    }
    await directory.handle.sync();
    return { ok: true, value: undefined };
  } finally {
    await directory.handle.close();
  }
}

/** The directory of a file that is to lose its name. A path that leads through a symlink names another file than it seems. */
async function holdEntry(place: Place): Promise<FileOutcome<{ directory: HeldDirectory; name: string }>> {
  if (place.missing.length > 0) return refuse(`${show(place.path)} does not exist`);
  if (place.real === place.root) return refuse(`${show(place.path)} is a directory`);
  if (place.real !== join(place.root, place.path))
    return refuse(`${show(place.path)} goes through a symlink; give the path of the file itself`);
  const directory = await holdDirectory(dirname(place.real), dirname(place.real));
  const name = basename(place.real);
  try {
    const obstacle = obstacleIn(place, await lstat(join(directory.base, name)));
    if (obstacle === null) return { ok: true, value: { directory, name } };
    await directory.handle.close();
    return refuse(obstacle);
  } catch (error) {
    await directory.handle.close();
    throw error;
  }
}

async function listPlace(place: Place): Promise<FileOutcome<readonly FileEntry[]>> {
  if (place.missing.length > 0) return refuse(`${show(place.path)} does not exist`);
  const directory = await holdDirectory(place.real, place.real);
  try {
    const entries = (await readdir(directory.base)).filter((name) => !isGitName(name)).sort(byCodeUnit);
    const listed = await Promise.all(entries.map((name) => entryOf(place, directory.base, name)));
    return { ok: true, value: listed.filter((entry) => entry !== null) };
  } finally {
    await directory.handle.close();
  }
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Null: gone since the directory was read, or a name that is no text. */
async function entryOf(place: Place, base: string, name: string): Promise<FileEntry | null> {
  const stats = await lstat(join(base, name)).catch(() => null);
  if (stats === null) return null;
  const path = place.path === "." ? name : `${place.path}/${name}`;
  return { path, kind: kindOf(stats), sizeBytes: stats.isFile() ? stats.size : 0 };
}

function kindOf(stats: Stats): FileEntry["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "symlink" : "other";
}
