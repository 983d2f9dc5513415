import type { Utterance } from "../core/conversation.ts";
import type { CommandEnd, StoredEvent } from "../core/event.ts";
import type { ModelFailure, Usage } from "../core/model.ts";
import type { RunLog } from "./run-log.ts";
import { utteranceOf } from "./utterances.ts";

/** One thing that happened in a step, payload in hand. `at`: milliseconds since 1970. */
export type StepEntry = { readonly at: number } & (
  | { readonly kind: "prompt"; readonly system: string; readonly text: string }
  | { readonly kind: "utterance"; readonly utterance: Utterance }
  | {
      readonly kind: "call";
      readonly model: string;
      readonly usage: Usage;
      readonly costNanos: number;
      readonly durationMs: number;
      /** Null: it was answered. */
      readonly failure: ModelFailure | null;
    }
  | { readonly kind: "lost"; readonly model: string; readonly heldNanos: number; readonly reason: string }
  | { readonly kind: "command"; readonly command: string; readonly end: CommandEnd; readonly output: string }
  | { readonly kind: "note"; readonly text: string }
);

/** Everything that is on record of one step, in order: what `ccp view --step` shows. */
export function stepEntries(log: RunLog, stepId: string): readonly StepEntry[] {
  return log.events
    .filter((event) => "stepId" in event && event.stepId === stepId)
    .flatMap((event) => [...factEntries(event, log), ...utteranceOf(event, stepId, log).map(asEntry(event.at))]);
}

function asEntry(at: number): (utterance: Utterance) => StepEntry {
  return (utterance) => ({ at, kind: "utterance", utterance });
}

function factEntries(event: StoredEvent, log: RunLog): readonly StepEntry[] {
  const { at } = event;
  switch (event.type) {
    case "step.started": {
      const note: StepEntry = { at, kind: "note", text: `try ${event.conversation}` };
      if (!event.prompt) return [note];
      const { system, user } = log.readJson<{ system: string; user: string }>(event.prompt);
      return [note, { at, kind: "prompt", system, text: user }];
    }
    case "step.interrupted":
      return [{ at, kind: "note", text: `interrupted: ${event.reason}` }];
    case "step.finished":
      return [
        {
          at,
          kind: "note",
          text:
            event.outcome.status === "succeeded"
              ? "succeeded"
              : `failed, ${event.outcome.class}: ${event.outcome.reason}`,
        },
      ];
    case "call.settled": {
      const { model, usage, costNanos, durationMs, result } = event;
      return [
        {
          at,
          kind: "call",
          model,
          usage,
          costNanos,
          durationMs,
          failure: result.type === "failed" ? result.failure : null,
        },
      ];
    }
    case "call.lost":
      return [{ at, kind: "lost", model: event.model, heldNanos: event.heldNanos, reason: event.reason }];
    case "command.finished":
      return [{ at, kind: "command", command: event.command, end: event.end, output: log.readText(event.end.output) }];
    default:
      return [];
  }
}
