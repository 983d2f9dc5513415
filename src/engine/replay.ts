import { CcpError, EXIT } from "../core/errors.ts";
import type { StoredEvent } from "../core/event.ts";
import { readRun } from "../core/read-run.ts";
import type { Run } from "../core/run.ts";
import type { Store } from "../core/store.ts";
import { type ArtifactComparison, compareArtifacts, compareFacts } from "./replay-compare.ts";
import { damagedPayload, refuseTooOld } from "./replay-integrity.ts";
import { type Followed, follow } from "./replay-journey.ts";
import { differenceInWords, type ReadPayload, type ReplayDifference } from "./replay-words.ts";
import type { ReplayParts } from "./replay-world.ts";

/** What a run comes to when it is done again from its journal. */
export interface Replay {
  readonly rid: string;
  /** True: every fact and every artifact is the same. */
  readonly same: boolean;
  readonly status: Run["status"];
  readonly replayedStatus: Run["status"];
  /** Facts of the run that were compared. */
  readonly facts: number;
  readonly artifacts: readonly ArtifactComparison[];
  /** The first; null: there is none. */
  readonly difference: ReplayDifference | null;
}

/**
 * Does a run again from its journal: answers of models and outcomes of commands come from there, file tools are carried
 * out in a worktree of its own, which is removed. What was cut off is cut off again at the same place, and gone on with.
 * Throws for a run that cannot be replayed. `signal`: aborted, the replay is given up.
 */
export async function replay(rid: string, parts: ReplayParts, signal: AbortSignal): Promise<Replay> {
  const { run, events } = recordedRun(rid, parts.store);
  const damage = damagedPayload(events, parts.store);
  if (damage) return untried(run, events, damage);
  const memory = parts.openMemory();
  const made = { rid: parts.chance.rid(), path: "" };
  try {
    const followed = await follow({ run, events, parts, memory, made, signal });
    return comparison(run, events, followed, parts.store, memory);
  } finally {
    memory.close();
    await parts.repository.removeWorkspace(made.rid, made.path);
  }
}

/** A run that nobody drives, with its log. Throws where it is none, or cannot be replayed. */
export function recordedRun(rid: string, store: Store): { readonly run: Run; readonly events: readonly StoredEvent[] } {
  if (store.isOwned(rid)) {
    throw new CcpError("still_running", EXIT.owned, `${rid} has not ended: another process is running it`, {
      hint: `nothing was changed; see how it stands: ccp view ${rid}`,
    });
  }
  const run = readRun(rid, store);
  const events = store.events(rid);
  if (!run.created) throw new CcpError("unknown_run", EXIT.usage, `there is no run ${rid}`, { hint: "ccp runs" });
  refuseTooOld(rid, events);
  return { run, events };
}

function comparison(run: Run, events: readonly StoredEvent[], followed: Followed, then: Store, now: Store): Replay {
  const { facts, parting } = compareFacts(events, followed.events);
  const payloads = { was: readerOf(then), is: readerOf(now) };
  const difference = parting ? differenceInWords(parting, payloads) : stuck(followed.failure);
  return {
    rid: run.rid,
    same: difference === null,
    status: run.status,
    replayedStatus: followed.run.status,
    facts,
    artifacts: compareArtifacts(run, followed.run),
    difference,
  };
}

function readerOf(store: Pick<Store, "blob">): ReadPayload {
  return (sha256) => {
    try {
      return new TextDecoder().decode(store.blob({ sha256, sizeBytes: 0 }));
    } catch {
      return null;
    }
  };
}

/** It could not be followed, though nothing that it did was another thing. */
function stuck(failure: Error | null): ReplayDifference | null {
  if (failure === null) return null;
  const where = { seq: null, type: "run.ended", stepId: null, path: "", was: null, is: null };
  return {
    ...where,
    says: `the replay cannot go on: ${failure.message}`,
    hint: "ccp puts its facts on record in another order than then",
  };
}

/** Not even begun: what it would be done from is not whole. */
function untried(run: Run, events: readonly StoredEvent[], difference: ReplayDifference): Replay {
  return {
    rid: run.rid,
    same: false,
    status: run.status,
    replayedStatus: "new",
    facts: events.length,
    artifacts: [],
    difference,
  };
}
