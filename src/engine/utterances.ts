import type { Utterance } from "../core/conversation.ts";
import type { BlobRef, EventOf, StoredEvent } from "../core/event.ts";
import type { Json } from "../core/json.ts";
import type { Part } from "../core/model.ts";
import { inputTokens } from "../core/usage.ts";
import { shorteningOf } from "./context-events.ts";

/** Reads payloads of the journal. */
export interface Payloads {
  readText(ref: BlobRef): string;
  readJson<T>(ref: BlobRef): T;
}

/** The facts of one conversation among a run's events, in order, payloads in hand. */
export function utterancesOf(
  events: readonly StoredEvent[],
  stepId: string,
  conversation: number,
  payloads: Payloads,
): readonly Utterance[] {
  const first = events.findIndex(
    (event) => event.type === "step.started" && event.stepId === stepId && event.conversation === conversation,
  );
  const begun = events[first];
  if (begun?.type !== "step.started" || begun.prompt === null) return [];
  const task: Utterance = { type: "said", why: "task", text: payloads.readJson<{ user: string }>(begun.prompt).user };
  return [task, ...events.slice(first + 1).flatMap((event) => utteranceOf(event, stepId, payloads))];
}

/** None, or one: most facts of a step are not said to the model. */
export function utteranceOf(event: StoredEvent, stepId: string, payloads: Payloads): readonly Utterance[] {
  if (!("stepId" in event) || event.stepId !== stepId) return [];
  switch (event.type) {
    case "message.added":
      return [{ type: "said", why: event.why, text: payloads.readText(event.text) }];
    case "call.settled":
      return answerOf(event, payloads);
    case "context.pruned":
    case "context.summarised":
      return [shorteningOf(event, payloads)];
    case "tool.finished":
      return [
        {
          type: "tool",
          toolCallId: event.toolCallId,
          name: event.tool,
          text: payloads.readText(event.result),
          status: event.status,
          finish: event.finish ? payloads.readJson<Json>(event.finish) : null,
          ...(event.seen ? { seen: event.seen } : {}),
          ...(event.advice ? { advice: event.advice } : {}),
          ...(event.job ? { job: event.job } : {}),
        },
      ];
    default:
      return [];
  }
}

/** An answer; one that is no part of the talk; or that the provider refuses the talk as too long. */
function answerOf(
  { result, purpose, model, usage }: EventOf<"call.settled">,
  payloads: Payloads,
): readonly Utterance[] {
  // A reviewer was asked about the conversation; nothing was said in it.
  if (purpose === "diagnose") return [];
  if (result.type === "failed") {
    return result.failure.class === "overflow" && purpose === undefined ? [{ type: "refused", model }] : [];
  }
  const parts = payloads.readJson<readonly Part[]>(result.parts);
  if (purpose !== undefined) return [{ type: "draft", parts, stop: result.stop }];
  const tokens = usage.source === "provider" ? inputTokens(usage) : 0;
  return [{ type: "answered", parts, stop: result.stop, ...(tokens > 0 ? { counted: { model, tokens } } : {}) }];
}
