import type { Event } from "../core/event.ts";
import type { EngineDeps } from "./deps.ts";
import { RunLog } from "./run-log.ts";

/**
 * Puts one fact on record of a run that nobody drives, after `work` is done; refused (exit 7) while somebody does.
 */
export async function noteFact(
  rid: string,
  event: Event,
  deps: Pick<EngineDeps, "store" | "chance">,
  work: () => Promise<void> = async () => {},
): Promise<void> {
  const epoch = deps.store.claim(rid);
  try {
    await work();
    new RunLog(rid, epoch, { ...deps, publish: () => undefined }).record(event);
  } finally {
    deps.store.release(rid);
  }
}
