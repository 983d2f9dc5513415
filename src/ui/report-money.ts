import type { EventOf, StoredEvent } from "../core/event.ts";
import { formatUsd } from "../core/money.ts";
import { type Run, stepState } from "../core/run.ts";
import { plural } from "../core/words.ts";
import { keptText } from "./call-lines.ts";
import { driftText, isDrift } from "./drift.ts";
import { quoted } from "./line.ts";
import { modelName } from "./step-label.ts";
import { reusedText } from "./step-lines.ts";

/** A line for every call that was lost: who was asked, what was charged, why, and whether it was asked again. */
export function lostLines(events: readonly StoredEvent[], rid: string): readonly string[] {
  const askedAgain = new Set(events.flatMap((event) => (event.type === "call.reserved" ? [event.retryOf] : [])));
  return events.flatMap((event) => {
    if (event.type !== "call.lost") return [];
    const again = askedAgain.has(event.callId) ? ", asked again" : "";
    const charge = `${modelName(event.model)}, charged ${formatUsd(event.heldNanos)}${again}`;
    const kept = keptText(event.partial, rid, event.stepId);
    return [`${event.stepId}: ${charge} (${quoted(event.reason, 160)})${kept}`];
  });
}

/** A line for every step that another run did; a step that was done again since is none. */
export function reusedLines(events: readonly StoredEvent[], run: Run): readonly string[] {
  return reusedSteps(events, run).map((event) => `${event.stepId}: ${reusedText(event)}`);
}

/** `2 steps reused, $0.16 saved`; null where none was. */
export function savedText(events: readonly StoredEvent[], run: Run): string | null {
  const reused = reusedSteps(events, run);
  if (reused.length === 0) return null;
  const saved = reused.reduce((sum, event) => sum + event.savedNanos, 0);
  return `${plural(reused.length, "step")} reused, ${formatUsd(saved)} saved`;
}

/** What was charged in all beside the price list, where they are apart; null where they are not. Calls without a known price are left out. */
export function totalDriftText(events: readonly StoredEvent[]): string | null {
  const calls = events.flatMap((event) =>
    event.type === "call.settled" && typeof event.listedNanos === "number"
      ? [{ charged: event.costNanos, listed: event.listedNanos }]
      : [],
  );
  const charged = calls.reduce((sum, call) => sum + call.charged, 0);
  const listed = calls.reduce((sum, call) => sum + call.listed, 0);
  return isDrift(charged, listed) ? `for settled calls ${driftText("the providers", charged, listed)}` : null;
}

function reusedSteps(events: readonly StoredEvent[], run: Run): readonly EventOf<"step.reused">[] {
  const last = new Map<string, EventOf<"step.reused">>();
  for (const event of events) if (event.type === "step.reused") last.set(event.stepId, event);
  return [...last.values()].filter(({ stepId }) => stepState(run, stepId).reusedFrom !== null);
}
