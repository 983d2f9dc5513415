import type { Remains } from "./ports.ts";
import type { RunSummary } from "./store.ts";

/** What is to be done with what one run has left. */
export interface Cleaning {
  readonly rid: string;
  /** `forget`: its record and its worktree go. `tidy`: a worktree or folder that no record claims goes. */
  readonly action: "forget" | "tidy";
  /** For people. */
  readonly why: string;
  /** What it has on disk beside the journal. */
  readonly sizeBytes: number;
}

/** What a cleaning is decided from. */
export interface GarbageRequest {
  readonly runs: readonly RunSummary[];
  readonly remains: readonly Remains[];
  /** Runs that others go on from: their records are needed to tell what those are relative to. */
  readonly parents: ReadonlySet<string>;
  readonly now: number;
  readonly olderThanMs: number;
}

/**
 * Decides what goes: only what is final, old enough and needed by nobody. A run that can be resumed always stays. What no
 * record claims may be another journal's (`CCP_STATE_DIR`, one that was set aside), so it has to be old as well; a branch
 * alone stays, for it holds work.
 */
export function garbageOf({ runs, remains, parents, now, olderThanMs }: GarbageRequest): readonly Cleaning[] {
  const sizes = new Map(remains.map(({ rid, sizeBytes }) => [rid, sizeBytes]));
  const known = new Set(runs.map(({ rid }) => rid));
  const isOld = (at: number) => now - at > olderThanMs;
  const old = runs.filter((run) => isFinal(run) && isOld(run.lastAt) && !parents.has(run.rid));
  const strays = remains.filter(({ rid, changedAt }) => !known.has(rid) && changedAt !== null && isOld(changedAt));
  return [
    ...old.map(({ rid, status }): Cleaning => {
      return { rid, action: "forget", why: `${status}, and old`, sizeBytes: sizes.get(rid) ?? 0 };
    }),
    ...strays.map(({ rid, sizeBytes }): Cleaning => {
      return { rid, action: "tidy", why: "no run on record claims it", sizeBytes };
    }),
  ];
}

/** Nothing can be resumed of it. */
export function isFinal({ status }: Pick<RunSummary, "status">): boolean {
  return status === "succeeded" || status === "discarded";
}
