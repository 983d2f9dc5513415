import type { Lane } from "../core/lane.ts";
import type { ModelEvent, ModelRequest } from "../core/model.ts";
import { attempt } from "./attempt.ts";
import { type ChatChunk, readChatChunk } from "./openai-chat-reader.ts";
import { openaiChatRequest } from "./openai-chat-request.ts";
import { openaiClient } from "./openai-client.ts";
import type { Fetch, Transport } from "./transport.ts";

const LONGEST_DONE = "\ndata: [DONE]".length;

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
    send: async (fetch) => chunks(lane, body, fetch),
  });
}

/** The chunks, and a last one of our own where the stream said `[DONE]`: the SDK keeps that word to itself. */
async function* chunks(lane: Lane, body: object, fetch: Fetch): AsyncGenerator<ChatChunk> {
  let isDone = false;
  const client = await openaiClient(lane, async (url, init) =>
    watched(await fetch(url, init), () => {
      isDone = true;
    }),
  );
  yield* await client.post<AsyncIterable<ChatChunk>>("/chat/completions", {
    body,
    stream: true,
    __streamMode: "events",
  });
  if (isDone) yield { isDone };
}

/** Looks for the word at the beginning of a line, where no payload can have it: newlines in JSON are escaped. */
function watched(response: Response, onDone: () => void): Response {
  const decoder = new TextDecoder();
  let seen = "\n";
  const eye = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, controller) {
      seen += decoder.decode(bytes, { stream: true });
      if (/[\r\n]data: ?\[DONE\]/.test(seen)) onDone();
      seen = seen.slice(-LONGEST_DONE);
      controller.enqueue(bytes);
    },
  });
  return new Response(response.body?.pipeThrough(eye) ?? null, response);
}
