import type { EventOf, StoredEvent } from "./event.ts";
import { TOOL_EFFECTS, type ToolEffect, type ToolName } from "./permission.ts";

/** The shape in which events are written. Raised with every change to the shape of one that may be on record. */
export const EVENT_VERSION = 2;

/** Brings an event that was written in an older shape to today's. What was not recorded then is null, false or empty. */
export function upcast(written: StoredEvent, version: number): StoredEvent {
  return version < 2 ? fromFirst(written) : written;
}

/** `event` has the fields of the first version only, whatever its type says. */
function fromFirst(event: StoredEvent): StoredEvent {
  switch (event.type) {
    case "command.finished":
      return { ...event, end: { ...event.end, stdout: event.end.output } };
    case "step.started":
      return { ...event, fingerprint: null };
    case "call.reserved":
      return { ...event, facts: null, retryOf: null };
    case "call.settled":
      return { ...event, listedNanos: null, result: resultFromFirst(event.result) };
    case "call.lost":
      return { ...event, failure: null, partial: null };
    case "tool.started":
      return { ...event, effect: effectOf(event.tool) };
    default:
      return event;
  }
}

function resultFromFirst(result: EventOf<"call.settled">["result"]): EventOf<"call.settled">["result"] {
  return result.type === "answered" ? { ...result, cut: false } : { ...result, partial: null };
}

/** A tool that nobody knows any more may have done anything. */
function effectOf(tool: string): ToolEffect {
  return Object.hasOwn(TOOL_EFFECTS, tool) ? TOOL_EFFECTS[tool as ToolName] : "execute";
}
