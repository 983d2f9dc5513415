import { constants } from "node:fs";
import { type FileHandle, lstat, open, readlink, realpath } from "node:fs/promises";
import { isAbsolute, join, sep } from "node:path";
import { hasCode } from "../core/errors.ts";
import type { FileOutcome } from "../core/ports.ts";

/** A path that was asked for, checked: neither its words nor its symlinks leave the worktree or enter a `.git`. */
export interface Place {
  /** As it was asked for, from the worktree's root; `.` is the root itself. */
  readonly path: string;
  /** The worktree's root, symlinks resolved. */
  readonly root: string;
  /** Absolute, symlinks resolved: the place itself, or the deepest directory above it that is there. */
  readonly real: string;
  /** What is still to be created below `real`; empty when the place is there. */
  readonly missing: readonly string[];
}

/** Checks a path and follows it, one segment after the other, to where it really leads. */
export async function findPlace(root: string, path: string): Promise<FileOutcome<Place>> {
  const realRoot = await realpath(root);
  const segments = segmentsOf([root, realRoot], path);
  if (!segments.ok) return segments;
  const way = { root: realRoot, path: segments.value.join("/") || "." };
  let real = realRoot;
  for (const [index, segment] of segments.value.entries()) {
    const step = await follow(realRoot, join(real, segment), path);
    if (!step.ok) return step;
    if (step.value === null) return { ok: true, value: { ...way, real, missing: segments.value.slice(index) } };
    real = step.value;
  }
  return { ok: true, value: { ...way, real, missing: [] } };
}

/** A directory, held open: what is done below `base` stays in it, even if its path is swapped for a symlink meanwhile. */
export interface HeldDirectory {
  readonly base: string;
  readonly handle: FileHandle;
}

/** Opens a directory whose path has been resolved; throws `ELOOP` when the path has become another one since. */
export async function holdDirectory(path: string, real: string): Promise<HeldDirectory> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const descriptor = `/proc/self/fd/${handle.fd}`;
    const opened = await readlink(descriptor).catch(() => null);
    if ((opened ?? (await realpath(path))) !== real)
      throw Object.assign(new Error("the path has changed"), { code: "ELOOP" });
    return { base: opened === null ? real : descriptor, handle };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** True for the names by which some file system would open `.git`: other case, trailing dots, invisible letters, 8.3 form. */
export function isGitName(segment: string): boolean {
  const seen = segment
    .normalize("NFKC")
    .replace(/\p{Cf}/gu, "")
    .toLowerCase();
  const name = seen.replace(/:.*$/su, "").replace(/[\s.]+$/u, "");
  return name === ".git" || name === "git~1";
}

/** How a path is written in a reason: quoted, so that no character of it acts on a terminal. */
export function show(path: string): string {
  return JSON.stringify(path.length > 300 ? `${path.slice(0, 300)}…` : path);
}

/** The outcome of a file operation that cannot be; `reason` is safe to show to the model. */
export function refuse(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}

/** The words of a path, before the disk is asked. */
function segmentsOf(roots: readonly string[], path: string): FileOutcome<readonly string[]> {
  if (path.includes("\0")) return refuse("a path cannot have a NUL byte in it");
  const relative = isAbsolute(path) ? below(roots, path) : path;
  if (relative === null) return refuse(`${show(path)} is outside the worktree; give paths from its root`);
  const segments = relative.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (segments.includes("..")) return refuse(`${show(path)} has ".." in it; give paths from the worktree's root`);
  if (segments.some(isGitName)) return refuse(`${show(path)} is inside .git, which is not part of the work`);
  return { ok: true, value: segments };
}

function below(roots: readonly string[], path: string): string | null {
  const root = roots.find((candidate) => path === candidate || path.startsWith(`${candidate}/`));
  return root === undefined ? null : path.slice(root.length);
}

/** Where one step of a path leads; null when there is nothing yet. */
async function follow(root: string, step: string, path: string): Promise<FileOutcome<string | null>> {
  const stats = await lstat(step).catch(absent);
  if (stats === null) return { ok: true, value: null };
  if (!stats.isSymbolicLink()) return { ok: true, value: step };
  const target = await realpath(step).catch(absent);
  if (target === null) return refuse(`${show(path)} goes through a symlink that leads nowhere`);
  if (target !== root && !target.startsWith(root + sep))
    return refuse(`${show(path)} goes through a symlink that leads out of the worktree`);
  if (target.slice(root.length).split(sep).some(isGitName))
    return refuse(`${show(path)} goes through a symlink into .git, which is not part of the work`);
  return { ok: true, value: target };
}

function absent(error: unknown): null {
  if (hasCode(error, "ENOENT")) return null;
  throw error;
}
