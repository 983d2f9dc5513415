import type {
  ContentBlockParam,
  MessageCreateParamsStreaming,
  MessageParam,
  TextBlockParam,
  Tool,
  ToolResultBlockParam,
  ToolUseBlockParam,
} from "@anthropic-ai/sdk/resources/messages";
import type { Json } from "../core/json.ts";
import type { Lane } from "../core/lane.ts";
import type { Message, ModelRequest, Part, ToolSpec } from "../core/model.ts";
import { idMapper, sendable, sourceOf } from "./history.ts";
import { theirName } from "./their-name.ts";
import { argumentsObject } from "./tool-arguments.ts";

/** What a reasoning part keeps of this wire: a signature, or a whole redacted block. */
export type AnthropicOpaque = { readonly signature: string } | { readonly redacted: string };

/** At most this many blocks may be marked for the cache: one of the tools, the system prompt, two messages. */
const CACHED_MESSAGES = 2;
const CACHED = { cache_control: { type: "ephemeral" } } as const;

/** A request in the words of Anthropic's Messages API, marked for prompt caching. */
export function anthropicRequest(lane: Lane, request: ModelRequest): MessageCreateParamsStreaming {
  const messages = sendable(request.messages, sourceOf(lane, request), idMapper(64)).map(toMessage);
  return {
    model: theirName(lane, request.model.model),
    max_tokens: request.maxTokens,
    stream: true,
    ...(request.system === "" ? {} : { system: [{ type: "text", text: request.system, ...CACHED }] }),
    ...(request.tools.length === 0 ? {} : { tools: request.tools.map(toTool) }),
    messages: merged(messages.filter(({ content }) => content.length > 0)).map(withCacheMark),
  };
}

interface Turn {
  readonly role: "user" | "assistant";
  readonly content: readonly ContentBlockParam[];
}

function toMessage(message: Message): Turn {
  switch (message.role) {
    case "user":
      return { role: "user", content: [{ type: "text", text: message.text }] };
    case "tool":
      return {
        role: "user",
        content: [
          {
            type: "tool_result",
            tool_use_id: message.toolCallId,
            content: message.text,
            ...(message.isError ? { is_error: true } : {}),
          },
        ],
      };
    case "assistant":
      return { role: "assistant", content: message.parts.flatMap(toBlock) };
  }
}

function toBlock(part: Part): readonly ContentBlockParam[] {
  switch (part.kind) {
    case "text":
      return [{ type: "text", text: part.text }];
    case "tool_call":
      return [{ type: "tool_use", id: part.id, name: part.name, input: argumentsObject(part.rawArguments) }];
    case "reasoning":
      return thinkingBlock(part.text, part.opaque);
  }
}

/** Thinking goes back signed or not at all: the API refuses the unsigned. */
function thinkingBlock(thinking: string, opaque: Json): readonly ContentBlockParam[] {
  const { signature, redacted } = (opaque ?? {}) as { signature?: Json; redacted?: Json };
  if (typeof redacted === "string") return [{ type: "redacted_thinking", data: redacted }];
  return typeof signature === "string" && signature !== "" ? [{ type: "thinking", thinking, signature }] : [];
}

function toTool(tool: ToolSpec, index: number, all: readonly ToolSpec[]): Tool {
  return {
    name: tool.name,
    description: tool.description,
    input_schema: { ...tool.parameters, type: "object" } as Tool.InputSchema,
    ...(index === all.length - 1 ? CACHED : {}),
  };
}

/** Neighbours of one role become one message: results of tools, and what was said after them. */
function merged(turns: readonly Turn[]): readonly Turn[] {
  const done: Turn[] = [];
  for (const turn of turns) {
    const last = done.at(-1);
    if (last?.role === turn.role)
      done[done.length - 1] = { role: turn.role, content: [...last.content, ...turn.content] };
    else done.push(turn);
  }
  return done;
}

function withCacheMark(turn: Turn, index: number, all: readonly Turn[]): MessageParam {
  const content = [...turn.content];
  const last = content.at(-1);
  // `sendable` leaves no reasoning in last place, where it could not be marked.
  if (index >= all.length - CACHED_MESSAGES && last) content[content.length - 1] = marked(last);
  return { role: turn.role, content };
}

function marked(block: ContentBlockParam): ContentBlockParam {
  return { ...(block as TextBlockParam | ToolUseBlockParam | ToolResultBlockParam), ...CACHED };
}
