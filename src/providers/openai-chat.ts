import type { Lane } from "../core/lane.ts";
import type { ModelEvent, ModelRequest } from "../core/model.ts";
import { attempt } from "./attempt.ts";
import type { LaneFetch } from "./lane-fetch.ts";
import { type ChatChunk, readChatChunk } from "./openai-chat-reader.ts";
import { openaiChatRequest } from "./openai-chat-request.ts";
import { openaiClient } from "./openai-client.ts";
import type { Transport } from "./transport.ts";

/** One attempt on the chat completions wire: OpenAI's own, OpenRouter, Z.AI and all that speak it. */
export function sendOpenaiChat(lane: Lane, request: ModelRequest, transport: Transport): AsyncIterable<ModelEvent> {
  const body = openaiChatRequest(lane, request);
  return attempt<ChatChunk>({
    lane,
    request,
    transport,
    // The usage comes after the finish reason.
    endIsLast: false,
    read: readChatChunk,
    send: async (line) => chunks(lane, body, line),
  });
}

/** The chunks, and a last one of our own where the stream said `[DONE]`: the SDK keeps that word to itself. */
async function* chunks(lane: Lane, body: object, line: LaneFetch): AsyncGenerator<ChatChunk> {
  const client = await openaiClient(lane, line.fetch);
  yield* await client.post<AsyncIterable<ChatChunk>>("/chat/completions", {
    body,
    stream: true,
    __streamMode: "events",
  });
  if (line.isDone()) yield { isDone: true };
}
