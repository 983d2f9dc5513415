import { createHash } from "node:crypto";
import type { Lane } from "../core/lane.ts";
import type { ModelRequest } from "../core/model.ts";

/**
 * Names the beginning of a conversation, so that OpenAI sends all of its turns to where that is cached. Nothing can be
 * read from it. Empty elsewhere: other servers of its wires may refuse a field that they do not know.
 */
export function cacheKey(lane: Lane, { system, messages }: ModelRequest): { readonly prompt_cache_key?: string } {
  if (new URL(lane.baseUrl).hostname !== "api.openai.com") return {};
  const hash = createHash("sha256").update(JSON.stringify([system, messages[0] ?? null]));
  return { prompt_cache_key: `ccp-${hash.digest("hex").slice(0, 32)}` };
}
