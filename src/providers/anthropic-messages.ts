import type { Lane } from "../core/lane.ts";
import type { ModelEvent, ModelRequest } from "../core/model.ts";
import { anthropicClient } from "./anthropic-client.ts";
import { type AnthropicEvent, readAnthropicEvent } from "./anthropic-reader.ts";
import { anthropicRequest } from "./anthropic-request.ts";
import { attempt } from "./attempt.ts";
import type { Transport } from "./transport.ts";

/** One attempt on Anthropic's Messages wire. */
export function sendAnthropicMessages(
  lane: Lane,
  request: ModelRequest,
  transport: Transport,
): AsyncIterable<ModelEvent> {
  const body = anthropicRequest(lane, request);
  return attempt<AnthropicEvent>({
    lane,
    request,
    transport,
    endIsLast: true,
    read: readAnthropicEvent,
    async send({ fetch }) {
      const client = await anthropicClient(lane, fetch);
      // Not `messages.create`: that writes warnings about old models to the console, once a call.
      return client.post<AsyncIterable<AnthropicEvent>>("/v1/messages", { body, stream: true });
    },
  });
}
