import type { CacheMiss } from "../core/cache-misses.ts";
import type { Utterance } from "../core/conversation.ts";
import type { StoredEvent } from "../core/event.ts";
import type { TranscriptEntry } from "../core/transcript.ts";
import { callMisses } from "./call-misses.ts";
import type { RunLog } from "./run-log.ts";
import { utteranceOf } from "./utterances.ts";

/** Everything that is on record of one step, in order: what `ccp view --step` shows. */
export function stepEntries(log: RunLog, stepId: string): readonly TranscriptEntry[] {
  const events = log.eventsAfter(0).filter((event) => "stepId" in event && event.stepId === stepId);
  const misses = callMisses(events, log);
  return events.flatMap((event) => [
    ...factEntries(event, log, misses),
    ...utteranceOf(event, stepId, log).map(asEntry(event.at)),
  ]);
}

function asEntry(at: number): (utterance: Utterance) => TranscriptEntry {
  return (utterance) => ({ at, kind: "utterance", utterance });
}

function factEntries(
  event: StoredEvent,
  log: RunLog,
  misses: ReadonlyMap<string, CacheMiss>,
): readonly TranscriptEntry[] {
  const { at } = event;
  switch (event.type) {
    case "step.started": {
      const note: TranscriptEntry = { at, kind: "note", text: `try ${event.conversation}` };
      if (!event.prompt) return [note];
      const { system, user } = log.readJson<{ system: string; user: string }>(event.prompt);
      return [note, { at, kind: "prompt", system, text: user }];
    }
    case "step.reused":
      return [{ at, kind: "note", text: `reused from ${event.from}` }];
    case "tool.interrupted":
      return [{ at, kind: "note", text: `${event.tool} was interrupted and is called again: ${event.subject}` }];
    case "command.interrupted":
      return [{ at, kind: "note", text: `interrupted and run again: ${event.command}` }];
    case "route.changed":
      return [{ at, kind: "note", text: `${event.role} now asks ${event.models.join(", ")}` }];
    case "route.decided": {
      const { task, rule, candidates } = event;
      const who = rule === null ? "its own route holds" : `asks ${candidates.join(", ")}`;
      return [{ at, kind: "note", text: `${rule === null ? "no rule" : `rule "${rule}"`} for ${task}: ${who}` }];
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
    case "escalation.decided":
      return [{ at, kind: "note", text: `${event.action} (${event.signal}): ${event.reason}` }];
    case "step.diagnosed":
      return event.advice === null
        ? [{ at, kind: "note", text: `no advice: ${event.reason}` }]
        : [{ at, kind: "advice", model: event.model ?? "", text: log.readText(event.advice) }];
    case "call.settled": {
      const { model, usage, costNanos, durationMs, result } = event;
      const [failure, text] =
        result.type === "failed" ? [result.failure, result.partial ? log.readText(result.partial) : ""] : [null, ""];
      const purpose = event.purpose === undefined ? {} : { purpose: event.purpose };
      const miss = misses.get(event.callId);
      const missed = miss ? { missed: miss } : {};
      return [{ at, kind: "call", model, usage, costNanos, durationMs, failure, text, ...purpose, ...missed }];
    }
    case "context.pruned":
    case "context.summarised":
      return [{ at, kind: "shortened", before: event.tokensBefore, after: event.tokensAfter }];
    case "call.lost": {
      const { model, heldNanos, reason, partial, failure } = event;
      const text = partial ? log.readText(partial) : "";
      return [{ at, kind: "lost", model, heldNanos, reason, ...(failure?.brokeOff ? { brokeOff: true } : {}), text }];
    }
    case "command.finished":
      return [{ at, kind: "command", command: event.command, end: event.end, output: log.readText(event.end.output) }];
    default:
      return [];
  }
}
