import type { Mask, Shortening } from "../core/context-view.ts";
import type { EventOf } from "../core/event.ts";
import type { Json } from "../core/json.ts";
import type { ContextSizes } from "../core/ports.ts";
import { redact } from "../core/redact.ts";
import type { Context } from "./context.ts";
import type { RunLog } from "./run-log.ts";

type Shortened = EventOf<"context.pruned" | "context.summarised">;

/** The fact that the view of a conversation was made smaller. */
export function shortenedEvent(
  { log, deps }: Pick<Context, "log" | "deps">,
  stepId: string,
  change: Shortening,
  { before, after }: ContextSizes,
): Shortened {
  const refused = change.refusedAt === undefined ? {} : ({ refused: true } as const);
  const sizes = { tokensBefore: before, tokensAfter: after, ...refused };
  if (change.type === "pruned") {
    const masks = log.json(change.masks as unknown as Json);
    return { type: "context.pruned", stepId, masks, results: change.masks.length, ...sizes };
  }
  const { text, summary, upTo, shrank } = change;
  const kept = (words: string) => log.text(redact(words, deps.secrets));
  return {
    type: "context.summarised",
    stepId,
    text: kept(text),
    summary: summary === null ? null : kept(summary),
    upTo,
    shrank,
    ...sizes,
  };
}

/** The inverse of `shortenedEvent`, payloads in hand. */
export function shorteningOf(event: Shortened, payloads: Pick<RunLog, "readText" | "readJson">): Shortening {
  const refusal = event.refused ? { refusedAt: event.tokensBefore } : {};
  if (event.type === "context.pruned") {
    return { type: "pruned", masks: payloads.readJson<readonly Mask[]>(event.masks), ...refusal };
  }
  const { upTo, shrank } = event;
  const summary = event.summary === null ? null : payloads.readText(event.summary);
  return { type: "summarised", text: payloads.readText(event.text), summary, upTo, shrank, ...refusal };
}
