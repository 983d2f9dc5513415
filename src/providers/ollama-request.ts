import type { ChatRequest, Message as OllamaMessage, Tool } from "ollama";
import type { Lane } from "../core/lane.ts";
import type { Message, ModelRequest, Part, ToolSpec } from "../core/model.ts";
import { idMapper, sendable, sourceOf } from "./history.ts";
import { theirName } from "./their-name.ts";
import { argumentsObject } from "./tool-arguments.ts";

/** What is sent to `/api/chat`. */
export type OllamaBody = ChatRequest & {
  readonly stream: true;
  /** False: what does not fit is an error. Left to itself the server leaves out the oldest messages and says nothing. */
  readonly truncate: false;
};

/** A request in the words of Ollama's own chat API, the only one of its two that can be told a context size. */
export function ollamaRequest(lane: Lane, request: ModelRequest): OllamaBody {
  const messages = sendable(request.messages, sourceOf(lane, request), idMapper(64));
  return {
    model: theirName(lane, request.model.model),
    stream: true,
    truncate: false,
    options: {
      num_predict: request.maxTokens,
      ...(lane.contextTokens === null ? {} : { num_ctx: lane.contextTokens }),
    },
    ...(request.tools.length === 0 ? {} : { tools: request.tools.map(toTool) }),
    messages: [
      ...(request.system === "" ? [] : [{ role: "system", content: request.system }]),
      ...messages.map(toMessage),
    ],
  };
}

function toTool({ name, description, parameters }: ToolSpec): Tool {
  return {
    type: "function",
    function: { name, description, parameters: { ...parameters } as NonNullable<Tool["function"]["parameters"]> },
  };
}

/** This wire has no ids: results follow their calls in order and carry the tool's name. */
function toMessage(message: Message): OllamaMessage {
  switch (message.role) {
    case "user":
      return { role: "user", content: message.text };
    case "tool":
      return { role: "tool", content: message.text, tool_name: message.name };
    case "assistant":
      return toAssistantMessage(message.parts);
  }
}

function toAssistantMessage(parts: readonly Part[]): OllamaMessage {
  const thinking = parts.map((part) => (part.kind === "reasoning" ? part.text : "")).join("");
  const calls = parts.filter((part) => part.kind === "tool_call");
  return {
    role: "assistant",
    content: parts.map((part) => (part.kind === "text" ? part.text : "")).join(""),
    ...(thinking === "" ? {} : { thinking }),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map(({ name, rawArguments }) => ({
            function: { name, arguments: { ...argumentsObject(rawArguments) } },
          })),
        }),
  };
}
