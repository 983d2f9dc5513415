import type { EventOf, StoredEvent } from "../../../src/core/event.ts";
import { turnName } from "./scenario.ts";

/** Requests that were answered on record, in the order of their answers, as the server names them. */
export function answeredTurns(events: readonly StoredEvent[]): readonly string[] {
  const nameOf = callNames(events);
  return events.flatMap((event) => (event.type === "call.settled" ? [nameOf(event.callId)] : []));
}

/** Calls that were sent, or about to be, and have no outcome on record. */
export function openCalls(events: readonly StoredEvent[]): readonly string[] {
  const closed = new Set(
    events.flatMap((event) => (event.type === "call.settled" || event.type === "call.lost" ? [event.callId] : [])),
  );
  return events.flatMap((event) => (event.type === "call.reserved" && !closed.has(event.callId) ? [event.callId] : []));
}

/** Calls whose outcome nobody knows. */
export function lostCalls(events: readonly StoredEvent[]): readonly EventOf<"call.lost">[] {
  return events.filter((event) => event.type === "call.lost");
}

/** A call as the server names it: without the provider in front of the model. */
export function callNames(events: readonly StoredEvent[]): (callId: string) => string {
  const names = new Map(
    events.flatMap((event) => (event.type === "call.reserved" ? [[event.callId, nameOf(event)] as const] : [])),
  );
  return (callId) => names.get(callId) ?? `${callId} (never reserved)`;
}

function nameOf(call: EventOf<"call.reserved">): string {
  return turnName({ ...call, model: call.model.slice(call.model.indexOf("/") + 1) });
}
