import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** The beginning of a name for what is gone when its process is done with it. */
export function ownName(kind: string): string {
  return `${kind}${process.pid}-`;
}

/** Removes from a folder what processes that are dead by now named with `ownName(kind)` and were not done with. */
export async function sweepOfTheDead(folder: string, kind: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(kind)) continue;
    const [owner] = /^\d+(?=-)/.exec(name.slice(kind.length)) ?? [];
    if (owner !== undefined && !isAlive(Number(owner))) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** True while there is a process of this id. */
export function isAlive(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch {
    return false;
  }
}
