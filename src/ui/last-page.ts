import type { StoredEvent } from "../core/event.ts";
import { applyEvent } from "../core/fold-run.ts";
import { newRun } from "../core/run.ts";
import { LineFeed } from "./line-feed.ts";
import type { StepLabel } from "./step-label.ts";

/** The last lines of what a run had shown: what a resumed run shows first. Plain text, oldest first. */
export function lastPage(
  events: readonly StoredEvent[],
  maxLines = 20,
  steps: readonly StepLabel[] = [],
): readonly string[] {
  const created = events.find((event) => event.type === "run.created");
  const feed = new LineFeed(steps);
  const lines: string[] = [];
  let run = newRun(created?.rid ?? "");
  for (const event of events) {
    run = applyEvent(run, event);
    lines.push(...feed.event(event, run).map((line) => line.text));
  }
  lines.push(...feed.flush().map((line) => line.text));
  return lines.slice(-maxLines);
}
