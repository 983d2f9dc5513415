import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { explained } from "./failures.ts";
import { Lock } from "./lock.ts";

/** Who only looks whether a run is owned (`ccp runs`) shares its lock for an instant: that long a claim waits. */
const LOOK_MS = 100;
const ENDING = ".lock";

/** Which runs are held, by this process and by others. */
export interface RunLocks {
  /** False: somebody else holds it, and has for `waitMs`. What is held already is taken again. */
  take(rid: string, waitMs: number): boolean;
  release(rid: string): void;
  /** True while this process holds it. */
  holds(rid: string): boolean;
  /** True while this process or another holds it. */
  isHeld(rid: string): boolean;
  /** Lets go of it and forgets it: there is no such run any more. */
  discard(rid: string): void;
  /** A run that somebody holds; null: none is held. */
  anyHeld(): string | null;
  close(): void;
}

/** One file a run, locked by the kernel. */
export class FileRunLocks implements RunLocks {
  readonly #directory: string;
  readonly #held = new Map<string, Lock>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  take(rid: string, waitMs: number): boolean {
    if (this.holds(rid)) return true;
    const path = this.#pathOf(rid);
    const lock = explained(path, () => Lock.take(path, Math.max(waitMs, LOOK_MS)));
    if (lock) this.#held.set(rid, lock);
    return lock !== null;
  }

  release(rid: string): void {
    this.#held.get(rid)?.release();
    this.#held.delete(rid);
  }

  holds(rid: string): boolean {
    return this.#held.has(rid);
  }

  isHeld(rid: string): boolean {
    const path = this.#pathOf(rid);
    return this.holds(rid) || explained(path, () => Lock.isHeld(path));
  }

  discard(rid: string): void {
    // An older ccp that was killed has left a rollback journal beside it.
    for (const ending of ["", "-journal"]) rmSync(this.#pathOf(rid) + ending, { force: true });
    this.release(rid);
  }

  anyHeld(): string | null {
    return heldRun(this.#directory);
  }

  close(): void {
    for (const rid of [...this.#held.keys()]) this.release(rid);
  }

  #pathOf(rid: string): string {
    return join(this.#directory, `${rid}${ENDING}`);
  }
}

/** For a journal in memory, which no other process sees. */
export class MemoryRunLocks implements RunLocks {
  readonly #held = new Set<string>();

  take(rid: string): boolean {
    this.#held.add(rid);
    return true;
  }

  release(rid: string): void {
    this.#held.delete(rid);
  }

  holds(rid: string): boolean {
    return this.#held.has(rid);
  }

  isHeld(rid: string): boolean {
    return this.holds(rid);
  }

  discard(rid: string): void {
    this.release(rid);
  }

  anyHeld(): string | null {
    return this.#held.values().next().value ?? null;
  }

  close(): void {
    this.#held.clear();
  }
}

/** A run whose lock in this folder somebody holds; null: none is held. Looks at every lock that there is. */
export function heldRun(directory: string): string | null {
  const isHeld = (name: string) => explained(join(directory, name), () => Lock.isHeld(join(directory, name)));
  return (
    namesIn(directory)
      .find((name) => name.endsWith(ENDING) && isHeld(name))
      ?.slice(0, -ENDING.length) ?? null
  );
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
