import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Lends a new folder to `work`; it is gone afterwards. A flush is only worth measuring where `TMPDIR` is on a disk. */
export async function inFolder<T>(work: (folder: string) => T | Promise<T>, parent = tmpdir()): Promise<T> {
  const folder = realpathSync(mkdtempSync(join(parent, "ccp-bench-")));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The same in memory, where the system has such a place: for what is prepared, not for what is measured. */
export function inMemory<T>(work: (folder: string) => T | Promise<T>): Promise<T> {
  return inFolder(work, existsSync("/dev/shm") ? "/dev/shm" : tmpdir());
}
