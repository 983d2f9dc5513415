import type { StopReason } from "../core/model.ts";
import type { AnswerDraft, Delta, ReportedUsage } from "./answer-draft.ts";
import type { AnthropicOpaque } from "./anthropic-request.ts";

/** What is read of an event; any of it may be missing, and events of other types are passed over. */
export interface AnthropicEvent {
  readonly type?: string;
  readonly index?: number;
  readonly message?: { readonly model?: string; readonly usage?: AnthropicUsage | null };
  readonly content_block?: {
    readonly type?: string;
    readonly text?: string;
    readonly thinking?: string;
    readonly signature?: string;
    readonly data?: string;
    readonly id?: string;
    readonly name?: string;
    readonly input?: object;
  };
  readonly delta?: {
    readonly type?: string;
    readonly text?: string;
    readonly thinking?: string;
    readonly signature?: string;
    readonly partial_json?: string;
    readonly stop_reason?: string | null;
  };
  readonly usage?: AnthropicUsage | null;
  readonly error?: unknown;
}

/** Input excludes what was read from and written to the cache; output includes thinking. */
interface AnthropicUsage {
  readonly input_tokens?: number | null;
  readonly cache_read_input_tokens?: number | null;
  readonly cache_creation_input_tokens?: number | null;
  /** The same, by how long it is kept. */
  readonly cache_creation?: { readonly ephemeral_1h_input_tokens?: number | null } | null;
  readonly output_tokens?: number | null;
  readonly output_tokens_details?: { readonly thinking_tokens?: number | null } | null;
}

const STOPS: Readonly<Record<string, StopReason>> = {
  end_turn: "end",
  stop_sequence: "end",
  pause_turn: "end",
  tool_use: "tool_calls",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  refusal: "refusal",
};

/** Takes one event of Anthropic's stream into the draft. */
export function readAnthropicEvent(draft: AnswerDraft, event: AnthropicEvent): readonly Delta[] {
  const key = String(event.index ?? 0);
  switch (event.type) {
    case "message_start":
      draft.servedBy = event.message?.model ?? draft.servedBy;
      report(draft, event.message?.usage);
      return [];
    case "content_block_start":
      return begin(draft, key, event.content_block ?? {});
    case "content_block_delta":
      return extend(draft, key, event.delta ?? {});
    case "content_block_stop":
      return [];
    case "message_delta":
      draft.stop = STOPS[event.delta?.stop_reason ?? ""] ?? draft.stop;
      report(draft, event.usage);
      if (typeof event.usage?.output_tokens === "number") draft.usageIsFinal = true;
      return [];
    case "message_stop":
      draft.ended = true;
      return [];
    // The SDK throws the event of this name; a gateway may give it another.
    case "error":
      draft.error ??= event.error ?? event;
      return [];
    default:
      return [];
  }
}

function begin(draft: AnswerDraft, key: string, block: NonNullable<AnthropicEvent["content_block"]>): readonly Delta[] {
  switch (block.type) {
    case "text":
      return draft.text(key, block.text ?? "");
    case "thinking":
      draft.hidesReasoning = true;
      if (block.signature) draft.opaque(key, { signature: block.signature } satisfies AnthropicOpaque);
      return draft.reasoning(key, block.thinking ?? "");
    case "redacted_thinking":
      draft.hidesReasoning = true;
      draft.opaque(key, { redacted: block.data ?? "" } satisfies AnthropicOpaque);
      return [];
    case "tool_use": {
      // Some servers give the whole input here and no deltas; the usual `{}` is only a placeholder.
      const isWhole = Object.keys(block.input ?? {}).length > 0;
      return draft.toolCall(key, {
        id: block.id ?? "",
        name: block.name ?? "",
        ...(isWhole ? { arguments: JSON.stringify(block.input) } : {}),
      });
    }
    default:
      draft.passOver(key);
      return [];
  }
}

function extend(draft: AnswerDraft, key: string, delta: NonNullable<AnthropicEvent["delta"]>): readonly Delta[] {
  switch (delta.type) {
    case "text_delta":
      return draft.text(key, delta.text ?? "");
    case "thinking_delta":
      return draft.reasoning(key, delta.thinking ?? "");
    case "signature_delta":
      draft.opaque(key, { signature: delta.signature ?? "" } satisfies AnthropicOpaque);
      return [];
    case "input_json_delta":
      return extendCall(draft, key, delta.partial_json ?? "");
    default:
      return [];
  }
}

/** Arguments of a call whose beginning never came: the stream has a hole. Those of a block that is not for us are no loss. */
function extendCall(draft: AnswerDraft, key: string, json: string): readonly Delta[] {
  if (draft.part(key)?.kind === "tool_call") return draft.toolCall(key, { arguments: json });
  if (!draft.isPassedOver(key)) draft.error ??= { message: "the beginning of a tool call is missing" };
  return [];
}

/** Figures are cumulative: what an event reports replaces what was known, and what it leaves out stays. */
function report(draft: AnswerDraft, usage: AnthropicUsage | null | undefined): void {
  if (!usage) return;
  const known: ReportedUsage = draft.usage ?? { freshInput: 0, cacheRead: 0, cacheWrite: 0, output: 0, reasoning: 0 };
  const cacheWrite = usage.cache_creation_input_tokens ?? known.cacheWrite;
  const hour = Math.min(usage.cache_creation?.ephemeral_1h_input_tokens ?? known.cacheWriteHour ?? 0, cacheWrite);
  const output = usage.output_tokens ?? known.output;
  draft.usage = {
    freshInput: usage.input_tokens ?? known.freshInput,
    cacheRead: usage.cache_read_input_tokens ?? known.cacheRead,
    cacheWrite,
    ...(hour > 0 ? { cacheWriteHour: hour } : {}),
    output,
    reasoning: Math.min(usage.output_tokens_details?.thinking_tokens ?? known.reasoning, output),
  };
}
