import type { Event } from "../core/event.ts";
import { type CallBook, loseReserved } from "./calls.ts";
import type { EngineDeps } from "./deps.ts";
import { RunLog } from "./run-log.ts";

/**
 * Puts one fact on record of a run that nobody drives, after `work` is done; refused (exit 7) while somebody does.
 */
export async function noteFact(
  rid: string,
  event: Event,
  deps: Pick<EngineDeps, "store"> & Omit<CallBook, "log">,
  work: () => Promise<void> = async () => {},
): Promise<void> {
  const epoch = deps.store.claim(rid);
  try {
    await work();
    const log = new RunLog(rid, epoch, { ...deps, publish: () => undefined });
    if (event.type === "run.discarded") closeCalls({ ...deps, log });
    log.record(event);
  } finally {
    deps.store.release(rid);
  }
}

/** A discarded run is never driven again: nobody would ever let go of what its calls hold. */
function closeCalls(book: CallBook): void {
  for (const callId of Object.keys(book.log.run.openCalls)) {
    loseReserved(book, callId, "the run was discarded before the answer was on record", "");
  }
}
