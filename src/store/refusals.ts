import { CcpError, EXIT, messageOf } from "../core/errors.ts";
import type { BlobRef } from "../core/event.ts";
import type { Owner } from "../core/store.ts";

/** Somebody holds the run. `owner`: null where nobody has said who. */
export function owned(rid: string, owner: Owner | null): CcpError {
  const who = owner === null ? "another process" : `pid ${owner.pid} on ${owner.host}`;
  return new CcpError("owned", EXIT.owned, `${rid} is being run by ${who}`, {
    hint: `watch it there; what it has done so far: ccp view ${rid}`,
  });
}

/** Somebody has claimed the run since. */
export function fenced(rid: string): CcpError {
  return new CcpError("fenced", EXIT.owned, `${rid} was taken over by another process`, {
    hint: `nothing was written; see it: ccp view ${rid}`,
  });
}

/** The journal has no such run. */
export function unknownRun(rid: string): CcpError {
  return new CcpError("unknown_run", EXIT.usage, `there is no run ${rid} in this repository`, { hint: "ccp runs" });
}

/** The journal has such a run already. */
export function runExists(rid: string): CcpError {
  return new CcpError("run_exists", EXIT.usage, `there is a run ${rid} in this repository already`, {
    hint: `nothing was changed; see it: ccp view ${rid}`,
  });
}

/** A log from elsewhere that cannot have been written by ccp. */
export function damagedLog(rid: string, cause: unknown): CcpError {
  return new CcpError("damaged_export", EXIT.usage, `the log of ${rid} is not that of a run (${messageOf(cause)})`, {
    hint: "nothing was taken in; export the run again",
    cause,
  });
}

/** A payload is not there, or its bytes have changed. */
export function blobMissing(path: string, ref: BlobRef): CcpError {
  return new CcpError("blob_missing", EXIT.disk, `${path} has lost payload ${ref.sha256.slice(0, 12)}`, {
    hint: "the disk may be damaged: copy the journal away before anything else, then: ccp doctor",
  });
}
