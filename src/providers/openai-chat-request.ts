import type {
  ChatCompletionAssistantMessageParam,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
  ChatCompletionTool,
} from "openai/resources/chat/completions";
import type { Json } from "../core/json.ts";
import type { Lane } from "../core/lane.ts";
import type { Message, ModelRequest, Part, ToolSpec } from "../core/model.ts";
import { cacheKey } from "./cache-key.ts";
import { idMapper, sendable, sourceOf } from "./history.ts";
import { isMistral, mistralId, withWordsBetween } from "./mistral.ts";
import { theirName } from "./their-name.ts";
import { argumentsText } from "./tool-arguments.ts";

/** What a reasoning part keeps of this wire: the field that it came in, and OpenRouter's details where there were any. */
export type ChatOpaque = { readonly field: "reasoning_content" | "reasoning"; readonly details?: readonly Json[] };

/** Fields that no official type has; the servers that send them want them back. */
interface Reasoned {
  readonly reasoning_content?: string;
  readonly reasoning?: string;
  readonly reasoning_details?: readonly Json[];
}

/** OpenAI takes ids of 40 characters at most; others, of any alphabet, expect their own back. */
const chatId = idMapper(40, /^[\x21-\x7e]+$/);

/** A request in the words of the chat completions API. */
export function openaiChatRequest(lane: Lane, request: ModelRequest): ChatCompletionCreateParamsStreaming {
  const messages = chatMessages(lane, request);
  // Not before its first use: what was sent once stays as it was sent, for the provider's cache.
  const firstEcho = messages.findIndex(
    (message) =>
      message.role === "assistant" && message.parts.some((part) => opaqueOf(part)?.field === "reasoning_content"),
  );
  return {
    model: theirName(lane, request.model.model),
    stream: true,
    stream_options: { include_usage: true },
    ...ceiling(lane, request.maxTokens),
    ...cacheKey(lane, request),
    ...(request.tools.length === 0 ? {} : { tools: request.tools.map(toTool) }),
    messages: [
      ...(request.system === "" ? [] : [{ role: "system", content: request.system } as const]),
      ...messages.map((message, at) => toMessage(message, firstEcho >= 0 && at >= firstEcho)),
    ],
  };
}

function chatMessages(lane: Lane, request: ModelRequest): readonly Message[] {
  const isStrict = isMistral(lane);
  const messages = sendable(request.messages, sourceOf(lane, request), isStrict ? mistralId : chatId);
  return isStrict ? withWordsBetween(messages) : messages;
}

/** OpenAI itself refuses `max_tokens` for its newer models; everyone else knows only that. */
function ceiling(lane: Lane, maxTokens: number): { max_completion_tokens: number } | { max_tokens: number } {
  const isOpenai = new URL(lane.baseUrl).hostname === "api.openai.com";
  return isOpenai ? { max_completion_tokens: maxTokens } : { max_tokens: maxTokens };
}

function toTool({ name, description, parameters }: ToolSpec): ChatCompletionTool {
  return { type: "function", function: { name, description, parameters: { ...parameters } } };
}

function toMessage(message: Message, echo: boolean): ChatCompletionMessageParam {
  switch (message.role) {
    case "user":
      return { role: "user", content: message.text };
    case "tool":
      return { role: "tool", tool_call_id: message.toolCallId, content: message.text };
    case "assistant":
      return toAssistantMessage(message.parts, echo);
  }
}

function toAssistantMessage(parts: readonly Part[], echo: boolean): ChatCompletionAssistantMessageParam & Reasoned {
  const text = parts.map((part) => (part.kind === "text" ? part.text : "")).join("");
  const calls = parts.filter((part) => part.kind === "tool_call");
  return {
    role: "assistant",
    content: text === "" ? null : text,
    ...reasoned(parts, echo),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map(({ id, name, rawArguments }) => ({
            id,
            type: "function",
            function: { name, arguments: argumentsText(rawArguments) },
          })),
        }),
  };
}

/** A model that thinks in `reasoning_content` wants the field on every message of its own, once it has used it. */
function reasoned(parts: readonly Part[], echo: boolean): Reasoned {
  const thoughts = parts.filter((part) => part.kind === "reasoning");
  const text = thoughts.map((part) => part.text).join("");
  if (echo) return { reasoning_content: text };
  const details = thoughts.flatMap((part) => opaqueOf(part)?.details ?? []);
  if (details.length > 0) return { reasoning: text, reasoning_details: details };
  return text === "" ? {} : { reasoning: text };
}

function opaqueOf(part: Part): ChatOpaque | null {
  return part.kind === "reasoning" ? (part.opaque as ChatOpaque | null) : null;
}
