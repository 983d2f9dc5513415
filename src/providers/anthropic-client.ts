import type { Anthropic } from "@anthropic-ai/sdk";
import type { Lane } from "../core/lane.ts";
import { SDK_OPTIONS } from "./sdk-options.ts";
import type { Fetch } from "./transport.ts";

/** The official client on a lane's own fetch, with nothing taken from the environment or the user's files. */
export async function anthropicClient(lane: Lane, fetch: Fetch): Promise<Anthropic> {
  const { Anthropic } = await import("@anthropic-ai/sdk");
  return new Anthropic({
    ...SDK_OPTIONS,
    baseURL: lane.baseUrl,
    fetch,
    authToken: null,
    webhookKey: null,
    openTelemetry: false,
  });
}
