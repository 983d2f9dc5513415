import type { Lane } from "../core/lane.ts";
import type { ModelEvent, ModelRequest } from "../core/model.ts";
import { attempt } from "./attempt.ts";
import { openaiClient } from "./openai-client.ts";
import { type ResponsesEvent, readResponsesEvent } from "./openai-responses-reader.ts";
import { openaiResponsesRequest } from "./openai-responses-request.ts";
import type { Transport } from "./transport.ts";

/** One attempt on OpenAI's Responses wire. */
export function sendOpenaiResponses(
  lane: Lane,
  request: ModelRequest,
  transport: Transport,
): AsyncIterable<ModelEvent> {
  const body = openaiResponsesRequest(lane, request);
  return attempt<ResponsesEvent>({
    lane,
    request,
    transport,
    endIsLast: true,
    read: readResponsesEvent,
    async send({ fetch }) {
      const client = await openaiClient(lane, fetch);
      return client.post<AsyncIterable<ResponsesEvent>>("/responses", { body, stream: true, __streamMode: "events" });
    },
  });
}
