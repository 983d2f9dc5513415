import { type CacheMiss, type CacheUse, missedTokens, missOf } from "../core/cache-misses.ts";
import type { EventOf, StoredEvent } from "../core/event.ts";
import type { ModelFacts } from "../core/model.ts";
import type { RunLog } from "./run-log.ts";

/** By call: what it has paid in full although it was in the reach of the provider's cache. */
export function callMisses(
  events: readonly StoredEvent[],
  log: Pick<RunLog, "readJson">,
): ReadonlyMap<string, CacheMiss> {
  const reserved = new Map<string, EventOf<"call.reserved">>();
  const uses: CacheUse[] = [];
  for (const event of events) {
    if (event.type === "call.reserved") reserved.set(event.callId, event);
    const intent = event.type === "call.settled" ? reserved.get(event.callId) : undefined;
    if (event.type !== "call.settled" || event.result.type !== "answered" || !intent) continue;
    const { callId, stepId, conversation, model, turn } = intent;
    uses.push({ callId, conversation: `${stepId} ${conversation}`, model, turn, usage: event.usage });
  }
  const misses = [...missedTokens(uses)].flatMap(([callId, tokens]) => {
    const facts = reserved.get(callId)?.facts;
    const miss = missOf(tokens, facts ? log.readJson<ModelFacts>(facts).price : null);
    return miss ? [[callId, miss] as const] : [];
  });
  return new Map(misses);
}
