import type { Lane } from "../core/lane.ts";
import { formatModelRef, type ModelRequest } from "../core/model.ts";
import { anthropicClient } from "./anthropic-client.ts";
import { anthropicRequest } from "./anthropic-request.ts";
import { laneFetch } from "./lane-fetch.ts";
import { openaiClient } from "./openai-client.ts";
import { openaiResponsesRequest } from "./openai-responses-request.ts";
import { theirName } from "./their-name.ts";
import { inputFloor } from "./tokens.ts";
import { type Fetch, unrecordedFetch } from "./transport.ts";

type Uncapped = Omit<ModelRequest, "maxTokens">;
type Count = (lane: Lane, request: ModelRequest, fetch: Fetch) => Promise<number>;

/** In milliseconds: a count is only worth a short wait, for without it there is still the local bound. */
const LONGEST_WAIT_MS = 10_000;
/** Statuses that say that an endpoint or a model is not there at all. */
const NOT_THERE = [404, 405];

const COUNTS: Readonly<Partial<Record<Lane["wire"], Count>>> = {
  "anthropic-messages": countByAnthropic,
  "openai-responses": countByOpenai,
};

/**
 * Asks a provider how many input tokens a request has, in the words in which it would be sent. Costs nothing. Null: it
 * has no answer, or none that can be true. Who has none is not asked again.
 */
export function providerCount(timeoutMs = LONGEST_WAIT_MS): (lane: Lane, request: Uncapped) => Promise<number | null> {
  const withoutCount = new Set<string>();

  return async (lane, request) => {
    const count = COUNTS[lane.wire];
    const model = formatModelRef(request.model);
    if (count === undefined || withoutCount.has(model)) return null;
    const line = laneFetch(lane, { fetch: unrecordedFetch(AbortSignal.timeout(timeoutMs)) }, "json");
    try {
      const tokens = await count(lane, { ...request, maxTokens: 1 }, line.fetch);
      return Number.isSafeInteger(tokens) && tokens >= Math.max(1, inputFloor(request)) ? tokens : null;
    } catch {
      // Whatever went wrong, the call itself meets it again and says so.
      if (NOT_THERE.includes(line.refusal()?.status ?? 0)) withoutCount.add(model);
      return null;
    }
  };
}

async function countByAnthropic(lane: Lane, request: ModelRequest, fetch: Fetch): Promise<number> {
  const { max_tokens: _, stream: __, ...body } = anthropicRequest(lane, request);
  const client = await anthropicClient(lane, fetch);
  return (await client.messages.countTokens(body)).input_tokens;
}

async function countByOpenai(lane: Lane, request: ModelRequest, fetch: Fetch): Promise<number> {
  const { input = null, instructions = null, tools = null } = openaiResponsesRequest(lane, request);
  const client = await openaiClient(lane, fetch);
  const body = { model: theirName(lane, request.model.model), input, instructions, tools };
  return (await client.responses.inputTokens.count(body)).input_tokens;
}
