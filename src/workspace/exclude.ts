import { appendFileSync, closeSync, fsyncSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { hasCode } from "../core/errors.ts";
import { flushDirectorySync, makeDirectory, removeFile } from "./atomic.ts";
import { fileFailure } from "./git-errors.ts";
import { isAlive } from "./sweep.ts";

const MARKER = "# ccp: what runs leave behind, one by one";
/** A process that dies holding the lock leaves it; adding a few lines takes a thousandth of this. */
const STALE_LOCK_MS = 5_000;
const LOCK_POLL_MS = 5;

/**
 * Adds patterns to `.git/info/exclude`, each on a line of its own, once. Lines are only ever appended, so that nothing
 * of the user's is lost, whoever else writes; the lock keeps two runs from adding the same line.
 */
export function excludeFromGit(commonDir: string, patterns: readonly string[]): void {
  const file = join(commonDir, "info", "exclude");
  const lock = join(commonDir, "ccp", "exclude.lock");
  removeIfDead(lock);
  if (missingFrom(readText(file), patterns).length === 0) return;
  try {
    makeDirectory(dirname(file));
    withLock(lock, () => {
      const text = readText(file);
      const missing = missingFrom(text, patterns);
      if (missing.length === 0) return;
      const heading = linesOf(text).includes(MARKER) ? [] : [MARKER];
      const gap = text === "" || text.endsWith("\n") ? "" : "\n";
      const opened = openSync(file, "a");
      try {
        appendFileSync(opened, gap + [...heading, ...missing].map((line) => `${line}\n`).join(""));
        fsyncSync(opened);
      } finally {
        closeSync(opened);
      }
    });
  } catch (error) {
    throw fileFailure(error, file);
  }
}

function missingFrom(text: string, patterns: readonly string[]): readonly string[] {
  const lines = new Set(linesOf(text));
  return [...new Set(patterns)].filter((pattern) => !lines.has(pattern));
}

function linesOf(text: string): readonly string[] {
  return text.split(/\r?\n/);
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return "";
    throw fileFailure(error);
  }
}

function withLock(path: string, work: () => void): void {
  makeDirectory(dirname(path));
  takeLock(path);
  try {
    work();
  } finally {
    removeFile(path);
  }
  // Or it would be there again after a power cut.
  flushDirectorySync(dirname(path));
}

function takeLock(path: string): void {
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx" });
      return;
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
    removeIfDead(path);
    if (ageMs(path) > STALE_LOCK_MS) removeFile(path);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS);
  }
}

/** A lock names its owner: what a crash left need not be waited for. */
function removeIfDead(path: string): void {
  const owner = Number(readText(path));
  if (owner > 0 && !isAlive(owner)) removeFile(path);
}

/** Zero when it is gone by now. */
function ageMs(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? 0 : Math.abs(Date.now() - stats.mtimeMs);
}
