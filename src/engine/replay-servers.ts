import type { StoredEvent } from "../core/event.ts";
import type { ToolServers } from "../core/ports.ts";
import { NO_SERVERS, type ServerListing } from "../core/tool-servers.ts";
import type { RecordedPayloads } from "./replay-models.ts";

/** Servers of tools that offer what they offered then. None is started; what they answered comes from the record. */
export function recordedServers(events: readonly StoredEvent[], payloads: RecordedPayloads): ToolServers {
  return {
    open: (_servers, { stepId, conversation }) => ({
      ...NO_SERVERS,
      async list() {
        const begun = events.find(
          (event) => event.type === "step.started" && event.stepId === stepId && event.conversation === conversation,
        );
        if (begun?.type !== "step.started" || begun.servers === undefined) return [];
        return payloads.json<readonly ServerListing[]>(begun.servers);
      },
    }),
  };
}
