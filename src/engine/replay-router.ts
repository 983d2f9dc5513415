import type { StoredEvent } from "../core/event.ts";
import type { Decided, RouteQuestion, Router } from "./router.ts";

/** What rules said of a run's conversations then, whatever they say today. */
export function recordedRouter(events: readonly StoredEvent[]): Router {
  const decisions = new Map<string, Decided>();
  for (const event of events) {
    if (event.type !== "route.decided") continue;
    const { rule, candidates } = event;
    decisions.set(keyOf(event), { rule, candidates });
  }
  return { decide: (question) => decisions.get(keyOf(question)) ?? null };
}

function keyOf({ stepId, conversation, task }: RouteQuestion): string {
  return `${stepId} ${conversation} ${task}`;
}
