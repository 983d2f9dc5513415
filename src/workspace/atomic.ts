import { randomUUID } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { chmod, open, readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { hasCode } from "../core/errors.ts";
import { fileFailure } from "./git-errors.ts";

/** Writes a file whole or not at all, on disk before it returns. Creates directories. */
export function writeAtomically(path: string, bytes: Uint8Array): void {
  const temporary = temporaryBeside(path);
  try {
    makeDirectory(dirname(path));
    writeFlushed(temporary, bytes);
    renameSync(temporary, path);
    flushDirectorySync(dirname(path));
  } catch (error) {
    removeIfPossible(temporary);
    throw fileFailure(error, path);
  }
}

/** On a disk that fails, even this may: what failed first is told. */
function removeIfPossible(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // `sweepTemporaries` finds it later.
  }
}

/** The same for a file of which there is one writer at a time: what a dead one left of it goes. */
export function writeAlone(path: string, bytes: Uint8Array): void {
  writeAtomically(path, bytes);
  sweepTemporaries(path);
}

/** Removes a file that may not be there. (Node's own `rmSync` keeps the system's code to itself when it fails.) */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw fileFailure(error, path);
  }
}

/** Makes a directory and those above it that are missing. */
export function makeDirectory(path: string, mode?: number): void {
  try {
    const first = mkdirSync(path, { recursive: true, mode });
    if (first !== undefined)
      for (let at = path; at.length >= first.length; at = dirname(at)) flushDirectorySync(dirname(at));
  } catch (error) {
    // On a read-only disk Node says ENOENT here. Making only the first missing one tells the true reason.
    let missing = path;
    while (!existsSync(dirname(missing))) missing = dirname(missing);
    if (!existsSync(missing)) mkdirSync(missing);
    throw error;
  }
}

/** A new name in the same directory, from which a finished file is renamed. */
export function temporaryBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomUUID().slice(0, 8)}.tmp`);
}

/** True for a name that `temporaryBeside` gives: what a crash left of a write. */
export function isTemporary(name: string): boolean {
  return /^\..+\.[0-9a-f]{8}\.tmp$/.test(name);
}

/** Removes what crashes left of writes of a file; younger than `sparedMs` it may be another process's, at work now. */
export function sweepTemporaries(path: string, sparedMs = 0): void {
  const prefix = `.${basename(path)}.`;
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(prefix) && isTemporary(name));
  for (const name of names) {
    const file = join(dirname(path), name);
    const writtenAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - writtenAt >= sparedMs) removeFile(file);
  }
}

function writeFlushed(path: string, bytes: Uint8Array): void {
  const file = openSync(path, "wx");
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes the names in a directory durable; throws where it is not there. */
export function flushDirectorySync(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } catch (error) {
    throw fileFailure(error, path);
  } finally {
    closeSync(directory);
  }
}

/** Makes the names in a directory durable. A directory that is not there has none. */
export async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path, "r").catch(() => null);
  if (directory === null) return;
  try {
    await directory.sync();
  } catch (error) {
    throw fileFailure(error, path);
  } finally {
    await directory.close();
  }
}

/** Makes the names in some directories of a directory durable, and these directories' own. */
export async function flushNames(path: string, directories: readonly string[]): Promise<void> {
  await Promise.all(directories.map((name) => flushDirectory(join(path, name))));
  if (directories.length > 0) await flushDirectory(path);
}

/** Flushes a file, or a directory and all below it. */
export async function flushTree(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch(() => []);
  const below = entries.filter((entry) => entry.isFile() || entry.isDirectory());
  for (const entry of below) await flushDirectory(join(entry.parentPath, entry.name));
  await flushDirectory(path);
}

/** Deletes a directory and all below it, symlinks as such; directories that forbid it are opened up first. */
export async function removeTree(path: string): Promise<void> {
  const options = { recursive: true, force: true, maxRetries: 3 };
  await rm(path, options).catch(async () => {
    await openUp(path);
    await rm(path, options);
  });
}

async function openUp(path: string): Promise<void> {
  await chmod(path, 0o700).catch(() => undefined);
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await openUp(join(path, entry.name));
}
