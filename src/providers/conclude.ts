import type { ModelEvent, ModelFailure, Part, StopReason } from "../core/model.ts";
import type { Usage } from "../core/usage.ts";
import type { AnswerDraft, DraftPart } from "./answer-draft.ts";
import { leastTokens } from "./least-tokens.ts";
import { isAmount, isUsable, plausibleUsage, type UsageBounds } from "./plausible-usage.ts";
import { readTextCalls } from "./text-calls.ts";
import { answerBound } from "./tokens.ts";
import { isCutOff, isObject } from "./tool-arguments.ts";
import type { Asked } from "./transport.ts";

type Answered = Extract<ModelEvent, { type: "answered" }>;
type Failed = Extract<ModelEvent, { type: "failed" }>;

/** The end of an answer that arrived whole. */
export function answered(draft: AnswerDraft, asked: Asked, source: string): Answered {
  const usage = plausibleUsage(draft.usage, boundsOf(draft, asked, draft.usageIsFinal));
  const saidStop = stopOf(draft, usage, asked.maxTokens);
  const written = saidStop === "end" ? withWrittenCalls(draft.parts, asked) : null;
  return {
    type: "answered",
    parts: finishedParts(written ?? draft.parts, asked, source),
    stop: written === null ? saidStop : "tool_calls",
    usage,
    providerCostNanos: costOf(draft),
    servedBy: draft.servedBy,
    cut: false,
  };
}

/** The end of an answer that ccp itself cut off: as the provider would have stopped it at `maxTokens`. */
export function cutShort(draft: AnswerDraft, asked: Asked, source: string): Answered {
  // A call whose arguments were still to come would look like one without any.
  const whole = draft.parts.filter((part) => part.kind !== "tool_call" || isObject(part.text));
  return {
    type: "answered",
    parts: finishedParts(whole, asked, source),
    stop: "length",
    usage: plausibleUsage(draft.usage, boundsOf(draft, asked, false)),
    providerCostNanos: costOf(draft),
    servedBy: draft.servedBy,
    cut: true,
  };
}

/** The end of an attempt that gave none, with what was reported by then. */
export function failed(draft: AnswerDraft, asked: Asked, failure: ModelFailure): Failed {
  const usage = isUsable(draft.usage) ? plausibleUsage(draft.usage, boundsOf(draft, asked, draft.usageIsFinal)) : null;
  return { type: "failed", failure, usage, providerCostNanos: costOf(draft) };
}

/**
 * What can have been used. A first report counts the output so far as next to nothing, so that one has to be as high as
 * the estimate to be believed. The estimate ends at what was asked for: nobody may bill more without saying so.
 */
function boundsOf(draft: AnswerDraft, asked: Asked, isFinal: boolean): UsageBounds {
  const mostOutput = draft.hidesReasoning ? asked.maxTokens : Math.min(asked.maxTokens, answerBound(draft.parts));
  return {
    leastInput: asked.inputFloor,
    mostInput: asked.inputEstimate,
    leastOutput: isFinal ? leastOutput(draft) : mostOutput,
    mostOutput,
  };
}

function leastOutput(draft: AnswerDraft): number {
  return draft.parts.reduce((sum, part) => sum + leastTokens(part.text), 0);
}

/** A truncated answer must say so whatever the provider calls it: none of its tool calls may run. */
function stopOf(draft: AnswerDraft, usage: Usage, maxTokens: number): StopReason {
  const calls = draft.parts.filter((part) => part.kind === "tool_call");
  if (draft.stop === "refusal") return "refusal";
  if (draft.stop === "length" || calls.some((call) => isCutOff(call.text))) return "length";
  if (usage.source === "provider" && usage.output >= maxTokens) return "length";
  return calls.length > 0 ? "tool_calls" : "end";
}

/** The parts with calls in place of the text in which they were written; null: there are none. */
function withWrittenCalls(parts: readonly DraftPart[], { textCalls }: Asked): readonly DraftPart[] | null {
  if (textCalls === undefined) return null;
  const isText = ({ kind }: DraftPart) => kind === "text";
  const text = parts.filter(isText).map((part) => part.text);
  const read = readTextCalls(text.join(""), textCalls);
  if (read === null) return null;
  const plain = { opaque: null, id: "" } as const;
  return [
    ...parts.filter((part) => !isText(part)),
    { ...plain, kind: "text", text: read.text, name: "" },
    ...read.calls.map(({ name, rawArguments }) => ({ ...plain, kind: "tool_call", text: rawArguments, name }) as const),
  ];
}

function finishedParts(parts: readonly DraftPart[], asked: Asked, source: string): readonly Part[] {
  const taken = new Set(asked.takenIds);
  const finished: Part[] = [];
  for (const part of parts) {
    if (part.kind === "text" && part.text !== "") finished.push({ kind: "text", text: part.text });
    if (part.kind === "reasoning" && (part.text !== "" || part.opaque !== null)) {
      finished.push({ kind: "reasoning", text: part.text, opaque: part.opaque, source });
    }
    if (part.kind === "tool_call") {
      const id = freeId(part.id, taken, asked);
      taken.add(id);
      finished.push({
        kind: "tool_call",
        id,
        name: part.name,
        rawArguments: part.text.trim() === "" ? "{}" : part.text,
      });
    }
  }
  return finished;
}

/** The provider's id, unless it gave none or one that this conversation has seen. */
function freeId(given: string, taken: ReadonlySet<string>, { conversation, turn }: Asked): string {
  if (given !== "" && !taken.has(given)) return given;
  const stem = `${given || "call"}_${conversation}_${turn}`;
  let number = 1;
  while (taken.has(`${stem}_${number}`)) number++;
  return `${stem}_${number}`;
}

/** A figure below nothing would be money given back. */
function costOf({ costNanos }: AnswerDraft): number | null {
  return costNanos !== null && isAmount(costNanos) ? costNanos : null;
}
