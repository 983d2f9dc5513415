import type {
  FunctionTool,
  ResponseCreateParamsStreaming,
  ResponseInputItem,
  ResponseReasoningItem,
} from "openai/resources/responses/responses";
import type { Json } from "../core/json.ts";
import type { Lane } from "../core/lane.ts";
import type { Message, ModelRequest, Part, ToolSpec } from "../core/model.ts";
import { cacheKey } from "./cache-key.ts";
import { idMapper, sendable, sourceOf } from "./history.ts";
import { theirName } from "./their-name.ts";
import { argumentsText } from "./tool-arguments.ts";

/** What a reasoning part keeps of this wire. Nothing is stored at the provider, so the content itself travels, encrypted. */
export type ResponsesOpaque = { readonly id: string; readonly encrypted: string };

/** Models that do not reason refuse the request when asked for it: "Encrypted content is not supported with this model." */
const DOES_NOT_REASON = /^(gpt-3|gpt-4|chatgpt-|gpt-[\d.]+-chat)/;

/** A request in the words of OpenAI's Responses API. */
export function openaiResponsesRequest(lane: Lane, request: ModelRequest): ResponseCreateParamsStreaming {
  const messages = sendable(request.messages, sourceOf(lane, request), idMapper(64));
  return {
    model: theirName(lane, request.model.model),
    stream: true,
    store: false,
    max_output_tokens: request.maxTokens,
    ...cacheKey(lane, request),
    ...(DOES_NOT_REASON.test(theirName(lane, request.model.model)) ? {} : { include: ["reasoning.encrypted_content"] }),
    ...(request.system === "" ? {} : { instructions: request.system }),
    ...(request.tools.length === 0 ? {} : { tools: request.tools.map(toTool) }),
    input: messages.flatMap(toItems),
  };
}

function toTool({ name, description, parameters }: ToolSpec): FunctionTool {
  // Strict mode knows only a part of JSON Schema; arguments are checked here anyway.
  return { type: "function", name, description, parameters: { ...parameters }, strict: false };
}

function toItems(message: Message): readonly ResponseInputItem[] {
  switch (message.role) {
    case "user":
      return [{ role: "user", content: message.text }];
    case "tool":
      return [{ type: "function_call_output", call_id: message.toolCallId, output: message.text }];
    case "assistant":
      return message.parts.flatMap(toItem);
  }
}

function toItem(part: Part): readonly ResponseInputItem[] {
  switch (part.kind) {
    case "text":
      return [{ role: "assistant", content: part.text }];
    case "tool_call":
      return [
        { type: "function_call", call_id: part.id, name: part.name, arguments: argumentsText(part.rawArguments) },
      ];
    case "reasoning":
      return reasoningItem(part.text, part.opaque);
  }
}

function reasoningItem(text: string, opaque: Json): readonly ResponseReasoningItem[] {
  const { id, encrypted } = (opaque ?? {}) as { id?: Json; encrypted?: Json };
  if (typeof id !== "string" || typeof encrypted !== "string") return [];
  const summary = text === "" ? [] : [{ type: "summary_text" as const, text }];
  return [{ type: "reasoning", id, summary, encrypted_content: encrypted }];
}
