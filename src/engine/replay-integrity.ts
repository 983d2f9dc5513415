import { CcpError, EXIT, hasCode } from "../core/errors.ts";
import type { StoredEvent } from "../core/event.ts";
import { blobsNamedIn } from "../core/exported-run.ts";
import type { Store } from "../core/store.ts";
import type { ReplayDifference } from "./replay-words.ts";

/** The first payload that a log names and that is gone, or not what it was; null: all are there. */
export function damagedPayload(events: readonly StoredEvent[], store: Pick<Store, "blob">): ReplayDifference | null {
  const seen = new Set<string>();
  for (const event of events) {
    for (const sha256 of blobsNamedIn([event])) {
      if (seen.has(sha256)) continue;
      seen.add(sha256);
      if (!isWhole(sha256, store)) return damaged(event, sha256);
    }
  }
  return null;
}

function isWhole(sha256: string, store: Pick<Store, "blob">): boolean {
  try {
    store.blob({ sha256, sizeBytes: 0 });
    return true;
  } catch (thrown) {
    if (hasCode(thrown, "blob_missing")) return false;
    throw thrown;
  }
}

function damaged(event: StoredEvent, sha256: string): ReplayDifference {
  const stepId = "stepId" in event ? event.stepId : null;
  return {
    seq: event.seq,
    type: event.type,
    stepId,
    path: "",
    was: sha256,
    is: null,
    says: `the payload ${sha256.slice(0, 12)} of ${event.type} is gone, or is not what it was`,
    hint: "somebody has changed the journal, or the disk has: ccp doctor",
  };
}

/** Throws where a log has too little in it: it was made by a ccp that kept less. */
export function refuseTooOld(rid: string, events: readonly StoredEvent[]): void {
  const lacks = (event: StoredEvent) =>
    (event.type === "call.reserved" && event.facts === null) ||
    (event.type === "step.started" && event.fingerprint === null);
  if (!events.some(lacks)) return;
  throw new CcpError(
    "not_replayable",
    EXIT.usage,
    `${rid} was recorded by an older ccp, which kept too little of what it knew then to replay it`,
    { hint: `nothing was changed; a run of now can be replayed: ccp rerun ${rid}` },
  );
}
