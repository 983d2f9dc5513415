import type { Json } from "../core/json.ts";
import type { StopReason } from "../core/model.ts";
import { usdToNanos } from "../core/money.ts";
import type { AnswerDraft, Delta, ReportedUsage } from "./answer-draft.ts";

/** What is read of a chunk; any of it may be missing. A whole completion has `message` where a chunk has `delta`. */
export interface ChatChunk {
  readonly model?: string;
  readonly error?: unknown;
  readonly choices?: readonly ChatChoice[] | null;
  readonly usage?: ChatUsage | null;
  /** The stream ended with its own word for it. */
  readonly isDone?: boolean;
}

interface ChatChoice {
  readonly delta?: ChatDelta | null;
  readonly message?: ChatDelta | null;
  readonly finish_reason?: string | null;
  /** Moonshot reports here. */
  readonly usage?: ChatUsage | null;
}

interface ChatDelta {
  readonly content?: unknown;
  readonly refusal?: string | null;
  readonly reasoning_content?: string | null;
  readonly reasoning?: string | null;
  readonly reasoning_details?: readonly Json[] | null;
  readonly tool_calls?: readonly ChatToolCall[] | null;
}

interface ChatToolCall {
  readonly index?: number;
  readonly id?: string | null;
  readonly function?: { readonly name?: string | null; readonly arguments?: unknown } | null;
}

/** `prompt_tokens` includes what came from or went to the cache. */
export interface ChatUsage {
  readonly prompt_tokens?: number | null;
  readonly completion_tokens?: number | null;
  readonly total_tokens?: number | null;
  readonly prompt_tokens_details?: {
    readonly cached_tokens?: number | null;
    readonly cache_write_tokens?: number | null;
  } | null;
  readonly completion_tokens_details?: { readonly reasoning_tokens?: number | null } | null;
  /** OpenRouter: dollars. With the user's own upstream key it is only the fee, and the rest stands in `cost_details`. */
  readonly cost?: unknown;
  readonly is_byok?: boolean | null;
  readonly cost_details?: { readonly upstream_inference_cost?: number | null } | null;
  /** xAI: tenths of a nano-dollar. */
  readonly cost_in_usd_ticks?: number | null;
}

const STOPS: Readonly<Record<string, StopReason>> = {
  stop: "end",
  eos: "end",
  length: "length",
  model_length: "length",
  tool_calls: "tool_calls",
  function_call: "tool_calls",
  content_filter: "refusal",
  // Z.AI.
  sensitive: "refusal",
};

/** Finish reasons that are failures: Z.AI's, DeepSeek's, OpenRouter's. */
const FAILURES = ["network_error", "model_context_window_exceeded", "insufficient_system_resource"];
/** Gateways write what went wrong upstream where the reason to stop belongs: `overloaded_error`. */
const ERROR_REASON = /error|timeout|overloaded|unavailable/i;

/** Takes one chunk of a chat completions stream into the draft. */
export function readChatChunk(draft: AnswerDraft, chunk: ChatChunk): readonly Delta[] {
  draft.servedBy = chunk.model || draft.servedBy;
  const choice = chunk.choices?.[0];
  const usage = chunk.usage ?? choice?.usage;
  if (usage) report(draft, usage);
  if (chunk.error) draft.error = chunk.error;
  if (chunk.isDone) draft.ended = true;
  if (!choice) return [];
  const deltas = readDelta(draft, choice.delta ?? choice.message ?? {});
  if (choice.finish_reason) finish(draft, choice.finish_reason);
  return deltas;
}

function finish(draft: AnswerDraft, reason: string): void {
  draft.ended = true;
  draft.stop = STOPS[reason] ?? "end";
  if (FAILURES.includes(reason) || ERROR_REASON.test(reason))
    draft.error ??= { code: reason, message: "the provider could not complete the answer" };
}

function readDelta(draft: AnswerDraft, delta: ChatDelta): readonly Delta[] {
  const reasoning = readReasoning(draft, delta);
  const text = typeof delta.content === "string" ? delta.content : "";
  const refusal = delta.refusal ?? "";
  const shown = text + refusal === "" ? [] : draft.text("text", text + refusal);
  const calls = (delta.tool_calls ?? []).flatMap((call, position) => readToolCall(draft, call, position));
  return [...reasoning, ...shown, ...calls];
}

function readReasoning(draft: AnswerDraft, delta: ChatDelta): readonly Delta[] {
  const text = delta.reasoning_content ?? delta.reasoning ?? "";
  const details = delta.reasoning_details ?? [];
  if (text === "" && details.length === 0) return [];
  const field = typeof delta.reasoning_content === "string" ? "reasoning_content" : "reasoning";
  const known = draft.part("reasoning")?.opaque as { readonly details?: readonly Json[] } | null | undefined;
  if (details.length > 0) draft.hidesReasoning = true;
  const together = details.reduce(withDetail, known?.details ?? []);
  draft.opaque("reasoning", together.length > 0 ? { field, details: together } : { field });
  return draft.reasoning("reasoning", text);
}

/** Pieces of one detail (same index and type) are put together again: texts are appended, the rest is replaced. */
function withDetail(details: readonly Json[], piece: Json): readonly Json[] {
  const last = details.at(-1) as Readonly<Record<string, Json>> | undefined;
  const next = piece as Readonly<Record<string, Json>>;
  if (!last || last.index !== next.index || last.type !== next.type) return [...details, piece];
  const joined = Object.entries(next).map(([name, value]) => {
    const isText = ["text", "summary", "data"].includes(name) && typeof last[name] === "string";
    return [name, isText ? `${last[name]}${value}` : (value ?? last[name] ?? null)] as const;
  });
  return [...details.slice(0, -1), { ...last, ...Object.fromEntries(joined) }];
}

/** Servers differ: ids come late or with every piece, indexes are missing, or the same for two calls. */
function readToolCall(draft: AnswerDraft, call: ChatToolCall, position: number): readonly Delta[] {
  const key = keyOf(draft, call, `call ${call.index ?? position}`);
  const text = call.function?.arguments ?? "";
  return draft.toolCall(key, {
    id: call.id ?? "",
    name: call.function?.name ?? "",
    arguments: typeof text === "string" ? text : JSON.stringify(text),
  });
}

/** A new id on an index that is taken begins another call; pieces without an id go to the latest call of their index. */
function keyOf(draft: AnswerDraft, call: ChatToolCall, index: string): string {
  let key = index;
  while (draft.part(`${key}+`)) key += "+";
  const known = draft.part(key);
  const isOther = known && call.id && known.id !== "" && known.id !== call.id;
  return isOther ? `${key}+` : key;
}

function report(draft: AnswerDraft, usage: ChatUsage): void {
  draft.usage = chatUsage(usage);
  draft.usageIsFinal = true;
  draft.costNanos = costOf(usage) ?? draft.costNanos;
}

/** Usage of the chat wire with its parts taken apart. */
export function chatUsage(usage: ChatUsage): ReportedUsage {
  const prompt = usage.prompt_tokens ?? 0;
  const completion = usage.completion_tokens ?? 0;
  const cacheRead = usage.prompt_tokens_details?.cached_tokens ?? 0;
  const cacheWrite = usage.prompt_tokens_details?.cache_write_tokens ?? 0;
  const reasoning = usage.completion_tokens_details?.reasoning_tokens ?? 0;
  // xAI counts reasoning beside the completion, and only the total tells.
  const isBeside = reasoning > 0 && usage.total_tokens === prompt + completion + reasoning;
  const output = isBeside ? completion + reasoning : completion;
  // A gateway that translates from Anthropic's wire may leave the cache out of the prompt.
  const isOutside = cacheRead + cacheWrite > prompt;
  return {
    freshInput: isOutside ? prompt : prompt - cacheRead - cacheWrite,
    cacheRead,
    cacheWrite,
    output,
    reasoning: Math.min(reasoning, output),
  };
}

function costOf(usage: ChatUsage): number | null {
  if (typeof usage.cost_in_usd_ticks === "number") return Math.ceil(usage.cost_in_usd_ticks / 10);
  if (typeof usage.cost !== "number") return null;
  const upstream = usage.is_byok ? (usage.cost_details?.upstream_inference_cost ?? 0) : 0;
  return usdToNanos(usage.cost + upstream);
}
