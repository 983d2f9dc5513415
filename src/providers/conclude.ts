import type { ModelEvent, ModelFailure, Part, StopReason } from "../core/model.ts";
import type { Usage } from "../core/usage.ts";
import type { AnswerDraft, DraftPart, ReportedUsage } from "./answer-draft.ts";
import { isCutOff } from "./tool-arguments.ts";
import type { Asked } from "./transport.ts";

type Answered = Extract<ModelEvent, { type: "answered" }>;
type Failed = Extract<ModelEvent, { type: "failed" }>;

/** Characters to a token where nobody reports tokens: errs towards too many for English and for code. */
const CHARACTERS_PER_TOKEN = 3;

/** The end of an answer that arrived whole. */
export function answered(draft: AnswerDraft, asked: Asked, source: string): Answered {
  const usage = usageOf(draft, asked);
  return {
    type: "answered",
    parts: finishedParts(draft.parts, asked, source),
    stop: stopOf(draft, usage, asked.maxTokens),
    usage,
    providerCostNanos: costOf(draft),
    servedBy: draft.servedBy,
  };
}

/** The end of an attempt that gave none, with what was reported by then. */
export function failed(draft: AnswerDraft, failure: ModelFailure): Failed {
  return { type: "failed", failure, usage: partialUsage(draft), providerCostNanos: costOf(draft) };
}

/** A truncated answer must say so whatever the provider calls it: none of its tool calls may run. */
function stopOf(draft: AnswerDraft, usage: Usage, maxTokens: number): StopReason {
  const calls = draft.parts.filter((part) => part.kind === "tool_call");
  if (draft.stop === "refusal") return "refusal";
  if (draft.stop === "length" || calls.some((call) => isCutOff(call.text))) return "length";
  if (usage.source === "provider" && usage.output >= maxTokens) return "length";
  return calls.length > 0 ? "tool_calls" : "end";
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

function usageOf(draft: AnswerDraft, asked: Asked): Usage {
  if (isUsable(draft.usage)) return { ...draft.usage, source: "provider" };
  return {
    freshInput: asked.inputEstimate,
    cacheRead: 0,
    cacheWrite: 0,
    output: outputEstimate(draft),
    reasoning: 0,
    source: "estimated",
  };
}

/** A first report counts the output so far as next to nothing: what was received is the better figure. */
function partialUsage(draft: AnswerDraft): Usage | null {
  if (!isUsable(draft.usage)) return null;
  const received = outputEstimate(draft);
  if (draft.usageIsFinal || received <= draft.usage.output) return { ...draft.usage, source: "provider" };
  return { ...draft.usage, output: received, source: "estimated" };
}

function isUsable(usage: ReportedUsage | null): usage is ReportedUsage {
  if (usage === null) return false;
  const { freshInput, cacheRead, cacheWrite, output, reasoning } = usage;
  const counts = [freshInput, cacheRead, cacheWrite, output, reasoning];
  return counts.every(isAmount) && freshInput + cacheRead + cacheWrite + output > 0;
}

/** A figure below nothing would be money given back. */
function costOf({ costNanos }: AnswerDraft): number | null {
  return costNanos !== null && isAmount(costNanos) ? costNanos : null;
}

/** What the ledger can hold. Providers send text, fractions and worse. */
function isAmount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function outputEstimate(draft: AnswerDraft): number {
  return Math.ceil(draft.characters / CHARACTERS_PER_TOKEN);
}
