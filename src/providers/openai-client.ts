import type { OpenAI } from "openai";
import type { Lane } from "../core/lane.ts";
import { SDK_OPTIONS } from "./sdk-options.ts";
import type { Fetch } from "./transport.ts";

/**
 * The official client on a lane's own fetch, with nothing taken from the environment.
 *
 * Both wires ask it with `post` and `__streamMode: "events"`: in its other mode the client throws at a payload that has
 * an `error` and drops the rest of it, where OpenRouter reports what the broken answer cost.
 */
export async function openaiClient(lane: Lane, fetch: Fetch): Promise<OpenAI> {
  const { OpenAI } = await import("openai");
  return new OpenAI({
    ...SDK_OPTIONS,
    baseURL: lane.baseUrl,
    fetch,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
  });
}
