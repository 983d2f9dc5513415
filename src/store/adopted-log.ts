import type { Event, StoredEvent } from "../core/event.ts";
import { damagedLog } from "./refusals.ts";

/** Throws `CcpError("damaged_export")` for what is not the whole log of this run, from its first event on. */
export function checkLog(rid: string, events: readonly StoredEvent[]): void {
  const [first] = events;
  if (first?.type !== "run.created" || first.rid !== rid) throw damagedLog(rid, `it does not begin with ${rid}`);
  const gap = events.findIndex(({ seq }, index) => seq !== index + 1);
  if (gap >= 0) throw damagedLog(rid, `event ${gap + 1} is missing`);
}

/** The last epoch that the log tells of: whoever claims the run gets a later one. */
export function epochOf(events: readonly StoredEvent[]): number {
  return events.reduce((epoch, event) => (event.type === "run.resumed" ? Math.max(epoch, event.epoch) : epoch), 1);
}

/** The events as they were before the journal numbered them. */
export function factsOf(events: readonly StoredEvent[]): readonly Event[] {
  return events.map(({ seq, at, ...fact }) => fact);
}
