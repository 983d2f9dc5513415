import { applyEvent } from "../core/fold-run.ts";
import { LineFeed } from "./line-feed.ts";
import { type Past, runBefore } from "./past.ts";
import type { StepLabel } from "./step-label.ts";

/** The last lines of what a run had shown: what a resumed run shows first. Plain text, oldest first. */
export function lastPage(past: Past, maxLines = 20, steps: readonly StepLabel[] = []): readonly string[] {
  let run = runBefore(past);
  const feed = new LineFeed(steps, { run, events: [] });
  const lines: string[] = [];
  for (const event of past.events) {
    run = applyEvent(run, event);
    lines.push(...feed.event(event, run).map((line) => line.text));
  }
  lines.push(...feed.flush().map((line) => line.text));
  return lines.slice(-maxLines);
}
