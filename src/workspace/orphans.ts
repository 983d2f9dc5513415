import { createHash } from "node:crypto";
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "../core/errors.ts";
import { branchRef } from "./branches.ts";
import type { RunSpec } from "./layout.ts";
import { endFamily } from "./survivors.ts";

/** Git takes its locks away when it is asked to end, and does so at once. */
const TERM_TO_KILL_MS = 2_000;

/** What tells the processes of a run from those of the same rid in another clone: a run can be imported there. */
export function familyOf({ commonDir, rid }: RunSpec): string {
  return createHash("sha256").update(`${commonDir}\n${rid}`).digest("hex").slice(0, 16);
}

/** Marks a call of git as a run's: by `CCP_CALL` `killSurvivors` finds it, by `CCP_GIT` `endOrphanedGits`. */
export function markOf(run: RunSpec): Readonly<Record<string, string>> {
  const family = familyOf(run);
  return { CCP_RUN: run.rid, CCP_CALL: `${family}-git`, CCP_GIT: family };
}

/**
 * Ends the calls of git that outlived the process that made them: after a kill they go on for a moment, and would write
 * to the same files and the same index as whoever begins anew. A lock of theirs on the run's branch goes with them: a
 * run has one owner, so nobody else holds it.
 */
export async function endOrphanedGits(run: RunSpec): Promise<void> {
  const marker = `CCP_GIT=${familyOf(run)}`;
  await endFamily({ groupId: null, marker }, { beforeTermMs: 0, beforeKillMs: TERM_TO_KILL_MS });
  await unlink(join(run.commonDir, `${branchRef(run.rid)}.lock`)).catch((error: unknown) => {
    if (!hasCode(error, "ENOENT", "ENOTDIR")) throw error;
  });
}
