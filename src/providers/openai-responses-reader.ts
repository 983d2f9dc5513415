import type { AnswerDraft, Delta } from "./answer-draft.ts";
import type { ResponsesOpaque } from "./openai-responses-request.ts";

/** What is read of an event; any of it may be missing, and events of other types are passed over. */
export interface ResponsesEvent {
  readonly type?: string;
  readonly output_index?: number;
  readonly delta?: unknown;
  readonly arguments?: string;
  readonly item?: ResponsesItem;
  readonly response?: ResponsesBody;
  readonly error?: unknown;
  readonly code?: string | null;
  readonly message?: string;
}

interface ResponsesItem {
  readonly type?: string;
  readonly id?: string;
  readonly call_id?: string;
  readonly name?: string;
  readonly arguments?: string;
  readonly encrypted_content?: string | null;
  readonly content?: readonly { readonly type?: string; readonly text?: string; readonly refusal?: string }[];
}

interface ResponsesBody {
  readonly status?: string;
  readonly model?: string;
  readonly error?: unknown;
  readonly incomplete_details?: { readonly reason?: string } | null;
  readonly output?: readonly ResponsesItem[];
  readonly usage?: ResponsesUsage | null;
}

/** Input includes what came from or went to the cache; output includes reasoning. */
interface ResponsesUsage {
  readonly input_tokens?: number;
  readonly input_tokens_details?: { readonly cached_tokens?: number; readonly cache_write_tokens?: number } | null;
  readonly output_tokens?: number;
  readonly output_tokens_details?: { readonly reasoning_tokens?: number } | null;
}

/** Takes one event of a Responses stream into the draft. */
export function readResponsesEvent(draft: AnswerDraft, event: ResponsesEvent): readonly Delta[] {
  const key = String(event.output_index ?? 0);
  const delta = typeof event.delta === "string" ? event.delta : "";
  switch (event.type) {
    case "response.output_item.added":
      return begin(draft, key, event.item ?? {});
    case "response.output_text.delta":
      return draft.text(key, delta);
    case "response.refusal.delta":
      draft.stop = "refusal";
      return draft.text(key, delta);
    case "response.reasoning_summary_text.delta":
    case "response.reasoning_text.delta":
      return draft.reasoning(key, delta);
    case "response.function_call_arguments.delta":
      return draft.toolCall(key, { arguments: delta });
    case "response.output_item.done":
      return complete(draft, key, event.item ?? {});
    case "error":
      draft.error = event.error ?? event;
      return [];
    default:
      return event.response ? readResponse(draft, event.type ?? "", event.response) : [];
  }
}

function begin(draft: AnswerDraft, key: string, item: ResponsesItem): readonly Delta[] {
  if (item.type !== "function_call") return [];
  return draft.toolCall(key, { id: item.call_id ?? "", name: item.name ?? "" });
}

/** The item as a whole: it completes what no delta brought. */
function complete(draft: AnswerDraft, key: string, item: ResponsesItem): readonly Delta[] {
  const isNew = draft.part(key) === null;
  switch (item.type) {
    case "function_call": {
      const hasArguments = draft.part(key)?.text !== "" && !isNew;
      return draft.toolCall(key, {
        id: item.call_id ?? "",
        name: item.name ?? "",
        arguments: hasArguments ? "" : (item.arguments ?? ""),
      });
    }
    case "message":
      return isNew
        ? draft.text(key, (item.content ?? []).map((piece) => piece.text ?? piece.refusal ?? "").join(""))
        : [];
    case "reasoning":
      draft.hidesReasoning = true;
      if (item.id && item.encrypted_content)
        draft.opaque(key, { id: item.id, encrypted: item.encrypted_content } satisfies ResponsesOpaque);
      return [];
    default:
      return [];
  }
}

function readResponse(draft: AnswerDraft, type: string, response: ResponsesBody): readonly Delta[] {
  draft.servedBy = response.model ?? draft.servedBy;
  if (response.usage) report(draft, response.usage);
  switch (type) {
    case "response.completed":
    case "response.incomplete":
      draft.ended = true;
      draft.stop = stopOf(type, response) ?? draft.stop;
      return (response.output ?? []).flatMap((item, index) =>
        draft.part(String(index)) ? [] : complete(draft, String(index), item),
      );
    case "response.failed":
    case "response.cancelled":
      // An `error` event just before it says the same, or more.
      draft.error ??= response.error ?? { message: "the provider gave the response up" };
      return [];
    default:
      return [];
  }
}

/** Whoever says that it is incomplete, in any of three places, is believed. */
function stopOf(type: string, { status, incomplete_details: details }: ResponsesBody): "length" | "refusal" | null {
  if (details?.reason === "content_filter") return "refusal";
  const isIncomplete = type === "response.incomplete" || status === "incomplete" || details?.reason !== undefined;
  return isIncomplete ? "length" : null;
}

function report(draft: AnswerDraft, usage: ResponsesUsage): void {
  const cacheRead = usage.input_tokens_details?.cached_tokens ?? 0;
  const cacheWrite = usage.input_tokens_details?.cache_write_tokens ?? 0;
  const output = usage.output_tokens ?? 0;
  draft.usage = {
    freshInput: Math.max(0, (usage.input_tokens ?? 0) - cacheRead - cacheWrite),
    cacheRead,
    cacheWrite,
    output,
    reasoning: Math.min(usage.output_tokens_details?.reasoning_tokens ?? 0, output),
  };
  draft.usageIsFinal = true;
}
