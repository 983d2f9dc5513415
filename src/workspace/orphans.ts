import { endFamily } from "./survivors.ts";

/** Git takes its locks away when it is asked to end, and does so at once. */
const TERM_TO_KILL_MS = 2_000;

/** Marks a call of git as a run's: by the first name `killSurvivors` finds it, by the second `endOrphanedGits`. */
export function markOf(rid: string): Readonly<Record<string, string>> {
  return { CCP_RUN: rid, CCP_GIT: rid };
}

/**
 * Ends the calls of git that outlived the process that made them: after a kill they go on for a moment, and would write
 * to the same files and the same index as whoever begins anew.
 */
export async function endOrphanedGits(rid: string): Promise<void> {
  await endFamily({ groupId: null, marker: `CCP_GIT=${rid}` }, { beforeTermMs: 0, beforeKillMs: TERM_TO_KILL_MS });
}
