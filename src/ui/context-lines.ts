import type { EventOf } from "../core/event.ts";
import { plural } from "../core/words.ts";
import { formatTokens } from "./format.ts";
import { type Line, line } from "./line.ts";

/** A line about what a model is sent from here on: that it was made smaller, how, and by how much. */
export function contextLine(event: EventOf<"context.pruned" | "context.summarised">): Line {
  const size = shortenedText({ before: event.tokensBefore, after: event.tokensAfter });
  if (event.type === "context.pruned") {
    return line("detail", `  ${event.stepId}  ${size}, ${plural(event.results, "old result")} left out`);
  }
  const how = event.summary === null ? "without a summary of a model's" : "summarised";
  return line(event.shrank ? "detail" : "warning", `${event.shrank ? " " : "!"} ${event.stepId}  ${size}, ${how}`);
}

/** `context made smaller: 95.0k → 41.2k tokens`. */
export function shortenedText({ before, after }: { readonly before: number; readonly after: number }): string {
  return `context made smaller: ${formatTokens(before)} → ${formatTokens(after)} tokens`;
}
